//! CO-RE: what an access to a local type becomes when the kernel's type is laid out differently.

mod kind;
mod targets;

pub use kind::RelocKind;
pub use targets::{TargetType, Targets};
