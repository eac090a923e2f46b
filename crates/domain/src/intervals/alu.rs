//! Arithmetic and logic: what an operation makes of two numbers.

use super::{Bounds, Intervals};
use crate::scalar::{AluOp, Width};
use crate::tnum::Tnum;
use crate::word::{Double, Truth as _, Word, case};

impl<W: Double> Intervals<W> {
    /// `dst op src`. (`adjust_scalar_min_max_vals`)
    ///
    /// Shifts are computed for a constant `src` below the width; what is not computed, and every quotient and remainder, is unknown, at the full
    /// width even after a 32-bit operation, as the kernel has it.
    #[inline]
    pub fn transfer(op: AluOp, width: Width, dst: Self, src: Self) -> Self {
        case! {
            Self::passes(op, width, &src) => Self::computed(op, width, dst, src).completed(width),
            _ => Self::top(),
        }
    }

    /// The operation is one that is computed of such a second operand. (`is_safe_to_compute_dst_reg_range`)
    #[inline(always)]
    pub fn passes(op: AluOp, width: Width, src: &Self) -> W::Truth {
        match op {
            AluOp::Add | AluOp::Sub | AluOp::Mul | AluOp::And | AluOp::Or | AluOp::Xor => W::Truth::known(true),
            AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod => W::Truth::known(false),
            AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => {
                let (constant, bits) = match width {
                    Width::W32 => (src.tnum.low().is_const() & src.low.is_const(), W::BITS / 2),
                    Width::W64 => (src.tnum.is_const() & src.wide.is_const(), W::BITS),
                };
                constant & src.wide.umax.ult(W::literal(u64::from(bits)))
            }
        }
    }

    /// The operation alone: no demand, no extension, no reduction.
    #[inline(always)]
    pub fn computed(op: AluOp, width: Width, dst: Self, src: Self) -> Self {
        let (by, low_by) = (src.wide.umin, src.low.umin);
        match (op, width) {
            (AluOp::Add, _) => Self::from_parts(dst.tnum.add(src.tnum), dst.wide.add(src.wide), dst.low.add(src.low)),
            (AluOp::Sub, _) => Self::from_parts(dst.tnum.sub(src.tnum), dst.wide.sub(src.wide), dst.low.sub(src.low)),
            (AluOp::Mul, _) => {
                Self::from_parts(dst.tnum.mul_apart(src.tnum), dst.wide.mul(src.wide), dst.low.mul(src.low))
            }
            (AluOp::And, _) => dst.and(src),
            (AluOp::Or, _) => dst.or(src),
            (AluOp::Xor, _) => dst.xor(src),
            (AluOp::Lsh, Width::W32) => Self::of_low(dst.tnum.low().lsh(low_by), dst.low.lsh(low_by)),
            (AluOp::Rsh, Width::W32) => Self::of_low(dst.tnum.low().rsh(low_by), dst.low.rsh(low_by)),
            (AluOp::Arsh, Width::W32) => Self::of_low(dst.tnum.low().arsh(low_by), dst.low.arsh(low_by)),
            (AluOp::Lsh, Width::W64) => dst.shifted_left(by),
            (AluOp::Rsh, Width::W64) => Self::of_wide(dst.tnum.rsh(by), dst.wide.rsh(by)),
            (AluOp::Arsh, Width::W64) => Self::of_wide(dst.tnum.arsh(by), dst.wide.arsh(by)),
            (AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod, _) => Self::top(),
        }
    }

    /// After an operation: zero-extended if it worked on the low half, and reduced.
    #[inline(always)]
    pub(crate) fn completed(self, width: Width) -> Self {
        match width {
            Width::W32 => self.zero_extended().synced(),
            Width::W64 => self.synced(),
        }
    }

