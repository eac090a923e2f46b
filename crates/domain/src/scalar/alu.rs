//! Arithmetic and logic: what an operation makes of two scalars.

use super::Scalar;
use crate::arc::Arc;
use crate::tnum::Tnum;
use crate::word::{Double, Truth as _, Word, case};

/// An arithmetic or logic operation on two numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AluOp {
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Unsigned quotient; zero when divided by zero.
    Div,
    /// Signed quotient, rounded towards zero; zero when divided by zero.
    Sdiv,
    /// Unsigned remainder; the dividend when divided by zero.
    Mod,
    /// Signed remainder, with the dividend's sign; the dividend when divided by zero.
    Smod,
    /// Bitwise conjunction.
    And,
    /// Bitwise disjunction.
    Or,
    /// Bitwise difference.
    Xor,
    /// Shift left.
    Lsh,
    /// Shift right, zeros coming in.
    Rsh,
    /// Shift right, signs coming in.
    Arsh,
}

/// Which part of a register an operation works on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Width {
    /// The low half; the high half of the result is zero.
    W32,
    /// The whole register.
    W64,
}

/// What an operation asks of its second operand before anything is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Demand {
    Nothing,
    Constant,
    ConstantBelowWidth,
}

impl AluOp {
    /// Every operation.
    pub const ALL: [Self; 13] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Sdiv,
        Self::Mod,
        Self::Smod,
        Self::And,
        Self::Or,
        Self::Xor,
        Self::Lsh,
        Self::Rsh,
        Self::Arsh,
    ];

    const fn demand(self) -> Demand {
        match self {
            Self::Add | Self::Sub | Self::Mul | Self::And | Self::Or | Self::Xor => Demand::Nothing,
            Self::Div | Self::Sdiv | Self::Mod | Self::Smod => Demand::Constant,
            Self::Lsh | Self::Rsh | Self::Arsh => Demand::ConstantBelowWidth,
        }
    }
}

/// Transfer, at any width.
impl<W: Double> Scalar<W> {
    /// `dst op src`: [`Scalar::transfer_step_by_step`], with what free numbers make told at once.
    #[inline]
    pub fn transfer(op: AluOp, width: Width, dst: Self, src: Self) -> Self {
        let (free, bits) = Self::freed(op, width, &dst, &src);
        if free.decided() == Some(true) { Self::free(bits) } else { Self::transfer_step_by_step(op, width, dst, src) }
    }

    /// `dst op src`. (`adjust_scalar_min_max_vals`)
    ///
    /// Division and remainder are computed for a constant `src` only, shifts for a constant `src` below the width; otherwise the result is
    /// unknown, at the full width even after a 32-bit operation, as the kernel has it.
    #[inline(never)]
    pub fn transfer_step_by_step(op: AluOp, width: Width, dst: Self, src: Self) -> Self {
        case! {
            Self::passes(op, width, &src) => Self::computed(op, width, dst, src).refreshed(op, width).completed(width),
            _ => Self::top(),
        }
    }

    /// The second operand is what the operation demands of it. (`is_safe_to_compute_dst_reg_range`)
    #[inline(always)]
    pub fn passes(op: AluOp, width: Width, src: &Self) -> W::Truth {
        match op.demand() {
            Demand::Nothing => W::Truth::known(true),
            Demand::Constant => src.is_const_at(width),
            Demand::ConstantBelowWidth => {
                src.is_const_at(width) & src.wide.umax().ult(W::literal(u64::from(width.bits::<W>())))
            }
        }
    }

    /// The bits are known at this width, and both readings of the range are one word.
    #[inline(always)]
    fn is_const_at(&self, width: Width) -> W::Truth {
        match width {
            Width::W32 => {
                let low = self.low;
                self.tnum.low().is_const() & low.signed_min().same(low.signed_max()) & low.umin().same(low.umax())
            }
            Width::W64 => {
                let wide = self.wide;
                self.tnum.is_const() & wide.signed_min().same(wide.signed_max()) & wide.umin().same(wide.umax())
            }
        }
    }

