//! The laws of a domain at 64 bits, for the scalar and for a domain of constants: sets around random words, and the words as their members.

use bpfvet_domain::{AluOp, Arc32, Arc64, Branch, ByteOrder, CmpOp, Domain, Scalar, Tnum, Width, laws};
use proptest::prelude::*;
use proptest::sample::select;

/// Words where carries, signs and halves meet, and others.
fn word() -> impl Strategy<Value = u64> {
    let edges = select(vec![
        0,
        1,
        u64::MAX,
        1 << 63,
        (1 << 63) - 1,
        1 << 32,
        (1 << 32) - 1,
        1 << 31,
        (1 << 31) - 1,
        0xffff_ffff_8000_0000,
        0xff,
        0x7f80,
    ]);
    prop_oneof![
        3 => (edges, 0..5_u64).prop_map(|(edge, off): (u64, u64)| edge.wrapping_add(off).wrapping_sub(2)),
        2 => (any::<u64>(), 0..64_u32).prop_map(|(word, by)| word >> by),
        1 => (any::<u64>(), 0..64_u32).prop_map(|(word, by)| (word >> by).wrapping_neg()),
        1 => any::<u64>(),
    ]
}

/// A set around a word, reduced or not.
fn scalar_around(x: u64) -> impl Strategy<Value = Scalar> {
    let mask = prop_oneof![Just(0), Just(u64::MAX), word(), (word(), any::<u64>()).prop_map(|(a, b)| a & b)];
    let wide = prop_oneof![
        Just(Arc64::FULL),
        Just(Arc64::new(i64::MAX as u64, u64::MAX)),
        (word(), word()).prop_map(move |(before, after)| {
            let before = before.min(u64::MAX - 1);
            Arc64::new(x.wrapping_sub(before), before.saturating_add(after).min(u64::MAX - 1))
        }),
    ];
    let low = prop_oneof![
        Just(Arc32::FULL),
        (word(), word()).prop_map(move |(before, after)| {
            let (before, after) = ((before as u32).min(u32::MAX - 1), after as u32);
            Arc32::new((x as u32).wrapping_sub(before), before.saturating_add(after).min(u32::MAX - 1))
        }),
    ];
    (mask, wide, low, any::<bool>()).prop_map(move |(mask, wide, low, reduced)| {
        let mut scalar = Scalar::from_parts(Tnum::new(x, mask), wide, low);
        if reduced {
            scalar.sync();
        }
        scalar
    })
}

/// A word and a set that holds it.
fn member() -> impl Strategy<Value = (u64, Scalar)> {
    word().prop_flat_map(|x| {
        let around = prop_oneof![1 => Just(Scalar::constant(x)), 1 => Just(Scalar::unknown()), 8 => scalar_around(x)];
        (Just(x), around)
    })
}

/// A second operand: often a constant, often a small one, as division and shifts want it.
fn operand() -> impl Strategy<Value = (u64, Scalar)> {
    prop_oneof![
        2 => member(),
        1 => word().prop_map(|y| (y, Scalar::constant(y))),
        1 => (0..64_u64).prop_map(|y| (y, Scalar::constant(y))),
    ]
}

