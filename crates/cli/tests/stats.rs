//! Tables of what verifications cost, and runs beside earlier ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn bpfvet(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bpfvet"))
        .args(args)
        .current_dir(examples())
        .output()
        .expect("the command runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn temporary(name: &str) -> String {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).to_str().expect("a path of text").to_owned()
}

/// What a program came to, in an earlier run.
fn saved(file: &str, program: &str, kernel: &str, verdict: &str, insns: u32, states: u32) -> String {
    format!(
        "{{\"file\":\"{file}\",\"program\":\"{program}\",\"kernel\":\"{kernel}\",\"verdict\":\"{verdict}\",\"duration_us\":1,\
         \"insns_processed\":{insns},\"states_total\":{states},\"states_peak\":{states},\"max_states_per_insn\":1,\
         \"stack_depth\":8,\"anything\":null}}\n"
    )
}

#[test]
fn the_table_has_a_row_for_each_and_the_columns_of_veristat() {
    let (status, out, _) = bpfvet(&["check", "--stats", "--kernel", "6.12,7.3", "socket_filter.bpf.o"]);
    assert_eq!(status, Some(0), "{out}");
    let lines: Vec<&str> = out.lines().collect();
    let [head, dashes, _, _, summary] = lines.as_slice() else { panic!("{out}") };
    let columns: Vec<&str> = head.split("  ").map(str::trim).filter(|title| !title.is_empty()).collect();
    let titles = [
        "File",
        "Program",
        "Kernel",
        "Verdict",
        "Duration (us)",
        "Insns",
        "States",
        "Peak states",
        "Max states per insn",
        "Stack depth",
    ];
    assert_eq!(columns, titles);
    assert_eq!(dashes.split_whitespace().count(), columns.len());
    assert_eq!(*summary, "1 program on 2 kernels: 2 accepted");
    assert!(out.lines().skip(2).take(2).all(|line| line.contains("dns_questions")), "{out}");
}

#[test]
fn rows_are_put_in_order() {
    let files = ["xdp_firewall.bpf.o", "tc_classifier.bpf.o", "socket_filter.bpf.o"];
    let insns = |sort: &str| {
        let (_, out, _) = bpfvet(&[&["check", "--stats", "--sort", sort][..], &files].concat());
        out.lines()
            .filter(|line| line.contains(".bpf.o "))
            .filter_map(|line| line.split_whitespace().nth(5)?.parse::<u32>().ok())
            .collect::<Vec<_>>()
    };
    let descending = insns("insns");
    assert_eq!(descending.len(), 3);
    assert!(descending.iter().rev().is_sorted(), "{descending:?}");
    assert!(insns("insns^").is_sorted());
    let (status, out, error) = bpfvet(&["check", "--stats", "--sort", "size", "xdp_firewall.bpf.o"]);
    assert_eq!((status, out.as_str()), (Some(2), ""));
    assert!(error.contains("`size` is none of file, prog, kernel, verdict"), "{error}");
    let (status, _, error) = bpfvet(&["check", "--sort", "insns", "xdp_firewall.bpf.o"]);
    assert_eq!((status, error.as_str()), (Some(2), "bpfvet: --sort needs a table: --stats or --compare\n"));
}

#[test]
fn what_is_saved_is_what_comes_out_as_json_and_a_run_is_like_itself() {
    let path = temporary("itself.json");
    let (status, _, _) = bpfvet(&["check", "--stats-json", &path, "xdp_firewall.bpf.o", "xdp_firewall_broken.bpf.o"]);
    assert_eq!(status, Some(1));
    let untimed = |text: &str| {
        let line = |line: &str| {
            let mut line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let line = line.as_object_mut().expect("an object");
            line.remove("duration_us");
            // Nobody has asked for an explanation where only costs are saved.
            line.remove("explanation");
            serde_json::to_string(line).expect("JSON")
        };
        text.lines().map(line).collect::<Vec<_>>()
    };
    let (_, json, _) = bpfvet(&["check", "--format", "json", "xdp_firewall.bpf.o", "xdp_firewall_broken.bpf.o"]);
    assert_eq!(untimed(&fs::read_to_string(&path).expect("saved")), untimed(&json));
    // What was refused and still is does not count.
    let (status, out, _) =
        bpfvet(&["check", "--compare", &path, "--format", "log", "xdp_firewall.bpf.o", "xdp_firewall_broken.bpf.o"]);
    assert_eq!(status, Some(0), "{out}");
    assert_eq!(out.matches(" MATCH ").count(), 2, "{out}");
    assert!(out.ends_with("2 programs compared: no verdict changed\n"), "{out}");
}

