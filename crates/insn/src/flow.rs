//! What an instruction reads and writes, and where it leads.
//!
//! Two views of registers. [`Insn::uses`] and [`Insn::defs`] are the truth of the instruction set, in whole registers.
//! [`Insn::half_uses`] and [`Insn::half_defs`] are the terms of Linux's live-register analysis (`compute_insn_live_regs`,
//! Linux 7.3), in halves of registers; they say a little more is read than the truth, and what is live decides which states
//! the kernel finds alike.

use core::fmt;

use crate::{AtomicOp, Insn, InsnIdx, Operand, PacketIndex, Reg, RegSet, Size, Width};

/// A set of halves of registers: bit *n* is the low half of register *n*, bit *n* + 16 its high half.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct HalfSet(u32);

impl HalfSet {
    /// No half.
    pub const EMPTY: Self = Self(0);
    /// Both halves of every register.
    pub const ALL: Self = Self(0x0fff_0fff);

    /// The set with these bits; those that stand for no register are dropped.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// Its bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Low halves of these registers.
    #[must_use]
    pub const fn low(regs: RegSet) -> Self {
        Self(regs.bits() as u32)
    }

    /// Both halves of these registers.
    #[must_use]
    pub const fn both(regs: RegSet) -> Self {
        Self(regs.bits() as u32 | (regs.bits() as u32) << 16)
    }

    /// The part of one register that an operation of this width reads.
    #[must_use]
    const fn of(reg: Reg, width: Width) -> Self {
        match width {
            Width::W32 => Self::low(RegSet::of(reg)),
            Width::W64 => Self::both(RegSet::of(reg)),
        }
    }

    /// Registers of which a half is in the set.
    #[must_use]
    pub const fn regs(self) -> RegSet {
        self.low_regs().union(self.high_regs())
    }

    /// Registers whose low half is in the set.
    #[must_use]
    pub const fn low_regs(self) -> RegSet {
        RegSet::from_bits((self.0 & 0xffff) as u16)
    }

    /// Registers whose high half is in the set.
    #[must_use]
    pub const fn high_regs(self) -> RegSet {
        RegSet::from_bits((self.0 >> 16) as u16)
    }

    /// Halves in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Halves in this set and not in `other`.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether no half is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for HalfSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HalfSet").field("low", &self.low_regs()).field("high", &self.high_regs()).finish()
    }
}

/// Where control goes after an instruction, within its function.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Successors {
    /// Out of the function.
    Exit,
    /// To the next instruction. Calls too: they come back.
    Next(InsnIdx),
    /// To one other place.
    Jump(InsnIdx),
    /// To the next instruction or to another place.
    Branch {
        /// The next instruction.
        next: InsnIdx,
        /// The other place.
        target: InsnIdx,
    },
    /// To one of the places in the table that a register's value came from.
    Indirect,
    /// To a place before the program's first slot, or beyond the last position there can be.
    Outside,
}

impl Successors {
    /// The direct ones, at most two, the next instruction first (the order of `bpf_insn_successors`).
    pub fn iter(self) -> impl Iterator<Item = InsnIdx> {
        let (first, second) = match self {
            Self::Exit | Self::Indirect | Self::Outside => (None, None),
            Self::Next(at) | Self::Jump(at) => (Some(at), None),
            Self::Branch { next, target } => (Some(next), Some(target)),
        };
        first.into_iter().chain(second)
    }
}

