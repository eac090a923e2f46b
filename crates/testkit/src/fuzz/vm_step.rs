//! One instruction on one state: whatever a machine that the state contains does, the states after it contain.
//!
//! ```text
//!  bytes ─▶ a machine, its registers and stack ─▶ a state around it ─vm::step─▶ states and places
//!                       │                                                            ∋ ?
//!                       └──────────────────── runs the instruction ─────────────────────┘
//! ```
//!
//! The machine comes first and the state is made around it, less and less exactly, so that every state has a member and every
//! state is well-formed. A state from nowhere would mostly stand for nothing.

use bpfvet::domain::{self, Scalar};
use bpfvet::linux::Linux;
use bpfvet::platform::{Platform as _, ProgramType};
use bpfvet::vm::{
    ByteKind, Effects, Facts, Failure, Flags, ForkKind, Frame, IdGen, Link, LinkDelta, MapRef, Memo, Next, ObjectId,
    Pointer, Region, ScalarId, ScalarValue, Slot, Stack, State, SubprogFacts, Value, step,
};
use bpfvet_insn::{
    AluOp, AtomicOp, ByteOrder, Call, CmpOp, ImmSource, Insn, InsnIdx, Operand, Program, Reg, RegSet, Size, Width,
};

use crate::containment::{Claim, contained, request};
use crate::machine::{Choices, End, Machine, Ptr, RegionId, RegionKind, Word};

/// Slots of stack that have something in them.
const SLOTS: i64 = 4;

/// Takes `bytes` for an instruction, a machine and how little is known of it.
///
/// # Panics
///
/// Where the step is allowed and the machine faults, or ends outside the states after it; where an invariant of the step does
/// not hold.
pub fn run(bytes: &[u8]) {
    tried(bytes);
}

/// Whether the step was allowed and the machine took it.
fn tried(bytes: &[u8]) -> bool {
    let mut choices = Choices::new(bytes);
    let kind = choices.pick(&[ProgramType::XDP, ProgramType::SCHED_CLS, ProgramType::SOCKET_FILTER]);
    let insn = instruction(&mut choices);
    let number = |dst| Insn::Mov { width: Width::W64, dst, src: Operand::Imm(0) };
    let program = Program::from_insns(vec![insn, number(Reg::R0), Insn::Exit]);
    let slots = program.len();
    let request = request(kind, program);
    let linux = Linux::newest();
    let Some(info) = linux.program_type(kind) else { return false };
    let subprog = SubprogFacts {
        start: InsnIdx(0),
        end: InsnIdx(slots),
        name: None,
        global: false,
        moves_packet: false,
        might_sleep: false,
        might_throw: false,
        calls_kernel: false,
        writes_dynptrs: false,
        makes_movable_dynptrs: false,
        returns_void: false,
        params: 0,
        args: Ok(Vec::new()),
    };
    let live = vec![RegSet::from_bits(0x7ff); slots as usize];
    let facts = Facts {
        request: &request,
        platform: &linux,
        program: &request.program,
        features: *linux.features(),
        limits: linux.limits(request.privilege),
        kind: info,
        attach: None,
        subprogs: vec![subprog],
        live_regs: &live,
        kfuncs: std::collections::BTreeMap::new(),
    };
    let mut memo = Memo::new(slots as usize, 1);
    let mut ids = IdGen::default();
    let mut machine = Machine::new(&request, Choices::seeded(choices.bits()));
    fill(&mut machine, &mut choices);
    let state = around(&mut machine, &mut choices, &mut ids);
    contained(&machine, &state, Claim::Everything)
        .unwrap_or_else(|why| panic!("the state was not made around the machine: {why}\n{state:?}"));
    let mut after = state.clone();
    let mut effects = Effects::default();
    let next = match step(&facts, &mut memo, &mut ids, &mut after, InsnIdx(0), &mut effects) {
        Ok(next) => next,
        Err(Failure::Violation(_) | Failure::Unsupported(_)) => return false,
        Err(Failure::Internal { what, .. }) => panic!("{insn}: {what}\n{state:?}"),
    };
    let Ok((end, _)) = machine.run(1, |_| None::<()>) else { return false };
    let places: Vec<(InsnIdx, &State)> = match next {
        Next::To(at) | Next::CallbackReturn(at) => vec![(at, &after)],
        Next::End => Vec::new(),
    };
    let forks = effects.forks.iter().filter(|fork| fork.kind != ForkKind::Speculative);
    let places: Vec<_> = places.into_iter().chain(forks.map(|fork| (fork.at, &fork.state))).collect();
    match end {
        End::Unsupported(_) => return false,
        End::Returned(_) => assert_eq!(next, Next::End, "{insn}"),
        End::Fault(fault) => panic!("{insn} is allowed and does {fault:?}\n{state:?}"),
        End::StepLimit => {
            let inside = |(at, state): &(InsnIdx, &State)| {
                if *at == machine.at {
                    contained(&machine, state, Claim::Everything)
                } else {
                    Err(format!("goes to {at}"))
                }
            };
            let whys: Vec<String> = places.iter().map_while(|place| inside(place).err()).collect();
            assert!(whys.len() < places.len(), "{insn} leads to {}, outside: {whys:#?}\nfrom {state:?}", machine.at);
        }
    }
    true
}

