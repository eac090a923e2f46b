//! Sets of half slots: the four-byte units in which the liveness of a stack is kept.

use core::fmt;

/// A set of half slots of one frame's stack. Half slot *n* is the four bytes that end at `fp - 4n`:
///
/// ```text
///  fp-16         fp-8           fp
///    │  3   │  2   │  1   │  0   │
///    └─ slot at -16┴─ slot at -8─┘
/// ```
///
/// There are 128 of them; what lies deeper is a member of every set.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct StackSlots(u128);

impl StackSlots {
    /// None of the 128.
    pub const EMPTY: Self = Self(0);
    /// All.
    pub const ALL: Self = Self(u128::MAX);

    /// The set with these bits; bit *n* is half slot *n*.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// Bit *n* is set when half slot *n* is in the set.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// Half slots `first` to `last`, both included, as far as there are any.
    #[must_use]
    pub const fn range(first: u32, last: u32) -> Self {
        if first > last || first > 127 {
            return Self::EMPTY;
        }
        let last = if last > 127 { 127 } else { last };
        Self(u128::MAX >> (127 - last) & u128::MAX << first)
    }

    /// Whether the half slot is in the set; true for those beyond the last.
    #[must_use]
    pub const fn contains(self, half: u32) -> bool {
        half > 127 || self.0 >> half & 1 == 1
    }

    /// Whether none of the 128 is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those in this set and not in `other`.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Its members in ascending order, from the frame pointer down.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        (0..128).filter(move |&half| self.contains(half))
    }
}

impl fmt::Debug for StackSlots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
