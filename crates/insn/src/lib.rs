//! Bytes to typed eBPF instructions, and back.
//!
//! **Invariant.** This crate knows the instruction set (RFC 9669 and the forms Linux has added since) and nothing else: no
//! helper by name, no map, no type, no version of Linux. Decoding is total: every byte string is either a [`Program`] or a
//! [`DecodeError`] that names the instruction, the field and the value.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod insn;
mod program;
mod reg;

pub use insn::{
    AluOp, AtomicOp, ByteOrder, Call, CmpOp, ImmSource, Insn, Operand, PacketIndex, Size, Width,
};
pub use program::{Program, Slot};
pub use reg::{InsnIdx, Reg, RegSet};
