//! The symbolic word means what the production word does, and faults go where they are planted.

use std::collections::{BTreeMap, BTreeSet};

use bpfvet_domain::arc::Arc;
use bpfvet_domain::scalar::{AluOp, CmpOp, Scalar, Width};
use bpfvet_domain::tnum::Tnum;

use super::claim::Claim;
use super::claims;
use super::claims::coverage::{FUNCTIONS, Shown};
use super::symbol::{Fault, Slip, Symbol, plant};
use super::term::{self, Term};
use crate::shell;

type Symbolic = Scalar<Symbol<64>>;

/// Words of a fixed sequence, many of them near where carries, signs and halves meet.
struct Words(u64);

impl Words {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let word = self.0 ^ (self.0 >> 29);
        match word % 4 {
            0 => word >> (self.0 >> 58),
            1 => (1_u64 << (self.0 >> 58)).wrapping_sub(word >> 8 & 1),
            2 => (word >> (self.0 >> 58)).wrapping_neg(),
            _ => word,
        }
    }

    /// A number and the same number as values of named words.
    fn number(&mut self, name: &str, values: &mut BTreeMap<String, u64>) -> Scalar<u64> {
        let (mask, value) = (self.next() & self.next(), self.next());
        let tnum = Tnum::new(value, mask);
        let (wide, low) =
            (Arc { base: self.next(), size: self.next() }, Arc { base: self.next() as u32, size: self.next() as u32 });
        let parts = [
            ("value", tnum.value),
            ("mask", tnum.mask),
            ("base", wide.base),
            ("size", wide.size),
            ("low_base", low.base.into()),
            ("low_size", low.size.into()),
        ];
        values.extend(parts.map(|(part, value)| (format!("{name}_{part}"), value)));
        Scalar::from_parts(tnum, wide, low)
    }
}

fn evaluated(symbolic: Symbolic, values: &BTreeMap<String, u64>) -> Scalar<u64> {
    let of = |term: Term| term::evaluate(term, values);
    let (tnum, wide, low) = (symbolic.tnum(), symbolic.arc64(), symbolic.arc32());
    Scalar::from_parts(
        Tnum { value: of(tnum.value.0), mask: of(tnum.mask.0) },
        Arc { base: of(wide.base.0), size: of(wide.size.0) },
        Arc { base: of(low.base.0) as u32, size: of(low.size.0) as u32 },
    )
}

/// Runs an operator on symbols once, and compares its terms' values with the production instance on many numbers.
fn compare(
    symbolic: impl Fn(Symbolic, Symbolic) -> Symbolic,
    production: impl Fn(Scalar<u64>, Scalar<u64>) -> Scalar<u64>,
) {
    term::reset(false);
    plant(None);
    let mut claim = Claim::default();
    let result = symbolic(claim.parts("a"), claim.parts("b"));
    let mut words = Words(1);
    for _ in 0..20 {
        let mut values = BTreeMap::new();
        let (a, b) = (words.number("a", &mut values), words.number("b", &mut values));
        assert_eq!(evaluated(result, &values), production(a, b), "of {a:x?} and {b:x?}");
    }
}

#[test]
fn symbols_mean_what_numbers_do() {
    for width in [Width::W32, Width::W64] {
        for op in AluOp::ALL {
            compare(|a, b| Scalar::transfer(op, width, a, b), |a, b| Scalar::transfer(op, width, a, b));
        }
        for op in CmpOp::ALL {
            for outcome in [false, true] {
                compare(
                    |a, b| Scalar::narrowed(op, width, outcome, a, b).0,
                    |a, b| Scalar::narrowed(op, width, outcome, a, b).0,
                );
                compare(
                    |a, b| Scalar::narrowed(op, width, outcome, a, b).1,
                    |a, b| Scalar::narrowed(op, width, outcome, a, b).1,
                );
            }
        }
    }
    compare(|a, _| a.synced_step_by_step(), |a, _| a.synced_step_by_step());
    compare(|a, b| a.union(b), |a, b| a.union(b));
    compare(|a, b| a.common(b), |a, b| a.common(b));
    for bits in [16, 32, 64] {
        compare(|a, _| a.swapped(bits), |a, _| a.swapped(bits));
    }
    for bits in [8, 16, 32] {
        compare(|a, _| a.truncated_to(bits), |a, _| a.truncated_to(bits));
        compare(|a, _| a.sign_extended_from(bits), |a, _| a.sign_extended_from(bits));
    }
}

