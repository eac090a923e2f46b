//! Bytes to typed instructions, with the first fault in the order in which Linux looks.
//!
//! For one slot the order is: destination register, source register, the pair of a 64-bit immediate, the opcode, the fields
//! that the opcode does not use (`check_and_resolve_insns` and its callees, Linux 7.3). What Linux checks later, on the paths
//! that reach an instruction, is not looked at here: shift amounts, division by an immediate zero, writes to the frame pointer.
//! The two exceptions are named at [`DecodeErrorKind::AtomicOp`] and [`DecodeErrorKind::AtomicSize`].

use alloc::vec;

use crate::opcode::{LD_IMM64, X, atomic, callee, class, class_of, mode, mode_of, op, op_of, pseudo, size_of};
use crate::{
    AluOp, AtomicOp, ByteOrder, Call, CmpOp, Field, ImmSource, Insn, InsnIdx, Operand, PacketIndex, Program, Raw, Reg,
    Size, Slot, Width,
};

mod error;
mod passed_over;

pub use error::{DecodeError, DecodeErrorKind, Form};

impl Program {
    /// The program that these little-endian bytes are.
    ///
    /// No byte is a program too: that a program must have an instruction, and how many it may have, is for others to say.
    ///
    /// # Errors
    ///
    /// The fault that Linux finds first: a 64-bit immediate load in the last slot, then slot by slot.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (slots, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() || u32::try_from(slots.len()).is_err() {
            return Err(wrong_length(bytes));
        }
        if let Some((last, before)) = slots.split_last()
            && last.first() == Some(&LD_IMM64)
        {
            let at = InsnIdx(u32::try_from(before.len()).unwrap_or(u32::MAX));
            return Err(DecodeError { at, raw: Raw::from_bytes(*last), kind: DecodeErrorKind::Unpaired });
        }
        let mut out = vec![Slot::Second; slots.len()];
        let mut places = out.iter_mut().zip(slots).enumerate();
        while let Some((index, (place, &slot))) = places.next() {
            let raw = Raw::from_bytes(slot);
            let next = slots.get(index.saturating_add(1));
            if let Err(kind) = decode(raw, next, place) {
                let at = InsnIdx(u32::try_from(index).unwrap_or(u32::MAX));
                return Err(DecodeError { at, raw, kind });
            }
            if raw.code == LD_IMM64 {
                places.next();
            }
        }
        Ok(Self::from_slots(out))
    }
}

