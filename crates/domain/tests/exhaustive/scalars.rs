//! Scalars: reduction, transfer, bytes, refinement and foresight, over all pairs of components.

use std::fmt::{self, Write as _};

use bpfvet_domain::arc::Arc;
use bpfvet_domain::scalar::{AluOp, ByteOrder, CmpOp, Foresight, Scalar, Width};
use bpfvet_domain::tnum::Tnum;
use bpfvet_domain::word::small::Bits;
use bpfvet_domain::word::{Double, Word as _};
use expect_test::expect;

use crate::sets::{
    Gamma, Half, Set, Share, Word, arcs, images, low_arcs, members, report, set, singleton, tnums, words,
};

type Number = Scalar<Word>;

const WIDTHS: [Width; 2] = [Width::W32, Width::W64];

impl Gamma {
    fn scalar(&self, scalar: Number) -> Set {
        self.tnum(scalar.tnum()) & self.arc(scalar.arc64()) & self.low(scalar.arc32())
    }
}

fn of_tnum(tnum: Tnum<Word>) -> Number {
    Number::from_parts(tnum, Arc::full(), Arc::full())
}
fn of_arc(wide: Arc<Word>) -> Number {
    Number::from_parts(Tnum::top(), wide, Arc::full())
}
fn of_low(low: Arc<Half>) -> Number {
    Number::from_parts(Tnum::top(), Arc::full(), low)
}

/// All pairs of two components, the third knowing nothing.
fn pairs_of_components() -> impl Iterator<Item = Number> {
    let tnum_and_arc =
        tnums().into_iter().flat_map(|tnum| arcs().into_iter().map(move |wide| (tnum, wide, Arc::full())));
    let tnum_and_low =
        tnums().into_iter().flat_map(|tnum| low_arcs().into_iter().map(move |low| (tnum, Arc::full(), low)));
    let arc_and_low =
        arcs().into_iter().flat_map(|wide| low_arcs().into_iter().map(move |low| (Tnum::top(), wide, low)));
    tnum_and_arc.chain(tnum_and_low).chain(arc_and_low).map(|(tnum, wide, low)| Number::from_parts(tnum, wide, low))
}

fn least_tnum(set: Set) -> Option<Tnum<Word>> {
    members(set).map(Tnum::exactly).reduce(Tnum::union)
}

