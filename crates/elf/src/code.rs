//! Code sections: functions, and what the compiler recorded about them.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use bpfvet_btf::{Btf, BtfExt, CoreRecord, FuncRecord, LineRecord};
use bpfvet_insn::Raw;

use crate::file::{Binding, File, SectionType, Symbol, SymbolType};
use crate::reloc::Reloc;

/// A section of instructions.
#[derive(Debug)]
pub(crate) struct CodeSection {
    pub(crate) name: String,
    pub(crate) insns: Vec<Raw>,
    /// By ascending slot.
    pub(crate) relocs: Vec<Reloc>,
    /// Records of this section, by ascending offset in bytes.
    pub(crate) funcs: Vec<FuncRecord>,
    pub(crate) lines: Vec<LineRecord>,
    pub(crate) core: Vec<CoreRecord>,
}

/// A function: an entry program or something that programs call.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// Index among the code sections.
    pub(crate) section: usize,
    /// Its slots within the section.
    pub(crate) slots: Range<usize>,
    pub(crate) global: bool,
    /// Global, but not seen outside of the object: the kernel is told that it is static.
    pub(crate) hidden: bool,
    /// Its symbol does not fit the section; `slots` is empty then.
    pub(crate) out_of_bounds: bool,
}

/// The code of an object.
#[derive(Debug, Default)]
pub(crate) struct Code {
    pub(crate) sections: Vec<CodeSection>,
    /// By section and first slot.
    pub(crate) functions: Vec<Function>,
    /// By section number of the file: index among the code sections.
    by_number: Vec<Option<usize>>,
}

impl Code {
    /// The code sections and functions of a file; relocations come later.
    pub(crate) fn collect(file: &File<'_>, btf: Option<&Btf>, ext: Option<&BtfExt>) -> Self {
        let mut code = Self { by_number: alloc::vec![None; file.sections.len()], ..Self::default() };
        let mut by_section: BTreeMap<usize, Vec<&Symbol<'_>>> = BTreeMap::new();
        for symbol in &file.symbols {
            if let Some(section) = symbol.section {
                by_section.entry(section).or_default().push(symbol);
            }
        }
        let mut by_name = BTreeMap::new();
        for (number, section) in file.sections.iter().enumerate() {
            if !section.code || section.kind != SectionType::Data || section.data.is_empty() {
                continue;
            }
            let index = code.sections.len();
            if let Some(place) = code.by_number.get_mut(number) {
                *place = Some(index);
            }
            by_name.entry(section.name.as_bytes()).or_insert(index);
            let insns = section.data.as_chunks::<8>().0.iter().map(|bytes| Raw::from_bytes(*bytes)).collect();
            let (relocs, funcs, lines, core) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            code.sections.push(CodeSection { name: section.name.into(), insns, relocs, funcs, lines, core });
            code.add_functions(by_section.get(&number).map_or(&[], Vec::as_slice), index);
        }
        code.functions.sort_by_key(|function| (function.section, function.slots.start));
        if let Some((btf, ext)) = btf.zip(ext) {
            code.add_records(&by_name, btf, ext);
        }
        code
    }

    /// What the compiler recorded, by section.
    fn add_records(&mut self, by_name: &BTreeMap<&[u8], usize>, btf: &Btf, ext: &BtfExt) {
        let index = |name: u32| btf.bytes_at(name).and_then(|name| by_name.get(name)).copied();
        for (name, records) in ext.funcs() {
            if let Some(section) = index(name).and_then(|index| self.sections.get_mut(index)) {
                section.funcs.extend(records);
            }
        }
        for (name, records) in ext.lines() {
            if let Some(section) = index(name).and_then(|index| self.sections.get_mut(index)) {
                section.lines.extend(records);
            }
        }
        for (name, records) in ext.relocations() {
            if let Some(section) = index(name).and_then(|index| self.sections.get_mut(index)) {
                section.core.extend(records);
            }
        }
        for section in &mut self.sections {
            section.funcs.sort_by_key(|record| record.insn_off);
            section.lines.sort_by_key(|record| record.insn_off);
        }
    }

    /// The functions of one section. Compilers that wrote no function symbols get one function for each global symbol, or for the
    /// whole section.
    fn add_functions(&mut self, symbols: &[&Symbol<'_>], index: usize) {
        let Some(section) = self.sections.get(index) else { return };
        let len = section.insns.len();
        let before = self.functions.len();
        for symbol in symbols.iter().filter(|symbol| symbol.kind == SymbolType::Func) {
            let slots = slots(symbol.value, symbol.size, len);
            self.functions.push(Function {
                name: symbol.name.into(),
                section: index,
                out_of_bounds: slots.is_none(),
                slots: slots.unwrap_or_default(),
                global: symbol.binding != Binding::Local,
                hidden: symbol.binding != Binding::Local && symbol.hidden,
            });
        }
        if self.functions.len() > before {
            return;
        }
        let untyped =
            symbols.iter().filter(|symbol| symbol.kind == SymbolType::None && symbol.binding == Binding::Global);
        let mut starts: Vec<(usize, &str)> =
            untyped.filter_map(|symbol| Some((slots(symbol.value, 0, len)?.start, symbol.name))).collect();
        starts.sort_unstable();
        starts.dedup_by_key(|start| start.0);
        if starts.is_empty() {
            starts.push((0, section.name.as_str()));
        }
        let ends = starts.iter().skip(1).map(|&(start, _)| start).chain([len]);
        let found: Vec<_> =
            starts.iter().zip(ends).map(|(&(start, name), end)| (start..end, String::from(name))).collect();
        for (slots, name) in found {
            self.functions.push(Function {
                name,
                section: index,
                slots,
                global: true,
                hidden: false,
                out_of_bounds: false,
            });
        }
    }

    /// The code section with this number in the file.
    pub(crate) fn by_number(&self, number: usize) -> Option<usize> {
        self.by_number.get(number).copied().flatten()
    }

    /// The function that begins at this slot of this code section.
    pub(crate) fn function_at(&self, section: usize, slot: usize) -> Option<usize> {
        let key = (section, slot);
        let at = self.functions.partition_point(|function| (function.section, function.slots.start) < key);
        // Of several names for one place, the first that has code.
        let same =
            self.functions.get(at..)?.iter().take_while(|function| (function.section, function.slots.start) == key);
        same.enumerate().find(|(_, function)| !function.slots.is_empty()).map(|(nth, _)| at + nth)
    }
}

/// The slots of a function that begins at byte `value` and has `size` bytes, in a section of `len` slots.
fn slots(value: u64, size: u64, len: usize) -> Option<Range<usize>> {
    let (start, count) = (usize::try_from(value / 8).ok()?, usize::try_from(size / 8).ok()?);
    let end = start.checked_add(count)?;
    (value.is_multiple_of(8) && size.is_multiple_of(8) && end <= len).then_some(start..end)
}

/// The part of records, sorted by offset in bytes, that lies in these slots.
pub(crate) fn within<'a, T>(records: &'a [T], offset: impl Fn(&T) -> u32, slots: &Range<usize>) -> &'a [T] {
    let slot = |record: &T| (offset(record) / 8) as usize;
    let from = records.partition_point(|record| slot(record) < slots.start);
    let to = records.partition_point(|record| slot(record) < slots.end);
    records.get(from..to).unwrap_or_default()
}
