//! Constants against what programs compute.

use bpfvet_cfg::{ConstValue, Graph, SubprogId};
use bpfvet_insn::{AluOp, CmpOp, ImmSource, Insn, InsnIdx, Operand, Program, Reg, Width};
use bpfvet_platform::Feature;
use proptest::prelude::*;

use crate::host::{Host, at};
use crate::random::{alu, programs};

fn sign_extend(value: u64, bits: u32) -> u64 {
    ((value << (64 - bits)).cast_signed() >> (64 - bits)).cast_unsigned()
}

fn operand(regs: &[u64; 11], src: Operand) -> u64 {
    match src {
        Operand::Reg(reg) => regs[reg.index()],
        Operand::Imm(imm) => i64::from(imm).cast_unsigned(),
    }
}

fn narrow(width: Width, value: u64) -> u64 {
    if width == Width::W32 { value & 0xffff_ffff } else { value }
}

fn holds(width: Width, op: CmpOp, left: u64, right: u64) -> bool {
    let bits = if width == Width::W32 { 32 } else { 64 };
    let (left, right) = (narrow(width, left), narrow(width, right));
    let (a, b) = (sign_extend(left, bits).cast_signed(), sign_extend(right, bits).cast_signed());
    match op {
        CmpOp::Eq => left == right,
        CmpOp::Ne => left != right,
        CmpOp::Gt => left > right,
        CmpOp::Ge => left >= right,
        CmpOp::Lt => left < right,
        CmpOp::Le => left <= right,
        CmpOp::Sgt => a > b,
        CmpOp::Sge => a >= b,
        CmpOp::Slt => a < b,
        CmpOp::Sle => a <= b,
        CmpOp::Set => left & right != 0,
    }
}

