//! The intervals as a [`Domain`] of 64-bit words.

use super::Intervals;

use crate::domain::Domain;
use crate::intervals::Bounds;
use crate::known::{Conflict, Contradiction};
use crate::scalar::{AluOp, Branch, ByteOrder, CmpOp, Foresight, Fork, Width};
use crate::tnum::Tnum;
use crate::views::Views;

/// Linux before 7.2: known bits and four intervals.
impl Domain for Intervals<u64> {
    fn unknown() -> Self {
        Self::top()
    }
    fn constant(value: u64) -> Self {
        Self::exactly(value)
    }
    fn contains(&self, word: u64) -> bool {
        self.contains(word)
    }
    fn is_consistent(&self) -> bool {
        self.is_consistent()
    }
    fn includes(&self, other: &Self) -> bool {
        self.includes(other)
    }
    fn join(&self, other: &Self) -> Self {
        self.union(*other)
    }
    fn meet(&self, other: &Self) -> Option<Self> {
        let common = self.common(*other);
        (self.tnum.overlaps(other.tnum) && !common.is_empty()).then_some(common)
    }
    /// Everything, unless the two are the same. (`maybe_widen_reg`)
    fn widen(&self, other: &Self) -> Self {
        if self == other { *self } else { Self::top() }
    }
    fn alu(op: AluOp, width: Width, dst: Self, src: Self) -> Self {
        Self::transfer(op, width, dst, src)
    }
    /// Unknown: negation is not computed. (`check_alu_op`)
    fn neg(_: Width, _: Self) -> Self {
        Self::top()
    }
    /// Unknown: changes of byte order are not computed, not even truncations. (`check_alu_op`)
    fn byte_order(_: ByteOrder, _: u32, _: Self) -> Self {
        Self::top()
    }
    fn truncate(bytes: u32, number: Self) -> Self {
        if bytes < 8 { number.truncated_to(bytes.saturating_mul(8)).synced() } else { number }
    }
    fn sign_extend(from_bytes: u32, width: Width, number: Self) -> Self {
        let bits = from_bytes.saturating_mul(8);
        match width {
            Width::W64 if from_bytes < 8 => number.sign_extended_from(bits),
            Width::W64 => number,
            Width::W32 if from_bytes < 4 => number.low_sign_extended_from(bits).synced(),
            Width::W32 => number.completed(Width::W32),
        }
    }
    /// The operands come as the kernel has them, contradictions included; a register that is compared with itself is two like it.
    fn branch(op: CmpOp, width: Width, a: Self, b: Self, _: bool) -> Branch<Self> {
        match Self::foreseen(op, width, &a, &b) {
            Foresight { holds: true, .. } => Branch::Always,
            Foresight { fails: true, .. } => Branch::Never,
            Foresight { .. } => Branch::Both {
                taken: Self::narrowed_and_synced(op, width, true, a, b),
                fallthrough: Self::narrowed_and_synced(op, width, false, a, b),
            },
        }
    }
    fn refine(op: CmpOp, width: Width, outcome: bool, a: Self, b: Self) -> Option<(Self, Self)> {
        let (a, b) = Self::narrowed_and_synced(op, width, outcome, a, b);
        (!a.is_empty() && !b.is_empty()).then_some((a, b))
    }
    fn between(min: i64, max: i64) -> Self {
        let low = Bounds::from_signed(min as u32, max as u32);
        Self::from_parts(Tnum::top(), Bounds::from_signed(min as u64, max as u64), low).synced()
    }
    fn forget_ranges(self) -> Self {
        self.forget_bounds()
    }
    /// (`maybe_fork_scalars`, in stable updates of 6.12)
    fn fork(&self) -> Option<Fork<Self>> {
        // The low half known, the intervals of the word as they were. (`__mark_reg32_known`)
        let low = |value: u32| Self {
            tnum: self.tnum.with_low(Tnum::exactly(value)),
            wide: self.wide,
            low: Bounds::exactly(value),
        };
        if self.signed() == (-1, 0) {
            Some(Fork { zero: Self::exactly(0), ones: Self::exactly(u64::MAX) })
        } else if self.signed_low() == (-1, 0) {
            Some(Fork { zero: low(0), ones: low(u32::MAX) })
        } else {
            None
        }
    }
    fn zero_extended(self) -> Self {
        self.completed(Width::W32)
    }
    /// Not reduced. (`sync_linked_regs`)
    fn offset_by(self, delta: i64, width: Width) -> Self {
        let sum = Self::computed(AluOp::Add, width, self, Self::exactly(delta as u64));
        match width {
            Width::W32 => sum.completed(width),
            Width::W64 => sum,
        }
    }
    /// Pointers have no bounds of a low half. (`adjust_ptr_min_max_vals`)
    fn moved(self, delta: Self, subtracts: bool) -> Self {
        let op = if subtracts { AluOp::Sub } else { AluOp::Add };
        Self { low: Bounds::full(), ..Self::computed(op, Width::W64, self, delta) }
    }
    fn settled(self, keeps_bounds: bool) -> Self {
        if keeps_bounds { self } else { self.synced() }
    }
    fn contradiction(&self) -> Contradiction {
        let Self { tnum, wide, low: _ } = *self;
        let between = if self.is_empty() {
            Conflict::Ranges
        } else if tnum.is_const() && !wide.is_exactly(tnum.value) {
            Conflict::Constant
        } else {
            Conflict::LowConstant
        };
        Contradiction { between, views: self.known(), arcs: None }
    }
}

/// The views are the intervals and the known bits.
impl Views for Intervals<u64> {
    fn bits(&self) -> Tnum<u64> {
        self.tnum
    }
    fn unsigned(&self) -> (u64, u64) {
        (self.wide.umin, self.wide.umax)
    }
    fn signed(&self) -> (i64, i64) {
        (self.wide.smin as i64, self.wide.smax as i64)
    }
    fn unsigned_low(&self) -> (u32, u32) {
        (self.low.umin, self.low.umax)
    }
    fn signed_low(&self) -> (i32, i32) {
        (self.low.smin as i32, self.low.smax as i32)
    }
}
