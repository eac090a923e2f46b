//! Which registers may still be read, before each slot.

use alloc::vec;
use alloc::vec::Vec;

use bpfvet_insn::{HalfSet, Insn, RegSet};

use crate::Block;
use crate::blocks::Blocks;
use crate::callee::Callees;
use crate::flow::Flow;

/// Live registers, by slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registers {
    /// Registers of which a half may be read before it is written.
    pub(crate) before: Vec<RegSet>,
    /// A 32-bit result is made here whose high half may be read.
    pub(crate) zero_extend: Vec<bool>,
}

/// Computes live registers by halves, backwards to a fixed point (`bpf_compute_live_registers`, Linux 7.3).
///
/// ```text
/// after(i)  = ⋃ before(s)   over the successors s of i
/// before(i) = (after(i) ∖ defs(i)) ∪ uses(i)
/// ```
///
/// A block is walked when what is live behind it has grown. Slots that cannot be reached have no live registers.
pub(crate) fn live(flow: &Flow, callees: &Callees, blocks: &Blocks) -> Registers {
    let mut registers = Registers { before: vec![RegSet::EMPTY; flow.len()], zero_extend: vec![false; flow.len()] };
    // By block: what is live before it, and what was live behind it when it was walked last.
    let mut entries = vec![HalfSet::EMPTY; blocks.list().len()];
    let mut walked: Vec<Option<HalfSet>> = vec![None; blocks.list().len()];
    loop {
        let mut again = false;
        for &id in blocks.postorder() {
            let successors = blocks.successors(id).iter().filter_map(|next| entries.get(next.index()));
            let after = successors.fold(HalfSet::EMPTY, |union, &set| union.union(set));
            let (Some(block), Some(walked)) = (blocks.get(id), walked.get_mut(id.index())) else { continue };
            if walked.replace(after) == Some(after) {
                continue;
            }
            let live = registers.walk(flow, callees, block, after);
            if let Some(entry) = entries.get_mut(id.index())
                && *entry != live
            {
                *entry = live;
                // Whoever comes later in the order will see it in this round.
                again |= blocks.predecessors(id).iter().any(|&from| blocks.is_retreating(from, id));
            }
        }
        if !again {
            return registers;
        }
    }
}

impl Registers {
    /// Notes what is live in a block, given what is live behind it; what is live before it.
    fn walk(&mut self, flow: &Flow, callees: &Callees, block: &Block, mut live: HalfSet) -> HalfSet {
        for (at, insn) in flow.insns(block).rev() {
            if let (Some(reg), Some(extends)) = (insn.narrow_def(false), self.zero_extend.get_mut(at.index())) {
                *extends = live.high_regs().contains(reg);
            }
            let args = if let Insn::Call(call) = *insn { callees.of(call).arg_count() } else { None };
            live = live.difference(insn.half_defs()).union(insn.half_uses(args));
            if let Some(before) = self.before.get_mut(at.index()) {
                *before = live.regs();
            }
        }
        live
    }
}
