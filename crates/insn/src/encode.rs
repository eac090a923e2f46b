//! Typed instructions to bytes: the exact inverse of decoding.

use alloc::vec::Vec;

use thiserror::Error;

use crate::decode::{is_stack_arg_load, is_stack_arg_store};
use crate::opcode::{atomic, callee, pseudo};
use crate::{AtomicOp, Call, Field, ImmSource, Insn, InsnIdx, Operand, PacketIndex, Program, Raw, Reg, Size, Width};

/// The one or two slots of an encoded instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Encoded {
    /// The first slot.
    pub first: Raw,
    /// The second slot of a 64-bit immediate load.
    pub second: Option<Raw>,
}

/// Why a typed instruction has no encoding: its types allow a little more than the instruction set has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Error)]
pub enum Unencodable {
    /// `r11` where it is not the base of a stack argument.
    #[error("{field} register {reg} cannot be used here")]
    Register {
        /// `Dst` or `Src`.
        field: Field,
        /// The register.
        reg: Reg,
    },
    /// No instruction of this kind has this size.
    #[error("no such instruction of {} bytes", .0.bytes())]
    Size(Size),
    /// The distance does not fit in the 16 bits of a short jump.
    #[error("jump over {0} slots needs the 32-bit form")]
    Distance(i32),
    /// A cast between other address spaces than 0 and 1.
    #[error("no cast from address space {from} to {to}")]
    AddressSpaces {
        /// Target.
        to: u16,
        /// Source.
        from: u16,
    },
}

/// Which instruction of a program has no encoding, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Error)]
#[error("instruction {at}: {kind}")]
pub struct EncodeError {
    /// The instruction.
    pub at: InsnIdx,
    /// Why.
    pub kind: Unencodable,
}

impl Program {
    /// Its bytes, little-endian; [`Program::decode`] gives this program back.
    ///
    /// # Errors
    ///
    /// The first instruction that has no encoding. Programs that were decoded have none such.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::with_capacity(self.slots().len().saturating_mul(8));
        for (at, insn) in self.iter() {
            let Encoded { first, second } = insn.encode().map_err(|kind| EncodeError { at, kind })?;
            out.extend_from_slice(&first.to_bytes());
            if let Some(second) = second {
                out.extend_from_slice(&second.to_bytes());
            }
        }
        Ok(out)
    }
}

