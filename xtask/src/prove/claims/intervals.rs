//! The four intervals of older kernels: bounds at both widths, and numbers made of them.

use bpfvet_domain::intervals::{Bounds, Intervals};
use bpfvet_domain::scalar::{AluOp, CmpOp, Width};
use bpfvet_domain::tnum::Tnum;
use bpfvet_domain::word::Word as _;

use super::lemmas;
use crate::prove::claim::{Claim, Obligation, Register};
use crate::prove::symbol::{Symbolic, under_test};

/// Bounds alone.
pub(super) fn state_bounds<W: Symbolic + 'static>(kind: &str, all: &mut Vec<Obligation>) {
    let mut claim = |name: &str, state: fn(&mut Claim)| all.push(Obligation::new(format!("{kind} {name}"), state));

    claim("made of words", |claim| {
        let (min, max, x) = (claim.word::<W>("min"), claim.word("max"), claim.word("x"));
        claim.assume(min.ule(x) & x.ule(max));
        let (unsigned, both) =
            under_test(|| (Bounds::from_unsigned(min, max), Bounds::from_unsigned_and_signed(min, max)));
        claim.show(unsigned.contains(x));
        claim.show(both.contains(x));
    });
    claim("made of signed words", |claim| {
        let (min, max, x) = (claim.word::<W>("min"), claim.word("max"), claim.word("x"));
        claim.assume(min.sle(x) & x.sle(max));
        let signed = under_test(|| Bounds::from_signed(min, max));
        claim.show(signed.contains(x));
    });
    claim("full and exactly", |claim| {
        let x = claim.word::<W>("x");
        let (full, exactly) = under_test(|| (Bounds::<W>::full(), Bounds::exactly(x)));
        claim.show(full.contains(x));
        claim.show(exactly.contains(x));
    });
    claim("of bits", |claim| {
        let (tnum, x) = claim.tnum::<W>("a", "x");
        let bounds = under_test(|| Bounds::from_tnum(tnum));
        claim.show(bounds.contains(x));
    });
    claim("with a member", |claim| {
        let ((a, x), value) = (claim.bounds::<W>("a", "x"), claim.word::<W>("value"));
        let (empty, exactly, constant) = under_test(|| (a.is_empty(), a.is_exactly(value), a.is_const()));
        claim.show(!empty);
        claim.show(!exactly | x.same(value));
        claim.show(!constant | x.same(a.umin));
    });
    claim("includes", |claim| {
        let ((a, b), x) = ((claim.any_bounds::<W>("a"), claim.any_bounds("b")), claim.word("x"));
        claim.assume(b.contains(x));
        let includes = under_test(|| a.includes(&b));
        claim.assume(includes);
        claim.show(a.contains(x));
    });
    claim("apart", |claim| {
        let ((a, x), (b, _)) = (claim.bounds::<W>("a", "x"), claim.bounds("b", "x"));
        let (apart, again) = under_test(|| (a.is_apart(b), b.is_apart(a)));
        claim.show(!apart);
        claim.show(!again);
        claim.show(a.contains(x));
    });
    claim("meet", |claim| {
        let ((a, x), (b, _)) = (claim.bounds::<W>("a", "x"), claim.bounds("b", "x"));
        let result = under_test(|| a.meet(b));
        claim.show(result.contains(x));
    });
    claim("join", |claim| {
        let ((a, x), (b, y)) = (claim.bounds::<W>("a", "x"), claim.bounds("b", "y"));
        let result = under_test(|| a.join(b));
        claim.show(result.contains(x));
        claim.show(result.contains(y));
    });
    claim("without", |claim| {
        let ((a, x), value) = (claim.bounds::<W>("a", "x"), claim.word("value"));
        claim.assume(!x.same(value));
        let result = under_test(|| a.without(value));
        claim.show(result.contains(x));
    });
    claim("agreed", |claim| {
        let (a, x) = claim.bounds::<W>("a", "x");
        let result = under_test(|| a.agreed());
        claim.show(result.contains(x));
    });
    claim("add", |claim| {
        let ((a, x), (b, y)) = (claim.bounds::<W>("a", "x"), claim.bounds("b", "y"));
        let result = under_test(|| a.add(b));
        claim.show(result.contains(x.wrapping_add(y)));
    });
    claim("sub", |claim| {
        let ((a, x), (b, y)) = (claim.bounds::<W>("a", "x"), claim.bounds("b", "y"));
        let result = under_test(|| a.sub(b));
        claim.show(result.contains(x.wrapping_sub(y)));
    });
    claim("lsh", |claim| shift::<W>(claim, AluOp::Lsh, Bounds::lsh));
    claim("rsh", |claim| shift::<W>(claim, AluOp::Rsh, Bounds::rsh));
    claim("arsh", |claim| shift::<W>(claim, AluOp::Arsh, Bounds::arsh));
    all.push(Obligation::with_lemmas(format!("{kind} mul"), |claim| {
        let ((a, x), (b, y)) = (claim.bounds::<W>("a", "x"), claim.bounds("b", "y"));
        for lemma in lemmas::short_multiplication(a, b, x, y) {
            claim.assume(lemma);
        }
        let result = under_test(|| a.mul(b));
        claim.show(result.contains(x.wrapping_mul(y)));
    }));
}

