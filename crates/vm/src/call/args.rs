//! The arguments of a helper: five rows, one loop.

use bpfvet_domain::Domain;
use bpfvet_insn::Reg;
use bpfvet_platform::{
    ArgKind, ArgSpec, HelperSpecial, LookupResult, MapKind, MemDir, MemSize, PacketToHelpers, RetRange,
};

use super::helper::{Helper, MAP_PEEK_ELEM, SK_RELEASE};
use super::kinds::{Wanted, check_arg_offset, check_kind};
use super::{dynptr, map_args, memory, special};
use crate::cx::Cx;
use crate::failure::{Check, Stop, unsupported};
use crate::fault::{self, Fault};
use crate::region::check_alignment;
use crate::state::Dynptr;
use crate::transfer::read;
use crate::value::{BtfRef, MapRef, ObjectId, Region};
use crate::violation::{AccessKind, CallCause, KnownNumber, LeakTo, Place, PolicyCause, ResourceCause};
use crate::{State, Value};

/// A map that an argument names, or that one lies in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NamedMap {
    pub(super) map: MapRef,
    pub(super) uid: u32,
}

/// What checking the arguments found: what the effects of the call rest on.
#[derive(Clone, Debug, Default)]
pub(super) struct CheckedArgs {
    /// The map.
    pub(super) map: Option<NamedMap>,
    /// The key, where it is a known number and the map is one in which that helps.
    pub(super) key: Option<u64>,
    /// Stack that the helper writes whole, and how many bytes.
    pub(super) raw: Option<(Reg, u32)>,
    /// The argument whose reference the helper takes over.
    pub(super) released: Option<Reg>,
    /// The referenced object among the arguments.
    pub(super) owned: Option<ObjectId>,
    /// Upper bound of the size that bounds the result.
    pub(super) size_max: u64,
    /// Bytes to be allocated.
    pub(super) allocation: Option<u32>,
    /// The function to be called back.
    pub(super) callback: Option<u32>,
    /// The dynamic pointer that is passed, not made.
    pub(super) dynptr: Option<Dynptr>,
    /// The call gives back what that lies over.
    pub(super) gives_back: bool,
    /// The per-CPU variable's type.
    pub(super) percpu: Option<(BtfRef, u32)>,
}

/// Checks the arguments of a helper, first to last. (`check_func_arg`)
pub(super) fn check_args<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    helper: Helper<'_>,
) -> Check<CheckedArgs> {
    let mut found = CheckedArgs::default();
    for (index, spec) in (0..).zip(&helper.proto.args) {
        let Some(reg) = Reg::arg(index) else { break };
        if spec.kind != ArgKind::Unused {
            check_arg(cx, state, helper, *spec, index, reg, &mut found)?;
        }
    }
    Ok(found)
}

