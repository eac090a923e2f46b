//! Watching the search.

use bpfvet_domain::{Domain, Offset, Scalar};
use bpfvet_insn::{InsnIdx, RegSet};
use bpfvet_vm::{Effects, State};

use crate::outcome::{Rejection, Stats};

/// Where a path is.
#[derive(Clone, Copy, Debug)]
pub struct PathInfo<'a, D = Scalar> {
    /// The instruction about to run.
    pub at: InsnIdx,
    /// The instruction before it on this path; `None` at the start of a run.
    pub prev: Option<InsnIdx>,
    /// The path was taken up from the worklist at this instruction.
    pub resumed: bool,
    /// What is known there.
    pub state: &'a State<D>,
}

/// Sees everything the search does and can influence nothing. Every method does nothing by default.
///
/// The order of calls is the order in which the kernel writes its log:
/// `run_started`, then for each instruction `pruned` *or* `step` and `stepped`, with `forked` for every state put aside
/// during the step, `path_ended` at the end of a path and `resumed` when the next is taken up, and `run_finished`.
pub trait Observer<D: Domain = Scalar> {
    /// Whether it watches nothing: then none of the other methods need be called, and the search saves itself the trouble.
    fn is_idle(&self) -> bool {
        false
    }

    /// Whether it follows [`Observer::precision`] so closely that walks are to be made again which mark nothing new. The kernel makes
    /// them all, and its log shows them all.
    fn follows_precision(&self) -> bool {
        true
    }

    /// A global function is about to be verified on its own; its prototype is looked at first.
    fn validating(&mut self, subprog: u32) {
        let _ = subprog;
    }

    /// The verification of the entry function (`subprog` 0) or of a global function begins.
    fn run_started(&mut self, subprog: u32, entry: &State<D>) {
        let _ = (subprog, entry);
    }

    /// That verification ended without finding anything.
    fn run_finished(&mut self, subprog: u32) {
        let _ = subprog;
    }

    /// The state is covered by one that was verified, or is being verified in a loop that converges: the path ends here.
    fn pruned(&mut self, path: &PathInfo<'_, D>, by: &State<D>) {
        let _ = (path, by);
    }

    /// The state is remembered.
    fn checkpoint(&mut self, path: &PathInfo<'_, D>) {
        let _ = path;
    }

    /// An instruction is about to run.
    fn step(&mut self, path: &PathInfo<'_, D>) {
        let _ = path;
    }

    /// It ran: the state after it, and what it told. Not called when it failed.
    fn stepped(&mut self, at: InsnIdx, state: &State<D>, effects: &Effects<D>) {
        let _ = (at, state, effects);
    }

    /// A state was put aside; the last put aside is the first to be resumed.
    fn forked(&mut self, from: InsnIdx, to: InsnIdx, state: &State<D>) {
        let _ = (from, to, state);
    }

    /// A path ended, by exit, by being covered, or by a barrier against speculation.
    fn path_ended(&mut self, at: InsnIdx, state: &State<D>) {
        let _ = (at, state);
    }

    /// The state put aside last is taken up.
    fn resumed(&mut self) {}

    /// Precision is traced backwards.
    fn precision(&mut self, event: &PrecisionEvent<'_, D>) {
        let _ = event;
    }

    /// A loop is entered, left, or closed by an edge back.
    fn scc(&mut self, event: &SccEvent<'_>) {
        let _ = event;
    }

    /// The program came back to a state it was in: it would run for ever.
    fn infinite_loop(&mut self, at: InsnIdx, now: &State<D>, before: &State<D>) {
        let _ = (at, now, before);
    }

    /// The verdict is no. `effects` are those of the step that failed, up to the failure; `None` where no step failed.
    fn rejected(&mut self, rejection: &Rejection, state: Option<&State<D>>) {
        let _ = (rejection, state);
    }

    /// The verification is over.
    fn finished(&mut self, stats: &Stats) {
        let _ = stats;
    }
}

