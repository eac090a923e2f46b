//! Machine words, abstractly: the few operations that every operator of this crate is written in.
//!
//! One source, three instances:
//!
//! | instance | for |
//! | --- | --- |
//! | `u64` and `u32` | production: each operation is one machine instruction |
//! | [`small::Bits`] | enumeration: a "64-bit" word of six bits has every set, every pair of sets, every member |
//! | a symbolic word (in the prover) | proof: each operation is a term of the SMT theory of bit vectors |
//!
//! A concrete word decides a condition and takes one branch; a symbolic word cannot, and merges the two outcomes. Operators therefore never
//! say `if` about a word: they say [`Truth::choose`], mostly through the decision list `case!`.

mod native;
pub mod small;

use core::fmt::Debug;
use core::ops::{BitAnd, BitOr, BitXor, Not};

/// The outcome of comparing two words: `bool`, or a term that is true or false in each model.
pub trait Truth:
    Copy + Debug + Choose<Self> + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self>
{
    /// A truth that is known beforehand.
    fn known(value: bool) -> Self;

    /// The outcome, where it can be told already; for stopping early, never for a result.
    fn decided(self) -> Option<bool>;

    /// `yes()` where this holds and `no()` where it does not.
    fn choose<T: Choose<Self>>(self, yes: impl FnOnce() -> T, no: impl FnOnce() -> T) -> T;
}

/// What can be chosen by a condition: words, whatever is made of words, and other conditions.
pub trait Choose<B>: Sized {
    /// `yes` where `condition` holds, `no` elsewhere.
    fn select(condition: B, yes: Self, no: Self) -> Self;
}

/// A word of [`Word::BITS`] bits, read as unsigned or as two's complement by the operation, never by the type.
///
/// Arithmetic wraps, as the names say. Shifts by the width or more shift everything out.
pub trait Word:
    Copy + Debug + BitAnd<Output = Self> + BitOr<Output = Self> + BitXor<Output = Self> + Not<Output = Self>
{
    /// What comparisons yield.
    type Truth: Truth;
    /// The width, from 1 to 64.
    const BITS: u32;

    /// The low bits of `value`.
    fn literal(value: u64) -> Self;
    /// `yes` where `condition` holds, `no` elsewhere.
    fn pick(condition: Self::Truth, yes: Self, no: Self) -> Self;

    /// Sum, modulo 2^BITS.
    fn wrapping_add(self, other: Self) -> Self;
    /// Difference, modulo 2^BITS.
    fn wrapping_sub(self, other: Self) -> Self;
    /// Product, modulo 2^BITS.
    fn wrapping_mul(self, other: Self) -> Self;
    /// Unsigned quotient; any value when `divisor` is zero.
    fn udiv(self, divisor: Self) -> Self;
    /// Signed quotient, rounded towards zero; `MIN / -1` is `MIN`; any value when `divisor` is zero.
    fn sdiv(self, divisor: Self) -> Self;
    /// Shifted left, zeros coming in.
    fn shl(self, by: Self) -> Self;
    /// Shifted right, zeros coming in.
    fn shr(self, by: Self) -> Self;
    /// Shifted right, copies of the sign coming in.
    fn sar(self, by: Self) -> Self;

    /// Equal.
    fn same(self, other: Self) -> Self::Truth;
    /// Less, unsigned.
    fn ult(self, other: Self) -> Self::Truth;
    /// Less, signed.
    fn slt(self, other: Self) -> Self::Truth;
    /// The unsigned product does not fit.
    fn umul_overflows(self, other: Self) -> Self::Truth;
    /// The signed product does not fit.
    fn smul_overflows(self, other: Self) -> Self::Truth;

    /// The smallest `2^k - 1` that is not below `self`: every bit at or under the highest set bit is set.
    #[inline(always)]
    fn filled(self) -> Self {
        let mut all = self;
        let mut reach = 1;
        while reach < Self::BITS {
            all = all | all.shr(Self::literal(u64::from(reach)));
            reach *= 2;
        }
        all
    }

    /// Zero.
    #[inline(always)]
    fn zero() -> Self {
        Self::literal(0)
    }
    /// One.
    #[inline(always)]
    fn one() -> Self {
        Self::literal(1)
    }
    /// All ones: the greatest unsigned word.
    #[inline(always)]
    fn ones() -> Self {
        !Self::zero()
    }
    /// The sign bit alone: the least signed word.
    #[inline(always)]
    fn signed_min() -> Self {
        Self::literal(1 << (Self::BITS - 1))
    }
    /// All ones but the sign: the greatest signed word.
    #[inline(always)]
    fn signed_max() -> Self {
        !Self::signed_min()
    }
    /// The low `bits` ones.
    #[inline(always)]
    fn low_ones(bits: u32) -> Self {
        if bits >= Self::BITS { Self::ones() } else { Self::literal((1 << bits) - 1) }
    }
    /// Two's complement.
    #[inline(always)]
    fn wrapping_neg(self) -> Self {
        Self::zero().wrapping_sub(self)
    }
    /// Equal to zero.
    #[inline(always)]
    fn is_zero(self) -> Self::Truth {
        self.same(Self::zero())
    }
    /// Below zero, signed.
    #[inline(always)]
    fn is_negative(self) -> Self::Truth {
        self.slt(Self::zero())
    }
    /// Less or equal, unsigned.
    #[inline(always)]
    fn ule(self, other: Self) -> Self::Truth {
        !other.ult(self)
    }
    /// Greater, unsigned.
    #[inline(always)]
    fn ugt(self, other: Self) -> Self::Truth {
        other.ult(self)
    }
    /// Less or equal, signed.
    #[inline(always)]
    fn sle(self, other: Self) -> Self::Truth {
        !other.slt(self)
    }
    /// The lesser, unsigned.
    #[inline(always)]
    fn umin(self, other: Self) -> Self {
        Self::pick(other.ult(self), other, self)
    }
    /// The greater, unsigned.
    #[inline(always)]
    fn umax(self, other: Self) -> Self {
        Self::pick(self.ult(other), other, self)
    }
    /// The lesser, signed.
    #[inline(always)]
    fn smin(self, other: Self) -> Self {
        Self::pick(other.slt(self), other, self)
    }
    /// The greater, signed.
    #[inline(always)]
    fn smax(self, other: Self) -> Self {
        Self::pick(self.slt(other), other, self)
    }
    /// Unsigned remainder; any value when `divisor` is zero.
    #[inline(always)]
    fn urem(self, divisor: Self) -> Self {
        self.wrapping_sub(self.udiv(divisor).wrapping_mul(divisor))
    }
    /// Signed remainder, with the sign of `self`; any value when `divisor` is zero.
    #[inline(always)]
    fn srem(self, divisor: Self) -> Self {
        self.wrapping_sub(self.sdiv(divisor).wrapping_mul(divisor))
    }
    /// The sign bit of the low `bits` bits copied into all bits above them.
    #[inline(always)]
    fn sign_extended_from(self, bits: u32) -> Self {
        let unused = Self::literal(u64::from(Self::BITS.saturating_sub(bits)));
        self.shl(unused).sar(unused)
    }
}

