//! `cargo xtask differential`: random programs, before this project and before a real kernel.
//!
//! ```text
//! seeds ─▶ subjects ─▶ both judges ─compare─▶ disagreements by signature ─minimise─▶ candidates for the corpus
//! ```

mod candidate;
mod compare;
mod minimise;
mod seeds;
mod subject;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use rayon::prelude::*;

use crate::lab::Lab;
use crate::oracle::{self, Machine, Outcome, Reply};
use crate::selftests::{Judgement, Ours};
use compare::{Kind, Signature, Sums, signature};
use seeds::Seeds;
use subject::Subject;

/// The release that Debian's kernel as a user process is of, as far as the verifier goes.
const PROCESS_RELEASE: &str = "7.2";
/// Seconds that a load may take.
const SECONDS: u32 = 60;
/// Programs between two looks at the tally.
const BATCH: u64 = 4000;

/// Arguments of the command.
#[derive(Args)]
pub(crate) struct Differential {
    /// How many programs
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    /// Which ones: the same seed makes the same programs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of the first of them, as reports name it
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Release of the kernel, or `uml` for the one that is a user process
    #[arg(long, default_value = "uml")]
    kernel: String,
    /// Loads without capabilities, or with some
    #[arg(long)]
    unprivileged: bool,
    /// Write one program of each disagreement about a verdict to this directory, as small as it becomes, in the corpus's form
    #[arg(long)]
    out: Option<PathBuf>,
    /// Disagreements of each kind that are made small
    #[arg(long, default_value_t = 40)]
    minimise: usize,
    /// Say nothing of messages and counts
    #[arg(long)]
    verdicts: bool,
    /// Fail where this project accepts what the kernel rejects
    #[arg(long)]
    check: bool,
}

/// Both judges.
struct Judges {
    lab: Lab,
    machine: Machine,
    ours: Ours,
}

impl Judges {
    fn new(release: &str) -> Result<Self> {
        let lab = Lab::open()?;
        let machine = Machine::named(&lab, release)?;
        let ours = match &machine {
            Machine::Process => Ours::without_types(PROCESS_RELEASE)?,
            Machine::Emulated(kernel) => Ours::new(release, kernel)?,
        };
        Ok(Self { lab, machine, ours })
    }

    /// What both say of each.
    fn ask(&self, subjects: &[Subject]) -> Result<Vec<(Judgement, Reply)>> {
        let jobs: Vec<_> = subjects.iter().map(Subject::job).collect();
        let (replies, ours) = rayon::join(
            || oracle::ask_within(&self.lab, &self.machine, &jobs, SECONDS),
            || subjects.par_iter().map(|subject| subject.judge(&self.ours)).collect::<Vec<_>>(),
        );
        Ok(ours.into_iter().zip(replies?).collect())
    }

    /// How they differ.
    fn signatures(&self, subjects: &[Subject]) -> Result<Vec<Option<Signature>>> {
        Ok(self.ask(subjects)?.iter().map(|(ours, kernels)| self.signature(ours, kernels)).collect())
    }

    fn signature(&self, ours: &Judgement, kernels: &Reply) -> Option<Signature> {
        signature(matches!(self.machine, Machine::Process), ours, kernels)
    }

    /// The program types that the kernel knows; of the others there is nothing to compare.
    fn known_types(&self) -> Result<Vec<u32>> {
        let probes: Vec<Subject> = (1..40).map(Subject::probe).collect();
        let jobs: Vec<_> = probes.iter().map(Subject::job).collect();
        let replies = oracle::ask_within(&self.lab, &self.machine, &jobs, SECONDS)?;
        let knows = |reply: &Reply| reply.outcome == Outcome::Accepted || !reply.log.is_empty();
        let known = probes.iter().zip(&replies).filter(|(_, reply)| knows(reply));
        Ok(known.map(|(probe, _)| probe.raw.program_type).collect())
    }
}

/// Programs of one signature.
#[derive(Default)]
struct Found {
    count: u64,
    /// The shortest.
    example: Option<Subject>,
}

impl Found {
    fn add(&mut self, subject: Subject) {
        self.count += 1;
        if self.example.as_ref().is_none_or(|example| subject.raw.bytes.len() < example.raw.bytes.len()) {
            self.example = Some(subject);
        }
    }
}

pub(crate) fn run(args: &Differential) -> Result<()> {
    let judges = Judges::new(&args.kernel)?;
    let types = judges.known_types()?;
    let seeds = Seeds::read(&judges.lab, &types, args.unprivileged)?;
    println!("{} seeds; {} program types", seeds.len(), types.len());
    let (mut sums, mut found) = (Sums::default(), BTreeMap::<Signature, Found>::new());
    let (mut next, end) = (args.first, args.first.saturating_add(args.count));
    while next < end {
        let until = end.min(next + BATCH);
        let subjects: Vec<Subject> =
            (next..until).into_par_iter().map(|index| seeds.subject(args.seed, index)).collect();
        let judged = judges.ask(&subjects)?;
        for (subject, (ours, kernels)) in subjects.into_iter().zip(judged) {
            sums.add(&ours, &kernels);
            if let Some(signature) = judges.signature(&ours, &kernels) {
                sums.differ(signature.kind);
                found.entry(signature).or_default().add(subject);
            }
        }
        next = until;
        eprintln!("{}", sums.line());
    }
    if args.verdicts {
        found.retain(|signature, _| signature.kind.is_about_verdicts());
    }
    show(&found);
    println!("{}", sums.table());
    if let Some(directory) = &args.out {
        let small = minimise::all(&judges, &chosen(found, args.minimise))?;
        candidate::write(directory, &args.kernel, &small)
            .with_context(|| format!("cannot write to {}", directory.display()))?;
    }
    let dangerous = sums.of(Kind::Unsafe);
    if args.check && dangerous > 0 {
        bail!("{dangerous} programs are accepted that the kernel rejects");
    }
    Ok(())
}

/// The most frequent of each kind that is about verdicts.
fn chosen(found: BTreeMap<Signature, Found>, most: usize) -> Vec<(Signature, Subject)> {
    let mut found: Vec<(Signature, Found)> =
        found.into_iter().filter(|(signature, _)| signature.kind.is_about_verdicts()).collect();
    found.sort_by_key(|(_, found)| std::cmp::Reverse(found.count));
    let mut taken = BTreeMap::<Kind, usize>::new();
    let mut chosen = Vec::new();
    for (signature, Found { count: _, example }) in found {
        let taken = taken.entry(signature.kind).or_default();
        if let Some(example) = example
            && *taken < most
        {
            *taken += 1;
            chosen.push((signature, example));
        }
    }
    chosen
}

/// One line for each signature, the dangerous ones first, then by number.
fn show(found: &BTreeMap<Signature, Found>) {
    let mut lines: Vec<_> = found.iter().collect();
    lines.sort_by_key(|(signature, found)| (signature.kind, std::cmp::Reverse(found.count)));
    for (Signature { kind, kernels, ours }, Found { count, example }) in lines {
        let origin = example.as_ref().map_or("", |example| example.origin.as_str());
        println!("{count:>7} {}: kernel `{kernels}`; ours `{ours}` ({origin})", kind.word());
    }
}
