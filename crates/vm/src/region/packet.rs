//! Packets: what was proven to exist.

use crate::failure::Check;
use crate::value::{Pointer, Region};
use crate::violation::{Access, MemoryCause};

use super::check_bounds;

/// Whether an access lies in the bytes that were proven to exist. (`check_packet_access`)
pub(crate) fn check_packet(pointer: &Pointer, access: Access, zero_ok: bool) -> Check<()> {
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
        | Region::Insn { .. } => return Err(MemoryCause::InvalidPointer { access }.into()),
    };
    match u32::try_from(range) {
        Ok(range) => check_bounds(pointer, access, range, zero_ok),
        Err(_) => Err(MemoryCause::PacketEnd { place: access.place }.into()),
    }
}
