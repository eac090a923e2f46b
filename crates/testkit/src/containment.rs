//! The containment law: whatever a program does, the verifier said that it might.
//!
//! A program is verified, and every state in which an instruction was looked at is recorded. If it is accepted, it is run on a
//! [machine](crate::machine) that chooses its inputs; before every instruction some recorded state must contain the machine's,
//! and the run must not fault, keep a record, or go on for ever.
//!
//! | search | what must contain the machine at every step |
//! | --- | --- |
//! | without pruning | a recorded state, in everything that it says |
//! | pruning that compares all numbers exactly | the same: a path ends only in a state that says no more than its own |
//! | pruning as the host does it, or at every place where it may | the kinds, pointers and their offsets of a recorded state: a number that mattered to no check may lie outside what was recorded, and only what follows from it is promised |
//!
//! Before 7.1 registers that are never read again are passed over where states are compared, and not forgotten: of the searches that prune, only that
//! a run does not go wrong is asked there.
//!
//! And what is accepted where paths are cut short is not refused where they are walked to their ends.
//!
//! What a state says nothing of (`Uninit`, bytes that are merely written) contains anything. Registers and slots that are never
//! read again become that where states are compared, so no liveness is needed here.

mod generate;
mod states;

use bpfvet::Verifier;
use bpfvet::domain::{Domain, Offset, Scalar};
use bpfvet::explore::{Budget, Observer, PathInfo, Policy};
use bpfvet::linux::Linux;
use bpfvet::platform::{LoadRequest, Platform as _};
use bpfvet::vm::State;
use bpfvet_insn::InsnIdx;

use crate::machine::{Choices, End, Fault, Machine};
use crate::monotone::Refusal;

pub use generate::{Statement, Weights, generate, generate_of, request};
pub use states::{Claim, contained};

/// Instructions that a verification may look at.
const VERIFIED: u64 = 6_000;
/// Steps that a run may take; a program that the search without pruning walked to its end takes fewer than that looked at.
const STEPS: u64 = 100_000;

/// A search whose verdict is put to the test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Search {
    /// Every path is walked to its end.
    Whole,
    /// Paths end in states that say no more than theirs, at every checkpoint that may be.
    Exact,
    /// As the host does it.
    Pruned,
    /// The same, with a checkpoint wherever one may stand.
    Eager,
    /// The same, and of two ways the other one first.
    Reversed,
}

impl Search {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Whole, Self::Exact, Self::Pruned, Self::Eager, Self::Reversed];

    fn policy(self) -> Policy {
        match self {
            Self::Whole => Policy { prune: false, ..Policy::default() },
            Self::Exact => Policy { exact_subsumption: true, checkpoint_everywhere: true, ..Policy::default() },
            Self::Pruned => Policy::default(),
            Self::Eager => Policy { checkpoint_everywhere: true, ..Policy::default() },
            Self::Reversed => Policy { checkpoint_everywhere: true, reversed: true, ..Policy::default() },
        }
    }

    /// What is held to; nothing of states where paths are cut short before 7.1, which compares only what is read again and forgets nothing.
    fn claim(self, linux: &Linux) -> Option<Claim> {
        let forgets = linux.features().static_liveness();
        match self {
            Self::Whole => Some(Claim::Everything),
            Self::Exact if forgets => Some(Claim::Everything),
            Self::Pruned | Self::Eager | Self::Reversed if forgets => Some(Claim::Kinds),
            Self::Exact | Self::Pruned | Self::Eager | Self::Reversed => None,
        }
    }
}

/// How the law was broken.
#[derive(Clone, Debug)]
pub enum Violation {
    /// An accepted program went wrong.
    Fault(Fault),
    /// It went on for ever.
    Endless,
    /// The verifier met an invariant of its own that does not hold.
    Internal(String),
    /// It is refused where every path is walked to its end.
    Disagreement {
        /// Why.
        refused: String,
    },
    /// No recorded state contains the machine's.
    Outside {
        /// The instruction.
        at: InsnIdx,
        /// The machine there, and what the states say.
        what: String,
    },
}

/// What was tried, added up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Verdicts asked for.
    pub verdicts: u64,
    /// Those that were acceptances.
    pub accepted: u64,
    /// Runs of accepted programs.
    pub runs: u64,
    /// Runs that met something that the machine does not model; they are checked up to there.
    pub unmodelled: u64,
    /// Instructions that ran.
    pub steps: u64,
}

impl Tally {
    /// Adds another.
    pub const fn add(&mut self, other: Self) {
        let Self { verdicts, accepted, runs, unmodelled, steps } = other;
        self.verdicts += verdicts;
        self.accepted += accepted;
        self.runs += runs;
        self.unmodelled += unmodelled;
        self.steps += steps;
    }
}

