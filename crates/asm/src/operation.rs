//! Statements that begin with a register: arithmetic, moves, loads, and atomics that return a value.

use bpfvet_insn::{AluOp, ByteOrder, ImmSource, Insn, Operand, Size, Width};

use crate::AsmError;
use crate::cursor::{Cursor, View, range};
use crate::lexer::{Kind, is_register};
use crate::memory;
use crate::statement::{Code, operand};

/// The opcode which says that a number is a 64-bit immediate where `ll` does not.
const LD_IMM64: u8 = 0x18;

/// `r1 ...`
pub(crate) fn assignment<'t>(cursor: &mut Cursor<'t, '_>, opcode: Option<u8>) -> Result<Code<'t>, AsmError> {
    let dst = cursor.view()?;
    let op = match cursor.punct() {
        "=" => {
            cursor.advance();
            return value(cursor, dst, opcode);
        }
        "+=" => AluOp::Add,
        "-=" => AluOp::Sub,
        "*=" => AluOp::Mul,
        "/=" => AluOp::Div,
        "s/=" => AluOp::Sdiv,
        "%=" => AluOp::Mod,
        "s%=" => AluOp::Smod,
        "&=" => AluOp::And,
        "|=" => AluOp::Or,
        "^=" => AluOp::Xor,
        "<<=" => AluOp::Lsh,
        ">>=" => AluOp::Rsh,
        "s>>=" => AluOp::Arsh,
        _ => return Err(cursor.expected("`=` or an operator")),
    };
    cursor.advance();
    let src = operand(cursor, dst.width)?;
    Ok(Code::Insn(Insn::Alu { width: dst.width, op, dst: dst.reg, src }))
}

/// What stands after `r1 =`.
fn value<'t>(cursor: &mut Cursor<'t, '_>, dst: View, opcode: Option<u8>) -> Result<Code<'t>, AsmError> {
    let View { reg, width, .. } = dst;
    if cursor.last() == Kind::Word("ll") {
        return imm64(cursor, dst);
    }
    match (cursor.peek(), cursor.peek_second()) {
        (Kind::Punct("*"), _) => memory::load(cursor, dst).map(Code::Insn),
        (Kind::Punct("("), _) => extended(cursor, dst).map(Code::Insn),
        (Kind::Punct("-"), Kind::Word(word)) if is_register(word) => {
            cursor.advance();
            cursor.view()?.same_as(dst)?;
            Ok(Code::Insn(Insn::Neg { width, dst: reg }))
        }
        (Kind::Word(word), _) if is_register(word) => {
            let src = cursor.view()?.of(width)?;
            Ok(Code::Insn(Insn::Mov { width, dst: reg, src: Operand::Reg(src) }))
        }
        (Kind::Word(word), Kind::Punct("(")) => {
            cursor.advance();
            if word == "addr_space_cast" {
                cast(cursor, dst).map(Code::Insn)
            } else {
                memory::returning(cursor, dst, word).map(Code::Insn)
            }
        }
        (Kind::Word(word), Kind::Punct("[")) => {
            let imm = source(cursor, word)?;
            Ok(Code::Insn(Insn::LoadImm64 { dst: dst.of(Width::W64)?, imm }))
        }
        (Kind::Word(word), Kind::Word(second)) if is_register(second) => {
            let (order, size) = byte_order(word).ok_or_else(|| cursor.expected("an operation"))?;
            cursor.advance();
            cursor.view()?.same_as(dst)?;
            Ok(Code::Insn(Insn::Endian { order, dst: dst.of(Width::W64)?, size }))
        }
        _ if opcode == Some(LD_IMM64) => {
            let value = number64(cursor)?;
            Ok(Code::Insn(Insn::LoadImm64 { dst: dst.of(Width::W64)?, imm: ImmSource::Value(value) }))
        }
        _ => Ok(Code::Insn(Insn::Mov { width, dst: reg, src: Operand::Imm(cursor.imm32()?) })),
    }
}

/// A number that fits in 64 bits with or without sign.
fn number64(cursor: &mut Cursor<'_, '_>) -> Result<u64, AsmError> {
    let token = cursor.token();
    let value = cursor.sum()?;
    let value = range(token, "immediate", value, i64::MIN.into(), u64::MAX.into())?;
    // The range is that of both signs, so the low half is the value.
    Ok(value as u64)
}

