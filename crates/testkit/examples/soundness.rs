//! The long sitting as a program: `soundness RUNS SEED MINUTES FAULT_MINUTES HISTORY_FOLDER`; `cargo xtask soundness` builds and
//! runs it.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::available_parallelism;

use bpfvet::vm::fault::Fault;
use bpfvet_testkit::soundness::{History, Hunt, Limits, Row, cpu_seconds, hunt, sit};

/// Runs of each accepted program, for each search.
const RUNS_EACH: u64 = 6;
/// Of the mistakes, so many in a hundred must be found.
const FOUND: usize = 95;

struct Arguments {
    runs: u64,
    seed: u64,
    minutes: f64,
    fault_minutes: f64,
    history: PathBuf,
}

fn arguments() -> Option<Arguments> {
    let mut words = std::env::args().skip(1);
    Some(Arguments {
        runs: words.next()?.parse().ok()?,
        seed: words.next()?.parse().ok()?,
        minutes: words.next()?.parse().ok()?,
        fault_minutes: words.next()?.parse().ok()?,
        history: words.next()?.into(),
    })
}

fn main() -> io::Result<ExitCode> {
    let Some(Arguments { runs, seed, minutes, fault_minutes, history }) = arguments() else {
        writeln!(io::stderr(), "soundness RUNS SEED MINUTES FAULT_MINUTES HISTORY_FOLDER")?;
        return Ok(ExitCode::from(2));
    };
    let threads = available_parallelism().map_or(1, usize::from);
    let talks = io::stderr().is_terminal();
    let limits = Limits { seed, runs, runs_each: RUNS_EACH, seconds: minutes * 60.0, threads };
    let sitting = sit(&limits, |so_far| {
        if talks {
            let (runs, steps) = (so_far.tally.runs, so_far.tally.steps);
            let _ = write!(io::stderr(), "\r{} programs, {runs} runs, {steps} steps", so_far.programs);
        }
    });
    let hunts = hunt_all(seed, fault_minutes * 60.0, threads, talks)?;
    let history = History::read(&history).map_err(io::Error::other)?;

    let mut out = io::stdout().lock();
    if talks {
        writeln!(io::stderr(), "\r")?;
    }
    for found in &sitting.found {
        writeln!(out, "VIOLATION: seed {}: {}", found.seed, found.text)?;
    }
    for wrong in &history.wrong {
        writeln!(out, "HISTORY: {wrong}")?;
    }
    let caught = hunts.iter().filter(|hunt| hunt.caught.is_some()).count();
    let genuine = hunts.iter().filter(|hunt| hunt.genuine.is_some()).count();
    for Hunt { fault, caught, genuine, programs, seconds } in &hunts {
        let by = match (caught, genuine) {
            (Some(caught), _) => caught.to_string(),
            (None, Some(seed)) => format!("VIOLATION without the mistake: seed {seed}"),
            (None, None) => "NOT FOUND".to_owned(),
        };
        writeln!(out, "{:<28} {programs:>8} programs {seconds:>7.2} s  {by}", fault.name())?;
    }
    let tally = sitting.tally;
    let percent = |part: u64, whole: u64| (part * 100).checked_div(whole).unwrap_or(0);
    let seconds = hunts.iter().map(|hunt| hunt.seconds).sum::<f64>();
    let rows = [
        Row::new("seed", seed),
        Row::new("programs", sitting.programs),
        Row::new("verdicts", tally.verdicts),
        Row::new("accepted, in a hundred", percent(tally.accepted, tally.verdicts)),
        Row::new("runs of accepted programs", tally.runs),
        Row::new("runs that met what is not modelled", tally.unmodelled),
        Row::new("steps", tally.steps),
        Row::new("laws between verdicts tried", sitting.laws),
        Row::new("violations", sitting.found.len() + genuine),
        Row::new("seconds of processors", format!("{:.0}", sitting.seconds)),
        Row::new("mistakes made on purpose", hunts.len()),
        Row::new("found", caught),
        Row::new("seconds of processors for them", format!("{seconds:.0}")),
        Row::new("bugs in the history", history.entries),
        Row::new("as programs", history.encoded),
        Row::new("beyond what is modelled, with the reason", history.beyond),
        Row::new("programs of the history", history.programs),
        Row::new("that must be refused", history.refusals),
        Row::new("that came out otherwise", history.wrong.len()),
        Row::new("seconds of processors in all", format!("{:.0}", cpu_seconds())),
    ];
    for row in rows {
        writeln!(out, "{row}")?;
    }
    let found_enough = caught * 100 >= hunts.len() * FOUND;
    let good = sitting.found.is_empty() && genuine == 0 && history.wrong.is_empty() && found_enough;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every mistake; those that are found soon leave time to the others.
fn hunt_all(seed: u64, seconds: f64, threads: usize, talks: bool) -> io::Result<Vec<Hunt>> {
    let mut left = seconds;
    let mut hunts = Vec::new();
    let faults = if seconds > 0.0 { Fault::ALL } else { &[] };
    for (index, fault) in faults.iter().enumerate() {
        if talks {
            write!(io::stderr(), "\r{:<40}", fault.name())?;
        }
        let others = u32::try_from(faults.len() - index).unwrap_or(1);
        // A hard one may take the time of several.
        let share = (4.0 * left / f64::from(others)).min(left);
        let hunt = hunt(*fault, seed, share, threads);
        left -= hunt.seconds;
        hunts.push(hunt);
    }
    Ok(hunts)
}
