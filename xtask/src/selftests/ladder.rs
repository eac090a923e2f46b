//! `cargo xtask ladder`: our verdicts beside those of real kernels, rung by rung.
//!
//! It fails where a kernel refuses what is accepted here, and the reason is neither how that kernel is built nor a known lack of precision.

mod causes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bpfvet_platform::ProgramType;
use clap::Args;

use causes::{Cause, Causes};

use super::arrays;
use super::compare::{Comparison, Standing, Truth, compare};
use super::expect::{Expectation, Mode};
use super::judge::{Judge, Judgement, Replay, Source, Test, Verdict, job, judged};
use super::ours::Ours;
use super::record::{self, Entry, Name, Record, Unmet};
use super::tally::{Tally, table};
use crate::lab::{Kernel, Lab, REFERENCE};
use crate::oracle::{self, Job, Outcome, Raw, Reply};

/// Bytes of a log's end: a message and the counts.
const LOG_BYTES: usize = 700;

/// Arguments of the command.
#[derive(Args)]
pub(crate) struct Ladder {
    /// Kernels by release, oldest first
    #[arg(long, value_delimiter = ',', default_value = "5.10,6.1,6.12,7.3")]
    kernels: Vec<String>,
    /// Files also without capabilities
    #[arg(long)]
    unprivileged: bool,
    /// Type of raw programs
    #[arg(long = "type", default_value = "socket_filter")]
    program_type: String,
    /// Also the reference kernel's own tests, and the other programs of its test objects, where the object's name begins so;
    /// without a name all of them
    #[arg(long, num_args = 0..=1, default_missing_value = "")]
    selftests: Option<String>,
    /// Of those, only privileged, or only unprivileged, loads
    #[arg(long, value_parser = |text: &str| Mode::by_word(text).ok_or("a mode is priv or unpriv"))]
    mode: Option<Mode>,
    /// Tables only, no names
    #[arg(long)]
    brief: bool,
    /// Object files, and files of raw little-endian instructions
    files: Vec<PathBuf>,
}

pub(crate) fn ladder(args: &Ladder) -> Result<()> {
    let lab = Lab::open()?;
    let mut programs = Vec::new();
    if let Some(prefix) = &args.selftests {
        programs = super::tests_of(&lab, REFERENCE, prefix)?;
        let others = super::recorder::others(&lab, REFERENCE, prefix, &programs)?;
        programs.extend(others);
        programs.retain(|test| args.mode.is_none_or(|mode| mode == test.name.mode));
    } else if args.files.is_empty() {
        bail!("name files, or ask for --selftests");
    }
    let modes: &[Mode] = if args.unprivileged { &Mode::ALL } else { &[Mode::Priv] };
    for file in &args.files {
        programs.extend(programs_of(file, &args.program_type, modes)?);
    }
    let record = record::read(REFERENCE)?;
    let (mut rungs, mut all) = (BTreeMap::new(), Tally::default());
    let mut refused = BTreeMap::<(String, &str, &str), usize>::new();
    for version in &args.kernels {
        let kernel = Kernel::fetch(&lab, version)?;
        println!("\n{} programs on {}", programs.len(), kernel.release);
        let known = if version == REFERENCE { record.clone() } else { Record::new() };
        let arrays = if version == REFERENCE { BTreeMap::new() } else { arrays_on(&lab, version, args)? };
        let programs: Vec<Test> = programs.iter().map(|test| as_on(test, version, &known, &arrays)).collect();
        let causes = Causes::of(version, &kernel)?;
        let kernels = answers(&lab, &kernel, &programs, &known)?;
        let ours = Ours::new(version, &kernel)?.judge(&programs)?;
        let mut rung = Tally::default();
        let (mut lines, mut words) = (Vec::new(), Words::default());
        for ((program, ours), kernels) in programs.iter().zip(&ours).zip(&kernels) {
            let comparison = compare(program, Some(known.get(&program.name).unwrap_or(&entry(kernels))), ours);
            rung.add(&comparison);
            all.add(&comparison);
            words.add(ours, kernels);
            let cause = (comparison.standing == Standing::Unsafe).then(|| causes.why(program, kernels));
            if let Some(cause) = cause {
                *refused.entry((version.clone(), cause.word(), cause.reason())).or_default() += 1;
            }
            lines.extend(line(program, &comparison, cause, ours, kernels));
        }
        // What is dangerous stands on top.
        lines.sort();
        if !args.brief {
            lines.iter().for_each(|(_, line)| println!("{line}"));
        }
        words.print(args.brief);
        rungs.insert(version.clone(), rung);
    }
    println!("\n{}", table("kernel", &rungs, &all));
    println!("\naccepted here and refused there:");
    for ((version, word, reason), count) in &refused {
        println!("{version:>6}  {word:<16}  {count:>4}  {reason}");
    }
    let missing: usize =
        refused.iter().filter(|((_, word, _), _)| *word == Cause::Missing.word()).map(|(_, count)| count).sum();
    if missing > 0 {
        bail!("{missing} programs are accepted that a kernel refuses, and nothing explains why");
    }
    Ok(())
}

/// The older tests' programs as a kernel's types have it: numbers of what they call and attach to are its own.
fn arrays_on(lab: &Lab, version: &str, args: &Ladder) -> Result<BTreeMap<Name, Source>> {
    let Some(prefix) = &args.selftests else { return Ok(BTreeMap::new()) };
    Ok(arrays::tests(lab, version, prefix)?.into_iter().map(|test| (test.name, test.source)).collect())
}

