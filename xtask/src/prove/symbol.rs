//! The symbolic instance of a machine word: each operation of the shipped source becomes a term.

use std::cell::RefCell;
use std::ops::{BitAnd, BitOr, BitXor, Not};

use bpfvet_domain::word::{Choose, Double, Truth, Word};

use super::term::{self, Operator, Sort, Term};

/// A word of `N` bits that may be any.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Symbol<const N: u32>(pub(crate) Term);

/// A proposition about words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Prop(pub(crate) Term);

/// A word that can be named.
pub(crate) trait Symbolic: Word<Truth = Prop> {
    fn named(name: &str) -> Self;
    fn term(self) -> Term;
}

impl<const N: u32> Symbolic for Symbol<N> {
    fn named(name: &str) -> Self {
        Self(term::variable(name, N))
    }
    fn term(self) -> Term {
        self.0
    }
}

/// One operation put wrong: what a slip in the source would do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    /// Which operation of its kind, counted from zero as the operator under test runs.
    pub(crate) nth: usize,
    pub(crate) slip: Slip,
}

/// A kind of slip.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Slip {
    /// `+` for `-`.
    SumForDifference,
    /// `-` for `+`.
    DifferenceForSum,
    /// `|` for `&`.
    OrForAnd,
    /// `&` for `|`.
    AndForOr,
    /// A complement left out.
    NoComplement,
    /// `<=` for `<`.
    AtMostForBelow,
    /// A signed comparison for an unsigned one, and the other way round.
    WrongSign,
    /// Operands of a comparison exchanged.
    Exchanged,
    /// A shift that brings in signs for one that brings in zeros, and the other way round.
    WrongShift,
    /// A choice that always takes the first way.
    AlwaysYes,
    /// A choice that never does.
    AlwaysNo,
    /// A condition that asks for one of two for one that asks for both, and the other way round.
    WrongConnective,
}

impl Slip {
    pub(crate) const ALL: [Self; 12] = [
        Self::SumForDifference,
        Self::DifferenceForSum,
        Self::OrForAnd,
        Self::AndForOr,
        Self::NoComplement,
        Self::AtMostForBelow,
        Self::WrongSign,
        Self::Exchanged,
        Self::WrongShift,
        Self::AlwaysYes,
        Self::AlwaysNo,
        Self::WrongConnective,
    ];
}

#[derive(Default)]
struct Workshop {
    fault: Option<Fault>,
    /// Only what is under test may be put wrong, never what it is measured against.
    under_test: bool,
    seen: usize,
}

thread_local! {
    static WORKSHOP: RefCell<Workshop> = RefCell::default();
}

/// From now on, the operator under test has this fault.
pub(crate) fn plant(fault: Option<Fault>) {
    WORKSHOP.set(Workshop { fault, ..Workshop::default() });
}

/// Whether the planted fault has met its operation.
pub(crate) fn planted() -> bool {
    WORKSHOP.with_borrow(|shop| shop.fault.is_some_and(|fault| shop.seen > fault.nth))
}

/// Runs the operator under test.
pub(crate) fn under_test<T>(run: impl FnOnce() -> T) -> T {
    WORKSHOP.with_borrow_mut(|shop| shop.under_test = true);
    let result = run();
    WORKSHOP.with_borrow_mut(|shop| shop.under_test = false);
    result
}

/// Whether this operation is the one that slips.
fn slips(slip: Slip) -> bool {
    WORKSHOP.with_borrow_mut(|shop| match shop.fault {
        Some(fault) if shop.under_test && fault.slip == slip => {
            shop.seen += 1;
            shop.seen == fault.nth + 1
        }
        _ => false,
    })
}

impl BitAnd for Prop {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        let operator = if slips(Slip::WrongConnective) { Operator::Either } else { Operator::Both };
        Self(term::apply(operator, &[self.0, other.0], Sort::Truth))
    }
}
impl BitOr for Prop {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        let operator = if slips(Slip::WrongConnective) { Operator::Both } else { Operator::Either };
        Self(term::apply(operator, &[self.0, other.0], Sort::Truth))
    }
}
impl Not for Prop {
    type Output = Self;
    fn not(self) -> Self {
        if slips(Slip::NoComplement) {
            return self;
        }
        Self(term::apply(Operator::Negation, &[self.0], Sort::Truth))
    }
}

impl Choose<Self> for Prop {
    fn select(condition: Self, yes: Self, no: Self) -> Self {
        (condition & yes) | (!condition & no)
    }
}

impl Truth for Prop {
    fn known(value: bool) -> Self {
        Self(term::truth(value))
    }
    fn decided(self) -> Option<bool> {
        term::known(self.0).map(|value| value != 0)
    }
    fn choose<T: Choose<Self>>(self, yes: impl FnOnce() -> T, no: impl FnOnce() -> T) -> T {
        let (always_yes, always_no) = (slips(Slip::AlwaysYes), slips(Slip::AlwaysNo));
        let (yes, no) = (yes(), no());
        match (always_yes, always_no) {
            (true, _) => yes,
            (_, true) => no,
            (false, false) => T::select(self, yes, no),
        }
    }
}

