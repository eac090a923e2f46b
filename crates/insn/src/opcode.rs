//! The parts of the opcode byte (RFC 9669 sections 4 and 5), and the byte of each instruction.

use crate::{AluOp, ByteOrder, Call, CmpOp, Insn, Operand, PacketIndex, Size, Width};

/// The instruction class: the low three bits.
pub(crate) mod class {
    pub(crate) const LD: u8 = 0x00;
    pub(crate) const LDX: u8 = 0x01;
    pub(crate) const ST: u8 = 0x02;
    pub(crate) const STX: u8 = 0x03;
    pub(crate) const ALU: u8 = 0x04;
    pub(crate) const JMP: u8 = 0x05;
    pub(crate) const JMP32: u8 = 0x06;
    pub(crate) const ALU64: u8 = 0x07;
}

/// The addressing mode of loads and stores: the high three bits.
pub(crate) mod mode {
    pub(crate) const IMM: u8 = 0x00;
    pub(crate) const ABS: u8 = 0x20;
    pub(crate) const IND: u8 = 0x40;
    pub(crate) const MEM: u8 = 0x60;
    pub(crate) const MEMSX: u8 = 0x80;
    pub(crate) const ATOMIC: u8 = 0xc0;
}

/// The operation of the arithmetic classes that is not an [`AluOp`], and of the jump classes that is not a [`CmpOp`].
pub(crate) mod op {
    pub(crate) const NEG: u8 = 0x80;
    pub(crate) const MOV: u8 = 0xb0;
    pub(crate) const END: u8 = 0xd0;
    pub(crate) const JA: u8 = 0x00;
    pub(crate) const CALL: u8 = 0x80;
    pub(crate) const EXIT: u8 = 0x90;
    pub(crate) const JCOND: u8 = 0xe0;
}

/// The immediate of an atomic instruction, which says what is done.
pub(crate) mod atomic {
    pub(crate) const ADD: i32 = 0x00;
    pub(crate) const OR: i32 = 0x40;
    pub(crate) const AND: i32 = 0x50;
    pub(crate) const XOR: i32 = 0xa0;
    pub(crate) const FETCH: i32 = 0x01;
    pub(crate) const XCHG: i32 = 0xe1;
    pub(crate) const CMPXCHG: i32 = 0xf1;
    pub(crate) const LOAD_ACQUIRE: i32 = 0x100;
    pub(crate) const STORE_RELEASE: i32 = 0x110;
}

/// The source of a 64-bit immediate, in the source register field.
pub(crate) mod pseudo {
    pub(crate) const VALUE: u8 = 0;
    pub(crate) const MAP_FD: u8 = 1;
    pub(crate) const MAP_VALUE: u8 = 2;
    pub(crate) const BTF_ID: u8 = 3;
    pub(crate) const FUNC: u8 = 4;
    pub(crate) const MAP_IDX: u8 = 5;
    pub(crate) const MAP_IDX_VALUE: u8 = 6;
}

/// The kind of a call, in the source register field.
pub(crate) mod callee {
    pub(crate) const HELPER: u8 = 0;
    pub(crate) const SUBPROG: u8 = 1;
    pub(crate) const KFUNC: u8 = 2;
}

/// The bit that says that the second operand is a register.
pub(crate) const X: u8 = 0x08;
/// The opcode of a 64-bit immediate load.
pub(crate) const LD_IMM64: u8 = class::LD | mode::IMM | 0x18;

pub(crate) const fn class_of(code: u8) -> u8 {
    code & 0x07
}

pub(crate) const fn mode_of(code: u8) -> u8 {
    code & 0xe0
}

pub(crate) const fn op_of(code: u8) -> u8 {
    code & 0xf0
}

pub(crate) const fn size_of(code: u8) -> Size {
    match code & 0x18 {
        0x00 => Size::B4,
        0x08 => Size::B2,
        0x10 => Size::B1,
        _ => Size::B8,
    }
}

const fn size_bits(size: Size) -> u8 {
    match size {
        Size::B4 => 0x00,
        Size::B2 => 0x08,
        Size::B1 => 0x10,
        Size::B8 => 0x18,
    }
}

const fn alu_class(width: Width) -> u8 {
    match width {
        Width::W32 => class::ALU,
        Width::W64 => class::ALU64,
    }
}

const fn jmp_class(width: Width) -> u8 {
    match width {
        Width::W32 => class::JMP32,
        Width::W64 => class::JMP,
    }
}

const fn source_bit(src: Operand) -> u8 {
    match src {
        Operand::Reg(_) => X,
        Operand::Imm(_) => 0,
    }
}

