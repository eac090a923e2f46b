//! `check` from outside: what is printed where, and the exit status.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect;

/// r0 = 2; exit
const PASS: &[u64] = &[0x0000_0002_0000_00b7, 0x95];
/// exit, with r0 never written
const UNREADABLE: &[u64] = &[0x95];
/// r0 = 0; r0 += 1; if r0 < 10 goto -2; exit
const LOOP: &[u64] = &[0xb7, 0x0000_0001_0000_0007, 0x0000_000a_fffe_00a5, 0x95];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// Runs in the directory of the examples.
fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bpfvet"));
    command.args(args).current_dir(examples());
    command
}

fn bpfvet(args: &[&str]) -> (Option<i32>, String, String) {
    let output = command(args).output().expect("the command runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A file of raw instructions.
fn raw(name: &str, slots: &[u64]) -> String {
    let bytes: Vec<u8> = slots.iter().flat_map(|slot| slot.to_le_bytes()).collect();
    file(name, &bytes)
}

fn file(name: &str, bytes: &[u8]) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, bytes).expect("a temporary file");
    path.to_str().expect("a path of text").to_owned()
}

/// What the command cannot answer: nothing on standard output, one sentence on standard error.
fn fault(args: &[&str]) -> String {
    let (status, out, error) = bpfvet(args);
    assert_eq!((status, out.as_str()), (Some(2), ""), "{args:?}: {error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    error.replace(env!("CARGO_TARGET_TMPDIR"), "TMP")
}

#[test]
fn an_accepted_program_is_a_line_and_status_zero() {
    let (status, out, _) = bpfvet(&["check", "xdp_firewall.bpf.o"]);
    assert_eq!(status, Some(0), "{out}");
    let [verdict, summary] = out.lines().collect::<Vec<_>>()[..] else { panic!("two lines: {out}") };
    assert!(verdict.starts_with("accepted    7.3   xdp_firewall.bpf.o: firewall  "), "{verdict}");
    assert!(verdict.ends_with("bytes of stack"), "{verdict}");
    assert_eq!(summary, "1 program on 1 kernel: 1 accepted");
}

#[test]
fn a_rejected_program_is_explained_on_its_source_and_status_one() {
    let (status, out, _) = bpfvet(&["check", "xdp_firewall_broken.bpf.o"]);
    assert_eq!(status, Some(1), "{out}");
    let first = out.lines().next().unwrap_or_default();
    assert!(first.starts_with("rejected    7.3   xdp_firewall_broken.bpf.o: firewall  memory::out-of-bounds at insn "));
    for part in
        ["xdp_firewall_broken.bpf.c:", "if (tcp->dest == htons(protected_port))", "kernel: invalid access to packet"]
    {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(out.ends_with("1 program on 1 kernel: 1 rejected\n"), "{out}");
    assert!(!out.contains('\u{1b}'), "colours where there is no terminal: {out}");
}

#[test]
fn the_same_explanation_for_another_kernel_is_not_repeated() {
    let (status, out, _) = bpfvet(&["check", "--kernel", "6.12,6.18", "tc_classifier_broken.bpf.o"]);
    assert_eq!(status, Some(1));
    assert_eq!(out.matches("error[memory::invalid-pointer]").count(), 1, "{out}");
    assert!(out.contains("rejected    6.18  tc_classifier_broken.bpf.o"), "{out}");
    assert!(out.contains("\n  as on 6.12\n"), "{out}");
}

#[test]
fn json_has_these_fields_in_this_order() {
    let (status, out, error) = bpfvet(&["check", "--format", "json", "--kernel", "7.3", "tc_classifier_broken.bpf.o"]);
    assert_eq!((status, error.as_str()), (Some(1), ""));
    let line: serde_json::Value = serde_json::from_str(out.trim_end()).expect("JSON");
    let fields = [
        "file",
        "program",
        "section",
        "type",
        "kernel",
        "verdict",
        "code",
        "message",
        "insn",
        "source",
        "insns_processed",
        "states_total",
        "states_peak",
        "max_states_per_insn",
        "stack_depth",
        "duration_us",
        "notes",
        "explanation",
    ];
    assert_eq!(line.as_object().map(|line| line.len()), Some(fields.len()));
    let places: Vec<_> = fields.iter().map(|field| out.find(&format!("\"{field}\":")).expect("the field")).collect();
    assert!(places.is_sorted(), "{out}");
    assert_eq!(line["verdict"], "rejected");
    assert_eq!(line["code"], "memory::invalid-pointer");
    assert_eq!(line["message"], "R0 invalid mem access 'map_value_or_null'");
    assert_eq!(line["type"], "sched_cls");
    assert_eq!(line["source"]["file"], "./tc_classifier_broken.bpf.c");
    assert_eq!(line["source"]["text"], "skb->mark = *class;");
    assert_eq!(line["explanation"]["class"], "program");
    assert_eq!(line["explanation"]["headline"], "a pointer that may be null is used");
}

#[test]
fn answers_come_in_the_order_of_files_programs_and_kernels_and_are_always_the_same() {
    let answers = || {
        let (status, out, _) = bpfvet(&[
            "check",
            "--format",
            "json",
            "--kernel",
            "7.3,5.10,6.1",
            "tc_classifier.bpf.o",
            "socket_filter.bpf.o",
        ]);
        assert_eq!(status, Some(0), "{out}");
        let untimed = |line: &str| line.split(",\"duration_us\"").next().unwrap_or_default().to_owned();
        out.lines().map(untimed).collect::<Vec<_>>()
    };
    let first = answers();
    let order: Vec<_> = first
        .iter()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(&format!("{line}}}")).expect("JSON");
            format!("{} {}", line["file"], line["kernel"]).replace('"', "")
        })
        .collect();
    expect![[r#"
        [
            "tc_classifier.bpf.o 7.3",
            "tc_classifier.bpf.o 5.10",
            "tc_classifier.bpf.o 6.1",
            "socket_filter.bpf.o 7.3",
            "socket_filter.bpf.o 5.10",
            "socket_filter.bpf.o 6.1",
        ]
    "#]]
    .assert_debug_eq(&order);
    for _ in 0..3 {
        assert_eq!(answers(), first);
    }
}

#[test]
fn raw_instructions_need_a_type() {
    let pass = raw("pass.bin", PASS);
    let (status, out, _) = bpfvet(&["check", "--raw", "--type", "xdp", &pass]);
    assert_eq!(status, Some(0), "{out}");
    assert!(out.contains(": pass  2 insns, "), "{out}");
    expect![[r"
        bpfvet: --raw needs --type: instructions do not say what they are for
    "]]
    .assert_eq(&fault(&["check", "--raw", &pass]));
    expect![[r"
        bpfvet: program type `xpd` is not known: it is the name of a section, such as cgroup/connect4, or one of socket_filter, kprobe, sched_cls, sched_act, tracepoint, xdp, perf_event, cgroup_skb, cgroup_sock, lwt_in, lwt_out, lwt_xmit, sock_ops, sk_skb, cgroup_device, sk_msg, raw_tracepoint, cgroup_sock_addr, lwt_seg6local, lirc_mode2, sk_reuseport, flow_dissector, cgroup_sysctl, raw_tracepoint_writable, cgroup_sockopt, tracing, struct_ops, ext, lsm, sk_lookup, syscall, netfilter
    "]]
    .assert_eq(&fault(&["check", "--raw", "--type", "xpd", &pass]));
}

#[test]
fn a_section_name_is_a_type_with_an_attach_point() {
    // A connect hook may return 0 or 1; a program without an attach type could not be judged.
    let pass = raw("two.bin", PASS);
    let (status, out, _) = bpfvet(&["check", "--raw", "--type", "cgroup/connect4", "--format", "json", &pass]);
    assert_eq!(status, Some(1), "{out}");
    assert!(out.contains("\"code\":\"policy::return-value\""), "{out}");
}

#[test]
fn the_log_is_the_kernels() {
    let path = raw("unreadable.bin", UNREADABLE);
    let (status, out, _) = bpfvet(&["check", "--raw", "--type", "xdp", "--format", "log", &path]);
    assert_eq!(status, Some(1));
    expect![[r#"
        0: R1=ctx() R10=fp0
        0: (95) exit
        R0 !read_ok

        Verification failed: Register Type Safety: Unreadable register

        Reason:
          R0 has never been initialized on this path, and this instruction reads it.

        At:
          insn 0
               | ^-- error: R0 is not readable
          Instruction context:
          >>> 0 | (95) exit

        Causal path:
          no retained diagnostic events on this path

        Suggestion:
          Give `r0` a value on every path, or keep it in r6 to r9 or on the stack across calls.

        processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
    "#]]
    .assert_eq(&out);
    let (_, leveled, _) = bpfvet(&["check", "--raw", "--type", "xdp", "--log-level", "1", &path]);
    assert_eq!(leveled, out);
    let (_, stats, _) = bpfvet(&["check", "--raw", "--type", "xdp", "--log-level", "4", &path]);
    assert!(stats.contains("stack depth max "), "{stats}");
}

#[test]
fn kernels_differ() {
    let path = raw("loop.bin", LOOP);
    let (status, out, notes) = bpfvet(&["check", "--raw", "--type", "xdp", "--kernel", "5.2,5.3", &path]);
    assert_eq!(status, Some(1));
    assert!(out.contains("rejected    5.2 "), "{out}");
    assert!(out.contains("structure::back-edge"), "{out}");
    assert!(out.contains("accepted    5.3 "), "{out}");
    assert_eq!(notes.matches("for Linux 5.2, 5.3 numbers are tracked as Linux 6.12 does").count(), 1, "{notes}");
    let (status, out, _) = bpfvet(&["check", "--raw", "--type", "xdp", "--unprivileged", &path]);
    assert_eq!(status, Some(1), "{out}");
}

#[test]
fn all_kernels_are_those_of_the_list() {
    let path = raw("all.bin", PASS);
    let (status, out, _) = bpfvet(&["check", "--raw", "--type", "xdp", "--kernel", "all", "--format", "json", &path]);
    assert_eq!(status, Some(0), "{out}");
    let (_, list, _) = bpfvet(&["kernels"]);
    let kernels: Vec<_> =
        list.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split(' ').next()).collect();
    let asked: Vec<_> =
        out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")).collect();
    let asked: Vec<_> = asked.iter().filter_map(|line| line["kernel"].as_str()).collect();
    assert_eq!(asked, kernels);
    for kernel in ["5.4", "5.10", "5.15", "6.1", "6.6", "6.12", "7.3"] {
        assert!(kernels.contains(&kernel), "{kernel}: {list}");
    }
}

#[test]
fn what_is_not_known_is_said_in_a_sentence() {
    let object = fs::read(examples().join("xdp_firewall.bpf.o")).expect("an example");
    let truncated = file("truncated.o", object.get(..object.len() / 2).expect("half of it"));
    let mut other = object.clone();
    *other.get_mut(18).expect("e_machine") = 62;
    let (other, empty, text) = (file("x86.o", &other), file("empty.o", b""), file("text.o", b"not an object"));
    let told = [
        fault(&["check", "nowhere.o"]),
        fault(&["check", "."]),
        fault(&["check", &empty]),
        fault(&["check", &text]),
        fault(&["check", &truncated]),
        fault(&["check", &other]),
        fault(&["check", "--kernel", "9.9", "xdp_firewall.bpf.o"]),
        fault(&["check", "--kernel", "6", "xdp_firewall.bpf.o"]),
        fault(&["check", "--program", "fire", "xdp_firewall.bpf.o"]),
        fault(&["check", "--btf", &text, "xdp_firewall.bpf.o"]),
        fault(&["check", "--format", "json", "--log-level", "1", "xdp_firewall.bpf.o"]),
        fault(&["check", "--raw", "--type", "xdp", &empty]),
        fault(&["disasm", "--raw", &text]),
    ];
    expect![[r#"
        bpfvet: nowhere.o: there is no such file
        bpfvet: .: is a directory; name the object files in it
        bpfvet: TMP/empty.o: the file is empty
        bpfvet: TMP/text.o: the file is not an ELF object
        bpfvet: TMP/truncated.o: the file is truncated
        bpfvet: TMP/x86.o: the file is an object for x86-64 (ELF machine 62), not for eBPF
        bpfvet: Linux 9.9 is not known here: releases from 4.9 to 7.3 are
        bpfvet: kernel `6` is not a version of the form MAJOR.MINOR, such as 6.12, nor `all`
        bpfvet: no program is called `fire`; there are: firewall
        bpfvet: TMP/text.o: not kernel BTF: BTF begins with 0x6f6e instead of 0xeb9f
        bpfvet: --log-level does not go with --format json
        bpfvet: TMP/empty.o: the file is empty
        bpfvet: TMP/text.o: slot 1: not an instruction: 13 bytes are not a whole number of 8-byte slots, or too many of them
    "#]].assert_eq(&told.concat());
}

#[test]
fn raw_bytes_that_are_no_instructions_are_refused_like_the_kernel_does() {
    let path = raw("bad.bin", &[0xff, 0x95]);
    let (status, out, _) = bpfvet(&["check", "--raw", "--type", "xdp", "--format", "json", &path]);
    assert_eq!(status, Some(1), "{out}");
    assert!(out.contains("\"code\":\"instruction::opcode\""), "{out}");
    let (_, out, _) = bpfvet(&["check", "--raw", "--type", "xdp", "--format", "log", &path]);
    assert_eq!(out, "unknown opcode ff\n");
}

#[test]
fn one_bad_file_does_not_silence_the_others() {
    let (status, out, error) = bpfvet(&["check", "nowhere.o", "xdp_firewall.bpf.o"]);
    assert_eq!(status, Some(2));
    assert!(out.starts_with("accepted "), "{out}");
    assert_eq!(error, "bpfvet: nowhere.o: there is no such file\n");
}

#[test]
fn programs_are_picked_by_name() {
    let (status, out, _) = bpfvet(&["check", "--program", "firewall", "xdp_firewall.bpf.o", "tc_classifier.bpf.o"]);
    assert_eq!(status, Some(0));
    assert!(out.ends_with("1 program on 1 kernel: 1 accepted\n"), "{out}");
}

#[test]
fn a_closed_pipe_ends_quietly() {
    for args in [&["kernels"][..], &["check", "xdp_firewall.bpf.o"], &["disasm", "xdp_firewall.bpf.o"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = command(args).stdout(writer).output().expect("the command runs");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
}

#[test]
fn the_form_is_told_in_words_and_as_a_picture() {
    let (status, out, _) = bpfvet(&["cfg", "xdp_firewall.bpf.o"]);
    assert_eq!(status, Some(0));
    assert!(out.starts_with("firewall (section xdp):\n  func#0 firewall: insns 0.."), "{out}");
    let (status, out, _) = bpfvet(&["cfg", "--dot", "xdp_firewall.bpf.o"]);
    assert_eq!(status, Some(0));
    assert!(out.starts_with("digraph ") && out.trim_end().ends_with('}'), "{out}");
}

#[test]
fn disassembly_is_the_logs() {
    let pass = raw("disasm.bin", PASS);
    let (status, out, _) = bpfvet(&["disasm", "--raw", &pass]);
    assert_eq!(status, Some(0));
    assert_eq!(out, "disasm:\n0: (b7) r0 = 2\n1: (95) exit\n\n");
}
