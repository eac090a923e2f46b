//! Programs by the thousand, on all processors, each held to containment and to the laws between verdicts.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bpfvet::linux::Linux;
use bpfvet::platform::Version;

use super::cpu_seconds;
use crate::containment::{self, Tally, generate};
use crate::machine::Choices;
use crate::metamorphic;

/// What a sitting may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The first program's seed; the others' follow.
    pub seed: u64,
    /// Runs of accepted programs after which it is enough.
    pub runs: u64,
    /// Runs of each accepted program, for each search.
    pub runs_each: u64,
    /// Seconds of processors after which it ends all the same.
    pub seconds: f64,
    /// Threads.
    pub threads: usize,
}

/// What a sitting came to.
#[derive(Clone, Debug, Default)]
pub struct Sitting {
    /// Programs.
    pub programs: u64,
    /// Verdicts, runs, steps.
    pub tally: Tally,
    /// Laws between verdicts that were tried.
    pub laws: u64,
    /// What broke a law.
    pub found: Vec<Found>,
    /// Seconds of processors.
    pub seconds: f64,
}

/// A program that breaks a law.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its seed.
    pub seed: u64,
    /// What is broken, and the program.
    pub text: String,
}

/// Releases whose numbers are intervals: of every four programs one is put to one of them, in turn.
const OLDER: [Version; 3] = [Version::new(6, 1), Version::new(6, 12), Version::new(7, 1)];

/// The hosts by turns: most programs are the newest release's.
#[derive(Debug)]
struct Hosts {
    newest: Linux,
    older: Vec<Linux>,
}

impl Hosts {
    fn all() -> Self {
        let older = OLDER.into_iter().filter_map(|version| Linux::new(version).ok()).collect();
        Self { newest: Linux::newest(), older }
    }

    fn of(&self, index: u64) -> &Linux {
        let turn = index.is_multiple_of(4).then(|| usize::try_from(index / 4).unwrap_or(0) % self.older.len().max(1));
        turn.and_then(|turn| self.older.get(turn)).unwrap_or(&self.newest)
    }
}

/// So many violations are enough to look at.
const ENOUGH: usize = 8;

/// Makes programs and holds them to the laws until a limit is reached. `watch` sees what was done so far, now and then.
pub fn sit(limits: &Limits, watch: impl Fn(&Sitting) + Sync) -> Sitting {
    let (begin, next, over) = (cpu_seconds(), AtomicU64::new(0), AtomicBool::new(false));
    let sum = Mutex::new(Sitting::default());
    std::thread::scope(|scope| {
        for _ in 0..limits.threads.max(1) {
            scope.spawn(|| {
                let hosts = Hosts::all();
                while !over.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let one = one(hosts.of(index), limits.seed.wrapping_add(index), limits.runs_each);
                    let Ok(mut sum) = sum.lock() else { return };
                    sum.programs += 1;
                    sum.tally.add(one.tally);
                    sum.laws += one.laws;
                    sum.found.extend(one.found);
                    if sum.programs.is_multiple_of(64) {
                        sum.seconds = cpu_seconds() - begin;
                        watch(&sum);
                    }
                    let spent = sum.seconds >= limits.seconds || sum.found.len() >= ENOUGH;
                    if sum.tally.runs >= limits.runs || spent {
                        over.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let mut sum = sum.into_inner().unwrap_or_default();
    sum.seconds = cpu_seconds() - begin;
    sum
}

/// One program.
fn one(linux: &Linux, seed: u64, runs: u64) -> Sitting {
    let request = generate(&mut Choices::seeded(seed));
    let mut sitting = Sitting { programs: 1, ..Sitting::default() };
    let found = |text: String| Found {
        seed,
        text: format!("{text}\nLinux {}, {}\n{}", linux.version(), request.program_type.name(), request.program),
    };
    match containment::check(linux, &request, seed, runs) {
        Ok(tally) => sitting.tally = tally,
        Err((search, violation)) => sitting.found.push(found(format!("{search:?}: {violation:#?}"))),
    }
    match metamorphic::check(linux, &request, &mut Choices::seeded(seed)) {
        Ok(laws) => sitting.laws = laws,
        Err(broken) => sitting.found.push(found(format!("{broken:#?}"))),
    }
    sitting
}

#[cfg(test)]
mod tests {
    use super::{Limits, sit};

    #[test]
    fn a_short_sitting_finds_nothing() {
        let limits = Limits { seed: 1 << 32, runs: 2000, runs_each: 4, seconds: 20.0, threads: 2 };
        let sitting = sit(&limits, |_| {});
        assert!(sitting.found.is_empty(), "{:#?}", sitting.found);
        assert!(sitting.programs > 50 && sitting.laws > 200, "{sitting:?}");
    }
}
