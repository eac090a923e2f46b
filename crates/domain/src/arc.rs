//! Circular ranges: the words met when walking `size` steps upward from `base`, through the wrap.
//!
//! ```text
//! γ(base, size) = { base, base + 1, …, base + size }  modulo 2^BITS,   γ(MAX, MAX) = ∅
//!
//!            0                        one range, read in two ways:
//!        MAX ╷ 1
//!       ╭────┴────╮                   { base: 2, size: 3 }      2..=5 unsigned and signed
//!   −4  ┤         ├ 4                 { base: −2, size: 4 }     crosses MAX→0: nothing is known unsigned, −2..=2 signed
//!       ╰────┬────╯                   { base: SMAX − 1, size: 3 } crosses SMAX→SMIN: nothing is known signed
//!    SMIN    ╵ SMAX
//! ```
//!
//! One arc replaces the four bounds that older kernels kept. All words are `{0, MAX}`; a range that was assembled from its ends may be full
//! with another base, and the two are told apart by equality, as the kernel tells them apart. The empty arc is `{MAX, MAX}`.
//!
//! Two arcs may meet in two pieces. One arc cannot say so: [`Arc::intersect`] then keeps the smaller of the two.
//!
//! Source: `kernel/bpf/cnum.c`, `kernel/bpf/cnum_defs.h`, Linux 7.3, where it is called a circular number.

mod transfer;

use crate::tnum::Tnum;
use crate::word::{Choose, Double, Word, case};

/// A circular range of words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Arc<W> {
    /// The first word.
    pub base: W,
    /// How many words follow the first.
    pub size: W,
}

impl<W: Word> Choose<W::Truth> for Arc<W> {
    #[inline(always)]
    fn select(condition: W::Truth, yes: Self, no: Self) -> Self {
        Self { base: W::pick(condition, yes.base, no.base), size: W::pick(condition, yes.size, no.size) }
    }
}

/// Making arcs.
impl<W: Word> Arc<W> {
    /// Every word.
    #[inline(always)]
    pub fn full() -> Self {
        Self { base: W::zero(), size: W::ones() }
    }
    /// No word.
    #[inline(always)]
    pub fn empty() -> Self {
        Self { base: W::ones(), size: W::ones() }
    }
    /// The one word `value`.
    #[inline(always)]
    pub fn exactly(value: W) -> Self {
        Self { base: value, size: W::zero() }
    }
    /// Every word but `value`.
    #[inline(always)]
    pub fn all_but(value: W) -> Self {
        Self { base: value.wrapping_add(W::one()), size: W::ones().wrapping_sub(W::one()) }
    }
    /// From `min` upward to `max`, through the wrap if `max` is the lesser. (`from_urange`)
    #[inline(always)]
    pub fn from_unsigned(min: W, max: W) -> Self {
        Self { base: min, size: max.wrapping_sub(min) }
    }
    /// From `min` upward to `max` as signed words; written as the full arc when that is everything. (`from_srange`)
    #[inline(always)]
    pub fn from_signed(min: W, max: W) -> Self {
        let size = max.wrapping_sub(min);
        Self { base: W::pick(size.same(W::ones()), W::zero(), min), size }
    }
    /// The best signed or unsigned range that holds a known-bits set. (`cnum64_from_tnum`, `cnum32_from_tnum`)
    ///
    /// The range is signed unless the sign is known to be clear, where both readings agree.
    #[inline(always)]
    pub fn from_tnum(tnum: Tnum<W>) -> Self {
        let (sign, rest) = (W::signed_min(), W::signed_max());
        case! {
            (tnum.max() & sign).is_zero() => Self::from_unsigned(tnum.min(), tnum.max()),
            _ => Self::from_signed(tnum.value | (tnum.mask & sign), tnum.value | (tnum.mask & rest)),
        }
    }
    /// A full arc written in one of its two standing forms: based at zero, or at the greatest signed word if it was there.
    #[inline(always)]
    pub fn normalize(self) -> Self {
        let strays = self.size.same(W::ones()) & !self.base.same(W::signed_max());
        Self { base: W::pick(strays, W::zero(), self.base), size: self.size }
    }
}