fn check_arg<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    helper: Helper<'_>,
    spec: ArgSpec,
    index: u8,
    reg: Reg,
    found: &mut CheckedArgs,
) -> Check<()> {
    read(cx, state, reg)?;
    let value = *state.reg(reg);
    let place = Place::Reg(reg);
    // A value to be returned is anything here; its room asks for more.
    if spec.kind == ArgKind::Anything || helper.proto.special == HelperSpecial::SetRetval {
        return if cx.leaks(&value) {
            Err(PolicyCause::PointerLeak { reg, to: LeakTo::Helper }.into())
        } else {
            Ok(())
        };
    }
    if value.as_pointer().is_some_and(|pointer| pointer.is_packet()) && !takes_packets(cx, helper) {
        return Err(PolicyCause::HelperPacketAccess.into());
    }
    let spec = resolve(cx, helper, spec, found)?;
    let null = spec.nullable && value.is_null();
    if null {
        cx.demand(state, reg);
    } else {
        let strict = spec.release && helper.id() != SK_RELEASE;
        let ArgSpec { kind, nullable, release } = spec;
        let wanted = Wanted { kind, nullable, release, structure: None, strict, helper: &helper.proto.name };
        check_kind(cx, &value, place, wanted)?;
        check_arg_offset(cx, &value, place, kind, release)?;
    }
    check_ownership(cx, state, helper, spec, &value, place, found)?;
    match spec.kind {
        ArgKind::ConstMap => map_args::check_map(&value, reg, found),
        ArgKind::MapKey => map_args::check_key(cx, state, &value, place, found),
        ArgKind::MapValue { dir } => {
            if null {
                return Ok(());
            }
            let size = i64::from(map_args::named(cx, found)?.value_size);
            let raw = dir == MemDir::WriteUninit;
            let ask = memory::Ask { place, size, kind: access(dir), zero_ok: false, raw, any_byte: false };
            memory::check(cx, state, &value, ask)?.record(reg, size, found);
            Ok(())
        }
        ArgKind::Mem { size: MemSize::NextArg, .. } => Ok(()),
        ArgKind::Mem { dir, size: MemSize::Fixed { bytes, aligned } } => {
            if null {
                cx.demand(state, reg);
            } else {
                let raw = dir == MemDir::WriteUninit && cx.facts.features.results_into_new_room();
                let size = i64::from(bytes);
                let ask = memory::Ask { place, size, kind: access(dir), zero_ok: true, raw, any_byte: false };
                memory::check(cx, state, &value, ask)?.record(reg, size, found);
            }
            match (&value, aligned) {
                (Value::Pointer(pointer), true) => check_alignment(cx, pointer, 0, bytes, true),
                (Value::Pointer(_), false) | (Value::Scalar(_) | Value::Uninit, _) => Ok(()),
            }
        }
        ArgKind::MemSize => check_size(cx, state, helper, index, reg, false, found),
        ArgKind::MemSizeOrZero => check_size(cx, state, helper, index, reg, true, found),
        ArgKind::MemSizeOrZeroWith(feature) => {
            let zero_ok = cx.facts.features.has(feature);
            check_size(cx, state, helper, index, reg, zero_ok, found)
        }
        ArgKind::AllocSizeOrZero => {
            found.allocation = Some(check_allocation(cx, state, &value, reg)?);
            Ok(())
        }
        ArgKind::PercpuStruct => {
            if let Value::Pointer(pointer) = &value
                && let Region::Btf { btf, id } = pointer.region
            {
                found.percpu = Some((btf, id));
            }
            Ok(())
        }
        ArgKind::SpinLock => special::spin_lock::take_or_give(cx, state, helper, &value, place),
        ArgKind::Timer => map_args::check_timer(cx, &value, place, found),
        ArgKind::Func => {
            if let Value::Pointer(pointer) = &value
                && let Region::Func { subprog } = pointer.region
            {
                found.callback = Some(subprog);
            }
            Ok(())
        }
        ArgKind::ConstStr => map_args::check_const_str(cx, &value, place),
        ArgKind::KptrXchgDest => unsupported("exchanging kernel pointers in map values"),
        ArgKind::Dynptr(arg) => {
            let ask = dynptr::Ask { place, arg, release: spec.release, before: found.dynptr, of: found.owned };
            found.dynptr = dynptr::check(cx, state, &value, ask)?.or(found.dynptr);
            found.gives_back |= spec.release;
            Ok(())
        }
        ArgKind::Arena => unsupported("helpers that take arena pointers"),
        ArgKind::Scalar
        | ArgKind::ScalarIn { .. }
        | ArgKind::Ctx
        | ArgKind::SockCommon
        | ArgKind::Socket
        | ArgKind::BtfSockCommon
        | ArgKind::Struct(_)
        | ArgKind::RingbufMem
        | ArgKind::Stack => Ok(()),
        ArgKind::Unused | ArgKind::Anything => Err(Stop::Internal(&"an argument without a kind")),
    }
}

/// How memory is accessed.
fn access(dir: MemDir) -> AccessKind {
    match dir {
        MemDir::Read | MemDir::Any => AccessKind::Read,
        MemDir::Write | MemDir::WriteUninit => AccessKind::Write,
    }
}

/// Whether packet memory may be given to this helper. (`may_access_direct_pkt_data`)
fn takes_packets<D: Domain>(cx: &Cx<'_, '_, D>, helper: Helper<'_>) -> bool {
    match cx.facts.kind.packet.helpers {
        PacketToHelpers::Never => false,
        PacketToHelpers::Declared => helper.proto.pkt_access,
        PacketToHelpers::Always => true,
    }
}

