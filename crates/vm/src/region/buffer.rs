//! Buffers whose size the host checks when the program is attached: only the start is known here.

use crate::failure::Check;
use crate::value::{Flags, Pointer, Region};
use crate::violation::{MemoryCause, Place};
use bpfvet_domain::Domain;

/// Whether an access starts at a known, non-negative offset. (`__check_buffer_access`)
pub(crate) fn check_buffer<D: Domain>(pointer: &Pointer<D>, place: Place, off: i64, size: i64) -> Check<()> {
    // The end is the host's to check against what it attaches the program to.
    let _ = size;
    let Some(offset) = pointer.const_off() else {
        return Err(MemoryCause::BufferVariable { place, off, offset: pointer.off.bits() }.into());
    };
    if offset.saturating_add(off) < 0 {
        let kind = if matches!(pointer.region, Region::TpBuffer) {
            "tracepoint"
        } else if pointer.flags.contains(Flags::RDONLY) {
            "rdonly"
        } else {
            "rdwr"
        };
        return Err(MemoryCause::BufferNegative { place, kind, off, offset }.into());
    }
    Ok(())
}
