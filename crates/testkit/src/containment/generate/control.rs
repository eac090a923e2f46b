//! Statements made of statements: branches, loops, calls.

use bpfvet_insn::{AluOp, Call, CmpOp, Insn, Operand, Width};

use super::{FP, Held, Maker, R0, R1, R2, R3, R4, R9, Role, distance, slot_at};

/// Blocks within blocks.
const NESTED: u32 = 4;
/// Functions of a program, beyond which no more are called for their own sake.
const FUNCTIONS: usize = 5;

impl Maker<'_, '_> {
    fn statements(&mut self) {
        for _ in 0..=self.choices.below(3) {
            self.statement();
        }
    }

    /// One way or another, by a comparison of numbers.
    pub(super) fn branch(&mut self) {
        if self.depth >= NESTED {
            return self.arithmetic();
        }
        let op = self.choices.pick(&CmpOp::ALL);
        let width = if self.choices.one_in(3) { Width::W32 } else { Width::W64 };
        let dst = self.number();
        let src = if self.choices.one_in(2) { Operand::Imm(self.choices.imm()) } else { Operand::Reg(self.number()) };
        let before = self.known.clone();
        let outer = std::mem::take(&mut self.code);
        self.depth += 1;
        self.statements();
        let mut stay = std::mem::take(&mut self.code);
        let stayed = std::mem::replace(&mut self.known, before);
        if self.choices.one_in(2) {
            self.statements();
        }
        self.depth -= 1;
        let go = std::mem::replace(&mut self.code, outer);
        stay.push(Insn::Jump { off: i32::from(distance(&go)), long: self.choices.one_in(4) });
        self.push(Insn::Branch { width, op, dst, src, off: distance(&stay) });
        self.code.extend(stay);
        self.code.extend(go);
        self.known.meet(&stayed);
    }

    /// A loop of a few rounds: counted, or for as long as the host allows.
    pub(super) fn repeat(&mut self) {
        if self.depth >= NESTED || self.loops > 0 {
            return self.arithmetic();
        }
        let before = self.known.clone();
        let outer = std::mem::take(&mut self.code);
        self.depth += 1;
        self.loops += 1;
        // What a round leaves is what the next begins with, so only what no round changes may be relied upon.
        self.known.value = false;
        self.known.slots = [Held::Number; super::SLOTS as usize];
        for reg in [R0, R1, R2, R3, R4, super::R5] {
            self.known.set_number(reg, false);
        }
        self.statements();
        self.loops -= 1;
        self.depth -= 1;
        let mut body = std::mem::replace(&mut self.code, outer);
        let keeps_number = self.known.has_number(super::R7);
        self.known.meet(&before);
        if !keeps_number {
            body.push(Insn::Mov { width: Width::W64, dst: super::R7, src: Operand::Imm(5) });
            self.known.set_number(super::R7, true);
        }
        if self.choices.one_in(4) {
            body.push(Insn::Jump { off: i32::from(-(distance(&body) + 2)), long: false });
            self.push(Insn::MayGoto { off: distance(&body) });
            self.code.extend(body);
            return;
        }
        let rounds = 1 + i32::try_from(self.choices.below(6)).unwrap_or(0);
        self.mov_imm(R9, 0);
        body.push(Insn::Alu { width: Width::W64, op: AluOp::Add, dst: R9, src: Operand::Imm(1) });
        let off = -(distance(&body) + 1);
        body.push(Insn::Branch { width: Width::W64, op: CmpOp::Lt, dst: R9, src: Operand::Imm(rounds), off });
        self.code.extend(body);
    }

    /// A helper, or a function of the program, called or run in a loop; it is given a number and sixteen bytes of stack.
    pub(super) fn call(&mut self) {
        if self.choices.one_in(3) || (self.role != Role::Entry && !self.choices.one_in(4)) {
            return self.update();
        }
        if self.asked.len() >= FUNCTIONS {
            return self.arithmetic();
        }
        let role = self.choices.pick(&[Role::Callback, Role::Callback, Role::Called, Role::Global]);
        self.call_of(role);
    }

    /// Calls a function of this kind, or has it called; it is given a number and sixteen bytes of stack.
    pub(super) fn call_of(&mut self, role: Role) {
        let callee = self.ask(role);
        let (number, slot) = (self.number(), self.choices.below(super::SLOTS - 1));
        let slips = self.slip(20);
        for slot in [slot, slot + 1] {
            if let Some(held) = self.known.slots.get_mut(slot as usize) {
                *held = Held::Number;
            }
            self.store_imm(FP, slot_at(slot), bpfvet_insn::Size::B8, 1);
        }
        let low = i32::from(slot_at(slot + 1));
        if role == Role::Callback {
            let count = i32::try_from(self.choices.below(6)).unwrap_or(0);
            if self.choices.one_in(3) {
                self.mov(R1, number);
                self.alu_imm(AluOp::And, R1, 3);
            } else {
                self.mov_imm(R1, count);
            }
            self.address_of(R2, callee);
            self.mov(R3, FP);
            self.alu_imm(AluOp::Add, R3, low);
            self.mov_imm(R4, 0);
            self.helper(181);
            return;
        }
        self.mov(R1, number);
        self.mov(R2, FP);
        self.alu_imm(AluOp::Add, R2, if slips && role == Role::Global { -8 } else { low });
        if role == Role::Global && self.choices.one_in(5) {
            self.mov_imm(R2, 0);
        }
        self.push(Insn::Call(Call::Subprog(callee)));
        self.known.called();
        if slips && role == Role::Called {
            // What the arguments were is no longer there.
            let gone = self.choices.pick(&[R1, R2]);
            self.mov(R0, gone);
        }
    }

    fn update(&mut self) {
        // A value is forty-eight bytes: six slots from the lowest up.
        let slot = self.choices.below(super::SLOTS);
        if let Some(held) = self.known.slots.get_mut(slot as usize) {
            *held = Held::Number;
        }
        let number = self.number();
        self.push(Insn::Store { base: FP, off: slot_at(slot), size: bpfvet_insn::Size::B8, src: Operand::Reg(number) });
        self.mov(R2, FP);
        self.alu_imm(AluOp::Add, R2, i32::from(slot_at(slot)));
        self.mov(R3, FP);
        self.alu_imm(AluOp::Add, R3, i32::from(slot_at(super::SLOTS - 1)));
        self.mov_imm(R4, 0);
        let map = if self.choices.one_in(2) { super::ARRAY } else { super::HASH };
        self.load_map(R1, map);
        let helper = if self.choices.one_in(4) { 3 } else { 2 };
        self.helper(helper);
    }
}
