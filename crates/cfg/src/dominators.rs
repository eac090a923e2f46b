//! Dominators of the blocks of a function, and the loops that they show.

use alloc::vec;
use alloc::vec::Vec;

use petgraph::algo::dominators::simple_fast;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::blocks::Blocks;
use crate::{BlockId, SubprogId};

/// Which blocks every path from a function's entry to a block goes through.
#[derive(Clone, Debug, Default)]
pub struct Dominators {
    /// By block: its immediate dominator; an entry has none, and neither has what no entry leads to.
    immediate: Vec<Option<BlockId>>,
    /// By block: when a walk over the tree of dominators enters and leaves it.
    spans: Vec<(u32, u32)>,
}

impl Dominators {
    /// Computes them for all functions (Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm").
    pub(crate) fn compute(blocks: &Blocks, subprogs: usize) -> Self {
        let count = blocks.list().len();
        let mut immediate = vec![None; count];
        for subprog in (0..subprogs).map(SubprogId::of) {
            let range = blocks.of_subprog(subprog);
            let node = |block: BlockId| block.index().checked_sub(range.start).map(NodeIndex::new);
            let mut graph: DiGraph<(), (), u32> = DiGraph::with_capacity(range.len(), range.len() * 2);
            range.clone().for_each(|_| {
                graph.add_node(());
            });
            for &from in blocks.postorder_of(subprog) {
                for &to in blocks.successors(from) {
                    if let (Some(from), Some(to)) = (node(from), node(to))
                        && to.index() < range.len()
                    {
                        graph.add_edge(from, to, ());
                    }
                }
            }
            if range.is_empty() {
                continue;
            }
            let found = simple_fast(&graph, NodeIndex::new(0));
            for (block, slot) in immediate.get_mut(range.clone()).into_iter().flatten().enumerate() {
                let above = found.immediate_dominator(NodeIndex::new(block));
                *slot = above.map(|above| BlockId::of(range.start + above.index()));
            }
        }
        let spans = spans(&immediate);
        Self { immediate, spans }
    }

    /// The nearest block before this one that every path to it goes through.
    #[must_use]
    pub fn immediate(&self, block: BlockId) -> Option<BlockId> {
        *self.immediate.get(block.index())?
    }

    /// Whether every path to `below` goes through `above`. A block dominates itself.
    #[must_use]
    pub fn dominates(&self, above: BlockId, below: BlockId) -> bool {
        match (self.spans.get(above.index()), self.spans.get(below.index())) {
            (Some(above), Some(below)) => above.0 <= below.0 && below.1 <= above.1,
            (Some(_) | None, _) => false,
        }
    }
}

/// When a walk over the forest enters and leaves each node.
fn spans(parents: &[Option<BlockId>]) -> Vec<(u32, u32)> {
    let mut children = vec![Vec::new(); parents.len()];
    for (child, parent) in parents.iter().enumerate() {
        if let Some(list) = parent.and_then(|parent| children.get_mut(parent.index())) {
            list.push(child);
        }
    }
    let mut spans = vec![(0, 0); parents.len()];
    let mut clock = 0_u32;
    let mut stack = Vec::new();
    for (root, parent) in parents.iter().enumerate() {
        if parent.is_some() {
            continue;
        }
        stack.push((root, false));
        while let Some((node, left)) = stack.pop() {
            clock = clock.saturating_add(1);
            let Some(span) = spans.get_mut(node) else { continue };
            if left {
                span.1 = clock;
            } else {
                span.0 = clock;
                stack.push((node, true));
                stack.extend(children.get(node).into_iter().flatten().map(|&child| (child, false)));
            }
        }
    }
    spans
}

/// A loop: blocks that lead back to one that dominates them all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loop {
    /// The block that every way into the loop goes through.
    pub header: BlockId,
    /// The blocks that lead back to it, ascending.
    pub latches: Vec<BlockId>,
    /// The innermost loop around it, as an index into the list of all loops.
    pub parent: Option<u32>,
    /// Blocks of this loop that are in no loop within it, ascending; the header is one of them.
    pub blocks: Vec<BlockId>,
}

/// All loops, inner ones before those around them. Circles that can be entered at more than one block have no header and are not among
/// them; components have them all.
pub(crate) fn loops(blocks: &Blocks, dominators: &Dominators, subprogs: usize) -> Vec<Loop> {
    let mut loops: Vec<Loop> = Vec::new();
    // By block: the innermost loop found so far that it is in.
    let mut innermost: Vec<Option<u32>> = vec![None; blocks.list().len()];
    for subprog in (0..subprogs).map(SubprogId::of) {
        // Headers of inner loops come before those of outer ones.
        for &header in blocks.postorder_of(subprog) {
            let mut latches: Vec<BlockId> = blocks
                .predecessors(header)
                .iter()
                .copied()
                .filter(|&from| dominators.dominates(header, from))
                .collect();
            if latches.is_empty() {
                continue;
            }
            latches.sort_unstable();
            latches.dedup();
            let number = u32::try_from(loops.len()).unwrap_or(u32::MAX);
            let mut body = Vec::new();
            let mut work = latches.clone();
            while let Some(block) = work.pop() {
                let before: BlockId = match innermost.get(block.index()).copied().flatten() {
                    None => {
                        if let Some(slot) = innermost.get_mut(block.index()) {
                            *slot = Some(number);
                        }
                        body.push(block);
                        block
                    }
                    Some(inner) => {
                        let outer = outermost(&loops, inner);
                        if outer == number {
                            continue;
                        }
                        let Some(outer) = loops.get_mut(outer as usize) else { continue };
                        outer.parent = Some(number);
                        outer.header
                    }
                };
                if before != header {
                    work.extend(blocks.predecessors(before).iter().filter(|&&from| dominators.dominates(header, from)));
                }
            }
            body.sort_unstable();
            loops.push(Loop { header, latches, parent: None, blocks: body });
        }
    }
    loops
}

/// The outermost loop found so far around this one.
fn outermost(loops: &[Loop], from: u32) -> u32 {
    let mut at = from;
    while let Some(parent) = loops.get(at as usize).and_then(|inner| inner.parent) {
        at = parent;
    }
    at
}
