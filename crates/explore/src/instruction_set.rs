//! Which behaviour of the host an instruction needs, so that a program for a newer host is refused by an older one.

use bpfvet_insn::{AluOp, AtomicOp, ByteOrder, Call, CmpOp, ImmSource, Insn, InsnIdx, Program, Width};
use bpfvet_platform::{Feature, Features};

/// All that [`needed`] may name: on a host that has it nothing need be looked for.
const NEEDED: &[Feature] = &[
    Feature::IsaV4,
    Feature::Jmp32,
    Feature::LessThanBranches,
    Feature::Atomics,
    Feature::AcquireRelease,
    Feature::MayGotoNext,
    Feature::MayGoto,
    Feature::Arena,
    Feature::IndirectJumps,
    Feature::KernelFunctions,
    Feature::DirectValueAccess,
    Feature::MapIndexes,
    Feature::KernelVariables,
];

/// The first instruction that the host does not have, and what it would need.
pub(crate) fn first_missing(program: &Program, host: &Features) -> Option<(InsnIdx, Feature)> {
    if NEEDED.iter().all(|&feature| host.has(feature)) {
        return None;
    }
    program.iter().find_map(|(at, insn)| {
        let needed = needed(insn)?;
        (!host.has(needed)).then_some((at, needed))
    })
}

/// What an instruction needs beyond what the first hosts had.
fn needed(insn: &Insn) -> Option<Feature> {
    match insn {
        Insn::Alu { op: AluOp::Sdiv | AluOp::Smod, .. }
        | Insn::MovSx { .. }
        | Insn::Load { signed: true, .. }
        | Insn::Endian { order: ByteOrder::Swap, .. }
        | Insn::Jump { long: true, .. } => Some(Feature::IsaV4),
        Insn::Branch { width: Width::W32, .. } => Some(Feature::Jmp32),
        Insn::Branch { op: CmpOp::Lt | CmpOp::Le | CmpOp::Slt | CmpOp::Sle, .. } => Some(Feature::LessThanBranches),
        Insn::Atomic { op: AtomicOp::Add { fetch: false }, .. } => None,
        Insn::Atomic { .. } => Some(Feature::Atomics),
        Insn::LoadAcquire { .. } | Insn::StoreRelease { .. } => Some(Feature::AcquireRelease),
        Insn::MayGoto { off: 0 } => Some(Feature::MayGotoNext),
        Insn::MayGoto { .. } => Some(Feature::MayGoto),
        Insn::AddrSpaceCast { .. } => Some(Feature::Arena),
        Insn::JumpIndirect { .. } => Some(Feature::IndirectJumps),
        Insn::Call(Call::Kfunc { .. }) => Some(Feature::KernelFunctions),
        Insn::LoadImm64 { imm, .. } => source(*imm),
        // Functions of the program are the business of its form (`bpfvet-cfg`).
        Insn::Call(Call::Helper(_) | Call::Subprog(_))
        | Insn::Alu { .. }
        | Insn::Load { .. }
        | Insn::Endian { .. }
        | Insn::Jump { .. }
        | Insn::Branch { .. }
        | Insn::Neg { .. }
        | Insn::Mov { .. }
        | Insn::LoadPacket { .. }
        | Insn::Store { .. }
        | Insn::Exit => None,
    }
}

const fn source(imm: ImmSource) -> Option<Feature> {
    match imm {
        ImmSource::Value(_) | ImmSource::MapFd(_) | ImmSource::Func(_) => None,
        ImmSource::MapValue { .. } => Some(Feature::DirectValueAccess),
        ImmSource::MapIdx(_) | ImmSource::MapIdxValue { .. } => Some(Feature::MapIndexes),
        ImmSource::BtfId { .. } => Some(Feature::KernelVariables),
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use bpfvet_insn::{InsnIdx, decode_at};

    use super::{NEEDED, needed};

    #[test]
    fn what_any_instruction_needs_is_looked_for() {
        let mut met = BTreeSet::new();
        for code in 0..=u8::MAX {
            for number in 0..7 * 2 * 4 * 3_u8 {
                let (src, dst) = (number % 7, number / 7 % 2);
                let off = [0, 1, 8, 32][usize::from(number / 14 % 4)];
                let imm = [[0, 0], [1, 0], [0, 1]][usize::from(number / 56 % 3)];
                let bytes = [[code, src << 4 | dst, off, 0, imm[0], imm[1], 0, 0], [0; 8]];
                met.extend(decode_at(bytes.as_flattened(), InsnIdx(0)).ok().flatten().and_then(|insn| needed(&insn)));
            }
        }
        assert_eq!(met, NEEDED.iter().copied().collect());
    }
}
