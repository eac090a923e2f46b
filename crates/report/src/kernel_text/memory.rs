//! An access outside what is allowed.

use alloc::format;
use alloc::string::{String, ToString};

use bpfvet_insn::{Insn, InsnIdx};
use bpfvet_platform::{FieldKind, Version};
use bpfvet_vm::violation::{Access, AccessKind, Bounds, ContextArgReason, MemoryCause, TypedAccessReason};
use bpfvet_vm::{Base, Flags};

use super::{place, tnum};
use crate::Names;
use crate::state_text::type_text;

pub(super) fn message(cause: &MemoryCause, at: InsnIdx, names: &Names<'_>) -> String {
    match cause {
        MemoryCause::OutOfBounds { access, bounds: Bounds::Min { start } | Bounds::Max { start }, limit, id }
            if names.old_wording() && matches!(access.tag.base, Base::Packet | Base::PacketMeta) =>
        {
            let text = out_of_bounds(access, Bounds::Min { start: *start }, *limit, *id);
            let first = text.lines().next().unwrap_or_default();
            format!("{first}\n{} offset is outside of the packet", place(access.place))
        }
        MemoryCause::OutOfBounds { access, bounds, limit, id } => out_of_bounds(access, *bounds, *limit, *id),
        MemoryCause::PacketEnd { place: pointer } => format!("{} offset is outside of the packet", place(*pointer)),
        MemoryCause::InvalidPointer { access } => {
            format!("{} invalid mem access '{}'", place(access.place), type_text(access.tag))
        }
        MemoryCause::VariableOffset { place: _, tag, offset } => {
            format!("variable {} access var_off={} disallowed", type_text(*tag), tnum(*offset))
        }
        MemoryCause::NegativeOffset { place: pointer, tag, offset } => {
            format!("negative offset {} ptr {} off={offset} disallowed", type_text(*tag), place(*pointer))
        }
        MemoryCause::ModifiedPointer { place: pointer, tag, offset } => {
            format!("dereference of modified {} ptr {} off={offset} disallowed", type_text(*tag), place(*pointer))
        }
        // What was constant in the offset stood by itself.
        MemoryCause::Misaligned { base, offset, off, size } if names.old_wording() && offset.is_const() => {
            let zero = if names.is_before(CONSTANTS_PLAIN) { "(0x0; 0x0)" } else { "0" };
            let fixed = offset.value.cast_signed();
            let packet = if matches!(base, Base::Packet | Base::PacketMeta) { "2+" } else { "" };
            format!("misaligned {}access off {packet}{zero}+{fixed}+{off} size {size}", kind_of_memory(*base))
        }
        MemoryCause::Misaligned { base: Base::Packet | Base::PacketMeta, offset, off, size } => {
            format!("misaligned packet access off 2+{}+{off} size {size}", tnum(*offset))
        }
        MemoryCause::Misaligned { base, offset, off, size } => {
            format!("misaligned {}access off {}+{off} size {size}", kind_of_memory(*base), tnum(*offset))
        }
        MemoryCause::Context { off, size } => format!("invalid bpf_context access off={off} size={size}"),
        MemoryCause::ContextArg { off, size, target, reason } => {
            let why = context_argument(target, reason, *off, *size);
            format!("{why}\ninvalid bpf_context access off={off} size={size}")
        }
        MemoryCause::FlowKeys { off, size } => format!("invalid access to flow keys off={off} size={size}"),
        MemoryCause::FlowKeysVariable { place: pointer, off, offset } => {
            let offset = tnum(*offset);
            format!("{} invalid variable offset to flow keys: off={off}, var_off={offset}", place(*pointer))
        }
        MemoryCause::Socket { access: Access { place: pointer, tag, off, size, kind: _ } } => {
            format!("{} invalid {} access off={off} size={size}", place(*pointer), type_text(*tag))
        }
        MemoryCause::SocketNegative { place: pointer } => negative_index(&place(*pointer)),
        MemoryCause::BufferVariable { place: pointer, off, offset } => {
            let offset = tnum(*offset);
            format!("{} invalid variable buffer offset: off={off}, var_off={offset}", place(*pointer))
        }
        MemoryCause::BufferNegative { place: pointer, kind, off, offset } => {
            format!("{} invalid negative {kind} buffer offset: off={off}, var_off={offset}", place(*pointer))
        }
        MemoryCause::ReadOnly { place: pointer, tag } => {
            format!("{} cannot write into {}", place(*pointer), type_text(*tag))
        }
        MemoryCause::KeyWritten { place: pointer } => format!("write to change key {} not allowed", place(*pointer)),
        MemoryCause::MapFlags { kind, value_size, off, size } => {
            let verb = match kind {
                AccessKind::Read => "read from",
                AccessKind::Write => "write into",
            };
            format!("{verb} map forbidden, value_size={value_size} off={off} size={size}")
        }
        MemoryCause::PacketReadOnly => "cannot write into packet".to_string(),
        MemoryCause::SpecialField { field } => {
            format!("{} cannot be accessed directly by load/store", field_name(*field))
        }
        MemoryCause::KptrByHelper { field } => {
            format!("{} cannot be accessed indirectly by helper", field_name(*field))
        }
        MemoryCause::KptrVariable { field } => format!("{} access cannot have variable offset", field_name(*field)),
        MemoryCause::KptrMisaligned { field, expected, off } => {
            let off = off.cast_unsigned();
            format!("{} access misaligned expected={expected} off={off}", field_name(*field))
        }
        MemoryCause::KptrSize { field } => format!("{} access size must be BPF_DW", field_name(*field)),
        MemoryCause::StackOutOfBounds { access, start: Some(start), offset: _ } => {
            let verb = stack_verb(access.kind, at, names);
            format!("invalid {verb} stack {} off={start} size={}", place(access.place), access.size)
        }
        MemoryCause::StackOutOfBounds { access, start: None, offset } => {
            let Access { place: pointer, tag: _, off, size, kind } = access;
            let (verb, pointer, offset) = (stack_verb(*kind, at, names), place(*pointer), tnum(*offset));
            format!("invalid variable-offset {verb} stack {pointer} var_off={offset} off={off} size={size}")
        }
        MemoryCause::StackUnbounded { access } => {
            let verb = stack_verb(access.kind, at, names);
            format!("invalid unbounded variable-offset {verb} stack {}", place(access.place))
        }
        MemoryCause::StackUninit { place: None, off, byte, size, variable: _ } => {
            format!("invalid read from stack off {off}+{byte} size {size}")
        }
        MemoryCause::StackUninit { place: Some(pointer), off, byte, size, variable } => {
            let (indirect, pointer) = (indirect(names), place(*pointer));
            match variable {
                None => format!("invalid{indirect} read from stack {pointer} off {off}+{byte} size {size}"),
                Some(offset) => {
                    let offset = tnum(*offset);
                    format!("invalid{indirect} read from stack {pointer} var_off {offset}+{byte} size {size}")
                }
            }
        }
        MemoryCause::StackPoisoned { place: pointer, off, byte, size } => {
            let pointer = pointer.map(|pointer| format!("{} ", place(pointer))).unwrap_or_default();
            format!("reading from stack {pointer}off {off}+{byte} size {size}, slot poisoned by dead code elimination")
        }
        MemoryCause::SpilledPointerCorrupted { off: _, size: _ } => {
            "attempt to corrupt spilled pointer on stack".to_string()
        }
        MemoryCause::PartialPointerSpill => "invalid size of register spill".to_string(),
        MemoryCause::PartialPointerFill => "invalid size of register fill".to_string(),
        MemoryCause::StackPointerToCaller => {
            "cannot spill pointers to stack into stack frame of the caller".to_string()
        }
        MemoryCause::PointerLeakedFromStack { off } => format!("leaking pointer from stack off {off}"),
        MemoryCause::VariableWriteOverSpill { off } => {
            format!("spilled ptr in range of var-offset stack write; insn {at}, ptr off: {off}")
        }
        MemoryCause::VariableWriteOverUninit { off } => {
            format!("uninit stack in range of var-offset write prohibited for !root; insn {at}, off: {off}")
        }
        MemoryCause::VariableStack { place: pointer, offset } => {
            let (indirect, offset) = (indirect(names), tnum(*offset));
            let pointer = place(*pointer);
            format!("{pointer}{indirect} variable offset stack access prohibited for !root, var_off={offset}")
        }
        MemoryCause::VariableStackToHelper { offset, off, size } => format!(
            "variable offset stack pointer cannot be passed into helper function; var_off={} off={off} size={size}",
            tnum(*offset)
        ),
        MemoryCause::ZeroSized => "invalid zero-sized read".to_string(),
        MemoryCause::DifferentPointers => "same insn cannot be used with different pointers".to_string(),
        MemoryCause::AtomicOnKind { place: pointer, tag, loads } => {
            let verb = if *loads { "loads from" } else { "stores into" };
            format!("BPF_ATOMIC {verb} {} {} is not allowed", place(*pointer), type_text(*tag))
        }
        MemoryCause::UntrustedMemory { tag } => {
            format!("{} access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN", type_text(*tag))
        }
        MemoryCause::InsnTableRead { size } => format!("Invalid read of {size} bytes from insn_array"),
        MemoryCause::StackArgSealed => "r11 load must be before any r11 store or call insn".to_string(),
        MemoryCause::StackArgOutOfBounds { off, depth } => {
            format!("invalid read from stack arg off {off} depth {depth}")
        }
        MemoryCause::StackArgTooMany { off, max } => {
            format!("stack arg write offset {off} exceeds max {max} stack args")
        }
        MemoryCause::TypedAccess { name, reason: TypedAccessReason::NeedsPerfmon, .. }
            if names.is_before(Version::new(6, 3)) =>
        {
            format!("{name} access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN")
        }
        MemoryCause::TypedAccess { place: pointer, name, reason, off, size } => {
            typed_access(&place(*pointer), name, reason, *off, *size)
        }
    }
}

