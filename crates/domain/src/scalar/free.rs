//! Free numbers: nothing is known of them but that some bits are zero.
//!
//! ```text
//! free(bits) = { x & bits : any x }          each part says so: bits of value 0 and mask `bits`, ranges from 0 to `bits`
//!
//! free(a) | free(b), free(a) ^ free(b)  =  free(a | b)
//! free(a) & free(b), free(a) & b        =  free(a & b)
//! free(a) << n,      free(a) >> n       =  free(a << n), free(a >> n)
//! free(all) ± anything                  =  free(all)
//! ```
//!
//! The unknown number is free, and so are a byte that was loaded, the low half of an unknown number, and whatever hashing makes of these. Free
//! numbers are therefore worth a short way.

use super::{AluOp, Scalar, Width};
use crate::arc::Arc;
use crate::tnum::Tnum;
use crate::word::{Double, Truth as _, Word};

impl<W: Double> Scalar<W> {
    /// Every word that has no bits but these.
    #[inline(always)]
    pub fn free(bits: W) -> Self {
        Self {
            tnum: Tnum { value: W::zero(), mask: bits },
            wide: Arc::from_unsigned(W::zero(), bits),
            low: Arc::from_unsigned(W::Half::zero(), bits.low()),
        }
    }

    /// Nothing is known but that the bits outside the mask are zero. The reduction changes nothing.
    #[inline(always)]
    pub fn is_free(&self) -> W::Truth {
        let Self { tnum, wide, low } = *self;
        tnum.value.is_zero()
            & wide.base.is_zero()
            & low.base.is_zero()
            & wide.size.same(tnum.mask)
            & low.size.same(tnum.mask.low())
    }

    /// Whether the transfer makes a free number of `dst` and `src` by the equations above; and the bits of that number.
    ///
    /// Where a shift or a conjunction of whole words leaves bits in the high half, the reduction may read the ranges as signed: it is not told here.
    #[inline(always)]
    pub fn freed(op: AluOp, width: Width, dst: &Self, src: &Self) -> (W::Truth, W) {
        let (follows, bits) = match width {
            Width::W32 => {
                let (follows, bits) = src.freed_word(op, width, dst.tnum.mask.low(), src.tnum.low());
                (follows, W::zero_extended(bits))
            }
            Width::W64 => {
                let (follows, bits) = src.freed_word(op, width, dst.tnum.mask, src.tnum);
                match op {
                    AluOp::And | AluOp::Lsh | AluOp::Rsh => (follows & bits.ule(W::low_ones(W::BITS / 2)), bits),
                    AluOp::Add
                    | AluOp::Sub
                    | AluOp::Mul
                    | AluOp::Div
                    | AluOp::Sdiv
                    | AluOp::Mod
                    | AluOp::Smod
                    | AluOp::Or
                    | AluOp::Xor
                    | AluOp::Arsh => (follows, bits),
                }
            }
        };
        (dst.is_free() & follows, bits)
    }

    /// The same of the part of the register that is worked on: the free bits of the first operand, the known bits of the second, which is `self`.
    #[inline(always)]
    fn freed_word<V: Word<Truth = W::Truth>>(&self, op: AluOp, width: Width, bits: V, other: Tnum<V>) -> (W::Truth, V) {
        let is_shift = || self.is_exactly_one() & self.tnum.value.ult(W::literal(u64::from(width.bits::<W>())));
        match op {
            AluOp::Add | AluOp::Sub => (bits.same(V::ones()) & !self.is_empty(), bits),
            AluOp::Or | AluOp::Xor => (self.is_free(), bits | other.mask),
            AluOp::And => (self.is_free() | self.is_exactly_one(), bits & other.max()),
            AluOp::Lsh => (is_shift(), bits.shl(other.value)),
            AluOp::Rsh => (is_shift(), bits.shr(other.value)),
            AluOp::Mul | AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod | AluOp::Arsh => {
                (W::Truth::known(false), bits)
            }
        }
    }
}
