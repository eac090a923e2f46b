//! The log of a verification, from the events that the search tells.

use bpfvet_domain::Scalar;
use bpfvet_explore::{Observer, PathInfo, PrecisionEvent, Rejection, RejectionCause, SccEvent, Stats, SubprogStats};
use bpfvet_insn::{AluOp, CmpOp, Insn, InsnIdx, Operand, Reg, RegSet, Width};
use bpfvet_platform::LineInfo;
use bpfvet_report::{KernelLog, LogLevel, Names};
use bpfvet_vm::violation::RegisterCause;
use bpfvet_vm::{Effects, State, Value, Violation};
use expect_test::{Expect, expect};

use crate::host::{Host, entry, request};

/// ```text
/// 0: r0 = 1
/// 1: if r0 == 0 goto pc+1
/// 2: exit
/// 3: r2 += 1
/// ```
fn program() -> Vec<Insn> {
    vec![
        Insn::Mov { width: Width::W64, dst: Reg::R0, src: Operand::Imm(1) },
        Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst: Reg::R0, src: Operand::Imm(0), off: 1 },
        Insn::Exit,
        Insn::Alu { width: Width::W64, op: AluOp::Add, dst: Reg::R2, src: Operand::Imm(1) },
    ]
}

struct Walk<'l, 'a> {
    log: &'l mut KernelLog<'a>,
    state: State,
    prev: Option<InsnIdx>,
}

impl Walk<'_, '_> {
    fn step(&mut self, at: u32) {
        let path = PathInfo { at: InsnIdx(at), prev: self.prev, resumed: false, state: &self.state };
        self.log.step(&path);
        self.prev = Some(InsnIdx(at));
    }

    fn stepped(&mut self, at: u32, touched: RegSet) {
        let effects = Effects { touched, ..Effects::default() };
        self.log.stepped(InsnIdx(at), &self.state, &effects);
    }
}

fn rejected_walk(level: u32) -> String {
    let host = Host::default();
    let mut request = request(program());
    let line = |at, line| LineInfo {
        at: InsnIdx(at),
        file: "/src/prog.c".into(),
        text: "\tint x = 1;".into(),
        line,
        column: 1,
    };
    request.lines = vec![line(0, 3), line(1, 3), line(2, 4)];
    let mut log = KernelLog::new(Names::new(&request, &host), LogLevel(level));
    log.run_started(0, &entry());
    let mut walk = Walk { log: &mut log, state: entry(), prev: None };
    walk.step(0);
    walk.state.set(Reg::R0, Value::constant(1));
    walk.stepped(0, RegSet::of(Reg::R0));
    walk.step(1);
    let aside = walk.state.clone();
    walk.log.forked(InsnIdx(1), InsnIdx(3), &aside);
    walk.stepped(1, RegSet::of(Reg::R0));
    walk.step(2);
    walk.log.path_ended(InsnIdx(2), &aside);
    Observer::<Scalar>::resumed(walk.log);
    walk.prev = Some(InsnIdx(1));
    walk.step(3);
    let violation =
        Violation { at: InsnIdx(3), frame: 0, cause: Box::new(RegisterCause::Unreadable { reg: Reg::R2 }.into()) };
    let subprogs =
        vec![SubprogStats { name: Some("main".into()), insns_self: 4, insns_total: 4, ..SubprogStats::default() }];
    let stats = Stats { insns_processed: 4, subprogs, ..Stats::default() };
    let rejection = Rejection { cause: RejectionCause::Violation(violation), stats: stats.clone() };
    Observer::<Scalar>::rejected(&mut log, &rejection, None);
    Observer::<Scalar>::finished(&mut log, &stats);
    log.into_text()
}

#[track_caller]
fn check(text: &str, expect: Expect) {
    expect.assert_eq(text);
}