/// Asking arcs.
impl<W: Word> Arc<W> {
    /// The last word.
    #[inline(always)]
    fn last(self) -> W {
        self.base.wrapping_add(self.size)
    }
    /// Has no member.
    #[inline(always)]
    pub fn is_empty(self) -> W::Truth {
        self.base.same(W::ones()) & self.size.same(W::ones())
    }
    /// Has every member, however written.
    #[inline(always)]
    pub fn is_full(self) -> W::Truth {
        self.size.same(W::ones()) & !self.base.same(W::ones())
    }
    /// Has one member.
    #[inline(always)]
    pub fn is_const(self) -> W::Truth {
        self.size.is_zero()
    }
    /// `word` is a member.
    #[inline(always)]
    pub fn contains(self, word: W) -> W::Truth {
        !self.is_empty() & word.wrapping_sub(self.base).ule(self.size)
    }
    /// Goes through `MAX` to zero.
    #[inline(always)]
    fn wraps(self) -> W::Truth {
        self.size.ugt(W::ones().wrapping_sub(self.base))
    }
    /// Goes through the greatest to the least signed word, or holds both.
    #[inline(always)]
    fn wraps_signed(self) -> W::Truth {
        self.contains(W::signed_max()) & self.contains(W::signed_min())
    }
    /// A lower bound of the members, unsigned: the least of them unless the arc wraps.
    #[inline(always)]
    pub fn umin(self) -> W {
        W::pick(self.wraps(), W::zero(), self.base)
    }
    /// An upper bound of the members, unsigned: the greatest of them unless the arc wraps.
    #[inline(always)]
    pub fn umax(self) -> W {
        W::pick(self.wraps(), W::ones(), self.last())
    }
    /// A lower bound of the members, signed.
    #[inline(always)]
    pub fn signed_min(self) -> W {
        W::pick(self.wraps_signed(), W::signed_min(), self.base.smin(self.last()))
    }
    /// An upper bound of the members, signed.
    #[inline(always)]
    pub fn signed_max(self) -> W {
        W::pick(self.wraps_signed(), W::signed_max(), self.base.smax(self.last()))
    }
}

/// Order, meet and join.
impl<W: Word> Arc<W> {
    /// Every member of `other` is a member. (`is_subset`)
    #[inline(always)]
    pub fn includes(&self, other: &Self) -> W::Truth {
        let start = other.base.wrapping_sub(self.base);
        let fits = start.ule(self.size) & other.size.ule(self.size.wrapping_sub(start));
        other.is_empty() | (!self.is_empty() & (self.size.same(W::ones()) | fits))
    }

    /// A range that holds the common members: exactly these unless they fall into two pieces. (`intersect`)
    ///
    /// Seen from the first word of the arc with the lesser base, the other arc starts at `start`:
    ///
    /// ```text
    ///         0                       MAX         0                       MAX
    /// first   [=========]               |         [===============]         |
    /// second  |    [========]           |         [==]      [===============>   two pieces: keep the smaller arc
    /// common  |    [====]               |         [==]      [=====]
    /// ```
    #[inline(always)]
    pub fn intersect(self, other: Self) -> Self {
        let swapped = self.base.ugt(other.base);
        let (first, second) = (Self::select(swapped, other, self), Self::select(swapped, self, other));
        let start = second.base.wrapping_sub(first.base);
        let wraps = second.size.ugt(W::ones().wrapping_sub(start));
        let meets = start.ule(first.size);
        case! {
            self.is_empty() | other.is_empty() => Self::empty(),
            wraps & meets => Self::select(first.size.ule(second.size), first, second),
            wraps => Self { base: first.base, size: first.size.umin(start.wrapping_add(second.size)) },
            meets => Self { base: second.base, size: first.size.wrapping_sub(start).umin(second.size) },
            _ => Self::empty(),
        }
    }

    /// The signed range cut to `min..=max`: holds the members between these.
    #[inline]
    pub fn clamped(self, min: W, max: W) -> Self {
        Self::from_signed(self.signed_min().smax(min), self.signed_max().smin(max))
    }

    /// The smallest arc that holds both; on a tie, the one that starts where `self` starts.
    #[inline]
    pub fn join(self, other: Self) -> Self {
        let from_to = |from: Self, to: Self| Self::from_signed(from.base, to.last());
        let (onward, back) = (from_to(self, other), from_to(other, self));
        let holds_both = |arc: Self| arc.includes(&self) & arc.includes(&other);
        case! {
            self.includes(&other) => self,
            other.includes(&self) => other,
            holds_both(onward) & (!holds_both(back) | onward.size.ule(back.size)) => onward,
            holds_both(back) => back,
            _ => Self::full(),
        }
    }
}

