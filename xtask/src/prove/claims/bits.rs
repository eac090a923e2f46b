//! Known bits.

use bpfvet_domain::AluOp;
use bpfvet_domain::tnum::{Doubts, Product, Tnum};
use bpfvet_domain::word::Word as _;

use crate::prove::claim::{Claim, Obligation, Register};
use crate::prove::symbol::{Symbolic, under_test};

pub(super) fn state<W: Register + 'static>(all: &mut Vec<Obligation>) {
    let mut claim = |name: &str, state: fn(&mut Claim)| all.push(Obligation::new(format!("tnum {name}"), state));

    claim("add", |claim| binary(claim, AluOp::Add, Tnum::<W>::add));
    claim("sub", |claim| binary(claim, AluOp::Sub, Tnum::<W>::sub));
    claim("and", |claim| binary(claim, AluOp::And, Tnum::<W>::and));
    claim("or", |claim| binary(claim, AluOp::Or, Tnum::<W>::or));
    claim("xor", |claim| binary(claim, AluOp::Xor, Tnum::<W>::xor));
    claim("lsh", |claim| shift(claim, AluOp::Lsh, Tnum::<W>::lsh));
    claim("rsh", |claim| shift(claim, AluOp::Rsh, Tnum::<W>::rsh));
    claim("arsh", |claim| shift(claim, AluOp::Arsh, Tnum::<W>::arsh));
    claim("lsh of low half", |claim| shift(claim, AluOp::Lsh, Tnum::<W::Half>::lsh));
    claim("rsh of low half", |claim| shift(claim, AluOp::Rsh, Tnum::<W::Half>::rsh));
    claim("arsh of low half", |claim| shift(claim, AluOp::Arsh, Tnum::<W::Half>::arsh));
    claim("neg", |claim| {
        let (a, x) = claim.tnum::<W>("a", "x");
        let result = under_test(|| a.neg());
        claim.show_member_tnum(result, x.wrapping_neg());
    });
    claim("mul, one bit", |claim| {
        let (sum, q) = claim.tnum::<W>("sum", "q");
        let (multiplier, x) = claim.tnum("multiplier", "x");
        let (multiplicand, y) = claim.tnum("multiplicand", "y");
        let next = under_test(|| Product { sum, multiplier, multiplicand }.next());
        let added = W::pick((x & W::one()).is_zero(), W::zero(), y);
        claim.show_member_tnum(next.sum, q.wrapping_add(added));
        claim.show_member_tnum(next.multiplier, x.shr(W::one()));
        claim.show_member_tnum(next.multiplicand, y.shl(W::one()));
    });
    claim("mul, no bit left", |claim| {
        let (multiplier, x) = claim.tnum::<W>("multiplier", "x");
        let done = under_test(|| multiplier.max().is_zero());
        claim.assume(done);
        claim.show(x.is_zero());
    });
    claim("mul apart, one bit", |claim| {
        let (sum, q) = claim.tnum::<W>("sum", "q");
        let (multiplier, x) = claim.tnum("multiplier", "x");
        let (multiplicand, y) = claim.tnum("multiplicand", "y");
        let next = under_test(|| Doubts { sum, multiplier, multiplicand }.next());
        let bit = |word: W| !(word & W::one()).is_zero();
        let perhaps = W::pick(bit(x), y, W::zero());
        let added = W::pick(bit(multiplier.value), y.wrapping_sub(multiplicand.value), perhaps);
        claim.show_member_tnum(next.sum, q.wrapping_add(added));
        claim.show_member_tnum(next.multiplier, x.shr(W::one()));
        claim.show_member_tnum(next.multiplicand, y.shl(W::one()));
        claim.show(next.multiplier.value.same(multiplier.value.shr(W::one())));
        claim.show(next.multiplicand.value.same(multiplicand.value.shl(W::one())));
    });
    claim("low halves multiply", |claim| {
        let (x, y) = (claim.word::<W>("x"), claim.word::<W>("y"));
        claim.show(x.wrapping_mul(y).low().same(x.low().wrapping_mul(y.low())));
    });
    claim("range", |claim| {
        let (min, max, x) = (claim.word::<W>("min"), claim.word("max"), claim.word("x"));
        claim.assume(min.ule(x));
        claim.assume(x.ule(max));
        let result = under_test(|| Tnum::range(min, max));
        claim.show_member_tnum(result, x);
    });
    claim("bounds", |claim| {
        let (a, x) = claim.tnum::<W>("a", "x");
        let (min, max, constant) = under_test(|| (a.min(), a.max(), a.is_const()));
        claim.show(min.ule(x));
        claim.show(x.ule(max));
        claim.show(!constant | x.same(min));
    });
    claim("includes", |claim| {
        let (b, x) = claim.tnum::<W>("b", "x");
        let a = Tnum { value: claim.word("a_value"), mask: claim.word("a_mask") };
        let includes = under_test(|| a.includes(&b));
        claim.assume(a.is_well_formed());
        claim.assume(includes);
        claim.show(a.contains(x));
    });
    claim("overlaps", |claim| {
        let (a, _) = claim.tnum::<W>("a", "x");
        let (b, _) = claim.tnum("b", "x");
        let overlaps = under_test(|| a.overlaps(b));
        claim.show(overlaps);
    });
    claim("meet", |claim| {
        let (a, x) = claim.tnum::<W>("a", "x");
        let (b, _) = claim.tnum("b", "x");
        let result = under_test(|| a.meet(b));
        claim.show_member_tnum(result, x);
    });
    claim("union", |claim| {
        let (a, x) = claim.tnum::<W>("a", "x");
        let (b, y) = claim.tnum("b", "y");
        let result = under_test(|| a.union(b));
        claim.show_member_tnum(result, x);
        claim.show_member_tnum(result, y);
    });
    claim("step", |claim| {
        let (a, x) = claim.tnum::<W>("a", "x");
        let from = claim.word::<W>("from");
        let next = under_test(|| a.step(from));
        // A member, and no member lies before it.
        claim.show(a.contains(next));
        claim.show(x.ule(from) | next.ule(x));
        claim.show(next.ugt(from) | next.same(a.max()));
    });
    claim("alignment", |claim| {
        let (a, x) = claim.tnum::<W>("a", "x");
        let size = claim.word::<W>("size");
        let aligned = under_test(|| a.is_aligned(size));
        claim.assume(!size.is_zero());
        claim.assume((size & size.wrapping_sub(W::one())).is_zero());
        claim.assume(aligned);
        claim.show((x & size.wrapping_sub(W::one())).is_zero());
    });
    claim("low half", |claim| {
        let (a, x) = claim.tnum::<W>("a", "x");
        let low = under_test(|| a.low());
        claim.show_member_tnum(low, x.low());
        let extended = under_test(|| Tnum::<W>::zero_extended(low));
        claim.show_member_tnum(extended, W::zero_extended(x.low()));
    });
    claim("with low half", |claim| {
        let (a, x) = claim.tnum::<W>("a", "x");
        let (low, y) = claim.tnum::<W::Half>("low", "y");
        let result = under_test(|| a.with_low(low));
        claim.show_member_tnum(result, x.with_low(y));
    });
    for bits in [W::BITS / 8, W::BITS / 4, W::BITS / 2] {
        all.push(Obligation::new(format!("tnum truncate to {bits}"), move |claim| {
            let (a, x) = claim.tnum::<W>("a", "x");
            let result = under_test(|| a.truncate(bits));
            claim.show_member_tnum(result, x & W::low_ones(bits));
        }));
    }
}

fn binary<W: Symbolic>(claim: &mut Claim, op: AluOp, operator: fn(Tnum<W>, Tnum<W>) -> Tnum<W>) {
    let ((a, x), (b, y)) = (claim.tnum("a", "x"), claim.tnum("b", "y"));
    let result = under_test(|| operator(a, b));
    claim.show_member_tnum(result, op.apply_to_word(x, y));
}

fn shift<W: Symbolic>(claim: &mut Claim, op: AluOp, operator: fn(Tnum<W>, W) -> Tnum<W>) {
    let (a, x) = claim.tnum("a", "x");
    let by = claim.word::<W>("by");
    claim.assume(by.ult(W::literal(u64::from(W::BITS))));
    let result = under_test(|| operator(a, by));
    claim.show_member_tnum(result, op.apply_to_word(x, by));
}
