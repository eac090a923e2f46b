//! `cargo xtask record`: asks a real kernel about every program of its own selftests and writes the record that runs are compared
//! with.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use clap::Args;

use super::expect::{Expectation, Mode};
use super::judge::{Live, Source, Test, WHOLE_LOG};
use super::matching::first_unmet;
use super::record::{self, Entry, Name, Unmet};
use crate::lab::{Kernel, Lab, REFERENCE, Selftests};
use crate::oracle::{Machine, Outcome, Reply};

/// Arguments of the command.
#[derive(Args)]
pub(crate) struct Recording {
    /// Release of the kernel, and of its tests
    #[arg(long, default_value = REFERENCE)]
    kernel: String,
    /// Only objects whose name begins so; the rest of the record stays as it is
    #[arg(long, default_value = "")]
    file: String,
}

pub(crate) fn record(args: &Recording) -> Result<()> {
    let lab = Lab::open()?;
    let kernel = Kernel::fetch(&lab, &args.kernel)?;
    let mut tests = super::tests_of(&lab, &args.kernel, &args.file)?;
    tests.extend(others(&lab, &args.kernel, &args.file, &tests)?);
    let live = Live { machine: Machine::Emulated(kernel.clone()), lab, log_bytes: WHOLE_LOG };
    let replies = live.ask(&tests)?;
    let mut record = record::read(&args.kernel).unwrap_or_default();
    record.retain(|name, _| !name.object.starts_with(&args.file));
    for (test, reply) in tests.iter().zip(&replies) {
        record.insert(test.name.clone(), entry(test, reply));
    }
    let path = record::path(&args.kernel);
    std::fs::write(&path, record::print(&record, &kernel.release))
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("{} programs of {} recorded", replies.len(), kernel.release);
    Ok(())
}

/// Programs that no test is about, loaded as they are.
pub(crate) fn others(lab: &Lab, version: &str, prefix: &str, tests: &[Test]) -> Result<Vec<Test>> {
    let compiled = Selftests::compile(lab, version, prefix)?;
    let tested: BTreeSet<(&str, &str)> =
        tests.iter().map(|test| (test.name.object.as_str(), test.name.program.as_str())).collect();
    let mut others = Vec::new();
    for object in &compiled.compiled {
        let file = compiled.directory.join(object);
        let stem = object.trim_end_matches(".bpf.o");
        for program in super::program_names(&std::fs::read(&file)?)? {
            if !tested.contains(&(stem, program.as_str())) {
                others.push(Test {
                    name: Name { object: stem.to_owned(), program, mode: Mode::Priv },
                    source: Source::Object { file: file.clone(), also: Vec::new(), btf: None },
                    expect: Expectation::default(),
                    flags: 0,
                    log_level: 0,
                });
            }
        }
    }
    Ok(others)
}

fn entry(test: &Test, reply: &Reply) -> Entry {
    let failure = reply.outcome == Outcome::Rejected;
    let unmet = match reply.outcome {
        Outcome::Accepted | Outcome::Rejected if failure != test.expect.failure => Unmet::Verdict,
        Outcome::Accepted | Outcome::Rejected if first_unmet(&reply.log, &test.expect.messages).is_some() => {
            Unmet::Message
        }
        Outcome::Accepted | Outcome::Rejected | Outcome::NotAsked | Outcome::Timeout | Outcome::Crash => Unmet::Nothing,
    };
    // A program that is no test expects nothing.
    let unmet = if test.flags == 0 { Unmet::Nothing } else { unmet };
    Entry { outcome: reply.outcome, errno: reply.errno, stats: reply.stats().unwrap_or_default(), unmet }
}
