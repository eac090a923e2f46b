//! Why a host refuses a program or a map before a single instruction is looked at.

use alloc::borrow::Cow;

use crate::FieldKind;

/// Why a program cannot be loaded, whatever its instructions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoadRefusal {
    /// The host does not have the program type.
    UnknownProgramType,
    /// The host does not have the attach type.
    UnknownAttachType,
    /// The host does not have this flag of a load.
    UnknownFlag(&'static str),
    /// `CAP_BPF` is missing.
    NeedsBpf,
    /// `CAP_NET_ADMIN` is missing.
    NeedsNetAdmin,
    /// `CAP_PERFMON` is missing.
    NeedsPerfmon,
    /// Programs of this type do not attach there (`bpf_prog_load_check_attach`).
    AttachType,
    /// Programs of this type cannot sleep when attached there (`can_be_sleepable`).
    CannotSleep,
    /// Programs of this type always sleep, and the flag that says so is missing.
    MustSleep,
    /// The licence is not compatible with the GPL and the type asks for one.
    NeedsGpl,
    /// It does not say what it attaches to.
    NoTarget,
    /// The host has no such target.
    UnknownTarget,
    /// No program may attach to this target.
    ForbiddenTarget,
    /// The target never returns, so nothing can run after it.
    TargetNeverReturns,
    /// The target's programs must not sleep.
    TargetCannotSleep,
    /// What the target returns must not be replaced.
    TargetNotModifiable,
    /// This platform cannot decide; the reason is for people.
    Unsupported(Cow<'static, str>),
}

/// Why a map cannot be created, or a program cannot refer to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MapRefusal {
    /// The host does not have the kind.
    UnknownKind,
    /// `CAP_BPF` is missing.
    NeedsBpf,
    /// `CAP_NET_ADMIN` is missing.
    NeedsNetAdmin,
    /// `CAP_BPF` and `CAP_PERFMON` are both needed.
    NeedsBpfAndPerfmon,
    /// The key's size is not one that this kind takes.
    KeySize,
    /// The value's size is not one that this kind takes.
    ValueSize,
    /// The number of entries is not one that this kind takes.
    MaxEntries,
    /// A flag that this kind does not take, or flags that contradict each other.
    Flags,
    /// The kind needs types of its keys and values.
    NeedsTypes,
    /// The kind needs an inner map, or must not have one.
    Inner,
    /// Values of this kind cannot hold such a field.
    Field(FieldKind),
    /// Tracing programs cannot use a map whose values hold such a field.
    FieldInTracing(FieldKind),
    /// Socket filters cannot use a map whose values hold such a field.
    FieldInSocketFilter(FieldKind),
    /// Maps of this kind belong to the host, not to programs.
    NotForPrograms,
    /// Programs that sleep cannot use maps of this kind.
    NotSleepable,
}
