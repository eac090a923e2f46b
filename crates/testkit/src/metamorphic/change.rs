//! The changes.

use bpfvet::platform::{LoadRequest, MapKind, Privilege, ProgramType};
use bpfvet_insn::{AluOp, CmpOp, Insn, InsnIdx, Operand, PacketIndex, Reg, Size, Width};

use super::{Law, rewrite};
use crate::machine::Choices;

/// One instruction in this many gets something before it.
const INSERTED: u32 = 4;

/// The changed program; `None` where there is nothing to change.
pub(super) fn change(law: Law, request: &LoadRequest, choices: &mut Choices<'_>) -> Option<LoadRequest> {
    match law {
        Law::Renamed => renamed(request, choices),
        Law::Idle => rewrite::insert(request, |_, _| {
            if choices.one_in(INSERTED) { vec![Insn::Jump { off: 0, long: choices.one_in(2) }] } else { Vec::new() }
        }),
        Law::SelfCopies => self_copies(request, choices),
        Law::Dead => dead(request),
        Law::ShorterValues => shorter_values(request),
        Law::LessShown => less_shown(request),
        Law::Nullable => nullable(request),
        Law::Watched => watched(request),
    }
}

/// `r6` to `r9` are others of them. Loads from the packet ask for `r6`.
fn renamed(request: &LoadRequest, choices: &mut Choices<'_>) -> Option<LoadRequest> {
    if request.program.iter().any(|(_, insn)| matches!(insn, Insn::LoadPacket { .. })) {
        return None;
    }
    let mut order = [Reg::R6, Reg::R7, Reg::R8, Reg::R9];
    let (turn, swap) = (choices.below(4) as usize, choices.one_in(2));
    order.rotate_left(turn);
    if swap {
        order.swap(0, 1);
    }
    let new = |reg: Reg| reg.index().checked_sub(6).and_then(|index| order.get(index)).copied().unwrap_or(reg);
    Some(rewrite::map(request, |insn| with_regs(insn, new)))
}

/// The instruction with its registers exchanged.
fn with_regs(mut insn: Insn, new: impl Fn(Reg) -> Reg) -> Insn {
    let operand = |operand: &mut Operand| {
        if let Operand::Reg(reg) = operand {
            *reg = new(*reg);
        }
    };
    match &mut insn {
        Insn::Alu { dst, src, .. } | Insn::Mov { dst, src, .. } | Insn::Branch { dst, src, .. } => {
            *dst = new(*dst);
            operand(src);
        }
        Insn::MovSx { dst, src, .. } | Insn::AddrSpaceCast { dst, src, .. } => {
            *dst = new(*dst);
            *src = new(*src);
        }
        Insn::Neg { dst, .. }
        | Insn::Endian { dst, .. }
        | Insn::LoadImm64 { dst, .. }
        | Insn::JumpIndirect { reg: dst } => {
            *dst = new(*dst);
        }
        Insn::LoadPacket { index, .. } => {
            if let PacketIndex::Indirect(reg) = index {
                *reg = new(*reg);
            }
        }
        Insn::Load { dst, base, .. } | Insn::LoadAcquire { dst, base, .. } => {
            *dst = new(*dst);
            *base = new(*base);
        }
        Insn::Store { base, src, .. } => {
            *base = new(*base);
            operand(src);
        }
        Insn::Atomic { base, src, .. } | Insn::StoreRelease { base, src, .. } => {
            *base = new(*base);
            *src = new(*src);
        }
        Insn::Jump { .. } | Insn::MayGoto { .. } | Insn::Call(_) | Insn::Exit => {}
    }
    insn
}

