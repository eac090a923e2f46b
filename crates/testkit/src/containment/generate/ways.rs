//! Two ways that differ and meet, and a use of what differs: what was shown for one must not be taken for the other.
//!
//! ```text
//!   if unknown goto other ──▶ r7 = 8 ──────▶ (something else) ──▶ byte at fp-64+r7
//!                     other: r7 = 100 ──▲
//! ```

use bpfvet::platform::ProgramType;
use bpfvet_insn::{AluOp, AtomicOp, Call, CmpOp, Insn, Operand, Reg, Size, Width};

use super::{
    ARRAY, FP, HASH, Held, LOCKED, Maker, R0, R1, R2, R3, R4, R5, R6, R7, R8, RINGBUF, Role, distance, slot_at,
};

/// Numbers up to this, and eight bytes, fit between the lowest slot that is used and the top of the stack.
pub(super) const ROOM: i32 = 64;

impl Maker<'_, '_> {
    /// One or the other, as the program cannot know; calls of either may overwrite `r0` to `r5`.
    fn either(&mut self, one: impl FnOnce(&mut Self), other: impl FnOnce(&mut Self)) {
        self.helper(7);
        let outer = std::mem::take(&mut self.code);
        one(self);
        let mut stay = std::mem::take(&mut self.code);
        other(self);
        let mut go = std::mem::replace(&mut self.code, outer);
        if self.choices.one_in(2) {
            std::mem::swap(&mut stay, &mut go);
        }
        stay.push(Insn::Jump { off: i32::from(distance(&go)), long: false });
        let (op, bit) = if self.choices.one_in(2) { (CmpOp::Gt, 1000) } else { (CmpOp::Set, 16) };
        self.push(Insn::Branch { width: Width::W64, op, dst: R0, src: Operand::Imm(bit), off: distance(&stay) });
        self.code.extend(stay);
        self.code.extend(go);
        self.mov_imm(R0, 0);
        self.known.called();
    }

    /// Something between the ways' end and the use: calls, jumps, or nothing.
    fn meanwhile(&mut self) {
        match self.choices.below(4) {
            0 => {}
            1 => self.helper(5),
            2 => {
                for _ in 0..3 {
                    self.push(Insn::Jump { off: 0, long: false });
                    self.arithmetic_of(&[R0, R4, R5]);
                }
            }
            _ if self.role == Role::Entry => self.call_of(Role::Called),
            _ => self.helper(7),
        }
    }

    fn arithmetic_of(&mut self, regs: &[Reg]) {
        for reg in regs {
            self.mov_imm(*reg, 1);
            self.known.set_number(*reg, true);
        }
    }

    /// Ways that differ.
    pub(super) fn ways(&mut self) {
        if self.depth > 2 || !matches!(self.role, Role::Entry | Role::Called) {
            return self.arithmetic();
        }
        let nets = matches!(self.kind, ProgramType::XDP | ProgramType::SCHED_CLS);
        let entry = self.role == Role::Entry && self.loops == 0;
        match self.choices.below(22) {
            6 => self.three_ways(),
            7 => self.deep_ways(),
            8 => self.byte_ways(),
            9 | 10 => self.offset_ways(),
            11 if nets && entry => self.range_ways(),
            12 if entry => self.null_ways(),
            13 if entry => self.held_ways(),
            14 if nets && entry => self.locked_ways(),
            15 if entry => self.object_ways(),
            16 | 17 => self.link_ways(),
            18 => self.kind_ways(),
            19 if entry => self.spilled_ways(),
            _ => self.number_ways(),
        }
        self.mov_imm(R7, 1);
        self.known.set_number(R7, true);
    }

    /// A number within the room, and one that may be beyond it.
    fn two_numbers(&mut self) -> (i32, Option<i32>) {
        let mut good = || 8 * i32::try_from(self.choices.below(7)).unwrap_or(0);
        let (one, other) = (good(), good());
        let other = if self.slip(12) {
            self.choices.pick(&[Some(ROOM), Some(100), Some(1000), Some(-8), None])
        } else {
            Some(other)
        };
        if self.choices.one_in(4) { (0, other) } else { (one, other) }
    }

