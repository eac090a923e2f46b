//! Bodies of the fuzz targets, one a layer: each takes what the fuzzer made up and panics where a law is broken.
//!
//! The targets under `fuzz/` are a few lines; each body has a smoke test, so that `cargo test` runs it too.

pub mod asm;
pub mod btf;
pub mod cfg;
pub mod containment;
pub mod decode;
pub mod domain;
pub mod elf;
pub mod verify;
pub mod vm_step;

mod seeds;

pub use seeds::{Seed, seeds};
