//! Operators put wrong: each seeded mistake must be refuted, or the proofs would prove anything.
//!
//! Two kinds. *Mistakes* are written out: most are what kernels and other verifiers once did. *Slips* change one operation of the shipped
//! source as it runs (`<=` for `<`, a sum for a difference): many are refuted, and the rest are no less sound, only vaguer or the same.

mod mistakes;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Result, bail};

use super::claims;
use super::solvers::{Answer, Job, Outcome, Solver, Solvers};
use super::symbol::{Fault, Slip, Symbol};

/// In so many operations of each kind a slip is planted: one in the first is as good as one in a later.
const OPERATIONS: usize = 1;
/// Processor seconds for one question about a slip, and about a mistake.
const SECONDS: (f64, f64) = (0.5, 20.0);
/// Fewer refuted slips than this, and the proofs are not trusted.
const ENOUGH: usize = 100;

/// What a question asks about.
struct Mutant {
    name: String,
    file: PathBuf,
    /// Written out, and therefore known to be wrong.
    mistake: bool,
}

/// Has the mutants refuted; says how many were. The processor seconds that took.
pub(crate) fn refute(solvers: &Solvers, wanted: &dyn Fn(&str) -> bool, everything: bool) -> Result<f64> {
    let (mut mutants, mut asked) = (Vec::new(), BTreeSet::new());
    let mut add = |name: String, text: String, mistake: bool| -> Result<()> {
        // What is asked of two obligations is one mutant.
        if !asked.insert(text.clone()) {
            return Ok(());
        }
        let file = solvers.queries.join(format!("mutant-{}.smt2", mutants.len()));
        fs::write(&file, text)?;
        mutants.push(Mutant { name, file, mistake });
        Ok(())
    };
    for mistake in mistakes::all::<Symbol<64>>().iter().filter(|mistake| wanted(&mistake.name)) {
        add(mistake.name.clone(), mistake.whole_query(), true)?;
    }
    for obligation in claims::all::<Symbol<8>>().iter().filter(|obligation| wanted(&obligation.name)) {
        for slip in Slip::ALL {
            for nth in 0..OPERATIONS {
                if let Some(text) = obligation.faulty_query(Fault { nth, slip }) {
                    add(format!("{}, {slip:?} {nth}", obligation.name), text, false)?;
                }
            }
        }
    }
    let jobs: Vec<Job> = mutants
        .iter()
        .map(|mutant| {
            let seconds = if mutant.mistake { SECONDS.1 } else { SECONDS.0 };
            Job { solver: Solver::Bitwuzla, seconds, file: mutant.file.clone() }
        })
        .collect();
    let outcomes = solvers.answer(&jobs)?;
    let of = |mistake: bool, answer: &dyn Fn(&Answer) -> bool| {
        mutants
            .iter()
            .zip(&outcomes)
            .filter(|(mutant, outcome)| mutant.mistake == mistake && answer(&outcome.answer))
            .count()
    };
    let refuted = |answer: &Answer| *answer == Answer::Satisfiable;
    let (mistakes, slips) = (of(true, &|_| true), of(false, &|_| true));
    println!("mutants: {} of {mistakes} mistakes refuted at 64 bits", of(true, &refuted));
    println!(
        "mutants: {} of {slips} slips refuted at 8 bits, {} undecided; the others are as sound",
        of(false, &refuted),
        of(false, &|answer| *answer == Answer::Undecided)
    );
    let mut survivors = Vec::new();
    for (mutant, Outcome { answer, .. }) in mutants.iter().zip(&outcomes) {
        match answer {
            Answer::Broken(why) => bail!("{}: {why}", mutant.name),
            Answer::Unsatisfiable | Answer::Undecided if mutant.mistake => {
                survivors.push(format!("{} ({answer:?})", mutant.name));
            }
            Answer::Satisfiable | Answer::Unsatisfiable | Answer::Undecided => {}
        }
    }
    if !survivors.is_empty() {
        bail!("mistakes survive: {}", survivors.join(", "));
    }
    if everything && of(false, &refuted) < ENOUGH {
        bail!("too few slips are refuted: the obligations say too little");
    }
    Ok(outcomes.iter().map(|outcome| outcome.cpu).sum())
}
