//! Orders: of the slots of each function, and of the functions themselves.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use bpfvet_insn::InsnIdx;

use crate::flow::Flow;
use crate::subprog::names_subprog;
use crate::{CallKind, StructureCause, StructureError, SubprogId};

/// The slots of each function that can be reached within it, successors mostly before predecessors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Postorder {
    slots: Vec<InsnIdx>,
    /// By function.
    ranges: Vec<Range<usize>>,
    /// Slots of the program.
    len: usize,
}

impl Postorder {
    /// Computes the order (`bpf_compute_postorder`, Linux 7.3).
    ///
    /// All unseen successors of a slot are put on the stack at once, so this is not quite the order of a depth-first search; but
    /// each slot but the first comes before one of its predecessors.
    pub(crate) fn compute(flow: &Flow) -> Self {
        #[derive(Clone, Copy, PartialEq, Eq)]
        enum Seen {
            No,
            OnStack,
            Expanded,
        }
        let mut seen = vec![Seen::No; flow.len()];
        let mut slots = Vec::with_capacity(flow.len());
        let mut ranges = Vec::with_capacity(flow.subprogs.len());
        let mut stack = Vec::new();
        for subprog in &flow.subprogs {
            let first = slots.len();
            stack.push(subprog.start);
            while let Some(&top) = stack.last() {
                let Some(state) = seen.get_mut(top.index()) else {
                    stack.pop();
                    continue;
                };
                if *state == Seen::Expanded {
                    slots.push(top);
                    stack.pop();
                    continue;
                }
                *state = Seen::Expanded;
                for &next in &*flow.successors(top) {
                    if let Some(state) = seen.get_mut(next.index())
                        && *state == Seen::No
                    {
                        *state = Seen::OnStack;
                        stack.push(next);
                    }
                }
            }
            ranges.push(first..slots.len());
        }
        Self { slots, ranges, len: flow.len() }
    }

    /// The order of all slots, function by function.
    pub(crate) fn all(&self) -> &[InsnIdx] {
        &self.slots
    }

    /// Each slot's place in the order of all; zero for those that cannot be reached.
    pub(crate) fn positions(&self) -> Vec<u32> {
        let mut positions = vec![0; self.len];
        for (position, at) in (0..).zip(&self.slots) {
            if let Some(slot) = positions.get_mut(at.index()) {
                *slot = position;
            }
        }
        positions
    }

    /// The order of one function's slots.
    pub(crate) fn of(&self, subprog: SubprogId) -> &[InsnIdx] {
        self.ranges.get(subprog.index()).and_then(|range| self.slots.get(range.clone())).unwrap_or_default()
    }
}

/// The functions, callees before their callers (`sort_subprogs_topo`, Linux 7.3). Only calls that can be reached count. A function
/// whose address is taken counts as called, but may be among its own callees.
///
/// # Errors
///
/// The first call that closes a circle.
pub(crate) fn callees_first(flow: &Flow, postorder: &Postorder) -> Result<Vec<SubprogId>, StructureError> {
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Colour {
        Unseen,
        OnStack,
        Done,
    }
    let count = flow.subprogs.len();
    let calls: Vec<Vec<(InsnIdx, SubprogId, CallKind)>> = (0..count)
        .map(|id| {
            let slots = postorder.of(SubprogId::of(id)).iter();
            slots
                .filter_map(|&at| {
                    let insn = flow.program.get(at)?;
                    let (kind, _) = names_subprog(insn)?;
                    Some((at, flow.subprog_starting_at(insn.target(at)?)?, kind))
                })
                .collect()
        })
        .collect();
    let mut colour = vec![Colour::Unseen; count];
    let mut order = Vec::with_capacity(count);
    // Each function on the stack with the calls that have not been looked at.
    let mut stack: Vec<(SubprogId, core::slice::Iter<'_, _>)> = Vec::new();
    for root in 0..count {
        if colour.get(root) != Some(&Colour::Unseen) {
            continue;
        }
        let mut entered = Some(SubprogId::of(root));
        loop {
            if let Some(id) = entered.take() {
                if let Some(colour) = colour.get_mut(id.index()) {
                    *colour = Colour::OnStack;
                }
                stack.push((id, calls.get(id.index()).map(Vec::as_slice).unwrap_or_default().iter()));
            }
            let Some((current, rest)) = stack.last_mut() else { break };
            let current = *current;
            match rest.next() {
                Some(&(at, callee, kind)) => match (colour.get(callee.index()), kind) {
                    (Some(Colour::Unseen), _) => entered = Some(callee),
                    (Some(Colour::OnStack), CallKind::Direct) => return Err(recursion(flow, at, current, callee)),
                    (Some(Colour::OnStack), CallKind::Address) | (Some(Colour::Done) | None, _) => {}
                },
                None => {
                    if let Some(colour) = colour.get_mut(current.index()) {
                        *colour = Colour::Done;
                    }
                    order.push(current);
                    stack.pop();
                }
            }
        }
    }
    Ok(order)
}

fn recursion(flow: &Flow, at: InsnIdx, caller: SubprogId, callee: SubprogId) -> StructureError {
    let name = |id| flow.subprog(id).and_then(|subprog| subprog.name.clone()).unwrap_or_default();
    let cause = StructureCause::RecursiveCall { caller, caller_name: name(caller), callee, callee_name: name(callee) };
    StructureError::at(at, cause)
}
