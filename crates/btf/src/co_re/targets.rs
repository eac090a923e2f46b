//! The types of a kernel and of its modules, ready for many look-ups.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::{Btf, Kind, NameIndex, Type, TypeId};

/// The types that a kernel offers: its own first, then those of its modules, each with an index by name.
///
/// Building the indexes is the costly part; a clone shares them, so one value serves every object.
#[derive(Clone, Default)]
pub struct Targets {
    sets: Arc<[(Arc<Btf>, NameIndex)]>,
}

/// A type within [`Targets`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TargetType {
    /// Which set of types: 0 for the kernel's own, 1 and up for modules.
    pub set: u32,
    /// Its id there.
    pub id: TypeId,
}

impl fmt::Debug for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sets.iter().map(|(btf, _)| btf)).finish()
    }
}

impl FromIterator<Arc<Btf>> for Targets {
    /// The kernel's types first.
    fn from_iter<I: IntoIterator<Item = Arc<Btf>>>(sets: I) -> Self {
        let indexed = sets.into_iter().map(|btf| {
            let index = NameIndex::new(&btf);
            (btf, index)
        });
        Self { sets: indexed.collect::<Vec<_>>().into() }
    }
}

impl From<Arc<Btf>> for Targets {
    /// A kernel without modules.
    fn from(kernel: Arc<Btf>) -> Self {
        Self::from_iter([kernel])
    }
}

impl Targets {
    /// Whether there is no set of types at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// The sets of types in order.
    pub fn sets(&self) -> impl Iterator<Item = &Arc<Btf>> {
        self.sets.iter().map(|(btf, _)| btf)
    }

    /// The set with this number.
    #[must_use]
    pub fn set(&self, number: u32) -> Option<&Arc<Btf>> {
        self.sets.get(number as usize).map(|(btf, _)| btf)
    }

    /// The type itself.
    #[must_use]
    pub fn get(&self, found: TargetType) -> Option<Type<'_>> {
        self.set(found.set)?.type_by_id(found.id)
    }

    /// The first type of this kind and name, the kernel's before a module's.
    #[must_use]
    pub fn find(&self, name: &str, kind: Kind) -> Option<TargetType> {
        (0_u32..)
            .zip(self.sets.iter())
            .find_map(|(set, (btf, index))| Some(TargetType { set, id: index.find(btf, name, kind)? }))
    }

    /// The types in one set with this name, flavours aside, by ascending id.
    pub(crate) fn named<'a>(&'a self, set: u32, name: &'a [u8]) -> impl Iterator<Item = Type<'a>> + 'a {
        let set = self.sets.get(set as usize).into_iter();
        set.flat_map(move |(btf, index)| index.with_essential_name(btf, name))
    }
}
