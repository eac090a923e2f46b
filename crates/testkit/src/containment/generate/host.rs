//! Statements that ask the host for more: packets that move, buffers, sockets, locks, timers, maps in maps, other programs.

use bpfvet::platform::ProgramType;
use bpfvet_insn::{AluOp, Call, CmpOp, Insn, Operand, PacketIndex, Reg, Size, Width};

use super::{
    DEEP, FP, HASH, LOCKED, Maker, PROGRAMS, R0, R1, R2, R3, R4, R5, R6, R7, R8, Role, SLOTS, TIMED, VALUE_SIZE,
    slot_at,
};

impl Maker<'_, '_> {
    pub(super) fn nets(&self) -> bool {
        matches!(self.kind, ProgramType::XDP | ProgramType::SCHED_CLS)
    }

    /// Where the context has the packet's start and its end.
    pub(super) fn packet_fields(&self) -> (i16, i16) {
        if self.kind == ProgramType::XDP { (0, 4) } else { (76, 80) }
    }

    /// The packet moves, and a pointer into it from before is used, or not.
    pub(super) fn move_packet(&mut self) {
        if !self.nets() || self.role != Role::Entry {
            return self.arithmetic();
        }
        let (data, end) = self.packet_fields();
        let show = |maker: &mut Self| {
            maker.push(Insn::Load { dst: R7, base: R6, off: data, size: Size::B4, signed: false });
            maker.push(Insn::Load { dst: R4, base: R6, off: end, size: Size::B4, signed: false });
            maker.mov(R5, R7);
            maker.alu_imm(AluOp::Add, R5, 8);
            for reg in [R4, R5, R7] {
                maker.known.set_number(reg, false);
            }
        };
        show(self);
        let beyond = |off| Insn::Branch { width: Width::W64, op: CmpOp::Gt, dst: R5, src: Operand::Reg(R4), off };
        let (slips, by_function) = (self.slip(10), self.choices.one_in(3));
        self.guarded(beyond, |maker| {
            maker.mov(R1, R6);
            maker.mov_imm(R2, 0);
            if by_function {
                maker.ask_and_call(Role::Mover);
            } else {
                maker.mov_imm(R3, 0);
                let helper = if maker.kind == ProgramType::XDP { 44 } else { maker.choices.pick(&[38, 39]) };
                maker.helper(helper);
            }
            if slips {
                maker.push(Insn::Load { dst: R0, base: R7, off: 0, size: Size::B8, signed: false });
            }
        });
        self.mov_imm(R7, 0);
        self.mov_imm(R0, 0);
        self.known.called();
        self.known.set_number(R7, true);
    }