/// The instruction that starts at slot `at` of these little-endian bytes; `None` past the end.
///
/// # Errors
///
/// The fault of that slot which Linux finds first, or that the bytes are not whole slots.
pub fn decode_at(bytes: &[u8], at: InsnIdx) -> Result<Option<Insn>, DecodeError> {
    let (slots, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() || u32::try_from(slots.len()).is_err() {
        return Err(wrong_length(bytes));
    }
    let Some(&slot) = slots.get(at.index()) else { return Ok(None) };
    let raw = Raw::from_bytes(slot);
    let mut out = Slot::Second;
    match decode(raw, slots.get(at.next().index()), &mut out) {
        Err(kind) => Err(DecodeError { at, raw, kind }),
        Ok(()) => Ok(match out {
            Slot::Insn(insn) => Some(insn),
            Slot::Second => None,
        }),
    }
}

fn wrong_length(bytes: &[u8]) -> DecodeError {
    let bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let at = InsnIdx(u32::try_from(bytes / 8).unwrap_or(u32::MAX));
    DecodeError { at, raw: Raw::default(), kind: DecodeErrorKind::Length { bytes } }
}

/// Puts the instruction in `raw`, whose second half, if it has one, is `next`, into `out`.
///
/// Into its place, not into a result: a result of this size is copied through memory, which costs as much as decoding.
#[inline]
fn decode(raw: Raw, next: Option<&[u8; 8]>, out: &mut Slot) -> Result<(), DecodeErrorKind> {
    let dst = register(Field::Dst, raw.dst, is_stack_arg_store(raw))?;
    let src = register(Field::Src, raw.src, is_stack_arg_load(raw))?;
    match class_of(raw.code) {
        class::ALU => alu(raw, Width::W32, dst, src, out),
        class::ALU64 => alu(raw, Width::W64, dst, src, out),
        class::JMP => jump(raw, Width::W64, dst, src, out),
        class::JMP32 => jump(raw, Width::W32, dst, src, out),
        class::LDX => load(raw, dst, src, out),
        class::ST => store_imm(raw, dst, out),
        class::STX => store_reg(raw, dst, src, out),
        _ if raw.code == LD_IMM64 => load_imm64(raw, next, dst, out),
        _ => load_packet(raw, src, out),
    }
}

/// The end of every decoding that succeeds.
#[inline]
fn put(out: &mut Slot, insn: Insn) -> Result<(), DecodeErrorKind> {
    *out = Slot::Insn(insn);
    Ok(())
}

/// Whether the destination may be `r11`: a store of eight bytes below it, aligned (`is_stack_arg_st`, `is_stack_arg_stx`).
pub(crate) const fn is_stack_arg_store(raw: Raw) -> bool {
    matches!(raw.code, 0x7a | 0x7b) && raw.off < 0 && raw.off % 8 == 0
}

/// Whether the source may be `r11`: a load of eight bytes above it, aligned (`is_stack_arg_ldx`).
pub(crate) const fn is_stack_arg_load(raw: Raw) -> bool {
    raw.code == 0x79 && raw.off > 0 && raw.off % 8 == 0
}

#[inline]
fn register(field: Field, number: u8, stack_arg: bool) -> Result<Reg, DecodeErrorKind> {
    match Reg::new(number) {
        Some(reg) if reg != Reg::ARGS || stack_arg => Ok(reg),
        Some(_) | None => Err(DecodeErrorKind::Register { field, number }),
    }
}

/// Which fields a form reserves, as a mask over the slot read as one little-endian number, so that all are tested at once.
#[derive(Clone, Copy)]
struct Reserved(u64);

impl Reserved {
    const CODE: Self = Self(0xff);
    const DST: Self = Self(0xf00);
    const SRC: Self = Self(0xf000);
    const OFF: Self = Self(0xffff_0000);
    const IMM: Self = Self(0xffff_ffff_0000_0000);

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of these fields are zero.
    #[inline]
    const fn are_zero(self, raw: Raw) -> bool {
        u64::from_le_bytes(raw.to_bytes()) & self.0 == 0
    }

    /// The first of these fields that is not zero.
    #[cold]
    fn first_set(self, raw: Raw) -> Option<(Field, i32)> {
        let fields = [
            (Self::CODE, Field::Code),
            (Self::DST, Field::Dst),
            (Self::SRC, Field::Src),
            (Self::OFF, Field::Off),
            (Self::IMM, Field::Imm),
        ];
        let set = |&(one, _): &(Self, Field)| self.0 & one.0 != 0 && !one.are_zero(raw);
        fields.into_iter().find(set).map(|(_, field)| (field, raw.field(field)))
    }
}

/// Refuses the first of the reserved fields that is not zero.
#[inline]
fn reserve(raw: Raw, form: Form, reserved: Reserved) -> Result<(), DecodeErrorKind> {
    if reserved.are_zero(raw) {
        return Ok(());
    }
    match reserved.first_set(raw) {
        None => Ok(()),
        Some((field, value)) => Err(DecodeErrorKind::Reserved { form, field, value }),
    }
}

/// The second operand, with the field of the other kind reserved.
#[inline]
fn operand(raw: Raw, form: Form, src: Reg) -> Result<Operand, DecodeErrorKind> {
    let (reserved, operand) =
        if raw.code & X != 0 { (Reserved::IMM, Operand::Reg(src)) } else { (Reserved::SRC, Operand::Imm(raw.imm)) };
    reserve(raw, form, reserved)?;
    Ok(operand)
}

const fn unknown(raw: Raw) -> DecodeErrorKind {
    DecodeErrorKind::Opcode { code: raw.code }
}

const fn reserved_off(raw: Raw, form: Form) -> DecodeErrorKind {
    DecodeErrorKind::Reserved { form, field: Field::Off, value: raw.off as i32 }
}

#[inline]
fn alu(raw: Raw, width: Width, dst: Reg, src: Reg, out: &mut Slot) -> Result<(), DecodeErrorKind> {
    match op_of(raw.code) {
        op::NEG => {
            if raw.code & X != 0 {
                return Err(unknown(raw));
            }
            reserve(raw, Form::Neg, Reserved::SRC.and(Reserved::OFF).and(Reserved::IMM))?;
            put(out, Insn::Neg { width, dst })
        }
        op::END => {
            let order = match (width, raw.code & X != 0) {
                (Width::W32, false) => ByteOrder::Le,
                (Width::W32, true) => ByteOrder::Be,
                (Width::W64, false) => ByteOrder::Swap,
                (Width::W64, true) => return Err(unknown(raw)),
            };
            reserve(raw, Form::End, Reserved::SRC.and(Reserved::OFF))?;
            let size = match raw.imm {
                16 => Size::B2,
                32 => Size::B4,
                64 => Size::B8,
                value => return Err(DecodeErrorKind::Reserved { form: Form::End, field: Field::Imm, value }),
            };
            put(out, Insn::Endian { order, dst, size })
        }
        op::MOV => mov(raw, width, dst, src, out),
        bits => {
            if AluOp::from_bits(bits, false).is_none() {
                return Err(unknown(raw));
            }
            let src = operand(raw, Form::Alu, src)?;
            let op = match raw.off {
                0 => AluOp::from_bits(bits, false),
                1 => AluOp::from_bits(bits, true),
                _ => None,
            };
            let op = op.ok_or_else(|| reserved_off(raw, Form::Alu))?;
            put(out, Insn::Alu { width, op, dst, src })
        }
    }
}

#[inline]
fn mov(raw: Raw, width: Width, dst: Reg, src: Reg, out: &mut Slot) -> Result<(), DecodeErrorKind> {
    if raw.code & X == 0 {
        reserve(raw, Form::Mov, Reserved::SRC.and(Reserved::OFF))?;
        return put(out, Insn::Mov { width, dst, src: Operand::Imm(raw.imm) });
    }
    let from = match (width, raw.off) {
        (_, 0) => None,
        (_, 8) => Some(Size::B1),
        (_, 16) => Some(Size::B2),
        (Width::W64, 32) => Some(Size::B4),
        (Width::W64, 1) => return addr_space_cast(raw, dst, src, out),
        (Width::W32 | Width::W64, _) => return Err(reserved_off(raw, Form::Mov)),
    };
    reserve(raw, Form::Mov, Reserved::IMM)?;
    match from {
        None => put(out, Insn::Mov { width, dst, src: Operand::Reg(src) }),
        Some(from) => put(out, Insn::MovSx { width, dst, src, from }),
    }
}

fn addr_space_cast(raw: Raw, dst: Reg, src: Reg, out: &mut Slot) -> Result<(), DecodeErrorKind> {
    match raw.imm {
        1 => put(out, Insn::AddrSpaceCast { dst, src, to: 0, from: 1 }),
        0x1_0000 => put(out, Insn::AddrSpaceCast { dst, src, to: 1, from: 0 }),
        imm => Err(DecodeErrorKind::AddressSpaces { imm }),
    }
}

#[inline]
fn jump(raw: Raw, width: Width, dst: Reg, src: Reg, out: &mut Slot) -> Result<(), DecodeErrorKind> {
    let Raw { code, off, imm, .. } = raw;
    let bits = op_of(code);
    if let Some(op) = CmpOp::from_bits(bits) {
        let src = operand(raw, Form::Branch, src)?;
        return put(out, Insn::Branch { width, op, dst, src, off });
    }
    match (width, bits, code & X != 0) {
        (Width::W64, op::JA, false) => {
            reserve(raw, Form::Jump, Reserved::SRC.and(Reserved::DST).and(Reserved::IMM))?;
            put(out, Insn::Jump { off: i32::from(off), long: false })
        }
        (Width::W32, op::JA, false) => {
            reserve(raw, Form::Jump, Reserved::SRC.and(Reserved::DST).and(Reserved::OFF))?;
            put(out, Insn::Jump { off: imm, long: true })
        }
        (Width::W64, op::JA, true) => {
            reserve(raw, Form::JumpIndirect, Reserved::SRC.and(Reserved::IMM).and(Reserved::OFF))?;
            put(out, Insn::JumpIndirect { reg: dst })
        }
        (Width::W64, op::CALL, false) => call(raw, out),
        (Width::W64, op::EXIT, false) => {
            reserve(raw, Form::Exit, Reserved::DST.and(Reserved::SRC).and(Reserved::IMM))?;
            // Last, because Linux does not look at it.
            reserve(raw, Form::Exit, Reserved::OFF)?;
            put(out, Insn::Exit)
        }
        (Width::W64, op::JCOND, false) => {
            reserve(raw, Form::MayGoto, Reserved::SRC.and(Reserved::DST).and(Reserved::IMM))?;
            put(out, Insn::MayGoto { off })
        }
        _ => Err(unknown(raw)),
    }
}

#[inline]
fn call(raw: Raw, out: &mut Slot) -> Result<(), DecodeErrorKind> {
    let callee = match raw.src {
        callee::HELPER => Call::Helper(raw.imm),
        callee::SUBPROG => Call::Subprog(raw.imm),
        callee::KFUNC => Call::Kfunc { id: raw.imm, btf: raw.off },
        src => {
            return Err(DecodeErrorKind::Reserved { form: Form::Call, field: Field::Src, value: i32::from(src) });
        }
    };
    match callee {
        Call::Helper(_) | Call::Subprog(_) => reserve(raw, Form::Call, Reserved::OFF.and(Reserved::DST))?,
        Call::Kfunc { .. } => reserve(raw, Form::Call, Reserved::DST)?,
    }
    put(out, Insn::Call(callee))
}

#[inline]
fn load(raw: Raw, dst: Reg, base: Reg, out: &mut Slot) -> Result<(), DecodeErrorKind> {
    let size = size_of(raw.code);
    let signed = match mode_of(raw.code) {
        mode::MEM => false,
        mode::MEMSX if size != Size::B8 => true,
        _ => return Err(unknown(raw)),
    };
    reserve(raw, Form::Load, Reserved::IMM)?;
    put(out, Insn::Load { dst, base, off: raw.off, size, signed })
}

#[inline]
fn store_imm(raw: Raw, base: Reg, out: &mut Slot) -> Result<(), DecodeErrorKind> {
    if mode_of(raw.code) != mode::MEM {
        return Err(unknown(raw));
    }
    reserve(raw, Form::StoreImm, Reserved::SRC)?;
    put(out, Insn::Store { base, off: raw.off, size: size_of(raw.code), src: Operand::Imm(raw.imm) })
}

#[inline]
fn store_reg(raw: Raw, dst: Reg, src: Reg, out: &mut Slot) -> Result<(), DecodeErrorKind> {
    let size = size_of(raw.code);
    let off = raw.off;
    match mode_of(raw.code) {
        mode::MEM => {
            reserve(raw, Form::StoreReg, Reserved::IMM)?;
            put(out, Insn::Store { base: dst, off, size, src: Operand::Reg(src) })
        }
        mode::ATOMIC => match raw.imm {
            atomic::LOAD_ACQUIRE => put(out, Insn::LoadAcquire { dst, base: src, off, size }),
            atomic::STORE_RELEASE => put(out, Insn::StoreRelease { base: dst, off, size, src }),
            imm => {
                let op = AtomicOp::from_imm(imm).ok_or(DecodeErrorKind::AtomicOp { imm })?;
                match size {
                    Size::B4 | Size::B8 => put(out, Insn::Atomic { op, size, base: dst, off, src }),
                    Size::B1 | Size::B2 => Err(DecodeErrorKind::AtomicSize { size }),
                }
            }
        },
        _ => Err(unknown(raw)),
    }
}

impl AtomicOp {
    /// The operation that an atomic instruction's immediate names.
    const fn from_imm(imm: i32) -> Option<Self> {
        const FETCH_ADD: i32 = atomic::ADD | atomic::FETCH;
        const FETCH_OR: i32 = atomic::OR | atomic::FETCH;
        const FETCH_AND: i32 = atomic::AND | atomic::FETCH;
        const FETCH_XOR: i32 = atomic::XOR | atomic::FETCH;
        Some(match imm {
            atomic::ADD => Self::Add { fetch: false },
            atomic::OR => Self::Or { fetch: false },
            atomic::AND => Self::And { fetch: false },
            atomic::XOR => Self::Xor { fetch: false },
            FETCH_ADD => Self::Add { fetch: true },
            FETCH_OR => Self::Or { fetch: true },
            FETCH_AND => Self::And { fetch: true },
            FETCH_XOR => Self::Xor { fetch: true },
            atomic::XCHG => Self::Xchg,
            atomic::CMPXCHG => Self::CmpXchg,
            _ => return None,
        })
    }
}

#[inline]
fn load_imm64(raw: Raw, next: Option<&[u8; 8]>, dst: Reg, out: &mut Slot) -> Result<(), DecodeErrorKind> {
    let Some(&next) = next else { return Err(DecodeErrorKind::Unpaired) };
    let next = Raw::from_bytes(next);
    let reserved = Reserved::CODE.and(Reserved::DST).and(Reserved::SRC).and(Reserved::OFF);
    if !reserved.are_zero(next)
        && let Some((field, value)) = reserved.first_set(next)
    {
        return Err(DecodeErrorKind::SecondHalf { field, value });
    }
    reserve(raw, Form::LoadImm64, Reserved::OFF)?;
    let (low, high) = (raw.imm, next.imm);
    let imm = match (raw.src, high) {
        (pseudo::VALUE, _) => ImmSource::Value(u64::from(low.cast_unsigned()) | u64::from(high.cast_unsigned()) << 32),
        (pseudo::MAP_FD, 0) => ImmSource::MapFd(low),
        (pseudo::MAP_VALUE, _) => ImmSource::MapValue { fd: low, off: high.cast_unsigned() },
        (pseudo::BTF_ID, _) => ImmSource::BtfId { id: low.cast_unsigned(), btf_fd: high },
        (pseudo::FUNC, 0) => ImmSource::Func(low),
        (pseudo::FUNC, value) => return Err(DecodeErrorKind::ReservedHigh { value }),
        (pseudo::MAP_IDX, 0) => ImmSource::MapIdx(low),
        (pseudo::MAP_IDX_VALUE, _) => ImmSource::MapIdxValue { index: low, off: high.cast_unsigned() },
        (source_reg, second) => return Err(DecodeErrorKind::ImmSource { source_reg, second }),
    };
    put(out, Insn::LoadImm64 { dst, imm })
}

#[inline]
fn load_packet(raw: Raw, src: Reg, out: &mut Slot) -> Result<(), DecodeErrorKind> {
    let size = size_of(raw.code);
    let index = match mode_of(raw.code) {
        mode::ABS if size != Size::B8 => PacketIndex::Absolute,
        mode::IND if size != Size::B8 => PacketIndex::Indirect(src),
        _ => return Err(unknown(raw)),
    };
    reserve(raw, Form::LoadPacket, Reserved::DST.and(Reserved::OFF))?;
    if index == PacketIndex::Absolute {
        reserve(raw, Form::LoadPacket, Reserved::SRC)?;
    }
    put(out, Insn::LoadPacket { size, index, imm: raw.imm })
}
