//! A change of the source, for the cases where it is known what is missing.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bpfvet_explore::RejectionCause;
use bpfvet_insn::{Call, Insn, InsnIdx};
use bpfvet_platform::ProgramType;
use bpfvet_vm::violation::{Access, Bounds, CallCause, LeakSite, MemoryCause, ResourceCause};
use bpfvet_vm::{Base, Cause, Flags};

use super::room::WantedSize;
use super::{History, Label, Role, room};
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

/// Whether the line before is a condition or a loop without a brace, whose only statement a new line would become.
fn is_lone_statement(patch: &Patch, names: &Names<'_>) -> bool {
    let before = patch.line.saturating_sub(1);
    let known = names.request().lines.iter().find(|line| line.line == before && *line.file == *patch.file);
    known.is_some_and(|line| {
        let text = line.text.trim();
        let begins = ["if ", "if(", "for ", "for(", "while ", "while(", "else", "} else"].iter();
        begins.into_iter().any(|word| text.starts_with(word)) && !text.ends_with(['{', ';'])
    })
}

/// The change that would cure this, if the case is a known one and the source has the names that it needs.
pub(super) fn suggest(cause: &RejectionCause, labels: &[Label], history: &History, names: &Names<'_>) -> Option<Patch> {
    known(cause, labels, history, names).filter(|patch| !is_lone_statement(patch, names))
}

fn known(cause: &RejectionCause, labels: &[Label], history: &History, names: &Names<'_>) -> Option<Patch> {
    let RejectionCause::Violation(violation) = cause else { return None };
    match &*violation.cause {
        Cause::Memory(MemoryCause::InvalidPointer { access }) if access.tag.flags.contains(Flags::NULLABLE) => {
            null_check(labels, names)
        }
        Cause::Call(CallCause::ArgumentKind { actual, .. }) if actual.flags.contains(Flags::NULLABLE) => {
            null_check(labels, names)
        }
        Cause::Call(CallCause::PossiblyNull { .. }) => null_check(labels, names),
        Cause::Memory(MemoryCause::OutOfBounds {
            access,
            bounds: Bounds::Min { start } | Bounds::Max { start },
            ..
        }) if access.tag.base == Base::Packet && start.saturating_add(access.size) <= PACKET_MAX => {
            packet_check(violation.at, access, names)
        }
        Cause::Resource(ResourceCause::Leak { site: LeakSite::Exit, live }) => release(live.first()?.1, history, names),
        Cause::Call(CallCause::SizeZero { .. } | CallCause::SizeUnbounded { .. } | CallCause::SizeNegative { .. }) => {
            size_check(violation.at, room::wanted_size(cause, history, names)?, names)
        }
        Cause::Register(_)
        | Cause::Memory(_)
        | Cause::Resource(_)
        | Cause::Call(_)
        | Cause::Context(_)
        | Cause::Policy(_) => None,
    }
}

/// Bytes of a packet that a check can prove.
const PACKET_MAX: i64 = 0xffff;

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
    // A line before a loop is not run in each round.
    if line.text.trim_start().starts_with("while") || line.text.trim_start().starts_with("for") {
        return None;
    }
    let indent = indent(&line.text);
    let mut lines = names.request().lines.iter();
    let end = lines.find_map(|line| {
        let (_, right) = line.text.split_once('=')?;
        let name = right.contains("->data_end").then(|| assigned(&line.text))??;
        Some(if line.text.contains(&format!("void *{name}")) { name.to_string() } else { format!("(void *){name}") })
    });
    let end = end.unwrap_or_else(|| "(void *)(long)ctx->data_end".to_string());
    let reach = match (dereferenced(&line.text), element(&line.text, line.column)) {
        (_, Some(element)) => match element.strip_prefix('*') {
            Some(pointer) => format!("(void *)({pointer} + 1)"),
            None => format!("(void *)(&{element} + 1)"),
        },
        (Some(name), None) => {
            let needed = access.off.checked_add(access.size).filter(|needed| *needed > 0)?;
            format!("(void *){name} + {needed}")
        }
        (None, None) => return None,
    };
    let leave = leave(names);
    Some(Patch {
        title: "prove that these bytes are there before they are used".to_string(),
        file: line.file.to_string(),
        line: line.line,
        text: format!("{indent}if ({reach} > {end})\n{indent}\t{leave}\n"),
    })
}