    fn number_ways(&mut self) {
        let (good, other) = self.two_numbers();
        if self.role == Role::Entry && self.choices.one_in(6) {
            // The ways are in a function, and meet there.
            self.result_ways(good, other);
            return;
        }
        let set = |maker: &mut Self, number: Option<i32>| match number {
            Some(number) => maker.mov_imm(R7, number),
            None => {
                maker.helper(5);
                maker.mov(R7, R0);
            }
        };
        self.either(|maker| maker.mov_imm(R7, good), |maker| set(maker, other));
        self.known.set_number(R7, true);
        let slot = self.far_slot();
        let on_stack = self.choices.one_in(3);
        if on_stack {
            self.push(Insn::Store { base: FP, off: slot, size: Size::B8, src: Operand::Reg(R7) });
            self.mov_imm(R7, 5);
        }
        self.meanwhile();
        if on_stack {
            self.push(Insn::Load { dst: R7, base: FP, off: slot, size: Size::B8, signed: false });
        }
        self.carry(slot);
        self.use_number();
    }

    /// Ways that meet, and of which two look alike only further on.
    fn three_ways(&mut self) {
        let (good, other) = self.two_numbers();
        let slot = self.far_slot();
        let way = |maker: &mut Self, number: Option<i32>, beside: i32| {
            maker.store_imm(FP, slot, Size::B8, beside);
            match number {
                Some(number) => maker.mov_imm(R7, number),
                None => {
                    maker.helper(5);
                    maker.mov(R7, R0);
                }
            }
        };
        self.either(
            |maker| way(maker, Some(good), 8),
            |maker| {
                maker.either(|maker| way(maker, Some(good), 16), |maker| way(maker, other, 16));
            },
        );
        self.known.set_number(R7, true);
        // What differs beside it matters here, and is forgotten.
        self.push(Insn::Load { dst: R3, base: FP, off: slot, size: Size::B8, signed: false });
        self.store_imm(FP, slot, Size::B8, 0);
        self.mov(R2, FP);
        self.add(R2, R3);
        self.push(Insn::Load { dst: R0, base: R2, off: -64, size: Size::B1, signed: false });
        self.mov_imm(R0, 0);
        self.known.called();
        self.helper(5);
        self.push(Insn::Jump { off: 0, long: false });
        self.mov_imm(R0, 0);
        self.mov(R3, R7);
        self.known.set_number(R3, false);
        self.use_number();
    }

    /// A slot that is written, or is deeper than anything that was.
    fn deep_ways(&mut self) {
        let slips = self.slip(8);
        let slot = self.far_slot();
        let number = 8 * i32::try_from(self.choices.below(7)).unwrap_or(0);
        let write = |maker: &mut Self| maker.store_imm(FP, slot, Size::B8, number);
        self.either(write, |maker| {
            if !slips {
                maker.store_imm(FP, slot, Size::B8, number)
            }
        });
        self.meanwhile();
        self.push(Insn::Load { dst: R3, base: FP, off: slot, size: Size::B8, signed: false });
        self.known.set_number(R3, false);
        self.use_number();
    }

    /// A slot that other statements leave alone, mostly below those that they use.
    pub(super) fn far_slot(&mut self) -> i16 {
        slot_at(super::SLOTS + self.choices.below(if self.role == Role::Entry { 8 } else { 2 }))
    }

    /// Brings the number in `r7` to `r3` in some way.
    fn carry(&mut self, slot: i16) {
        match self.choices.below(8) {
            0 | 1 => {
                self.mov_imm(R3, 0);
                self.add(R3, R7);
            }
            2 => {
                self.push(Insn::Store { base: FP, off: slot, size: Size::B8, src: Operand::Reg(R7) });
                self.helper(5);
                self.push(Insn::Load { dst: R3, base: FP, off: slot, size: Size::B8, signed: false });
            }
            3 => {
                self.push(Insn::Store { base: FP, off: slot, size: Size::B8, src: Operand::Reg(R7) });
                self.mov_imm(R3, 0);
                let op = if self.choices.one_in(2) { AtomicOp::Add { fetch: true } } else { AtomicOp::Xchg };
                self.push(Insn::Atomic { op, size: Size::B8, base: FP, off: slot, src: R3 });
            }
            4 => {
                // A narrow store, and bytes of it: zero where the number is.
                self.push(Insn::Store { base: FP, off: slot + 3, size: Size::B1, src: Operand::Reg(R7) });
                self.push(Insn::Load { dst: R3, base: FP, off: slot + 3, size: Size::B1, signed: false });
            }
            5 if self.role == Role::Entry => {
                self.mov(R1, R7);
                self.mov(R2, FP);
                self.alu_imm(AluOp::Add, R2, i32::from(slot_at(super::SLOTS - 1)));
                self.ask_and_call(Role::Same);
                self.mov(R3, R0);
            }
            _ => self.mov(R3, R7),
        }
        self.known.set_number(R3, false);
    }

