//! One type, decoded where it lies.

use core::fmt;

use crate::bytes::words;
use crate::parts::{Array, Composite, Enumeration, FuncLinkage, Int, Proto, VarInfos, VarLinkage, Variable};
use crate::{Btf, TypeId};

macro_rules! kinds {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        /// What kind a type is of (`BTF_KIND_*`).
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Kind {
            $(#[doc = concat!("`", $text, "`, number ", $number, ".")] $name = $number,)*
        }

        impl Kind {
            /// The kind with this number.
            #[must_use]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// Its name as the kernel's logs write it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

kinds! {
    Void = 0, "UNKNOWN"; Int = 1, "INT"; Ptr = 2, "PTR"; Array = 3, "ARRAY"; Struct = 4, "STRUCT"; Union = 5, "UNION";
    Enum = 6, "ENUM"; Fwd = 7, "FWD"; Typedef = 8, "TYPEDEF"; Volatile = 9, "VOLATILE"; Const = 10, "CONST";
    Restrict = 11, "RESTRICT"; Func = 12, "FUNC"; FuncProto = 13, "FUNC_PROTO"; Var = 14, "VAR"; Datasec = 15, "DATASEC";
    Float = 16, "FLOAT"; DeclTag = 17, "DECL_TAG"; TypeTag = 18, "TYPE_TAG"; Enum64 = 19, "ENUM64";
}

impl Kind {
    /// Bytes that follow the head of a type of this kind with `vlen` elements.
    pub(crate) const fn body_len(self, vlen: u32) -> usize {
        let vlen = vlen as usize;
        match self {
            Self::Void | Self::Ptr | Self::Fwd | Self::Typedef | Self::Volatile | Self::Const | Self::Restrict => 0,
            Self::Func | Self::Float | Self::TypeTag => 0,
            Self::Int | Self::Var | Self::DeclTag => 4,
            Self::Enum | Self::FuncProto => vlen * 8,
            Self::Array => 12,
            // At most 24 bits of elements: no overflow even on 32-bit machines.
            Self::Struct | Self::Union | Self::Datasec | Self::Enum64 => vlen * 12,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The three words that every type begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    name_off: u32,
    info: u32,
    pub(crate) word: u32,
}

impl Head {
    pub(crate) const fn from_words([name_off, info, word]: [u32; 3]) -> Self {
        Self { name_off, info, word }
    }

    /// Bits 24 to 30. Before Linux 7.1 the top two of them were reserved and zero.
    pub(crate) const fn kind_number(self) -> u32 {
        self.info >> 24 & 0x7f
    }

    /// Bits 0 to 23. Before Linux 7.1 the top eight of them were reserved and zero.
    pub(crate) const fn vlen(self) -> u32 {
        self.info & 0xff_ffff
    }
}

/// One type of a [`Btf`].
#[derive(Clone, Copy)]
pub struct Type<'a> {
    pub(crate) btf: &'a Btf,
    id: TypeId,
    head: Head,
    body: &'a [u8],
}

impl fmt::Debug for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {} {:?}", self.id, self.kind(), self.name())
    }
}

impl<'a> Type<'a> {
    /// Bytes of the head.
    pub(crate) const HEAD: usize = 12;

    pub(crate) const fn void(btf: &'a Btf) -> Self {
        Self { btf, id: TypeId::VOID, head: Head { name_off: 0, info: 0, word: 0 }, body: &[] }
    }

    pub(crate) fn new(btf: &'a Btf, id: TypeId, bytes: &'a [u8]) -> Option<Self> {
        let (head, body) = bytes.split_at_checked(Self::HEAD)?;
        Some(Self { btf, id, head: Head::from_words(words(head)), body })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> TypeId {
        self.id
    }

    /// Its kind; [`Kind::Void`] also where this crate does not know it.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match Kind::from_number(self.head.kind_number()) {
            Some(kind) => kind,
            None => Kind::Void,
        }
    }

    /// Its name; empty for anonymous types and for names that are not UTF-8.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.btf.string_at(self.head.name_off).unwrap_or_default()
    }

    /// The bytes of its name; empty for anonymous types.
    #[must_use]
    pub fn name_bytes(&self) -> &'a [u8] {
        self.btf.bytes_at(self.head.name_off).unwrap_or_default()
    }

    /// Whether this is its name.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.btf.string_is(self.head.name_off, name.as_bytes())
    }

    /// How many elements it has: members, enumerators, parameters, variables.
    #[must_use]
    pub const fn vlen(&self) -> u32 {
        self.head.vlen()
    }

    /// The kind flag, bit 31; what it means depends on the kind.
    #[must_use]
    pub const fn kind_flag(&self) -> bool {
        self.head.info >> 31 == 1
    }

    /// What it is made of.
    #[must_use]
    pub fn shape(&self) -> Shape<'a> {
        let word = self.head.word;
        let to = TypeId(word);
        match Kind::from_number(self.head.kind_number()) {
            Some(Kind::Void) => Shape::Void,
            Some(Kind::Int) => Shape::Int(Int::new(word, words(self.body))),
            Some(Kind::Ptr) => Shape::Ptr(to),
            Some(Kind::Array) => {
                let [element, index, count] = words(self.body);
                Shape::Array(Array { element: TypeId(element), index: TypeId(index), count })
            }
            Some(Kind::Struct) => Shape::Struct(Composite { ty: *self, size: word }),
            Some(Kind::Union) => Shape::Union(Composite { ty: *self, size: word }),
            Some(Kind::Enum) => Shape::Enum(Enumeration { ty: *self, size: word, wide: false }),
            Some(Kind::Enum64) => Shape::Enum64(Enumeration { ty: *self, size: word, wide: true }),
            Some(Kind::Fwd) => Shape::Fwd { union: self.kind_flag() },
            Some(Kind::Typedef) => Shape::Typedef(to),
            Some(Kind::Volatile) => Shape::Volatile(to),
            Some(Kind::Const) => Shape::Const(to),
            Some(Kind::Restrict) => Shape::Restrict(to),
            Some(Kind::TypeTag) => Shape::TypeTag(to),
            Some(Kind::Func) => Shape::Func { proto: to, linkage: FuncLinkage::from_number(self.vlen()) },
            Some(Kind::FuncProto) => Shape::FuncProto(Proto { ty: *self, returns: to }),
            Some(Kind::Var) => {
                let [linkage] = words(self.body);
                Shape::Var(Variable { ty: to, linkage: VarLinkage::from_number(linkage) })
            }
            Some(Kind::Datasec) => Shape::Datasec { size: word, variables: VarInfos { ty: *self } },
            Some(Kind::Float) => Shape::Float { size: word },
            Some(Kind::DeclTag) => {
                let [component] = words(self.body);
                Shape::DeclTag { target: to, component: (component != u32::MAX).then_some(component) }
            }
            None => Shape::Unknown,
        }
    }

    /// What a typedef, qualifier or type tag stands before; `None` for all other kinds.
    #[must_use]
    pub fn modified(&self) -> Option<TypeId> {
        match self.kind() {
            Kind::Typedef | Kind::Volatile | Kind::Const | Kind::Restrict | Kind::TypeTag => {
                Some(TypeId(self.head.word))
            }
            Kind::Void | Kind::Int | Kind::Ptr | Kind::Array | Kind::Struct | Kind::Union | Kind::Enum | Kind::Fwd => {
                None
            }
            Kind::Func | Kind::FuncProto | Kind::Var | Kind::Datasec | Kind::Float | Kind::DeclTag | Kind::Enum64 => {
                None
            }
        }
    }

    /// As a structure or union.
    #[must_use]
    pub fn as_composite(&self) -> Option<Composite<'a>> {
        match self.kind() {
            Kind::Struct | Kind::Union => Some(Composite { ty: *self, size: self.head.word }),
            Kind::Void
            | Kind::Int
            | Kind::Ptr
            | Kind::Array
            | Kind::Enum
            | Kind::Fwd
            | Kind::Typedef
            | Kind::Volatile => None,
            Kind::Const | Kind::Restrict | Kind::Func | Kind::FuncProto | Kind::Var | Kind::Datasec | Kind::Float => {
                None
            }
            Kind::DeclTag | Kind::TypeTag | Kind::Enum64 => None,
        }
    }

    /// As an integer.
    #[must_use]
    pub fn as_int(&self) -> Option<Int> {
        (self.kind() == Kind::Int).then(|| Int::new(self.head.word, words(self.body)))
    }

    /// As a variable.
    #[must_use]
    pub fn as_variable(&self) -> Option<Variable> {
        let [linkage] = words(self.body);
        (self.kind() == Kind::Var)
            .then(|| Variable { ty: TypeId(self.head.word), linkage: VarLinkage::from_number(linkage) })
    }

    /// As an enumeration of either width.
    #[must_use]
    pub fn as_enumeration(&self) -> Option<Enumeration<'a>> {
        match self.shape() {
            Shape::Enum(enumeration) | Shape::Enum64(enumeration) => Some(enumeration),
            Shape::Void | Shape::Int(_) | Shape::Ptr(_) | Shape::Array(_) | Shape::Struct(_) | Shape::Union(_) => None,
            Shape::Fwd { .. } | Shape::Typedef(_) | Shape::Volatile(_) | Shape::Const(_) | Shape::Restrict(_) => None,
            Shape::Func { .. } | Shape::FuncProto(_) | Shape::Var(_) | Shape::Datasec { .. } | Shape::Float { .. } => {
                None
            }
            Shape::DeclTag { .. } | Shape::TypeTag(_) | Shape::Unknown => None,
        }
    }

    /// As a pointer: what it points to.
    #[must_use]
    pub fn as_pointer(&self) -> Option<TypeId> {
        (self.kind() == Kind::Ptr).then_some(TypeId(self.head.word))
    }

    /// As an array.
    #[must_use]
    pub fn as_array(&self) -> Option<Array> {
        let [element, index, count] = words(self.body);
        (self.kind() == Kind::Array).then_some(Array { element: TypeId(element), index: TypeId(index), count })
    }

    /// As a function: its prototype.
    #[must_use]
    pub fn as_func(&self) -> Option<TypeId> {
        (self.kind() == Kind::Func).then_some(TypeId(self.head.word))
    }

    /// As a function prototype.
    #[must_use]
    pub fn as_proto(&self) -> Option<Proto<'a>> {
        (self.kind() == Kind::FuncProto).then_some(Proto { ty: *self, returns: TypeId(self.head.word) })
    }

    /// As a data section: its variables.
    #[must_use]
    pub fn as_section(&self) -> Option<VarInfos<'a>> {
        (self.kind() == Kind::Datasec).then_some(VarInfos { ty: *self })
    }

    /// The `N` words of the element at this index; `None` past the end.
    pub(crate) fn element<const N: usize>(&self, index: u32) -> Option<[u32; N]> {
        let at = (index as usize).checked_mul(N * 4)?;
        let end = at.checked_add(N * 4)?;
        self.body.get(at..end).map(words)
    }
}

