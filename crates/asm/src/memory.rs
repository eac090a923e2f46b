//! Loads, stores and atomics.

use bpfvet_insn::{AtomicOp, Insn, Operand, PacketIndex, Reg, Size, Width};

use crate::cursor::{Cursor, View, range};
use crate::{AsmError, AsmErrorKind};

/// A place in memory, and how much of it.
#[derive(Clone, Copy)]
struct Place {
    size: Size,
    signed: bool,
    base: Reg,
    off: i16,
}

impl Place {
    /// The width of a register that holds as much.
    const fn width(self) -> Width {
        match self.size {
            Size::B1 | Size::B2 | Size::B4 => Width::W32,
            Size::B8 => Width::W64,
        }
    }
}

/// `(u32 *)`: size and sign.
fn pointee(cursor: &mut Cursor<'_, '_>) -> Result<(Size, bool), AsmError> {
    cursor.expect("(")?;
    let pointee = match cursor.word() {
        "u8" => (Size::B1, false),
        "u16" => (Size::B2, false),
        "u32" => (Size::B4, false),
        "u64" => (Size::B8, false),
        "s8" => (Size::B1, true),
        "s16" => (Size::B2, true),
        "s32" => (Size::B4, true),
        _ => return Err(cursor.expected("`u8` to `u64` or `s8` to `s32`")),
    };
    cursor.advance();
    cursor.expect("*")?;
    cursor.expect(")")?;
    Ok(pointee)
}

/// `r1 + 4`: base and offset.
fn address(cursor: &mut Cursor<'_, '_>) -> Result<(Reg, i16), AsmError> {
    let base = cursor.reg()?;
    let token = cursor.token();
    let off = cursor.more(0)?;
    Ok((base, range(token, "offset", off, i16::MIN.into(), i16::MAX.into())? as i16))
}

/// `(u32 *)(r1 + 4)`
fn place(cursor: &mut Cursor<'_, '_>) -> Result<Place, AsmError> {
    let (size, signed) = pointee(cursor)?;
    cursor.expect("(")?;
    let (base, off) = address(cursor)?;
    cursor.expect(")")?;
    Ok(Place { size, signed, base, off })
}

/// The same, where nothing is sign-extended.
fn unsigned(cursor: &mut Cursor<'_, '_>) -> Result<Place, AsmError> {
    let mut ahead = *cursor;
    let place = place(&mut ahead)?;
    if place.signed {
        cursor.expect("(")?;
        return Err(cursor.expected("`u8` to `u64`"));
    }
    *cursor = ahead;
    Ok(place)
}

/// `*(u32 *)(r1 + 4)` or `*(u8 *)skb[4]` after `r0 =`
pub(crate) fn load(cursor: &mut Cursor<'_, '_>, dst: View) -> Result<Insn, AsmError> {
    cursor.expect("*")?;
    let mut ahead = *cursor;
    let (size, signed) = pointee(&mut ahead)?;
    if ahead.eat_word("skb") {
        *cursor = ahead;
        if dst.of(Width::W64)? != Reg::R0 {
            return Err(dst.error(AsmErrorKind::MustBeR0));
        }
        return packet(cursor, dst, size, signed);
    }
    let place = place(cursor)?;
    let dst = if signed { dst.of(Width::W64)? } else { dst.at_most(place.width())? };
    Ok(Insn::Load { dst, base: place.base, off: place.off, size, signed })
}

/// `[4]` or `[r1 + 4]` after `skb`
fn packet(cursor: &mut Cursor<'_, '_>, dst: View, size: Size, signed: bool) -> Result<Insn, AsmError> {
    if signed || size == Size::B8 {
        return Err(dst.error(AsmErrorKind::Unencodable(bpfvet_insn::Unencodable::Size(size))));
    }
    cursor.expect("[")?;
    let (index, imm) = if cursor.is_register() {
        let reg = cursor.reg()?;
        let token = cursor.token();
        let imm = cursor.more(0)?;
        let imm = range(token, "offset", imm, i32::MIN.into(), i32::MAX.into())? as i32;
        (PacketIndex::Indirect(reg), imm)
    } else {
        (PacketIndex::Absolute, cursor.imm32()?)
    };
    cursor.expect("]")?;
    Ok(Insn::LoadPacket { size, index, imm })
}

/// `*(u32 *)(r1 + 4) = r2`
pub(crate) fn store(cursor: &mut Cursor<'_, '_>) -> Result<Insn, AsmError> {
    cursor.expect("*")?;
    let place = unsigned(cursor)?;
    cursor.expect("=")?;
    let src = if cursor.is_register() {
        Operand::Reg(cursor.view()?.at_most(place.width())?)
    } else {
        Operand::Imm(cursor.imm32()?)
    };
    Ok(Insn::Store { base: place.base, off: place.off, size: place.size, src })
}