    /// After an operation that works on bits: ranges cut to the bits it left. A constant stays as it is.
    #[inline(always)]
    fn refreshed(self, op: AluOp, width: Width) -> Self {
        match (op, width) {
            (AluOp::And | AluOp::Or, Width::W32 | Width::W64) | (AluOp::Lsh | AluOp::Rsh | AluOp::Arsh, Width::W64) => {
                self.narrowed_by_bits()
            }
            (AluOp::Lsh | AluOp::Rsh | AluOp::Arsh, Width::W32) => self.with_low_narrowed_by_bits(),
            (
                AluOp::Add | AluOp::Sub | AluOp::Mul | AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod | AluOp::Xor,
                Width::W32 | Width::W64,
            ) => self,
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

    /// The high half cleared: the range is the low range. (`zext_32_to_64`)
    #[inline(always)]
    pub fn zero_extended(self) -> Self {
        let wide = Arc::from_unsigned(W::zero_extended(self.low.umin()), W::zero_extended(self.low.umax()));
        Self { tnum: Tnum::zero_extended(self.tnum.low()), wide, low: self.low }
    }

    /// The operation alone: no demand, no refreshing, no extension, no reduction.
    #[inline(always)]
    pub fn computed(op: AluOp, width: Width, dst: Self, src: Self) -> Self {
        match op {
            AluOp::Add => dst.plus(src),
            AluOp::Sub => dst.minus(src),
            AluOp::Mul => dst.times(src),
            AluOp::Div => dst.divided(width, src, Arc::udiv, Arc::udiv),
            AluOp::Sdiv => dst.divided(width, src, Arc::sdiv, Arc::sdiv),
            AluOp::Mod => match width {
                Width::W32 => dst.remainder_of_low(src, Arc::is_below, Arc::umod),
                Width::W64 => dst.remainder_of_wide(src, Arc::is_below, Arc::umod),
            },
            AluOp::Smod => match width {
                Width::W32 => dst.remainder_of_low(src, Arc::is_within, Arc::smod),
                Width::W64 => dst.remainder_of_wide(src, Arc::is_within, Arc::smod),
            },
            AluOp::And => dst.and(src),
            AluOp::Or => dst.or(src),
            AluOp::Xor => dst.xor(src),
            AluOp::Lsh => match width {
                Width::W32 => dst.low_shifted(src, Arc::lsh, Tnum::lsh),
                Width::W64 => dst.shifted_left(src.wide.umin()),
            },
            AluOp::Rsh => match width {
                Width::W32 => dst.low_shifted(src, Arc::rsh, Tnum::rsh),
                Width::W64 => dst.shifted_right(src.wide.umin(), Arc::rsh, Tnum::rsh),
            },
            AluOp::Arsh => match width {
                Width::W32 => dst.low_shifted(src, Arc::arsh, Tnum::arsh),
                Width::W64 => dst.shifted_right(src.wide.umin(), Arc::arsh, Tnum::arsh),
            },
        }
    }

    #[inline(always)]
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { tnum: self.tnum.add(other.tnum), wide: self.wide.add(other.wide), low: self.low.add(other.low) }
    }
    #[inline(always)]
    pub(crate) fn minus(self, other: Self) -> Self {
        Self { tnum: self.tnum.sub(other.tnum), wide: self.wide.sub(other.wide), low: self.low.sub(other.low) }
    }
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Self { tnum: self.tnum.mul(other.tnum), wide: self.wide.mul(other.wide), low: self.low.mul(other.low) }
    }

