//! Something that this program type, licence or privilege may not do.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bpfvet_insn::{InsnIdx, Program};
use bpfvet_platform::{HelperId, HelperLookup, LoadRequest, ProgramType};
use bpfvet_vm::violation::{LeakTo, PolicyCause, ReturnSite};

use super::Words;
use crate::Names;
use crate::diagnostic::Class;
use crate::diagnostic::describe::tag_words;
use crate::names::helper_name;

pub(super) fn words(cause: &PolicyCause, _at: InsnIdx, names: &Names<'_>) -> Words {
    let host = names.platform().name();
    let kind = names.request().program_type.name();
    match cause {
        PolicyCause::UnknownHelper { id } => {
            Words::program(format!("{host} has no helper number {id}"), "called here").class(Class::Host)
        }
        PolicyCause::HelperNotAllowed { helper, id } => {
            let words = Words::program(
                format!("`{}` is not available to this program on {host}", helper_name(helper)),
                format!("a program of type `{kind}` may not call it"),
            )
            .class(Class::Host);
            let types = types_with(*id, names);
            match types.as_slice() {
                [] => words.help("use another helper; some need CAP_BPF or CAP_PERFMON"),
                types => words
                    .why(format!("{host} has it for {}", types.join(", ")))
                    .help("use another helper, or put this part into a program of such a type"),
            }
        }
        PolicyCause::GplOnly { helper } => {
            Words::program(format!("`{}` is for GPL-compatible programs", helper_name(helper)), "called here")
                .class(Class::Host)
                .help("declare a compatible licence: `char LICENSE[] SEC(\"license\") = \"GPL\";`")
        }
        PolicyCause::KfuncNotAllowed { kfunc } => {
            Words::program(format!("`{kfunc}` is not for this program"), "called here")
                .class(Class::Host)
                .why("each function of the kernel is registered for some types of programs, and some for none")
        }
        PolicyCause::KfuncNeedsPerfmon { kfunc } => {
            Words::program(format!("`{kfunc}` needs CAP_PERFMON"), "called here").class(Class::Host)
        }
        PolicyCause::HelperRefused { helper } => {
            Words::program(format!("`{}` is not allowed at this attach point", helper_name(helper)), "called here")
                .class(Class::Host)
        }
        PolicyCause::HelperNeedsTracedFunction { helper, id: _, attach_differently } => Words::program(
            format!("`{}` needs a traced function", helper_name(helper)),
            if *attach_differently { "not with this attach type" } else { "this program type traces none" },
        )
        .class(Class::Host),
        PolicyCause::HelperPacketAccess => {
            Words::program("packet memory cannot be passed to this helper here", "a pointer into the packet")
                .class(Class::Host)
                .help("copy the bytes to the stack first and pass that")
        }
        PolicyCause::PointerLeak { reg, to } => Words::program(
            "a kernel address would become readable",
            format!("`{reg}` is a pointer and goes {}", leak_words(*to)),
        )
        .class(Class::Host)
        .why("without CAP_PERFMON no pointer may leave the program")
        .follow((*reg).into()),
        PolicyCause::PacketLoad => {
            Words::program(format!("program type `{kind}` has no legacy packet loads"), "here").class(Class::Host)
        }
        PolicyCause::PacketLoadContext => Words::program("a legacy packet load needs the context in `r6`", "here"),
        PolicyCause::ReturnValue { site, reg, smin, smax, min, max } => {
            let known = match (smin, smax) {
                (None, None) => "it can be anything".to_string(),
                (Some(smin), None) => format!("it is at least {smin}"),
                (None, Some(smax)) => format!("it is at most {smax}"),
                (Some(smin), Some(smax)) if smin == smax => format!("it is {smin}"),
                (Some(smin), Some(smax)) => format!("it is from {smin} to {smax}"),
            };
            Words::program(format!("{} is not allowed", site_words(*site)), format!("`{reg}`: {known}"))
                .why(format!("needs {}; {known}", allowed(*min, *max)))
                .help("return one of the allowed values on every path")
                .follow((*reg).into())
        }
        PolicyCause::ReturnKind { site, reg, tag } => {
            Words::program(format!("{} is not a number", site_words(*site)), format!("`{reg}` is {}", tag_words(*tag)))
                .follow((*reg).into())
        }
        PolicyCause::CallbackReturnKind => Words::program("a callback returns something that is not a number", "here"),
        PolicyCause::ReturnsStackPointer => {
            Words::program("a function returns a pointer to the stack", "its frame ends here")
        }
        PolicyCause::MapReadOnly => {
            Words::program("a map that programs may only read is changed by a helper", "here").class(Class::Host)
        }
    }
}

/// The program types that may call a helper on this host.
fn types_with(id: u32, names: &Names<'_>) -> Vec<&'static str> {
    let host = names.platform();
    let may = |kind: &ProgramType| {
        let mut request = LoadRequest::new("", *kind, Program::from_insns(Vec::new()));
        request.privilege = names.request().privilege;
        request.gpl_compatible = names.request().gpl_compatible;
        host.program_type(*kind).is_some() && matches!(host.helper(HelperId(id), &request), HelperLookup::Allowed(_))
    };
    (1..64).map(ProgramType).filter(may).map(ProgramType::name).collect()
}

fn allowed(min: i32, max: i32) -> String {
    if min == max { format!("{min}") } else { format!("a value from {min} to {max}") }
}

const fn leak_words(to: LeakTo) -> &'static str {
    match to {
        LeakTo::Map => "into a map value",
        LeakTo::Ctx => "into the context",
        LeakTo::Packet => "into the packet",
        LeakTo::FlowKeys => "into the flow keys",
        LeakTo::Mem => "into memory",
        LeakTo::Helper => "to a helper that takes any value",
        LeakTo::Return => "to the caller as return value",
    }
}

const fn site_words(site: ReturnSite) -> &'static str {
    match site {
        ReturnSite::Program => "the program's return value",
        ReturnSite::Subprogram => "the function's return value",
        ReturnSite::Callback => "the callback's return value",
        ReturnSite::AsyncCallback => "the asynchronous callback's return value",
        ReturnSite::SetRetval => "the value given to bpf_set_retval()",
    }
}
