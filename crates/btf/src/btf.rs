//! A set of types and the look-ups on it.

use alloc::sync::Arc;
use core::fmt;
use core::ops::Range;

use crate::bytes::until_nul;
use crate::{Kind, Shape, Type};

/// The number of a type within its [`Btf`]; zero is `void`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TypeId(pub u32);

impl TypeId {
    /// `void`, which every set of types has.
    pub const VOID: Self = Self(0);
}

impl fmt::Display for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0)
    }
}

/// A set of types. It owns its bytes; a clone shares them.
///
/// A *split* set continues another one, its base: ids and string offsets below the base's counts are the base's.
///
/// ```text
///            base                        split
///  ids      0 1 2 … n-1                 n  n+1 …
///  strings  0 … s-1                     s  s+1 …
/// ```
#[derive(Clone)]
pub struct Btf {
    pub(crate) base: Option<Arc<Btf>>,
    /// The whole file.
    pub(crate) data: Arc<[u8]>,
    /// Where in `data` the strings lie.
    pub(crate) strings: Range<usize>,
    /// Where in `data` each own type begins, with the length of its body: the measured extent of the type.
    pub(crate) extents: Arc<[Extent]>,
    /// Decl tags of this set as (what they tag, tag), ascending.
    pub(crate) tags: Arc<[(TypeId, TypeId)]>,
    /// The id of the first own type: `extents[0]`. Without a base this is 1, after `void`.
    pub(crate) first_id: u32,
    /// The string offset of the first own string.
    pub(crate) first_string: u32,
}

/// Where a type lies in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) start: u32,
    pub(crate) body: u32,
}

impl fmt::Debug for Btf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Btf")
            .field("split", &self.base.is_some())
            .field("bytes", &self.data.len())
            .field("end_id", &self.end_id())
            .finish_non_exhaustive()
    }
}

impl Btf {
    /// The bytes it was read from.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The set that this one continues.
    #[must_use]
    pub fn base(&self) -> Option<&Arc<Self>> {
        self.base.as_ref()
    }

    /// The first id that is this set's own, not its base's: 1 without a base.
    #[must_use]
    pub fn first_id(&self) -> TypeId {
        TypeId(self.first_id)
    }

    /// The id after the last.
    #[must_use]
    pub fn end_id(&self) -> TypeId {
        TypeId(self.first_id.saturating_add(u32::try_from(self.extents.len()).unwrap_or(u32::MAX)))
    }

    /// The string offset after the last.
    pub(crate) fn end_string(&self) -> u32 {
        self.first_string.saturating_add(u32::try_from(self.strings.len()).unwrap_or(u32::MAX))
    }

    /// The type with this id; `None` past the end. Id 0 is `void`.
    #[must_use]
    pub fn type_by_id(&self, id: TypeId) -> Option<Type<'_>> {
        if id == TypeId::VOID {
            return Some(Type::void(self));
        }
        if id.0 < self.first_id {
            return self.base.as_deref()?.type_by_id(id);
        }
        let extent = self.extents.get(id.0.checked_sub(self.first_id)? as usize)?;
        let start = extent.start as usize;
        let end = start.checked_add(Type::HEAD)?.checked_add(extent.body as usize)?;
        Type::new(self, id, self.data.get(start..end)?)
    }

    /// Its own types in order of ids, without those of the base and without `void`.
    pub fn own_types(&self) -> impl Iterator<Item = Type<'_>> {
        (self.first_id..self.end_id().0).filter_map(|id| self.type_by_id(TypeId(id)))
    }

    /// All types in order of ids, those of the base first, without `void`.
    pub fn types(&self) -> impl Iterator<Item = Type<'_>> {
        (1..self.end_id().0).filter_map(|id| self.type_by_id(TypeId(id)))
    }

    /// The bytes of the string at this offset; `None` past the end, and for strings far longer than any name or line of code.
    #[must_use]
    pub fn bytes_at(&self, off: u32) -> Option<&[u8]> {
        if off < self.first_string {
            return self.base.as_deref()?.bytes_at(off);
        }
        until_nul(self.data.get(self.strings.clone())?, (off - self.first_string) as usize)
    }

    /// Whether the string at this offset is this one.
    #[must_use]
    pub fn string_is(&self, off: u32, text: &[u8]) -> bool {
        if off < self.first_string {
            return self.base.as_deref().is_some_and(|base| base.string_is(off, text));
        }
        let strings = self.data.get(self.strings.clone()).unwrap_or_default();
        let rest = strings.get((off - self.first_string) as usize..).and_then(|rest| rest.strip_prefix(text));
        rest.is_some_and(|rest| rest.first() == Some(&0))
    }

    /// The string at this offset; `None` past the end and where it is not UTF-8.
    #[must_use]
    pub fn string_at(&self, off: u32) -> Option<&str> {
        core::str::from_utf8(self.bytes_at(off)?).ok()
    }

    /// The first type of this kind and name, those of the base first. Looks at every type; see [`NameIndex`](crate::NameIndex) for
    /// many questions.
    #[must_use]
    pub fn find_by_name_kind(&self, name: &str, kind: Kind) -> Option<TypeId> {
        self.types().find(|ty| ty.kind() == kind && ty.is_named(name)).map(|ty| ty.id())
    }

    /// The tags on a type, or on one of its members or parameters, in order of their ids.
    pub fn decl_tags_of(&self, target: TypeId, component: Option<u32>) -> impl Iterator<Item = &str> {
        let base = self.base.as_deref().into_iter().flat_map(move |base| base.own_tags(target));
        base.chain(self.own_tags(target)).filter_map(move |tag| {
            let Shape::DeclTag { target: _, component: at } = tag.shape() else { return None };
            (at == component).then(|| tag.name())
        })
    }

    /// The tags of this set, not its base's, on anything of this type.
    fn own_tags(&self, target: TypeId) -> impl Iterator<Item = Type<'_>> {
        let from = self.tags.partition_point(|&(of, _)| of < target);
        let tags = self.tags.get(from..).unwrap_or_default();
        tags.iter().take_while(move |&&(of, _)| of == target).filter_map(|&(_, tag)| self.type_by_id(tag))
    }
}
