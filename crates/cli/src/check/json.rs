//! Verdicts for programs: one JSON object per line.

use std::io::{self, Write};

use serde::Serialize;

use super::outcome::{Outcome, Source};
use super::task::Task;
use crate::host::Host;

/// The fields, always all of them; `null` where there is nothing to tell.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    program: &'a str,
    section: Option<&'a str>,
    r#type: Option<&'static str>,
    kernel: String,
    verdict: &'static str,
    code: Option<&'static str>,
    message: Option<&'a str>,
    insn: Option<u32>,
    source: Option<&'a Source>,
    insns_processed: u64,
    states_total: u32,
    states_peak: u32,
    max_states_per_insn: u32,
    stack_depth: u32,
    duration_us: u64,
}

pub(crate) fn write(out: &mut dyn Write, task: &Task<'_>, host: &Host, outcome: &Outcome) -> io::Result<()> {
    let stats = &outcome.stats;
    let line = Line {
        file: &task.input.path,
        program: task.name,
        section: task.section(),
        r#type: outcome.program_type.map(|kind| kind.name()),
        kernel: host.version().to_string(),
        verdict: outcome.verdict.name(),
        code: outcome.code,
        message: outcome.message.as_deref(),
        insn: outcome.at.map(|at| at.0),
        source: outcome.source.as_ref(),
        insns_processed: stats.insns_processed,
        states_total: stats.total_states,
        states_peak: stats.peak_states,
        max_states_per_insn: stats.max_states_per_insn,
        stack_depth: stats.max_stack_depth,
        duration_us: u64::try_from(outcome.duration.as_micros()).unwrap_or(u64::MAX),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}
