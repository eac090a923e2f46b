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

mod pass;
mod wanted;

use bpfvet_cfg::Graph;
use bpfvet_insn::{InsnIdx, Reg, RegSet};
use bpfvet_vm::{Slot, StackNote, State, Value};

use crate::checkpoint::{Checkpoints, NodeId};
use crate::observer::{Observer, PrecisionEvent};
use crate::path::Trail;
use pass::Passed;
pub(crate) use wanted::Wanted;

/// An invariant of ours that does not hold.
pub(crate) type Broken = &'static str;

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
}

fn needs_mark(value: Option<&Value>) -> bool {
    value.and_then(Value::as_scalar).is_some_and(|scalar| !scalar.precise)
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
