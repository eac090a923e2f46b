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

mod raw;

mod opcode;

mod decode;
mod encode;

mod flow;

mod display;

#[cfg(feature = "arbitrary")]
mod arbitrary;

pub use decode::{DecodeError, DecodeErrorKind, Form, decode_at};
pub use display::{Disasm, Names, NoNames};
pub use encode::{EncodeError, Encoded, Unencodable};
pub use flow::{HalfSet, Successors};
pub use insn::{AluOp, AtomicOp, ByteOrder, Call, CmpOp, ImmSource, Insn, Operand, PacketIndex, Size, Width};
pub use program::{Program, Slot};
pub use raw::{Field, Raw};
pub use reg::{InsnIdx, Reg, RegSet};
