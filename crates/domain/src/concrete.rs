//! What the operations mean on single words: the reference that every operator is sound for.
//!
//! Source: RFC 9669, sections 4.1 to 4.3.

use crate::scalar::{AluOp, ByteOrder, CmpOp, Width};
use crate::word::{Double, Word, case};

impl AluOp {
    /// `x op y` on a register: on its low half, the high half cleared, if the width says so.
    #[inline]
    pub fn apply<W: Double>(self, width: Width, x: W, y: W) -> W {
        match width {
            Width::W32 => W::zero_extended(self.apply_to_word(x.low(), y.low())),
            Width::W64 => self.apply_to_word(x, y),
        }
    }

    /// `x op y` on one word. A shift counts modulo the width.
    #[inline]
    pub fn apply_to_word<W: Word>(self, x: W, y: W) -> W {
        let by = || y.urem(W::literal(u64::from(W::BITS)));
        match self {
            Self::Add => x.wrapping_add(y),
            Self::Sub => x.wrapping_sub(y),
            Self::Mul => x.wrapping_mul(y),
            Self::Div => case! { y.is_zero() => W::zero(), _ => x.udiv(y) },
            Self::Sdiv => case! { y.is_zero() => W::zero(), _ => x.sdiv(y) },
            Self::Mod => case! { y.is_zero() => x, _ => x.urem(y) },
            Self::Smod => case! { y.is_zero() => x, _ => x.srem(y) },
            Self::And => x & y,
            Self::Or => x | y,
            Self::Xor => x ^ y,
            Self::Lsh => x.shl(by()),
            Self::Rsh => x.shr(by()),
            Self::Arsh => x.sar(by()),
        }
    }
}

impl CmpOp {
    /// `x op y` of a register: of its low half, if the width says so.
    #[inline]
    pub fn holds<W: Double>(self, width: Width, x: W, y: W) -> W::Truth {
        match width {
            Width::W32 => self.holds_of_words(x.low(), y.low()),
            Width::W64 => self.holds_of_words(x, y),
        }
    }

    /// `x op y` of one word.
    #[inline]
    pub fn holds_of_words<W: Word>(self, x: W, y: W) -> W::Truth {
        match self {
            Self::Eq => x.same(y),
            Self::Ne => !x.same(y),
            Self::Gt => y.ult(x),
            Self::Ge => y.ule(x),
            Self::Lt => x.ult(y),
            Self::Le => x.ule(y),
            Self::Sgt => y.slt(x),
            Self::Sge => y.sle(x),
            Self::Slt => x.slt(y),
            Self::Sle => x.sle(y),
            Self::Set => !(x & y).is_zero(),
        }
    }
}

impl ByteOrder {
    /// The low `bits` bits of `x` in another byte order, on a little-endian host, the bits above cleared.
    #[inline]
    pub fn apply<W: Double>(self, bits: u32, x: W) -> W {
        match self {
            Self::Le => x & W::low_ones(bits),
            Self::Be | Self::Swap => x.swapped(bits),
        }
    }
}

impl Width {
    /// `-x` on a register.
    #[inline]
    pub fn negate<W: Double>(self, x: W) -> W {
        match self {
            Self::W32 => W::zero_extended(x.low().wrapping_neg()),
            Self::W64 => x.wrapping_neg(),
        }
    }
}
