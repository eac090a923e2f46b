//! A call frame: registers, stack, and how it was entered.

use alloc::vec::Vec;

use bpfvet_domain::{Domain, Scalar, Views};
use bpfvet_insn::{InsnIdx, Reg, RegSet};

use super::Stack;
use crate::value::{Pointer, Region};
use crate::{ScalarValue, Value};

/// What a callback may return, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallbackRange {
    /// Lowest.
    pub min: i32,
    /// Highest.
    pub max: i32,
}

/// How a frame was entered, and so how it is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameKind {
    /// The entry function, or a called one.
    Plain,
    /// A callback that a helper runs while its caller waits.
    Callback(CallbackRange),
    /// A callback that the host runs later.
    AsyncCallback(CallbackRange),
}

/// The state of one function on the call stack.
#[derive(Debug)]
pub struct Frame<D = Scalar> {
    pub(super) regs: [Value<D>; 11],
    /// Its stack.
    pub stack: Stack<D>,
    /// The call that entered it; `None` for an entry function.
    pub callsite: Option<InsnIdx>,
    /// Which function it is, by position in the program.
    pub subprog: u32,
    /// How it was entered.
    pub kind: FrameKind,
    /// How many asynchronous callbacks deep this chain is.
    pub async_depth: u32,
    /// How many times a limited callback has been entered from here.
    pub callback_depth: u32,
    /// Arguments beyond the fifth that it is about to pass.
    pub out_args: Vec<Value<D>>,
    /// It has stored an outgoing argument or called something, so that incoming ones are out of reach.
    pub args_sealed: bool,
}

/// Written out, since registers are copied as they are: a derived copy would go through them one by one.
impl<D: Copy> Clone for Frame<D> {
    fn clone(&self) -> Self {
        let Self { regs, stack, callsite, subprog, kind, async_depth, callback_depth, out_args, args_sealed } = self;
        Self {
            regs: *regs,
            stack: stack.clone(),
            callsite: *callsite,
            subprog: *subprog,
            kind: *kind,
            async_depth: *async_depth,
            callback_depth: *callback_depth,
            out_args: out_args.clone(),
            args_sealed: *args_sealed,
        }
    }
}

impl<D: Domain> Frame<D> {
    /// A frame with nothing readable but the frame pointer. `index` is its place on the call stack.
    #[must_use]
    pub fn new(index: usize, subprog: u32, callsite: Option<InsnIdx>) -> Self {
        let mut regs = [Value::Uninit; 11];
        let frame = u8::try_from(index).unwrap_or(u8::MAX);
        if let Some(fp) = regs.get_mut(Reg::FP.index()) {
            *fp = Value::Pointer(Pointer::to(Region::Stack { frame }));
        }
        Self {
            regs,
            stack: Stack::default(),
            callsite,
            subprog,
            kind: FrameKind::Plain,
            async_depth: 0,
            callback_depth: 0,
            out_args: Vec::new(),
            args_sealed: false,
        }
    }

    /// Sets a register to a number that can be anything.
    pub fn forget(&mut self, reg: Reg, precise: bool) {
        self.set(reg, Value::Scalar(ScalarValue { num: D::unknown(), link: None, precise }));
    }
}

impl<D: Views> Frame<D> {
    /// A register; the base of stack arguments reads as not readable.
    #[must_use]
    #[inline]
    pub fn reg(&self, reg: Reg) -> &Value<D> {
        self.regs.get(reg.index()).unwrap_or(&Value::Uninit)
    }

    /// A register, to be written; `None` for the base of stack arguments.
    pub fn reg_mut(&mut self, reg: Reg) -> Option<&mut Value<D>> {
        self.regs.get_mut(reg.index())
    }

    /// Writes a register; without effect on the base of stack arguments.
    #[inline]
    pub fn set(&mut self, reg: Reg, value: Value<D>) {
        if let Some(place) = self.regs.get_mut(reg.index()) {
            *place = value;
        }
    }

    /// All eleven registers.
    #[must_use]
    pub const fn regs(&self) -> &[Value<D>; 11] {
        &self.regs
    }

    /// The registers that hold something.
    #[must_use]
    pub fn held(&self) -> RegSet {
        let held = |(number, value): (usize, &Value<D>)| u16::from(!matches!(value, Value::Uninit)) << number;
        RegSet::from_bits(self.regs.iter().enumerate().map(held).fold(0, |held, bit| held | bit))
    }

    /// All eleven registers, to be written.
    pub const fn regs_mut(&mut self) -> &mut [Value<D>; 11] {
        &mut self.regs
    }

    /// Makes `r0` to `r5` unreadable, as a call does.
    pub fn clobber_caller_saved(&mut self) {
        self.regs.iter_mut().take(6).for_each(|reg| *reg = Value::Uninit);
    }

    /// Makes the outgoing arguments unreadable, as a call does.
    pub fn invalidate_out_args(&mut self) {
        self.out_args.iter_mut().for_each(|arg| *arg = Value::Uninit);
    }

    /// Registers, spilled values from the top of the stack down, outgoing arguments that are readable.
    pub fn values(&self) -> impl Iterator<Item = &Value<D>> {
        self.regs.iter().chain(self.stack.spilled()).chain(self.out_args.iter().filter(|arg| **arg != Value::Uninit))
    }

    /// Calls `f` on each of them that `wants` names, in the same order.
    pub fn for_each_value_mut(&mut self, wants: &mut impl FnMut(&Value<D>) -> bool, f: &mut impl FnMut(&mut Value<D>)) {
        self.regs.iter_mut().filter(|value| wants(value)).for_each(&mut *f);
        self.stack.for_each_spilled_mut(wants, f);
        let readable = self.out_args.iter_mut().filter(|arg| **arg != Value::Uninit);
        readable.filter(|value| wants(value)).for_each(f);
    }
}
