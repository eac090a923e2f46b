//! The four intervals: sets around random words, and the words as their members.

use bpfvet_domain::intervals::Bounds;
use bpfvet_domain::{AluOp, Branch, CmpOp, Domain, Intervals, Offset, Tnum, Width, laws};
use proptest::prelude::*;
use proptest::sample::select;

use crate::words::{width, word};

/// A set around a word, reduced or not.
fn intervals_around(x: u64) -> impl Strategy<Value = Intervals> {
    let mask = prop_oneof![Just(0), Just(u64::MAX), word(), (word(), any::<u64>()).prop_map(|(a, b)| a & b)];
    let wide = prop_oneof![
        1 => Just(Bounds::full()),
        3 => [word(), word(), word(), word()].prop_map(move |[below, above, less, more]| Bounds {
            umin: x.saturating_sub(below),
            umax: x.saturating_add(above),
            smin: (x as i64).saturating_sub_unsigned(less) as u64,
            smax: (x as i64).saturating_add_unsigned(more) as u64,
        }),
    ];
    let low = prop_oneof![
        1 => Just(Bounds::full()),
        3 => [word(), word(), word(), word()].prop_map(move |ends| {
            let (low, [below, above, less, more]) = (x as u32, ends.map(|end| end as u32));
            Bounds {
                umin: low.saturating_sub(below),
                umax: low.saturating_add(above),
                smin: (low as i32).saturating_sub_unsigned(less) as u32,
                smax: (low as i32).saturating_add_unsigned(more) as u32,
            }
        }),
    ];
    (mask, wide, low, any::<bool>()).prop_map(move |(mask, wide, low, reduced)| {
        let number = Intervals::from_parts(Tnum::new(x, mask), wide, low);
        if reduced { number.synced() } else { number }
    })
}

/// A word and a set that holds it.
fn member() -> impl Strategy<Value = (u64, Intervals)> {
    word().prop_flat_map(|x| {
        let around =
            prop_oneof![1 => Just(Intervals::exactly(x)), 1 => Just(Intervals::top()), 8 => intervals_around(x)];
        (Just(x), around)
    })
}

/// A second operand: often a constant, often a small one, as shifts want it.
fn operand() -> impl Strategy<Value = (u64, Intervals)> {
    prop_oneof![
        2 => member(),
        1 => word().prop_map(|y| (y, Intervals::exactly(y))),
        1 => (0..64_u64).prop_map(|y| (y, Intervals::exactly(y))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reduction_keeps_members((x, a) in member()) {
        prop_assert!(a.contains(x) && a.synced().contains(x), "{:x} of {:x?}, {:x?}", x, a, a.synced());
        prop_assert_eq!(laws::views(a, x), Ok(()));
        prop_assert_eq!(laws::views(a.synced(), x), Ok(()));
        prop_assert!(a.synced().is_consistent(), "what has a member does not contradict itself: {:x?}", a.synced());
    }

    #[test]
    fn lattice_laws((x, a) in member(), (y, b) in member(), (_, c) in member()) {
        prop_assert_eq!(laws::lattice(a, x, b, y), Ok(()));
        prop_assert_eq!(laws::lattice(a, x, a.union(b), y), Ok(()));
        prop_assert_eq!(laws::widening_ends(a, b, c), Ok(()));
        prop_assert!(a.union(b).includes(&a) && a.union(b).includes(&b));
    }

    #[test]
    fn alu_laws((x, a) in member(), (y, b) in operand(), op in select(AluOp::ALL.to_vec()), width in width()) {
        prop_assert_eq!(laws::alu(op, width, a, x, b, y), Ok(()));
    }

    #[test]
    fn constants_stay_constants(x in word(), y in prop_oneof![word(), 0..64_u64], op in select(AluOp::ALL.to_vec()), width in width()) {
        let result = Intervals::alu(op, width, Intervals::exactly(x), Intervals::exactly(y));
        let bits = match width {
            Width::W32 => 32,
            Width::W64 => 64,
        };
        match op {
            AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod => prop_assert_eq!(result, Intervals::top()),
            AluOp::Lsh | AluOp::Rsh | AluOp::Arsh if y >= bits => prop_assert_eq!(result, Intervals::top()),
            AluOp::Add | AluOp::Sub | AluOp::Mul | AluOp::And | AluOp::Or | AluOp::Xor | AluOp::Lsh | AluOp::Rsh
            | AluOp::Arsh => prop_assert_eq!(result, Intervals::exactly(op.apply(width, x, y))),
        }
    }

    #[test]
    fn byte_laws((x, a) in member()) {
        prop_assert_eq!(laws::bytes(a, x), Ok(()));
    }

    #[test]
    fn register_laws((x, a) in member(), (y, b) in operand(), width in width()) {
        prop_assert_eq!(laws::registers(width, a, x, b, y), Ok(()));
        prop_assert_eq!(laws::registers(width, Offset::from(a), x, Offset::from(b), y), Ok(()));
    }

    #[test]
    fn offset_laws(
        (x, a) in member(),
        (y, b) in operand(),
        op in select(AluOp::ALL.to_vec()),
        comparison in select(CmpOp::ALL.to_vec()),
        width in width(),
    ) {
        let (a, b) = (Offset::from(a), Offset::from(b));
        prop_assert_eq!(laws::views(a, x), Ok(()));
        prop_assert_eq!(laws::lattice(a, x, b, y), Ok(()));
        prop_assert_eq!(laws::alu(op, width, a, x, b, y), Ok(()));
        prop_assert_eq!(laws::bytes(a, x), Ok(()));
        prop_assert_eq!(laws::branch(comparison, width, a, x, b, y), Ok(()));
    }

    #[test]
    fn branch_laws((x, a) in member(), (y, b) in operand(), op in select(CmpOp::ALL.to_vec()), width in width()) {
        prop_assert_eq!(laws::branch(op, width, a, x, b, y), Ok(()));
        prop_assert_eq!(laws::branch(op, width, b, y, a, x), Ok(()));
    }
}

/// The laws can fail for this domain too.
#[test]
fn a_broken_set_is_told() {
    let wrong = Intervals::exactly(7);
    assert!(laws::views(wrong, 8).is_err());
    assert!(laws::lattice(wrong, 8, wrong, 7).is_err());
    assert!(laws::alu(AluOp::Add, Width::W64, wrong, 8, wrong, 7).is_err());
    assert!(laws::branch(CmpOp::Lt, Width::W64, wrong, 8, wrong, 7).is_err());
}

/// An outcome that only refinement shows to be impossible is gone into with numbers that contradict themselves, as Linux before 7.0 does it.
#[test]
fn nothing_is_tried_out() {
    let multiple_of_four = Tnum { value: 0, mask: !3 };
    let four = Intervals::from_parts(multiple_of_four, Bounds::from_unsigned(1, 7), Bounds::full()).synced();
    let Branch::Both { taken, fallthrough } =
        Intervals::branch(CmpOp::Lt, Width::W64, four, Intervals::exactly(4), false)
    else {
        panic!("intervals and bits do not tell it together");
    };
    assert!(!taken.0.is_consistent() && fallthrough.0.is_consistent());
    assert_eq!(Intervals::refine(CmpOp::Lt, Width::W64, true, four, Intervals::exactly(4)), None);
}
