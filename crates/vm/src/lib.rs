//! What one instruction does to one abstract state.
//!
//! **Invariant.** This crate knows values, pointers, frames, stacks, references and locks, and the effect of every instruction
//! on them. It knows no graph, no history, no log and no clock: [`step`] is a function of the program's [`Facts`], a
//! [`State`] and one instruction. What outlives a path (which pointer kind an instruction has seen, which speculative path
//! needs a barrier) is the caller's [`Memo`], handed in and never read behind its back.
//!
//! ```text
//!            ┌───────────── Facts (program, platform, tables) ─────────────┐
//!   State ──▶│ transfer/<family> ──▶ region/<kind> · call/<args, returns>  │──▶ State, Next, Effects
//!            └──────────────────── Failure, or ────────────────────────────┘
//! ```
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod call;
mod cx;
mod effects;
mod facts;
mod failure;
#[doc(hidden)]
pub mod fault;
mod memo;
mod region;
mod state;
mod subsume;
mod transfer;
mod typed;
mod value;
pub mod violation;

pub use call::{Prototype, entry_state, global_entry_state, prototype};
pub use effects::{Demand, Effects, Event, Fork, ForkKind, LinkedRegs, LinkedSlot, StackNote};
pub use facts::{ArgShape, Facts, SubprogFacts, kfuncs};
pub use failure::{Failure, Unsupported};
pub use memo::{InsnMemo, Memo};
pub use state::{
    ByteKind, CallbackRange, Dynptr, Frame, FrameKind, Frames, IdGen, Iteration, LockKey, Protection, Reference,
    ReferenceKind, STACK_SLOTS, Slot, SlotObject, Spill, Stack, State,
};
pub use subsume::{Comparison, Hint, IdMap, Strictness, registers_identical};
pub use transfer::{Next, step};
pub use typed::Attach;
pub use value::{
    Base, BtfRef, Flags, Link, LinkDelta, MapRef, ObjectId, PacketId, Pointer, Region, ScalarId, ScalarValue,
    SocketKind, TypeTag, Value,
};
pub use violation::{Cause, Violation};
