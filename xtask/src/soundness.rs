//! The long sitting: generated programs held to every law, mistakes made on purpose and looked for, the bugs of history refused.
//!
//! What it does is in `bpfvet-testkit`; here it is built as users are given it, but with mistakes that can be switched on, and
//! run.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::shell;

#[derive(Args)]
pub(crate) struct Options {
    /// Runs of accepted programs after which it is enough.
    #[arg(long, default_value_t = 1_000_000)]
    runs: u64,
    /// The first program's seed; those of the others follow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Minutes of processors after which the runs end all the same.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Minutes of processors for all mistakes that are made on purpose; none are made where it is zero.
    #[arg(long, default_value_t = 10.0)]
    fault_minutes: f64,
}

/// Fails where a law is broken, a bug of history is let through, or too many mistakes are not found.
pub(crate) fn run(options: &Options) -> Result<()> {
    let Options { runs, seed, minutes, fault_minutes } = options;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(shell::root()).args(["run", "--release", "-p", "bpfvet-testkit", "--features", "faults"]);
    cargo.args(["--example", "soundness", "--"]);
    cargo.args([runs.to_string(), seed.to_string(), minutes.to_string(), fault_minutes.to_string()]);
    cargo.arg(shell::root().join("tests/corpus/history"));
    shell::run(&mut cargo)
}
