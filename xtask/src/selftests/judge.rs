//! Who may be asked for a verdict on a test: this project, a real kernel, or the record of one.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;

use super::expect::{Expectation, Mode};
use super::record::{Name, Record};
use crate::lab::Lab;
use crate::oracle::{self, Caps, Job, Load, Machine, Outcome, Raw, Stats};

/// One load of one program, and what its test expects.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) name: Name,
    /// What is loaded.
    pub(crate) source: Source,
    pub(crate) expect: Expectation,
    pub(crate) flags: u32,
    /// The test's own log level; 0 where it does not care.
    pub(crate) log_level: u32,
}

/// Where a test's program comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// An object file.
    Object {
        file: PathBuf,
        /// Programs of the object that are loaded with it.
        also: Vec<String>,
        /// Types that take the place of the kernel's.
        btf: Option<PathBuf>,
    },
    /// An array of instructions.
    Array(Arc<Raw>),
}

impl Test {
    /// The log level of the load: at least the rejected path, and the counts.
    pub(crate) fn full_log_level(&self) -> u32 {
        const STATS: u32 = 4;
        if self.log_level == 0 { 1 | STATS } else { self.log_level | STATS }
    }

    /// As whom it is loaded.
    pub(crate) fn caps(&self) -> Caps {
        match self.name.mode {
            Mode::Priv => Caps::All,
            Mode::Unpriv => Caps::Only(self.expect.caps),
        }
    }
}

/// A judge's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It loads.
    Accepted,
    /// It does not.
    Rejected,
    /// The judge cannot say, and says what it lacks.
    Unsupported,
    /// The judge failed, or the program never came before it.
    Failed,
}

/// A judge's answer and its reasons.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// Why, in the kernel's words where there are any.
    pub(crate) message: String,
    /// The log, where the judge writes one.
    pub(crate) log: Option<String>,
    /// Counts of the search.
    pub(crate) stats: Option<Stats>,
}

/// Someone who may be asked.
pub(crate) trait Judge {
    /// One judgement for each test, in the same order.
    fn judge(&self, tests: &[Test]) -> Result<Vec<Judgement>>;
}

/// The record of a real kernel: verdicts and counts, no logs. What it disagrees with is the runner.
pub(crate) struct Replay(pub(crate) Record);

impl Judge for Replay {
    fn judge(&self, tests: &[Test]) -> Result<Vec<Judgement>> {
        let judge = |test: &Test| match self.0.get(&test.name) {
            Some(entry) => {
                let verdict = verdict(entry.outcome);
                Judgement { verdict, message: String::new(), log: None, stats: Some(entry.stats) }
            }
            None => Judgement { verdict: Verdict::Failed, message: "not in the record".into(), log: None, stats: None },
        };
        Ok(tests.iter().map(judge).collect())
    }
}

/// A real kernel, booted for the purpose.
pub(crate) struct Live {
    pub(crate) lab: Lab,
    pub(crate) machine: Machine,
    /// Bytes of each log's end that are of interest.
    pub(crate) log_bytes: usize,
}

/// What the tests' own loader keeps of a log.
pub(crate) const WHOLE_LOG: usize = 2 << 20;

impl Live {
    /// What the kernel says of each test, as it comes out of the guest.
    pub(crate) fn ask(&self, tests: &[Test]) -> Result<Vec<oracle::Reply>> {
        let jobs: Vec<Job> = tests.iter().map(|test| job(test, self.log_bytes)).collect();
        oracle::ask(&self.lab, &self.machine, &jobs)
    }
}

/// The load that a test is.
pub(crate) fn job(test: &Test, log_bytes: usize) -> Job {
    Job {
        load: match &test.source {
            Source::Object { file, also, btf } => Load::Object {
                file: file.clone(),
                program: test.name.program.clone(),
                also: also.clone(),
                btf: btf.clone(),
                repair: true,
            },
            Source::Array(raw) => Load::Raw(Raw::clone(raw)),
        },
        flags: test.flags,
        log_level: test.full_log_level(),
        caps: test.caps(),
        log_bytes,
    }
}

impl Judge for Live {
    fn judge(&self, tests: &[Test]) -> Result<Vec<Judgement>> {
        Ok(self.ask(tests)?.into_iter().map(judged).collect())
    }
}

/// What a reply comes to.
pub(crate) fn judged(reply: oracle::Reply) -> Judgement {
    let verdict = verdict(reply.outcome);
    let message = if verdict == Verdict::Failed { reply.remark.clone() } else { reply.message().to_owned() };
    Judgement { verdict, message, stats: reply.stats(), log: Some(reply.log) }
}

fn verdict(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::Accepted => Verdict::Accepted,
        Outcome::Rejected => Verdict::Rejected,
        Outcome::NotAsked | Outcome::Timeout | Outcome::Crash => Verdict::Failed,
    }
}
