//! Which way a conditional jump goes: told from bounds, or from refining both outcomes.

use super::{CmpOp, Scalar, Width};
use crate::arc::Arc;
use crate::tnum::Tnum;
use crate::word::{Double, Truth, Word, case};

/// What is known of a conditional jump.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Branch<S> {
    /// It is taken.
    Always,
    /// It is not taken.
    Never,
    /// It may go either way.
    Both {
        /// The operands where it is taken.
        taken: (S, S),
        /// The operands where it is not.
        fallthrough: (S, S),
    },
}

/// What bounds say about a comparison: it holds, it fails, or neither is known.
#[derive(Clone, Copy, Debug)]
pub struct Foresight<B> {
    /// It holds for all members.
    pub holds: B,
    /// It fails for all members.
    pub fails: B,
}

impl<B: Truth> Foresight<B> {
    /// The first answer counts: what both `holds` and `fails` claim is taken to hold.
    #[inline(always)]
    pub(crate) fn first(holds: B, fails: B) -> Self {
        Self { holds, fails: fails & !holds }
    }
    /// Of the opposite comparison.
    #[inline(always)]
    pub(crate) fn opposite(self) -> Self {
        Self { holds: self.fails, fails: self.holds }
    }
}

/// The ranges cannot have a common word: they do not overlap as unsigned or as signed ranges.
#[inline(always)]
fn apart<W: Word>(a: Arc<W>, b: Arc<W>) -> W::Truth {
    a.umin().ugt(b.umax())
        | a.umax().ult(b.umin())
        | b.signed_max().slt(a.signed_min())
        | a.signed_max().slt(b.signed_min())
}

/// What bits and ranges of one width say. (`is_scalar_branch_taken`)
#[inline(always)]
fn foresee<W: Word>(op: CmpOp, (s, a): (Tnum<W>, Arc<W>), (t, b): (Tnum<W>, Arc<W>)) -> Foresight<W::Truth> {
    match op {
        CmpOp::Eq => {
            let constants = s.is_const() & t.is_const();
            let equal = s.value.same(t.value);
            Foresight::first(constants & equal, (constants & !equal) | (!constants & (!s.overlaps(t) | apart(a, b))))
        }
        CmpOp::Ne => foresee(CmpOp::Eq, (s, a), (t, b)).opposite(),
        CmpOp::Gt => Foresight::first(a.umin().ugt(b.umax()), a.umax().ule(b.umin())),
        CmpOp::Ge => Foresight::first(b.umax().ule(a.umin()), a.umax().ult(b.umin())),
        CmpOp::Lt => Foresight::first(a.umax().ult(b.umin()), b.umax().ule(a.umin())),
        CmpOp::Le => Foresight::first(a.umax().ule(b.umin()), a.umin().ugt(b.umax())),
        CmpOp::Sgt => Foresight::first(b.signed_max().slt(a.signed_min()), a.signed_max().sle(b.signed_min())),
        CmpOp::Sge => Foresight::first(b.signed_max().sle(a.signed_min()), a.signed_max().slt(b.signed_min())),
        CmpOp::Slt => Foresight::first(a.signed_max().slt(b.signed_min()), b.signed_max().sle(a.signed_min())),
        CmpOp::Sle => Foresight::first(a.signed_max().sle(b.signed_min()), b.signed_max().slt(a.signed_min())),
        // Told beside a constant only.
        CmpOp::Set => {
            let bits = case! { t.is_const() => t, _ => s };
            let other = case! { t.is_const() => s, _ => t };
            let holds = !(other.value & bits.value).is_zero();
            let fails = (other.max() & bits.value).is_zero();
            Foresight { holds: bits.is_const() & holds, fails: bits.is_const() & fails & !holds }
        }
    }
}

impl<W: Double> Scalar<W> {
    /// What bounds alone say about a comparison. (`is_scalar_branch_taken`, up to the simulation)
    #[inline]
    pub fn foreseen(op: CmpOp, width: Width, a: &Self, b: &Self) -> Foresight<W::Truth> {
        let seen = match width {
            Width::W32 => return foresee(op, (a.tnum.low(), a.low), (b.tnum.low(), b.low)),
            Width::W64 => foresee(op, (a.tnum, a.wide), (b.tnum, b.wide)),
        };
        // Words whose low halves differ differ.
        let halves_differ = apart(a.low, b.low) & !(a.tnum.is_const() & b.tnum.is_const());
        match op {
            CmpOp::Eq => Foresight::first(seen.holds, seen.fails | halves_differ),
            CmpOp::Ne => Foresight::first(seen.holds | halves_differ, seen.fails),
            CmpOp::Gt
            | CmpOp::Ge
            | CmpOp::Lt
            | CmpOp::Le
            | CmpOp::Sgt
            | CmpOp::Sge
            | CmpOp::Slt
            | CmpOp::Sle
            | CmpOp::Set => seen,
        }
    }

