//! Known bits: the set of words that agree with `value` wherever `mask` is clear.
//!
//! ```text
//! γ(value, mask) = { x : x & ¬mask = value }          value & mask = 0
//!
//! mask   0 0 1 1      a bit of the mask is set: that bit may be either
//! value  0 1 0 0
//!        0 1 x x      = { 4, 5, 6, 7 }
//! ```
//!
//! Order: `a ⊑ b` when every bit that `b` knows is known to `a`, and equal. Add, subtract, and, or and xor are optimal: no smaller known-bits
//! set holds all results (Vishwanathan et al., CGO 2022). Multiplication is sound, and optimal for most operands.
//!
//! Source: `kernel/bpf/tnum.c`, Linux 7.3.

use crate::word::{Choose, Double, Truth, Word, case};

/// A set of words given by their known bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tnum<W> {
    /// The known bits; zero where unknown.
    pub value: W,
    /// The unknown bits.
    pub mask: W,
}

impl<W: Word> Choose<W::Truth> for Tnum<W> {
    #[inline(always)]
    fn select(condition: W::Truth, yes: Self, no: Self) -> Self {
        Self { value: W::pick(condition, yes.value, no.value), mask: W::pick(condition, yes.mask, no.mask) }
    }
}

/// The sets themselves.
impl<W: Word> Tnum<W> {
    /// The set with these known and unknown bits; a bit that is claimed to be both is unknown.
    #[inline(always)]
    pub fn new(value: W, mask: W) -> Self {
        Self { value: value & !mask, mask }
    }
    /// Every word.
    #[inline(always)]
    pub fn top() -> Self {
        Self { value: W::zero(), mask: W::ones() }
    }
    /// The one word `value`.
    #[inline(always)]
    pub fn exactly(value: W) -> Self {
        Self { value, mask: W::zero() }
    }
    /// The best set that holds the unsigned range from `min` to `max`: their common leading bits. (`tnum_range`)
    #[inline(always)]
    pub fn range(min: W, max: W) -> Self {
        let unknown = (min ^ max).filled();
        Self { value: min & !unknown, mask: unknown }
    }
    /// No bit is both known to be set and unknown. Every operator keeps this.
    #[inline(always)]
    pub fn is_well_formed(self) -> W::Truth {
        (self.value & self.mask).is_zero()
    }
    /// One word only.
    #[inline(always)]
    pub fn is_const(self) -> W::Truth {
        self.mask.is_zero()
    }
    /// Nothing is known.
    #[inline(always)]
    pub fn is_unknown(self) -> W::Truth {
        self.value.is_zero() & self.mask.same(W::ones())
    }
    /// `word` is a member.
    #[inline(always)]
    pub fn contains(self, word: W) -> W::Truth {
        (word & !self.mask).same(self.value)
    }
    /// The least member, unsigned.
    #[inline(always)]
    pub fn min(self) -> W {
        self.value
    }
    /// The greatest member, unsigned.
    #[inline(always)]
    pub fn max(self) -> W {
        self.value | self.mask
    }
    /// Every member of `other` is a member. (`tnum_in`)
    #[inline(always)]
    pub fn includes(&self, other: &Self) -> W::Truth {
        (other.mask & !self.mask).is_zero() & self.contains(other.value)
    }
    /// Some word may be a member of both: no bit is known to differ. (`tnum_overlap`)
    #[inline(always)]
    pub fn overlaps(self, other: Self) -> W::Truth {
        ((self.value ^ other.value) & !self.mask & !other.mask).is_zero()
    }
    /// What both know, taken together; a bit known to differ is taken as set. (`tnum_intersect`)
    #[inline(always)]
    pub fn meet(self, other: Self) -> Self {
        Self::new(self.value | other.value, self.mask & other.mask)
    }
    /// What both know alike: the least set that holds both. (`tnum_union`)
    #[inline(always)]
    pub fn union(self, other: Self) -> Self {
        Self::new(self.value & other.value, (self.value ^ other.value) | self.mask | other.mask)
    }
    /// Every member is a multiple of `size`, a power of two; true of size zero. (`tnum_is_aligned`)
    #[inline(always)]
    pub fn is_aligned(self, size: W) -> W::Truth {
        size.is_zero() | (self.max() & size.wrapping_sub(W::one())).is_zero()
    }

