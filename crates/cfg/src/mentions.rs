//! The instructions that name something: they are few, and several passes look for nothing else.

use alloc::vec::Vec;

use bpfvet_insn::{Call, ImmSource, Insn, InsnIdx, Program};

/// Calls, and 64-bit immediates that stand for a map, a function or an object of the host, by ascending position.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mentions(Vec<InsnIdx>);

impl Mentions {
    /// Those of a program.
    pub(crate) fn of(program: &Program) -> Self {
        let names = |insn: &Insn| match *insn {
            Insn::Call(_) => true,
            Insn::LoadImm64 { imm, .. } => !matches!(imm, ImmSource::Value(_)),
            Insn::Alu { .. }
            | Insn::Neg { .. }
            | Insn::Mov { .. }
            | Insn::MovSx { .. }
            | Insn::AddrSpaceCast { .. }
            | Insn::Endian { .. }
            | Insn::LoadPacket { .. }
            | Insn::Load { .. }
            | Insn::Store { .. }
            | Insn::Atomic { .. }
            | Insn::LoadAcquire { .. }
            | Insn::StoreRelease { .. }
            | Insn::Jump { .. }
            | Insn::JumpIndirect { .. }
            | Insn::Branch { .. }
            | Insn::MayGoto { .. }
            | Insn::Exit => false,
        };
        Self(program.landmarks().filter(|(_, insn)| names(insn)).map(|(at, _)| at).collect())
    }

    /// They and their positions.
    pub(crate) fn iter<'a>(&'a self, program: &'a Program) -> impl Iterator<Item = (InsnIdx, &'a Insn)> {
        self.0.iter().filter_map(|&at| Some((at, program.get(at)?)))
    }

    /// The calls among them.
    pub(crate) fn calls<'a>(&'a self, program: &'a Program) -> impl Iterator<Item = (InsnIdx, Call)> {
        self.iter(program).filter_map(|(at, insn)| if let Insn::Call(call) = *insn { Some((at, call)) } else { None })
    }
}
