//! Mistakes with intervals.

use bpfvet_domain::intervals::{Bounds, Intervals};
use bpfvet_domain::word::Word;

use crate::prove::claim::{Claim, Obligation, Register};

pub(super) fn state<W: Register + 'static>(all: &mut Vec<Obligation>) {
    let mut mistake = |name: &str, state: fn(&mut Claim)| all.push(Obligation::new(format!("mistake: {name}"), state));
    mistake("sum of intervals that may go round at the upper end", |claim| {
        let ((a, x), (b, y)) = (claim.bounds::<W>("a", "x"), claim.bounds::<W>("b", "y"));
        claim.assume(a.umin.ule(a.umin.wrapping_add(b.umin)));
        let sum = Bounds::from_unsigned(a.umin.wrapping_add(b.umin), a.umax.wrapping_add(b.umax));
        claim.show(sum.contains(x.wrapping_add(y)));
    });
    mistake("difference of intervals end by end", |claim| {
        let ((a, x), (b, y)) = (claim.bounds::<W>("a", "x"), claim.bounds::<W>("b", "y"));
        claim.assume(b.umax.ule(a.umin));
        let difference = Bounds::from_unsigned(a.umin.wrapping_sub(b.umin), a.umax.wrapping_sub(b.umax));
        claim.show(difference.contains(x.wrapping_sub(y)));
    });
    mistake("the gap between the ends of a signed interval, overlapped on both sides", |claim| {
        let (a, x) = claim.bounds::<W>("a", "x");
        claim.assume(a.smax.ult(a.smin));
        claim.show(x.ule(a.umax.umin(a.smax)));
    });
    mistake("one reading taken for the other although the sign changes", |claim| {
        let (a, x) = claim.bounds::<W>("a", "x");
        claim.show(a.umin.sle(x) & x.sle(a.umax));
    });
    mistake("an end that is moved off a word that is not excluded", |claim| {
        let ((a, x), (b, y)) = (claim.bounds::<W>("a", "x"), claim.bounds::<W>("b", "y"));
        claim.assume(!x.same(y));
        claim.show(a.without(b.umin).contains(x));
    });
    mistake("low halves of an interval whose ends differ in the high half", |claim| {
        let (a, x) = claim.intervals::<W>("a", "x");
        claim.show(a.wide().umin.low().ule(x.low()));
    });
    mistake("low halves through zero of an interval that goes further than that", |claim| {
        let (a, x) = claim.intervals::<W>("a", "x");
        let (min, max) = (a.wide().umin.low(), a.wide().umax.low());
        claim.assume(min.is_negative() & !max.is_negative());
        claim.show(min.sle(x.low()) & x.low().sle(max));
    });
    mistake("a low half that is not negative taken for the word", |claim| {
        let (a, x) = claim.intervals::<W>("a", "x");
        claim.assume(!a.low().smin.is_negative());
        claim.show(W::sign_extended(a.low().smin).sle(x) & x.sle(W::sign_extended(a.low().smax)));
    });
    mistake("ends of the word replaced by low halves, moved outward or inward", |claim| {
        let (a, x) = claim.intervals::<W>("a", "x");
        claim.show(a.wide().umin.with_low(a.low().smin).ule(x));
    });
    mistake("zero-extension that keeps signed intervals of the low half", |claim| {
        let (a, x) = claim.intervals::<W>("a", "x");
        let extended = Bounds::from_signed(W::sign_extended(a.low().smin), W::sign_extended(a.low().smax));
        claim.show(extended.contains(W::zero_extended(x.low())));
    });
    mistake("order of intervals that looks at lower ends only", |claim| {
        let (b, x) = claim.intervals::<W>("b", "x");
        let a = Intervals::from_parts(b.tnum(), claim.any_bounds("a"), b.low());
        claim.assume(a.wide().umin.ule(b.wide().umin) & a.wide().smin.sle(b.wide().smin));
        claim.show_intervals(a, x);
    });
}
