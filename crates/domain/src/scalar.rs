//! What is known of a number in a register: known bits, a range of the register, a range of its low half; and what each says about the others.
//!
//! ```text
//! γ(tnum, wide, low) = { x : x ∈ γ(tnum), x ∈ γ(wide), low half of x ∈ γ(low) }
//!
//!            tnum                     order   component by component
//!          ╱      ╲                   join    component by component
//!       wide ──── low                 meet    component by component; nothing if a component is empty
//! ```
//!
//! The product is *reduced* by [`Scalar::synced`]: a fixed sequence of deductions from one component to another. They are sound in any order;
//! this order is the kernel's, because results are visible in logs and decide which states are pruned.
//!
//! Bounds that contradict each other (a branch that cannot be taken) are not normalised away either: an empty arc, or a constant that the
//! arcs do not agree with, stays as the kernel leaves it. [`Scalar::is_consistent`] tells.
//!
//! Source: `struct bpf_reg_state` (`var_off`, `r64`, `r32`), `kernel/bpf/verifier.c`, Linux 7.3.

mod alu;
mod branch;
mod bytes;
mod fork;
mod free;
mod lattice;
mod offset;
mod ranges;
mod refine;
mod sync;
mod text;

pub use alu::{AluOp, Width};
pub use branch::{Branch, Foresight};
pub use bytes::ByteOrder;
pub use fork::Fork;
pub use refine::CmpOp;
pub(crate) use refine::{Relation, relation};

pub use text::{HexText, ScalarText, SignedText, TnumText, UnsignedText};

use crate::arc::Arc;
use crate::tnum::Tnum;
use crate::word::{Choose, Double, Word, case};

/// A set of words: known bits, a range, and a range of the low halves.
///
/// Two scalars are equal when all their bytes are, as the kernel compares registers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Scalar<W: Double> {
    /// Known bits.
    pub(crate) tnum: Tnum<W>,
    /// Range of the whole word.
    pub(crate) wide: Arc<W>,
    /// Range of the low half.
    pub(crate) low: Arc<W::Half>,
}

impl<W: Double> Choose<W::Truth> for Scalar<W> {
    #[inline(always)]
    fn select(condition: W::Truth, yes: Self, no: Self) -> Self {
        Self {
            tnum: Tnum::select(condition, yes.tnum, no.tnum),
            wide: Arc::select(condition, yes.wide, no.wide),
            low: Arc::select(condition, yes.low, no.low),
        }
    }
}

/// Making and asking, at any width.
impl<W: Double> Scalar<W> {
    /// Every word.
    #[inline(always)]
    pub fn top() -> Self {
        Self { tnum: Tnum::top(), wide: Arc::full(), low: Arc::full() }
    }
    /// The one word `value`.
    #[inline(always)]
    pub fn exactly(value: W) -> Self {
        Self { tnum: Tnum::exactly(value), wide: Arc::exactly(value), low: Arc::exactly(value.low()) }
    }
    /// A range of the word, and nothing else. (`reset_reg32_and_tnum`)
    #[inline(always)]
    pub(crate) fn in_wide(wide: Arc<W>) -> Self {
        Self { wide, ..Self::top() }
    }
    /// A range of the low half, and nothing else. (`reset_reg64_and_tnum`)
    #[inline(always)]
    pub(crate) fn in_low(low: Arc<W::Half>) -> Self {
        Self { low, ..Self::top() }
    }
    /// These three facts, as they are.
    #[inline(always)]
    pub fn from_parts(tnum: Tnum<W>, wide: Arc<W>, low: Arc<W::Half>) -> Self {
        Self { tnum, wide, low }
    }
    /// The known bits. (`var_off`)
    #[inline(always)]
    pub fn tnum(&self) -> Tnum<W> {
        self.tnum
    }
    /// The range of the word. (`r64`)
    #[inline(always)]
    pub fn arc64(&self) -> Arc<W> {
        self.wide
    }
    /// The range of the low half. (`r32`)
    #[inline(always)]
    pub fn arc32(&self) -> Arc<W::Half> {
        self.low
    }
    /// `word` is a member.
    #[inline(always)]
    pub fn contains(&self, word: W) -> W::Truth {
        let Self { tnum, wide, low } = *self;
        tnum.contains(word) & wide.contains(word) & low.contains(word.low())
    }
    /// A range has no member: no word can be here. (`range_bounds_violation`)
    #[inline(always)]
    pub fn is_empty(&self) -> W::Truth {
        self.low.is_empty() | self.wide.is_empty()
    }
    /// The bits, the range and the low range do not contradict one another plainly. (`reg_bounds_sanity_check`)
    ///
    /// No range is empty, and where all bits are known, of the word or of the low half, the range is that one word.
    #[inline(always)]
    pub fn is_consistent(&self) -> W::Truth {
        let Self { tnum, wide, low } = *self;
        agrees(tnum, wide) & agrees(tnum.low(), low)
    }
    /// Both ranges forgotten, known bits kept. (`__mark_reg_unbounded`)
    #[inline(always)]
    pub fn forget_ranges(self) -> Self {
        Self { tnum: self.tnum, ..Self::top() }
    }
}

