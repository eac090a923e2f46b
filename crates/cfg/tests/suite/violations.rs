//! One small program for each violation, and which of two is found first.

use bpfvet_cfg::{CallKind, Restricted, StructureCause, StructureError, SubprogId};
use bpfvet_insn::{Call, Insn, Operand, Program, Reg, Width};
use bpfvet_platform::{Feature, Privilege};

use crate::host::{Host, at, program, request};

fn refused(text: &str) -> StructureError {
    Host::default().shape(text).expect_err(text)
}

fn refused_unprivileged(text: &str) -> StructureError {
    let mut request = request(program(text));
    request.privilege = Privilege::NONE;
    bpfvet_cfg::Graph::analyze(&request, &Host::default()).expect_err(text)
}

fn error(slot: u32, cause: StructureCause) -> StructureError {
    StructureError { at: Some(at(slot)), cause }
}

#[test]
fn an_empty_program_is_refused() {
    let error = Host::default().analyze(Program::default()).expect_err("empty");
    assert_eq!(error, StructureError { at: None, cause: StructureCause::Empty });
}

#[test]
fn a_long_program_is_refused() {
    let mut host = Host::default();
    host.limits.program_len = 1;
    let cause = StructureCause::TooLong { len: 2, limit: 1 };
    assert_eq!(host.shape("r0 = 0; exit").expect_err("long"), StructureError { at: None, cause });
}

#[test]
fn a_jump_may_not_leave_its_function() {
    let (start, end) = (at(0), at(2));
    let cause = StructureCause::JumpOutOfRange { to: 2, subprog: SubprogId(0), start, end };
    assert_eq!(refused("goto +1; exit"), error(0, cause));
    let cause = StructureCause::JumpOutOfRange { to: -1, subprog: SubprogId(0), start, end };
    assert_eq!(refused("if r0 == 0 goto -2; exit"), error(0, cause));
    let (start, end) = (at(2), at(4));
    let cause = StructureCause::JumpOutOfRange { to: 1, subprog: SubprogId(1), start, end };
    assert_eq!(refused("call pc+1; exit; if r1 == 0 goto -2; exit"), error(2, cause));
}

#[test]
fn a_jump_is_computed_in_32_bits() {
    let cause = StructureCause::JumpOutOfRange { to: -0x8000_0000, subprog: SubprogId(0), start: at(0), end: at(2) };
    let jump = Insn::Jump { off: i32::MAX, long: true };
    let found = Host::default().analyze(Program::from_insns([jump, Insn::Exit])).expect_err("far");
    assert_eq!(found, error(0, cause));
}

#[test]
fn a_function_may_not_run_into_the_next() {
    assert_eq!(refused("r0 = 0"), error(0, StructureCause::FallsThrough { subprog: SubprogId(0) }));
    let text = "call pc+1; call 7; exit";
    assert_eq!(refused(text), error(1, StructureCause::FallsThrough { subprog: SubprogId(0) }));
    let text = "r0 = 1 ll; exit; call pc-3; exit";
    assert_eq!(refused(text), error(0, StructureCause::FallsThrough { subprog: SubprogId(0) }));
}

#[test]
fn what_cannot_be_reached_is_refused() {
    assert_eq!(refused("exit; r0 = 0; exit"), error(1, StructureCause::Unreachable));
    assert_eq!(refused("goto +1; r0 = 0; exit"), error(1, StructureCause::Unreachable));
}

#[test]
fn the_middle_of_an_instruction_is_no_target() {
    let text = "if r1 == 0 goto +1; r0 = 1 ll; exit";
    assert_eq!(refused(text), error(1, StructureCause::JumpIntoWide));
}

