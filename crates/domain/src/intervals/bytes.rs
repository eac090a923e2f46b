//! Bytes of a word: truncation and sign extension.

use super::{Bounds, Intervals};
use crate::tnum::Tnum;
use crate::word::{Double, Word, case};

impl<W: Double> Intervals<W> {
    /// The low `bits` bits, zero-extended; fewer than all. Not reduced. (`coerce_reg_to_size`)
    #[inline]
    pub fn truncated_to(self, bits: u32) -> Self {
        let kept = W::low_ones(bits);
        let Bounds { umin, umax, .. } = self.wide;
        let (min, max) = case! {
            (umin & !kept).same(umax & !kept) => (umin & kept, umax & kept),
            _ => (W::zero(), kept),
        };
        let low = if bits < W::BITS / 2 { Bounds::full() } else { self.low };
        Self { tnum: self.tnum.truncate(bits), wide: Bounds { umin: min, umax: max, smin: min, smax: max }, low }
    }

    /// The low `bits` bits, at most half, sign-extended to the whole word; not reduced. (`coerce_reg_to_size_sx`)
    #[inline]
    pub fn sign_extended_from(self, bits: u32) -> Self {
        let (alike, min, max) = extended(self.wide, bits);
        let known = self.tnum.value.sign_extended_from(bits);
        case! {
            self.tnum.is_const() => Self::exactly(known),
            alike => Self {
                tnum: Tnum::range(min, max),
                wide: Bounds { umin: min, umax: max, smin: min, smax: max },
                low: Bounds { umin: min.low(), umax: max.low(), smin: min.low(), smax: max.low() },
            },
            _ => Self { tnum: Tnum::top(), wide: any_of(bits), low: any_of(bits) },
        }
    }

    /// The low `bits` bits, fewer than half, sign-extended to the low half, and zero-extended from there; not reduced.
    /// (`coerce_subreg_to_size_sx`, `zext_32_to_64`)
    #[inline]
    pub fn low_sign_extended_from(self, bits: u32) -> Self {
        let (alike, min, max) = extended(self.low, bits);
        let known = self.tnum.low().value.sign_extended_from(bits);
        let within = |tnum: Tnum<W::Half>, low| Self { tnum: Tnum::zero_extended(tnum), wide: self.wide, low };
        case! {
            self.tnum.is_const() => within(Tnum::exactly(known), Bounds::exactly(known)),
            alike => within(Tnum::range(min, max), Bounds { umin: min, umax: max, smin: min, smax: max }),
            _ => within(Tnum::top(), any_of(bits)),
        }
        .zero_extended()
    }
}

/// The ends of a signed interval, each sign-extended from its low bits, in order; and whether what lies between them is what becomes of the members:
/// above those bits all members are alike, and the ends have one sign.
#[inline(always)]
fn extended<W: Word>(bounds: Bounds<W>, bits: u32) -> (W::Truth, W, W) {
    let above = !W::low_ones(bits);
    let Bounds { smin, smax, .. } = bounds;
    let (one, other) = (smin.sign_extended_from(bits), smax.sign_extended_from(bits));
    let (min, max) = (one.smin(other), one.smax(other));
    let crosses_zero = min.is_negative() & !max.is_negative();
    ((smin & above).same(smax & above) & !crosses_zero, min, max)
}

/// Any word that is sign-extended from `bits` bits.
#[inline(always)]
fn any_of<W: Word>(bits: u32) -> Bounds<W> {
    let greatest = W::low_ones(bits.saturating_sub(1));
    Bounds::from_signed(!greatest, greatest)
}
