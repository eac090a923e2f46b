//! Too complex: where the budget went, and what to bound.

use alloc::format;
use alloc::string::String;

use bpfvet_explore::{Limit, Rejection};
use bpfvet_insn::InsnIdx;

use super::Words;
use crate::Names;
use crate::diagnostic::{Class, History, Label, Role, Visits};

/// Places that are shown of where the effort went.
const SHOWN: usize = 4;

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
    words.also = history
        .hottest(SHOWN)
        .into_iter()
        .map(|Visits { at, runs, .. }| label(at, format!("looked at {runs} times")))
        .chain(
            history
                .most_forked(2)
                .into_iter()
                .map(|Visits { at, forks, .. }| label(at, format!("paths split {forks} times here"))),
        )
        .collect();
    words
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
