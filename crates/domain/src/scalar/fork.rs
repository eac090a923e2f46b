//! Numbers that are either zero or all ones: worth a path each.

use super::Scalar;
use crate::arc::Arc;
use crate::tnum::Tnum;

/// A number split into its two possible words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fork {
    /// The number where it is zero.
    pub zero: Scalar<u64>,
    /// The number where it is minus one.
    pub ones: Scalar<u64>,
}

impl Scalar<u64> {
    /// The number split in two, if it lies between minus one and zero, as a whole or in its low half. (`maybe_fork_scalars`)
    ///
    /// That is what a shifted-down sign looks like, which compilers use as a mask. The kernel explores both before AND and OR with a constant.
    pub fn fork(&self) -> Option<Fork> {
        if self.smin() == -1 && self.smax() == 0 {
            Some(Fork { zero: Self::constant(0), ones: Self::constant(u64::MAX) })
        } else if self.s32_min() == -1 && self.s32_max() == 0 {
            Some(Fork { zero: self.with_known_subreg(0), ones: self.with_known_subreg(u32::MAX) })
        } else {
            None
        }
    }

    /// The low half known, the range as it was. (`__mark_reg32_known`)
    pub fn with_known_subreg(self, value: u32) -> Self {
        Self { tnum: self.tnum.with_low(Tnum::exactly(value)), wide: self.wide, low: Arc::exactly(value) }
    }
}
