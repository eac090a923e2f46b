//! The program's form is wrong.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bpfvet_cfg::{Restricted, StructureCause, StructureError};
use bpfvet_explore::Rejection;

use super::Words;
use crate::Names;
use crate::diagnostic::Class;

/// What each function uses, the largest first.
fn stacks(rejection: &Rejection) -> String {
    let mut stacks: Vec<(u32, String)> = Vec::new();
    for (index, subprog) in rejection.stats.subprogs.iter().enumerate().filter(|(_, subprog)| subprog.stack_depth > 0) {
        let name = match subprog.name.as_deref() {
            None | Some("") => format!("function {index}"),
            Some(name) => format!("`{name}`"),
        };
        stacks.push((subprog.stack_depth, name));
    }
    stacks.sort_by(|(a, _), (b, _)| b.cmp(a));
    let parts: Vec<String> = stacks.into_iter().take(8).map(|(bytes, name)| format!("{name} {bytes}")).collect();
    format!("bytes by function: {}; each is rounded up to a multiple of 16 or 32", parts.join(", "))
}

pub(super) fn words(error: &StructureError, rejection: &Rejection, names: &Names<'_>) -> Words {
    let host = names.platform().name();
    let function = |index: u32| match names.subprog(index) {
        "" => format!("function {index}"),
        name => format!("`{name}`"),
    };
    match &error.cause {
        StructureCause::Empty => Words::program("the program has no instruction", ""),
        StructureCause::TooLong { len, limit } => {
            Words::program(format!("the program has {len} instructions, {limit} are allowed"), "")
                .class(Class::Limit)
                .help("split it with tail calls; without CAP_BPF the limit is lower")
        }
        StructureCause::SubprogsUnavailable => {
            Words::program(format!("{host} has no calls between functions"), "called here")
                .class(Class::Host)
                .help("inline the function: `static __always_inline`")
        }
        StructureCause::FunctionAddressesUnavailable => {
            Words::program(format!("{host} has no addresses of functions"), "taken here").class(Class::Host)
        }
        StructureCause::NotPermitted { what } => {
            let (what, without) = match what {
                Restricted::FunctionAddress => ("taking the address of a function", "BPF function references"),
                Restricted::SubprogCall => ("calling another function of the program", "calls between functions"),
                Restricted::KernelCall => ("calling a kernel function", "kernel functions"),
            };
            Words::program(format!("{what} needs CAP_BPF"), "here")
                .class(Class::Host)
                .help(format!("load it with CAP_BPF, or avoid {without} in unprivileged programs"))
        }
        StructureCause::CallOutOfRange { to } => {
            Words::program("a call leads out of the program", format!("to instruction {to}"))
        }
        StructureCause::TooManySubprogs { limit } => {
            Words::program(format!("more than {limit} functions"), "").class(Class::Limit)
        }
        StructureCause::ExceptionCallback { name, fault } => {
            Words::program(format!("the exception callback {name:?} {fault}"), "")
        }
        StructureCause::JumpOutOfRange { to, subprog: _, start: _, end: _ } => {
            Words::program("a jump leaves its function", format!("to instruction {to}"))
        }
        StructureCause::FallsThrough { subprog } => {
            Words::program(format!("{} can run past its end", function(subprog.0)), "no exit and no jump here")
                .class(Class::Compiler)
                .help("return on every path; undefined behaviour in C makes compilers drop the rest of a function")
        }
        StructureCause::NoJumpTable { start: _ } => {
            Words::program("an indirect jump without a jump table", "no table belongs to this function")
        }
        StructureCause::JumpTableUnknown { map } => {
            Words::program(format!("the contents of jump table `{map}` are not known"), "")
        }
        StructureCause::JumpTableEntry { map, to } => {
            Words::program(format!("jump table `{map}` leads to slot {to}, where no instruction starts"), "")
        }
        StructureCause::JumpTableOutside { start, end } => Words::program(
            "a jump table leads out of its function",
            format!("the function has instructions {start} to {}", end.0.saturating_sub(1)),
        ),
        StructureCause::BackEdge { to } => {
            Words::program("a loop, and loops are not allowed here", format!("jumps back to instruction {to}"))
                .class(Class::Host)
                .why("loops need Linux 5.3 and CAP_BPF")
                .help("unroll it: `#pragma unroll`, with a constant number of rounds")
        }
        StructureCause::Unreachable => Words::program("no path leads to this instruction", "never reached")
            .class(Class::Compiler)
            .help("compile with optimisation (`-O2`), which removes dead code"),
        StructureCause::JumpIntoWide => {
            Words::program("a jump into the middle of a 64-bit immediate load", "the load starts here")
        }
        StructureCause::RecursiveCall { caller, caller_name: _, callee, callee_name: _ } => Words::program(
            format!("{} calls {} again: recursion is not allowed", function(caller.0), function(callee.0)),
            "called here",
        )
        .help("write it as a loop with a stack of its own, or with bpf_loop()"),
        StructureCause::LivenessTooDeep { limit } => {
            Words::program(format!("stack pointers are passed through more than {limit} calls"), "").class(Class::Limit)
        }
        StructureCause::LivenessTooComplex { calls: _, limit: _ } => {
            Words::program("too many different ways to call functions with stack pointers", String::new())
                .class(Class::Limit)
        }
        StructureCause::ThrowInCallback { subprog } => {
            Words::program(format!("{} throws, and is a callback or called by one", function(subprog.0)), "thrown here")
                .why("the functions of the kernel between the callback and the program cannot be unwound")
        }
        StructureCause::PacketLoadInCallback { subprog } => Words::program(
            format!("{} is a callback and has a legacy packet load, which can end the program", function(subprog.0)),
            "here",
        ),
        StructureCause::TailCallStackTooLarge { subprog, bytes, limit } => {
            Words::program(format!("a tail call in {} under {bytes} bytes of stack", function(subprog.0)), "here")
                .class(Class::Limit)
                .why(format!("callers of a function with a tail call must use less than {limit} bytes together"))
        }
        StructureCause::StackTooLarge { subprog, bytes, limit } => {
            Words::program(format!("{} uses {bytes} bytes of stack, {limit} are allowed", function(subprog.0)), "")
                .class(Class::Limit)
                .help("move large variables into a per-CPU array of one element")
        }
        StructureCause::CombinedStackTooLarge { subprog, calls, bytes, limit } => Words::program(
            format!("{calls} nested functions use {bytes} bytes of stack together, {limit} are allowed"),
            format!("in {}, the innermost", function(subprog.0)),
        )
        .class(Class::Limit)
        .why(stacks(rejection))
        .help("move large variables into a per-CPU array of one element, or inline fewer functions"),
        StructureCause::CallsExceptionCallback { subprog } => {
            Words::program(format!("{} is the exception callback and is called directly", function(subprog.0)), "here")
        }
        StructureCause::TooManyFrames { frames: _, limit } => {
            Words::program(format!("more than {limit} nested calls"), "").class(Class::Limit)
        }
        StructureCause::TailCallInCallback { subprog } => {
            Words::program(format!("a tail call can be reached from callback {}", function(subprog.0)), "")
        }
        StructureCause::RecordCount { records, functions } => {
            Words::program(format!("there are {functions} functions and {records} function records"), "")
                .help("rebuild the object; a tool has changed its code or its .BTF.ext section")
        }
        StructureCause::RecordElsewhere { subprog } => {
            Words::program(format!("the function record of {} is elsewhere", function(subprog.0)), "")
                .help("rebuild the object; a tool has changed its code or its .BTF.ext section")
        }
        StructureCause::HiddenExit { subprog, packet_load, described } => {
            let what = if *packet_load { "a legacy packet load" } else { "a tail call" };
            let why = if *described { "its type says that it does not return a number" } else { "it has no type" };
            Words::program(format!("{what} can end {} early", function(subprog.0)), "in this function")
                .why(format!("the function then returns a number, but {why}"))
                .help("make the function return int, and compile with -g")
        }
        StructureCause::TailCallWithStackArgs { subprog } => {
            Words::program(format!("a tail call under {}, which has arguments on the stack", function(subprog.0)), "")
        }
    }
}
