//! Writes BTF, type by type.

use std::collections::BTreeMap;

use bpfvet_btf::{Btf, BtfError, Kind, TypeId};

/// One type, as the words that it is written as.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Words {
    pub(super) name: u32,
    pub(super) kind: u32,
    pub(super) flag: bool,
    pub(super) vlen: u32,
    /// Size, type or linkage.
    pub(super) word: u32,
    pub(super) body: Vec<u32>,
}

/// A set of types in the making.
#[derive(Clone, Debug)]
pub struct Builder {
    types: Vec<Words>,
    strings: Vec<u8>,
    /// Types that are alike are one type, if they have no name of their own.
    known: BTreeMap<Words, TypeId>,
}

impl Default for Builder {
    fn default() -> Self {
        Self { types: Vec::new(), strings: vec![0], known: BTreeMap::new() }
    }
}

impl Builder {
    /// Where a name stands among the strings.
    pub(super) fn name(&mut self, name: &str) -> u32 {
        if name.is_empty() {
            return 0;
        }
        let at = u32::try_from(self.strings.len()).unwrap_or(u32::MAX);
        self.strings.extend_from_slice(name.as_bytes());
        self.strings.push(0);
        at
    }

    /// A place for a type that is described later.
    pub(super) fn reserve(&mut self) -> TypeId {
        let void = Words { name: 0, kind: Kind::Ptr as u32, flag: false, vlen: 0, word: 0, body: Vec::new() };
        self.push(void)
    }

    /// Describes the type at a place.
    pub(super) fn set(&mut self, id: TypeId, words: Words) {
        let at = (id.0 as usize).wrapping_sub(1);
        if let Some(place) = self.types.get_mut(at) {
            *place = words;
        }
    }

    fn push(&mut self, words: Words) -> TypeId {
        self.types.push(words);
        TypeId(u32::try_from(self.types.len()).unwrap_or(u32::MAX))
    }

    /// A type without a name of its own, or a number: the one that is there already, if it is.
    fn shared(&mut self, words: Words) -> TypeId {
        if let Some(id) = self.known.get(&words) {
            return *id;
        }
        let id = self.push(words.clone());
        self.known.insert(words, id);
        id
    }

    /// A modifier, or a pointer.
    pub(super) fn modified(&mut self, kind: Kind, to: TypeId) -> TypeId {
        self.shared(Words { name: 0, kind: kind as u32, flag: false, vlen: 0, word: to.0, body: Vec::new() })
    }

    /// A type with a tag.
    pub(super) fn tagged(&mut self, tag: &str, to: TypeId) -> TypeId {
        let name = self.name(tag);
        self.push(Words { name, kind: Kind::TypeTag as u32, flag: false, vlen: 0, word: to.0, body: Vec::new() })
    }

    /// A tag on a declaration, or on one of its parts.
    pub(super) fn declared(&mut self, tag: &str, of: TypeId, part: Option<u32>) -> TypeId {
        let name = self.name(tag);
        let body = vec![part.unwrap_or(u32::MAX)];
        self.push(Words { name, kind: Kind::DeclTag as u32, flag: false, vlen: 0, word: of.0, body })
    }

    /// A number of so many bytes.
    pub(super) fn int(&mut self, name: &str, size: u32, encoding: u32) -> TypeId {
        let of = |words: &&Words| words.kind == Kind::Int as u32 && self.text(words.name) == name.as_bytes();
        if let Some(at) = self.types.iter().position(|words| of(&words)) {
            return TypeId(u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1));
        }
        let name = self.name(name);
        let body = vec![encoding << 24 | size.saturating_mul(8)];
        self.push(Words { name, kind: Kind::Int as u32, flag: false, vlen: 0, word: size, body })
    }

    /// So many elements of a type.
    pub(super) fn array(&mut self, element: TypeId, count: u32) -> TypeId {
        let index = self.int("unsigned int", 4, 0);
        let body = vec![element.0, index.0, count];
        self.shared(Words { name: 0, kind: Kind::Array as u32, flag: false, vlen: 0, word: 0, body })
    }

    /// A prototype: result, then name and type of each parameter.
    pub(super) fn proto(&mut self, returns: TypeId, params: &[(String, TypeId)]) -> TypeId {
        let body = params.iter().flat_map(|(name, ty)| [self.name(name), ty.0]).collect();
        let vlen = u32::try_from(params.len()).unwrap_or(u32::MAX);
        self.push(Words { name: 0, kind: Kind::FuncProto as u32, flag: false, vlen, word: returns.0, body })
    }

    fn text(&self, name: u32) -> &[u8] {
        let rest = self.strings.get(name as usize..).unwrap_or_default();
        rest.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// The set as bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut types = Vec::new();
        for Words { name, kind, flag, vlen, word, body } in &self.types {
            let info = u32::from(*flag) << 31 | kind << 24 | vlen;
            for word in [*name, info, *word].iter().chain(body) {
                types.extend(word.to_le_bytes());
            }
        }
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let mut out = vec![0x9f, 0xeb, 1, 0];
        for word in [24, 0, len(&types), len(&types), len(&self.strings)] {
            out.extend(word.to_le_bytes());
        }
        out.extend(types);
        out.extend(&self.strings);
        out
    }

    /// The set.
    ///
    /// # Errors
    ///
    /// Those of [`Btf::parse`].
    pub fn finish(&self) -> Result<Btf, BtfError> {
        Btf::parse(self.bytes())
    }
}