#[test]
fn each_deduction_keeps_every_member() {
    let gamma = Gamma::new();
    let deductions: [fn(Number) -> Number; 6] = [
        Number::synced_step_by_step,
        Number::narrowed_by_bits,
        Number::with_low_narrowed_by_bits,
        Number::with_wide_narrowed_by_bits,
        Number::with_halves_agreed,
        Number::with_bits_of_ranges,
    ];
    let (mut bits, mut range, mut constants) = (Share::default(), Share::default(), Share::default());
    for scalar in pairs_of_components() {
        let before = gamma.scalar(scalar);
        for deduction in deductions {
            let after = gamma.scalar(deduction(scalar));
            assert_eq!(before & !after, 0, "{scalar:?} became {:?}", deduction(scalar));
        }
        let synced = scalar.synced();
        if let Some(least) = least_tnum(before) {
            bits.count(synced.tnum() == least);
            let (min, max) = (before.trailing_zeros(), 63 - before.leading_zeros());
            range.count(
                (synced.arc64().umin(), synced.arc64().umax()) == (Word::new(min.into()), Word::new(max.into())),
            );
            if before.count_ones() == 1 {
                constants.count(synced == Number::exactly(least.value));
            }
        }
    }
    report(
        &expect![[r#"
        bits:  92.15 % of 2408747
        unsigned bounds:  73.06 % of 2408747
        constants found:  91.94 % of 449152
    "#]],
        &format!("bits: {bits}\nunsigned bounds: {range}\nconstants found: {constants}\n"),
    );
}

#[test]
fn what_is_told_at_once_is_where_the_steps_lead() {
    let mut told = Told::default();
    // All numbers of four bits.
    type Short = Bits<4>;
    let tnums_of_four = Short::all()
        .flat_map(|mask| Short::all().map(move |value| Tnum { value, mask }))
        .filter(|tnum| tnum.is_well_formed());
    for tnum in tnums_of_four {
        for (base, size) in Short::all().flat_map(|base| Short::all().map(move |size| (base, size))) {
            for low_base in Bits::<2>::all() {
                for low_size in Bits::<2>::all() {
                    let (wide, low) = (Arc { base, size }, Arc { base: low_base, size: low_size });
                    told.check(Scalar::from_parts(tnum, wide, low));
                }
            }
        }
    }
    // Of six bits, all whose range is non-negative in the low half; of twelve, many.
    for scalar in pairs_of_components().chain(sample(100_000)) {
        told.check(scalar);
    }
    for tnum in tnums() {
        for wide in arcs().into_iter().filter(|wide| wide.base.unsigned() + wide.size.unsigned() < 4) {
            for low in low_arcs() {
                told.check(Scalar::from_parts(tnum, wide, low));
            }
        }
    }
    type Long = Bits<12>;
    for mask in 0..40 {
        for value in (0..40).filter(|value| value & mask == 0) {
            let tnum = Tnum { value: Long::new(value), mask: Long::new(mask) };
            for base in 0..40 {
                for size in 0..40 {
                    let wide = Arc { base: Long::new(base), size: Long::new(size) };
                    told.check(Scalar::from_parts(tnum, wide, wide.low()));
                    told.check(Scalar::from_parts(tnum, wide, Arc::full()));
                }
            }
        }
    }
    report(
        &expect![[r#"
        free: 70
        one word: 204591
        short: 23814
        long: 7360
        by steps: 5426353
    "#]],
        &told.to_string(),
    );
}

/// How many numbers were told in which way.
#[derive(Default)]
struct Told {
    free: u64,
    one_word: u64,
    short: u64,
    long: u64,
    by_steps: u64,
}

impl Told {
    fn check<W: Double<Truth = bool> + PartialEq>(&mut self, scalar: Scalar<W>)
    where
        W::Half: PartialEq,
    {
        let synced = scalar.synced_step_by_step();
        assert_eq!(scalar.synced(), synced, "{scalar:?}");
        let mut same = |told: bool, result: Scalar<W>, count: fn(&mut Self) -> &mut u64| {
            if told {
                assert_eq!(result, synced, "{scalar:?}");
                *count(self) += 1;
            }
            told
        };
        let told = [
            same(scalar.is_free(), scalar, |told| &mut told.free),
            same(scalar.is_one_word(), Scalar::exactly(scalar.tnum().value), |told| &mut told.one_word),
            same(scalar.is_short(), scalar.synced_as_short(), |told| &mut told.short),
            same(scalar.is_long(), scalar.synced_as_long(), |told| &mut told.long),
        ];
        self.by_steps += u64::from(!told.contains(&true));
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { free, one_word, short, long, by_steps } = self;
        write!(f, "free: {free}\none word: {one_word}\nshort: {short}\nlong: {long}\nby steps: {by_steps}\n")
    }
}

#[test]
fn what_free_numbers_make_is_what_the_steps_make() {
    let numbers: Vec<Number> = words()
        .map(Scalar::free)
        .chain(words().map(Scalar::exactly))
        .chain(arcs().into_iter().step_by(97).map(of_arc))
        .chain(low_arcs().into_iter().step_by(7).map(of_low))
        .chain(tnums().into_iter().step_by(31).map(of_tnum))
        .chain(sample(40))
        .collect();
    let mut shares = String::new();
    for op in AluOp::ALL {
        for width in WIDTHS {
            let mut share = Share::default();
            for dst in &numbers {
                for src in &numbers {
                    let (told, bits) = Number::freed(op, width, dst, src);
                    let result = Number::transfer_step_by_step(op, width, *dst, *src);
                    assert!(!told || result == Number::free(bits), "{op:?} {width:?} {dst:?} {src:?}: {result:?}");
                    assert_eq!(Number::transfer(op, width, *dst, *src), result);
                    // Of the results that are free, these are told.
                    if result.is_free() {
                        share.count(told);
                    }
                }
            }
            writeln!(shares, "{op:?} {width:?}: {share}").expect("a string takes it");
        }
    }
    report(
        &expect![[r#"
        Add W32:   6.11 % of 35914
        Add W64:   3.32 % of 14693
        Sub W32:   6.19 % of 35487
        Sub W64:   3.40 % of 14351
        Mul W32:   0.00 % of 50313
        Mul W64:   0.00 % of 21290
        Div W32:   0.00 % of 56095
        Div W64:   0.00 % of 54646
        Sdiv W32:   0.00 % of 52637
        Sdiv W64:   0.00 % of 49597
        Mod W32:   0.00 % of 51589
        Mod W64:   0.00 % of 47711
        Smod W32:   0.00 % of 49897
        Smod W64:   0.00 % of 46334
        And W32:  16.31 % of 52217
        And W64:   9.84 % of 36659
        Or W32:  25.86 % of 16846
        Or W64:  48.98 % of 8893
        Xor W32:  11.10 % of 39231
        Xor W64:  13.41 % of 32491
        Lsh W32:   0.44 % of 59676
        Lsh W64:   0.16 % of 58741
        Rsh W32:   0.44 % of 59630
        Rsh W64:   0.45 % of 59096
        Arsh W32:   0.00 % of 59477
        Arsh W64:   0.00 % of 58712
    "#]],
        &shares,
    );
}

/// What `operation` may make of members of two sets, where rows are the images of the first set.
fn image(images: &[Set], ys: Set) -> Set {
    members(ys).map(|y| images[y.unsigned() as usize]).fold(0, |all, one| all | one)
}

fn check(gamma: &Gamma, result: Number, least: Set, what: impl FnOnce() -> String) {
    let missing = least & !gamma.scalar(result);
    assert_eq!(missing, 0, "{}: {result:?} misses {missing:#x}", what());
}

#[test]
fn transfer_of_known_bits_keeps_every_result() {
    let gamma = Gamma::new();
    let numbers: Vec<(Number, Number, Set)> =
        tnums().into_iter().map(|tnum| (of_tnum(tnum), of_tnum(tnum).synced(), gamma.tnum(tnum))).collect();
    let mut shares = String::new();
    for op in AluOp::ALL {
        for width in WIDTHS {
            let mut share = Share::default();
            for &(a, a_synced, xs) in &numbers {
                let images = images(xs, |x, y| op.apply(width, x, y));
                for &(b, b_synced, ys) in &numbers {
                    let least = image(&images, ys);
                    check(&gamma, Number::transfer(op, width, a, b), least, || format!("{op:?} {width:?} {a:?} {b:?}"));
                    let result = Number::transfer(op, width, a_synced, b_synced);
                    check(&gamma, result, least, || format!("{op:?} {width:?} {a_synced:?} {b_synced:?}"));
                    share.count(gamma.scalar(result) == least);
                }
            }
            writeln!(shares, "{op:?} {width:?}: {share}").expect("a string takes it");
        }
    }
    // Exact: not a word too many.
    report(
        &expect![[r#"
        Add W32:  91.77 % of 531441
        Add W64:  64.40 % of 531441
        Sub W32:  91.77 % of 531441
        Sub W64:  64.40 % of 531441
        Mul W32:  70.21 % of 531441
        Mul W64:  19.67 % of 531441
        Div W32:  25.77 % of 531441
        Div W64:   6.88 % of 531441
        Sdiv W32:  24.34 % of 531441
        Sdiv W64:   7.22 % of 531441
        Mod W32:  17.79 % of 531441
        Mod W64:   3.03 % of 531441
        Smod W32:  20.29 % of 531441
        Smod W64:   3.16 % of 531441
        And W32: 100.00 % of 531441
        And W64: 100.00 % of 531441
        Or W32: 100.00 % of 531441
        Or W64: 100.00 % of 531441
        Xor W32: 100.00 % of 531441
        Xor W64: 100.00 % of 531441
        Lsh W32:   0.41 % of 531441
        Lsh W64:   0.90 % of 531441
        Rsh W32:   0.41 % of 531441
        Rsh W64:   0.90 % of 531441
        Arsh W32:   0.41 % of 531441
        Arsh W64:   0.90 % of 531441
    "#]],
        &shares,
    );
}

#[test]
fn transfer_of_ranges_keeps_every_result() {
    let gamma = Gamma::new();
    for op in [AluOp::Add, AluOp::Sub, AluOp::Mul, AluOp::And, AluOp::Or, AluOp::Xor] {
        for a in arcs() {
            let images = images(gamma.arc(a), |x, y| op.apply(Width::W64, x, y));
            for base in words() {
                let mut least = 0;
                for size in words() {
                    least |= images[base.wrapping_add(size).unsigned() as usize];
                    let b = Arc { base, size };
                    if !b.is_empty() {
                        let result = Number::computed(op, Width::W64, of_arc(a), of_arc(b));
                        check(&gamma, result, least, || format!("{op:?} {a:?} {b:?}"));
                    }
                }
            }
        }
    }
    for op in AluOp::ALL {
        for a in low_arcs() {
            let images = images(gamma.low(a), |x, y| op.apply(Width::W32, x, y));
            for b in low_arcs() {
                let result = Number::transfer(op, Width::W32, of_low(a), of_low(b));
                check(&gamma, result, image(&images, gamma.low(b)), || format!("{op:?} {a:?} {b:?}"));
            }
        }
    }
}

#[test]
fn transfer_beside_a_constant_keeps_every_result() {
    let gamma = Gamma::new();
    let numbers = || arcs().into_iter().map(of_arc).chain(low_arcs().into_iter().map(of_low));
    for op in AluOp::ALL {
        for width in WIDTHS {
            for a in numbers() {
                let images = images(gamma.scalar(a), |x, y| op.apply(width, x, y));
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
    for scalar in pairs_of_components() {
        let before = gamma.scalar(scalar);
        let image = |f: &dyn Fn(Word) -> Word| members(before).map(|x| singleton(f(x))).fold(0, |all, one| all | one);
        let check =
            |result: Number, f: &dyn Fn(Word) -> Word| check(&gamma, result, image(f), || format!("{scalar:?}"));
        for bits in [1, 2, 3] {
            check(scalar.truncated_to(bits).synced(), &|x| x & Word::low_ones(bits));
            check(scalar.sign_extended_from(bits), &|x| x.sign_extended_from(bits));
        }
        for bits in [1, 2] {
            check(scalar.low_sign_extended_from(bits).synced(), &|x| {
                Word::zero_extended(x.low().sign_extended_from(bits))
            });
        }
        for bits in [2, 3, 6] {
            check(scalar.swapped(bits), &|x| ByteOrder::Swap.apply(bits, x));
            check(scalar.swapped(bits).synced(), &|x| ByteOrder::Be.apply(bits, x));
        }
        check(scalar.zero_extended().synced(), &|x| Word::zero_extended(x.low()));
        for width in WIDTHS {
            check(Number::negated(width, scalar), &|x| width.negate(x));
        }
    }
}

/// For each word `y`, the words `x` with `x op y`; and the other way round.
struct Relation {
    lefts: Vec<Set>,
    rights: Vec<Set>,
}

impl Relation {
    fn new(op: CmpOp, width: Width, outcome: bool) -> Self {
        Self {
            lefts: words().map(|y| set(|x| op.holds(width, x, y) == outcome)).collect(),
            rights: words().map(|x| set(|y| op.holds(width, x, y) == outcome)).collect(),
        }
    }
    /// The words of which some member of the set is a partner.
    fn some(rows: &[Set], set: Set) -> Set {
        image(rows, set)
    }
}

/// Checks refinement and foresight of all pairs of numbers.
fn check_comparisons(
    gamma: &Gamma,
    width: Width,
    numbers: &[Number],
    refine: fn(CmpOp, Width, bool, Number, Number) -> (Number, Number),
) {
    for op in CmpOp::ALL {
        for outcome in [false, true] {
            let relation = Relation::new(op, width, outcome);
            let numbers: Vec<(Number, Set, Set, Set)> = numbers
                .iter()
                .map(|&number| {
                    let set = gamma.scalar(number);
                    (number, set, Relation::some(&relation.lefts, set), Relation::some(&relation.rights, set))
                })
                .collect();
            for &(a, xs, _, rights) in &numbers {
                for &(b, ys, lefts, _) in &numbers {
                    let (x, y) = refine(op, width, outcome, a, b);
                    check(gamma, x, xs & lefts, || format!("first of {op:?} {width:?} {outcome} {a:?} {b:?}"));
                    check(gamma, y, ys & rights, || format!("second of {op:?} {width:?} {outcome} {a:?} {b:?}"));
                    let Foresight { holds, fails } = Number::foreseen(op, width, &a, &b);
                    let impossible = if outcome { fails } else { holds };
                    assert!(!impossible || xs & lefts == 0, "foresight of {op:?} {width:?} {outcome} {a:?} {b:?}");
                }
            }
        }
    }
}

/// What [`Scalar::refine`] computes, at this width, of outcomes that can be.
fn narrowed_and_synced(op: CmpOp, width: Width, outcome: bool, a: Number, b: Number) -> (Number, Number) {
    let (a, b) = Number::narrowed(op, width, outcome, a, b);
    (a.synced(), b.synced())
}

#[test]
fn comparing_known_bits_keeps_every_member() {
    let gamma = Gamma::new();
    let numbers: Vec<Number> = tnums().into_iter().map(of_tnum).collect();
    for width in WIDTHS {
        check_comparisons(&gamma, width, &numbers, narrowed_and_synced);
    }
}

#[test]
fn comparing_ranges_keeps_every_member() {
    let gamma = Gamma::new();
    // Every arc against every fifth size of arc: an ordering sees the second operand's ends only.
    let numbers: Vec<Number> =
        arcs().into_iter().filter(|arc| arc.size.unsigned() % 5 == 0 || arc.size.unsigned() > 61).map(of_arc).collect();
    check_comparisons(&gamma, Width::W64, &numbers, Number::narrowed);
    let numbers: Vec<Number> = low_arcs().into_iter().map(of_low).collect();
    for width in WIDTHS {
        check_comparisons(&gamma, width, &numbers, narrowed_and_synced);
    }
}

#[test]
fn comparing_with_itself_is_told_right() {
    let gamma = Gamma::new();
    for op in CmpOp::ALL {
        for width in WIDTHS {
            let holding = set(|x| op.holds(width, x, x));
            for scalar in pairs_of_components() {
                let members = gamma.scalar(scalar);
                let Foresight { holds, fails } = Number::foreseen_of_same(op, width, &scalar);
                assert!(!holds || members & !holding == 0, "{op:?} {width:?} {scalar:?}");
                assert!(!fails || members & holding == 0, "{op:?} {width:?} {scalar:?}");
            }
        }
    }
}

/// Numbers with all three components, from a fixed sequence.
fn sample(count: usize) -> Vec<Number> {
    let mut state = 1_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Word::new(state >> 40)
    };
    let mut one = move || {
        let (mask, base, size) = (next() & next(), next(), next());
        let (low_base, low_size) = (next().low(), next().low());
        Number::from_parts(Tnum::new(next(), mask), Arc { base, size }, Arc { base: low_base, size: low_size })
    };
    (0..count).map(|_| one()).collect()
}

#[test]
fn products_of_all_three_keep_every_result() {
    let gamma = Gamma::new();
    let numbers: Vec<(Number, Set)> = sample(20_000)
        .into_iter()
        .map(|number| (number, gamma.scalar(number)))
        .filter(|&(_, set)| set != 0)
        .take(300)
        .collect();
    assert_eq!(numbers.len(), 300);
    for &(a, xs) in &numbers {
        for op in AluOp::ALL {
            for width in WIDTHS {
                let images = images(xs, |x, y| op.apply(width, x, y));
                for &(b, ys) in &numbers {
                    let result = Number::transfer(op, width, a, b);
                    check(&gamma, result, image(&images, ys), || format!("{op:?} {width:?} {a:?} {b:?}"));
                }
            }
        }
    }
    let numbers: Vec<Number> = numbers.into_iter().map(|(number, _)| number).collect();
    for width in WIDTHS {
        check_comparisons(&gamma, width, &numbers, narrowed_and_synced);
    }
}

#[test]
fn order_and_join_are_sound_part_by_part() {
    let gamma = Gamma::new();
    let numbers: Vec<(Number, Set)> = arcs()
        .into_iter()
        .step_by(7)
        .map(of_arc)
        .chain(tnums().into_iter().map(of_tnum))
        .chain(low_arcs().into_iter().map(of_low))
        .map(|number| (number.synced(), gamma.scalar(number)))
        .collect();
    for &(a, xs) in &numbers {
        for &(b, ys) in &numbers {
            if a.includes(&b) {
                assert_eq!(ys & !gamma.scalar(a), 0, "{a:?} includes {b:?}");
            }
            check(&gamma, a.union(b), xs | ys, || format!("{a:?} join {b:?}"));
            check(&gamma, a.common(b), xs & ys, || format!("{a:?} meet {b:?}"));
            assert!(a.union(b).includes(&a) && a.union(b).includes(&b), "{a:?} join {b:?}");
        }
    }
}
