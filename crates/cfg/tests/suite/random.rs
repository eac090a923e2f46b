//! Random programs in which everything can be reached.

use bpfvet_insn::{AluOp, AtomicOp, Call, CmpOp, ImmSource, Insn, Operand, Program, Reg, Size, Width};
use proptest::prelude::*;

/// An instruction whose jumps and calls have no target yet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Draft {
    /// Any that goes on to the next.
    Plain(Insn),
    /// A branch to a place in its function, chosen by this number.
    Branch(Width, CmpOp, Reg, Operand, u16),
    /// The budget of a loop.
    MayGoto(u16),
    /// A branch around a jump.
    Jump(Reg, u16),
    /// A branch around an exit.
    Exit(Reg),
    /// A call of a later function, chosen by this number.
    Call(u16),
    /// A loop over a later function, which gets the stack at this offset.
    Loop(u16, i16),
}

/// A general register.
pub(crate) fn reg() -> impl Strategy<Value = Reg> {
    (0..10_u8).prop_map(|number| Reg::new(number).unwrap_or(Reg::R0))
}

fn width() -> impl Strategy<Value = Width> {
    prop_oneof![Just(Width::W32), Just(Width::W64)]
}

fn imm() -> impl Strategy<Value = i32> {
    prop_oneof![-3..4_i32, Just(i32::MAX), Just(i32::MIN), any::<i32>()]
}

fn operand() -> impl Strategy<Value = Operand> {
    prop_oneof![reg().prop_map(Operand::Reg), imm().prop_map(Operand::Imm)]
}

fn cmp() -> impl Strategy<Value = CmpOp> {
    use CmpOp::{Eq, Ge, Gt, Le, Lt, Ne, Set, Sge, Sgt, Sle, Slt};
    prop::sample::select(vec![Eq, Ne, Gt, Ge, Lt, Le, Sgt, Sge, Slt, Sle, Set])
}

/// Arithmetic, most of it such that constants are followed through it.
pub(crate) fn alu() -> impl Strategy<Value = Insn> {
    let ops = vec![AluOp::Add, AluOp::Sub, AluOp::And, AluOp::Xor, AluOp::Mul];
    prop_oneof![
        (width(), reg(), operand()).prop_map(|(width, dst, src)| Insn::Mov { width, dst, src }),
        (width(), prop::sample::select(ops), reg(), operand()).prop_map(|(width, op, dst, src)| Insn::Alu {
            width,
            op,
            dst,
            src
        }),
        (width(), reg()).prop_map(|(width, dst)| Insn::Neg { width, dst }),
        (width(), reg(), reg(), prop_oneof![Just(Size::B1), Just(Size::B2)])
            .prop_map(|(width, dst, src, from)| Insn::MovSx { width, dst, src, from }),
        (reg(), any::<u64>()).prop_map(|(dst, value)| Insn::LoadImm64 { dst, imm: ImmSource::Value(value) }),
    ]
}

fn size() -> impl Strategy<Value = Size> {
    prop::sample::select(vec![Size::B1, Size::B2, Size::B4, Size::B8, Size::B8, Size::B8])
}

/// An offset into a small stack, mostly that of a slot.
pub(crate) fn stack_off() -> impl Strategy<Value = i16> {
    prop_oneof![3 => (1..5_i16).prop_map(|slot| -8 * slot), 1 => -36..=-1_i16]
}

/// The frame pointer more often than not.
fn base() -> impl Strategy<Value = Reg> {
    prop_oneof![2 => Just(Reg::FP), 1 => reg()]
}

/// Loads, stores, atomics and pointer arithmetic on a small stack.
pub(crate) fn memory() -> impl Strategy<Value = Insn> {
    prop_oneof![
        2 => (reg(), base(), stack_off(), size())
            .prop_map(|(dst, base, off, size)| Insn::Load { dst, base, off, size, signed: false }),
        2 => (base(), stack_off(), size(), operand()).prop_map(|(base, off, size, src)| Insn::Store { base, off, size, src }),
        1 => (base(), stack_off(), reg()).prop_map(|(base, off, src)| {
            Insn::Atomic { op: AtomicOp::Add { fetch: true }, size: Size::B8, base, off: off & !7, src }
        }),
        2 => reg().prop_map(|dst| Insn::Mov { width: Width::W64, dst, src: Operand::Reg(Reg::FP) }),
        1 => (reg(), reg()).prop_map(|(dst, src)| Insn::Mov { width: Width::W64, dst, src: Operand::Reg(src) }),
        2 => (reg(), stack_off()).prop_map(|(dst, off)| {
            Insn::Alu { width: Width::W64, op: AluOp::Add, dst, src: Operand::Imm(i32::from(off)) }
        }),
    ]
}

