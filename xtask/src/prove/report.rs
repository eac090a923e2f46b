//! What was proved, by whom, and of what the rest is composed: tables.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::claims::coverage::{FUNCTIONS, Shown};
use super::questions::{Proof, Question};
use super::solvers::Solver;

/// What was found about one obligation.
#[derive(Default)]
struct Finding<'a> {
    questions: usize,
    /// Questions that each solver proved.
    by: BTreeMap<Solver, usize>,
    /// Questions that one solver alone proved, and that none did.
    by_one: usize,
    open: usize,
    wrong: Vec<&'a str>,
    cpu: f64,
}

/// Prints a line for each obligation, and with `everything` how functions follow from them; an error if anything is refuted or open. The
/// processor seconds that solvers took.
pub(super) fn print(answered: &[(Question, Proof)], everything: bool) -> Result<f64> {
    let findings = findings(answered);
    let solvers = [Solver::Bitwuzla, Solver::Z3, Solver::Cvc5];
    let [bitwuzla, z3, cvc5] = solvers.map(Solver::name);
    println!("{:<52} {:>9} {bitwuzla:>9} {z3:>6} {cvc5:>6} {:>8}", "obligation, at 64 bits", "questions", "seconds");
    for (name, Finding { questions, by, open, wrong, cpu, by_one: _ }) in &findings {
        let [bitwuzla, z3, cvc5] = solvers.map(|solver| by.get(&solver).map_or("-".to_owned(), usize::to_string));
        let open = if *open > 0 { format!("  {open} OPEN") } else { String::new() };
        let wrong = if wrong.is_empty() { String::new() } else { format!("  REFUTED: {}", wrong.join("; ")) };
        println!("{name:<52} {questions:>9} {bitwuzla:>9} {z3:>6} {cvc5:>6} {cpu:>8.2}{open}{wrong}");
    }
    if everything {
        functions();
    }
    let count = |which: fn(&Finding<'_>) -> bool| findings.values().filter(|finding| which(finding)).count();
    let by_one = count(|finding| finding.by_one > 0 && finding.open == 0);
    let (open, wrong) = (count(|finding| finding.open > 0), count(|finding| !finding.wrong.is_empty()));
    let cpu: f64 = answered.iter().map(|(_, proof)| proof.cpu).sum();
    println!(
        "{} obligations in {} questions, {cpu:.0} processor seconds: {} proved by two solvers, {by_one} in part by one only, {open} open, {wrong} refuted",
        findings.len(),
        answered.len(),
        findings.len() - by_one - open,
    );
    if open + wrong > 0 {
        bail!("{open} obligations are open and {wrong} refuted");
    }
    Ok(cpu)
}

fn findings(answered: &[(Question, Proof)]) -> BTreeMap<&str, Finding<'_>> {
    let mut findings: BTreeMap<&str, Finding<'_>> = BTreeMap::new();
    for (question, proof) in answered {
        for name in &question.of {
            let finding = findings.entry(name).or_default();
            finding.questions += 1;
            for solver in &proof.by {
                *finding.by.entry(*solver).or_default() += 1;
            }
            finding.open += usize::from(proof.by.is_empty());
            finding.by_one += usize::from(proof.by.len() == 1);
            finding.wrong.extend(proof.contradicted.as_deref());
            finding.cpu += proof.cpu / question.of.len() as f64;
        }
    }
    findings
}

/// Prints how the public functions of `domain` follow from obligations.
fn functions() {
    println!("\nfunctions of `domain`, and the obligations that show them, by how their names begin");
    let mut meant: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, shown) in FUNCTIONS {
        match shown {
            Shown::Proved(by) => println!("  {name:<40} proved: {}", by.join(" | ")),
            Shown::Composed(of, how) => println!("  {name:<40} composed: {how}: {}", of.join(" | ")),
            Shown::Meaning(why) => meant.entry(why).or_default().push(name),
        }
    }
    for (why, names) in meant {
        println!("  nothing to prove: {why}: {}", names.join(", "));
    }
    println!();
}
