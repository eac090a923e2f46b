//! Basic blocks: runs of slots that control enters only at the first and leaves only at the last.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use bpfvet_insn::{Insn, InsnIdx};

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

/// The basic blocks of a program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blocks {
    list: Vec<Block>,
    /// By slot: its block's number, counted from one; zero where it is in none.
    of_slot: Vec<u32>,
    successors: Lists,
    predecessors: Lists,
    /// By function: its blocks' numbers.
    ranges: Vec<Range<usize>>,
    order: Postorder,
}

/// What the slots are to the blocks, by slot, in bits.
struct Roles(Vec<u8>);

impl Roles {
    /// A block begins here.
    const LEADS: u8 = 1 << 0;
    /// A block ends here.
    const ENDS: u8 = 1 << 1;
    /// It is the second half of an instruction.
    const SECOND: u8 = 1 << 2;

    /// Those of all slots, or of those that are in `only`.
    fn find(flow: &Flow, only: Option<&Blocks>) -> Self {
        let mut this = Self(vec![0; flow.len()]);
        for subprog in &flow.subprogs {
            this.set(subprog.start, Self::LEADS);
        }
        for (at, insn) in flow.program.landmarks() {
            if insn.slots() == 2 {
                this.set(at.next(), Self::SECOND);
            }
            if only.is_some_and(|blocks| !blocks.is_reached(at)) || !(may_turn(insn) || flow.marks_at(at).hidden_exit())
            {
                continue;
            }
            let targets = flow.successors(at);
            if *targets != [at.next()] {
                this.set(at, Self::ENDS);
                targets.iter().for_each(|&target| this.set(target, Self::LEADS));
            }
        }
        this
    }

    fn set(&mut self, at: InsnIdx, role: u8) {
        if let Some(roles) = self.0.get_mut(at.index()) {
            *roles |= role;
        }
    }

    fn has(&self, at: InsnIdx, role: u8) -> bool {
        self.0.get(at.index()).is_some_and(|roles| roles & role != 0)
    }

    /// The slot behind an instruction.
    fn behind(&self, at: InsnIdx) -> InsnIdx {
        let next = at.next();
        if self.has(next, Self::SECOND) { next.next() } else { next }
    }
}

/// Whether control may go elsewhere from an instruction than to the next, hidden exits aside.
const fn may_turn(insn: &Insn) -> bool {
    match insn {
        Insn::Jump { .. } | Insn::JumpIndirect { .. } | Insn::Branch { .. } | Insn::MayGoto { .. } | Insn::Exit => true,
        Insn::Alu { .. }
        | Insn::Neg { .. }
        | Insn::Mov { .. }
        | Insn::MovSx { .. }
        | Insn::AddrSpaceCast { .. }
        | Insn::Endian { .. }
        | Insn::LoadImm64 { .. }
        | Insn::LoadPacket { .. }
        | Insn::Load { .. }
        | Insn::Store { .. }
        | Insn::Atomic { .. }
        | Insn::LoadAcquire { .. }
        | Insn::StoreRelease { .. }
        | Insn::Call(_) => false,
    }
}

impl Blocks {
    /// The blocks of a whole program, with those to which no path leads.
    pub(crate) fn build(flow: &Flow) -> Self {
        Self::built(flow, None)
    }

    /// The blocks to which a path leads; as they are where it leads to all.
    pub(crate) fn reached(self, flow: &Flow) -> Self {
        if self.order.all().len() == self.list.len() { self } else { Self::built(flow, Some(&self)) }
    }

    fn built(flow: &Flow, only: Option<&Self>) -> Self {
        let roles = Roles::find(flow, only);
        let mut blocks = Self { of_slot: vec![0; flow.len()], ..Self::default() };
        for (number, subprog) in flow.subprogs.iter().enumerate() {
            let first = blocks.list.len();
            let (mut at, end) = (subprog.start, subprog.end);
            while at < end {
                if roles.has(at, Roles::SECOND) || only.is_some_and(|blocks| !blocks.is_reached(at)) {
                    at = at.next();
                    continue;
                }
                let start = at;
                let last = loop {
                    let next = roles.behind(at);
                    if roles.has(at, Roles::ENDS) || roles.has(next, Roles::LEADS) || next >= end {
                        break at;
                    }
                    at = next;
                };
                at = roles.behind(last);
                blocks.list.push(Block { start, end: at, last, subprog: SubprogId::of(number) });
                let number = u32::try_from(blocks.list.len()).unwrap_or(u32::MAX);
                blocks.of_slot.get_mut(start.index()..at.index()).unwrap_or_default().fill(number);
            }
            blocks.ranges.push(first..blocks.list.len());
        }
        blocks.connect(flow);
        blocks.order = Postorder::compute(&blocks);
        blocks
    }

    /// Whether the slot is in a block to which a path leads.
    fn is_reached(&self, at: InsnIdx) -> bool {
        self.at(at).is_some_and(|block| self.order.position(block).is_some())
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

    /// By function, the numbers of its blocks.
    pub(crate) fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// The blocks to which a path leads, function by function, successors mostly before predecessors.
    pub(crate) fn postorder(&self) -> &[BlockId] {
        self.order.all()
    }

    /// Those of one function.
    pub(crate) fn postorder_of(&self, subprog: SubprogId) -> &[BlockId] {
        self.order.of(subprog)
    }

    /// A block's place in that order; [`None`] where no path leads to it.
    pub(crate) fn position(&self, block: BlockId) -> Option<u32> {
        self.order.position(block)
    }

    /// Whether a backward pass in postorder comes to `to` before `from`, which is among its successors' predecessors: an edge against
    /// the order.
    pub(crate) fn is_retreating(&self, from: BlockId, to: BlockId) -> bool {
        self.order.position(to) >= self.order.position(from)
    }
}
