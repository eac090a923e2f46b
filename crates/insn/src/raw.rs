//! The 8 bytes of a slot, split into fields but not yet understood.

use core::fmt;

/// The fields of one 8-byte slot, in the little-endian layout of RFC 9669 section 3.
///
/// ```text
/// byte    0       1        2 3     4 5 6 7
///      | code | src dst |  off  |   imm   |
///                4+4 bits
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Raw {
    /// Opcode byte.
    pub code: u8,
    /// Low nibble of the register byte, 0 to 15.
    pub dst: u8,
    /// High nibble of the register byte, 0 to 15.
    pub src: u8,
    /// Signed 16-bit offset.
    pub off: i16,
    /// Signed 32-bit immediate.
    pub imm: i32,
}

impl Raw {
    /// The fields of these bytes; every byte string has some.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        let [code, regs, o0, o1, i0, i1, i2, i3] = bytes;
        Self {
            code,
            dst: regs & 0xf,
            src: regs >> 4,
            off: i16::from_le_bytes([o0, o1]),
            imm: i32::from_le_bytes([i0, i1, i2, i3]),
        }
    }

    /// The bytes of these fields; of the register numbers only the low four bits are kept.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        let [o0, o1] = self.off.to_le_bytes();
        let [i0, i1, i2, i3] = self.imm.to_le_bytes();
        [self.code, (self.dst & 0xf) | (self.src << 4), o0, o1, i0, i1, i2, i3]
    }

    /// The value of one field, sign-extended where the field is signed.
    #[must_use]
    pub const fn field(self, field: Field) -> i32 {
        match field {
            Field::Code => self.code as i32,
            Field::Dst => self.dst as i32,
            Field::Src => self.src as i32,
            Field::Off => self.off as i32,
            Field::Imm => self.imm,
        }
    }
}

/// A field of a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Field {
    /// Opcode byte.
    Code,
    /// Destination register.
    Dst,
    /// Source register.
    Src,
    /// 16-bit offset.
    Off,
    /// 32-bit immediate.
    Imm,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "opcode",
            Self::Dst => "dst",
            Self::Src => "src",
            Self::Off => "off",
            Self::Imm => "imm",
        })
    }
}