fn shift<W: Symbolic>(claim: &mut Claim, op: AluOp, operator: fn(Bounds<W>, W) -> Bounds<W>) {
    let ((a, x), by) = (claim.bounds::<W>("a", "x"), claim.word::<W>("by"));
    claim.assume(by.ult(W::literal(u64::from(W::BITS))));
    let result = under_test(|| operator(a, by));
    claim.show(result.contains(op.apply_to_word(x, by)));
}

/// Numbers: order, reduction, bytes.
pub(super) fn state<W: Register + 'static>(all: &mut Vec<Obligation>) {
    let mut claim = |name: &str, state: fn(&mut Claim)| all.push(Obligation::new(format!("intervals {name}"), state));

    claim("unknown and constant", |claim| {
        let x = claim.word::<W>("x");
        let (top, exactly) = under_test(|| (Intervals::top(), Intervals::exactly(x)));
        claim.show_intervals(top, x);
        claim.show_intervals(exactly, x);
    });
    claim("with a member", |claim| {
        let (a, _) = claim.intervals::<W>("a", "x");
        let empty = under_test(|| a.is_empty());
        claim.show(!empty);
    });
    claim("includes", |claim| {
        let (b, x) = claim.intervals::<W>("b", "x");
        let tnum = Tnum { value: claim.word("a_value"), mask: claim.word("a_mask") };
        let a = Intervals::from_parts(tnum, claim.any_bounds("a"), claim.any_bounds("a_low"));
        // The obligation on order of known bits.
        claim.assume(tnum.is_well_formed());
        claim.assume(!tnum.includes(&b.tnum()) | tnum.contains(x));
        claim.cut_truth(tnum.includes(&b.tnum()));
        let includes = under_test(|| a.includes(&b));
        claim.assume(includes);
        claim.show_intervals(a, x);
    });
    claim("join", |claim| {
        let ((a, x), (b, y)) = (claim.intervals::<W>("a", "x"), claim.intervals("b", "y"));
        let result = under_test(|| a.union(b));
        claim.show_intervals(result, x);
        claim.show_intervals(result, y);
    });
    claim("meet", |claim| {
        let ((a, x), (b, _)) = (claim.intervals::<W>("a", "x"), claim.intervals("b", "x"));
        let result = under_test(|| a.common(b));
        claim.show_intervals(result, x);
    });

    let mut step = |name: &str, step: fn(Intervals<W>) -> Intervals<W>, given: fn(&mut Claim, Intervals<W>, W)| {
        all.push(Obligation::new(format!("intervals reduction: {name}"), move |claim| {
            let (a, x) = claim.intervals::<W>("a", "x");
            given(claim, a, x);
            let result = under_test(|| step(a));
            claim.show_intervals(result, x);
        }));
    };
    step("narrowed by bits", Intervals::narrowed_by_bits, |claim, a, x| {
        claim.given_bounds(Bounds::from_tnum(a.tnum()), x);
        claim.given_bounds(Bounds::from_tnum(a.tnum().low()), x.low());
    });
    step("low deduced", Intervals::with_low_deduced, |_, _, _| {});
    step("readings agreed", Intervals::with_readings_agreed, |claim, a, x| claim.given_bounds(a.wide().agreed(), x));
    step("low ends", Intervals::with_low_ends, |_, _, _| {});
    step("sign of low", Intervals::with_sign_of_low, |claim, a, x| {
        // Wherever the range holds the member: the obligation on ranges of known bits.
        let (min, max) = (W::sign_extended(a.low().smin), W::sign_extended(a.low().smax));
        let range = Tnum::range(min, max);
        claim.assume(range.is_well_formed());
        claim.assume(!(min.ule(x) & x.ule(max)) | range.contains(x));
        claim.cut(range.value);
        claim.cut(range.mask);
    });
    step("bits of bounds", Intervals::with_bits_of_bounds, |claim, a, x| {
        claim.given_tnum(Tnum::range(a.wide().umin, a.wide().umax), x);
        claim.given_tnum(Tnum::range(a.low().umin, a.low().umax), x.low());
    });
    step("bounds forgotten", Intervals::forget_bounds, |_, _, _| {});

    let mut image = |name: String, set: fn(Intervals<W>, u32) -> Intervals<W>, word: fn(W, u32) -> W, bits: u32| {
        all.push(Obligation::new(name, move |claim| {
            let (a, x) = claim.intervals::<W>("a", "x");
            let result = under_test(|| set(a, bits));
            claim.show_intervals(result, word(x, bits));
        }));
    };
    for bits in [W::BITS / 8, W::BITS / 4, W::BITS / 2] {
        let name = format!("intervals truncate to {bits}");
        image(name, Intervals::truncated_to, |x, bits| x & W::low_ones(bits), bits);
        let name = format!("intervals sign-extend from {bits}");
        image(name, Intervals::sign_extended_from, |x, bits| x.sign_extended_from(bits), bits);
    }
    for bits in [W::BITS / 8, W::BITS / 4] {
        let word = |x: W, bits| W::zero_extended(x.low().sign_extended_from(bits));
        image(format!("intervals sign-extend low half from {bits}"), Intervals::low_sign_extended_from, word, bits);
    }
    all.push(Obligation::new("intervals zero-extend low half", |claim| {
        let (tnum, low) = (claim.tnum::<W::Half>("a", "x"), claim.any_bounds::<W::Half>("a_low"));
        let (tnum, x) = tnum;
        claim.assume(low.contains(x));
        // What the high half was is of no account.
        let high = Tnum { value: claim.word("high_value"), mask: claim.word::<W>("high_mask") };
        let a = Intervals::from_parts(high.with_low(tnum), claim.any_bounds("a"), low);
        let result = under_test(|| a.zero_extended());
        claim.show_intervals(result, W::zero_extended(x));
    }));
}

