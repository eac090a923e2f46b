//! Mistakes that verifiers made, and some that are easily made, as operators beside the shipped ones.

mod intervals;

use bpfvet_domain::arc::Arc;
use bpfvet_domain::scalar::{AluOp, CmpOp, Scalar, Width};
use bpfvet_domain::tnum::Tnum;
use bpfvet_domain::word::{Choose as _, Word};

use crate::prove::claim::{Claim, Obligation, Register};
use crate::prove::symbol::Symbolic;

/// Every mistake, as the obligation that it must fail.
pub(super) fn all<W: Register + 'static>() -> Vec<Obligation>
where
    W::Half: 'static,
{
    let mut all = Vec::new();
    bits::<W>(&mut all);
    arcs::<W>(&mut all);
    numbers::<W>(&mut all);
    comparisons::<W>(&mut all);
    intervals::state::<W>(&mut all);
    all
}

fn tnum_binary<W: Symbolic>(claim: &mut Claim, op: AluOp, wrong: impl Fn(Tnum<W>, Tnum<W>) -> Tnum<W>) {
    let ((a, x), (b, y)) = (claim.tnum("a", "x"), claim.tnum("b", "y"));
    claim.show_member_tnum(wrong(a, b), op.apply_to_word(x, y));
}

fn bits<W: Register + 'static>(all: &mut Vec<Obligation>) {
    let mut mistake = |name: &str, state: fn(&mut Claim)| all.push(Obligation::new(format!("mistake: {name}"), state));
    mistake("sums of known bits without carries", |claim| {
        tnum_binary::<W>(claim, AluOp::Add, |a, b| Tnum::new(a.value.wrapping_add(b.value), a.mask | b.mask));
    });
    mistake("differences of known bits like sums", |claim| {
        tnum_binary::<W>(claim, AluOp::Sub, |a, b| {
            let (least, masks) = (a.value.wrapping_sub(b.value), a.mask.wrapping_add(b.mask));
            Tnum::new(least, (least.wrapping_add(masks) ^ least) | a.mask | b.mask)
        });
    });
    mistake("conjunction that forgets a known zero is not a known one", |claim| {
        tnum_binary::<W>(claim, AluOp::And, |a, b| Tnum { value: a.value & b.value, mask: a.mask & b.mask });
    });
    mistake("disjunction that keeps a bit of one operand only", |claim| {
        tnum_binary::<W>(claim, AluOp::Or, |a, b| Tnum::new(a.value | b.value, a.mask));
    });
    mistake("difference of bits with common unknowns known", |claim| {
        tnum_binary::<W>(claim, AluOp::Xor, |a, b| Tnum::new(a.value ^ b.value, a.mask ^ b.mask));
    });
    mistake("arithmetic shift with a logical one of the unknown bits", |claim| {
        let (a, x) = claim.tnum::<W>("a", "x");
        let by = claim.word::<W>("by");
        claim.assume(by.ult(W::literal(u64::from(W::BITS))));
        claim.show(Tnum { value: a.value.sar(by), mask: a.mask.shr(by) }.contains(x.sar(by)));
    });
    mistake("range without its top bit", |claim| {
        let (min, max, x) = (claim.word::<W>("min"), claim.word("max"), claim.word("x"));
        claim.assume(min.ule(x) & x.ule(max));
        let unknown = (min ^ max).filled().shr(W::one());
        claim.show(Tnum::new(min & !unknown, unknown).contains(x));
    });
    mistake("union that knows what one side knows", |claim| {
        let ((a, x), (b, _)) = (claim.tnum::<W>("a", "x"), claim.tnum("b", "y"));
        claim.show(Tnum::new(a.value & b.value, a.mask | b.mask).contains(x));
    });
    mistake("next member without the carry through known bits", |claim| {
        let (a, x) = claim.tnum::<W>("a", "x");
        let from = claim.word::<W>("from");
        claim.assume(a.min().ule(from) & from.ult(a.max()));
        let next = a.value | (from.wrapping_sub(a.value).wrapping_add(W::one()) & a.mask);
        claim.show(next.ugt(from));
        claim.show(x.ule(from) | next.ule(x));
    });
    mistake("one bit of a product added where it is unknown", |claim| {
        let ((sum, q), (b, y)) = (claim.tnum::<W>("sum", "q"), claim.tnum("b", "y"));
        let bit = claim.word::<W>("bit");
        claim.show(sum.add(b).contains(q.wrapping_add(W::pick(bit.is_zero(), W::zero(), y))));
    });
}

