//! Over one instruction, backwards: from what is wanted after it to what is wanted before it.

use bpfvet_cfg::Graph;
use bpfvet_domain::Domain;
use bpfvet_insn::{AtomicOp, Call, Insn, InsnIdx, Operand, Reg, RegSet};
use bpfvet_vm::StackNote;
use bpfvet_vm::fault::{self, Fault};

use super::{Broken, Wanted};
use crate::observer::{PrecisionEvent, Watcher};

/// Number of the tail-call helper, whose exit path leaves the function.
const TAIL_CALL: i32 = 12;

/// What passing an instruction came to.
pub(super) enum Passed {
    Fine,
    /// What was computed there cannot be told: everything must be marked.
    Lost,
}

/// From what is wanted after an instruction to what is wanted before it. (`backtrack_insn`)
pub(super) fn pass<D: Domain>(
    graph: &Graph,
    watcher: &mut Watcher<'_, D>,
    at: InsnIdx,
    subseq: Option<InsnIdx>,
    note: Option<&StackNote>,
    wanted: &mut Wanted,
) -> Result<Passed, Broken> {
    let Some(insn) = graph.program().get(at) else {
        // The second half of a 64-bit immediate.
        return Ok(Passed::Fine);
    };
    watcher.tell(|observer| {
        let frame = wanted.frame;
        observer.precision(&PrecisionEvent::Insn { frame, regs: wanted.here(), slots: wanted.slots_of(frame), at });
    });
    wanted.sync_linked(note);
    let straight = subseq == Some(at.next());
    match *insn {
        Insn::Alu { dst, src, .. } => {
            if !wanted.wants(dst) {
                return Ok(Passed::Fine);
            }
            if let Operand::Reg(src) = src
                && src != Reg::FP
                && !fault::on(Fault::SecondOperandUntraced)
            {
                wanted.want(src);
            }
        }
        Insn::Neg { dst, .. } | Insn::Endian { dst, .. } => {
            let _ = dst;
            return Ok(Passed::Fine);
        }
        Insn::Mov { dst, src, .. } => {
            if !wanted.wants(dst) {
                return Ok(Passed::Fine);
            }
            wanted.drop(dst);
            if let Operand::Reg(src) = src
                && src != Reg::FP
            {
                wanted.want(src);
            }
        }
        Insn::MovSx { dst, src, .. } | Insn::AddrSpaceCast { dst, src, .. } => {
            if !wanted.wants(dst) {
                return Ok(Passed::Fine);
            }
            wanted.drop(dst);
            if src != Reg::FP {
                wanted.want(src);
            }
        }
        Insn::Load { dst, .. } | Insn::LoadAcquire { dst, .. } => return loaded(dst, note, wanted),
        Insn::Atomic { op, src, base, .. } => match fetched(op, src).filter(|_| !fault::on(Fault::AtomicUntraced)) {
            Some(reg) => return loaded(reg, note, wanted),
            None => return Ok(stored(base, Some(src), note, wanted)),
        },
        Insn::Store { base, src, .. } => {
            let src = if let Operand::Reg(src) = src { Some(src) } else { None };
            match stored(base, src, note, wanted) {
                Passed::Fine => {}
                Passed::Lost => return Ok(Passed::Lost),
            }
            if note.is_some_and(|note| note.arg.is_some()) {
                return Ok(Passed::Fine);
            }
        }
        Insn::StoreRelease { base, src, .. } => match stored(base, Some(src), note, wanted) {
            Passed::Fine => {}
            Passed::Lost => return Ok(Passed::Lost),
        },
        Insn::LoadImm64 { dst, .. } => {
            wanted.drop(dst);
            return Ok(Passed::Fine);
        }
        Insn::LoadPacket { .. } => {
            // Its result goes to r0, which the encoding does not name; the kernel looks at the field that is zero.
            if wanted.wants(Reg::R0) {
                return Ok(Passed::Lost);
            }
            if !straight {
                wanted.enter()?;
            }
            return Ok(Passed::Fine);
        }
        Insn::Call(callee) => return pass_call(graph, at, callee, straight, wanted),
        Insn::Exit => return pass_exit(graph, subseq, wanted),
        Insn::Branch { dst, src, .. } => {
            if let Operand::Reg(src) = src {
                if !wanted.wants(dst) && !wanted.wants(src) {
                    return Ok(Passed::Fine);
                }
                if !note.is_some_and(|note| note.src_is_stack) {
                    wanted.want(src);
                }
                if !note.is_some_and(|note| note.dst_is_stack) {
                    wanted.want(dst);
                }
            }
        }
        Insn::Jump { .. } | Insn::JumpIndirect { .. } | Insn::MayGoto { .. } => {}
    }
    wanted.sync_linked(note);
    Ok(Passed::Fine)
}

