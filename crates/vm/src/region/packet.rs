//! Packets: what was proven to exist.

use crate::failure::Check;
use crate::value::{Pointer, Region};
use crate::violation::{Access, Bounds, MemoryCause};
use bpfvet_domain::Domain;

use super::check_bounds;

/// Whether an access lies in the bytes that were proven to exist. (`check_packet_access`)
pub(crate) fn check_packet<D: Domain>(pointer: &Pointer<D>, access: Access, zero_ok: bool) -> Check<()> {
    let range = match pointer.region {
        Region::Packet { range, .. } | Region::PacketMeta { range, .. } => range,
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
        | Region::Dynptr { .. } => return Err(MemoryCause::InvalidPointer { access }.into()),
    };
    match u32::try_from(range) {
        Ok(range) => {
            check_parts(pointer, access)?;
            check_bounds(pointer, access, range, zero_ok)
        }
        Err(_) => Err(MemoryCause::PacketEnd { place: access.place }.into()),
    }
}

/// Where constants are kept apart, what varies and what does not must each lead forward. (`check_packet_access`, `__check_mem_access`,
/// before Linux 7.2)
fn check_parts<D: Domain>(pointer: &Pointer<D>, access: Access) -> Check<()> {
    let (smin, start) = (pointer.off.varying().smin(), pointer.off.fixed().saturating_add(access.off));
    let bounds = match (smin < 0, start < 0) {
        (true, _) if D::KEEPS_CONSTANTS_APART => Bounds::Negative { start },
        (false, true) if D::KEEPS_CONSTANTS_APART => Bounds::Min { start },
        (_, _) => return Ok(()),
    };
    Err(MemoryCause::OutOfBounds { access, bounds, limit: 0, id: 0 }.into())
}
