//! What instructions read, write and lead to.

use bpfvet_insn::{
    AluOp, AtomicOp, Call, CmpOp, HalfSet, ImmSource, Insn, InsnIdx, Operand, PacketIndex, Program, Reg, RegSet, Size,
    Slot, Successors, Width,
};

fn regs(numbers: &[u8]) -> RegSet {
    numbers.iter().filter_map(|&n| Reg::new(n)).collect()
}

/// Low halves and high halves.
fn halves(low: &[u8], high: &[u8]) -> HalfSet {
    HalfSet::from_bits(u32::from(regs(low).bits()) | u32::from(regs(high).bits()) << 16)
}

fn alu(width: Width, src: Operand) -> Insn {
    Insn::Alu { width, op: AluOp::Add, dst: Reg::R1, src }
}

#[test]
fn arithmetic_reads_its_width_and_defines_the_whole_register() {
    let r2 = Operand::Reg(Reg::R2);
    let wide = alu(Width::W64, r2);
    assert_eq!(wide.half_uses(None), halves(&[1, 2], &[1, 2]));
    let narrow = alu(Width::W32, r2);
    assert_eq!(narrow.half_uses(None), halves(&[1, 2], &[]));
    assert_eq!(narrow.half_defs(), halves(&[1], &[1]));
    assert_eq!(narrow.narrow_def(false), Some(Reg::R1));
    assert_eq!(wide.narrow_def(false), None);
    assert_eq!(alu(Width::W64, Operand::Imm(1)).uses(), regs(&[1]));
    let constant = Insn::Mov { width: Width::W64, dst: Reg::R1, src: Operand::Imm(1) };
    assert_eq!(constant.uses(), RegSet::EMPTY);
    assert_eq!(constant.half_uses(None), HalfSet::EMPTY);
    let copy = Insn::Mov { width: Width::W32, dst: Reg::R1, src: r2 };
    assert_eq!(copy.half_uses(None), halves(&[2], &[]));
}

#[test]
fn stores_read_the_base_whole_and_the_value_as_wide_as_it_is() {
    let store = |size| Insn::Store { base: Reg::FP, off: -8, size, src: Operand::Reg(Reg::R3) };
    assert_eq!(store(Size::B8).half_uses(None), halves(&[3, 10], &[3, 10]));
    assert_eq!(store(Size::B4).half_uses(None), halves(&[3, 10], &[10]));
    assert_eq!(store(Size::B1).half_uses(None), halves(&[3, 10], &[10]));
    assert_eq!(store(Size::B8).defs(), RegSet::EMPTY);
}

#[test]
fn atomics_define_what_they_fetch() {
    let atomic = |op, size| Insn::Atomic { op, size, base: Reg::R1, off: 0, src: Reg::R2 };
    let add = atomic(AtomicOp::Add { fetch: false }, Size::B8);
    assert_eq!((add.uses(), add.defs()), (regs(&[1, 2]), RegSet::EMPTY));
    let fetch = atomic(AtomicOp::Add { fetch: true }, Size::B4);
    assert_eq!(fetch.defs(), regs(&[2]));
    assert_eq!(fetch.narrow_def(false), Some(Reg::R2));
    let exchange = atomic(AtomicOp::CmpXchg, Size::B4);
    assert_eq!(exchange.uses(), regs(&[0, 1, 2]));
    assert_eq!(exchange.defs(), regs(&[0]));
    assert_eq!(exchange.half_uses(None), halves(&[0, 1, 2], &[1]));
}

#[test]
fn calls_read_their_arguments_and_overwrite_the_caller_saved() {
    let call = Insn::Call(Call::Helper(1));
    assert_eq!(call.uses(), regs(&[1, 2, 3, 4, 5]));
    assert_eq!(call.defs(), regs(&[0, 1, 2, 3, 4, 5]));
    assert_eq!(call.half_uses(Some(0)), HalfSet::EMPTY);
    assert_eq!(call.half_uses(Some(2)), halves(&[1, 2], &[1, 2]));
    for args in [Some(5), Some(12), Some(255), None] {
        assert_eq!(call.half_uses(args), halves(&[1, 2, 3, 4, 5], &[1, 2, 3, 4, 5]));
    }
}

#[test]
fn a_packet_load_reads_the_context_and_clobbers_like_a_call() {
    let load = Insn::LoadPacket { size: Size::B4, index: PacketIndex::Indirect(Reg::R2), imm: 0 };
    assert_eq!(load.uses(), regs(&[2, 6]));
    assert_eq!(load.defs(), RegSet::CALLER_SAVED);
    assert_eq!(load.half_uses(None), HalfSet::ALL);
    assert_eq!(load.half_defs(), HalfSet::EMPTY);
    assert_eq!(load.narrow_def(false), Some(Reg::R0));
}

#[test]
fn a_cast_is_narrow_towards_space_0_and_when_the_arena_says_so() {
    let cast = |to| Insn::AddrSpaceCast { dst: Reg::R1, src: Reg::R2, to, from: 1 - to };
    assert_eq!(cast(0).narrow_def(false), Some(Reg::R1));
    assert_eq!(cast(1).narrow_def(false), None);
    assert_eq!(cast(1).narrow_def(true), Some(Reg::R1));
}

#[test]
fn successors_are_next_then_target() {
    let at = InsnIdx(5);
    let branch = |off| Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst: Reg::R1, src: Operand::Imm(0), off };
    let list = |insn: Insn| insn.successors(at).iter().map(|at| at.0).collect::<Vec<_>>();
    assert_eq!(list(branch(3)), [6, 9]);
    assert_eq!(list(branch(-6)), [6, 0]);
    assert_eq!(branch(-7).successors(at), Successors::Outside);
    assert_eq!(list(Insn::MayGoto { off: -1 }), [6, 5]);
    assert_eq!(list(Insn::Jump { off: 2, long: true }), [8]);
    assert_eq!(list(Insn::Call(Call::Subprog(100))), [6]);
    assert_eq!(list(Insn::LoadImm64 { dst: Reg::R1, imm: ImmSource::Func(9) }), [7]);
    assert_eq!(list(Insn::Exit), [0; 0]);
    assert_eq!(Insn::JumpIndirect { reg: Reg::R1 }.successors(at), Successors::Indirect);
}

#[test]
fn targets_are_counted_from_the_next_slot() {
    let at = InsnIdx(5);
    assert_eq!(Insn::Call(Call::Subprog(-2)).target(at), Some(InsnIdx(4)));
    let address = Insn::LoadImm64 { dst: Reg::R1, imm: ImmSource::Func(3) };
    assert_eq!(address.target(at), Some(InsnIdx(9)));
    assert_eq!(Insn::Jump { off: i32::MIN, long: true }.target(at), None);
    assert_eq!(Insn::Call(Call::Helper(3)).target(at), None);
}

#[test]
fn an_instruction_stays_three_words() {
    // A verifier holds a program's instructions in one array and walks it constantly.
    assert_eq!(size_of::<Insn>(), 24);
    assert_eq!(size_of::<Slot>(), 24);
    let program = Program::from_insns([Insn::LoadImm64 { dst: Reg::R1, imm: ImmSource::Value(1) }]);
    assert_eq!(program.len(), 2);
    assert_eq!(program.get(InsnIdx(1)), None);
}