    /// The least member above `word`, or the greatest member if there is none. (`tnum_step`)
    ///
    /// Members are counted by their unknown bits. To count on from `word`, everything that is not counted is filled with ones, so that a carry
    /// runs through it: the known bits, and whatever lies under a known bit that `word` has beyond the least member.
    ///
    /// ```text
    /// members  x 1 1 1 0 0 x 0
    /// word     1 1 1 1 0 0 0 1      beyond the least member by 1 0 0 0 0 0 0 1
    /// next     1 1 1 1 0 0 1 0
    /// ```
    #[inline(always)]
    pub fn step(self, word: W) -> W {
        let beyond = word.wrapping_sub(self.value);
        let carries = beyond | (beyond & !self.mask).filled() | !self.mask;
        let next = self.value | (carries.wrapping_add(W::one()) & self.mask);
        case! {
            self.max().ule(word) => self.max(),
            word.ult(self.value) => self.value,
            _ => next,
        }
    }
}

/// Arithmetic: each result holds `x op y` for all members `x` and `y`.
#[expect(
    clippy::should_implement_trait,
    reason = "these are set operations; `a + b` would read as arithmetic on numbers"
)]
impl<W: Word> Tnum<W> {
    /// Sums. A bit is unknown when the least and the greatest sum differ in it, or an operand's is. (`tnum_add`)
    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        let least = self.value.wrapping_add(other.value);
        let greatest = least.wrapping_add(self.mask.wrapping_add(other.mask));
        Self::new(least, (greatest ^ least) | self.mask | other.mask)
    }
    /// Differences. (`tnum_sub`)
    #[inline(always)]
    pub fn sub(self, other: Self) -> Self {
        let between = self.value.wrapping_sub(other.value);
        let (greatest, least) = (between.wrapping_add(self.mask), between.wrapping_sub(other.mask));
        Self::new(between, (greatest ^ least) | self.mask | other.mask)
    }
    /// Two's complements. (`tnum_neg`)
    #[inline(always)]
    pub fn neg(self) -> Self {
        Self::exactly(W::zero()).sub(self)
    }
    /// Products, by long multiplication over the bits of `self`. (`tnum_mul`)
    #[inline]
    pub fn mul(self, other: Self) -> Self {
        let mut product = Product { sum: Self::exactly(W::zero()), multiplier: self, multiplicand: other };
        for _ in 0..W::BITS {
            if product.multiplier.max().is_zero().decided() == Some(true) {
                break;
            }
            product = product.next();
        }
        product.sum
    }
    /// Products, less exact: known parts multiplied at once, doubts added up bit by bit. (`tnum_mul`, Linux 6.12)
    ///
    /// ```text
    /// x * y = v * w + Σ 2^i * (y − w, where v has bit i; y, where only x has it; else 0)      v, w: the known bits of x, y
    /// ```
    #[inline]
    pub fn mul_apart(self, other: Self) -> Self {
        let mut doubts = Doubts { sum: Self::exactly(W::zero()), multiplier: self, multiplicand: other };
        for _ in 0..W::BITS {
            if doubts.multiplier.max().is_zero().decided() == Some(true) {
                break;
            }
            doubts = doubts.next();
        }
        Self::exactly(self.value.wrapping_mul(other.value)).add(doubts.sum)
    }
    /// Bitwise conjunctions. (`tnum_and`)
    #[inline(always)]
    pub fn and(self, other: Self) -> Self {
        let set = self.value & other.value;
        Self { value: set, mask: self.max() & other.max() & !set }
    }
    /// Bitwise disjunctions. (`tnum_or`)
    #[inline(always)]
    pub fn or(self, other: Self) -> Self {
        let set = self.value | other.value;
        Self { value: set, mask: (self.mask | other.mask) & !set }
    }
    /// Bitwise differences. (`tnum_xor`)
    #[inline(always)]
    pub fn xor(self, other: Self) -> Self {
        Self::new(self.value ^ other.value, self.mask | other.mask)
    }
    /// Members shifted left. (`tnum_lshift`)
    #[inline(always)]
    pub fn lsh(self, by: W) -> Self {
        Self { value: self.value.shl(by), mask: self.mask.shl(by) }
    }
    /// Members shifted right, zeros coming in. (`tnum_rshift`)
    #[inline(always)]
    pub fn rsh(self, by: W) -> Self {
        Self { value: self.value.shr(by), mask: self.mask.shr(by) }
    }
    /// Members shifted right, signs coming in: an unknown sign makes unknown bits. (`tnum_arshift`)
    #[inline(always)]
    pub fn arsh(self, by: W) -> Self {
        Self { value: self.value.sar(by), mask: self.mask.sar(by) }
    }
    /// Members with all but the low `bits` bits cleared. (`tnum_cast`)
    #[inline(always)]
    pub fn truncate(self, bits: u32) -> Self {
        Self { value: self.value & W::low_ones(bits), mask: self.mask & W::low_ones(bits) }
    }
}

