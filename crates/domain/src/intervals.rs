//! What Linux before 7.2 knows of a number in a register: known bits, and an unsigned and a signed interval at each of two widths.
//!
//! ```text
//! γ(tnum, wide, low) = { x : x ∈ γ(tnum), x ∈ γ(wide), low half of x ∈ γ(low) }
//! γ(umin, umax, smin, smax) = { x : umin ≤ x ≤ umax, smin ≤ₛ x ≤ₛ smax }
//!
//!                     tnum                          order   bound by bound
//!          ╱      ╱        ╲       ╲                join    bound by bound
//!   wide unsigned ─ signed   low unsigned ─ signed  meet    bound by bound; nothing if an interval is empty
//! ```
//!
//! Two intervals at one width may hold a set that crosses zero in one reading and is in one piece in the other; an arc does so alone, but it cannot
//! hold what is left when two intervals are cut on different sides. The two domains are incomparable, and so are the verdicts drawn from them.
//!
//! The product is reduced by [`Intervals::synced`], again in the kernel's order. Contradictions stay as the kernel leaves them.
//!
//! # Versions
//! This is Linux 6.12 with its stable updates. What other kernels before 7.2 do otherwise:
//!
//! | since | |
//! | --- | --- |
//! | 5.7 | there are intervals of the low half at all |
//! | 5.14 | products of known bits add up values and unknown bits apart; before, they were less exact |
//! | 6.8 | both operands of a comparison are narrowed, not only one beside a constant; intervals of both widths narrow each other whenever they are reduced |
//! | 6.8 | `!=` takes a constant off the end of an interval |
//! | 6.17, and in stable updates of 6.12 | an interval that overlaps one end only of the other reading's is cut to that end |
//! | 7.0 | ranges of quotients and remainders, swapped bytes and negation: here unknown |
//!
//! Source: `struct bpf_reg_state` (`var_off`, `smin_value` to `u32_max_value`), `kernel/bpf/verifier.c`, Linux 6.12.

mod alu;
mod bounds;
mod branch;
mod bytes;
mod domain;
mod lattice;
mod refine;
mod sync;

pub use bounds::Bounds;

use crate::tnum::Tnum;
use crate::word::{Choose, Double};

/// A set of words: known bits, intervals of the word, and intervals of the low half.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Intervals<W: Double> {
    /// Known bits.
    pub(crate) tnum: Tnum<W>,
    /// Intervals of the whole word.
    pub(crate) wide: Bounds<W>,
    /// Intervals of the low half.
    pub(crate) low: Bounds<W::Half>,
}

impl<W: Double> Choose<W::Truth> for Intervals<W> {
    #[inline(always)]
    fn select(condition: W::Truth, yes: Self, no: Self) -> Self {
        Self {
            tnum: Tnum::select(condition, yes.tnum, no.tnum),
            wide: Bounds::select(condition, yes.wide, no.wide),
            low: Bounds::select(condition, yes.low, no.low),
        }
    }
}

/// Making and asking.
impl<W: Double> Intervals<W> {
    /// Every word. (`__mark_reg_unknown`)
    #[inline(always)]
    pub fn top() -> Self {
        Self { tnum: Tnum::top(), wide: Bounds::full(), low: Bounds::full() }
    }
    /// The one word `value`. (`___mark_reg_known`)
    #[inline(always)]
    pub fn exactly(value: W) -> Self {
        Self { tnum: Tnum::exactly(value), wide: Bounds::exactly(value), low: Bounds::exactly(value.low()) }
    }
    /// These three facts, as they are.
    #[inline(always)]
    pub fn from_parts(tnum: Tnum<W>, wide: Bounds<W>, low: Bounds<W::Half>) -> Self {
        Self { tnum, wide, low }
    }
    /// The known bits. (`var_off`)
    #[inline(always)]
    pub fn tnum(&self) -> Tnum<W> {
        self.tnum
    }
    /// The intervals of the word.
    #[inline(always)]
    pub fn wide(&self) -> Bounds<W> {
        self.wide
    }
    /// The intervals of the low half.
    #[inline(always)]
    pub fn low(&self) -> Bounds<W::Half> {
        self.low
    }
    /// `word` is a member.
    #[inline(always)]
    pub fn contains(&self, word: W) -> W::Truth {
        let Self { tnum, wide, low } = *self;
        tnum.contains(word) & wide.contains(word) & low.contains(word.low())
    }
    /// An interval has no member: no word can be here.
    #[inline(always)]
    pub fn is_empty(&self) -> W::Truth {
        self.wide.is_empty() | self.low.is_empty()
    }
    /// No interval is empty, and where all bits are known, of the word or of the low half, both intervals are that one word.
    /// (`reg_bounds_sanity_check`)
    #[inline(always)]
    pub fn is_consistent(&self) -> W::Truth {
        let Self { tnum, wide, low } = *self;
        let half = tnum.low();
        let wide_agrees = !tnum.is_const() | wide.is_exactly(tnum.value);
        let low_agrees = !half.is_const() | low.is_exactly(half.value);
        !self.is_empty() & wide_agrees & low_agrees
    }
    /// All intervals forgotten, known bits kept. (`__mark_reg_unbounded`)
    #[inline(always)]
    pub fn forget_bounds(self) -> Self {
        Self { tnum: self.tnum, ..Self::top() }
    }
}
