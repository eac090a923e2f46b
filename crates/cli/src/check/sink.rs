//! Where outcomes go, in order.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anstream::AutoStream;

use super::compare::Comparison;
use super::human::Human;
use super::outcome::{Outcome, Verdict};
use super::row::Row;
use super::sort::Key;
use super::task::{Asked, Task};
use super::{human, json, table};
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

/// What is wanted of the rows that verifications leave.
pub(crate) struct Tables<'a> {
    /// A table of them.
    pub(crate) stats: bool,
    /// Those of an earlier run, to compare with.
    pub(crate) earlier: Option<Vec<Row>>,
    /// Their order.
    pub(crate) keys: &'a [Key],
    /// Where to save them.
    pub(crate) save: Option<&'a Path>,
}

/// Prints outcomes as they come, and the end.
pub(crate) struct Sink<'a> {
    out: BufWriter<AutoStream<io::Stdout>>,
    format: Format,
    human: Human,
    tables: Tables<'a>,
    rows: Vec<Row>,
    saved: Option<(&'a Path, BufWriter<File>)>,
    tally: Tally,
    tasks: usize,
    /// Whether the logs of several verifications must be told apart.
    several: bool,
    asked: &'a Asked<'a>,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(
        format: Format,
        tables: Tables<'a>,
        tasks: &[Task<'_>],
        asked: &'a Asked<'a>,
    ) -> Result<Self, Fault> {
        let saved = match tables.save {
            Some(path) => Some((path, BufWriter::new(File::create(path).map_err(|error| unsaved(path, &error))?))),
            None => None,
        };
        Ok(Self {
            out: BufWriter::new(anstream::stdout()),
            format,
            human: Human::new(tables.stats || tables.earlier.is_some()),
            tables,
            rows: Vec::new(),
            saved,
            tally: Tally::default(),
            tasks: tasks.len(),
            several: tasks.len().saturating_mul(asked.hosts.len()) > 1,
            asked,
        })
    }

    pub(crate) fn tell(&mut self, task: &Task<'_>, host: &Host, outcome: Outcome) -> Result<(), Fault> {
        self.tally.add(outcome.verdict);
        self.rows.push(Row::of(task, host, &outcome));
        if let Some((path, file)) = &mut self.saved {
            json::write(file, task, host, &outcome).map_err(|error| unsaved(path, &error))?;
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

    /// The end. What is counted is what decides the exit status.
    pub(crate) fn end(mut self) -> Result<Tally, Fault> {
        if let Some((path, file)) = &mut self.saved {
            file.flush().map_err(|error| unsaved(path, &error))?;
        }
        // What there was to say has been said on standard error.
        if self.tasks == 0 {
            return Ok(self.tally);
        }
        if self.tables.stats {
            table::write(&mut self.out, &self.rows, self.tables.keys)?;
        }
        let mut tally = self.tally;
        if let Some(earlier) = &self.tables.earlier {
            let mut comparison = Comparison::of(earlier, &self.rows);
            comparison.sort(self.tables.keys);
            comparison.write(&mut self.out)?;
            comparison.summary(&mut self.out)?;
            tally = Tally { counts: Verdict::ALL.map(|verdict| comparison.became(verdict)) };
        }
        if self.format == Format::Human {
            human::summary(&mut self.out, self.tasks, self.asked.hosts.len(), &self.tally)?;
        }
        self.out.flush()?;
        if self.format == Format::Human {
            human::notes(self.asked);
        }
        Ok(tally)
    }
}

fn unsaved(path: &Path, error: &io::Error) -> Fault {
    Fault::Told(format!("{}: cannot be written: {error}", path.display()))
}
