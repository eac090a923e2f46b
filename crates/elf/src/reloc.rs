//! Relocations: what an instruction refers to.

use alloc::string::String;
use alloc::vec::Vec;

use bpfvet_insn::Raw;

use crate::RelocError;
use crate::code::Code;
use crate::externs::Externs;
use crate::file::{File, Rel, Symbol, SymbolType};
use crate::maps::Maps;

/// `call`, to a helper, a kernel function or a function of the program.
pub(crate) const CALL: u8 = 0x85;
/// The 64-bit immediate load.
pub(crate) const LD_IMM64: u8 = 0x18;
/// Pseudo source of `call` to a function of the program.
pub(crate) const PSEUDO_CALL: u8 = 1;

/// A relocation of one instruction.
#[derive(Clone, Debug)]
pub(crate) struct Reloc {
    /// Slot within the code section.
    pub(crate) slot: usize,
    pub(crate) target: Result<Target, RelocError>,
}

/// What an instruction refers to.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A map itself.
    Map(usize),
    /// A place in a map's value: its start; the instruction adds to it.
    Data { map: usize, offset: u64 },
    /// A symbol of the kernel or of its configuration.
    Extern(usize),
    /// A call: to this slot of this code section; the instruction adds to it.
    Call { section: usize, slot: usize },
    /// The address of a function: at this byte of this code section; the instruction adds to it.
    Func { section: usize, offset: u64 },
    /// A jump table: where in the section of jump tables.
    JumpTable { offset: u64, size: u64 },
}

/// Fills in the relocations of all code sections.
pub(crate) fn collect(file: &File<'_>, code: &mut Code, maps: &Maps, externs: &Externs) {
    for number in 0..file.sections.len() {
        let Some(index) = code.by_number(number) else { continue };
        let mut relocs = Vec::new();
        for rel in file.relocations(number) {
            let slot = usize::try_from(rel.offset / 8).unwrap_or(usize::MAX);
            let insn = code.sections.get(index).and_then(|section| section.insns.get(slot)).copied();
            // A relocation beyond the code belongs to no function and cannot matter.
            let Some(insn) = insn else { continue };
            let target = if rel.offset.is_multiple_of(8) {
                resolve(file, code, maps, externs, rel, insn)
            } else {
                Err(RelocError::Misplaced)
            };
            relocs.push(Reloc { slot, target });
        }
        relocs.sort_by_key(|reloc| reloc.slot);
        if let Some(section) = code.sections.get_mut(index) {
            section.relocs = relocs;
        }
    }
}

fn resolve(
    file: &File<'_>,
    code: &Code,
    maps: &Maps,
    externs: &Externs,
    rel: Rel,
    insn: Raw,
) -> Result<Target, RelocError> {
    let symbol = *file.symbols.get(rel.symbol).ok_or(RelocError::NoSymbol)?;
    if rel.addend != 0 {
        return Err(RelocError::Addend);
    }
    if insn.code != CALL && insn.code != LD_IMM64 {
        return Err(RelocError::Instruction);
    }
    if symbol.is_extern() {
        return externs
            .by_symbol(rel.symbol)
            .map(Target::Extern)
            .ok_or_else(|| RelocError::Undeclared(symbol.name.into()));
    }
    let number = symbol.section.ok_or_else(|| RelocError::NoSection(symbol.name.into()))?;
    let elsewhere = || RelocError::Section { symbol: display_name(file, symbol), section: section_name(file, number) };
    if insn.code == CALL {
        if insn.src != PSEUDO_CALL {
            return Err(RelocError::Instruction);
        }
        let section = code.by_number(number).ok_or_else(elsewhere)?;
        let slot = symbol.value.is_multiple_of(8).then(|| usize::try_from(symbol.value / 8).ok()).flatten();
        return Ok(Target::Call { section, slot: slot.ok_or(RelocError::Misplaced)? });
    }
    if let Some(section) = code.by_number(number) {
        return Ok(Target::Func { section, offset: symbol.value });
    }
    if maps.is_jump_tables(number) {
        return Ok(Target::JumpTable { offset: symbol.value, size: symbol.size });
    }
    if let Some((map, start)) = maps.data_at(number) {
        return Ok(Target::Data { map, offset: symbol.value.wrapping_add(start) });
    }
    if maps.holds_declarations(number) {
        // Symbols of old objects name the section, and the instruction the place in it.
        let inside = if symbol.kind == SymbolType::Section { u64::from(insn.imm.cast_unsigned()) } else { 0 };
        let place = symbol.value.wrapping_add(inside);
        let missing = || RelocError::NothingThere { symbol: display_name(file, symbol), what: "map" };
        return maps.declared_at(number, place).map(Target::Map).ok_or_else(missing);
    }
    Err(elsewhere())
}

fn section_name(file: &File<'_>, number: usize) -> String {
    file.sections.get(number).map(|section| section.name.into()).unwrap_or_default()
}

/// The name of a symbol; for symbols that stand for a section, the section's.
fn display_name(file: &File<'_>, symbol: Symbol<'_>) -> String {
    match symbol.section {
        Some(number) if symbol.name.is_empty() => section_name(file, number),
        Some(_) | None => symbol.name.into(),
    }
}
