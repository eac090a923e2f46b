//! The obligations: every operator, every refinement, and the order, over symbolic registers of any width.

mod arcs;
mod arithmetic;
mod bits;
mod comparisons;
pub(crate) mod lemmas;
mod numbers;

use super::claim::{Obligation, Register};

/// Every obligation, at the width of `W` and its half.
pub(crate) fn all<W: Register + 'static>() -> Vec<Obligation>
where
    W::Half: 'static,
{
    let mut all = Vec::new();
    bits::state::<W>(&mut all);
    arcs::state::<W>("arc", &mut all);
    arcs::state::<W::Half>("low arc", &mut all);
    arcs::state_halves::<W>(&mut all);
    numbers::state::<W>(&mut all);
    arithmetic::state::<W>(&mut all);
    comparisons::state::<W>(&mut all);
    all
}

/// How obligations that are not proved in one piece are put together from those that are.
pub(crate) const COMPOSED: [(&str, &str); 8] = [
    (
        "reduction",
        "each of its steps keeps every member: narrowed low, narrowed wide, halves agreed, bits of ranges; it is their sequence",
    ),
    (
        "settled numbers",
        "are returned as they are; that the reduction would return the same is shown in `cargo test`, as is that of the short way",
    ),
    (
        "alu",
        "demand, operation, zero-extension after a 32-bit operation, reduction: each shown; the unknown result needs no proof",
    ),
    (
        "tnum mul",
        "one bit of the long multiplication keeps `sum + x * y`; induction over the bits; it may stop when no bit is left",
    ),
    (
        "products, quotients, remainders",
        "arcs: from monotony, stated over functions and proved over the integers (lemmas)",
    ),
    ("byte order, truncation", "the operation, then the reduction"),
    (
        "branch",
        "foresight is right, and refinement of either outcome keeps every member: an outcome with an empty range does not happen",
    ),
    ("offsets", "of linked numbers and pointers: sums and differences, 32-bit ranges forgotten, reduction"),
];