/// The states in which each instruction is looked at.
#[derive(Debug)]
struct States<D>(Vec<Vec<State<D>>>);

impl<D> Default for States<D> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<D: Domain> States<D> {
    fn record(&mut self, path: &PathInfo<'_, D>) {
        if path.state.speculative {
            return;
        }
        if self.0.len() <= path.at.index() {
            self.0.resize_with(path.at.index() + 1, Vec::new);
        }
        if let Some(states) = self.0.get_mut(path.at.index()) {
            states.push(path.state.clone());
        }
    }

    fn at(&self, at: InsnIdx) -> &[State<D>] {
        self.0.get(at.index()).map(Vec::as_slice).unwrap_or_default()
    }

    /// Why none of them contains the machine; nothing where one does.
    fn outside(&self, machine: &Machine<'_>, claim: Claim) -> Option<String> {
        let states = self.at(machine.at);
        if states.iter().rev().any(|state| contained(machine, state, claim).is_ok()) {
            return None;
        }
        let mut what = format!("{} states at {}", states.len(), machine.at);
        for state in states.iter().take(8) {
            if let Err(why) = contained(machine, state, claim) {
                what.push_str("\n  ");
                what.push_str(&why);
            }
        }
        Some(what)
    }
}

/// Records the states of a search, whichever numbers the host has.
#[derive(Debug, Default)]
struct Recorder {
    circular: States<Scalar>,
    intervals: States<Offset>,
}

impl Observer<Scalar> for Recorder {
    fn follows_precision(&self) -> bool {
        false
    }
    fn step(&mut self, path: &PathInfo<'_>) {
        self.circular.record(path);
    }
}

impl Observer<Offset> for Recorder {
    fn follows_precision(&self) -> bool {
        false
    }
    fn step(&mut self, path: &PathInfo<'_, Offset>) {
        self.intervals.record(path);
    }
}

/// What a search saw of a program that it accepted, or what it said against it.
fn ask(linux: &Linux, request: &LoadRequest, search: Search) -> Result<Recorder, Refusal> {
    let budget = Budget { insns: Some(VERIFIED), ..Budget::default() };
    let mut recorder = Recorder::default();
    let verifier = Verifier::builder(linux).policy(search.policy()).budget(budget).build();
    match verifier.verify_with(request, &mut recorder) {
        Ok(_) => Ok(recorder),
        Err(rejection) => Err(Refusal::of(&rejection.cause, request.privilege)),
    }
}

/// Verifies a program by every search and, where it is accepted, runs it `runs` times; the inputs follow from `seed`.
///
/// # Errors
///
/// The [`Violation`] that was met first, and the search whose verdict it breaks.
pub fn check(linux: &Linux, request: &LoadRequest, seed: u64, runs: u64) -> Result<Tally, (Search, Violation)> {
    let mut tally = Tally::default();
    let mut refused = None;
    for search in Search::ALL {
        tally.verdicts += 1;
        match ask(linux, request, search) {
            Ok(recorder) => {
                if let Some(refused) = refused {
                    return Err((search, Violation::Disagreement { refused }));
                }
                tally.accepted += 1;
                run(request, search.claim(linux), &recorder, seed, runs, &mut tally)
                    .map_err(|violation| (search, violation))?;
            }
            Err(Refusal::Rule(why)) if search == Search::Whole => refused = Some(why),
            Err(Refusal::Rule(_) | Refusal::Nothing) => {}
            Err(Refusal::Internal(what)) => return Err((search, Violation::Internal(what))),
        }
    }
    Ok(tally)
}

fn run(
    request: &LoadRequest,
    claim: Option<Claim>,
    recorder: &Recorder,
    seed: u64,
    runs: u64,
    tally: &mut Tally,
) -> Result<(), Violation> {
    for run in 0..runs {
        let inputs = Choices::seeded(seed.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(run));
        let mut machine = Machine::new(request, inputs);
        let (end, steps) = machine.run(STEPS, |machine| outside(machine, recorder, claim?))?;
        tally.runs += 1;
        tally.steps += steps;
        match end {
            End::Returned(_) => {}
            End::Unsupported(_) => tally.unmodelled += 1,
            End::StepLimit => return Err(Violation::Endless),
            End::Fault(fault) => return Err(Violation::Fault(fault)),
        }
    }
    Ok(())
}

/// The law, where the machine stands.
fn outside(machine: &Machine<'_>, recorder: &Recorder, claim: Claim) -> Option<Violation> {
    // A search is in one kind of numbers, and records nothing in the other.
    let circular = recorder.circular.outside(machine, claim)?;
    let intervals = recorder.intervals.outside(machine, claim)?;
    let what = if recorder.circular.0.is_empty() { intervals } else { circular };
    Some(Violation::Outside { at: machine.at, what })
}

#[cfg(test)]
mod tests;
