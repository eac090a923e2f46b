//! The way to a failure: where the value comes from, and each branch that was taken since.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use bpfvet_insn::InsnIdx;

use super::Writer;
use crate::diagnostic::{Diagnostic, Happened, Label, Role};

/// Steps that are told; of more, half at the beginning and half at the end.
const TOLD: usize = 64;

const fn name(role: Role) -> &'static str {
    match role {
        Role::Error => "error",
        Role::Created | Role::Changed => "update",
        Role::Spilled => "spilled",
        Role::Branch => "branch",
        Role::Lost => "invalidated",
        Role::Acquired => "acquired",
    }
}

impl Writer<'_> {
    pub(super) fn path(&self, out: &mut String, diagnostic: &Diagnostic) {
        let events = self.history.events();
        let labels: Vec<&Label> =
            diagnostic.labels.iter().filter(|label| !matches!(label.role, Role::Error | Role::Branch)).collect();
        let last = |at: InsnIdx| events.iter().rposition(|event| event.at() == at);
        let start = labels.iter().filter_map(|label| last(label.at)).min().unwrap_or(0);
        let mut steps: Vec<(InsnIdx, &str, &str)> = Vec::new();
        for (number, event) in events.iter().enumerate().skip(start) {
            match event {
                Happened::Decided { at, jumped: true, .. } => {
                    steps.push((*at, "branch", "took the true branch of this conditional, goto followed"));
                }
                Happened::Decided { at, jumped: false, .. } => {
                    steps.push((*at, "branch", "took the false branch of this conditional, goto not followed"));
                }
                Happened::Ran(ran) => {
                    let label = labels.iter().find(|label| label.at == ran.at && last(label.at) == Some(number));
                    steps.extend(label.map(|label| (label.at, name(label.role), label.text.as_str())));
                }
            }
        }
        if steps.is_empty() {
            out.push_str("  no retained diagnostic events on this path\n");
        }
        let left_out = steps.len().saturating_sub(TOLD);
        for (number, (at, label, text)) in steps.iter().enumerate() {
            let omitted = TOLD / 2..TOLD / 2 + left_out;
            if number > omitted.start && omitted.contains(&number) {
                continue;
            }
            if number > 0 {
                out.push('\n');
            }
            if omitted.contains(&number) {
                let _ = writeln!(out, "  {left_out} intermediate causal-history events omitted");
            } else {
                self.place(out, *at, label, text);
            }
        }
    }
}
