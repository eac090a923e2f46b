//! Why a CO-RE relocation cannot be carried out.

use alloc::string::String;

use thiserror::Error;

use crate::TypeId;

/// Why a CO-RE relocation cannot be carried out. That a field or type is missing is no error: the instruction is poisoned then,
/// or learns that it is missing.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CoReError {
    /// A kind that this crate does not know.
    #[error("unknown kind {0}")]
    Kind(u32),
    /// The local type does not exist.
    #[error("type [{0}] does not exist")]
    NoType(TypeId),
    /// The access path is not one.
    #[error("access path `{0}` does not fit its type")]
    Path(String),
    /// The type has no name to look for.
    #[error("type [{0}] has no name")]
    Anonymous(TypeId),
    /// Candidates in the kernel's types lead to different values.
    #[error("the kernel has several types `{0}`, and they disagree")]
    Ambiguous(String),
    /// Nested deeper than is followed, or malformed.
    #[error("types are malformed or nested too deep")]
    Malformed,
    /// What is asked cannot be asked of an element of an array.
    #[error("`{0}` cannot be asked of an array element")]
    Element(&'static str),
    /// A bitfield that no load can read at once.
    #[error("bitfield is too large for a load")]
    Bitfield,
    /// The instruction is none that can hold the value.
    #[error("the instruction cannot hold a relocated value")]
    Instruction,
    /// The instruction holds something else than the compiler's record says.
    #[error("the instruction holds {found} instead of {expected}")]
    Unexpected {
        /// What it holds.
        found: i64,
        /// What it should hold.
        expected: u64,
    },
    /// The offset does not fit in a load or store.
    #[error("offset {0} does not fit in the instruction")]
    Range(u64),
    /// The field has a size that no load or store has.
    #[error("no load or store of {0} bytes")]
    Size(u32),
}
