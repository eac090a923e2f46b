//! Which way a conditional jump goes, told from bounds.

use super::{Bounds, Intervals};
use crate::scalar::{CmpOp, Foresight, Width};
use crate::tnum::Tnum;
use crate::word::{Choose as _, Double, Word};

/// What bits and intervals of one width say.
#[inline(always)]
fn foresee<W: Word>(op: CmpOp, (s, a): (Tnum<W>, Bounds<W>), (t, b): (Tnum<W>, Bounds<W>)) -> Foresight<W::Truth> {
    let below = |a: Bounds<W>, b: Bounds<W>| Foresight::first(a.umax.ult(b.umin), b.umax.ule(a.umin));
    let at_most = |a: Bounds<W>, b: Bounds<W>| Foresight::first(a.umax.ule(b.umin), b.umax.ult(a.umin));
    let less = |a: Bounds<W>, b: Bounds<W>| Foresight::first(a.smax.slt(b.smin), b.smax.sle(a.smin));
    let less_or_equal = |a: Bounds<W>, b: Bounds<W>| Foresight::first(a.smax.sle(b.smin), b.smax.slt(a.smin));
    match op {
        CmpOp::Eq => {
            let constants = s.is_const() & t.is_const();
            let equal = s.value.same(t.value);
            Foresight::first(constants & equal, (constants & !equal) | (!constants & (!s.overlaps(t) | a.is_apart(b))))
        }
        CmpOp::Ne => foresee(CmpOp::Eq, (s, a), (t, b)).opposite(),
        CmpOp::Lt => below(a, b),
        CmpOp::Le => at_most(a, b),
        CmpOp::Gt => below(b, a),
        CmpOp::Ge => at_most(b, a),
        CmpOp::Slt => less(a, b),
        CmpOp::Sle => less_or_equal(a, b),
        CmpOp::Sgt => less(b, a),
        CmpOp::Sge => less_or_equal(b, a),
        // Told beside a constant only.
        CmpOp::Set => {
            let (bits, other) = (Tnum::select(t.is_const(), t, s), Tnum::select(t.is_const(), s, t));
            let (some, none) = (!(other.value & bits.value).is_zero(), (other.max() & bits.value).is_zero());
            Foresight::first(bits.is_const() & some, bits.is_const() & none)
        }
    }
}

impl<W: Double> Intervals<W> {
    /// What is known of a comparison beforehand. (`is_scalar_branch_taken`)
    ///
    /// Nothing is tried out: an outcome that only refinement shows to be impossible is thought possible.
    #[inline]
    pub fn foreseen(op: CmpOp, width: Width, a: &Self, b: &Self) -> Foresight<W::Truth> {
        let seen = match width {
            Width::W32 => return foresee(op, (a.tnum.low(), a.low), (b.tnum.low(), b.low)),
            Width::W64 => foresee(op, (a.tnum, a.wide), (b.tnum, b.wide)),
        };
        // Words whose low halves differ differ.
        let halves_differ = a.low.is_apart(b.low) & !(a.tnum.is_const() & b.tnum.is_const());
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
}
