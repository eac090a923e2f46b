//! Precision: which numbers mattered.
//!
//! A number starts out as one whose range does not matter. When a proof relies on it, the walk goes back over the path that led
//! here, instruction by instruction and checkpoint by checkpoint, and marks in every checkpoint what the number was made of.
//! A checkpoint covers a state only if the numbers marked in it have at most the range they had. (`backtrack.c`, Linux 7.3)
//!
//! # Soundness
//!
//! What is wanted before an instruction is everything that its result was computed from. Where that cannot be told, everything
//! in every earlier checkpoint is marked.

use bpfvet_cfg::Graph;
use bpfvet_insn::{AtomicOp, Call, Insn, InsnIdx, Operand, Reg, RegSet};
use bpfvet_vm::{Demand, Slot, StackNote, State, Value};

use crate::checkpoint::{Checkpoints, NodeId};
use crate::observer::{Observer, PrecisionEvent};
use crate::path::Trail;

/// Most frames that a chain of calls can have.
const FRAMES: usize = 17;
/// Number of the tail-call helper, whose exit path leaves the function.
const TAIL_CALL: i32 = 12;

/// An invariant of ours that does not hold.
pub(crate) type Broken = &'static str;

/// What is wanted, by frame.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    frame: usize,
    regs: [RegSet; FRAMES],
    slots: [u64; FRAMES],
    args: [u8; FRAMES],
}

impl Wanted {
    /// Nothing, from this frame on.
    pub(crate) const fn nothing(frame: usize) -> Self {
        Self { frame, regs: [RegSet::EMPTY; FRAMES], slots: [0; FRAMES], args: [0; FRAMES] }
    }

    /// What a step relied upon.
    pub(crate) fn demand(demand: Demand) -> Self {
        match demand {
            Demand::Reg { frame, reg } => {
                let mut wanted = Self::nothing(frame);
                wanted.want_reg(frame, reg);
                wanted
            }
            Demand::Slots { frame, of, slots } => {
                let mut wanted = Self::nothing(frame);
                wanted.want_slots(of, slots);
                wanted
            }
            Demand::StackArg { frame, slot } => {
                let mut wanted = Self::nothing(frame);
                if let Some(args) = wanted.args.get_mut(frame) {
                    *args |= 1 << (slot & 7);
                }
                wanted
            }
        }
    }

    fn is_empty(&self) -> bool {
        let upto = ..=self.frame.min(FRAMES - 1);
        self.regs.get(upto).is_none_or(|regs| regs.iter().all(|regs| regs.is_empty()))
            && self.slots.get(upto).is_none_or(|slots| slots.iter().all(|slots| *slots == 0))
            && self.args.get(upto).is_none_or(|args| args.iter().all(|args| *args == 0))
    }

    pub(crate) fn regs_of(&self, frame: usize) -> RegSet {
        self.regs.get(frame).copied().unwrap_or_default()
    }

    pub(crate) fn slots_of(&self, frame: usize) -> u64 {
        self.slots.get(frame).copied().unwrap_or_default()
    }

    fn args_of(&self, frame: usize) -> u8 {
        self.args.get(frame).copied().unwrap_or_default()
    }

    pub(crate) fn want_reg(&mut self, frame: usize, reg: Reg) {
        if let Some(regs) = self.regs.get_mut(frame) {
            regs.insert(reg);
        }
    }

    fn drop_reg(&mut self, frame: usize, reg: Reg) {
        if let Some(regs) = self.regs.get_mut(frame) {
            regs.remove(reg);
        }
    }

    pub(crate) fn want_slots(&mut self, frame: usize, slots: u64) {
        if let Some(wanted) = self.slots.get_mut(frame) {
            *wanted |= slots;
        }
    }

    fn drop_slots(&mut self, frame: usize, slots: u64) {
        if let Some(wanted) = self.slots.get_mut(frame) {
            *wanted &= !slots;
        }
    }

    fn here(&self) -> RegSet {
        self.regs_of(self.frame)
    }

    fn wants(&self, reg: Reg) -> bool {
        self.here().contains(reg)
    }

    fn want(&mut self, reg: Reg) {
        self.want_reg(self.frame, reg);
    }

    fn drop(&mut self, reg: Reg) {
        self.drop_reg(self.frame, reg);
    }

