//! A call that is not given the dynamic pointer that it takes.

use alloc::format;

use bpfvet_platform::DynptrKind;
use bpfvet_vm::violation::DynptrCause;

use super::{Words, argument};
use crate::diagnostic::describe::tag_words;

pub(super) fn words(cause: &DynptrCause) -> Words {
    match cause {
        DynptrCause::Argument { place } => {
            Words::program("a dynamic pointer must be on the stack", argument(*place)).follow(*place)
        }
        DynptrCause::Room { place, fault: Some(_) } | DynptrCause::Missing { place, fault: Some(_) } => {
            Words::program("a dynamic pointer takes two whole slots of the stack, at a known place", argument(*place))
                .help("pass the address of a `struct bpf_dynptr` variable")
                .follow(*place)
        }
        DynptrCause::Room { place, fault: None } => {
            Words::program("no dynamic pointer can be made here", argument(*place))
                .help("use a `struct bpf_dynptr` variable of its own")
                .follow(*place)
        }
        DynptrCause::Missing { place, fault: None } => {
            Words::program("there is no dynamic pointer here", argument(*place))
                .why("it was never made on this path, was written over, or ended with what it lies over")
                .help("make it on every path before this call, and use it no more once it was submitted or discarded")
                .follow(*place)
        }
        DynptrCause::Kind { place, expected, actual } => Words::program(
            format!("this call takes a dynamic pointer over {}", over(*expected)),
            format!("{} lies over {}", argument(*place), over(*actual)),
        )
        .follow(*place),
        DynptrCause::ConstReleased { place } => {
            Words::program("this dynamic pointer is not the program's to give back", argument(*place)).follow(*place)
        }
        DynptrCause::Memory { tag } => {
            Words::program("a dynamic pointer is made of something else than a map value", "called here")
                .why(format!(
                    "the first argument is {}, which may be gone before the dynamic pointer is",
                    tag_words(*tag)
                ))
                .help("use memory in a map value or a global variable")
        }
        DynptrCause::PartNotWritable => {
            Words::program("programs of this type may not write through a part of a dynamic pointer", "called here")
                .help("use bpf_dynptr_slice() and bpf_dynptr_write()")
        }
    }
}

const fn over(kind: DynptrKind) -> &'static str {
    match kind {
        DynptrKind::Local => "the program's own memory",
        DynptrKind::Ringbuf => "a ring buffer record",
        DynptrKind::Skb | DynptrKind::Xdp => "a packet",
        DynptrKind::SkbMeta => "a packet's metadata",
        DynptrKind::File => "a file",
    }
}
