//! Types by name, for many questions to one set of types.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::{Btf, Kind, Type, TypeId};

/// A name without its flavour: what comes before the last `___`, where something does.
///
/// CO-RE takes `task_struct___old` and `task_struct` for the same type.
#[must_use]
pub fn essential_name(name: &[u8]) -> &[u8] {
    // The kernel's rule: from the right, a `___` whose neighbours on both sides are not underscores, with a name before it.
    let len = name.len();
    for at in (0..len.saturating_sub(4)).rev() {
        if let Some(&[before, b'_', b'_', b'_', after]) = name.get(at..at + 5)
            && before != b'_'
            && after != b'_'
        {
            return name.get(..=at).unwrap_or(name);
        }
    }
    name
}

/// The own types of a [`Btf`] by name without flavour; the base's are not in it.
///
/// Built in one sort over hashes, with the names themselves as the tie-breaker: names made to collide cost no more than others.
#[derive(Clone, Debug, Default)]
pub struct NameIndex {
    /// Ascending by hash, essential name, id.
    entries: Vec<(u32, TypeId)>,
}

impl NameIndex {
    /// The index of the own types of `btf`. It answers only for this set.
    #[must_use]
    pub fn new(btf: &Btf) -> Self {
        let named = btf.own_types().filter(|ty| is_indexed(ty.kind()));
        let mut entries: Vec<_> = named
            .filter_map(|ty| {
                let name = essential_name(ty.name_bytes());
                (!name.is_empty()).then(|| (hash(name), ty.id()))
            })
            .collect();
        entries.sort_unstable_by(|&(hash, id), &(other, other_id)| {
            hash.cmp(&other)
                .then_with(|| if id == other_id { Ordering::Equal } else { stem(btf, id).cmp(stem(btf, other_id)) })
                .then_with(|| id.cmp(&other_id))
        });
        Self { entries }
    }

    /// The types with this name, flavours aside, in order of ids.
    pub fn with_essential_name<'a>(&'a self, btf: &'a Btf, name: &'a [u8]) -> impl Iterator<Item = Type<'a>> + 'a {
        let wanted = essential_name(name);
        let wanted_hash = hash(wanted);
        let compare = move |&(hash, id): &(u32, TypeId)| hash.cmp(&wanted_hash).then_with(|| stem(btf, id).cmp(wanted));
        let from = self.entries.partition_point(|entry| compare(entry) == Ordering::Less);
        let run = self.entries.get(from..).unwrap_or_default().iter();
        run.take_while(move |entry| compare(entry) == Ordering::Equal).filter_map(|&(_, id)| btf.type_by_id(id))
    }

    /// The first own type of this kind and name.
    #[must_use]
    pub fn find(&self, btf: &Btf, name: &str, kind: Kind) -> Option<TypeId> {
        let found = self
            .with_essential_name(btf, name.as_bytes())
            .find(|ty| ty.kind() == kind && ty.name_bytes() == name.as_bytes());
        found.map(|ty| ty.id())
    }
}

/// Kinds whose names people ask for: not tags, whose names are texts.
fn is_indexed(kind: Kind) -> bool {
    !matches!(kind, Kind::DeclTag | Kind::TypeTag)
}

fn stem(btf: &Btf, id: TypeId) -> &[u8] {
    essential_name(btf.type_by_id(id).map_or(&[], |ty| ty.name_bytes()))
}

/// FNV-1a, 32 bits.
fn hash(name: &[u8]) -> u32 {
    name.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