/// `((u32 *)(r1 + 4), r2)` after `store_release`
pub(crate) fn store_release(cursor: &mut Cursor<'_, '_>) -> Result<Insn, AsmError> {
    cursor.expect("(")?;
    let place = unsigned(cursor)?;
    cursor.expect(",")?;
    let src = cursor.view()?.at_most(place.width())?;
    cursor.expect(")")?;
    Ok(Insn::StoreRelease { base: place.base, off: place.off, size: place.size, src })
}

/// `*(u64 *)(r1 + 0) += r2` after `lock`
pub(crate) fn locked(cursor: &mut Cursor<'_, '_>) -> Result<Insn, AsmError> {
    cursor.expect("*")?;
    let place = unsigned(cursor)?;
    let op = match cursor.punct() {
        "+=" => AtomicOp::Add { fetch: false },
        "|=" => AtomicOp::Or { fetch: false },
        "&=" => AtomicOp::And { fetch: false },
        "^=" => AtomicOp::Xor { fetch: false },
        _ => return Err(cursor.expected("`+=`, `|=`, `&=` or `^=`")),
    };
    cursor.advance();
    let src = cursor.view()?.at_most(place.width())?;
    Ok(atomic(op, place, src))
}

fn atomic(op: AtomicOp, place: Place, src: Reg) -> Insn {
    Insn::Atomic { op, size: place.size, base: place.base, off: place.off, src }
}

/// `((u64 *)(r1 + 0), r2)` after `r2 = atomic_fetch_add`, and its relatives.
pub(crate) fn returning(cursor: &mut Cursor<'_, '_>, dst: View, name: &str) -> Result<Insn, AsmError> {
    // Clang names the width twice and drops the type.
    match name {
        "xchg_64" => return untyped(cursor, dst, AtomicOp::Xchg, Size::B8),
        "xchg32_32" => return untyped(cursor, dst, AtomicOp::Xchg, Size::B4),
        "cmpxchg_64" => return untyped(cursor, dst, AtomicOp::CmpXchg, Size::B8),
        "cmpxchg32_32" => return untyped(cursor, dst, AtomicOp::CmpXchg, Size::B4),
        "load_acquire" => {
            cursor.expect("(")?;
            let place = unsigned(cursor)?;
            cursor.expect(")")?;
            let dst = dst.at_most(place.width())?;
            return Ok(Insn::LoadAcquire { dst, base: place.base, off: place.off, size: place.size });
        }
        _ => {}
    }
    let (op, wide) = match name {
        "atomic_fetch_add" => (AtomicOp::Add { fetch: true }, false),
        "atomic_fetch_or" => (AtomicOp::Or { fetch: true }, false),
        "atomic_fetch_and" => (AtomicOp::And { fetch: true }, false),
        "atomic_fetch_xor" => (AtomicOp::Xor { fetch: true }, false),
        "atomic_xchg" => (AtomicOp::Xchg, false),
        "atomic_cmpxchg" => (AtomicOp::CmpXchg, false),
        "atomic64_fetch_add" => (AtomicOp::Add { fetch: true }, true),
        "atomic64_fetch_or" => (AtomicOp::Or { fetch: true }, true),
        "atomic64_fetch_and" => (AtomicOp::And { fetch: true }, true),
        "atomic64_fetch_xor" => (AtomicOp::Xor { fetch: true }, true),
        "atomic64_xchg" => (AtomicOp::Xchg, true),
        "atomic64_cmpxchg" => (AtomicOp::CmpXchg, true),
        _ => return Err(cursor.expected("the arguments of a known atomic operation")),
    };
    cursor.expect("(")?;
    let start = *cursor;
    let place = unsigned(cursor)?;
    if wide && place.size != Size::B8 {
        return Err(start.error(AsmErrorKind::Unencodable(bpfvet_insn::Unencodable::Size(place.size))));
    }
    arguments(cursor, dst, op, place)
}

/// `(r1 + 0, r2)`, the size known from the name.
fn untyped(cursor: &mut Cursor<'_, '_>, dst: View, op: AtomicOp, size: Size) -> Result<Insn, AsmError> {
    cursor.expect("(")?;
    let (base, off) = address(cursor)?;
    arguments(cursor, dst, op, Place { size, signed: false, base, off })
}

/// `, r2)`, or `, r0, r2)` of a compare-and-exchange.
fn arguments(cursor: &mut Cursor<'_, '_>, dst: View, op: AtomicOp, place: Place) -> Result<Insn, AsmError> {
    dst.at_most(place.width())?;
    cursor.expect(",")?;
    let src = match op {
        AtomicOp::CmpXchg => {
            for view in [dst, cursor.view()?] {
                if view.reg != Reg::R0 {
                    return Err(view.error(AsmErrorKind::MustBeR0));
                }
                view.of(dst.width)?;
            }
            cursor.expect(",")?;
            cursor.view()?.of(dst.width)?
        }
        AtomicOp::Add { .. } | AtomicOp::Or { .. } | AtomicOp::And { .. } | AtomicOp::Xor { .. } | AtomicOp::Xchg => {
            let src = cursor.view()?;
            src.same_as(dst)?;
            src.reg
        }
    };
    cursor.expect(")")?;
    Ok(atomic(op, place, src))
}
