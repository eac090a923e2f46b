//! Which registers instructions involve, so that passes go by those that do not concern them.

use alloc::vec::Vec;

use bpfvet_insn::{AluOp, Insn, Operand, Program, RegSet, Slot};

/// What an instruction involves, or what of that concerns somebody.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Involved(u16);

impl Involved {
    /// It makes something known out of nothing that is: a number, or the address of a map or a function.
    pub(crate) const MAKES_KNOWN: Self = Self(1 << 14);
    /// Control goes to another function, or comes from there, or the instruction reads registers that it does not name.
    pub(crate) const LEAVES: Self = Self(1 << 15);

    /// These registers, read or written.
    pub(crate) const fn regs(regs: RegSet) -> Self {
        Self(regs.bits())
    }

    /// This and `other`.
    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether they have something in common.
    pub(crate) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// That of each slot of a program; the second half of an instruction involves nothing.
    pub(crate) fn of_all(program: &Program) -> Vec<Self> {
        let of = |slot: &Slot| if let Slot::Insn(insn) = slot { Self::of(insn) } else { Self::default() };
        program.slots().iter().map(of).collect()
    }

    fn of(insn: &Insn) -> Self {
        let named = Self::regs(insn.uses().union(insn.defs()));
        match insn {
            Insn::Mov { src: Operand::Imm(_), .. }
            | Insn::LoadImm64 { .. }
            | Insn::Alu { op: AluOp::And, src: Operand::Imm(0), .. } => named.with(Self::MAKES_KNOWN),
            Insn::Call(_) | Insn::Exit | Insn::LoadPacket { .. } => named.with(Self::LEAVES),
            Insn::Alu { .. }
            | Insn::Neg { .. }
            | Insn::Mov { .. }
            | Insn::MovSx { .. }
            | Insn::AddrSpaceCast { .. }
            | Insn::Endian { .. }
            | Insn::Load { .. }
            | Insn::Store { .. }
            | Insn::Atomic { .. }
            | Insn::LoadAcquire { .. }
            | Insn::StoreRelease { .. }
            | Insn::Jump { .. }
            | Insn::JumpIndirect { .. }
            | Insn::Branch { .. }
            | Insn::MayGoto { .. } => named,
        }
    }
}
