//! Function and line records, rebased onto the linked program.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bpfvet_btf::{Btf, FuncLinkage, Shape, TypeId};
use bpfvet_insn::InsnIdx;
use bpfvet_platform::{FuncInfo, LineInfo};

use crate::code::{CodeSection, Function, within};
use crate::{Object, ProgramEntry, ProgramError};

/// The section that holds a function, with the function.
fn source(object: &Object, function: usize) -> Option<(&CodeSection, &Function)> {
    let function = object.code.functions.get(function)?;
    Some((object.code.sections.get(function.section)?, function))
}

/// Where a byte of a code section is in the program, if the function that begins at `start` holds it.
fn rebase(byte: u32, function: &Function, start: usize) -> Option<InsnIdx> {
    let slot = (byte / 8) as usize;
    let at = slot.checked_sub(function.slots.start)?.checked_add(start)?;
    u32::try_from(at).ok().map(InsnIdx)
}

/// The records of the functions that were put one after another. A program without any has none for what it calls either.
pub(crate) fn funcs(object: &Object, placed: &[(usize, usize)]) -> Result<Vec<FuncInfo>, ProgramError> {
    let mut out: Vec<FuncInfo> = Vec::new();
    for (nth, &(index, start)) in placed.iter().enumerate() {
        let Some((section, function)) = source(object, index) else { continue };
        let records = within(&section.funcs, |record| record.insn_off, &function.slots);
        if records.is_empty() {
            if nth == 0 {
                return Ok(out);
            }
            return Err(ProgramError::NoFuncRecord(function.name.clone()));
        }
        let rebased = records.iter().filter_map(|record| {
            Some(FuncInfo { at: rebase(record.insn_off, function, start)?, type_id: record.ty.0 })
        });
        out.extend(rebased);
    }
    Ok(out)
}

/// The source lines of the functions that were put one after another.
pub(crate) fn lines(object: &Object, placed: &[(usize, usize)]) -> Vec<LineInfo> {
    let Some(btf) = object.btf.as_deref() else { return Vec::new() };
    let mut texts = Texts { btf, known: BTreeMap::new(), left: btf.data().len().saturating_mul(4) };
    let mut out = Vec::new();
    for &(index, start) in placed {
        let Some((section, function)) = source(object, index) else { continue };
        for record in within(&section.lines, |record| record.insn_off, &function.slots) {
            let Some(at) = rebase(record.insn_off, function, start) else { continue };
            let (file, text) = (texts.get(record.file_off), texts.get(record.line_off));
            out.push(LineInfo { at, file, text, line: record.line, column: record.column });
        }
    }
    out
}

/// Texts by string offset, each kept once. Strings may overlap, so that a small file could describe a great many: once several
/// times the file's size is spent, the rest are empty.
struct Texts<'a> {
    btf: &'a Btf,
    known: BTreeMap<u32, Arc<str>>,
    left: usize,
}

impl Texts<'_> {
    fn get(&mut self, off: u32) -> Arc<str> {
        if let Some(text) = self.known.get(&off) {
            return text.clone();
        }
        let text = self.btf.string_at(off).unwrap_or_default();
        let text: Arc<str> = match self.left.checked_sub(text.len()) {
            Some(left) => {
                self.left = left;
                text.into()
            }
            None => "".into(),
        };
        self.known.insert(off, text.clone());
        text
    }
}

/// The function that the program's tags name to be called when it throws; it is appended although nothing calls it.
pub(crate) fn exception_callback(object: &Object, entry: &ProgramEntry) -> Result<Option<usize>, ProgramError> {
    const TAG: &str = "exception_callback:";
    let Some(btf) = object.btf.as_deref() else { return Ok(None) };
    let Some(id) = func_type(object, entry.function) else { return Ok(None) };
    let global =
        btf.type_by_id(id).is_some_and(|ty| matches!(ty.shape(), Shape::Func { linkage: FuncLinkage::Global, .. }));
    let mut tags = btf.decl_tags_of(id, None).filter_map(|tag| tag.strip_prefix(TAG));
    // More than one is for the verifier to refuse.
    let (Some(name), None) = (tags.next(), tags.next()) else { return Ok(None) };
    let named = |function: &Function| {
        let section = object.code.sections.get(function.section);
        function.name == name && section.is_some_and(|section| section.name == ".text")
    };
    match object.code.functions.iter().position(named) {
        Some(index)
            if global && object.code.functions.get(index).is_some_and(|found| found.global && !found.hidden) =>
        {
            Ok(Some(index))
        }
        Some(_) | None => Err(ProgramError::ExceptionCallback(name.into())),
    }
}

/// The type of a function, from its record.
fn func_type(object: &Object, function: usize) -> Option<TypeId> {
    let (section, function) = source(object, function)?;
    let records = within(&section.funcs, |record| record.insn_off, &function.slots);
    records.first().map(|record| record.ty)
}
