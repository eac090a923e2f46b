//! The corpus, each program in each of the ways to verify. `BLESS=1` writes down what comes out.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use bpfvet_testkit::corpus::{Case, Runner, bless, programs};
use bpfvet_tests::files;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (path, name) in files() {
        match of_file(&path, &name) {
            Ok(found) => trials.extend(found),
            Err(error) => trials.push(Trial::test(name, || Err(Failed::from(error)))),
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
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
        for (skipped, reason) in case.skipped() {
            if !Runner::all().iter().skip(1).any(|runner| runner.name == skipped) {
                return Err(format!("{place}: there is no way `{skipped}` to leave out"));
            }
            if reason.len() < 10 {
                return Err(format!("{place}: why is `{skipped}` left out?"));
            }
        }
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