/// Any instruction of those that the machine models; its operands are registers that mostly hold something.
fn instruction(choices: &mut Choices<'_>) -> Insn {
    let reg = |choices: &mut Choices<'_>| u8::try_from(choices.below(11)).ok().and_then(Reg::new).unwrap_or(Reg::R0);
    let written =
        |choices: &mut Choices<'_>| u8::try_from(choices.below(10)).ok().and_then(Reg::new).unwrap_or(Reg::R0);
    let dst = written(choices);
    let src = reg(choices);
    let width = choices.pick(&[Width::W32, Width::W64]);
    let size = choices.pick(&[Size::B1, Size::B2, Size::B4, Size::B8]);
    let operand = if choices.one_in(2) { Operand::Reg(src) } else { Operand::Imm(choices.imm()) };
    let off = if choices.one_in(4) {
        i16::try_from(choices.below(600)).unwrap_or(0) - 300
    } else {
        choices.pick(&[0, 4, 8, -8, -16, -4, 1, -1, 16, 76, 80])
    };
    let base = reg(choices);
    match choices.below(14) {
        0..=2 => {
            let op = choices.pick(&AluOp::ALL);
            Insn::Alu { width, op, dst, src: operand }
        }
        3 => Insn::Neg { width, dst },
        4 => Insn::Mov { width, dst, src: operand },
        5 => {
            let from = if width == Width::W32 {
                choices.pick(&[Size::B1, Size::B2])
            } else {
                choices.pick(&[Size::B1, Size::B4])
            };
            Insn::MovSx { width, dst, src, from }
        }
        6 => {
            let order = choices.pick(&[ByteOrder::Le, ByteOrder::Be, ByteOrder::Swap]);
            Insn::Endian { order, dst, size: choices.pick(&[Size::B2, Size::B4, Size::B8]) }
        }
        7 => {
            let imm =
                choices.pick(&[ImmSource::Value(u64::MAX), ImmSource::MapFd(0), ImmSource::MapValue { fd: 0, off: 8 }]);
            Insn::LoadImm64 { dst, imm }
        }
        8 | 9 => Insn::Load { dst, base, off, size, signed: size != Size::B8 && choices.one_in(3) },
        10 => Insn::Store { base, off, size, src: operand },
        11 => {
            let fetch = choices.one_in(2);
            let op = choices.pick(&[
                AtomicOp::Add { fetch },
                AtomicOp::Or { fetch },
                AtomicOp::And { fetch },
                AtomicOp::Xor { fetch },
                AtomicOp::Xchg,
                AtomicOp::CmpXchg,
            ]);
            Insn::Atomic { op, size: choices.pick(&[Size::B4, Size::B8]), base, off, src: dst }
        }
        12 => {
            let op = choices.pick(&CmpOp::ALL);
            Insn::Branch { width, op, dst, src: operand, off: 1 }
        }
        _ => Insn::Call(Call::Helper(choices.pick(&[1, 2, 3, 5, 7, 8]))),
    }
}

