//! An access outside what is allowed.

use alloc::string::String;

use bpfvet_domain::Tnum;
use bpfvet_platform::FieldKind;

use super::Place;
use crate::value::{Base, TypeTag};

/// Whether memory is read or written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccessKind {
    /// It is read.
    Read,
    /// It is written.
    Write,
}

/// An access: through what, where and how much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// The pointer.
    pub place: Place,
    /// What it is.
    pub tag: TypeTag,
    /// Bytes added to it by the instruction.
    pub off: i64,
    /// Bytes accessed; negative where a size computation went wrong.
    pub size: i64,
    /// Whether it is read or written.
    pub kind: AccessKind,
}

/// Which end of the possible accesses is outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bounds {
    /// The lowest possible start is negative.
    Negative {
        /// The lowest start, as far as it is known.
        start: i64,
    },
    /// The access at the lowest possible start is outside.
    Min {
        /// That start.
        start: i64,
    },
    /// There is no upper bound worth the name.
    Unbounded {
        /// The highest offset.
        umax: u64,
    },
    /// The access at the highest possible start is outside.
    Max {
        /// That start.
        start: i64,
    },
}

/// An access outside what is allowed.
#[derive(Clone, PartialEq, Debug)]
pub enum MemoryCause {
    /// Outside the object.
    OutOfBounds {
        /// The access.
        access: Access,
        /// Which end is outside.
        bounds: Bounds,
        /// Bytes of the object; for packets, bytes proven.
        limit: u32,
        /// Identity that the kernel prints for packets.
        id: u32,
    },
    /// A packet pointer that is known to be at or beyond the packet's end.
    PacketEnd {
        /// The pointer.
        place: Place,
    },
    /// Through something that is no pointer, or may not be dereferenced.
    InvalidPointer {
        /// The access.
        access: Access,
    },
    /// Through a pointer whose offset is not constant, where it must be.
    VariableOffset {
        /// The pointer.
        place: Place,
        /// What it is.
        tag: TypeTag,
        /// Its offset.
        offset: Tnum,
    },
    /// Through a pointer with a negative offset, where it must not be.
    NegativeOffset {
        /// The pointer.
        place: Place,
        /// What it is.
        tag: TypeTag,
        /// Its offset.
        offset: i64,
    },
    /// Through a pointer that was changed, where it must be the original.
    ModifiedPointer {
        /// The pointer.
        place: Place,
        /// What it is.
        tag: TypeTag,
        /// Its offset.
        offset: i64,
    },
    /// Not aligned to its size.
    Misaligned {
        /// Kind of memory.
        base: Base,
        /// The pointer's offset.
        offset: Tnum,
        /// Bytes added by the instruction.
        off: i64,
        /// Bytes accessed.
        size: u32,
    },
    /// A context field that is not there, or not so.
    Context {
        /// Bytes from the start of the context.
        off: i64,
        /// Bytes accessed.
        size: u32,
    },
    /// An argument in a context that is typed by what the program attaches to.
    ContextArg {
        /// Bytes from the start of the context.
        off: i64,
        /// Bytes accessed.
        size: u32,
        /// Name of what the program attaches to.
        target: String,
        /// Why.
        reason: ContextArgReason,
    },
    /// Outside the flow keys.
    FlowKeys {
        /// Bytes from their start.
        off: i64,
        /// Bytes accessed.
        size: u32,
    },
    /// Flow keys at a variable offset.
    FlowKeysVariable {
        /// The pointer.
        place: Place,
        /// Bytes added by the instruction.
        off: i64,
        /// Its offset.
        offset: Tnum,
    },
    /// A socket field that is not there, or not so.
    Socket {
        /// The access.
        access: Access,
    },
    /// A socket pointer with a negative offset.
    SocketNegative {
        /// The pointer.
        place: Place,
    },
    /// A buffer at a variable offset.
    BufferVariable {
        /// The pointer.
        place: Place,
        /// Bytes added by the instruction.
        off: i64,
        /// Its offset.
        offset: Tnum,
    },
    /// A buffer at a negative offset.
    BufferNegative {
        /// The pointer.
        place: Place,
        /// What the kernel calls the buffer.
        kind: &'static str,
        /// Bytes added by the instruction.
        off: i64,
        /// Its offset.
        offset: i64,
    },
    /// A write through a read-only pointer.
    ReadOnly {
        /// The pointer.
        place: Place,
        /// What it is.
        tag: TypeTag,
    },
    /// A map key is written.
    KeyWritten {
        /// The pointer.
        place: Place,
    },
    /// The map's flags forbid it.
    MapFlags {
        /// Whether it would be read or written.
        kind: AccessKind,
        /// Bytes of a value.
        value_size: u32,
        /// Bytes from the start of the value.
        off: i64,
        /// Bytes accessed.
        size: i64,
    },
    /// A packet is written where the program type may only read it.
    PacketReadOnly,
    /// A special field of a map value is touched.
    SpecialField {
        /// The field.
        field: FieldKind,
    },
    /// A kernel pointer in a map value is touched by a helper.
    KptrByHelper {
        /// The field.
        field: FieldKind,
    },
    /// A kernel pointer in a map value is accessed at a variable offset.
    KptrVariable {
        /// The field.
        field: FieldKind,
    },
    /// A kernel pointer in a map value is accessed beside its start.
    KptrMisaligned {
        /// The field.
        field: FieldKind,
        /// Where it is.
        expected: u32,
        /// Where the access is.
        off: i64,
    },
    /// A kernel pointer in a map value is accessed with the wrong size.
    KptrSize {
        /// The field.
        field: FieldKind,
    },
    /// A stack access outside the stack.
    StackOutOfBounds {
        /// The access.
        access: Access,
        /// Bytes from the frame pointer, where that is constant.
        start: Option<i64>,
        /// The pointer's offset.
        offset: Tnum,
    },
    /// A stack access with an offset that is bounded by nothing.
    StackUnbounded {
        /// The access.
        access: Access,
    },
    /// A stack byte is read that was never written.
    StackUninit {
        /// The pointer, where a helper does the reading.
        place: Option<Place>,
        /// Start of the access from the frame pointer.
        off: i64,
        /// The byte, counted from there.
        byte: i64,
        /// Bytes accessed.
        size: i64,
        /// The pointer's offset, where it is not constant.
        variable: Option<Tnum>,
    },
    /// A stack byte is read whose content was dropped because nothing could read it.
    StackPoisoned {
        /// The pointer, where a helper does the reading.
        place: Option<Place>,
        /// Start of the access from the frame pointer.
        off: i64,
        /// The byte, counted from there.
        byte: i64,
        /// Bytes accessed.
        size: i64,
    },
    /// Part of a spilled pointer is overwritten, without privilege.
    SpilledPointerCorrupted {
        /// Bytes from the frame pointer.
        off: i64,
        /// Bytes written.
        size: u32,
    },
    /// A pointer is spilled into less than eight bytes.
    PartialPointerSpill,
    /// Part of a spilled pointer is filled.
    PartialPointerFill,
    /// A stack pointer is spilled into a caller's frame.
    StackPointerToCaller,
    /// A spilled pointer would leak through a helper.
    PointerLeakedFromStack {
        /// Bytes from the frame pointer.
        off: i64,
    },
    /// A variable stack write may hit a spilled pointer, without privilege.
    VariableWriteOverSpill {
        /// Bytes from the frame pointer.
        off: i64,
    },
    /// A variable stack write may skip bytes never written, without privilege.
    VariableWriteOverUninit {
        /// Bytes from the frame pointer.
        off: i64,
    },
    /// A stack pointer with a variable offset, without privilege or where none may be.
    VariableStack {
        /// The pointer.
        place: Place,
        /// Its offset.
        offset: Tnum,
    },
    /// A stack pointer with a variable offset is given to a helper that needs it constant.
    VariableStackToHelper {
        /// Its offset.
        offset: Tnum,
        /// Bytes added by the instruction.
        off: i64,
        /// Bytes accessed.
        size: u32,
    },
    /// An access of zero bytes where there must be some.
    ZeroSized,
    /// One instruction accesses different kinds of memory on different paths.
    DifferentPointers,
    /// An atomic operation on memory that supports none.
    AtomicOnKind {
        /// The pointer.
        place: Place,
        /// What it is.
        tag: TypeTag,
        /// Whether it loads (stores otherwise).
        loads: bool,
    },
    /// Memory behind an untrusted pointer is read without privilege.
    UntrustedMemory {
        /// What it is.
        tag: TypeTag,
    },
    /// An instruction table is read in parts.
    InsnTableRead {
        /// Bytes read.
        size: u32,
    },
    /// An incoming stack argument is read after it went out of reach.
    StackArgSealed,
    /// An incoming stack argument is read that the function does not have.
    StackArgOutOfBounds {
        /// Bytes from the argument base.
        off: i32,
        /// Bytes of incoming arguments.
        depth: u32,
    },
    /// An outgoing stack argument is written beyond the last.
    StackArgTooMany {
        /// Bytes from the argument base.
        off: i32,
        /// How many there may be.
        max: u32,
    },
    /// A field of a typed object that is not there, or not accessible.
    TypedAccess {
        /// The pointer.
        place: Place,
        /// Name of the type.
        name: String,
        /// Why, in the kernel's terms.
        reason: TypedAccessReason,
        /// Bytes from the start of the object.
        off: i64,
        /// Bytes accessed.
        size: u32,
    },
}