/// A word with a low half that is a word as well: a 64-bit register and its 32-bit subregister.
pub trait Double: Word {
    /// The low half.
    type Half: Word<Truth = Self::Truth>;
    /// How many bits a byte has: 8, or 1 where a word is too short to have bytes.
    const BYTE: u32;

    /// The low half.
    fn low(self) -> Self::Half;
    /// The word whose low half is `low` and whose high half is zero.
    fn zero_extended(low: Self::Half) -> Self;
    /// The word whose low half is `low` and whose high half copies its sign.
    fn sign_extended(low: Self::Half) -> Self;
    /// The low `bits` bits with their bytes in reverse order; the bits above are zero.
    fn swapped(self, bits: u32) -> Self;

    /// The low half of `low` under the high half of `self`.
    #[inline(always)]
    fn with_low(self, low: Self::Half) -> Self {
        self.without_low() | Self::zero_extended(low)
    }
    /// The low half cleared.
    #[inline(always)]
    fn without_low(self) -> Self {
        self & !Self::low_ones(Self::BITS / 2)
    }
}

impl<B, W: Word<Truth = B>> Choose<B> for W {
    #[inline(always)]
    fn select(condition: B, yes: Self, no: Self) -> Self {
        W::pick(condition, yes, no)
    }
}

impl<B: Copy, T: Choose<B>, U: Choose<B>> Choose<B> for (T, U) {
    #[inline(always)]
    fn select(condition: B, yes: Self, no: Self) -> Self {
        (T::select(condition, yes.0, no.0), U::select(condition, yes.1, no.1))
    }
}

impl Choose<Self> for bool {
    #[inline(always)]
    fn select(condition: Self, yes: Self, no: Self) -> Self {
        if condition { yes } else { no }
    }
}

impl Truth for bool {
    #[inline(always)]
    fn known(value: bool) -> Self {
        value
    }
    #[inline(always)]
    fn decided(self) -> Option<bool> {
        Some(self)
    }
    #[inline(always)]
    fn choose<T: Choose<Self>>(self, yes: impl FnOnce() -> T, no: impl FnOnce() -> T) -> T {
        if self { yes() } else { no() }
    }
}

/// A decision list: the value of the first line whose condition holds.
macro_rules! case {
    (_ => $otherwise:expr $(,)?) => { $otherwise };
    ($condition:expr => $value:expr, $($rest:tt)+) => {
        $crate::word::Truth::choose($condition, || $value, || $crate::word::case!($($rest)+))
    };
}
pub(crate) use case;