/// The check of a region prints the failed access, then which end of the pointer's range it was.
fn out_of_bounds(access: &Access, bounds: Bounds, limit: u32, id: u32) -> String {
    let Access { place: pointer, tag, off: _, size, kind: _ } = access;
    let pointer = place(*pointer);
    let access_at = |start: i64| {
        let plain = tag.flags == Flags::NONE;
        match tag.base {
            Base::MapKey if plain => format!("invalid access to map key, key_size={limit} off={start} size={size}"),
            Base::MapValue if plain => {
                format!("invalid access to map value, value_size={limit} off={start} size={size}")
            }
            Base::Packet | Base::PacketMeta | Base::PacketEnd if plain => {
                format!("invalid access to packet, off={start} size={size}, {pointer}(id={id},off={start},r={limit})")
            }
            Base::Ctx if plain => format!("invalid access to context, ctx_size={limit} off={start} size={size}"),
            Base::Uninit
            | Base::Scalar
            | Base::Ctx
            | Base::Map
            | Base::MapValue
            | Base::MapKey
            | Base::Stack
            | Base::PacketMeta
            | Base::Packet
            | Base::PacketEnd
            | Base::FlowKeys
            | Base::Socket
            | Base::SockCommon
            | Base::TcpSock
            | Base::TpBuffer
            | Base::XdpSock
            | Base::Btf
            | Base::Mem
            | Base::Buf
            | Base::Func
            | Base::Arena
            | Base::Insn
            | Base::Dynptr => format!("invalid access to memory, mem_size={limit} off={start} size={size}"),
        }
    };
    match bounds {
        Bounds::Negative { start: _ } => negative_index(&pointer),
        Bounds::Min { start } => {
            format!("{}\n{pointer} min value is outside of the allowed memory range", access_at(start))
        }
        Bounds::Unbounded { umax: _ } => {
            format!("{pointer} unbounded memory access, make sure to bounds check any such access")
        }
        Bounds::Max { start } => {
            format!("{}\n{pointer} max value is outside of the allowed memory range", access_at(start))
        }
    }
}

