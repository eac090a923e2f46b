//! Every example of the catalogue is refused with its code, and accepted once repaired.

use std::collections::BTreeSet;

use bpfvet_asm::{NoSymbols, assemble};
use bpfvet_cfg::Graph;
use bpfvet_explore::{Accepted, Options, Rejection, RejectionCause, Stats, check_request, verify};
use bpfvet_linux::Linux;
use bpfvet_platform::{LoadRequest, Platform, Version};
use bpfvet_report::catalogue::{Example, entries, example_maps, examples, find};
use bpfvet_report::{History, Names, NoSource, Recorder, code, explain, render};
use expect_test::expect;

pub(crate) fn linux() -> Linux {
    Linux::new(Version::new(7, 3)).unwrap()
}

pub(crate) fn request(example: &Example, text: &str) -> LoadRequest {
    let program = assemble(text, &NoSymbols).unwrap().program;
    let mut request = LoadRequest::new("example", example.program_type, program);
    request.maps = example_maps();
    request.privilege = example.privilege;
    request
}

/// The verdict, with what happened on the way.
pub(crate) fn judge(request: &LoadRequest, host: &dyn Platform) -> (Result<Accepted, Box<Rejection>>, History) {
    let graph =
        check_request(request, host).and_then(|()| Graph::analyze(request, host).map_err(RejectionCause::Structure));
    match graph {
        Ok(graph) => {
            let mut recorder = Recorder::new(graph.program());
            let result = verify(request, host, &graph, &Options::default(), &mut recorder);
            (result, recorder.into_history())
        }
        Err(cause) => (Err(Box::new(Rejection { cause, stats: Stats::default() })), History::new()),
    }
}