/// Arithmetic, foresight and refinement of two numbers.
pub(super) fn state_pairs<W: Register + 'static>(all: &mut Vec<Obligation>) {
    for width in [Width::W32, Width::W64] {
        for op in AluOp::ALL.into_iter().filter(|&op| is_computed(op)) {
            all.push(Obligation::with_lemmas(format!("intervals alu {op:?} {width:?}"), move |claim| {
                let ((a, x), (b, y)) = (claim.intervals::<W>("a", "x"), claim.intervals::<W>("b", "y"));
                let passes = under_test(|| Intervals::passes(op, width, &b));
                claim.assume(passes);
                given(claim, op, width, (a, x), (b, y));
                let result = under_test(|| Intervals::computed(op, width, a, b));
                show(claim, op, width, result, op.apply(width, x, y));
            }));
        }
        for op in CmpOp::ALL {
            for outcome in [true, false] {
                all.push(Obligation::new(format!("intervals refine {op:?} {width:?} {outcome}"), move |claim| {
                    let ((a, x), (b, y)) = (claim.intervals::<W>("a", "x"), claim.intervals::<W>("b", "y"));
                    let holds = op.holds(width, x, y);
                    claim.assume(if outcome { holds } else { !holds });
                    let (first, second) = under_test(|| Intervals::narrowed(op, width, outcome, a, b));
                    claim.show_intervals(first, x);
                    claim.show_intervals(second, y);
                }));
            }
            all.push(Obligation::new(format!("intervals foresee {op:?} {width:?}"), move |claim| {
                let ((a, x), (b, y)) = (claim.intervals::<W>("a", "x"), claim.intervals::<W>("b", "y"));
                // The obligation `tnum overlaps`.
                let (overlap, low_overlap) = (a.tnum().overlaps(b.tnum()), a.tnum().low().overlaps(b.tnum().low()));
                claim.assume(overlap | !x.same(y));
                claim.assume(low_overlap | !x.low().same(y.low()));
                claim.cut_truth(overlap);
                claim.cut_truth(low_overlap);
                let seen = under_test(|| Intervals::foreseen(op, width, &a, &b));
                let holds = op.holds(width, x, y);
                claim.show(!seen.holds | holds);
                claim.show(!seen.fails | !holds);
            }));
        }
    }
}