/// What an instruction reads in 64 bits is copied to itself before.
fn self_copies(request: &LoadRequest, choices: &mut Choices<'_>) -> Option<LoadRequest> {
    let copy = |reg: Reg| Insn::Mov { width: Width::W64, dst: reg, src: Operand::Reg(reg) };
    rewrite::insert(request, |_, insn| {
        let read = match *insn {
            Insn::Mov { src: Operand::Reg(src), .. } => src,
            Insn::Store { src: Operand::Reg(src), .. } => src,
            Insn::Alu { dst, .. } | Insn::Branch { dst, .. } => dst,
            Insn::Load { base, .. } => base,
            Insn::Mov { .. }
            | Insn::Store { .. }
            | Insn::Neg { .. }
            | Insn::MovSx { .. }
            | Insn::AddrSpaceCast { .. }
            | Insn::Endian { .. }
            | Insn::LoadImm64 { .. }
            | Insn::LoadPacket { .. }
            | Insn::Atomic { .. }
            | Insn::LoadAcquire { .. }
            | Insn::StoreRelease { .. }
            | Insn::Jump { .. }
            | Insn::JumpIndirect { .. }
            | Insn::MayGoto { .. }
            | Insn::Call(_)
            | Insn::Exit => return Vec::new(),
        };
        if read == Reg::FP || !choices.one_in(INSERTED) { Vec::new() } else { vec![copy(read)] }
    })
}

/// At the start, a way that is never taken to what must never be done. A processor that guesses would try it.
fn dead(request: &LoadRequest) -> Option<LoadRequest> {
    if !request.privilege.bypasses_spec_v1() {
        return None;
    }
    rewrite::insert(request, |at, _| {
        if at != InsnIdx(0) {
            return Vec::new();
        }
        let zero = Insn::Mov { width: Width::W64, dst: Reg::R0, src: Operand::Imm(0) };
        let over = Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst: Reg::R0, src: Operand::Imm(0), off: 2 };
        let wrong = Insn::Load { dst: Reg::R0, base: Reg::R0, off: 0, size: Size::B8, signed: false };
        vec![zero, over, wrong, Insn::Exit]
    })
}

fn shorter_values(request: &LoadRequest) -> Option<LoadRequest> {
    let mut changed = request.clone();
    for map in &mut changed.maps {
        let inner = map.inner.as_deref_mut().map(|inner| &mut inner.value_size);
        let own = (map.kind == MapKind::ARRAY || map.kind == MapKind::HASH).then_some(&mut map.value_size);
        for size in [own, inner].into_iter().flatten() {
            *size = size.saturating_sub(8).max(8);
        }
    }
    Some(changed)
}

/// What is added to a packet pointer before it is compared with the end is one less.
fn less_shown(request: &LoadRequest) -> Option<LoadRequest> {
    if !matches!(request.program_type, ProgramType::XDP | ProgramType::SCHED_CLS) {
        return None;
    }
    let mut found = false;
    let mut copied = None;
    let changed = rewrite::map(request, |insn| {
        let before = copied.take();
        if let Insn::Mov { width: Width::W64, dst, src: Operand::Reg(_) } = insn {
            copied = Some(dst);
        }
        // As the generator writes it: the copy in `r5` is what is compared.
        if let Insn::Alu { width: Width::W64, op: AluOp::Add, dst: Reg::R5, src: Operand::Imm(shown) } = insn
            && before == Some(Reg::R5)
            && shown > 1
        {
            found = true;
            return Insn::Alu { width: Width::W64, op: AluOp::Add, dst: Reg::R5, src: Operand::Imm(shown - 1) };
        }
        insn
    });
    found.then_some(changed)
}

/// Arrays become maps that may hold nothing for a key.
fn nullable(request: &LoadRequest) -> Option<LoadRequest> {
    let mut changed = request.clone();
    for map in changed.maps.iter_mut().filter(|map| map.kind == MapKind::ARRAY) {
        map.kind = MapKind::HASH;
    }
    Some(changed)
}

fn watched(request: &LoadRequest) -> Option<LoadRequest> {
    if request.program_type == ProgramType::KPROBE || !request.privilege.perfmon {
        return None;
    }
    let mut changed = request.clone();
    changed.privilege = Privilege { perfmon: false, sys_admin: false, ..request.privilege };
    Some(changed)
}