/// Why an access to a typed object is refused.
#[derive(Clone, PartialEq, Debug)]
pub enum TypedAccessReason {
    /// It is beyond the structure.
    Beyond,
    /// It touches no field, or the middle of one.
    NoField,
    /// The access crosses a field's end.
    CrossesField {
        /// The field.
        member: String,
        /// One past its last byte, from the start of the structure.
        end: u32,
    },
    /// It touches a part of a pointer.
    PartOfPointer {
        /// The field that holds the pointer.
        member: String,
        /// Where the pointer begins, from the start of the structure.
        start: u32,
    },
    /// The type of the pointer has two tags of which only one can be true.
    ContradictingTags,
    /// The type is no structure.
    NotAStruct,
    /// Only reading is allowed.
    OnlyRead,
    /// It is a map's own structure, of which only reading is allowed.
    MapOnlyRead,
    /// It is before a map's own structure.
    MapNegative,
    /// The pointer's offset is negative.
    Negative,
    /// The pointer's offset is not constant.
    Variable {
        /// What is known of it.
        offset: Tnum,
    },
    /// The object is in user memory.
    UserMemory,
    /// The pointer is to the per-CPU form of the object.
    PercpuMemory,
    /// `CAP_PERFMON` is needed to look into the host's objects.
    NeedsPerfmon,
    /// Only programs with a licence compatible with the GPL look into the host's objects.
    NeedsGpl,
}

