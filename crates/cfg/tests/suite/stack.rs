//! Live stack slots: against runs of random programs, against the definition, and on small programs by hand.

use std::collections::{BTreeMap, BTreeSet};

use bpfvet_cfg::{Graph, StackFrame, StackSlots, SubprogId};
use bpfvet_insn::{AluOp, Call, ImmSource, Insn, InsnIdx, Operand, Reg, Width};
use proptest::prelude::*;

use crate::host::{Host, at};
use crate::random::{alu, memory, programs, programs_without_callbacks, stack_off};

/// What a register or a slot holds in a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Value {
    Number(u64),
    Stack { frame: usize, off: i64 },
    Func(SubprogId),
}

/// A frame of a run, with the bytes of its stack that were said to be dead and were not written since.
struct Frame {
    subprog: SubprogId,
    callsite: InsnIdx,
    /// Where to go on when the function above has returned.
    after: InsnIdx,
    regs: [Value; 11],
    slots: BTreeMap<i64, Value>,
    dead: Vec<bool>,
}

/// A run of a program in which branches go anywhere.
struct Run<'a> {
    graph: &'a Graph,
    frames: Vec<Frame>,
    at: InsnIdx,
    word: u64,
}

/// The run did something for which the program would be refused, or came to its end.
struct Over;