    /// Uses the number in `r3` where it must be small.
    pub(super) fn use_number(&mut self) {
        match self.choices.below(8) {
            0 if self.role == Role::Entry => {
                self.mov(R1, R3);
                self.mov(R2, FP);
                self.alu_imm(AluOp::Add, R2, i32::from(slot_at(super::SLOTS - 1)));
                self.ask_and_call(Role::User);
            }
            1 => {
                // A way that only a number that is too large takes.
                let body = vec![Insn::Load { dst: R3, base: R3, off: 0, size: Size::B8, signed: false }];
                let within = Operand::Imm(ROOM - 1);
                self.push(Insn::Branch {
                    width: Width::W64,
                    op: CmpOp::Le,
                    dst: R3,
                    src: within,
                    off: distance(&body),
                });
                self.code.extend(body);
            }
            2 if self.kind == ProgramType::KPROBE => {
                self.mov(R2, R3);
                self.mov(R1, FP);
                self.alu_imm(AluOp::Add, R1, -ROOM);
                self.mov(R3, R6);
                self.helper(113);
                self.forget_slots(8);
            }
            3 if self.known.value => {
                self.mov(R2, R8);
                self.add(R2, R3);
                self.push(Insn::Load { dst: R7, base: R2, off: -16, size: Size::B1, signed: false });
            }
            _ => {
                self.load_from_room(R7);
            }
        }
        self.known.set_number(R2, false);
        self.known.set_number(R3, false);
    }

    /// Loads the byte of the room on the stack that `r3` tells, by way of `r2`.
    fn load_from_room(&mut self, dst: Reg) {
        self.mov(R2, FP);
        self.add(R2, R3);
        let off = -i16::try_from(ROOM).unwrap_or(0);
        self.push(Insn::Load { dst, base: R2, off, size: Size::B1, signed: false });
    }

    /// The first slots hold numbers, whatever they held.
    pub(super) fn forget_slots(&mut self, count: usize) {
        self.known.slots.iter_mut().take(count).for_each(|held| *held = Held::Number);
    }

    /// The number is what a function returns.
    fn result_ways(&mut self, good: i32, other: Option<i32>) {
        self.mov_imm(R1, good);
        self.mov(R2, FP);
        self.alu_imm(AluOp::Add, R2, i32::from(slot_at(super::SLOTS - 1)));
        self.ask_and_call(Role::Chooses(good, other));
        self.mov(R3, R0);
        self.known.set_number(R3, false);
        self.use_number();
    }

    /// The body of a function that returns one number or the other.
    pub(super) fn choose(&mut self, good: i32, other: Option<i32>) {
        self.either(
            |maker| maker.mov_imm(R7, good),
            |maker| match other {
                Some(other) => maker.mov_imm(R7, other),
                None => {
                    maker.helper(5);
                    maker.mov(R7, R0);
                }
            },
        );
        self.mov(R0, R7);
    }

    /// Bytes of the stack, zero or not.
    fn byte_ways(&mut self) {
        let slot = self.far_slot() + 1;
        let slips = self.slip(8);
        let zero = |maker: &mut Self| maker.store_imm(FP, slot, Size::B1, 0);
        self.either(zero, |maker| {
            if slips {
                maker.push(Insn::Store { base: FP, off: slot, size: Size::B1, src: Operand::Reg(R0) });
            } else {
                maker.store_imm(FP, slot, Size::B1, 0);
            }
        });
        self.meanwhile();
        self.push(Insn::Load { dst: R3, base: FP, off: slot, size: Size::B1, signed: false });
        self.use_number();
    }

