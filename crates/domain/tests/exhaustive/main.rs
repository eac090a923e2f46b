//! Every operator on words of six bits with halves of three, over all sets: an operator that loses a member is found, not sampled.
//!
//! A set of six-bit words is a `u64` with a bit for each word, so that what an operator should at least hold is an OR of table rows.

mod arcs;
mod intervals;
mod scalars;
mod sets;
mod tnums;
