//! Scalars as they are: order, join, reduction, bytes, offsets.

use bpfvet_domain::arc::Arc;
use bpfvet_domain::scalar::{ByteOrder, Scalar};
use bpfvet_domain::tnum::Tnum;
use bpfvet_domain::word::{Truth as _, Word};

use crate::prove::claim::{Claim, Obligation, Register};
use crate::prove::symbol::{Prop, under_test};

pub(super) fn state<W: Register + 'static>(all: &mut Vec<Obligation>) {
    let mut claim = |name: &str, state: fn(&mut Claim)| all.push(Obligation::new(name, state));

    claim("includes", |claim| {
        let (b, x) = claim.number::<W>("b", "x");
        let a = claim.parts::<W>("a");
        // The obligations on order of known bits and arcs.
        claim.assume(!a.tnum().includes(&b.tnum()) | a.tnum().contains(x));
        claim.assume(!a.arc64().includes(&b.arc64()) | a.arc64().contains(x));
        claim.assume(!a.arc32().includes(&b.arc32()) | a.arc32().contains(x.low()));
        claim.cut_truth(a.tnum().includes(&b.tnum()));
        claim.cut_truth(a.arc64().includes(&b.arc64()));
        claim.cut_truth(a.arc32().includes(&b.arc32()));
        let includes = under_test(|| a.includes(&b));
        claim.assume(includes);
        claim.show_member(a, x);
    });
    claim("join", |claim| {
        let ((a, x), (b, y)) = (claim.number::<W>("a", "x"), claim.number("b", "y"));
        for (word, low) in [(x, x.low()), (y, y.low())] {
            claim.given_arc(a.arc64().join(b.arc64()), Prop::known(true), word);
            claim.given_arc(a.arc32().join(b.arc32()), Prop::known(true), low);
        }
        let result = under_test(|| a.union(b));
        claim.show_member(result, x);
        claim.show_member(result, y);
    });
    claim("meet", |claim| {
        let ((a, x), (b, _)) = (claim.number::<W>("a", "x"), claim.number("b", "x"));
        claim.given_meet(a.arc64(), b.arc64(), x);
        claim.given_meet(a.arc32(), b.arc32(), x.low());
        let result = under_test(|| a.common(b));
        claim.show_member(result, x);
    });
    claim("unknown and constant", |claim| {
        let x = claim.word::<W>("x");
        let (top, exactly) = under_test(|| (Scalar::top(), Scalar::exactly(x)));
        claim.show_member(top, x);
        claim.show_member(exactly, x);
    });
    claim("an empty number has no member", |claim| {
        let (a, _) = claim.number::<W>("a", "x");
        let empty = under_test(|| a.is_empty());
        claim.show(!empty);
    });

    let mut step = |name: &str, step: fn(Scalar<W>) -> Scalar<W>, given: fn(&mut Claim, Scalar<W>, W)| {
        all.push(Obligation::new(format!("reduction: {name}"), move |claim| {
            let (a, x) = claim.number::<W>("a", "x");
            given(claim, a, x);
            let result = under_test(|| step(a));
            claim.show_member(result, x);
        }));
    };
    step("narrowed low", Scalar::with_low_narrowed_by_bits, |claim, a, x| {
        let of_bits = Arc::from_tnum(a.tnum().low());
        claim.given_arc(of_bits, Prop::known(true), x.low());
        claim.given_meet(a.arc32(), of_bits, x.low());
    });
    step("narrowed wide", Scalar::with_wide_narrowed_by_bits, |claim, a, x| {
        let of_bits = Arc::from_tnum(a.tnum());
        claim.given_arc(of_bits, Prop::known(true), x);
        let wide = claim.given_meet(a.arc64(), of_bits, x);
        claim.given_views(wide, x);
        let next = claim.given_step(a.tnum(), wide.umin(), x);
        claim.given_step(a.tnum(), next, x);
    });
    step("halves agreed", Scalar::with_halves_agreed, |claim, a, x| {
        let of_wide = a.arc64().low();
        claim.given_arc(of_wide, Prop::known(true), x.low());
        let low = claim.given_meet(a.arc32(), of_wide, x.low());
        claim.given_arc(a.arc64().with_low_in(low), Prop::known(true), x);
    });
    step("bits of ranges", Scalar::with_bits_of_ranges, |claim, a, x| {
        claim.given_views(a.arc64(), x);
        claim.given_views(a.arc32(), x.low());
        claim.given_tnum(Tnum::range(a.arc64().umin(), a.arc64().umax()), x);
        claim.given_tnum(Tnum::range(a.arc32().umin(), a.arc32().umax()), x.low());
    });
    step("ranges forgotten", Scalar::forget_ranges, |_, _, _| {});
    state_short_ways::<W>(all);

    let mut image = |name: String, set: fn(Scalar<W>, u32) -> Scalar<W>, word: fn(W, u32) -> W, bits: u32| {
        all.push(Obligation::new(name, move |claim| {
            let (a, x) = claim.number::<W>("a", "x");
            claim.given_views(a.arc64(), x);
            claim.given_views(a.arc32(), x.low());
            let result = under_test(|| set(a, bits));
            claim.show_member(result, word(x, bits));
        }));
    };
    for bits in [W::BITS / 8, W::BITS / 4, W::BITS / 2] {
        image(format!("truncate to {bits}"), Scalar::truncated_to, |x, bits| x & W::low_ones(bits), bits);
        image(
            format!("sign-extend from {bits}"),
            Scalar::sign_extended_from,
            |x, bits| x.sign_extended_from(bits),
            bits,
        );
    }
    for bits in [W::BITS / 8, W::BITS / 4] {
        let word = |x: W, bits| W::zero_extended(x.low().sign_extended_from(bits));
        image(format!("sign-extend low half from {bits}"), Scalar::low_sign_extended_from, word, bits);
    }
    for bits in [16, 32, 64].into_iter().filter(|bits| *bits <= W::BITS) {
        image(format!("swap {bits} bits"), Scalar::swapped, |x, bits| ByteOrder::Swap.apply(bits, x), bits);
    }

    let mut claim = |name: &str, state: fn(&mut Claim)| all.push(Obligation::new(name, state));
    claim("zero-extend low half", |claim| {
        let a = claim.parts::<W>("a");
        let x = claim.word::<W::Half>("x");
        claim.assume(a.tnum().low().contains(x) & a.arc32().contains(x));
        claim.given_views(a.arc32(), x);
        let result = under_test(|| a.zero_extended());
        claim.show_member(result, W::zero_extended(x));
    });
    claim("clamp to a range", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        let (min, max) = (claim.word::<W::Half>("min"), claim.word("max"));
        claim.assume(W::sign_extended(min).sle(x) & x.sle(W::sign_extended(max)));
        let result = under_test(|| a.clamped(min, max));
        claim.show_member(result, x);
    });
    claim("fork", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        let fork = under_test(|| a.is_zero_or_ones());
        claim.assume(fork);
        claim.show(x.is_zero() | x.same(W::ones()));
    });
    claim("fork of low half", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        let (fork, zero, ones) = under_test(|| {
            (a.is_low_zero_or_ones(), a.with_known_low(W::Half::zero()), a.with_known_low(W::Half::ones()))
        });
        claim.assume(fork);
        claim.show(zero.contains(x) | ones.contains(x));
    });
}

