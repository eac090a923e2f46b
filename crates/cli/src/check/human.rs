//! Verdicts for people.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use bpfvet::platform::{Platform as _, Version};

use super::outcome::{Outcome, Verdict};
use super::sink::Tally;
use super::task::{Asked, Task};
use crate::host::Host;
use crate::kernels::EXACT_SINCE;
use crate::note;

/// Prints verdicts one after another.
#[derive(Debug)]
pub(crate) struct Human {
    /// A table at the end tells of what was accepted.
    table: bool,
    /// The explanation printed last, of which program, and for which kernel.
    last: Option<(String, String, Version)>,
}

impl Human {
    pub(crate) const fn new(table: bool) -> Self {
        Self { table, last: None }
    }

    pub(crate) fn write(
        &mut self,
        out: &mut dyn Write,
        task: &Task<'_>,
        host: &Host,
        outcome: Outcome,
    ) -> io::Result<()> {
        let style = style(outcome.verdict);
        let verdict = format_args!("{style}{:<11}{style:#} ", outcome.verdict.name());
        let version = host.version().to_string();
        let place = format_args!("{version:<5} {}: {}", task.input.path, task.name);
        match outcome.verdict {
            Verdict::Accepted if self.table => {}
            Verdict::Accepted => {
                let stats = &outcome.stats;
                writeln!(
                    out,
                    "{verdict}{place}  {}, {}, {}",
                    counted(stats.insns_processed, "insn"),
                    counted(stats.total_states.into(), "state"),
                    counted(stats.max_stack_depth.into(), "byte") + " of stack"
                )?;
            }
            Verdict::Rejected | Verdict::Unsupported => {
                let code = outcome.code.unwrap_or_default();
                writeln!(out, "{verdict}{place}  {code}{}", At(&outcome))?;
            }
            Verdict::Failed => {
                writeln!(out, "{verdict}{place}  {}", outcome.message.as_deref().unwrap_or("no reason is known"))?;
            }
        }
        for warning in &outcome.warnings {
            writeln!(out, "  note: {warning}")?;
        }
        self.detail(out, task, host, outcome.detail)
    }

    /// An explanation that stands just above for another kernel is not repeated.
    fn detail(&mut self, out: &mut dyn Write, task: &Task<'_>, host: &Host, detail: String) -> io::Result<()> {
        if detail.is_empty() {
            return Ok(());
        }
        let program = format!("{}: {}", task.input.path, task.name);
        if let Some((of, text, version)) = &self.last
            && *of == program
            && *text == detail
        {
            return writeln!(out, "  as on {version}");
        }
        writeln!(out, "{}\n", detail.trim_end())?;
        self.last = Some((program, detail, host.version()));
        Ok(())
    }
}

struct At<'a>(&'a Outcome);

impl std::fmt::Display for At<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.at.map_or(Ok(()), |at| write!(f, " at insn {at}"))
    }
}

pub(crate) const fn style(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Accepted => AnsiColor::Green,
        Verdict::Rejected => AnsiColor::Red,
        Verdict::Unsupported | Verdict::Failed => AnsiColor::Yellow,
    };
    colour.on_default().bold()
}

/// A count and what is counted, in the singular or plural.
pub(crate) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The last line.
pub(crate) fn summary(out: &mut dyn Write, tasks: usize, hosts: usize, tally: &Tally) -> io::Result<()> {
    let parts: Vec<String> = Verdict::ALL
        .into_iter()
        .filter(|verdict| tally.of(*verdict) > 0)
        .map(|verdict| format!("{} {}", tally.of(verdict), verdict.name()))
        .collect();
    writeln!(out, "{} on {}: {}", counted(tasks as u64, "program"), counted(hosts as u64, "kernel"), parts.join(", "))
}

/// What must be known of the answers, once.
pub(crate) fn notes(asked: &Asked<'_>) {
    let older: Vec<String> = asked
        .hosts
        .iter()
        .filter(|host| !host.plain().features().has(EXACT_SINCE))
        .map(|host| host.version().to_string())
        .collect();
    if !older.is_empty() {
        note(&format!(
            "for Linux {} numbers are tracked as Linux {} does, more finely than there: a rejection may be missed (see `bpfvet kernels`)",
            older.join(", "),
            EXACT_SINCE.since()
        ));
    }
    if let Some(path) = asked.types.borrowed() {
        note(&format!("kernel types are those of the running system, {}", path.display()));
    }
}
