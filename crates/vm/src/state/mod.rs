//! The abstract state: frames, stacks, references, locks.

mod dynptr;
mod frame;
mod frames;
mod known;
mod object;
mod refs;
mod stack;

use alloc::rc::Rc;
use alloc::vec::Vec;
use bpfvet_domain::{Scalar, Views};
use core::num::NonZeroU32;

use bpfvet_insn::{InsnIdx, Reg};

pub use frame::{CallbackRange, Frame, FrameKind};
pub use frames::Frames;
pub use object::{Dynptr, Iteration, Protection, SlotObject};
pub use refs::{LockKey, Reference, ReferenceKind};
pub use stack::{ByteKind, STACK_SLOTS, Slot, Spill, Stack};

use crate::Value;

/// Source of identities: one counter for all kinds, so that numbers in a log are the kernel's.
#[derive(Clone, Debug, Default)]
pub struct IdGen {
    last: u32,
}

impl IdGen {
    /// A number that was never given before. After 2³² − 1 of them the last one repeats; the limit on processed instructions
    /// is far below that.
    #[expect(clippy::should_implement_trait, reason = "it is no iterator: it never ends and is never collected")]
    pub fn next(&mut self) -> NonZeroU32 {
        self.last = self.last.saturating_add(1);
        NonZeroU32::new(self.last).unwrap_or(NonZeroU32::MIN)
    }

    /// The last number given.
    #[must_use]
    pub const fn last(&self) -> u32 {
        self.last
    }
}

/// Everything that is known at one point of one path.
///
/// Frames are shared between the states that branch from each other and copied when written.
#[derive(Clone, Debug)]
pub struct State<D = Scalar> {
    /// The innermost call frame: nearly every instruction reads and writes it, so that it has a place of its own.
    top: Rc<Frame<D>>,
    /// The frames of its callers, the entry function's first.
    callers: Vec<Rc<Frame<D>>>,
    /// Live references and locks, oldest first.
    pub refs: Vec<Reference>,
    /// How many locks are held.
    pub active_locks: u32,
    /// The lock taken last.
    pub active_lock: Option<refs::LockKey>,
    /// Nesting of regions in which preemption is off.
    pub preempt_depth: u32,
    /// Nesting of explicit RCU read sections.
    pub rcu_depth: u32,
    /// The saved interrupt state taken last.
    pub active_irq: Option<NonZeroU32>,
    /// Whether the processor would get here only by guessing wrong.
    pub speculative: bool,
    /// Whether this path runs where sleeping is allowed.
    pub sleepable: bool,
}

impl<D: Views> State<D> {
    /// A state with one frame.
    #[must_use]
    pub fn new(entry: Frame<D>, sleepable: bool) -> Self {
        Self {
            top: Rc::new(entry),
            callers: Vec::new(),
            refs: Vec::new(),
            active_locks: 0,
            active_lock: None,
            preempt_depth: 0,
            rcu_depth: 0,
            active_irq: None,
            speculative: false,
            sleepable,
        }
    }

    /// Index of the innermost frame.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.callers.len()
    }

    /// All frames, the entry function's first.
    #[must_use]
    pub fn frames(&self) -> Frames<'_, D> {
        Frames::new(&self.callers, &self.top)
    }

    /// The frame at this index; the innermost where the index is beyond.
    #[must_use]
    pub fn frame(&self, index: usize) -> &Frame<D> {
        self.callers.get(index).unwrap_or(&self.top)
    }

    /// The same, to be written.
    pub fn frame_mut(&mut self, index: usize) -> &mut Frame<D> {
        Rc::make_mut(self.callers.get_mut(index).unwrap_or(&mut self.top))
    }

    /// The innermost frame.
    #[must_use]
    pub fn top(&self) -> &Frame<D> {
        &self.top
    }

    /// The innermost frame, to be written.
    pub fn top_mut(&mut self) -> &mut Frame<D> {
        Rc::make_mut(&mut self.top)
    }

    /// A register of the innermost frame. The base of stack arguments holds no value.
    #[must_use]
    #[inline]
    pub fn reg(&self, reg: Reg) -> &Value<D> {
        self.top.reg(reg)
    }

    /// Writes a register of the innermost frame.
    #[inline]
    pub fn set(&mut self, reg: Reg, value: Value<D>) {
        // Most of the time no other state shares the frame.
        match Rc::get_mut(&mut self.top) {
            Some(frame) => frame.set(reg, value),
            None => self.top_mut().set(reg, value),
        }
    }

    /// Enters a function.
    pub fn push(&mut self, frame: Frame<D>) {
        self.callers.push(core::mem::replace(&mut self.top, Rc::new(frame)));
    }

    /// Leaves the innermost function; `None`, and nothing happens, in the entry function.
    pub fn pop(&mut self) -> Option<Rc<Frame<D>>> {
        let caller = self.callers.pop()?;
        Some(core::mem::replace(&mut self.top, caller))
    }

    /// The instruction that frame `index` is at, when the innermost is at `at`: its call, for the others.
    #[must_use]
    pub fn frame_insn(&self, index: usize, at: InsnIdx) -> InsnIdx {
        self.frames().get(index.saturating_add(1)).and_then(|inner| inner.callsite).unwrap_or(at)
    }

    /// Calls `f` on every value in registers, spilled slots and outgoing arguments, in the kernel's order: frame by frame,
    /// registers, slots from the top of the stack down, arguments.
    ///
    /// A frame is copied only if `f` says that it changed something there (`wants` decides first).
    pub fn for_each_value_mut(&mut self, mut wants: impl FnMut(&Value<D>) -> bool, mut f: impl FnMut(&mut Value<D>)) {
        for frame in self.callers.iter_mut().chain([&mut self.top]) {
            if frame.values().any(&mut wants) {
                Rc::make_mut(frame).for_each_value_mut(&mut wants, &mut f);
            }
        }
    }

    /// Every value in registers, spilled slots and outgoing arguments, in the kernel's order.
    pub fn values(&self) -> impl Iterator<Item = &Value<D>> {
        self.frames().iter().flat_map(|frame| frame.values())
    }

    /// Whether sleeping is allowed here: the path may sleep and no region forbids it.
    #[must_use]
    pub fn may_sleep(&self) -> bool {
        self.sleepable
            && self.rcu_depth == 0
            && self.preempt_depth == 0
            && self.active_irq.is_none()
            && self.active_locks == 0
    }

    /// Whether RCU keeps objects alive here: an explicit section, a lock, or a path that cannot sleep.
    #[must_use]
    pub fn in_rcu_section(&self) -> bool {
        !self.may_sleep()
    }
}