/// `5 ll`, `NAME ll`, `NAME + 8 ll`.
fn imm64<'t>(cursor: &mut Cursor<'t, '_>, dst: View) -> Result<Code<'t>, AsmError> {
    let dst = dst.of(Width::W64)?;
    let name = match cursor.peek() {
        Kind::Word(name) if !is_register(name) => Some(name),
        Kind::Symbol(name) => Some(name),
        Kind::Word(_) | Kind::Number(_) | Kind::Local { .. } | Kind::Opcode(_) | Kind::Punct(_) | Kind::End => None,
    };
    let code = if let Some(name) = name {
        cursor.advance();
        let addend = cursor.more(0)?;
        Code::Imm64 { dst, name, addend }
    } else {
        Code::Insn(Insn::LoadImm64 { dst, imm: ImmSource::Value(number64(cursor)?) })
    };
    if cursor.eat_word("ll") { Ok(code) } else { Err(cursor.expected("`ll`")) }
}

/// `map[fd:5][0]+8` and the other sources of a 64-bit immediate that are no number.
fn source(cursor: &mut Cursor<'_, '_>, word: &str) -> Result<ImmSource, AsmError> {
    cursor.advance();
    cursor.expect("[")?;
    match word {
        "map" => {
            let by_fd = key(cursor, &["fd", "idx"])? == 0;
            let number = cursor.imm32()?;
            cursor.expect("]")?;
            if !cursor.eat("[") {
                return Ok(if by_fd { ImmSource::MapFd(number) } else { ImmSource::MapIdx(number) });
            }
            let token = cursor.token();
            range(token, "key", cursor.sum()?, 0, 0)?;
            cursor.expect("]")?;
            let token = cursor.token();
            let off = cursor.more(0)?;
            let off = range(token, "offset", off, 0, u32::MAX.into())? as u32;
            Ok(if by_fd {
                ImmSource::MapValue { fd: number, off }
            } else {
                ImmSource::MapIdxValue { index: number, off }
            })
        }
        "btf" => {
            key(cursor, &["id"])?;
            let id = cursor.imm32()?.cast_unsigned();
            let btf_fd = if cursor.eat(",") {
                key(cursor, &["fd"])?;
                cursor.imm32()?
            } else {
                0
            };
            cursor.expect("]")?;
            Ok(ImmSource::BtfId { id, btf_fd })
        }
        "subprog" => {
            let distance = cursor.imm32()?;
            cursor.expect("]")?;
            Ok(ImmSource::Func(distance))
        }
        _ => Err(cursor.expected("`map`, `btf` or `subprog` before `[`")),
    }
}

/// Takes one of `keys` and a colon; which.
fn key(cursor: &mut Cursor<'_, '_>, keys: &[&str]) -> Result<usize, AsmError> {
    let which = keys.iter().position(|&key| key == cursor.word());
    let which = which.ok_or_else(|| cursor.expected("`fd`, `idx` or `id`"))?;
    cursor.advance();
    cursor.expect(":")?;
    Ok(which)
}

/// `(s8)r2`
fn extended(cursor: &mut Cursor<'_, '_>, dst: View) -> Result<Insn, AsmError> {
    cursor.expect("(")?;
    let from = match cursor.word() {
        "s8" => Size::B1,
        "s16" => Size::B2,
        "s32" => Size::B4,
        _ => return Err(cursor.expected("`s8`, `s16` or `s32`")),
    };
    cursor.advance();
    cursor.expect(")")?;
    let src = cursor.view()?.of(dst.width)?;
    Ok(Insn::MovSx { width: dst.width, dst: dst.reg, src, from })
}

/// `(r2, 0, 1)` after `addr_space_cast`
fn cast(cursor: &mut Cursor<'_, '_>, dst: View) -> Result<Insn, AsmError> {
    cursor.expect("(")?;
    let src = cursor.reg()?;
    cursor.expect(",")?;
    let to = space(cursor)?;
    cursor.expect(",")?;
    let from = space(cursor)?;
    cursor.expect(")")?;
    Ok(Insn::AddrSpaceCast { dst: dst.of(Width::W64)?, src, to, from })
}

fn space(cursor: &mut Cursor<'_, '_>) -> Result<u16, AsmError> {
    let token = cursor.token();
    let value = cursor.sum()?;
    Ok(range(token, "address space", value, 0, u16::MAX.into())? as u16)
}

fn byte_order(word: &str) -> Option<(ByteOrder, Size)> {
    let (order, bits) = if let Some(bits) = word.strip_prefix("bswap") {
        (ByteOrder::Swap, bits)
    } else if let Some(bits) = word.strip_prefix("be") {
        (ByteOrder::Be, bits)
    } else {
        (ByteOrder::Le, word.strip_prefix("le")?)
    };
    let size = match bits {
        "16" => Size::B2,
        "32" => Size::B4,
        "64" => Size::B8,
        _ => return None,
    };
    Some((order, size))
}
