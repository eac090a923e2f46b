//! Which registers may still be read, before each slot.

use alloc::vec;
use alloc::vec::Vec;

use bpfvet_insn::{HalfSet, Insn, InsnIdx, RegSet};

use crate::callee::Callees;
use crate::flow::Flow;
use crate::order::Postorder;

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
/// Slots that cannot be reached have no live registers.
pub(crate) fn live(flow: &Flow, callees: &Callees, postorder: &Postorder) -> Registers {
    let mut before = vec![HalfSet::EMPTY; flow.len()];
    let after = |before: &[HalfSet], at: InsnIdx| {
        let successors = flow.successors(at);
        let live = successors.iter().filter_map(|next| before.get(next.index()));
        live.fold(HalfSet::EMPTY, |union, &set| union.union(set))
    };
    let effects: Vec<(InsnIdx, HalfSet, HalfSet)> = postorder
        .all()
        .iter()
        .filter_map(|&at| {
            let insn = flow.program.get(at)?;
            let args = if let Insn::Call(call) = *insn { callees.of(call).arg_count() } else { None };
            Some((at, insn.half_uses(args), insn.half_defs()))
        })
        .collect();
    loop {
        let mut changed = false;
        for &(at, uses, defs) in &effects {
            let live = after(&before, at).difference(defs).union(uses);
            if let Some(slot) = before.get_mut(at.index())
                && *slot != live
            {
                *slot = live;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    let mut zero_extend = vec![false; flow.len()];
    for &(at, ..) in &effects {
        let narrow = flow.program.get(at).and_then(|insn| insn.narrow_def(false));
        if let (Some(reg), Some(slot)) = (narrow, zero_extend.get_mut(at.index())) {
            *slot = after(&before, at).high_regs().contains(reg);
        }
    }
    Registers { before: before.into_iter().map(HalfSet::regs).collect(), zero_extend }
}
