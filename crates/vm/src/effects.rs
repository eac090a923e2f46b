//! What a step tells its caller besides the new state.

use alloc::rc::Rc;
use alloc::vec::Vec;
use bpfvet_domain::{Domain, Scalar};

use bpfvet_insn::{InsnIdx, Reg, RegSet};

use crate::State;
use crate::state::Frame;

/// What a step tells its caller besides the new state and where to go.
///
/// The caller clears and reuses one value, so that a step allocates nothing in the common case.
#[derive(Debug)]
pub struct Effects<D = Scalar> {
    /// States to be explored later, in the order in which they were found; the last is explored first.
    pub forks: Vec<Fork<D>>,
    /// Values whose exact range was relied upon, in order.
    pub demands: Vec<Demand>,
    /// What walking back over this instruction needs to know.
    pub note: StackNote,
    /// Registers that the kernel would print after this instruction.
    pub touched: RegSet,
    /// Stack slots that the kernel would print after this instruction, a bit each, whatever the frame.
    pub touched_slots: u64,
    /// What happened that a log tells.
    pub events: Vec<Event<D>>,
    /// Whether something was written into the note.
    pub noted: bool,
}

impl<D> Default for Effects<D> {
    fn default() -> Self {
        Self {
            forks: Vec::new(),
            demands: Vec::new(),
            note: StackNote::default(),
            touched: RegSet::EMPTY,
            touched_slots: 0,
            events: Vec::new(),
            noted: false,
        }
    }
}

impl<D: Domain> Effects<D> {
    /// Forgets everything.
    pub fn clear(&mut self) {
        let Self { forks, demands, note, touched, touched_slots, events, noted } = self;
        // Most steps leave most of it empty.
        if !forks.is_empty() {
            forks.clear();
        }
        demands.clear();
        if core::mem::take(noted) {
            *note = StackNote::default();
        }
        *touched = RegSet::EMPTY;
        *touched_slots = 0;
        if !events.is_empty() {
            events.clear();
        }
    }

    /// What walking back over this instruction needs to know, if that is anything.
    #[must_use]
    pub fn to_note(&self) -> Option<&StackNote> {
        Some(&self.note).filter(|note| self.noted && !note.is_empty())
    }

    pub(crate) fn note_mut(&mut self) -> &mut StackNote {
        self.noted = true;
        &mut self.note
    }

    pub(crate) fn touch(&mut self, reg: Reg) {
        self.touched.insert(reg);
    }

    pub(crate) fn touch_slot(&mut self, slot: usize) {
        if slot < 64 {
            self.touched_slots |= 1 << slot;
        }
    }

    pub(crate) fn demand_reg(&mut self, frame: usize, reg: Reg) {
        self.demands.push(Demand::Reg { frame, reg });
    }
}

/// A state to be explored later.
#[derive(Debug)]
pub struct Fork<D = Scalar> {
    /// The state.
    pub state: State<D>,
    /// Where it goes on.
    pub at: InsnIdx,
    /// Why it was split off.
    pub kind: ForkKind,
}

/// Why a state was split off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForkKind {
    /// The other outcome of this instruction.
    Branch,
    /// What the processor would do if it guessed wrong.
    Speculative,
    /// A callback that the helper at this instruction runs.
    Callback,
    /// A callback that the host runs later: a new root, with no history.
    AsyncCallback,
    /// The next round of a `may_goto` loop.
    MayGoto,
    /// The next round of a loop over an iteration.
    Iteration,
}

/// A value whose exact range was relied upon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Demand {
    /// A register of this frame, which was the innermost.
    Reg {
        /// The frame.
        frame: usize,
        /// The register.
        reg: Reg,
    },
    /// Stack slots of some frame.
    Slots {
        /// The innermost frame at that moment.
        frame: usize,
        /// The frame whose slots they are.
        of: usize,
        /// A bit for each slot.
        slots: u64,
    },
    /// An outgoing stack argument of this frame, which was the innermost.
    StackArg {
        /// The frame.
        frame: usize,
        /// The argument, counted from zero among those.
        slot: u8,
    },
}

/// What walking back over an instruction needs to know beyond the instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StackNote {
    /// It spilled or filled a tracked value: frame and slot.
    pub slot: Option<(u8, u8)>,
    /// It stored or loaded a stack argument: the argument.
    pub arg: Option<u8>,
    /// Its first operand was a stack pointer.
    pub dst_is_stack: bool,
    /// Its second operand was a stack pointer.
    pub src_is_stack: bool,
    /// Values that were refined together.
    pub linked: LinkedRegs,
}

impl StackNote {
    /// Whether there is nothing to know.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.slot.is_none() && self.arg.is_none() && !self.dst_is_stack && !self.src_is_stack && self.linked.len == 0
    }
}

/// One of the values that were refined together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LinkedSlot {
    /// Its frame.
    pub frame: u8,
    /// Register number, or slot.
    pub index: u8,
    /// Whether it is a register.
    pub is_reg: bool,
}

/// Values that were refined together by one branch: at most as many as the host records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LinkedRegs {
    slots: [LinkedSlot; 6],
    len: u8,
}

impl LinkedRegs {
    /// Adds one, unless there are `limit` already; whether it was added.
    pub fn push(&mut self, slot: LinkedSlot, limit: u32) -> bool {
        if u32::from(self.len) >= limit {
            return false;
        }
        match self.slots.get_mut(usize::from(self.len)) {
            Some(place) => {
                *place = slot;
                self.len += 1;
                true
            }
            None => false,
        }
    }

    /// Its members.
    #[must_use]
    pub fn as_slice(&self) -> &[LinkedSlot] {
        self.slots.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

/// What happened that a log tells.
#[derive(Clone, Debug)]
pub enum Event<D = Scalar> {
    /// A static function was entered; the callee is now the innermost frame.
    Entered,
    /// A function was left.
    Returned {
        /// The frame that was left.
        callee: Rc<Frame<D>>,
        /// Its index.
        index: usize,
        /// Where its caller goes on.
        to: InsnIdx,
    },
    /// A global function was called, and is verified on its own.
    GlobalCall {
        /// Position of the function in the program.
        subprog: u32,
    },
    /// A limited callback was entered as often as it can run.
    LoopLimit,
}
