//! What a call returns, and who owns it.

use bpfvet_btf::{Shape, TypeId};
use bpfvet_domain::Domain;
use bpfvet_platform::{KfuncFlags, KfuncProto, KfuncRet, KfuncSpecial};

use super::args::Found;
use super::not_modelled;
use super::slots::yields_protected;
use crate::cx::Cx;
use crate::failure::{Check, Stop};
use crate::state::{Reference, ReferenceKind};
use crate::value::{BtfRef, Flags, Pointer, Region};
use crate::violation::{CallCause, DynptrCause};
use crate::{State, Value};

/// The result of a call whose arguments were checked.
pub(super) fn result<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    proto: &KfuncProto,
    found: &Found,
) -> Check<Value<D>> {
    let pointer = match (proto.special, proto.ret) {
        (KfuncSpecial::ReadOnlyCast, _) => cast(cx, found)?,
        (KfuncSpecial::KernelCtx { id }, _) => Pointer::to(Region::Btf { btf: BtfRef::Host, id }).with(Flags::TRUSTED),
        (KfuncSpecial::DynptrSlice { writable }, _) => slice(cx, found, writable)?,
        (_, KfuncRet::Void) => return Ok(Value::Uninit),
        (_, KfuncRet::Scalar) => return Ok(cx.unknown()),
        (_, KfuncRet::Struct { id }) => object(proto, id, yields_protected(state, found)),
        (_, KfuncRet::Mem { size }) => memory(proto, size, found)?,
        (_, KfuncRet::NotModelled(what)) => return not_modelled(proto, what),
    };
    let mut pointer = pointer;
    if proto.flags.contains(KfuncFlags::RET_NULL) {
        pointer.flags = pointer.flags.union(Flags::NULLABLE);
        pointer.object = Some(cx.new_object());
    }
    if proto.flags.contains(KfuncFlags::ACQUIRE) {
        if !matches!(pointer.region, Region::Btf { .. }) {
            return not_modelled(proto, "a reference to something that is no object");
        }
        let object = cx.new_object();
        state.refs.push(Reference { id: Some(object.0), at: cx.at, kind: ReferenceKind::Object { parent: None } });
        pointer.object = Some(object);
    }
    Ok(Value::Pointer(pointer))
}

/// An object of the host: alive, unless the function promises less.
fn object<D: Domain>(proto: &KfuncProto, id: u32, protected: bool) -> Pointer<D> {
    let flags = if proto.special == KfuncSpecial::UntrustedResult {
        Flags::UNTRUSTED
    } else if protected || proto.flags.contains(KfuncFlags::RCU_PROTECTED) {
        Flags::RCU
    } else {
        Flags::TRUSTED
    };
    Pointer::to(Region::Btf { btf: BtfRef::Host, id }).with(flags)
}

/// Bytes that a dynamic pointer lies over, which die with it. (`check_special_kfunc`)
fn slice<D: Domain>(cx: &Cx<'_, '_, D>, found: &Found, writable: bool) -> Check<Pointer<D>> {
    let size = found.constant.ok_or(Stop::Internal(&"a part of a dynamic pointer of no known size"))?;
    let dynptr = found.dynptr.ok_or(Stop::Internal(&"a part of no dynamic pointer"))?;
    if writable && !cx.facts.kind.packet.write {
        return Err(DynptrCause::PartNotWritable.into());
    }
    // The kernel keeps the low half; a part that is larger is never there.
    #[expect(clippy::cast_possible_truncation, reason = "what is cut off is smaller than what is there")]
    let size = size as u32;
    let of_packet = if dynptr.kind.in_packet() { Flags::PACKET_SLICE } else { Flags::SLICE };
    let flags = if writable { of_packet } else { of_packet.union(Flags::RDONLY) };
    Ok(Pointer { parent: Some(dynptr.object), ..Pointer::to(Region::Mem { size }).with(flags) })
}

/// Memory, which dies with the object that it was taken from.
fn memory<D: Domain>(proto: &KfuncProto, size: Option<u32>, found: &Found) -> Check<Pointer<D>> {
    let (size, read_only) = match (found.returned, size) {
        (Some(returned), _) => returned,
        (None, Some(size)) => (size, true),
        (None, None) => return not_modelled(proto, "memory of a size that nobody says"),
    };
    if found.many_owned {
        return not_modelled(proto, "memory that belongs to one of several objects");
    }
    let mut flags = if read_only { Flags::RDONLY } else { Flags::NONE };
    if proto.flags.contains(KfuncFlags::RCU_PROTECTED) {
        flags = flags.union(Flags::RCU);
    }
    Ok(Pointer { parent: found.owned, ..Pointer::to(Region::Mem { size }).with(flags) })
}

/// The first argument as an object of the type that the second names; nothing is known of it. (`bpf_rdonly_cast`)
fn cast<D: Domain>(cx: &Cx<'_, '_, D>, found: &Found) -> Check<Pointer<D>> {
    let number = found.constant.ok_or(Stop::Internal(&"a cast to a type that is not known"))?;
    let types = cx.facts.platform.btf().ok_or(Stop::Internal(&"a cast without types"))?;
    let id = u32::try_from(number).ok().map(TypeId);
    let Some(ty) = id.and_then(|id| types.type_by_id(id)) else {
        return Err(CallCause::CastToUnknown { id: number }.into());
    };
    if ty.as_composite().is_some() {
        return Ok(Pointer::to(Region::Btf { btf: BtfRef::Host, id: ty.id().0 }).with(Flags::UNTRUSTED));
    }
    if matches!(ty.shape(), Shape::Void) {
        return Ok(Pointer::to(Region::Mem { size: 0 }).with(Flags::RDONLY.union(Flags::UNTRUSTED)));
    }
    Err(CallCause::CastToNoStruct.into())
}
