//! What a relocation asks of a type.

macro_rules! kinds {
    ($($name:ident = $number:literal, $text:literal, $doc:literal;)*) => {
        /// What a CO-RE relocation asks (`enum bpf_core_relo_kind`).
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum RelocKind {
            $(#[doc = $doc] $name = $number,)*
        }

        impl RelocKind {
            /// The kind with this number.
            #[must_use]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// Its short name, as libbpf's messages have it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

kinds! {
    FieldByteOffset = 0, "byte_off", "Bytes from the start of the type to the field.";
    FieldByteSize = 1, "byte_sz", "Bytes of the field.";
    FieldExists = 2, "field_exists", "Whether the field is there.";
    FieldSigned = 3, "signed", "Whether the field has a sign.";
    FieldLshiftU64 = 4, "lshift_u64", "How far to shift a bitfield left within 64 bits, to drop what is above it.";
    FieldRshiftU64 = 5, "rshift_u64", "How far to shift it right then, to drop what was below it.";
    TypeIdLocal = 6, "local_type_id", "The id of the type in the program's own BTF.";
    TypeIdTarget = 7, "target_type_id", "The id of the type in the kernel's BTF.";
    TypeExists = 8, "type_exists", "Whether the type is there.";
    TypeSize = 9, "type_size", "Bytes of the type.";
    EnumvalExists = 10, "enumval_exists", "Whether the enumerator is there.";
    EnumvalValue = 11, "enumval_value", "The value of the enumerator.";
    TypeMatches = 12, "type_matches", "Whether the type is there with all that the local one has.";
}

impl RelocKind {
    /// It asks about a type as a whole.
    #[must_use]
    pub const fn is_about_type(self) -> bool {
        match self {
            Self::TypeIdLocal | Self::TypeIdTarget | Self::TypeExists | Self::TypeSize | Self::TypeMatches => true,
            Self::FieldByteOffset | Self::FieldByteSize | Self::FieldExists | Self::FieldSigned => false,
            Self::FieldLshiftU64 | Self::FieldRshiftU64 | Self::EnumvalExists | Self::EnumvalValue => false,
        }
    }

    /// It asks about a value of an enumeration.
    #[must_use]
    pub const fn is_about_enumerator(self) -> bool {
        match self {
            Self::EnumvalExists | Self::EnumvalValue => true,
            Self::TypeIdLocal | Self::TypeIdTarget | Self::TypeExists | Self::TypeSize | Self::TypeMatches => false,
            Self::FieldByteOffset | Self::FieldByteSize | Self::FieldExists | Self::FieldSigned => false,
            Self::FieldLshiftU64 | Self::FieldRshiftU64 => false,
        }
    }
}
