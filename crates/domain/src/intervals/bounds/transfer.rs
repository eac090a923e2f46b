//! Arithmetic on bounds: each result holds `x op y` for all members `x` and `y`.

use super::Bounds;
use crate::word::{Word, case};

/// The sum of `a` and `b` goes round, unsigned.
#[inline(always)]
fn sum_wraps<W: Word>(a: W, b: W) -> W::Truth {
    a.wrapping_add(b).ult(a)
}
/// The sum of `a` and `b` goes round, signed: both have the sign that it has not.
#[inline(always)]
fn sum_wraps_signed<W: Word>(a: W, b: W) -> W::Truth {
    let sum = a.wrapping_add(b);
    ((a ^ sum) & (b ^ sum)).is_negative()
}
/// The difference of `a` and `b` goes round, signed: the signs differ, and it has not that of `a`.
#[inline(always)]
fn difference_wraps_signed<W: Word>(a: W, b: W) -> W::Truth {
    let difference = a.wrapping_sub(b);
    ((a ^ b) & (a ^ difference)).is_negative()
}

#[expect(
    clippy::should_implement_trait,
    reason = "these are set operations; `a + b` would read as arithmetic on numbers"
)]
impl<W: Word> Bounds<W> {
    /// Sums: in each reading, nothing is known if an end goes round. (`scalar_min_max_add`)
    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        let (umin, umax) = (self.umin.wrapping_add(other.umin), self.umax.wrapping_add(other.umax));
        let (smin, smax) = (self.smin.wrapping_add(other.smin), self.smax.wrapping_add(other.smax));
        let wraps = sum_wraps(self.umin, other.umin) | sum_wraps(self.umax, other.umax);
        let wraps_signed = sum_wraps_signed(self.smin, other.smin) | sum_wraps_signed(self.smax, other.smax);
        Self { umin, umax, smin, smax }.unless(wraps, wraps_signed)
    }
    /// Differences: in each reading, nothing is known if an end goes round. (`scalar_min_max_sub`)
    #[inline(always)]
    pub fn sub(self, other: Self) -> Self {
        let (umin, umax) = (self.umin.wrapping_sub(other.umax), self.umax.wrapping_sub(other.umin));
        let (smin, smax) = (self.smin.wrapping_sub(other.smax), self.smax.wrapping_sub(other.smin));
        let wraps = self.umin.ult(other.umax);
        let wraps_signed =
            difference_wraps_signed(self.smin, other.smax) | difference_wraps_signed(self.smax, other.smin);
        Self { umin, umax, smin, smax }.unless(wraps, wraps_signed)
    }
    /// The unsigned interval forgotten if `unsigned`, and the signed one if `signed`.
    #[inline(always)]
    fn unless(self, unsigned: W::Truth, signed: W::Truth) -> Self {
        let Self { umin, umax, smin, smax } = Self::full();
        Self {
            umin: W::pick(unsigned, umin, self.umin),
            umax: W::pick(unsigned, umax, self.umax),
            smin: W::pick(signed, smin, self.smin),
            smax: W::pick(signed, smax, self.smax),
        }
    }

    /// Products of numbers that are not negative and no longer than half a word; of others, nothing is known. (`scalar_min_max_mul`)
    #[inline(always)]
    pub fn mul(self, other: Self) -> Self {
        let half = W::low_ones(W::BITS / 2);
        let (min, max) = (self.umin.wrapping_mul(other.umin), self.umax.wrapping_mul(other.umax));
        case! {
            self.smin.is_negative() | other.smin.is_negative() => Self::full(),
            self.umax.ugt(half) | other.umax.ugt(half) => Self::full(),
            max.ugt(W::signed_max()) => Self::from_unsigned(min, max),
            _ => Self { umin: min, umax: max, smin: min, smax: max },
        }
    }

    /// Members shifted left by less than the width: nothing is known if a set bit may be shifted out, and no sign in any case.
    /// (`__scalar32_min_max_lsh`, `__scalar64_min_max_lsh`)
    #[inline(always)]
    pub fn lsh(self, by: W) -> Self {
        let greatest = W::one().shl(W::literal(u64::from(W::BITS - 1)).wrapping_sub(by));
        case! {
            self.umax.ugt(greatest) => Self::full(),
            _ => Self::from_unsigned(self.umin.shl(by), self.umax.shl(by)),
        }
    }
    /// Members shifted right by less than the width, zeros coming in. (`scalar_min_max_rsh`)
    #[inline(always)]
    pub fn rsh(self, by: W) -> Self {
        Self::from_unsigned(self.umin.shr(by), self.umax.shr(by))
    }
    /// Members shifted right by less than the width, signs coming in. (`scalar_min_max_arsh`)
    #[inline(always)]
    pub fn arsh(self, by: W) -> Self {
        Self::from_signed(self.smin.sar(by), self.smax.sar(by))
    }
}
