//! `cargo xtask ladder`: our verdicts beside those of real kernels, rung by rung.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bpfvet_platform::ProgramType;
use clap::Args;

use super::compare::{Comparison, Standing, Truth, compare};
use super::expect::{Expectation, Mode};
use super::judge::{Judge, Judgement, Live, Source, Test, Verdict};
use super::ours::Ours;
use super::record::{Entry, Name, Unmet};
use super::tally::{Tally, table};
use crate::lab::{Kernel, Lab, REFERENCE, Selftests};
use crate::oracle::{Machine, Outcome, Raw};

/// Arguments of the command.
#[derive(Args)]
pub(crate) struct Ladder {
    /// Kernels by release, oldest first
    #[arg(long, value_delimiter = ',', default_value = "5.10,6.1,6.12,7.3")]
    kernels: Vec<String>,
    /// Also without capabilities
    #[arg(long)]
    unprivileged: bool,
    /// Type of raw programs
    #[arg(long = "type", default_value = "socket_filter")]
    program_type: String,
    /// Also the reference kernel's own test objects whose name begins so; empty for all
    #[arg(long)]
    selftests: Option<String>,
    /// Tables only, no names
    #[arg(long)]
    brief: bool,
    /// Object files, and files of raw little-endian instructions
    files: Vec<PathBuf>,
}

pub(crate) fn ladder(args: &Ladder) -> Result<()> {
    let lab = Lab::open()?;
    let mut files = args.files.clone();
    if let Some(prefix) = &args.selftests {
        let tests = Selftests::compile(&lab, REFERENCE, prefix)?;
        files.extend(tests.compiled.iter().map(|name| tests.directory.join(name)));
    }
    if files.is_empty() {
        bail!("name files, or ask for --selftests");
    }
    let modes: &[Mode] = if args.unprivileged { &Mode::ALL } else { &[Mode::Priv] };
    let mut programs = Vec::new();
    for file in &files {
        programs.extend(programs_of(file, &args.program_type, modes)?);
    }
    let (mut rungs, mut all) = (BTreeMap::new(), Tally::default());
    for version in &args.kernels {
        let kernel = Kernel::fetch(&lab, version)?;
        let ours = Ours::new(version, &kernel)?.judge(&programs)?;
        println!("\n{} programs on {}", programs.len(), kernel.release);
        let live = Live { lab: lab.clone(), machine: Machine::Emulated(kernel), log_bytes: 4096 };
        let kernels = live.judge(&programs)?;
        let mut rung = Tally::default();
        let mut lines = Vec::new();
        for ((program, ours), kernels) in programs.iter().zip(&ours).zip(&kernels) {
            let comparison = compare(program, Some(&entry(kernels)), ours);
            rung.add(&comparison);
            all.add(&comparison);
            lines.extend(line(program, &comparison, ours, kernels));
        }
        // What is dangerous stands on top.
        lines.sort();
        if !args.brief {
            lines.iter().for_each(|(_, line)| println!("{line}"));
        }
        rungs.insert(version.clone(), rung);
    }
    println!("\n{}", table("kernel", &rungs, &all));
    Ok(())
}

/// The programs of a file, each in each mode.
fn programs_of(file: &Path, program_type: &str, modes: &[Mode]) -> Result<Vec<Test>> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let object = name.split('.').next().unwrap_or(&name).to_owned();
    let sources = if bytes.starts_with(b"\x7fELF") {
        let source = |program| (program, Source::Object { file: file.to_path_buf(), also: Vec::new(), btf: None });
        super::program_names(&bytes)?.into_iter().map(source).collect()
    } else {
        let Some(program_type) = ProgramType::by_name(program_type) else {
            bail!("there is no program type `{program_type}`")
        };
        let raw = Raw { program_type: program_type.0, bytes, ..Raw::default() };
        vec![(name.clone().into_owned(), Source::Array(Arc::new(raw)))]
    };
    let mut programs = Vec::new();
    for (program, source) in sources {
        for mode in modes {
            programs.push(Test {
                name: Name { object: object.clone(), program: program.clone(), mode: *mode },
                source: source.clone(),
                expect: Expectation::default(),
                flags: 0,
                log_level: 0,
            });
        }
    }
    Ok(programs)
}

/// A kernel's judgement as the truth.
fn entry(judgement: &Judgement) -> Entry {
    let outcome = match judgement.verdict {
        Verdict::Accepted => Outcome::Accepted,
        Verdict::Rejected => Outcome::Rejected,
        Verdict::Unsupported | Verdict::Failed => Outcome::NotAsked,
    };
    Entry { outcome, errno: 0, stats: judgement.stats.unwrap_or_default(), unmet: Unmet::Nothing }
}

/// What is said of a disagreement, with its rank.
fn line(program: &Test, comparison: &Comparison, ours: &Judgement, kernels: &Judgement) -> Option<(Standing, String)> {
    let Comparison { truth, standing, .. } = comparison;
    let what = match standing {
        Standing::Unsafe => "UNSAFE",
        Standing::TooStrict => "too strict",
        Standing::Unsupported => "unsupported",
        Standing::Failed => "failed",
        Standing::Agrees | Standing::NoTruth => return None,
    };
    let (kernels, ours) = match truth {
        Truth::Reject => (format!("kernel: {}", kernels.message), format!("ours: {}", ours.message)),
        Truth::Accept | Truth::Unknown => ("the kernel accepts".to_owned(), format!("ours: {}", ours.message)),
    };
    Some((*standing, format!("  {what} {}: {kernels}; {ours}", program.name)))
}