    /// Quotients by a constant. Bits and the other width's range are forgotten.
    #[inline(always)]
    fn divided(
        self,
        width: Width,
        src: Self,
        wide: impl FnOnce(Arc<W>, W) -> Arc<W>,
        low: impl FnOnce(Arc<W::Half>, W::Half) -> Arc<W::Half>,
    ) -> Self {
        match width {
            Width::W32 => case! {
                src.low.umin().is_zero() => Self::exactly(W::zero()),
                _ => Self::in_low(low(self.low, src.low.umin())),
            },
            Width::W64 => case! {
                src.wide.umin().is_zero() => Self::exactly(W::zero()),
                _ => Self::in_wide(wide(self.wide, src.wide.umin())),
            },
        }
    }

    /// Remainders by a constant. Where they are the dividends, all is kept; otherwise bits and the low range are forgotten.
    #[inline(always)]
    fn remainder_of_wide(
        self,
        src: Self,
        keeps: impl FnOnce(Arc<W>, W) -> W::Truth,
        remainders: impl FnOnce(Arc<W>, W) -> Arc<W>,
    ) -> Self {
        let divisor = src.wide.umin();
        case! {
            divisor.is_zero() | keeps(self.wide, divisor) => self,
            _ => Self::in_wide(remainders(self.wide, divisor)),
        }
    }

    /// The same on the low half.
    #[inline(always)]
    fn remainder_of_low(
        self,
        src: Self,
        keeps: impl FnOnce(Arc<W::Half>, W::Half) -> W::Truth,
        remainders: impl FnOnce(Arc<W::Half>, W::Half) -> Arc<W::Half>,
    ) -> Self {
        let divisor = src.low.umin();
        case! {
            divisor.is_zero() | keeps(self.low, divisor) => self,
            _ => Self::in_low(remainders(self.low, divisor)),
        }
    }

    /// Below both operands, and not below the bits known to be set. (`scalar_min_max_and`)
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.bitwise(
            other,
            self.tnum.and(other.tnum),
            |tnum| Arc::from_unsigned(tnum.min(), self.wide.umax().umin(other.wide.umax())),
            |tnum| Arc::from_unsigned(tnum.min(), self.low.umax().umin(other.low.umax())),
        )
    }
    /// Not below either operand, and not above the bits that may be set. (`scalar_min_max_or`)
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self.bitwise(
            other,
            self.tnum.or(other.tnum),
            |tnum| Arc::from_unsigned(self.wide.umin().umax(other.wide.umin()), tnum.max()),
            |tnum| Arc::from_unsigned(self.low.umin().umax(other.low.umin()), tnum.max()),
        )
    }
    /// Between the bits known to be set and those that may be. (`scalar_min_max_xor`)
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.bitwise(
            other,
            self.tnum.xor(other.tnum),
            |tnum| Arc::from_unsigned(tnum.min(), tnum.max()),
            |tnum| Arc::from_unsigned(tnum.min(), tnum.max()),
        )
    }

    /// What the bitwise operations share: each range is the known constant where `other` is constant and the result is, and `wide` or `low` of
    /// the result's bits elsewhere.
    #[inline(always)]
    fn bitwise(
        self,
        other: Self,
        tnum: Tnum<W>,
        wide: impl FnOnce(Tnum<W>) -> Arc<W>,
        low: impl FnOnce(Tnum<W::Half>) -> Arc<W::Half>,
    ) -> Self {
        let half = tnum.low();
        let low = case! {
            other.tnum.low().is_const() & half.is_const() => Arc::exactly(half.value),
            _ => low(half),
        };
        case! {
            other.tnum.is_const() & tnum.is_const() => Self::exactly(tnum.value),
            _ => Self { tnum, wide: wide(tnum), low },
        }
    }

    /// `<< by`. A shift by the width of the low half moves the low range, with its signs, to the top. (`scalar_min_max_lsh`)
    #[inline(always)]
    fn shifted_left(self, by: W) -> Self {
        let half = W::literal(u64::from(W::BITS / 2));
        let raised = |word: W::Half| W::zero_extended(word).shl(half);
        let signed = case! {
            by.same(half) => Arc::from_signed(raised(self.low.signed_min()), raised(self.low.signed_max())),
            _ => Arc::full(),
        };
        let low = case! {
            by.ult(half) => self.low.lsh(by.low()),
            _ => Arc::full(),
        };
        Self { tnum: self.tnum.lsh(by), wide: self.wide.lsh(by).intersect(signed), low }
    }

    /// `>> by`. Bits cross into the low half: its range is made anew from the bits. (`scalar_min_max_rsh`, `scalar_min_max_arsh`)
    #[inline(always)]
    fn shifted_right(
        self,
        by: W,
        wide: impl FnOnce(Arc<W>, W) -> Arc<W>,
        bits: impl FnOnce(Tnum<W>, W) -> Tnum<W>,
    ) -> Self {
        Self { tnum: bits(self.tnum, by), ..Self::in_wide(wide(self.wide, by)) }
    }

    /// A shift of the low half by a constant. (`scalar32_min_max_lsh`, `scalar32_min_max_rsh`, `scalar32_min_max_arsh`)
    #[inline(always)]
    fn low_shifted(
        self,
        src: Self,
        low: impl FnOnce(Arc<W::Half>, W::Half) -> Arc<W::Half>,
        bits: impl FnOnce(Tnum<W::Half>, W::Half) -> Tnum<W::Half>,
    ) -> Self {
        let by = src.low.umin();
        Self { tnum: Tnum::zero_extended(bits(self.tnum.low(), by)), ..Self::in_low(low(self.low, by)) }
    }

    /// `-dst`. (`adjust_scalar_min_max_vals`, `BPF_NEG`)
    #[inline]
    pub fn negated(width: Width, dst: Self) -> Self {
        Self::exactly(W::zero()).minus(dst).completed(width)
    }
}

