//! Operations on two scalars, at both widths.

use bpfvet_domain::scalar::{AluOp, Scalar, Width};
use bpfvet_domain::word::Word as _;

use super::lemmas;
use crate::prove::claim::{Claim, Obligation, Register};
use crate::prove::symbol::under_test;

pub(super) fn state<W: Register + 'static>(all: &mut Vec<Obligation>) {
    for op in AluOp::ALL {
        for width in [Width::W32, Width::W64] {
            let name = format!("alu {op:?} {width:?}");
            all.push(match op {
                AluOp::Add | AluOp::Sub | AluOp::And | AluOp::Or | AluOp::Xor => Obligation::new(name, move |claim| plain::<W>(claim, op, width)),
                AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => Obligation::new(name, move |claim| shift::<W>(claim, op, width)),
                AluOp::Mul => Obligation::with_lemmas(name, move |claim| product::<W>(claim, width)),
                AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod => {
                    Obligation::with_lemmas(name, move |claim| division::<W>(claim, op, width))
                }
            });
        }
    }
    for width in [Width::W32, Width::W64] {
        all.push(Obligation::new(format!("alu neg {width:?}"), move |claim| {
            let (a, x) = claim.number::<W>("a", "x");
            let result = under_test(|| Scalar::computed(AluOp::Sub, width, Scalar::exactly(W::zero()), a));
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

fn plain<W: Register>(claim: &mut Claim, op: AluOp, width: Width) {
    let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
    let result = under_test(|| Scalar::computed(op, width, a, b));
    show(claim, width, result, op.apply(width, x, y));
}

/// By a number that the demand lets pass.
fn shift<W: Register>(claim: &mut Claim, op: AluOp, width: Width) {
    let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
    let passes = under_test(|| Scalar::passes(op, width, &b));
    claim.assume(passes);
    let result = under_test(|| Scalar::computed(op, width, a, b));
    show(claim, width, result, op.apply(width, x, y));
}

/// Ranges of products; the bits are those of the tnum product, which is proved apart.
fn product<W: Register>(claim: &mut Claim, width: Width) {
    let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
    for lemma in lemmas::multiplication(a.arc64(), b.arc64(), x, y) {
        claim.assume(lemma);
    }
    for lemma in lemmas::multiplication(a.arc32(), b.arc32(), x.low(), y.low()) {
        claim.assume(lemma);
    }
    let result = under_test(|| Scalar::computed(AluOp::Mul, width, a, b));
    match width {
        Width::W32 => claim.show(result.arc32().contains(x.low().wrapping_mul(y.low()))),
        Width::W64 => claim.show(result.arc64().contains(x.wrapping_mul(y))),
    }
}

fn division<W: Register>(claim: &mut Claim, op: AluOp, width: Width) {
    let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number::<W>("b", "y"));
    let passes = under_test(|| Scalar::passes(op, width, &b));
    claim.assume(passes);
    let known = match width {
        Width::W32 => lemmas::division(a.arc32(), x.low(), y.low()),
        Width::W64 => lemmas::division(a.arc64(), x, y),
    };
    for lemma in known {
        claim.assume(lemma);
    }
    let result = under_test(|| Scalar::computed(op, width, a, b));
    show(claim, width, result, op.apply(width, x, y));
}