    /// A pointer, to one place or another.
    fn offset_ways(&mut self) {
        let (good, other) = self.two_numbers();
        let to_value = self.known.value && self.choices.one_in(2);
        let base = if to_value { R8 } else { FP };
        let off = if to_value { -16 } else { -i16::try_from(ROOM).unwrap_or(0) };
        let set = move |maker: &mut Self, number: i32| {
            maker.mov(R7, base);
            maker.alu_imm(AluOp::Add, R7, number);
        };
        let (good, other) = if to_value {
            (good.min(32) + 16, other.unwrap_or(-1).min(40) + 16)
        } else {
            (good, other.unwrap_or(-1000))
        };
        self.either(|maker| set(maker, good), |maker| set(maker, other));
        self.known.set_number(R7, false);
        self.meanwhile();
        self.push(Insn::Load { dst: R7, base: R7, off, size: Size::B8, signed: false });
        self.known.set_number(R7, true);
    }

    /// How far a packet was shown to reach.
    fn range_ways(&mut self) {
        let (data, end) = self.packet_fields();
        let shown = |maker: &mut Self, bytes: i32| {
            maker.push(Insn::Load { dst: R7, base: R6, off: data, size: Size::B4, signed: false });
            maker.push(Insn::Load { dst: R4, base: R6, off: end, size: Size::B4, signed: false });
            maker.mov(R5, R7);
            maker.alu_imm(AluOp::Add, R5, bytes);
            maker.unless(CmpOp::Le, R5, Operand::Reg(R4));
        };
        let other = if self.slip(8) { 4 } else { 20 };
        self.either(|maker| shown(maker, 16), |maker| shown(maker, other));
        self.known.set_number(R7, false);
        self.meanwhile();
        self.push(Insn::Load { dst: R7, base: R7, off: 8, size: Size::B8, signed: false });
    }

    /// Leaves the program unless the comparison holds.
    pub(super) fn unless(&mut self, op: CmpOp, dst: Reg, src: Operand) {
        self.push(Insn::Branch { width: Width::W64, op, dst, src, off: 2 });
        self.mov_imm(R0, 0);
        self.push(Insn::Exit);
    }

    /// A value of a map in `r0`, or null.
    pub(super) fn find(&mut self) {
        let slot = self.far_slot();
        let map = if self.choices.one_in(2) { ARRAY } else { HASH };
        self.store_imm(FP, slot, if map == ARRAY { Size::B4 } else { Size::B8 }, 1);
        self.mov(R2, FP);
        self.alu_imm(AluOp::Add, R2, i32::from(slot));
        self.load_map(R1, map);
        self.helper(1);
    }

    /// A pointer that may be null, checked or not.
    fn null_ways(&mut self) {
        self.find();
        self.mov(R7, R0);
        self.known.set_number(R7, false);
        let slips = self.slip(8);
        let check = |maker: &mut Self| maker.unless(CmpOp::Ne, R7, Operand::Imm(0));
        self.either(check, |maker| {
            if !slips {
                maker.unless(CmpOp::Ne, R7, Operand::Imm(0));
            }
        });
        self.meanwhile();
        self.push(Insn::Load { dst: R7, base: R7, off: 0, size: Size::B8, signed: false });
    }

    /// A record that is given back, or kept.
    fn held_ways(&mut self) {
        let slips = self.slip(8);
        let record = |maker: &mut Self| {
            maker.load_map(R1, RINGBUF);
            maker.mov_imm(R2, 8);
            maker.mov_imm(R3, 0);
            maker.helper(131);
            maker.unless(CmpOp::Ne, R0, Operand::Imm(0));
        };
        let back = |maker: &mut Self| {
            maker.mov(R1, R0);
            maker.mov_imm(R2, 0);
            maker.helper(132);
        };
        let nothing = self.choices.one_in(2);
        self.either(
            |maker| {
                if !nothing {
                    record(maker);
                    back(maker);
                }
            },
            |maker| {
                record(maker);
                if !slips {
                    back(maker);
                }
            },
        );
        self.meanwhile();
    }

    /// A lock that is given back, or kept.
    fn locked_ways(&mut self) {
        let slips = self.slip(8);
        let slot = self.far_slot();
        self.store_imm(FP, slot, Size::B4, 0);
        self.mov(R2, FP);
        self.alu_imm(AluOp::Add, R2, i32::from(slot));
        self.load_map(R1, LOCKED);
        self.helper(1);
        self.unless(CmpOp::Ne, R0, Operand::Imm(0));
        self.mov(R7, R0);
        self.known.set_number(R7, false);
        let lock = |maker: &mut Self, helper: i32| {
            maker.mov(R1, R7);
            maker.push(Insn::Call(Call::Helper(helper)));
        };
        let nothing = self.choices.one_in(2);
        self.either(
            |maker| {
                if !nothing {
                    lock(maker, 93);
                    lock(maker, 94);
                }
            },
            |maker| {
                lock(maker, 93);
                if !slips {
                    lock(maker, 94);
                }
            },
        );
        if !slips {
            self.meanwhile();
        }
    }

