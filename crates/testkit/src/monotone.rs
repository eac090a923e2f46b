//! Where knowing more is worse: rules of the host that refuse what they can see, and let through what they cannot.
//!
//! A search that walks every path knows more in places than one that cuts paths short. Both must keep to the rules; but where a
//! rule is of this kind, a refusal by the one says nothing against the other.

use bpfvet::vm::violation::{Cause, MemoryCause, Violation};

/// Whether the refusal could be gone where less is known, and the program be none the worse.
///
/// Bytes of a spilled pointer may be read by the privileged at a place that is not known, but not at one that is.
#[must_use]
pub(crate) fn refuses_knowledge(violation: &Violation) -> bool {
    matches!(*violation.cause, Cause::Memory(MemoryCause::PartialPointerFill))
}
