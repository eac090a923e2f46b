//! The production instance: `u64` with its low half `u32`.

use super::{Double, Word};

/// The same text for each primitive; only the types differ.
macro_rules! native_word {
    ($unsigned:ty, $signed:ty) => {
        impl Word for $unsigned {
            type Truth = bool;
            const BITS: u32 = <$unsigned>::BITS;

            #[inline(always)]
            fn literal(value: u64) -> Self {
                value as $unsigned
            }
            #[inline(always)]
            fn pick(condition: bool, yes: Self, no: Self) -> Self {
                if condition { yes } else { no }
            }
            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn wrapping_sub(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline(always)]
            fn wrapping_mul(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            #[inline(always)]
            fn udiv(self, divisor: Self) -> Self {
                self.checked_div(divisor).unwrap_or(<$unsigned>::MAX)
            }
            #[inline(always)]
            fn sdiv(self, divisor: Self) -> Self {
                if divisor == 0 {
                    <$unsigned>::MAX
                } else {
                    (self as $signed).wrapping_div(divisor as $signed) as $unsigned
                }
            }
            #[inline(always)]
            fn shl(self, by: Self) -> Self {
                if by < Self::BITS as Self { self << by } else { 0 }
            }
            #[inline(always)]
            fn shr(self, by: Self) -> Self {
                if by < Self::BITS as Self { self >> by } else { 0 }
            }
            #[inline(always)]
            fn sar(self, by: Self) -> Self {
                ((self as $signed) >> Ord::min(by, Self::BITS as Self - 1)) as Self
            }
            #[inline(always)]
            fn same(self, other: Self) -> bool {
                self == other
            }
            #[inline(always)]
            fn ult(self, other: Self) -> bool {
                self < other
            }
            #[inline(always)]
            fn slt(self, other: Self) -> bool {
                (self as $signed) < other as $signed
            }
            #[inline(always)]
            fn umul_overflows(self, other: Self) -> bool {
                self.checked_mul(other).is_none()
            }
            #[inline(always)]
            fn smul_overflows(self, other: Self) -> bool {
                (self as $signed).checked_mul(other as $signed).is_none()
            }
            #[inline(always)]
            fn filled(self) -> Self {
                <$unsigned>::MAX.checked_shr(self.leading_zeros()).unwrap_or(0)
            }
        }
    };
}

native_word!(u64, i64);
native_word!(u32, i32);

impl Double for u64 {
    type Half = u32;
    const BYTE: u32 = 8;

    #[inline(always)]
    fn low(self) -> u32 {
        self as u32
    }
    #[inline(always)]
    fn zero_extended(low: u32) -> Self {
        Self::from(low)
    }
    #[inline(always)]
    fn sign_extended(low: u32) -> Self {
        i64::from(low as i32) as Self
    }
    #[inline(always)]
    fn swapped(self, bits: u32) -> Self {
        self.swap_bytes().checked_shr(Self::BITS.saturating_sub(bits)).unwrap_or(0)
    }
}
