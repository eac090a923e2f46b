//! BTF, the type format of eBPF.
//!
//! **Invariant.** This crate knows types, names, function and line records, and how CO-RE matches one set of types against
//! another. It knows no object file, no instruction and no verdict.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

use alloc::sync::Arc;

/// A set of types.
#[derive(Clone, Debug)]
pub struct Btf {
    data: Arc<[u8]>,
}

impl Btf {
    /// The bytes it was read from.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }
}
