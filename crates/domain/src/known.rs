//! What was known of a number, whichever domain knew it.

use crate::views::Views;
use crate::{Arc32, Arc64, Tnum};

/// What was known of a number, whichever domain knew it: its views, for reports, which outlive the search and do not reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    bits: Tnum,
    unsigned: (u64, u64),
    signed: (i64, i64),
    unsigned_low: (u32, u32),
    signed_low: (i32, i32),
}

impl Known {
    /// What a domain tells of a number.
    #[must_use]
    pub fn of(number: &impl Views) -> Self {
        Self {
            bits: number.bits(),
            unsigned: number.unsigned(),
            signed: number.signed(),
            unsigned_low: number.unsigned_low(),
            signed_low: number.signed_low(),
        }
    }
}

impl Views for Known {
    fn bits(&self) -> Tnum {
        self.bits
    }
    fn unsigned(&self) -> (u64, u64) {
        self.unsigned
    }
    fn signed(&self) -> (i64, i64) {
        self.signed
    }
    fn unsigned_low(&self) -> (u32, u32) {
        self.unsigned_low
    }
    fn signed_low(&self) -> (i32, i32) {
        self.signed_low
    }
}

/// Which views of a number exclude each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conflict {
    /// The ranges have no word in common.
    Ranges,
    /// All bits are known, and the ranges are not that word.
    Constant,
    /// All bits of the low half are known, and its ranges are not that.
    LowConstant,
}

/// How a number contradicts itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contradiction {
    /// Which views do.
    pub between: Conflict,
    /// All of them.
    pub views: Known,
    /// The ranges, where they are circular.
    pub arcs: Option<(Arc64, Arc32)>,
}
