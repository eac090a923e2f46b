//! CO-RE: what an access to a local type becomes when the kernel's type is laid out differently.
//!
//! ```text
//!  record (type, path, kind) ──path──▶ local Spec ─┐
//!                                                  ├─compare─▶ target Spec per candidate ──value──▶ Resolution
//!  targets by name, flavours aside ──▶ candidates ─┘
//! ```
//!
//! The rules are those of libbpf and of the kernel's own loader (`relo_core.c`, Linux 7.3).

mod error;
mod kind;
mod targets;

mod compat;
mod matching;
mod spec;
mod value;

pub use compat::{types_are_compatible, types_match};
pub use error::CoReError;
pub use kind::RelocKind;
pub use matching::{Matcher, Resize, Resolution, Resolved};
pub use targets::{TargetType, Targets};
