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
        if holds(self.is_free()) {
            self
        } else if holds(self.is_one_word()) {
            Self::exactly(self.tnum.value)
        } else if holds(self.is_short()) {
            self.synced_as_short()
        } else if holds(self.is_long()) {
            self.synced_as_long()
        } else {
            self.synced_step_by_step()
        }
    }

    /// The reduction itself. An empty range stops it before it begins.
    ///
    /// # Soundness
    /// Each step keeps every member, hence so does their composition.
    #[inline(never)]
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
/// Most numbers are free or constants; or *short*, non-negative in the low half already, so that both ranges are intervals and nothing is to be
/// learnt from their signs; or *long*, with a range so wide that it says nothing of the low half.
impl<W: Double> Scalar<W> {
    /// All three parts say the same one word.
    #[inline(always)]
    pub fn is_exactly_one(&self) -> W::Truth {
        let Self { tnum, wide, low } = *self;
        tnum.is_const()
            & wide.is_const()
            & low.is_const()
            & wide.base.same(tnum.value)
            & low.base.same(tnum.value.low())
    }

    /// All bits are known, and both ranges hold that word. It is what the reduction leaves.
    #[inline(always)]
    pub fn is_one_word(&self) -> W::Truth {
        let Self { tnum, wide, low } = *self;
        tnum.is_const() & wide.contains(tnum.value) & low.contains(tnum.value.low())
    }

    /// The range is non-negative in the low half already, what it has in common with the low range is one interval, and the bits allow both ends.
    #[inline(always)]
    pub fn is_short(&self) -> W::Truth {
        let Self { tnum, wide, low } = *self;
        let greatest = W::zero_extended(W::Half::signed_max());
        let (from, to) = (low.base, low.base.wrapping_add(low.size));
        let rising = from.is_zero() | (!from.is_negative() & from.sle(to));
        let through_zero = from.is_negative() & to.ult(from) & !low.is_empty();
        let (least, last) = self.common_interval();
        wide.base.ule(greatest)
            & wide.size.ule(greatest.wrapping_sub(wide.base))
            & (rising | through_zero)
            & least.ule(last)
            & tnum.contains(W::zero_extended(least))
            & tnum.contains(W::zero_extended(last))
    }

    /// The reduction of a short number.
    #[inline(always)]
    pub fn synced_as_short(self) -> Self {
        let (least, last) = self.common_interval();
        let (min, max) = (W::zero_extended(least), W::zero_extended(last));
        Self {
            tnum: self.tnum.meet(Tnum::range(min, max)),
            wide: Arc::from_unsigned(min, max),
            low: Arc::from_unsigned(least, last),
        }
    }

    /// The ends of what both ranges have in common, of a short number: those of the low range count unless it begins below zero.
    #[inline(always)]
    pub fn common_interval(&self) -> (W::Half, W::Half) {
        let (wide, low) = (self.wide.low(), self.low);
        let from = W::Half::pick(low.base.is_negative(), W::Half::zero(), low.base);
        let (last, to) = (wide.base.wrapping_add(wide.size), low.base.wrapping_add(low.size));
        (wide.base.umax(from), last.umin(to))
    }

    /// No bit is known, nothing of the low half, and the range is too wide to say anything of it.
    #[inline(always)]
    pub fn is_long(&self) -> W::Truth {
        let Self { tnum, wide, low } = *self;
        tnum.is_unknown()
            & low.base.is_zero()
            & low.size.same(W::Half::ones())
            & W::zero_extended(W::Half::ones()).ule(wide.size)
            & !wide.size.same(W::ones())
    }

    /// The reduction of a long number.
    #[inline(always)]
    pub fn synced_as_long(self) -> Self {
        Self { tnum: Tnum::range(self.wide.umin(), self.wide.umax()), ..self }
    }
}

impl Scalar<u64> {
    /// Reduces in place. (`reg_bounds_sync`)
    #[inline]
    pub fn sync(&mut self) {
        *self = self.synced();
    }
}
