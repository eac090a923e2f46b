//! What the processor may do before it knows better.
//!
//! Without `CAP_PERFMON` the host masks pointer arithmetic so that a mispredicted path cannot leave the object. The mask must
//! be the same on every path through the instruction, and must exist. (`sanitize_ptr_alu`, `sanitize_val_alu`)

use bpfvet_domain::Domain;
use bpfvet_insn::{AluOp, Operand, Reg};

use super::pointer::Sum;
use crate::cx::Cx;
use crate::effects::{Fork, ForkKind};
use crate::failure::Check;
use crate::value::{Pointer, Region};
use crate::violation::{AluReason, RegisterCause};
use crate::{State, Value};

/// Kinds of mask, as the host stores them with the instruction.
mod mask {
    pub(super) const SOURCE: u8 = 1;
    pub(super) const DESTINATION: u8 = 2;
    pub(super) const NEGATIVE: u8 = 4;
    pub(super) const NO_POINTER: u8 = 8;
    pub(super) const IMMEDIATE: u8 = 16;
}

/// The mask that arithmetic asked for before its result was known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pending {
    kind: u8,
    limit: u32,
    to_left: bool,
}

/// Whether no mask is needed here: privilege, a constant, or a barrier that stands already.
fn skips<D: Domain>(cx: &Cx<'_, '_, D>, src: Operand) -> bool {
    cx.facts.request.privilege.bypasses_spec_v1()
        || matches!(src, Operand::Imm(_))
        || cx.memo.insn(cx.at).barrier_before
}

fn refuse(reg: Reg, op: AluOp, reason: AluReason) -> RegisterCause {
    RegisterCause::SpeculativeArithmetic { reg, adds: op == AluOp::Add, reason }
}

/// Remembers how this instruction is masked; every path must ask for the same.
fn remember<D: Domain>(cx: &mut Cx<'_, '_, D>, dst: Reg, op: AluOp, kind: u8, limit: u32) -> Check<()> {
    let memo = cx.memo.insn_mut(cx.at);
    match memo.mask {
        Some(before) if before.0 != 0 && before != (kind, limit) => Err(refuse(dst, op, AluReason::Paths).into()),
        Some(_) | None => {
            memo.mask = Some((kind, limit));
            Ok(())
        }
    }
}

/// Arithmetic on two numbers where another path may do it on a pointer.
pub(super) fn check_scalar<D: Domain>(cx: &mut Cx<'_, '_, D>, dst: Reg, op: AluOp, src: Operand) -> Check<()> {
    if skips(cx, src) { Ok(()) } else { remember(cx, dst, op, mask::NO_POINTER, 0) }
}

/// How far the pointer may move in the masked direction.
fn limit_of<D: Domain>(cx: &Cx<'_, '_, D>, pointer: &Pointer<D>, to_left: bool) -> Result<u32, AluReason> {
    let (max, limit) = match pointer.region {
        Region::Stack { .. } => {
            // One past the top is no valid address but a valid place to start from.
            let max = cx.facts.limits.stack_bytes.saturating_add(u32::from(to_left));
            (max, pointer.off.bits().value.wrapping_neg())
        }
        Region::MapValue { map, .. } => {
            let max = cx.facts.map(map).map_or(0, |def| def.value_size);
            (max, if to_left { pointer.off.smin().cast_unsigned() } else { pointer.off.umax() })
        }
        Region::Ctx
        | Region::Map { .. }
        | Region::MapKey { .. }
        | Region::Packet { .. }
        | Region::PacketMeta { .. }
        | Region::PacketEnd
        | Region::FlowKeys
        | Region::Socket { .. }
        | Region::TpBuffer
        | Region::Btf { .. }
        | Region::Mem { .. }
        | Region::Buf
        | Region::Func { .. }
        | Region::Arena
        | Region::Insn { .. }
        | Region::Dynptr { .. } => return Err(AluReason::Kind),
    };
    #[expect(clippy::cast_possible_truncation, reason = "the kernel keeps the low half, and so sees what we see")]
    let limit = limit as u32;
    if limit >= max { Err(AluReason::Limit) } else { Ok(limit) }
}

fn named(sum: Sum, reason: AluReason) -> Reg {
    let other = match sum.src {
        Operand::Reg(src) => src,
        Operand::Imm(_) => sum.dst,
    };
    let scalar = if sum.pointer_reg == sum.dst { other } else { sum.dst };
    match reason {
        AluReason::MixedSigns => {
            // The kernel names the source if that is a number.
            if sum.pointer_reg == sum.dst { scalar } else { sum.dst }
        }
        AluReason::Kind => {
            if sum.pointer_reg == sum.dst {
                sum.dst
            } else {
                other
            }
        }
        AluReason::Paths | AluReason::Limit => sum.dst,
    }
}

/// Before the sum: is there a mask, and what would a path do that ignores it.
pub(super) fn check_pointer<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &State<D>,
    sum: Sum,
    pointer: &Pointer<D>,
    offset: &D,
    pending: &mut Pending,
) -> Check<()> {
    if skips(cx, sum.src) {
        return Ok(());
    }
    let immediate = offset.as_const().is_some();
    let negative = offset.smin() < 0;
    if !state.speculative {
        if !immediate && negative != (offset.smax() < 0) {
            let reason = AluReason::MixedSigns;
            return Err(refuse(named(sum, reason), sum.op, reason).into());
        }
        pending.to_left = (sum.op == AluOp::Add && negative) || (sum.op == AluOp::Sub && !negative);
        pending.limit =
            limit_of(cx, pointer, pending.to_left).map_err(|reason| refuse(named(sum, reason), sum.op, reason))?;
        pending.kind = if negative { mask::NEGATIVE } else { 0 }
            | if immediate { mask::IMMEDIATE } else { 0 }
            | if sum.pointer_reg == sum.dst { mask::SOURCE } else { mask::DESTINATION };
        if !immediate {
            cx.memo.exact_scalars = true;
        }
    }
    if !immediate {
        // A path that takes the pointer as it was, past this instruction.
        let mut other = state.clone();
        other.set(sum.dst, Value::Pointer(*pointer));
        other.speculative = true;
        cx.fx.forks.push(Fork { state: other, at: cx.at.next(), kind: ForkKind::Speculative });
    }
    Ok(())
}

/// After the sum: the window is what is left on the far side.
pub(super) fn commit_pointer<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &State<D>,
    sum: Sum,
    result: &Pointer<D>,
    pending: &Pending,
) -> Check<()> {
    if skips(cx, sum.src) || state.speculative {
        return Ok(());
    }
    let after = limit_of(cx, result, pending.to_left).map_err(|reason| refuse(named(sum, reason), sum.op, reason))?;
    remember(cx, sum.dst, sum.op, pending.kind, pending.limit.abs_diff(after))
}
