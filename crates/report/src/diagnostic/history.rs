//! What happened on the path to a failure, and where the effort went.
//!
//! ```text
//!  events  ──────────────●───────────●──────▶      paths are walked depth first, so what the next path shares with
//!                        ▲           ▲             this one is the part before the length noted when it was put aside
//!                    put aside   put aside
//! ```

use alloc::vec::Vec;

use bpfvet_domain::{Domain, Known};
use bpfvet_explore::{Observer, PathInfo, Rejection};
use bpfvet_insn::{Insn, InsnIdx, Operand, Program, Reg};
use bpfvet_vm::{Effects, State, Value};

/// Events kept of one path; older ones are forgotten first, half of them at a time.
const KEPT: usize = 1 << 16;

/// One instruction that ran on the path.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Ran {
    /// The instruction.
    pub(crate) at: InsnIdx,
    /// The call frame it ran in.
    pub(crate) frame: u8,
    /// What it left in the register that it writes, if it writes one.
    pub(crate) wrote: Option<(Reg, Value<Known>)>,
    /// The slot of a frame's stack that it spilled a value to or filled it from.
    pub(crate) slot: Option<(u8, u8)>,
}

/// An event of the path.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Happened {
    /// An instruction ran.
    Ran(Ran),
    /// A branch was decided.
    Decided {
        /// The branch.
        at: InsnIdx,
        /// The call frame it ran in.
        frame: u8,
        /// Whether it jumped.
        jumped: bool,
        /// What is known of its operands after.
        operands: [Option<(Reg, Value<Known>)>; 2],
    },
}

impl Happened {
    /// The instruction.
    pub(crate) const fn at(&self) -> InsnIdx {
        match self {
            Self::Ran(ran) => ran.at,
            Self::Decided { at, .. } => *at,
        }
    }
}

/// Records the path that the search is on, and how often it met each instruction.
#[derive(Clone, Debug, Default)]
pub struct History {
    events: Vec<Happened>,
    /// How many events were forgotten before the first that is kept.
    forgotten: usize,
    waiting: Vec<usize>,
    visits: Vec<u32>,
    forks: Vec<u32>,
    /// A jump whose outcome the next step tells.
    branch: Option<Branch>,
    failed: Option<State<Known>>,
}

#[derive(Clone, Copy, Debug)]
struct Branch {
    at: InsnIdx,
    target: InsnIdx,
    regs: [Option<Reg>; 2],
}

/// How often an instruction was met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Visits {
    /// The instruction.
    pub at: InsnIdx,
    /// How many times it ran, over all paths.
    pub runs: u32,
    /// How many times a path was split there.
    pub forks: u32,
}

impl History {
    /// Nothing recorded yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What happened on the path, oldest first.
    pub(crate) fn events(&self) -> &[Happened] {
        &self.events
    }

    /// The state in which the verification failed.
    #[must_use]
    pub const fn failed(&self) -> Option<&State<Known>> {
        self.failed.as_ref()
    }

    /// The instructions that ran most often, most frequent first, at most `count`.
    #[must_use]
    pub fn hottest(&self, count: usize) -> Vec<Visits> {
        self.top(count, |visits| visits.runs)
    }

    /// The instructions where paths split most often, most frequent first, at most `count`.
    #[must_use]
    pub fn most_forked(&self, count: usize) -> Vec<Visits> {
        self.top(count, |visits| visits.forks)
    }

    fn top(&self, count: usize, key: impl Fn(&Visits) -> u32) -> Vec<Visits> {
        let forks = self.forks.iter().copied().chain(core::iter::repeat(0));
        let all = (0..).zip(self.visits.iter().zip(forks));
        let mut all: Vec<Visits> = all
            .map(|(at, (&runs, forks))| Visits { at: InsnIdx(at), runs, forks })
            .filter(|visits| key(visits) > 0)
            .collect();
        all.sort_by_key(|visits| core::cmp::Reverse(key(visits)));
        all.truncate(count);
        all
    }

    fn push(&mut self, event: Happened) {
        if self.events.len() >= KEPT {
            self.events.drain(..KEPT / 2);
            self.forgotten += KEPT / 2;
        }
        self.events.push(event);
    }