    fn enter(&mut self) -> Result<(), Broken> {
        if self.frame + 1 >= FRAMES {
            return Err("a precision walk enters more functions than there can be");
        }
        self.frame += 1;
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Broken> {
        self.frame = self.frame.checked_sub(1).ok_or("a precision walk leaves the entry function")?;
        Ok(())
    }

    /// Members of a group that were refined together are wanted together. (`bpf_bt_sync_linked_regs`)
    fn sync_linked(&mut self, note: Option<&StackNote>) {
        let Some(note) = note else { return };
        let group = note.linked.as_slice();
        let any = group.iter().any(|member| {
            let frame = usize::from(member.frame);
            if member.is_reg {
                self.regs_of(frame).bits() & (1 << member.index) != 0
            } else {
                self.slots_of(frame) & (1 << member.index) != 0
            }
        });
        if any {
            for member in group {
                let frame = usize::from(member.frame);
                if member.is_reg {
                    if let Some(reg) = Reg::new(member.index) {
                        self.want_reg(frame, reg);
                    }
                } else {
                    self.want_slots(frame, 1 << member.index);
                }
            }
        }
    }
}

/// What passing an instruction came to.
enum Passed {
    Fine,
    /// What was computed there cannot be told: everything must be marked.
    Lost,
}

/// Marks what mattered, backwards.
pub(crate) struct Marker<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) nodes: &'a mut Checkpoints,
    pub(crate) observer: &'a mut dyn Observer,
}

