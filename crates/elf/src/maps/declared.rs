//! Maps declared by types, in `.maps`: `__uint(type, …)` is a pointer to an array of that many, `__type(key, …)` a pointer to it.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use bpfvet_btf::{Btf, Composite, Kind, Member, Shape, TypeId};
use bpfvet_platform::{MapDef, MapKind};

use super::{DECLARED, Map, Maps, kernel_name, special_fields};
use crate::file::{File, SymbolType};
use crate::{MapError, Options};

impl Maps {
    pub(super) fn collect_declared(&mut self, file: &File<'_>, btf: Option<&Btf>, options: &Options) {
        let Some(number) = file.sections.iter().position(|section| section.name == DECLARED) else { return };
        let described = btf.and_then(|btf| Some((btf, btf.find_by_name_kind(DECLARED, Kind::Datasec)?)));
        let Some((btf, section)) = described else {
            self.collect_undescribed(file, number);
            return;
        };
        let Some(Shape::Datasec { size: _, variables }) = btf.type_by_id(section).map(|ty| ty.shape()) else { return };
        let mut places: alloc::vec::Vec<_> = variables.iter().collect();
        places.sort_by_key(|place| place.offset);
        for place in places {
            let Some(variable) = btf.type_by_id(place.ty) else { continue };
            let name = variable.name();
            let composite = variable.as_variable().and_then(|var| btf.resolve(var.ty)).map(|ty| ty.shape());
            let def = match composite {
                Some(Shape::Struct(declaration)) if declaration.size <= place.size => {
                    Declaration::read(btf, declaration, None)
                        .and_then(|declaration| declaration.define(name, btf, options))
                }
                Some(_) | None => {
                    Err(MapError::Declaration("its declaration is not a structure that fits in its variable"))
                }
            };
            let map = self.push(Map { name: name.into(), section: DECLARED.into(), def, left_out: false });
            self.declared.insert((number, u64::from(place.offset)), map);
        }
    }

    /// Without types, symbols still tell where the maps are.
    fn collect_undescribed(&mut self, file: &File<'_>, number: usize) {
        let symbols =
            file.symbols.iter().filter(|symbol| symbol.section == Some(number) && symbol.kind == SymbolType::Object);
        for symbol in symbols {
            let def = Err(MapError::NoBtf);
            let map = self.push(Map { name: symbol.name.into(), section: DECLARED.into(), def, left_out: false });
            self.declared.insert((number, symbol.value), map);
        }
    }
}

/// No declaration has as many parts.
const MOST_PARTS: u32 = 64;

/// What a declaration says, part by part; what it does not mention is zero.
#[derive(Default)]
struct Declaration {
    kind: u32,
    key_size: Option<u32>,
    value_size: Option<u32>,
    max_entries: u32,
    flags: u32,
    extra: u64,
    key: TypeId,
    value: TypeId,
    inner: Option<Box<Declaration>>,
}

impl Declaration {
    /// Reads a declaration; `outer` is the map that this one describes the values of.
    fn read(btf: &Btf, composite: Composite<'_>, outer: Option<&Self>) -> Result<Self, MapError> {
        if composite.len() > MOST_PARTS {
            return Err(MapError::Declaration("its declaration has more parts than there are"));
        }
        let mut this = Self::default();
        for (index, member) in (0_u32..).zip(composite.members()) {
            let name = member.name();
            let number = || number(btf, member);
            match name {
                "type" => this.kind = number()?,
                "max_entries" => this.max_entries = number()?,
                "map_flags" => this.flags = number()?,
                // Where memory is taken from, and the path that others find the map by, mean nothing to a program.
                "numa_node" => {
                    number()?;
                }
                "pinning" if number()? > 1 => return Err(field(member, "is neither 0 nor 1, by name")),
                "pinning" if outer.is_some() => return Err(field(member, "cannot be declared within a map's values")),
                "pinning" => {}
                "map_extra" => this.extra = long(btf, member)?,
                "key_size" => agree(&mut this.key_size, name, number()?)?,
                "value_size" => agree(&mut this.value_size, name, number()?)?,
                "key" => {
                    let (ty, size) = sized(btf, member)?;
                    agree(&mut this.key_size, name, size)?;
                    this.key = ty;
                }
                "value" => {
                    let (ty, size) = sized(btf, member)?;
                    agree(&mut this.value_size, name, size)?;
                    this.value = ty;
                }
                "values" => {
                    if outer.is_some() {
                        return Err(field(member, "cannot be declared within a map's values"));
                    }
                    if index.checked_add(1) != Some(composite.len()) {
                        return Err(field(member, "is not the last part of the declaration"));
                    }
                    agree(&mut this.value_size, name, 4)?;
                    this.read_values(btf, member)?;
                }
                _ => return Err(field(member, "is not a part of declarations that loaders know")),
            }
        }
        if this.kind == 0 { Err(MapError::Declaration("it does not say its type")) } else { Ok(this) }
    }

