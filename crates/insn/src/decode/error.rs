//! Why bytes are not a program.

use core::fmt;

use thiserror::Error;

use crate::{Field, InsnIdx, Raw, Size};

/// Why bytes are not a program: the first fault, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Error)]
#[error("instruction {at}: {kind}")]
pub struct DecodeError {
    /// The slot at fault. For a pair that does not fit, the first half.
    pub at: InsnIdx,
    /// That slot's fields; all zero where there is no whole slot.
    pub raw: Raw,
    /// What is wrong.
    pub kind: DecodeErrorKind,
}

impl DecodeError {
    /// Whether Linux 7.3 refuses this too.
    ///
    /// It does not look at two fields which RFC 9669 reserves: the offset of `exit`, and the high half of a function's
    /// address. A program that sets them is outside of this crate's instruction set, but Linux may load it.
    #[must_use]
    pub const fn is_refused_by_linux(&self) -> bool {
        match self.kind {
            DecodeErrorKind::Reserved { form, field, .. } => !matches!((form, field), (Form::Exit, Field::Off)),
            DecodeErrorKind::ReservedHigh { .. } => false,
            DecodeErrorKind::Length { .. }
            | DecodeErrorKind::Register { .. }
            | DecodeErrorKind::Unpaired
            | DecodeErrorKind::SecondHalf { .. }
            | DecodeErrorKind::ImmSource { .. }
            | DecodeErrorKind::Opcode { .. }
            | DecodeErrorKind::AddressSpaces { .. }
            | DecodeErrorKind::AtomicOp { .. }
            | DecodeErrorKind::AtomicSize { .. } => true,
        }
    }
}

/// What is wrong with a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Error)]
pub enum DecodeErrorKind {
    /// The bytes are not a whole number of slots, or more slots than a position can name.
    #[error("{bytes} bytes are not a whole number of 8-byte slots, or too many of them")]
    Length {
        /// Bytes given.
        bytes: u64,
    },
    /// A register number above 10, or `r11` outside of the accesses to stack arguments.
    #[error("{field} register {number} does not exist here")]
    Register {
        /// `Dst` or `Src`.
        field: Field,
        /// The number.
        number: u8,
    },
    /// A 64-bit immediate load in the last slot.
    #[error("64-bit immediate load without its second slot")]
    Unpaired,
    /// The second slot of a 64-bit immediate load has more than an immediate.
    #[error("second slot of a 64-bit immediate load has {field} {value}, not 0")]
    SecondHalf {
        /// The first such field.
        field: Field,
        /// Its value.
        value: i32,
    },
    /// The source of a 64-bit immediate does not exist, or takes no second immediate but has one.
    #[error("64-bit immediate of unknown source {source_reg} with second immediate {second}")]
    ImmSource {
        /// The source register field.
        source_reg: u8,
        /// The second slot's immediate.
        second: i32,
    },
    /// The opcode does not exist.
    #[error("opcode {code:#04x} does not exist")]
    Opcode {
        /// The opcode.
        code: u8,
    },
    /// A field that this form does not use is not zero, or one that it uses has a value without meaning.
    #[error("{form} has {field} {value}, which is reserved")]
    Reserved {
        /// The form of the instruction.
        form: Form,
        /// The first such field.
        field: Field,
        /// Its value.
        value: i32,
    },
    /// The second immediate of a function's address is not zero.
    #[error("function address with second immediate {value}, which is reserved")]
    ReservedHigh {
        /// The second slot's immediate.
        value: i32,
    },
    /// An address-space cast between other spaces than 0 and 1.
    #[error("address-space cast from {from} to {to}, not between 0 and 1", to = imm >> 16 & 0xffff, from = imm & 0xffff)]
    AddressSpaces {
        /// Target space in the high half, source space in the low half.
        imm: i32,
    },
    /// An atomic instruction whose immediate names no operation.
    ///
    /// Linux finds this only on a path that reaches the instruction (`check_atomic`), so it may name another fault first, and
    /// accepts a program that never gets there.
    #[error("atomic operation {imm:#x} does not exist")]
    AtomicOp {
        /// The immediate.
        imm: i32,
    },
    /// An atomic read-modify-write of one or two bytes. Linux finds this as late as [`AtomicOp`](Self::AtomicOp).
    #[error("atomic read-modify-write of {} bytes", size.bytes())]
    AtomicSize {
        /// The size.
        size: Size,
    },
}

/// Forms of instructions that reserve the same fields, named as Linux groups them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Form {
    /// Two-operand arithmetic.
    Alu,
    /// Negation.
    Neg,
    /// Byte-order conversion.
    End,
    /// Move.
    Mov,
    /// Load.
    Load,
    /// Store of an immediate.
    StoreImm,
    /// Store of a register.
    StoreReg,
    /// 64-bit immediate load.
    LoadImm64,
    /// Legacy packet load.
    LoadPacket,
    /// Unconditional jump.
    Jump,
    /// Indirect jump.
    JumpIndirect,
    /// Conditional jump.
    Branch,
    /// Loop budget jump.
    MayGoto,
    /// Call.
    Call,
    /// Return.
    Exit,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alu => "arithmetic",
            Self::Neg => "negation",
            Self::End => "byte-order conversion",
            Self::Mov => "move",
            Self::Load => "load",
            Self::StoreImm => "store of an immediate",
            Self::StoreReg => "store of a register",
            Self::LoadImm64 => "64-bit immediate load",
            Self::LoadPacket => "packet load",
            Self::Jump => "jump",
            Self::JumpIndirect => "indirect jump",
            Self::Branch => "conditional jump",
            Self::MayGoto => "may_goto",
            Self::Call => "call",
            Self::Exit => "exit",
        })
    }
}
