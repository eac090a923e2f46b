//! What can be wrong with a text, and where.

use alloc::string::String;

use bpfvet_insn::{DecodeErrorKind, Unencodable};
use thiserror::Error;

/// A text that is not a program: the first fault, and where it is.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{line}:{column}: {kind}")]
pub struct AsmError {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong there.
    pub kind: AsmErrorKind,
}

/// What is wrong with a text.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AsmErrorKind {
    /// A character that begins nothing.
    #[error("character {0:?} begins nothing here")]
    Character(char),
    /// A `/*` without its `*/`.
    #[error("comment without an end")]
    OpenComment,
    /// A number that does not fit in 64 bits, or a decimal one that begins with zero.
    #[error("`{0}` is not a number")]
    Number(String),
    /// Something else than what must stand here.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What must stand here.
        expected: &'static str,
        /// What stands here.
        found: String,
    },
    /// A register from which the instruction set has no such form: a `w` register for 64 bits, or the other way round.
    #[error("`r` and `w` registers do not go together here")]
    Widths,
    /// A second mention of a register which must be the same as the first, and is not.
    #[error("must be the same register as the destination")]
    SameRegister,
    /// A register that must be `r0`.
    #[error("must be `r0`")]
    MustBeR0,
    /// A number too large or too small for its field.
    #[error("{what} {value} is not in {min}..={max}")]
    Range {
        /// The field.
        what: &'static str,
        /// The number.
        value: i128,
        /// The least that fits.
        min: i128,
        /// The greatest that fits.
        max: i128,
    },
    /// A name that is neither a label nor known to the resolver.
    #[error("nothing is called `{0}`")]
    Unknown(String),
    /// A label that stands twice.
    #[error("label `{0}` stands twice")]
    TwiceLabelled(String),
    /// A distance from a symbol that is not the inside of a map's value.
    #[error("`{0}` cannot have an offset")]
    Offset(String),
    /// The opcode written before the instruction is not its opcode.
    #[error("opcode is {actual:02x}, not {written:02x}")]
    Opcode {
        /// As written.
        written: u8,
        /// As it is.
        actual: u8,
    },
    /// There is no such instruction.
    #[error("{0}")]
    Unencodable(#[from] Unencodable),
    /// Raw bytes that are no instruction.
    #[error("bytes are no instruction: {0}")]
    Raw(#[from] DecodeErrorKind),
}
