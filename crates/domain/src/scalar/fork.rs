//! Numbers that are either zero or all ones: worth a path each.

use super::Scalar;
use crate::arc::Arc;
use crate::tnum::Tnum;
use crate::word::{Double, Word as _};

/// A number split into its two possible words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fork<D> {
    /// The number where it is zero.
    pub zero: D,
    /// The number where it is minus one.
    pub ones: D,
}

impl<W: Double> Scalar<W> {
    /// Lies between minus one and zero.
    #[inline]
    pub fn is_zero_or_ones(&self) -> W::Truth {
        self.wide.signed_min().same(W::ones()) & self.wide.signed_max().is_zero()
    }
    /// The low half lies between minus one and zero.
    #[inline]
    pub fn is_low_zero_or_ones(&self) -> W::Truth {
        self.low.signed_min().same(W::Half::ones()) & self.low.signed_max().is_zero()
    }
    /// The low half known, the range as it was. (`__mark_reg32_known`)
    #[inline]
    pub fn with_known_low(self, value: W::Half) -> Self {
        Self { tnum: self.tnum.with_low(Tnum::exactly(value)), wide: self.wide, low: Arc::exactly(value) }
    }
}

impl Scalar<u64> {
    /// The number split in two, if it lies between minus one and zero, as a whole or in its low half. (`maybe_fork_scalars`)
    ///
    /// That is what a shifted-down sign looks like, which compilers use as a mask. The kernel explores both before AND and OR with a constant.
    pub fn fork(&self) -> Option<Fork<Self>> {
        if self.is_zero_or_ones() {
            Some(Fork { zero: Self::constant(0), ones: Self::constant(u64::MAX) })
        } else if self.is_low_zero_or_ones() {
            Some(Fork { zero: self.with_known_low(0), ones: self.with_known_low(u32::MAX) })
        } else {
            None
        }
    }
}
