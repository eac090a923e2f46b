//! The account of a failure that the newest releases add to their log, behind the message.
//!
//! ```text
//!  Verification failed: Memory Safety: Access outside bounds
//!
//!  Reason:            what was to be shown, and what is known
//!  At:                the place, in the source and among the instructions
//!  Causal path:       where the value comes from, and the branches since
//!  Suggestion:        what to do, in the words of our own explanation
//! ```
//!
//! The layout, the titles and the labels are the kernel's, as are the reasons that its tests look at; what is advised is ours. Only
//! some failures have an account. Source: `kernel/bpf/diagnostics.c`, Linux 7.3.

mod path;
mod place;
mod words;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use bpfvet_explore::{Rejection, RejectionCause};
use bpfvet_insn::{InsnIdx, Program};
use bpfvet_platform::Version;
use bpfvet_vm::violation::{CallCause, ResourceCause};
use bpfvet_vm::{Cause, Violation};

use crate::diagnostic::{Diagnostic, History, Recorder, explain};
use crate::kernel_text::violation_message;
use crate::names::Names;

/// The release that brought accounts.
const SINCE: Version = Version::new(7, 3);

/// Columns of a line of prose.
const WIDTH: usize = 100;

/// What an account says, as far as the kernel has words for it.
struct Account {
    category: &'static str,
    problem: Cow<'static, str>,
    /// The reason; without one, that of our own explanation.
    reason: Option<String>,
    /// What stands at the place; without it, the problem.
    note: Option<String>,
    /// Whether the way that led there is told.
    tells_path: bool,
}

/// Whether logs with this wording have accounts.
pub(super) const fn is_written(names: &Names<'_>) -> bool {
    names.version().at_least(SINCE)
}

/// Writes the message of a failure, each of its parts with its account.
pub(super) fn write(
    out: &mut String,
    rejection: &Rejection,
    message: &str,
    program: &Program,
    names: &Names<'_>,
    recorder: Option<&Recorder<'_>>,
) {
    let nothing = History::new();
    let history = recorder.map_or(&nothing, Recorder::history);
    let writer = Writer { program, names, history };
    if let RejectionCause::Violation(violation) = &rejection.cause {
        // What is found first is accounted for before its consequence is told.
        match &*violation.cause {
            Cause::Resource(ResourceCause::Leak { site, live }) => {
                for one in live {
                    let cause = ResourceCause::Leak { site: *site, live: alloc::vec![*one] };
                    let leak = with_cause(rejection, violation, Cause::Resource(cause));
                    let _ = writeln!(out, "Unreleased reference id={} alloc_insn={}", one.0, one.1);
                    writer.account(out, &leak);
                }
                out.push_str(message.lines().last().unwrap_or_default());
                out.push('\n');
                return;
            }
            Cause::Call(CallCause::GlobalArguments { inner, .. }) => {
                let text = violation_message(&Violation { cause: inner.clone(), ..violation.clone() }, names);
                let first = with_cause(rejection, violation, Cause::clone(inner));
                let _ = writeln!(out, "{text}");
                writer.account(out, &first);
                out.push_str(message.lines().last().unwrap_or_default());
                out.push('\n');
                return;
            }
            Cause::Register(_)
            | Cause::Memory(_)
            | Cause::Resource(_)
            | Cause::Call(_)
            | Cause::Context(_)
            | Cause::Policy(_) => {}
        }
    }
    let _ = writeln!(out, "{message}");
    writer.account(out, rejection);
}

/// The same failure for another cause.
fn with_cause(rejection: &Rejection, violation: &Violation, cause: Cause) -> Rejection {
    let mut other = rejection.clone();
    other.cause = RejectionCause::Violation(Violation { cause: alloc::boxed::Box::new(cause), ..violation.clone() });
    other
}

struct Writer<'a> {
    program: &'a Program,
    names: &'a Names<'a>,
    history: &'a History,
}