/// Since when a number of which all bits are known is written as one.
const CONSTANTS_PLAIN: Version = Version::new(6, 8);

/// What is done to the stack; what a helper does had its own words once.
fn stack_verb(kind: AccessKind, at: InsnIdx, names: &Names<'_>) -> &'static str {
    let is_call = matches!(names.request().program.get(at), Some(Insn::Call(_)));
    if is_call && names.old_wording() { "indirect access to" } else { verb(kind) }
}

fn negative_index(pointer: &str) -> String {
    format!("{pointer} min value is negative, either use unsigned index or do a if (index >=0) check.")
}

fn context_argument(target: &str, reason: &ContextArgReason, off: i64, size: u32) -> String {
    match reason {
        ContextArgReason::Misplaced => format!("func '{target}' offset {off} is not multiple of 8"),
        ContextArgReason::NoArgument { number } => format!("func '{target}' doesn't have {number}-th argument"),
        ContextArgReason::NotToAStructure { number, kind } => {
            format!("func '{target}' arg{number} type {kind} is not a struct")
        }
        ContextArgReason::NotAPointer { number, type_name, kind } => {
            format!("func '{target}' arg{number} '{type_name}' has type {kind}. Only pointer access is allowed")
        }
        ContextArgReason::Partial => format!("func '{target}' size {size} must be 8"),
    }
}

fn typed_access(pointer: &str, name: &str, reason: &TypedAccessReason, off: i64, size: u32) -> String {
    match reason {
        TypedAccessReason::Beyond => format!("access beyond struct {name} at off {off} size {size}"),
        TypedAccessReason::NoField => format!("struct {name} doesn't have field at offset {off}"),
        TypedAccessReason::CrossesField { member, end } => {
            format!("access beyond the end of member {member} (mend:{end}) in struct {name} with off {off} size {size}")
        }
        TypedAccessReason::PartOfPointer { member, start } => {
            format!("cannot access ptr member {member} with moff {start} in struct {name} with off {off} size {size}")
        }
        TypedAccessReason::ContradictingTags => "type 'PTR' has multiple type tags".to_string(),
        TypedAccessReason::NotAStruct => format!("Type '{name}' is not a struct"),
        TypedAccessReason::UserMemory => format!("{pointer} is ptr_{name} access user memory: off={off}"),
        TypedAccessReason::PercpuMemory => format!("{pointer} is ptr_{name} access percpu memory: off={off}"),
        TypedAccessReason::NeedsPerfmon => {
            format!("'struct {name}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN")
        }
        TypedAccessReason::NeedsGpl => {
            format!("Cannot access kernel 'struct {name}' from non-GPL compatible program")
        }
        TypedAccessReason::OnlyRead => "only read is supported".to_string(),
        TypedAccessReason::MapOnlyRead => format!("only read from {name} is supported"),
        TypedAccessReason::MapNegative => format!("{pointer} is {name} invalid negative access: off={off}"),
        TypedAccessReason::Negative => format!("{pointer} is ptr_{name} invalid negative access: off={off}"),
        TypedAccessReason::Variable { offset } => {
            format!("{pointer} is ptr_{name} invalid variable offset: off={off}, var_off={}", tnum(*offset))
        }
    }
}

const fn verb(kind: AccessKind) -> &'static str {
    match kind {
        AccessKind::Read => "read from",
        AccessKind::Write => "write to",
    }
}

