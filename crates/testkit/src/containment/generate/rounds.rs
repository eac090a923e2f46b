//! Rounds: numbers that are not the same in the next one, and a use of them that is seen only later.

use bpfvet_insn::{AluOp, Call, CmpOp, Insn, Operand, Size, Width};

use super::ways::ROOM;
use super::{FP, Maker, R0, R1, R2, R3, R4, R5, R7, Role, distance, slot_at};

/// A branch of which nobody knows where it goes, from one place in a block to another.
const fn perhaps(at: i16, to: i16) -> Insn {
    Insn::Branch { width: Width::W64, op: CmpOp::Set, dst: R0, src: Operand::Imm(16), off: to - at - 1 }
}

fn jump(at: i16, to: i16) -> Insn {
    Insn::Jump { off: i32::from(to - at - 1), long: false }
}

const fn random() -> Insn {
    Insn::Call(Call::Helper(7))
}

const fn set(imm: i32) -> Insn {
    Insn::Mov { width: Width::W64, dst: R7, src: Operand::Imm(imm) }
}

/// A byte of the stack as far up as `r3` says.
fn byte() -> [Insn; 3] {
    let off = -i16::try_from(ROOM).unwrap_or(0);
    [
        Insn::Mov { width: Width::W64, dst: R2, src: Operand::Reg(FP) },
        Insn::Alu { width: Width::W64, op: AluOp::Add, dst: R2, src: Operand::Reg(R3) },
        Insn::Load { dst: R0, base: R2, off, size: Size::B1, signed: false },
    ]
}

impl Maker<'_, '_> {
    /// A number that grows from round to round, and a byte that far into the stack in each.
    pub(super) fn growth(&mut self) {
        if self.depth > 2 || self.loops > 0 || self.role != Role::Entry {
            return self.arithmetic();
        }
        match self.choices.below(4) {
            0 => self.used_late(),
            1 => self.two_entries(),
            _ => self.used_each_round(),
        }
        self.mov_imm(R0, 0);
        for reg in [R1, R2, R3, R4, R5] {
            self.known.set_number(reg, false);
        }
        self.mov_imm(R7, 2);
        self.known.set_number(R7, true);
        self.known.set_number(R0, true);
    }

    /// The byte is loaded in each round, or after the last.
    fn used_each_round(&mut self) {
        self.mov_imm(R7, 0);
        let mut body = vec![
            Insn::Mov { width: Width::W64, dst: R2, src: Operand::Reg(FP) },
            Insn::Alu { width: Width::W64, op: AluOp::Add, dst: R2, src: Operand::Reg(R7) },
            Insn::Load { dst: R0, base: R2, off: -i16::try_from(ROOM).unwrap_or(0), size: Size::B1, signed: false },
            Insn::Alu { width: Width::W64, op: AluOp::Add, dst: R7, src: Operand::Imm(8) },
        ];
        let bound = Insn::Alu { width: Width::W64, op: AluOp::And, dst: R7, src: Operand::Imm(ROOM - 1) };
        if self.slip(6) {
            if self.choices.one_in(2) {
                body.push(Insn::Mov { width: Width::W64, dst: R5, src: Operand::Reg(R7) });
            }
        } else {
            body.push(bound);
        }
        match self.choices.below(3) {
            0 => {
                self.known.called();
                body.push(Insn::Jump { off: i32::from(-(distance(&body) + 2)), long: false });
                self.push(Insn::MayGoto { off: distance(&body) });
                self.code.extend(body);
            }
            1 => {
                body.push(Insn::Call(Call::Helper(7)));
                let off = -(distance(&body) + 1);
                body.push(Insn::Branch { width: Width::W64, op: CmpOp::Gt, dst: R0, src: Operand::Imm(1 << 30), off });
                self.code.extend(body);
                self.known.called();
            }
            _ => {
                // The number is in the stack, and a callback makes it grow.
                let slot = self.choices.below(super::SLOTS - 1);
                let off = slot_at(slot + 1);
                self.store_imm(FP, off, Size::B8, 0);
                self.forget_slots(super::SLOTS as usize);
                let rounds = i32::try_from(self.choices.below(4)).unwrap_or(1);
                self.mov_imm(R1, rounds);
                let step = if self.slip(4) { ROOM } else { 8 };
                let masked = self.choices.one_in(2);
                let function = self.ask(Role::Grows(step, masked));
                self.address_of(R2, function);
                self.mov(R3, FP);
                self.alu_imm(AluOp::Add, R3, i32::from(off));
                self.mov_imm(R4, 0);
                self.helper(181);
                self.push(Insn::Load { dst: R3, base: FP, off, size: Size::B8, signed: false });
                if self.choices.one_in(2) {
                    self.alu_imm(AluOp::And, R3, ROOM - 1);
                }
                self.use_number();
            }
        }
    }

    /// The byte is loaded on a way out of the loop that is looked at when the round after it was.
    fn used_late(&mut self) {
        let step = if self.choices.one_in(2) { ROOM } else { 8 };
        let kept = !self.slip(6);
        let back = self.choices.one_in(4);
        let copy = Insn::Mov { width: Width::W64, dst: R3, src: Operand::Reg(R7) };
        let within = Insn::Alu { width: Width::W64, op: AluOp::And, dst: R3, src: Operand::Imm(ROOM - 1) };
        let [base, add, load] = byte();
        self.mov_imm(R7, 0);
        self.code.extend([
            Insn::MayGoto { off: 10 },
            random(),
            perhaps(2, 5),
            Insn::Alu { width: Width::W64, op: AluOp::Add, dst: R7, src: Operand::Imm(step) },
            jump(4, 0),
            copy,
            if kept { within } else { jump(6, 7) },
            base,
            add,
            load,
            jump(10, if back { 3 } else { 11 }),
        ]);
        self.known.called();
    }

    /// A loop that is entered at its head with one number and further down with another, or where a round brings the other; the
    /// byte is loaded before that place, so that what matters must go once around to get there.
    ///
    /// ```text
    ///     r7 = 8 ──▶ ┌▶ may_goto end
    ///                │  perhaps: byte at fp-64+r7
    ///                │  perhaps: r7 = other
    ///  r7 = other ──▶│  (here the states look alike)
    ///                └─ goto
    /// ```
    fn two_entries(&mut self) {
        let good = 8 * i32::try_from(self.choices.below(7)).unwrap_or(0);
        let wild = if self.slip(4) { self.choices.pick(&[ROOM, 100, 1000]) } else { 16 };
        let (entered, brought) = match self.choices.below(3) {
            0 => (wild, good),
            1 => (good, wild),
            _ => (wild, wild),
        };
        let copy = Insn::Mov { width: Width::W64, dst: R3, src: Operand::Reg(R7) };
        let [base, add, load] = byte();
        let between = if self.choices.one_in(2) { jump(5, 6) } else { random() };
        self.code.extend([set(good), random(), perhaps(-1, 14)]);
        self.code.extend([
            Insn::MayGoto { off: 15 },
            random(),
            perhaps(2, 9),
            random(),
            perhaps(4, 7),
            between,
            jump(6, 0),
            set(brought),
            jump(8, 5),
            copy,
            base,
            add,
            load,
            jump(13, 3),
            set(entered),
            jump(15, 5),
        ]);
        self.known.called();
    }
}
