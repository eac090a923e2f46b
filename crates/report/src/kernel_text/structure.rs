//! The program's form is wrong.

use alloc::format;
use alloc::string::{String, ToString};

use bpfvet_cfg::{ExceptionCallbackFault, StructureCause, StructureError};
use bpfvet_insn::InsnIdx;

use crate::Names;

/// What the kernel says of a program's form, without the final newline. Empty where it only returns an error.
#[must_use]
pub fn structure_message(error: &StructureError, names: &Names<'_>) -> String {
    let StructureError { at, cause } = error;
    let at = at.unwrap_or(InsnIdx(0));
    match cause {
        // `bpf(2)` itself refuses these two.
        StructureCause::Empty | StructureCause::TooLong { .. } => String::new(),
        StructureCause::SubprogsUnavailable => "BPF_CALL uses reserved fields".to_string(),
        StructureCause::FunctionAddressesUnavailable => "unrecognized bpf_ld_imm64 insn".to_string(),
        StructureCause::NotPermitted { what: _ } => {
            "loading/calling other bpf or kernel functions are allowed for CAP_BPF and CAP_SYS_ADMIN".to_string()
        }
        StructureCause::CallOutOfRange { to: _ } => "call to invalid destination".to_string(),
        StructureCause::TooManySubprogs { limit: _ } => "too many subprograms".to_string(),
        StructureCause::ExceptionCallback { name, fault } => match fault {
            ExceptionCallbackFault::Several => "multiple exception callback tags for main subprog".to_string(),
            ExceptionCallbackFault::NoType => format!("exception callback '{name}' could not be found in BTF"),
            ExceptionCallbackFault::NotGlobal => format!("exception callback '{name}' must have global linkage"),
            ExceptionCallbackFault::NotInProgram => "exception callback type id not found in func_info".to_string(),
            ExceptionCallbackFault::Main => "invalid exception callback insn_off in func_info: 0".to_string(),
        },
        StructureCause::JumpOutOfRange { to, subprog: _, start: _, end: _ } => {
            format!("jump out of range from insn {at} to {to}")
        }
        StructureCause::FallsThrough { subprog: _ } => "last insn is not an exit or jmp".to_string(),
        StructureCause::NoJumpTable { start } => format!("no jump tables found for subprog starting at {start}"),
        StructureCause::JumpTableUnknown { map: _ } | StructureCause::JumpTableEntry { map: _, to: _ } => {
            "Failed to properly initialize insn array".to_string()
        }
        StructureCause::JumpTableOutside { start, end } => {
            format!("jump table for insn {at} points outside of the subprog [{start},{end}]")
        }
        StructureCause::BackEdge { to } => format!("back-edge from insn {at} to {to}"),
        StructureCause::Unreachable => format!("unreachable insn {at}"),
        StructureCause::JumpIntoWide => format!("jump into the middle of ldimm64 insn {at}"),
        StructureCause::RecursiveCall { caller: _, caller_name, callee: _, callee_name } if !names.old_wording() => {
            format!("recursive call from {caller_name}() to {callee_name}()")
        }
        // Up to 6.12 the walk over the control flow found it, as an edge back.
        StructureCause::RecursiveCall { .. } => format!("back-edge from insn {at} to {}", callee_start(at, names)),
        StructureCause::LivenessTooDeep { limit: _ } => String::new(),
        StructureCause::LivenessTooComplex { calls, limit: _ } => {
            format!("liveness analysis exceeded complexity limit ({calls} calls)")
        }
        StructureCause::ThrowInCallback { subprog } => {
            format!("bpf_throw kfunc (insn {}) cannot be called from callback subprog {}", at.0, subprog.0)
        }
        StructureCause::PacketLoadInCallback { subprog: _ } => {
            "cannot use BPF_LD_[ABS|IND] within callback".to_string()
        }
        StructureCause::TailCallStackTooLarge { subprog: _, bytes, limit: _ } => {
            format!("tail_calls are not allowed when call stack of previous frames is {bytes} bytes. Too large")
        }
        StructureCause::StackTooLarge { subprog, bytes, limit: _ } => {
            format!("stack size of subprog {} is {bytes}. Too large", subprog.0)
        }
        StructureCause::CombinedStackTooLarge { subprog: _, calls, bytes, limit: _ } => {
            format!("combined stack size of {calls} calls is {bytes}. Too large")
        }
        StructureCause::CallsExceptionCallback { subprog: _ } => {
            format!("insn {at} cannot call exception cb directly")
        }
        StructureCause::TooManyFrames { frames, limit: _ } => {
            format!("the call stack of {frames} frames is too deep !")
        }
        StructureCause::TailCallInCallback { subprog: _ } => "cannot tail call within callback".to_string(),
        StructureCause::RecordCount { .. } => {
            "number of funcs in func_info doesn't match number of subprogs".to_string()
        }
        StructureCause::RecordElsewhere { .. } => {
            "func_info BTF section doesn't match subprog layout in BPF program".to_string()
        }
        StructureCause::HiddenExit { packet_load, described, .. } => {
            let what = if *packet_load { "LD_ABS" } else { "tail_call" };
            if *described {
                format!("{what} is only allowed in functions that return 'int'.")
            } else {
                format!("{what} is not allowed in subprogs without BTF")
            }
        }
        StructureCause::TailCallWithStackArgs { subprog: _ } => {
            "tail_calls are not allowed in programs with stack args".to_string()
        }
    }
}

/// Whether the kernel ends the message with a newline.
pub(super) const fn ends_line(error: &StructureError) -> bool {
    !matches!(
        error.cause,
        StructureCause::CallsExceptionCallback { .. } | StructureCause::Empty | StructureCause::TooLong { .. }
    )
}

/// Where the call at `at` leads.
fn callee_start(at: InsnIdx, names: &Names<'_>) -> i64 {
    match names.request().program.get(at) {
        Some(bpfvet_insn::Insn::Call(bpfvet_insn::Call::Subprog(distance))) => {
            i64::from(at.0) + 1 + i64::from(*distance)
        }
        _ => 0,
    }
}
