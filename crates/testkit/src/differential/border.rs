//! Programs whose last access is within bounds if numbers are followed exactly, or just outside.
//!
//! A few numbers that nothing is known of are computed with and compared; one of them, perhaps after a test, becomes the distance
//! into a map's value, the stack or a packet, or a size that a helper is given.

use bpfvet::platform::{LoadRequest, ProgramType};
use bpfvet_insn::{AluOp, CmpOp, Insn, Operand, Program, Reg, Size, Width};

use crate::containment::request;
use crate::machine::Choices;

const TYPES: [ProgramType; 4] =
    [ProgramType::SOCKET_FILTER, ProgramType::SCHED_CLS, ProgramType::XDP, ProgramType::CGROUP_SKB];
const SIZES: [Size; 4] = [Size::B1, Size::B2, Size::B4, Size::B8];
/// Registers that hold numbers.
const NUMBERS: [Reg; 5] = [Reg::R1, Reg::R2, Reg::R3, Reg::R4, Reg::R7];
const LOOK_UP: i32 = 1;
const RANDOM: i32 = 7;
const SKB_LOAD_BYTES: i32 = 26;

struct Maker<'c, 'a> {
    choices: &'c mut Choices<'a>,
    code: Vec<Insn>,
    /// Branches to the end, by position.
    to_end: Vec<usize>,
}

/// The request for such a program.
#[must_use]
pub fn border(choices: &mut Choices<'_>) -> LoadRequest {
    let kind = choices.pick(&TYPES);
    let mut maker = Maker { choices, code: Vec::new(), to_end: Vec::new() };
    maker.begin();
    for _ in 0..=maker.choices.below(10) {
        maker.statement();
    }
    maker.access(kind);
    let code = maker.end();
    request(kind, Program::from_insns(code))
}

impl Maker<'_, '_> {
    fn push(&mut self, insn: Insn) {
        self.code.push(insn);
    }

    fn mov(&mut self, dst: Reg, src: Operand) {
        self.push(Insn::Mov { width: Width::W64, dst, src });
    }

    fn alu(&mut self, op: AluOp, dst: Reg, src: Operand) {
        self.push(Insn::Alu { width: Width::W64, op, dst, src });
    }

    /// Goes to the end if the comparison holds.
    fn leave_if(&mut self, width: Width, op: CmpOp, dst: Reg, src: Operand) {
        self.to_end.push(self.code.len());
        self.push(Insn::Branch { width, op, dst, src, off: 0 });
    }

    /// `r6` the context, `r8` a map's value, and numbers of every kind.
    fn begin(&mut self) {
        self.mov(Reg::R6, Operand::Reg(Reg::R1));
        self.push(Insn::Store { base: Reg::FP, off: -8, size: Size::B8, src: Operand::Imm(0) });
        self.push(Insn::Store { base: Reg::FP, off: -16, size: Size::B8, src: Operand::Imm(0) });
        self.mov(Reg::R2, Operand::Reg(Reg::FP));
        self.alu(AluOp::Add, Reg::R2, Operand::Imm(-8));
        let map = bpfvet_insn::ImmSource::MapFd(0);
        self.push(Insn::LoadImm64 { dst: Reg::R1, imm: map });
        self.push(Insn::Call(bpfvet_insn::Call::Helper(LOOK_UP)));
        self.leave_if(Width::W64, CmpOp::Eq, Reg::R0, Operand::Imm(0));
        self.mov(Reg::R8, Operand::Reg(Reg::R0));
        self.push(Insn::Call(bpfvet_insn::Call::Helper(RANDOM)));
        self.mov(Reg::R7, Operand::Reg(Reg::R0));
        for dst in [Reg::R1, Reg::R2, Reg::R3, Reg::R4] {
            match self.choices.below(4) {
                0 => {
                    let imm = self.choices.imm();
                    self.mov(dst, Operand::Imm(imm));
                }
                1 => {
                    let word = self.choices.word();
                    self.push(Insn::LoadImm64 { dst, imm: bpfvet_insn::ImmSource::Value(word) });
                }
                _ => {
                    let size = self.choices.pick(&SIZES);
                    let signed = size != Size::B8 && self.choices.one_in(4);
                    self.push(Insn::Load { dst, base: Reg::R8, off: 0, size, signed });
                }
            }
        }
    }

