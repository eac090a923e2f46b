//! Intervals: reduction, transfer, bytes, refinement and foresight, over pairs of components, and over samples of all.

use std::fmt::Write as _;

use bpfvet_domain::intervals::{Bounds, Intervals};
use bpfvet_domain::scalar::{AluOp, CmpOp, Foresight, Width};
use bpfvet_domain::tnum::Tnum;
use bpfvet_domain::word::small::Bits;
use bpfvet_domain::word::{Double as _, Word as _};
use expect_test::expect;

use crate::sets::{Half, Set, Share, Word, images, members, report, set, singleton, tnums, words};

type Number = Intervals<Word>;

const WIDTHS: [Width; 2] = [Width::W32, Width::W64];

/// Words from the first to the second, in the order of their readings.
fn intervals<const N: u32>(reading: impl Fn(Bits<N>) -> i64) -> Vec<(Bits<N>, Bits<N>)> {
    let mut all: Vec<Bits<N>> = Bits::all().collect();
    all.sort_by_key(|&word| reading(word));
    (0..all.len())
        .flat_map(|from| all[from..].iter().map(move |&to| (from, to)))
        .map(|(from, to)| (all[from], to))
        .collect()
}

fn unsigned<const N: u32>() -> Vec<Bounds<Bits<N>>> {
    intervals(|word| word.unsigned() as i64).into_iter().map(|(min, max)| Bounds::from_unsigned(min, max)).collect()
}
fn signed<const N: u32>() -> Vec<Bounds<Bits<N>>> {
    intervals(Bits::signed).into_iter().map(|(min, max)| Bounds::from_signed(min, max)).collect()
}

fn of_tnum(tnum: Tnum<Word>) -> Number {
    Number::from_parts(tnum, Bounds::full(), Bounds::full())
}
fn of_wide(wide: Bounds<Word>) -> Number {
    Number::from_parts(Tnum::top(), wide, Bounds::full())
}
fn of_low(low: Bounds<Half>) -> Number {
    Number::from_parts(Tnum::top(), Bounds::full(), low)
}

/// Members of each component are looked up, or seeing them all would take long.
struct Gamma {
    below: Vec<Set>,
    below_signed: Vec<Set>,
    low: Vec<Set>,
    low_signed: Vec<Set>,
    tnum: Vec<Set>,
}

impl Gamma {
    fn new() -> Self {
        let all = || words().flat_map(|first| words().map(move |second| (first, second)));
        Self {
            below: words().map(|end| set(|word| word.ule(end))).collect(),
            below_signed: words().map(|end| set(|word| word.sle(end))).collect(),
            low: Half::all().map(|end| set(|word| word.low().ule(end))).collect(),
            low_signed: Half::all().map(|end| set(|word| word.low().sle(end))).collect(),
            tnum: all().map(|(value, mask)| set(|word| (Tnum { value, mask }).contains(word))).collect(),
        }
    }
    fn of(&self, number: Number) -> Set {
        let (tnum, wide, low) = (number.tnum(), number.wide(), number.low());
        // Up to the greater end, but not up to what lies before the lesser one.
        let place = |word: Word| word.unsigned() as usize;
        let half = |word: Half| word.unsigned() as usize;
        let one = Word::one();
        let mut members = self.tnum[place(tnum.value) * 64 + place(tnum.mask)];
        members &= self.below[place(wide.umax)] & self.below_signed[place(wide.smax)];
        members &= self.low[half(low.umax)] & self.low_signed[half(low.smax)];
        if !wide.umin.is_zero() {
            members &= !self.below[place(wide.umin.wrapping_sub(one))];
        }
        if !wide.smin.same(Word::signed_min()) {
            members &= !self.below_signed[place(wide.smin.wrapping_sub(one))];
        }
        if !low.umin.is_zero() {
            members &= !self.low[half(low.umin.wrapping_sub(Half::one()))];
        }
        if !low.smin.same(Half::signed_min()) {
            members &= !self.low_signed[half(low.smin.wrapping_sub(Half::one()))];
        }
        members
    }
}

