//! Questions put to two solvers each: the essence first, the whole where that is not enough.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::claim::Query;
use super::solvers::{Answer, Job, Outcome, Solver, Solvers};

/// A question about an obligation.
pub(crate) struct Question {
    /// The names of the obligations that ask it.
    pub(crate) of: Vec<String>,
    whole: PathBuf,
    essence: Option<PathBuf>,
    of_assumptions: bool,
    solvers: [Solver; 2],
}

/// What became of a question.
#[derive(Default)]
pub(crate) struct Proof {
    /// The solvers that gave the expected answer.
    pub(crate) by: BTreeSet<Solver>,
    /// A solver gave another.
    pub(crate) contradicted: Option<String>,
    /// Processor seconds.
    pub(crate) cpu: f64,
    /// The file that led to the expected answer.
    decisive: Option<PathBuf>,
}

/// Processor seconds for one question.
pub(crate) struct Limits {
    pub(crate) short: f64,
    pub(crate) long: f64,
}

/// Questions written down.
pub(crate) struct Questions<'a> {
    solvers: &'a Solvers,
    all: Vec<Question>,
    /// What has been asked, and where.
    asked: BTreeMap<String, usize>,
}

impl<'a> Questions<'a> {
    pub(crate) fn new(solvers: &'a Solvers) -> Self {
        Self { solvers, all: Vec::new(), asked: BTreeMap::new() }
    }

    /// Writes a question down, under the name of what it asks about.
    pub(crate) fn ask(&mut self, of: &str, query: Query, solvers: [Solver; 2]) -> Result<()> {
        if let Some(question) = self.asked.get(&query.text).and_then(|&place| self.all.get_mut(place)) {
            question.of.push(of.to_owned());
            return Ok(());
        }
        let slug: String = of.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
        let number = self.all.len();
        let write = |text: &str, kind: &str| {
            let file = self.solvers.queries.join(format!("{slug}.{number}{kind}.smt2"));
            fs::write(&file, text).with_context(|| format!("cannot write {}", file.display())).map(|()| file)
        };
        let whole = write(&query.text, "")?;
        let essence = query.essence.map(|text| write(&text, ".essence")).transpose()?;
        self.asked.insert(query.text, number);
        self.all.push(Question {
            of: vec![of.to_owned()],
            whole,
            essence,
            of_assumptions: query.of_assumptions,
            solvers,
        });
        Ok(())
    }

    /// Puts all questions to both of their solvers: first for a short time, then those that none decided for a longer one.
    pub(crate) fn answer(self, limits: &Limits) -> Result<Vec<(Question, Proof)>> {
        let mut answered: Vec<(Question, Proof)> =
            self.all.into_iter().map(|question| (question, Proof::default())).collect();
        let mut round = |seconds: f64, pick: &Pick<'_>| round(self.solvers, &mut answered, seconds, pick);
        // The essence is quick or hopeless.
        round(1.0, &|question, _| Some((question.solvers[0], question.essence.clone()?)))?;
        round(limits.short, &|question, proof| {
            proof.by.is_empty().then(|| (question.solvers[0], question.whole.clone()))
        })?;
        round(limits.short, &|question, proof| {
            Some((question.solvers[1], proof.decisive.clone().unwrap_or(question.whole.clone())))
        })?;
        for solver in 0..2 {
            round(limits.long, &|question, proof| {
                proof.by.is_empty().then(|| (question.solvers[solver], question.whole.clone()))
            })?;
        }
        Ok(answered)
    }
}

/// Puts those questions that `pick` wants put, and records the answers.
fn round(solvers: &Solvers, answered: &mut [(Question, Proof)], seconds: f64, pick: &Pick<'_>) -> Result<()> {
    let (mut jobs, mut asked) = (Vec::new(), Vec::new());
    for (question, proof) in answered.iter_mut() {
        if let Some((solver, file)) = pick(question, proof) {
            jobs.push(Job { solver, seconds, file });
            asked.push((question, proof));
        }
    }
    let outcomes = solvers.answer(&jobs)?;
    for (((question, proof), job), Outcome { answer, cpu }) in asked.into_iter().zip(jobs).zip(outcomes) {
        proof.cpu += cpu;
        let expected = if question.of_assumptions { Answer::Satisfiable } else { Answer::Unsatisfiable };
        match answer {
            Answer::Broken(why) => bail!("{} fails on {}: {why}", job.solver.name(), job.file.display()),
            Answer::Undecided => {}
            answer if answer == expected => {
                proof.by.insert(job.solver);
                proof.decisive = Some(job.file);
            }
            // With fewer assumptions a goal may be missed that is met with all.
            Answer::Satisfiable if Some(&job.file) == question.essence.as_ref() => {}
            Answer::Satisfiable | Answer::Unsatisfiable => {
                proof.contradicted = Some(format!("{} contradicts it in {}", job.solver.name(), job.file.display()));
            }
        }
    }
    Ok(())
}

/// Whom to ask, and which file; nobody where the question is settled.
type Pick<'a> = dyn Fn(&Question, &Proof) -> Option<(Solver, PathBuf)> + 'a;
