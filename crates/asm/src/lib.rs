//! eBPF assembly: text to program.
//!
//! **Invariant.** This crate knows text and instructions. It knows no helper by name, no map and no type: what a name stands for is
//! asked of a [`Resolver`]. Every text is either a program or an [`AsmError`] with line and column.
//!
//! # Dialect
//!
//! What clang's BPF inline assembly takes, and what the disassembler prints: both forms of [`bpfvet_insn`], so that a program's
//! text is the program again, and so that lines can be pasted from a verifier log.
//!
//! - A newline or `;` ends a statement. Comments: `//` and `#` to the end of the line, `/* */`.
//! - Labels: `name:`, and `1:` with `1f` and `1b`. `%=` may be part of a name.
//! - Jumps: `goto`, `gotol`, `may_goto`, `if r1 == 0 goto` with a label or a distance `+3`, `pc+3`. `gotox r1`. A label too far for
//!   the form that was written is an error; no longer form is chosen in its place.
//! - Arithmetic and moves: `r1 += 2`, `w1 s>>= w2`, `r1 = -r1`, `r1 = (s8)r2`, `r1 = be16 r1`, `r1 = addr_space_cast(r2, 0, 1)`.
//! - Memory: `r1 = *(s16 *)(r2 - 4)`, `*(u32 *)(r1 + 0) = 5`, `r0 = *(u8 *)skb[r1 + 4]`, `lock *(u64 *)(r1 + 0) += r2`,
//!   `r2 = atomic_fetch_add((u64 *)(r1 + 0), r2)`, `r0 = cmpxchg_64(r1 + 0, r0, r2)`, `w1 = xchg32_32(r2 + 0, w1)`,
//!   `r1 = load_acquire((u8 *)(r2 + 0))`, `store_release((u8 *)(r1 + 0), r2)`.
//! - 64-bit immediates: `r1 = 5 ll`, `r1 = NAME ll`, `r1 = NAME + 8 ll`, where a label stands for a function; and the sources as
//!   the disassembler writes them, `map[fd:5][0]+8`.
//! - Calls: `call 1`, `call NAME`, `call LABEL`, `call pc+3`, `call NAME#1`.
//! - Numbers: decimal, `0x`, `0b`, added and subtracted; names of numbers through the resolver, also as `%[NAME]`. A 32-bit
//!   immediate may be written up to `0xffffffff`; it is sign-extended as any other, so that this is -1.
//! - Raw slots: `.8byte 0x95, 0x95`.
//! - Before an instruction may stand its opcode, as in a log: `12: (b7) r0 = 0  ; R0=0`. It is checked. In such a line `;` begins the
//!   state, and a number without `ll` may be 64 bits wide.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod assemble;

mod layout;

mod memory;
mod operation;
mod statement;

mod cursor;
mod lexer;

mod error;
mod resolver;

pub use assemble::{Assembly, Image, assemble, assemble_bytes};
pub use error::{AsmError, AsmErrorKind};
pub use resolver::{NoSymbols, Resolver};
