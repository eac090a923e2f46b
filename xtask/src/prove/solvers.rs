//! Solvers from the Python package index, in an environment outside the repository, and the answers they give.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};

use crate::shell;

/// The packages, pinned: another version may need other times.
const PACKAGES: [&str; 3] = ["bitwuzla==0.9.1", "z3-solver==5.4.0.0", "cvc5==1.4.2"];

/// Runs beside the solvers, in their language.
const DRIVER: &str = include_str!("solve.py");

/// Solvers that are ready to answer, and a directory for what they are asked.
pub(crate) struct Solvers {
    python: PathBuf,
    /// Of this process alone: several may ask at a time.
    pub(crate) queries: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Solver {
    Bitwuzla,
    Z3,
    Cvc5,
}

impl Solver {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bitwuzla => "bitwuzla",
            Self::Z3 => "z3",
            Self::Cvc5 => "cvc5",
        }
    }
}

/// A question for one solver.
pub(crate) struct Job {
    pub(crate) solver: Solver,
    /// A limit on its processor time.
    pub(crate) seconds: f64,
    pub(crate) file: PathBuf,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Satisfiable,
    Unsatisfiable,
    /// Out of time, or beyond the solver.
    Undecided,
    Broken(String),
}

/// What became of a job.
pub(crate) struct Outcome {
    pub(crate) answer: Answer,
    /// Processor seconds.
    pub(crate) cpu: f64,
}

impl Solvers {
    /// Makes the environment unless it is there; says in one sentence what is missing if it cannot.
    pub(crate) fn set_up() -> Result<Self> {
        let home = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
            .context("no directory for caches is known: set XDG_CACHE_HOME")?
            .join("bpfvet")
            .join("prove");
        let queries = home.join("queries").join(std::process::id().to_string());
        fs::create_dir_all(&queries).with_context(|| format!("cannot make {}", queries.display()))?;
        Ok(Self { python: python(&home)?, queries })
    }

    /// Forgets what was asked.
    pub(crate) fn tidy_up(self) -> Result<()> {
        fs::remove_dir_all(&self.queries).with_context(|| format!("cannot remove {}", self.queries.display()))
    }

    /// Answers all jobs, in order, on as many processors as there are.
    pub(crate) fn answer(&self, jobs: &[Job]) -> Result<Vec<Outcome>> {
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len().max(1));
        let next = AtomicUsize::new(0);
        let mut outcomes: Vec<Option<Outcome>> = jobs.iter().map(|_| None).collect();
        let parts: Vec<Result<Vec<(usize, Outcome)>>> = std::thread::scope(|scope| {
            let running: Vec<_> = (0..workers).map(|_| scope.spawn(|| self.answer_in_turn(jobs, &next))).collect();
            running.into_iter().map(|worker| worker.join().unwrap_or_else(|_| bail!("a worker gave up"))).collect()
        });
        for part in parts {
            for (place, outcome) in part? {
                outcomes[place] = Some(outcome);
            }
        }
        outcomes.into_iter().collect::<Option<Vec<_>>>().context("the driver of the solvers left questions open")
    }

    /// Answers jobs with a driver of its own, as long as there is a next one.
    fn answer_in_turn(&self, jobs: &[Job], next: &AtomicUsize) -> Result<Vec<(usize, Outcome)>> {
        let mut driver = Command::new(&self.python)
            .args(["-c", DRIVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the driver of the solvers")?;
        let mut questions = driver.stdin.take().context("the driver takes no questions")?;
        let mut answers = BufReader::new(driver.stdout.take().context("the driver gives no answers")?).lines();
        let mut outcomes = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(Job { solver, seconds, file }) = jobs.get(place) else { break };
            writeln!(questions, "{}\t{seconds}\t{}", solver.name(), file.display())?;
            let line = answers.next().context("the driver of the solvers stopped")??;
            let mut columns = line.split('\t').skip(1);
            let answer = match columns.next() {
                Some("sat") => Answer::Satisfiable,
                Some("unsat") => Answer::Unsatisfiable,
                Some("unknown" | "timeout") => Answer::Undecided,
                other => Answer::Broken(other.unwrap_or_default().to_owned()),
            };
            let cpu = columns
                .next()
                .and_then(|text| text.parse().ok())
                .context("the driver does not say what an answer cost")?;
            outcomes.push((place, Outcome { answer, cpu }));
        }
        drop(questions);
        driver.wait()?;
        Ok(outcomes)
    }
}

/// The interpreter of an environment that has the packages; one process at a time makes it.
fn python(home: &Path) -> Result<PathBuf> {
    let environment = home.join("environment");
    let (python, ready) = (environment.join("bin").join("python"), environment.join("ready"));
    let lock = File::create(home.join("lock")).context("cannot make a lock beside the solvers")?;
    lock.lock().context("cannot wait for who else sets up solvers")?;
    let wanted = PACKAGES.join(" ");
    if fs::read_to_string(&ready).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    println!("setting up solvers in {}: {wanted}", environment.display());
    shell::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))
        .context("`cargo xtask prove` needs python3 with its venv module")?;
    shell::output(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES)).context(
        "`cargo xtask prove` needs the Python packages bitwuzla, z3-solver and cvc5, and pip could not install them",
    )?;
    fs::write(&ready, wanted)?;
    Ok(python)
}
