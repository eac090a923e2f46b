//! eBPF assembly: text to program.
//!
//! **Invariant.** This crate knows text and instructions. It knows no helper by name, no map and no type: names are asked of the
//! caller.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;
