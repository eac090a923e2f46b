//! Operations on two scalars, at both widths.

use bpfvet_domain::arc::Arc;
use bpfvet_domain::scalar::{AluOp, Scalar, Width};
use bpfvet_domain::tnum::Tnum;
use bpfvet_domain::word::{Choose as _, Truth as _, Word as _};

use crate::prove::claim::{Claim, Obligation, Register};
use crate::prove::symbol::{Prop, Symbolic, under_test};

pub(super) fn state<W: Register + 'static>(all: &mut Vec<Obligation>) {
    for op in AluOp::ALL {
        for width in [Width::W32, Width::W64] {
            all.push(Obligation::with_lemmas(format!("alu {op:?} {width:?}"), move |claim| {
                let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
                given_views(claim, b, y);
                let passes = under_test(|| Scalar::passes(op, width, &b));
                claim.assume(passes);
                given(claim, op, width, (a, x), (b, y));
                let result = under_test(|| Scalar::computed(op, width, a, b));
                match op {
                    // The bits of a product are those of the tnum product, which is proved apart.
                    AluOp::Mul => show_ranges(claim, width, result, op.apply(width, x, y)),
                    AluOp::Add
                    | AluOp::Sub
                    | AluOp::Div
                    | AluOp::Sdiv
                    | AluOp::Mod
                    | AluOp::Smod
                    | AluOp::And
                    | AluOp::Or
                    | AluOp::Xor
                    | AluOp::Lsh
                    | AluOp::Rsh
                    | AluOp::Arsh => show(claim, width, result, op.apply(width, x, y)),
                }
            }));
        }
    }
    // What the free numbers' equations name.
    for op in [AluOp::Add, AluOp::Sub, AluOp::And, AluOp::Or, AluOp::Xor, AluOp::Lsh, AluOp::Rsh] {
        for width in [Width::W32, Width::W64] {
            all.push(Obligation::new(format!("free {op:?} {width:?}"), move |claim| {
                let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
                let (follows, result) = under_test(|| {
                    let (follows, bits) = Scalar::freed(op, width, &a, &b);
                    (follows, Scalar::free(bits))
                });
                claim.assume(follows);
                claim.show_member(result, op.apply(width, x, y));
            }));
        }
    }
    for width in [Width::W32, Width::W64] {
        all.push(Obligation::new(format!("alu neg {width:?}"), move |claim| {
            let (a, x) = claim.number::<W>("a", "x");
            let zero = Scalar::exactly(W::zero());
            claim.given_arc(zero.arc64().sub(a.arc64()), Prop::known(true), x.wrapping_neg());
            claim.given_arc(zero.arc32().sub(a.arc32()), Prop::known(true), x.low().wrapping_neg());
            claim.given_tnum(zero.tnum().sub(a.tnum()), x.wrapping_neg());
            let result = under_test(|| Scalar::computed(AluOp::Sub, width, zero, a));
            show(claim, width, result, width.negate(x));
        }));
    }
}

/// The result of an operation, before it is refreshed, extended and reduced: after a 32-bit operation, of the low half.
fn show<W: Register>(claim: &mut Claim, width: Width, computed: Scalar<W>, word: W) {
    match width {
        Width::W32 => {
            claim.show_member_tnum(computed.tnum().low(), word.low());
            claim.show(computed.arc32().contains(word.low()));
        }
        Width::W64 => claim.show_member(computed, word),
    }
}

/// The same, of ranges alone.
fn show_ranges<W: Register>(claim: &mut Claim, width: Width, computed: Scalar<W>, word: W) {
    match width {
        Width::W32 => claim.show(computed.arc32().contains(word.low())),
        Width::W64 => {
            claim.show(computed.arc64().contains(word));
            claim.show(computed.arc32().contains(word.low()));
        }
    }
}

/// A number and a member.
type Number<W> = (Scalar<W>, W);