/// Quotients and remainders are not computed: they are unknown.
fn is_computed(op: AluOp) -> bool {
    !matches!(op, AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod)
}

/// The result of an operation, before it is extended and reduced: after a 32-bit operation, of the low half. The bits of a product are those of
/// the tnum product, which is proved apart.
fn show<W: Register>(claim: &mut Claim, op: AluOp, width: Width, computed: Intervals<W>, word: W) {
    let product = op == AluOp::Mul;
    match width {
        Width::W32 => {
            if !product {
                claim.show_member_tnum(computed.tnum().low(), word.low());
            }
            claim.show(computed.low().contains(word.low()));
        }
        Width::W64 => {
            if !product {
                claim.show_member_tnum(computed.tnum(), word);
            }
            claim.show(computed.wide().contains(word));
            claim.show(computed.low().contains(word.low()));
        }
    }
}

/// What obligations on known bits and bounds say of the parts of an operation.
fn given<W: Register>(
    claim: &mut Claim,
    op: AluOp,
    width: Width,
    (a, x): (Intervals<W>, W),
    (b, y): (Intervals<W>, W),
) {
    let (t, wide, tl, low) = (a.tnum(), a.wide(), a.tnum().low(), a.low());
    let (by, low_by) = (b.wide().umin, b.low().umin);
    let (whole, half) = (op.apply_to_word(x, y), op.apply_to_word(x.low(), y.low()));
    let mut parts = |tnum: Tnum<W>, wide: Bounds<W>, low: Bounds<W::Half>| {
        claim.given_tnum(tnum, whole);
        claim.given_bounds(wide, whole);
        claim.given_bounds(low, half);
    };
    match (op, width) {
        (AluOp::Add, _) => parts(t.add(b.tnum()), wide.add(b.wide()), low.add(b.low())),
        (AluOp::Sub, _) => parts(t.sub(b.tnum()), wide.sub(b.wide()), low.sub(b.low())),
        (AluOp::Mul, _) => {
            claim.given_bounds(wide.mul(b.wide()), whole);
            claim.given_bounds(low.mul(b.low()), half);
            // The obligation `low halves multiply`.
            claim.assume(whole.low().same(half));
        }
        (AluOp::And, _) => claim.given_tnum(t.and(b.tnum()), whole),
        (AluOp::Or, _) => claim.given_tnum(t.or(b.tnum()), whole),
        (AluOp::Xor, _) => claim.given_tnum(t.xor(b.tnum()), whole),
        (AluOp::Lsh, Width::W32) => given_shift(claim, tl.lsh(low_by), low.lsh(low_by), low_by, x.low().shl(low_by)),
        (AluOp::Rsh, Width::W32) => given_shift(claim, tl.rsh(low_by), low.rsh(low_by), low_by, x.low().shr(low_by)),
        (AluOp::Arsh, Width::W32) => given_shift(claim, tl.arsh(low_by), low.arsh(low_by), low_by, x.low().sar(low_by)),
        (AluOp::Lsh, Width::W64) => {
            given_shift(claim, tl.lsh(by.low()), low.lsh(by.low()), by.low(), x.low().shl(by.low()));
            given_shift(claim, t.lsh(by), wide.lsh(by), by, x.shl(by));
        }
        (AluOp::Rsh, Width::W64) => given_shift(claim, t.rsh(by), wide.rsh(by), by, x.shr(by)),
        (AluOp::Arsh, Width::W64) => given_shift(claim, t.arsh(by), wide.arsh(by), by, x.sar(by)),
        (AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod, _) => {}
    }
}

/// Of a shift by less than the width.
fn given_shift<W: Symbolic>(claim: &mut Claim, tnum: Tnum<W>, bounds: Bounds<W>, by: W, word: W) {
    let short = by.ult(W::literal(u64::from(W::BITS)));
    claim.assume(tnum.is_well_formed());
    claim.assume(!short | (tnum.contains(word) & bounds.contains(word)));
    for part in [tnum.value, tnum.mask, bounds.umin, bounds.umax, bounds.smin, bounds.smax] {
        claim.cut(part);
    }
}
