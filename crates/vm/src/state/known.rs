//! What was known, whichever domain knew it: states and values for reports.

use alloc::rc::Rc;

use bpfvet_domain::{Known, Views};

use super::stack::CHUNK;
use super::{Frame, Slot, Spill, Stack, State};
use crate::{Pointer, ScalarValue, Value};

impl<D: Views> Value<D> {
    /// The same, of numbers only what was known of them.
    #[must_use]
    pub fn known(&self) -> Value<Known> {
        match *self {
            Self::Uninit => Value::Uninit,
            Self::Scalar(ScalarValue { num, link, precise }) => {
                Value::Scalar(ScalarValue { num: Known::of(&num), link, precise })
            }
            Self::Pointer(Pointer { region, flags, off, object, parent }) => {
                Value::Pointer(Pointer { region, flags, off: Known::of(&off), object, parent })
            }
        }
    }
}

impl<D: Views> Slot<D> {
    fn known(&self) -> Slot<Known> {
        match *self {
            Self::Bytes(bytes) => Slot::Bytes(bytes),
            Self::Object(object) => Slot::Object(object),
            Self::Spill(Spill { value, width, rest }) => Slot::Spill(Spill { value: value.known(), width, rest }),
        }
    }
}

impl<D: Views> Stack<D> {
    fn known(&self) -> Stack<Known> {
        let chunk = |slots: &Rc<[Slot<D>; CHUNK]>| {
            Rc::new(core::array::from_fn(|slot| slots.get(slot).map_or(Slot::INVALID, Slot::known)))
        };
        let chunks = self.chunks.iter().map(|place| place.as_ref().map(chunk)).collect();
        Stack { chunks, len: self.len, forgotten: self.forgotten, gone: self.gone }
    }
}

impl<D: Views> Frame<D> {
    fn known(&self) -> Frame<Known> {
        let Self { regs, stack, callsite, subprog, kind, async_depth, callback_depth, out_args, args_sealed } = self;
        Frame {
            regs: regs.map(|value| value.known()),
            stack: stack.known(),
            callsite: *callsite,
            subprog: *subprog,
            kind: *kind,
            async_depth: *async_depth,
            callback_depth: *callback_depth,
            out_args: out_args.iter().map(Value::known).collect(),
            args_sealed: *args_sealed,
        }
    }
}

impl<D: Views> State<D> {
    /// The same, of numbers only what was known of them.
    #[must_use]
    pub fn known(&self) -> State<Known> {
        let Self {
            top,
            callers,
            refs,
            active_locks,
            active_lock,
            preempt_depth,
            rcu_depth,
            active_irq,
            speculative,
            sleepable,
        } = self;
        State {
            top: Rc::new(top.known()),
            callers: callers.iter().map(|frame| Rc::new(frame.known())).collect(),
            refs: refs.clone(),
            active_locks: *active_locks,
            active_lock: *active_lock,
            preempt_depth: *preempt_depth,
            rcu_depth: *rcu_depth,
            active_irq: *active_irq,
            speculative: *speculative,
            sleepable: *sleepable,
        }
    }
}
