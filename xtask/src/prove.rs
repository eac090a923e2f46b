//! `cargo xtask prove`: the operators of the scalar domain are sound at 64 bits, as solvers see it.
//!
//! The shipped source of `domain` runs on symbolic words; what it returns is a term; that the term's set holds every result is a question to two
//! solvers. The same questions about operators that were put wrong must be answered the other way.

mod claim;
mod claims;
mod mutants;
mod questions;
mod report;
mod solvers;
mod symbol;
mod term;
#[cfg(test)]
mod tests;

use anyhow::{Result, bail};

use self::questions::{Limits, Questions};
use self::solvers::{Solver, Solvers};
use self::symbol::Symbol;

/// What to prove.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// Only obligations whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// Processor seconds that a solver may take for one question
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Processor seconds that it may take if no solver decided the question in those
    #[arg(long, default_value_t = 90.0)]
    long_seconds: f64,
    /// No mutants
    #[arg(long)]
    no_mutants: bool,
    /// Mutants only
    #[arg(long, conflicts_with = "no_mutants")]
    no_proofs: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let solvers = Solvers::set_up()?;
    let wanted = |name: &str| options.only.as_ref().is_none_or(|part| name.contains(part.as_str()));
    let mut cpu = if options.no_proofs { 0.0 } else { prove(&solvers, &wanted, options)? };
    if !options.no_mutants {
        cpu += mutants::refute(&solvers, &wanted, options.only.is_none())?;
    }
    println!("{cpu:.0} processor seconds in solvers, all told");
    solvers.tidy_up()
}

/// Has everything that is wanted proved; the processor seconds that took.
fn prove(solvers: &Solvers, wanted: &dyn Fn(&str) -> bool, options: &Options) -> Result<f64> {
    let mut questions = Questions::new(solvers);
    for obligation in claims::all::<Symbol<64>>().iter().filter(|obligation| wanted(&obligation.name)) {
        for query in obligation.queries() {
            questions.ask(&obligation.name, query, [Solver::Bitwuzla, Solver::Z3])?;
        }
    }
    for lemma in claims::lemmas::LEMMAS {
        let name = format!("lemma: {}", lemma.name);
        for query in lemma.queries().into_iter().filter(|_| wanted(&name)) {
            questions.ask(&name, query, [Solver::Z3, Solver::Cvc5])?;
        }
    }
    let answered = questions.answer(&Limits { short: options.seconds, long: options.long_seconds })?;
    if answered.is_empty() {
        bail!("no obligation is called like that");
    }
    report::print(&answered, options.only.is_none())
}
