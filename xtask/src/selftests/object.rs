//! The programs of a compiled test, and the section that describes them.

use anyhow::{Context as _, Result};
use object::read::elf::ElfFile64;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionFlags, SymbolKind};

/// `SHF_EXECINSTR`
const EXECUTABLE: u64 = 4;

/// A program as its object names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) section: String,
}

/// Programs in the order in which libbpf knows them: by section, then by place in it. Functions in `.text` are no programs.
pub(crate) fn programs(bytes: &[u8]) -> Result<Vec<Named>> {
    let file = open(bytes)?;
    let mut found = Vec::new();
    for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_global()) {
        let Some(index) = symbol.section_index() else { continue };
        let section = file.section_by_index(index)?;
        let name = section.name()?;
        let executable = matches!(section.flags(), SectionFlags::Elf { sh_flags, .. } if sh_flags.0 & EXECUTABLE != 0);
        if executable && !name.starts_with(".text") && symbol.size() > 0 {
            found.push((
                index.0,
                symbol.address(),
                Named { name: symbol.name()?.to_owned(), section: name.to_owned() },
            ));
        }
    }
    found.sort_by_key(|(section, place, _)| (*section, *place));
    Ok(found.into_iter().map(|(_, _, named)| named).collect())
}

/// The bytes of a section; `None` where there is none of that name.
pub(crate) fn section<'a>(bytes: &'a [u8], name: &str) -> Result<Option<&'a [u8]>> {
    open(bytes)?
        .section_by_name(name)
        .map(|section| section.data().context("a section lies outside its file"))
        .transpose()
}

fn open(bytes: &[u8]) -> Result<ElfFile64<'_>> {
    ElfFile64::parse(bytes).context("not an object file")
}