/// The range is the one word that the bits are, or has a member where they are not one word.
#[inline(always)]
fn agrees<W: Word>(bits: Tnum<W>, range: Arc<W>) -> W::Truth {
    case! {
        bits.is_const() => range.is_const() & range.base.same(bits.value),
        _ => !range.is_empty(),
    }
}

/// At 64 bits, by the kernel's names.
impl Scalar<u64> {
    /// Every word. (`__mark_reg_unknown`)
    pub const fn unknown() -> Self {
        Self { tnum: Tnum::unknown(), wide: Arc::<u64>::FULL, low: Arc::<u32>::FULL }
    }
    /// The one word `value`. (`__mark_reg_known`)
    pub const fn constant(value: u64) -> Self {
        Self { tnum: Tnum::constant(value), wide: Arc::<u64>::constant(value), low: Arc::<u32>::constant(value as u32) }
    }
    /// A lower bound, unsigned.
    #[inline]
    pub fn umin(&self) -> u64 {
        self.wide.umin()
    }
    /// An upper bound, unsigned.
    #[inline]
    pub fn umax(&self) -> u64 {
        self.wide.umax()
    }
    /// A lower bound, signed.
    #[inline]
    pub fn smin(&self) -> i64 {
        self.wide.smin()
    }
    /// An upper bound, signed.
    #[inline]
    pub fn smax(&self) -> i64 {
        self.wide.smax()
    }
    /// A lower bound of the low half, unsigned.
    #[inline]
    pub fn u32_min(&self) -> u32 {
        self.low.umin()
    }
    /// An upper bound of the low half, unsigned.
    #[inline]
    pub fn u32_max(&self) -> u32 {
        self.low.umax()
    }
    /// A lower bound of the low half, signed.
    #[inline]
    pub fn s32_min(&self) -> i32 {
        self.low.smin()
    }
    /// An upper bound of the low half, signed.
    #[inline]
    pub fn s32_max(&self) -> i32 {
        self.low.smax()
    }
    /// The word, if all its bits are known. (`tnum_is_const`)
    #[inline]
    pub fn as_const(&self) -> Option<u64> {
        (self.tnum.mask == 0).then_some(self.tnum.value)
    }
    /// The low half, if all its bits are known. (`tnum_subreg_is_const`)
    #[inline]
    pub fn subreg_const(&self) -> Option<u32> {
        (self.tnum.mask as u32 == 0).then_some(self.tnum.value as u32)
    }
    /// Nothing is known: no bit, no bound.
    #[inline]
    pub fn is_unknown(&self) -> bool {
        self.tnum.is_unknown() && self.wide.is_full() && self.low.is_full()
    }
}