/// Gives the machine something in its registers and on its stack.
fn fill(machine: &mut Machine<'_>, choices: &mut Choices<'_>) {
    for number in 0..10 {
        let word = word(machine, choices);
        let copied = machine.frames.first().and_then(|frame| frame.regs.get(number / 2).copied()).flatten();
        let word = if choices.one_in(5) { copied } else { word };
        if let Some(place) = machine.frames.first_mut().and_then(|frame| frame.regs.get_mut(number)) {
            *place = word;
        }
    }
    let Some(stack) = machine.frames.first().map(|frame| frame.stack) else { return };
    for slot in 1..=SLOTS {
        let word = word(machine, choices).unwrap_or(Word::Num(0));
        let at = Ptr { region: stack, off: -8 * slot };
        machine.memory.store(at, Size::B8, word).unwrap_or_else(|cause| panic!("its own stack: {cause:?}"));
    }
}

/// A number, a pointer, or nothing.
fn word(machine: &Machine<'_>, choices: &mut Choices<'_>) -> Option<Word> {
    match choices.below(8) {
        0 => None,
        1..=3 => Some(Word::Num(choices.word())),
        _ => {
            let count = (0..).map_while(|id| machine.memory.region(RegionId(id))).count();
            let region = RegionId(choices.below(u32::try_from(count).unwrap_or(0)) as usize);
            let off = match machine.memory.region(region).map(|region| region.kind) {
                Some(RegionKind::Stack { .. }) => -i64::from(choices.below(40)),
                Some(RegionKind::MapValue(_)) => i64::from(choices.below(50)),
                Some(RegionKind::Packet) => {
                    if choices.one_in(4) {
                        machine.packet_len()
                    } else {
                        i64::from(choices.below(20))
                    }
                }
                Some(
                    RegionKind::Context
                    | RegionKind::Map(_)
                    | RegionKind::MapKey(_)
                    | RegionKind::Record
                    | RegionKind::Socket
                    | RegionKind::View
                    | RegionKind::Func(_),
                )
                | None => 0,
            };
            Some(Word::Ptr(Ptr { region, off }))
        }
    }
}

/// A state that contains the machine.
fn around(machine: &mut Machine<'_>, choices: &mut Choices<'_>, ids: &mut IdGen) -> State {
    let mut frame = Frame::new(0, 0, None);
    let words = machine.frames.first().map(|frame| frame.regs).unwrap_or_default();
    for number in 0..10_u8 {
        let Some(reg) = Reg::new(number) else { continue };
        let Some(word) = words.get(usize::from(number)).copied().flatten() else { continue };
        let value = value(machine, word, choices, ids);
        // Equal numbers may be known to be equal.
        let before = u8::try_from(choices.below(10)).ok().and_then(Reg::new).unwrap_or(Reg::R0);
        let same = before.number() < number && words.get(before.index()).copied().flatten() == Some(word);
        let value = match (same, *frame.reg(before), value) {
            (true, Value::Scalar(other), Value::Scalar(_)) if choices.one_in(2) => {
                let link = other.link.unwrap_or_else(|| Link { id: ScalarId(ids.next()), delta: LinkDelta::Base });
                let linked = Value::Scalar(ScalarValue { link: Some(link), ..other });
                frame.set(before, linked);
                linked
            }
            (true | false, _, value) => value,
        };
        frame.set(reg, value);
    }
    stack(machine, choices, ids, &mut frame.stack);
    State::new(frame, false)
}

fn stack(machine: &Machine<'_>, choices: &mut Choices<'_>, ids: &mut IdGen, stack: &mut Stack) {
    let Some(region) = machine.frames.first().map(|frame| frame.stack) else { return };
    stack.grow(u32::try_from(8 * SLOTS).unwrap_or(0));
    for number in 1..=SLOTS {
        let at = Ptr { region, off: -8 * number };
        let (index, _) = Stack::locate(at.off);
        let (Ok(word), Ok(bytes)) = (machine.memory.load(at, Size::B8), machine.memory.bytes(at, 8)) else { continue };
        let Some(slot) = stack.slot_mut(index) else { continue };
        match (choices.below(4), word) {
            (0, _) => *slot = Slot::INVALID,
            (1 | 2, _) => *slot = Slot::whole(value(machine, word, choices, ids)),
            (_, Word::Num(_)) | (_, Word::Ptr(_)) => {
                for (byte, number) in bytes.iter().rev().enumerate() {
                    let kind = if *number == 0 && choices.one_in(2) { ByteKind::Zero } else { ByteKind::Misc };
                    slot.set_byte(byte, kind);
                }
            }
        }
    }
}

