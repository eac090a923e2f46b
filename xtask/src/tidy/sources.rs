//! Rules about single files: headers, lengths, words.

use std::sync::LazyLock;

use regex::Regex;

use super::{File, Finding};
use crate::core_crates::CORE;

/// Lines of code, tests not counted, after which a file must be cut. A table may be as long as what it tabulates: it says so by a
/// header line that begins with [`TABLE`].
const LONGEST: usize = 600;
/// What the header of a long table says.
const TABLE: &str = "//! A table:";
/// Crates whose code may compare versions of a host.
/// `report` is among them for the kernel's wording, which differs by release.
const KNOWS_VERSIONS: &[&str] =
    &["crates/platform/", "crates/linux/", "crates/report/", "crates/testkit/", "xtask/", "tests/", "fuzz/"];
/// Where files that are not text may lie: objects compiled from sources of our own, and inputs that fuzzing found.
const BINARIES: &[&str] = &["examples/", "tests/corpus/", "tests/objects/", "fuzz/"];

/// A text that must not occur, why, and the files that are exempt from it. Written in pieces, so that this file is none of them.
struct Word {
    pattern: Regex,
    why: &'static str,
    only: fn(&str) -> bool,
}

static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| {
    let word = |pattern: &str, why, only| Word {
        pattern: Regex::new(pattern).unwrap_or_else(|error| panic!("a pattern of tidy: {error}")),
        why,
        only,
    };
    let everywhere: fn(&str) -> bool = |path| path != "Cargo.lock";
    let rust: fn(&str) -> bool = |path| path.ends_with(".rs");
    vec![
        word(
            concat!("/ho", r"me/\w|/ro", r"ot/\.|/wo", r"rk/\w|/va", "r/tmp/"),
            "holds a path of some machine",
            everywhere,
        ),
        word(
            concat!(r"(?i)\bfa", r"rm\b|help", r"er agent|sub-?ag", r"ent|wo", "rk/shared"),
            "tells of how it was made",
            everywhere,
        ),
        word(
            concat!(r"deb\.deb", r"ian\.org|index\.cra", r"tes\.io|artif", "actory"),
            "names a registry's or mirror's host",
            everywhere,
        ),
        word(concat!(r"\bto", r"do!\(|\bunimpl", r"emented!\(|\bdb", r"g!\("), "is unfinished", rust),
        word(concat!(r"#\[ig", "nore"), "ignores a test: assert what is true today instead", rust),
        word(concat!(r"allow\([^)]*dead", "_code"), "keeps code that nothing uses", rust),
        word(concat!(r"#!?\[allow\(warn", r"ings\)|#!?\[allow\(clippy::al", "l"), "silences every lint", rust),
    ]
});

