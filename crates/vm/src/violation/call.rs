//! A call whose arguments or result break its contract.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use bpfvet_insn::InsnIdx;
use bpfvet_platform::MapKind;

use super::{Cause, DynptrCause, Place};
use crate::value::TypeTag;

/// A call whose arguments or result break its contract.
#[derive(Clone, PartialEq, Debug)]
pub enum CallCause {
    /// The argument is of the wrong kind.
    ArgumentKind {
        /// The argument.
        place: Place,
        /// What it is.
        actual: TypeTag,
        /// What it may be.
        expected: Vec<TypeTag>,
    },
    /// The pointer may be null, and the call needs one that is not.
    PossiblyNull {
        /// The argument.
        place: Place,
    },
    /// The object is of the wrong type.
    ArgumentType {
        /// The argument.
        place: Place,
        /// Name of its type.
        actual: String,
        /// Name of the type wanted.
        expected: String,
    },
    /// The helper may write through a pointer that must not be written through.
    MayWrite {
        /// The helper.
        helper: String,
        /// The argument.
        place: Place,
        /// What it is.
        tag: TypeTag,
    },
    /// A reference to be released is passed with an offset.
    ReleaseOffset {
        /// The argument.
        place: Place,
    },
    /// A size may be negative.
    SizeNegative {
        /// The argument.
        place: Place,
    },
    /// A size may be zero.
    SizeZero {
        /// The argument.
        place: Place,
        /// Its lowest value.
        umin: u64,
        /// Its highest value.
        umax: u64,
    },
    /// A size has no upper bound worth the name.
    SizeUnbounded {
        /// The argument.
        place: Place,
    },
    /// A number must be known.
    NotConstant {
        /// The argument.
        place: Place,
        /// What it says.
        number: KnownNumber,
    },
    /// An allocation size does not fit 32 bits.
    AllocationTooLarge {
        /// The argument.
        place: Place,
    },
    /// Tail calls and functions do not go together on this host.
    TailCallWithSubprograms,
    /// One tail call is reached with different maps, without privilege: it cannot be masked.
    TailCallMaps,
    /// A map of sockets is updated where that is not safe.
    SockmapUpdate {
        /// The map kind.
        kind: MapKind,
        /// The helper's name.
        helper: String,
        /// The helper's number.
        id: u32,
    },
    /// A constant string is in a map whose values have no address.
    StringNoAddress,
    /// The memory is too large for its size to be checked.
    MemoryTooLarge {
        /// The argument.
        place: Place,
        /// Bytes.
        size: u32,
    },
    /// The map kind and the helper do not go together.
    MapHelper {
        /// The map kind.
        kind: MapKind,
        /// The helper's name.
        helper: String,
        /// The helper's number.
        id: u32,
    },
    /// A tail call needs a program array.
    TailCallMap,
    /// A socket map's value argument is something else.
    SockmapArgument,
    /// The map in one argument is not the one that the other argument lies in.
    MapMismatch {
        /// What the first argument points to, as the kernel names it.
        object: &'static str,
        /// The first argument.
        object_place: Place,
        /// Identity of its map.
        object_uid: u32,
        /// The map argument.
        place: Place,
        /// Identity of that map.
        uid: u32,
    },
    /// A field argument (timer) at a variable offset.
    FieldVariable {
        /// The argument.
        place: Place,
        /// Name of the field's structure.
        field: &'static str,
    },
    /// The map has no types, so its field cannot be found.
    FieldWithoutTypes {
        /// The map.
        map: String,
        /// Name of the field's structure.
        field: &'static str,
    },
    /// The map value has no such field.
    NoField {
        /// The map.
        map: String,
        /// Name of the field's structure.
        field: &'static str,
    },
    /// The pointer is not at the field.
    FieldElsewhere {
        /// Where it points.
        off: i64,
        /// Name of the field's structure.
        field: &'static str,
        /// Where the field is.
        at: u32,
    },
    /// A constant string is not in a read-only map.
    StringNotReadOnly {
        /// The argument.
        place: Place,
    },
    /// A constant string is in a map that can hold none.
    StringMapKind {
        /// The argument.
        place: Place,
        /// The map kind.
        kind: MapKind,
    },
    /// A constant string at a variable address.
    StringVariable {
        /// The argument.
        place: Place,
    },
    /// A constant string does not end inside its map.
    StringUnterminated,
    /// A format string that the helper does not understand, or that does not go with its arguments.
    FormatString,
    /// The number of bytes of format arguments is no multiple of eight.
    FormatArguments,
    /// The flags of local storage must be zero.
    LocalStorageFlags,
    /// The map kind cannot be iterated.
    NoIteration,
    /// The value set as return value is not a number.
    RetvalKind,
    /// The return value of a void hook cannot be set.
    RetvalOfVoid,
    /// Too many nested calls.
    TooDeep {
        /// Frames there would be.
        frames: u32,
    },
    /// A function's sixth or later argument was never stored.
    MissingStackArgument {
        /// How many arguments the function takes.
        expected: u32,
        /// Which is missing, counted from one among the stack arguments.
        missing: u32,
    },
    /// The caller's arguments do not go with the global function's prototype.
    GlobalArguments {
        /// Position of the function in the program.
        subprog: u32,
        /// Its name.
        name: String,
        /// What is wrong with which argument.
        inner: Box<Cause>,
    },
    /// A global function's argument must be a number.
    NotScalar {
        /// The argument.
        place: Place,
    },
    /// A global function's argument must be the context.
    NotCtx {
        /// The argument.
        place: Place,
    },
    /// A global function's argument must not be null.
    NotNonNull {
        /// The argument.
        place: Place,
    },
    /// A global function's argument must be an arena pointer or a number.
    NotArena {
        /// The argument.
        place: Place,
    },
    /// A packet pointer is passed to a function that may move the packet.
    PacketPointerToMover {
        /// The argument.
        place: Place,
        /// Position of the function in the program.
        subprog: u32,
    },
    /// Null, or a pointer that may be null, where a function of the host takes none.
    NullToTrusted {
        /// The argument.
        place: Place,
    },
    /// A function of the host must be given the context.
    KfuncCtx {
        /// The argument.
        place: Place,
        /// What it is.
        actual: TypeTag,
    },
    /// A function of the host must be given an object that is known to be alive.
    NotTrusted {
        /// The argument.
        place: Place,
        /// One that RCU protects would do.
        rcu: bool,
    },
    /// A function of the host must be given an object.
    KfuncObject {
        /// The argument.
        place: Place,
        /// What it is.
        actual: TypeTag,
        /// The type wanted.
        expected: Box<Described>,
        /// What would do as well.
        or: Option<TypeTag>,
    },
    /// A function of the host must be given an object of another type.
    KfuncType {
        /// The function.
        kfunc: String,
        /// The argument.
        place: Place,
        /// The type wanted.
        expected: Box<Described>,
        /// Its type.
        actual: Box<Described>,
    },
    /// Memory and its size, as a function of the host takes them, do not go together.
    MemoryPair {
        /// The memory.
        memory: Place,
        /// The size.
        size: Place,
        /// What is wrong.
        inner: Box<Cause>,
    },
    /// A function of the host must be given a string in a map.
    NotConstString {
        /// The argument.
        place: Place,
    },
    /// A cast to a type that the host does not have.
    CastToUnknown {
        /// Its number.
        id: u64,
    },
    /// A cast to a type that is no structure.
    CastToNoStruct,
    /// What a function of the host keeps on the stack must be on the stack.
    NotOnStack {
        /// The argument.
        place: Place,
        /// What it keeps.
        kind: SlotKind,
    },
    /// What a function of the host keeps on the stack is there and must not be, or the other way round.
    SlotState {
        /// The argument.
        place: Place,
        /// What it keeps.
        kind: SlotKind,
        /// Its name; empty where there is only one of the kind.
        name: String,
        /// It has to be there.
        initialised: bool,
        /// What is wrong with the place itself, if something is.
        fault: Option<SlotFault>,
    },
    /// An iteration goes on outside of the RCU read section that it needs.
    ProtectionLost {
        /// The function.
        kfunc: String,
    },
    /// An interrupt state is restored that is not the one saved last.
    IrqOutOfOrder {
        /// The one saved last.
        active: u32,
        /// Where that was.
        taken: Option<InsnIdx>,
    },
    /// A dynamic pointer is not what the call takes.
    Dynptr(DynptrCause),
    /// A call that compilers put where a program does what no program may.
    TrapReached,
    /// A function that the host does not have.
    MissingKfunc,
    /// The address of a function is taken without function records.
    NoFunctionRecords,
    /// The callback is not a static function.
    CallbackNotStatic,
    /// The callback is the entry function.
    CallbackIsMain,
    /// A global function's prototype cannot be verified.
    Prototype {
        /// Its name.
        name: String,
        /// Why.
        reason: PrototypeReason,
    },
}