    /// What the values of a map of maps look like, or that the values are programs.
    fn read_values(&mut self, btf: &Btf, member: Member<'_>) -> Result<(), MapError> {
        let array = btf.type_by_id(member.ty).and_then(|ty| ty.as_array()).filter(|array| array.count == 0);
        let array = array.ok_or_else(|| field(member, "is not an array of unknown length"))?;
        let pointee = btf.resolve(array.element).and_then(|ty| ty.as_pointer());
        let element = pointee.and_then(|id| btf.resolve(id)).ok_or_else(|| field(member, "does not hold pointers"))?;
        match MapKind(self.kind) {
            MapKind::PROG_ARRAY if element.as_proto().is_some() => Ok(()),
            MapKind::PROG_ARRAY => Err(field(member, "does not hold pointers to functions")),
            MapKind::ARRAY_OF_MAPS | MapKind::HASH_OF_MAPS => {
                let Shape::Struct(inner) = element.shape() else {
                    return Err(field(member, "does not hold pointers to maps"));
                };
                self.inner = Some(Box::new(Self::read(btf, inner, Some(self))?));
                Ok(())
            }
            _ => Err(field(member, "belongs only to maps of maps and of programs")),
        }
    }

    /// The map that loaders make of it.
    fn define(self, name: &str, btf: &Btf, options: &Options) -> Result<MapDef, MapError> {
        let Self { kind, key_size, value_size, max_entries, flags, extra, key, value, inner } = self;
        let kind = MapKind(kind);
        let max_entries = match kind {
            MapKind::RINGBUF | MapKind::USER_RINGBUF => ring_size(max_entries, options.page_size),
            MapKind::PERF_EVENT_ARRAY if max_entries == 0 => options.possible_cpus,
            _ => max_entries,
        };
        let value_size = value_size.unwrap_or_default();
        let mut def = MapDef::new(kernel_name(name), kind, key_size.unwrap_or_default(), value_size, max_entries);
        def.flags = flags;
        def.extra = extra;
        // The kernel takes no types from those without `CAP_BPF`, and loaders then create the map without any.
        if takes_types(kind) && options.privilege.bpf {
            (def.btf_key, def.btf_value) = (key.0, value.0);
            def.fields = special_fields(Some(btf), value, value_size)?;
        }
        if let Some(inner) = inner {
            def.inner = Some(Box::new(inner.define(&format!("{name}.inner"), btf, options)?));
        }
        Ok(def)
    }
}

/// Whether the kernel accepts types for maps of this kind; loaders leave them out where it does not.
fn takes_types(kind: MapKind) -> bool {
    ![
        MapKind::PERF_EVENT_ARRAY,
        MapKind::CGROUP_ARRAY,
        MapKind::STACK_TRACE,
        MapKind::ARRAY_OF_MAPS,
        MapKind::HASH_OF_MAPS,
        MapKind::DEVMAP,
        MapKind::DEVMAP_HASH,
        MapKind::CPUMAP,
        MapKind::XSKMAP,
        MapKind::SOCKMAP,
        MapKind::SOCKHASH,
        MapKind::QUEUE,
        MapKind::STACK,
        MapKind::ARENA,
    ]
    .contains(&kind)
}

/// A ring's size: a power of two of pages. Other sizes are rounded up; zero stays, for the kernel to refuse.
fn ring_size(size: u32, page: u32) -> u32 {
    let page = page.max(1);
    if size == 0 || (size.is_multiple_of(page) && (size / page).is_power_of_two()) {
        return size;
    }
    // The next power of two of pages that is larger.
    let pages = (size / page).saturating_add(1).checked_next_power_of_two();
    pages.and_then(|pages| pages.checked_mul(page)).unwrap_or(size)
}

fn field(member: Member<'_>, problem: &'static str) -> MapError {
    MapError::Field { field: String::from(member.name()), problem }
}

/// Two ways of saying a size must say the same; zero says nothing.
fn agree(place: &mut Option<u32>, name: &str, size: u32) -> Result<(), MapError> {
    match *place {
        Some(other) if other != 0 && other != size => Err(MapError::Conflict { field: name.into(), size, other }),
        Some(_) | None => {
            *place = Some(size);
            Ok(())
        }
    }
}

/// `__uint`: the length of the array that is pointed to.
fn number(btf: &Btf, member: Member<'_>) -> Result<u32, MapError> {
    let pointee = btf.resolve(member.ty).and_then(|ty| ty.as_pointer());
    let array = pointee.and_then(|id| btf.type_by_id(id)).and_then(|ty| ty.as_array());
    array.map(|array| array.count).ok_or_else(|| field(member, "is not a number (a pointer to an array)"))
}

/// `__ulong`: the only value of an enumeration; or a `__uint`.
fn long(btf: &Btf, member: Member<'_>) -> Result<u64, MapError> {
    let Some(enumeration) = btf.resolve(member.ty).and_then(|ty| ty.as_enumeration()) else {
        return number(btf, member).map(u64::from);
    };
    match enumeration.enumerator(0) {
        Some(only) if enumeration.len() == 1 => Ok(only.value.cast_unsigned()),
        Some(_) | None => Err(field(member, "is not an enumeration of one value")),
    }
}

/// `__type`: what is pointed to, and its size.
fn sized(btf: &Btf, member: Member<'_>) -> Result<(TypeId, u32), MapError> {
    let pointee = btf
        .type_by_id(member.ty)
        .and_then(|ty| ty.as_pointer())
        .ok_or_else(|| field(member, "is not a pointer to a type"))?;
    let size = btf.size_of(pointee).ok_or_else(|| field(member, "points to a type without a size"))?;
    Ok((pointee, size))
}

#[cfg(test)]
mod tests {
    use super::ring_size;

    #[test]
    fn rings_are_powers_of_two_of_pages() {
        let cases =
            [(0, 0), (1, 4096), (4096, 4096), (4097, 8192), (3 * 4096, 16384), (8192, 8192), (u32::MAX, u32::MAX)];
        for (asked, size) in cases {
            assert_eq!(ring_size(asked, 4096), size, "{asked}");
        }
    }
}
