//! What a function of the host keeps on the stack: its own state, which the program may only hand back.

use core::num::NonZeroU32;

use crate::value::ObjectId;

/// What a slot of the stack holds for a function of the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlotObject {
    /// Part of the state of an iteration.
    Iteration(Iteration),
    /// A saved interrupt state: the reference that it is.
    IrqFlag(NonZeroU32),
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
