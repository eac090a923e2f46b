//! Order, join, meet and widening: component by component.

use super::Scalar;
use crate::word::Double;

impl<W: Double> Scalar<W> {
    /// Every member of `other` is a member, part by part. (`range_within`, `tnum_in`)
    ///
    /// # Soundness
    /// Pruning rests on this: a state that was explored with `self` covers one with `other`.
    #[inline]
    pub fn includes(&self, other: &Self) -> W::Truth {
        let Self { tnum, wide, low } = self;
        wide.includes(&other.wide) & low.includes(&other.low) & tnum.includes(&other.tnum)
    }

    /// A set that holds both, and not reduced, so that it includes both part by part.
    #[inline]
    pub fn union(self, other: Self) -> Self {
        let Self { tnum, wide, low } = self;
        Self { tnum: tnum.union(other.tnum), wide: wide.join(other.wide), low: low.join(other.low) }
    }

    /// A set that holds the common members; its ranges may be empty, and its bits are arbitrary where the operands' are known to differ.
    #[inline]
    pub fn common(self, other: Self) -> Self {
        let Self { tnum, wide, low } = self;
        Self { tnum: tnum.meet(other.tnum), wide: wide.intersect(other.wide), low: low.intersect(other.low) }
    }
}

impl Scalar<u64> {
    /// A set that holds both.
    #[inline]
    pub fn join(&self, other: &Self) -> Self {
        self.union(*other)
    }
    /// A set that holds the common members, or nothing if there are plainly none.
    #[inline]
    pub fn meet(&self, other: &Self) -> Option<Self> {
        let common = self.common(*other);
        (self.tnum.overlaps(other.tnum) && !common.is_empty()).then_some(common)
    }
    /// A set that holds both, and that no longer grows: everything, unless the two are the same. (`maybe_widen_reg`)
    #[inline]
    pub fn widen(&self, other: &Self) -> Self {
        if self == other { *self } else { Self::unknown() }
    }
}
