//! Verdicts for programs: one JSON object per line, as [`bpfvet::report::json`] has it.

use std::io::{self, Write};

use bpfvet::report::json::Line;

use super::outcome::Outcome;
use super::task::Task;
use crate::host::Host;

pub(crate) fn write(out: &mut dyn Write, task: &Task<'_>, host: &Host, outcome: &Outcome) -> io::Result<()> {
    let Outcome {
        verdict,
        program_type,
        code,
        message,
        at,
        source,
        stats,
        duration,
        warnings,
        detail: _,
        explanation,
        wants_types: _,
    } = outcome;
    let line = Line {
        file: task.input.path.clone(),
        program: task.name.to_owned(),
        section: task.section().map(str::to_owned),
        kind: program_type.map(|kind| kind.name().to_owned()),
        kernel: host.version().to_string(),
        verdict: *verdict,
        code: code.map(str::to_owned),
        message: message.clone(),
        insn: at.map(|at| at.0),
        source: source.clone(),
        insns_processed: stats.insns_processed,
        states_total: stats.total_states,
        states_peak: stats.peak_states,
        max_states_per_insn: stats.max_states_per_insn,
        stack_depth: stats.max_stack_depth,
        duration_us: Some(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)),
        notes: warnings.clone(),
        explanation: explanation.clone(),
    };
    writeln!(out, "{}", line.to_json())
}
