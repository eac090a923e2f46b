//! Memory, by what the pointer points into: one room per kind, and here the order of checks.
//!
//! Users meet the first failure, so the order is part of the interface: alignment, then the kind's own rule for reading or
//! writing, then what the value becomes. (`check_mem_access`, Linux 7.3)

mod align;
mod bounds;
mod buffer;
mod ctx;
mod dynptr;
mod map;
mod packet;
mod socket;
pub(crate) mod stack;
pub(crate) mod stack_range;

use bpfvet_domain::{Domain, Width};
use bpfvet_insn::{Reg, Size};

use crate::cx::Cx;
use crate::failure::Check;
use crate::fault::{self, Fault};
use crate::value::{Flags, Pointer, Region};
use crate::violation::{Access, AccessKind, LeakTo, MemoryCause, Place, PolicyCause};
use crate::{ScalarValue, State, Value, typed};

pub(crate) use align::check_alignment;
pub(crate) use bounds::{MAX_VAR_OFF, check_bounds, check_offset};
pub(crate) use buffer::check_buffer;
pub(crate) use map::{check_map_flags, check_map_value};
pub(crate) use packet::check_packet;

/// What is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stored {
    /// A register.
    Reg(Reg),
    /// A sign-extended immediate.
    Imm(i32),
    /// Something that is not tracked (the result of an atomic operation).
    Untracked,
}

/// Where an access goes: the pointer and the bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// The register that holds the pointer.
    pub(crate) base: Reg,
    /// Bytes added to it.
    pub(crate) off: i16,
    /// Bytes accessed.
    pub(crate) size: Size,
    /// Alignment is asked for whatever the machine can do.
    pub(crate) strict: bool,
}

impl Target {
    fn access<D: Domain>(&self, pointer: &Pointer<D>, kind: AccessKind) -> Access {
        Access {
            place: Place::Reg(self.base),
            tag: pointer.tag(),
            off: i64::from(self.off),
            size: i64::from(self.size.bytes()),
            kind,
        }
    }

    fn invalid<T, D: Domain>(&self, value: &Value<D>, kind: AccessKind) -> Check<T> {
        let access = Access {
            place: Place::Reg(self.base),
            tag: value.tag(),
            off: i64::from(self.off),
            size: i64::from(self.size.bytes()),
            kind,
        };
        Err(MemoryCause::InvalidPointer { access }.into())
    }
}

/// Loads into `dst`, or only checks that it could where `dst` is `None`.
pub(crate) fn load<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    to: Target,
    dst: Option<Reg>,
    signed: bool,
) -> Check<()> {
    let base = *state.reg(to.base);
    let Value::Pointer(pointer) = &base else { return to.invalid(&base, AccessKind::Read) };
    let off = i64::from(to.off);
    let size = to.size.bytes();
    check_alignment(cx, pointer, off, size, to.strict)?;
    let access = to.access(pointer, AccessKind::Read);
    if pointer.nullable() && !fault::on(Fault::NullableDereferenced) {
        return to.invalid(&base, AccessKind::Read);
    }
    let loaded = match pointer.region {
        Region::MapKey { map, .. } => {
            let limit = cx.facts.map(map).map_or(0, |def| def.key_size);
            check_bounds(pointer, access, limit, false)?;
            cx.unknown()
        }
        Region::MapValue { map, .. } => map::load(cx, pointer, map, access, to.size, signed, dst.is_some())?,
        Region::Mem { size: limit } => {
            let untrusted = pointer.flags.contains(Flags::RDONLY.union(Flags::UNTRUSTED));
            if untrusted && !cx.facts.may_leak() {
                return Err(MemoryCause::UntrustedMemory { tag: pointer.tag() }.into());
            }
            if !untrusted {
                check_bounds(pointer, access, limit, false)?;
            }
            cx.unknown()
        }
        Region::Ctx => ctx::load(cx, pointer, access, signed)?,
        Region::Stack { frame } => {
            // A fill may bring back anything; narrowing below still applies to numbers.
            match stack::load(cx, state, pointer, usize::from(frame), access, to.size, dst.is_some())? {
                Some(loaded) => loaded,
                None => return Ok(()),
            }
        }
        Region::Packet { .. } | Region::PacketMeta { .. } => {
            check_packet(pointer, access, false)?;
            cx.unknown()
        }
        Region::FlowKeys => {
            ctx::check_flow_keys(pointer, access)?;
            cx.unknown()
        }
        Region::Socket { kind, .. } => {
            socket::check(cx, pointer, kind, access)?;
            cx.unknown()
        }
        Region::TpBuffer => {
            check_buffer(pointer, access.place, off, access.size)?;
            cx.unknown()
        }
        Region::Buf => {
            check_buffer(pointer, access.place, off, access.size)?;
            cx.unknown()
        }
        Region::Btf { btf, id } => typed::load(cx, state, pointer, (btf, id), access)?,
        Region::Map { map, .. } => typed::load_map(cx, pointer, map, access)?,
        Region::Arena => cx.unknown(),
        Region::PacketEnd | Region::Func { .. } | Region::Insn { .. } | Region::Dynptr { .. } => {
            return to.invalid(&base, AccessKind::Read);
        }
    };
    if let Some(dst) = dst {
        state.set(dst, narrowed(loaded, to.size, signed));
    }
    Ok(())
}

