//! What a helper returns, and who owns it.

use bpfvet_domain::Domain;
use bpfvet_insn::Reg;
use bpfvet_platform::{FieldKind, HelperSpecial, LookupResult, MapDef, RetKind, RetRange};

use super::args::{CheckedArgs, NamedMap};
use super::helper::Helper;
use super::{after, map_args};
use crate::cx::Cx;
use crate::effects::{Fork, ForkKind};
use crate::failure::{Check, Stop, unsupported};
use crate::fault::{self, Fault};
use crate::state::{Reference, ReferenceKind};
use crate::value::{BtfRef, Flags, MapRef, Pointer, Region, SocketKind};
use crate::{State, Value, typed};

/// Lowest result of a helper that returns an error or a length (`-MAX_ERRNO`).
const LOWEST_ERROR: i64 = -4095;

/// The result, owned by nobody yet.
pub(super) fn result<D: Domain>(cx: &mut Cx<'_, '_, D>, helper: Helper<'_>, args: &CheckedArgs) -> Check<Value<D>> {
    let ret = helper.proto.ret;
    let region = match ret.kind {
        RetKind::Integer => return Ok(cx.scalar(number(ret.range, args))),
        RetKind::Void => return Ok(Value::Uninit),
        RetKind::MapValue => return map_value(cx, helper, args),
        RetKind::Socket => Region::socket(SocketKind::Full),
        RetKind::SockCommon => Region::socket(SocketKind::Common),
        RetKind::TcpSock => Region::socket(SocketKind::Tcp),
        RetKind::RingbufMem => {
            Region::Mem { size: args.allocation.ok_or(Stop::Internal(&"memory of a size that nobody gave"))? }
        }
        RetKind::DynptrMem => return part_of_dynptr(cx, args, ret.nullable),
        RetKind::MemOrStruct => return percpu(cx, args, ret.nullable),
        RetKind::Struct { name, .. } => Region::Btf { btf: BtfRef::Host, id: typed::named(cx, name)? },
    };
    let flags = match ret.kind {
        RetKind::RingbufMem => Flags::RINGBUF,
        RetKind::Struct { trusted: true, .. } => Flags::TRUSTED,
        RetKind::Integer
        | RetKind::Void
        | RetKind::MapValue
        | RetKind::Socket
        | RetKind::TcpSock
        | RetKind::SockCommon
        | RetKind::DynptrMem
        | RetKind::MemOrStruct
        | RetKind::Struct { trusted: false, .. } => Flags::NONE,
    };
    Ok(pointer(cx, region, flags, ret.nullable))
}

/// Bytes that a dynamic pointer lies over, which die with it.
fn part_of_dynptr<D: Domain>(cx: &mut Cx<'_, '_, D>, args: &CheckedArgs, nullable: bool) -> Check<Value<D>> {
    let size = args.allocation.ok_or(Stop::Internal(&"memory of a size that nobody gave"))?;
    let dynptr = args.dynptr.ok_or(Stop::Internal(&"a part of no dynamic pointer"))?;
    let mut part = pointer(cx, Region::Mem { size }, Flags::NONE, nullable);
    if let Value::Pointer(pointer) = &mut part {
        pointer.parent = Some(dynptr.object);
    }
    Ok(part)
}

/// A pointer to the start of something; one that may be null has an identity.
fn pointer<D: Domain>(cx: &mut Cx<'_, '_, D>, region: Region, flags: Flags, nullable: bool) -> Value<D> {
    let mut pointer = Pointer::to(region).with(flags);
    if nullable {
        pointer.flags = pointer.flags.union(Flags::NULLABLE);
        pointer.object = Some(cx.new_object());
    }
    Value::Pointer(pointer)
}

/// What is known of a number. (`do_refine_retval_range`)
fn number<D: Domain>(range: RetRange, args: &CheckedArgs) -> D {
    match range {
        RetRange::Unknown => D::unknown(),
        RetRange::ErrorOrSizeOf { arg: _ } => {
            let narrower = i64::from(fault::on(Fault::ResultTooNarrow));
            D::between(LOWEST_ERROR, args.size_max.cast_signed().saturating_sub(narrower))
        }
        RetRange::Between { min, max } => D::between(min, max),
    }
}

