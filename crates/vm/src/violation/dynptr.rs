//! A call that is not given the dynamic pointer that it takes.

use bpfvet_platform::DynptrKind;

use super::{CallCause, Cause, Place, SlotFault};
use crate::value::TypeTag;

/// A call that is not given the dynamic pointer that it takes.
#[derive(Clone, PartialEq, Debug)]
pub enum DynptrCause {
    /// The argument is neither on the stack nor a dynamic pointer that the host made.
    Argument {
        /// The argument.
        place: Place,
    },
    /// One is to be made where none can be.
    Room {
        /// The argument.
        place: Place,
        /// What is wrong with the place itself, if something is.
        fault: Option<SlotFault>,
    },
    /// There is none where one is taken.
    Missing {
        /// The argument.
        place: Place,
        /// What is wrong with the place itself, if something is.
        fault: Option<SlotFault>,
    },
    /// It lies over something else than the call takes.
    Kind {
        /// The argument.
        place: Place,
        /// What it has to lie over.
        expected: DynptrKind,
        /// What it lies over.
        actual: DynptrKind,
    },
    /// One that the host made is to be given back.
    ConstReleased {
        /// The argument.
        place: Place,
    },
    /// The memory that it shall lie over is no map value.
    Memory {
        /// What it is.
        tag: TypeTag,
    },
    /// A part of what it lies over is to be written, by a program that may not write to packets.
    PartNotWritable,
}

impl DynptrCause {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Argument { .. } => "call::dynptr-argument",
            Self::Room { .. } => "call::dynptr-room",
            Self::Missing { .. } => "call::dynptr-missing",
            Self::Kind { .. } => "call::dynptr-kind",
            Self::ConstReleased { .. } => "call::dynptr-const-released",
            Self::Memory { .. } => "call::dynptr-memory",
            Self::PartNotWritable => "call::dynptr-part-not-writable",
        }
    }
}

impl From<DynptrCause> for Cause {
    fn from(cause: DynptrCause) -> Self {
        Self::Call(CallCause::Dynptr(cause))
    }
}
