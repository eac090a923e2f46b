//! A call that is not given the dynamic pointer that it takes.

use alloc::format;
use alloc::string::{String, ToString};

use bpfvet_platform::DynptrKind;
use bpfvet_vm::violation::{DynptrCause, Place, SlotFault};

use super::place;
use crate::Names;
use crate::state_text::type_text;

/// Source: `process_dynptr_func`, `check_helper_call`, `check_special_kfunc`, `kernel/bpf/verifier.c`, Linux 7.3; before 6.13
/// arguments are counted from zero.
pub(super) fn message(cause: &DynptrCause, names: &Names<'_>) -> String {
    let argument = |arg: Place| match arg {
        Place::Reg(reg) if names.old_wording() => format!("arg #{}", reg.number().saturating_sub(1)),
        Place::Reg(_) | Place::StackArg(_) => place(arg),
    };
    match cause {
        DynptrCause::Argument { place: arg } => {
            let arg = argument(*arg).replace("arg #", "arg#");
            format!("{arg} expected pointer to stack or const struct bpf_dynptr")
        }
        DynptrCause::Room { place: _, fault } => {
            format!("{}Dynptr has to be an uninitialized dynptr", fault_text(*fault))
        }
        DynptrCause::Missing { place: arg, fault } => {
            format!("{}Expected an initialized dynptr as {}", fault_text(*fault), argument(*arg))
        }
        DynptrCause::Kind { place: arg, expected, actual: _ } => {
            format!("Expected a dynptr of type {} as {}", kind_text(*expected), argument(*arg))
        }
        DynptrCause::ConstReleased { place: _ } if names.old_wording() => {
            "cannot pass pointer to const bpf_dynptr, the helper mutates it".to_string()
        }
        DynptrCause::ConstReleased { place: _ } => "CONST_PTR_TO_DYNPTR cannot be released".to_string(),
        DynptrCause::Memory { tag } => {
            format!("Unsupported reg type {} for bpf_dynptr_from_mem data", type_text(*tag))
        }
        DynptrCause::PartNotWritable => "the prog does not allow writes to packet data".to_string(),
    }
}

fn fault_text(fault: Option<SlotFault>) -> String {
    match fault {
        None => String::new(),
        Some(SlotFault::Variable) => "dynptr has to be at a constant offset\n".to_string(),
        Some(SlotFault::Offset(off)) => format!("cannot pass in dynptr at an offset={off}\n"),
    }
}

/// What a dynamic pointer lies over, as logs name it (`dynptr_type_str`, `kernel/bpf/log.c`, Linux 7.3).
pub(crate) const fn kind_text(kind: DynptrKind) -> &'static str {
    match kind {
        DynptrKind::Local => "local",
        DynptrKind::Ringbuf => "ringbuf",
        DynptrKind::Skb => "skb",
        DynptrKind::Xdp => "xdp",
        DynptrKind::SkbMeta => "skb_meta",
        DynptrKind::File => "file",
    }
}