/// Pairs of two components, the others knowing nothing. Of pairs of two intervals of words, one in five.
fn pairs_of_components() -> Vec<Number> {
    let (wide, low): (Vec<_>, Vec<_>) =
        (unsigned().into_iter().chain(signed()).collect(), unsigned().into_iter().chain(signed()).collect());
    let tnum_and_low = tnums().into_iter().flat_map(|tnum| low.iter().map(move |&low| (tnum, Bounds::full(), low)));
    let wide_and_low = wide.iter().flat_map(|&wide| low.iter().map(move |&low| (Tnum::top(), wide, low)));
    let both_low = unsigned::<3>()
        .into_iter()
        .flat_map(|a| signed().into_iter().map(move |b| (Tnum::top(), Bounds::full(), a.meet(b))));
    let tnum_and_wide =
        tnums().into_iter().flat_map(|tnum| wide.iter().step_by(3).map(move |&wide| (tnum, wide, Bounds::full())));
    let both_wide = unsigned::<6>()
        .into_iter()
        .flat_map(|a| signed().into_iter().step_by(5).map(move |b| (Tnum::top(), a.meet(b), Bounds::full())));
    tnum_and_low
        .chain(wide_and_low)
        .chain(both_low)
        .chain(tnum_and_wide)
        .chain(both_wide)
        .map(|(tnum, wide, low)| Number::from_parts(tnum, wide, low))
        .collect()
}

/// Numbers of which everything is drawn, in a fixed sequence, a quarter of them reduced.
fn sample(count: usize) -> impl Iterator<Item = Number> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(move || {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state >> 8
        };
        fn sorted<const N: u32>(a: u64, b: u64, reading: impl Fn(Bits<N>) -> i64) -> (Bits<N>, Bits<N>) {
            let (a, b) = (Bits::new(a), Bits::new(b));
            if reading(a) <= reading(b) { (a, b) } else { (b, a) }
        }
        let tnum = Tnum::new(Word::new(next()), Word::new(next() | next()));
        let ((umin, umax), (smin, smax)) =
            (sorted(next(), next(), |word| word.unsigned() as i64), sorted(next(), next(), Bits::signed));
        let wide = Bounds { umin, umax, smin, smax };
        let ((umin, umax), (smin, smax)) =
            (sorted(next(), next(), |word| word.unsigned() as i64), sorted(next(), next(), Bits::signed));
        let number = Number::from_parts(tnum, wide, Bounds { umin, umax, smin, smax });
        if next() % 4 == 0 { number.synced() } else { number }
    })
    .take(count)
}

fn check(gamma: &Gamma, result: Number, least: Set, what: impl FnOnce() -> String) {
    let missing = least & !gamma.of(result);
    assert_eq!(missing, 0, "{}: {result:?} misses {missing:#x}", what());
}

#[test]
fn members_are_looked_up_right() {
    let gamma = Gamma::new();
    for number in sample(20_000).chain(pairs_of_components().into_iter().step_by(997)) {
        assert_eq!(gamma.of(number), set(|word| number.contains(word)), "{number:?}");
    }
}