impl Width {
    /// How many bits an operation of this width works on.
    pub(super) const fn bits<W: Word>(self) -> u32 {
        match self {
            Self::W32 => W::BITS / 2,
            Self::W64 => W::BITS,
        }
    }
}

impl Scalar<u64> {
    /// `dst op src`: [`Scalar::transfer`], which it equals, with constants computed at once.
    #[inline]
    pub fn alu(op: AluOp, width: Width, dst: Self, src: Self) -> Self {
        if dst.tnum.is_const() && dst.is_exactly_one() && src.is_exactly_one() {
            Self::alu_of_constants(op, width, dst, src)
        } else {
            Self::transfer(op, width, dst, src)
        }
    }

    /// The constant that the operation makes of two, where Linux finds it.
    #[inline]
    fn alu_of_constants(op: AluOp, width: Width, dst: Self, src: Self) -> Self {
        let result = || Self::constant(op.apply(width, dst.tnum.value, src.tnum.value));
        match op.demand() {
            Demand::ConstantBelowWidth if src.tnum.value >= u64::from(width.bits::<u64>()) => Self::unknown(),
            Demand::Nothing | Demand::ConstantBelowWidth => result(),
            Demand::Constant => match op {
                // Linux computes a range of remainders even of one dividend.
                AluOp::Mod | AluOp::Smod => Self::transfer(op, width, dst, src),
                AluOp::Add
                | AluOp::Sub
                | AluOp::Mul
                | AluOp::Div
                | AluOp::Sdiv
                | AluOp::And
                | AluOp::Or
                | AluOp::Xor
                | AluOp::Lsh
                | AluOp::Rsh
                | AluOp::Arsh => result(),
            },
        }
    }
    /// `-dst`.
    #[inline]
    pub fn neg(width: Width, dst: Self) -> Self {
        Self::negated(width, dst)
    }
    /// The low half, zero-extended: what a 32-bit move makes of a register. (`zext_32_to_64`, `reg_bounds_sync`)
    #[inline]
    pub fn zero_extend_subreg(self) -> Self {
        self.completed(Width::W32)
    }
}
