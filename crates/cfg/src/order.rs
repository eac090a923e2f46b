//! Orders: of the blocks of each function, and of the functions themselves.

use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::ops::Range;

use bpfvet_insn::InsnIdx;

use crate::blocks::{BlockId, Blocks};
use crate::flow::Flow;
use crate::{CallKind, CallSite, StructureCause, StructureError, SubprogId};

/// The blocks of each function that can be reached within it, successors mostly before predecessors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Postorder {
    blocks: Vec<BlockId>,
    /// By function.
    ranges: Vec<Range<usize>>,
    /// Each block's place in the order of all, counted from one; zero for those that cannot be reached.
    positions: Vec<u32>,
}

impl Postorder {
    /// Computes the order (`bpf_compute_postorder`, Linux 7.3, which orders slots: those of a block follow on each other there, the last
    /// first).
    ///
    /// All unseen successors of a block are put on the stack at once, so this is not quite the order of a depth-first search; but
    /// each block but the first comes before one of its predecessors.
    pub(crate) fn compute(blocks: &Blocks) -> Self {
        #[derive(Clone, Copy, PartialEq, Eq)]
        enum Seen {
            No,
            OnStack,
            Expanded,
        }
        let count = blocks.list().len();
        let mut seen = vec![Seen::No; count];
        let mut this = Self { blocks: Vec::with_capacity(count), ranges: Vec::new(), positions: vec![0; count] };
        let mut stack = Vec::new();
        for range in blocks.ranges() {
            let first = this.blocks.len();
            stack.extend((!range.is_empty()).then_some(BlockId::of(range.start)));
            while let Some(&top) = stack.last() {
                let Some(state) = seen.get_mut(top.index()) else {
                    stack.pop();
                    continue;
                };
                if *state == Seen::Expanded {
                    this.blocks.push(top);
                    if let Some(position) = this.positions.get_mut(top.index()) {
                        *position = u32::try_from(this.blocks.len()).unwrap_or(u32::MAX);
                    }
                    stack.pop();
                    continue;
                }
                *state = Seen::Expanded;
                for &next in blocks.successors(top) {
                    if let Some(state) = seen.get_mut(next.index())
                        && *state == Seen::No
                    {
                        *state = Seen::OnStack;
                        stack.push(next);
                    }
                }
            }
            this.ranges.push(first..this.blocks.len());
        }
        this
    }

    /// The order of all blocks, function by function.
    pub(crate) fn all(&self) -> &[BlockId] {
        &self.blocks
    }

    /// The order of one function's blocks.
    pub(crate) fn of(&self, subprog: SubprogId) -> &[BlockId] {
        self.ranges.get(subprog.index()).and_then(|range| self.blocks.get(range.clone())).unwrap_or_default()
    }

    /// A block's place in the order of all; [`None`] where it cannot be reached.
    pub(crate) fn position(&self, block: BlockId) -> Option<u32> {
        self.positions.get(block.index())?.checked_sub(1)
    }
}

/// The functions, callees before their callers (`sort_subprogs_topo`, Linux 7.3). Only calls that can be reached count. A function
/// whose address is taken counts as called, but may be among its own callees.
///
/// # Errors
///
/// The first call that closes a circle.
pub(crate) fn callees_first(flow: &Flow, blocks: &Blocks) -> Result<Vec<SubprogId>, StructureError> {
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Colour {
        Unseen,
        OnStack,
        Done,
    }
    let count = flow.subprogs.len();
    // The order of the calls is that of their slots.
    let place = |site: &CallSite| Some((blocks.position(blocks.at(site.at)?)?, Reverse(site.at)));
    let calls: Vec<Vec<CallSite>> = flow
        .subprogs
        .iter()
        .map(|subprog| {
            let mut sites: Vec<CallSite> =
                subprog.callees.iter().copied().filter(|site| place(site).is_some()).collect();
            sites.sort_by_key(place);
            sites
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
                Some(&CallSite { at, callee, kind }) => match (colour.get(callee.index()), kind) {
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
