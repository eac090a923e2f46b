//! Bounds that every region shares: an offset, an access, a limit.

use crate::failure::Check;
use crate::fault::{self, Fault};
use crate::value::{Pointer, Region};
use crate::violation::{Access, Bounds, MemoryCause, Place};
use bpfvet_domain::Domain;

/// Beyond this, offsets and sizes are as good as unbounded (`BPF_MAX_VAR_OFF`).
pub(crate) const MAX_VAR_OFF: i64 = 1 << 29;

/// Whether an access lies in `0..limit` for every offset the pointer can have. (`check_mem_region_access`)
///
/// # Soundness
///
/// The lowest start is `smin + off` and must not be negative; an offset whose unsigned maximum is below the cap is
/// non-negative as a whole, so that the highest start is `umax + off`. Both ends inside the object means that every one is.
pub(crate) fn check_bounds<D: Domain>(pointer: &Pointer<D>, access: Access, limit: u32, zero_ok: bool) -> Check<()> {
    let fail = |bounds| {
        let id = match pointer.region {
            Region::Packet { group, .. } | Region::PacketMeta { group, .. } => group.map_or(0, |group| group.get()),
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
            | Region::Dynptr { .. } => 0,
        };
        Err(MemoryCause::OutOfBounds { access, bounds, limit, id }.into())
    };
    let inside = |start: i64| {
        let size_ok = access.size > 0 || (access.size == 0 && zero_ok);
        start >= 0 && size_ok && start.saturating_add(access.size) <= i64::from(limit)
    };
    let (off, varying) = (access.off.saturating_add(pointer.off.fixed()), pointer.off.varying());
    let smin = varying.smin();
    let start = smin.wrapping_add(off);
    let lower_checked = !fault::on(Fault::LowerBoundUnchecked);
    if lower_checked && smin < 0 && (smin == i64::MIN || i32::try_from(start).is_err() || start < 0) {
        return fail(Bounds::Negative { start: smin.saturating_add(off) });
    }
    // The kernel looks at the start as a 32-bit number.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the kernel's own truncation; a larger start fails the maximum below"
    )]
    let min = i64::from(start as i32);
    if lower_checked && !inside(min) {
        return fail(Bounds::Min { start: min });
    }
    let umax = varying.umax();
    if lower_checked && umax >= MAX_VAR_OFF.cast_unsigned() {
        return fail(Bounds::Unbounded { umax });
    }
    let max = umax.cast_signed().saturating_add(off);
    if !inside(max) && (lower_checked || max >= 0) {
        return fail(Bounds::Max { start: max });
    }
    Ok(())
}

/// Whether a pointer that must be used as it was given is so: constant offset, not negative, zero unless `fixed_ok`.
/// (`__check_ptr_off_reg`)
pub(crate) fn check_offset<D: Domain>(pointer: &Pointer<D>, place: Place, fixed_ok: bool) -> Check<()> {
    let tag = pointer.tag();
    let Some(offset) = pointer.const_off() else {
        return Err(MemoryCause::VariableOffset { place, tag, offset: pointer.off.bits() }.into());
    };
    if pointer.off.smin() < 0 {
        return Err(MemoryCause::NegativeOffset { place, tag, offset }.into());
    }
    if !fixed_ok && offset != 0 {
        return Err(MemoryCause::ModifiedPointer { place, tag, offset }.into());
    }
    Ok(())
}
