//! Statements that touch memory: stack, map values, packets, records.

use bpfvet::platform::ProgramType;
use bpfvet_insn::{AluOp, AtomicOp, CmpOp, Insn, Operand, Reg, Size, Width};

use super::{
    ARRAY, FP, HASH, Held, Maker, R0, R1, R2, R3, R4, R5, R6, R7, R8, RINGBUF, Role, SLOTS, VALUE_SIZE, slot_at,
};

impl Maker<'_, '_> {
    fn slot(&mut self) -> u32 {
        self.choices.below(SLOTS)
    }

    fn hold(&mut self, slot: u32, held: Held) {
        if let Some(place) = self.known.slots.get_mut(slot as usize) {
            *place = held;
        }
    }

    /// A number to a slot, whole or in part.
    pub(super) fn stack(&mut self) {
        let slot = self.slot();
        let (size, src) = (self.size(), self.number());
        let inside = 8 / size.bytes();
        let shift = i16::try_from(self.choices.below(inside) * size.bytes()).unwrap_or(0);
        let src = if self.choices.one_in(3) { Operand::Imm(self.choices.imm()) } else { Operand::Reg(src) };
        self.push(Insn::Store { base: FP, off: slot_at(slot) + shift, size, src });
        self.hold(slot, Held::Number);
    }

    /// A pointer to a slot, or back.
    pub(super) fn spill_or_fill(&mut self) {
        let slot = self.slot();
        let held = self.known.slots.get(slot as usize).copied().unwrap_or_default();
        match held {
            Held::Context if self.choices.one_in(2) => {
                self.push(Insn::Load { dst: R6, base: FP, off: slot_at(slot), size: Size::B8, signed: false });
            }
            Held::Value if self.choices.one_in(2) => {
                self.push(Insn::Load { dst: R8, base: FP, off: slot_at(slot), size: Size::B8, signed: false });
                self.known.value = true;
            }
            Held::Context | Held::Value | Held::Number => {
                let (src, held) = if self.known.value && self.choices.one_in(2) {
                    (R8, Held::Value)
                } else if self.choices.one_in(2) {
                    (R6, Held::Context)
                } else {
                    (self.number(), Held::Number)
                };
                self.push(Insn::Store { base: FP, off: slot_at(slot), size: Size::B8, src: Operand::Reg(src) });
                self.hold(slot, held);
            }
        }
    }

    /// Puts a number below `count`, or almost, into `dst`; emits what follows only where it is, if a branch says so.
    fn bounded(&mut self, dst: Reg, count: u32, body: impl FnOnce(&mut Self)) {
        let src = self.number();
        self.mov(dst, src);
        self.known.set_number(dst, false);
        let slip = if self.slip(25) { 1 + self.choices.below(8) } else { 0 };
        let limit = i32::try_from(count + slip).unwrap_or(1).max(1);
        if self.choices.one_in(2) {
            let mask = if count.is_power_of_two() { limit - 1 } else { (1 << limit.ilog2()) - 1 };
            self.alu_imm(AluOp::And, dst, mask);
            body(self);
        } else if self.choices.one_in(4) && limit.cast_unsigned().is_power_of_two() {
            let test = |off| Insn::Branch { width: Width::W64, op: CmpOp::Set, dst, src: Operand::Imm(-limit), off };
            self.guarded(test, body);
        } else if self.choices.one_in(4) {
            // Into the block, not over it.
            let other = |off| Insn::Jump { off: i32::from(off), long: false };
            self.push(Insn::Branch { width: Width::W64, op: CmpOp::Le, dst, src: Operand::Imm(limit - 1), off: 1 });
            self.guarded(other, body);
        } else if self.choices.one_in(3) {
            self.push(Insn::Alu { width: Width::W64, op: AluOp::Mod, dst, src: Operand::Imm(limit) });
            body(self);
        } else {
            let width = if self.choices.one_in(8) { Width::W32 } else { Width::W64 };
            let branch = |off| Insn::Branch { width, op: CmpOp::Gt, dst, src: Operand::Imm(limit - 1), off };
            if self.choices.one_in(4) {
                // Signed, from both sides.
                let low = |off| Insn::Branch { width, op: CmpOp::Slt, dst, src: Operand::Imm(0), off };
                let high = |off| Insn::Branch { width, op: CmpOp::Sgt, dst, src: Operand::Imm(limit - 1), off };
                self.guarded(low, |maker| maker.guarded(high, body));
            } else {
                self.guarded(branch, body);
            }
        }
    }

