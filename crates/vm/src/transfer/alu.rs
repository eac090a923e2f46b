//! Arithmetic.

use bpfvet_domain as domain;
use bpfvet_domain::Domain;
use bpfvet_insn::{AluOp, ByteOrder, Operand, Reg, Size, Width};
use bpfvet_platform::Features;

use super::{pointer, read, settle, speculation, writable};
use crate::cx::Cx;
use crate::effects::{Fork, ForkKind};
use crate::failure::Check;
use crate::fault::{self, Fault};
use crate::value::{Link, LinkDelta};
use crate::violation::RegisterCause;
use crate::{ScalarValue, State, Value};

/// The domain's name of a width.
pub(super) const fn width_of(width: Width) -> domain::Width {
    match width {
        Width::W32 => domain::Width::W32,
        Width::W64 => domain::Width::W64,
    }
}

const fn op_of(op: AluOp) -> domain::AluOp {
    match op {
        AluOp::Add => domain::AluOp::Add,
        AluOp::Sub => domain::AluOp::Sub,
        AluOp::Mul => domain::AluOp::Mul,
        AluOp::Div => domain::AluOp::Div,
        AluOp::Sdiv => domain::AluOp::Sdiv,
        AluOp::Mod => domain::AluOp::Mod,
        AluOp::Smod => domain::AluOp::Smod,
        AluOp::And => domain::AluOp::And,
        AluOp::Or => domain::AluOp::Or,
        AluOp::Xor => domain::AluOp::Xor,
        AluOp::Lsh => domain::AluOp::Lsh,
        AluOp::Rsh => domain::AluOp::Rsh,
        AluOp::Arsh => domain::AluOp::Arsh,
    }
}

/// `dst op= src`. (`check_alu_op`, `adjust_reg_min_max_vals`)
pub(super) fn alu<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    width: Width,
    op: AluOp,
    dst: Reg,
    src: Operand,
) -> Check<()> {
    let immediate;
    let (left, right) = match src {
        Operand::Reg(src) => {
            let right = read(cx, state, src)?;
            (read(cx, state, dst)?, right)
        }
        Operand::Imm(imm) => {
            let left = read(cx, state, dst)?;
            check_immediate(width, op, imm)?;
            immediate = Value::constant(i64::from(imm).cast_unsigned());
            (left, &immediate)
        }
    };
    writable(cx, dst)?;
    let mut result = match (left, right) {
        (Value::Scalar(left), Value::Scalar(right)) => {
            if let Operand::Reg(src) = src
                && left.precise
            {
                cx.demand(state, src);
            }
            Value::Scalar(scalar(cx, state, width, op, dst, src, left, right)?)
        }
        (Value::Pointer(_), Value::Pointer(_)) => {
            if op == AluOp::Sub && cx.facts.may_leak() {
                cx.unknown()
            } else {
                return Err(RegisterCause::PointerPointer { reg: dst, op }.into());
            }
        }
        (&Value::Pointer(pointer), &Value::Scalar(offset)) => {
            if let Operand::Reg(src) = src
                && !fault::on(Fault::OffsetDemandDropped)
            {
                cx.demand(state, src);
            }
            let sum = pointer::Sum { width, op, dst, src, pointer_reg: dst };
            pointer::add(cx, state, sum, &pointer, &offset.num)?
        }
        (&Value::Scalar(offset), &Value::Pointer(pointer)) => {
            cx.demand(state, dst);
            let pointer_reg = match src {
                Operand::Reg(src) => src,
                Operand::Imm(_) => dst,
            };
            let sum = pointer::Sum { width, op, dst, src, pointer_reg };
            pointer::add(cx, state, sum, &pointer, &offset.num)?
        }
        (Value::Uninit, _) | (_, Value::Uninit) => return Err(RegisterCause::Unreadable { reg: dst }.into()),
    };
    settle(cx, &mut result, "alu")?;
    state.set(dst, result);
    Ok(())
}

#[inline]
fn check_immediate(width: Width, op: AluOp, imm: i32) -> Check<()> {
    match op {
        AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod if imm == 0 => Err(RegisterCause::DivisionByZero.into()),
        AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => {
            let bits = match width {
                Width::W32 => 32,
                Width::W64 => 64,
            };
            if (0..bits).contains(&imm) { Ok(()) } else { Err(RegisterCause::InvalidShift { amount: imm }.into()) }
        }
        AluOp::Add
        | AluOp::Sub
        | AluOp::Mul
        | AluOp::Div
        | AluOp::Sdiv
        | AluOp::Mod
        | AluOp::Smod
        | AluOp::And
        | AluOp::Or
        | AluOp::Xor => Ok(()),
    }
}