impl AluOp {
    /// The operation with these bits; `signed` picks between the forms of division and remainder.
    pub(crate) const fn from_bits(bits: u8, signed: bool) -> Option<Self> {
        Some(match (bits, signed) {
            (0x00, false) => Self::Add,
            (0x10, false) => Self::Sub,
            (0x20, false) => Self::Mul,
            (0x30, false) => Self::Div,
            (0x30, true) => Self::Sdiv,
            (0x40, false) => Self::Or,
            (0x50, false) => Self::And,
            (0x60, false) => Self::Lsh,
            (0x70, false) => Self::Rsh,
            (0x90, false) => Self::Mod,
            (0x90, true) => Self::Smod,
            (0xa0, false) => Self::Xor,
            (0xc0, false) => Self::Arsh,
            _ => return None,
        })
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Add => 0x00,
            Self::Sub => 0x10,
            Self::Mul => 0x20,
            Self::Div | Self::Sdiv => 0x30,
            Self::Or => 0x40,
            Self::And => 0x50,
            Self::Lsh => 0x60,
            Self::Rsh => 0x70,
            Self::Mod | Self::Smod => 0x90,
            Self::Xor => 0xa0,
            Self::Arsh => 0xc0,
        }
    }

    /// Whether it is the signed form of division or remainder.
    #[must_use]
    pub const fn is_signed_division(self) -> bool {
        matches!(self, Self::Sdiv | Self::Smod)
    }
}

impl CmpOp {
    /// The condition with these bits.
    pub(crate) const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x10 => Self::Eq,
            0x20 => Self::Gt,
            0x30 => Self::Ge,
            0x40 => Self::Set,
            0x50 => Self::Ne,
            0x60 => Self::Sgt,
            0x70 => Self::Sge,
            0xa0 => Self::Lt,
            0xb0 => Self::Le,
            0xc0 => Self::Slt,
            0xd0 => Self::Sle,
            _ => return None,
        })
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Eq => 0x10,
            Self::Gt => 0x20,
            Self::Ge => 0x30,
            Self::Set => 0x40,
            Self::Ne => 0x50,
            Self::Sgt => 0x60,
            Self::Sge => 0x70,
            Self::Lt => 0xa0,
            Self::Le => 0xb0,
            Self::Slt => 0xc0,
            Self::Sle => 0xd0,
        }
    }
}

impl Insn {
    /// Its opcode byte, as the verifier's log prints it in parentheses.
    ///
    /// Where the instruction has no encoding (see [`Unencodable`](crate::Unencodable)), the byte that its fields would give.
    #[must_use]
    pub const fn opcode(&self) -> u8 {
        match *self {
            Self::Alu { width, op, src, .. } => alu_class(width) | op.bits() | source_bit(src),
            Self::Neg { width, .. } => alu_class(width) | op::NEG,
            Self::Mov { width, src, .. } => alu_class(width) | op::MOV | source_bit(src),
            Self::MovSx { width, .. } => alu_class(width) | op::MOV | X,
            Self::AddrSpaceCast { .. } => class::ALU64 | op::MOV | X,
            Self::Endian { order, .. } => match order {
                ByteOrder::Le => class::ALU | op::END,
                ByteOrder::Be => class::ALU | op::END | X,
                ByteOrder::Swap => class::ALU64 | op::END,
            },
            Self::LoadImm64 { .. } => LD_IMM64,
            Self::LoadPacket { size, index, .. } => {
                let mode = match index {
                    PacketIndex::Absolute => mode::ABS,
                    PacketIndex::Indirect(_) => mode::IND,
                };
                class::LD | mode | size_bits(size)
            }
            Self::Load { size, signed, .. } => {
                class::LDX | if signed { mode::MEMSX } else { mode::MEM } | size_bits(size)
            }
            Self::Store { size, src, .. } => {
                let class = match src {
                    Operand::Reg(_) => class::STX,
                    Operand::Imm(_) => class::ST,
                };
                class | mode::MEM | size_bits(size)
            }
            Self::Atomic { size, .. } | Self::LoadAcquire { size, .. } | Self::StoreRelease { size, .. } => {
                class::STX | mode::ATOMIC | size_bits(size)
            }
            Self::Jump { long, .. } => (if long { class::JMP32 } else { class::JMP }) | op::JA,
            Self::JumpIndirect { .. } => class::JMP | op::JA | X,
            Self::Branch { width, op, src, .. } => jmp_class(width) | op.bits() | source_bit(src),
            Self::MayGoto { .. } => class::JMP | op::JCOND,
            Self::Call(Call::Helper(_) | Call::Subprog(_) | Call::Kfunc { .. }) => class::JMP | op::CALL,
            Self::Exit => class::JMP | op::EXIT,
        }
    }
}