    fn width(&mut self) -> Width {
        if self.choices.one_in(3) { Width::W32 } else { Width::W64 }
    }

    fn operand(&mut self) -> Operand {
        if self.choices.one_in(2) {
            Operand::Reg(self.choices.pick(&NUMBERS))
        } else {
            Operand::Imm(self.choices.imm())
        }
    }

    fn statement(&mut self) {
        let dst = self.choices.pick(&NUMBERS);
        match self.choices.below(8) {
            0..=2 => self.operation(dst),
            3 => {
                let (width, src) = (self.width(), Operand::Reg(self.choices.pick(&NUMBERS)));
                self.push(Insn::Mov { width, dst, src });
            }
            4 => {
                let (width, src) = (self.width(), self.choices.pick(&NUMBERS));
                let from = if width == Width::W32 {
                    self.choices.pick(&[Size::B1, Size::B2])
                } else {
                    self.choices.pick(&[Size::B1, Size::B2, Size::B4])
                };
                self.push(Insn::MovSx { width, dst, src, from });
            }
            5 => {
                let (width, op, src) = (self.width(), self.choices.pick(&CmpOp::ALL), self.operand());
                self.leave_if(width, op, dst, src);
            }
            6 => {
                // One way or another: what is known must hold on both.
                let (width, op, src) = (self.width(), self.choices.pick(&CmpOp::ALL), self.operand());
                let at = self.code.len();
                self.push(Insn::Branch { width, op, dst, src, off: 0 });
                for _ in 0..=self.choices.below(2) {
                    let dst = self.choices.pick(&NUMBERS);
                    self.operation(dst);
                }
                let skipped = self.code.iter().skip(at + 1).map(Insn::slots).sum::<u32>();
                if let Some(Insn::Branch { off, .. }) = self.code.get_mut(at) {
                    *off = i16::try_from(skipped).unwrap_or(0);
                }
            }
            _ => {
                let (slot, size) = (self.choices.pick(&[-8_i16, -16]), self.choices.pick(&SIZES));
                self.push(Insn::Store { base: Reg::FP, off: slot, size: Size::B8, src: Operand::Reg(dst) });
                let dst = self.choices.pick(&NUMBERS);
                self.push(Insn::Load { dst, base: Reg::FP, off: slot, size, signed: false });
            }
        }
    }

    fn operation(&mut self, dst: Reg) {
        let (width, op) = (self.width(), self.choices.pick(&AluOp::ALL));
        let src = match (op, self.operand()) {
            (AluOp::Lsh | AluOp::Rsh | AluOp::Arsh, Operand::Imm(imm)) => {
                Operand::Imm(imm & if width == Width::W32 { 31 } else { 63 })
            }
            (AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod, Operand::Imm(0)) => Operand::Imm(3),
            (_, src) => src,
        };
        self.push(Insn::Alu { width, op, dst, src });
    }

    /// Makes `number` small enough, or nearly, in one of the ways that programs do.
    fn confine(&mut self, number: Reg, room: i32) {
        let near = |choices: &mut Choices<'_>| room + i32::try_from(choices.below(3)).unwrap_or(0) - 1;
        match self.choices.below(7) {
            0 => {
                let room = near(self.choices);
                self.leave_if(Width::W64, CmpOp::Gt, number, Operand::Imm(room));
            }
            1 => {
                let room = near(self.choices);
                self.leave_if(Width::W32, CmpOp::Gt, number, Operand::Imm(room));
                if !self.choices.one_in(3) {
                    self.push(Insn::Mov { width: Width::W32, dst: number, src: Operand::Reg(number) });
                }
            }
            2 => {
                let room = near(self.choices);
                self.leave_if(Width::W64, CmpOp::Sgt, number, Operand::Imm(room));
                let low = self.choices.pick(&[0, -1, 1]);
                self.leave_if(Width::W64, CmpOp::Slt, number, Operand::Imm(low));
            }
            3 => {
                let mask = self.choices.pick(&[7, 15, 31, 47, 63, room]);
                let width = self.width();
                self.push(Insn::Alu { width, op: AluOp::And, dst: number, src: Operand::Imm(mask) });
            }
            4 => {
                let shift = self.choices.pick(&[58, 59, 60, 61]);
                self.alu(AluOp::Rsh, number, Operand::Imm(shift));
            }
            5 => {
                let room = near(self.choices).max(1);
                self.alu(AluOp::Mod, number, Operand::Imm(room));
            }
            _ => {}
        }
    }

