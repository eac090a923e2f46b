//! `cargo xtask work`: a change that makes verifying cost more work does not go by unseen.
//!
//! Work is machine instructions as callgrind counts them, from the load request to the verdict, of a release build: a number that neither
//! the machine's speed nor its other work moves. The programs are our own, so that nothing need be fetched.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use rayon::prelude::*;

use super::built;
use super::table::table;
use crate::shell;

/// Each family once, at a size that takes valgrind a moment; and objects as clang makes them.
const PROGRAMS: &[&str] = &[
    "family diamonds 400",
    "family loops 80",
    "family straight 8000",
    "family calls 120",
    "family switch 800",
    "family stack 40",
    "family walk 8000",
    "family carry 6000",
    "object examples/xdp_firewall.bpf.o firewall",
    "object examples/tc_classifier.bpf.o classify",
];

/// Percent by which work may differ from the record.
const TOLERANCE: f64 = 5.0;

/// `cargo xtask work`
#[derive(Args)]
pub(crate) struct Gate {
    /// Record what is measured now, and why it changed
    #[arg(long, value_name = "REASON")]
    bless: Option<String>,
}

pub(crate) fn run(args: &Gate) -> Result<()> {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        bail!("valgrind, which counts the instructions, is not installed");
    }
    let measure = built("bpfvet-testkit", "measure")?;
    let counts: Result<Vec<u64>> = PROGRAMS.par_iter().map(|program| count(&measure, program)).collect();
    let counts: BTreeMap<&str, u64> = PROGRAMS.iter().copied().zip(counts?).collect();
    if let Some(reason) = &args.bless {
        return write(reason, &counts);
    }
    let recorded = read()?;
    let mut rows = vec![["program", "recorded", "now", "%"].map(str::to_owned).to_vec()];
    let mut more = 0;
    for (program, now) in &counts {
        let percent = recorded.get(*program).map(|before| (*now as f64 / *before as f64 - 1.0) * 100.0);
        more += u32::from(percent.is_none_or(|percent| percent > TOLERANCE));
        let before = recorded.get(*program).map(u64::to_string).unwrap_or_default();
        let percent = percent.map(|percent| format!("{percent:+.1}")).unwrap_or_default();
        rows.push(vec![(*program).to_owned(), before, now.to_string(), percent]);
    }
    println!("{}", table(&rows));
    if more > 0 {
        bail!(
            "{more} program(s) cost over {TOLERANCE} % more work than recorded, or are not recorded: \
             find the cause, or run `cargo xtask work --bless REASON` and commit the record with the change"
        );
    }
    if counts
        .iter()
        .any(|(program, now)| recorded.get(*program).is_some_and(|before| (*now as f64) < *before as f64 * 0.95))
    {
        println!("some cost less than recorded: `cargo xtask work --bless REASON` keeps it so");
    }
    Ok(())
}

/// Instructions from request to verdict.
fn count(measure: &PathBuf, program: &str) -> Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=measure::verified"]);
    valgrind.arg(measure).args(program.split(' ')).current_dir(shell::root()).stdin(Stdio::null());
    let output = valgrind.output().context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{program}: {}", said.lines().last().unwrap_or("measure failed"));
    }
    match collected(&said) {
        Some(count) if count > 0 => Ok(count),
        Some(_) | None => bail!("{program}: callgrind counted nothing"),
    }
}

/// The figure in what callgrind says at its end.
fn collected(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
}

fn record() -> PathBuf {
    shell::root().join("tests/performance/work.txt")
}

fn read() -> Result<BTreeMap<String, u64>> {
    let text = std::fs::read_to_string(record()).context("cannot read tests/performance/work.txt")?;
    let line = |line: &str| {
        let (count, program) = line.split_once('\t')?;
        Some((program.to_owned(), count.parse().ok()?))
    };
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|text| line(text).with_context(|| format!("tests/performance/work.txt: no figure: {text}"))).collect()
}

fn write(reason: &str, counts: &BTreeMap<&str, u64>) -> Result<()> {
    let mut text = "# Machine instructions from request to verdict, as `cargo xtask work` counts them.\n".to_owned();
    text.push_str(&format!("# Changed last because: {}\n", reason.trim()));
    for (program, count) in counts {
        text.push_str(&format!("{count}\t{program}\n"));
    }
    let file = record();
    std::fs::create_dir_all(file.parent().context("no directory")?)?;
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::{PROGRAMS, collected, read};

    #[test]
    fn the_figure_stands_at_the_end() {
        assert_eq!(collected("==7== Events    : Ir\n==7== Collected : 123\n==7==\n"), Some(123));
        assert_eq!(collected("==7== Events    : Ir\n"), None);
    }

    #[test]
    fn what_is_recorded_is_what_is_measured() {
        let recorded = read().unwrap();
        assert!(PROGRAMS.iter().all(|program| recorded.contains_key(*program)));
        assert_eq!(recorded.len(), PROGRAMS.len());
    }
}