#[test]
fn differences_are_told_and_what_is_worse_decides_the_status() {
    let path = temporary("earlier.json");
    let earlier = [
        saved("old/xdp_firewall.bpf.o", "firewall", "7.3", "rejected", 100, 24),
        saved("old/xdp_firewall_broken.bpf.o", "firewall", "7.3", "accepted", 9, 0),
        saved("old/gone.bpf.o", "gone", "7.3", "accepted", 2, 1),
    ];
    fs::write(&path, earlier.concat()).expect("a temporary file");
    let files = ["xdp_firewall.bpf.o", "xdp_firewall_broken.bpf.o"];
    let asked = ["check", "--compare", &path, "--format", "log", "--sort", "file"];
    let (status, out, _) = bpfvet(&[&asked[..], &files].concat());
    assert_eq!(status, Some(1), "{out}");
    let table: String =
        out.lines().skip_while(|line| !line.starts_with("File ")).map(|line| format!("{line}\n")).collect();
    expect![[r#"
        File                       Program   Kernel  Verdict (A)  Verdict (B)  Verdict (DIFF)  Insns (A)  Insns (B)    Insns (DIFF)  States (A)  States (B)  States (DIFF)
        -------------------------  --------  ------  -----------  -----------  --------------  ---------  ---------  --------------  ----------  ----------  -------------
        gone.bpf.o                 gone      7.3     accepted     N/A          N/A                     2        N/A             N/A           1         N/A            N/A
        xdp_firewall.bpf.o         firewall  7.3     rejected     accepted     MISMATCH              100        119   +19 (+19.00%)          24          12  -12 (-50.00%)
        xdp_firewall_broken.bpf.o  firewall  7.3     accepted     rejected     MISMATCH                9         34  +25 (+277.78%)           0           3  +3 (+100.00%)
        2 programs compared: 2 verdicts changed, 2 cost more insns, 1 only in the earlier one
    "#]].assert_eq(&table);
    // Nothing got worse: the program that is refused was before.
    let (status, _, _) = bpfvet(&["check", "--compare", &path, "xdp_firewall.bpf.o"]);
    assert_eq!(status, Some(0));
}

#[test]
fn one_kernel_is_compared_with_another() {
    let path = temporary("kernel.json");
    bpfvet(&["check", "--stats-json", &path, "--kernel", "6.12", "socket_filter.bpf.o"]);
    let (status, out, _) = bpfvet(&["check", "--compare", &path, "--kernel", "7.3", "socket_filter.bpf.o"]);
    assert_eq!(status, Some(0));
    assert!(out.contains("  6.12 -> 7.3  accepted     accepted     MATCH "), "{out}");
}

#[test]
fn what_cannot_be_compared_with_is_told_before_anything_is_verified() {
    let path = temporary("text.json");
    fs::write(&path, "nothing\n").expect("a temporary file");
    for (old, part) in [(path.as_str(), "line 1 is not one of --stats-json"), ("nowhere.json", "there is no such file")]
    {
        let (status, out, error) = bpfvet(&["check", "--compare", old, "xdp_firewall.bpf.o"]);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{error}");
        assert!(error.contains(part), "{error}");
    }
    let (status, _, error) = bpfvet(&["check", "--stats-json", "no/where.json", "xdp_firewall.bpf.o"]);
    assert_eq!(status, Some(2));
    assert!(error.starts_with("bpfvet: no/where.json: cannot be written: "), "{error}");
}