static VERSIONS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\.at_least\(|\bVersion::new\("));
static STD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\bstd::(fs|env|time|thread|process|net|io|collections)\b|extern crate std"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap_or_else(|error| panic!("a pattern of tidy: {error}"))
}

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    files.iter().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let path = file.path.as_str();
    let Some(text) = file.text.as_deref() else {
        let may = BINARIES.iter().any(|place| path.starts_with(place) || path.contains(&format!("/{place}")));
        return if may { Vec::new() } else { vec![Finding::new(path, "is not text")] };
    };
    let mut findings = Vec::new();
    let mut found = |line: usize, what: String| findings.push(Finding::new(format!("{path}:{line}"), what));
    for Word { pattern, why, only: _ } in WORDS.iter().filter(|word| (word.only)(path)) {
        for (line, _) in text.lines().enumerate().filter(|(_, line)| pattern.is_match(line)) {
            found(line + 1, (*why).to_owned());
        }
    }
    if !path.ends_with(".rs") {
        return findings;
    }
    if !text.starts_with("//!") {
        found(1, "does not begin with a `//!` line that says what it is".to_owned());
    }
    let code: Vec<&str> = text.lines().take_while(|line| line.trim_end() != "#[cfg(test)]").collect();
    let table = text.lines().take_while(|line| line.starts_with("//!")).any(|line| line.starts_with(TABLE));
    let is_code = !path.contains("/tests/") && !path.contains("/benches/");
    if code.len() > LONGEST && is_code && !table {
        found(
            LONGEST + 1,
            format!("is {} lines long: what is the second idea in it? (or is it `{TABLE}`)", code.len()),
        );
    }
    let statements = || code.iter().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    if is_code && !KNOWS_VERSIONS.iter().any(|prefix| path.starts_with(prefix)) {
        for (line, _) in statements().filter(|(_, line)| VERSIONS.is_match(line)) {
            found(line + 1, "compares versions: ask for a feature by name".to_owned());
        }
    }
    let core = CORE.iter().any(|name| path.starts_with(&format!("crates/{name}/src/")));
    if core {
        for (line, text) in statements().filter(|(_, line)| STD.is_match(line)) {
            found(line + 1, format!("a core crate knows no `{}`", text.trim()));
        }
        if path.ends_with("/src/lib.rs") && !text.contains("#![cfg_attr(not(feature = \"std\"), no_std)]") {
            found(1, "a core crate is `no_std` without its feature `std`".to_owned());
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, check_file};
    use crate::tidy::{File, Finding};

    fn findings(path: &str, text: &str) -> Vec<Finding> {
        check_file(&File { path: path.into(), text: Some(text.into()) })
    }

    #[test]
    fn an_orderly_file_passes() {
        assert!(findings("crates/vm/src/state.rs", "//! A state.\nfn f() {}\n").is_empty());
    }

    #[test]
    fn a_file_without_a_header_is_found() {
        assert_eq!(findings("crates/vm/src/state.rs", "fn f() {}\n").len(), 1);
    }

    #[test]
    fn a_long_file_is_found_unless_it_is_a_table() {
        let long = "x\n".repeat(LONGEST);
        assert_eq!(findings("crates/vm/src/state.rs", &format!("//! A state.\n{long}")).len(), 1);
        assert!(
            findings("crates/vm/src/state.rs", &format!("//! States.\n//! A table: one row a state.\n{long}"))
                .is_empty()
        );
        assert!(findings("crates/vm/src/state.rs", &format!("//! A state.\n#[cfg(test)]\n{long}")).is_empty());
    }

    #[test]
    fn forbidden_words_are_found() {
        for text in [
            concat!("see /ho", "me/me/x"),
            concat!("made on a fa", "rm"),
            concat!("from deb.deb", "ian.org"),
            concat!("fn f() { to", "do!() }"),
            concat!("#[ig", "nore]"),
            concat!("#[allow(dead", "_code)]"),
        ] {
            assert_eq!(findings("crates/vm/src/x.rs", &format!("//! X.\n{text}\n")).len(), 1, "{text}");
        }
    }

    #[test]
    fn versions_are_compared_in_two_crates_only() {
        let text = "//! X.\nif version.at_least(V5_3) {}\n";
        assert_eq!(findings("crates/vm/src/x.rs", text).len(), 1);
        assert!(findings("crates/linux/src/x.rs", text).is_empty());
        assert!(findings("crates/vm/src/x.rs", "//! X.\n// not version.at_least(V5_3)\n").is_empty());
    }

    #[test]
    fn a_core_crate_without_no_std_is_found() {
        assert_eq!(findings("crates/vm/src/lib.rs", "//! X.\n").len(), 1);
        assert_eq!(findings("crates/vm/src/x.rs", "//! X.\nuse std::fs::File;\n").len(), 1);
        assert!(findings("crates/cli/src/x.rs", "//! X.\nuse std::fs::File;\n").is_empty());
    }

    #[test]
    fn a_binary_is_found_outside_the_corpus() {
        let file = |path: &str| File { path: path.into(), text: None };
        assert_eq!(check_file(&file("crates/vm/x.o")).len(), 1);
        assert!(check_file(&file("tests/corpus/x.bin")).is_empty());
        assert!(check_file(&file("crates/elf/tests/objects/x.o")).is_empty());
    }
}
