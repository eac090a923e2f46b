//! Maps that hold an object's data: each section of variables is the only value of an array.

use alloc::string::String;
use alloc::sync::Arc;

use bpfvet_btf::{Btf, Kind, Shape, TypeId, VarLinkage};
use bpfvet_platform::{MapDef, MapKind};

use super::{LONGEST_NAME, Map, Maps, special_fields};
use crate::externs::Externs;
use crate::file::{File, Section, SectionType};
use crate::{MapError, Options, kconfig};

/// `BPF_F_MMAPABLE`: user space can map the value into its memory.
const MMAPABLE: u32 = 1 << 10;

/// What a section of data is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Data,
    ReadOnly,
    Zero,
    PerCpu,
}

impl Use {
    fn of(section: &Section<'_>) -> Option<Self> {
        let is =
            |name: &str| section.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        match section.kind {
            SectionType::Data if section.code => None,
            SectionType::Data if is(".data") => Some(Self::Data),
            SectionType::Data if is(".rodata") => Some(Self::ReadOnly),
            SectionType::Data if is(".percpu") => Some(Self::PerCpu),
            SectionType::NoData if is(".bss") => Some(Self::Zero),
            SectionType::Data | SectionType::NoData | SectionType::Rel | SectionType::Rela | SectionType::Other => None,
        }
    }
}

impl Maps {
    pub(super) fn collect_data(&mut self, file: &File<'_>, btf: Option<&Btf>, options: &Options) {
        for (number, section) in file.sections.iter().enumerate() {
            let Some(purpose) = Use::of(section) else { continue };
            if section.size == 0 {
                continue;
            }
            let def = u32::try_from(section.size).map_err(|_| MapError::TooLarge(section.size)).and_then(|size| {
                let per_cpu = purpose == Use::PerCpu;
                let kind = if per_cpu { MapKind::PERCPU_ARRAY } else { MapKind::ARRAY };
                let mut def = MapDef::new(&data_name(&options.name, section.name, per_cpu), kind, 4, size, 1);
                let ty = btf.and_then(|btf| btf.find_by_name_kind(section.name, Kind::Datasec)).unwrap_or_default();
                describe(&mut def, btf, ty, !per_cpu, options)?;
                if purpose == Use::ReadOnly {
                    def.flags |= MapDef::RDONLY_PROG;
                    def.frozen = Some(section.data.into());
                }
                Ok(def)
            });
            let map = self.push(Map { name: section.name.into(), section: section.name.into(), def, left_out: false });
            self.data.insert(number, (map, 0));
        }
    }

    /// The map of the kernel's configuration, if the object asks for any of it.
    pub(super) fn collect_kconfig(&mut self, externs: &Externs, btf: Option<&Btf>, options: &Options) {
        const NAME: &str = ".kconfig";
        let Some(size) = externs.kconfig_size() else { return };
        let mut def = MapDef::new(&data_name(&options.name, NAME, false), MapKind::ARRAY, 4, size, 1);
        let ty = btf.and_then(|btf| btf.find_by_name_kind(NAME, Kind::Datasec)).unwrap_or_default();
        let described = describe(&mut def, btf, ty, true, options);
        def.flags |= MapDef::RDONLY_PROG;
        def.frozen = kconfig::content(externs, size).map(Arc::from);
        self.kconfig = Some(self.push(Map {
            name: NAME.into(),
            section: NAME.into(),
            def: described.map(|()| def),
            left_out: false,
        }));
    }
}

/// Adds what the object's types say of a section: its own type, its special fields, and whether user space sees any of it.
fn describe(def: &mut MapDef, btf: Option<&Btf>, ty: TypeId, can_map: bool, options: &Options) -> Result<(), MapError> {
    let Some(btf) = btf else { return Ok(()) };
    let Some(Shape::Datasec { size: _, variables }) = btf.type_by_id(ty).map(|ty| ty.shape()) else { return Ok(()) };
    // The kernel takes no types from those without `CAP_BPF`, and loaders then create the map without any.
    if options.privilege.bpf {
        def.btf_value = ty.0;
        def.fields = special_fields(Some(btf), ty, def.value_size)?;
    }
    let seen = variables.iter().any(|variable| match btf.type_by_id(variable.ty).map(|ty| ty.shape()) {
        Some(Shape::Var(var)) => var.linkage != VarLinkage::Static,
        Some(_) | None => false,
    });
    if can_map && seen {
        def.flags |= MMAPABLE;
    }
    Ok(())
}

/// The kernel's name of a data map: as much of the object's name as there is room for, and the section's. Sections with two dots in
/// their name, and per-CPU ones, go by their own name.
fn data_name(object: &str, section: &str, per_cpu: bool) -> String {
    let suffix = section.len().clamp(7, LONGEST_NAME);
    let custom = section.get(1..).is_some_and(|rest| rest.contains('.'));
    let prefix = if custom || per_cpu { 0 } else { LONGEST_NAME - suffix };
    let bytes = object.bytes().take(prefix).chain(section.bytes().take(suffix));
    let plain =
        |byte: u8| if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' { char::from(byte) } else { '_' };
    bytes.map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::data_name;

    #[test]
    fn names_are_cut_as_loaders_cut_them() {
        assert_eq!(data_name("my_object_name", ".rodata", false), "my_objec.rodata");
        assert_eq!(data_name("my_object_name", ".bss", false), "my_objec.bss");
        assert_eq!(data_name("my_object_name", ".kconfig", false), "my_obje.kconfig");
        assert_eq!(data_name("x-y", ".data", false), "x_y.data");
        assert_eq!(data_name("x", ".rodata.str1.1", false), ".rodata.str1.1");
        assert_eq!(data_name("x", ".rodata.abracadabra", false), ".rodata.abracad");
        assert_eq!(data_name("x", ".percpu", true), ".percpu");
    }
}
