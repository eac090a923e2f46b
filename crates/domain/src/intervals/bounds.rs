//! Two intervals of words: one of their unsigned, one of their signed readings.
//!
//! ```text
//!        0              SMAX SMIN              MAX
//!        |---------------------|--------------------|
//! u      |      [=======================]          |      in one piece
//! s      ======================]   [================      in one piece, where it goes on from MAX to 0
//! both          [==============]   [=====]                 what is in both
//! ```
//!
//! Bounds that exclude each other stay as they are: [`Bounds::is_empty`] tells them.

mod transfer;

use crate::tnum::Tnum;
use crate::word::{Choose, Word, case};

/// An unsigned and a signed interval of words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Bounds<W> {
    /// No member is less, unsigned.
    pub umin: W,
    /// No member is greater, unsigned.
    pub umax: W,
    /// No member is less, signed.
    pub smin: W,
    /// No member is greater, signed.
    pub smax: W,
}

impl<W: Word> Choose<W::Truth> for Bounds<W> {
    #[inline(always)]
    fn select(condition: W::Truth, yes: Self, no: Self) -> Self {
        Self {
            umin: W::pick(condition, yes.umin, no.umin),
            umax: W::pick(condition, yes.umax, no.umax),
            smin: W::pick(condition, yes.smin, no.smin),
            smax: W::pick(condition, yes.smax, no.smax),
        }
    }
}

/// Making bounds.
impl<W: Word> Bounds<W> {
    /// Every word.
    #[inline(always)]
    pub fn full() -> Self {
        Self { umin: W::zero(), umax: W::ones(), smin: W::signed_min(), smax: W::signed_max() }
    }
    /// The one word `value`.
    #[inline(always)]
    pub fn exactly(value: W) -> Self {
        Self { umin: value, umax: value, smin: value, smax: value }
    }
    /// From `min` to `max`, unsigned; nothing else is known.
    #[inline(always)]
    pub fn from_unsigned(min: W, max: W) -> Self {
        Self { umin: min, umax: max, ..Self::full() }
    }
    /// From `min` to `max`, signed; nothing else is known.
    #[inline(always)]
    pub fn from_signed(min: W, max: W) -> Self {
        Self { smin: min, smax: max, ..Self::full() }
    }
    /// From `min` to `max`, unsigned, and signed as well unless the sign changes between them.
    #[inline(always)]
    pub fn from_unsigned_and_signed(min: W, max: W) -> Self {
        case! {
            min.sle(max) => Self { umin: min, umax: max, smin: min, smax: max },
            _ => Self::from_unsigned(min, max),
        }
    }
    /// The best intervals that hold a known-bits set. A sign that may be either is least when set.
    #[inline(always)]
    pub fn from_tnum(tnum: Tnum<W>) -> Self {
        let (sign, rest) = (W::signed_min(), W::signed_max());
        Self {
            umin: tnum.min(),
            umax: tnum.max(),
            smin: tnum.value | (tnum.mask & sign),
            smax: tnum.value | (tnum.mask & rest),
        }
    }
}

/// Asking.
impl<W: Word> Bounds<W> {
    /// `word` is a member.
    #[inline(always)]
    pub fn contains(self, word: W) -> W::Truth {
        let Self { umin, umax, smin, smax } = self;
        umin.ule(word) & word.ule(umax) & smin.sle(word) & word.sle(smax)
    }
    /// An interval has its ends crossed: there is no member.
    #[inline(always)]
    pub fn is_empty(self) -> W::Truth {
        self.umin.ugt(self.umax) | self.smax.slt(self.smin)
    }
    /// Both intervals are the one word `value`.
    #[inline(always)]
    pub fn is_exactly(self, value: W) -> W::Truth {
        let Self { umin, umax, smin, smax } = self;
        umin.same(value) & umax.same(value) & smin.same(value) & smax.same(value)
    }
    /// Each interval is one word.
    #[inline(always)]
    pub fn is_const(self) -> W::Truth {
        self.umin.same(self.umax) & self.smin.same(self.smax)
    }
    /// Both intervals lie within those of `self`. (`range_within`)
    #[inline(always)]
    pub fn includes(&self, other: &Self) -> W::Truth {
        let Self { umin, umax, smin, smax } = *self;
        umin.ule(other.umin) & other.umax.ule(umax) & smin.sle(other.smin) & other.smax.sle(smax)
    }
    /// The intervals of one reading do not overlap: there is no common member.
    #[inline(always)]
    pub fn is_apart(self, other: Self) -> W::Truth {
        self.umin.ugt(other.umax) | self.umax.ult(other.umin) | other.smax.slt(self.smin) | self.smax.slt(other.smin)
    }
}

/// Meet and join, and what one reading says of the other.
impl<W: Word> Bounds<W> {
    /// The common members.
    #[inline(always)]
    pub fn meet(self, other: Self) -> Self {
        self.cut_unsigned(other.umin, other.umax).cut_signed(other.smin, other.smax)
    }
    /// The least intervals that hold both.
    #[inline(always)]
    pub fn join(self, other: Self) -> Self {
        Self {
            umin: self.umin.umin(other.umin),
            umax: self.umax.umax(other.umax),
            smin: self.smin.smin(other.smin),
            smax: self.smax.smax(other.smax),
        }
    }
    /// The unsigned interval cut to `min..=max`.
    #[inline(always)]
    pub fn cut_unsigned(self, min: W, max: W) -> Self {
        Self { umin: self.umin.umax(min), umax: self.umax.umin(max), ..self }
    }
    /// The signed interval cut to `min..=max`.
    #[inline(always)]
    pub fn cut_signed(self, min: W, max: W) -> Self {
        Self { smin: self.smin.smax(min), smax: self.smax.smin(max), ..self }
    }
    /// The members other than `value`: an end that is `value` moves inward.
    #[inline(always)]
    pub fn without(self, value: W) -> Self {
        let (up, down) = (|word: W| word.wrapping_add(W::one()), |word: W| word.wrapping_sub(W::one()));
        let moved = |end: W, inward: W| W::pick(end.same(value), inward, end);
        let Self { umin, umax, smin, smax } = self;
        Self {
            umin: moved(umin, up(umin)),
            umax: moved(umax, down(umax)),
            smin: moved(smin, up(smin)),
            smax: moved(smax, down(smax)),
        }
    }

    /// Each reading cut to what the other says. (`__reg64_deduce_bounds`, `__reg32_deduce_bounds` from the unsigned interval on)
    ///
    /// An interval whose ends have one sign is the same in both readings. A signed one that crosses zero leaves a gap in the unsigned line; if the
    /// unsigned interval overlaps one side of the gap only, both become that side:
    ///
    /// ```text
    ///      0                                         MAX
    /// u    |  [==================]                     |
    /// s    ===========]                    [============
    /// both |  [=======]                                |
    /// ```
    #[inline(always)]
    pub fn agreed(self) -> Self {
        let bounds = case! {
            self.umin.sle(self.umax) => self.cut_signed(self.umin, self.umax),
            _ => self,
        };
        let Self { umin, umax, smin, smax } = bounds;
        case! {
            smin.ule(smax) => bounds.cut_unsigned(smin, smax),
            umax.ult(smin) => Self { umin, umax: umax.umin(smax), smin: umin, smax },
            smax.ult(umin) => Self { umin: umin.umax(smin), umax, smin, smax: umax },
            _ => bounds,
        }
    }
}
