//! Basic blocks: runs of slots that control enters only at the first and leaves only at the last.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use bpfvet_insn::InsnIdx;

use crate::SubprogId;
use crate::flow::Flow;
use crate::order::Postorder;

/// A basic block, by ascending position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BlockId(pub u32);

impl BlockId {
    /// As an index into a slice of blocks.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn of(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }
}

/// A run of slots that control enters only at the first and leaves only at the last. Calls do not end it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Block {
    /// Its first slot.
    pub start: InsnIdx,
    /// One past its last slot.
    pub end: InsnIdx,
    /// Its last instruction.
    pub last: InsnIdx,
    /// The function it is in.
    pub subprog: SubprogId,
}

/// Lists of blocks, one for each block.
#[derive(Clone, Debug, Default)]
struct Lists {
    starts: Vec<u32>,
    items: Vec<BlockId>,
}

impl Lists {
    fn of(&self, block: BlockId) -> &[BlockId] {
        let bounds = self.starts.get(block.index()).zip(self.starts.get(block.index() + 1));
        bounds.and_then(|(&from, &to)| self.items.get(from as usize..to as usize)).unwrap_or_default()
    }

    /// The lists in which `to` is in `from`'s for each pair; pairs are grouped, and keep their order within a list.
    fn collect(count: usize, pairs: &[(BlockId, BlockId)]) -> Self {
        let mut starts = vec![0_u32; count + 1];
        for (from, _) in pairs {
            if let Some(start) = starts.get_mut(from.index() + 1) {
                *start += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut items = vec![BlockId(0); pairs.len()];
        for &(from, to) in pairs {
            if let Some(place) = next.get_mut(from.index()) {
                if let Some(item) = items.get_mut(*place as usize) {
                    *item = to;
                }
                *place += 1;
            }
        }
        Self { starts, items }
    }
}

/// The basic blocks of the code that can be reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blocks {
    list: Vec<Block>,
    /// By slot: its block's number, counted from one; zero where it cannot be reached.
    of_slot: Vec<u32>,
    successors: Lists,
    predecessors: Lists,
    /// By function: its blocks' numbers.
    ranges: Vec<Range<usize>>,
    /// All blocks, function by function, successors mostly before predecessors.
    postorder: Vec<BlockId>,
    /// Each block's place in that order.
    positions: Vec<u32>,
}

impl Blocks {
    pub(crate) fn build(flow: &Flow, order: &Postorder) -> Self {
        let len = flow.len();
        let mut reached = vec![false; len];
        let mut leads = vec![false; len];
        let mut ends = vec![false; len];
        let set = |flags: &mut [bool], at: InsnIdx| {
            if let Some(flag) = flags.get_mut(at.index()) {
                *flag = true;
            }
        };
        for subprog in &flow.subprogs {
            set(&mut leads, subprog.start);
        }
        let behind = |at: InsnIdx| InsnIdx(at.0.saturating_add(flow.program.get(at).map_or(1, |insn| insn.slots())));
        for &at in order.all() {
            set(&mut reached, at);
            let targets = flow.successors(at);
            if *targets != [behind(at)] {
                set(&mut ends, at);
                targets.iter().for_each(|&target| set(&mut leads, target));
            }
        }
        let is = |flags: &[bool], at: InsnIdx| flags.get(at.index()).copied().unwrap_or(false);

        let mut blocks = Self { of_slot: vec![0; len], ..Self::default() };
        for subprog in 0..flow.subprogs.len() {
            let id = SubprogId::of(subprog);
            let first = blocks.list.len();
            let (mut at, end) =
                flow.subprog(id).map_or((InsnIdx(0), InsnIdx(0)), |subprog| (subprog.start, subprog.end));
            while at < end {
                if !is(&reached, at) {
                    at = at.next();
                    continue;
                }
                let start = at;
                let last = loop {
                    let next = behind(at);
                    if is(&ends, at) || is(&leads, next) || next >= end {
                        break at;
                    }
                    at = next;
                };
                at = behind(last);
                blocks.list.push(Block { start, end: at, last, subprog: id });
                let number = u32::try_from(blocks.list.len()).unwrap_or(u32::MAX);
                for slot in blocks.of_slot.get_mut(start.index()..at.index()).unwrap_or_default() {
                    *slot = number;
                }
            }
            blocks.ranges.push(first..blocks.list.len());
        }
        blocks.connect(flow);
        blocks.sort(order);
        blocks
    }

    fn connect(&mut self, flow: &Flow) {
        let mut edges = Vec::with_capacity(self.list.len() * 2);
        for (index, block) in self.list.iter().enumerate() {
            let targets = flow.successors(block.last);
            edges.extend(targets.iter().filter_map(|&target| Some((BlockId::of(index), self.at(target)?))));
        }
        self.successors = Lists::collect(self.list.len(), &edges);
        edges.iter_mut().for_each(|(from, to)| core::mem::swap(from, to));
        self.predecessors = Lists::collect(self.list.len(), &edges);
    }

    fn sort(&mut self, order: &Postorder) {
        self.positions = vec![0; self.list.len()];
        for &at in order.all() {
            let Some(id) = self.at(at) else { continue };
            if self.get(id).is_some_and(|block| block.start == at) {
                if let Some(position) = self.positions.get_mut(id.index()) {
                    *position = u32::try_from(self.postorder.len()).unwrap_or(u32::MAX);
                }
                self.postorder.push(id);
            }
        }
    }

    pub(crate) fn list(&self) -> &[Block] {
        &self.list
    }

    pub(crate) fn get(&self, id: BlockId) -> Option<&Block> {
        self.list.get(id.index())
    }

    /// The block that the slot is in.
    pub(crate) fn at(&self, at: InsnIdx) -> Option<BlockId> {
        self.of_slot.get(at.index())?.checked_sub(1).map(BlockId)
    }

    pub(crate) fn successors(&self, block: BlockId) -> &[BlockId] {
        self.successors.of(block)
    }

    pub(crate) fn predecessors(&self, block: BlockId) -> &[BlockId] {
        self.predecessors.of(block)
    }

    /// The numbers of a function's blocks, which follow on each other.
    pub(crate) fn of_subprog(&self, subprog: SubprogId) -> Range<usize> {
        self.ranges.get(subprog.index()).cloned().unwrap_or_default()
    }

    /// The blocks of a function, successors mostly before predecessors.
    pub(crate) fn postorder_of(&self, subprog: SubprogId) -> &[BlockId] {
        self.postorder.get(self.of_subprog(subprog)).unwrap_or_default()
    }

    /// Whether a backward pass in postorder comes to `to` before `from`, which is among its successors' predecessors: an edge against
    /// the order.
    pub(crate) fn is_retreating(&self, from: BlockId, to: BlockId) -> bool {
        self.positions.get(to.index()) >= self.positions.get(from.index())
    }
}
