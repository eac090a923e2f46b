//! The typed instruction: one enum, grouped by family.

use crate::{InsnIdx, Reg};

/// Which half of a register an operation works on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Width {
    /// The low 32 bits; the result's high half becomes zero.
    W32,
    /// All 64 bits.
    W64,
}

/// How many bytes a memory access touches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Size {
    /// One byte.
    B1,
    /// Two bytes.
    B2,
    /// Four bytes.
    B4,
    /// Eight bytes.
    B8,
}

impl Size {
    /// In bytes: 1, 2, 4 or 8.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        match self {
            Self::B1 => 1,
            Self::B2 => 2,
            Self::B4 => 4,
            Self::B8 => 8,
        }
    }

    /// In bits: 8, 16, 32 or 64.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.bytes() * 8
    }
}

/// A second operand: a register, or a 32-bit immediate that is sign-extended to the operation's width.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Operand {
    /// A register.
    Reg(Reg),
    /// A sign-extended immediate.
    Imm(i32),
}

/// Two-operand arithmetic.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum AluOp {
    /// `dst += src`
    Add,
    /// `dst -= src`
    Sub,
    /// `dst *= src`
    Mul,
    /// Unsigned division; by zero gives zero.
    Div,
    /// Signed division; by zero gives zero, and the minimum by -1 gives the minimum.
    Sdiv,
    /// Unsigned remainder; by zero leaves `dst`.
    Mod,
    /// Signed remainder with the sign of the dividend; by zero leaves `dst`.
    Smod,
    /// `dst &= src`
    And,
    /// `dst |= src`
    Or,
    /// `dst ^= src`
    Xor,
    /// Left shift; a register amount is taken modulo the width.
    Lsh,
    /// Logical right shift.
    Rsh,
    /// Arithmetic right shift.
    Arsh,
}

impl AluOp {
    /// Every one, in the order above.
    pub const ALL: [Self; 13] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Sdiv,
        Self::Mod,
        Self::Smod,
        Self::And,
        Self::Or,
        Self::Xor,
        Self::Lsh,
        Self::Rsh,
        Self::Arsh,
    ];
}

/// What a byte-order instruction does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ByteOrder {
    /// Convert between host order and little endian, and truncate.
    Le,
    /// Convert between host order and big endian, and truncate.
    Be,
    /// Reverse the bytes whatever the host's order, and truncate.
    Swap,
}

/// A comparison, the condition of a branch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum CmpOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// Unsigned `>`
    Gt,
    /// Unsigned `>=`
    Ge,
    /// Unsigned `<`
    Lt,
    /// Unsigned `<=`
    Le,
    /// Signed `>`
    Sgt,
    /// Signed `>=`
    Sge,
    /// Signed `<`
    Slt,
    /// Signed `<=`
    Sle,
    /// `dst & src` is not zero.
    Set,
}

impl CmpOp {
    /// Every one, in the order above.
    pub const ALL: [Self; 11] = [
        Self::Eq,
        Self::Ne,
        Self::Gt,
        Self::Ge,
        Self::Lt,
        Self::Le,
        Self::Sgt,
        Self::Sge,
        Self::Slt,
        Self::Sle,
        Self::Set,
    ];
}

/// A read-modify-write that no other processor can divide.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum AtomicOp {
    /// Add; with `fetch`, the old value goes to the source register.
    Add {
        /// Whether the old value is returned.
        fetch: bool,
    },
    /// Bitwise or.
    Or {
        /// Whether the old value is returned.
        fetch: bool,
    },
    /// Bitwise and.
    And {
        /// Whether the old value is returned.
        fetch: bool,
    },
    /// Bitwise exclusive or.
    Xor {
        /// Whether the old value is returned.
        fetch: bool,
    },
    /// Exchange with the source register.
    Xchg,
    /// Store the source register if memory equals `r0`; the old value goes to `r0`.
    CmpXchg,
}