    /// A load that ends the function where the packet is too short.
    pub(super) fn packet_load(&mut self) {
        let loads = matches!(self.kind, ProgramType::SOCKET_FILTER | ProgramType::SCHED_CLS);
        if !loads || self.role != Role::Entry {
            return self.arithmetic();
        }
        if self.choices.one_in(3) {
            // In a function, its caller goes on.
            self.mov(R1, R6);
            self.mov_imm(R2, 0);
            self.ask_and_call(Role::Loads);
            self.mov(R3, R0);
            self.known.set_number(R3, false);
            let nothing = |off| Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst: R3, src: Operand::Imm(0), off };
            if !self.slip(12) {
                self.guarded(nothing, |maker| maker.stack_at_low_bits(R3));
            } else {
                self.alu_imm(AluOp::Sub, R3, 1);
                self.mov(R2, FP);
                self.add(R2, R3);
                self.push(Insn::Load { dst: R0, base: R2, off: -8, size: Size::B1, signed: false });
            }
            self.mov_imm(R0, 0);
            self.known.called();
            return;
        }
        let size = self.choices.pick(&[Size::B1, Size::B2, Size::B4]);
        let number = self.number();
        let indirect = self.choices.one_in(2);
        let index = if indirect { PacketIndex::Indirect(number) } else { PacketIndex::Absolute };
        let imm = i32::try_from(self.choices.below(40)).unwrap_or(0);
        self.push(Insn::LoadPacket { size, index, imm });
        self.known.called();
    }

    /// A byte of the stack as far as the low bits of a number say.
    fn stack_at_low_bits(&mut self, reg: Reg) {
        self.alu_imm(AluOp::And, reg, 7);
        self.mov(R2, FP);
        self.add(R2, reg);
        self.push(Insn::Load { dst: R0, base: R2, off: -8, size: Size::B1, signed: false });
        self.known.set_number(R2, false);
    }

    /// The body of a function that loads from the packet, in the context that it is given.
    pub(super) fn loads(&mut self) {
        self.mov(R6, R1);
        self.push(Insn::LoadPacket { size: Size::B1, index: PacketIndex::Absolute, imm: 3 });
        // Never zero, except where nothing could be loaded.
        self.alu_imm(AluOp::And, R0, 6);
        self.alu_imm(AluOp::Or, R0, 1);
    }

    /// A helper fills a part of the stack, of a size that is known or not.
    pub(super) fn fill(&mut self) {
        let slots = 1 + self.choices.below(4);
        let first = self.choices.below(SLOTS - slots);
        let low = i32::from(slot_at(first + slots - 1));
        let room = i32::try_from(slots * 8).unwrap_or(8);
        if self.role != Role::Entry {
            return self.arithmetic();
        }
        for slot in first..first + slots {
            if let Some(held) = self.known.slots.get_mut(slot as usize) {
                *held = super::Held::Number;
            }
        }
        let (helper, buffer, size) = if self.kind == ProgramType::KPROBE {
            (self.choices.pick(&[16, 113, 115, 115]), R1, R2)
        } else if self.kind == ProgramType::XDP {
            (189, R3, R4)
        } else {
            (26, R3, R4)
        };
        let variable = self.choices.one_in(2);
        if variable {
            let number = self.number();
            self.mov(size, number);
            let most = room - i32::from(!self.slip(20));
            self.alu_imm(AluOp::And, size, most);
            if !(helper == 113 || helper == 115) {
                self.alu_imm(AluOp::Or, size, 1);
            }
        } else {
            let bytes = 1 + i32::try_from(self.choices.below(slots * 8)).unwrap_or(0);
            let slip = i32::from(self.slip(20));
            self.mov_imm(size, bytes + slip);
        }
        self.known.set_number(size, false);
        if first > 0 && self.choices.one_in(2) {
            // Something that is known lies there before.
            self.store_imm(FP, slot_at(first), Size::B8, 7);
        }
        if buffer == R1 {
            self.mov(R1, FP);
            self.alu_imm(AluOp::Add, R1, low);
            self.mov(R3, R6);
        } else {
            self.mov(R1, R6);
            self.mov_imm(R2, 0);
            self.mov(R3, FP);
            self.alu_imm(AluOp::Add, R3, low);
        }
        self.helper(helper);
        if helper == 115 && self.choices.one_in(2) {
            // The length that came back is at most the size that went in.
            let negative = |off| Insn::Branch { width: Width::W64, op: CmpOp::Slt, dst: R0, src: Operand::Imm(1), off };
            let off = low - i32::from(self.slip(20));
            self.guarded(negative, |maker| {
                maker.mov(R2, FP);
                maker.add(R2, R0);
                let off = i16::try_from(off - 1).unwrap_or(-64);
                maker.push(Insn::Load { dst: R7, base: R2, off, size: Size::B1, signed: false });
                maker.known.set_number(R2, false);
            });
        } else if self.choices.one_in(2) {
            self.push(Insn::Load { dst: R7, base: FP, off: slot_at(first), size: Size::B8, signed: false });
        }
    }

    /// A socket that is looked up, looked at, and given back.
    pub(super) fn socket(&mut self) {
        if !self.nets() || self.role != Role::Entry {
            return self.record();
        }
        self.mov(R1, R6);
        self.mov(R2, FP);
        self.alu_imm(AluOp::Add, R2, i32::from(slot_at(SLOTS - 1)));
        self.mov_imm(R3, 12);
        self.mov_imm(R4, -1);
        self.mov_imm(R5, 0);
        self.helper(84);
        self.known.set_number(R0, false);
        let is_null = |off| Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst: R0, src: Operand::Imm(0), off };
        let views = self.kind == ProgramType::SCHED_CLS && self.choices.one_in(2);
        let (kept, late) = (self.slip(12), self.slip(12));
        self.guarded(is_null, |maker| {
            maker.mov(R7, R0);
            maker.known.set_number(R7, false);
            if views {
                maker.mov(R1, R7);
                maker.helper(96);
                let none = |off| Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst: R0, src: Operand::Imm(0), off };
                maker.guarded(none, |maker| {
                    maker.push(Insn::Load { dst: R1, base: R0, off: 0, size: Size::B4, signed: false });
                });
            }
            maker.push(Insn::Load { dst: R1, base: R7, off: 4, size: Size::B4, signed: false });
            if !kept {
                maker.mov(R1, R7);
                maker.helper(86);
                if late {
                    maker.push(Insn::Load { dst: R1, base: R7, off: 4, size: Size::B4, signed: false });
                }
            }
        });
        self.mov_imm(R7, 0);
        self.mov_imm(R0, 0);
        self.known.called();
        self.known.set_number(R7, true);
    }

    /// A value with a special field of this map, where there is one: what `body` does with it, in `r7`.
    fn with_value(&mut self, map: i32, body: impl FnOnce(&mut Self)) {
        let slot = slot_at(SLOTS);
        let key = self.choices.below(3);
        self.store_imm(FP, slot, Size::B4, i32::try_from(key).unwrap_or(0));
        self.load_map(R1, map);
        self.mov(R2, FP);
        self.alu_imm(AluOp::Add, R2, i32::from(slot));
        self.helper(1);
        self.known.set_number(R0, false);
        let is_null = |off| Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst: R0, src: Operand::Imm(0), off };
        self.guarded(is_null, |maker| {
            maker.mov(R7, R0);
            maker.known.set_number(R7, false);
            body(maker);
        });
        self.mov_imm(R7, 3);
        self.mov_imm(R0, 0);
        self.known.called();
        self.known.set_number(R7, true);
    }

    /// A lock is taken and given back, and something is done meanwhile.
    pub(super) fn lock(&mut self) {
        if !self.nets() || self.role != Role::Entry {
            return self.arithmetic();
        }
        let (twice, kept, calls) = (self.slip(12), self.slip(12), self.slip(12));
        let off = 8 + i16::try_from(self.choices.below(17)).unwrap_or(0);
        self.with_value(LOCKED, |maker| {
            let call = |maker: &mut Self, helper| {
                maker.mov(R1, R7);
                maker.push(Insn::Call(Call::Helper(helper)));
            };
            call(maker, 93);
            if twice {
                call(maker, 93);
            }
            if calls {
                maker.helper(7);
            }
            maker.push(Insn::Load { dst: R3, base: R7, off, size: Size::B8, signed: false });
            if !kept {
                call(maker, 94);
            }
        });
    }

    /// A timer is set, and its function runs later.
    pub(super) fn timer(&mut self) {
        if !self.nets() || self.role != Role::Entry || self.loops > 0 {
            return self.arithmetic();
        }
        let wrong = self.slip(12);
        let function = self.ask(Role::Later(wrong));
        self.with_value(TIMED, |maker| {
            maker.mov(R1, R7);
            maker.load_map(R2, TIMED);
            maker.mov_imm(R3, 1);
            maker.helper(169);
            maker.mov(R1, R7);
            maker.address_of(R2, function);
            maker.helper(170);
            maker.mov(R1, R7);
            maker.mov_imm(R2, 0);
            maker.mov_imm(R3, 0);
            maker.helper(171);
        });
    }

    /// The body of a function that is given a map, a key and a value of that size, of which it may read too much.
    pub(super) fn element(&mut self, bytes: u32, wrong: bool) {
        let size = self.size();
        let off = i16::try_from(bytes - size.bytes()).unwrap_or(0) + i16::from(wrong);
        self.push(Insn::Load { dst: R0, base: R3, off, size, signed: false });
        self.push(Insn::Load { dst: R0, base: R2, off: 0, size: Size::B4, signed: false });
    }

    /// A function is run over a map.
    pub(super) fn for_each(&mut self) {
        if self.role != Role::Entry || self.loops > 0 {
            return self.arithmetic();
        }
        let wrong = self.slip(15);
        let function = self.ask(Role::Element(wrong));
        self.load_map(R1, HASH);
        self.address_of(R2, function);
        self.mov(R3, FP);
        self.alu_imm(AluOp::Add, R3, i32::from(slot_at(SLOTS - 1)));
        self.mov_imm(R4, 0);
        self.helper(164);
    }

    /// The body of a function that makes the packet move.
    pub(super) fn moves(&mut self) {
        self.mov_imm(R2, 0);
        self.mov_imm(R3, 0);
        self.helper(if self.kind == ProgramType::XDP { 44 } else { 39 });
    }

    /// A value of a map that is in a map.
    pub(super) fn inner_map(&mut self) {
        let slot = slot_at(SLOTS);
        self.store_imm(FP, slot, Size::B4, 0);
        let key = |maker: &mut Self| {
            maker.mov(R2, FP);
            maker.alu_imm(AluOp::Add, R2, i32::from(slot));
        };
        self.load_map(R1, DEEP);
        key(self);
        self.helper(1);
        self.known.set_number(R0, false);
        let is_null = |off| Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst: R0, src: Operand::Imm(0), off };
        let (size, slip) = (self.size(), i16::from(self.slip(15)));
        let off = i16::try_from(VALUE_SIZE - size.bytes()).unwrap_or(0) + slip;
        self.guarded(is_null, |maker| {
            maker.mov(R1, R0);
            key(maker);
            maker.helper(1);
            maker.known.set_number(R0, false);
            maker.guarded(is_null, |maker| {
                maker.mov(R8, R0);
                maker.push(Insn::Load { dst: R7, base: R8, off, size, signed: false });
            });
        });
        self.known.value = false;
        self.mov_imm(R0, 0);
        self.mov_imm(R7, 0);
        self.known.called();
        self.known.set_number(R7, true);
    }

    /// Another program, perhaps in a function, whose caller then goes on.
    pub(super) fn tail_call(&mut self) {
        if self.role != Role::Entry || self.loops > 0 {
            return self.arithmetic();
        }
        if self.choices.one_in(2) {
            self.mov(R1, R6);
            self.mov_imm(R2, 0);
            self.ask_and_call(Role::Hands);
            self.mov(R3, R0);
            if self.slip(8) {
                // What comes back may be anything, though this function would return less.
                self.mov(R2, FP);
                self.add(R2, R3);
                self.push(Insn::Load { dst: R0, base: R2, off: -8, size: Size::B1, signed: false });
            } else {
                self.stack_at_low_bits(R3);
            }
            self.mov_imm(R0, 0);
            self.known.called();
            return;
        }
        self.mov(R1, R6);
        self.hand_over();
        self.mov_imm(R0, 0);
        self.known.called();
    }

    /// Another program in the place of this function, for the context in `r1`.
    pub(super) fn hand_over(&mut self) {
        self.load_map(R2, PROGRAMS);
        let index = i32::try_from(self.choices.below(4)).unwrap_or(0);
        self.mov_imm(R3, index);
        self.helper(12);
        self.mov_imm(R0, 2);
    }
}
