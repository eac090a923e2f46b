//! The context, and the flow keys it can lead to.

use bpfvet_domain::Domain;
use bpfvet_platform::{CtxKind, CtxValue, ProgramType};

use crate::cx::Cx;
use crate::failure::{Check, unsupported};
use crate::value::{BtfRef, Flags, Pointer, Region, SocketKind};
use crate::violation::{Access, MemoryCause};
use crate::{Value, typed};

use super::{check_bounds, check_offset};

/// Bytes of `struct bpf_flow_keys`.
const FLOW_KEYS: i64 = 56;

/// What a load yields. (`check_ctx_access`)
pub(super) fn load<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    pointer: &Pointer<D>,
    access: Access,
    signed: bool,
) -> Check<Value<D>> {
    let facts = cx.facts;
    match &facts.kind.ctx {
        CtxKind::Buffer { size } => {
            check_bounds(pointer, access, *size, false)?;
            Ok(cx.unknown())
        }
        CtxKind::BtfArgs => {
            check_offset(pointer, access.place, facts.kind.ctx_fixed_offset)?;
            typed::load_argument(cx, pointer.const_off().unwrap_or(0).saturating_add(access.off), access)
        }
        CtxKind::Layout(layout) => {
            check_offset(pointer, access.place, facts.kind.ctx_fixed_offset)?;
            let off = pointer.const_off().unwrap_or(0).saturating_add(access.off);
            let size = u32::try_from(access.size).unwrap_or(u32::MAX);
            let field =
                layout.load(facts.request, off, size, signed).map_err(|_| MemoryCause::Context { off, size })?;
            yielded(cx, field.value)
        }
    }
}

/// Whether a store is allowed.
pub(super) fn check_store<D: Domain>(cx: &Cx<'_, '_, D>, pointer: &Pointer<D>, access: Access) -> Check<()> {
    let facts = cx.facts;
    match &facts.kind.ctx {
        CtxKind::Buffer { size } => check_bounds(pointer, access, *size, false),
        CtxKind::BtfArgs => {
            let off = pointer.const_off().unwrap_or(0).saturating_add(access.off);
            let size = u32::try_from(access.size).unwrap_or(u32::MAX);
            check_offset(pointer, access.place, facts.kind.ctx_fixed_offset)?;
            if facts.request.program_type != ProgramType::TRACING {
                return unsupported("stores to the arguments of a hook or an operation");
            }
            Err(MemoryCause::Context { off, size }.into())
        }
        CtxKind::Layout(layout) => {
            check_offset(pointer, access.place, facts.kind.ctx_fixed_offset)?;
            let off = pointer.const_off().unwrap_or(0).saturating_add(access.off);
            let size = u32::try_from(access.size).unwrap_or(u32::MAX);
            match layout.access(facts.request, off, size, true) {
                Ok(_) => Ok(()),
                Err(_) => Err(MemoryCause::Context { off, size }.into()),
            }
        }
    }
}

/// The value that a context field holds.
fn yielded<D: Domain>(cx: &mut Cx<'_, '_, D>, value: CtxValue) -> Check<Value<D>> {
    let (region, nullable) = match value {
        CtxValue::Scalar => return Ok(cx.unknown()),
        CtxValue::PacketData => (Region::Packet { group: None, range: 0 }, false),
        CtxValue::PacketMeta => (Region::PacketMeta { group: None, range: 0 }, false),
        CtxValue::PacketEnd => (Region::PacketEnd, false),
        CtxValue::FlowKeys => (Region::FlowKeys, false),
        CtxValue::Socket { nullable } => (Region::socket(SocketKind::Full), nullable),
        CtxValue::SockCommon { nullable } => (Region::socket(SocketKind::Common), nullable),
        CtxValue::XdpSocket { nullable } => (Region::socket(SocketKind::Xdp), nullable),
        CtxValue::TpBuffer => (Region::TpBuffer, false),
        CtxValue::Struct { name, trusted: _, nullable } => {
            (Region::Btf { btf: BtfRef::Host, id: typed::named(cx, name)? }, nullable)
        }
    };
    let mut pointer = Pointer::to(region);
    if matches!(value, CtxValue::Struct { trusted: true, .. }) {
        pointer.flags = Flags::TRUSTED;
    }
    if nullable {
        pointer.flags = pointer.flags.union(Flags::NULLABLE);
        pointer.object = Some(cx.new_object());
    }
    Ok(Value::Pointer(pointer))
}

/// Whether an access lies in the flow keys. (`check_flow_keys_access`)
pub(super) fn check_flow_keys<D: Domain>(pointer: &Pointer<D>, access: Access) -> Check<()> {
    let Some(offset) = pointer.const_off() else {
        return Err(
            MemoryCause::FlowKeysVariable { place: access.place, off: access.off, offset: pointer.off.bits() }.into()
        );
    };
    let off = access.off.saturating_add(offset);
    if off < 0 || off.saturating_add(access.size) > FLOW_KEYS {
        return Err(MemoryCause::FlowKeys { off, size: u32::try_from(access.size).unwrap_or(u32::MAX) }.into());
    }
    Ok(())
}