fn arcs<W: Register + 'static>(all: &mut Vec<Obligation>) {
    let mut mistake = |name: &str, state: fn(&mut Claim)| all.push(Obligation::new(format!("mistake: {name}"), state));
    mistake("sum of arcs that may go round", |claim| {
        let ((a, x), (b, y)) = (claim.arc::<W>("a", "x"), claim.arc("b", "y"));
        let sum = Arc { base: a.base.wrapping_add(b.base), size: a.size.wrapping_add(b.size) };
        claim.show(sum.contains(x.wrapping_add(y)));
    });
    mistake("sum of arcs that turns out full and looks empty", |claim| {
        let ((a, x), (b, y)) = (claim.arc::<W>("a", "x"), claim.arc("b", "y"));
        claim.assume(a.size.ule(W::ones().wrapping_sub(b.size)));
        let sum = Arc { base: a.base.wrapping_add(b.base), size: a.size.wrapping_add(b.size) };
        claim.show(sum.contains(x.wrapping_add(y)));
    });
    mistake("mirror image without the length", |claim| {
        let (a, x) = claim.arc::<W>("a", "x");
        claim.show(Arc { base: a.base.wrapping_neg(), size: a.size }.contains(x.wrapping_neg()));
    });
    mistake("meeting in two pieces, one of them kept", |claim| {
        let ((a, x), (b, _)) = (claim.arc::<W>("a", "x"), claim.arc::<W>("b", "x"));
        claim.assume(!a.umin().same(W::zero()) & !b.is_full() & !a.is_full());
        let start = b.base.wrapping_sub(a.base);
        claim.show(Arc { base: b.base, size: a.size.wrapping_sub(start).umin(b.size) }.contains(x));
    });
    mistake("unsigned bounds of an arc that wraps", |claim| {
        let (a, x) = claim.arc::<W>("a", "x");
        claim.show(a.base.ule(x) & x.ule(a.base.wrapping_add(a.size)));
    });
    mistake("signed bounds of an arc that wraps", |claim| {
        let (a, x) = claim.arc::<W>("a", "x");
        let last = a.base.wrapping_add(a.size);
        claim.show(a.base.smin(last).sle(x) & x.sle(a.base.smax(last)));
    });
    mistake("order by ends alone", |claim| {
        let (b, x) = claim.arc::<W>("b", "x");
        let a = Arc { base: claim.word::<W>("a_base"), size: claim.word("a_size") };
        claim.assume(a.contains(b.base) & a.contains(b.base.wrapping_add(b.size)));
        claim.show(a.contains(x));
    });
    mistake("join that stays where it was", |claim| {
        let ((a, _), (b, y)) = (claim.arc::<W>("a", "x"), claim.arc("b", "y"));
        claim.show(Arc { base: a.base, size: a.size.umax(b.size) }.contains(y));
    });
    mistake("shift left although bits are lost", |claim| {
        let ((a, x), by) = (claim.arc::<W>("a", "x"), claim.word::<W>("by"));
        claim.assume(by.ult(W::literal(u64::from(W::BITS))));
        claim.show(Arc::from_unsigned(a.umin().shl(by), a.umax().shl(by)).contains(x.shl(by)));
    });
    mistake("arithmetic shift of unsigned bounds", |claim| {
        let ((a, x), by) = (claim.arc::<W>("a", "x"), claim.word::<W>("by"));
        claim.assume(by.ult(W::literal(u64::from(W::BITS))));
        claim.show(Arc::from_unsigned(a.umin().shr(by), a.umax().shr(by)).contains(x.sar(by)));
    });
    mistake("quotient by minus one of the least word", |claim| {
        let (a, x) = claim.arc::<W>("a", "x");
        let by = W::ones();
        let (one, other) = (a.signed_min().wrapping_neg(), a.signed_max().wrapping_neg());
        claim.assume(a.signed_min().same(W::signed_min()) & by.same(W::ones()));
        claim.show(Arc::from_signed(one.smin(other), one.smax(other)).contains(x.wrapping_neg()));
    });
    mistake("low half of an arc longer than a half", |claim| {
        let (a, x) = claim.arc::<W>("a", "x");
        claim.show(Arc { base: a.base.low(), size: a.size.low() }.contains(x.low()));
    });
    mistake("last word of an arc with low half in an arc, one lap short", |claim| {
        let (a, x) = claim.arc::<W>("a", "x");
        let low = Arc { base: claim.word::<W::Half>("low_base"), size: claim.word("low_size") };
        claim.assume(low.contains(x.low()));
        let from = low.base.wrapping_sub(a.base.low());
        claim.assume(low.size.ule(W::Half::ones().wrapping_sub(from)));
        let start = W::zero_extended(from);
        claim.assume(start.ule(a.size));
        let to = start.wrapping_add(W::zero_extended(low.size));
        claim.show(Arc { base: a.base.wrapping_add(start), size: a.size.umin(to).wrapping_sub(start) }.contains(x));
    });
}

