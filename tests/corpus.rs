//! The corpus, each program in each of the ways to verify. `BLESS=1` writes down what comes out.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use bpfvet_testkit::corpus::{Case, Runner, bless, programs};
use libtest_mimic::{Arguments, Failed, Trial};

/// The examples of the catalogue of codes.
const EXAMPLES: &str = "../crates/report/src/catalogue/examples";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut trials = Vec::new();
    // What `bpfvet explain` shows is of the corpus, too.
    for (root, prefix) in [(here.join("corpus"), ""), (here.join(EXAMPLES), "explain/")] {
        for path in files(&root) {
            let name = format!("{prefix}{}", path.strip_prefix(&root).unwrap_or(&path).display());
            match of_file(&path, &name) {
                Ok(found) => trials.extend(found),
                Err(error) => trials.push(Trial::test(name, || Err(Failed::from(error)))),
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Markdown files, in order.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![root.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn of_file(path: &Path, name: &str) -> Result<Vec<Trial>, String> {
    let mut text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    if std::env::var_os("BLESS").is_some() {
        let blessed = bless(&text)?;
        if blessed != text {
            std::fs::write(path, &blessed).map_err(|error| error.to_string())?;
            text = blessed;
        }
    }
    let mut trials = Vec::new();
    for program in programs(&text)? {
        let place = format!("{}:{}", path.display(), program.line);
        let case = match Case::new(&program) {
            Ok(case) => Arc::new(case),
            Err(error) => return Err(format!("{place}: {}: {error}", program.name)),
        };
        for runner in Runner::all() {
            if case.skips(runner.name) {
                continue;
            }
            let (case, place) = (Arc::clone(&case), place.clone());
            let (title, kind) = (format!("{name}: {}", program.name), runner.name);
            let check = move || {
                bpfvet_testkit::corpus::check(&case, &runner)
                    .map_err(|error| Failed::from(format!("{place} (lines count from there)\n{error}")))
            };
            trials.push(Trial::test(title, check).with_kind(kind));
        }
    }
    Ok(trials)
}
