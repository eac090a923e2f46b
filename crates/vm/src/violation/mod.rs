//! Why a program is refused: values with operands and quantities, never sentences.
//!
//! Words for them live in the report crate. Every cause has a stable code such as `memory::out-of-bounds`.

mod call;
mod context;
mod dynptr;
mod memory;
mod policy;
mod register;
mod resource;

use alloc::boxed::Box;

use bpfvet_insn::{InsnIdx, Reg};

pub use call::{CallCause, Described, KnownNumber, PrototypeReason, SlotFault, SlotKind};
pub use context::{ContextCause, NoSleepReason};
pub use dynptr::DynptrCause;
pub use memory::{Access, AccessKind, Bounds, ContextArgReason, MemoryCause, TypedAccessReason};
pub use policy::{LeakTo, PolicyCause, ReturnSite};
pub use register::{AluReason, RegisterCause};
pub use resource::{LeakSite, ResourceCause};

/// A rule that the program breaks, and where.
#[derive(Clone, PartialEq, Debug)]
pub struct Violation {
    /// The instruction.
    pub at: InsnIdx,
    /// The call frame it ran in, counted from the entry function.
    pub frame: usize,
    /// The rule, with what broke it.
    pub cause: Box<Cause>,
}

/// The place of an argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A register.
    Reg(Reg),
    /// An argument beyond the fifth, counted from zero among those.
    StackArg(u8),
}

impl From<Reg> for Place {
    fn from(reg: Reg) -> Self {
        Self::Reg(reg)
    }
}

/// The rule that was broken, by the kernel's own headings.
#[derive(Clone, PartialEq, Debug)]
pub enum Cause {
    /// A register holds the wrong kind of thing.
    Register(RegisterCause),
    /// An access outside what is allowed.
    Memory(MemoryCause),
    /// Something held is lost, or given back wrongly.
    Resource(ResourceCause),
    /// A call whose arguments or result break its contract.
    Call(CallCause),
    /// Something that this region or context forbids.
    Context(ContextCause),
    /// Something that this program type, licence or privilege may not do.
    Policy(PolicyCause),
}

impl Cause {
    /// The stable code: group and name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Register(cause) => cause.code(),
            Self::Memory(cause) => cause.code(),
            Self::Resource(cause) => cause.code(),
            Self::Call(cause) => cause.code(),
            Self::Context(cause) => cause.code(),
            Self::Policy(cause) => cause.code(),
        }
    }

    /// Whether a path that the processor would only take by guessing wrong may end here without harm.
    ///
    /// Running out of a limit is not such an end.
    #[must_use]
    pub const fn ends_speculation(&self) -> bool {
        !matches!(self, Self::Call(CallCause::TooDeep { .. } | CallCause::MissingStackArgument { .. }))
    }
}

macro_rules! into_cause {
    ($($variant:ident($ty:ident)),*) => {$(
        impl From<$ty> for Cause {
            fn from(cause: $ty) -> Self {
                Self::$variant(cause)
            }
        }
    )*};
}

into_cause!(
    Register(RegisterCause),
    Memory(MemoryCause),
    Resource(ResourceCause),
    Call(CallCause),
    Context(ContextCause),
    Policy(PolicyCause)
);
