//! Object files: from what the compiler wrote to what the kernel would be asked to load.
//!
//! **Invariant.** This crate knows files, sections, symbols, relocations and how loaders turn them into programs and maps. It
//! knows no state and no verdict: whether a program is any good is not its question.
//!
//! ```text
//!  bytes ─file─▶ sections, symbols, relocations
//!                    │
//!        ┌───────────┼──────────────┬───────────────┐
//!      code        maps           externs          BTF
//!   functions   .maps, maps,   .kconfig, .ksyms   types, lines,
//!   by section  .data …, struct_ops               CO-RE records
//!        └───────────┴──────┬───────┴───────────────┘
//!                         link: one program, what it calls appended, references resolved
//!                           ▼
//!                      LoadRequest
//! ```
//!
//! A fault in one program or map is that program's error, never the object's. Every count and offset read from a file is
//! checked against its section before it is used.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod error;
mod options;

mod file;

mod attach;
mod code;
mod core_relo;
mod externs;
mod kconfig;
mod maps;
mod object;
mod reloc;

mod attachment;
mod link;
mod program;
mod records;

pub use attach::{SectionKind, section_kind};
pub use error::{ElfError, MapError, ProgramError, RelocError, Warning};
pub use object::{MapEntry, Object};
pub use options::Options;
pub use program::ProgramEntry;
