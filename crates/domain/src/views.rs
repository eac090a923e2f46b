//! What a set of words looks like from outside: bounds and known bits.

use crate::tnum::Tnum;

/// What is told of a set of 64-bit words, whatever stands for it: bounds of four readings, and known bits.
///
/// Every member lies within every view ([`crate::laws::views`]).
pub trait Views: Copy + Eq {
    /// The known bits. (`var_off`)
    fn bits(&self) -> Tnum<u64>;
    /// Bounds as unsigned numbers.
    fn unsigned(&self) -> (u64, u64);
    /// Bounds as signed numbers.
    fn signed(&self) -> (i64, i64);
    /// Bounds of the low half as unsigned numbers.
    fn unsigned_low(&self) -> (u32, u32);
    /// Bounds of the low half as signed numbers.
    fn signed_low(&self) -> (i32, i32);

    /// The word, if all its bits are known. (`tnum_is_const`)
    #[inline]
    fn as_const(&self) -> Option<u64> {
        let Tnum { value, mask } = self.bits();
        (mask == 0).then_some(value)
    }
    /// The low half, if all its bits are known. (`tnum_subreg_is_const`)
    #[inline]
    fn subreg_const(&self) -> Option<u32> {
        let Tnum { value, mask } = self.bits();
        (mask as u32 == 0).then_some(value as u32)
    }
    /// A lower bound, unsigned.
    #[inline]
    fn umin(&self) -> u64 {
        self.unsigned().0
    }
    /// An upper bound, unsigned.
    #[inline]
    fn umax(&self) -> u64 {
        self.unsigned().1
    }
    /// A lower bound, signed.
    #[inline]
    fn smin(&self) -> i64 {
        self.signed().0
    }
    /// An upper bound, signed.
    #[inline]
    fn smax(&self) -> i64 {
        self.signed().1
    }
    /// A lower bound of the low half, unsigned.
    #[inline]
    fn u32_min(&self) -> u32 {
        self.unsigned_low().0
    }
    /// An upper bound of the low half, unsigned.
    #[inline]
    fn u32_max(&self) -> u32 {
        self.unsigned_low().1
    }
    /// A lower bound of the low half, signed.
    #[inline]
    fn s32_min(&self) -> i32 {
        self.signed_low().0
    }
    /// An upper bound of the low half, signed.
    #[inline]
    fn s32_max(&self) -> i32 {
        self.signed_low().1
    }
    /// The bounds contradict each other or the known bits: what is known comes from a path that cannot be, and a pointer moved by it is not a
    /// pointer any more. (`adjust_ptr_min_max_vals`)
    #[inline]
    fn has_invalid_bounds(&self) -> bool {
        let ((umin, umax), (smin, smax)) = (self.unsigned(), self.signed());
        let split = smin != smax || umin != umax;
        (self.as_const().is_some() && split) || smin > smax || umin > umax
    }
}
