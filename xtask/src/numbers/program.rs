//! Random programs of numbers, as instructions for a kernel and as operations of a domain.

use std::collections::BTreeMap;
use std::fmt;

use bpfvet_domain::{AluOp, Branch, CmpOp, Width};

use super::Known;

/// Chance, the same each time.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }
    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
    /// Numbers where carries, signs and halves meet, and others.
    fn immediate(&mut self) -> i32 {
        let edge =
            self.pick(&[0, 1, -1, 2, 7, 8, 16, 31, 32, 33, 63, 255, 256, 0x7fff, 0x8000, i32::MAX, i32::MIN, -2, -16]);
        match self.below(4) {
            0 => self.next() as i32,
            1 => (self.next() as i32) >> self.below(32),
            _ => edge,
        }
    }
}

/// The registers that hold numbers: those that calls leave alone.
const REGISTERS: [u8; 4] = [6, 7, 8, 9];

/// Where a register is among those.
pub(super) fn place(register: u8) -> Option<usize> {
    REGISTERS.iter().position(|&other| other == register)
}

#[derive(Clone, Copy, Debug)]
enum Operand {
    Place(usize),
    Immediate(i32),
}

/// One instruction on a register, told by its place.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// `dst = imm`, sign-extended.
    Constant(usize, i32),
    /// `dst = dst`, of these bits, sign-extended, at a width; zero-extended from the low half if they are all of it.
    Extend(Width, usize, u32),
    Alu(AluOp, Width, usize, Operand),
    Neg(Width, usize),
    /// A jump out, to an exit of its own.
    Jump(CmpOp, Width, usize, Operand),
}

/// A program: registers filled with anything, then steps, then exits.
#[derive(Clone, Debug)]
pub(super) struct Program(Vec<Step>);

/// What a domain knows along a program, by instruction.
pub(super) struct Followed<D> {
    /// After an instruction, if it is passed.
    pub(super) after: BTreeMap<usize, [D; REGISTERS.len()]>,
    /// Where a jump is taken.
    pub(super) taken: BTreeMap<usize, [D; REGISTERS.len()]>,
    /// Left where the kernel goes on with two numbers in the place of one.
    pub(super) forked: bool,
}

/// Instructions that come before the steps: a call and a move for each register.
const BEFORE: usize = 2 * REGISTERS.len();

impl Program {
    pub(super) fn random(random: &mut Random, length: usize) -> Self {
        let mut jumps = 0;
        let steps = (0..length).map(|_| {
            let dst = random.below(REGISTERS.len());
            let width = random.pick(&[Width::W32, Width::W64]);
            let other = (dst + 1 + random.below(REGISTERS.len() - 1)) % REGISTERS.len();
            let operand = match random.below(3) {
                0 => Operand::Place(other),
                _ => Operand::Immediate(random.immediate()),
            };
            match random.below(16) {
                0 => Step::Constant(dst, random.immediate()),
                1 => Step::Extend(width, dst, random.pick(&[8, 16, 32])),
                2 => Step::Neg(width, dst),
                // Too many outcomes would make long logs.
                3..8 if jumps < 6 => {
                    jumps += 1;
                    Step::Jump(random.pick(&CmpOp::ALL), width, dst, operand)
                }
                _ => alu(random, width, dst, operand),
            }
        });
        Self(steps.collect())
    }

    /// Little-endian instructions. Each jump has an exit of its own, or the second would not be looked at.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let exits = BEFORE + self.0.len();
        let fill = REGISTERS.iter().flat_map(|&register| [encoded(0x85, 0, 0, 0, 7), encoded(0xbf, register, 0, 0, 0)]);
        let mut jumps = 0;
        let steps = self.0.iter().zip(BEFORE..).map(|(step, at)| {
            let exit = match step {
                Step::Jump(..) => {
                    jumps += 1;
                    exits + jumps
                }
                Step::Constant(..) | Step::Extend(..) | Step::Alu(..) | Step::Neg(..) => at,
            };
            step.encoded(exit.saturating_sub(at + 1) as i16)
        });
        let steps: Vec<u64> = steps.collect();
        let ends = std::iter::repeat_n(encoded(0x95, 0, 0, 0, 0), jumps + 1);
        fill.chain(steps).chain(ends).flat_map(u64::to_le_bytes).collect()
    }

    /// What a domain knows after each instruction, straight on.
    pub(super) fn followed<D: Known>(&self) -> Followed<D> {
        let mut known = [D::unknown(); REGISTERS.len()];
        let mut followed = Followed { after: BTreeMap::new(), taken: BTreeMap::new(), forked: false };
        for (step, at) in self.0.iter().zip(BEFORE..) {
            match *step {
                Step::Constant(dst, imm) => known[dst] = D::constant(i64::from(imm) as u64),
                Step::Extend(Width::W64, dst, bits) => known[dst] = D::sign_extend(bits / 8, Width::W64, known[dst]),
                Step::Extend(Width::W32, dst, bits) => known[dst] = D::sign_extend(bits / 8, Width::W32, known[dst]),
                Step::Neg(width, dst) => known[dst] = D::neg(width, known[dst]),
                Step::Alu(op, width, dst, operand) => {
                    let src = of(&known, operand);
                    if matches!(op, AluOp::And | AluOp::Or) && src.as_const().is_some() && is_sign(&known[dst]) {
                        followed.forked = true;
                        return followed;
                    }
                    known[dst] = D::alu(op, width, known[dst], src);
                }
                Step::Jump(op, width, dst, operand) => {
                    match D::branch(op, width, known[dst], of(&known, operand), false) {
                        Branch::Always => return followed,
                        Branch::Never => {}
                        Branch::Both { taken, fallthrough } => {
                            followed.taken.insert(at, with(known, dst, operand, taken));
                            known = with(known, dst, operand, fallthrough);
                        }
                    }
                }
            }
            followed.after.insert(at, known);
        }
        followed
    }
}

