//! Fields that RFC 9669 reserves and that Linux passes over.

use alloc::vec::Vec;

use super::DecodeError;
use crate::Program;
use crate::opcode::{LD_IMM64, class, op, pseudo};

/// The opcode of `exit`.
const EXIT: u8 = class::JMP | op::EXIT;

impl Program {
    /// The program that Linux sees in these little-endian bytes: as [`Program::decode`], but without a look at the two fields that
    /// Linux passes over, the offset of `exit` and the high half of a function's address.
    ///
    /// What stood there is lost: such a program encodes to other bytes than these.
    ///
    /// # Errors
    ///
    /// The fault that Linux finds first. (`check_and_resolve_insns`, `check_cond_jmp_op`, Linux 7.3; releases before it pass over the same fields)
    pub fn decode_as_linux(bytes: &[u8]) -> Result<Self, DecodeError> {
        match Self::decode(bytes) {
            Err(error) if !error.is_refused_by_linux() => Self::decode(&without_passed_over(bytes)),
            decoded => decoded,
        }
    }
}

/// The bytes with zeros in the fields that Linux passes over.
///
/// Slots are looked at one by one, second halves too: those that are well-formed have an opcode of zero, and the others are
/// refused for their opcode, which stays.
fn without_passed_over(bytes: &[u8]) -> Vec<u8> {
    let mut cleared = bytes.to_vec();
    let (slots, _) = cleared.as_chunks_mut::<8>();
    let mut function = false;
    for [code, registers, low_off, high_off, imm @ ..] in slots {
        if function {
            *imm = [0; 4];
        }
        function = *code == LD_IMM64 && *registers >> 4 == pseudo::FUNC;
        if *code == EXIT {
            (*low_off, *high_off) = (0, 0);
        }
    }
    cleared
}
