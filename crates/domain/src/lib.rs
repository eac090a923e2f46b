//! Sets of machine numbers: known bits, circular ranges, and their reduced product.
//!
//! **Invariant.** This crate knows what sets of 64-bit words look like and what arithmetic and comparison make of them. It must never know an opcode, a
//! register or a version of Linux: its laws are stated over mathematics, γ(a) ⊆ γ(b).
//!
//! | type | set |
//! | --- | --- |
//! | [`Tnum`] | words that agree in their known bits |
//! | [`Arc64`], [`Arc32`] | words on an arc of the circle of all words |
//! | [`Scalar`] | words in a tnum and an arc whose low halves are in an arc; what Linux 7.3 knows of a scalar register |
//! | [`Intervals`] | words in a tnum and in two intervals, unsigned and signed, at each width; what Linux 6.12 knows of it |
//! | [`Offset`] | intervals plus a constant; what Linux 6.12 knows of how far a pointer was moved |
//!
//! Every operator is written once, over the machine words of [`word`]: production runs it on `u64`, tests enumerate it on words of a few bits,
//! and `cargo xtask prove` runs the same source on symbolic words and has two solvers prove it at 64 bits.
//!
//! All three kinds of number are a [`Domain`]. Their results are those of Linux 7.3.4 and of Linux 6.12, to the bit: they are visible in logs, decide
//! pruning, and so verdicts.
#![cfg_attr(not(feature = "std"), no_std)]

pub mod arc;
mod concrete;
mod domain;
pub mod intervals;
mod known;
pub mod laws;
mod offset;
pub mod scalar;
pub mod tnum;
mod views;
pub mod word;

pub use domain::Domain;
pub use known::{Conflict, Contradiction, Known};
pub use offset::Offset;
pub use scalar::{
    AluOp, Branch, ByteOrder, CmpOp, Fork, HexText, ScalarText, SignedText, TnumText, UnsignedText, Width,
};
pub use views::Views;

/// Known bits of a 64-bit word.
pub type Tnum = tnum::Tnum<u64>;
/// A circular range of 64-bit words.
pub type Arc64 = arc::Arc<u64>;
/// A circular range of 32-bit words.
pub type Arc32 = arc::Arc<u32>;
/// What is known of a number in a 64-bit register.
pub type Scalar = scalar::Scalar<u64>;
/// What Linux before 7.2 knows of a number in a 64-bit register.
pub type Intervals = intervals::Intervals<u64>;
