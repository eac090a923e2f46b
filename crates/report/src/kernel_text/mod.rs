//! The kernel's wording of every cause: what people search for and tools parse.
//!
//! The words are those of Linux 7.3; where an earlier release put it differently and that is known, [`Names::version`] decides.
//! A message may have several lines: a check inside a check prints first.

mod call;
mod context;
mod decode;
mod dynptr;
mod memory;
mod policy;
mod register;
mod request;
mod resource;
mod structure;

use alloc::format;
use alloc::string::{String, ToString};

use bpfvet_domain::TnumText;
use bpfvet_explore::{Limit, RejectionCause};
use bpfvet_insn::InsnIdx;
use bpfvet_vm::violation::{CallCause, MemoryCause, Place};
use bpfvet_vm::{Cause, Violation};

use crate::Names;

pub(crate) use call::prototype_message;
pub use decode::decode_message;
pub(crate) use dynptr::kind_text;
pub(crate) use memory::field_name;
pub(crate) use resource::site_text;
pub use structure::structure_message;

/// What the kernel says when it ends like this, without the final newline.
///
/// Where the kernel would say nothing, because there is no verdict, it is what is missing.
#[must_use]
pub fn kernel_message(cause: &RejectionCause, names: &Names<'_>) -> String {
    match cause {
        RejectionCause::Violation(violation) => violation_message(violation, names),
        RejectionCause::Structure(error) => structure_message(error, names),
        RejectionCause::Limit(Limit::ProcessedInsns { processed }) => {
            format!("BPF program is too large. Processed {processed} insn")
        }
        RejectionCause::Limit(Limit::PendingStates { pending }) => {
            format!("The sequence of {pending} jumps is too complex.")
        }
        RejectionCause::Limit(Limit::ProgramLength { slots, limit }) => {
            format!("the program has {slots} instructions; there must be 1 to {limit}")
        }
        RejectionCause::LoadRefused(refusal) => request::load_message(refusal, names),
        RejectionCause::MapRefused { map, refusal, .. } => request::map_message(map, refusal),
        RejectionCause::NoSuchMap { index, .. } => format!("fd {index} is not pointing to valid bpf_map"),
        RejectionCause::MissingInsn { at, .. } => decode::missing(names.request().program.get(*at)),
        RejectionCause::NoDirectValue { .. } => "no direct value access support for this map type".to_string(),
        RejectionCause::DirectValueOutOfBounds { off, .. } if names.old_wording() && *off >= 1 << 29 => {
            format!("direct value offset of {off} is not allowed")
        }
        RejectionCause::DirectValueOutOfBounds { value_size, off, .. } => {
            format!("invalid access to map value pointer, value_size={value_size} off={off}")
        }
        RejectionCause::InfiniteLoop { at } => format!("infinite loop detected at insn {at}"),
        RejectionCause::Pass { at: _, code: _, what } => what.to_string(),
        RejectionCause::Unsupported(missing) => format!("not supported at insn {}: {}", missing.at, missing.what),
        RejectionCause::Interrupted => "interrupted".to_string(),
        RejectionCause::Internal { at, what } => format!("bug of bpfvet at insn {at}: {what}"),
    }
}

/// What the kernel says of a broken rule, without the final newline.
#[must_use]
pub fn violation_message(violation: &Violation, names: &Names<'_>) -> String {
    cause_message(&violation.cause, violation.at, names)
}

fn cause_message(cause: &Cause, at: InsnIdx, names: &Names<'_>) -> String {
    match cause {
        Cause::Register(cause) => register::message(cause, at, names),
        Cause::Memory(cause) => memory::message(cause, at, names),
        Cause::Resource(cause) => resource::message(cause, names),
        Cause::Call(cause) => call::message(cause, at, names),
        Cause::Context(cause) => context::message(cause, names),
        Cause::Policy(cause) => policy::message(cause, names),
    }
}

/// Whether the kernel ends the message with a newline. It forgets a few.
pub(crate) fn ends_line(cause: &RejectionCause) -> bool {
    match cause {
        RejectionCause::Violation(violation) => !matches!(
            *violation.cause,
            Cause::Memory(MemoryCause::VariableWriteOverSpill { .. } | MemoryCause::VariableWriteOverUninit { .. })
                | Cause::Call(CallCause::TailCallMap)
        ),
        RejectionCause::Structure(error) => structure::ends_line(error),
        RejectionCause::Limit(_)
        | RejectionCause::LoadRefused(_)
        | RejectionCause::MapRefused { .. }
        | RejectionCause::NoSuchMap { .. }
        | RejectionCause::NoDirectValue { .. }
        | RejectionCause::MissingInsn { .. }
        | RejectionCause::DirectValueOutOfBounds { .. }
        | RejectionCause::InfiniteLoop { .. }
        | RejectionCause::Pass { .. }
        | RejectionCause::Unsupported(_)
        | RejectionCause::Interrupted
        | RejectionCause::Internal { .. } => true,
    }
}

/// A place as the kernel names it (`reg_arg_name`).
pub(crate) fn place(place: Place) -> String {
    match place {
        Place::Reg(reg) => format!("R{}", reg.number()),
        Place::StackArg(slot) => format!("*(R11-{})", (u32::from(slot) + 1) * 8),
    }
}

const fn tnum(tnum: bpfvet_domain::Tnum) -> TnumText {
    TnumText(tnum)
}
