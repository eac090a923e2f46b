//! A pointer and a number.

use bpfvet_domain::Domain;
use bpfvet_insn::{AluOp, Operand, Reg, Width};

use super::speculation::{self, Pending};
use crate::cx::Cx;
use crate::failure::Check;
use crate::failure::Stop;
use crate::fault::{self, Fault};
use crate::region::{self, MAX_VAR_OFF};
use crate::value::{Flags, Pointer, Region, TypeTag};
use crate::violation::{Access, AccessKind, Cause, Place, RegisterCause};
use crate::{State, Value};
use alloc::boxed::Box;

/// The operands of the instruction, as registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sum {
    pub(super) width: Width,
    pub(super) op: AluOp,
    pub(super) dst: Reg,
    pub(super) src: Operand,
    /// The register that holds the pointer: `dst`, unless the pointer is added to a number.
    pub(super) pointer_reg: Reg,
}

/// `pointer op offset`. (`adjust_ptr_min_max_vals`)
///
/// # Soundness
///
/// The offset of the result contains every sum of an offset of the pointer and a member of `offset`, in arithmetic modulo
/// 2⁶⁴; the checks before and after keep both far from where an address could wrap.
pub(super) fn add<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    sum: Sum,
    pointer: &Pointer<D>,
    offset: &D,
) -> Check<Value<D>> {
    let Sum { width, op, dst, .. } = sum;
    let tag = pointer.tag();
    if offset.has_invalid_bounds() {
        // The offset comes from a path that cannot be; whatever is made of it is not a pointer.
        return Ok(cx.unknown());
    }
    if width == Width::W32 {
        return if op == AluOp::Sub && cx.facts.may_leak() {
            Ok(cx.unknown())
        } else {
            Err(RegisterCause::PointerArithmetic32 { reg: dst, tag }.into())
        };
    }
    if pointer.nullable() && !fault::on(Fault::NullableMoved) {
        return Err(RegisterCause::PointerArithmeticOnNullable { reg: dst, tag }.into());
    }
    check_kind(sum, pointer, offset)?;
    let inherits = dst != sum.pointer_reg;
    if matches!(pointer.region, Region::Mem { .. }) && pointer.flags.contains(Flags::UNTRUSTED) {
        // Such memory is only ever read with care, so its offset does not matter.
        return Ok(Value::Pointer(*pointer));
    }
    check_offset_number(offset, tag)?;
    check_pointer_offset(&pointer.off, tag)?;
    let mut pending = Pending::default();
    if matches!(op, AluOp::Add | AluOp::Sub) {
        speculation::check_pointer(cx, state, sum, pointer, offset, &mut pending)?;
    }
    let mut result = *pointer;
    let subtracts = match op {
        AluOp::Add => false,
        AluOp::Sub => {
            if inherits {
                return Err(RegisterCause::PointerFromScalar { reg: dst }.into());
            }
            if matches!(pointer.region, Region::Stack { .. }) {
                return Err(RegisterCause::StackPointerSubtraction { reg: dst }.into());
            }
            true
        }
        AluOp::And | AluOp::Or | AluOp::Xor => {
            return Err(RegisterCause::PointerOperator { reg: dst, op, bitwise: true }.into());
        }
        AluOp::Mul | AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod | AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => {
            return Err(RegisterCause::PointerOperator { reg: dst, op, bitwise: false }.into());
        }
    };
    let known = offset.as_const().is_some();
    let keeps_bounds = move_packet(cx, &mut result, known, subtracts, offset);
    // The kernel tests the sum before its views are made to agree.
    let moved = pointer.off.moved(*offset, subtracts);
    check_pointer_offset(&moved, tag)?;
    let moved = if fault::on(Fault::PointerSubAdds) { pointer.off.moved(*offset, false) } else { moved };
    result.off = moved.settled(keeps_bounds);
    check_unprivileged(cx, dst, &result)?;
    if matches!(op, AluOp::Add | AluOp::Sub) {
        speculation::commit_pointer(cx, state, sum, &result, &pending)?;
    }
    Ok(Value::Pointer(result))
}

/// Whether this kind of pointer can be moved at all.
fn check_kind<D: Domain>(sum: Sum, pointer: &Pointer<D>, offset: &D) -> Check<()> {
    let constant = offset.as_const();
    let allowed = match pointer.region {
        Region::Ctx
        | Region::MapValue { .. }
        | Region::MapKey { .. }
        | Region::Stack { .. }
        | Region::Packet { .. }
        | Region::PacketMeta { .. }
        | Region::TpBuffer
        | Region::Btf { .. }
        | Region::Mem { .. }
        | Region::Buf
        | Region::Func { .. }
        | Region::Dynptr { .. } => true,
        Region::FlowKeys => constant.is_some(),
        Region::Map { .. } => constant == Some(0) && sum.op == AluOp::Add,
        Region::PacketEnd | Region::Socket { .. } | Region::Arena | Region::Insn { .. } => false,
    };
    if allowed {
        Ok(())
    } else {
        Err(RegisterCause::PointerArithmeticOnKind { reg: sum.dst, tag: pointer.tag() }.into())
    }
}