impl Run<'_> {
    fn dice(&mut self) -> u64 {
        self.word ^= self.word << 13;
        self.word ^= self.word >> 7;
        self.word ^= self.word << 17;
        self.word
    }

    fn enter(&mut self, subprog: SubprogId, callsite: InsnIdx, args: [Value; 5]) {
        let mut regs = [Value::Number(1); 11];
        regs[1..6].copy_from_slice(&args);
        regs[10] = Value::Stack { frame: self.frames.len(), off: 0 };
        self.frames.push(Frame {
            subprog,
            callsite,
            after: at(0),
            regs,
            slots: BTreeMap::new(),
            dead: vec![false; 513],
        });
        self.at = self.graph.subprogs()[subprog.index()].start;
    }

    /// Marks what is said to be dead now.
    fn ask(&mut self) {
        let chain: Vec<StackFrame> =
            self.frames.iter().map(|frame| StackFrame { subprog: frame.subprog, callsite: frame.callsite }).collect();
        let query = self.graph.live_stack(&chain, self.at);
        for (number, frame) in self.frames.iter_mut().enumerate() {
            let live = query.slots(number);
            for depth in 1..=512_u32 {
                frame.dead[depth as usize] |= !live.contains((depth - 1) / 4);
            }
        }
    }

    fn place(&self, base: Reg, off: i16) -> Result<(usize, i64), Over> {
        match self.frames[self.frames.len() - 1].regs[base.index()] {
            Value::Stack { frame, off: own } => Ok((frame, own + i64::from(off))),
            Value::Number(_) | Value::Func(_) => Err(Over),
        }
    }

    fn bytes(off: i64, size: u32) -> Result<impl Iterator<Item = usize>, Over> {
        if off < -512 || off + i64::from(size) > 0 {
            return Err(Over);
        }
        Ok((0..i64::from(size)).map(move |byte| usize::try_from(-(off + byte)).expect("on the stack")))
    }

    fn load(&mut self, base: Reg, off: i16, size: u32) -> Result<Value, Over> {
        let (frame, off) = self.place(base, off)?;
        for byte in Self::bytes(off, size)? {
            assert!(!self.frames[frame].dead[byte], "{} reads fp{frame}-{byte}, which was said to be dead", self.at);
        }
        let known = if size == 8 { self.frames[frame].slots.get(&off).copied() } else { None };
        Ok(known.unwrap_or(Value::Number(2)))
    }

    fn store(&mut self, base: Reg, off: i16, size: u32, value: Value) -> Result<(), Over> {
        let (frame, off) = self.place(base, off)?;
        for byte in Self::bytes(off, size)? {
            self.frames[frame].dead[byte] = false;
        }
        if let Value::Stack { frame: owner, .. } = value
            && owner > frame
        {
            return Err(Over);
        }
        let slots = &mut self.frames[frame].slots;
        slots.retain(|&slot, _| slot + 8 <= off || off + i64::from(size) <= slot);
        if size == 8 && off % 8 == 0 {
            slots.insert(off, value);
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Over> {
        self.ask();
        let here = self.at;
        let insn = *self.graph.program().get(here).ok_or(Over)?;
        let top = self.frames.len() - 1;
        let get = |run: &Self, reg: Reg| run.frames[top].regs[reg.index()];
        let next = InsnIdx(here.0 + insn.slots());
        let mut set = None;
        match insn {
            Insn::Mov { width: Width::W64, dst, src: Operand::Reg(src) } => set = Some((dst, get(self, src))),
            Insn::Alu { width: Width::W64, op: op @ (AluOp::Add | AluOp::Sub), dst, src } => {
                let amount = match src {
                    Operand::Imm(imm) => Value::Number(i64::from(imm).cast_unsigned()),
                    Operand::Reg(reg) => get(self, reg),
                };
                // What is not known may be anything small.
                let small = |run: &mut Self, value: u64| match src {
                    Operand::Imm(_) => value.cast_signed(),
                    Operand::Reg(_) => -(i64::try_from(run.dice() % 40).expect("small")),
                };
                let value = match (get(self, dst), amount, op) {
                    (Value::Stack { frame, off }, Value::Number(number), AluOp::Add) => {
                        Value::Stack { frame, off: off.wrapping_add(small(self, number)) }
                    }
                    (Value::Stack { frame, off }, Value::Number(number), _) => {
                        Value::Stack { frame, off: off.wrapping_sub(small(self, number)) }
                    }
                    (Value::Number(number), Value::Stack { frame, off }, AluOp::Add) => {
                        Value::Stack { frame, off: off.wrapping_add(small(self, number)) }
                    }
                    _ => Value::Number(self.dice()),
                };
                if matches!(value, Value::Stack { off, .. } if !(-600..600).contains(&off)) {
                    return Err(Over);
                }
                set = Some((dst, value));
            }
            Insn::LoadImm64 { dst, imm: ImmSource::Func(_) } => {
                let target = insn.target(here).and_then(|target| self.graph.subprog_starting_at(target)).ok_or(Over)?;
                set = Some((dst, Value::Func(target)));
            }
            Insn::Load { dst, base, off, size, .. } => set = Some((dst, self.load(base, off, size.bytes())?)),
            Insn::Store { base, off, size, src } => {
                let value = match src {
                    Operand::Imm(_) => Value::Number(3),
                    Operand::Reg(reg) => get(self, reg),
                };
                self.store(base, off, size.bytes(), value)?;
            }
            Insn::Atomic { base, off, size, src, .. } => {
                self.load(base, off, size.bytes())?;
                self.store(base, off, size.bytes(), Value::Number(4))?;
                set = Some((src, Value::Number(4)));
            }
            Insn::Branch { .. } | Insn::MayGoto { .. } => {
                self.at = if self.dice() & 1 == 0 { next } else { insn.target(here).ok_or(Over)? };
                return Ok(());
            }
            Insn::Jump { .. } => {
                self.at = insn.target(here).ok_or(Over)?;
                return Ok(());
            }
            Insn::Call(Call::Subprog(_)) => {
                let callee = insn.target(here).and_then(|target| self.graph.subprog_starting_at(target)).ok_or(Over)?;
                let regs = self.frames[top].regs;
                self.frames[top].after = next;
                self.frames[top].regs[..6].fill(Value::Number(5));
                self.enter(callee, here, [regs[1], regs[2], regs[3], regs[4], regs[5]]);
                return Ok(());
            }
            Insn::Call(Call::Helper(181)) if self.dice() & 1 == 0 => {
                let Value::Func(callback) = get(self, Reg::R2) else { return Err(Over) };
                let (ctx, other) = (get(self, Reg::R3), Value::Number(6));
                self.frames[top].after = here;
                self.enter(callback, here, [other, ctx, other, other, other]);
                return Ok(());
            }
            Insn::Call(_) => self.frames[top].regs[..6].fill(Value::Number(7)),
            Insn::Exit => {
                self.frames.pop();
                self.at = self.frames.last().ok_or(Over)?.after;
                return Ok(());
            }
            Insn::Alu { dst, .. }
            | Insn::Neg { dst, .. }
            | Insn::Mov { dst, .. }
            | Insn::MovSx { dst, .. }
            | Insn::Endian { dst, .. }
            | Insn::AddrSpaceCast { dst, .. }
            | Insn::LoadAcquire { dst, .. }
            | Insn::LoadImm64 { dst, .. } => set = Some((dst, Value::Number(self.dice()))),
            Insn::LoadPacket { .. } | Insn::StoreRelease { .. } | Insn::JumpIndirect { .. } => return Err(Over),
        }
        if let Some((reg, value)) = set {
            self.frames[top].regs[reg.index()] = value;
        }
        self.at = next;
        Ok(())
    }
}

/// Whether one half slot may be read from `from` on through the frame pointer: a search forward.
fn is_live(graph: &Graph, from: InsnIdx, half: u32) -> bool {
    let mut seen = BTreeSet::new();
    let mut work = vec![from];
    let (low, high) = (-4 * (i32::try_from(half).expect("small") + 1), -4 * i32::try_from(half).expect("small"));
    while let Some(at) = work.pop() {
        let Some(insn) = graph.program().get(at).filter(|_| seen.insert(at)) else { continue };
        let touches = |off: i16, size: u32| i32::from(off) < high && low < i32::from(off) + size.cast_signed();
        match *insn {
            Insn::Load { off, size, .. } if touches(off, size.bytes()) => return true,
            Insn::Store { off, size, .. }
                if i32::from(off) <= low && high <= i32::from(off) + size.bytes().cast_signed() => {}
            _ => work.extend(graph.successors(at).iter().copied()),
        }
    }
    false
}

/// Loads and stores through the frame pointer.
fn direct() -> impl Strategy<Value = Insn> {
    let sizes = vec![bpfvet_insn::Size::B1, bpfvet_insn::Size::B2, bpfvet_insn::Size::B4, bpfvet_insn::Size::B8];
    let size = prop::sample::select(sizes);
    (any::<bool>(), stack_off(), size).prop_map(|(load, off, size)| {
        let (base, dst) = (Reg::FP, Reg::R0);
        if load {
            Insn::Load { dst, base, off, size, signed: false }
        } else {
            Insn::Store { base, off, size, src: Operand::Imm(0) }
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_dead_is_not_read(program in programs(prop_oneof![5 => memory(), 1 => alu()]), seed in any::<u64>()) {
        let graph = Host::default().analyze(program).expect("all is reached");
        let mut word = seed | 1;
        for _ in 0..20 {
            let mut run = Run { graph: &graph, frames: Vec::new(), at: at(0), word };
            run.enter(SubprogId::MAIN, at(0), [Value::Number(8); 5]);
            for _ in 0..300 {
                if run.step().is_err() {
                    break;
                }
            }
            word = run.dice() | 1;
        }
    }

    #[test]
    fn direct_accesses_are_live_as_defined(program in programs_without_callbacks(direct())) {
        let graph = Host::default().analyze(program).expect("all is reached");
        for at in graph.postorder() {
            let subprog = graph.subprog_at(at);
            // A function that was analysed only as a callee has no instance at this depth.
            if !graph.stack_instances().any(|instance| instance.depth == 0 && instance.subprog == subprog) {
                continue;
            }
            let query = graph.live_stack(&[StackFrame { subprog, callsite: at }], at);
            for half in 0..10 {
                prop_assert_eq!(query.is_alive(0, half), is_live(&graph, at, half), "half {} at {}", half, at);
            }
        }
    }
}

/// What each instance reads and writes, one line an instruction.
fn table(text: &str) -> String {
    let graph = Host::default().shape(text).expect(text);
    let mut table = String::new();
    let list =
        |slots: StackSlots| slots.iter().map(|half| format!(" {}", -4 * (half.cast_signed() + 1))).collect::<String>();
    for instance in graph.stack_instances() {
        table += &format!("{} depth {} from {}\n", instance.subprog, instance.depth, instance.callsite);
        for frame in 0..=instance.depth {
            for access in instance.accesses(frame) {
                let (reads, writes) = (list(access.may_read), list(access.must_write));
                let reads = if access.may_read == StackSlots::ALL { " all".into() } else { reads };
                table += &format!("  {:2} frame {frame} reads{reads} writes{writes}\n", access.at);
            }
        }
    }
    table
}

#[test]
fn a_callee_reads_its_caller_s_frame() {
    let text = "
        r1 = r10
        r1 += -16
        call f
        exit
        f: r0 = *(u64 *)(r1 + 8)
        *(u32 *)(r1 + 0) = 1
        exit";
    expect_test::expect![[r#"
        func#0 depth 0 from 0
           2 frame 0 reads -4 -8 writes
        func#1 depth 1 from 2
           4 frame 0 reads -4 -8 writes
           5 frame 0 reads writes -16
    "#]]
    .assert_eq(&table(text));
}

#[test]
fn a_callback_reads_what_it_is_handed_and_is_called_again() {
    let text = "
        r3 = r10
        r3 += -8
        r1 = 5
        r2 = f ll
        call loop
        r0 = *(u64 *)(r10 - 16)
        exit
        f: r0 = *(u64 *)(r2 + 0)
        *(u64 *)(r2 - 8) = 1
        exit";
    expect_test::expect![[r#"
        func#0 depth 0 from 0
           5 frame 0 reads -4 -8 writes
           6 frame 0 reads -12 -16 writes
        func#1 depth 1 from 5
           8 frame 0 reads -4 -8 writes
           9 frame 0 reads writes -12 -16
    "#]]
    .assert_eq(&table(text));
    let graph = Host::default().shape(text).expect("fine");
    let frames =
        [StackFrame { subprog: SubprogId(0), callsite: at(0) }, StackFrame { subprog: SubprogId(1), callsite: at(5) }];
    let live = |slot| graph.live_stack(&frames, at(slot)).slots(0).bits();
    // The next round reads fp-8 again, and the caller reads fp-16 after the last.
    assert_eq!([live(8), live(10)], [0b1111, 0b1111]);
    assert_eq!(graph.live_stack(&frames[..1], at(6)).slots(0).bits(), 0b1100);
}

#[test]
fn sizes_of_helpers_arguments_come_from_prototypes_and_constants() {
    let text = "
        r1 = hash ll
        r2 = r10
        r2 += -8
        call lookup
        r1 = r10
        r1 += -24
        r2 = 16
        r3 = 0
        call read
        r1 = r10
        r1 += -40
        r2 = r7
        call read
        r2 = r10
        r2 += -16
        call dynptr
        exit";
    expect_test::expect![[r#"
        func#0 depth 0 from 0
           4 frame 0 reads -4 -8 writes
           9 frame 0 reads writes -12 -16 -20 -24
          16 frame 0 reads writes -4 -8 -12 -16
    "#]]
    .assert_eq(&table(text));
}

#[test]
fn a_map_that_is_not_known_has_the_largest_key() {
    let text = "
        r6 = hash ll
        if r7 == 0 goto +2
        r6 = constants ll
        r1 = r6
        r2 = r10
        r2 += -16
        call lookup
        exit";
    expect_test::expect![[r#"
        func#0 depth 0 from 0
           8 frame 0 reads -12 -16 writes
    "#]]
    .assert_eq(&table(text));
}

#[test]
fn a_write_counts_only_where_it_is_certain() {
    let text = "
        r1 = r10
        if r7 == 0 goto +1
        r1 += -8
        r1 += -8
        *(u64 *)(r1 + 0) = 1
        r0 = *(u32 *)(r1 + 4)
        r2 = r10
        r2 += r7
        r0 = *(u8 *)(r2 - 9)
        exit";
    expect_test::expect![[r#"
        func#0 depth 0 from 0
           5 frame 0 reads -4 -12 writes
           8 frame 0 reads all writes
    "#]]
    .assert_eq(&table(text));
}

#[test]
fn pointers_are_followed_through_slots_and_frames() {
    let text = "
        r1 = r10
        r1 += -8
        *(u64 *)(r10 - 16) = r1
        r1 = r10
        call f
        exit
        f: r2 = *(u64 *)(r1 - 16)
        r0 = *(u64 *)(r2 + 0)
        exit";
    // The slot may also hold no pointer, for all that is known of it, which leaves the frame pointer itself as a second place.
    expect_test::expect![[r#"
        func#0 depth 0 from 0
           2 frame 0 reads writes -12 -16
           4 frame 0 reads -4 -8 -12 -16 writes
        func#1 depth 1 from 4
           6 frame 0 reads -12 -16 writes
           7 frame 0 reads -4 -8 writes
    "#]]
    .assert_eq(&table(text));
}

#[test]
fn an_unknown_callback_may_read_everything() {
    let text = "
        r3 = r10
        r2 = f ll
        if r7 == 0 goto +2
        r2 = g ll
        call loop
        exit
        f: exit
        g: exit";
    expect_test::expect![[r#"
        func#0 depth 0 from 0
           6 frame 0 reads all writes
        func#1 depth 0 from 8
        func#2 depth 0 from 9
    "#]]
    .assert_eq(&table(text));
}

#[test]
fn a_chain_that_is_not_known_is_live() {
    let graph = Host::default().shape("call f; exit; f: exit").expect("fine");
    let frames =
        [StackFrame { subprog: SubprogId(0), callsite: at(0) }, StackFrame { subprog: SubprogId(1), callsite: at(0) }];
    assert_eq!(graph.live_stack(&frames, at(2)).slots(0), StackSlots::EMPTY, "nothing was handed on");
    assert_eq!(graph.live_stack(&frames, at(2)).slots(2), StackSlots::EMPTY.union(StackSlots::EMPTY));
    let strange = [StackFrame { subprog: SubprogId(9), callsite: at(7) }];
    assert_eq!(graph.live_stack(&strange, at(2)).slots(0), StackSlots::ALL);
    assert_eq!(graph.live_stack(&[], at(2)).slots(0), StackSlots::ALL);
    assert!(graph.live_stack(&frames, at(2)).is_alive(0, 128), "beyond what is followed");
}

#[test]
fn sets_of_slots_are_sets() {
    assert_eq!(StackSlots::range(2, 4).bits(), 0b1_1100);
    assert_eq!(StackSlots::range(0, 500), StackSlots::ALL);
    assert_eq!(StackSlots::range(127, 127).bits(), 1 << 127);
    assert_eq!(StackSlots::range(3, 2), StackSlots::EMPTY);
    assert_eq!(StackSlots::range(200, 300), StackSlots::EMPTY);
    assert_eq!(StackSlots::from_bits(0b101).iter().collect::<Vec<_>>(), [0, 2]);
    assert_eq!(StackSlots::range(0, 3).difference(StackSlots::range(1, 2)).bits(), 0b1001);
    assert_eq!(StackSlots::range(0, 3).intersection(StackSlots::range(2, 9)).bits(), 0b1100);
}
