//! Typed objects of the host: structures by name, what they begin with, what a range of their bytes is, and what may be
//! loaded through a pointer to one.

mod access;
mod attach;
mod walk;

use alloc::format;
use alloc::string::{String, ToString};
use bpfvet_domain::Domain;

use bpfvet_btf::{Btf, TypeId};

use crate::cx::Cx;
use crate::failure::{Check, unsupported};
use crate::value::BtfRef;

pub(crate) use access::{check_access, in_read_section, load, load_map, store, store_map};
pub use attach::Attach;
pub(crate) use attach::load as load_argument;
pub(crate) use walk::Misfit;
use walk::{DEEPEST, Inside, step};

/// The host's structure of this name.
pub(crate) fn named<D: Domain>(cx: &Cx<'_, '_, D>, name: &str) -> Check<u32> {
    match cx.facts.platform.struct_named(name) {
        Some(id) => Ok(id.0),
        None => unsupported(format!("the host's structure {name}: its types are not at hand")),
    }
}

/// The name of a type, for messages.
pub(crate) fn name_of<D: Domain>(cx: &Cx<'_, '_, D>, btf: BtfRef, id: u32) -> String {
    let types = match btf {
        BtfRef::Host => cx.facts.platform.btf(),
        BtfRef::Program => cx.facts.request.btf.as_ref(),
    };
    types.and_then(|types| types.type_by_id(TypeId(id))).map_or("", |ty| ty.name()).to_string()
}

/// Bytes of a type of the host that is no structure; `None` for a structure or union.
pub(crate) fn size_unless_struct<D: Domain>(cx: &Cx<'_, '_, D>, id: u32) -> Check<Option<u32>> {
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

/// A structure of type `needed` lies `off` bytes into one of type `id`: it is that one, or its first member, or the first
/// member of that, and so on. With `strict`, only the first of these. (`btf_struct_ids_match`)
pub(crate) fn is_or_begins_with(types: &Btf, id: u32, off: u32, needed: u32, strict: bool) -> bool {
    if off == 0 && id == needed {
        return true;
    }
    let (mut id, mut off) = (TypeId(id), off);
    for _ in 0..DEEPEST {
        if strict {
            return false;
        }
        match step(types, id, (off, 1), false, &mut false) {
            Ok(Inside::Struct(inner)) if inner.0 == needed => return true,
            Ok(Inside::Struct(inner)) => (id, off) = (inner, 0),
            Ok(Inside::Pointer { .. } | Inside::Opaque | Inside::Scalar) | Err(_) => return false,
        }
    }
    false
}

/// What `size` bytes at `off` are, to the end of the walk, and whether it went through a union. (`btf_struct_access`)
fn walk<'f, D: Domain>(
    cx: &Cx<'_, 'f, D>,
    types: &'f Btf,
    id: u32,
    off: u32,
    size: u32,
) -> Result<(Inside<'f>, bool), Misfit> {
    let loose = cx.facts.features.reads_across_union_members();
    let (mut id, mut off, mut through_union) = (TypeId(id), off, false);
    for _ in 0..DEEPEST {
        match step(types, id, (off, size), loose, &mut through_union)? {
            Inside::Struct(inner) => (id, off) = (inner, 0),
            found @ (Inside::Pointer { .. } | Inside::Opaque | Inside::Scalar) => return Ok((found, through_union)),
        }
    }
    Err(Misfit { name: String::new(), off, reason: crate::violation::TypedAccessReason::NoField })
}
