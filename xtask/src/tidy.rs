//! The rules of the house that the compiler does not know, checked over the sources and over `cargo metadata`.
//!
//! Each rule is a pure function from what it looks at to a list of findings, so that its tests can show it failing.

mod arrows;
mod licences;
mod map;
mod sources;

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::MetadataCommand;

use crate::shell;

/// A text of the repository and where it is.
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    /// Its text; `None` where it is not text.
    pub(crate) text: Option<String>,
}

/// What a rule found wrong, in one line.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    place: String,
    what: String,
}

impl Finding {
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

pub(crate) fn run() -> Result<()> {
    let root = shell::root();
    let files = tracked(root)?;
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .other_options(["--locked".to_owned(), "--offline".to_owned()])
        .exec()
        .or_else(|_| MetadataCommand::new().manifest_path(root.join("Cargo.toml")).exec())
        .context("`cargo metadata` does not understand the workspace")?;
    let mut findings = Vec::new();
    findings.extend(arrows::check(&arrows::of(&metadata)));
    findings.extend(licences::check(&licences::of(&metadata)));
    findings.extend(sources::check(&files));
    findings.extend(map::check(&files));
    findings.sort();
    for Finding { place, what } in &findings {
        println!("{place}: {what}");
    }
    if !findings.is_empty() {
        bail!("the house is not tidy: {} finding(s)", findings.len());
    }
    println!("tidy: {} files, {} crates, all in order", files.len(), metadata.workspace_packages().len());
    Ok(())
}

/// Every file that git knows or would know.
fn tracked(root: &Path) -> Result<Vec<File>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let mut paths: Vec<String> = shell::output(&mut git)?.lines().map(str::to_owned).collect();
    paths.sort();
    paths.dedup();
    let mut files = Vec::new();
    for path in paths {
        // A file that is deleted but not committed yet is in the index and not on the disk.
        let Ok(bytes) = std::fs::read(root.join(&path)) else { continue };
        files.push(File { path, text: String::from_utf8(bytes).ok() });
    }
    Ok(files)
}