fn pass_call(graph: &Graph, at: InsnIdx, callee: Call, straight: bool, wanted: &mut Wanted) -> Result<Passed, Broken> {
    if let Call::Subprog(off) = callee {
        let target = at.offset(i64::from(off) + 1).and_then(|target| graph.subprog_starting_at(target));
        let target = target.and_then(|id| graph.subprog(id)).ok_or("a call leads to no function")?;
        if target.is_global {
            if !wanted.here().intersection(RegSet::ARGS).is_empty() {
                return Err("arguments are wanted after the call of a global function");
            }
            wanted.drop(Reg::R0);
            return Ok(Passed::Fine);
        }
        if !wanted.here().difference(RegSet::ARGS).is_empty()
            || wanted.slots_of(wanted.frame) != 0
            || wanted.args_of(wanted.frame) != 0
        {
            return Err("more than arguments is wanted at the entry of a static function");
        }
        let arguments = wanted.here();
        if let Some(regs) = wanted.regs.get_mut(wanted.frame) {
            *regs = RegSet::EMPTY;
        }
        wanted.leave()?;
        let arguments = if fault::on(Fault::ArgumentsUntraced) { RegSet::EMPTY } else { arguments };
        for reg in arguments.iter() {
            wanted.want(reg);
        }
        return Ok(Passed::Fine);
    }
    if graph.marks(at).calls_callback() && !straight {
        // Out of the callback, to the helper that ran it. Its arguments are not the helper's.
        if !wanted.here().difference(RegSet::ARGS).is_empty() || wanted.slots_of(wanted.frame) != 0 {
            return Err("more than arguments is wanted at the entry of a callback");
        }
        if let Some(regs) = wanted.regs.get_mut(wanted.frame) {
            *regs = RegSet::EMPTY;
        }
        wanted.leave()?;
        return Ok(Passed::Fine);
    }
    wanted.drop(Reg::R0);
    if !wanted.here().intersection(RegSet::ARGS).is_empty() {
        return Err("arguments are wanted after a call");
    }
    if callee == Call::Helper(TAIL_CALL) && !straight {
        wanted.enter()?;
    }
    Ok(Passed::Fine)
}

fn pass_exit(graph: &Graph, subseq: Option<InsnIdx>, wanted: &mut Wanted) -> Result<Passed, Broken> {
    // A function returns behind its call, a callback to the call itself.
    let before = subseq.and_then(|subseq| subseq.0.checked_sub(1)).map(InsnIdx);
    let from_call = before
        .and_then(|before| graph.program().get(before))
        .is_some_and(|insn| matches!(insn, Insn::Call(Call::Subprog(_))));
    let r0 = from_call && wanted.wants(Reg::R0);
    if from_call && !wanted.here().intersection(RegSet::ARGS).is_empty() {
        return Err("arguments are wanted after the return of a function");
    }
    wanted.drop(Reg::R0);
    wanted.enter()?;
    if r0 && !fault::on(Fault::ResultsUntraced) {
        wanted.want(Reg::R0);
    }
    Ok(Passed::Fine)
}

fn fetched(op: AtomicOp, src: Reg) -> Option<Reg> {
    op.fetched_into(src)
}

/// A load: what was loaded is wanted where it was stored, if that was on the stack.
fn loaded(dst: Reg, note: Option<&StackNote>, wanted: &mut Wanted) -> Result<Passed, Broken> {
    if !wanted.wants(dst) {
        return Ok(Passed::Fine);
    }
    wanted.drop(dst);
    let Some(note) = note else {
        return Ok(Passed::Fine);
    };
    if let Some(arg) = note.arg {
        let caller = wanted.frame.checked_sub(1).ok_or("an entry function loads a stack argument")?;
        if let Some(args) = wanted.args.get_mut(caller) {
            *args |= 1 << (arg & 7);
        }
        return Ok(Passed::Fine);
    }
    if let Some((frame, slot)) = note.slot {
        wanted.want_slots(usize::from(frame), 1 << (slot & 63));
    }
    wanted.sync_linked(Some(note));
    Ok(Passed::Fine)
}

/// A store: what was wanted of the place is wanted of the register.
fn stored(base: Reg, src: Option<Reg>, note: Option<&StackNote>, wanted: &mut Wanted) -> Passed {
    if wanted.wants(base) {
        // A number that a pointer was made of: pointers were subtracted somewhere.
        return Passed::Lost;
    }
    let Some(note) = note else { return Passed::Fine };
    if let Some(arg) = note.arg {
        let frame = wanted.frame;
        if wanted.args_of(frame) & (1 << (arg & 7)) != 0 {
            if let Some(args) = wanted.args.get_mut(frame) {
                *args &= !(1 << (arg & 7));
            }
            if let Some(src) = src {
                wanted.want(src);
            }
        }
        return Passed::Fine;
    }
    if let Some((frame, slot)) = note.slot {
        let (frame, bit) = (usize::from(frame), 1u64 << (slot & 63));
        if wanted.slots_of(frame) & bit != 0 {
            wanted.drop_slots(frame, bit);
            if let Some(src) = src
                && !fault::on(Fault::StackUntraced)
            {
                wanted.want(src);
            }
        }
    }
    Passed::Fine
}