    /// The high half cleared. The signed interval is that of the low half where it is not negative, and what any low half allows elsewhere.
    /// (`zext_32_to_64`)
    #[inline(always)]
    pub fn zero_extended(self) -> Self {
        let Self { tnum, wide: _, low } = self;
        let Bounds { umin, umax, smin, smax } = low;
        let mixed = smin.is_negative() | smax.is_negative();
        let wide = Bounds {
            umin: W::zero_extended(umin),
            umax: W::zero_extended(umax),
            smin: W::pick(mixed, W::zero(), W::zero_extended(smin)),
            smax: W::pick(mixed, W::low_ones(W::BITS / 2), W::zero_extended(smax)),
        };
        Self { tnum: Tnum::zero_extended(tnum.low()), wide, low }
    }

    /// Known bits and intervals of the low half of a result that has no high half; cut to each other.
    #[inline(always)]
    fn of_low(tnum: Tnum<W::Half>, low: Bounds<W::Half>) -> Self {
        Self { tnum: Tnum::zero_extended(tnum), wide: Bounds::full(), low: low.meet(Bounds::from_tnum(tnum)) }
    }
    /// Known bits and intervals of a result whose low half is told by the bits alone.
    #[inline(always)]
    fn of_wide(tnum: Tnum<W>, wide: Bounds<W>) -> Self {
        Self { tnum, wide, low: Bounds::full() }.narrowed_by_bits()
    }

    /// Below both operands, and not below the bits known to be set. (`scalar_min_max_and`)
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.bitwise(
            other,
            self.tnum.and(other.tnum),
            |tnum| (tnum.min(), self.wide.umax.umin(other.wide.umax)),
            |tnum| (tnum.min(), self.low.umax.umin(other.low.umax)),
        )
    }
    /// Not below either operand, and not above the bits that may be set. (`scalar_min_max_or`)
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self.bitwise(
            other,
            self.tnum.or(other.tnum),
            |tnum| (self.wide.umin.umax(other.wide.umin), tnum.max()),
            |tnum| (self.low.umin.umax(other.low.umin), tnum.max()),
        )
    }
    /// Between the bits known to be set and those that may be. (`scalar_min_max_xor`)
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.bitwise(other, self.tnum.xor(other.tnum), |tnum| (tnum.min(), tnum.max()), |tnum| (tnum.min(), tnum.max()))
    }

    /// What the bitwise operations share: the known constant where `other` is constant and the result is; elsewhere the unsigned interval told,
    /// signed too unless it crosses the signs, cut to the bits.
    #[inline(always)]
    fn bitwise(
        self,
        other: Self,
        tnum: Tnum<W>,
        wide: impl FnOnce(Tnum<W>) -> (W, W),
        low: impl FnOnce(Tnum<W::Half>) -> (W::Half, W::Half),
    ) -> Self {
        let half = tnum.low();
        let low = case! {
            other.tnum.low().is_const() & half.is_const() => Bounds::exactly(half.value),
            _ => {
                let (min, max) = low(half);
                Bounds::from_unsigned_and_signed(min, max)
            },
        };
        case! {
            other.tnum.is_const() & tnum.is_const() => Self::exactly(tnum.value),
            _ => {
                let (min, max) = wide(tnum);
                Self { tnum, wide: Bounds::from_unsigned_and_signed(min, max), low }.narrowed_by_bits()
            },
        }
    }

    /// `<< by`. A shift by the width of the low half moves the low half's signed interval to the top. (`scalar_min_max_lsh`)
    #[inline(always)]
    fn shifted_left(self, by: W) -> Self {
        let half = W::literal(u64::from(W::BITS / 2));
        let raised = |word: W::Half| W::zero_extended(word).shl(half);
        let shifted = self.wide.lsh(by);
        let wide = case! {
            by.same(half) => Bounds { smin: raised(self.low.smin), smax: raised(self.low.smax), ..shifted },
            _ => shifted,
        };
        let low = case! {
            by.ult(half) => self.low.lsh(by.low()),
            _ => Bounds::full(),
        };
        Self { tnum: self.tnum.lsh(by), wide, low }.narrowed_by_bits()
    }
}
