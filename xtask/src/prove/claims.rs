//! The obligations: every operator, every refinement, and the order, over symbolic registers of any width.

mod arcs;
mod arithmetic;
mod bits;
mod comparisons;
pub(crate) mod coverage;
mod intervals;
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
    intervals::state_bounds::<W>("bounds", &mut all);
    intervals::state_bounds::<W::Half>("low bounds", &mut all);
    intervals::state::<W>(&mut all);
    intervals::state_pairs::<W>(&mut all);
    all
}
