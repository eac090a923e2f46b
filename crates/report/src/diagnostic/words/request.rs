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
        LoadRefusal::UnknownFlag(flag) => format!("{host} does not have load flag `{flag}`"),
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
    Words::new(Class::Host, headline, "").help(load_help(refusal))
}

fn load_help(refusal: &LoadRefusal) -> &'static str {
    match refusal {
        LoadRefusal::UnknownProgramType | LoadRefusal::UnknownAttachType => {
            "ask for a newer release, or load another program where this one is missing"
        }
        LoadRefusal::UnknownFlag(_) => "leave the flag out: sections such as `xdp.frags` set one",
        LoadRefusal::NeedsBpf => {
            "run the loader as root, or give it CAP_BPF; `--unprivileged` asks about loading without"
        }
        LoadRefusal::NeedsNetAdmin => "run the loader as root, or give it CAP_BPF and CAP_NET_ADMIN",
        LoadRefusal::NeedsPerfmon => "run the loader as root, or give it CAP_BPF and CAP_PERFMON",
        LoadRefusal::AttachType => "look at the section's name: it says the program type and the attach point",
        LoadRefusal::CannotSleep => "take `.s` off the section's name, and use no helper that sleeps",
        LoadRefusal::MustSleep => "add `.s` to the section's name",
        LoadRefusal::NeedsGpl => "declare a licence: `char LICENSE[] SEC(\"license\") = \"GPL\";`",
        LoadRefusal::NoTarget => "name it in the section: `SEC(\"fentry/FUNCTION\")`",
        LoadRefusal::UnknownTarget => {
            "look the function up in the BTF of the kernel that is meant: it may be inlined there, or have another name"
        }
        LoadRefusal::ForbiddenTarget | LoadRefusal::TargetNeverReturns => "attach to a function around it",
        LoadRefusal::TargetCannotSleep => "take `.s` off the section's name, or attach to a function that may sleep",
        LoadRefusal::TargetNotModifiable => "use fentry or fexit: only hooks and injectable functions can be replaced",
        LoadRefusal::Unsupported(_) => "",
    }
}

fn map_help(refusal: &MapRefusal) -> &'static str {
    match refusal {
        MapRefusal::UnknownKind => {
            "use a kind of map that the oldest release to be supported has, or load another program there"
        }
        MapRefusal::NeedsBpf => "run the loader as root, or give it CAP_BPF",
        MapRefusal::NeedsNetAdmin => "run the loader as root, or give it CAP_NET_ADMIN",
        MapRefusal::NeedsBpfAndPerfmon => "run the loader as root, or give it CAP_BPF and CAP_PERFMON",
        MapRefusal::KeySize => {
            "give the key the size that this kind of map is looked up by: 4 bytes for arrays, none for queues"
        }
        MapRefusal::ValueSize => {
            "give the value the size that this kind of map stores: 4 bytes for maps of programs or descriptors"
        }
        MapRefusal::MaxEntries => {
            "give it at least one entry; a ring buffer's size is a power of two and a multiple of the page"
        }
        MapRefusal::Flags => "leave out the flags that this kind of map does not have",
        MapRefusal::NeedsTypes => "define the map with `__type(key, …)` and `__type(value, …)`",
        MapRefusal::Inner => "name a template with `__array(values, …)` for a map of maps, and for no other",
        MapRefusal::Field(_) => "move the field to the value of a hash or an array",
        MapRefusal::FieldInTracing(_) | MapRefusal::FieldInSocketFilter(_) => {
            "use a map without the field here, or do this part in another type of program"
        }
        MapRefusal::NotForPrograms => "use this map from user space only",
        MapRefusal::NotSleepable => {
            "use a hash, an array, a ring buffer or local storage, or take `.s` off the section's name"
        }
    }
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
    Words::new(Class::Host, format!("map `{map}` cannot be used: {reason}"), "used here").help(map_help(refusal))
}
