//! Arcs: all ways to write them, all pairs, against sets of words.

use std::fmt::Write as _;

use bpfvet_domain::AluOp;
use bpfvet_domain::arc::Arc;
use bpfvet_domain::tnum::Tnum;
use bpfvet_domain::word::{Double as _, Word as _};
use expect_test::expect;

use crate::sets::{
    Gamma, Set, Share, Word, arcs, images, least_arc_size, low_arcs, members, report, set, singleton, tnums, words,
};

/// Checks one result against the set of all concrete ones, and counts it.
fn judge(share: &mut Share, gamma: &Gamma, name: &str, result: Arc<Word>, least: Set) {
    let held = gamma.arc(result);
    assert_eq!(least & !held, 0, "{name}: {result:?} misses some of {least:#x}");
    if let Some(size) = least_arc_size(least) {
        share.count(u64::from(held.count_ones()) == size + 1);
    }
}

#[test]
fn binary_operators_keep_every_result() {
    type Operator = fn(Arc<Word>, Arc<Word>) -> Arc<Word>;
    let operators: [(AluOp, Operator); 3] = [(AluOp::Add, Arc::add), (AluOp::Sub, Arc::sub), (AluOp::Mul, Arc::mul)];
    let gamma = Gamma::new();
    let mut shares = String::new();
    for (op, operator) in operators {
        let mut share = Share::default();
        for a in arcs() {
            let images = images(gamma.arc(a), |x, y| op.apply_to_word(x, y));
            for base in words() {
                let mut least = 0;
                for size in words() {
                    least |= images[base.wrapping_add(size).unsigned() as usize];
                    let b = Arc { base, size };
                    judge(&mut share, &gamma, "binary operator", operator(a, b), if b.is_empty() { 0 } else { least });
                }
            }
        }
        writeln!(shares, "{op:?}: {share}").expect("a string takes it");
    }
    report(
        &expect![[r#"
        Add: 100.00 % of 16769025
        Sub: 100.00 % of 16769025
        Mul:  72.62 % of 16769025
    "#]],
        &shares,
    );
}

#[test]
fn operators_with_a_constant_keep_every_result() {
    let gamma = Gamma::new();
    let mut shares = String::new();
    let mut run = |name: &str,
                   arguments: &[Word],
                   operator: &dyn Fn(Arc<Word>, Word) -> Arc<Word>,
                   concrete: &dyn Fn(Word, Word) -> Word| {
        let mut share = Share::default();
        for a in arcs() {
            let images = images(gamma.arc(a), concrete);
            for &argument in arguments {
                judge(&mut share, &gamma, name, operator(a, argument), images[argument.unsigned() as usize]);
            }
        }
        writeln!(shares, "{name}: {share}").expect("a string takes it");
    };
    let divisors: Vec<Word> = words().skip(1).collect();
    let shifts: Vec<Word> = words().take(6).collect();
    let unless = |keeps: bool, a: Arc<Word>, other: Arc<Word>| if keeps { a } else { other };
    run("udiv", &divisors, &Arc::udiv, &|x, y| x.udiv(y));
    run("sdiv", &divisors, &Arc::sdiv, &|x, y| x.sdiv(y));
    run("umod", &divisors, &|a, by| unless(a.is_below(by), a, a.umod(by)), &|x, y| x.urem(y));
    run("smod", &divisors, &|a, by| unless(a.is_within(by), a, a.smod(by)), &|x, y| x.srem(y));
    run("lsh", &shifts, &Arc::lsh, &|x, y| x.shl(y));
    run("rsh", &shifts, &Arc::rsh, &|x, y| x.shr(y));
    run("arsh", &shifts, &Arc::arsh, &|x, y| x.sar(y));
    run("neg", &[Word::zero()], &|a, _| a.neg(), &|x, _| x.wrapping_neg());
    report(
        &expect![[r#"
        udiv:  99.24 % of 257985
        sdiv:  98.46 % of 257985
        umod:  74.84 % of 257985
        smod:  71.87 % of 257985
        lsh:   3.44 % of 24570
        rsh:  92.05 % of 24570
        arsh:  92.05 % of 24570
        neg: 100.00 % of 4095
    "#]],
        &shares,
    );
}

#[test]
fn order_meet_and_join_are_those_of_sets() {
    let gamma = Gamma::new();
    let (mut meet, mut join) = (Share::default(), Share::default());
    for a in arcs() {
        let xs = gamma.arc(a);
        for b in arcs() {
            let ys = gamma.arc(b);
            assert_eq!(a.includes(&b), ys & !xs == 0, "{a:?} includes {b:?}");
            judge(&mut meet, &gamma, "meet", a.intersect(b), xs & ys);
            assert_eq!(gamma.arc(a.intersect(b)) == 0, xs & ys == 0, "{a:?} meets {b:?}");
            judge(&mut join, &gamma, "join", a.join(b), xs | ys);
        }
    }
    report(
        &expect![[r#"
        meet: 100.00 % of 13973505
        join: 100.00 % of 16777215
    "#]],
        &format!("meet: {meet}\njoin: {join}\n"),
    );
}

#[test]
fn views_are_the_bounds_of_the_members() {
    let gamma = Gamma::new();
    for arc in arcs() {
        let members: Vec<Word> = members(gamma.arc(arc)).collect();
        let wraps = |from: Word, to: Word| members.contains(&from) && members.contains(&to);
        let unsigned = members.iter().map(|word| word.unsigned());
        let signed = members.iter().map(|word| word.signed());
        if let (Some(min), Some(max)) = (unsigned.clone().min(), unsigned.max()) {
            let all = wraps(Word::ones(), Word::zero());
            assert_eq!(
                (arc.umin().unsigned(), arc.umax().unsigned()),
                if all { (0, 63) } else { (min, max) },
                "{arc:?}"
            );
        }
        if let (Some(min), Some(max)) = (signed.clone().min(), signed.max()) {
            let all = wraps(Word::signed_max(), Word::signed_min());
            assert_eq!(
                (arc.signed_min().signed(), arc.signed_max().signed()),
                if all { (-32, 31) } else { (min, max) },
                "{arc:?}"
            );
        }
        assert_eq!(arc.is_empty(), members.is_empty());
        assert_eq!(arc.is_full(), members.len() == 64);
        assert_eq!(gamma.arc(arc.normalize()), if arc.is_empty() { !0 } else { gamma.arc(arc) }, "{arc:?}");
    }
}

#[test]
fn arcs_are_made_of_what_they_are_made_of() {
    let gamma = Gamma::new();
    for min in words() {
        for max in words() {
            let unsigned = Arc::from_unsigned(min, max);
            if min.ule(max) && !unsigned.is_empty() {
                assert_eq!(gamma.arc(unsigned), set(|word| min.ule(word) & word.ule(max)));
            }
            if min.sle(max) {
                assert_eq!(gamma.arc(Arc::from_signed(min, max)), set(|word| min.sle(word) & word.sle(max)));
            }
        }
        assert_eq!(gamma.arc(Arc::all_but(min)), !singleton(min));
    }
    for tnum in tnums() {
        let least = gamma.tnum(tnum);
        assert_eq!(least & !gamma.arc(Arc::from_tnum(tnum)), 0, "{tnum:?}");
        let unsigned = gamma.arc(Arc::from_unsigned(tnum.min(), tnum.max()));
        assert!(
            gamma.arc(Arc::from_tnum(Tnum { ..tnum })).count_ones() <= unsigned.count_ones() || tnum.mask.is_negative()
        );
    }
}

#[test]
fn halves_keep_every_member() {
    let gamma = Gamma::new();
    let (mut down, mut up) = (Share::default(), Share::default());
    for arc in arcs() {
        let members_of_arc = gamma.arc(arc);
        let lows = members(members_of_arc).map(|word| 1 << word.low().unsigned()).fold(0_u64, |all, one| all | one);
        let held = words()
            .filter(|word| word.unsigned() < 8 && arc.low().contains(word.low()))
            .map(singleton)
            .fold(0, |all, one| all | one);
        assert_eq!(lows & !held, 0, "{arc:?}");
        down.count(held == lows);
        for low in low_arcs() {
            let least = members_of_arc & gamma.low(low);
            judge(&mut up, &gamma, "arc with low half in arc", arc.with_low_in(low), least);
        }
    }
    report(
        &expect![[r#"
        low: 100.00 % of 4096
        with low in:  99.15 % of 252609
    "#]],
        &format!("low: {down}\nwith low in: {up}\n"),
    );
}
