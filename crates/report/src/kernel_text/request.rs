//! Refusals before a single instruction is looked at. The kernel answers most of them with an error number and no words; these are
//! ours then.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};

use bpfvet_platform::{AttachType, FieldKind, LoadRefusal, LoadRequest, MapRefusal, ProgramType, Version};

use crate::Names;

pub(super) fn load_message(refusal: &LoadRefusal, names: &Names<'_>) -> String {
    let request = names.request();
    let target = request.attach_target.as_ref().map_or("", |target| target.name.as_str());
    let target: Cow<'_, str> = match request.program_type {
        ProgramType::LSM => format!("bpf_lsm_{target}").into(),
        _ => target.into(),
    };
    match refusal {
        LoadRefusal::UnknownProgramType => "this kernel does not have the program type".to_string(),
        LoadRefusal::UnknownAttachType => "this kernel does not have the attach type".to_string(),
        LoadRefusal::UnknownFlag(flag) => format!("this kernel does not have the load flag {flag}"),
        LoadRefusal::NeedsBpf => "loading such a program needs CAP_BPF".to_string(),
        LoadRefusal::NeedsNetAdmin => "loading such a program needs CAP_NET_ADMIN".to_string(),
        LoadRefusal::NeedsPerfmon => "loading such a program needs CAP_PERFMON".to_string(),
        LoadRefusal::AttachType => "programs of this type cannot be attached there".to_string(),
        LoadRefusal::CannotSleep if names.is_before(Version::new(6, 7)) => {
            "Only fentry/fexit/fmod_ret, lsm, and kprobe/uprobe programs can be sleepable".to_string()
        }
        LoadRefusal::CannotSleep if names.old_wording() => {
            "Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable".to_string()
        }
        LoadRefusal::CannotSleep => "Program of this type cannot be sleepable".to_string(),
        LoadRefusal::MustSleep => "Syscall programs can only be sleepable".to_string(),
        LoadRefusal::NeedsGpl => match request.program_type {
            ProgramType::STRUCT_OPS => "struct ops programs must have a GPL compatible license".to_string(),
            ProgramType::LSM => "LSM programs must have a GPL compatible license".to_string(),
            _ => "programs of this type need a GPL-compatible license".to_string(),
        },
        LoadRefusal::NoTarget => "Tracing programs must provide btf_id".to_string(),
        LoadRefusal::UnknownTarget => "the kernel has no such attach target".to_string(),
        LoadRefusal::ForbiddenTarget if request.program_type == ProgramType::LSM => {
            format!("attach_btf_id {} points to disabled hook {target}", btf_id(request))
        }
        LoadRefusal::ForbiddenTarget => format!("Attaching tracing programs to function '{target}' is rejected."),
        LoadRefusal::TargetNeverReturns => {
            format!("Attaching fexit/fsession/fmod_ret to __noreturn function '{target}' is rejected.")
        }
        LoadRefusal::TargetCannotSleep if request.attach_type == AttachType::TRACE_RAW_TP => {
            format!("Sleepable program cannot attach to non-faultable tracepoint {target}")
        }
        LoadRefusal::TargetCannotSleep => format!("{target} is not sleepable"),
        LoadRefusal::TargetNotModifiable => format!("{target}() is not modifiable"),
        LoadRefusal::Unsupported(what) => format!("not supported: {what}"),
    }
}

fn btf_id(request: &LoadRequest) -> u32 {
    request.attach_target.as_ref().map_or(0, |target| target.btf_id)
}

pub(super) fn map_message(map: &str, refusal: &MapRefusal) -> String {
    let field = |kind: &FieldKind| super::memory::field_name(*kind);
    match refusal {
        MapRefusal::UnknownKind => format!("map '{map}': this kernel does not have the map type"),
        MapRefusal::NeedsBpf => format!("map '{map}': creating it needs CAP_BPF"),
        MapRefusal::NeedsNetAdmin => format!("map '{map}': creating it needs CAP_NET_ADMIN"),
        MapRefusal::NeedsBpfAndPerfmon => format!("map '{map}': creating it needs CAP_BPF and CAP_PERFMON"),
        MapRefusal::KeySize => format!("map '{map}': its key size is not one that this type takes"),
        MapRefusal::ValueSize => format!("map '{map}': its value size is not one that this type takes"),
        MapRefusal::MaxEntries => format!("map '{map}': its number of entries is not one that this type takes"),
        MapRefusal::Flags => format!("map '{map}': its flags are not ones that this type takes"),
        MapRefusal::NeedsTypes => format!("map '{map}': this type needs BTF of its keys and values"),
        MapRefusal::Inner => format!("map '{map}': its inner map is missing, or must not be"),
        MapRefusal::Field(kind) => format!("map '{map}': values of this type cannot hold {}", field(kind)),
        MapRefusal::FieldInTracing(FieldKind::ListHead | FieldKind::RbRoot) => {
            "tracing progs cannot use bpf_{list_head,rb_root} yet".to_string()
        }
        MapRefusal::FieldInTracing(kind) => format!("tracing progs cannot use {} yet", field(kind)),
        MapRefusal::FieldInSocketFilter(kind) => format!("socket filter progs cannot use {} yet", field(kind)),
        MapRefusal::NotForPrograms => "bpf_struct_ops map cannot be used in prog".to_string(),
        MapRefusal::NotSleepable => {
            "Sleepable programs can only use array, hash, ringbuf and local storage maps".to_string()
        }
    }
}
