//! What a range of bytes of a structure is: the walk through members, arrays and unions that every typed access makes.

use alloc::string::{String, ToString};

use bpfvet_btf::{Btf, Composite, Kind, Member, Shape, TypeId};

use crate::value::Flags;
use crate::violation::TypedAccessReason;

/// How deep a walk goes. Types that nest deeper are nonsense.
pub(super) const DEEPEST: usize = 64;

/// What lies at an offset into a structure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Inside<'a> {
    /// A structure that begins there.
    Struct(TypeId),
    /// A pointer to a structure, whole.
    Pointer {
        /// Name of the member that holds it.
        member: &'a str,
        /// The structure, without qualifiers.
        to: TypeId,
        /// What the member's type says of the pointer.
        flags: Flags,
    },
    /// A pointer to something else, whole.
    Opaque,
    /// Bytes of a number or of an array of numbers.
    Scalar,
}

/// Why a range of bytes makes no sense in a structure.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Misfit {
    /// Name of the structure in which the walk ended.
    pub(crate) name: String,
    /// Bytes from its start.
    pub(crate) off: u32,
    /// What is wrong.
    pub(crate) reason: TypedAccessReason,
}

/// One step of a walk: as far as the next structure that begins at the offset, or to the end.
///
/// Unions leave open which member counts: `through_union` is set once one was crossed, and what is found then may be a pointer
/// only by name. With `loose`, a number that is found so may go beyond its member. (`btf_struct_walk`, Linux 7.3)
pub(super) fn step<'a>(
    types: &'a Btf,
    id: TypeId,
    (off, size): (u32, u32),
    loose: bool,
    through_union: &mut bool,
) -> Result<Inside<'a>, Misfit> {
    let (mut id, mut off) = (id, off);
    let mut name = "";
    for _ in 0..DEEPEST {
        let misfit = |name: &str, off, reason| Misfit { name: name.to_string(), off, reason };
        let ty = types.resolve(id).ok_or_else(|| misfit(name, off, TypedAccessReason::NotAStruct))?;
        name = ty.name();
        let composite = ty.as_composite().ok_or_else(|| misfit(name, off, TypedAccessReason::NotAStruct))?;
        *through_union |= matches!(ty.shape(), Shape::Union(_)) && composite.len() != 1;
        let end = off.checked_add(size).ok_or_else(|| misfit(name, off, TypedAccessReason::Beyond))?;
        if end > composite.size {
            match tail(types, composite, off).ok_or_else(|| misfit(name, off, TypedAccessReason::Beyond))? {
                Tail::Numbers => return Ok(Inside::Scalar),
                Tail::Structs { element, into } => (id, off) = (element, into),
            }
            continue;
        }
        let found = find(types, composite, off, size).map_err(|reason| misfit(name, off, reason))?;
        let Some(field) = found else { return Ok(Inside::Scalar) };
        let ty = types.resolve(field.ty).ok_or_else(|| misfit(name, off, TypedAccessReason::NoField))?;
        if ty.as_composite().is_some() {
            if off == field.start {
                return Ok(Inside::Struct(ty.id()));
            }
            (id, off) = (ty.id(), off - field.start);
            continue;
        }
        let member = field.member.name();
        if ty.as_pointer().is_some() {
            if off != field.start || size != field.size {
                let reason = TypedAccessReason::PartOfPointer { member: member.to_string(), start: field.start };
                return Err(misfit(name, off, reason));
            }
            let Some(Pointee { id: to, flags }) = pointee(types, ty.id(), &WALKED) else {
                return Err(misfit(name, off, TypedAccessReason::ContradictingTags));
            };
            let structure = types.type_by_id(to).is_some_and(|to| to.as_composite().is_some());
            return Ok(if structure { Inside::Pointer { member, to, flags } } else { Inside::Opaque });
        }
        if end > field.end && !(*through_union && loose) {
            let reason = TypedAccessReason::CrossesField { member: member.to_string(), end: field.end };
            return Err(misfit(name, off, reason));
        }
        return Ok(Inside::Scalar);
    }
    Err(Misfit { name: name.to_string(), off, reason: TypedAccessReason::NoField })
}

/// Type tags that mean something in a structure, and what.
const WALKED: [(&str, Flags); 3] = [("user", Flags::USER), ("percpu", Flags::PERCPU), ("rcu", Flags::RCU)];

