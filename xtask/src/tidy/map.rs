//! The README's map of the crates and the directories agree, and each crate states its invariant.

use std::collections::BTreeSet;

use super::{File, Finding};

/// Crates that `README.md` does not name, names in it that are no crate, and crates without an invariant.
pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let crates: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml"))
        .filter(|name| !name.contains('/'))
        .collect();
    for name in &crates {
        findings.extend(invariant(files, name));
    }
    let Some(readme) = files.iter().find(|file| file.path == "README.md").and_then(|file| file.text.as_deref()) else {
        findings.push(Finding::new("README.md", "is missing"));
        return findings;
    };
    let mapped: BTreeSet<&str> = section(readme, "## The crates").filter_map(row).collect();
    for name in crates.difference(&mapped) {
        findings.push(Finding::new("README.md", format!("the table under `## The crates` lacks `{name}`")));
    }
    for name in mapped.difference(&crates) {
        findings.push(Finding::new(
            "README.md",
            format!("the table under `## The crates` names `{name}`, which is no crate"),
        ));
    }
    findings
}

/// Lines after the heading up to the next heading of the same rank.
fn section<'a>(text: &'a str, heading: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().skip_while(move |line| line.trim_end() != heading).skip(1).take_while(|line| !line.starts_with("## "))
}

/// The crate that a row of the table is about: the first cell, in backticks.
fn row(line: &str) -> Option<&str> {
    line.strip_prefix('|')?.split('|').next()?.trim().strip_prefix('`')?.strip_suffix('`')
}

/// A library begins by saying what it knows and what it must never know; a command's `main.rs` does so in the library's place.
fn invariant(files: &[File], name: &str) -> Option<Finding> {
    let paths = [format!("crates/{name}/src/lib.rs"), format!("crates/{name}/src/main.rs")];
    let file = paths.iter().find_map(|path| files.iter().find(|file| file.path == *path))?;
    let header = file.text.as_deref().unwrap_or_default().lines().take_while(|line| line.starts_with("//!"));
    let stated = header.into_iter().any(|line| line.contains("**Invariant.**"));
    (!stated).then(|| Finding::new(&file.path, "states no `**Invariant.**` in its header"))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::File;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: Some(text.into()) }
    }

    fn house(readme: &str) -> Vec<File> {
        vec![
            file("README.md", readme),
            file("crates/insn/Cargo.toml", ""),
            file("crates/insn/src/lib.rs", "//! Bytes.\n//!\n//! **Invariant.** Nothing else.\n"),
        ]
    }

    #[test]
    fn a_map_that_agrees_passes() {
        assert!(
            check(&house("# x\n## The crates\n| crate | knows |\n| --- | --- |\n| `insn` | bytes |\n## Next\n"))
                .is_empty()
        );
    }

    #[test]
    fn a_crate_off_the_map_is_found() {
        assert_eq!(check(&house("## The crates\n| crate |\n")).len(), 1);
        assert_eq!(check(&house("## Elsewhere\n| `insn` |\n")).len(), 1);
    }

    #[test]
    fn a_name_without_a_crate_is_found() {
        assert_eq!(check(&house("## The crates\n| `insn` |\n| `jit` |\n")).len(), 1);
    }

    #[test]
    fn a_missing_invariant_is_found() {
        let mut files = house("## The crates\n| `insn` |\n");
        files[2] = file("crates/insn/src/lib.rs", "//! Bytes.\n\n// **Invariant.** Too late.\n");
        assert_eq!(check(&files).len(), 1);
    }

    #[test]
    fn a_missing_readme_is_found() {
        let mut files = house("");
        files.remove(0);
        assert_eq!(check(&files).len(), 1);
    }
}