    /// Two pointers to one object, or to two.
    fn object_ways(&mut self) {
        self.known.value = false;
        let slips = self.slip(6);
        self.find();
        self.mov(R7, R0);
        self.known.set_number(R7, false);
        self.find();
        self.mov(R8, R0);
        self.either(
            |maker| maker.mov(R8, R7),
            |maker| {
                if !slips {
                    maker.mov(R8, R7);
                }
            },
        );
        self.meanwhile();
        if self.choices.one_in(4) {
            // Equal to something that may be null is no better than that.
            self.push(Insn::Branch { width: Width::W64, op: CmpOp::Ne, dst: R7, src: Operand::Reg(R8), off: 2 });
            let body = [Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst: R7, src: Operand::Imm(0), off: 1 }];
            if slips {
                self.push(Insn::Jump { off: 0, long: false })
            } else {
                self.code.extend(body)
            }
            self.push(Insn::Load { dst: R0, base: R8, off: 0, size: Size::B8, signed: false });
            return;
        }
        self.push(Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst: R7, src: Operand::Imm(0), off: 1 });
        self.push(Insn::Load { dst: R0, base: R8, off: 0, size: Size::B8, signed: false });
        self.mov_imm(R0, 0);
    }

    /// Two numbers that are equal, or not: a bound of one is a bound of the other, or not.
    fn link_ways(&mut self) {
        let slips = self.slip(6);
        let slot = self.far_slot();
        self.helper(5);
        self.mov(R7, R0);
        self.push(Insn::Store { base: FP, off: slot, size: Size::B8, src: Operand::Reg(R7) });
        self.known.set_number(R7, true);
        self.either(
            |maker| maker.push(Insn::Store { base: FP, off: slot, size: Size::B8, src: Operand::Reg(R7) }),
            |maker| {
                if slips {
                    maker.helper(5);
                    maker.push(Insn::Store { base: FP, off: slot, size: Size::B8, src: Operand::Reg(R0) });
                }
            },
        );
        self.meanwhile();
        self.push(Insn::Load { dst: R3, base: FP, off: slot, size: Size::B8, signed: false });
        self.known.set_number(R3, false);
        if self.choices.one_in(2) {
            self.push(Insn::Jump { off: 0, long: false });
        }
        let beyond = |off| Insn::Branch { width: Width::W64, op: CmpOp::Gt, dst: R7, src: Operand::Imm(ROOM - 8), off };
        self.guarded(beyond, |maker| {
            maker.load_from_room(R0);
            maker.known.set_number(R2, false);
        });
        self.mov_imm(R0, 0);
    }

    /// A number or a pointer.
    fn kind_ways(&mut self) {
        let slips = self.slip(8);
        let number = |maker: &mut Self| maker.mov_imm(R7, 3);
        self.either(number, |maker| if slips { maker.mov(R7, FP) } else { maker.mov_imm(R7, 4) });
        self.meanwhile();
        if self.choices.one_in(2) {
            self.alu_imm(AluOp::Mul, R7, 3);
        } else {
            self.alu_imm(AluOp::And, R7, 7);
        }
    }

    /// A slot with a pointer in it, or a number.
    fn spilled_ways(&mut self) {
        let slips = self.slip(8);
        let slot = self.far_slot();
        let spill = |maker: &mut Self, src| {
            maker.push(Insn::Store { base: FP, off: slot, size: Size::B8, src: Operand::Reg(src) })
        };
        self.either(|maker| spill(maker, R6), |maker| spill(maker, if slips { R0 } else { R6 }));
        self.meanwhile();
        self.push(Insn::Load { dst: R7, base: FP, off: slot, size: Size::B8, signed: false });
        let (off, size) = if self.kind == ProgramType::KPROBE { (8, Size::B8) } else { (12, Size::B4) };
        self.push(Insn::Load { dst: R7, base: R7, off, size, signed: false });
    }
}
