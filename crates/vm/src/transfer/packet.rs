//! What a comparison with the packet's end proves.

use bpfvet_domain::Domain;
use bpfvet_insn::{CmpOp, Reg};

use crate::State;
use crate::Value;
use crate::fault::{self, Fault};
use crate::value::{Pointer, Region};

/// Packets are no longer than this, so that offsets into them fit 16 bits (`MAX_PACKET_OFF`).
const MAX_PACKET_OFF: u64 = 0xffff;
/// The pointer is at the packet's end.
const AT_END: i32 = -1;
/// The pointer is at least one byte beyond the packet's end.
const BEYOND_END: i32 = -2;

/// Whether a comparison of two packet pointers is decided already. (`is_pkt_ptr_branch_taken`)
pub(super) fn decided<D: Domain>(op: CmpOp, dst: &Pointer<D>, src: &Pointer<D>) -> Option<bool> {
    let (pointer, op) = if matches!(src.region, Region::PacketEnd) {
        (dst, op)
    } else if matches!(dst.region, Region::PacketEnd) {
        (src, flipped(op))
    } else {
        return None;
    };
    let range = range_of(pointer)?;
    match op {
        CmpOp::Le | CmpOp::Gt if range == BEYOND_END => Some(op == CmpOp::Gt),
        CmpOp::Lt | CmpOp::Ge if range == BEYOND_END || range == AT_END => Some(op == CmpOp::Ge),
        CmpOp::Le
        | CmpOp::Gt
        | CmpOp::Lt
        | CmpOp::Ge
        | CmpOp::Eq
        | CmpOp::Ne
        | CmpOp::Sgt
        | CmpOp::Sge
        | CmpOp::Slt
        | CmpOp::Sle
        | CmpOp::Set => None,
    }
}

/// The condition with its operands exchanged.
pub(super) const fn flipped(op: CmpOp) -> CmpOp {
    match op {
        CmpOp::Eq => CmpOp::Eq,
        CmpOp::Ne => CmpOp::Ne,
        CmpOp::Set => CmpOp::Set,
        CmpOp::Gt => CmpOp::Lt,
        CmpOp::Ge => CmpOp::Le,
        CmpOp::Lt => CmpOp::Gt,
        CmpOp::Le => CmpOp::Ge,
        CmpOp::Sgt => CmpOp::Slt,
        CmpOp::Sge => CmpOp::Sle,
        CmpOp::Slt => CmpOp::Sgt,
        CmpOp::Sle => CmpOp::Sge,
    }
}

fn range_of<D: Domain>(pointer: &Pointer<D>) -> Option<i32> {
    match pointer.region {
        Region::Packet { range, .. } | Region::PacketMeta { range, .. } => Some(range),
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
        | Region::Dynptr { .. } => None,
    }
}

/// Whether a pointer bounds packet pointers of the other kind: the end bounds packet bytes, the packet's very start bounds
/// metadata.
fn bounds<D: Domain>(bound: &Pointer<D>, pointer: &Pointer<D>) -> bool {
    match (bound.region, pointer.region) {
        (Region::PacketEnd, Region::Packet { .. }) => true,
        (Region::Packet { group: None, .. }, Region::PacketMeta { .. }) => bound.const_off() == Some(0),
        _ => false,
    }
}

/// Learns from `if dst op src` on packet pointers, in both outcomes; whether it was such a comparison.
/// (`try_match_pkt_pointers`)
///
/// # Soundness
///
/// `p <= end` proves that the bytes from the packet's start to `p` exist, `p < end` one more. `p > end` proves that not even
/// the byte before `p` exists, and `p >= end` that the byte at `p` does not.
pub(super) fn learn<D: Domain>(
    op: CmpOp,
    dst: (Reg, &Value<D>),
    src: (Reg, &Value<D>),
    taken: &mut State<D>,
    fallthrough: &mut State<D>,
) -> bool {
    let (Value::Pointer(left), Value::Pointer(right)) = (dst.1, src.1) else { return false };
    let (reg, pointer, op) = if bounds(right, left) {
        (dst.0, left, op)
    } else if bounds(left, right) {
        (src.0, right, flipped(op))
    } else {
        return false;
    };
    // `inside`: the outcome where the pointer is not beyond the bound; `open`: where it is even before it.
    let (inside, outside, open) = match op {
        CmpOp::Gt => (fallthrough, taken, false),
        CmpOp::Lt => (taken, fallthrough, true),
        CmpOp::Ge => (fallthrough, taken, true),
        CmpOp::Le => (taken, fallthrough, false),
        CmpOp::Eq | CmpOp::Ne | CmpOp::Sgt | CmpOp::Sge | CmpOp::Slt | CmpOp::Sle | CmpOp::Set => return false,
    };
    prove(inside, pointer, open);
    mark_end(outside, reg, !open);
    true
}

/// All pointers of the group may reach as far as this one does. (`find_good_pkt_pointers`)
fn prove<D: Domain>(state: &mut State<D>, pointer: &Pointer<D>, open: bool) {
    let reach = pointer.off.umax();
    if (reach == 0 && open) || reach > MAX_PACKET_OFF {
        return;
    }
    let range = i32::try_from(reach).unwrap_or(0) + i32::from(open || fault::on(Fault::PacketRangeTooLong));
    let proven = *pointer;
    state.for_each_value_mut(
        |value| same_group(value, &proven),
        |value| {
            if let Value::Pointer(pointer) = value
                && let Region::Packet { range: place, .. } | Region::PacketMeta { range: place, .. } =
                    &mut pointer.region
            {
                *place = (*place).max(range);
            }
        },
    );
}

fn same_group<D: Domain>(value: &Value<D>, pointer: &Pointer<D>) -> bool {
    let Value::Pointer(other) = value else { return false };
    if other.flags != pointer.flags {
        return false;
    }
    match (other.region, pointer.region) {
        (Region::Packet { group: a, .. }, Region::Packet { group: b, .. })
        | (Region::PacketMeta { group: a, .. }, Region::PacketMeta { group: b, .. }) => {
            a == b || fault::on(Fault::PacketGroupsMerged)
        }
        _ => false,
    }
}

/// The pointer is at the end, or beyond it. (`mark_pkt_end`)
fn mark_end<D: Domain>(state: &mut State<D>, reg: Reg, beyond: bool) {
    if let Value::Pointer(mut pointer) = *state.reg(reg)
        && let Region::Packet { range, .. } = &mut pointer.region
    {
        *range = if beyond { BEYOND_END } else { AT_END };
        state.set(reg, Value::Pointer(pointer));
    }
}