impl Writer<'_> {
    fn account(&self, out: &mut String, rejection: &Rejection) {
        let Some(account) = words::of(rejection, self.names, self.history) else { return };
        let diagnostic = explain(rejection, self.names, self.history);
        let Some(at) = diagnostic.at() else { return };
        let Account { category, problem, reason, note, tells_path } = account;
        let _ = write!(out, "\nVerification failed: {category}: ");
        let mut letters = problem.chars();
        out.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        let _ = writeln!(out, "{}", letters.as_str());

        out.push_str("\nReason:\n");
        let reason = reason.unwrap_or_else(|| ours(&diagnostic));
        wrapped(out, "  ", "  ", &reason);
        out.push_str("\nAt:\n");
        self.place(out, at, "error", note.as_deref().unwrap_or(&problem));
        if tells_path {
            out.push_str("\nCausal path:\n");
            self.path(out, &diagnostic);
        }
        if let Some(advice) = advice(&diagnostic) {
            out.push_str("\nSuggestion:\n");
            wrapped(out, "  ", "  ", &advice);
        }
        out.push('\n');
    }
}

/// The reason in our own words, as sentences.
fn ours(diagnostic: &Diagnostic) -> String {
    let mut text = sentence(&diagnostic.headline);
    for why in &diagnostic.why {
        text.push(' ');
        text.push_str(&sentence(why));
    }
    text
}

fn advice(diagnostic: &Diagnostic) -> Option<String> {
    if let Some(patch) = &diagnostic.patch {
        let lines: String = patch.text.lines().map(|line| format!("\n    {}", line.trim_start())).collect();
        return Some(format!("{} Before line {}:{lines}", sentence(&patch.title), patch.line));
    }
    let text: String = diagnostic.help.iter().map(|help| sentence(help)).reduce(|all, next| format!("{all} {next}"))?;
    Some(text)
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter().collect();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

/// Writes a text in lines of at most [`WIDTH`] columns, each behind its prefix; a line ends at its last blank.
fn wrapped(out: &mut String, first: &str, next: &str, text: &str) {
    let mut prefix = first;
    for paragraph in text.split('\n') {
        let mut rest = paragraph;
        while !rest.is_empty() {
            let width = WIDTH.saturating_sub(prefix.len()).max(1);
            let end = rest.char_indices().nth(width).map_or(rest.len(), |(end, _)| end);
            let line = rest.get(..end).unwrap_or(rest);
            let is_whole = rest.get(end..).is_none_or(|behind| behind.is_empty() || behind.starts_with(' '));
            let line = match line.rfind(' ') {
                Some(blank) if blank > 0 && !is_whole => line.get(..blank).unwrap_or(line),
                Some(_) | None => line,
            };
            let _ = writeln!(out, "{prefix}{line}");
            rest = rest.get(line.len()..).unwrap_or_default().trim_start_matches(' ');
            prefix = next;
        }
    }
}

/// The name of the function that an instruction is in; empty where that is not known.
fn function_at<'a>(at: InsnIdx, names: &'a Names<'_>) -> &'a str {
    let funcs = &names.request().funcs;
    let index = funcs.iter().rposition(|info| info.at <= at).and_then(|index| u32::try_from(index).ok());
    index.map_or("", |index| names.subprog(index))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::wrapped;

    #[test]
    fn lines_end_at_a_blank_and_no_later_than_the_width() {
        let text = "word ".repeat(40);
        let mut out = String::new();
        wrapped(&mut out, "  ^-- ", "      ", text.trim_end());
        let longest = out.lines().map(str::len).max();
        assert_eq!((out.lines().count(), longest), (3, Some(100)), "{out}");
        assert!(out.lines().all(|line| line.trim_start().starts_with(['^', 'w'])), "{out}");
        let mut out = String::new();
        wrapped(&mut out, "", "  ", &"x".repeat(150));
        assert_eq!(out.lines().next().map(str::len), Some(100), "a word without a blank is cut");
    }
}
