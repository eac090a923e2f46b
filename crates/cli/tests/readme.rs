//! What the README shows is what comes out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn bpfvet(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_bpfvet")).args(args).current_dir(root()).output().expect("it runs");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_outputs_that_it_shows_are_real() {
    let text = fs::read_to_string(root().join("README.md")).expect("the README");
    let mut shown = 0;
    let mut output = None;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            let asked = command.strip_prefix("cargo run --release -p bpfvet-cli -- ");
            output = asked.map(|asked| bpfvet(&asked.split(' ').collect::<Vec<_>>()));
        } else if line.starts_with("```") {
            output = None;
        } else if let Some(output) = &output
            && line != "..."
        {
            assert!(output.lines().any(|real| real == line), "{line}\nis not in\n{output}");
            shown += 1;
        }
    }
    assert!(shown > 10, "{shown} lines are not the README's");
}

#[test]
fn the_options_that_it_shows_are_there() {
    let text = fs::read_to_string(root().join("README.md")).expect("the README");
    let help = bpfvet(&["check", "--help"]);
    let commands = text.lines().filter_map(|line| line.strip_prefix("$ bpfvet check "));
    let options: Vec<&str> = commands.flat_map(|line| line.split(' ').filter(|word| word.starts_with("--"))).collect();
    assert!(options.len() > 6, "{options:?}");
    for option in options {
        assert!(help.contains(option), "{option}: {help}");
    }
}
