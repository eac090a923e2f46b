//! Tests of the crate as its users see it.

mod host;

mod constants;
mod depth;
mod graph;
mod random;
mod registers;
mod stack;
mod violations;
