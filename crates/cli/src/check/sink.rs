//! Where outcomes go, in order.

use std::io::{self, BufWriter, Write};

use anstream::AutoStream;

use super::human::Human;
use super::outcome::{Outcome, Verdict};
use super::table::Costs;
use super::task::{Asked, Task};
use super::{human, json};
use crate::args::Format;
use crate::fault::Fault;
use crate::host::Host;

/// How many of each verdict.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    counts: [usize; Verdict::ALL.len()],
}

impl Tally {
    pub(crate) fn of(&self, verdict: Verdict) -> usize {
        Verdict::ALL.iter().zip(self.counts).filter(|(one, _)| **one == verdict).map(|(_, count)| count).sum()
    }

    pub(crate) fn undecided(&self) -> usize {
        self.of(Verdict::Unsupported) + self.of(Verdict::Failed)
    }

    fn add(&mut self, verdict: Verdict) {
        for (one, count) in Verdict::ALL.iter().zip(&mut self.counts) {
            *count += usize::from(*one == verdict);
        }
    }
}

/// Prints outcomes as they come, and the end.
pub(crate) struct Sink<'a> {
    out: BufWriter<AutoStream<io::Stdout>>,
    format: Format,
    human: Human,
    costs: Option<Costs>,
    tally: Tally,
    tasks: usize,
    /// Whether the logs of several verifications must be told apart.
    several: bool,
    asked: &'a Asked<'a>,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(format: Format, stats: bool, tasks: &[Task<'_>], asked: &'a Asked<'a>) -> Self {
        Self {
            out: BufWriter::new(anstream::stdout()),
            format,
            human: Human::new(stats),
            costs: stats.then(Costs::new),
            tally: Tally::default(),
            tasks: tasks.len(),
            several: tasks.len().saturating_mul(asked.hosts.len()) > 1,
            asked,
        }
    }

    pub(crate) fn tell(&mut self, task: &Task<'_>, host: &Host, outcome: Outcome) -> Result<(), Fault> {
        self.tally.add(outcome.verdict);
        if let Some(costs) = &mut self.costs {
            costs.add(task, host, &outcome);
        }
        match self.format {
            Format::Json => json::write(&mut self.out, task, host, &outcome)?,
            Format::Log => {
                if self.several {
                    writeln!(self.out, "-- {}: {} on Linux {} --", task.input.path, task.name, host.version())?;
                }
                self.out.write_all(outcome.detail.as_bytes())?;
            }
            Format::Human => self.human.write(&mut self.out, task, host, outcome)?,
        }
        // Whoever reads along sees each verdict when it is known.
        self.out.flush()?;
        Ok(())
    }

    pub(crate) fn end(mut self) -> Result<Tally, Fault> {
        // What there was to say has been said on standard error.
        if self.tasks == 0 {
            return Ok(self.tally);
        }
        if let Some(costs) = &self.costs {
            writeln!(self.out, "{costs}")?;
        }
        if self.format == Format::Human {
            human::summary(&mut self.out, self.tasks, self.asked.hosts.len(), &self.tally)?;
        }
        self.out.flush()?;
        if self.format == Format::Human {
            human::notes(self.asked);
        }
        Ok(self.tally)
    }
}
