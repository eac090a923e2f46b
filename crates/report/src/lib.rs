//! Words for verdicts: the kernel's own, ours, and machine-readable ones.
//!
//! **Invariant.** This crate only reads: values, causes, events and counts become text here and nowhere else, and nothing here can
//! change a verdict. It is the one place with sentences; what it says comes from the data that it is given, so that a message
//! never knows more than the engine.
//!
//! ```text
//!  Observer events ─▶ KernelLog ─▶ the log, as the kernel writes it, by level
//!        │
//!        └─────────▶ History ─┐
//!  RejectionCause ────────────┴─▶ Diagnostic ─▶ render (terminal), json
//!        └─▶ kernel_message
//! ```
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod catalogue;
mod diagnostic;
#[cfg(feature = "json")]
pub mod json;
mod kernel_log;
mod kernel_text;
mod names;
mod state_text;

#[cfg(feature = "render")]
pub use diagnostic::render;
pub use diagnostic::{
    Class, Diagnostic, History, Label, NoSource, Patch, Recorder, Role, SourceProvider, Visits, code, decode_code,
    explain, explain_bytes, structure_code,
};
pub use kernel_log::{KernelLog, LogLevel};
pub use kernel_text::{decode_message, kernel_message, structure_message, violation_message};
pub use names::Names;
pub use state_text::{Extent, state_text, value_text};
