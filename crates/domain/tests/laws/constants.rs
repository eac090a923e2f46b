//! A domain of constants.

use bpfvet_domain::{AluOp, Branch, ByteOrder, CmpOp, Domain, Scalar, Tnum, Views, Width, laws};
use proptest::prelude::*;
use proptest::sample::select;

use crate::words::{width, word};

/// The smallest domain there is: one word, or any. It holds the trait to what a second implementor needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Constant(Option<u64>);

impl Constant {
    fn of(scalar: Scalar) -> Self {
        Self(scalar.as_const().filter(|_| scalar.is_consistent()))
    }
    fn scalar(self) -> Scalar {
        self.0.map_or(Scalar::unknown(), Scalar::constant)
    }
    fn both((a, b): (Scalar, Scalar)) -> (Self, Self) {
        (Self::of(a), Self::of(b))
    }
}

impl Views for Constant {
    fn unsigned(&self) -> (u64, u64) {
        self.0.map_or((0, u64::MAX), |value| (value, value))
    }
    fn signed(&self) -> (i64, i64) {
        self.0.map_or((i64::MIN, i64::MAX), |value| (value as i64, value as i64))
    }
    fn unsigned_low(&self) -> (u32, u32) {
        self.0.map_or((0, u32::MAX), |value| (value as u32, value as u32))
    }
    fn signed_low(&self) -> (i32, i32) {
        self.0.map_or((i32::MIN, i32::MAX), |value| (value as i32, value as i32))
    }
    fn bits(&self) -> Tnum {
        self.scalar().tnum()
    }
}

impl Domain for Constant {
    fn unknown() -> Self {
        Self(None)
    }
    fn constant(value: u64) -> Self {
        Self(Some(value))
    }
    fn contains(&self, word: u64) -> bool {
        self.0.is_none_or(|value| value == word)
    }
    fn is_consistent(&self) -> bool {
        true
    }
    fn includes(&self, other: &Self) -> bool {
        self.0.is_none() || self == other
    }
    fn join(&self, other: &Self) -> Self {
        if self == other { *self } else { Self(None) }
    }
    fn meet(&self, other: &Self) -> Option<Self> {
        match (self.0, other.0) {
            (Some(a), Some(b)) if a != b => None,
            (Some(a), _) => Some(Self(Some(a))),
            (None, b) => Some(Self(b)),
        }
    }
    fn widen(&self, other: &Self) -> Self {
        self.join(other)
    }
    fn alu(op: AluOp, width: Width, dst: Self, src: Self) -> Self {
        Self::of(Scalar::alu(op, width, dst.scalar(), src.scalar()))
    }
    fn neg(width: Width, dst: Self) -> Self {
        Self::of(Scalar::neg(width, dst.scalar()))
    }
    fn byte_order(op: ByteOrder, bytes: u32, number: Self) -> Self {
        Self::of(Scalar::byte_order(op, bytes, number.scalar()))
    }
    fn truncate(bytes: u32, number: Self) -> Self {
        Self::of(Scalar::truncate(bytes, number.scalar()))
    }
    fn sign_extend(from_bytes: u32, width: Width, number: Self) -> Self {
        Self::of(<Scalar as Domain>::sign_extend(from_bytes, width, number.scalar()))
    }
    fn branch(op: CmpOp, width: Width, a: Self, b: Self, same_register: bool) -> Branch<Self> {
        match Scalar::branch(op, width, a.scalar(), b.scalar(), same_register) {
            Branch::Always => Branch::Always,
            Branch::Never => Branch::Never,
            Branch::Both { taken, fallthrough } => {
                Branch::Both { taken: Self::both(taken), fallthrough: Self::both(fallthrough) }
            }
        }
    }
    fn refine(op: CmpOp, width: Width, outcome: bool, a: Self, b: Self) -> Option<(Self, Self)> {
        Scalar::refine(op, width, outcome, a.scalar(), b.scalar()).map(Self::both)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_domain_of_constants_obeys_the_laws(
        (x, know_x) in (word(), any::<bool>()),
        (y, know_y) in (word(), any::<bool>()),
        op in select(AluOp::ALL.to_vec()),
        comparison in select(CmpOp::ALL.to_vec()),
        width in width(),
    ) {
        let (a, b) = (Constant(know_x.then_some(x)), Constant(know_y.then_some(y)));
        prop_assert_eq!(laws::views(a, x), Ok(()));
        prop_assert_eq!(laws::lattice(a, x, b, y), Ok(()));
        prop_assert_eq!(laws::widening_ends(a, b, a), Ok(()));
        prop_assert_eq!(laws::alu(op, width, a, x, b, y), Ok(()));
        prop_assert_eq!(laws::bytes(a, x), Ok(()));
        prop_assert_eq!(laws::registers(width, a, x, b, y), Ok(()));
        prop_assert_eq!(laws::branch(comparison, width, a, x, b, y), Ok(()));
    }
}
