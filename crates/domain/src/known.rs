//! What was known of a number, whichever domain knew it.

use crate::Tnum;
use crate::views::Views;

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
