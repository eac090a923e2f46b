//! The eBPF verifier outside the kernel: would this program load, on this host, and if not, why?
//!
//! **Invariant.** This crate is a door. It joins the layers in the order in which the host looks at a program, and knows no rule
//! of its own.
//!
//! ```
//! use bpfvet::{Verifier, insn::Program, linux::Linux, platform::{LoadRequest, ProgramType}};
//!
//! // r0 = 2; exit
//! let bytes = [0xb7, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];
//! let program = Program::decode(&bytes)?;
//! let request = LoadRequest::new("pass", ProgramType::XDP, program);
//!
//! let linux = Linux::newest();
//! let accepted = Verifier::new(&linux).verify(&request).expect("it returns XDP_PASS");
//! assert_eq!(accepted.stats.insns_processed, 2);
//! # Ok::<(), bpfvet::insn::DecodeError>(())
//! ```
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod pass;
mod verifier;

pub use bpfvet_asm as asm;
pub use bpfvet_btf as btf;
pub use bpfvet_cfg as cfg;
pub use bpfvet_domain as domain;
pub use bpfvet_elf as elf;
pub use bpfvet_explore as explore;
pub use bpfvet_insn as insn;
pub use bpfvet_linux as linux;
pub use bpfvet_platform as platform;
pub use bpfvet_report as report;
pub use bpfvet_vm as vm;

pub use pass::Pass;
pub use verifier::{Builder, Verifier};

pub use bpfvet_explore::{Accepted, Rejection, RejectionCause};
