//! Words for sets to be made around.

use bpfvet_domain::Width;
use proptest::prelude::*;
use proptest::sample::select;

/// Words where carries, signs and halves meet, and others.
pub(crate) fn word() -> impl Strategy<Value = u64> {
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

pub(crate) fn width() -> impl Strategy<Value = Width> {
    select(vec![Width::W32, Width::W64])
}