/// `if (len > n) return …;` before the call.
fn size_check(at: InsnIdx, wanted: WantedSize, names: &Names<'_>) -> Option<Patch> {
    let WantedSize { reg, room, nonzero } = wanted;
    let line = names.request().line_at(at)?;
    let name = argument(&line.text, line.column, usize::from(reg.number()))?;
    let indent = indent(&line.text);
    let zero = if nonzero { format!("{name} == 0 || ") } else { String::new() };
    let leave = leave(names);
    Some(Patch {
        title: format!("bound `{name}` on both sides"),
        file: line.file.to_string(),
        line: line.line,
        text: format!("{indent}if ({zero}{name} > {room})\n{indent}\t{leave}\n"),
    })
}

/// The statement that gives back what is taken there, where that is known.
pub(super) fn release_call(taken: InsnIdx, names: &Names<'_>) -> Option<String> {
    let Some(Insn::Call(Call::Helper(id))) = names.request().program.get(taken) else { return None };
    let name = assigned(&names.request().line_at(taken)?.text)?;
    match names.helper(*id)? {
        "bpf_ringbuf_reserve" => Some(format!("bpf_ringbuf_discard({name}, 0);")),
        "bpf_sk_lookup_tcp" | "bpf_sk_lookup_udp" | "bpf_skc_lookup_tcp" => Some(format!("bpf_sk_release({name});")),
        _ => None,
    }
}

/// The matching release before the `return` that the path comes to.
fn release(taken: InsnIdx, history: &History, names: &Names<'_>) -> Option<Patch> {
    let call = release_call(taken, names)?;
    let since = history.events().iter().rev().take_while(|event| event.at() != taken);
    let mut lines = since.filter_map(|event| names.request().line_at(event.at()));
    let line = lines.find(|line| line.text.trim_start().starts_with("return"))?;
    let indent = indent(&line.text);
    Some(Patch {
        title: "give it back before this path leaves".to_string(),
        file: line.file.to_string(),
        line: line.line,
        text: format!("{indent}{call}\n"),
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

/// What is at a column, where it is an element of an array or behind a plain pointer: `data[13]`, `*p`.
fn element(text: &str, column: u32) -> Option<&str> {
    let rest = text.get(usize::try_from(column).ok()?.checked_sub(1)?..)?;
    if let Some(inside) = rest.strip_prefix('*') {
        let len = inside.find(|c: char| !is_word(c)).filter(|len| *len > 0)?;
        let is_plain = !inside.get(len..)?.starts_with(['[', '-', '.', '(']) && !rest.starts_with("**");
        return is_plain.then(|| rest.get(..=len))?;
    }
    let name = rest.find(|c: char| !is_word(c)).filter(|len| *len > 0)?;
    let inside = rest.get(name..)?.strip_prefix('[')?;
    let end = inside.find(']')?;
    let is_plain = inside.get(..end)?.chars().all(|c| is_word(c) || " +-".contains(c));
    is_plain.then(|| rest.get(..name + end + 2))?
}

/// An argument of the call that begins at a column, counted from 1, where it is a plain variable or member.
fn argument(text: &str, column: u32, number: usize) -> Option<&str> {
    let rest = text.get(usize::try_from(column).ok()?.checked_sub(1)?..)?;
    let open = rest.find('(')?;
    let mut depth = 0_usize;
    let mut begin = open + 1;
    let mut found = Vec::new();
    for (at, c) in rest.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if c == ',' && depth == 1 || c == ')' && depth == 0 {
            found.push(rest.get(begin..at)?.trim());
            begin = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    let name = *found.get(number.checked_sub(1)?)?;
    let is_plain =
        name.chars().all(|c| is_word(c) || "->.".contains(c)) && !name.starts_with(|c: char| c.is_ascii_digit());
    (is_plain && !name.is_empty()).then_some(name)
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
    use super::{argument, assigned, dereferenced, element};

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
        assert_eq!(element("if (data[12] == 8 && data[i + 1] == 0)", 22), Some("data[i + 1]"));
        assert_eq!(element("if (data == 8)", 5), None);
        assert_eq!(element("return *port == 22;", 8), Some("*port"));
        assert_eq!(element("return *port->x;", 8), None);
        assert_eq!(argument("\tlong n = load(skb, f(0, 1), e->data, len);", 11, 4), Some("len"));
        assert_eq!(argument("load(skb, f(0, 1), e->data, len);", 1, 2), None);
        assert_eq!(argument("load(skb, 0,", 1, 3), None);
    }
}