fn numbers<W: Register + 'static>(all: &mut Vec<Obligation>) {
    let mut mistake = |name: &str, state: fn(&mut Claim)| all.push(Obligation::new(format!("mistake: {name}"), state));
    mistake("bits of the low half from the truncated range (CVE-2020-8835)", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        let range = Tnum::range(a.arc64().umin().low(), a.arc64().umax().low());
        claim.show(a.tnum().with_low(a.tnum().low().meet(range)).contains(x));
    });
    mistake("disjunction of 64 bits cut to a 32-bit range (CVE-2020-27194)", |claim| {
        let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
        let result = Scalar::computed(AluOp::Or, Width::W64, a, b).arc64();
        claim.show(Arc::from_unsigned(result.umin().low(), result.umax().low()).contains((x | y).low()));
    });
    mistake("32-bit conjunction that keeps the operands' bounds (CVE-2021-3490)", |claim| {
        let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
        claim.assume(b.tnum().low().is_const());
        let bounds =
            Arc::from_unsigned(a.arc32().umin().umin(b.arc32().umin()), a.arc32().umax().umin(b.arc32().umax()));
        claim.show(bounds.contains((x & y).low()));
    });
    mistake("lower 32-bit bound from the 64-bit one alone (CVE-2021-31440)", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        claim.assume(a.arc64().umin().ule(W::low_ones(W::BITS / 2)));
        claim.show(a.arc64().umin().low().ule(x.low()));
    });
    mistake("32-bit move with the sign extended (CVE-2017-16995)", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        let extended = W::sign_extended(x.low());
        claim.assume(a.tnum().is_const());
        claim.show(Scalar::exactly(extended).contains(W::zero_extended(x.low())));
    });
    mistake("32-bit move with signed bounds of the low half (CVE-2021-45402)", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        let (min, max) = (a.arc32().signed_min(), a.arc32().signed_max());
        claim.show(Arc::from_signed(W::sign_extended(min), W::sign_extended(max)).contains(W::zero_extended(x.low())));
    });
    mistake("32-bit shift right of the 64-bit range (CVE-2018-18445)", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        let by = claim.word::<W::Half>("by");
        claim.assume(by.ult(W::Half::literal(u64::from(W::Half::BITS))));
        claim.show(a.arc64().rsh(W::zero_extended(by)).contains(W::zero_extended(x.low().shr(by))));
    });
    mistake("zero-extension that keeps the high bits", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        claim.show(a.tnum().contains(W::zero_extended(x.low())));
    });
    mistake("sign extension of bounds with unlike high bits", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        let (min, max) = (a.arc64().signed_min(), a.arc64().signed_max());
        let (one, other) = (min.sign_extended_from(W::BITS / 2), max.sign_extended_from(W::BITS / 2));
        claim.show(Arc::from_signed(one.smin(other), one.smax(other)).contains(x.sign_extended_from(W::BITS / 2)));
    });
    mistake("truncation of bounds with unlike high bits", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        let kept = W::low_ones(W::BITS / 4);
        claim.show(Arc::from_unsigned(a.arc64().umin() & kept, a.arc64().umax() & kept).contains(x & kept));
    });
    mistake("byte swap that keeps the range", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        claim.show(a.arc64().contains(x.swapped(W::BITS)));
    });
    mistake("negation that keeps the range", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        claim.show(a.arc64().contains(x.wrapping_neg()));
    });
    mistake("a constant where range and bits share the bound", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        claim.assume(a.tnum().contains(a.arc64().umin()));
        claim.show(Scalar::exactly(a.arc64().umin()).contains(x));
    });
    mistake("signed bounds from known bits although the sign is unknown", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        claim.show(a.tnum().min().sle(x) & x.sle(a.tnum().max()));
    });
    mistake("order that forgets the low half", |claim| {
        let (b, x) = claim.number::<W>("b", "x");
        let a = claim.parts::<W>("a");
        claim.assume(a.tnum().includes(&b.tnum()) & a.arc64().includes(&b.arc64()));
        claim.show_member(a, x);
    });
    mistake("join that keeps the bits of one side", |claim| {
        let ((a, _), (b, y)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
        claim.show(Scalar::from_parts(a.tnum(), a.arc64().join(b.arc64()), a.arc32().join(b.arc32())).contains(y));
    });
    mistake("shift left by the half, signed bounds read as unsigned ones", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        let half = W::literal(u64::from(W::BITS / 2));
        let raised = |word: W::Half| W::zero_extended(word).shl(half);
        claim.show(raised(a.arc32().signed_min()).ule(x.shl(half)));
    });
}

