//! The names that a text may use and this crate cannot know.

use bpfvet_insn::{Call, ImmSource};

/// Answers what a name in a text stands for. A label of the text comes before these.
pub trait Resolver {
    /// What `call NAME` calls: a helper or a kernel function.
    fn call(&self, _name: &str) -> Option<Call> {
        None
    }

    /// What `r1 = NAME ll` loads: a map, a place in a map's value, a kernel symbol.
    fn imm64(&self, _name: &str) -> Option<ImmSource> {
        None
    }

    /// The number that `NAME` or `%[NAME]` stands for where a number can stand.
    fn constant(&self, _name: &str) -> Option<i64> {
        None
    }
}

/// No name stands for anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NoSymbols;

impl Resolver for NoSymbols {}
