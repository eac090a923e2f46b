//! The shape of a program before any value is known.
//!
//! **Invariant.** This crate knows control: functions, edges, orders, loops, what may still be read. It knows no state and no value
//! but constants that no path changes, asks the platform only about callees, maps and limits, and never walks a path twice in the
//! hope of learning more. Everything in it is an array over slots; nothing in it recurses over the program.
//!
//! ```text
//! LoadRequest ─▶ functions ─▶ walk over all paths ─▶ constants, dead branches ─▶ callees first
//!                jumps stay   what can be reached,     the program is rewritten     no recursion
//!                inside       marks, effects                   │
//!                                                              ▼
//!                     Graph ◀── live stack slots ◀── live registers ◀── components
//! ```
//!
//! Each step is as Linux 7.3 does it, in its order, so that the first fault found is the kernel's and so are the numbers; what older
//! hosts lack is switched off by [`Features`](bpfvet_platform::Features). After the search has found how much stack each function
//! uses, [`check_stack_depth`] adds it up over the call graph.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod error;
mod marks;
mod subprog;

mod callee;
mod flow;
mod involved;
mod mentions;
mod tables;
mod types;

mod constants;
mod forward;
mod order;
mod reach;
mod records;
mod registers;
mod scc;

mod blocks;
mod dominators;
mod fastcall;
mod stack;

mod depth;
mod dot;
mod graph;

pub use blocks::{Block, BlockId};
pub use bpfvet_insn::{InsnIdx, RegSet};
pub use constants::ConstValue;
pub use depth::{StackDepth, StackRules, SubprogUsage, check_stack_depth, may_have_private_stacks};
pub use dominators::{Dominators, Loop};
pub use dot::Dot;
pub use error::{ExceptionCallbackFault, Restricted, StructureCause, StructureError};
pub use flow::Targets;
pub use graph::Graph;
pub use marks::Marks;
pub use stack::{
    Instance, Moved, StackAccess, StackEvent, StackFrame, StackPointer, StackQuery, StackSlots, TrackedPlace,
};
pub use subprog::{CallKind, CallSite, Subprog, SubprogEffects, SubprogId};