impl AtomicOp {
    /// The register that receives the old value, if the operation returns it.
    #[must_use]
    pub const fn fetched_into(self, src: Reg) -> Option<Reg> {
        match self {
            Self::Add { fetch } | Self::Or { fetch } | Self::And { fetch } | Self::Xor { fetch } => {
                if fetch {
                    Some(src)
                } else {
                    None
                }
            }
            Self::Xchg => Some(src),
            Self::CmpXchg => Some(Reg::R0),
        }
    }
}

/// What a 64-bit immediate stands for: the pseudo source of the instruction and its two 32-bit halves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ImmSource {
    /// The number itself.
    Value(u64),
    /// A map, by file descriptor (pseudo source 1).
    MapFd(i32),
    /// An address inside a map's only value, by file descriptor (2).
    MapValue {
        /// The map's descriptor.
        fd: i32,
        /// Bytes into the value.
        off: u32,
    },
    /// A kernel variable or function, by BTF id (3).
    BtfId {
        /// The BTF type id.
        id: u32,
        /// The descriptor of the module's BTF, 0 for the kernel's own.
        btf_fd: i32,
    },
    /// A function of this program, as the distance from the next slot to its first (4).
    Func(i32),
    /// A map, by index into the load request's array (5).
    MapIdx(i32),
    /// An address inside a map's only value, by index (6).
    MapIdxValue {
        /// Index into the load request's array.
        index: i32,
        /// Bytes into the value.
        off: u32,
    },
}

/// Where a legacy packet load takes its offset from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum PacketIndex {
    /// The immediate alone (`BPF_ABS`).
    Absolute,
    /// A register plus the immediate (`BPF_IND`).
    Indirect(Reg),
}

/// What is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Call {
    /// A helper, by number.
    Helper(i32),
    /// A function of this program: the distance from the next slot to its first.
    Subprog(i32),
    /// A kernel function: BTF id, and index into the load request's array of BTF descriptors (0: the kernel's own).
    Kfunc {
        /// BTF id of the function.
        id: i32,
        /// Index of the module's BTF, 0 for the kernel's.
        btf: i16,
    },
}