    /// What comparing a register with itself says.
    #[inline]
    pub fn foreseen_of_same(op: CmpOp, width: Width, a: &Self) -> Foresight<W::Truth> {
        let (yes, no) = (W::Truth::known(true), W::Truth::known(false));
        match op {
            CmpOp::Eq | CmpOp::Ge | CmpOp::Le | CmpOp::Sge | CmpOp::Sle => Foresight { holds: yes, fails: no },
            CmpOp::Ne | CmpOp::Gt | CmpOp::Lt | CmpOp::Sgt | CmpOp::Slt => Foresight { holds: no, fails: yes },
            CmpOp::Set => match width {
                Width::W32 => a.low_has_bits(),
                Width::W64 => a.has_bits(),
            },
        }
    }

    /// Whether the word is other than zero, as bits if it is constant and as a signed range if not.
    #[inline(always)]
    fn has_bits(&self) -> Foresight<W::Truth> {
        let without_zero = self.wide.signed_max().is_negative() | W::zero().slt(self.wide.signed_min());
        has_bits(self.tnum, without_zero)
    }
    #[inline(always)]
    fn low_has_bits(&self) -> Foresight<W::Truth> {
        let without_zero = self.low.signed_max().is_negative() | W::Half::zero().slt(self.low.signed_min());
        has_bits(self.tnum.low(), without_zero)
    }
}

#[inline(always)]
fn has_bits<W: Word>(tnum: Tnum<W>, without_zero: W::Truth) -> Foresight<W::Truth> {
    let (constant, zero) = (tnum.is_const(), tnum.value.is_zero());
    Foresight { holds: (constant & !zero) | (!constant & without_zero), fails: constant & zero }
}

impl Scalar<u64> {
    /// Whether the comparison holds, if that is known for all members.
    ///
    /// What bounds do not tell, refining both outcomes may: an outcome with an empty range is impossible.
    #[inline]
    pub fn compare(op: CmpOp, width: Width, a: &Self, b: &Self) -> Option<bool> {
        match Self::branch(op, width, *a, *b, false) {
            Branch::Always => Some(true),
            Branch::Never => Some(false),
            Branch::Both { .. } => None,
        }
    }

    /// Which way a jump on `a op b` goes, with the operands on each way. (`is_branch_taken`, `simulate_both_branches_taken`)
    ///
    /// `same_register`: both operands are one register, not merely equal.
    ///
    /// The operands come as the kernel has them, which need not be consistent: a caller checks each by [`Scalar::is_consistent`], and forgets
    /// the ranges of those that are not.
    pub fn branch(op: CmpOp, width: Width, a: Self, b: Self, same_register: bool) -> Branch<Self> {
        let untold = Branch::Both { taken: (a, b), fallthrough: (a, b) };
        if same_register {
            return match Self::foreseen_of_same(op, width, &a) {
                Foresight { holds: true, .. } => Branch::Always,
                Foresight { fails: true, .. } => Branch::Never,
                Foresight { .. } => untold,
            };
        }
        match Self::foreseen(op, width, &a, &b) {
            Foresight { holds: true, .. } => return Branch::Always,
            Foresight { fails: true, .. } => return Branch::Never,
            Foresight { .. } => {}
        }
        if op == CmpOp::Set && !a.is_const_in(width) && !b.is_const_in(width) {
            return untold;
        }
        let Some(fallthrough) = Self::refine(op, width, false, a, b) else { return Branch::Always };
        let Some(taken) = Self::refine(op, width, true, a, b) else { return Branch::Never };
        Branch::Both { taken, fallthrough }
    }

    #[inline]
    fn is_const_in(&self, width: Width) -> bool {
        match width {
            Width::W32 => self.subreg_const().is_some(),
            Width::W64 => self.as_const().is_some(),
        }
    }
}