fn width() -> impl Strategy<Value = Width> {
    select(vec![Width::W32, Width::W64])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reduction_keeps_members_and_is_the_same_by_any_path((x, a) in member()) {
        let mut reduced = a;
        reduced.sync();
        prop_assert!(a.contains(x) && reduced.contains(x), "{:x} of {:x?}, {:x?}", x, a, reduced);
        prop_assert_eq!(reduced, a.synced_step_by_step(), "the short way and the long way");
        prop_assert_eq!(reduced.synced(), reduced.synced_step_by_step(), "the short way and the long way");
        prop_assert_eq!(laws::views(a, x), Ok(()));
    }

    #[test]
    fn lattice_laws((x, a) in member(), (y, b) in member(), (_, c) in member()) {
        prop_assert_eq!(laws::lattice(a, x, b, y), Ok(()));
        prop_assert_eq!(laws::lattice(a, x, Scalar::join(&a, &b), y), Ok(()));
        prop_assert_eq!(laws::widening_ends(a, b, c), Ok(()));
        prop_assert!(Scalar::join(&a, &b).includes(&a) && Scalar::join(&a, &b).includes(&b));
    }

    #[test]
    fn alu_laws((x, a) in member(), (y, b) in operand(), op in select(AluOp::ALL.to_vec()), width in width()) {
        prop_assert_eq!(laws::alu(op, width, a, x, b, y), Ok(()));
        prop_assert_eq!(Scalar::alu(op, width, a, b), Scalar::transfer(op, width, a, b), "the short way and the long way");
    }

    #[test]
    fn constants_stay_constants(x in word(), y in prop_oneof![word(), 0..64_u64], op in select(AluOp::ALL.to_vec()), width in width()) {
        let (a, b) = (Scalar::constant(x), Scalar::constant(y));
        let result = Scalar::alu(op, width, a, b);
        prop_assert_eq!(result, Scalar::transfer(op, width, a, b), "the short way and the long way");
        let bits = match width {
            Width::W32 => 32,
            Width::W64 => 64,
        };
        match op {
            AluOp::Lsh | AluOp::Rsh | AluOp::Arsh if y >= bits => prop_assert_eq!(result, Scalar::unknown()),
            // Linux computes a range of remainders even of one dividend.
            AluOp::Mod | AluOp::Smod => prop_assert!(result.contains(op.apply(width, x, y))),
            AluOp::Add | AluOp::Sub | AluOp::Mul | AluOp::Div | AluOp::Sdiv | AluOp::And | AluOp::Or | AluOp::Xor
            | AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => prop_assert_eq!(result, Scalar::constant(op.apply(width, x, y))),
        }
        prop_assert_eq!(Scalar::neg(width, a), Scalar::negated(width, a));
    }

    #[test]
    fn byte_laws((x, a) in member()) {
        prop_assert_eq!(laws::bytes(a, x), Ok(()));
    }

    #[test]
    fn branch_laws((x, a) in member(), (y, b) in operand(), op in select(CmpOp::ALL.to_vec()), width in width()) {
        prop_assert_eq!(laws::branch(op, width, a, x, b, y), Ok(()));
        prop_assert_eq!(laws::branch(op, width, b, y, a, x), Ok(()));
    }

    #[test]
    fn displaced_numbers_hold_displaced_members((x, a) in member(), (y, b) in member(), delta in word()) {
        prop_assert!(a.offset_by(delta as i64, Width::W64).contains(x.wrapping_add(delta)));
        prop_assert!(a.add_const(delta as i64).contains(x.wrapping_add(delta)));
        prop_assert!(a.offset_by(delta as i64, Width::W32).contains(u64::from((x as u32).wrapping_add(delta as u32))));
        for packet in [false, true] {
            prop_assert!(Scalar::pointer_add(a, b, packet).contains(x.wrapping_add(y)));
            prop_assert!(Scalar::pointer_sub(a, b, packet).contains(x.wrapping_sub(y)));
        }
    }

    #[test]
    fn forks_hold_every_member((x, a) in member()) {
        if let Some(fork) = a.fork() {
            prop_assert!(fork.zero.contains(x) || fork.ones.contains(x), "{:x} of {:x?}: {:x?}", x, a, fork);
        }
    }
}

/// The smallest domain there is: one word, or any. It holds the trait to what a second implementor needs.
#[derive(Clone, Copy, PartialEq, Debug)]
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
    fn as_const(&self) -> Option<u64> {
        self.0
    }
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
        prop_assert_eq!(laws::branch(comparison, width, a, x, b, y), Ok(()));
    }
}

/// The laws can fail: sets that miss a word are reported.
#[test]
fn a_broken_domain_is_told() {
    let wrong = Scalar::constant(7);
    assert!(laws::views(wrong, 8).is_err());
    assert!(laws::lattice(wrong, 8, wrong, 7).is_err());
    assert!(laws::alu(AluOp::Add, Width::W64, wrong, 8, wrong, 7).is_err());
    assert!(laws::bytes(wrong, 8).is_err());
    assert!(laws::branch(CmpOp::Lt, Width::W64, wrong, 8, wrong, 7).is_err());
}

/// Every operation and comparison is in the list that proofs and tests go through: a new one must be placed here, and then be there.
#[test]
fn lists_of_operations_are_complete() {
    let alu = |op: AluOp| match op {
        AluOp::Add => 0,
        AluOp::Sub => 1,
        AluOp::Mul => 2,
        AluOp::Div => 3,
        AluOp::Sdiv => 4,
        AluOp::Mod => 5,
        AluOp::Smod => 6,
        AluOp::And => 7,
        AluOp::Or => 8,
        AluOp::Xor => 9,
        AluOp::Lsh => 10,
        AluOp::Rsh => 11,
        AluOp::Arsh => 12_usize,
    };
    let comparison = |op: CmpOp| match op {
        CmpOp::Eq => 0,
        CmpOp::Ne => 1,
        CmpOp::Gt => 2,
        CmpOp::Ge => 3,
        CmpOp::Lt => 4,
        CmpOp::Le => 5,
        CmpOp::Sgt => 6,
        CmpOp::Sge => 7,
        CmpOp::Slt => 8,
        CmpOp::Sle => 9,
        CmpOp::Set => 10_usize,
    };
    assert_eq!(AluOp::ALL.map(alu), core::array::from_fn(|place| place));
    assert_eq!(CmpOp::ALL.map(comparison), core::array::from_fn(|place| place));
}
