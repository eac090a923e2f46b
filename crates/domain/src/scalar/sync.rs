//! Reduction: what the known bits, the range and the low range say about one another.

use super::Scalar;
use crate::arc::Arc;
use crate::tnum::Tnum;
use crate::word::{Double, case};

/// The deductions, and their order.
impl<W: Double> Scalar<W> {
    /// Reduced. An empty range stops the reduction before it begins. (`reg_bounds_sync`)
    ///
    /// # Soundness
    /// Each step keeps every member, hence so does their composition.
    #[inline]
    pub fn synced(self) -> Self {
        case! {
            self.is_empty() => self,
            _ => self.narrowed_by_bits().with_halves_agreed().with_halves_agreed().with_bits_of_ranges().narrowed_by_bits(),
        }
    }

    /// Both ranges cut to the known bits. (`__update_reg_bounds`)
    #[inline(always)]
    pub fn narrowed_by_bits(self) -> Self {
        self.with_low_narrowed_by_bits().with_wide_narrowed_by_bits()
    }

    /// The low range cut to the known bits. (`__update_reg32_bounds`)
    #[inline(always)]
    pub fn with_low_narrowed_by_bits(self) -> Self {
        Self { low: self.low.intersect(Arc::from_tnum(self.tnum.low())), ..self }
    }

    /// The range cut to the known bits; and the one common word, if bits and range share no other. (`__update_reg64_bounds`)
    ///
    /// ```text
    /// range      ---[========]---      ---[========]---      ---[========]---
    /// members    -x-x----------x-      -x-----x--------      -x-----x------x-
    ///               only the least        only the greatest     only one between
    /// ```
    #[inline(always)]
    pub fn with_wide_narrowed_by_bits(self) -> Self {
        let tnum = self.tnum;
        let wide = self.wide.intersect(Arc::from_tnum(tnum));
        let (least, greatest) = (wide.umin(), wide.umax());
        let starts_at_member = tnum.contains(least);
        let next = tnum.step(least);
        case! {
            starts_at_member & next.ugt(greatest) => Self::exactly(least),
            !starts_at_member & next.same(tnum.max()) => Self::exactly(tnum.max()),
            !starts_at_member & next.ule(greatest) & tnum.step(next).ugt(greatest) => Self::exactly(next),
            _ => Self { wide, ..self },
        }
    }

    /// The low range cut to the low halves of the range, then the range to words with such low halves. (`__reg_deduce_bounds`)
    #[inline(always)]
    pub fn with_halves_agreed(self) -> Self {
        let low = self.low.intersect(self.wide.low());
        Self { low, wide: self.wide.with_low_in(low), ..self }
    }

    /// The bits that the unsigned bounds fix. (`__reg_bound_offset`)
    #[inline(always)]
    pub fn with_bits_of_ranges(self) -> Self {
        let whole = self.tnum.meet(Tnum::range(self.wide.umin(), self.wide.umax()));
        let half = whole.low().meet(Tnum::range(self.low.umin(), self.low.umax()));
        Self { tnum: whole.with_low(half), ..self }
    }
}

impl Scalar<u64> {
    /// Reduces in place. (`reg_bounds_sync`)
    #[inline]
    pub fn sync(&mut self) {
        *self = self.reduced();
    }

    /// [`Scalar::synced`], which it equals, with the frequent fixed points told at once.
    #[inline]
    pub(crate) fn reduced(self) -> Self {
        if self.is_exact() || self == Self::unknown() { self } else { self.synced() }
    }
}