/// Runs one function's instruction, which calls others only as if they returned anything; the next position.
fn run(program: &Program, at: InsnIdx, regs: &mut [u64; 11], dice: &mut impl FnMut() -> u64) -> Option<InsnIdx> {
    let insn = program.get(at)?;
    match *insn {
        Insn::Mov { width, dst, src } => regs[dst.index()] = narrow(width, operand(regs, src)),
        Insn::MovSx { width, dst, src, from } => {
            regs[dst.index()] = narrow(width, sign_extend(regs[src.index()], from.bits()));
        }
        Insn::Neg { width, dst } => regs[dst.index()] = narrow(width, regs[dst.index()].wrapping_neg()),
        Insn::Alu { width, op, dst, src } => {
            let (a, b) = (regs[dst.index()], operand(regs, src));
            let result = match op {
                AluOp::Add => a.wrapping_add(b),
                AluOp::Sub => a.wrapping_sub(b),
                AluOp::And => a & b,
                AluOp::Xor => a ^ b,
                AluOp::Mul => a.wrapping_mul(b),
                _ => panic!("not generated"),
            };
            regs[dst.index()] = narrow(width, result);
        }
        Insn::LoadImm64 { dst, imm } => {
            regs[dst.index()] = if let ImmSource::Value(value) = imm { value } else { dice() };
        }
        Insn::Call(_) => regs.iter_mut().take(6).for_each(|reg| *reg = dice()),
        Insn::Branch { width, op, dst, src, .. } if holds(width, op, regs[dst.index()], operand(regs, src)) => {
            return insn.target(at);
        }
        Insn::MayGoto { .. } if dice() & 1 == 1 => return insn.target(at),
        Insn::Jump { .. } => return insn.target(at),
        Insn::Exit => return None,
        _ => {}
    }
    Some(InsnIdx(at.0 + insn.slots()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_known_is_what_runs_compute(program in programs(alu()), seed in any::<u64>()) {
        let mut host = Host::default();
        host.features = host.features.without(Feature::DeadBranchPruning);
        let graph = host.analyze(program.clone()).expect("all is reached");
        let pruned = Host::default().analyze(program.clone()).expect("all is reached");
        let mut word = seed | 1;
        let mut dice = || {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            word
        };
        for subprog in graph.subprogs() {
            for _ in 0..4 {
                let mut regs: [u64; 11] = core::array::from_fn(|_| if dice() & 1 == 0 { dice() & 3 } else { dice() });
                let mut here = Some(subprog.start);
                for _ in 0..200 {
                    let Some(at) = here else { break };
                    for (reg, value) in graph.const_values(at) {
                        if let ConstValue::Number(number) = value {
                            prop_assert_eq!(regs[reg.index()], u64::from(*number), "{} at {}", reg, at);
                            prop_assert_eq!(graph.const_reg(at, *reg), Some(*number));
                        }
                    }
                    let before = regs;
                    here = run(&program, at, &mut regs, &mut dice);
                    // A branch that was decided was decided as it is taken.
                    if let (Some(Insn::Branch { .. }), Some(insn @ Insn::Jump { .. })) = (program.get(at), pruned.program().get(at)) {
                        prop_assert_eq!(insn.target(at), here, "with {:?}", before);
                    }
                }
            }
        }
    }
}

fn value(text: &str, slot: u32, reg: Reg) -> Option<ConstValue> {
    Host::default().shape(text).expect(text).const_value(at(slot), reg)
}

#[test]
fn constants_are_folded() {
    let cases = [
        ("r1 = 5; exit", 1, Some(5)),
        ("r1 = -1; exit", 1, None),
        ("w1 = -1; exit", 1, Some(u32::MAX)),
        ("r1 = 5; r1 += 2; r1 -= 1; exit", 3, Some(6)),
        ("r1 = 5; r1 *= 2; exit", 2, None),
        ("r1 &= 0; exit", 1, Some(0)),
        ("r1 = r2; r1 &= 7; exit", 2, None),
        ("r2 = 0; r1 &= r2; exit", 2, Some(0)),
        ("r1 = 0; r1 &= r2; exit", 2, Some(0)),
        ("r1 = 6; r2 = 3; r1 &= r2; exit", 3, Some(2)),
        ("r1 = 0x180; r1 = (s8)r1; exit", 2, None),
        ("r1 = 0x17f; r1 = (s8)r1; exit", 2, Some(0x7f)),
        ("r1 = 0x180; w1 = (s8)w1; exit", 2, Some(0xffff_ff80)),
        ("r1 = 0x1ffffffff ll; exit", 2, None),
        ("r1 = 0x1ffffffff ll; w1 = w1; exit", 3, Some(u32::MAX)),
        ("r1 = 1; if r2 == 0 goto +1; r1 = 1; exit", 3, Some(1)),
        ("r1 = 1; if r2 == 0 goto +1; r1 = 2; exit", 3, None),
        ("r1 = 1; call random; exit", 2, None),
        ("r1 = 1; r1 = atomic_fetch_add((u64 *)(r10 - 8), r1); exit", 2, None),
        ("r1 = 1; r1 += 1; if r2 == 0 goto -2; exit", 1, None),
    ];
    for (text, slot, expected) in cases {
        assert_eq!(value(text, slot, Reg::R1), expected.map(ConstValue::Number), "{text}");
    }
    assert_eq!(value("r6 = 1; call random; exit", 2, Reg::R6), Some(ConstValue::Number(1)));
}

#[test]
fn maps_and_functions_are_known_too() {
    assert_eq!(value("r1 = hash ll; exit", 2, Reg::R1), Some(ConstValue::Map(0)));
    assert_eq!(value("r1 = f ll; exit; f: exit", 2, Reg::R1), Some(ConstValue::Subprog(SubprogId(1))));
    assert_eq!(value("r1 = hash ll; r1 += 1; exit", 3, Reg::R1), None);
    assert_eq!(value("r1 = hash ll; w1 = w1; exit", 3, Reg::R1), None);
    assert_eq!(value("r1 = hash ll; if r2 == 0 goto +2; r1 = constants ll; exit", 5, Reg::R1), None);
}

#[test]
fn contents_of_read_only_maps_are_read() {
    let read = |load: &str| {
        let text = format!("r2 = map[idx:1][0]+4 ll; r2 += 1; {load}; exit");
        value(&text.replace(" ll", ""), 4, Reg::R1)
    };
    assert_eq!(read("r1 = *(u8 *)(r2 + 0)"), Some(ConstValue::Number(0xf5)));
    assert_eq!(read("r1 = *(u16 *)(r2 - 5)"), Some(ConstValue::Number(0xf1f0)));
    assert_eq!(read("r1 = *(u32 *)(r2 + 0)"), Some(ConstValue::Number(0xf8f7_f6f5)));
    assert_eq!(read("r1 = *(s8 *)(r2 + 0)"), None);
    assert_eq!(read("r1 = *(u8 *)(r2 + 11)"), None, "past the end");
    assert_eq!(read("r1 = *(u8 *)(r2 - 6)"), None, "before the start");
    let text = "r2 = map[idx:0][0]+0; r1 = *(u8 *)(r2 + 0); exit";
    assert_eq!(value(text, 3, Reg::R1), None, "anyone may write it");
}

#[test]
fn decided_branches_become_jumps() {
    let decided = |text: &str, slot| {
        let graph = Host::default().shape(text).expect(text);
        match graph.program().get(at(slot)) {
            Some(Insn::Jump { off, long: false }) => Some(*off),
            _ => None,
        }
    };
    assert_eq!(decided("r1 = 5; if r1 == 5 goto +1; r0 = 0; exit", 1), Some(1));
    assert_eq!(decided("r1 = 5; if r1 != 5 goto +1; r0 = 0; exit", 1), Some(0));
    assert_eq!(decided("r1 = 5; if r1 s> -1 goto +1; r0 = 0; exit", 1), Some(1));
    assert_eq!(decided("w1 = -1; if w1 s< 0 goto +1; r0 = 0; exit", 1), Some(1));
    assert_eq!(decided("r1 = -1; if r1 s< 0 goto +1; r0 = 0; exit", 1), None, "it needs more than 32 bits");
    assert_eq!(decided("r1 = 1; r2 = 2; if r1 < r2 goto +1; r0 = 0; exit", 2), Some(1));
    assert_eq!(decided("r1 = 1; if r1 < r2 goto +1; r0 = 0; exit", 1), None);
    assert_eq!(decided("r1 = 0; may_goto +1; r0 = 0; exit", 1), None);
    let mut host = Host::default();
    host.features = host.features.without(Feature::DeadBranchPruning);
    let graph: Graph = host.shape("r1 = 5; if r1 == 5 goto +1; r0 = 0; exit").expect("fine");
    assert!(matches!(graph.program().get(at(1)), Some(Insn::Branch { .. })));
}