/// What a number says that must be known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KnownNumber {
    /// A number.
    Plain,
    /// How many bytes the argument before points to.
    MemorySize,
    /// How many bytes are to be allocated.
    Allocation,
}

/// What a function of the host keeps on the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlotKind {
    /// The state of an iteration.
    Iteration,
    /// A saved interrupt state.
    IrqFlag,
}

/// What is wrong with a place on the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlotFault {
    /// It is not known.
    Variable,
    /// It is not that of whole slots.
    Offset(i64),
}

/// A type, for messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Described {
    /// Its kind, in the kernel's spelling.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// Why a function's prototype cannot be verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PrototypeReason {
    /// It has no type.
    Untyped,
    /// It has too many parameters.
    TooMany {
        /// How many it has.
        count: u32,
        /// How many it may have.
        max: u32,
    },
    /// Its result is neither void nor a number.
    Return,
    /// The size of what a pointer parameter points to is not known.
    PointeeSize {
        /// The parameter, counted from zero.
        arg: u32,
        /// Kind of the type, in the kernel's spelling.
        kind: String,
        /// Name of the type.
        name: String,
    },
    /// A parameter of a type that is not supported.
    ParameterKind {
        /// The parameter, counted from zero.
        arg: u32,
        /// Kind of the type, in the kernel's spelling.
        kind: String,
    },
    /// A parameter whose tags contradict each other.
    Tags {
        /// The parameter, counted from zero.
        arg: u32,
        /// The tag that must be the only one, if one must.
        alone: Option<&'static str>,
    },
    /// A parameter that has a pointer's tag and is no pointer.
    TagOnScalar {
        /// The parameter, counted from zero.
        arg: u32,
    },
    /// A parameter of a static function has a tag.
    TagOnStatic {
        /// The parameter, counted from zero.
        arg: u32,
    },
    /// A parameter has a tag that the host does not know.
    UnknownTag {
        /// The parameter, counted from zero.
        arg: u32,
    },
    /// A pointer in the prototype has more than one type tag.
    ManyTypeTags,
    /// A parameter that is tagged as the context is no pointer to this program type's context.
    CtxType {
        /// The parameter, counted from zero.
        arg: u32,
        /// The structure it should point to; `None` where only a pointer to void will do, or the type has no name.
        expected: Option<String>,
    },
    /// A parameter that is tagged as a host's object, and the host has no such type, or several.
    HostType {
        /// The parameter, counted from zero.
        arg: u32,
        /// Kind of the type, in the kernel's spelling.
        kind: String,
        /// Name of the type.
        name: String,
        /// Whether there are several.
        ambiguous: bool,
    },
    /// A parameter that is tagged as an untrusted object, and the host's type is no structure.
    NotStruct {
        /// The parameter, counted from zero.
        arg: u32,
        /// Kind of the type, in the kernel's spelling.
        kind: String,
    },
    /// It was found not to describe the function when another call was checked.
    Unreliable,
    /// It says something that is not modelled: the function can be neither accepted nor refused.
    NotModelled {
        /// What is not modelled.
        what: &'static str,
    },
}