/// Up to 6.12, what a helper reads is called indirect.
const fn indirect(names: &Names<'_>) -> &'static str {
    if names.old_wording() { " indirect" } else { "" }
}

const fn kind_of_memory(base: Base) -> &'static str {
    match base {
        Base::FlowKeys => "flow keys ",
        Base::MapKey => "key ",
        Base::MapValue => "value ",
        Base::Ctx => "context ",
        Base::Stack => "stack ",
        Base::Socket => "sock ",
        Base::SockCommon => "sock_common ",
        Base::TcpSock => "tcp_sock ",
        Base::XdpSock => "xdp_sock ",
        Base::Packet | Base::PacketMeta => "packet ",
        Base::Uninit
        | Base::Scalar
        | Base::Map
        | Base::PacketEnd
        | Base::TpBuffer
        | Base::Btf
        | Base::Mem
        | Base::Buf
        | Base::Func
        | Base::Arena
        | Base::Insn
        | Base::Dynptr => "",
    }
}

/// The name of a special field's structure (`btf_field_type_name`).
pub(crate) const fn field_name(field: FieldKind) -> &'static str {
    match field {
        FieldKind::SpinLock => "bpf_spin_lock",
        FieldKind::ResSpinLock => "bpf_res_spin_lock",
        FieldKind::Timer => "bpf_timer",
        FieldKind::Workqueue => "bpf_wq",
        FieldKind::TaskWork => "bpf_task_work",
        FieldKind::Refcount => "bpf_refcount",
        FieldKind::ListHead => "bpf_list_head",
        FieldKind::ListNode => "bpf_list_node",
        FieldKind::RbRoot => "bpf_rb_root",
        FieldKind::RbNode => "bpf_rb_node",
        FieldKind::KptrUnref | FieldKind::KptrRef => "kptr",
        FieldKind::KptrPercpu => "percpu_kptr",
        FieldKind::Uptr => "uptr",
    }
}
