//! `cargo xtask prove`: the operators of the scalar domain are sound at 64 bits, as solvers see it.
//!
//! The shipped source of `domain` runs on symbolic words; what it returns is a term; that the term's set holds every result is a question to two
//! solvers. The same questions about operators that were put wrong must be answered the other way.

mod claim;
mod claims;
mod mutants;
mod solvers;
mod symbol;
mod term;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use self::claim::Obligation;
use self::solvers::{Answer, Job, Outcome, Solver, Solvers};
use self::symbol::Symbol;

/// What to prove.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// Only obligations whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// Processor seconds for one question
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// No mutants
    #[arg(long)]
    no_mutants: bool,
    /// Say what each obligation costs
    #[arg(long)]
    verbose: bool,
}

/// A question about an obligation, put to some solvers.
struct Question {
    of: String,
    file: PathBuf,
    expected: Answer,
    solvers: &'static [Solver],
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let solvers = Solvers::set_up()?;
    let wanted = |name: &str| options.only.as_ref().is_none_or(|part| name.contains(part.as_str()));
    let mut questions = Vec::new();
    for obligation in claims::all::<Symbol<64>>().iter().filter(|obligation| wanted(&obligation.name)) {
        ask(&solvers, obligation, &mut questions)?;
    }
    for obligation in claims::short_ways().iter().filter(|obligation| wanted(&obligation.name)) {
        ask(&solvers, obligation, &mut questions)?;
    }
    for lemma in claims::lemmas::LEMMAS.iter().filter(|lemma| wanted(lemma.name)) {
        for (text, of_assumptions) in lemma.queries() {
            let expected = if of_assumptions { Answer::Satisfiable } else { Answer::Unsatisfiable };
            let file = write(&solvers, questions.len(), &text)?;
            questions.push(Question { of: format!("lemma: {}", lemma.name), file, expected, solvers: &[Solver::Z3, Solver::Cvc5] });
        }
    }
    let cpu = prove(&solvers, &questions, options)?;
    println!("composed:");
    for (what, how) in claims::COMPOSED {
        println!("  {what}: {how}");
    }
    let cpu = cpu + if options.no_mutants { 0.0 } else { mutants::refute(&solvers, &wanted)? };
    println!("{cpu:.0} processor seconds");
    Ok(())
}

fn write(solvers: &Solvers, number: usize, text: &str) -> Result<PathBuf> {
    let file = solvers.queries.join(format!("{number}.smt2"));
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

fn ask(solvers: &Solvers, obligation: &Obligation, questions: &mut Vec<Question>) -> Result<()> {
    for query in obligation.queries() {
        let expected = if query.of_assumptions { Answer::Satisfiable } else { Answer::Unsatisfiable };
        let file = write(solvers, questions.len(), &query.text)?;
        questions.push(Question { of: obligation.name.clone(), file, expected, solvers: &[Solver::Bitwuzla, Solver::Z3] });
    }
    Ok(())
}

/// What the solvers found about one obligation.
#[derive(Default)]
struct Finding {
    questions: usize,
    /// Solvers that did not answer everything.
    undecided: BTreeSet<Solver>,
    cpu: BTreeMap<Solver, f64>,
}

/// Puts every question to its solvers. An error if a solver contradicts an obligation, or none decides a question of it.
fn prove(solvers: &Solvers, questions: &[Question], options: &Options) -> Result<f64> {
    let asked: Vec<(&Question, Solver)> =
        questions.iter().flat_map(|question| question.solvers.iter().map(move |&solver| (question, solver))).collect();
    let jobs: Vec<Job> = asked
        .iter()
        .map(|&(question, solver)| Job { solver, seconds: options.seconds, file: question.file.clone() })
        .collect();
    let outcomes = solvers.answer(&jobs)?;
    let (mut findings, mut refuted): (BTreeMap<&str, Finding>, Vec<String>) = Default::default();
    let mut decided: BTreeMap<&PathBuf, usize> = BTreeMap::new();
    for (&(question, solver), Outcome { answer, cpu }) in asked.iter().zip(&outcomes) {
        let finding = findings.entry(&question.of).or_default();
        finding.questions += usize::from(question.solvers.first() == Some(&solver));
        *finding.cpu.entry(solver).or_default() += cpu;
        let count = decided.entry(&question.file).or_default();
        if *answer == question.expected {
            *count += 1;
        } else if *answer == Answer::Undecided {
            finding.undecided.insert(solver);
        } else {
            refuted.push(format!("{}: {} says {answer:?} of {}", question.of, solver.name(), question.file.display()));
        }
    }
    let open: BTreeSet<&str> =
        questions.iter().filter(|question| decided.get(&question.file) == Some(&0)).map(|question| question.of.as_str()).collect();
    let by_both = findings.values().filter(|finding| finding.undecided.is_empty()).count();
    for (name, finding) in findings.iter().filter(|(_, finding)| options.verbose || !finding.undecided.is_empty()) {
        let costs: Vec<String> = finding.cpu.iter().map(|(solver, cpu)| format!("{} {cpu:.2} s", solver.name())).collect();
        let undecided: Vec<&str> = finding.undecided.iter().map(|solver| solver.name()).collect();
        let note = if undecided.is_empty() { String::new() } else { format!("; not decided by {}", undecided.join(", ")) };
        println!("  {name}: {} questions, {}{note}", finding.questions, costs.join(", "));
    }
    println!(
        "{} obligations in {} questions at 64 bits: {by_both} proved by two solvers, {} by one",
        findings.len(),
        questions.len(),
        findings.len() - by_both - open.len(),
    );
    if !refuted.is_empty() {
        bail!("{} answers contradict an obligation:\n{}", refuted.len(), refuted.join("\n"));
    }
    if !open.is_empty() {
        bail!("no solver decided: {}", open.into_iter().collect::<Vec<_>>().join(", "));
    }
    Ok(outcomes.iter().map(|outcome| outcome.cpu).sum())
}
