//! Comparisons: foresight and refinement, every condition, both outcomes, both widths.

use bpfvet_domain::arc::Arc;
use bpfvet_domain::scalar::{CmpOp, Scalar, Width};
use bpfvet_domain::word::Word as _;

use crate::prove::claim::{Claim, Obligation, Register};
use crate::prove::symbol::{Symbolic, under_test};

pub(super) fn state<W: Register + 'static>(all: &mut Vec<Obligation>) {
    for op in CmpOp::ALL {
        for width in [Width::W32, Width::W64] {
            for outcome in [true, false] {
                all.push(Obligation::new(format!("refine {op:?} {width:?} {outcome}"), move |claim| {
                    refine::<W>(claim, op, width, outcome)
                }));
            }
            all.push(Obligation::new(format!("foresee {op:?} {width:?}"), move |claim| {
                let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
                for (number, word) in [(a, x), (b, y)] {
                    claim.given_views(number.arc64(), word);
                    claim.given_views(number.arc32(), word.low());
                }
                // The obligation `tnum overlaps`.
                let (overlap, low_overlap) = (a.tnum().overlaps(b.tnum()), a.tnum().low().overlaps(b.tnum().low()));
                claim.assume(overlap | !x.same(y));
                claim.assume(low_overlap | !x.low().same(y.low()));
                claim.cut_truth(overlap);
                claim.cut_truth(low_overlap);
                let seen = under_test(|| Scalar::foreseen(op, width, &a, &b));
                let holds = op.holds(width, x, y);
                claim.show(!seen.holds | holds);
                claim.show(!seen.fails | !holds);
            }));
            all.push(Obligation::new(format!("foresee {op:?} {width:?} of one register"), move |claim| {
                let (a, x) = claim.number::<W>("a", "x");
                claim.given_views(a.arc64(), x);
                claim.given_views(a.arc32(), x.low());
                let seen = under_test(|| Scalar::foreseen_of_same(op, width, &a));
                let holds = op.holds(width, x, x);
                claim.show(!seen.holds | holds);
                claim.show(!seen.fails | !holds);
            }));
        }
    }
}

/// The operands are named so that the lesser one comes first: refining `>` and not `<=` then asks what refining `<` asks, and is asked once.
fn refine<W: Register>(claim: &mut Claim, op: CmpOp, width: Width, outcome: bool) {
    let reversed = matches!(
        (op, outcome),
        (CmpOp::Gt | CmpOp::Ge | CmpOp::Sgt | CmpOp::Sge, true)
            | (CmpOp::Le | CmpOp::Lt | CmpOp::Sle | CmpOp::Slt, false)
    );
    let ((lesser, least), (greater, most)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
    let (a, x, b, y) = if reversed { (greater, most, lesser, least) } else { (lesser, least, greater, most) };
    let holds = op.holds(width, x, y);
    claim.assume(if outcome { holds } else { !holds });
    match width {
        Width::W32 => {
            given::<W::Half>(claim, op, outcome, (lesser.arc32(), least.low()), (greater.arc32(), most.low()))
        }
        Width::W64 => given::<W>(claim, op, outcome, (lesser.arc64(), least), (greater.arc64(), most)),
    }
    let (first, second) = under_test(|| Scalar::narrowed(op, width, outcome, a, b));
    claim.show_member(first, x);
    claim.show_member(second, y);
}

/// What obligations on arcs say of the steps of a refinement: of bounds, and of meeting what a bound leaves.
fn given<W: Symbolic>(claim: &mut Claim, op: CmpOp, outcome: bool, (a, x): (Arc<W>, W), (b, y): (Arc<W>, W)) {
    let one = W::one();
    claim.given_views(b, y);
    // What is left of the lesser operand, which then cuts the greater one.
    let (least, most) = match (op, outcome) {
        (CmpOp::Lt | CmpOp::Gt, true) | (CmpOp::Ge | CmpOp::Le, false) => {
            let a = claim.given_meet(a, Arc::from_unsigned(W::zero(), b.umax().wrapping_sub(one)), x);
            claim.given_views(a, x);
            (a.umin().wrapping_add(one), W::ones())
        }
        (CmpOp::Le | CmpOp::Ge, true) | (CmpOp::Gt | CmpOp::Lt, false) => {
            let a = claim.given_meet(a, Arc::from_unsigned(W::zero(), b.umax()), x);
            claim.given_views(a, x);
            (a.umin(), W::ones())
        }
        (CmpOp::Slt | CmpOp::Sgt, true) | (CmpOp::Sge | CmpOp::Sle, false) => {
            let a = claim.given_meet(a, Arc::from_signed(W::signed_min(), b.signed_max().wrapping_sub(one)), x);
            claim.given_views(a, x);
            claim.given_meet(b, Arc::from_signed(a.signed_min().wrapping_add(one), W::signed_max()), y);
            return;
        }
        (CmpOp::Sle | CmpOp::Sge, true) | (CmpOp::Sgt | CmpOp::Slt, false) => {
            let a = claim.given_meet(a, Arc::from_signed(W::signed_min(), b.signed_max()), x);
            claim.given_views(a, x);
            claim.given_meet(b, Arc::from_signed(a.signed_min(), W::signed_max()), y);
            return;
        }
        (CmpOp::Eq, true) | (CmpOp::Ne, false) => {
            claim.given_meet(a, b, x);
            return;
        }
        (CmpOp::Eq, false) | (CmpOp::Ne, true) => {
            claim.given_meet(a, Arc::all_but(y), x);
            claim.given_meet(b, Arc::all_but(x), y);
            return;
        }
        (CmpOp::Set, _) => return,
    };
    claim.given_meet(b, Arc::from_unsigned(least, most), y);
}