/// A loaded value as `size` bytes give it: zero-extended, or sign-extended.
fn narrowed<D: Domain>(value: Value<D>, size: Size, signed: bool) -> Value<D> {
    match value {
        Value::Scalar(scalar) if size != Size::B8 && !fault::on(Fault::FillNotCut) => {
            if signed && !fault::on(Fault::FillForgetsSign) {
                let fits = scalar.num.umax() < 1 << (size.bits() - 1);
                let num = D::sign_extend(size.bytes(), Width::W64, scalar.num);
                Value::Scalar(ScalarValue { num, link: if fits { scalar.link } else { None }, precise: scalar.precise })
            } else {
                Value::Scalar(ScalarValue { num: D::truncate(size.bytes(), scalar.num), ..scalar })
            }
        }
        Value::Scalar(_) | Value::Pointer(_) | Value::Uninit => value,
    }
}

/// Stores.
pub(crate) fn store<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, to: Target, what: Stored) -> Check<()> {
    let base = *state.reg(to.base);
    let Value::Pointer(pointer) = &base else { return to.invalid(&base, AccessKind::Write) };
    let off = i64::from(to.off);
    let size = to.size.bytes();
    check_alignment(cx, pointer, off, size, to.strict)?;
    let access = to.access(pointer, AccessKind::Write);
    if pointer.nullable() && !fault::on(Fault::NullableDereferenced) {
        return to.invalid(&base, AccessKind::Write);
    }
    match pointer.region {
        Region::MapKey { .. } => Err(MemoryCause::KeyWritten { place: access.place }.into()),
        Region::MapValue { map, .. } => {
            check_leak(cx, state, what, LeakTo::Map)?;
            map::check_store(cx, pointer, map, access)
        }
        Region::Mem { size: limit } => {
            if pointer.flags.contains(Flags::RDONLY) {
                return Err(MemoryCause::ReadOnly { place: access.place, tag: pointer.tag() }.into());
            }
            check_leak(cx, state, what, LeakTo::Mem)?;
            check_bounds(pointer, access, limit, false)
        }
        Region::Ctx => {
            check_leak(cx, state, what, LeakTo::Ctx)?;
            ctx::check_store(cx, pointer, access)
        }
        Region::Stack { frame } => stack::store(cx, state, pointer, usize::from(frame), access, to.size, what),
        Region::Packet { .. } | Region::PacketMeta { .. } => {
            if !cx.facts.kind.packet.write {
                return Err(MemoryCause::PacketReadOnly.into());
            }
            check_leak(cx, state, what, LeakTo::Packet)?;
            check_packet(pointer, access, false)
        }
        Region::FlowKeys => {
            check_leak(cx, state, what, LeakTo::FlowKeys)?;
            ctx::check_flow_keys(pointer, access)
        }
        Region::Socket { .. } => Err(MemoryCause::ReadOnly { place: access.place, tag: pointer.tag() }.into()),
        Region::TpBuffer => check_buffer(pointer, access.place, off, access.size),
        Region::Buf => {
            if pointer.flags.contains(Flags::RDONLY) {
                return Err(MemoryCause::ReadOnly { place: access.place, tag: pointer.tag() }.into());
            }
            check_buffer(pointer, access.place, off, access.size)
        }
        Region::Btf { btf, id } => typed::store(cx, pointer, (btf, id), access),
        Region::Map { map, .. } => typed::store_map(cx, pointer, map, access),
        Region::Arena => Ok(()),
        Region::PacketEnd | Region::Func { .. } | Region::Insn { .. } | Region::Dynptr { .. } => {
            to.invalid(&base, AccessKind::Write)
        }
    }
}

fn check_leak<D: Domain>(cx: &Cx<'_, '_, D>, state: &State<D>, what: Stored, to: LeakTo) -> Check<()> {
    match what {
        Stored::Reg(reg) if cx.leaks(state.reg(reg)) => Err(PolicyCause::PointerLeak { reg, to }.into()),
        Stored::Reg(_) | Stored::Imm(_) | Stored::Untracked => Ok(()),
    }
}