/// Two numbers. (`adjust_scalar_min_max_vals`, and the links of `adjust_reg_min_max_vals`)
#[expect(clippy::too_many_arguments, reason = "the operands of one instruction, as registers and as values")]
fn scalar<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &State<D>,
    width: Width,
    op: AluOp,
    dst: Reg,
    src: Operand,
    left: &ScalarValue<D>,
    right: &ScalarValue<D>,
) -> Check<ScalarValue<D>> {
    let before = &left.num;
    let part;
    let mut left = left;
    if matches!(op, AluOp::Add | AluOp::Sub) {
        speculation::check_scalar(cx, dst, op, src)?;
    }
    if matches!(op, AluOp::And | AluOp::Or)
        && cx.facts.features.mask_splits()
        && right.num.as_const().is_some()
        && let Some(fork) = left.num.fork()
    {
        // A mask that is all zeros or all ones: worth a path each. The other path runs this instruction again.
        let whole = left.num.smin() == -1 && left.num.smax() == 0;
        let mut other = state.clone();
        let link = if whole { None } else { left.link };
        other.set(dst, Value::Scalar(ScalarValue { num: fork.zero, link, precise: left.precise }));
        if !fault::on(Fault::SplitLosesZeros) {
            cx.fx.forks.push(Fork { state: other, at: cx.at, kind: ForkKind::Branch });
        }
        part = ScalarValue { num: fork.ones, link, precise: left.precise };
        left = &part;
    }
    let forgotten = is_forgotten(&cx.facts.features, op, width, &right.num);
    let num = if forgotten && is_division(op) && !cx.facts.features.division_ranges() {
        // Nothing is known of the upper half either, whatever the width.
        D::unknown()
    } else {
        D::alu(op_of(op), width_of(width), left.num, right.num)
    };
    let link = left.link.and_then(|link| {
        let same_register = src == Operand::Reg(dst);
        if cx.facts.bpf_capable() && keeps_link(&cx.facts.features, op, width, &right.num) && !same_register {
            shifted_link(link, width, op, before, &right.num)
        } else {
            fault::on(Fault::LinkSurvivesChange).then_some(link)
        }
    });
    let precise = if forgotten { cx.facts.scalars_precise() } else { left.precise };
    Ok(ScalarValue { num, link, precise })
}

/// Whether a number that this is done to may stay linked.
fn keeps_link<D: Domain>(features: &Features, op: AluOp, width: Width, right: &D) -> bool {
    let plain = op == AluOp::Add && width == Width::W64 && right.umax() <= u64::from(i32::MAX.cast_unsigned());
    if features.linked_scalar_subtractions() {
        matches!(op, AluOp::Add | AluOp::Sub)
    } else {
        plain && features.linked_scalar_deltas()
    }
}

const fn is_division(op: AluOp) -> bool {
    matches!(op, AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod)
}

/// Whether the result is a fresh unknown number because the operand is one the domain does not compute with.
fn is_forgotten<D: Domain>(features: &Features, op: AluOp, width: Width, right: &D) -> bool {
    let constant = || match width {
        Width::W32 => right.subreg_const().is_some(),
        Width::W64 => right.as_const().is_some(),
    };
    match op {
        AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod => !constant() || !features.division_ranges(),
        AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => !constant(),
        AluOp::Add | AluOp::Sub | AluOp::Mul | AluOp::And | AluOp::Or | AluOp::Xor => false,
    }
}

/// The link of a number after a constant was added: it is now that far from its group.
fn shifted_link<D: Domain>(link: Link, width: Width, op: AluOp, before: &D, right: &D) -> Option<Link> {
    if link.delta != LinkDelta::Base {
        return None;
    }
    let by = match width {
        Width::W64 => i32::try_from(right.as_const()?.cast_signed()).ok()?,
        Width::W32 => {
            let by = right.subreg_const()?.cast_signed();
            if before.umax() > u64::from(u32::MAX) {
                return None;
            }
            by
        }
    };
    let by = if op == AluOp::Sub { by.checked_neg()? } else { by };
    let delta = match width {
        Width::W64 => LinkDelta::Add64(by),
        Width::W32 => LinkDelta::Add32(by),
    };
    Some(Link { id: link.id, delta })
}

/// What negation and byte swaps share: one operand, no pointers.
fn unary<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    dst: Reg,
    f: impl FnOnce(ScalarValue<D>) -> ScalarValue<D>,
) -> Check<()> {
    let operand = *read(cx, state, dst)?;
    if cx.leaks(&operand) {
        return Err(RegisterCause::PointerArithmetic { reg: dst }.into());
    }
    writable(cx, dst)?;
    let mut result = match operand {
        Value::Scalar(scalar) => Value::Scalar(f(scalar)),
        Value::Pointer(_) | Value::Uninit => cx.unknown(),
    };
    settle(cx, &mut result, "alu")?;
    state.set(dst, result);
    Ok(())
}

/// An operation with one operand whose result says nothing.
fn forget<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, dst: Reg) -> Check<()> {
    let precise = cx.facts.scalars_precise();
    unary(cx, state, dst, |_| ScalarValue { num: D::unknown(), link: None, precise })
}

/// `dst = -dst`
pub(super) fn neg<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, width: Width, dst: Reg) -> Check<()> {
    if !cx.facts.features.negation_ranges() {
        return forget(cx, state, dst);
    }
    unary(cx, state, dst, |scalar| ScalarValue {
        num: D::neg(width_of(width), scalar.num),
        link: None,
        precise: scalar.precise,
    })
}

/// Byte-order conversion.
pub(super) fn endian<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    order: ByteOrder,
    dst: Reg,
    size: Size,
) -> Check<()> {
    if !cx.facts.features.byte_order_bits() {
        return forget(cx, state, dst);
    }
    let order = match order {
        ByteOrder::Le => domain::ByteOrder::Le,
        ByteOrder::Be => domain::ByteOrder::Be,
        ByteOrder::Swap => domain::ByteOrder::Swap,
    };
    unary(cx, state, dst, |scalar| ScalarValue {
        num: D::byte_order(order, size.bytes(), scalar.num),
        // The whole word in the host's own order is the only form that changes nothing.
        link: if order == domain::ByteOrder::Le && size == Size::B8 { scalar.link } else { None },
        precise: scalar.precise,
    })
}
