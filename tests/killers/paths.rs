//! Programs with more paths, or longer ones, than can be walked.

use std::fmt::Write as _;

use bpfvet::explore::{Budget, Limit, Stats};
use bpfvet::linux::Linux;
use bpfvet::platform::LoadRequest;
use bpfvet::report::{KernelLog, LogLevel, Names};
use bpfvet::{RejectionCause, Verifier};
use bpfvet_testkit::corpus::{Case, programs};

/// What a search may cost here: instructions looked at.
const INSNS: u64 = 100_000;

/// How a search ended.
#[derive(Debug)]
enum End {
    Accepted,
    Refused(RejectionCause),
}

/// A socket filter with an array of one value; `types` may declare its functions.
fn request(types: &str, code: &str) -> LoadRequest {
    let text = format!(
        "# Killer\n```toml\nprogram = \"socket_filter\"\n[[map]]\nname = \"array\"\nkind = \"array\"\nkey = 4\nvalue = 64\n\
         entries = 1\n```\n```types\n{types}\n```\n```bpf\n{code}```\n"
    );
    let programs = programs(&text).expect("a file of the corpus");
    let [program] = programs.as_slice() else { panic!("one program") };
    Case::new(program).expect("a program").request().expect("instructions").clone()
}

fn plain(code: &str) -> LoadRequest {
    LoadRequest { btf: None, funcs: Vec::new(), ..request("int main(void);", code) }
}

/// The search as the kernel does it, with no more than `insns` instructions.
fn search(request: &LoadRequest, insns: u64) -> (End, Stats) {
    let linux = Linux::newest();
    let budget = Budget { insns: Some(insns), ..Budget::default() };
    match Verifier::builder(&linux).budget(budget).build().verify(request) {
        Ok(accepted) => (End::Accepted, accepted.stats),
        Err(rejection) => (End::Refused(rejection.cause), rejection.stats),
    }
}

/// It ends, whatever the answer is; no more was looked at, and no more states were kept, than allowed.
#[track_caller]
fn ends_within(request: &LoadRequest, insns: u64, states: u32) -> End {
    let (end, stats) = search(request, insns);
    assert!(stats.insns_processed <= insns + 1, "{} instructions", stats.insns_processed);
    assert!(stats.peak_states <= states, "{} states", stats.peak_states);
    end
}

/// Twenty branches on bits that nobody knows, each of which changes what is used at the end: a million paths that never merge.
fn diamonds(used: bool) -> LoadRequest {
    let mut code = "r6 = *(u32 *)(r1 + 0)\nr7 = 0\nr8 = map[fd:0][0]+0\n".to_owned();
    for bit in 0..20 {
        let _ = write!(
            code,
            "r1 = r6\nr1 &= {}\nif r1 == 0 goto past{bit}\nr7 |= {}\npast{bit}: r0 = 0\n",
            1 << bit,
            1 << bit
        );
    }
    // An index that must be known, or a number that nobody looks at.
    code += if used { "r7 &= 63\nif r7 > 60 goto out\nr8 += r7\nr0 = *(u8 *)(r8 + 0)\n" } else { "r0 = r7\n" };
    code += "out: r0 = 0\nexit\n";
    plain(&code)
}

#[test]
fn diamonds_end() {
    ends_within(&diamonds(true), INSNS, 4_000);
    assert!(
        matches!(ends_within(&diamonds(false), 1_000, 200), End::Accepted),
        "paths merge where nothing differs that matters"
    );
}

#[test]
fn nested_counted_loops_end() {
    let code = "r6 = 0\nouter: r7 = 0\ninner: r7 += 1\nif r7 < 1000 goto inner\nr6 += 1\nif r6 < 1000 goto outer\nr0 = 0\nexit\n";
    let end = ends_within(&plain(code), INSNS, 4_000);
    assert!(matches!(end, End::Refused(RejectionCause::Interrupted)), "{end:?}");
    // Left alone, it ends where the kernel does.
    let (end, stats) = search(&plain(code), u64::MAX);
    assert!(
        matches!(end, End::Refused(RejectionCause::Limit(Limit::ProcessedInsns { processed: 1_000_001 }))),
        "{end:?}"
    );
    assert!(stats.peak_states < 40_000, "{} states", stats.peak_states);
}

/// A comparison after the other, all to one place.
fn chain(length: u32) -> LoadRequest {
    let mut code = "r6 = *(u32 *)(r1 + 0)\nr0 = 0\n".to_owned();
    for value in 0..length {
        let _ = writeln!(code, "if r6 == {value} goto out");
    }
    code += "out: exit\n";
    plain(&code)
}

#[test]
fn chains_of_branches_end() {
    assert!(matches!(ends_within(&chain(8_000), INSNS, 10_000), End::Accepted));
    let end = ends_within(&chain(8_200), INSNS, 10_000);
    assert!(matches!(end, End::Refused(RejectionCause::Limit(Limit::PendingStates { .. }))), "{end:?}");
}

