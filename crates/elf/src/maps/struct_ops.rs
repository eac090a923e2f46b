//! Structures of operations: variables in `.struct_ops` whose members are programs.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bpfvet_btf::{Btf, Kind, Shape, TypeId, essential_name};
use bpfvet_platform::{MapDef, MapKind};

use super::{Map, Maps, kernel_name};
use crate::code::Code;
use crate::file::File;
use crate::{MapError, Options};

/// `BPF_F_LINK`: attached by a link.
const LINK: u32 = 1 << 13;

/// A structure of operations and the programs in it.
#[derive(Debug)]
pub(crate) struct StructOps {
    pub(crate) map: usize,
    /// The structure's name, without flavour.
    pub(crate) name: String,
    /// The members that are programs: name and index of the member, and the function.
    pub(crate) programs: Vec<(String, u32, usize)>,
}

impl Maps {
    pub(super) fn collect_struct_ops(&mut self, file: &File<'_>, btf: Option<&Btf>, code: &Code, options: &Options) {
        let Some(btf) = btf else { return };
        // By type and bit: the member there.
        let mut members: BTreeMap<TypeId, BTreeMap<u64, u32>> = BTreeMap::new();
        for full in [".struct_ops", ".struct_ops.link", "?.struct_ops", "?.struct_ops.link"] {
            let Some(number) = file.sections.iter().position(|section| section.name == full) else { continue };
            let Some(section) = btf.find_by_name_kind(full, Kind::Datasec).and_then(|id| btf.type_by_id(id)) else {
                continue;
            };
            let Shape::Datasec { size: _, variables } = section.shape() else { continue };
            let mut relocations: Vec<_> = file.relocations(number).collect();
            relocations.sort_by_key(|rel| rel.offset);
            let mut places: Vec<_> = variables.iter().collect();
            places.sort_by_key(|place| place.offset);
            for place in places {
                let Some(variable) = btf.type_by_id(place.ty) else { continue };
                let Shape::Var(var) = variable.shape() else { continue };
                let left_out = full.starts_with('?');
                let flags = if full.ends_with(".link") { LINK } else { 0 };
                let ty = btf.resolve(var.ty);
                let def = define(btf, variable.name(), ty.map(|ty| ty.id()), flags, options);
                let map = self.push(Map { name: variable.name().into(), section: full.into(), def, left_out });
                let Some((ty, Shape::Struct(composite))) = ty.map(|ty| (ty, ty.shape())) else { continue };
                let name = String::from_utf8_lossy(essential_name(ty.name_bytes())).into_owned();
                let start = u64::from(place.offset);
                let end = start.saturating_add(u64::from(composite.size));
                let inside = |from: u64| relocations.partition_point(|rel| rel.offset < from);
                let relocations = relocations.get(inside(start)..inside(end)).unwrap_or_default();
                if relocations.is_empty() {
                    continue;
                }
                let members = members.entry(ty.id()).or_insert_with(|| {
                    let members = (0_u32..).zip(composite.members());
                    members.map(|(index, member)| (u64::from(member.bit_offset), index)).collect::<BTreeMap<_, _>>()
                });
                let mut programs = Vec::new();
                for rel in relocations {
                    let bit = rel.offset.saturating_sub(start).saturating_mul(8);
                    let Some(&index) = members.get(&bit) else { continue };
                    let Some(member) = composite.member(index) else { continue };
                    let Some(symbol) = file.symbols.get(rel.symbol) else { continue };
                    let section = symbol.section.and_then(|number| code.by_number(number));
                    let slot = usize::try_from(symbol.value / 8).ok();
                    let function = section.zip(slot).and_then(|(section, slot)| code.function_at(section, slot));
                    programs.extend(function.map(|function| (String::from(member.name()), index, function)));
                }
                self.struct_ops.push(StructOps { map, name, programs });
            }
        }
    }
}

/// The map: its value is the kernel's structure around the operations where the kernel's types are known.
fn define(btf: &Btf, name: &str, ty: Option<TypeId>, flags: u32, options: &Options) -> Result<MapDef, MapError> {
    let ty = ty.and_then(|id| btf.type_by_id(id)).filter(|ty| ty.kind() == Kind::Struct && !ty.name_bytes().is_empty());
    let ty = ty.ok_or(MapError::Declaration("its type is not a named structure"))?;
    let Shape::Struct(composite) = ty.shape() else {
        return Err(MapError::Declaration("its type is not a named structure"));
    };
    let kernel = format!("bpf_struct_ops_{}", String::from_utf8_lossy(essential_name(ty.name_bytes())));
    let found = options.kernel_btf.find(&kernel, Kind::Struct).and_then(|found| options.kernel_btf.get(found));
    let size = found.and_then(|ty| ty.as_composite()).map_or(composite.size, |composite| composite.size);
    let mut def = MapDef::new(kernel_name(name), MapKind::STRUCT_OPS, 4, size, 1);
    def.flags = flags;
    Ok(def)
}
