//! `cargo xtask bench`: what verifying costs, beside what it costs the kernel.
//!
//! ```text
//! objects, families ──measure (release, a process each)──▶ readings ─┐
//!                   ──user-mode kernel, log level 4──▶ its own time ─┼─▶ tables, --save
//!                                               --baseline ──────────┘
//! ```
//!
//! Times are processor time, the least of several runs: other work on the machine lengthens them, and nothing shortens them. The kernel
//! measures its own time by the clock, so the least of several loads is taken there, too.

pub(crate) mod gate;
mod kernel;
mod parts;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::shell;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Part {
    /// The big programs among the kernel's own tests
    Objects,
    /// Programs that grow
    Families,
    /// All of the kernel's test objects, on two cores
    All,
    /// A small object, from the start of the process to its end
    Start,
    /// Each layer alone, by its own benches
    Layers,
}

/// `cargo xtask bench`
#[derive(Args)]
pub(crate) struct Options {
    /// Only these; otherwise all but the layers
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Runs of which the least counts
    #[arg(long, default_value_t = 5)]
    repeat: u32,
    /// Leave the kernel's column empty
    #[arg(long)]
    without_kernel: bool,
    /// Write the readings to this file
    #[arg(long)]
    save: Option<PathBuf>,
    /// Readings of an earlier run, shown beside these
    #[arg(long)]
    baseline: Option<PathBuf>,
    /// Measure with this program in the place of the one that is built, such as one built before a change
    #[arg(long)]
    measure: Option<PathBuf>,
}

/// What one run said of one program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) accepted: bool,
    pub(crate) insns: u64,
    pub(crate) states: u64,
    pub(crate) peak: u64,
    /// Processor time.
    pub(crate) nanoseconds: u64,
    /// The most memory that the process had.
    pub(crate) kib: u64,
}

impl Reading {
    /// Reads the line that `measure` prints.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.trim().split('\t');
        let accepted = words.next()? == "accepted";
        let mut number = || words.next()?.parse().ok();
        let (insns, states, peak) = (number()?, number()?, number()?);
        let (nanoseconds, kib) = (number()?, number()?);
        Some(Self { accepted, insns, states, peak, nanoseconds, kib })
    }

    fn to_line(self) -> String {
        let Self { accepted, insns, states, peak, nanoseconds, kib } = self;
        let verdict = if accepted { "accepted" } else { "rejected" };
        format!("{verdict}\t{insns}\t{states}\t{peak}\t{nanoseconds}\t{kib}")
    }
}

/// Readings by name.
type Readings = BTreeMap<String, Reading>;

pub(crate) fn run(options: &Options) -> Result<()> {
    let measure = match &options.measure {
        Some(program) => program.clone(),
        None => built("bpfvet-testkit", "measure")?,
    };
    let baseline = options.baseline.as_deref().map(read).transpose()?.unwrap_or_default();
    let asked = |part| options.parts.contains(&part) || (options.parts.is_empty() && part != Part::Layers);
    let mut readings = Readings::new();
    if asked(Part::Objects) {
        parts::objects(options, &measure, &baseline, &mut readings)?;
    }
    if asked(Part::Families) {
        parts::families(options, &measure, &baseline, &mut readings)?;
    }
    if asked(Part::All) {
        parts::all()?;
    }
    if asked(Part::Start) {
        parts::start(options.repeat)?;
    }
    if asked(Part::Layers) {
        parts::layers()?;
    }
    if let Some(file) = &options.save {
        let lines: Vec<String> =
            readings.iter().map(|(name, reading)| format!("{name}\t{}", reading.to_line())).collect();
        std::fs::write(file, lines.join("\n") + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<Readings> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let line =
        |line: &str| line.split_once('\t').and_then(|(name, rest)| Some((name.to_owned(), Reading::parse(rest)?)));
    text.lines().map(|text| line(text).with_context(|| format!("{}: no reading: {text}", file.display()))).collect()
}

/// A program of the workspace, built in release.
fn built(package: &str, program: &str) -> Result<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--release", "--package", package, "--bin", program]).current_dir(shell::root());
    shell::run(&mut cargo)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| shell::root().join("target"), PathBuf::from);
    Ok(target.join("release").join(program))
}

#[cfg(test)]
mod tests {
    use super::Reading;

    #[test]
    fn a_reading_is_its_line() {
        let reading = Reading { accepted: true, insns: 1, states: 2, peak: 3, nanoseconds: 4, kib: 5 };
        assert_eq!(Reading::parse(&reading.to_line()), Some(reading));
        assert_eq!(Reading::parse("accepted\t1"), None);
    }
}