    fn decided<D: Domain>(&mut self, path: &PathInfo<'_, D>, branch: Branch) {
        let value = |reg: Reg| (reg, path.state.reg(reg).known());
        let operands = branch.regs.map(|reg| reg.map(value));
        let jumped = path.at == branch.target;
        self.push(Happened::Decided { at: branch.at, frame: depth(path.state), jumped, operands });
    }
}

fn depth<D: Domain>(state: &State<D>) -> u8 {
    u8::try_from(state.depth()).unwrap_or(u8::MAX)
}

fn count(counts: &mut Vec<u32>, at: InsnIdx) {
    if counts.len() <= at.index() {
        counts.resize(at.index() + 1, 0);
    }
    if let Some(count) = counts.get_mut(at.index()) {
        *count = count.saturating_add(1);
    }
}

/// Records a [`History`] of a program: which instruction is a branch and what an instruction writes is the program's to tell.
#[derive(Debug)]
pub struct Recorder<'a> {
    program: &'a Program,
    history: History,
}

impl<'a> Recorder<'a> {
    /// A recorder for this program.
    #[must_use]
    pub fn new(program: &'a Program) -> Self {
        Self { program, history: History::new() }
    }

    /// What was recorded so far.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// What was recorded.
    #[must_use]
    pub fn into_history(self) -> History {
        self.history
    }

    fn branch(&self, at: InsnIdx) -> Option<Branch> {
        let Insn::Branch { dst, src, off, .. } = *self.program.get(at)? else { return None };
        let second = match src {
            Operand::Reg(reg) => Some(reg),
            Operand::Imm(_) => None,
        };
        // Both ways lead to the same place where the offset is zero: no outcome can be told.
        let target = (off != 0).then(|| at.offset(i64::from(off) + 1))??;
        Some(Branch { at, target, regs: [Some(dst), second] })
    }
}

impl<D: Domain> Observer<D> for Recorder<'_> {
    fn follows_precision(&self) -> bool {
        false
    }

    fn run_started(&mut self, _subprog: u32, _entry: &State<D>) {
        self.history.events.clear();
        self.history.forgotten = 0;
        self.history.waiting.clear();
        self.history.branch = None;
    }

    fn step(&mut self, path: &PathInfo<'_, D>) {
        count(&mut self.history.visits, path.at);
        let branch = if path.resumed { path.prev.and_then(|prev| self.branch(prev)) } else { self.history.branch };
        if let Some(branch) = branch {
            self.history.decided(path, branch);
        }
        self.history.branch = self.branch(path.at);
    }

    fn stepped(&mut self, at: InsnIdx, state: &State<D>, effects: &Effects<D>) {
        let Some(insn) = self.program.get(at) else { return };
        // A call is written down in its caller's frame, though the callee's is the innermost now.
        let entered = effects.events.iter().any(|event| matches!(event, bpfvet_vm::Event::Entered));
        let returned = effects.events.iter().any(|event| matches!(event, bpfvet_vm::Event::Returned { .. }));
        let frame = match (entered, returned) {
            (true, _) => depth(state).saturating_sub(1),
            (_, true) => depth(state).saturating_add(1),
            (false, false) => depth(state),
        };
        let wrote = insn.defs().iter().next().map(|reg| (reg, state.reg(reg).known()));
        let slot = effects.to_note().and_then(|note| note.slot);
        self.history.push(Happened::Ran(Ran { at, frame, wrote, slot }));
    }

    fn forked(&mut self, from: InsnIdx, _to: InsnIdx, _state: &State<D>) {
        count(&mut self.history.forks, from);
        self.history.waiting.push(self.history.forgotten + self.history.events.len());
    }

    fn resumed(&mut self) {
        let History { events, forgotten, waiting, branch, .. } = &mut self.history;
        let shared = waiting.pop().unwrap_or(0);
        *forgotten = shared.min(*forgotten);
        events.truncate(shared - *forgotten);
        *branch = None;
    }

    fn rejected(&mut self, _rejection: &Rejection, state: Option<&State<D>>) {
        self.history.failed = state.map(State::known);
    }
}