/// Whether a number can be added to a pointer. (`check_reg_sane_offset_scalar`)
fn check_offset_number<D: Domain>(offset: &D, tag: TypeTag) -> Check<()> {
    if let Some(value) = offset.as_const().map(u64::cast_signed)
        && (value >= MAX_VAR_OFF || value <= -MAX_VAR_OFF)
    {
        return Err(RegisterCause::OffsetConstantTooLarge { tag, value }.into());
    }
    let smin = offset.smin();
    if smin == i64::MIN {
        return Err(RegisterCause::OffsetUnbounded { tag, offset: Box::new(offset.known()) }.into());
    }
    if smin >= MAX_VAR_OFF || smin <= -MAX_VAR_OFF {
        return Err(RegisterCause::OffsetTooLarge { tag, smin }.into());
    }
    Ok(())
}

/// Whether a pointer's own offset is in range. (`check_reg_sane_offset_ptr`, Linux 7.3; `check_reg_sane_offset` where constants are kept apart)
fn check_pointer_offset<D: Domain>(off: &D, tag: TypeTag) -> Check<()> {
    if D::KEEPS_CONSTANTS_APART {
        let offset = off.fixed();
        if offset >= MAX_VAR_OFF || offset <= -MAX_VAR_OFF {
            return Err(RegisterCause::PointerOffsetTooLarge { tag, offset }.into());
        }
        return check_offset_number(&off.varying(), tag);
    }
    if let Some(offset) = off.as_const().map(u64::cast_signed)
        && (offset >= MAX_VAR_OFF || offset <= -MAX_VAR_OFF)
    {
        return Err(RegisterCause::PointerOffsetTooLarge { tag, offset }.into());
    }
    let smin = off.smin();
    if smin >= MAX_VAR_OFF || smin <= -MAX_VAR_OFF {
        return Err(RegisterCause::PointerOffsetTooLarge { tag, offset: smin }.into());
    }
    Ok(())
}

/// What moving a packet pointer does to what is known of the packet's end; whether its bounds stay comparable with those of
/// its group.
fn move_packet<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    pointer: &mut Pointer<D>,
    known: bool,
    subtracts: bool,
    offset: &D,
) -> bool {
    let fresh = if known || !pointer.is_packet() { None } else { Some(cx.new_packet()) };
    match &mut pointer.region {
        Region::Packet { group, range } | Region::PacketMeta { group, range } => {
            if fresh.is_some() && !fault::on(Fault::PacketGroupSurvivesMove) {
                *group = fresh;
            }
            // Moving back by an unknown amount stays inside what was proven; everything else does not.
            let loses = if subtracts { !known && offset.smin() < 0 } else { !known };
            if loses || *range < 0 {
                *range = 0;
            }
            known || *range > 0
        }
        Region::Ctx
        | Region::Stack { .. }
        | Region::Map { .. }
        | Region::MapValue { .. }
        | Region::MapKey { .. }
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
        | Region::Dynptr { .. } => false,
    }
}

/// Without privilege a stack or map value pointer must stay inside its object at all times. (`sanitize_check_bounds`)
fn check_unprivileged<D: Domain>(cx: &Cx<'_, '_, D>, dst: Reg, pointer: &Pointer<D>) -> Check<()> {
    if cx.facts.request.privilege.bypasses_spec_v1() {
        return Ok(());
    }
    match pointer.region {
        Region::Stack { .. } => {
            let Some(off) = pointer.const_off() else {
                let off = pointer.off.bits().value.cast_signed();
                return Err(RegisterCause::VariableStackPointer {
                    reg: dst,
                    offset: Box::new(pointer.off.known()),
                    off,
                }
                .into());
            };
            if off >= 0 || off < -i64::from(cx.facts.limits.stack_bytes) {
                return Err(RegisterCause::StackPointerOutOfRange { reg: dst, off }.into());
            }
            Ok(())
        }
        Region::MapValue { .. } => {
            let access = Access { place: Place::Reg(dst), tag: pointer.tag(), off: 0, size: 1, kind: AccessKind::Read };
            region::check_map_value(cx, pointer, access, false, true).map_err(|stop| match stop {
                Stop::Cause(inner) => Cause::from(RegisterCause::MapValuePointerOutOfRange { reg: dst, inner }).into(),
                Stop::Unsupported(_) | Stop::Internal(_) => stop,
            })
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
        | Region::Dynptr { .. } => Ok(()),
    }
}
