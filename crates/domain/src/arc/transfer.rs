//! Arithmetic on arcs: each result holds `x op y` for all members `x` and `y`.

use super::Arc;
use crate::word::{Word, case};

#[expect(
    clippy::should_implement_trait,
    reason = "these are set operations; `a + b` would read as arithmetic on numbers"
)]
impl<W: Word> Arc<W> {
    /// Sums: the arcs' lengths add up, until they go round. (`add`)
    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        let sum = Self { base: self.base.wrapping_add(other.base), size: self.size.wrapping_add(other.size) };
        case! {
            self.is_empty() | other.is_empty() => Self::empty(),
            self.size.ugt(W::ones().wrapping_sub(other.size)) => Self::full(),
            _ => sum.normalize(),
        }
    }
    /// Two's complements: the arc in the mirror. (`negate`)
    #[inline(always)]
    pub fn neg(self) -> Self {
        case! {
            self.is_empty() => Self::empty(),
            _ => Self { base: self.last().wrapping_neg(), size: self.size }.normalize(),
        }
    }
    /// Differences.
    #[inline(always)]
    pub fn sub(self, other: Self) -> Self {
        self.add(other.neg())
    }

    /// Products: the unsigned and the signed range of products, each only if none of its corners overflows. (`scalar_min_max_mul`)
    #[inline]
    pub fn mul(self, other: Self) -> Self {
        self.unsigned_products(other).intersect(self.signed_products(other))
    }
    /// Products of the unsigned ranges: monotone in both factors.
    #[inline(always)]
    pub fn unsigned_products(self, other: Self) -> Self {
        let overflow = self.umax().umul_overflows(other.umax()) | self.umin().umul_overflows(other.umin());
        case! {
            overflow => Self::full(),
            _ => Self::from_unsigned(self.umin().wrapping_mul(other.umin()), self.umax().wrapping_mul(other.umax())),
        }
    }
    /// Products of the signed ranges: monotone or antitone in each factor, so that the extremes are among the four corners.
    #[inline(always)]
    pub fn signed_products(self, other: Self) -> Self {
        let (a, b) = (self.signed_min(), self.signed_max());
        let (c, d) = (other.signed_min(), other.signed_max());
        let overflow = a.smul_overflows(c) | a.smul_overflows(d) | b.smul_overflows(c) | b.smul_overflows(d);
        let (ac, ad, bc, bd) = (a.wrapping_mul(c), a.wrapping_mul(d), b.wrapping_mul(c), b.wrapping_mul(d));
        case! {
            overflow => Self::full(),
            _ => Self::from_signed(ac.smin(ad).smin(bc).smin(bd), ac.smax(ad).smax(bc).smax(bd)),
        }
    }

    /// Unsigned quotients by a divisor that is not zero. (`scalar_min_max_udiv`)
    #[inline(always)]
    pub fn udiv(self, divisor: W) -> Self {
        Self::from_unsigned(self.umin().udiv(divisor), self.umax().udiv(divisor))
    }
    /// Signed quotients by a divisor that is not zero. (`scalar_min_max_sdiv`)
    ///
    /// `MIN / -1` is `MIN`, far from its neighbours' quotients: if the dividend may be `MIN` among others, nothing is known.
    #[inline(always)]
    pub fn sdiv(self, divisor: W) -> Self {
        let (min, max) = (self.signed_min(), self.signed_max());
        let (one, other) = (min.sdiv(divisor), max.sdiv(divisor));
        let jumps = min.same(W::signed_min()) & divisor.same(W::ones());
        case! {
            jumps & max.same(W::signed_min()) => Self::from_signed(min, max),
            jumps => Self::from_signed(W::signed_min(), W::signed_max()),
            _ => Self::from_signed(one.smin(other), one.smax(other)),
        }
    }
    /// Every unsigned member is less than `divisor`: taking remainders changes nothing.
    #[inline(always)]
    pub fn is_below(self, divisor: W) -> W::Truth {
        self.umax().ult(divisor)
    }
    /// Unsigned remainders by a divisor that is not zero and not above all members. (`scalar_min_max_umod`)
    #[inline(always)]
    pub fn umod(self, divisor: W) -> Self {
        Self::from_unsigned(W::zero(), self.umax().umin(divisor.wrapping_sub(W::one())))
    }
    /// Every signed member is closer to zero than `divisor`: taking remainders changes nothing.
    #[inline(always)]
    pub fn is_within(self, divisor: W) -> W::Truth {
        let greatest = greatest_remainder(divisor);
        greatest.wrapping_neg().sle(self.signed_min()) & self.signed_max().sle(greatest)
    }
    /// Signed remainders, which have the sign of the dividend, by a divisor that is not zero. (`scalar_min_max_smod`)
    #[inline(always)]
    pub fn smod(self, divisor: W) -> Self {
        let (min, max) = (self.signed_min(), self.signed_max());
        let greatest = greatest_remainder(divisor);
        let least = greatest.wrapping_neg();
        case! {
            W::zero().sle(min) => Self::from_signed(W::zero(), max.smin(greatest)),
            max.sle(W::zero()) => Self::from_signed(min.smax(least), W::zero()),
            _ => Self::from_signed(least, greatest),
        }
    }

    /// Members shifted left by less than the width; nothing is known if a set bit may be shifted out. (`scalar_min_max_lsh`)
    #[inline(always)]
    pub fn lsh(self, by: W) -> Self {
        let greatest = W::one().shl(W::literal(u64::from(W::BITS - 1)).wrapping_sub(by));
        case! {
            self.umax().ugt(greatest) => Self::full(),
            _ => Self::from_unsigned(self.umin().shl(by), self.umax().shl(by)),
        }
    }
    /// Members shifted right by less than the width, zeros coming in. (`scalar_min_max_rsh`)
    #[inline(always)]
    pub fn rsh(self, by: W) -> Self {
        Self::from_unsigned(self.umin().shr(by), self.umax().shr(by))
    }
    /// Members shifted right by less than the width, signs coming in. (`scalar_min_max_arsh`)
    #[inline(always)]
    pub fn arsh(self, by: W) -> Self {
        Self::from_signed(self.signed_min().sar(by), self.signed_max().sar(by))
    }
}

/// The greatest absolute value of a signed remainder by `divisor`.
#[inline(always)]
fn greatest_remainder<W: Word>(divisor: W) -> W {
    W::pick(divisor.is_negative(), divisor.wrapping_neg(), divisor).wrapping_sub(W::one())
}