impl Marker<'_> {
    /// Walks back from a path at `at` and marks what is wanted. Whether a mark was set that was not there.
    /// (`bpf_mark_chain_precision`)
    pub(crate) fn mark(
        &mut self,
        depth: usize,
        at: InsnIdx,
        trail: &Trail,
        mut wanted: Wanted,
    ) -> Result<bool, Broken> {
        let mut changed = false;
        if wanted.is_empty() {
            return Ok(false);
        }
        let mut last = Some(at);
        let mut subseq = None;
        let mut node: Option<NodeId> = None;
        loop {
            let (first, len, parent) = match node {
                None => (trail.first, trail.steps.len(), trail.parent),
                Some(id) => {
                    let node = self.nodes.get(id).ok_or("a path's checkpoint was forgotten")?;
                    (node.trail.first, node.trail.steps.len(), node.trail.parent)
                }
            };
            self.observer.precision(&PrecisionEvent::Enter { frame: wanted.frame, last, first, subseq });
            let Some(start) = last else {
                return self.mark_arguments(node, &wanted);
            };
            let mut here = start;
            let mut left = len;
            // The instruction that asks is not walked over: what it wants is wanted before it.
            let mut skip = node.is_none();
            loop {
                if skip {
                    skip = false;
                } else {
                    let note = self.note(node, trail, left, here);
                    match self.pass(here, subseq, note.as_ref(), &mut wanted)? {
                        Passed::Fine => {}
                        Passed::Lost => {
                            self.mark_everything(depth, trail);
                            return Ok(true);
                        }
                    }
                }
                if wanted.is_empty() {
                    return Ok(changed);
                }
                subseq = Some(here);
                let steps = self.steps(node, trail);
                if here == first && (left == 0 || (left == 1 && steps.first().is_some_and(|step| step.at == here))) {
                    break;
                }
                let top = left.checked_sub(1).and_then(|top| steps.get(top)).filter(|step| step.at == here);
                here = match top {
                    Some(step) => {
                        left -= 1;
                        step.prev.ok_or("a precision walk leads before the start")?
                    }
                    None => InsnIdx(here.0.checked_sub(1).ok_or("a precision walk leads before the program")?),
                };
            }
            let Some(parent) = parent else { break };
            changed |= self.mark_node(parent, &mut wanted)?;
            if wanted.is_empty() {
                return Ok(changed);
            }
            subseq = Some(first);
            last = self.nodes.get(parent).ok_or("a path's checkpoint was forgotten")?.trail.last;
            node = Some(parent);
        }
        self.mark_everything(depth, trail);
        Ok(true)
    }

    fn steps<'t>(&'t self, node: Option<NodeId>, trail: &'t Trail) -> &'t [crate::path::TrailStep] {
        match node {
            None => &trail.steps,
            Some(id) => self.nodes.get(id).map_or(&[], |node| &node.trail.steps),
        }
    }

    fn note(&self, node: Option<NodeId>, trail: &Trail, left: usize, at: InsnIdx) -> Option<StackNote> {
        let top = self.steps(node, trail).get(left.checked_sub(1)?)?;
        (top.at == at).then_some(top.note)
    }

    /// The walk is at the entry of a function that is verified on its own: its number arguments matter.
    fn mark_arguments(&mut self, node: Option<NodeId>, wanted: &Wanted) -> Result<bool, Broken> {
        let node = node.and_then(|id| self.nodes.get_mut(id)).ok_or("a precision walk begins at an entry")?;
        let state = &mut node.state;
        let entry = state.frame(0);
        let only_arguments = wanted.here().difference(RegSet::ARGS).is_empty() && wanted.slots_of(wanted.frame) == 0;
        if state.depth() != 0 || entry.subprog == 0 || entry.callsite.is_some() || !only_arguments {
            return Err("a precision walk leads past the entry of a function");
        }
        let mut changed = false;
        for reg in wanted.here().iter() {
            if state.frame(0).reg(reg).is_scalar() {
                if let Some(Value::Scalar(scalar)) = state.frame_mut(0).reg_mut(reg) {
                    scalar.precise = true;
                }
                changed = true;
            }
        }
        Ok(changed)
    }

    /// Marks what is wanted in a checkpoint. What is marked there already, or is no number, is wanted no further.
    fn mark_node(&mut self, id: NodeId, wanted: &mut Wanted) -> Result<bool, Broken> {
        let mut changed = false;
        let node = self.nodes.get_mut(id).ok_or("a path's checkpoint was forgotten")?;
        for frame in (0..=wanted.frame).rev() {
            if frame >= node.state.frames().len() {
                return Err("a precision walk is in a frame that its checkpoint does not have");
            }
            for reg in wanted.regs_of(frame).iter() {
                if needs_mark(Some(node.state.frame(frame).reg(reg))) {
                    if let Some(Value::Scalar(scalar)) = node.state.frame_mut(frame).reg_mut(reg) {
                        scalar.precise = true;
                    }
                    changed = true;
                } else {
                    wanted.drop_reg(frame, reg);
                }
            }
            let slots = wanted.slots_of(frame);
            for slot in (0..64usize).filter(|slot| slots & (1 << slot) != 0) {
                if slot >= node.state.frame(frame).stack.len() {
                    return Err("a precision walk wants a slot that its checkpoint does not have");
                }
                if needs_mark(node.state.frame(frame).stack.slot(slot).spilled()) {
                    if let Some(Value::Scalar(scalar)) =
                        node.state.frame_mut(frame).stack.slot_mut(slot).and_then(Slot::spilled_mut)
                    {
                        scalar.precise = true;
                    }
                    changed = true;
                } else {
                    wanted.drop_slots(frame, 1 << slot);
                }
            }
            for slot in 0..node.state.frame(frame).out_args.len().min(8) {
                if wanted.args_of(frame) & (1 << slot) == 0 {
                    continue;
                }
                if needs_mark(node.state.frame(frame).out_args.get(slot)) {
                    if let Some(Value::Scalar(scalar)) = node.state.frame_mut(frame).out_args.get_mut(slot) {
                        scalar.precise = true;
                    }
                    changed = true;
                } else if let Some(args) = wanted.args.get_mut(frame) {
                    *args &= !(1 << slot);
                }
            }
            self.observer.precision(&PrecisionEvent::Parent {
                frame,
                regs: wanted.regs_of(frame),
                slots: wanted.slots_of(frame),
                state: &node.state,
            });
        }
        Ok(changed)
    }

    /// Marks every number of every earlier checkpoint. (`bpf_mark_all_scalars_precise`)
    pub(crate) fn mark_everything(&mut self, depth: usize, trail: &Trail) {
        self.observer.precision(&PrecisionEvent::FallBack { frame: depth });
        let mut next = trail.parent;
        while let Some(node) = next.and_then(|id| self.nodes.get_mut(id)) {
            for frame in 0..node.state.frames().len() {
                for number in 0..10u8 {
                    let Some(reg) = Reg::new(number) else { continue };
                    if needs_mark(Some(node.state.frame(frame).reg(reg))) {
                        if let Some(Value::Scalar(scalar)) = node.state.frame_mut(frame).reg_mut(reg) {
                            scalar.precise = true;
                        }
                        self.observer.precision(&PrecisionEvent::ForcedReg { frame, reg: number });
                    }
                }
                for slot in 0..node.state.frame(frame).stack.len() {
                    if needs_mark(node.state.frame(frame).stack.slot(slot).spilled()) {
                        if let Some(Value::Scalar(scalar)) =
                            node.state.frame_mut(frame).stack.slot_mut(slot).and_then(Slot::spilled_mut)
                        {
                            scalar.precise = true;
                        }
                        let slot = u8::try_from(slot).unwrap_or(u8::MAX);
                        self.observer.precision(&PrecisionEvent::ForcedSlot { frame, slot });
                    }
                }
            }
            next = node.trail.parent;
        }
    }

    /// From what is wanted after an instruction to what is wanted before it. (`backtrack_insn`)
    fn pass(
        &mut self,
        at: InsnIdx,
        subseq: Option<InsnIdx>,
        note: Option<&StackNote>,
        wanted: &mut Wanted,
    ) -> Result<Passed, Broken> {
        let Some(insn) = self.graph.program().get(at) else {
            // The second half of a 64-bit immediate.
            return Ok(Passed::Fine);
        };
        self.observer.precision(&PrecisionEvent::Insn {
            frame: wanted.frame,
            regs: wanted.here(),
            slots: wanted.slots_of(wanted.frame),
            at,
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
            Insn::Atomic { op, src, base, .. } => match fetched(op, src) {
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
            Insn::Call(callee) => return self.pass_call(at, callee, straight, wanted),
            Insn::Exit => return self.pass_exit(subseq, wanted),
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

    fn pass_call(&self, at: InsnIdx, callee: Call, straight: bool, wanted: &mut Wanted) -> Result<Passed, Broken> {
        if let Call::Subprog(off) = callee {
            let target = at.offset(i64::from(off) + 1).and_then(|target| self.graph.subprog_starting_at(target));
            let target = target.and_then(|id| self.graph.subprog(id)).ok_or("a call leads to no function")?;
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
            for reg in arguments.iter() {
                wanted.want(reg);
            }
            return Ok(Passed::Fine);
        }
        if self.graph.marks(at).calls_callback() && !straight {
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

    fn pass_exit(&self, subseq: Option<InsnIdx>, wanted: &mut Wanted) -> Result<Passed, Broken> {
        // A function returns behind its call, a callback to the call itself.
        let before = subseq.and_then(|subseq| subseq.0.checked_sub(1)).map(InsnIdx);
        let from_call = before
            .and_then(|before| self.graph.program().get(before))
            .is_some_and(|insn| matches!(insn, Insn::Call(Call::Subprog(_))));
        let r0 = from_call && wanted.wants(Reg::R0);
        if from_call && !wanted.here().intersection(RegSet::ARGS).is_empty() {
            return Err("arguments are wanted after the return of a function");
        }
        wanted.drop(Reg::R0);
        wanted.enter()?;
        if r0 {
            wanted.want(Reg::R0);
        }
        Ok(Passed::Fine)
    }
}

fn needs_mark(value: Option<&Value>) -> bool {
    value.and_then(Value::as_scalar).is_some_and(|scalar| !scalar.precise)
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
            if let Some(src) = src {
                wanted.want(src);
            }
        }
    }
    Passed::Fine
}

/// What is marked in a state: what must be wanted of one that it covers.
pub(crate) fn marked(state: &State, observer: &mut dyn Observer) -> Wanted {
    let mut wanted = Wanted::nothing(state.depth());
    for frame in (0..state.frames().len()).rev() {
        let of = state.frame(frame);
        for number in 0..10u8 {
            if let Some(reg) = Reg::new(number)
                && of.reg(reg).as_scalar().is_some_and(|scalar| scalar.precise)
            {
                wanted.want_reg(frame, reg);
            }
        }
        for (slot, content) in of.stack.slots().iter().enumerate() {
            if content.spilled().and_then(Value::as_scalar).is_some_and(|scalar| scalar.precise) {
                wanted.want_slots(frame, 1 << (slot & 63));
            }
        }
        let (regs, slots) = (wanted.regs_of(frame), wanted.slots_of(frame));
        if !regs.is_empty() || slots != 0 {
            observer.precision(&PrecisionEvent::Propagate { frame, regs, slots });
        }
    }
    wanted
}