    /// A load or store at `base + off`, of a number.
    fn touch(&mut self, base: Reg, off: i16, size: Size, writable: bool) {
        let number = self.number();
        let src = if number == base { Operand::Imm(-1) } else { Operand::Reg(number) };
        if writable && self.choices.one_in(2) {
            self.push(Insn::Store { base, off, size, src });
        } else {
            let signed = self.choices.one_in(3) && size != Size::B8;
            self.push(Insn::Load { dst: R7, base, off, size, signed });
            self.known.set_number(R7, true);
        }
    }

    /// A byte of the stack at an offset that is not known.
    pub(super) fn variable_stack(&mut self) {
        let slots = 1 << self.choices.below(3);
        let first = self.choices.below(SLOTS - slots);
        let low = slot_at(first + slots - 1);
        let all_numbers = (first..first + slots)
            .all(|slot| self.known.slots.get(slot as usize).is_none_or(|held| *held == Held::Number));
        if !all_numbers && !self.choices.one_in(4) {
            return;
        }
        if self.role != Role::Entry {
            return;
        }
        for slot in first..first + slots {
            self.hold(slot, Held::Number);
        }
        self.bounded(R3, slots * 8, |maker| {
            maker.mov(R2, FP);
            maker.known.set_number(R2, false);
            maker.add(R2, R3);
            maker.touch(R2, low, Size::B1, true);
        });
    }

