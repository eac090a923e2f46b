//! What a host promises of the arguments of a program whose context is typed by what the program attaches to.

use alloc::borrow::Cow;
use alloc::vec::Vec;

/// What a host promises of the arguments in a context that is typed by the attach target's prototype ([`crate::CtxKind::BtfArgs`]).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TypedArgs {
    /// Pointers to structures are known to point to live objects.
    pub trusted: bool,
    /// Arguments that differ, by position from zero; at most one entry each.
    pub others: Vec<(u32, TypedArg)>,
}

impl TypedArgs {
    /// What is said of the argument at this position in particular.
    #[must_use]
    pub fn other(&self, position: u32) -> Option<TypedArg> {
        self.others.iter().find(|(at, _)| *at == position).map(|(_, arg)| *arg)
    }
}

/// What is particular about an argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypedArg {
    /// It may be null, and is otherwise like the rest.
    Nullable,
    /// It may hold an error number instead of an address, so that it is a number to programs.
    MayBeError,
    /// It is an object that may be null, whatever holds for the rest.
    ObjectOrNull {
        /// It is known to be alive where it is not null.
        trusted: bool,
    },
    /// It is null or a buffer, whose size is compared with what the program uses when it is attached.
    BufferOrNull {
        /// It may only be read.
        read_only: bool,
    },
}

/// What a host answers where it cannot tell; the reason is for people.
pub type Untold = Cow<'static, str>;
