//! The parts that types are made of: members, enumerators, parameters, variables.

use crate::{Btf, Type, TypeId};

/// An integer type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Int {
    /// Its bytes.
    pub size: u32,
    /// Where its bits begin; not zero only in bitfields of old compilers.
    pub bit_offset: u8,
    /// How many bits it has.
    pub bits: u8,
    /// It has a sign.
    pub signed: bool,
    /// It is a character.
    pub char: bool,
    /// It is a truth value.
    pub bool: bool,
}

impl Int {
    pub(crate) const fn new(size: u32, [word]: [u32; 1]) -> Self {
        let [bits, _, bit_offset, encoding] = word.to_le_bytes();
        Self { size, bit_offset, bits, signed: encoding & 1 != 0, char: encoding & 2 != 0, bool: encoding & 4 != 0 }
    }
}

/// An array type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Array {
    /// What it holds.
    pub element: TypeId,
    /// The type of an index.
    pub index: TypeId,
    /// How many it holds.
    pub count: u32,
}

/// A structure or union.
#[derive(Clone, Copy, Debug)]
pub struct Composite<'a> {
    pub(crate) ty: Type<'a>,
    /// Its bytes.
    pub size: u32,
}

impl<'a> Composite<'a> {
    /// How many members it has.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.ty.vlen()
    }

    /// Whether it has no member.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The member at this index.
    #[must_use]
    pub fn member(&self, index: u32) -> Option<Member<'a>> {
        let [name_off, ty, place] = self.ty.element(index)?;
        let (bit_offset, bits) = if self.ty.kind_flag() { (place & 0xff_ffff, place >> 24) } else { (place, 0) };
        Some(Member { btf: self.ty.btf, name_off, ty: TypeId(ty), bit_offset, bits })
    }

    /// Its members in order.
    pub fn members(&self) -> impl Iterator<Item = Member<'a>> + use<'a> {
        let this = *self;
        (0..self.len()).map_while(move |index| this.member(index))
    }
}

/// A member of a structure or union.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    btf: &'a Btf,
    name_off: u32,
    /// Its type.
    pub ty: TypeId,
    /// Bits from the start of the structure.
    pub bit_offset: u32,
    /// How many bits it has, for bitfields; 0 for other members.
    pub bits: u32,
}

/// An enumeration.
#[derive(Clone, Copy, Debug)]
pub struct Enumeration<'a> {
    pub(crate) ty: Type<'a>,
    /// Its bytes.
    pub size: u32,
    pub(crate) wide: bool,
}

impl<'a> Enumeration<'a> {
    /// How many values it has.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.ty.vlen()
    }

    /// Whether it has no value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether its values have a sign.
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        self.ty.kind_flag()
    }

    /// The value at this index.
    #[must_use]
    pub fn enumerator(&self, index: u32) -> Option<Enumerator<'a>> {
        let (name_off, value) = if self.wide {
            let [name_off, low, high] = self.ty.element(index)?;
            (name_off, i64::from(high.cast_signed()) << 32 | i64::from(low))
        } else {
            let [name_off, value] = self.ty.element(index)?;
            (name_off, i64::from(value.cast_signed()))
        };
        Some(Enumerator { btf: self.ty.btf, name_off, value })
    }

    /// Its values in order.
    pub fn enumerators(&self) -> impl Iterator<Item = Enumerator<'a>> + use<'a> {
        let this = *self;
        (0..self.len()).map_while(move |index| this.enumerator(index))
    }
}

/// A named value of an enumeration.
#[derive(Clone, Copy, Debug)]
pub struct Enumerator<'a> {
    btf: &'a Btf,
    name_off: u32,
    /// The value, sign-extended from the width of the enumeration's records.
    pub value: i64,
}

/// A function's prototype.
#[derive(Clone, Copy, Debug)]
pub struct Proto<'a> {
    pub(crate) ty: Type<'a>,
    /// What it returns.
    pub returns: TypeId,
}

impl<'a> Proto<'a> {
    /// How many parameters it has; an ellipsis counts as one, of type `void`.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.ty.vlen()
    }

    /// Whether it has no parameter.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The parameter at this index.
    #[must_use]
    pub fn param(&self, index: u32) -> Option<Param<'a>> {
        let [name_off, ty] = self.ty.element(index)?;
        Some(Param { btf: self.ty.btf, name_off, ty: TypeId(ty) })
    }

    /// Its parameters in order.
    pub fn params(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let this = *self;
        (0..self.len()).map_while(move |index| this.param(index))
    }
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param<'a> {
    btf: &'a Btf,
    name_off: u32,
    /// Its type.
    pub ty: TypeId,
}

macro_rules! named {
    ($($ty:ident)*) => {$(
        impl<'a> $ty<'a> {
            /// Its name; empty where it has none and where it is not UTF-8.
            #[must_use]
            pub fn name(&self) -> &'a str {
                self.btf.string_at(self.name_off).unwrap_or_default()
            }

            /// The bytes of its name.
            #[must_use]
            pub fn name_bytes(&self) -> &'a [u8] {
                self.btf.bytes_at(self.name_off).unwrap_or_default()
            }
        }
    )*};
}

named! { Member Enumerator Param }

/// A variable's type and linkage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Variable {
    /// Its type.
    pub ty: TypeId,
    /// Who sees it.
    pub linkage: VarLinkage,
}

/// The variables of a data section.
#[derive(Clone, Copy, Debug)]
pub struct VarInfos<'a> {
    pub(crate) ty: Type<'a>,
}

impl<'a> VarInfos<'a> {
    /// The variables in order.
    pub fn iter(&self) -> impl Iterator<Item = VarInfo> + use<'a> {
        let this = *self;
        (0..self.ty.vlen()).map_while(move |index| {
            let [ty, offset, size] = this.ty.element(index)?;
            Some(VarInfo { ty: TypeId(ty), offset, size })
        })
    }
}

/// Where a variable lies in its data section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VarInfo {
    /// The variable, or the extern function.
    pub ty: TypeId,
    /// Bytes from the start of the section; compilers leave this zero.
    pub offset: u32,
    /// Its bytes.
    pub size: u32,
}

/// Who sees a function (`BTF_FUNC_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FuncLinkage {
    /// This object file only.
    Static,
    /// Everyone; verified by itself.
    Global,
    /// Defined elsewhere.
    Extern,
    /// A number that has no meaning.
    Unknown(u32),
}

impl FuncLinkage {
    pub(crate) const fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Static,
            1 => Self::Global,
            2 => Self::Extern,
            other => Self::Unknown(other),
        }
    }

    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::Static => 0,
            Self::Global => 1,
            Self::Extern => 2,
            Self::Unknown(other) => other & 0xff_ffff,
        }
    }
}

/// Who sees a variable (`BTF_VAR_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VarLinkage {
    /// This object file only.
    Static,
    /// Everyone.
    Global,
    /// Defined elsewhere.
    Extern,
    /// A number that has no meaning.
    Unknown(u32),
}

impl VarLinkage {
    pub(crate) const fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Static,
            1 => Self::Global,
            2 => Self::Extern,
            other => Self::Unknown(other),
        }
    }

    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::Static => 0,
            Self::Global => 1,
            Self::Extern => 2,
            Self::Unknown(other) => other,
        }
    }
}
