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
use bpfvet_domain::Domain;
use bpfvet_insn::{InsnIdx, Reg, RegSet};
use bpfvet_vm::{Slot, State, Value};

use crate::checkpoint::{Checkpoints, NodeId};
use crate::observer::{PrecisionEvent, Watcher};
use crate::path::Trail;
use pass::{Passed, pass};
pub(crate) use wanted::{Asked, Wanted};

/// An invariant of ours that does not hold.
pub(crate) type Broken = &'static str;

/// Marks what mattered, backwards.
pub(crate) struct Marker<'a, 'o, D: Domain> {
    pub(crate) graph: &'a Graph,
    pub(crate) nodes: &'a mut Checkpoints<D>,
    pub(crate) watcher: &'a mut Watcher<'o, D>,
}

/// How the walk over one trail ended.
enum Walked {
    /// At its start, and something is still wanted there.
    Through,
    /// Nothing is wanted any more.
    Settled,
    /// What was computed cannot be told.
    Lost,
}

impl<D: Domain> Marker<'_, '_, D> {
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
            let on = match node {
                None => trail,
                Some(id) => &self.nodes.get(id).ok_or("a path's checkpoint was forgotten")?.trail,
            };
            self.watcher.tell(|observer| {
                observer.precision(&PrecisionEvent::Enter { frame: wanted.frame, last, first: on.first, subseq });
            });
            let Some(start) = last else {
                return self.mark_arguments(node, &wanted);
            };
            // The instruction that asks is not walked over: what it wants is wanted before it.
            let parent = match walk(self.graph, self.watcher, on, start, node.is_none(), subseq, &mut wanted)? {
                Walked::Through => on.parent,
                Walked::Settled => return Ok(changed),
                Walked::Lost => None,
            };
            let (first, Some(parent)) = (on.first, parent) else { break };
            changed |= self.mark_node(parent, &mut wanted)?;
            if wanted.is_empty() {
                return Ok(changed);
            }
            subseq = Some(first);
            last = self.nodes.get(parent).ok_or("a path's checkpoint was forgotten")?.prev;
            node = Some(parent);
        }
        self.mark_everything(depth, trail);
        Ok(true)
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
            for slot in bits(slots) {
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
            self.watcher.tell(|observer| {
                let (regs, slots) = (wanted.regs_of(frame), wanted.slots_of(frame));
                observer.precision(&PrecisionEvent::Parent { frame, regs, slots, state: &node.state });
            });
        }
        Ok(changed)
    }

    /// Marks every number of every earlier checkpoint. (`bpf_mark_all_scalars_precise`)
    pub(crate) fn mark_everything(&mut self, depth: usize, trail: &Trail) {
        self.watcher.tell(|observer| observer.precision(&PrecisionEvent::FallBack { frame: depth }));
        let mut next = trail.parent;
        while let Some(node) = next.and_then(|id| self.nodes.get_mut(id)) {
            for frame in 0..node.state.frames().len() {
                for number in 0..10u8 {
                    let Some(reg) = Reg::new(number) else { continue };
                    if needs_mark(Some(node.state.frame(frame).reg(reg))) {
                        if let Some(Value::Scalar(scalar)) = node.state.frame_mut(frame).reg_mut(reg) {
                            scalar.precise = true;
                        }
                        let event = PrecisionEvent::ForcedReg { frame, reg: number };
                        self.watcher.tell(|observer| observer.precision(&event));
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
                        self.watcher.tell(|observer| observer.precision(&PrecisionEvent::ForcedSlot { frame, slot }));
                    }
                }
            }
            next = node.trail.parent;
        }
    }
}

/// Walks back over one trail from `start`, and turns what is wanted after it into what is wanted before it. `skip`: `start` itself
/// is not walked over. `subseq` is the instruction walked before.
fn walk<D: Domain>(
    graph: &Graph,
    watcher: &mut Watcher<'_, D>,
    trail: &Trail,
    start: InsnIdx,
    mut skip: bool,
    mut subseq: Option<InsnIdx>,
    wanted: &mut Wanted,
) -> Result<Walked, Broken> {
    let mut steps = trail.steps.as_slice();
    let mut here = start;
    loop {
        // Most instructions have nothing to do with what is wanted.
        if !skip && !watcher.follows_precision && graph.is_calm(here, wanted.here()) {
            let up_to_here = |place: InsnIdx| if place <= here { place } else { InsnIdx(0) };
            let noted = steps.last().map_or(InsnIdx(0), |step| up_to_here(step.at));
            let next = up_to_here(trail.first).max(noted).max(up_to_here(trail.asked.place()));
            let involved = graph.last_involved(next, here, wanted.here());
            if involved != here {
                here = involved;
                subseq = Some(here.next());
            }
        }
        let step = steps.last().filter(|step| step.at == here);
        if !core::mem::take(&mut skip) {
            match pass(graph, watcher, here, subseq, step.map(|step| &step.note), wanted)? {
                Passed::Fine => {}
                Passed::Lost => return Ok(Walked::Lost),
            }
        }
        if wanted.is_empty() || (!watcher.follows_precision && trail.asked.covers(here, steps.len(), wanted)) {
            return Ok(Walked::Settled);
        }
        subseq = Some(here);
        if here == trail.first && steps.len() == usize::from(step.is_some()) {
            return Ok(Walked::Through);
        }
        here = match (step, steps.split_last()) {
            (Some(step), Some((_, before))) => {
                steps = before;
                step.prev.ok_or("a precision walk leads before the start")?
            }
            (Some(_) | None, _) => InsnIdx(here.0.checked_sub(1).ok_or("a precision walk leads before the program")?),
        };
    }
}

/// The numbers of the bits that are set.
pub(crate) fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let lowest = (set != 0).then(|| set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(lowest)
    })
}

fn needs_mark<D: Domain>(value: Option<&Value<D>>) -> bool {
    value.and_then(Value::as_scalar).is_some_and(|scalar| !scalar.precise)
}

/// What is marked in a state at `at`: what must be wanted of one that it covers.
///
/// A register that no path from there reads was not compared, so that the covered state may have no number there. Where a release
/// does not forget such registers, they can still be marked, with everything. (`propagate_precision`)
pub(crate) fn marked<D: Domain>(graph: &Graph, state: &State<D>, at: InsnIdx, watcher: &mut Watcher<'_, D>) -> Wanted {
    let mut wanted = Wanted::nothing(state.depth());
    for frame in (0..state.frames().len()).rev() {
        let of = state.frame(frame);
        let live = graph.live_regs_before(state.frame_insn(frame, at));
        let precise = |value: &Value<D>| value.as_scalar().is_some_and(|scalar| scalar.precise);
        let numbers = live.without(Reg::FP).without(Reg::ARGS);
        numbers.iter().filter(|reg| precise(of.reg(*reg))).for_each(|reg| wanted.want_reg(frame, reg));
        let spills = of.stack.spills().filter(|(_, value)| precise(value));
        spills.for_each(|(slot, _)| wanted.want_slots(frame, 1 << (slot & 63)));
        let (regs, slots) = (wanted.regs_of(frame), wanted.slots_of(frame));
        if !regs.is_empty() || slots != 0 {
            watcher.tell(|observer| observer.precision(&PrecisionEvent::Propagate { frame, regs, slots }));
        }
    }
    wanted
}
