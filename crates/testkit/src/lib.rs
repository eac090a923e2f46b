//! What the tests are made of: the corpus and its runners, and the bodies of the fuzz targets.
//!
//! **Invariant.** This crate may know everything and is published nowhere: nothing that is published depends on it.

pub mod containment;
pub mod corpus;
pub mod differential;
pub mod families;
pub mod fuzz;
pub mod machine;
pub mod metamorphic;
mod monotone;
pub mod soundness;
pub mod types;
