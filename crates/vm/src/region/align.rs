//! Alignment.

use bpfvet_domain::Domain;
use bpfvet_domain::Tnum;
use bpfvet_platform::MapKind;

use crate::cx::Cx;
use crate::failure::Check;
use crate::value::{Pointer, Region};
use crate::violation::MemoryCause;

/// Bytes before the network header that networking stacks leave free so that it is aligned (`NET_IP_ALIGN`).
const NET_IP_ALIGN: u64 = 2;

/// Whether an access is aligned where it has to be. (`check_ptr_alignment`)
///
/// It has to be on the stack, whose tracking relies on it, in tables of instructions, and wherever the caller or the load's
/// flags say so.
pub(crate) fn check_alignment<D: Domain>(
    cx: &Cx<'_, '_, D>,
    pointer: &Pointer<D>,
    off: i64,
    size: u32,
    strict_once: bool,
) -> Check<()> {
    let mut strict = strict_once || cx.facts.request.flags.asks_alignment();
    let mut extra = 0;
    match pointer.region {
        Region::Packet { .. } | Region::PacketMeta { .. } => extra = NET_IP_ALIGN,
        Region::MapValue { map, .. } => {
            strict |= cx.facts.map(map).is_some_and(|def| def.kind == MapKind::INSN_ARRAY);
        }
        Region::Stack { .. } => strict = true,
        Region::Arena => return Ok(()),
        Region::Ctx
        | Region::Map { .. }
        | Region::MapKey { .. }
        | Region::PacketEnd
        | Region::FlowKeys
        | Region::Socket { .. }
        | Region::TpBuffer
        | Region::Btf { .. }
        | Region::Mem { .. }
        | Region::Buf
        | Region::Func { .. }
        | Region::Insn { .. }
        | Region::Dynptr { .. } => {}
    }
    if !strict || size == 1 {
        return Ok(());
    }
    let fixed = Tnum::constant(extra.wrapping_add(off.cast_unsigned()));
    if Tnum::add(pointer.off.bits(), fixed).is_aligned(u64::from(size)) {
        Ok(())
    } else {
        let base = pointer.region.base();
        Err(MemoryCause::Misaligned { base, offset: pointer.off.bits(), off, size }.into())
    }
}