/// Sees the searches of all hosts, whatever their numbers are: since 7.2 Linux knows them as circular ranges, and as intervals before.
///
/// Every observer of both is one.
pub trait AnyObserver: Observer<Scalar> + Observer<Offset> {}

impl<O: Observer<Scalar> + Observer<Offset>> AnyObserver for O {}

/// Watches nothing.
impl<D: Domain> Observer<D> for () {
    fn is_idle(&self) -> bool {
        true
    }
}

/// The observer, if there is one that watches.
pub(crate) struct Watcher<'a, D: Domain> {
    observer: Option<&'a mut dyn Observer<D>>,
    /// Walks of precision are made again for all to see.
    pub(crate) follows_precision: bool,
}

impl<'a, D: Domain> Watcher<'a, D> {
    pub(crate) fn new(observer: &'a mut dyn Observer<D>) -> Self {
        let observer = if observer.is_idle() { None } else { Some(observer) };
        let follows_precision = observer.as_ref().is_some_and(|observer| observer.follows_precision());
        Self { observer, follows_precision }
    }

    /// Tells the observer; what is told is made only where somebody watches.
    #[inline]
    pub(crate) fn tell(&mut self, what: impl FnOnce(&mut dyn Observer<D>)) {
        if let Some(observer) = &mut self.observer {
            what(&mut **observer);
        }
    }
}

/// A moment in the backward walk that marks what must stay exact.
#[derive(Clone, Copy, Debug)]
pub enum PrecisionEvent<'a, D = Scalar> {
    /// The walk enters a state, from its last instruction to its first. The instruction that ran after its last is
    /// `subseq`, `None` at the very start.
    Enter {
        /// Innermost frame of interest.
        frame: usize,
        /// The state's last instruction; `None` at the entry of a function.
        last: Option<InsnIdx>,
        /// The state's first instruction.
        first: InsnIdx,
        /// The instruction walked before.
        subseq: Option<InsnIdx>,
    },
    /// The walk is about to pass an instruction.
    Insn {
        /// Innermost frame of interest.
        frame: usize,
        /// Registers wanted in it.
        regs: RegSet,
        /// Slots wanted in it.
        slots: u64,
        /// The instruction.
        at: InsnIdx,
    },
    /// What is still wanted in the state before.
    Parent {
        /// The frame.
        frame: usize,
        /// Registers wanted in it.
        regs: RegSet,
        /// Slots wanted in it.
        slots: u64,
        /// The state.
        state: &'a State<D>,
    },
    /// The walk lost track: everything before is made precise.
    FallBack {
        /// Innermost frame of the state it began from.
        frame: usize,
    },
    /// A register made precise for that reason.
    ForcedReg {
        /// The frame.
        frame: usize,
        /// The register's number.
        reg: u8,
    },
    /// A slot made precise for that reason.
    ForcedSlot {
        /// The frame.
        frame: usize,
        /// The slot.
        slot: u8,
    },
    /// What is precise in the state that covers this one is wanted here too.
    Propagate {
        /// The frame.
        frame: usize,
        /// Registers.
        regs: RegSet,
        /// Slots.
        slots: u64,
    },
    /// A loop did not settle in the allowed number of rounds.
    TooManyRounds,
}

/// A moment in the life of a loop.
#[derive(Clone, Copy, Debug)]
pub enum SccEvent<'a> {
    /// Its first checkpoint is remembered.
    Enter {
        /// The calls that lead to it.
        callsites: &'a [InsnIdx],
        /// Its number.
        scc: u32,
    },
    /// All paths from there have ended.
    Exit {
        /// The calls that lead to it.
        callsites: &'a [InsnIdx],
        /// Its number.
        scc: u32,
    },
    /// A path came back to a state that covers it.
    BackEdge {
        /// The calls that lead to it.
        callsites: &'a [InsnIdx],
        /// Its number.
        scc: u32,
    },
}