/// Numbers whose reduction is told at once. That it is what the steps lead to is shown by `cargo test`.
fn state_short_ways<W: Register + 'static>(all: &mut Vec<Obligation>) {
    let mut way = |name: &str, is_told: fn(&Scalar<W>) -> Prop, told: fn(Scalar<W>) -> Scalar<W>| {
        all.push(Obligation::new(format!("reduction told at once: {name}"), move |claim| {
            let (a, x) = claim.number::<W>("a", "x");
            let (is_told, result) = under_test(|| (is_told(&a), told(a)));
            claim.assume(is_told);
            claim.show_member(result, x);
        }));
    };
    way("one word", Scalar::is_one_word, |a| Scalar::exactly(a.tnum().value));
    way("long", Scalar::is_long, Scalar::synced_as_long);
    all.push(Obligation::new("reduction told at once: ends of short", |claim| {
        let a = claim.parts::<W>("a");
        let x = claim.word::<W>("x");
        claim.assume(a.contains(x));
        let (is_short, (least, last)) = under_test(|| (a.is_short(), a.common_interval()));
        claim.assume(is_short);
        claim.show(W::zero_extended(least).ule(x) & x.ule(W::zero_extended(last)));
    }));
    all.push(Obligation::new("reduction told at once: short", |claim| {
        let (a, x) = claim.number::<W>("a", "x");
        // The obligations on these ends, and on bits of ranges.
        let (least, last) = a.common_interval();
        claim.assume(W::zero_extended(least).ule(x) & x.ule(W::zero_extended(last)));
        claim.given_tnum(Tnum::range(W::zero_extended(least), W::zero_extended(last)), x);
        claim.cut(least);
        claim.cut(last);
        let result = under_test(|| a.synced_as_short());
        claim.show_member(result, x);
    }));
}
