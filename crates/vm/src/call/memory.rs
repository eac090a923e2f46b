//! Memory that is given to a call: is it there, may it be read, may it be written?

use bpfvet_domain::Domain;
use bpfvet_insn::Reg;
use bpfvet_platform::CtxKind;

use super::args::CheckedArgs;
use crate::cx::Cx;
use crate::failure::Check;
use crate::region::stack_range::{StackRange, check_range};
use crate::region::{MAX_VAR_OFF, check_bounds, check_buffer, check_map_flags, check_map_value, check_packet};
use crate::value::{Base, Flags, Region, TypeTag};
use crate::violation::{Access, AccessKind, CallCause, MemoryCause, Place};
use crate::{State, Value, typed};

/// What is asked of memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    /// The argument.
    pub(super) place: Place,
    /// Bytes.
    pub(super) size: i64,
    /// What is done with them.
    pub(super) kind: AccessKind,
    /// No byte at all will do.
    pub(super) zero_ok: bool,
    /// The call writes them all.
    pub(super) raw: bool,
    /// Stack bytes that no instruction reads any more will do, since the callee was seen not to read them.
    pub(super) any_byte: bool,
}

/// What the effects of the call still have to do to the memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub(super) enum Memory {
    /// Nothing.
    Ready,
    /// It is stack that the call writes whole.
    Raw,
}

impl Memory {
    /// Remembers what is to be written.
    pub(super) fn record(self, reg: Reg, size: i64, found: &mut CheckedArgs) {
        match self {
            Self::Ready => {}
            Self::Raw => found.raw = Some((reg, u32::try_from(size).unwrap_or(u32::MAX))),
        }
    }
}

/// The highest size that a size argument allows. (`check_mem_size_reg`)
pub(super) fn check_size<D: Domain>(size: &D, place: Place, zero_ok: bool) -> Check<i64> {
    if size.smin() < 0 {
        return Err(CallCause::SizeNegative { place }.into());
    }
    if size.umin() == 0 && !zero_ok {
        return Err(CallCause::SizeZero { place, umin: size.umin(), umax: size.umax() }.into());
    }
    match i64::try_from(size.umax()) {
        Ok(bytes) if bytes < MAX_VAR_OFF => Ok(bytes),
        Ok(_) | Err(_) => Err(CallCause::SizeUnbounded { place }.into()),
    }
}

/// Whether a call may be given this memory. (`check_helper_mem_access`)
pub(super) fn check<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    value: &Value<D>,
    ask: Ask,
) -> Check<Memory> {
    let Ask { place, size, kind, zero_ok, raw, any_byte } = ask;
    let Value::Pointer(pointer) = value else {
        return if zero_ok && size == 0 && value.is_null() {
            Ok(Memory::Ready)
        } else {
            wrong_kind(value.tag(), place)
        };
    };
    let access = Access { place, tag: pointer.tag(), off: 0, size, kind };
    let read_only = || match kind {
        AccessKind::Read => Ok(()),
        AccessKind::Write => Err(MemoryCause::ReadOnly { place, tag: pointer.tag() }),
    };
    match pointer.region {
        Region::Packet { .. } | Region::PacketMeta { .. } => check_packet(pointer, access, zero_ok)?,
        Region::MapKey { map, .. } => {
            read_only()?;
            let limit = cx.facts.map(map).map_or(0, |def| def.key_size);
            check_bounds(pointer, access, limit, false)?;
        }
        Region::MapValue { .. } => {
            check_map_flags(cx, pointer, 0, size, kind)?;
            check_map_value(cx, pointer, access, zero_ok, true)?;
        }
        Region::Mem { size: limit } => {
            if pointer.flags.contains(Flags::RDONLY) {
                read_only()?;
            }
            check_bounds(pointer, access, limit, zero_ok)?;
        }
        Region::Buf => {
            if pointer.flags.contains(Flags::RDONLY) {
                read_only()?;
            }
            check_buffer(pointer, place, 0, size)?;
        }
        Region::Stack { .. } => {
            return match check_range(cx, state, pointer, place, 0, size, zero_ok, kind, raw, any_byte)? {
                StackRange::Checked => Ok(Memory::Ready),
                StackRange::Raw => Ok(Memory::Raw),
            };
        }
        Region::Btf { btf, id } => typed::check_access(cx, pointer, (btf, id), access)?,
        Region::Ctx => match &cx.facts.kind.ctx {
            CtxKind::Buffer { size: limit } => check_bounds(pointer, access, *limit, zero_ok)?,
            CtxKind::Layout(_) | CtxKind::BtfArgs => return wrong_kind(value.tag(), place),
        },
        Region::Map { .. }
        | Region::PacketEnd
        | Region::FlowKeys
        | Region::Socket { .. }
        | Region::TpBuffer
        | Region::Func { .. }
        | Region::Arena
        | Region::Insn { .. }
        | Region::Dynptr { .. } => return wrong_kind(value.tag(), place),
    }
    Ok(Memory::Ready)
}

/// Whether a call may be given this memory, of so many bytes, both to read and to write.
pub(super) fn check_both_ways<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    value: &Value<D>,
    place: Place,
    size: i64,
    any_byte: bool,
) -> Check<()> {
    for kind in [AccessKind::Read, AccessKind::Write] {
        let ask = Ask { place, size, kind, zero_ok: true, raw: false, any_byte };
        let _ = check(cx, state, value, ask)?;
    }
    Ok(())
}

/// Memory of the size that the callee's parameter has, to be read and written; or null. (`check_mem_reg`)
pub(super) fn check_fixed<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    value: &Value<D>,
    place: Place,
    size: u32,
    any_byte: bool,
) -> Check<()> {
    if value.is_null() {
        cx.demand_at(state, place);
        return Ok(());
    }
    if i32::try_from(size).is_err() {
        return Err(CallCause::MemoryTooLarge { place, size }.into());
    }
    check_both_ways(cx, state, value, place, i64::from(size), any_byte)
}

fn wrong_kind<T>(actual: TypeTag, place: Place) -> Check<T> {
    let expected = alloc::vec![TypeTag::of(Base::Stack)];
    Err(CallCause::ArgumentKind { place, actual, expected }.into())
}
