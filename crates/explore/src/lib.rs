//! The search: which states to visit, which to remember, when to stop.
//!
//! **Invariant.** This crate knows worklists, checkpoints, precision and convergence. It never looks into a region or an
//! argument: what an instruction does is `bpfvet-vm`'s, what the program looks like is `bpfvet-cfg`'s, and here they meet.
//! Observers see everything and can influence nothing.
//!
//! ```text
//!             ┌──────────── worklist (last in, first out) ◀──────────── forks ─┐
//!             ▼                                                                │
//!   state ── checkpoint? ──covered──▶ path ends, precision flows back           │
//!             │ not covered                                                    │
//!             └──▶ vm::step ──▶ next state ── demands ──▶ precision, backwards ─┘
//! ```
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod calls;
mod checkpoint;
mod clean;
mod convergence;
mod instruction_set;
mod observer;
mod outcome;
mod path;
mod policy;
mod precision;
mod request;
mod search;
mod tally;
mod verify;
mod visited;
mod widen;

pub use observer::{AnyObserver, Observer, PathInfo, PrecisionEvent, SccEvent};
pub use outcome::{Accepted, Limit, Rejection, RejectionCause, Stats, SubprogStats};
pub use policy::{Budget, Policy};
pub use request::check_request;
pub use verify::{Options, verify};
