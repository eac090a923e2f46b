//! Bytes of a word: truncation, sign extension, byte order.

use super::Scalar;
use crate::arc::Arc;
use crate::tnum::Tnum;
use crate::word::{Double, Word, case};

/// A change of byte order, on a little-endian host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ByteOrder {
    /// To little endian: a truncation.
    Le,
    /// To big endian: a swap.
    Be,
    /// A swap whatever the host.
    Swap,
}

impl<W: Double> Scalar<W> {
    /// The low `bits` bits, zero-extended; fewer than all. Not reduced. (`coerce_reg_to_size`)
    #[inline]
    pub fn truncated_to(self, bits: u32) -> Self {
        let kept = W::low_ones(bits);
        let (min, max) = (self.wide.umin(), self.wide.umax());
        let wide = case! {
            (min & !kept).same(max & !kept) => Arc::from_unsigned(min & kept, max & kept),
            _ => Arc::from_unsigned(W::zero(), kept),
        };
        let low = if bits < W::BITS / 2 { Arc::full() } else { self.low };
        Self { tnum: self.tnum.truncate(bits), wide, low }
    }

    /// The low `bits` bits, sign-extended to the whole word; not reduced. (`coerce_reg_to_size_sx`)
    #[inline]
    pub fn sign_extended_from(self, bits: u32) -> Self {
        let Extended { one, fits, min, max } = Extended::from(self.wide, bits);
        let known = self.tnum.value.sign_extended_from(bits);
        let any = Self {
            tnum: Tnum::top(),
            wide: Arc::from_signed(least_signed(bits), greatest_signed(bits)),
            low: Arc::from_signed(least_signed(bits), greatest_signed(bits)),
        };
        case! {
            self.tnum.is_const() => Self::exactly(known),
            one & fits => Self { tnum: Tnum::range(min, max), wide: Arc::from_signed(min, max), low: Arc::from_signed(min.low(), max.low()) },
            _ => any,
        }
    }

    /// The low `bits` bits, fewer than half, sign-extended to the low half, and zero-extended from there; not reduced.
    /// (`coerce_subreg_to_size_sx`, `zext_32_to_64`)
    #[inline]
    pub fn low_sign_extended_from(self, bits: u32) -> Self {
        let Extended { one, fits, min, max } = Extended::from(self.low, bits);
        let known = self.tnum.low().value.sign_extended_from(bits);
        let within = |tnum: Tnum<W::Half>, min, max| Self {
            tnum: Tnum::zero_extended(tnum),
            wide: self.wide,
            low: Arc::from_signed(min, max),
        };
        case! {
            self.tnum.is_const() => within(Tnum::exactly(known), known, known),
            one & fits => within(Tnum::range(min, max), min, max),
            _ => within(Tnum::top(), least_signed(bits), greatest_signed(bits)),
        }
        .zero_extended()
    }

    /// The bytes of the low `bits` bits reversed, the bits above cleared; not reduced. (`scalar_byte_swap`)
    ///
    /// Ranges do not survive: they are remade from the bits.
    #[inline]
    pub fn swapped(self, bits: u32) -> Self {
        Self { tnum: self.tnum.swapped(bits), ..Self::top() }
    }

    /// The low `bits` bits, reduced as often as the kernel does it after a change of byte order.
    #[inline]
    fn cut_to(self, bits: u32) -> Self {
        if bits < W::BITS { self.truncated_to(bits).synced().synced() } else { self.synced() }
    }
}

/// The signed bounds of a range, each sign-extended from its low bits.
struct Extended<W: Word> {
    /// Above those bits, all members are alike.
    one: W::Truth,
    /// The signs are alike as well, so that the bounds are still bounds.
    fits: W::Truth,
    min: W,
    max: W,
}

impl<W: Word> Extended<W> {
    #[inline(always)]
    fn from(arc: Arc<W>, bits: u32) -> Self {
        let (least, greatest) = (arc.signed_min(), arc.signed_max());
        let above = !W::low_ones(bits);
        let (one, other) = (least.sign_extended_from(bits), greatest.sign_extended_from(bits));
        let (min, max) = (one.smin(other), one.smax(other));
        let same_sign = !(min.is_negative() & !max.is_negative());
        Self { one: (least & above).same(greatest & above), fits: same_sign, min, max }
    }
}

/// The least word that `bits` bits can say, sign-extended.
#[inline(always)]
fn least_signed<W: Word>(bits: u32) -> W {
    !W::low_ones(bits.saturating_sub(1))
}
/// The greatest word that `bits` bits can say, sign-extended.
#[inline(always)]
fn greatest_signed<W: Word>(bits: u32) -> W {
    W::low_ones(bits.saturating_sub(1))
}

impl Scalar<u64> {
    /// The low `bytes` bytes, zero-extended: what a narrow load or store keeps. Eight bytes are the number itself.
    #[inline]
    pub fn truncate(bytes: u32, number: Self) -> Self {
        if bytes >= 8 {
            return number;
        }
        let bits = bytes.saturating_mul(8);
        // Most that is loaded is free, and stays so.
        if number.is_free() {
            Self::free(number.tnum.mask & u64::low_ones(bits))
        } else {
            number.truncated_to(bits).synced()
        }
    }
    /// The low `from_bytes` bytes (1, 2 or 4), sign-extended to 64 bits.
    #[inline]
    pub fn sign_extend(from_bytes: u32, number: Self) -> Self {
        if from_bytes < 8 { number.sign_extended_from(from_bytes.saturating_mul(8)) } else { number }
    }
    /// The low `from_bytes` bytes (1 or 2), sign-extended to 32 bits and zero-extended to 64.
    #[inline]
    pub fn sign_extend_subreg(from_bytes: u32, number: Self) -> Self {
        if from_bytes < 4 {
            number.low_sign_extended_from(from_bytes.saturating_mul(8)).synced()
        } else {
            number.zero_extend_subreg()
        }
    }
    /// The low `bytes` bytes (2, 4 or 8) in another byte order, on a little-endian host, zero-extended. (`scalar_byte_swap`)
    #[inline]
    pub fn byte_order(op: ByteOrder, bytes: u32, number: Self) -> Self {
        let bits = bytes.saturating_mul(8);
        match op {
            ByteOrder::Le => number.cut_to(bits),
            ByteOrder::Be | ByteOrder::Swap => number.swapped(bits).cut_to(bits),
        }
    }
}