#[test]
fn back_edges_need_privilege_and_a_host_that_has_loops() {
    let text = "r0 = 0; if r1 == 0 goto -2; exit";
    assert!(Host::default().shape(text).is_ok());
    assert_eq!(refused_unprivileged(text), error(1, StructureCause::BackEdge { to: at(0) }));
    let mut host = Host::default();
    host.features = host.features.without(Feature::BoundedLoops);
    assert_eq!(host.shape(text).expect_err("loop"), error(1, StructureCause::BackEdge { to: at(0) }));
    let (text, cause) = ("goto -1", StructureCause::BackEdge { to: at(0) });
    assert_eq!(refused_unprivileged(text), error(0, cause));
}

#[test]
fn a_call_must_lead_into_the_program() {
    assert_eq!(refused("call pc+1; exit"), error(0, StructureCause::CallOutOfRange { to: 2 }));
    assert_eq!(refused("call pc-2; exit"), error(0, StructureCause::CallOutOfRange { to: -1 }));
}

#[test]
fn functions_need_privilege() {
    let cause = |what| StructureCause::NotPermitted { what };
    let text = "call pc+1; exit; exit";
    assert_eq!(refused_unprivileged(text), error(0, cause(Restricted::SubprogCall)));
    let text = "r1 = f ll; exit; f: exit";
    assert_eq!(refused_unprivileged(text), error(0, cause(Restricted::FunctionAddress)));
    let call = Insn::Call(Call::Kfunc { id: 5, btf: 0 });
    let mut request = request(Program::from_insns([call, Insn::Exit]));
    assert!(bpfvet_cfg::Graph::analyze(&request, &Host::default()).is_ok());
    request.privilege = Privilege::NONE;
    let found = bpfvet_cfg::Graph::analyze(&request, &Host::default()).expect_err("kernel call");
    assert_eq!(found, error(0, cause(Restricted::KernelCall)));
}

#[test]
fn old_hosts_have_no_functions() {
    let mut host = Host::default();
    host.features = host.features.without(Feature::FunctionPointers);
    let text = "r1 = f ll; exit; f: exit";
    assert_eq!(host.shape(text).expect_err("address"), error(0, StructureCause::FunctionAddressesUnavailable));
    assert!(host.shape("call pc+1; exit; exit").is_ok());
    host.features = host.features.without(Feature::Subprograms);
    let found = host.shape("call pc+1; exit; exit").expect_err("call");
    assert_eq!(found, error(0, StructureCause::SubprogsUnavailable));
}

#[test]
fn functions_are_limited_in_number() {
    let mut host = Host::default();
    host.limits.subprogs = 3;
    let text = "call a; call b; call c; exit; a: exit; b: exit; c: exit";
    assert_eq!(host.shape(text).expect_err("four"), error(2, StructureCause::TooManySubprogs { limit: 3 }));
    host.limits.subprogs = 4;
    assert_eq!(host.shape(text).map(|graph| graph.subprogs().len()), Ok(4));
}

#[test]
fn recursion_is_refused_where_it_can_be_reached() {
    let cause = |caller, callee| StructureCause::RecursiveCall {
        caller: SubprogId(caller),
        caller_name: "f".into(),
        callee: SubprogId(callee),
        callee_name: "f".into(),
    };
    assert_eq!(refused("call f; exit; f: call f; exit"), error(2, cause(1, 1)));
    assert_eq!(refused("call f; exit; f: call g; exit; g: call f; exit"), error(4, cause(2, 1)));
    let dead = "call f; exit; f: r0 = 0; if r0 == 0 goto out; call f; out: exit";
    assert!(Host::default().shape(dead).is_ok());
    // A callback may name itself: how often it runs is not decided here.
    assert!(Host::default().shape("call f; exit; f: r1 = f ll; exit").is_ok());
}

#[test]
fn indirect_jumps_need_a_table_that_stays_inside() {
    assert_eq!(refused("gotox r1"), error(0, StructureCause::NoJumpTable { start: at(0) }));
    let graph = Host::default().shape("r1 = table ll; if r2 == 0 goto +1; gotox r1; r0 = 0; exit").expect("inside");
    assert_eq!(*graph.successors(at(3)), [at(2), at(4)]);
    let text = "r1 = table ll; call f; gotox r1; f: exit";
    let cause = StructureCause::JumpTableOutside { start: at(0), end: at(4) };
    assert_eq!(refused(text), error(3, cause));
}