impl CallCause {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::ArgumentKind { .. } => "call::argument-kind",
            Self::PossiblyNull { .. } => "call::possibly-null",
            Self::ArgumentType { .. } => "call::argument-type",
            Self::MayWrite { .. } => "call::may-write",
            Self::ReleaseOffset { .. } => "call::release-offset",
            Self::SizeNegative { .. } => "call::size-negative",
            Self::SizeZero { .. } => "call::size-zero",
            Self::SizeUnbounded { .. } => "call::size-unbounded",
            Self::NotConstant { .. } => "call::not-constant",
            Self::AllocationTooLarge { .. } => "call::allocation-too-large",
            Self::TailCallWithSubprograms => "call::tail-call-with-subprograms",
            Self::TailCallMaps => "call::tail-call-maps",
            Self::SockmapUpdate { .. } => "call::sockmap-update",
            Self::StringNoAddress => "call::string-no-address",
            Self::MemoryTooLarge { .. } => "call::memory-too-large",
            Self::MapHelper { .. } => "call::map-helper",
            Self::TailCallMap => "call::tail-call-map",
            Self::SockmapArgument => "call::sockmap-argument",
            Self::MapMismatch { .. } => "call::map-mismatch",
            Self::FieldVariable { .. } => "call::field-variable",
            Self::FieldWithoutTypes { .. } => "call::field-without-types",
            Self::NoField { .. } => "call::no-field",
            Self::FieldElsewhere { .. } => "call::field-elsewhere",
            Self::StringNotReadOnly { .. } => "call::string-not-read-only",
            Self::StringMapKind { .. } => "call::string-map-kind",
            Self::StringVariable { .. } => "call::string-variable",
            Self::StringUnterminated => "call::string-unterminated",
            Self::FormatString => "call::format-string",
            Self::FormatArguments => "call::format-arguments",
            Self::LocalStorageFlags => "call::local-storage-flags",
            Self::NoIteration => "call::no-iteration",
            Self::RetvalKind => "call::retval-kind",
            Self::RetvalOfVoid => "call::retval-of-void",
            Self::TooDeep { .. } => "call::too-deep",
            Self::MissingStackArgument { .. } => "call::missing-stack-argument",
            Self::GlobalArguments { .. } => "call::global-arguments",
            Self::NotScalar { .. } => "call::not-scalar",
            Self::NotCtx { .. } => "call::not-ctx",
            Self::NotNonNull { .. } => "call::not-non-null",
            Self::NotArena { .. } => "call::not-arena",
            Self::PacketPointerToMover { .. } => "call::packet-pointer-to-mover",
            Self::NullToTrusted { .. } => "call::null-to-trusted",
            Self::KfuncCtx { .. } => "call::kfunc-ctx",
            Self::NotTrusted { .. } => "call::not-trusted",
            Self::KfuncObject { .. } => "call::kfunc-object",
            Self::KfuncType { .. } => "call::kfunc-type",
            Self::MemoryPair { .. } => "call::memory-pair",
            Self::NotConstString { .. } => "call::not-const-string",
            Self::CastToUnknown { .. } => "call::cast-to-unknown",
            Self::CastToNoStruct => "call::cast-to-no-struct",
            Self::NotOnStack { .. } => "call::not-on-stack",
            Self::SlotState { .. } => "call::slot-state",
            Self::ProtectionLost { .. } => "call::protection-lost",
            Self::IrqOutOfOrder { .. } => "call::irq-out-of-order",
            Self::Dynptr(cause) => cause.code(),
            Self::TrapReached => "call::trap-reached",
            Self::MissingKfunc => "call::missing-kfunc",
            Self::NoFunctionRecords => "call::no-function-records",
            Self::CallbackNotStatic => "call::callback-not-static",
            Self::CallbackIsMain => "call::callback-is-main",
            Self::Prototype { .. } => "call::prototype",
        }
    }
}
