//! One way into a function: what it reads and writes of its own stack and of its callers', and what is live where.

use alloc::vec;
use alloc::vec::Vec;

use bpfvet_insn::InsnIdx;

use super::slots::StackSlots;
use crate::SubprogId;
use crate::blocks::Blocks;

/// What one instruction does to one frame's stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StackAccess {
    /// The instruction.
    pub at: InsnIdx,
    /// What it may read.
    pub may_read: StackSlots,
    /// What it writes whatever happens.
    pub must_write: StackSlots,
}

/// One frame's stack, seen from one function.
#[derive(Clone, Debug, Default)]
struct FrameMasks {
    /// By ascending position, each position once.
    accesses: Vec<StackAccess>,
    /// By block of the function: what may be read from its first instruction on.
    live_in: Vec<StackSlots>,
}

/// One way into a function: the call that leads there, and the frame in which it then runs (`struct func_instance`, Linux 7.3).
#[derive(Clone, Debug)]
pub struct Instance {
    /// The call; the function's own first slot at depth zero.
    pub callsite: InsnIdx,
    /// The frame's number, counted from the function at which the analysis began.
    pub depth: u32,
    /// The function.
    pub subprog: SubprogId,
    /// By frame, up to its own.
    frames: Vec<FrameMasks>,
}

impl Instance {
    pub(crate) fn new(callsite: InsnIdx, depth: u8, subprog: SubprogId) -> Self {
        let frames = vec![FrameMasks::default(); usize::from(depth) + 1];
        Self { callsite, depth: u32::from(depth), subprog, frames }
    }

    /// What its instructions do to one frame's stack, by ascending position.
    #[must_use]
    pub fn accesses(&self, frame: u32) -> &[StackAccess] {
        self.frame(frame).map(|masks| masks.accesses.as_slice()).unwrap_or_default()
    }

    fn frame(&self, frame: u32) -> Option<&FrameMasks> {
        self.frames.get(usize::try_from(frame).ok()?)
    }

    pub(crate) fn reads(&mut self, frame: u8, at: InsnIdx, slots: StackSlots) {
        self.record(frame, StackAccess { at, may_read: slots, must_write: StackSlots::EMPTY });
    }

    pub(crate) fn writes(&mut self, frame: u8, at: InsnIdx, slots: StackSlots) {
        self.record(frame, StackAccess { at, may_read: StackSlots::EMPTY, must_write: slots });
    }

    fn record(&mut self, frame: u8, access: StackAccess) {
        if let Some(masks) = self.frames.get_mut(usize::from(frame)) {
            masks.accesses.push(access);
        }
    }

    /// Puts recorded accesses in order, one for each position.
    pub(crate) fn settle(&mut self) {
        for masks in &mut self.frames {
            masks.accesses.sort_by_key(|access| access.at);
            masks.accesses.dedup_by(|next, kept| {
                let same = next.at == kept.at;
                if same {
                    kept.may_read = kept.may_read.union(next.may_read);
                    kept.must_write = kept.must_write.union(next.must_write);
                }
                same
            });
            masks.accesses.retain(|access| !access.may_read.is_empty() || !access.must_write.is_empty());
        }
    }

    /// Adds another look at the same way in, with other arguments: what either may read, and what both must write
    /// (`merge_instances`). Both are settled.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (masks, other) in self.frames.iter_mut().zip(&other.frames) {
            let mut merged = Vec::with_capacity(masks.accesses.len());
            let (mut left, mut right) = (masks.accesses.iter().peekable(), other.accesses.iter().peekable());
            loop {
                let at = match (left.peek(), right.peek()) {
                    (Some(left), Some(right)) => left.at.min(right.at),
                    (Some(access), None) | (None, Some(access)) => access.at,
                    (None, None) => break,
                };
                let nothing = StackAccess { at, may_read: StackSlots::EMPTY, must_write: StackSlots::EMPTY };
                let one = left.next_if(|access| access.at == at).unwrap_or(&nothing);
                let two = right.next_if(|access| access.at == at).unwrap_or(&nothing);
                merged.push(StackAccess {
                    at,
                    may_read: one.may_read.union(two.may_read),
                    must_write: one.must_write.intersection(two.must_write),
                });
            }
            masks.accesses = merged;
        }
    }

    /// Computes what is live, backwards to a fixed point (`update_instance`):
    ///
    /// ```text
    /// before(i) = (⋃ before(s) ∖ must_write(i)) ∪ may_read(i)   over the successors s of i
    /// ```
    ///
    /// A block's instructions are folded into one such step.
    pub(crate) fn solve(&mut self, blocks: &Blocks) {
        let range = blocks.of_subprog(self.subprog);
        let order = blocks.postorder_of(self.subprog);
        for FrameMasks { accesses, live_in } in &mut self.frames {
            if accesses.is_empty() {
                live_in.clear();
                continue;
            }
            // What a block reads before it writes, and what it writes.
            let mut steps = vec![(StackSlots::EMPTY, StackSlots::EMPTY); range.len()];
            for access in accesses.iter().rev() {
                let block = blocks.at(access.at).and_then(|block| block.index().checked_sub(range.start));
                if let Some((reads, writes)) = block.and_then(|block| steps.get_mut(block)) {
                    *reads = reads.difference(access.must_write).union(access.may_read);
                    *writes = writes.union(access.must_write);
                }
            }
            live_in.clear();
            live_in.resize(range.len(), StackSlots::EMPTY);
            let mut again = true;
            while again {
                again = false;
                for &id in order {
                    let own = id.index().checked_sub(range.start);
                    let Some(&(reads, writes)) = own.and_then(|own| steps.get(own)) else { continue };
                    let live = live_out(live_in, blocks, id, range.start).difference(writes).union(reads);
                    if let Some(slot) = own.and_then(|own| live_in.get_mut(own))
                        && *slot != live
                    {
                        *slot = live;
                        // Whoever comes later in the order will see it in this round.
                        again |= blocks.predecessors(id).iter().any(|&from| blocks.is_retreating(from, id));
                    }
                }
            }
        }
    }

    /// What may be read of one frame's stack from `at` on; nothing where the function knows nothing of that frame.
    pub(crate) fn live_before(&self, blocks: &Blocks, at: InsnIdx, frame: u32) -> StackSlots {
        let masks = self.frame(frame).filter(|masks| !masks.accesses.is_empty());
        let (Some(masks), Some(id)) = (masks, blocks.at(at)) else { return StackSlots::EMPTY };
        let (Some(block), range) = (blocks.get(id), blocks.of_subprog(self.subprog)) else { return StackSlots::EMPTY };
        if at == block.start
            && let Some(live) = id.index().checked_sub(range.start).and_then(|own| masks.live_in.get(own))
        {
            return *live;
        }
        let from = masks.accesses.partition_point(|access| access.at < at);
        let to = masks.accesses.partition_point(|access| access.at < block.end);
        let live = live_out(&masks.live_in, blocks, id, range.start);
        masks
            .accesses
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .rev()
            .fold(live, |live, access| live.difference(access.must_write).union(access.may_read))
    }
}

fn live_out(live_in: &[StackSlots], blocks: &Blocks, id: crate::BlockId, first: usize) -> StackSlots {
    let successors = blocks.successors(id).iter();
    let live = successors.filter_map(|next| live_in.get(next.index().checked_sub(first)?));
    live.fold(StackSlots::EMPTY, |union, &live| union.union(live))
}
