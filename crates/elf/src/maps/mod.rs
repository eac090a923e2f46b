//! Maps: declared, legacy, and those that hold an object's data.

mod data;
mod declared;
mod legacy;
mod struct_ops;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use bpfvet_btf::{Btf, FieldKind, SpecialError, SpecialField, TypeId};
use bpfvet_platform::{MapDef, MapField, MapKind};

use crate::code::Code;
use crate::externs::Externs;
use crate::file::File;
use crate::{MapError, Options};

pub(crate) use struct_ops::StructOps;

/// The section of maps that are declared by types.
pub(crate) const DECLARED: &str = ".maps";
/// The section of maps that are declared by records of numbers.
const LEGACY: &str = "maps";
/// Variables in the memory that programs share with user space.
const ARENA: &str = ".addr_space.1";
const JUMP_TABLES: &str = ".jumptables";

/// The longest name that the kernel keeps, in bytes.
const LONGEST_NAME: usize = 15;

/// A map of an object.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    /// Its whole name; the kernel's, in the definition, may be shorter.
    pub(crate) name: String,
    pub(crate) section: String,
    pub(crate) def: Result<MapDef, MapError>,
    /// Not created, unless asked; what refers to it is made invalid.
    pub(crate) left_out: bool,
}

/// The maps of an object.
#[derive(Debug, Default)]
pub(crate) struct Maps {
    pub(crate) list: Vec<Map>,
    /// By section number and offset: maps that are declared.
    declared: BTreeMap<(usize, u64), usize>,
    /// By section number: the map that holds the section's content, and where in it the section begins.
    data: BTreeMap<usize, (usize, u64)>,
    /// The number and content of the section of jump tables.
    jump_tables: Option<(usize, Vec<u8>)>,
    /// The map of the kernel's configuration.
    pub(crate) kconfig: Option<usize>,
    pub(crate) struct_ops: Vec<StructOps>,
}

impl Maps {
    /// The maps of a file, in the order in which loaders create them.
    pub(crate) fn collect(
        file: &File<'_>,
        btf: Option<&Btf>,
        externs: &Externs,
        code: &Code,
        options: &Options,
    ) -> Self {
        let mut maps = Self::default();
        maps.collect_declared(file, btf, options);
        maps.collect_legacy(file, btf);
        maps.collect_data(file, btf, options);
        maps.collect_kconfig(externs, btf, options);
        maps.collect_struct_ops(file, btf, code, options);
        maps.place_arena(file, options);
        if let Some(number) = file.sections.iter().position(|section| section.name == JUMP_TABLES) {
            maps.jump_tables = file.sections.get(number).map(|section| (number, section.data.to_vec()));
        }
        maps
    }

    /// The map declared at this place.
    pub(crate) fn declared_at(&self, section: usize, offset: u64) -> Option<usize> {
        self.declared.get(&(section, offset)).copied()
    }

    /// Whether maps are declared in this section.
    pub(crate) fn holds_declarations(&self, section: usize) -> bool {
        self.declared.range((section, 0)..=(section, u64::MAX)).next().is_some()
    }

    /// The map that holds this section's content, and where in its value that begins.
    pub(crate) fn data_at(&self, section: usize) -> Option<(usize, u64)> {
        self.data.get(&section).copied()
    }

    /// Whether this is the section of jump tables.
    pub(crate) fn is_jump_tables(&self, section: usize) -> bool {
        self.jump_tables.as_ref().is_some_and(|&(number, _)| number == section)
    }

    /// The entries of the jump table at this place, bytes from the start of a code section; `None` where it does not fit.
    pub(crate) fn jump_table(&self, offset: u64, size: u64) -> Option<impl Iterator<Item = u64>> {
        let (_, content) = self.jump_tables.as_ref()?;
        if !offset.is_multiple_of(8) || !size.is_multiple_of(8) {
            return None;
        }
        let (start, len) = (usize::try_from(offset).ok()?, usize::try_from(size).ok()?);
        let table = content.get(start..start.checked_add(len)?)?;
        Some(table.as_chunks::<8>().0.iter().map(|entry| u64::from_le_bytes(*entry)))
    }

    fn push(&mut self, map: Map) -> usize {
        self.list.push(map);
        self.list.len() - 1
    }

    /// Variables in shared memory lie at its end, on pages of their own.
    fn place_arena(&mut self, file: &File<'_>, options: &Options) {
        let Some(number) = file.sections.iter().position(|section| section.name == ARENA) else { return };
        let arena = self.list.iter().enumerate().find_map(|(index, map)| match &map.def {
            Ok(def) if def.kind == MapKind::ARENA => Some((index, def.max_entries)),
            Ok(_) | Err(_) => None,
        });
        let (Some((map, pages)), Some(section)) = (arena, file.sections.get(number)) else { return };
        let page = u64::from(options.page_size.max(1));
        let all = u64::from(pages).saturating_mul(page);
        let taken = section.size.div_ceil(page).saturating_mul(page);
        self.data.insert(number, (map, all.saturating_sub(taken)));
    }
}

/// What the kernel keeps of a map's name.
fn kernel_name(name: &str) -> &str {
    let mut end = name.len().min(LONGEST_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or_default()
}

/// The special fields of a map's values. Where the kernel finds fault with the type, it creates the map without any; where it is
/// we who give up the search, the map cannot be judged.
fn special_fields(btf: Option<&Btf>, value: TypeId, size: u32) -> Result<Vec<MapField>, MapError> {
    let Some(btf) = btf.filter(|_| value != TypeId::VOID) else { return Ok(Vec::new()) };
    let found = match btf.special_fields(value, size, FieldKind::IN_MAPS) {
        Err(SpecialError::TooDeep) => {
            return Err(MapError::Declaration("its value is of a type too deep or too wide to be searched"));
        }
        found => found.unwrap_or_default(),
    };
    let field = |field: SpecialField| MapField {
        kind: field.kind,
        offset: field.offset,
        size: field.size,
        pointee: field.pointee.0,
        node: field.node,
    };
    Ok(found.into_iter().map(field).collect())
}
