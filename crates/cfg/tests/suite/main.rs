//! Tests of the crate as its users see it.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at a few instructions of many")]

mod host;

mod constants;
mod depth;
mod graph;
mod random;
mod registers;
mod stack;
mod violations;