/// An operation that kernels accept: no division by a constant zero, no constant shift by the width.
fn alu(random: &mut Random, width: Width, dst: usize, operand: Operand) -> Step {
    let op = random.pick(&AluOp::ALL);
    let operand = match (op, operand) {
        (AluOp::Lsh | AluOp::Rsh | AluOp::Arsh, Operand::Immediate(imm)) => {
            let bits = if width == Width::W32 { 32 } else { 64 };
            Operand::Immediate(imm.rem_euclid(bits))
        }
        (AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod, Operand::Immediate(0)) => Operand::Immediate(10),
        (_, operand) => operand,
    };
    Step::Alu(op, width, dst, operand)
}

/// Lies between minus one and zero, as a whole or in its low half: such a number Linux splits.
fn is_sign(number: &impl Known) -> bool {
    number.signed() == (-1, 0) || number.signed_low() == (-1, 0)
}

fn of<D: Known>(known: &[D; REGISTERS.len()], operand: Operand) -> D {
    match operand {
        Operand::Place(place) => known[place],
        Operand::Immediate(imm) => D::constant(i64::from(imm) as u64),
    }
}

/// The registers with both operands of a comparison replaced, contradictions forgotten.
fn with<D: Known>(
    mut known: [D; REGISTERS.len()],
    dst: usize,
    operand: Operand,
    (first, second): (D, D),
) -> [D; REGISTERS.len()] {
    let sane = |number: D| if number.is_consistent() { number } else { number.forgotten() };
    known[dst] = sane(first);
    if let Operand::Place(src) = operand {
        known[src] = sane(second);
    }
    known
}

/// One instruction as a little-endian word.
const fn encoded(opcode: u8, dst: u8, src: u8, offset: i16, imm: i32) -> u64 {
    opcode as u64 | (dst as u64) << 8 | (src as u64) << 12 | (offset as u16 as u64) << 16 | (imm as u32 as u64) << 32
}

impl Step {
    fn encoded(self, offset: i16) -> u64 {
        let class = |width: Width, wide: u8, narrow: u8| if width == Width::W64 { wide } else { narrow };
        let with = |opcode: u8, dst: usize, operand: Operand, offset: i16| match operand {
            Operand::Place(src) => encoded(opcode | 0x08, REGISTERS[dst], REGISTERS[src], offset, 0),
            Operand::Immediate(imm) => encoded(opcode, REGISTERS[dst], 0, offset, imm),
        };
        match self {
            Self::Constant(dst, imm) => encoded(0xb7, REGISTERS[dst], 0, 0, imm),
            Self::Extend(Width::W32, dst, 32) => encoded(0xbc, REGISTERS[dst], REGISTERS[dst], 0, 0),
            Self::Extend(width, dst, bits) => {
                encoded(class(width, 0xbf, 0xbc), REGISTERS[dst], REGISTERS[dst], bits as i16, 0)
            }
            Self::Neg(width, dst) => encoded(class(width, 0x87, 0x84), REGISTERS[dst], 0, 0, 0),
            Self::Alu(op, width, dst, operand) => {
                let (code, signed) = match op {
                    AluOp::Add => (0x00, 0),
                    AluOp::Sub => (0x10, 0),
                    AluOp::Mul => (0x20, 0),
                    AluOp::Div => (0x30, 0),
                    AluOp::Sdiv => (0x30, 1),
                    AluOp::Or => (0x40, 0),
                    AluOp::And => (0x50, 0),
                    AluOp::Lsh => (0x60, 0),
                    AluOp::Rsh => (0x70, 0),
                    AluOp::Mod => (0x90, 0),
                    AluOp::Smod => (0x90, 1),
                    AluOp::Xor => (0xa0, 0),
                    AluOp::Arsh => (0xc0, 0),
                };
                with(class(width, 0x07, 0x04) | code, dst, operand, signed)
            }
            Self::Jump(op, width, dst, operand) => {
                let code = match op {
                    CmpOp::Eq => 0x10,
                    CmpOp::Gt => 0x20,
                    CmpOp::Ge => 0x30,
                    CmpOp::Set => 0x40,
                    CmpOp::Ne => 0x50,
                    CmpOp::Sgt => 0x60,
                    CmpOp::Sge => 0x70,
                    CmpOp::Lt => 0xa0,
                    CmpOp::Le => 0xb0,
                    CmpOp::Slt => 0xc0,
                    CmpOp::Sle => 0xd0,
                };
                with(class(width, 0x05, 0x06) | code, dst, operand, offset)
            }
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (step, at) in self.0.iter().zip(BEFORE..) {
            writeln!(f, "    {at}: {step:?}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bpfvet::insn;
    use bpfvet_domain::{Intervals, Scalar};

    use super::{Program, Random};

    #[test]
    fn programs_are_well_formed_and_followed() {
        let mut random = Random::new(7);
        let (mut steps, mut taken) = (0, 0);
        for _ in 0..200 {
            let program = Program::random(&mut random, 20);
            insn::Program::decode(&program.bytes()).expect("it decodes");
            let (new, old) = (program.followed::<Scalar>(), program.followed::<Intervals>());
            steps += new.after.len() + old.after.len();
            taken += new.taken.len() + old.taken.len();
        }
        assert!(steps > 2_000 && taken > 200, "{steps} steps and {taken} branches");
        assert_eq!(Program::random(&mut random, 0).followed::<Scalar>().after.len(), 0);
    }
}