/// What a type is made of.
#[derive(Clone, Copy, Debug)]
pub enum Shape<'a> {
    /// `void`.
    Void,
    /// An integer.
    Int(Int),
    /// A pointer to this type.
    Ptr(TypeId),
    /// An array.
    Array(Array),
    /// A structure.
    Struct(Composite<'a>),
    /// A union.
    Union(Composite<'a>),
    /// An enumeration of 32-bit values.
    Enum(Enumeration<'a>),
    /// A structure or union whose members are not known here.
    Fwd {
        /// A union, not a structure.
        union: bool,
    },
    /// Another name for this type.
    Typedef(TypeId),
    /// `volatile` of this type.
    Volatile(TypeId),
    /// `const` of this type.
    Const(TypeId),
    /// `restrict` of this type.
    Restrict(TypeId),
    /// A function.
    Func {
        /// Its prototype.
        proto: TypeId,
        /// Who sees it.
        linkage: FuncLinkage,
    },
    /// A function's prototype.
    FuncProto(Proto<'a>),
    /// A variable.
    Var(Variable),
    /// A data section.
    Datasec {
        /// Its bytes; compilers leave this zero.
        size: u32,
        /// What lies in it.
        variables: VarInfos<'a>,
    },
    /// A floating-point number.
    Float {
        /// Its bytes.
        size: u32,
    },
    /// A tag, its name, on a type, a member, a parameter, a variable or a function.
    DeclTag {
        /// What it tags.
        target: TypeId,
        /// The index of the member or parameter; `None` for the whole.
        component: Option<u32>,
    },
    /// A tag, its name, before this type.
    TypeTag(TypeId),
    /// An enumeration of 64-bit values.
    Enum64(Enumeration<'a>),
    /// A kind that this crate does not know.
    Unknown,
}
