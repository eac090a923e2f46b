//! Objects of the host as arguments: alive, and of the right type.

use alloc::boxed::Box;
use bpfvet_domain::Domain;

use bpfvet_btf::TypeId;
use bpfvet_platform::{KfuncFlags, KfuncProto};

use crate::cx::Cx;
use crate::failure::{Check, Stop, unsupported};
use crate::value::{Base, BtfRef, Flags, Pointer, Region, SocketKind, TypeTag};
use crate::violation::{CallCause, Described, Place};
use crate::{State, Value, typed};

/// Flags of pointers that are known to be alive, where they have no others. (`BPF_REG_TRUSTED_MODIFIERS`)
const TRUSTING: Flags = Flags::ALLOC.union(Flags::TRUSTED).union(Flags::NON_OWNING);

/// What users name a packet by, and what it is to the host. (`btf_is_projection_of`)
const PROJECTIONS: [(&str, &str); 2] = [("__sk_buff", "sk_buff"), ("xdp_md", "xdp_buff")];

/// Structures that pointers of the program's own kinds stand for. (`reg2btf_ids`)
const STAND_FOR: [(Base, &str); 4] =
    [(Base::Socket, "sock"), (Base::SockCommon, "sock_common"), (Base::TcpSock, "tcp_sock"), (Base::Map, "bpf_map")];

/// Whether the value stands for an object of the host.
pub(super) fn is_object<D: Domain>(value: &Value<D>) -> bool {
    let base = value.tag().base;
    base == Base::Btf || STAND_FOR.iter().any(|(stands, _)| *stands == base)
}

/// The kind of pointers that stand for this structure. (`lookup_reg2btf_ids`)
pub(super) fn stands_for<D: Domain>(cx: &Cx<'_, '_, D>, id: u32) -> Check<Option<TypeTag>> {
    for (base, name) in STAND_FOR {
        if typed::named(cx, name)? == id {
            return Ok(Some(TypeTag::of(base)));
        }
    }
    Ok(None)
}

/// A type, for messages.
pub(super) fn described<D: Domain>(cx: &Cx<'_, '_, D>, id: u32) -> Described {
    let ty = cx.facts.platform.btf().and_then(|types| types.type_by_id(TypeId(id)));
    Described { kind: ty.map_or("", |ty| ty.kind().name()).into(), name: ty.map_or("", |ty| ty.name()).into() }
}

/// The object is alive as far as the function asks, and of its type.
pub(super) fn check<D: Domain>(
    cx: &Cx<'_, '_, D>,
    state: &State<D>,
    proto: &KfuncProto,
    value: &Value<D>,
    place: Place,
    needed: u32,
) -> Check<()> {
    let Value::Pointer(pointer) = value else { return Err(Stop::Internal(&"an object that is no pointer")) };
    if !is_trusted(state, pointer) || pointer.flags.without(TRUSTING) != Flags::NONE {
        if !proto.flags.contains(KfuncFlags::RCU) {
            return Err(CallCause::NotTrusted { place, rcu: false }.into());
        }
        if !pointer.flags.contains(Flags::RCU) {
            return Err(CallCause::NotTrusted { place, rcu: true }.into());
        }
    }
    check_type(cx, state, proto, pointer, place, needed)
}

/// (`is_trusted_reg`)
fn is_trusted<D: Domain>(state: &State<D>, pointer: &Pointer<D>) -> bool {
    let plain = pointer.flags.without(TRUSTING) == Flags::NONE;
    let always = pointer.region.base() != Base::Btf;
    state.is_referenced(pointer.object) || (plain && (always || pointer.flags.intersects(TRUSTING)))
}

/// (`process_kf_arg_ptr_to_btf_id`)
fn check_type<D: Domain>(
    cx: &Cx<'_, '_, D>,
    state: &State<D>,
    proto: &KfuncProto,
    pointer: &Pointer<D>,
    place: Place,
    needed: u32,
) -> Check<()> {
    let id = match pointer.region {
        Region::Btf { btf: BtfRef::Host, id } => id,
        Region::Btf { btf: BtfRef::Program, .. } => return unsupported("objects that the program allocated"),
        Region::Socket { kind: SocketKind::Full, .. } => typed::named(cx, "sock")?,
        Region::Socket { kind: SocketKind::Common, .. } => typed::named(cx, "sock_common")?,
        Region::Socket { kind: SocketKind::Tcp, .. } => typed::named(cx, "tcp_sock")?,
        Region::Map { .. } => typed::named(cx, "bpf_map")?,
        Region::Socket { kind: SocketKind::Xdp, .. }
        | Region::Ctx
        | Region::Stack { .. }
        | Region::MapValue { .. }
        | Region::MapKey { .. }
        | Region::Packet { .. }
        | Region::PacketMeta { .. }
        | Region::PacketEnd
        | Region::FlowKeys
        | Region::TpBuffer
        | Region::Mem { .. }
        | Region::Buf
        | Region::Func { .. }
        | Region::Arena
        | Region::Insn { .. }
        | Region::Dynptr { .. } => return Err(Stop::Internal(&"an object of no type")),
    };
    let types = cx.facts.platform.btf().ok_or(Stop::Internal(&"a typed object without types"))?;
    let id = types.resolve(TypeId(id)).map_or(id, |ty| ty.id().0);
    let (expected, actual) = (described(cx, needed), described(cx, id));
    let releases = proto.flags.contains(KfuncFlags::RELEASE) && state.is_referenced(pointer.object);
    let strict = releases || is_nocast_alias(&expected.name, &actual.name);
    let off = pointer.const_off().and_then(|off| u32::try_from(off).ok()).unwrap_or(u32::MAX);
    let projects = PROJECTIONS.iter().any(|(user, host)| expected.name == *user && actual.name == *host);
    if projects || typed::is_or_begins_with(types, id, off, needed, strict) {
        return Ok(());
    }
    let (expected, actual) = (Box::new(expected), Box::new(actual));
    Err(CallCause::KfuncType { kfunc: proto.name.clone(), place, expected, actual }.into())
}

/// Whether two types differ only in that one is not initialised yet. (`btf_type_ids_nocast_alias`)
fn is_nocast_alias(one: &str, other: &str) -> bool {
    one.strip_suffix("___init") == Some(other) || other.strip_suffix("___init") == Some(one)
}