/// How often both refuse a program in the same words.
#[derive(Default)]
struct Words {
    same: usize,
    both: usize,
    /// Theirs and ours where they differ, numbers left out.
    others: BTreeMap<(String, String), usize>,
}

impl Words {
    fn add(&mut self, ours: &Judgement, kernels: &Judgement) {
        let refuses = |judgement: &Judgement| judgement.verdict == Verdict::Rejected;
        // A record has no words, a kernel need not have any, and some are what the loader puts in the place of the log.
        let theirs = &kernels.message;
        let is_loaders =
            theirs.contains("is referenced but wasn't resolved") || theirs.starts_with("failed to resolve CO-RE");
        if !refuses(ours) || !refuses(kernels) || theirs.is_empty() || is_loaders {
            return;
        }
        self.both += 1;
        let message = ours.message.lines().last().unwrap_or_default();
        if message == kernels.message {
            self.same += 1;
        } else {
            let key = (without_numbers(&kernels.message), without_numbers(message));
            *self.others.entry(key).or_default() += 1;
        }
    }

    fn print(&self, brief: bool) {
        if self.both == 0 {
            return;
        }
        println!("  the same words: {} of {} that both refuse", self.same, self.both);
        if brief {
            return;
        }
        let mut others: Vec<_> = self.others.iter().collect();
        others.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for ((theirs, ours), count) in others {
            println!("  words {count}: kernel: {theirs}; ours: {ours}");
        }
    }
}

fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '0'..='9' if out.ends_with('N') => {}
            '0'..='9' => out.push('N'),
            _ => out.push(letter),
        }
    }
    out
}

/// What a kernel answers. Kernels before 6.4 refuse a load whose log does not fit, so there the counts alone must do.
fn ask(lab: &Lab, kernel: &Kernel, jobs: Vec<Job>) -> Result<Vec<Reply>> {
    const STATS: u32 = 4;
    const NO_SPACE: i32 = 28;
    let mut replies = oracle::ask_once(lab, kernel, &jobs)?;
    let too_long = |(_, reply): &(usize, &Reply)| reply.outcome == Outcome::Rejected && reply.errno == NO_SPACE;
    let again: Vec<usize> = replies.iter().enumerate().filter(too_long).map(|(at, _)| at).collect();
    let short: Vec<Job> =
        again.iter().filter_map(|at| jobs.get(*at)).map(|job| Job { log_level: STATS, ..job.clone() }).collect();
    for (at, reply) in again.into_iter().zip(oracle::ask_once(lab, kernel, &short)?) {
        if let Some(place) = replies.get_mut(at) {
            *place = reply;
        }
    }
    Ok(replies)
}

/// A kernel's judgement of every program: from the record where that has one, else its own.
fn answers(lab: &Lab, kernel: &Kernel, programs: &[Test], known: &Record) -> Result<Vec<Judgement>> {
    let (recorded, open): (Vec<_>, Vec<_>) =
        (0..).zip(programs).partition(|(_, test): &(usize, _)| known.contains_key(&test.name));
    let jobs: Vec<Job> = open.iter().map(|(_, test)| job(test, LOG_BYTES)).collect();
    let replies = if jobs.is_empty() { Vec::new() } else { ask(lab, kernel, jobs)? };
    let mut answers: BTreeMap<usize, Judgement> =
        open.iter().zip(replies).map(|((index, _), reply)| (*index, judged(reply))).collect();
    let tests: Vec<Test> = recorded.iter().map(|(_, test)| Test::clone(test)).collect();
    let replayed = Replay(known.clone()).judge(&tests)?;
    answers.extend(recorded.iter().map(|(index, _)| *index).zip(replayed));
    Ok(answers.into_values().collect())
}

/// A test as another release than its own can be asked about it: without the flags that only test the newest verifier itself,
/// without patterns, for words change, and with the numbers of that release's types.
fn as_on(test: &Test, version: &str, known: &Record, arrays: &BTreeMap<Name, Source>) -> Test {
    if known.contains_key(&test.name) {
        return test.clone();
    }
    let mut test = test.clone();
    if let Some(source) = arrays.get(&test.name) {
        test.source = source.clone();
    }
    // `BPF_F_TEST_RND_HI32` and `BPF_F_TEST_REG_INVARIANTS`
    const OF_TESTS: u32 = 0x84;
    test.flags &= !OF_TESTS;
    if version != REFERENCE {
        test.expect.messages.clear();
    }
    test
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
fn line(
    program: &Test,
    comparison: &Comparison,
    cause: Option<Cause>,
    ours: &Judgement,
    kernels: &Judgement,
) -> Option<((Standing, Option<Cause>), String)> {
    let Comparison { truth, standing, .. } = comparison;
    let what = match standing {
        Standing::Unsafe => cause.unwrap_or(Cause::Missing).word(),
        Standing::TooStrict => "too strict",
        Standing::Unsupported => "unsupported",
        Standing::Failed => "failed",
        Standing::Agrees | Standing::NoTruth => return None,
    };
    let (kernels, ours) = match truth {
        Truth::Reject => (format!("kernel: {}", kernels.message), format!("ours: {}", ours.message)),
        Truth::Accept | Truth::Unknown => ("the kernel accepts".to_owned(), format!("ours: {}", ours.message)),
    };
    Some(((*standing, cause), format!("  {what} {}: {kernels}; {ours}", program.name)))
}
