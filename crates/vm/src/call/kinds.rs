//! What kinds of values an argument takes, and how far from its object a pointer may be passed.

use bpfvet_domain::Domain;
use bpfvet_platform::{ArgKind, CtxKind, MemDir};

use crate::cx::Cx;
use crate::failure::{Check, Stop, unsupported};
use crate::region::check_offset;
use crate::value::{Base, BtfRef, Flags, Pointer, Region, TypeTag};
use crate::violation::{CallCause, MemoryCause, Place};
use crate::{Value, typed};

const fn flagged(base: Base, flags: Flags) -> TypeTag {
    TypeTag::with(base, flags)
}

const BTF_PLAIN: TypeTag = TypeTag::of(Base::Btf);
const BTF_TRUSTED: TypeTag = flagged(Base::Btf, Flags::TRUSTED);
const BTF_RCU: TypeTag = flagged(Base::Btf, Flags::RCU);
const BTF_ALLOC: TypeTag = flagged(Base::Btf, Flags::ALLOC);
const BTF_NON_OWNING: TypeTag = flagged(Base::Btf, Flags::ALLOC.union(Flags::NON_OWNING));
const BTF_NON_OWNING_RCU: TypeTag = flagged(Base::Btf, Flags::ALLOC.union(Flags::NON_OWNING).union(Flags::RCU));
const RECORD: TypeTag = flagged(Base::Mem, Flags::RINGBUF);

static SCALAR: &[TypeTag] = &[TypeTag::of(Base::Scalar)];
static CTX: &[TypeTag] = &[TypeTag::of(Base::Ctx)];
static MAP: &[TypeTag] = &[TypeTag::of(Base::Map)];
static MAP_VALUE: &[TypeTag] = &[TypeTag::of(Base::MapValue)];
static STACK: &[TypeTag] = &[TypeTag::of(Base::Stack)];
static FUNC: &[TypeTag] = &[TypeTag::of(Base::Func)];
static SOCKET: &[TypeTag] = &[TypeTag::of(Base::Socket)];
static RINGBUF_RECORD: &[TypeTag] = &[RECORD];
static SOCKETS: &[TypeTag] =
    &[TypeTag::of(Base::SockCommon), TypeTag::of(Base::Socket), TypeTag::of(Base::TcpSock), TypeTag::of(Base::XdpSock)];
static SOCKETS_OR_BTF: &[TypeTag] = &[
    TypeTag::of(Base::SockCommon),
    TypeTag::of(Base::Socket),
    TypeTag::of(Base::TcpSock),
    TypeTag::of(Base::XdpSock),
    BTF_PLAIN,
    BTF_TRUSTED,
];
static MEMORY: &[TypeTag] = &[
    TypeTag::of(Base::Stack),
    TypeTag::of(Base::Packet),
    TypeTag::of(Base::PacketMeta),
    TypeTag::of(Base::MapKey),
    TypeTag::of(Base::MapValue),
    TypeTag::of(Base::Mem),
    RECORD,
    TypeTag::of(Base::Buf),
    BTF_TRUSTED,
    TypeTag::of(Base::Ctx),
];
/// The memory that may hold keys and values where not all may.
static KEYS: &[TypeTag] = &[
    TypeTag::of(Base::Stack),
    TypeTag::of(Base::Packet),
    TypeTag::of(Base::PacketMeta),
    TypeTag::of(Base::MapKey),
    TypeTag::of(Base::MapValue),
];
static LOCK: &[TypeTag] = &[TypeTag::of(Base::MapValue), BTF_ALLOC];
static STRUCT: &[TypeTag] = &[BTF_PLAIN, BTF_TRUSTED, BTF_RCU];
static PERCPU: &[TypeTag] = &[
    flagged(Base::Btf, Flags::PERCPU),
    flagged(Base::Btf, Flags::PERCPU.union(Flags::RCU)),
    flagged(Base::Btf, Flags::PERCPU.union(Flags::TRUSTED)),
];
static KPTR_DEST: &[TypeTag] = &[TypeTag::of(Base::MapValue), BTF_ALLOC, BTF_NON_OWNING, BTF_NON_OWNING_RCU];
static DYNPTR: &[TypeTag] = &[TypeTag::of(Base::Stack), TypeTag::of(Base::Dynptr)];

