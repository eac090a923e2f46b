//! Too complex: where the budget went, and what to bound.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bpfvet_explore::{Limit, Rejection};
use bpfvet_insn::InsnIdx;

use super::Words;
use crate::Names;
use crate::diagnostic::{Class, History, Label, Role, Visits};

/// Lines that are shown of where the effort went.
const LINES: usize = 3;

pub(super) fn words(limit: Limit, rejection: &Rejection, names: &Names<'_>, history: &History) -> Words {
    let limits = names.platform().limits(names.request().privilege);
    let words = match limit {
        Limit::ProgramLength { slots: 0, limit: _ } => return Words::program("the program has no instruction", ""),
        Limit::ProgramLength { slots, limit } => {
            return Words::program(format!("the program has {slots} instructions, {limit} are allowed"), "")
                .class(Class::Limit)
                .help("split it with tail calls; without CAP_BPF the limit is lower");
        }
        Limit::ProcessedInsns { processed } => Words::program(
            format!("too complex: {processed} instructions were looked at, {} are allowed", limits.processed_insns),
            "",
        ),
        Limit::PendingStates { pending } => Words::program(
            format!("too complex: {pending} branches wait to be looked at, {} are allowed", limits.pending_states),
            "",
        ),
    };
    let mut words = words
        .class(Class::Limit)
        .why(format!(
            "{} states were stored, at most {} met at one instruction",
            rejection.stats.total_states, rejection.stats.max_states_per_insn
        ))
        .help("bound loops by a constant, or use bpf_loop(), whose body is looked at once")
        .help("split the program with global functions or tail calls: each is verified on its own");
    let lines = by_line(history, names);
    for (_, Visits { at, runs, forks }) in lines.iter().take(LINES) {
        let splits = if *forks > 0 { format!(", splits the paths {forks} times") } else { String::new() };
        words.also.push(label(*at, format!("looked at {runs} times{splits}")));
    }
    let splitting: Vec<&Visits> = lines.iter().map(|(_, visits)| visits).filter(|visits| visits.forks > 0).collect();
    if splitting.len() > 1 {
        words = words.why(format!(
            "{} places split the paths, and each can double what is looked at after it: what differs there is remembered",
            splitting.len()
        ));
    }
    words
}

/// The effort by line of the source, or by instruction where there is none: the most split first, then the most visited.
fn by_line(history: &History, names: &Names<'_>) -> Vec<(Option<(String, u32)>, Visits)> {
    let mut lines: Vec<(Option<(String, u32)>, Visits)> = Vec::new();
    for visits in history.hottest(usize::MAX) {
        let line = names.request().line_at(visits.at).map(|line| (line.file.to_string(), line.line));
        match lines.iter_mut().find(|(other, _)| line.is_some() && *other == line) {
            Some((_, all)) => {
                // The branch is where the label belongs.
                if visits.forks > all.forks {
                    all.at = visits.at;
                }
                all.forks = all.forks.saturating_add(visits.forks);
            }
            None => lines.push((line, visits)),
        }
    }
    lines.sort_by_key(|(_, visits)| core::cmp::Reverse((visits.forks, visits.runs)));
    lines
}

pub(super) fn infinite_loop(_at: InsnIdx, _names: &Names<'_>) -> Words {
    Words::program("an infinite loop", "the program comes back here with nothing changed")
        .why("after one round every register and stack slot that is still read has the same value")
        .help("change the loop's condition in every round, and bound it by a constant")
        .help("a loop that waits for memory to change is not possible; use may_goto or an iterator")
}

fn label(at: InsnIdx, text: String) -> Label {
    Label { at, role: Role::Branch, text }
}