/// A long multiplication under way: what remains is `sum + multiplier * multiplicand`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Product<W> {
    /// What has been added up.
    pub sum: Tnum<W>,
    /// The bits that are still to be looked at.
    pub multiplier: Tnum<W>,
    /// What the lowest of them is worth.
    pub multiplicand: Tnum<W>,
}

impl<W: Word> Product<W> {
    /// One bit further: a set bit adds the multiplicand, an unknown one perhaps.
    #[inline(always)]
    pub fn next(self) -> Self {
        let Self { sum, multiplier, multiplicand } = self;
        let lowest = multiplier.and(Tnum::exactly(W::one()));
        let sum = case! {
            !lowest.value.is_zero() => sum.add(multiplicand),
            !lowest.mask.is_zero() => sum.union(sum.add(multiplicand)),
            _ => sum,
        };
        Self { sum, multiplier: multiplier.rsh(W::one()), multiplicand: multiplicand.lsh(W::one()) }
    }
}

/// What of a product is not known beforehand, under way: one term for each bit of the multiplier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Doubts<W> {
    /// What has been added up.
    pub sum: Tnum<W>,
    /// The bits that are still to be looked at.
    pub multiplier: Tnum<W>,
    /// What the lowest of them is worth.
    pub multiplicand: Tnum<W>,
}

impl<W: Word> Doubts<W> {
    /// One bit further: a set bit adds the multiplicand's doubts, an unknown one perhaps the multiplicand.
    #[inline(always)]
    pub fn next(self) -> Self {
        let Self { sum, multiplier, multiplicand } = self;
        let lowest = multiplier.and(Tnum::exactly(W::one()));
        let doubts = |mask: W| sum.add(Tnum { value: W::zero(), mask });
        let sum = case! {
            !lowest.value.is_zero() => doubts(multiplicand.mask),
            !lowest.mask.is_zero() => doubts(multiplicand.max()),
            _ => sum,
        };
        Self { sum, multiplier: multiplier.rsh(W::one()), multiplicand: multiplicand.lsh(W::one()) }
    }
}

/// Halves.
impl<W: Double> Tnum<W> {
    /// The low halves of the members.
    #[inline(always)]
    pub fn low(self) -> Tnum<W::Half> {
        Tnum { value: self.value.low(), mask: self.mask.low() }
    }
    /// Members of `low`, zero-extended.
    #[inline(always)]
    pub fn zero_extended(low: Tnum<W::Half>) -> Self {
        Self { value: W::zero_extended(low.value), mask: W::zero_extended(low.mask) }
    }
    /// The high halves of the members over the members of `low`. (`tnum_with_subreg`)
    #[inline(always)]
    pub fn with_low(self, low: Tnum<W::Half>) -> Self {
        Self { value: self.value.with_low(low.value), mask: self.mask.with_low(low.mask) }
    }
    /// The bytes of the low `bits` bits reversed, the bits above cleared. (`tnum_bswap16`, `tnum_bswap32`, `tnum_bswap64`)
    #[inline(always)]
    pub fn swapped(self, bits: u32) -> Self {
        Self { value: self.value.swapped(bits), mask: self.mask.swapped(bits) }
    }
}

/// At 64 bits, by the kernel's names.
impl Tnum<u64> {
    /// Every word.
    pub const fn unknown() -> Self {
        Self { value: 0, mask: u64::MAX }
    }
    /// The one word `value`.
    pub const fn constant(value: u64) -> Self {
        Self { value, mask: 0 }
    }
    /// What both know, taken together, or nothing when they are known to differ.
    #[inline]
    pub fn intersect(self, other: Self) -> Option<Self> {
        self.overlaps(other).then(|| self.meet(other))
    }
    /// Members with all but the low `size` bytes cleared. (`tnum_cast`)
    #[inline]
    pub fn cast(self, size: u32) -> Self {
        self.truncate(size.saturating_mul(8))
    }
    /// Members with the high half cleared. (`tnum_subreg`)
    #[inline]
    pub fn subreg(self) -> Self {
        self.truncate(32)
    }
    /// Members with the low half cleared. (`tnum_clear_subreg`)
    #[inline]
    pub fn clear_subreg(self) -> Self {
        self.with_low(Tnum { value: 0, mask: 0 })
    }
    /// The high halves of the members over the low halves of `other`'s. (`tnum_with_subreg`)
    #[inline]
    pub fn with_subreg(self, other: Self) -> Self {
        self.with_low(other.low())
    }
    /// One low half only. (`tnum_subreg_is_const`)
    #[inline]
    pub fn subreg_is_const(self) -> bool {
        self.low().is_const()
    }
}