/// A value that stands for this word and for others.
fn value(machine: &Machine<'_>, word: Word, choices: &mut Choices<'_>, ids: &mut IdGen) -> Value {
    let nullable = Flags::NULLABLE;
    // The machine counts maps inside maps among the others.
    let map = |flat: usize| {
        let (index, inner) = machine.defs.get(flat).map_or((flat, 0), |def| (def.index, def.inner));
        MapRef { index: u16::try_from(index).unwrap_or(0), inner }
    };
    let ptr = match word {
        Word::Num(0) if choices.one_in(4) => {
            let region = Region::MapValue { map: map(1), uid: 0 };
            return Value::Pointer(Pointer {
                object: Some(ObjectId(ids.next())),
                ..Pointer::to(region).with(nullable)
            });
        }
        Word::Num(number) => return Value::Scalar(ScalarValue::new(superset(number, choices))),
        Word::Ptr(ptr) => ptr,
    };
    let Some(region) = machine.memory.region(ptr.region) else { return Value::Uninit };
    let exact = Scalar::constant(ptr.off.cast_unsigned());
    // Where a pointer may point elsewhere too.
    let near = |choices: &mut Choices<'_>| {
        if choices.one_in(2) {
            exact
        } else {
            exact.join(&Scalar::constant(ptr.off.wrapping_add(i64::from(choices.below(16))).cast_unsigned()))
        }
    };
    let packet = u32::try_from(machine.packet_len()).unwrap_or(0);
    let (region, off) = match region.kind {
        RegionKind::Context => (Region::Ctx, exact),
        RegionKind::Stack { .. } => (Region::Stack { frame: 0 }, near(choices)),
        RegionKind::Map(index) => (Region::Map { map: map(index), uid: 0 }, exact),
        RegionKind::MapValue(index) => (Region::MapValue { map: map(index), uid: 0 }, near(choices)),
        RegionKind::Packet if ptr.off == machine.packet_len() && choices.one_in(2) => {
            (Region::PacketEnd, Scalar::constant(0))
        }
        // No more is proven to be there than there is.
        RegionKind::Packet => {
            let range = i32::try_from(choices.below(packet.saturating_add(1))).unwrap_or(0);
            (Region::Packet { group: None, range }, exact)
        }
        // What callbacks are given, and what must be given back, is not made here.
        RegionKind::MapKey(_) | RegionKind::Record | RegionKind::Socket | RegionKind::View | RegionKind::Func(_) => {
            return Value::Uninit;
        }
    };
    let pointer = Pointer { off, ..Pointer::to(region) };
    let may_be_null = matches!(region, Region::MapValue { .. }) && pointer.const_off() == Some(0) && choices.one_in(3);
    Value::Pointer(if may_be_null {
        Pointer { object: Some(ObjectId(ids.next())), ..pointer.with(nullable) }
    } else {
        pointer
    })
}

/// Numbers among which this one is: what comparisons with others leave of all, or a few.
fn superset(number: u64, choices: &mut Choices<'_>) -> Scalar {
    match choices.below(4) {
        0 => return Scalar::constant(number),
        1 => return Scalar::constant(number).join(&Scalar::constant(choices.word())),
        _ => {}
    }
    let mut set = Scalar::unknown();
    for _ in 0..choices.below(4) {
        let op = choices.pick(&[
            domain::CmpOp::Lt,
            domain::CmpOp::Slt,
            domain::CmpOp::Ge,
            domain::CmpOp::Sgt,
            domain::CmpOp::Set,
        ]);
        let width = choices.pick(&[domain::Width::W32, domain::Width::W64]);
        let than = choices.word();
        let outcome = op.holds(width, number, than);
        if let Some((left, _)) = Scalar::refine(op, width, outcome, set, Scalar::constant(than)) {
            set = left;
        }
    }
    assert!(set.contains(number), "{number:#x} is not in {set:?}");
    set
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::machine::Choices;

    /// The target would hold for nothing if no step were allowed.
    #[test]
    fn many_steps_are_taken() {
        let taken = (0..600).filter(|seed| {
            let mut choices = Choices::seeded(*seed);
            let bytes: Vec<u8> = (0..96).map(|_| choices.bits().to_le_bytes()[0]).collect();
            super::tried(&bytes)
        });
        let taken = taken.count();
        assert!(taken > 200, "{taken} of 600");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]
        #[test]
        fn smoke(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            super::run(&bytes);
        }
    }
}
