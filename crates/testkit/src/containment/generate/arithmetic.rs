//! Statements that make numbers out of numbers.

use bpfvet_insn::{AluOp, ByteOrder, ImmSource, Insn, Operand, Size, Width};

use super::{FP, Held, Maker, R6, Role, SLOTS, slot_at};

impl Maker<'_, '_> {
    fn width(&mut self) -> Width {
        if self.choices.one_in(3) { Width::W32 } else { Width::W64 }
    }

    /// One to three operations on numbers.
    pub(super) fn arithmetic(&mut self) {
        for _ in 0..=self.choices.below(3) {
            self.operation();
        }
    }

    fn operation(&mut self) {
        let width = self.width();
        match self.choices.below(11) {
            0 => {
                let (dst, src) = (self.scratch(), self.number());
                self.push(Insn::Mov { width, dst, src: Operand::Reg(src) });
                self.known.set_number(dst, true);
            }
            1 => {
                let dst = self.scratch();
                let imm = self.choices.imm();
                self.push(Insn::Mov { width, dst, src: Operand::Imm(imm) });
                self.known.set_number(dst, true);
            }
            2 => {
                let (dst, src) = (self.scratch(), self.number());
                let from = match (self.choices.below(3), width) {
                    (0, _) => Size::B1,
                    (1, _) | (_, Width::W32) => Size::B2,
                    (_, Width::W64) => Size::B4,
                };
                self.push(Insn::MovSx { width, dst, src, from });
                self.known.set_number(dst, true);
            }
            3 => {
                let dst = self.number();
                let order = self.choices.pick(&[ByteOrder::Le, ByteOrder::Be, ByteOrder::Swap]);
                let size = self.choices.pick(&[Size::B2, Size::B4, Size::B8]);
                let negates = self.choices.one_in(2);
                self.push(if negates { Insn::Neg { width, dst } } else { Insn::Endian { order, dst, size } });
            }
            10 => {
                // All zeros or all ones, and some of them.
                let (dst, src) = (self.scratch(), self.number());
                self.mov(dst, src);
                let bits = if width == Width::W32 { 31 } else { 63 };
                self.push(Insn::Alu { width, op: AluOp::Arsh, dst, src: Operand::Imm(bits) });
                let op = if self.choices.one_in(3) { AluOp::Or } else { AluOp::And };
                let some = self.choices.imm();
                self.push(Insn::Alu { width, op, dst, src: Operand::Imm(some) });
                self.known.set_number(dst, true);
            }
            4 => {
                let dst = self.scratch();
                let word = self.choices.word();
                self.push(Insn::LoadImm64 { dst, imm: ImmSource::Value(word) });
                self.known.set_number(dst, true);
            }
            _ => self.two_operands(width),
        }
    }

    fn two_operands(&mut self, width: Width) {
        let op = self.choices.pick(&AluOp::ALL);
        let dst = self.number();
        let src = if self.choices.one_in(2) {
            Operand::Reg(self.number())
        } else {
            Operand::Imm(match op {
                AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => {
                    let bits = if width == Width::W32 { 32 } else { 64 };
                    i32::try_from(self.choices.below(bits)).unwrap_or(0)
                }
                AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod => match self.choices.imm() {
                    0 => 7,
                    imm => imm,
                },
                AluOp::Add | AluOp::Sub | AluOp::Mul | AluOp::And | AluOp::Or | AluOp::Xor => self.choices.imm(),
            })
        };
        self.push(Insn::Alu { width, op, dst, src });
    }

    /// A number that the program cannot know: from the context, a helper, or a slot of the stack.
    pub(super) fn number_from_outside(&mut self) {
        match self.choices.below(4) {
            0 if self.role == Role::Entry => {
                let dst = self.scratch();
                // Fields that every type has and that are numbers in all of them, or not quite.
                let (off, size) = if self.kind == bpfvet::platform::ProgramType::KPROBE {
                    (8 * i16::try_from(self.choices.below(20)).unwrap_or(0), Size::B8)
                } else if self.kind == bpfvet::platform::ProgramType::XDP {
                    (12 + 4 * i16::try_from(self.choices.below(2)).unwrap_or(0), Size::B4)
                } else {
                    (4 * i16::try_from(self.choices.below(5)).unwrap_or(0), Size::B4)
                };
                self.push(Insn::Load { dst, base: R6, off, size, signed: false });
                self.known.set_number(dst, true);
            }
            1 | 2 => {
                let helper = if self.choices.one_in(2) { 7 } else { 5 };
                self.helper(helper);
                if self.slip(40) {
                    // What the helper left in the registers of its arguments, or in the stack, is nobody's business.
                    let reg = self.choices.pick(&[super::R1, super::R3, super::R5]);
                    self.mov(super::R7, reg);
                } else if self.slip(40) {
                    let off = slot_at(SLOTS + 3);
                    self.push(Insn::Load { dst: super::R7, base: FP, off, size: Size::B8, signed: false });
                } else if self.choices.one_in(2) {
                    self.mov(super::R7, super::R0);
                }
            }
            _ => {
                let slot = self.choices.below(SLOTS);
                if self.known.slots.get(slot as usize) == Some(&Held::Number) && self.role == Role::Entry {
                    let (dst, size) = (self.scratch(), self.size());
                    let signed = self.choices.one_in(3) && size != Size::B8;
                    self.push(Insn::Load { dst, base: FP, off: slot_at(slot), size, signed });
                    self.known.set_number(dst, true);
                } else {
                    self.operation();
                }
            }
        }
    }
}