#[test]
fn level_1_keeps_only_the_path_to_the_error() {
    check(
        &rejected_walk(1),
        expect![[r#"
            0: R1=ctx() R10=fp0
            ; int x = 1; @ prog.c:3
            0: (b7) r0 = 1                        ; R0=1
            1: (15) if r0 == 0x0 goto pc+1 3: R0=1 R1=ctx() R10=fp0
            3: (07) r2 += 1
            R2 !read_ok

            Verification failed: Register Type Safety: Unreadable register

            Reason:
              R2 has never been initialized on this path, and this instruction reads it.

            At:
              /src/prog.c:4:1
              Source context:
                  2 | ...
                  3 |         int x = 1;
              >>> 4 |         int x = 1;
                    |         ^-- error: R2 is not readable
                  5 | ...
                  6 | ...
              Instruction context:
                  1 | (15) if r0 == 0x0 goto pc+1
                  2 | (95) exit
              >>> 3 | (07) r2 += 1

            Causal path:
              no retained diagnostic events on this path

            Suggestion:
              Give `r2` a value on every path, or keep it in r6 to r9 or on the stack across calls.

            processed 4 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
        "#]],
    );
}

#[test]
fn level_2_keeps_all_paths() {
    check(
        &rejected_walk(2 | 4),
        expect![[r#"
            0: R1=ctx() R10=fp0
            ; int x = 1; @ prog.c:3
            0: (b7) r0 = 1                        ; R0=1
            1: (15) if r0 == 0x0 goto pc+1        ; R0=1
            ; int x = 1; @ prog.c:4
            2: (95) exit

            from 1 to 3: R0=1 R1=ctx() R10=fp0
            3: R0=1 R1=ctx() R10=fp0
            3: (07) r2 += 1
            R2 !read_ok

            Verification failed: Register Type Safety: Unreadable register

            Reason:
              R2 has never been initialized on this path, and this instruction reads it.

            At:
              /src/prog.c:4:1
              Source context:
                  2 | ...
                  3 |         int x = 1;
              >>> 4 |         int x = 1;
                    |         ^-- error: R2 is not readable
                  5 | ...
                  6 | ...
              Instruction context:
                  1 | (15) if r0 == 0x0 goto pc+1
                  2 | (95) exit
              >>> 3 | (07) r2 += 1

            Causal path:
              no retained diagnostic events on this path

            Suggestion:
              Give `r2` a value on every path, or keep it in r6 to r9 or on the stack across calls.

            stack depth max 0
            subprog 0 (main) main insns_self 4 insns_total 4 stack 0
            processed 4 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
        "#]],
    );
}

#[test]
fn level_4_tells_only_the_error_and_the_cost() {
    check(
        &rejected_walk(4),
        expect![[r#"
            R2 !read_ok
            stack depth max 0
            subprog 0 (main) main insns_self 4 insns_total 4 stack 0
            processed 4 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
        "#]],
    );
    assert_eq!(rejected_walk(0), "");
}

#[test]
fn the_backward_walk() {
    let (host, request) = (Host::default(), request(program()));
    let mut log = KernelLog::new(Names::new(&request, &host), LogLevel(2));
    let state = entry();
    let regs = RegSet::of(Reg::R0).with(Reg::R2);
    let slots = 0b101;
    for event in [
        PrecisionEvent::Enter { frame: 0, last: Some(InsnIdx(2)), first: InsnIdx(0), subseq: None },
        PrecisionEvent::Insn { frame: 0, regs, slots, at: InsnIdx(0) },
        PrecisionEvent::Parent { frame: 0, regs, slots: 0, state: &state },
        PrecisionEvent::FallBack { frame: 1 },
        PrecisionEvent::ForcedReg { frame: 1, reg: 6 },
        PrecisionEvent::ForcedSlot { frame: 1, slot: 1 },
        PrecisionEvent::Propagate { frame: 0, regs, slots },
        PrecisionEvent::Propagate { frame: 0, regs: RegSet::EMPTY, slots },
    ] {
        log.precision(&event);
    }
    Observer::<Scalar>::scc(&mut log, &SccEvent::Enter { callsites: &[InsnIdx(4)], scc: 2 });
    Observer::<Scalar>::scc(&mut log, &SccEvent::BackEdge { callsites: &[], scc: 1 });
    check(
        log.text(),
        expect![[r#"
            mark_precise: frame0: last_idx 2 first_idx 0 subseq_idx -1 
            mark_precise: frame0: regs=r0,r2 stack=-8,-24 before 0: (b7) r0 = 1
            mark_precise: frame0: parent state regs=r0,r2 stack=:  R1=ctx() R10=fp0
            mark_precise: frame1: falling back to forcing all scalars precise
            force_precise: frame1: forcing r6 to be precise
            force_precise: frame1: forcing fp-16 to be precise
            frame 0: propagating r0,r2,fp-8,fp-24
            frame 0: propagating fp-8,fp-24
            SCC enter (4,2)
            SCC backedge (1)
        "#]],
    );
}
