//! Concrete sets of six-bit words, and the shares of results that could not be better.

use std::fmt;

use bpfvet_domain::arc::Arc;
use bpfvet_domain::tnum::Tnum;
use bpfvet_domain::word::Double as _;
use bpfvet_domain::word::small::Bits;
use expect_test::Expect;

/// The word, and its half.
pub(crate) type Word = Bits<6>;
pub(crate) type Half = Bits<3>;

/// A bit for each word.
pub(crate) type Set = u64;

pub(crate) fn words() -> impl Iterator<Item = Word> + Clone {
    Word::all()
}

pub(crate) fn singleton(word: Word) -> Set {
    1 << word.unsigned()
}

pub(crate) fn set(contains: impl Fn(Word) -> bool) -> Set {
    words().filter(|&word| contains(word)).map(singleton).fold(0, |all, one| all | one)
}

pub(crate) fn members(set: Set) -> impl Iterator<Item = Word> {
    words().filter(move |&word| set & singleton(word) != 0)
}

pub(crate) fn tnums() -> Vec<Tnum<Word>> {
    words()
        .flat_map(|mask| words().map(move |value| Tnum { value, mask }))
        .filter(|tnum| tnum.is_well_formed())
        .collect()
}

/// Every way to write an arc.
pub(crate) fn arcs() -> Vec<Arc<Word>> {
    words().flat_map(|base| words().map(move |size| Arc { base, size })).collect()
}

pub(crate) fn low_arcs() -> Vec<Arc<Half>> {
    Half::all().flat_map(|base| Half::all().map(move |size| Arc { base, size })).collect()
}

/// Sets by index of what describes them, for those who look up many.
pub(crate) struct Gamma {
    tnum: Vec<Set>,
    arc: Vec<Set>,
    low: Vec<Set>,
}

impl Gamma {
    pub(crate) fn new() -> Self {
        let all = || words().flat_map(|first| words().map(move |second| (first, second)));
        Self {
            tnum: all().map(|(value, mask)| set(|word| (Tnum { value, mask }).contains(word))).collect(),
            arc: all().map(|(base, size)| set(|word| (Arc { base, size }).contains(word))).collect(),
            low: low_arcs().into_iter().map(|arc| set(|word| arc.contains(word.low()))).collect(),
        }
    }
    pub(crate) fn tnum(&self, Tnum { value, mask }: Tnum<Word>) -> Set {
        self.tnum[(value.unsigned() * 64 + mask.unsigned()) as usize]
    }
    pub(crate) fn arc(&self, Arc { base, size }: Arc<Word>) -> Set {
        self.arc[(base.unsigned() * 64 + size.unsigned()) as usize]
    }
    pub(crate) fn low(&self, Arc { base, size }: Arc<Half>) -> Set {
        self.low[(base.unsigned() * 8 + size.unsigned()) as usize]
    }
}

/// What `operation` makes of a set and one word, for every word.
pub(crate) fn images(set: Set, operation: impl Fn(Word, Word) -> Word) -> Vec<Set> {
    words().map(|y| members(set).map(|x| singleton(operation(x, y))).fold(0, |all, one| all | one)).collect()
}

/// The least number of steps round the circle that meets a whole set.
pub(crate) fn least_arc_size(set: Set) -> Option<u64> {
    if set == 0 {
        return None;
    }
    let (mut gap, mut shrinking) = (0, !set);
    // Runs of ones shorten by one each time a set meets itself one step on.
    while shrinking != 0 {
        gap += 1;
        shrinking &= shrinking.rotate_left(1);
        if gap == 64 {
            break;
        }
    }
    Some(63 - gap)
}

/// How many results were as small as any could be.
#[derive(Default)]
pub(crate) struct Share {
    results: u64,
    optimal: u64,
}

impl Share {
    pub(crate) fn count(&mut self, optimal: bool) {
        self.results += 1;
        self.optimal += u64::from(optimal);
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:6.2} % of {}", 100.0 * self.optimal as f64 / self.results as f64, self.results)
    }
}

/// Prints shares (`--nocapture` shows them), and holds them to what they were.
#[expect(clippy::print_stdout, reason = "shares are to be looked at")]
pub(crate) fn report(expected: &Expect, shares: &str) {
    println!("{shares}");
    expected.assert_eq(shares);
}
