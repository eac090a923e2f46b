//! One instruction: a room per family, and here the one match over all of them.

mod alu;
mod atomic;
mod branch;
mod imm;
mod indirect;
mod linked;
mod memory;
mod mov;
mod older;
mod packet;
mod pointer;
mod speculation;
mod stack_args;

use alloc::boxed::Box;
use bpfvet_domain::Domain;

use bpfvet_insn::{Insn, InsnIdx, Reg};

use crate::call;
use crate::cx::Cx;
use crate::effects::Effects;
use crate::facts::Facts;
use crate::failure::{Check, Failure, Stop, Unsupported, unsupported};
use crate::memo::Memo;
use crate::state::IdGen;
use crate::violation::{RegisterCause, Violation};
use crate::{State, Value};

/// What comes after an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Go on at this instruction.
    To(InsnIdx),
    /// A callback ended and its frame is gone: go on at the call of the helper that ran it, after widening what differs
    /// from round to round.
    CallbackReturn(InsnIdx),
    /// The path ends well.
    End,
}

/// Runs one instruction on a state.
///
/// `effects` is cleared first and filled with what happened besides. Scalars that were relied upon are in there even where
/// the step fails.
///
/// # Errors
///
/// [`Failure`]: the program breaks a rule here, uses something that is not modelled, or an invariant of ours does not hold.
/// The state is then not to be used any further.
///
/// # Soundness
///
/// Let γ map a state to the machine states it stands for. If the result is `Next`, then every machine state in γ of the state
/// before, when it runs the instruction, does so without fault and ends in γ of the state after or of one of the forks, at the
/// place that goes with it.
pub fn step<D: Domain>(
    facts: &Facts<'_>,
    memo: &mut Memo,
    ids: &mut IdGen,
    state: &mut State<D>,
    at: InsnIdx,
    effects: &mut Effects<D>,
) -> Result<Next, Failure> {
    effects.clear();
    let frame = state.depth();
    let Some(insn) = facts.program.get(at) else {
        return Err(Failure::Internal { at, what: "a path leads outside the program" });
    };
    let mut cx = Cx { facts, memo, ids, fx: effects, at };
    match run(&mut cx, state, insn) {
        Ok(next) => Ok(next),
        Err(stop) => Err(failed(stop, at, frame)),
    }
}

/// A failure with its place.
#[cold]
#[inline(never)]
fn failed(stop: Stop, at: InsnIdx, frame: usize) -> Failure {
    match stop {
        Stop::Cause(cause) => Failure::Violation(Violation { at, frame, cause }),
        Stop::Unsupported(what) => Failure::Unsupported(Unsupported { at, what: *what }),
        Stop::Internal(what) => Failure::Internal { at, what },
    }
}

fn run<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, insn: &Insn) -> Check<Next> {
    let next = InsnIdx(cx.at.0.saturating_add(insn.slots()));
    match *insn {
        Insn::Alu { width, op, dst, src } => alu::alu(cx, state, width, op, dst, src)?,
        Insn::Neg { width, dst } => alu::neg(cx, state, width, dst)?,
        Insn::Endian { order, dst, size } => alu::endian(cx, state, order, dst, size)?,
        Insn::Mov { width, dst, src } => mov::mov(cx, state, width, dst, src)?,
        Insn::MovSx { width, dst, src, from } => mov::mov_sx(cx, state, width, dst, src, from)?,
        Insn::AddrSpaceCast { .. } => return unsupported("address-space casts (arena maps)"),
        Insn::LoadImm64 { dst, imm } => imm::load_imm64(cx, state, dst, imm)?,
        Insn::Load { dst, base, off, size, signed } => memory::load(cx, state, dst, base, off, size, signed)?,
        Insn::Store { base, off, size, src } => memory::store(cx, state, base, off, size, src)?,
        Insn::Atomic { op, size, base, off, src } => atomic::modify(cx, state, op, size, base, off, src)?,
        Insn::LoadAcquire { dst, base, off, size } => atomic::load_acquire(cx, state, dst, base, off, size)?,
        Insn::StoreRelease { base, off, size, src } => atomic::store_release(cx, state, base, off, size, src)?,
        Insn::LoadPacket { index, .. } => return call::load_packet(cx, state, index),
        Insn::Jump { .. } => return target(insn, cx.at).map(Next::To),
        Insn::JumpIndirect { reg } => return indirect::jump_indirect(cx, state, reg).map(Next::To),
        Insn::Branch { width, op, dst, src, .. } => {
            let taken = target(insn, cx.at)?;
            return branch::branch(cx, state, width, op, dst, src, taken, next).map(Next::To);
        }
        Insn::MayGoto { .. } => {
            // The loop's next round is put aside; the way out of the loop goes on.
            let out = target(insn, cx.at)?;
            cx.fx.forks.push(crate::effects::Fork {
                state: state.clone(),
                at: next,
                kind: crate::effects::ForkKind::MayGoto,
            });
            return Ok(Next::To(out));
        }
        Insn::Call(callee) => return call::call(cx, state, callee),
        Insn::Exit => return call::exit(cx, state),
    }
    Ok(Next::To(next))
}

fn target(insn: &Insn, at: InsnIdx) -> Check<InsnIdx> {
    insn.target(at).ok_or(Stop::Internal(&"a jump leads before the program's start"))
}

/// A register is read: what it holds. (`check_reg_arg`, source operand)
pub(crate) fn read<'s, D: Domain>(cx: &mut Cx<'_, '_, D>, state: &'s State<D>, reg: Reg) -> Check<&'s Value<D>> {
    cx.fx.touch(reg);
    match state.reg(reg) {
        Value::Uninit => Err(RegisterCause::Unreadable { reg }.into()),
        value @ (Value::Scalar(_) | Value::Pointer(_)) => Ok(value),
    }
}

/// A register is written. (`check_reg_arg`, destination operand)
pub(crate) fn writable<D: Domain>(cx: &mut Cx<'_, '_, D>, reg: Reg) -> Check<()> {
    cx.fx.touch(reg);
    if reg == Reg::FP { Err(RegisterCause::FramePointerWritten.into()) } else { Ok(()) }
}

/// The views of a number agree, or are made to: the ranges are forgotten, unless the loader asked that this be an error.
/// (`reg_bounds_sanity_check`)
#[inline]
pub(crate) fn settle<D: Domain>(cx: &Cx<'_, '_, D>, value: &mut Value<D>, what: &'static str) -> Check<()> {
    match value {
        Value::Scalar(scalar) => settle_number(cx, &mut scalar.num, what),
        Value::Pointer(_) | Value::Uninit => Ok(()),
    }
}

/// The same of a number that no register holds yet.
#[inline]
fn settle_number<D: Domain>(cx: &Cx<'_, '_, D>, num: &mut D, what: &'static str) -> Check<()> {
    if num.is_consistent() { Ok(()) } else { contradicted(cx, num, what) }
}

/// Whether there is nothing to settle.
pub(crate) fn is_settled<D: Domain>(value: &Value<D>) -> bool {
    value.as_scalar().is_none_or(|scalar| scalar.num.is_consistent())
}

#[cold]
#[inline(never)]
fn contradicted<D: Domain>(cx: &Cx<'_, '_, D>, num: &mut D, what: &'static str) -> Check<()> {
    if cx.facts.request.flags.test_reg_invariants {
        return Err(RegisterCause::ContradictoryScalar { what, num: Box::new(num.contradiction()) }.into());
    }
    *num = num.forget_ranges();
    Ok(())
}