impl<const N: u32> Symbol<N> {
    fn binary(self, operator: Operator, other: Self) -> Self {
        Self(term::apply(operator, &[self.0, other.0], Sort::Word(N)))
    }
    fn compare(self, operator: Operator, other: Self) -> Prop {
        Prop(term::apply(operator, &[self.0, other.0], Sort::Truth))
    }
    fn ordered(self, operator: Operator, opposite: Operator, other: Self) -> Prop {
        let operator = if slips(Slip::WrongSign) { opposite } else { operator };
        let (a, b) = if slips(Slip::Exchanged) { (other, self) } else { (self, other) };
        if slips(Slip::AtMostForBelow) {
            Prop(term::apply(Operator::Negation, &[b.compare(operator, a).0], Sort::Truth))
        } else {
            a.compare(operator, b)
        }
    }
}

impl<const N: u32> BitAnd for Symbol<N> {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        self.binary(if slips(Slip::OrForAnd) { Operator::Or } else { Operator::And }, other)
    }
}
impl<const N: u32> BitOr for Symbol<N> {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.binary(if slips(Slip::AndForOr) { Operator::And } else { Operator::Or }, other)
    }
}
impl<const N: u32> BitXor for Symbol<N> {
    type Output = Self;
    fn bitxor(self, other: Self) -> Self {
        self.binary(Operator::Xor, other)
    }
}
impl<const N: u32> Not for Symbol<N> {
    type Output = Self;
    fn not(self) -> Self {
        if slips(Slip::NoComplement) {
            return self;
        }
        Self(term::apply(Operator::Not, &[self.0], Sort::Word(N)))
    }
}

impl<const N: u32> Word for Symbol<N> {
    type Truth = Prop;
    const BITS: u32 = N;

    fn literal(value: u64) -> Self {
        Self(term::literal(value, N))
    }
    fn pick(condition: Prop, yes: Self, no: Self) -> Self {
        Self(term::apply(Operator::If, &[condition.0, yes.0, no.0], Sort::Word(N)))
    }
    fn wrapping_add(self, other: Self) -> Self {
        self.binary(if slips(Slip::DifferenceForSum) { Operator::Sub } else { Operator::Add }, other)
    }
    fn wrapping_sub(self, other: Self) -> Self {
        self.binary(if slips(Slip::SumForDifference) { Operator::Add } else { Operator::Sub }, other)
    }
    fn wrapping_mul(self, other: Self) -> Self {
        self.binary(Operator::Mul, other)
    }
    fn udiv(self, divisor: Self) -> Self {
        self.binary(Operator::Udiv, divisor)
    }
    fn sdiv(self, divisor: Self) -> Self {
        self.binary(Operator::Sdiv, divisor)
    }
    fn urem(self, divisor: Self) -> Self {
        // The remainder by a literal power of two is a mask.
        match term::known(divisor.0) {
            Some(value) if value.is_power_of_two() => self.binary(Operator::And, Self::literal(value - 1)),
            _ => self.binary(Operator::Urem, divisor),
        }
    }
    fn srem(self, divisor: Self) -> Self {
        self.binary(Operator::Srem, divisor)
    }
    fn shl(self, by: Self) -> Self {
        self.binary(Operator::Shl, by)
    }
    fn shr(self, by: Self) -> Self {
        self.binary(if slips(Slip::WrongShift) { Operator::Sar } else { Operator::Shr }, by)
    }
    fn sar(self, by: Self) -> Self {
        self.binary(if slips(Slip::WrongShift) { Operator::Shr } else { Operator::Sar }, by)
    }
    fn same(self, other: Self) -> Prop {
        self.compare(Operator::Same, other)
    }
    fn ult(self, other: Self) -> Prop {
        self.ordered(Operator::Ult, Operator::Slt, other)
    }
    fn slt(self, other: Self) -> Prop {
        self.ordered(Operator::Slt, Operator::Ult, other)
    }
    fn umul_overflows(self, other: Self) -> Prop {
        self.compare(Operator::UmulOverflows, other)
    }
    fn smul_overflows(self, other: Self) -> Prop {
        self.compare(Operator::SmulOverflows, other)
    }
}

macro_rules! double {
    ($($whole:literal is twice $half:literal;)*) => { $(
        impl Double for Symbol<$whole> {
            type Half = Symbol<$half>;
            const BYTE: u32 = 8;

            fn low(self) -> Symbol<$half> {
                Symbol(term::apply(Operator::Extract($half - 1, 0), &[self.0], Sort::Word($half)))
            }
            fn zero_extended(low: Symbol<$half>) -> Self {
                Self(term::apply(Operator::ZeroExtend($half), &[low.0], Sort::Word($whole)))
            }
            fn sign_extended(low: Symbol<$half>) -> Self {
                Self(term::apply(Operator::SignExtend($half), &[low.0], Sort::Word($whole)))
            }
            fn swapped(self, bits: u32) -> Self {
                let byte = |at: u32| term::apply(Operator::Extract(at + 7, at), &[self.0], Sort::Word(8));
                let (mut all, mut width) = (byte(0), 8);
                while width < bits {
                    all = term::apply(Operator::Concat, &[all, byte(width)], Sort::Word(width + 8));
                    width += 8;
                }
                if width == $whole { Self(all) } else { Self(term::apply(Operator::ZeroExtend($whole - width), &[all], Sort::Word($whole))) }
            }
        }
    )* };
}

double! {
    64 is twice 32;
    16 is twice 8;
    8 is twice 4;
}
