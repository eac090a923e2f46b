//! One statement: which family it is of, and the families of control flow.

use alloc::vec::Vec;

use bpfvet_insn::{Call, CmpOp, Insn, Operand, Raw, Reg, Width};

use crate::cursor::{Cursor, range};
use crate::lexer::{Kind, Token, is_register};
use crate::{AsmError, AsmErrorKind, memory, operation};

/// What a statement assembles to, and where it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'t> {
    pub(crate) token: Token<'t>,
    /// The opcode written before it.
    pub(crate) opcode: Option<u8>,
    pub(crate) code: Code<'t>,
}

/// An instruction, as far as it is known before labels are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Code<'t> {
    /// Known.
    Insn(Insn),
    /// One slot, as a number.
    Raw(Raw),
    /// A jump whose distance is missing.
    Jump(Insn, Goto<'t>),
    /// A call of a label or of a name.
    Call(Goto<'t>),
    /// A 64-bit immediate that is a name plus a number.
    Imm64 { dst: Reg, name: &'t str, addend: i128 },
}

impl Code<'_> {
    pub(crate) const fn slots(&self) -> u32 {
        match self {
            Self::Insn(insn) => insn.slots(),
            Self::Raw(_) | Self::Jump(..) | Self::Call(_) => 1,
            Self::Imm64 { .. } => 2,
        }
    }
}

/// A place by label.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goto<'t> {
    /// A label, or a name.
    Label(&'t str),
    /// The next or the last definition of a numeric label.
    Local { number: u64, forward: bool },
}

/// A place as a jump writes it.
enum Target<'t> {
    Distance(i128),
    Label(Goto<'t>),
}

/// Reads one statement, without its labels, into `out`.
pub(crate) fn statement<'t>(cursor: &mut Cursor<'t, '_>, out: &mut Vec<Item<'t>>) -> Result<(), AsmError> {
    let opcode = match cursor.peek() {
        Kind::Opcode(opcode) => {
            cursor.advance();
            Some(opcode)
        }
        Kind::End => return Ok(()),
        Kind::Word(_) | Kind::Symbol(_) | Kind::Number(_) | Kind::Local { .. } | Kind::Punct(_) => None,
    };
    let token = cursor.token();
    if cursor.eat_word(".8byte") {
        loop {
            let start = cursor.token();
            let value = cursor.sum()?;
            let value = range(start, "slot", value, i64::MIN.into(), u64::MAX.into())?;
            // The range is that of both signs, so the low half is the value.
            let raw = Raw::from_bytes((value as u64).to_le_bytes());
            out.push(Item { token: start, opcode, code: Code::Raw(raw) });
            if !cursor.eat(",") {
                break;
            }
        }
    } else {
        let code = code(cursor, opcode)?;
        out.push(Item { token, opcode, code });
    }
    if cursor.peek() == Kind::End { Ok(()) } else { Err(cursor.expected("the end of the statement")) }
}

fn code<'t>(cursor: &mut Cursor<'t, '_>, opcode: Option<u8>) -> Result<Code<'t>, AsmError> {
    if cursor.is_register() {
        return operation::assignment(cursor, opcode);
    }
    if cursor.is("*") {
        return memory::store(cursor).map(Code::Insn);
    }
    let Kind::Word(word) = cursor.peek() else { return Err(cursor.expected("an instruction")) };
    match word {
        "exit" => {
            cursor.advance();
            Ok(Code::Insn(Insn::Exit))
        }
        "goto" => {
            cursor.advance();
            jump(cursor, Insn::Jump { off: 0, long: false })
        }
        "gotol" => {
            cursor.advance();
            jump(cursor, Insn::Jump { off: 0, long: true })
        }
        "may_goto" => {
            cursor.advance();
            jump(cursor, Insn::MayGoto { off: 0 })
        }
        "gotox" => {
            cursor.advance();
            Ok(Code::Insn(Insn::JumpIndirect { reg: cursor.reg()? }))
        }
        "if" => {
            cursor.advance();
            branch(cursor)
        }
        "call" => {
            cursor.advance();
            call(cursor)
        }
        "lock" => {
            cursor.advance();
            memory::locked(cursor).map(Code::Insn)
        }
        "store_release" => {
            cursor.advance();
            memory::store_release(cursor).map(Code::Insn)
        }
        _ => Err(cursor.expected("an instruction")),
    }
}

/// `pc+3`, `+3`, `-3`, a label, `1f`.
fn target<'t>(cursor: &mut Cursor<'t, '_>) -> Result<Target<'t>, AsmError> {
    let target = match (cursor.peek(), cursor.peek_second()) {
        (Kind::Word("pc"), Kind::Punct("+" | "-")) => {
            cursor.advance();
            return Ok(Target::Distance(cursor.more(0)?));
        }
        (Kind::Punct("+" | "-"), _) => return Ok(Target::Distance(cursor.more(0)?)),
        (Kind::Word(name), _) if !is_register(name) => Goto::Label(name),
        (Kind::Local { number, forward }, _) => Goto::Local { number, forward },
        _ => return Err(cursor.expected("a label or a distance")),
    };
    cursor.advance();
    Ok(Target::Label(target))
}

fn jump<'t>(cursor: &mut Cursor<'t, '_>, insn: Insn) -> Result<Code<'t>, AsmError> {
    let token = cursor.token();
    match target(cursor)? {
        Target::Distance(distance) => with_distance(insn, distance, token).map(Code::Insn),
        Target::Label(label) => Ok(Code::Jump(insn, label)),
    }
}

