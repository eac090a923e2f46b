//! Maps declared by records of numbers, in `maps`: type, key size, value size, entries, flags, and whatever else a loader added.

use alloc::format;
use alloc::vec::Vec;

use bpfvet_btf::{Btf, Kind, Shape, TypeId};
use bpfvet_platform::{MapDef, MapKind};

use super::{LEGACY, Map, Maps, kernel_name, special_fields};
use crate::MapError;
use crate::file::{Binding, File, Symbol, SymbolType};

impl Maps {
    pub(super) fn collect_legacy(&mut self, file: &File<'_>, btf: Option<&Btf>) {
        let Some(number) = file.sections.iter().position(|section| section.name == LEGACY) else { return };
        let Some(section) = file.sections.get(number) else { return };
        // Old compilers wrote neither the type nor the size of these symbols.
        let is_map = |symbol: &&Symbol<'_>| {
            let named = matches!(symbol.kind, SymbolType::Object | SymbolType::None) && !symbol.name.is_empty();
            named
                && symbol.section == Some(number)
                && (symbol.kind == SymbolType::Object || symbol.binding != Binding::Local)
        };
        let mut symbols: Vec<_> = file.symbols.iter().filter(is_map).collect();
        symbols.sort_by_key(|symbol| symbol.value);
        symbols.dedup_by_key(|symbol| symbol.value);
        let ends: Vec<_> = symbols.iter().skip(1).map(|symbol| symbol.value).chain([section.size]).collect();
        for (symbol, end) in symbols.into_iter().zip(ends) {
            let record = usize::try_from(symbol.value).ok().zip(usize::try_from(end).ok());
            let record = record.and_then(|(start, end)| section.data.get(start..end));
            let def = record.map(|record| define(symbol.name, record, btf));
            let def = def.unwrap_or(Err(TOO_SHORT));
            let map = self.push(Map { name: symbol.name.into(), section: LEGACY.into(), def, left_out: false });
            self.declared.insert((number, symbol.value), map);
        }
    }
}

const TOO_SHORT: MapError = MapError::Declaration("its record is shorter than the four numbers that it must have");

fn define(name: &str, record: &[u8], btf: Option<&Btf>) -> Result<MapDef, MapError> {
    let mut numbers = record.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
    let mut number = || numbers.next().ok_or(TOO_SHORT);
    let (kind, key_size, value_size, max_entries) = (number()?, number()?, number()?, number()?);
    let mut def = MapDef::new(kernel_name(name), MapKind(kind), key_size, value_size, max_entries);
    def.flags = numbers.next().unwrap_or_default();
    if let Some((key, value)) = annotation(name, btf, key_size, value_size) {
        (def.btf_key, def.btf_value) = (key.0, value.0);
        def.fields = special_fields(btf, value, value_size)?;
    }
    Ok(def)
}

/// The types of key and value, which a structure named after the map may tell.
fn annotation(name: &str, btf: Option<&Btf>, key_size: u32, value_size: u32) -> Option<(TypeId, TypeId)> {
    let btf = btf?;
    let id = btf.find_by_name_kind(&format!("____btf_map_{name}"), Kind::Struct)?;
    let Shape::Struct(composite) = btf.type_by_id(id)?.shape() else { return None };
    let (key, value) = (composite.member(0)?.ty, composite.member(1)?.ty);
    (btf.size_of(key) == Some(key_size) && btf.size_of(value) == Some(value_size)).then_some((key, value))
}