/// Why a place in a context is not to be read, where the context is typed by what the program attaches to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ContextArgReason {
    /// It is not where an argument begins.
    Misplaced,
    /// There is no such argument.
    NoArgument {
        /// Which one, counted from one.
        number: u32,
    },
    /// It is a pointer, and this host hands out pointers to structures only, and to what it may take for a number.
    NotToAStructure {
        /// Which argument, counted from zero.
        number: u32,
        /// Kind of the type that it points to.
        kind: &'static str,
    },
    /// It is neither a number nor a pointer.
    NotAPointer {
        /// Which argument, counted from zero.
        number: u32,
        /// Name of its type.
        type_name: String,
        /// Kind of its type.
        kind: &'static str,
    },
    /// A pointer is read in part.
    Partial,
}

impl MemoryCause {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::OutOfBounds { .. } => "memory::out-of-bounds",
            Self::PacketEnd { .. } => "memory::packet-end",
            Self::InvalidPointer { .. } => "memory::invalid-pointer",
            Self::VariableOffset { .. } => "memory::variable-offset",
            Self::NegativeOffset { .. } => "memory::negative-offset",
            Self::ModifiedPointer { .. } => "memory::modified-pointer",
            Self::Misaligned { .. } => "memory::misaligned",
            Self::Context { .. } => "memory::context",
            Self::ContextArg { .. } => "memory::context-argument",
            Self::FlowKeys { .. } => "memory::flow-keys",
            Self::FlowKeysVariable { .. } => "memory::flow-keys-variable",
            Self::Socket { .. } => "memory::socket",
            Self::SocketNegative { .. } => "memory::socket-negative",
            Self::BufferVariable { .. } => "memory::buffer-variable",
            Self::BufferNegative { .. } => "memory::buffer-negative",
            Self::ReadOnly { .. } => "memory::read-only",
            Self::KeyWritten { .. } => "memory::key-written",
            Self::MapFlags { .. } => "memory::map-flags",
            Self::PacketReadOnly => "memory::packet-read-only",
            Self::SpecialField { .. } => "memory::special-field",
            Self::KptrByHelper { .. } => "memory::kptr-by-helper",
            Self::KptrVariable { .. } => "memory::kptr-variable",
            Self::KptrMisaligned { .. } => "memory::kptr-misaligned",
            Self::KptrSize { .. } => "memory::kptr-size",
            Self::StackOutOfBounds { .. } => "memory::stack-out-of-bounds",
            Self::StackUnbounded { .. } => "memory::stack-unbounded",
            Self::StackUninit { .. } => "memory::stack-uninit",
            Self::StackPoisoned { .. } => "memory::stack-poisoned",
            Self::SpilledPointerCorrupted { .. } => "memory::spilled-pointer-corrupted",
            Self::PartialPointerSpill => "memory::partial-pointer-spill",
            Self::PartialPointerFill => "memory::partial-pointer-fill",
            Self::StackPointerToCaller => "memory::stack-pointer-to-caller",
            Self::PointerLeakedFromStack { .. } => "memory::pointer-leaked-from-stack",
            Self::VariableWriteOverSpill { .. } => "memory::variable-write-over-spill",
            Self::VariableWriteOverUninit { .. } => "memory::variable-write-over-uninit",
            Self::VariableStack { .. } => "memory::variable-stack",
            Self::VariableStackToHelper { .. } => "memory::variable-stack-to-helper",
            Self::ZeroSized => "memory::zero-sized",
            Self::DifferentPointers => "memory::different-pointers",
            Self::AtomicOnKind { .. } => "memory::atomic-on-kind",
            Self::UntrustedMemory { .. } => "memory::untrusted",
            Self::InsnTableRead { .. } => "memory::insn-table-read",
            Self::StackArgSealed => "memory::stack-arg-sealed",
            Self::StackArgOutOfBounds { .. } => "memory::stack-arg-out-of-bounds",
            Self::StackArgTooMany { .. } => "memory::stack-arg-too-many",
            Self::TypedAccess { .. } => "memory::typed-access",
        }
    }
}