/// What the map holds for the key: a value, or what this kind of map has instead. (`refine_map_lookup_value`)
fn map_value<D: Domain>(cx: &mut Cx<'_, '_, D>, helper: Helper<'_>, args: &CheckedArgs) -> Check<Value<D>> {
    let NamedMap { map, uid } = args.map.ok_or(Stop::Internal(&"a map value without a map"))?;
    let def = map_args::definition(cx, map)?;
    let looks_up = helper.proto.special == HelperSpecial::MapLookup;
    let present = looks_up
        && map_args::key_rules_out_null(cx, def)
        && args.key.is_some_and(|key| key < u64::from(def.max_entries));
    let nullable = helper.proto.ret.nullable && !present;
    let object = (nullable || has_lock(def)).then(|| cx.new_object());
    let region = if def.inner.is_some() {
        let inner = map.inner.checked_add(1).ok_or(Stop::Internal(&"maps nested too deep"))?;
        let uid = object.map_or(0, |object| object.get());
        Region::Map { map: MapRef { index: map.index, inner }, uid }
    } else {
        match cx.facts.platform.map_kind(def.kind).map(|info| info.lookup) {
            Some(LookupResult::Value) => Region::MapValue { map, uid },
            Some(LookupResult::Socket) => Region::Socket { kind: SocketKind::Full, map: Some(map) },
            Some(LookupResult::XdpSocket) => Region::Socket { kind: SocketKind::Xdp, map: Some(map) },
            Some(LookupResult::Map) => return unsupported("a map of maps whose template is not known"),
            None => return unsupported("a kind of map that the platform does not know"),
        }
    };
    let flags = if nullable { Flags::NULLABLE } else { Flags::NONE };
    Ok(Value::Pointer(Pointer { object, ..Pointer::to(region).with(flags) }))
}

/// Values that hold a lock are told apart.
fn has_lock(map: &MapDef) -> bool {
    map.field(FieldKind::SpinLock).is_some() || map.field(FieldKind::ResSpinLock).is_some()
}

/// This processor's, or another's, copy of a per-CPU variable.
fn percpu<D: Domain>(cx: &mut Cx<'_, '_, D>, args: &CheckedArgs, nullable: bool) -> Check<Value<D>> {
    let Some((BtfRef::Host, id)) = args.percpu else { return unsupported("per-CPU objects of the program") };
    let (region, flags) = match typed::size_unless_struct(cx, id)? {
        None => (Region::Btf { btf: BtfRef::Host, id }, Flags::NONE),
        Some(size) => (Region::Mem { size }, Flags::RDONLY),
    };
    Ok(pointer(cx, region, flags, nullable))
}

/// Settles who owns the result: it shares the reference of the argument it was made from, is a new one, or is nobody's.
pub(super) fn own<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    helper: Helper<'_>,
    args: &CheckedArgs,
) -> Check<()> {
    let effects = helper.proto.effects;
    let Value::Pointer(mut pointer) = *state.reg(Reg::R0) else { return Ok(()) };
    if effects.casts_socket && state.is_referenced(args.owned) {
        // The identity is the argument's, and cannot tell whether the cast failed: failure is a path of its own.
        let mut failed = state.clone();
        failed.set(Reg::R0, cx.scalar(D::constant(0)));
        cx.fx.forks.push(Fork { state: failed, at: after(cx), kind: ForkKind::Branch });
        pointer.flags = pointer.flags.without(Flags::NULLABLE);
        pointer.object = args.owned;
    } else if effects.acquires || looks_up_sockets(cx, helper, args) {
        let object = cx.new_object();
        state.refs.push(Reference { id: Some(object.0), at: cx.at, kind: ReferenceKind::Object { parent: None } });
        pointer.object = Some(object);
    }
    state.set(Reg::R0, Value::Pointer(pointer));
    Ok(())
}

/// Sockets that are looked up in a map are referenced. (`is_acquire_function`)
fn looks_up_sockets<D: Domain>(cx: &Cx<'_, '_, D>, helper: Helper<'_>, args: &CheckedArgs) -> bool {
    let kind = map_args::named(cx, args).map(|map| map.kind);
    helper.proto.special == HelperSpecial::MapLookup
        && kind
            .is_ok_and(|kind| cx.facts.platform.map_kind(kind).is_some_and(|info| info.lookup == LookupResult::Socket))
}
