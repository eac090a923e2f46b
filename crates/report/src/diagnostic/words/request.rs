//! Refused before the first instruction: the load itself, or a map.

use alloc::format;
use alloc::string::String;

use bpfvet_platform::{LoadRefusal, MapRefusal};

use super::Words;
use crate::Names;
use crate::diagnostic::Class;
use crate::kernel_text::field_name;

pub(super) fn load(refusal: &LoadRefusal, names: &Names<'_>) -> Words {
    let host = names.platform().name();
    let request = names.request();
    let (kind, attach) = (request.program_type.name(), request.attach_type.name());
    let target = request.attach_target.as_ref().map_or("", |target| target.name.as_str());
    let headline = match refusal {
        LoadRefusal::UnknownProgramType => format!("{host} does not have program type `{kind}`"),
        LoadRefusal::UnknownAttachType => format!("{host} does not have attach type `{attach}`"),
        LoadRefusal::NeedsBpf => format!("loading a `{kind}` program needs CAP_BPF"),
        LoadRefusal::NeedsNetAdmin => format!("loading a `{kind}` program needs CAP_NET_ADMIN"),
        LoadRefusal::NeedsPerfmon => format!("loading a `{kind}` program needs CAP_PERFMON"),
        LoadRefusal::AttachType => format!("a `{kind}` program cannot be attached as `{attach}`"),
        LoadRefusal::CannotSleep => format!("a `{kind}` program cannot be sleepable"),
        LoadRefusal::MustSleep => format!("a `{kind}` program must be sleepable"),
        LoadRefusal::NeedsGpl => format!("a `{kind}` program needs a GPL-compatible licence"),
        LoadRefusal::NoTarget => format!("a `{kind}` program must name what it attaches to"),
        LoadRefusal::UnknownTarget => format!("{host} has no `{target}` to attach to"),
        LoadRefusal::ForbiddenTarget => format!("no program may be attached to `{target}`"),
        LoadRefusal::TargetNeverReturns => format!("`{target}` never returns, so nothing can run after it"),
        LoadRefusal::TargetCannotSleep => format!("a program attached to `{target}` must not sleep"),
        LoadRefusal::TargetNotModifiable => format!("what `{target}` returns cannot be replaced"),
        LoadRefusal::Unsupported(what) => {
            return Words::new(Class::Unsupported, format!("bpfvet does not model this: {what}"), "");
        }
    };
    Words::new(Class::Host, headline, "")
}

pub(super) fn map(map: &str, refusal: &MapRefusal, names: &Names<'_>) -> Words {
    let host = names.platform().name();
    let reason = match refusal {
        MapRefusal::UnknownKind => format!("{host} does not have its type"),
        MapRefusal::NeedsBpf => String::from("creating it needs CAP_BPF"),
        MapRefusal::NeedsNetAdmin => String::from("creating it needs CAP_NET_ADMIN"),
        MapRefusal::NeedsBpfAndPerfmon => String::from("creating it needs CAP_BPF and CAP_PERFMON"),
        MapRefusal::KeySize => String::from("its type does not take this key size"),
        MapRefusal::ValueSize => String::from("its type does not take this value size"),
        MapRefusal::MaxEntries => String::from("its type does not take this number of entries"),
        MapRefusal::Flags => String::from("its type does not take these flags"),
        MapRefusal::NeedsTypes => String::from("its type needs BTF that says what its keys and values are"),
        MapRefusal::Inner => String::from("the template of its inner maps is missing, or must not be there"),
        MapRefusal::Field(field) => format!("values of its type cannot hold a `struct {}`", field_name(*field)),
        MapRefusal::FieldInTracing(field) => {
            format!("tracing programs cannot use a `struct {}`", field_name(*field))
        }
        MapRefusal::FieldInSocketFilter(field) => {
            format!("socket filters cannot use a `struct {}`", field_name(*field))
        }
        MapRefusal::NotForPrograms => String::from("programs cannot use maps of its type"),
        MapRefusal::NotSleepable => String::from("programs that may sleep cannot use maps of its type"),
    };
    Words::new(Class::Host, format!("map `{map}` cannot be used: {reason}"), "used here")
}
