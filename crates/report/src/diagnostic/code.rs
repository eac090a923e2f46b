//! Stable codes: `group::name`, one for each thing that can be wrong.

use bpfvet_cfg::StructureCause;
use bpfvet_explore::{Limit, RejectionCause};
use bpfvet_insn::{DecodeError, DecodeErrorKind};
use bpfvet_platform::LoadRefusal;

/// The code of a verdict that is not acceptance.
#[must_use]
pub fn code(cause: &RejectionCause) -> &'static str {
    match cause {
        RejectionCause::Violation(violation) => violation.cause.code(),
        RejectionCause::Structure(error) => structure_code(&error.cause),
        RejectionCause::Limit(Limit::ProgramLength { slots: 0, limit: _ }) => "structure::empty",
        RejectionCause::Limit(Limit::ProgramLength { .. }) => "limit::program-length",
        RejectionCause::Limit(Limit::ProcessedInsns { .. }) => "limit::processed-insns",
        RejectionCause::Limit(Limit::PendingStates { .. }) => "limit::pending-states",
        RejectionCause::InfiniteLoop { .. } => "structure::infinite-loop",
        RejectionCause::LoadRefused(LoadRefusal::Unsupported(_)) => "bpfvet::unsupported",
        RejectionCause::LoadRefused(_) => "load::refused",
        RejectionCause::MapRefused { .. } => "load::map-refused",
        RejectionCause::NoSuchMap { .. } => "load::no-such-map",
        RejectionCause::MissingInsn { .. } => "load::missing-instruction",
        RejectionCause::NoDirectValue { .. } => "load::no-direct-value",
        RejectionCause::DirectValueOutOfBounds { .. } => "load::direct-value-out-of-bounds",
        RejectionCause::Pass { code, .. } => code,
        RejectionCause::Unsupported(_) => "bpfvet::unsupported",
        RejectionCause::Interrupted => "bpfvet::interrupted",
        RejectionCause::Internal { .. } => "bpfvet::internal",
    }
}

/// The code of bytes that are no instruction.
#[must_use]
pub const fn decode_code(error: &DecodeError) -> &'static str {
    match error.kind {
        DecodeErrorKind::Length { .. } => "instruction::length",
        DecodeErrorKind::Register { .. } => "instruction::register",
        DecodeErrorKind::Unpaired | DecodeErrorKind::SecondHalf { .. } => "instruction::half-of-a-pair",
        DecodeErrorKind::ImmSource { .. } => "instruction::immediate-source",
        DecodeErrorKind::Opcode { .. } => "instruction::opcode",
        DecodeErrorKind::Reserved { .. } | DecodeErrorKind::ReservedHigh { .. } => "instruction::reserved-field",
        DecodeErrorKind::AddressSpaces { .. } => "instruction::address-spaces",
        DecodeErrorKind::AtomicOp { .. } => "instruction::atomic-operation",
        DecodeErrorKind::AtomicSize { .. } => "instruction::atomic-size",
    }
}

/// The code of a program whose form is wrong.
#[must_use]
pub const fn structure_code(cause: &StructureCause) -> &'static str {
    match cause {
        StructureCause::Empty => "structure::empty",
        StructureCause::TooLong { .. } => "limit::program-length",
        StructureCause::SubprogsUnavailable => "structure::subprogs-unavailable",
        StructureCause::FunctionAddressesUnavailable => "structure::function-addresses-unavailable",
        StructureCause::NotPermitted { .. } => "policy::not-permitted",
        StructureCause::CallOutOfRange { .. } => "structure::call-out-of-range",
        StructureCause::TooManySubprogs { .. } => "limit::subprogs",
        StructureCause::ExceptionCallback { .. } => "structure::exception-callback",
        StructureCause::JumpOutOfRange { .. } => "structure::jump-out-of-range",
        StructureCause::FallsThrough { .. } => "structure::falls-through",
        StructureCause::NoJumpTable { .. } => "structure::no-jump-table",
        StructureCause::JumpTableUnknown { .. } => "structure::jump-table-unknown",
        StructureCause::JumpTableEntry { .. } => "structure::jump-table-entry",
        StructureCause::JumpTableOutside { .. } => "structure::jump-table-outside",
        StructureCause::BackEdge { .. } => "structure::back-edge",
        StructureCause::Unreachable => "structure::unreachable",
        StructureCause::JumpIntoWide => "structure::jump-into-wide",
        StructureCause::RecursiveCall { .. } => "structure::recursive-call",
        StructureCause::LivenessTooDeep { .. } => "limit::liveness-depth",
        StructureCause::LivenessTooComplex { .. } => "limit::liveness-complexity",
        StructureCause::ThrowInCallback { .. } => "structure::throw-in-callback",
        StructureCause::PacketLoadInCallback { .. } => "structure::packet-load-in-callback",
        StructureCause::TailCallStackTooLarge { .. } => "limit::tail-call-stack",
        StructureCause::StackTooLarge { .. } => "limit::stack",
        StructureCause::CombinedStackTooLarge { .. } => "limit::combined-stack",
        StructureCause::CallsExceptionCallback { .. } => "structure::calls-exception-callback",
        StructureCause::TooManyFrames { .. } => "limit::frames",
        StructureCause::TailCallInCallback { .. } => "structure::tail-call-in-callback",
        StructureCause::RecordCount { .. } => "structure::record-count",
        StructureCause::RecordElsewhere { .. } => "structure::record-elsewhere",
        StructureCause::HiddenExit { .. } => "structure::hidden-exit",
        StructureCause::TailCallWithStackArgs { .. } => "structure::tail-call-with-stack-args",
    }
}