#[test]
fn the_contents_of_tables_must_be_known() {
    let text = "r1 = table ll; gotox r1; r0 = 0; exit";
    let mut unknown = request(program(text));
    unknown.maps[2].frozen = None;
    let found = bpfvet_cfg::Graph::analyze(&unknown, &Host::default()).expect_err("unknown");
    assert_eq!(found.cause, StructureCause::JumpTableUnknown { map: "table".into() });
    let mut middle = request(program(text));
    middle.maps[2].frozen = Some(std::sync::Arc::from(vec![1; 48]));
    let found = bpfvet_cfg::Graph::analyze(&middle, &Host::default()).expect_err("no instruction there");
    assert_eq!(found.cause, StructureCause::JumpTableEntry { map: "table".into(), to: 0x0101_0101 });
}

#[test]
fn the_first_violation_is_the_kernel_s() {
    // A call that leads nowhere is found before a jump that does.
    let found = refused("goto +5; call pc+9; exit");
    assert!(matches!(found.cause, StructureCause::CallOutOfRange { .. }));
    // A jump that leads nowhere, before what cannot be reached.
    let found = refused("exit; goto +9; exit");
    assert!(matches!(found.cause, StructureCause::JumpOutOfRange { .. }));
    // What cannot be reached, before recursion.
    let found = refused("call f; exit; r0 = 0; exit; f: call f; exit");
    assert_eq!(found, error(2, StructureCause::Unreachable));
}

#[test]
fn pointers_through_too_many_frames_are_refused_by_hosts_that_follow_them() {
    // Each function hands its own stack on to the next.
    let mut insns = Vec::new();
    for _ in 0..6 {
        insns.push(Insn::Mov { width: Width::W64, dst: Reg::R1, src: Operand::Reg(Reg::FP) });
        insns.push(Insn::Call(Call::Subprog(1)));
        insns.push(Insn::Exit);
    }
    insns.push(Insn::Exit);
    let chain = Program::from_insns(insns);
    let mut host = Host::default();
    host.limits.call_frames = 4;
    let found = host.analyze(chain.clone()).expect_err("deep");
    assert_eq!(found, StructureError { at: None, cause: StructureCause::LivenessTooDeep { limit: 4 } });
    host.features = host.features.without(Feature::StaticLiveness);
    assert_eq!(host.analyze(chain).expect("nobody looks").stack_instances().count(), 0);
}

#[test]
fn exponentially_many_ways_in_are_refused() {
    // Fourteen functions, each of which calls the next twice.
    let mut text = String::new();
    for n in 0..14 {
        text += &format!("f{n}: r1 = r10; call f{}; r1 = r10; call f{}; exit\n", n + 1, n + 1);
    }
    text += "f14: exit";
    let cause = StructureCause::LivenessTooComplex { calls: 10_001, limit: 10_000 };
    assert_eq!(refused(&text), StructureError { at: None, cause });
}

#[test]
fn errors_say_where_and_what() {
    let text = |error: StructureError| error.to_string();
    expect_test::expect!["instruction 1: cannot be reached"].assert_eq(&text(refused("exit; r0 = 0; exit")));
    expect_test::expect!["instruction 2: recursive call of func#1 by func#1"]
        .assert_eq(&text(refused("call f; exit; f: call f; exit")));
    expect_test::expect!["instruction 0: a call of a function of the program needs CAP_BPF"]
        .assert_eq(&text(refused_unprivileged("call pc+1; exit; exit")));
}

#[test]
fn callees_are_listed_with_how_they_are_named() {
    let graph = Host::default().shape("r2 = f ll; call g; exit; f: exit; g: exit").expect("fine");
    let calls: Vec<_> = graph.subprogs()[0].callees.iter().map(|call| (call.at.0, call.callee.0, call.kind)).collect();
    assert_eq!(calls, [(0, 1, CallKind::Address), (2, 2, CallKind::Direct)]);
}