/// The jump `insn` over `distance` slots.
pub(crate) fn with_distance(insn: Insn, distance: i128, at: Token<'_>) -> Result<Insn, AsmError> {
    let out_of_range = |min: i128, max: i128| AsmError {
        line: at.line,
        column: at.column,
        kind: AsmErrorKind::Range { what: "distance", value: distance, min, max },
    };
    let short = || i16::try_from(distance).map_err(|_| out_of_range(i16::MIN.into(), i16::MAX.into()));
    let long = || i32::try_from(distance).map_err(|_| out_of_range(i32::MIN.into(), i32::MAX.into()));
    Ok(match insn {
        Insn::Jump { long: false, .. } => Insn::Jump { off: short()?.into(), long: false },
        Insn::Jump { long: true, .. } => Insn::Jump { off: long()?, long: true },
        Insn::MayGoto { .. } => Insn::MayGoto { off: short()? },
        Insn::Branch { width, op, dst, src, .. } => Insn::Branch { width, op, dst, src, off: short()? },
        Insn::Call(_) => Insn::Call(Call::Subprog(long()?)),
        Insn::LoadImm64 { dst, .. } => Insn::LoadImm64 { dst, imm: bpfvet_insn::ImmSource::Func(long()?) },
        Insn::Alu { .. }
        | Insn::Neg { .. }
        | Insn::Mov { .. }
        | Insn::MovSx { .. }
        | Insn::AddrSpaceCast { .. }
        | Insn::Endian { .. }
        | Insn::LoadPacket { .. }
        | Insn::Load { .. }
        | Insn::Store { .. }
        | Insn::Atomic { .. }
        | Insn::LoadAcquire { .. }
        | Insn::StoreRelease { .. }
        | Insn::JumpIndirect { .. }
        | Insn::Exit => insn,
    })
}

fn branch<'t>(cursor: &mut Cursor<'t, '_>) -> Result<Code<'t>, AsmError> {
    let first = cursor.view()?;
    let op = match cursor.punct() {
        "==" => CmpOp::Eq,
        "!=" => CmpOp::Ne,
        ">" => CmpOp::Gt,
        ">=" => CmpOp::Ge,
        "<" => CmpOp::Lt,
        "<=" => CmpOp::Le,
        "s>" => CmpOp::Sgt,
        "s>=" => CmpOp::Sge,
        "s<" => CmpOp::Slt,
        "s<=" => CmpOp::Sle,
        "&" => CmpOp::Set,
        _ => return Err(cursor.expected("a comparison")),
    };
    cursor.advance();
    let src = operand(cursor, first.width)?;
    if !cursor.eat_word("goto") {
        return Err(cursor.expected("`goto`"));
    }
    jump(cursor, Insn::Branch { width: first.width, op, dst: first.reg, src, off: 0 })
}

/// A register of this width, or an immediate.
pub(crate) fn operand(cursor: &mut Cursor<'_, '_>, width: Width) -> Result<Operand, AsmError> {
    if cursor.is_register() { cursor.view()?.of(width).map(Operand::Reg) } else { cursor.imm32().map(Operand::Imm) }
}

/// `call 1`, `call NAME`, `call LABEL`, `call pc+3`, `call NAME#1`, `call kernel-function#1@2`.
fn call<'t>(cursor: &mut Cursor<'t, '_>) -> Result<Code<'t>, AsmError> {
    let token = cursor.token();
    match (cursor.peek(), cursor.peek_second()) {
        (Kind::Word("pc"), Kind::Punct("+" | "-")) => {
            cursor.advance();
            let distance = cursor.more(0)?;
            with_distance(Insn::Call(Call::Subprog(0)), distance, token).map(Code::Insn)
        }
        (Kind::Word("kernel"), Kind::Punct("-")) => {
            cursor.advance();
            cursor.advance();
            if !cursor.eat_word("function") {
                return Err(cursor.expected("`function`"));
            }
            cursor.expect("#")?;
            let id = cursor.imm32()?;
            let token = cursor.token();
            let btf = if cursor.eat("@") { cursor.sum()? } else { 0 };
            let btf = range(token, "BTF index", btf, i16::MIN.into(), i16::MAX.into())?;
            Ok(Code::Insn(Insn::Call(Call::Kfunc { id, btf: btf as i16 })))
        }
        (Kind::Word(name), Kind::Punct("#")) => {
            cursor.advance();
            cursor.advance();
            let id = cursor.imm32()?;
            Ok(Code::Insn(Insn::Call(match cursor.resolver().call(name) {
                Some(Call::Kfunc { btf, .. }) => Call::Kfunc { id, btf },
                Some(Call::Helper(_) | Call::Subprog(_)) | None => Call::Helper(id),
            })))
        }
        (Kind::Word(name), _) if !is_register(name) => {
            cursor.advance();
            Ok(Code::Call(Goto::Label(name)))
        }
        (Kind::Symbol(name), _) => {
            let constant = cursor.resolver().constant(name);
            if constant.is_some() {
                return Ok(Code::Insn(Insn::Call(Call::Helper(cursor.imm32()?))));
            }
            cursor.advance();
            Ok(Code::Call(Goto::Label(name)))
        }
        (Kind::Local { number, forward }, _) => {
            cursor.advance();
            Ok(Code::Call(Goto::Local { number, forward }))
        }
        _ => Ok(Code::Insn(Insn::Call(Call::Helper(cursor.imm32()?)))),
    }
}
