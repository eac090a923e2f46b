//! Structures of the host: by name, by what they begin with, and whether a range of bytes makes sense in them.

use alloc::format;
use alloc::string::{String, ToString};

use bpfvet_btf::{Btf, Composite, Shape, TypeId};

use crate::cx::Cx;
use crate::failure::{Check, unsupported};
use crate::value::BtfRef;
use crate::violation::TypedAccessReason;

/// How deep a walk goes. Types that nest deeper are nonsense.
const DEEPEST: usize = 64;

/// The host's structure of this name.
pub(super) fn named(cx: &Cx<'_, '_>, name: &str) -> Check<u32> {
    match cx.facts.platform.struct_named(name) {
        Some(id) => Ok(id.0),
        None => unsupported(format!("the host's structure {name}: its types are not at hand")),
    }
}

/// The name of a type, for messages.
pub(super) fn name_of(cx: &Cx<'_, '_>, btf: BtfRef, id: u32) -> String {
    let types = match btf {
        BtfRef::Host => cx.facts.platform.btf(),
        BtfRef::Program => cx.facts.request.btf.as_ref(),
    };
    types.and_then(|types| types.type_by_id(TypeId(id))).map_or("", |ty| ty.name()).to_string()
}

/// Bytes of a type of the host that is no structure; `None` for a structure or union.
pub(super) fn size_unless_struct(cx: &Cx<'_, '_>, id: u32) -> Check<Option<u32>> {
    let Some(types) = cx.facts.platform.btf() else {
        return unsupported("typed objects: the host's types are not at hand");
    };
    match types.resolve(TypeId(id)) {
        Some(ty) if ty.as_composite().is_some() => Ok(None),
        Some(ty) => match types.size_of(ty.id()) {
            Some(size) => Ok(Some(size)),
            None => unsupported("a per-CPU variable whose size is not known"),
        },
        None => unsupported("a per-CPU variable without a type"),
    }
}

/// What lies at an offset into a structure.
enum Inside {
    /// A structure that begins there.
    Struct(TypeId),
    /// A pointer, whole.
    Pointer,
    /// Bytes of a number or of an array of numbers.
    Scalar,
}

/// A structure of this type lies `off` bytes into one of type `id`: it is that one, or its first member, or the first member of
/// that, and so on. With `strict`, only the first of these. (`btf_struct_ids_match`)
pub(super) fn is_or_begins_with(types: &Btf, id: u32, off: u32, needed: u32, strict: bool) -> bool {
    if off == 0 && id == needed {
        return true;
    }
    let (mut id, mut off) = (TypeId(id), off);
    for _ in 0..DEEPEST {
        if strict {
            return false;
        }
        match inside(types, id, off, 1) {
            Ok(Inside::Struct(inner)) if inner.0 == needed => return true,
            Ok(Inside::Struct(inner)) => (id, off) = (inner, 0),
            Ok(Inside::Pointer | Inside::Scalar) | Err(_) => return false,
        }
    }
    false
}

/// Bytes of a structure that may be read in one go. (`btf_struct_access`)
pub(super) fn check_read(types: &Btf, id: u32, off: u32, size: u32) -> Result<(), TypedAccessReason> {
    let (mut id, mut off) = (TypeId(id), off);
    for _ in 0..DEEPEST {
        match inside(types, id, off, size)? {
            Inside::Struct(inner) => (id, off) = (inner, 0),
            Inside::Pointer | Inside::Scalar => return Ok(()),
        }
    }
    Err(TypedAccessReason::NoField)
}

/// A member's place and extent.
struct Field {
    /// Bytes from the start of the structure to the member, or to the element of it that is meant.
    start: u32,
    /// Bytes from the start of the structure to the member's end.
    end: u32,
    /// Its type, or that of its elements.
    ty: TypeId,
    /// Bytes of that type.
    size: u32,
}

/// What `size` bytes at `off` are. (`btf_struct_walk`)
fn inside(types: &Btf, id: TypeId, off: u32, size: u32) -> Result<Inside, TypedAccessReason> {
    let (mut id, mut off) = (id, off);
    let mut through_union = false;
    for _ in 0..DEEPEST {
        let ty = types.resolve(id).ok_or(TypedAccessReason::NoField)?;
        let composite = ty.as_composite().ok_or(TypedAccessReason::NoField)?;
        through_union |= matches!(ty.shape(), Shape::Union(_)) && composite.len() != 1;
        let end = off.checked_add(size).ok_or(TypedAccessReason::Beyond)?;
        if end > composite.size {
            match beyond(types, composite, off)? {
                (Inside::Struct(element), inner) => (id, off) = (element, inner),
                (Inside::Pointer | Inside::Scalar, _) => return Ok(Inside::Scalar),
            }
            continue;
        }
        let Some(field) = find(types, composite, off, size)? else { return Ok(Inside::Scalar) };
        let ty = types.resolve(field.ty).ok_or(TypedAccessReason::NoField)?;
        if ty.as_composite().is_some() {
            if off == field.start {
                return Ok(Inside::Struct(ty.id()));
            }
            (id, off) = (ty.id(), off - field.start);
            continue;
        }
        if ty.as_pointer().is_some() {
            let whole = off == field.start && size == field.size;
            return if whole { Ok(Inside::Pointer) } else { Err(TypedAccessReason::NoField) };
        }
        return if end > field.end && !through_union {
            Err(TypedAccessReason::CrossesField)
        } else {
            Ok(Inside::Scalar)
        };
    }
    Err(TypedAccessReason::NoField)
}

/// What lies beyond the end of a structure whose last member is an array without a length.
fn beyond(types: &Btf, composite: Composite<'_>, off: u32) -> Result<(Inside, u32), TypedAccessReason> {
    let beyond = TypedAccessReason::Beyond;
    let last = composite.len().checked_sub(1).and_then(|last| composite.member(last)).ok_or(beyond)?;
    let array = types.resolve(last.ty).and_then(|ty| ty.as_array()).filter(|array| array.count == 0).ok_or(beyond)?;
    let into = off.checked_sub(last.bit_offset / 8).ok_or(beyond)?;
    let element = types.resolve(array.element).ok_or(beyond)?;
    if matches!(element.shape(), Shape::Int(_)) {
        return Ok((Inside::Scalar, 0));
    }
    let size = element.as_composite().map_or(0, |element| element.size);
    let inner = into.checked_rem(size).ok_or(beyond)?;
    Ok((Inside::Struct(element.id()), inner))
}

/// The member that an access begins in; `None` where it covers a bit field, which is a number.
fn find(types: &Btf, composite: Composite<'_>, off: u32, size: u32) -> Result<Option<Field>, TypedAccessReason> {
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
        return Ok(Some(Field { start, end, ty, size }));
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