/// The kinds of values that an argument takes. (`compatible_reg_types`)
fn accepted(kind: ArgKind) -> Check<&'static [TypeTag]> {
    Ok(match kind {
        ArgKind::MapKey | ArgKind::MapValue { .. } | ArgKind::Mem { .. } => MEMORY,
        ArgKind::Scalar
        | ArgKind::ScalarIn { .. }
        | ArgKind::MemSize
        | ArgKind::MemSizeOrZero
        | ArgKind::MemSizeOrZeroWith(_)
        | ArgKind::AllocSizeOrZero => SCALAR,
        ArgKind::ConstMap => MAP,
        ArgKind::Ctx => CTX,
        ArgKind::SpinLock => LOCK,
        ArgKind::Timer | ArgKind::ConstStr => MAP_VALUE,
        ArgKind::SockCommon => SOCKETS,
        ArgKind::Socket => SOCKET,
        ArgKind::BtfSockCommon => SOCKETS_OR_BTF,
        ArgKind::Struct(_) => STRUCT,
        ArgKind::PercpuStruct => PERCPU,
        ArgKind::RingbufMem => RINGBUF_RECORD,
        ArgKind::Func => FUNC,
        ArgKind::Stack => STACK,
        ArgKind::KptrXchgDest => KPTR_DEST,
        ArgKind::Dynptr(_) => DYNPTR,
        ArgKind::Arena => return unsupported("helpers that take arena pointers"),
        ArgKind::Unused | ArgKind::Anything => return Err(Stop::Internal(&"the kind of an argument that has none")),
    })
}

/// What an argument asks of its value's kind.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) kind: ArgKind,
    pub(super) nullable: bool,
    pub(super) release: bool,
    /// The structure, by its id in the host's BTF, where one is asked for by id rather than by name.
    pub(super) structure: Option<u32>,
    /// The type of the object must be that one, not begin with it.
    pub(super) strict: bool,
    /// Who asks.
    pub(super) helper: &'a str,
}

/// The value is of a kind that the argument takes. (`check_reg_type`)
pub(super) fn check_kind<D: Domain>(
    cx: &Cx<'_, '_, D>,
    value: &Value<D>,
    place: Place,
    wanted: Wanted<'_>,
) -> Check<()> {
    let in_map = matches!(wanted.kind, ArgKind::MapKey | ArgKind::MapValue { .. });
    let expected = if in_map && !cx.facts.features.memory_as_keys() { KEYS } else { accepted(wanted.kind)? };
    let actual = value.tag();
    let reads = matches!(wanted.kind, ArgKind::Mem { dir: MemDir::Read, .. });
    let mut folded = actual.flags;
    if reads {
        folded = folded.without(Flags::RDONLY);
    }
    if wanted.nullable {
        folded = folded.without(Flags::NULLABLE);
    }
    if matches!(wanted.kind, ArgKind::Mem { .. }) {
        folded = folded.without(Flags::PACKET_SLICE.union(Flags::SLICE));
    }
    if !expected.contains(&TypeTag::with(actual.base, folded)) {
        return Err(CallCause::ArgumentKind { place, actual, expected: expected.to_vec() }.into());
    }
    let Value::Pointer(pointer) = value else { return Ok(()) };
    let Region::Btf { btf, id } = pointer.region else { return Ok(()) };
    match wanted.kind {
        ArgKind::Mem { .. } | ArgKind::MapKey | ArgKind::MapValue { .. } => {
            if reads {
                Ok(())
            } else {
                Err(CallCause::MayWrite { helper: wanted.helper.into(), place, tag: actual }.into())
            }
        }
        ArgKind::PercpuStruct => Ok(()),
        ArgKind::Struct(_) | ArgKind::BtfSockCommon => check_object(cx, pointer, (btf, id), place, wanted),
        ArgKind::SpinLock | ArgKind::KptrXchgDest => unsupported("objects that the program allocated"),
        ArgKind::Unused
        | ArgKind::Anything
        | ArgKind::Scalar
        | ArgKind::ScalarIn { .. }
        | ArgKind::ConstMap
        | ArgKind::MemSize
        | ArgKind::MemSizeOrZero
        | ArgKind::MemSizeOrZeroWith(_)
        | ArgKind::AllocSizeOrZero
        | ArgKind::Ctx
        | ArgKind::Timer
        | ArgKind::SockCommon
        | ArgKind::Socket
        | ArgKind::RingbufMem
        | ArgKind::Func
        | ArgKind::Stack
        | ArgKind::ConstStr
        | ArgKind::Dynptr(_)
        | ArgKind::Arena => Err(Stop::Internal(&"a typed object where none is taken")),
    }
}

