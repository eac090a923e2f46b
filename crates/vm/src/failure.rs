//! The three ways in which a step can fail to say what happens next.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use bpfvet_insn::InsnIdx;

use crate::violation::{Cause, Violation};

/// Why a step has no next state. The three are never confused: a program is only *refused* by the first.
#[derive(Clone, PartialEq, Debug)]
pub enum Failure {
    /// The program breaks a rule.
    Violation(Violation),
    /// The program uses something that is not modelled: no verdict.
    Unsupported(Unsupported),
    /// An invariant of ours does not hold: no verdict, and a bug.
    Internal {
        /// Where.
        at: InsnIdx,
        /// Which invariant.
        what: &'static str,
    },
}

/// Something that is not modelled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsupported {
    /// The instruction that needs it.
    pub at: InsnIdx,
    /// What is missing.
    pub what: Cow<'static, str>,
}

/// A failure without its place, which [`crate::step`] adds. What it says is behind a pointer, so that success costs nothing: a
/// [`Check`] comes back in registers.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Stop {
    /// A rule is broken.
    Cause(Box<Cause>),
    /// Not modelled.
    Unsupported(Box<Cow<'static, str>>),
    /// A bug.
    Internal(&'static &'static str),
}

const _: () = assert!(size_of::<Check<()>>() == 16);

/// The result of a check.
pub(crate) type Check<T> = Result<T, Stop>;

impl<C: Into<Cause>> From<C> for Stop {
    #[cold]
    fn from(cause: C) -> Self {
        Self::Cause(Box::new(cause.into()))
    }
}

#[cold]
pub(crate) fn unsupported<T>(what: impl Into<Cow<'static, str>>) -> Check<T> {
    Err(Stop::Unsupported(Box::new(what.into())))
}
