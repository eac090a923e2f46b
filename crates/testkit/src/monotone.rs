//! Where knowing more is worse: rules of the host that refuse what they can see, and let through what they cannot.
//!
//! A search that walks every path knows more in places than one that cuts paths short. Both must keep to the rules; but where a
//! rule is of this kind, a refusal by the one says nothing against the other.

use bpfvet::RejectionCause;
use bpfvet::platform::Privilege;
use bpfvet::vm::violation::{Cause, MemoryCause, RegisterCause, Violation};

/// Whether the refusal could be gone where less is known, and the program be none the worse.
///
/// - A part of a spilled pointer is not overwritten while it could still be read; where paths are compared, what is never read
///   is forgotten first.
/// - To the privileged a pointer is a number that can be used as nothing else once it is not known to be one: its bytes can be
///   read at a place that is not known, and a helper may overwrite it or not. Operations that pointers do not have are refused
///   only where it is known that this is one.
#[must_use]
fn refuses_knowledge(violation: &Violation, privilege: Privilege) -> bool {
    match &*violation.cause {
        Cause::Memory(MemoryCause::SpilledPointerCorrupted { .. }) => true,
        Cause::Memory(MemoryCause::PartialPointerFill | MemoryCause::PartialPointerSpill)
        | Cause::Register(
            RegisterCause::PointerOperator { .. }
            | RegisterCause::PointerArithmetic32 { .. }
            | RegisterCause::PointerArithmeticOnKind { .. }
            | RegisterCause::PointerPointer { .. }
            | RegisterCause::PointerFromScalar { .. }
            | RegisterCause::StackPointerSubtraction { .. },
        ) => privilege.may_leak_pointers(),
        Cause::Memory(_)
        | Cause::Register(_)
        | Cause::Call(_)
        | Cause::Resource(_)
        | Cause::Context(_)
        | Cause::Policy(_) => false,
    }
}

/// What a refusal says against a program.
pub(crate) enum Refusal {
    /// A rule is broken, whoever looks: why.
    Rule(String),
    /// Nothing: it was beyond somebody's means, or would be gone where less is known.
    Nothing,
    /// An invariant of the verifier does not hold: which, and where.
    Internal(String),
}

impl Refusal {
    /// Of a program that was loaded with `privilege`.
    pub(crate) fn of(cause: &RejectionCause, privilege: Privilege) -> Self {
        match cause {
            RejectionCause::Violation(violation) if refuses_knowledge(violation, privilege) => Self::Nothing,
            RejectionCause::Violation(violation) => Self::Rule(format!("{violation:?}")),
            RejectionCause::Internal { at, what } => Self::Internal(format!("{at}: {what}")),
            RejectionCause::LoadRefused(_)
            | RejectionCause::MapRefused { .. }
            | RejectionCause::NoSuchMap { .. }
            | RejectionCause::MissingInsn { .. }
            | RejectionCause::NoDirectValue { .. }
            | RejectionCause::DirectValueOutOfBounds { .. }
            | RejectionCause::Structure(_)
            | RejectionCause::InfiniteLoop { .. }
            | RejectionCause::Limit(_)
            | RejectionCause::Pass { .. }
            | RejectionCause::Interrupted
            | RejectionCause::Unsupported(_) => Self::Nothing,
        }
    }
}