#[test]
fn a_fault_changes_what_is_asked() {
    let sum =
        claims::all::<Symbol<16>>().into_iter().find(|obligation| obligation.name == "tnum add").expect("it is stated");
    let faulty = sum.faulty_query(Fault { nth: 0, slip: Slip::DifferenceForSum }).expect("sums are added");
    assert_ne!(faulty, sum.whole_query());
    assert_eq!(sum.faulty_query(Fault { nth: 99, slip: Slip::DifferenceForSum }), None, "there are not so many sums");
}

#[test]
fn every_obligation_asks_something() {
    // What is told of comparing a register with itself is mostly plain, and what is among the assumptions is not asked again.
    let assumed = [
        "an empty number has no member",
        "reduction: the short way",
        "bounds meet",
        "low bounds meet",
        "intervals reduction: narrowed by bits",
        "intervals reduction: readings agreed",
    ];
    let silent: Vec<String> = claims::all::<Symbol<64>>()
        .into_iter()
        .filter(|obligation| obligation.queries().len() < 2)
        .map(|obligation| obligation.name)
        .filter(|name| !name.ends_with("one register") && !assumed.contains(&name.as_str()))
        .collect();
    assert_eq!(silent, Vec::<String>::new());
}

/// The public functions of a source file, as rustfmt leaves it.
fn public_functions(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let rest = line.strip_prefix("    pub")?;
        let rest = rest.strip_prefix("(crate)").unwrap_or(rest).strip_prefix(' ')?;
        let rest = rest.strip_prefix("const ").unwrap_or(rest).strip_prefix("fn ")?;
        rest.split(['(', '<']).next()
    })
}

/// All functions of `domain` that make sets of sets, by file and name.
fn functions_of_domain() -> BTreeSet<String> {
    let root = shell::root().join("crates/domain/src");
    let (mut open, mut found) = (vec![root.clone()], BTreeSet::new());
    while let Some(place) = open.pop() {
        if place.is_dir() {
            open.extend(
                std::fs::read_dir(&place).expect("it is a directory").map(|entry| entry.expect("it is there").path()),
            );
            continue;
        }
        let below = place.strip_prefix(&root).expect("it is below").with_extension("");
        let module = below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("::");
        let source = std::fs::read_to_string(&place).expect("it is text");
        found.extend(public_functions(&source).map(|name| format!("{module}::{name}")));
    }
    found
}

/// Not operators: words and what operations mean on them, and the laws that sets are held to.
const NO_SETS: [&str; 3] = ["word", "concrete", "laws"];

#[test]
fn every_public_function_is_shown_and_every_obligation_is_of_use() {
    let of_sets: BTreeSet<String> = functions_of_domain()
        .into_iter()
        .filter(|name| !NO_SETS.iter().any(|module| name.split("::").next() == Some(module)))
        .collect();
    let listed: BTreeSet<String> = FUNCTIONS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(
        of_sets.difference(&listed).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "nothing is said of how these are shown"
    );
    assert_eq!(listed.difference(&of_sets).collect::<Vec<_>>(), Vec::<&String>::new(), "these are not there any more");

    let obligations: Vec<String> = claims::all::<Symbol<64>>()
        .into_iter()
        .map(|obligation| obligation.name)
        .chain(claims::lemmas::LEMMAS.iter().map(|lemma| format!("lemma: {}", lemma.name)))
        .collect();
    let prefixes: Vec<&str> = FUNCTIONS
        .iter()
        .flat_map(|(_, shown)| match shown {
            Shown::Proved(of) | Shown::Composed(of, _) => of.to_vec(),
            Shown::Meaning(_) => Vec::new(),
        })
        .collect();
    for prefix in &prefixes {
        assert!(obligations.iter().any(|name| name.starts_with(prefix)), "no obligation is called {prefix}");
    }
    for name in &obligations {
        assert!(prefixes.iter().any(|prefix| name.starts_with(prefix)), "{name} is of no use");
    }
}

#[test]
fn a_forgotten_function_is_found() {
    let source = "impl A {\n    pub fn told(self) {}\n    pub(crate) const fn also<T>(self) {}\n    fn own(self) {}\n}\npub fn loose() {}\n";
    assert_eq!(public_functions(source).collect::<Vec<_>>(), ["told", "also"]);
}
