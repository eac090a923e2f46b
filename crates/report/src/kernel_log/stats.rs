//! What a verification cost, at the end of the log.
//!
//! Source: `print_verification_stats`, Linux 7.3.

use alloc::string::String;
use core::fmt::Write;

use bpfvet_explore::{Stats, SubprogStats};

use crate::Names;

pub(super) fn write(
    out: &mut String,
    stats: &Stats,
    details: bool,
    elapsed: Option<&dyn Fn() -> u64>,
    names: &Names<'_>,
) {
    let Stats { insns_processed, max_states_per_insn, total_states, peak_states, max_stack_depth, subprogs } = stats;
    if details {
        if let Some(elapsed) = elapsed {
            let _ = writeln!(out, "verification time {} usec", elapsed());
        }
        if names.old_wording() {
            out.push_str("stack depth ");
            for (index, subprog) in subprogs.iter().enumerate() {
                let _ = write!(out, "{}{}", if index == 0 { "" } else { "+" }, subprog.stack_depth);
            }
            out.push('\n');
        } else {
            let _ = writeln!(out, "stack depth max {max_stack_depth}");
            for (index, subprog) in subprogs.iter().enumerate() {
                write_subprog(out, index, subprog);
            }
        }
    }
    let limit = names.platform().limits(names.request().privilege).processed_insns;
    let _ = writeln!(
        out,
        "processed {insns_processed} insns (limit {limit}) max_states_per_insn {max_states_per_insn} total_states {total_states} \
         peak_states {peak_states} mark_read 0"
    );
}

fn write_subprog(out: &mut String, index: usize, subprog: &SubprogStats) {
    let SubprogStats { name, global, insns_self, insns_total, stack_depth } = subprog;
    let name = name.as_deref().filter(|name| !name.is_empty()).unwrap_or("<unknown>");
    let kind = match (index, *global) {
        (0, _) => "main",
        (_, true) => "global",
        (_, false) => "static",
    };
    let _ = writeln!(
        out,
        "subprog {index} ({name}) {kind} insns_self {insns_self} insns_total {insns_total} stack {stack_depth}"
    );
}