/// One instruction, of which those of `plain` make the most.
pub(crate) fn draft(plain: impl Strategy<Value = Insn> + 'static) -> impl Strategy<Value = Draft> {
    prop_oneof![
        10 => plain.prop_map(Draft::Plain),
        3 => (width(), cmp(), reg(), operand(), any::<u16>())
            .prop_map(|(width, cmp, dst, src, to)| Draft::Branch(width, cmp, dst, src, to)),
        1 => (reg(), any::<u16>()).prop_map(|(reg, to)| Draft::Jump(reg, to)),
        1 => reg().prop_map(Draft::Exit),
        1 => any::<u16>().prop_map(Draft::MayGoto),
        1 => any::<u16>().prop_map(Draft::Call),
        1 => (any::<u16>(), stack_off()).prop_map(|(to, off)| Draft::Loop(to, off)),
    ]
}

/// A program of some functions, each called by one before it.
pub(crate) fn programs(plain: impl Strategy<Value = Insn> + 'static) -> impl Strategy<Value = Program> {
    functions(plain).prop_map(|functions| link(&functions))
}

/// The same without callbacks.
pub(crate) fn programs_without_callbacks(
    plain: impl Strategy<Value = Insn> + 'static,
) -> impl Strategy<Value = Program> {
    functions(plain).prop_map(|mut functions| {
        functions.iter_mut().for_each(|function| function.retain(|draft| !matches!(draft, Draft::Loop(..))));
        link(&functions)
    })
}

fn functions(plain: impl Strategy<Value = Insn> + 'static) -> impl Strategy<Value = Vec<Vec<Draft>>> {
    prop::collection::vec(prop::collection::vec(draft(plain), 0..14), 1..4)
}

/// Puts targets in, and calls so that every function is reached.
fn link(functions: &[Vec<Draft>]) -> Program {
    let slots = |draft: &Draft| match draft {
        Draft::Plain(insn) => insn.slots(),
        Draft::Branch(..) | Draft::MayGoto(_) | Draft::Call(_) => 1,
        Draft::Jump(..) | Draft::Exit(_) => 2,
        Draft::Loop(..) => 7,
    };
    // Each function begins with a call of the next, and ends with `exit`.
    let mut starts = vec![0];
    for (index, function) in functions.iter().enumerate() {
        let first_call = u32::from(index + 1 < functions.len());
        let end: u32 = function.iter().map(slots).sum();
        starts.push(starts[index] + first_call + end + 1);
    }
    let mut insns: Vec<Insn> = Vec::new();
    let mut at = 0_u32;
    for (index, function) in functions.iter().enumerate() {
        let later = &starts[index + 1..functions.len()];
        let distance = |from: u32, to: u32| i32::try_from(i64::from(to) - i64::from(from) - 1).expect("small");
        let mut places = Vec::new();
        let mut place = starts[index] + u32::from(!later.is_empty());
        for draft in function {
            places.push(place);
            place += slots(draft);
        }
        places.push(place);
        let target = |choice: u16| places[usize::from(choice) % places.len()];
        if let Some(&next) = later.first() {
            insns.push(Insn::Call(Call::Subprog(distance(at, next))));
            at += 1;
        }
        let short = |from, to| i16::try_from(distance(from, to)).expect("small");
        let around = |dst| Insn::Branch { width: Width::W64, op: CmpOp::Sgt, dst, src: Operand::Imm(0), off: 1 };
        for draft in function {
            let start = at;
            let callee = |choice: u16| (!later.is_empty()).then(|| later[usize::from(choice) % later.len()]);
            match *draft {
                Draft::Plain(insn) => insns.push(insn),
                Draft::Branch(width, op, dst, src, to) => {
                    insns.push(Insn::Branch { width, op, dst, src, off: short(at, target(to)) });
                }
                Draft::MayGoto(to) => insns.push(Insn::MayGoto { off: short(at, target(to)) }),
                Draft::Jump(reg, to) => {
                    insns.push(around(reg));
                    insns.push(Insn::Jump { off: distance(at + 1, target(to)), long: false });
                }
                Draft::Exit(reg) => insns.extend([around(reg), Insn::Exit]),
                Draft::Call(choice) => insns.push(match callee(choice) {
                    Some(to) => Insn::Call(Call::Subprog(distance(at, to))),
                    None => Insn::Call(Call::Helper(7)),
                }),
                Draft::Loop(choice, off) => {
                    let func = callee(choice).map_or(ImmSource::Value(0), |to| ImmSource::Func(distance(at + 3, to)));
                    insns.extend([
                        Insn::Mov { width: Width::W64, dst: Reg::R3, src: Operand::Reg(Reg::FP) },
                        Insn::Alu {
                            width: Width::W64,
                            op: AluOp::Add,
                            dst: Reg::R3,
                            src: Operand::Imm(i32::from(off)),
                        },
                        Insn::Mov { width: Width::W64, dst: Reg::R1, src: Operand::Imm(2) },
                        Insn::LoadImm64 { dst: Reg::R2, imm: func },
                        Insn::Mov { width: Width::W64, dst: Reg::R4, src: Operand::Imm(0) },
                        Insn::Call(Call::Helper(181)),
                    ]);
                }
            }
            at = start + slots(draft);
        }
        insns.push(Insn::Exit);
        at += 1;
    }
    Program::from_insns(insns)
}