/// One instruction.
///
/// Jump offsets count slots from the slot after the instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Insn {
    /// `dst op= src`
    Alu {
        /// 32 or 64 bits.
        width: Width,
        /// The operation.
        op: AluOp,
        /// First operand and destination.
        dst: Reg,
        /// Second operand.
        src: Operand,
    },
    /// `dst = -dst`
    Neg {
        /// 32 or 64 bits.
        width: Width,
        /// Operand and destination.
        dst: Reg,
    },
    /// `dst = src`
    Mov {
        /// 32 or 64 bits.
        width: Width,
        /// Destination.
        dst: Reg,
        /// Source.
        src: Operand,
    },
    /// `dst = (sN)src`: sign-extending move.
    MovSx {
        /// 32 or 64 bits.
        width: Width,
        /// Destination.
        dst: Reg,
        /// Source.
        src: Reg,
        /// How many low bytes of the source are kept: 1, 2, or 4 (64-bit only).
        from: Size,
    },
    /// `dst = addr_space_cast(src, to, from)`
    AddrSpaceCast {
        /// Destination.
        dst: Reg,
        /// Source.
        src: Reg,
        /// Address space of the result.
        to: u16,
        /// Address space of the source.
        from: u16,
    },
    /// Byte-order conversion of the low `size` bytes, in place; the rest becomes zero.
    Endian {
        /// Which conversion.
        order: ByteOrder,
        /// Operand and destination.
        dst: Reg,
        /// 2, 4 or 8 bytes.
        size: Size,
    },
    /// `dst = imm64`, two slots.
    LoadImm64 {
        /// Destination.
        dst: Reg,
        /// What the immediate stands for.
        imm: ImmSource,
    },
    /// `r0 = packet[...]`: legacy load of a packet's bytes in network order; `r6` holds the context.
    LoadPacket {
        /// 1, 2 or 4 bytes.
        size: Size,
        /// Where the offset comes from.
        index: PacketIndex,
        /// Constant part of the offset.
        imm: i32,
    },
    /// `dst = *(size *)(base + off)`
    Load {
        /// Destination.
        dst: Reg,
        /// Base address.
        base: Reg,
        /// Bytes added to the base.
        off: i16,
        /// Bytes read.
        size: Size,
        /// Whether the result is sign-extended.
        signed: bool,
    },
    /// `*(size *)(base + off) = src`
    Store {
        /// Base address.
        base: Reg,
        /// Bytes added to the base.
        off: i16,
        /// Bytes written.
        size: Size,
        /// The value.
        src: Operand,
    },
    /// Atomic read-modify-write of 4 or 8 bytes.
    Atomic {
        /// The operation.
        op: AtomicOp,
        /// 4 or 8 bytes.
        size: Size,
        /// Base address.
        base: Reg,
        /// Bytes added to the base.
        off: i16,
        /// Operand, and for fetching forms the destination.
        src: Reg,
    },
    /// `dst = load_acquire(base + off)`
    LoadAcquire {
        /// Destination.
        dst: Reg,
        /// Base address.
        base: Reg,
        /// Bytes added to the base.
        off: i16,
        /// Bytes read.
        size: Size,
    },
    /// `store_release(base + off, src)`
    StoreRelease {
        /// Base address.
        base: Reg,
        /// Bytes added to the base.
        off: i16,
        /// Bytes written.
        size: Size,
        /// The value.
        src: Reg,
    },
    /// `goto +off` (16-bit form) or `gotol +off` (32-bit form).
    Jump {
        /// Slots from the next one.
        off: i32,
        /// Whether it is the 32-bit form.
        long: bool,
    },
    /// `gotox reg`: jump to the address in a register, which came from a table of instructions.
    JumpIndirect {
        /// The register.
        reg: Reg,
    },
    /// `if dst op src goto +off`
    Branch {
        /// Whether all 64 bits or the low 32 are compared.
        width: Width,
        /// The condition.
        op: CmpOp,
        /// First operand.
        dst: Reg,
        /// Second operand.
        src: Operand,
        /// Slots from the next one.
        off: i16,
    },
    /// `may_goto +off`: fall through, until the loop budget is used up.
    MayGoto {
        /// Slots from the next one.
        off: i16,
    },
    /// Call.
    Call(Call),
    /// Leave the function.
    Exit,
}

impl Insn {
    /// How many slots it takes: two for a 64-bit immediate load, otherwise one.
    #[must_use]
    pub const fn slots(&self) -> u32 {
        if matches!(self, Self::LoadImm64 { .. }) { 2 } else { 1 }
    }

    /// Where a direct jump, branch, `may_goto`, subprogram call or function address leads; `None` for the others, and
    /// where the target would be negative.
    #[must_use]
    pub fn target(&self, at: InsnIdx) -> Option<InsnIdx> {
        let off = match *self {
            Self::Jump { off, .. } => off,
            Self::Branch { off, .. } | Self::MayGoto { off } => i32::from(off),
            Self::Call(Call::Subprog(off)) => off,
            // Linux counts a function's address from the slot after the first half (`add_subprogs`).
            Self::LoadImm64 { imm: ImmSource::Func(off), .. } => off,
            Self::Alu { .. }
            | Self::Neg { .. }
            | Self::Mov { .. }
            | Self::MovSx { .. }
            | Self::AddrSpaceCast { .. }
            | Self::Endian { .. }
            | Self::LoadImm64 { .. }
            | Self::LoadPacket { .. }
            | Self::Load { .. }
            | Self::Store { .. }
            | Self::Atomic { .. }
            | Self::LoadAcquire { .. }
            | Self::StoreRelease { .. }
            | Self::JumpIndirect { .. }
            | Self::Call(Call::Helper(_) | Call::Kfunc { .. })
            | Self::Exit => return None,
        };
        at.offset(i64::from(off) + 1)
    }
}
