//! What a function of the host keeps on the stack: its own state, which the program may only hand back.

use core::num::NonZeroU32;

use bpfvet_platform::DynptrKind;

use crate::value::ObjectId;

/// What a slot of the stack holds for a function of the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlotObject {
    /// Part of the state of an iteration.
    Iteration(Iteration),
    /// A saved interrupt state: the reference that it is.
    IrqFlag(NonZeroU32),
    /// Half of a dynamic pointer.
    Dynptr(Dynptr),
}

/// A dynamic pointer, the same in both slots that it takes but for which of them it is.
///
/// ```text
///   reference ◀──parent── dynptr ◀──parent── part of what it lies over
///       ▲──────parent──── its copy
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dynptr {
    /// What it lies over.
    pub kind: DynptrKind,
    /// This is the slot at the lower address.
    pub first: bool,
    /// Its identity: pointers to parts of what it lies over die with it.
    pub object: ObjectId,
    /// The reference that it shares with its copies, or the object that it was made of: it dies with that.
    pub parent: Option<ObjectId>,
}

impl Dynptr {
    /// Slots that it takes.
    pub const SLOTS: usize = 2;

    /// What is given back where it is: what it shares with its copies, where it owns that, or else itself.
    #[must_use]
    pub const fn given_back(&self) -> Option<ObjectId> {
        if self.kind.owns() { self.parent } else { Some(self.object) }
    }
}

/// The state of an iteration, the same in each slot that it takes but for the object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Iteration {
    /// Its type in the host's types.
    pub ty: u32,
    /// The reference that it is, in the slot at the lowest address; `None` in the others.
    pub object: Option<ObjectId>,
    /// It has come to its end, and stays there.
    pub drained: bool,
    /// Rounds on the way here.
    pub depth: u32,
    /// Whether it needs an RCU read section.
    pub protection: Protection,
}

/// Whether an iteration needs an RCU read section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protection {
    /// It needs none.
    NotNeeded,
    /// It began in one that has not ended.
    Held,
    /// It began in none, or the one that it began in has ended.
    Lost,
}
