//! Reduction: what the known bits and the intervals of both widths say about one another.

use super::{Bounds, Intervals};
use crate::tnum::Tnum;
use crate::word::{Choose as _, Double, Word as _, case};

impl<W: Double> Intervals<W> {
    /// Reduced. (`reg_bounds_sync`)
    ///
    /// # Soundness
    /// Each step keeps every member, hence so does their composition.
    pub fn synced(self) -> Self {
        let mut number = self.narrowed_by_bits();
        for _ in 0..3 {
            number = number.with_low_deduced().with_readings_agreed().with_wide_deduced();
        }
        number.with_bits_of_bounds().narrowed_by_bits()
    }

    /// All intervals cut to the known bits. (`__update_reg_bounds`)
    #[inline(always)]
    pub fn narrowed_by_bits(self) -> Self {
        let Self { tnum, wide, low } = self;
        Self { tnum, wide: wide.meet(Bounds::from_tnum(tnum)), low: low.meet(Bounds::from_tnum(tnum.low())) }
    }

    /// The intervals of the low half cut to the low halves of the word's intervals, and to one another. (`__reg32_deduce_bounds`)
    ///
    /// An interval of words says something of low halves if all its words have one high half, or two that follow each other with the low halves
    /// going through zero between them:
    ///
    /// ```text
    ///            h,0        h,MAX  h+1,0
    ///  ----------|--[======]---|----|-------      in h alone: low halves from one end to the other
    ///  ----------|--------[====|====]-------      from h on to h + 1: low halves from the negative to the positive end, signed
    /// ```
    #[inline(always)]
    pub fn with_low_deduced(self) -> Self {
        let Self { tnum, wide, low } = self;
        let Bounds { umin, umax, smin, smax } = wide;
        let (unsigned, signed) = (Span::new(umin, umax), Span::new(smin, smax));
        let low = Bounds::select(unsigned.one_high_half, unsigned.cut_signed_if_ordered(unsigned.cut(low)), low);
        let of_signed = Bounds::select(signed.min.ule(signed.max), signed.cut(low), low);
        let low = Bounds::select(signed.one_high_half, signed.cut_signed_if_ordered(of_signed), low);
        let low = unsigned.cut_signed_if_through_zero(low);
        let low = signed.cut_signed_if_through_zero(low);
        Self { tnum, wide, low: low.agreed() }
    }

    /// The two intervals of the word cut to one another. (`__reg64_deduce_bounds`)
    #[inline(always)]
    pub fn with_readings_agreed(self) -> Self {
        Self { wide: self.wide.agreed(), ..self }
    }

    /// The ends of the word's intervals moved inward to words whose low halves are allowed. (`__reg_deduce_mixed_bounds`)
    #[inline(always)]
    pub fn with_wide_deduced(self) -> Self {
        self.with_low_ends().with_sign_of_low()
    }

    /// The ends' low halves replaced by the least and greatest low half, where that moves them inward.
    #[inline(always)]
    pub fn with_low_ends(self) -> Self {
        let Self { tnum, wide, low } = self;
        let Bounds { umin, umax, smin, smax } = low;
        let wide = with_low_between(wide, umin, umax);
        // The signed interval is an unsigned one as well.
        let wide = case! {
            smin.ule(smax) => with_low_between(wide, smin, smax),
            _ => wide,
        };
        Self { tnum, wide, low }
    }

    /// A word that could be a sign-extended low half is one, if the low half is not negative: in words, it is the low half.
    #[inline(always)]
    pub fn with_sign_of_low(self) -> Self {
        let Self { tnum, wide, low } = self;
        let (least, greatest) = (W::sign_extended(W::Half::signed_min()), W::sign_extended(W::Half::signed_max()));
        let fits = least.sle(wide.smin) & wide.smax.sle(greatest);
        let (min, max) = (W::sign_extended(low.smin), W::sign_extended(low.smax));
        case! {
            !low.smin.is_negative() & fits => Self {
                tnum: tnum.meet(Tnum::range(min, max)),
                wide: Bounds { umin: min, umax: max, smin: min, smax: max },
                low,
            },
            _ => self,
        }
    }

    /// The bits that the unsigned bounds fix. (`__reg_bound_offset`)
    #[inline(always)]
    pub fn with_bits_of_bounds(self) -> Self {
        let Self { tnum, wide, low } = self;
        let whole = tnum.meet(Tnum::range(wide.umin, wide.umax));
        let half = whole.low().meet(Tnum::range(low.umin, low.umax));
        Self { tnum: whole.with_low(half), wide, low }
    }
}

/// Both intervals cut at ends that have these low halves.
#[inline(always)]
fn with_low_between<W: Double>(wide: Bounds<W>, min: W::Half, max: W::Half) -> Bounds<W> {
    let wide = wide.cut_unsigned(wide.umin.with_low(min), wide.umax.with_low(max));
    wide.cut_signed(wide.smin.with_low(min), wide.smax.with_low(max))
}

/// What the ends of an interval of words say of low halves.
struct Span<W: Double> {
    /// The ends' low halves.
    min: W::Half,
    max: W::Half,
    /// The ends' high halves are one.
    one_high_half: W::Truth,
    /// The greater end's high half follows that of the lesser one, round the circle, and the low halves go from negative to not negative.
    through_zero: W::Truth,
}

impl<W: Double> Span<W> {
    #[inline(always)]
    fn new(min: W, max: W) -> Self {
        let high = |word: W| word.shr(W::literal(u64::from(W::BITS / 2))).low();
        let (from, to) = (high(min), high(max));
        let (min, max) = (min.low(), max.low());
        let follows = from.wrapping_add(W::Half::one()).same(to);
        Self { min, max, one_high_half: from.same(to), through_zero: follows & min.is_negative() & !max.is_negative() }
    }
    #[inline(always)]
    fn cut(&self, low: Bounds<W::Half>) -> Bounds<W::Half> {
        low.cut_unsigned(self.min, self.max)
    }
    #[inline(always)]
    fn cut_signed_if_ordered(&self, low: Bounds<W::Half>) -> Bounds<W::Half> {
        Bounds::select(self.min.sle(self.max), low.cut_signed(self.min, self.max), low)
    }
    #[inline(always)]
    fn cut_signed_if_through_zero(&self, low: Bounds<W::Half>) -> Bounds<W::Half> {
        Bounds::select(self.through_zero, low.cut_signed(self.min, self.max), low)
    }
}
