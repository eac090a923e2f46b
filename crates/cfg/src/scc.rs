//! Strongly connected components: which slots lie on a common loop.

use alloc::vec;
use alloc::vec::Vec;

use bpfvet_insn::{InsnIdx, Slot};

use crate::Block;
use crate::blocks::{BlockId, Blocks};
use crate::flow::Flow;

/// Numbers the components, in the order in which Tarjan's algorithm completes them, from one (`bpf_compute_scc`, Linux 7.3; R. Tarjan,
/// "Depth-First Search and Linear Graph Algorithms").
///
/// A slot alone has no number, zero, unless it leads to itself or calls a helper that calls back, which is a loop not drawn in the
/// graph. `calling_back` are the calls that do, by ascending position; `blocks` are those of the whole program, dead ones too.
///
/// The numbers are visible in the log and in which states belong together, so the order matters: starts by ascending position,
/// successors in their order. What lies on a loop are whole blocks.
pub(crate) fn number(flow: &Flow, blocks: &Blocks, calling_back: &[InsnIdx]) -> Components {
    const DONE: u32 = u32::MAX;
    let len = blocks.list().len();
    let mut components = Components { of: vec![0; flow.len()], count: 0 };
    // When each block was first seen, counted from one, and the earliest on the stack that it leads to.
    let mut seen = vec![0_u32; len];
    let mut low = vec![0_u32; len];
    let mut open: Vec<BlockId> = Vec::new();
    // The path from the start, each block with how many of its successors have been looked at.
    let mut path: Vec<(BlockId, usize)> = Vec::new();
    let mut clock = 0_u32;
    for start in (0..len).map(BlockId::of) {
        if seen.get(start.index()) != Some(&0) {
            continue;
        }
        path.push((start, 0));
        while let Some((block, looked_at)) = path.last_mut() {
            let block = *block;
            let (Some(seen_block), Some(low_block)) = (seen.get_mut(block.index()), low.get_mut(block.index())) else {
                break;
            };
            if *seen_block == 0 {
                clock = clock.saturating_add(1);
                *seen_block = clock;
                *low_block = clock;
                open.push(block);
            }
            let successors = blocks.successors(block);
            let mut lowest = *low_block;
            let mut descend = None;
            while let Some(&next) = successors.get(*looked_at) {
                match (seen.get(next.index()), low.get(next.index())) {
                    (Some(0), _) => {
                        descend = Some(next);
                        break;
                    }
                    (Some(_), Some(&low)) => lowest = lowest.min(low),
                    (None, _) | (_, None) => {}
                }
                *looked_at += 1;
            }
            if let Some(low) = low.get_mut(block.index()) {
                *low = lowest;
            }
            if let Some(next) = descend {
                path.push((next, 0));
                continue;
            }
            path.pop();
            if seen.get(block.index()).is_some_and(|&seen| lowest < seen) {
                continue;
            }
            let is_loop = open.last() != Some(&block) || successors.contains(&block);
            if is_loop {
                components.count = components.count.saturating_add(1);
            } else {
                components.number_alone(blocks.get(block), calling_back);
            }
            while let Some(member) = open.pop() {
                if let Some(low) = low.get_mut(member.index()) {
                    *low = DONE;
                }
                if is_loop {
                    components.number_all(flow, blocks.get(member));
                }
                if member == block {
                    break;
                }
            }
        }
    }
    components
}

/// The component of each slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Components {
    /// By slot; zero for none.
    pub(crate) of: Vec<u32>,
    /// How many there are; the greatest number.
    pub(crate) count: u32,
}

impl Components {
    /// Gives the slots of a block the number given last.
    fn number_all(&mut self, flow: &Flow, block: Option<&Block>) {
        let Some(range) = block.map(|block| block.start.index()..block.end.index()) else { return };
        let slots = flow.program.slots().get(range.clone()).unwrap_or_default();
        for (number, slot) in self.of.get_mut(range).unwrap_or_default().iter_mut().zip(slots) {
            if matches!(slot, Slot::Insn(_)) {
                *number = self.count;
            }
        }
    }

    /// Gives each call of a block on no loop that calls back a number of its own, the last first.
    fn number_alone(&mut self, block: Option<&Block>, calling_back: &[InsnIdx]) {
        let Some(block) = block.filter(|_| !calling_back.is_empty()) else { return };
        let from = calling_back.partition_point(|&at| at < block.start);
        let to = calling_back.partition_point(|&at| at < block.end);
        for at in calling_back.get(from..to).unwrap_or_default().iter().rev() {
            self.count = self.count.saturating_add(1);
            if let Some(number) = self.of.get_mut(at.index()) {
                *number = self.count;
            }
        }
    }
}
