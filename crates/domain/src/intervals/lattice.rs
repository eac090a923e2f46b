//! Order, join, meet and widening: bound by bound.

use super::Intervals;
use crate::word::Double;

impl<W: Double> Intervals<W> {
    /// Every member of `other` is a member, bound by bound. (`range_within`, `tnum_in`)
    ///
    /// # Soundness
    /// Pruning rests on this: a state that was explored with `self` covers one with `other`.
    #[inline]
    pub fn includes(&self, other: &Self) -> W::Truth {
        let Self { tnum, wide, low } = self;
        wide.includes(&other.wide) & low.includes(&other.low) & tnum.includes(&other.tnum)
    }
    /// A set that holds both, and not reduced, so that it includes both bound by bound.
    #[inline]
    pub fn union(self, other: Self) -> Self {
        let Self { tnum, wide, low } = self;
        Self { tnum: tnum.union(other.tnum), wide: wide.join(other.wide), low: low.join(other.low) }
    }
    /// A set that holds the common members; its intervals may be empty, and its bits are arbitrary where the operands' are known to differ.
    #[inline]
    pub fn common(self, other: Self) -> Self {
        let Self { tnum, wide, low } = self;
        Self { tnum: tnum.meet(other.tnum), wide: wide.meet(other.wide), low: low.meet(other.low) }
    }
}
