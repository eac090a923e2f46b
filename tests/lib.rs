//! The corpus and the integration tests of the workspace: what several of them need to read the corpus.

use std::path::{Path, PathBuf};

use bpfvet_testkit::corpus::{Program, programs};

/// Where the corpus is.
#[must_use]
pub fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The examples of the catalogue of codes: what `bpfvet explain` shows is of the corpus, too.
const EXAMPLES: &str = "../crates/report/src/catalogue/examples";

/// Its Markdown files, in order, each with its path below it; those of the catalogue below `explain/`.
#[must_use]
pub fn files() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for (root, prefix) in [(corpus(), ""), (Path::new(env!("CARGO_MANIFEST_DIR")).join(EXAMPLES), "explain/")] {
        let mut todo = vec![root.clone()];
        let mut here = Vec::new();
        while let Some(dir) = todo.pop() {
            for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    todo.push(path);
                } else if path.extension().is_some_and(|extension| extension == "md") {
                    let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
                    here.push((path, format!("{prefix}{name}")));
                }
            }
        }
        here.sort();
        found.extend(here);
    }
    found
}

/// The programs of the whole corpus, each with its file's path below it.
///
/// # Errors
///
/// The first file that cannot be read, and why.
pub fn all_programs() -> Result<Vec<(String, Program)>, String> {
    let mut found = Vec::new();
    for (path, name) in files() {
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
        let programs = programs(&text).map_err(|error| format!("{name}: {error}"))?;
        found.extend(programs.into_iter().map(|program| (name.clone(), program)));
    }
    Ok(found)
}

/// The rows of the first table under a heading of a Markdown file, without its head.
#[must_use]
pub fn table<'a>(text: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let after = text.lines().skip_while(|line| *line != heading).skip(1);
    let rows = after.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.skip(2).map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}
