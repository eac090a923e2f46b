//! A change of the source, for the cases where it is known what is missing.

use alloc::format;
use alloc::string::{String, ToString};

use bpfvet_explore::RejectionCause;
use bpfvet_insn::{Call, Insn, InsnIdx};
use bpfvet_platform::ProgramType;
use bpfvet_vm::violation::{Access, Bounds, CallCause, LeakSite, MemoryCause, ResourceCause};
use bpfvet_vm::{Base, Cause, Flags};

use super::{Label, Role};
use crate::Names;

/// Lines to add to a source file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Patch {
    /// What it does, in a few words.
    pub title: String,
    /// The file, as the compiler called it.
    pub file: String,
    /// The line that the new ones come before, from 1.
    pub line: u32,
    /// The new lines, each with its newline.
    pub text: String,
}

/// The change that would cure this, if the case is a known one and the source has the names that it needs.
pub(super) fn suggest(cause: &RejectionCause, labels: &[Label], names: &Names<'_>) -> Option<Patch> {
    let RejectionCause::Violation(violation) = cause else { return None };
    match &*violation.cause {
        Cause::Memory(MemoryCause::InvalidPointer { access }) if access.tag.flags.contains(Flags::NULLABLE) => {
            null_check(labels, names)
        }
        Cause::Call(CallCause::ArgumentKind { actual, .. }) if actual.flags.contains(Flags::NULLABLE) => {
            null_check(labels, names)
        }
        Cause::Call(CallCause::PossiblyNull { .. }) => null_check(labels, names),
        Cause::Memory(MemoryCause::OutOfBounds { access, bounds: Bounds::Min { .. } | Bounds::Max { .. }, .. })
            if access.tag.base == Base::Packet =>
        {
            packet_check(violation.at, access, names)
        }
        Cause::Resource(ResourceCause::Leak { site: LeakSite::Exit, live }) => {
            release(violation.at, live.first()?.1, names)
        }
        Cause::Register(_)
        | Cause::Memory(_)
        | Cause::Resource(_)
        | Cause::Call(_)
        | Cause::Context(_)
        | Cause::Policy(_) => None,
    }
}

/// `if (!p) return …;` behind the statement that made `p`.
fn null_check(labels: &[Label], names: &Names<'_>) -> Option<Patch> {
    let made = labels.iter().rev().find(|label| {
        label.role == Role::Created && matches!(names.request().program.get(label.at), Some(Insn::Call(_)))
    })?;
    let line = names.request().line_at(made.at)?;
    if !line.text.trim_end().ends_with(';') {
        return None;
    }
    let (name, indent) = (assigned(&line.text)?, indent(&line.text));
    let leave = leave(names);
    Some(Patch {
        title: format!("check `{name}` before it is used"),
        file: line.file.to_string(),
        line: line.line.saturating_add(1),
        text: format!("{indent}if (!{name})\n{indent}\t{leave}\n"),
    })
}

/// `if ((void *)p + n > data_end) return …;` before the access.
fn packet_check(at: InsnIdx, access: &Access, names: &Names<'_>) -> Option<Patch> {
    let line = names.request().line_at(at)?;
    let (name, indent) = (dereferenced(&line.text)?, indent(&line.text));
    let end = if names.request().lines.iter().any(|line| assigned(&line.text) == Some("data_end")) {
        "data_end"
    } else {
        "(void *)(long)ctx->data_end"
    };
    let needed = access.off.checked_add(access.size).filter(|needed| *needed > 0)?;
    let leave = leave(names);
    Some(Patch {
        title: format!("prove that {needed} bytes are there before they are used"),
        file: line.file.to_string(),
        line: line.line,
        text: format!("{indent}if ((void *){name} + {needed} > {end})\n{indent}\t{leave}\n"),
    })
}

/// The matching release before the program leaves.
fn release(at: InsnIdx, taken: InsnIdx, names: &Names<'_>) -> Option<Patch> {
    let Some(Insn::Call(Call::Helper(id))) = names.request().program.get(taken) else { return None };
    let line = names.request().line_at(at)?;
    let name = assigned(&names.request().line_at(taken)?.text)?;
    let call = match names.helper(*id)? {
        "bpf_ringbuf_reserve" => format!("bpf_ringbuf_discard({name}, 0);"),
        "bpf_sk_lookup_tcp" | "bpf_sk_lookup_udp" | "bpf_skc_lookup_tcp" | "bpf_sk_fullsock" => {
            format!("bpf_sk_release({name});")
        }
        _ => return None,
    };
    let indent = if line.text.trim() == "}" { "\t".to_string() } else { indent(&line.text).to_string() };
    Some(Patch {
        title: format!("release `{name}` before the program leaves"),
        file: line.file.to_string(),
        line: line.line,
        text: format!("{indent}if ({name})\n{indent}\t{call}\n"),
    })
}

/// The statement by which a program of this type gives up without harm.
const fn leave(names: &Names<'_>) -> &'static str {
    match names.request().program_type {
        ProgramType::XDP => "return XDP_PASS;",
        ProgramType::SCHED_CLS | ProgramType::SCHED_ACT => "return TC_ACT_OK;",
        _ => "return 0;",
    }
}

/// The variable on the left of an assignment: the last word before the first single `=`.
fn assigned(text: &str) -> Option<&str> {
    let at = text.find('=')?;
    let (left, right) = (text.get(..at)?, text.get(at + 1..)?);
    if right.starts_with('=') || left.ends_with(['!', '<', '>', '+', '-', '*', '/', '|', '&', '^', '%']) {
        return None;
    }
    let name = left.trim_end().rsplit(|c: char| !is_word(c)).next()?;
    (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && !left.contains("->")).then_some(name)
}

/// The variable before the last `->` that follows a plain word.
fn dereferenced(text: &str) -> Option<&str> {
    let name = text.get(..text.rfind("->")?)?.rsplit(|c: char| !is_word(c)).next()?;
    (!name.is_empty()).then_some(name)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn indent(text: &str) -> &str {
    let len = text.len() - text.trim_start().len();
    text.get(..len).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{assigned, dereferenced};

    #[test]
    fn names_in_a_line_of_c() {
        let found = |text| assigned(text).unwrap_or("-");
        assert_eq!(found("\tstruct foo *p = bpf_map_lookup_elem(&m, &key);"), "p");
        assert_eq!(found("value=f();"), "value");
        assert_eq!(found("if (a == b)"), "-");
        assert_eq!(found("x += 3;"), "-");
        assert_eq!(found("p->next = q;"), "-");
        assert_eq!(dereferenced("if (ip->protocol != 6)"), Some("ip"));
        assert_eq!(dereferenced("return a + b;"), None);
    }
}