/// What obligations on known bits and arcs say of the parts of an operation.
fn given<W: Register>(claim: &mut Claim, op: AluOp, width: Width, (a, x): Number<W>, (b, y): Number<W>) {
    let parts = |claim: &mut Claim, tnum: Tnum<W>, wide: Arc<W>, low: Arc<W::Half>| {
        claim.given_tnum(tnum, op.apply_to_word(x, y));
        claim.given_arc(wide, Prop::known(true), op.apply_to_word(x, y));
        claim.given_arc(low, Prop::known(true), op.apply_to_word(x.low(), y.low()));
    };
    let bits = |claim: &mut Claim, tnum: Tnum<W>| {
        given_views(claim, a, x);
        claim.given_tnum(tnum, op.apply_to_word(x, y));
    };
    let (by, low_by) = (b.arc64().umin(), b.arc32().umin());
    let (t, wide, tl, low) = (a.tnum(), a.arc64(), a.tnum().low(), a.arc32());
    match (op, width) {
        (AluOp::Add, _) => parts(claim, t.add(b.tnum()), wide.add(b.arc64()), low.add(b.arc32())),
        (AluOp::Sub, _) => parts(claim, t.sub(b.tnum()), wide.sub(b.arc64()), low.sub(b.arc32())),
        (AluOp::Mul, Width::W32) => given_products(claim, low, b.arc32(), x.low().wrapping_mul(y.low())),
        (AluOp::Mul, Width::W64) => {
            given_products(claim, wide, b.arc64(), x.wrapping_mul(y));
            given_products(claim, low, b.arc32(), x.low().wrapping_mul(y.low()));
            // The obligation `low halves multiply`.
            claim.assume(x.wrapping_mul(y).low().same(x.low().wrapping_mul(y.low())));
        }
        (AluOp::And, _) => bits(claim, t.and(b.tnum())),
        (AluOp::Or, _) => bits(claim, t.or(b.tnum())),
        (AluOp::Xor, _) => bits(claim, t.xor(b.tnum())),
        (AluOp::Div, Width::W32) => claim.given_arc(low.udiv(low_by), !low_by.is_zero(), x.low().udiv(low_by)),
        (AluOp::Div, Width::W64) => claim.given_arc(wide.udiv(by), !by.is_zero(), x.udiv(by)),
        (AluOp::Sdiv, Width::W32) => claim.given_arc(low.sdiv(low_by), !low_by.is_zero(), x.low().sdiv(low_by)),
        (AluOp::Sdiv, Width::W64) => claim.given_arc(wide.sdiv(by), !by.is_zero(), x.sdiv(by)),
        (AluOp::Mod, Width::W32) => {
            given_remainders(claim, low.umod(low_by), low.is_below(low_by), (x.low(), low_by), x.low().urem(low_by));
        }
        (AluOp::Mod, Width::W64) => given_remainders(claim, wide.umod(by), wide.is_below(by), (x, by), x.urem(by)),
        (AluOp::Smod, Width::W32) => {
            given_remainders(claim, low.smod(low_by), low.is_within(low_by), (x.low(), low_by), x.low().srem(low_by));
        }
        (AluOp::Smod, Width::W64) => given_remainders(claim, wide.smod(by), wide.is_within(by), (x, by), x.srem(by)),
        (AluOp::Lsh, Width::W32) => given_shift(claim, tl.lsh(low_by), low.lsh(low_by), low_by, x.low().shl(low_by)),
        (AluOp::Lsh, Width::W64) => {
            // The low range moves as well, and by half the width to the top.
            claim.given_views(low, x.low());
            given_shift(claim, tl.lsh(by.low()), low.lsh(by.low()), by.low(), x.low().shl(by.low()));
            given_shift(claim, t.lsh(by), wide.lsh(by), by, x.shl(by));
            let half = W::literal(u64::from(W::BITS / 2));
            let raised = |word: W::Half| W::zero_extended(word).shl(half);
            let top = Arc::from_signed(raised(low.signed_min()), raised(low.signed_max()));
            claim.given_arc(top, Prop::known(true), x.shl(half));
            claim.given_meet(wide.lsh(by), Arc::select(by.same(half), top, Arc::full()), x.shl(by));
        }
        (AluOp::Rsh, Width::W32) => given_shift(claim, tl.rsh(low_by), low.rsh(low_by), low_by, x.low().shr(low_by)),
        (AluOp::Rsh, Width::W64) => given_shift(claim, t.rsh(by), wide.rsh(by), by, x.shr(by)),
        (AluOp::Arsh, Width::W32) => given_shift(claim, tl.arsh(low_by), low.arsh(low_by), low_by, x.low().sar(low_by)),
        (AluOp::Arsh, Width::W64) => given_shift(claim, t.arsh(by), wide.arsh(by), by, x.sar(by)),
    }
}

fn given_views<W: Register>(claim: &mut Claim, a: Scalar<W>, x: W) {
    claim.given_views(a.arc64(), x);
    claim.given_views(a.arc32(), x.low());
}

/// Of a shift by less than the width.
fn given_shift<W: Symbolic>(claim: &mut Claim, bits: Tnum<W>, range: Arc<W>, by: W, word: W) {
    let fits = by.ult(W::literal(u64::from(W::BITS)));
    claim.given_arc(range, fits, word);
    claim.assume(!fits | (bits.contains(word) & bits.is_well_formed()));
    claim.cut(bits.value);
    claim.cut(bits.mask);
}

/// Of the unsigned products, the signed ones, and what they have in common.
fn given_products<W: Symbolic>(claim: &mut Claim, a: Arc<W>, b: Arc<W>, word: W) {
    let (unsigned, signed) = (a.unsigned_products(b), a.signed_products(b));
    claim.given_arc(unsigned, Prop::known(true), word);
    claim.given_arc(signed, Prop::known(true), word);
    claim.given_meet(unsigned, signed, word);
}

/// Of remainders by a divisor that is not zero.
fn given_remainders<W: Symbolic>(claim: &mut Claim, range: Arc<W>, keeps: Prop, (x, by): (W, W), word: W) {
    claim.given_arc(range, !by.is_zero(), word);
    claim.assume(by.is_zero() | !keeps | word.same(x));
}
