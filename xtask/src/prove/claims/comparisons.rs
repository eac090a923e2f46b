//! Comparisons: foresight and refinement, every condition, both outcomes, both widths.

use bpfvet_domain::scalar::{CmpOp, Scalar, Width};

use crate::prove::claim::{Obligation, Register};
use crate::prove::symbol::under_test;

pub(super) fn state<W: Register + 'static>(all: &mut Vec<Obligation>) {
    for op in CmpOp::ALL {
        for width in [Width::W32, Width::W64] {
            for outcome in [true, false] {
                all.push(Obligation::new(format!("refine {op:?} {width:?} {outcome}"), move |claim| {
                    let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number("b", "y"));
                    let holds = op.holds(width, x, y);
                    claim.assume(if outcome { holds } else { !holds });
                    let (first, second) = under_test(|| Scalar::narrowed(op, width, outcome, a, b));
                    claim.show_member(first, x);
                    claim.show_member(second, y);
                }));
            }
            all.push(Obligation::new(format!("foresee {op:?} {width:?}"), move |claim| {
                let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number("b", "y"));
                let seen = under_test(|| Scalar::foreseen(op, width, &a, &b));
                let holds = op.holds(width, x, y);
                claim.show(!seen.holds | holds);
                claim.show(!seen.fails | !holds);
            }));
            all.push(Obligation::new(format!("foresee {op:?} {width:?} of one register"), move |claim| {
                let (a, x) = claim.number::<W>("a", "x");
                let seen = under_test(|| Scalar::foreseen_of_same(op, width, &a));
                let holds = op.holds(width, x, x);
                claim.show(!seen.holds | holds);
                claim.show(!seen.fails | !holds);
            }));
        }
    }
}
