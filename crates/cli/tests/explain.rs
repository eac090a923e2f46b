//! The catalogue and the sources name the same codes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Codes in quotation marks behind the arrow of a match.
fn codes(text: &str, codes: &mut BTreeSet<String>) {
    for arm in text.split("=> ").skip(1) {
        let Some(rest) = arm.trim_start_matches(['{', '\n', ' ']).strip_prefix('"') else { continue };
        let Some((code, _)) = rest.split_once('"') else { continue };
        let word = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if code.split_once("::").is_some_and(|(group, name)| word(group) && word(name)) {
            codes.insert(code.to_owned());
        }
    }
}

fn in_sources() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeSet::new();
    codes(&fs::read_to_string(crates.join("report/src/diagnostic/code.rs")).expect("the codes of report"), &mut found);
    for file in fs::read_dir(crates.join("vm/src/violation")).expect("the violations of vm") {
        let path = file.expect("an entry").path();
        codes(&fs::read_to_string(path).expect("a source"), &mut found);
    }
    // The command's own: what a loader could not do.
    found.insert("object::program".to_owned());
    found
}

fn bpfvet(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bpfvet")).args(args).output().expect("the command runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn every_code_is_explained_and_no_other() {
    let (status, out, _) = bpfvet(&["explain"]);
    assert_eq!(status, Some(0));
    let explained: BTreeSet<String> =
        out.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    let sources = in_sources();
    assert!(sources.len() > 100, "the sources were not understood: {sources:?}");
    assert_eq!(sources.difference(&explained).collect::<Vec<_>>(), Vec::<&String>::new(), "not explained");
    assert_eq!(explained.difference(&sources).collect::<Vec<_>>(), Vec::<&String>::new(), "not in the sources");
}

#[test]
fn a_code_is_explained_by_itself() {
    let (status, out, _) = bpfvet(&["explain", "memory::stack-uninit"]);
    assert_eq!(status, Some(0));
    for part in [
        "memory::stack-uninit\n\n  means:  ",
        "\n  why:    ",
        "\n  cure:   ",
        "\n  refused (program type: socket_filter; without capabilities)\n",
        "; refused here\n",
        "\n  loads\n",
        "\n  kernel: invalid read from stack off -8+1 size 8\n",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
}

#[test]
fn a_group_is_explained_whole() {
    let (status, out, _) = bpfvet(&["explain", "limit"]);
    assert_eq!(status, Some(0));
    let codes = out.lines().filter(|line| line.starts_with("limit::"));
    assert!(codes.count() > 3 && !out.contains("memory::"), "{out}");
}

#[test]
fn what_is_no_code_is_told_with_what_is() {
    let (status, out, error) = bpfvet(&["explain", "memory::out-of-bound"]);
    assert_eq!((status, out.as_str()), (Some(2), ""));
    assert!(error.starts_with("bpfvet: `memory::out-of-bound` is not a code; there are "), "{error}");
    assert!(error.contains(" memory::out-of-bounds, "), "{error}");
}
