//! `cargo xtask prove`: the operators of the scalar domain are sound at 64 bits, as solvers see it.
//!
//! The shipped source of `domain` runs on symbolic words; what it returns is a term; that the term's set holds every result is a question to two
//! solvers. The same questions about operators that were put wrong must be answered the other way.

mod claim;
mod claims;
mod mutants;
mod questions;
mod solvers;
mod symbol;
mod term;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use self::questions::{Limits, Proof, Question, Questions};
use self::solvers::{Solver, Solvers};
use self::symbol::Symbol;

/// What to prove.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// Only obligations whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// Processor seconds that a solver may take for one question
    #[arg(long, default_value_t = 3)]
    seconds: u32,
    /// Processor seconds that it may take if no solver decided the question in those
    #[arg(long, default_value_t = 90)]
    long_seconds: u32,
    /// No mutants
    #[arg(long)]
    no_mutants: bool,
    /// Mutants only
    #[arg(long, conflicts_with = "no_mutants")]
    no_proofs: bool,
    /// Say what each obligation costs
    #[arg(long)]
    verbose: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let solvers = Solvers::set_up()?;
    let wanted = |name: &str| options.only.as_ref().is_none_or(|part| name.contains(part.as_str()));
    let mut cpu = if options.no_proofs { 0.0 } else { prove(&solvers, &wanted, options)? };
    if !options.no_mutants {
        cpu += mutants::refute(&solvers, &wanted, options.only.is_none())?;
    }
    println!("{cpu:.0} processor seconds in solvers");
    Ok(())
}

/// Has everything that is wanted proved; the processor seconds that took.
fn prove(solvers: &Solvers, wanted: &dyn Fn(&str) -> bool, options: &Options) -> Result<f64> {
    let mut questions = Questions::new(solvers);
    for obligation in claims::all::<Symbol<64>>().iter().filter(|obligation| wanted(&obligation.name)) {
        for query in obligation.queries() {
            questions.ask(&obligation.name, query, [Solver::Bitwuzla, Solver::Z3])?;
        }
    }
    for lemma in claims::lemmas::LEMMAS.iter().filter(|lemma| wanted(lemma.name)) {
        for query in lemma.queries() {
            questions.ask(&format!("lemma: {}", lemma.name), query, [Solver::Z3, Solver::Cvc5])?;
        }
    }
    let answered = questions.answer(&Limits { short: options.seconds, long: options.long_seconds })?;
    report(&answered, options.verbose)?;
    Ok(answered.iter().map(|(_, proof)| proof.cpu).sum())
}

/// What was found about one obligation.
#[derive(Default)]
struct Finding<'a> {
    questions: usize,
    by_one_only: usize,
    open: usize,
    wrong: Vec<&'a str>,
    cpu: f64,
}

/// Says what is proved, by whom, and of what the rest is composed; an error if anything is refuted or open.
fn report(answered: &[(Question, Proof)], verbose: bool) -> Result<()> {
    let mut findings: BTreeMap<&str, Finding<'_>> = BTreeMap::new();
    for (question, proof) in answered {
        for name in &question.of {
            let finding = findings.entry(name).or_default();
            finding.questions += 1;
            finding.open += usize::from(proof.by == 0);
            finding.by_one_only += usize::from(proof.by == 1);
            finding.wrong.extend(proof.contradicted.as_deref());
            finding.cpu += proof.cpu / question.of.len() as f64;
        }
    }
    for (name, Finding { questions, by_one_only, open, wrong, cpu }) in &findings {
        if verbose || *open > 0 || !wrong.is_empty() {
            println!(
                "  {name}: {questions} questions, {by_one_only} by one solver only, {open} open, {cpu:.2} s {}",
                wrong.join("; ")
            );
        }
    }
    let count = |which: fn(&Finding<'_>) -> bool| findings.values().filter(|finding| which(finding)).count();
    let by_one = count(|finding| finding.by_one_only > 0 && finding.open == 0);
    let (open, wrong) = (count(|finding| finding.open > 0), count(|finding| !finding.wrong.is_empty()));
    println!(
        "{} obligations in {} questions at 64 bits: {} proved by two solvers, {by_one} in part by one only, {open} open, {wrong} refuted",
        findings.len(),
        answered.len(),
        findings.len() - by_one - open,
    );
    println!("composed:");
    for (what, how) in claims::COMPOSED {
        println!("  {what}: {how}");
    }
    if open + wrong > 0 {
        bail!("{open} obligations are open and {wrong} refuted");
    }
    Ok(())
}