    /// `r8` points to a value of a map, where there is one.
    pub(super) fn look_up(&mut self) {
        let slot = self.slot();
        self.hold(slot, Held::Number);
        let map = if self.choices.one_in(2) { ARRAY } else { HASH };
        let key = if self.choices.one_in(2) { Operand::Imm(1) } else { Operand::Reg(self.number()) };
        // As wide as the map's keys: of a wider number the host knows less.
        let size = if map == ARRAY { Size::B4 } else { Size::B8 };
        self.push(Insn::Store { base: FP, off: slot_at(slot), size, src: key });
        self.load_map(R1, map);
        self.mov(R2, FP);
        self.alu_imm(AluOp::Add, R2, i32::from(slot_at(slot)));
        self.helper(1);
        self.known.set_number(R0, false);
        let checked = !self.slip(20);
        let is_null = |off| Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst: R0, src: Operand::Imm(0), off };
        let before = self.known.value;
        if checked {
            let copied_early = self.choices.one_in(3);
            if copied_early {
                self.mov(R8, R0);
                self.known.value = false;
            }
            self.guarded(is_null, |maker| {
                if !copied_early {
                    maker.mov(R8, R0);
                }
                maker.known.value = true;
                for _ in 0..maker.choices.below(4) {
                    maker.map_value();
                }
            });
            // Where there was a value before, there is one on both paths.
            self.known.value = before && !copied_early;
        } else {
            self.mov(R8, R0);
            self.known.value = true;
        }
        self.mov_imm(R0, 0);
        self.known.set_number(R0, true);
    }

    /// An access to the map value in `r8`, at a known offset or another.
    pub(super) fn map_value(&mut self) {
        if !self.known.value {
            return self.look_up_unless_deep();
        }
        let size = self.size();
        let room = VALUE_SIZE - size.bytes();
        if self.choices.one_in(2) {
            let slip = u32::from(self.slip(30));
            let off = i16::try_from(self.choices.below(room + 1 + slip)).unwrap_or(0);
            let off = if self.slip(40) { -1 } else { off };
            self.touch(R8, off, size, true);
        } else {
            let back = self.choices.one_in(3);
            self.bounded(R3, room + 1, |maker| {
                maker.mov(R2, R8);
                maker.known.set_number(R2, false);
                if back {
                    // From the end of the value towards its start.
                    let slip = u32::from(maker.slip(30));
                    maker.alu_imm(AluOp::Add, R2, i32::try_from(room - slip).unwrap_or(0));
                    maker.push(Insn::Alu { width: Width::W64, op: AluOp::Sub, dst: R2, src: Operand::Reg(R3) });
                } else {
                    maker.add(R2, R3);
                }
                maker.touch(R2, 0, size, true);
            });
        }
    }

    fn look_up_unless_deep(&mut self) {
        if self.depth < 4 {
            self.look_up();
        }
    }

    /// An atomic operation on a slot or on a map value.
    pub(super) fn atomic(&mut self) {
        let size = if self.choices.one_in(2) { Size::B4 } else { Size::B8 };
        let slot = self.slot();
        let (base, off) = if self.known.value && self.choices.one_in(2) {
            (R8, 8 * i16::try_from(self.choices.below(VALUE_SIZE / 8)).unwrap_or(0))
        } else {
            let held = self.known.slots.get(slot as usize).copied().unwrap_or_default();
            if held != Held::Number || self.role != Role::Entry {
                return;
            }
            (FP, slot_at(slot))
        };
        let src = self.number();
        match self.choices.below(9) {
            0 => self.push(Insn::LoadAcquire { dst: R7, base, off, size }),
            1 => self.push(Insn::StoreRelease { base, off, size, src }),
            choice => {
                let fetch = self.choices.one_in(2);
                let op = match choice {
                    2 => AtomicOp::Add { fetch },
                    3 => AtomicOp::Or { fetch },
                    4 => AtomicOp::And { fetch },
                    5 => AtomicOp::Xor { fetch },
                    6 => AtomicOp::Xchg,
                    _ => AtomicOp::CmpXchg,
                };
                if op == AtomicOp::CmpXchg && !self.known.has_number(R0) {
                    return;
                }
                self.push(Insn::Atomic { op, size, base, off, src });
            }
        }
    }

    /// A part of a number goes to the stack and a part of that comes back.
    pub(super) fn narrow(&mut self) {
        let (slot, src) = (self.slot(), self.number());
        let (stored, loaded) = (self.size(), self.size());
        let inside = i16::try_from(self.choices.below(8 / loaded.bytes()) * loaded.bytes()).unwrap_or(0);
        let inside = if self.choices.one_in(2) { 0 } else { inside };
        self.push(Insn::Store { base: FP, off: slot_at(slot), size: Size::B8, src: Operand::Reg(src) });
        self.hold(slot, Held::Number);
        self.push(Insn::Store { base: FP, off: slot_at(slot), size: stored, src: Operand::Reg(src) });
        if self.choices.one_in(3) {
            let off = slot_at(slot) + i16::try_from(self.choices.below(8)).unwrap_or(0);
            let imm = self.choices.imm();
            self.push(Insn::Store { base: FP, off, size: Size::B1, src: Operand::Imm(imm) });
        }
        let signed = self.choices.one_in(3) && loaded != Size::B8;
        self.push(Insn::Load { dst: R3, base: FP, off: slot_at(slot) + inside, size: loaded, signed });
        self.known.set_number(R3, true);
        if self.choices.one_in(2) {
            self.alu_imm(AluOp::And, R3, 0x1ff);
        }
    }

    /// Two numbers that are equal up to a constant: one is bounded, the other is used.
    pub(super) fn linked(&mut self) {
        let src = self.number();
        self.mov(R3, src);
        if self.choices.one_in(2) {
            self.alu_imm(AluOp::And, R3, 0xff);
        }
        let width = if self.choices.one_in(2) { Width::W32 } else { Width::W64 };
        if self.choices.one_in(3) {
            self.push(Insn::Mov { width: Width::W32, dst: R3, src: Operand::Reg(R3) });
        }
        self.push(Insn::Mov { width, dst: R2, src: Operand::Reg(R3) });
        let op = self.choices.pick(&[AluOp::Add, AluOp::Add, AluOp::Sub, AluOp::Mul, AluOp::Xor]);
        let by = if self.choices.one_in(8) {
            self.choices.imm()
        } else {
            1 + i32::try_from(self.choices.below(9)).unwrap_or(0)
        };
        self.push(Insn::Alu { width, op, dst: R2, src: Operand::Imm(by) });
        if self.choices.one_in(3) {
            self.push(Insn::Alu { width, op: AluOp::Add, dst: R3, src: Operand::Imm(2) });
        }
        let compared = if self.choices.one_in(3) { Width::W32 } else { Width::W64 };
        let op = self.choices.pick(&[CmpOp::Gt, CmpOp::Ge, CmpOp::Sgt, CmpOp::Ne]);
        let limit = i32::try_from(self.choices.below(40)).unwrap_or(0);
        let (tested, used) = if self.choices.one_in(2) { (R2, R3) } else { (R3, R2) };
        let beyond = |off| Insn::Branch { width: compared, op, dst: tested, src: Operand::Imm(limit), off };
        for reg in [R2, R3] {
            self.known.set_number(reg, false);
        }
        let slips = self.slip(6);
        self.guarded(beyond, |maker| {
            maker.mov(R4, used);
            maker.mov(R7, tested);
            maker.known.set_number(R4, false);
            maker.known.set_number(R7, true);
            if slips {
                maker.mov(R5, FP);
                maker.add(R5, used);
                maker.push(Insn::Load { dst: R5, base: R5, off: -56, size: Size::B1, signed: false });
                maker.known.set_number(R5, false);
            }
        });
    }

    /// Bytes of a packet that were shown to be there, or almost.
    pub(super) fn packet(&mut self) {
        let fields = if self.kind == ProgramType::XDP {
            (0, 4)
        } else if self.kind == ProgramType::SCHED_CLS {
            (76, 80)
        } else {
            return self.arithmetic();
        };
        if self.role != Role::Entry {
            return;
        }
        let shown = 1 + i32::try_from(self.choices.below(40)).unwrap_or(0);
        let size = self.size();
        let moves = self.choices.one_in(2);
        // What is moved was not shown to be there, or not what was shown.
        let (late, other) = (moves && self.slip(16), moves && self.slip(16));
        let access = |maker: &mut Self| {
            for (dst, off) in [(R2, fields.0), (R4, fields.1)] {
                maker.push(Insn::Load { dst, base: R6, off, size: Size::B4, signed: false });
                maker.known.set_number(dst, false);
            }
            if other {
                maker.mov(R7, R2);
                maker.add(R7, R3);
                maker.known.set_number(R7, false);
            } else if moves && !late {
                maker.add(R2, R3);
            }
            maker.mov(R5, R2);
            maker.known.set_number(R5, false);
            maker.alu_imm(AluOp::Add, R5, shown);
            let (op, dst, src) = if maker.choices.one_in(2) { (CmpOp::Gt, R5, R4) } else { (CmpOp::Lt, R4, R5) };
            let beyond = |off| Insn::Branch { width: Width::W64, op, dst, src: Operand::Reg(src), off };
            maker.guarded(beyond, |maker| {
                let slip = u32::from(maker.slip(25));
                let room = u32::try_from(shown).unwrap_or(0) + slip;
                if late && !other {
                    maker.add(R2, R3);
                }
                if let Some(room) = room.checked_sub(size.bytes()) {
                    let off = i16::try_from(maker.choices.below(room + 1)).unwrap_or(0);
                    maker.touch(if other { R7 } else { R2 }, off, size, true);
                }
            });
        };
        if moves {
            self.bounded(R3, 64, access);
        } else {
            access(self);
        }
        if other {
            self.mov_imm(R7, 6);
            self.known.set_number(R7, true);
        }
    }

    /// A record of the ring buffer, written and given back.
    pub(super) fn record(&mut self) {
        let bytes = 8 * (1 + self.choices.below(4));
        self.load_map(R1, RINGBUF);
        self.mov_imm(R2, i32::try_from(bytes).unwrap_or(8));
        self.mov_imm(R3, 0);
        self.helper(131);
        self.known.set_number(R0, false);
        let is_null = |off| Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst: R0, src: Operand::Imm(0), off };
        self.guarded(is_null, |maker| {
            let size = maker.size();
            let off = i16::try_from(maker.choices.below(bytes / size.bytes()) * size.bytes()).unwrap_or(0);
            maker.touch(R0, off, size, true);
            if maker.choices.one_in(2) {
                maker.bounded(R3, bytes, |maker| {
                    maker.mov(R2, R0);
                    maker.known.set_number(R2, false);
                    maker.add(R2, R3);
                    maker.touch(R2, 0, Size::B1, true);
                });
            }
            maker.mov(R1, R0);
            maker.mov_imm(R2, 0);
            if !maker.slip(25) {
                let helper = if maker.choices.one_in(2) { 132 } else { 133 };
                maker.helper(helper);
            }
            maker.known.set_number(R0, false);
        });
        self.mov_imm(R0, 0);
        self.known.set_number(R0, true);
        // What a call overwrote on one path is not known on the other.
        for reg in [R1, R2, R3, R4, R5] {
            self.known.set_number(reg, false);
        }
        if !self.known.has_number(R7) {
            self.mov_imm(R7, 3);
            self.known.set_number(R7, true);
        }
    }
}
