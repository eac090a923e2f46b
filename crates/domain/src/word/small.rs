//! Words short enough that everything about them can be enumerated.

use core::ops::{BitAnd, BitOr, BitXor, Not};

use super::{Double, Word};

/// A word of `N` bits, from 1 to 16, kept in the low bits of a `u64`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Bits<const N: u32>(u64);

impl<const N: u32> Bits<N> {
    const MASK: u64 = (1 << N) - 1;

    /// The low `N` bits of `value`.
    #[inline(always)]
    pub fn new(value: u64) -> Self {
        Self(value & Self::MASK)
    }
    /// The value, unsigned.
    #[inline(always)]
    pub fn unsigned(self) -> u64 {
        self.0
    }
    /// The value, signed.
    #[inline(always)]
    pub fn signed(self) -> i64 {
        ((self.0 << (64 - N)) as i64) >> (64 - N)
    }
    /// Every word of this width, in unsigned order.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        (0..=Self::MASK).map(Self)
    }
}

impl<const N: u32> BitAnd for Bits<N> {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}
impl<const N: u32> BitOr for Bits<N> {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
impl<const N: u32> BitXor for Bits<N> {
    type Output = Self;
    #[inline(always)]
    fn bitxor(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }
}
impl<const N: u32> Not for Bits<N> {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Self::new(!self.0)
    }
}

impl<const N: u32> Word for Bits<N> {
    type Truth = bool;
    const BITS: u32 = N;

    #[inline(always)]
    fn literal(value: u64) -> Self {
        Self::new(value)
    }
    #[inline(always)]
    fn pick(condition: bool, yes: Self, no: Self) -> Self {
        if condition { yes } else { no }
    }
    #[inline(always)]
    fn wrapping_add(self, other: Self) -> Self {
        Self::new(self.0.wrapping_add(other.0))
    }
    #[inline(always)]
    fn wrapping_sub(self, other: Self) -> Self {
        Self::new(self.0.wrapping_sub(other.0))
    }
    #[inline(always)]
    fn wrapping_mul(self, other: Self) -> Self {
        Self::new(self.0.wrapping_mul(other.0))
    }
    #[inline(always)]
    fn udiv(self, divisor: Self) -> Self {
        Self::new(self.0.checked_div(divisor.0).unwrap_or(u64::MAX))
    }
    #[inline(always)]
    fn sdiv(self, divisor: Self) -> Self {
        Self::new(self.signed().checked_div(divisor.signed()).unwrap_or(-1) as u64)
    }
    #[inline(always)]
    fn shl(self, by: Self) -> Self {
        Self::new(u32::try_from(by.0).ok().and_then(|by| self.0.checked_shl(by)).unwrap_or(0))
    }
    #[inline(always)]
    fn shr(self, by: Self) -> Self {
        Self::new(u32::try_from(by.0).ok().and_then(|by| self.0.checked_shr(by)).unwrap_or(0))
    }
    #[inline(always)]
    fn sar(self, by: Self) -> Self {
        Self::new((self.signed() >> Ord::min(by.0, 63)) as u64)
    }
    #[inline(always)]
    fn same(self, other: Self) -> bool {
        self == other
    }
    #[inline(always)]
    fn ult(self, other: Self) -> bool {
        self.0 < other.0
    }
    #[inline(always)]
    fn slt(self, other: Self) -> bool {
        self.signed() < other.signed()
    }
    #[inline(always)]
    fn umul_overflows(self, other: Self) -> bool {
        self.0.saturating_mul(other.0) > Self::MASK
    }
    #[inline(always)]
    fn smul_overflows(self, other: Self) -> bool {
        let product = self.signed().saturating_mul(other.signed());
        product != Self::new(product as u64).signed()
    }
}

/// `Bits<N>` is the double of `Bits<H>`; its bytes are single bits.
macro_rules! double {
    ($($whole:literal is twice $half:literal;)*) => { $(
        impl Double for Bits<$whole> {
            type Half = Bits<$half>;
            const BYTE: u32 = 1;

            #[inline(always)]
            fn low(self) -> Bits<$half> {
                Bits::new(self.0)
            }
            #[inline(always)]
            fn zero_extended(low: Bits<$half>) -> Self {
                Bits::new(low.0)
            }
            #[inline(always)]
            fn sign_extended(low: Bits<$half>) -> Self {
                Bits::new(low.signed() as u64)
            }
            #[inline(always)]
            fn swapped(self, bits: u32) -> Self {
                Bits::new(self.0.reverse_bits().checked_shr(64 - bits).unwrap_or(0))
            }
        }
    )* };
}

double! {
    4 is twice 2;
    6 is twice 3;
    8 is twice 4;
    12 is twice 6;
}
