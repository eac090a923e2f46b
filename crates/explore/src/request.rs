//! What the host looks at before the program's form: who loads what, and whether its maps are there.

use bpfvet_insn::{ImmSource, Insn, InsnIdx};
use bpfvet_platform::{LoadRequest, MapKind, Platform};

use crate::instruction_set::first_missing;
use crate::outcome::{Limit, RejectionCause};

/// Whether the host would look at the program at all. (`bpf_prog_load`, and the maps of `check_and_resolve_insns`)
///
/// # Errors
///
/// Why it would not.
pub fn check_request(request: &LoadRequest, platform: &dyn Platform) -> Result<(), RejectionCause> {
    let limits = platform.limits(request.privilege);
    let slots = request.program.len();
    if slots == 0 || slots > limits.program_len {
        return Err(RejectionCause::Limit(Limit::ProgramLength { slots, limit: limits.program_len }));
    }
    platform.check_load(request).map_err(RejectionCause::LoadRefused)?;
    if let Some((at, needs)) = first_missing(&request.program, platform.features()) {
        return Err(RejectionCause::MissingInsn { at, needs });
    }
    for (at, insn) in request.program.landmarks() {
        if let Insn::LoadImm64 { imm, .. } = insn {
            check_map_reference(request, platform, at, *imm)?;
        }
    }
    Ok(())
}

fn check_map_reference(
    request: &LoadRequest,
    platform: &dyn Platform,
    at: InsnIdx,
    imm: ImmSource,
) -> Result<(), RejectionCause> {
    let (index, value_off) = match imm {
        ImmSource::MapFd(index) | ImmSource::MapIdx(index) => (index, None),
        ImmSource::MapValue { fd: index, off } | ImmSource::MapIdxValue { index, off } => (index, Some(off)),
        ImmSource::Value(_) | ImmSource::BtfId { .. } | ImmSource::Func(_) => return Ok(()),
    };
    let Some(map) = usize::try_from(index).ok().and_then(|index| request.maps.get(index)) else {
        return Err(RejectionCause::NoSuchMap { at, index });
    };
    let refused = |refusal| RejectionCause::MapRefused { at, map: map.name.clone(), refusal };
    platform.check_map(map, request).map_err(refused)?;
    let Some(off) = value_off else { return Ok(()) };
    let direct = platform.map_kind(map.kind).is_some_and(|kind| kind.direct_value);
    if !direct {
        return Err(RejectionCause::NoDirectValue { at });
    }
    // Arrays of instructions are addressed as a whole; other maps with direct values hold exactly one.
    let size = if map.kind == MapKind::INSN_ARRAY { map.max_entries.saturating_mul(8) } else { map.value_size };
    let arena = map.kind == MapKind::ARENA;
    if !arena && (off >= size || (map.kind != MapKind::INSN_ARRAY && map.max_entries != 1)) {
        return Err(RejectionCause::DirectValueOutOfBounds { at, value_size: map.value_size, off });
    }
    Ok(())
}