#[test]
fn examples_fail_and_their_repairs_pass() {
    let host = linux();
    let mut wrong = Vec::new();
    for example in examples() {
        let verdict = |text| match judge(&request(example, text), &host).0 {
            Ok(_) => "accepted",
            Err(rejection) => code(&rejection.cause),
        };
        let found = [verdict(example.failing), verdict(example.repaired)];
        if found != [example.code, "accepted"] {
            wrong.push((example.code, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_code_stands_once_and_examples_have_entries() {
    let codes: BTreeSet<&str> = entries().iter().map(|entry| entry.code).collect();
    assert_eq!(codes.len(), entries().len());
    assert!(entries().iter().all(|entry| !entry.why().is_empty()));
    for example in examples() {
        assert!(find(example.code).is_some(), "{}", example.code);
    }
}

fn drawn(code: &str) -> String {
    let host = linux();
    let example = find(code).unwrap().example().unwrap();
    let request = request(example, example.failing);
    let (verdict, history) = judge(&request, &host);
    let names = Names::new(&request, &host);
    let diagnostic = explain(&verdict.unwrap_err(), &names, &history);
    render(&diagnostic, &names, &history, &NoSource, false, 100)
}

#[test]
fn a_packet_bound_that_is_missing() {
    expect![[r#"
        error[memory::out-of-bounds]: access to the packet beyond what is proven to be there
         --> example (disassembly):1:1
          |
        0 | (61) r2 = *(u32 *)(r1 +0)
          | ------------------------- `r2` is loaded: the packet
        1 | (71) r0 = *(u8 *)(r2 +13)
          | ^^^^^^^^^^^^^^^^^^^^^^^^^ 1 byte accessed here
          |
          = insn: 1: (71) r0 = *(u8 *)(r2 +13)  with R2=pkt(r=0)
          = why: needs 14 bytes from the packet's start, 0 proven
          = help: compare with `data_end` before: `if (p + 14 > data_end) return …;`, with the very pointer that is used
          = kernel: invalid access to packet, off=13 size=1, R2(id=0,off=13,r=0)
                    R2 min value is outside of the allowed memory range
    "#]]
    .assert_eq(&drawn("memory::out-of-bounds"));
}

#[test]
fn a_null_check_that_is_missing() {
    expect![[r#"
        error[memory::invalid-pointer]: a pointer that may be null is used
         --> example (disassembly):7:1
          |
        6 | (85) call bpf_map_lookup_elem#1
          | ------------------------------- `bpf_map_lookup_elem` returns a value of map `counts`, or null
        7 | (79) r0 = *(u64 *)(r0 +0)
          | ^^^^^^^^^^^^^^^^^^^^^^^^^ `r0` is a map value, or null here
          |
          = insn: 7: (79) r0 = *(u64 *)(r0 +0)  with R0=map_value_or_null(id=1,map=counts,ks=4,vs=8)
          = why: needs a pointer that is not null on this path; no check of it was found
          = help: check the pointer for null before this, and leave if it is
          = kernel: R0 invalid mem access 'map_value_or_null'
    "#]]
    .assert_eq(&drawn("memory::invalid-pointer"));
}

#[test]
fn a_reference_that_is_not_released() {
    expect![[r#"
        error[resource::leak]: a reference is never released
         --> example (disassembly):6:1
          |
        4 | (85) call bpf_ringbuf_reserve#131
          | --------------------------------- taken here by `bpf_ringbuf_reserve` (reference 2)
        5 | (b7) r0 = 2
        6 | (95) exit
          | ^^^^^^^^^ still held where the program returns
          |
          = insn: 6: (95) exit  with R0=2 refs=2
          = why: every path must give back what it took, or the kernel would leak it
          = help: release it before this on every path, error paths too
          = kernel: Unreleased reference id=2 alloc_insn=4
                    BPF_EXIT instruction in main prog would lead to reference leak
    "#]]
    .assert_eq(&drawn("resource::leak"));
}

#[test]
fn a_number_without_bounds() {
    expect![[r#"
        error[register::offset-unbounded]: the number added to a pointer has no lower bound
         --> example (disassembly):2:1
          |
        0 | (85) call bpf_ktime_get_ns#5
          | ---------------------------- `bpf_ktime_get_ns` returns any number
        1 | (bf) r2 = r10
        2 | (0f) r2 += r0
          | ^^^^^^^^^^^^^ added to a pointer to the stack
          |
          = insn: 2: (0f) r2 += r0  with R0=scalar() R2=fp0
          = why: needs a number between -2^29 and 2^29, and this is any number
          = help: use an unsigned type, or check that the number is not negative before it is added
          = help: a check of a 32-bit copy does not bound the 64-bit register: compare the variable that is used
          = kernel: math between fp pointer and register with unbounded min value is not allowed
    "#]]
    .assert_eq(&drawn("register::offset-unbounded"));
}

#[test]
fn a_register_that_a_call_left_without_value() {
    expect![[r#"
        error[register::unreadable]: `r3` is read before it has a value
         --> example (disassembly):0:1
          |
        0 | (bf) r0 = r3
          | ^^^^^^^^^^^^ `r3` has no value here
          |
          = insn: 0: (bf) r0 = r3
          = why: every path to this instruction must write the register first; calls leave r1 to r5 without a value
          = help: give `r3` a value on every path, or keep it in r6 to r9 or on the stack across calls
          = kernel: R3 !read_ok
    "#]]
    .assert_eq(&drawn("register::unreadable"));
}

#[test]
fn every_example_is_explained() {
    let mut all = String::new();
    for example in examples() {
        let text = drawn(example.code);
        assert!(text.starts_with("error[") && text.contains(example.code), "{text}");
        all.push_str(text.lines().next().unwrap_or_default());
        all.push('\n');
    }
    expect![[r#"
        error[structure::falls-through]: function 0 can run past its end
        error[structure::jump-out-of-range]: a jump leaves its function
        error[structure::unreachable]: no path leads to this instruction
        error[structure::infinite-loop]: an infinite loop
        error[structure::back-edge]: a loop, and loops are not allowed here
        error[structure::recursive-call]: function 1 calls function 1 again: recursion is not allowed
        error[register::unreadable]: `r3` is read before it has a value
        error[register::frame-pointer-written]: the frame pointer `r10` is written
        error[register::pointer-arithmetic]: this operation cannot be done to a pointer
        error[register::pointer-arithmetic-32]: 32-bit arithmetic on a pointer
        error[register::pointer-arithmetic-on-nullable]: arithmetic on a pointer that may be null
        error[register::pointer-arithmetic-on-kind]: a pointer to the packet's end cannot be moved
        error[register::pointer-pointer]: two pointers cannot be combined with `+=`
        error[register::pointer-operator]: `&=` would destroy a pointer
        error[register::pointer-from-scalar]: a pointer is subtracted from a number
        error[register::stack-pointer-subtraction]: subtraction from a stack pointer
        error[register::offset-unbounded]: the number added to a pointer has no lower bound
        error[register::offset-constant-too-large]: a pointer would be moved too far
        error[register::division-by-zero]: division by the constant zero
        error[register::invalid-shift]: shift by 64
        error[register::sign-extends-pointer]: part of a pointer is sign-extended
        error[register::partial-pointer-copy]: half of a pointer is copied
        error[register::pointer-comparison]: a pointer is compared with a number
        error[memory::out-of-bounds]: access to the packet beyond what is proven to be there
        error[memory::packet-end]: access beyond the packet's end
        error[memory::invalid-pointer]: a pointer that may be null is used
        error[memory::modified-pointer]: a pointer to the context was moved before it was used
        error[memory::variable-offset]: a pointer to the context is used at an offset that is not constant
        error[memory::misaligned]: misaligned access
        error[memory::context]: this part of the context cannot be accessed, or not so
        error[memory::map-flags]: the map may not be written by programs
        error[memory::packet-read-only]: the packet may only be read here
        error[memory::stack-out-of-bounds]: access outside the stack
        error[memory::stack-uninit]: stack is read that was never written
        error[memory::partial-pointer-spill]: a pointer is stored in less than 8 bytes
        error[memory::partial-pointer-fill]: part of a pointer is read from the stack
        error[memory::atomic-on-kind]: the context cannot be accessed atomically
        error[memory::spilled-pointer-corrupted]: part of a pointer on the stack is overwritten
        error[resource::leak]: a reference is never released
        error[call::argument-kind]: an argument is of the wrong kind
        error[call::size-zero]: a size may be zero
        error[call::size-negative]: a size may be negative
        error[call::map-helper]: `bpf_map_lookup_elem` does not work on maps of type prog_array
        error[call::not-constant]: this argument must be a known number
        error[policy::unknown-helper]: Linux 7.3 has no helper number 9999
        error[policy::helper-not-allowed]: `bpf_redirect` is not available to this program on Linux 7.3
        error[policy::pointer-leak]: a kernel address would become readable
        error[policy::packet-load]: program type `xdp` has no legacy packet loads
        error[policy::packet-load-context]: a legacy packet load needs the context in `r6`
        error[policy::return-value]: the program's return value is not allowed
        error[policy::returns-stack-pointer]: a function returns a pointer to the stack
        error[limit::combined-stack]: 2 nested functions use 800 bytes of stack together, 512 are allowed
    "#]]
    .assert_eq(&all);
}
