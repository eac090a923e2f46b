//! Statements to slots: positions, labels and names.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use bpfvet_insn::{Call, ImmSource, Insn, InsnIdx, Raw};

use crate::cursor::{Cursor, range};
use crate::lexer::{Kind, Token, is_register, tokens};
use crate::statement::{Code, Goto, Item, statement, with_distance};
use crate::{AsmError, AsmErrorKind, Resolver};

/// A text as slots.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) placed: Vec<Placed>,
    pub(crate) labels: BTreeMap<String, InsnIdx>,
}

/// An instruction, or a slot given as a number, and where it stands in program and text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    pub(crate) at: InsnIdx,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Insn(Insn),
    Raw(Raw),
}

impl Placed {
    pub(crate) fn error(&self, kind: impl Into<AsmErrorKind>) -> AsmError {
        AsmError { line: self.line, column: self.column, kind: kind.into() }
    }
}

/// Where labels stand.
#[derive(Default)]
struct Labels {
    named: BTreeMap<String, InsnIdx>,
    /// By number, in order of the text: how many statements came before, and position.
    local: BTreeMap<u64, Vec<(usize, InsnIdx)>>,
}

impl Labels {
    /// Takes the labels that stand before a statement, `before` statements into the text.
    fn define(&mut self, cursor: &mut Cursor<'_, '_>, before: usize, at: InsnIdx) -> Result<(), AsmError> {
        while cursor.peek_second() == Kind::Punct(":") {
            let token = cursor.token();
            let mut after = *cursor;
            after.advance();
            after.advance();
            match token.kind {
                // A position, as the log counts them.
                Kind::Number(_) if matches!(after.peek(), Kind::Opcode(_)) => {}
                Kind::Number(number) => self.local.entry(number).or_default().push((before, at)),
                Kind::Word(name) if !is_register(name) => {
                    if self.named.insert(name.to_owned(), at).is_some() {
                        return Err(cursor.error(AsmErrorKind::TwiceLabelled(name.to_owned())));
                    }
                }
                Kind::Word(_) | Kind::Symbol(_) | Kind::Local { .. } | Kind::Opcode(_) | Kind::Punct(_) | Kind::End => {
                    return Err(cursor.expected("a label"));
                }
            }
            *cursor = after;
        }
        Ok(())
    }

    /// Where a jump of statement number `statement` leads.
    fn find(&self, goto: Goto<'_>, statement: usize) -> Option<InsnIdx> {
        match goto {
            Goto::Label(name) => self.named.get(name).copied(),
            Goto::Local { number, forward } => {
                let all = self.local.get(&number)?;
                let next = all.partition_point(|&(before, _)| before <= statement);
                let which = if forward { next } else { next.checked_sub(1)? };
                all.get(which).map(|&(_, at)| at)
            }
        }
    }
}

/// Lays a text out: first all statements, then what their names stand for.
pub(crate) fn layout(text: &str, resolver: &dyn Resolver) -> Result<Layout, AsmError> {
    let tokens = tokens(text)?;
    let mut labels = Labels::default();
    let mut items: Vec<Item<'_>> = Vec::new();
    let mut starts: Vec<InsnIdx> = Vec::new();
    let mut at = InsnIdx(0);
    for tokens in tokens.split_inclusive(|token| token.kind == Kind::End) {
        let mut cursor = Cursor::new(tokens, resolver);
        let before = items.len();
        labels.define(&mut cursor, before, at)?;
        statement(&mut cursor, &mut items)?;
        for item in items.iter().skip(before) {
            starts.push(at);
            at = at.offset(i64::from(item.code.slots())).unwrap_or(at);
        }
    }
    let mut placed = Vec::with_capacity(items.len());
    for (number, (item, at)) in items.iter().zip(starts).enumerate() {
        let Token { line, column, kind: _ } = item.token;
        let what = resolve(&labels, resolver, item, number, at)?;
        let here = Placed { at, line, column, what };
        if let What::Insn(insn) = what {
            insn.encode().map_err(|kind| here.error(kind))?;
            let actual = insn.opcode();
            if let Some(written) = item.opcode.filter(|&written| written != actual) {
                return Err(here.error(AsmErrorKind::Opcode { written, actual }));
            }
        }
        placed.push(here);
    }
    Ok(Layout { placed, labels: labels.named })
}

/// The instruction of a statement, with labels and names replaced by what they stand for.
fn resolve(
    labels: &Labels,
    resolver: &dyn Resolver,
    item: &Item<'_>,
    number: usize,
    at: InsnIdx,
) -> Result<What, AsmError> {
    let error = |kind| {
        let Token { line, column, kind: _ } = item.token;
        AsmError { line, column, kind }
    };
    let unknown = |goto: Goto<'_>| {
        error(AsmErrorKind::Unknown(match goto {
            Goto::Label(name) => name.to_owned(),
            Goto::Local { number, forward } => {
                alloc::format!("{number}{}", if forward { 'f' } else { 'b' })
            }
        }))
    };
    let distance = |label: InsnIdx| i128::from(label.0) - i128::from(at.0) - 1;
    let insn = match item.code {
        Code::Raw(raw) => return Ok(What::Raw(raw)),
        Code::Insn(insn) => insn,
        Code::Jump(insn, goto) => {
            let label = labels.find(goto, number).ok_or_else(|| unknown(goto))?;
            with_distance(insn, distance(label), item.token)?
        }
        Code::Call(goto) => match (labels.find(goto, number), goto) {
            (Some(label), _) => with_distance(Insn::Call(Call::Subprog(0)), distance(label), item.token)?,
            (None, Goto::Label(name)) => Insn::Call(resolver.call(name).ok_or_else(|| unknown(goto))?),
            (None, Goto::Local { .. }) => return Err(unknown(goto)),
        },
        Code::Imm64 { dst, name, addend } => {
            if let Some(&label) = labels.named.get(name).filter(|_| addend == 0) {
                let blank = Insn::LoadImm64 { dst, imm: ImmSource::Func(0) };
                with_distance(blank, distance(label), item.token)?
            } else if let Some(imm) = resolver.imm64(name) {
                let imm = displaced(imm, addend);
                Insn::LoadImm64 { dst, imm: imm.ok_or_else(|| error(AsmErrorKind::Offset(name.to_owned())))? }
            } else {
                let constant = resolver.constant(name).ok_or_else(|| unknown(Goto::Label(name)))?;
                let sum = i128::from(constant).saturating_add(addend);
                let sum = range(item.token, "immediate", sum, i64::MIN.into(), u64::MAX.into())?;
                // The range is that of both signs, so the low half is the value.
                Insn::LoadImm64 { dst, imm: ImmSource::Value(sum as u64) }
            }
        }
    };
    Ok(What::Insn(insn))
}

/// What `addend` bytes after `imm` stands for.
fn displaced(imm: ImmSource, addend: i128) -> Option<ImmSource> {
    let moved = |off: u32| u32::try_from(i128::from(off).saturating_add(addend)).ok();
    match imm {
        _ if addend == 0 => Some(imm),
        ImmSource::MapValue { fd, off } => Some(ImmSource::MapValue { fd, off: moved(off)? }),
        ImmSource::MapIdxValue { index, off } => Some(ImmSource::MapIdxValue { index, off: moved(off)? }),
        ImmSource::Value(value) => u64::try_from(i128::from(value).saturating_add(addend)).ok().map(ImmSource::Value),
        ImmSource::MapFd(_) | ImmSource::BtfId { .. } | ImmSource::Func(_) | ImmSource::MapIdx(_) => None,
    }
}