impl Insn {
    /// Whether it takes one slot, leads to the next whatever happens, and names nothing outside itself: arithmetic, loads, stores.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        match self {
            Self::Alu { .. }
            | Self::Neg { .. }
            | Self::Mov { .. }
            | Self::MovSx { .. }
            | Self::AddrSpaceCast { .. }
            | Self::Endian { .. }
            | Self::Load { .. }
            | Self::Store { .. }
            | Self::Atomic { .. }
            | Self::LoadAcquire { .. }
            | Self::StoreRelease { .. } => true,
            Self::LoadImm64 { .. }
            | Self::LoadPacket { .. }
            | Self::Jump { .. }
            | Self::JumpIndirect { .. }
            | Self::Branch { .. }
            | Self::MayGoto { .. }
            | Self::Call(_)
            | Self::Exit => false,
        }
    }

    /// Where control goes from here, when this instruction is at `at`. Whether that is inside the program is not known here.
    ///
    /// A packet load that leaves the packet, and a tail call that succeeds, end the program; Linux counts the function's exit as
    /// their second successor. Where that is takes more than one instruction to know.
    #[must_use]
    pub fn successors(&self, at: InsnIdx) -> Successors {
        let Some(next) = at.offset(i64::from(self.slots())) else { return Successors::Outside };
        match self {
            Self::Exit => Successors::Exit,
            Self::JumpIndirect { .. } => Successors::Indirect,
            Self::Jump { .. } => self.target(at).map_or(Successors::Outside, Successors::Jump),
            Self::Branch { .. } | Self::MayGoto { .. } => {
                self.target(at).map_or(Successors::Outside, |target| Successors::Branch { next, target })
            }
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
            | Self::Call(_) => Successors::Next(next),
        }
    }

    /// Registers it reads. Of a call, all five argument registers: how many the callee reads is not known here.
    #[must_use]
    pub const fn uses(&self) -> RegSet {
        match *self {
            Self::Alu { dst, src, .. } | Self::Branch { dst, src, .. } => read(src).with(dst),
            Self::Neg { dst, .. } | Self::Endian { dst, .. } => RegSet::of(dst),
            Self::Mov { src, .. } => read(src),
            Self::MovSx { src, .. } | Self::AddrSpaceCast { src, .. } => RegSet::of(src),
            Self::LoadImm64 { .. } | Self::Jump { .. } | Self::MayGoto { .. } => RegSet::EMPTY,
            Self::LoadPacket { index, .. } => match index {
                PacketIndex::Absolute => RegSet::of(Reg::R6),
                PacketIndex::Indirect(reg) => RegSet::of(Reg::R6).with(reg),
            },
            Self::Load { base, .. } | Self::LoadAcquire { base, .. } => RegSet::of(base),
            Self::Store { base, src, .. } => read(src).with(base),
            Self::StoreRelease { base, src, .. } => RegSet::of(base).with(src),
            Self::Atomic { op, base, src, .. } => {
                let operands = RegSet::of(base).with(src);
                if matches!(op, AtomicOp::CmpXchg) { operands.with(Reg::R0) } else { operands }
            }
            Self::JumpIndirect { reg } => RegSet::of(reg),
            Self::Call(_) => RegSet::ARGS,
            Self::Exit => RegSet::of(Reg::R0),
        }
    }

    /// Registers it writes, or leaves without a value: a call and a packet load do both to `r0` to `r5`.
    ///
    /// Every write defines the whole register: those of 32 bits clear the high half.
    #[must_use]
    pub const fn defs(&self) -> RegSet {
        match *self {
            Self::Alu { dst, .. }
            | Self::Neg { dst, .. }
            | Self::Mov { dst, .. }
            | Self::MovSx { dst, .. }
            | Self::AddrSpaceCast { dst, .. }
            | Self::Endian { dst, .. }
            | Self::LoadImm64 { dst, .. }
            | Self::Load { dst, .. }
            | Self::LoadAcquire { dst, .. } => RegSet::of(dst),
            Self::Atomic { op, src, .. } => match op.fetched_into(src) {
                Some(reg) => RegSet::of(reg),
                None => RegSet::EMPTY,
            },
            Self::LoadPacket { .. } | Self::Call(_) => RegSet::CALLER_SAVED,
            Self::Store { .. }
            | Self::StoreRelease { .. }
            | Self::Jump { .. }
            | Self::JumpIndirect { .. }
            | Self::Branch { .. }
            | Self::MayGoto { .. }
            | Self::Exit => RegSet::EMPTY,
        }
    }

    /// Halves of registers that Linux counts as read here.
    ///
    /// `args` is how many arguments the callee of a call takes, [`None`] when that is not known; more than five count as five.
    /// Pointers are read whole; a stored value narrower than eight bytes is read in its low half; a byte-order conversion reads
    /// the whole register; a packet load reads everything.
    #[must_use]
    pub const fn half_uses(&self, args: Option<u8>) -> HalfSet {
        match *self {
            Self::Alu { width, dst, src, .. } | Self::Branch { width, dst, src, .. } => {
                read_half(src, width).union(HalfSet::of(dst, width))
            }
            Self::Neg { width, dst } => HalfSet::of(dst, width),
            Self::Mov { width, src, .. } => read_half(src, width),
            Self::MovSx { width, src, .. } => HalfSet::of(src, width),
            Self::Store { base, size, src, .. } => read_half(src, stored(size)).union(HalfSet::of(base, Width::W64)),
            Self::StoreRelease { base, size, src, .. } => {
                HalfSet::of(src, stored(size)).union(HalfSet::of(base, Width::W64))
            }
            Self::Atomic { op, size, base, src, .. } => {
                let width = stored(size);
                let operands = HalfSet::of(src, width).union(HalfSet::of(base, Width::W64));
                if matches!(op, AtomicOp::CmpXchg) { operands.union(HalfSet::of(Reg::R0, width)) } else { operands }
            }
            Self::LoadPacket { .. } => HalfSet::ALL,
            Self::Call(_) => {
                let known = match args {
                    Some(args) if args < 5 => (1 << (args + 1)) - 2,
                    Some(_) | None => RegSet::ARGS.bits(),
                };
                HalfSet::both(RegSet::from_bits(known))
            }
            Self::AddrSpaceCast { .. }
            | Self::Endian { .. }
            | Self::LoadImm64 { .. }
            | Self::Load { .. }
            | Self::LoadAcquire { .. }
            | Self::Jump { .. }
            | Self::JumpIndirect { .. }
            | Self::MayGoto { .. }
            | Self::Exit => HalfSet::both(self.uses()),
        }
    }

    /// Halves of registers that Linux counts as overwritten here: whole registers, and none by a packet load.
    #[must_use]
    pub const fn half_defs(&self) -> HalfSet {
        if matches!(self, Self::LoadPacket { .. }) { HalfSet::EMPTY } else { HalfSet::both(self.defs()) }
    }

    /// The register in which it defines a 32-bit value, whose high half a machine may have to be told to clear
    /// (`bpf_insn_def32`, Linux 7.3).
    ///
    /// `no_user_conv` says whether the program's arena has `BPF_F_NO_USER_CONV`, which makes the cast to address space 1 a 32-bit
    /// move.
    #[must_use]
    pub const fn narrow_def(&self, no_user_conv: bool) -> Option<Reg> {
        match *self {
            Self::Alu { width: Width::W32, dst, .. }
            | Self::Neg { width: Width::W32, dst }
            | Self::Mov { width: Width::W32, dst, .. }
            | Self::MovSx { width: Width::W32, dst, .. }
            | Self::Endian { dst, size: Size::B1 | Size::B2 | Size::B4, .. }
            | Self::Load { dst, size: Size::B1 | Size::B2 | Size::B4, signed: false, .. }
            | Self::LoadAcquire { dst, size: Size::B1 | Size::B2 | Size::B4, .. } => Some(dst),
            Self::AddrSpaceCast { dst, to, .. } => {
                if to == 0 || no_user_conv {
                    Some(dst)
                } else {
                    None
                }
            }
            Self::Atomic { op, size: Size::B1 | Size::B2 | Size::B4, src, .. } => op.fetched_into(src),
            Self::LoadPacket { .. } => Some(Reg::R0),
            Self::Alu { width: Width::W64, .. }
            | Self::Neg { width: Width::W64, .. }
            | Self::Mov { width: Width::W64, .. }
            | Self::MovSx { width: Width::W64, .. }
            | Self::Endian { size: Size::B8, .. }
            | Self::LoadImm64 { .. }
            | Self::Load { size: Size::B8, .. }
            | Self::Load { signed: true, .. }
            | Self::LoadAcquire { size: Size::B8, .. }
            | Self::Atomic { size: Size::B8, .. }
            | Self::Store { .. }
            | Self::StoreRelease { .. }
            | Self::Jump { .. }
            | Self::JumpIndirect { .. }
            | Self::Branch { .. }
            | Self::MayGoto { .. }
            | Self::Call(_)
            | Self::Exit => None,
        }
    }
}

const fn read(operand: Operand) -> RegSet {
    match operand {
        Operand::Reg(reg) => RegSet::of(reg),
        Operand::Imm(_) => RegSet::EMPTY,
    }
}

const fn read_half(operand: Operand, width: Width) -> HalfSet {
    match operand {
        Operand::Reg(reg) => HalfSet::of(reg, width),
        Operand::Imm(_) => HalfSet::EMPTY,
    }
}

/// The part of a register that a store of this size reads.
const fn stored(size: Size) -> Width {
    match size {
        Size::B1 | Size::B2 | Size::B4 => Width::W32,
        Size::B8 => Width::W64,
    }
}