#[test]
fn each_deduction_keeps_every_member() {
    let gamma = Gamma::new();
    let deductions: [fn(Number) -> Number; 7] = [
        Number::synced,
        Number::narrowed_by_bits,
        Number::with_low_deduced,
        Number::with_readings_agreed,
        Number::with_low_ends,
        Number::with_sign_of_low,
        Number::with_bits_of_bounds,
    ];
    let (mut bits, mut range, mut signed_range, mut constants) =
        (Share::default(), Share::default(), Share::default(), Share::default());
    for number in pairs_of_components().into_iter().chain(sample(1_000_000)) {
        let before = gamma.of(number);
        for deduction in deductions {
            check(&gamma, deduction(number), before, || format!("{number:?}"));
        }
        let synced = number.synced();
        let least = || members(before);
        if let (Some(min), Some(max)) = (least().next(), least().last()) {
            bits.count(Some(synced.tnum()) == least().map(Tnum::exactly).reduce(Tnum::union));
            range.count((synced.wide().umin, synced.wide().umax) == (min, max));
            let signed = |word: &Word| word.signed();
            let (smin, smax) = (least().min_by_key(signed), least().max_by_key(signed));
            signed_range.count((Some(synced.wide().smin), Some(synced.wide().smax)) == (smin, smax));
            if before.count_ones() == 1 {
                constants.count(synced == Number::exactly(min));
            }
            assert!(synced.is_consistent(), "{number:?} has members, and became {synced:?}");
        }
    }
    report(
        &expect![[r#"
            bits:  86.73 % of 1661888
            unsigned bounds:  79.14 % of 1661888
            signed bounds:  79.14 % of 1661888
            constants found:  70.76 % of 327884
        "#]],
        &format!(
            "bits: {bits}\nunsigned bounds: {range}\nsigned bounds: {signed_range}\nconstants found: {constants}\n"
        ),
    );
}

/// What `operation` may make of members of two sets, where rows are the images of the first set.
fn image(images: &[Set], ys: Set) -> Set {
    members(ys).map(|y| images[y.unsigned() as usize]).fold(0, |all, one| all | one)
}

#[test]
fn transfer_of_known_bits_keeps_every_result() {
    let gamma = Gamma::new();
    let numbers: Vec<(Number, Number, Set)> =
        tnums().into_iter().map(|tnum| (of_tnum(tnum), of_tnum(tnum).synced(), gamma.of(of_tnum(tnum)))).collect();
    let mut shares = String::new();
    for op in [AluOp::Add, AluOp::Sub, AluOp::Mul, AluOp::And, AluOp::Or, AluOp::Xor] {
        for width in WIDTHS {
            let mut share = Share::default();
            for &(a, a_synced, xs) in &numbers {
                let images = images(xs, |x, y| op.apply(width, x, y));
                for &(b, b_synced, ys) in &numbers {
                    let least = image(&images, ys);
                    check(&gamma, Number::transfer(op, width, a, b), least, || format!("{op:?} {width:?} {a:?} {b:?}"));
                    let result = Number::transfer(op, width, a_synced, b_synced);
                    check(&gamma, result, least, || format!("{op:?} {width:?} {a_synced:?} {b_synced:?}"));
                    share.count(gamma.of(result) == least);
                }
            }
            writeln!(shares, "{op:?} {width:?}: {share}").expect("a string takes it");
        }
    }
    // Exact: not a word too many.
    report(
        &expect![[r#"
        Add W32:  86.83 % of 531441
        Add W64:  56.74 % of 531441
        Sub W32:  86.83 % of 531441
        Sub W64:  56.74 % of 531441
        Mul W32:  65.71 % of 531441
        Mul W64:  18.24 % of 531441
        And W32: 100.00 % of 531441
        And W64: 100.00 % of 531441
        Or W32: 100.00 % of 531441
        Or W64: 100.00 % of 531441
        Xor W32: 100.00 % of 531441
        Xor W64: 100.00 % of 531441
    "#]],
        &shares,
    );
}

#[test]
fn transfer_of_intervals_keeps_every_result() {
    let gamma = Gamma::new();
    for op in [AluOp::Add, AluOp::Sub, AluOp::Mul, AluOp::And, AluOp::Or, AluOp::Xor] {
        for kind in [unsigned::<6>(), signed()] {
            let sets: Vec<Set> = kind.iter().map(|&bounds| gamma.of(of_wide(bounds))).collect();
            for (&a, &xs) in kind.iter().zip(&sets) {
                let images = images(xs, |x, y| op.apply(Width::W64, x, y));
                for (&b, &ys) in kind.iter().zip(&sets).step_by(3) {
                    let result = Number::computed(op, Width::W64, of_wide(a), of_wide(b));
                    check(&gamma, result, image(&images, ys), || format!("{op:?} {a:?} {b:?}"));
                }
            }
        }
    }
    for op in AluOp::ALL {
        let halves: Vec<Bounds<Half>> = unsigned().into_iter().chain(signed()).collect();
        for &a in &halves {
            let images = images(gamma.of(of_low(a)), |x, y| op.apply(Width::W32, x, y));
            for &b in &halves {
                let result = Number::transfer(op, Width::W32, of_low(a), of_low(b));
                check(&gamma, result, image(&images, gamma.of(of_low(b))), || format!("{op:?} {a:?} {b:?}"));
            }
        }
    }
}

#[test]
fn transfer_beside_a_constant_keeps_every_result() {
    let gamma = Gamma::new();
    let numbers: Vec<Number> = unsigned::<6>()
        .into_iter()
        .chain(signed())
        .map(of_wide)
        .chain(unsigned::<3>().into_iter().chain(signed()).map(of_low))
        .chain(tnums().into_iter().map(of_tnum))
        .collect();
    for op in AluOp::ALL {
        for width in WIDTHS {
            for &a in &numbers {
                let images = images(gamma.of(a), |x, y| op.apply(width, x, y));
                for y in words() {
                    let result = Number::transfer(op, width, a, Number::exactly(y));
                    check(&gamma, result, images[y.unsigned() as usize], || format!("{op:?} {width:?} {a:?} {y:?}"));
                }
            }
        }
    }
}

#[test]
fn bytes_and_widths_keep_every_result() {
    let gamma = Gamma::new();
    for number in pairs_of_components().into_iter().step_by(3).chain(sample(200_000)) {
        let before = gamma.of(number);
        let image = |f: &dyn Fn(Word) -> Word| members(before).map(|x| singleton(f(x))).fold(0, |all, one| all | one);
        let check =
            |result: Number, f: &dyn Fn(Word) -> Word| check(&gamma, result, image(f), || format!("{number:?}"));
        for bits in [1, 2, 3] {
            check(number.truncated_to(bits).synced(), &|x| x & Word::low_ones(bits));
            check(number.sign_extended_from(bits), &|x| x.sign_extended_from(bits));
        }
        for bits in [1, 2] {
            check(number.low_sign_extended_from(bits).synced(), &|x| {
                Word::zero_extended(x.low().sign_extended_from(bits))
            });
        }
        check(number.zero_extended().synced(), &|x| Word::zero_extended(x.low()));
    }
}

/// Refinement of both outcomes and foresight, for all pairs.
fn check_comparisons(gamma: &Gamma, numbers: &[Number]) {
    let sets: Vec<Set> = numbers.iter().map(|&number| gamma.of(number)).collect();
    for op in CmpOp::ALL {
        for width in WIDTHS {
            // For each word, those that it relates to, and those that relate to it.
            let rights: Vec<Set> = words().map(|x| set(|y| op.holds(width, x, y))).collect();
            let lefts: Vec<Set> = words().map(|y| set(|x| op.holds(width, x, y))).collect();
            let related = |sides: &[Set], of: Set, outcome: bool| {
                members(of)
                    .map(|word| sides[word.unsigned() as usize])
                    .map(|side| if outcome { side } else { !side })
                    .fold(0, |all, one| all | one)
            };
            for (&a, &xs) in numbers.iter().zip(&sets) {
                let (yes, no) = (related(&rights, xs, true), related(&rights, xs, false));
                for (&b, &ys) in numbers.iter().zip(&sets) {
                    let Foresight { holds, fails } = Number::foreseen(op, width, &a, &b);
                    assert!(!holds || no & ys == 0, "{op:?} {width:?} of {a:?} and {b:?} holds");
                    assert!(!fails || yes & ys == 0, "{op:?} {width:?} of {a:?} and {b:?} fails");
                    for (outcome, possible) in [(true, yes), (false, no)] {
                        let (first, second) = Number::narrowed_and_synced(op, width, outcome, a, b);
                        let what = || format!("{op:?} {width:?} {outcome} of {a:?} and {b:?}");
                        check(gamma, first, xs & related(&lefts, ys, outcome), what);
                        check(gamma, second, ys & possible, what);
                    }
                }
            }
        }
    }
}

#[test]
fn comparing_keeps_every_member() {
    let gamma = Gamma::new();
    let of_each: Vec<Number> = unsigned::<6>()
        .into_iter()
        .chain(signed())
        .map(of_wide)
        .step_by(41)
        .chain(unsigned::<3>().into_iter().chain(signed()).map(of_low))
        .chain(tnums().into_iter().step_by(11).map(of_tnum))
        .collect();
    check_comparisons(&gamma, &of_each);
    let of_all: Vec<Number> = sample(4_000).filter(|&number| gamma.of(number) != 0).take(200).collect();
    assert_eq!(of_all.len(), 200);
    check_comparisons(&gamma, &of_all);
}

#[test]
fn products_of_all_keep_every_result() {
    let gamma = Gamma::new();
    let numbers: Vec<Number> = sample(4_000).filter(|&number| gamma.of(number) != 0).take(300).collect();
    for &a in &numbers {
        for op in AluOp::ALL {
            for width in WIDTHS {
                let images = images(gamma.of(a), |x, y| op.apply(width, x, y));
                for &b in &numbers {
                    let result = Number::transfer(op, width, a, b);
                    check(&gamma, result, image(&images, gamma.of(b)), || format!("{op:?} {width:?} {a:?} {b:?}"));
                }
            }
        }
    }
}

#[test]
fn order_and_join_are_sound_bound_by_bound() {
    let gamma = Gamma::new();
    let numbers: Vec<(Number, Set)> = sample(1_200).map(|number| (number, gamma.of(number))).collect();
    let mut included = 0;
    for &(a, xs) in &numbers {
        for &(b, ys) in &numbers {
            if a.includes(&b) {
                included += u32::from(ys != 0 && a != b);
                assert_eq!(ys & !xs, 0, "{a:?} includes {b:?}");
            }
            check(&gamma, a.union(b), xs | ys, || format!("{a:?} join {b:?}"));
            check(&gamma, a.common(b), xs & ys, || format!("{a:?} meet {b:?}"));
            assert!(a.union(b).includes(&a) && a.union(b).includes(&b), "{a:?} join {b:?}");
        }
    }
    assert!(included > 100, "order is tried on {included} pairs only");
}
