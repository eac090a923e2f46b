//! Arcs, at both widths.

use bpfvet_domain::AluOp;
use bpfvet_domain::arc::Arc;
use bpfvet_domain::tnum::Tnum;
use bpfvet_domain::word::Word as _;

use super::lemmas;
use crate::prove::claim::{Claim, Obligation, Register};
use crate::prove::symbol::{Symbolic, under_test};

pub(super) fn state<W: Symbolic + 'static>(kind: &str, all: &mut Vec<Obligation>) {
    let mut claim = |name: &str, state: fn(&mut Claim)| all.push(Obligation::new(format!("{kind} {name}"), state));

    claim("from unsigned", |claim| {
        let (min, max, x) = (claim.word::<W>("min"), claim.word("max"), claim.word("x"));
        claim.assume(min.ule(x) & x.ule(max));
        // The arc of the greatest word alone is not the empty one.
        let arc = under_test(|| Arc::from_unsigned(min, max));
        claim.show(arc.contains(x));
    });
    claim("from signed", |claim| {
        let (min, max, x) = (claim.word::<W>("min"), claim.word("max"), claim.word("x"));
        claim.assume(min.sle(x) & x.sle(max));
        let arc = under_test(|| Arc::from_signed(min, max));
        claim.show(arc.contains(x));
    });
    claim("from tnum", |claim| {
        let (tnum, x) = claim.tnum::<W>("a", "x");
        let arc = under_test(|| Arc::from_tnum(tnum));
        claim.show(arc.contains(x));
    });
    claim("exactly, full, all but", |claim| {
        let (x, y) = (claim.word::<W>("x"), claim.word::<W>("y"));
        claim.assume(!x.same(y));
        let (exactly, full, all_but) = under_test(|| (Arc::exactly(x), Arc::<W>::full(), Arc::all_but(y)));
        claim.show(exactly.contains(x));
        claim.show(full.contains(x));
        claim.show(all_but.contains(x));
    });
    claim("views", |claim| {
        let (a, x) = claim.arc::<W>("a", "x");
        let (umin, umax, smin, smax) = under_test(|| (a.umin(), a.umax(), a.signed_min(), a.signed_max()));
        claim.show(umin.ule(x));
        claim.show(x.ule(umax));
        claim.show(smin.sle(x));
        claim.show(x.sle(smax));
    });
    claim("includes", |claim| {
        let (b, x) = claim.arc::<W>("b", "x");
        // Any arc, told by how far before the other it starts.
        let a = Arc { base: b.base.wrapping_sub(claim.word("start")), size: claim.word("a_size") };
        let includes = under_test(|| a.includes(&b));
        claim.assume(includes);
        claim.show(a.contains(x));
    });
    claim("intersect", |claim| {
        let ((a, x), (b, _)) = (claim.arc::<W>("a", "x"), claim.arc("b", "x"));
        let result = under_test(|| a.intersect(b));
        claim.show(result.contains(x));
    });
    claim("join", |claim| {
        let (a, x) = claim.arc::<W>("a", "x");
        // Any other arc and member, told by how far from the first they lie.
        let (from, before) = (claim.word::<W>("from"), claim.word::<W>("b_before"));
        let b = Arc { base: a.base.wrapping_add(from), size: claim.word("b_size") };
        claim.assume(before.ule(b.size) & !b.is_empty());
        let y = b.base.wrapping_add(before);
        let result = under_test(|| a.join(b));
        claim.show(result.contains(x));
        claim.show(result.contains(y));
    });
    claim("clamped", |claim| {
        let ((a, x), (min, max)) = (claim.arc::<W>("a", "x"), (claim.word::<W>("min"), claim.word("max")));
        claim.assume(min.sle(x) & x.sle(max));
        claim.given_views(a, x);
        let result = under_test(|| a.clamped(min, max));
        claim.show(result.contains(x));
    });
    claim("normalize", |claim| {
        // Of a sum that is not the empty arc: the one full arc that may not be taken for it.
        let (base, x) = (claim.word::<W>("base"), claim.word("x"));
        let result = under_test(|| Arc { base, size: W::ones() }.normalize());
        claim.show(result.contains(x));
    });
    claim("add", |claim| {
        let ((a, x), (b, y)) = (claim.arc::<W>("a", "x"), claim.arc("b", "y"));
        let result = under_test(|| a.add(b));
        claim.show(result.contains(x.wrapping_add(y)));
    });
    claim("sub", |claim| {
        let ((a, x), (b, y)) = (claim.arc::<W>("a", "x"), claim.arc("b", "y"));
        let result = under_test(|| a.sub(b));
        claim.show(result.contains(x.wrapping_sub(y)));
    });
    claim("neg", |claim| {
        let (a, x) = claim.arc::<W>("a", "x");
        let result = under_test(|| a.neg());
        claim.show(result.contains(x.wrapping_neg()));
    });
    claim("lsh", |claim| shift::<W>(claim, AluOp::Lsh, Arc::lsh));
    claim("rsh", |claim| shift::<W>(claim, AluOp::Rsh, Arc::rsh));
    claim("arsh", |claim| shift::<W>(claim, AluOp::Arsh, Arc::arsh));

    let mut claim =
        |name: &str, state: fn(&mut Claim)| all.push(Obligation::with_lemmas(format!("{kind} {name}"), state));
    claim("unsigned products", |claim| products::<W>(claim, Arc::unsigned_products));
    claim("signed products", |claim| products::<W>(claim, Arc::signed_products));
    claim("udiv", |claim| {
        let (a, x, by) = dividend::<W>(claim);
        let result = under_test(|| a.udiv(by));
        claim.show(result.contains(x.udiv(by)));
    });
    claim("sdiv", |claim| {
        let (a, x, by) = dividend::<W>(claim);
        let result = under_test(|| a.sdiv(by));
        claim.show(result.contains(x.sdiv(by)));
    });
    claim("umod", |claim| {
        let (a, x, by) = dividend::<W>(claim);
        let (keeps, result) = under_test(|| (a.is_below(by), a.umod(by)));
        claim.show(result.contains(x.urem(by)));
        claim.show(!keeps | x.urem(by).same(x));
    });
    claim("smod", |claim| {
        let (a, x, by) = dividend::<W>(claim);
        let (keeps, result) = under_test(|| (a.is_within(by), a.smod(by)));
        claim.show(result.contains(x.srem(by)));
        claim.show(!keeps | x.srem(by).same(x));
    });
}

