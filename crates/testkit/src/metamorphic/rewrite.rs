//! Programs with instructions put in between, and every jump led to where it went before.

use std::sync::Arc;

use bpfvet::platform::LoadRequest;
use bpfvet_insn::{Call, ImmSource, Insn, InsnIdx, Program};

/// The request with what `before` gives put before each instruction; jumps to the instruction then lead to that. `None` where
/// a distance becomes too long.
pub(super) fn insert(
    request: &LoadRequest,
    mut before: impl FnMut(InsnIdx, &Insn) -> Vec<Insn>,
) -> Option<LoadRequest> {
    let program = &request.program;
    let mut blocks = Vec::new();
    let mut moved = vec![0_u32; program.slots().len() + 1];
    let mut at_new = 0_u32;
    for (at, insn) in program.iter() {
        let extra = before(at, insn);
        if let Some(place) = moved.get_mut(at.index()) {
            *place = at_new;
        }
        let own = at_new + extra.iter().map(Insn::slots).sum::<u32>();
        at_new = own + insn.slots();
        blocks.push((at, own, extra, *insn));
    }
    let place = |at: InsnIdx| moved.get(at.index()).copied();
    let mut insns = Vec::new();
    for (at, own, extra, insn) in blocks {
        insns.extend(extra);
        let distance = match insn.target(at) {
            Some(target) => i64::from(place(target)?) - i64::from(own) - 1,
            None => 0,
        };
        let (long, short) = (i32::try_from(distance).ok()?, i16::try_from(distance).ok());
        let mut insn = insn;
        match &mut insn {
            Insn::Jump { off, long: is_long } => *off = if *is_long { long } else { i32::from(short?) },
            Insn::Branch { off, .. } | Insn::MayGoto { off } => *off = short?,
            Insn::Call(Call::Subprog(off)) | Insn::LoadImm64 { imm: ImmSource::Func(off), .. } => *off = long,
            Insn::Alu { .. }
            | Insn::Neg { .. }
            | Insn::Mov { .. }
            | Insn::MovSx { .. }
            | Insn::AddrSpaceCast { .. }
            | Insn::Endian { .. }
            | Insn::LoadImm64 { .. }
            | Insn::LoadPacket { .. }
            | Insn::Load { .. }
            | Insn::Store { .. }
            | Insn::Atomic { .. }
            | Insn::LoadAcquire { .. }
            | Insn::StoreRelease { .. }
            | Insn::JumpIndirect { .. }
            | Insn::Call(_)
            | Insn::Exit => {}
        }
        insns.push(insn);
    }
    let mut changed = request.clone();
    changed.program = Arc::new(Program::from_insns(insns));
    for func in &mut changed.funcs {
        func.at = InsnIdx(place(func.at)?);
    }
    Some(changed)
}

/// The request with each instruction made another of the same length.
pub(super) fn map(request: &LoadRequest, change: impl FnMut(Insn) -> Insn) -> LoadRequest {
    let mut changed = request.clone();
    changed.program = Arc::new(Program::from_insns(request.program.iter().map(|(_, insn)| *insn).map(change)));
    changed
}