/// Halves.
impl<W: Double> Arc<W> {
    /// The low halves of the members. (`cnum32_from_cnum64`)
    #[inline(always)]
    pub fn low(self) -> Arc<W::Half> {
        case! {
            self.is_empty() => Arc::empty(),
            self.size.ult(W::low_ones(W::BITS / 2)) => Arc { base: self.base.low(), size: self.size.low() },
            _ => Arc::full(),
        }
    }

    /// The smallest arc that holds the members whose low halves are in `low`. (`cnum64_cnum32_intersect`)
    ///
    /// Seen from the first word, `low` repeats every 2^(BITS/2) words. Both ends move inward to the nearest repetition:
    ///
    /// ```text
    /// low     |   [===]       |   [===]       |   [===]
    /// self    [===============================]            from 0 to size
    /// common      [===================]
    /// ```
    ///
    /// If the repetitions run over a multiple of 2^(BITS/2), the first word is in one, and only the end can move.
    #[inline(always)]
    pub fn with_low_in(self, low: Arc<W::Half>) -> Self {
        let from = low.base.wrapping_sub(self.base.low());
        let to = from.wrapping_add(low.size);
        let end = self.size.low();
        let runs_over = low.size.ugt(W::Half::ones().wrapping_sub(from));

        let lap = W::low_ones(W::BITS / 2).wrapping_add(W::one());
        let beyond = W::zero_extended(end.wrapping_sub(to));
        let start = W::zero_extended(from);
        let begun = Self { base: self.base.wrapping_add(start), size: self.size.wrapping_sub(start) };
        let surplus = case! {
            end.ult(from) => lap.wrapping_sub(W::zero_extended(to)).wrapping_add(W::zero_extended(end)),
            to.ule(end) => beyond,
            _ => W::zero(),
        };
        case! {
            self.is_empty() | low.is_empty() => Self::empty(),
            runs_over & to.ult(end) & end.ult(from) => Self { base: self.base, size: self.size.wrapping_sub(beyond) },
            runs_over => self,
            self.size.ult(start) | begun.size.ult(surplus) => Self::empty(),
            _ => Self { base: begun.base, size: begun.size.wrapping_sub(surplus) },
        }
    }
}

/// At 64 bits, by the usual names.
impl Arc<u64> {
    /// Every word.
    pub const FULL: Self = Self { base: 0, size: u64::MAX };
    /// No word.
    pub const EMPTY: Self = Self { base: u64::MAX, size: u64::MAX };

    /// The arc of `size + 1` words from `base` upward.
    pub const fn new(base: u64, size: u64) -> Self {
        Self { base, size }
    }
    /// The one word `value`.
    pub const fn constant(value: u64) -> Self {
        Self { base: value, size: 0 }
    }
    /// From `min` upward to `max`.
    pub const fn from_urange(min: u64, max: u64) -> Self {
        Self { base: min, size: max.wrapping_sub(min) }
    }
    /// From `min` upward to `max`, signed.
    #[inline]
    pub fn from_srange(min: i64, max: i64) -> Self {
        Self::from_signed(min as u64, max as u64)
    }
    /// A lower bound of the members, signed.
    #[inline]
    pub fn smin(self) -> i64 {
        self.signed_min() as i64
    }
    /// An upper bound of the members, signed.
    #[inline]
    pub fn smax(self) -> i64 {
        self.signed_max() as i64
    }
}

/// At 32 bits, by the usual names.
impl Arc<u32> {
    /// Every word.
    pub const FULL: Self = Self { base: 0, size: u32::MAX };
    /// No word.
    pub const EMPTY: Self = Self { base: u32::MAX, size: u32::MAX };

    /// The arc of `size + 1` words from `base` upward.
    pub const fn new(base: u32, size: u32) -> Self {
        Self { base, size }
    }
    /// The one word `value`.
    pub const fn constant(value: u32) -> Self {
        Self { base: value, size: 0 }
    }
    /// From `min` upward to `max`.
    pub const fn from_urange(min: u32, max: u32) -> Self {
        Self { base: min, size: max.wrapping_sub(min) }
    }
    /// From `min` upward to `max`, signed.
    #[inline]
    pub fn from_srange(min: i32, max: i32) -> Self {
        Self::from_signed(min as u32, max as u32)
    }
    /// A lower bound of the members, signed.
    #[inline]
    pub fn smin(self) -> i32 {
        self.signed_min() as i32
    }
    /// An upper bound of the members, signed.
    #[inline]
    pub fn smax(self) -> i32 {
        self.signed_max() as i32
    }
}
