//! The container: ELF sections, symbols and relocations, checked.

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;

use object::LittleEndian;
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader, SectionHeader, Sym};

use crate::ElfError;

/// An ELF relocatable for eBPF, taken apart.
#[derive(Debug)]
pub(crate) struct File<'a> {
    /// By section number; the first is the null section.
    pub(crate) sections: Vec<Section<'a>>,
    /// By symbol number; the first is the null symbol.
    pub(crate) symbols: Vec<Symbol<'a>>,
    /// By section number: the sections that hold relocations for it.
    tables: BTreeMap<usize, Vec<usize>>,
}

/// A section.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: SectionType,
    /// It holds instructions.
    pub(crate) code: bool,
    pub(crate) size: u64,
    /// Empty for sections that take no room in the file.
    pub(crate) data: &'a [u8],
    /// For relocations: the section that they apply to.
    pub(crate) info: u32,
}

/// What the ELF header says of a section, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SectionType {
    Data,
    NoData,
    Rel,
    Rela,
    Other,
}

/// A symbol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Symbol<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: SymbolType,
    pub(crate) binding: Binding,
    /// Hidden or internal: not seen outside of what it is linked into.
    pub(crate) hidden: bool,
    /// Its section; `None` for undefined ones.
    pub(crate) section: Option<usize>,
    /// It is in none of the file's sections (absolute, common).
    pub(crate) special: bool,
    pub(crate) value: u64,
    pub(crate) size: u64,
}

/// What a symbol names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SymbolType {
    None,
    Object,
    Func,
    Section,
    Other,
}

/// Who sees a symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Binding {
    Local,
    Global,
    Weak,
    Other,
}

impl Symbol<'_> {
    /// A reference to something outside of the file.
    pub(crate) fn is_extern(&self) -> bool {
        self.section.is_none()
            && !self.special
            && self.kind == SymbolType::None
            && matches!(self.binding, Binding::Global | Binding::Weak)
    }
}

/// A relocation: the place, and what belongs there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rel {
    pub(crate) offset: u64,
    pub(crate) symbol: usize,
    pub(crate) addend: i64,
}

impl<'a> File<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, ElfError> {
        recognise(bytes)?;
        let malformed = |error: object::read::Error| ElfError::Malformed(error.to_string());
        let header = FileHeader64::<LittleEndian>::parse(bytes).map_err(|_| ElfError::Truncated)?;
        let endian = LittleEndian;
        let kind = header.e_type(endian);
        if kind != elf::ET_REL {
            return Err(ElfError::NotRelocatable { number: kind.0 });
        }
        let machine = header.e_machine(endian);
        // Old compilers did not write the machine.
        if machine != elf::EM_BPF && machine != elf::EM_NONE {
            return Err(ElfError::Machine { number: machine.0 });
        }
        let table = header.sections(endian, bytes).map_err(|_| ElfError::Truncated)?;
        let mut sections = Vec::with_capacity(table.len());
        for section in table.iter() {
            let name = table.section_name(endian, section).map_err(malformed)?;
            let data = section.data(endian, bytes).map_err(|_| ElfError::Truncated)?;
            sections.push(Section {
                name: core::str::from_utf8(name).unwrap_or("?"),
                kind: match section.sh_type(endian) {
                    elf::SHT_PROGBITS => SectionType::Data,
                    elf::SHT_NOBITS => SectionType::NoData,
                    elf::SHT_REL => SectionType::Rel,
                    elf::SHT_RELA => SectionType::Rela,
                    _ => SectionType::Other,
                },
                code: section.sh_flags(endian).0 & elf::SHF_EXECINSTR.0 != 0,
                size: section.sh_size(endian),
                data,
                info: section.sh_info(endian),
            });
        }
        let table = table.symbols(endian, bytes, elf::SHT_SYMTAB).map_err(malformed)?;
        let mut symbols = Vec::with_capacity(table.len());
        for symbol in table.iter() {
            let section = usize::from(symbol.st_shndx(endian).0);
            let special = section >= usize::from(elf::SHN_LORESERVE);
            if !special && section >= sections.len() {
                return Err(ElfError::Malformed("a symbol lies in a section that does not exist".into()));
            }
            let name = table.symbol_name(endian, symbol).map_err(malformed)?;
            symbols.push(Symbol {
                name: core::str::from_utf8(name).unwrap_or("?"),
                kind: match symbol.st_type() {
                    elf::STT_NOTYPE => SymbolType::None,
                    elf::STT_OBJECT => SymbolType::Object,
                    elf::STT_FUNC => SymbolType::Func,
                    elf::STT_SECTION => SymbolType::Section,
                    _ => SymbolType::Other,
                },
                binding: match symbol.st_bind() {
                    elf::STB_LOCAL => Binding::Local,
                    elf::STB_GLOBAL => Binding::Global,
                    elf::STB_WEAK => Binding::Weak,
                    _ => Binding::Other,
                },
                hidden: matches!(symbol.st_visibility(), elf::STV_HIDDEN | elf::STV_INTERNAL),
                section: (section != 0 && !special).then_some(section),
                special,
                value: symbol.st_value(endian),
                size: symbol.st_size(endian),
            });
        }
        let mut tables: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (number, section) in sections.iter().enumerate() {
            if matches!(section.kind, SectionType::Rel | SectionType::Rela) {
                tables.entry(section.info as usize).or_default().push(number);
            }
        }
        Ok(Self { sections, symbols, tables })
    }

    /// The first section with this name.
    pub(crate) fn section(&self, name: &str) -> Option<&Section<'a>> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The relocations for a section, from all the sections that hold some, in file order.
    pub(crate) fn relocations(&self, target: usize) -> impl Iterator<Item = Rel> + '_ {
        let tables = self.tables.get(&target).into_iter().flatten();
        tables.filter_map(|&number| self.sections.get(number)).flat_map(|table| {
            let len = if table.kind == SectionType::Rela { 24 } else { 16 };
            table.data.chunks_exact(len).map(rel)
        })
    }
}

/// One record of a relocation section: offset, type and symbol, addend if there is room for one.
fn rel(record: &[u8]) -> Rel {
    let mut words = record.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
    let (offset, info, addend) = (words.next(), words.next().unwrap_or_default(), words.next());
    Rel {
        offset: offset.unwrap_or_default(),
        symbol: (info >> 32) as usize,
        addend: addend.unwrap_or_default().cast_signed(),
    }
}

/// Tells what the bytes are, if they are not an ELF file of the right width and byte order.
fn recognise(bytes: &[u8]) -> Result<(), ElfError> {
    if bytes.is_empty() {
        return Err(ElfError::Empty);
    }
    if bytes.starts_with(b"!<arch>\n") || bytes.starts_with(b"!<thin>\n") {
        return Err(ElfError::Archive);
    }
    if !bytes.starts_with(&elf::ELFMAG) {
        return Err(ElfError::NotElf);
    }
    let (Some(&class), Some(&order)) = (bytes.get(4), bytes.get(5)) else { return Err(ElfError::Truncated) };
    if class == elf::ELFCLASS32.0 {
        return Err(ElfError::Bits32);
    }
    if order == elf::ELFDATA2MSB.0 {
        return Err(ElfError::BigEndian);
    }
    if class != elf::ELFCLASS64.0 || order != elf::ELFDATA2LSB.0 {
        return Err(ElfError::Malformed("unknown width or byte order".into()));
    }
    Ok(())
}
