//! Single things that verifiers got wrong: each statement is right or, now and then, wrong in the one way that must be noticed.

use bpfvet_insn::{AluOp, CmpOp, Insn, Operand, Size, Width};

use super::{FP, Maker, R0, R2, R3, R4, R5, R6, R7, Role, VALUE_SIZE, slot_at};

impl Maker<'_, '_> {
    /// A value of a map, or nothing, is moved before or after it is known which.
    pub(super) fn moved_early(&mut self) {
        if self.role != Role::Entry || self.loops > 0 {
            return self.arithmetic();
        }
        let early = self.slip(8);
        self.find();
        self.mov(R7, R0);
        self.known.set_number(R7, false);
        if early {
            self.alu_imm(AluOp::Add, R7, 8);
        }
        let none = |off| Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst: R7, src: Operand::Imm(0), off };
        self.guarded(none, |maker| {
            if !early {
                maker.alu_imm(AluOp::Add, R7, 8);
                maker.push(Insn::Load { dst: R0, base: R7, off: 0, size: Size::B8, signed: false });
            }
        });
        self.end_with_number();
    }

    /// A pointer to a value goes some way towards its start, perhaps too far.
    pub(super) fn backwards(&mut self) {
        if self.role != Role::Entry || self.loops > 0 {
            return self.arithmetic();
        }
        self.find();
        let to = 8 + i32::try_from(self.choices.below(VALUE_SIZE - 16)).unwrap_or(0);
        let by = 1 + i32::try_from(self.choices.below(8)).unwrap_or(0);
        let by = if self.slip(12) { to + 1 } else { by };
        let none = |off| Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst: R0, src: Operand::Imm(0), off };
        self.guarded(none, |maker| {
            maker.alu_imm(AluOp::Add, R0, to);
            maker.alu_imm(AluOp::Sub, R0, by);
            maker.push(Insn::Load { dst: R0, base: R0, off: 0, size: Size::B1, signed: false });
        });
        self.end_with_number();
    }

    /// Two pointers into the packet that are an unknown number apart: one is shown to be inside, one is used.
    pub(super) fn apart(&mut self) {
        if !self.nets() || self.role != Role::Entry {
            return self.arithmetic();
        }
        let (data, end) = self.packet_fields();
        let other = self.slip(8);
        let shown = 1 + i32::try_from(self.choices.below(16)).unwrap_or(0);
        self.helper(7);
        self.mov(R3, R0);
        self.alu_imm(AluOp::And, R3, 63);
        self.push(Insn::Load { dst: R2, base: R6, off: data, size: Size::B4, signed: false });
        self.push(Insn::Load { dst: R4, base: R6, off: end, size: Size::B4, signed: false });
        self.mov(R7, R2);
        self.add(R2, R3);
        self.mov(R5, R2);
        self.alu_imm(AluOp::Add, R5, shown);
        for reg in [R2, R3, R4, R5, R7] {
            self.known.set_number(reg, false);
        }
        let beyond = |off| Insn::Branch { width: Width::W64, op: CmpOp::Gt, dst: R5, src: Operand::Reg(R4), off };
        let off = i16::try_from(shown - 1).unwrap_or(0);
        self.guarded(beyond, |maker| {
            let (base, off) = if other { (R7, off + 63) } else { (R2, off) };
            maker.push(Insn::Load { dst: R0, base, off, size: Size::B1, signed: false });
        });
        self.end_with_number();
    }

    /// A part of a number goes to the stack and comes back; what is learned of the part is used of the whole, or of the part.
    pub(super) fn part(&mut self) {
        if self.role != Role::Entry {
            return self.arithmetic();
        }
        let whole = self.slip(8);
        let off = self.far_slot();
        let size = self.choices.pick(&[Size::B4, Size::B4, Size::B2, Size::B1]);
        self.helper(5);
        self.mov(R7, R0);
        self.push(Insn::Store { base: FP, off, size, src: Operand::Reg(R7) });
        self.push(Insn::Load { dst: R3, base: FP, off, size, signed: false });
        self.known.set_number(R3, false);
        let beyond = |off| Insn::Branch { width: Width::W64, op: CmpOp::Gt, dst: R3, src: Operand::Imm(63), off };
        self.guarded(beyond, |maker| {
            maker.mov(R2, FP);
            maker.known.set_number(R2, false);
            maker.add(R2, if whole { R7 } else { R3 });
            maker.push(Insn::Load { dst: R0, base: R2, off: -64, size: Size::B1, signed: false });
        });
        self.end_with_number();
    }

    /// A slot that this program wrote, or did not.
    pub(super) fn unwritten(&mut self) {
        let wrong = self.slip(8);
        let off = slot_at(super::SLOTS + 16);
        if !wrong {
            self.store_imm(FP, off, Size::B8, 1);
        }
        let size = self.size();
        self.push(Insn::Load { dst: R7, base: FP, off, size, signed: false });
        self.known.set_number(R7, true);
    }

    /// Leaves numbers in `r0` and `r7`, and nothing known in the registers that calls overwrite.
    fn end_with_number(&mut self) {
        self.mov_imm(R0, 0);
        self.mov_imm(R7, 4);
        self.known.called();
        self.known.set_number(R7, true);
    }
}
