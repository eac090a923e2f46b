//! The scalar: sets around random words, and the words as their members.

use bpfvet_domain::{AluOp, Arc32, Arc64, CmpOp, Scalar, Tnum, Width, laws};
use proptest::prelude::*;
use proptest::sample::select;

use crate::words::{width, word};

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
    fn register_laws((x, a) in member(), (y, b) in operand(), width in width()) {
        prop_assert_eq!(laws::registers(width, a, x, b, y), Ok(()));
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

/// Most that is loaded is free: the short way to what is left of it agrees with the long one.
#[test]
fn a_cut_of_a_free_number_is_the_reduced_one() {
    let ends = [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64];
    let ones = |bits: u32| u64::MAX.checked_shr(64 - bits).unwrap_or(0);
    for (from, to) in ends.into_iter().flat_map(|from| ends.map(|to| (from, to))) {
        for mask in [ones(to) & !ones(from), ones(to) & 0xa5a5_a5a5_5a5a_5a5a | ones(from)] {
            let number = Scalar::free(mask);
            for bytes in [1, 2, 4] {
                assert_eq!(Scalar::truncate(bytes, number), number.truncated_to(8 * bytes).synced_step_by_step());
            }
        }
    }
}