#[test]
fn a_million_instructions_in_a_row_end() {
    let bytes: Vec<u8> =
        [[0xb7, 0, 0, 0, 0, 0, 0, 0]; 999_999].concat().into_iter().chain([0x95, 0, 0, 0, 0, 0, 0, 0]).collect();
    let program = bpfvet::insn::Program::decode(&bytes).expect("a program");
    let request = LoadRequest::new("straight", bpfvet::platform::ProgramType::SOCKET_FILTER, program);
    let (end, stats) = search(&request, u64::MAX);
    assert!(matches!(end, End::Accepted), "{end:?}");
    assert_eq!(stats.insns_processed, 1_000_000);
    assert!(stats.peak_states <= 1, "{} states", stats.peak_states);
    // One more is one too many, which is told before anything is looked at.
    let bytes = [[0xb7, 0, 0, 0, 0, 0, 0, 0]; 1_000_001].concat();
    let program = bpfvet::insn::Program::decode(&bytes).expect("a program");
    let request = LoadRequest { program: std::sync::Arc::new(program), ..request };
    let (end, stats) = search(&request, u64::MAX);
    assert!(matches!(end, End::Refused(RejectionCause::Limit(Limit::ProgramLength { .. }))), "{end:?}");
    assert_eq!(stats.insns_processed, 0);
}

#[test]
fn nests_of_loops_that_break_off_end() {
    let mut code = "r0 = 0\n".to_owned();
    for depth in 0..8 {
        let _ = write!(code, "again{depth}: may_goto out{depth}\nr0 += 1\n");
    }
    for depth in (0..8).rev() {
        let _ = write!(code, "goto again{depth}\nout{depth}: r0 += 1\n");
    }
    code += "r0 = 0\nexit\n";
    assert!(matches!(ends_within(&plain(&code), INSNS, 4_000), End::Accepted));
}

/// Eight levels of thirty functions, each of which calls four of the next level: a quarter of a million calls.
#[test]
fn call_graphs_end() {
    let mut code = String::new();
    for function in 0..30 {
        let _ = writeln!(code, "call f0x{function}");
    }
    code += "r0 = 0\nexit\n";
    for level in 0..8 {
        for function in 0..30 {
            let _ = writeln!(code, "f{level}x{function}: r0 = 0");
            for step in (0..4).filter(|_| level < 7) {
                let _ = writeln!(code, "call f{}x{}", level + 1, (function + step) % 30);
            }
            code += "exit\n";
        }
    }
    ends_within(&plain(&code), INSNS, 4_000);
}

/// Each byte of the stack is written or not.
#[test]
fn stacks_filled_by_branches_end() {
    let mut code = "r6 = *(u32 *)(r1 + 0)\n".to_owned();
    for byte in 1..=512 {
        let _ =
            write!(code, "if r6 == {byte} goto past{byte}\n*(u8 *)(r10 - {byte}) = {}\npast{byte}: r0 = 0\n", byte & 1);
    }
    code += "r0 = *(u64 *)(r10 - 512)\nr0 = 0\nexit\n";
    ends_within(&plain(&code), INSNS, 10_000);
}

#[test]
fn callbacks_in_callbacks_end() {
    let mut types = "struct __sk_buff;\nint main(struct __sk_buff *skb);\n".to_owned();
    let mut code = "r1 = 100\nr2 = body0 ll\nr3 = 0\nr4 = 0\ncall bpf_loop\nr0 = 0\nexit\n".to_owned();
    for depth in 0..8 {
        let _ = writeln!(types, "static int body{depth}(u32 round, void *data);");
        let _ = writeln!(code, "body{depth}: r6 = r1");
        if depth < 7 {
            let _ = write!(code, "r1 = 100\nr2 = body{} ll\nr3 = 0\nr4 = 0\ncall bpf_loop\n", depth + 1);
        }
        code += "r0 = 0\nexit\n";
    }
    assert!(matches!(ends_within(&request(&types, &code), INSNS, 4_000), End::Accepted));
}

#[test]
fn jumps_as_far_as_they_go_end() {
    let far = |first: [u8; 8]| {
        let bytes = [first, [0xb7, 0, 0, 0, 0, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]].concat();
        let program = bpfvet::insn::Program::decode(&bytes).expect("a program");
        LoadRequest::new("far", bpfvet::platform::ProgramType::SOCKET_FILTER, program)
    };
    for first in [
        // goto, conditional goto, may_goto; with 16 bits, and goto and call with 32.
        [0x05, 0, 0xff, 0x7f, 0, 0, 0, 0],
        [0x05, 0, 0x00, 0x80, 0, 0, 0, 0],
        [0x15, 0x0a, 0x00, 0x80, 0, 0, 0, 0],
        [0xe5, 0, 0x00, 0x80, 0, 0, 0, 0],
        [0x06, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f],
        [0x06, 0, 0, 0, 0, 0, 0, 0x80],
        [0x85, 0x10, 0, 0, 0xff, 0xff, 0xff, 0x7f],
        [0x85, 0x10, 0, 0, 0, 0, 0, 0x80],
    ] {
        let (end, stats) = search(&far(first), INSNS);
        assert!(matches!(end, End::Refused(RejectionCause::Structure(_))), "{first:x?}: {end:?}");
        assert_eq!(stats.insns_processed, 0);
    }
}

/// What a log tells grows with what is looked at and with nothing else.
#[test]
fn logs_end() {
    let request = diamonds(true);
    let linux = Linux::newest();
    for insns in [1_000, 4_000, 16_000] {
        let mut log = KernelLog::new(Names::new(&request, &linux), LogLevel(2 | 4));
        let budget = Budget { insns: Some(insns), ..Budget::default() };
        let _ = Verifier::builder(&linux).budget(budget).build().verify_with(&request, &mut log);
        let bytes = log.into_text().len() as u64;
        assert!(bytes > insns && bytes < insns * 400, "{bytes} bytes for {insns} instructions");
    }
}