fn comparisons<W: Register + 'static>(all: &mut Vec<Obligation>) {
    let mut mistake = |name: &str, op: CmpOp, outcome: bool, wrong: fn(Scalar<W>, Scalar<W>) -> Arc<W>| {
        all.push(Obligation::new(format!("mistake: {name}"), move |claim| {
            let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
            let holds = op.holds(Width::W64, x, y);
            claim.assume(if outcome { holds } else { !holds });
            claim.show(wrong(a, b).contains(x));
        }));
    };
    mistake("less or equal as less", CmpOp::Le, true, |a, b| {
        a.arc64().intersect(Arc::from_unsigned(W::zero(), b.arc64().umax().wrapping_sub(W::one())))
    });
    mistake("not less as greater", CmpOp::Lt, false, |a, b| {
        a.arc64().intersect(Arc::from_unsigned(b.arc64().umin().wrapping_add(W::one()), W::ones()))
    });
    mistake("less by the other operand's lower bound", CmpOp::Lt, true, |a, b| {
        a.arc64().intersect(Arc::from_unsigned(W::zero(), b.arc64().umin()))
    });
    mistake("signed less by unsigned bounds", CmpOp::Slt, true, |a, b| {
        a.arc64().intersect(Arc::from_unsigned(W::zero(), b.arc64().umax()))
    });
    mistake("unequal to a bound that is no constant", CmpOp::Ne, true, |a, b| {
        a.arc64().intersect(Arc::all_but(b.arc64().umin()))
    });
    mistake("equality of halves taken for equality", CmpOp::Eq, false, |a, b| a.arc64().intersect(b.arc64()));
    mistake("common bits read as equality", CmpOp::Set, true, |a, b| a.arc64().intersect(b.arc64()));
    mistake("all bits of a mask set where one is", CmpOp::Set, true, |a, b| {
        Arc::select(b.tnum().is_const(), Arc::from_tnum(a.tnum().or(b.tnum())), a.arc64())
    });
    let mut mistake = |name: &str, state: fn(&mut Claim)| all.push(Obligation::new(format!("mistake: {name}"), state));
    mistake("32-bit comparison refines the whole word", |claim| {
        let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
        claim.assume(CmpOp::Eq.holds(Width::W32, x, y));
        claim.show(a.arc64().intersect(b.arc64()).contains(x));
    });
    mistake("foresight of signed less from unsigned bounds", |claim| {
        let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
        claim.assume(a.arc64().umax().ult(b.arc64().umin()));
        claim.show(x.slt(y));
    });
    mistake("equal because bounds are", |claim| {
        let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
        claim.assume(a.arc64().umin().same(b.arc64().umin()) & a.arc64().umax().same(b.arc64().umax()));
        claim.show(x.same(y));
    });
}