fn products<W: Symbolic>(claim: &mut Claim, operator: fn(Arc<W>, Arc<W>) -> Arc<W>) {
    let ((a, x), (b, y)) = (claim.arc("a", "x"), claim.arc("b", "y"));
    claim.given_views(a, x);
    claim.given_views(b, y);
    for lemma in lemmas::multiplication(a, b, x, y) {
        claim.assume(lemma);
    }
    let result = under_test(|| operator(a, b));
    claim.show(result.contains(x.wrapping_mul(y)));
}

/// Any arc, any member, any divisor but zero.
fn dividend<W: Symbolic>(claim: &mut Claim) -> (Arc<W>, W, W) {
    let ((a, x), by) = (claim.arc::<W>("a", "x"), claim.word::<W>("by"));
    claim.assume(!by.is_zero());
    claim.given_views(a, x);
    for lemma in lemmas::division(a, x, by) {
        claim.assume(lemma);
    }
    (a, x, by)
}

fn shift<W: Symbolic>(claim: &mut Claim, op: AluOp, operator: fn(Arc<W>, W) -> Arc<W>) {
    let ((a, x), by) = (claim.arc::<W>("a", "x"), claim.word::<W>("by"));
    claim.assume(by.ult(W::literal(u64::from(W::BITS))));
    claim.given_views(a, x);
    let result = under_test(|| operator(a, by));
    claim.show(result.contains(op.apply_to_word(x, by)));
}

/// Arcs of words and arcs of their halves.
pub(super) fn state_halves<W: Register + 'static>(all: &mut Vec<Obligation>) {
    let mut claim = |name: &str, state: fn(&mut Claim)| all.push(Obligation::new(format!("arc {name}"), state));
    claim("low half", |claim| {
        let (a, x) = claim.arc::<W>("a", "x");
        let low = under_test(|| a.low());
        claim.show(low.contains(x.low()));
    });
    claim("low halves add", |claim| {
        let (x, y) = (claim.word::<W>("x"), claim.word::<W>("y"));
        claim.show(x.wrapping_add(y).low().same(x.low().wrapping_add(y.low())));
    });
    claim("with low half in", |claim| {
        // Any arc and member, told from the arc's base; any arc of low halves, told from the base's low half.
        let (base, before) = (claim.word::<W>("base"), claim.word::<W>("before"));
        let (from, low_size) = (claim.word::<W::Half>("from"), claim.word("low_size"));
        let x = base.wrapping_add(before);
        let a = Arc { base, size: claim.word("size") };
        let low = Arc { base: base.low().wrapping_add(from), size: low_size };
        // The obligation `low halves add`.
        claim.assume(x.low().same(base.low().wrapping_add(before.low())));
        claim.cut(x.low());
        claim.cut(base.low());
        claim.assume(before.ule(a.size) & !a.is_empty());
        claim.assume(low.contains(x.low()));
        let result = under_test(|| a.with_low_in(low));
        claim.show(result.contains(x));
    });
    claim("low range raised to the top", |claim| {
        let (min, max) = (claim.word::<W::Half>("min"), claim.word("max"));
        let x = claim.word::<W>("x");
        claim.assume(min.sle(x.low()) & x.low().sle(max));
        let half = W::literal(u64::from(W::BITS / 2));
        let raised = |word: W::Half| W::zero_extended(word).shl(half);
        claim.show(Arc::from_signed(raised(min), raised(max)).contains(x.shl(half)));
    });
    claim("of the low half's known bits", |claim| {
        let (tnum, x) = claim.tnum::<W>("a", "x");
        let arc = under_test(|| Arc::from_tnum(Tnum::low(tnum)));
        claim.show(arc.contains(x.low()));
    });
}
