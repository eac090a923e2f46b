//! Reduction: what the known bits, the range and the low range say about one another.

use super::Scalar;
use crate::arc::Arc;
use crate::tnum::Tnum;
use crate::word::{Double, Truth as _, Word as _, case};

/// The deductions, and their order.
impl<W: Double> Scalar<W> {
    /// Reduced: [`Scalar::synced_step_by_step`], with the usual outcomes told at once. (`reg_bounds_sync`)
    #[inline]
    pub fn synced(self) -> Self {
        let holds = |truth: W::Truth| truth.decided() == Some(true);
        if holds(self.is_exactly_one()) || holds(self.is_any_half()) || holds(self.is_everything()) {
            self
        } else if holds(self.is_short()) {
            if holds(self.is_agreed()) { self } else { self.synced_as_short() }
        } else {
            self.synced_step_by_step()
        }
    }

    /// The reduction itself. An empty range stops it before it begins.
    ///
    /// # Soundness
    /// Each step keeps every member, hence so does their composition.
    pub fn synced_step_by_step(self) -> Self {
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

/// Short ways to the same result.
///
/// Most numbers are constants, unknown, unknown in the low half and zero in the high one, or *short*: non-negative in the low half already, so that both ranges are one interval and nothing is
/// to be learnt from one about the other.
impl<W: Double> Scalar<W> {
    /// All three parts say the same one word. The reduction changes nothing.
    #[inline(always)]
    pub fn is_exactly_one(&self) -> W::Truth {
        let Self { tnum, wide, low } = *self;
        tnum.is_const()
            & wide.is_const()
            & low.is_const()
            & wide.base.same(tnum.value)
            & low.base.same(tnum.value.low())
    }

    /// No part says anything, each in its first way to say so. The reduction changes nothing.
    #[inline(always)]
    pub fn is_everything(&self) -> W::Truth {
        let Self { tnum, wide, low } = *self;
        let full =
            wide.base.is_zero() & wide.size.same(W::ones()) & low.base.is_zero() & low.size.same(W::Half::ones());
        tnum.is_unknown() & full
    }

    /// Nothing is known but that the high half is zero: what an operation on the low halves of unknown numbers leaves. The reduction changes
    /// nothing.
    #[inline(always)]
    pub fn is_any_half(&self) -> W::Truth {
        let Self { tnum, wide, low } = *self;
        let half = W::zero_extended(W::Half::ones());
        let ranges = wide.base.is_zero() & wide.size.same(half) & low.base.is_zero() & low.size.same(W::Half::ones());
        tnum.value.is_zero() & tnum.mask.same(half) & ranges
    }

    /// The bounds of the range are among the words that the bits allow, and the bits are no vaguer than the bounds. The reduction changes nothing
    /// of a short number like that.
    #[inline(always)]
    pub fn is_agreed(&self) -> W::Truth {
        let Self { tnum, wide, .. } = *self;
        let (least, greatest) = (wide.base, wide.base.wrapping_add(wide.size));
        tnum.contains(least) & tnum.contains(greatest) & (tnum.mask & !(least ^ greatest).filled()).is_zero()
    }

    /// Bits and range say non-negative in the low half, and the low range is the range.
    #[inline(always)]
    pub fn is_short(&self) -> W::Truth {
        let Self { tnum, wide, low } = *self;
        let greatest = W::zero_extended(W::Half::signed_max());
        wide.base.ule(greatest)
            & wide.size.ule(greatest.wrapping_sub(wide.base))
            & tnum.max().ule(greatest)
            & low.base.same(wide.base.low())
            & low.size.same(wide.size.low())
            & tnum.min().ule(wide.base.wrapping_add(wide.size))
            & wide.base.ule(tnum.max())
    }

    /// The reduction of a short number whose bits and range overlap.
    #[inline]
    pub fn synced_as_short(self) -> Self {
        let first = self.with_wide_narrowed_by_bits();
        let tnum = first.tnum.meet(Tnum::range(first.wide.umin(), first.wide.umax()));
        let second = Self { tnum, ..first }.with_wide_narrowed_by_bits();
        Self { low: second.wide.low(), ..second }
    }
}

impl Scalar<u64> {
    /// Reduces in place. (`reg_bounds_sync`)
    #[inline]
    pub fn sync(&mut self) {
        *self = self.synced();
    }
}