/// What an argument is on this host and for this kind of map: older hosts want their objects there; a map's value is a socket where
/// the map holds sockets, an input where the map is a Bloom filter. (`resolve_map_arg_type`)
fn resolve<D: Domain>(cx: &Cx<'_, '_, D>, helper: Helper<'_>, spec: ArgSpec, found: &CheckedArgs) -> Check<ArgSpec> {
    let object = matches!(spec.kind, ArgKind::Struct(_) | ArgKind::BtfSockCommon) && !spec.release;
    if object && !cx.facts.features.null_objects() {
        return Ok(ArgSpec { nullable: false, ..spec });
    }
    let ArgKind::MapValue { dir } = spec.kind else { return Ok(spec) };
    let map = map_args::named(cx, found)?;
    let holds_sockets = cx.facts.platform.map_kind(map.kind).is_some_and(|info| info.lookup == LookupResult::Socket);
    if holds_sockets {
        let plain = !spec.nullable && !spec.release && matches!(dir, MemDir::Read | MemDir::Any);
        return if plain {
            Ok(ArgSpec { kind: ArgKind::BtfSockCommon, ..spec })
        } else {
            Err(CallCause::SockmapArgument.into())
        };
    }
    if map.kind == MapKind::BLOOM_FILTER && helper.id() == MAP_PEEK_ELEM {
        return Ok(ArgSpec::of(ArgKind::MapValue { dir: MemDir::Read }));
    }
    Ok(spec)
}

/// An argument that the helper takes over owns a reference; whichever owns one is remembered.
fn check_ownership<D: Domain>(
    cx: &Cx<'_, '_, D>,
    state: &State<D>,
    helper: Helper<'_>,
    spec: ArgSpec,
    value: &Value<D>,
    place: Place,
    found: &mut CheckedArgs,
) -> Check<()> {
    let object = value.as_pointer().and_then(|pointer| pointer.object);
    let owns = state.is_referenced(object);
    let dynptr = matches!(spec.kind, ArgKind::Dynptr(_));
    if spec.release && !dynptr {
        if !owns && !value.is_null() {
            return Err(ResourceCause::NotReferenced { helper: helper.name(), place }.into());
        }
        if let Place::Reg(reg) = place {
            found.released = Some(reg);
        }
    }
    if owns {
        let one = helper.proto.effects.casts_socket || !cx.facts.features.many_owned_arguments();
        if let (true, Some(object)) = (found.owned.is_some() && one, object) {
            return Err(ResourceCause::ManyReferences { object }.into());
        }
        found.owned = object;
    }
    Ok(())
}

/// The size of the memory that the argument before it points to. (`check_mem_size_reg`)
fn check_size<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    helper: Helper<'_>,
    index: u8,
    reg: Reg,
    zero_ok: bool,
    found: &mut CheckedArgs,
) -> Check<()> {
    let before = index.checked_sub(1);
    let spec = before.and_then(|before| helper.proto.args.get(usize::from(before)));
    let (Some(memory), Some(ArgSpec { kind: ArgKind::Mem { dir, .. }, .. })) = (before.and_then(Reg::arg), spec) else {
        return Err(Stop::Internal(&"a size without memory before it"));
    };
    let Value::Scalar(size) = *state.reg(reg) else { return Err(Stop::Internal(&"a size that is no number")) };
    let bytes = memory::check_size(&size.num, Place::Reg(reg), zero_ok)?;
    let bytes = if fault::on(Fault::HelperSizeTooShort) { bytes.saturating_sub(1).max(1) } else { bytes };
    if helper.proto.ret.range == (RetRange::ErrorOrSizeOf { arg: index }) {
        found.size_max = size.num.umax();
    }
    // A buffer that the helper may fill only in part must be initialised.
    let raw = *dir == MemDir::WriteUninit && size.num.as_const().is_some();
    let value = *state.reg(memory);
    let ask = memory::Ask { place: Place::Reg(memory), size: bytes, kind: access(*dir), zero_ok, raw, any_byte: false };
    memory::check(cx, state, &value, ask)?.record(memory, bytes, found);
    if !fault::on(Fault::SizeDemandDropped) {
        cx.demand(state, reg);
    }
    Ok(())
}

/// A known number of bytes to allocate. (`process_const_alloc_mem_size`)
fn check_allocation<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &State<D>, value: &Value<D>, reg: Reg) -> Check<u32> {
    let place = Place::Reg(reg);
    let Some(size) = value.as_scalar().and_then(|scalar| scalar.num.as_const()) else {
        return Err(CallCause::NotConstant { place, number: KnownNumber::Allocation }.into());
    };
    let Ok(size) = u32::try_from(size) else { return Err(CallCause::AllocationTooLarge { place }.into()) };
    cx.demand(state, reg);
    Ok(size)
}