    /// What all this was for.
    fn access(&mut self, kind: ProgramType) {
        let number = self.choices.pick(&NUMBERS);
        let size = self.choices.pick(&SIZES);
        match self.choices.below(6) {
            0..=2 => {
                self.confine(number, 48 - size.bytes() as i32);
                let away = if self.choices.one_in(4) { AluOp::Sub } else { AluOp::Add };
                self.alu(away, Reg::R8, Operand::Reg(number));
                let off = i16::try_from(self.choices.below(5)).unwrap_or(0) * self.choices.pick(&[0, 1, -1, 8]);
                self.touch(Reg::R8, off, size);
            }
            3 => {
                self.confine(number, 16 - size.bytes() as i32);
                self.mov(Reg::R5, Operand::Reg(Reg::FP));
                self.alu(AluOp::Add, Reg::R5, Operand::Imm(-16));
                self.alu(AluOp::Add, Reg::R5, Operand::Reg(number));
                self.touch(Reg::R5, 0, size);
            }
            4 if kind == ProgramType::XDP || kind == ProgramType::SCHED_CLS => self.packet(kind, number, size),
            _ => {
                self.confine(number, 16);
                self.mov(Reg::R4, Operand::Reg(number));
                self.mov(Reg::R1, Operand::Reg(Reg::R6));
                self.mov(Reg::R2, Operand::Imm(0));
                self.mov(Reg::R3, Operand::Reg(Reg::FP));
                self.alu(AluOp::Add, Reg::R3, Operand::Imm(-16));
                self.push(Insn::Call(bpfvet_insn::Call::Helper(SKB_LOAD_BYTES)));
            }
        }
    }

    fn packet(&mut self, kind: ProgramType, number: Reg, size: Size) {
        let fields = if kind == ProgramType::XDP { (0, 4) } else { (76, 80) };
        self.confine(number, 1000);
        self.push(Insn::Load { dst: Reg::R5, base: Reg::R6, off: fields.0, size: Size::B4, signed: false });
        self.push(Insn::Load { dst: Reg::R9, base: Reg::R6, off: fields.1, size: Size::B4, signed: false });
        self.alu(AluOp::Add, Reg::R5, Operand::Reg(number));
        self.mov(Reg::R0, Operand::Reg(Reg::R5));
        let reach = size.bytes() as i32 + i32::try_from(self.choices.below(3)).unwrap_or(0) - 1;
        self.alu(AluOp::Add, Reg::R0, Operand::Imm(reach));
        let op = self.choices.pick(&[CmpOp::Gt, CmpOp::Ge, CmpOp::Gt, CmpOp::Lt]);
        self.leave_if(Width::W64, op, Reg::R0, Operand::Reg(Reg::R9));
        self.touch(Reg::R5, 0, size);
    }

    fn touch(&mut self, base: Reg, off: i16, size: Size) {
        if self.choices.one_in(2) {
            self.push(Insn::Load { dst: Reg::R0, base, off, size, signed: false });
        } else {
            self.push(Insn::Store { base, off, size, src: Operand::Imm(1) });
        }
    }

    /// The end, and the branches that lead to it.
    fn end(mut self) -> Vec<Insn> {
        let mut places = Vec::new();
        let mut at = 0_u32;
        for insn in &self.code {
            places.push(at);
            at += insn.slots();
        }
        for from in self.to_end {
            if let (Some(Insn::Branch { off, .. }), Some(place)) = (self.code.get_mut(from), places.get(from)) {
                *off = i16::try_from(at - place - 1).unwrap_or(0);
            }
        }
        self.code.push(Insn::Mov { width: Width::W64, dst: Reg::R0, src: Operand::Imm(0) });
        self.code.push(Insn::Exit);
        self.code
    }
}

#[cfg(test)]
mod tests {
    use bpfvet::Verifier;
    use bpfvet::linux::Linux;

    use super::border;
    use crate::machine::Choices;

    #[test]
    fn the_border_runs_through_the_middle() {
        let linux = Linux::newest();
        let verifier = Verifier::new(&linux);
        let accepted = (0..400).filter(|&seed| verifier.verify(&border(&mut Choices::seeded(seed))).is_ok()).count();
        assert!((60..340).contains(&accepted), "{accepted}");
    }
}