impl Insn {
    /// Its one or two slots.
    ///
    /// # Errors
    ///
    /// What in it the instruction set does not have. Instructions that were decoded have no such thing.
    pub fn encode(&self) -> Result<Encoded, Unencodable> {
        let blank = Raw { code: self.opcode(), ..Raw::default() };
        let mut second = None;
        let first = match *self {
            Self::Alu { width: _, op, dst, src } => {
                Raw { dst: dst.number(), off: i16::from(op.is_signed_division()), ..blank }.with_operand(src)
            }
            Self::Neg { width: _, dst } => Raw { dst: dst.number(), ..blank },
            Self::Mov { width: _, dst, src } => Raw { dst: dst.number(), ..blank }.with_operand(src),
            Self::MovSx { width, dst, src, from } => {
                let off = match (width, from) {
                    (_, Size::B1) => 8,
                    (_, Size::B2) => 16,
                    (Width::W64, Size::B4) => 32,
                    (Width::W32, Size::B4) | (_, Size::B8) => return Err(Unencodable::Size(from)),
                };
                Raw { dst: dst.number(), src: src.number(), off, ..blank }
            }
            Self::AddrSpaceCast { dst, src, to, from } => {
                let imm = match (to, from) {
                    (0, 1) => 1,
                    (1, 0) => 0x1_0000,
                    _ => return Err(Unencodable::AddressSpaces { to, from }),
                };
                Raw { dst: dst.number(), src: src.number(), off: 1, imm, ..blank }
            }
            Self::Endian { order: _, dst, size } => {
                let imm = match size {
                    Size::B2 => 16,
                    Size::B4 => 32,
                    Size::B8 => 64,
                    Size::B1 => return Err(Unencodable::Size(size)),
                };
                Raw { dst: dst.number(), imm, ..blank }
            }
            Self::LoadImm64 { dst, imm } => {
                let (src, low, high) = imm.fields();
                second = Some(Raw { imm: high, ..Raw::default() });
                Raw { dst: dst.number(), src, imm: low, ..blank }
            }
            Self::LoadPacket { size, index, imm } => {
                if size == Size::B8 {
                    return Err(Unencodable::Size(size));
                }
                let src = match index {
                    PacketIndex::Absolute => 0,
                    PacketIndex::Indirect(reg) => reg.number(),
                };
                Raw { src, imm, ..blank }
            }
            Self::Load { dst, base, off, size, signed } => {
                if signed && size == Size::B8 {
                    return Err(Unencodable::Size(size));
                }
                Raw { dst: dst.number(), src: base.number(), off, ..blank }
            }
            Self::Store { base, off, size: _, src } => Raw { dst: base.number(), off, ..blank }.with_operand(src),
            Self::Atomic { op, size, base, off, src } => {
                if matches!(size, Size::B1 | Size::B2) {
                    return Err(Unencodable::Size(size));
                }
                Raw { dst: base.number(), src: src.number(), off, imm: op.imm(), ..blank }
            }
            Self::LoadAcquire { dst, base, off, size: _ } => {
                Raw { dst: dst.number(), src: base.number(), off, imm: atomic::LOAD_ACQUIRE, ..blank }
            }
            Self::StoreRelease { base, off, size: _, src } => {
                Raw { dst: base.number(), src: src.number(), off, imm: atomic::STORE_RELEASE, ..blank }
            }
            Self::Jump { off, long: false } => {
                let off = i16::try_from(off).map_err(|_| Unencodable::Distance(off))?;
                Raw { off, ..blank }
            }
            Self::Jump { off, long: true } => Raw { imm: off, ..blank },
            Self::JumpIndirect { reg } => Raw { dst: reg.number(), ..blank },
            Self::Branch { width: _, op: _, dst, src, off } => {
                Raw { dst: dst.number(), off, ..blank }.with_operand(src)
            }
            Self::MayGoto { off } => Raw { off, ..blank },
            Self::Call(call) => {
                let (src, imm, off) = match call {
                    Call::Helper(id) => (callee::HELPER, id, 0),
                    Call::Subprog(distance) => (callee::SUBPROG, distance, 0),
                    Call::Kfunc { id, btf } => (callee::KFUNC, id, btf),
                };
                Raw { src, imm, off, ..blank }
            }
            Self::Exit => blank,
        };
        if first.dst == Reg::ARGS.number() && !is_stack_arg_store(first) {
            return Err(Unencodable::Register { field: Field::Dst, reg: Reg::ARGS });
        }
        if first.src == Reg::ARGS.number() && !is_stack_arg_load(first) {
            return Err(Unencodable::Register { field: Field::Src, reg: Reg::ARGS });
        }
        Ok(Encoded { first, second })
    }
}

impl Raw {
    const fn with_operand(self, operand: Operand) -> Self {
        match operand {
            Operand::Reg(reg) => Self { src: reg.number(), ..self },
            Operand::Imm(imm) => Self { imm, ..self },
        }
    }
}

impl AtomicOp {
    /// The immediate that names it.
    const fn imm(self) -> i32 {
        const fn with(op: i32, fetch: bool) -> i32 {
            if fetch { op | atomic::FETCH } else { op }
        }
        match self {
            Self::Add { fetch } => with(atomic::ADD, fetch),
            Self::Or { fetch } => with(atomic::OR, fetch),
            Self::And { fetch } => with(atomic::AND, fetch),
            Self::Xor { fetch } => with(atomic::XOR, fetch),
            Self::Xchg => atomic::XCHG,
            Self::CmpXchg => atomic::CMPXCHG,
        }
    }
}

impl ImmSource {
    /// Its source register field and its two immediates, low first.
    pub(crate) const fn fields(self) -> (u8, i32, i32) {
        match self {
            Self::Value(value) => (pseudo::VALUE, (value as u32).cast_signed(), ((value >> 32) as u32).cast_signed()),
            Self::MapFd(fd) => (pseudo::MAP_FD, fd, 0),
            Self::MapValue { fd, off } => (pseudo::MAP_VALUE, fd, off.cast_signed()),
            Self::BtfId { id, btf_fd } => (pseudo::BTF_ID, id.cast_signed(), btf_fd),
            Self::Func(distance) => (pseudo::FUNC, distance, 0),
            Self::MapIdx(index) => (pseudo::MAP_IDX, index, 0),
            Self::MapIdxValue { index, off } => (pseudo::MAP_IDX_VALUE, index, off.cast_signed()),
        }
    }
}