/// A typed object is of the type that is asked for, or begins with it.
fn check_object<D: Domain>(
    cx: &Cx<'_, '_, D>,
    pointer: &Pointer<D>,
    (btf, id): (BtfRef, u32),
    place: Place,
    wanted: Wanted<'_>,
) -> Check<()> {
    if pointer.nullable() && (!wanted.nullable || wanted.release) {
        return Err(CallCause::PossiblyNull { place }.into());
    }
    let needed = match (wanted.structure, wanted.kind) {
        (Some(id), _) => id,
        (None, ArgKind::BtfSockCommon) => typed::named(cx, "sock_common")?,
        (None, ArgKind::Struct(name)) => typed::named(cx, name)?,
        (None, _) => return Err(Stop::Internal(&"a typed object where none is taken")),
    };
    check_offset(pointer, place, true)?;
    let off = pointer.const_off().unwrap_or(0);
    let types = cx.facts.platform.btf().ok_or(Stop::Internal(&"a typed object without types"))?;
    let off = u32::try_from(off).unwrap_or(u32::MAX);
    if btf == BtfRef::Host && typed::is_or_begins_with(types, id, off, needed, wanted.strict) {
        return Ok(());
    }
    let actual = typed::name_of(cx, btf, id);
    let expected = typed::name_of(cx, BtfRef::Host, needed);
    Err(CallCause::ArgumentType { place, actual, expected }.into())
}

/// The pointer is no further from its object than its kind and the argument allow. (`check_func_arg_reg_off`)
pub(super) fn check_arg_offset<D: Domain>(
    cx: &Cx<'_, '_, D>,
    value: &Value<D>,
    place: Place,
    kind: ArgKind,
    release: bool,
) -> Check<()> {
    let pointer = match value {
        Value::Pointer(pointer) => pointer,
        Value::Scalar(scalar) => {
            let zero = scalar.is_zero();
            return if release && !zero { Err(CallCause::ReleaseOffset { place }.into()) } else { Ok(()) };
        }
        Value::Uninit => {
            let offset = bpfvet_domain::Tnum::unknown();
            return Err(MemoryCause::VariableOffset { place, tag: value.tag(), offset }.into());
        }
    };
    let dynptr_on_stack = matches!(kind, ArgKind::Dynptr(_)) && value.tag() == TypeTag::of(Base::Stack);
    if release && !dynptr_on_stack && pointer.const_off() != Some(0) {
        return Err(CallCause::ReleaseOffset { place }.into());
    }
    let flags = pointer.flags;
    match pointer.region {
        Region::Stack { .. }
        | Region::Packet { .. }
        | Region::PacketMeta { .. }
        | Region::MapKey { .. }
        | Region::MapValue { .. }
        | Region::Arena
            if flags == Flags::NONE =>
        {
            Ok(())
        }
        Region::Mem { .. } if [Flags::NONE, Flags::RDONLY, Flags::RINGBUF].contains(&flags) => Ok(()),
        Region::Buf if [Flags::NONE, Flags::RDONLY].contains(&flags) => Ok(()),
        Region::Btf { .. } => {
            let tag = TypeTag::with(Base::Btf, flags);
            let fixed_ok = STRUCT.contains(&tag) || [BTF_ALLOC, BTF_NON_OWNING, BTF_NON_OWNING_RCU].contains(&tag);
            check_offset(pointer, place, fixed_ok)
        }
        // As memory, a context that the caller provides may be addressed anywhere; as the context, it is passed whole.
        Region::Ctx if !matches!(kind, ArgKind::Ctx) && matches!(cx.facts.kind.ctx, CtxKind::Buffer { .. }) => Ok(()),
        Region::Ctx
        | Region::Stack { .. }
        | Region::Map { .. }
        | Region::MapValue { .. }
        | Region::MapKey { .. }
        | Region::Packet { .. }
        | Region::PacketMeta { .. }
        | Region::PacketEnd
        | Region::FlowKeys
        | Region::Socket { .. }
        | Region::TpBuffer
        | Region::Mem { .. }
        | Region::Buf
        | Region::Func { .. }
        | Region::Arena
        | Region::Insn { .. }
        | Region::Dynptr { .. } => check_offset(pointer, place, false),
    }
}