/// Type tags that mean something in a parameter, and what.
pub(super) const IN_PARAMETER: [(&str, Flags); 2] = [("user", Flags::USER), ("percpu", Flags::PERCPU)];

/// What a pointer points to.
pub(super) struct Pointee {
    /// The type, without qualifiers.
    pub(super) id: TypeId,
    /// What tags on the way say of the pointer.
    pub(super) flags: Flags,
}

/// Follows a pointer through qualifiers; `None` where two tags contradict each other. (`btf_type_tag_walk`)
pub(super) fn pointee(types: &Btf, pointer: TypeId, tags: &[(&str, Flags)]) -> Option<Pointee> {
    let mut id = types.type_by_id(pointer)?.as_pointer()?;
    let mut flags = Flags::NONE;
    for _ in 0..DEEPEST {
        let ty = types.type_by_id(id)?;
        let Some(next) = ty.modified() else { return Some(Pointee { id, flags }) };
        let tag = (ty.kind() == Kind::TypeTag && !ty.kind_flag()).then(|| ty.name());
        if let Some((_, meaning)) = tags.iter().find(|(name, _)| tag == Some(*name)) {
            if flags != Flags::NONE && flags != *meaning {
                return None;
            }
            flags = *meaning;
        }
        id = next;
    }
    None
}

/// What lies beyond a structure whose last member is an array without a length.
enum Tail {
    /// Numbers.
    Numbers,
    /// Structures, and the offset into one of them.
    Structs { element: TypeId, into: u32 },
}

fn tail(types: &Btf, composite: Composite<'_>, off: u32) -> Option<Tail> {
    let last = composite.member(composite.len().checked_sub(1)?)?;
    let array = types.resolve(last.ty)?.as_array().filter(|array| array.count == 0)?;
    let into = off.checked_sub(last.bit_offset / 8)?;
    let element = types.resolve(array.element)?;
    if matches!(element.shape(), Shape::Int(_)) {
        return Some(Tail::Numbers);
    }
    let into = into.checked_rem(element.as_composite()?.size)?;
    Some(Tail::Structs { element: element.id(), into })
}

/// A member's place and extent.
struct Field<'a> {
    member: Member<'a>,
    /// Bytes from the start of the structure to the member, or to the element of it that is meant.
    start: u32,
    /// Bytes from the start of the structure to the member's end.
    end: u32,
    /// Its type, or that of its elements.
    ty: TypeId,
    /// Bytes of that type.
    size: u32,
}

/// The member that an access begins in; `None` where it covers a bit field, which is a number.
fn find<'a>(
    types: &Btf,
    composite: Composite<'a>,
    off: u32,
    size: u32,
) -> Result<Option<Field<'a>>, TypedAccessReason> {
    let end = off.saturating_add(size);
    for member in composite.members() {
        let start = member.bit_offset / 8;
        if end <= start {
            break;
        }
        if member.bits != 0 {
            let last = member.bit_offset.saturating_add(member.bits).div_ceil(8);
            if off <= start && last <= end {
                return Ok(None);
            }
            continue;
        }
        if off < start {
            break;
        }
        let bytes = types.size_of(member.ty).ok_or(TypedAccessReason::NoField)?;
        let end = start.saturating_add(bytes);
        if off >= end {
            continue;
        }
        let (ty, size) = element(types, member.ty)?;
        let index = (off - start).checked_div(size).ok_or(TypedAccessReason::NoField)?;
        let start = if is_array(types, member.ty) { start + index * size } else { start };
        return Ok(Some(Field { member, start, end, ty, size }));
    }
    Err(TypedAccessReason::NoField)
}

fn is_array(types: &Btf, id: TypeId) -> bool {
    types.resolve(id).is_some_and(|ty| ty.as_array().is_some())
}

/// The type that an array is made of, through all its dimensions, and its bytes; the type itself where it is no array.
fn element(types: &Btf, id: TypeId) -> Result<(TypeId, u32), TypedAccessReason> {
    let mut id = id;
    for _ in 0..DEEPEST {
        let ty = types.resolve(id).ok_or(TypedAccessReason::NoField)?;
        match ty.as_array() {
            Some(array) => id = array.element,
            None => return types.size_of(ty.id()).map(|size| (ty.id(), size)).ok_or(TypedAccessReason::NoField),
        }
    }
    Err(TypedAccessReason::NoField)
}
