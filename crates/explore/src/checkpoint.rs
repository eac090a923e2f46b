//! Checkpoints: states that are remembered, by instruction and call.

use alloc::vec::Vec;
use bpfvet_domain::Domain;

use bpfvet_insn::InsnIdx;
use bpfvet_vm::{Hint, State};

use crate::path::Trail;

/// A remembered state, by number. Numbers of states that were forgotten are used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct NodeId(u32);

/// A remembered state.
#[derive(Clone, Debug)]
pub(crate) struct Node<D> {
    /// What was known.
    pub(crate) state: State<D>,
    /// Where.
    pub(crate) at: InsnIdx,
    /// The instruction before; `None` at the start of a run.
    pub(crate) prev: Option<InsnIdx>,
    /// How it was reached.
    pub(crate) trail: Trail,
    /// Paths from here that have not ended.
    pub(crate) branches: u32,
    /// Where states differed that were compared with it, the last place first.
    pub(crate) hints: [Hint; 2],
    /// How often a state was compared with it and not covered.
    pub(crate) misses: u32,
    /// How often one was covered.
    pub(crate) hits: u32,
    /// It is no longer compared with, and only kept for the paths that came from it.
    pub(crate) retired: bool,
}

/// All remembered states.
#[derive(Debug)]
pub(crate) struct Checkpoints<D> {
    nodes: Vec<Option<Node<D>>>,
    free: Vec<NodeId>,
    /// By instruction and call: which list its states are in, counted from one; zero where there were none.
    buckets: Vec<u32>,
    /// Oldest first.
    lists: Vec<Vec<NodeId>>,
    /// How many are compared with.
    pub(crate) active: u32,
    /// How many are only kept.
    pub(crate) retired: u32,
}

impl<D: Domain> Checkpoints<D> {
    /// None, for a program of this many slots.
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            nodes: Vec::new(),
            free: Vec::new(),
            buckets: alloc::vec![0; slots.max(1)],
            lists: Vec::new(),
            active: 0,
            retired: 0,
        }
    }

    /// Forgets everything but the counts, which the kernel carries on from one run to the next.
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.free.clear();
        self.lists.iter_mut().for_each(Vec::clear);
    }

    /// The bucket of states met at `at` in a function that was called from `callsite`; entry functions count as called
    /// from nowhere. (`bpf_explored_state`)
    pub(crate) fn bucket_of(&self, at: InsnIdx, callsite: Option<InsnIdx>) -> usize {
        let callsite = callsite.map_or(u32::MAX, |callsite| callsite.0);
        (at.0 ^ callsite) as usize % self.buckets.len().max(1)
    }

    /// The states of a bucket, oldest first.
    pub(crate) fn bucket(&self, bucket: usize) -> &[NodeId] {
        self.list_of(bucket).and_then(|list| self.lists.get(list)).map_or(&[], Vec::as_slice)
    }

    fn list_of(&self, bucket: usize) -> Option<usize> {
        (*self.buckets.get(bucket)? as usize).checked_sub(1)
    }

    /// A remembered state; `None` if it was forgotten.
    pub(crate) fn get(&self, id: NodeId) -> Option<&Node<D>> {
        self.nodes.get(id.0 as usize)?.as_ref()
    }

    /// A remembered state, to be written.
    pub(crate) fn get_mut(&mut self, id: NodeId) -> Option<&mut Node<D>> {
        self.nodes.get_mut(id.0 as usize)?.as_mut()
    }

    /// Remembers a state.
    pub(crate) fn insert(&mut self, bucket: usize, node: Node<D>) -> NodeId {
        self.active += 1;
        let id = match self.free.pop() {
            Some(id) => {
                if let Some(place) = self.nodes.get_mut(id.0 as usize) {
                    *place = Some(node);
                }
                id
            }
            None => {
                let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
                self.nodes.push(Some(node));
                id
            }
        };
        let list = self.list_of(bucket);
        if let Some(list) = list.and_then(|list| self.lists.get_mut(list)) {
            list.push(id);
        } else if let Some(bucket) = self.buckets.get_mut(bucket) {
            self.lists.push(alloc::vec![id]);
            *bucket = u32::try_from(self.lists.len()).unwrap_or(0);
        }
        id
    }

    /// Compares with a state no longer. It is kept as long as paths from it have not ended.
    pub(crate) fn retire(&mut self, bucket: usize, id: NodeId) {
        let list = self.list_of(bucket);
        if let Some(list) = list.and_then(|list| self.lists.get_mut(list)) {
            list.retain(|other| *other != id);
        }
        if let Some(node) = self.get_mut(id)
            && !node.retired
        {
            node.retired = true;
            self.active = self.active.saturating_sub(1);
            self.retired += 1;
        }
    }

    /// Forgets a retired state.
    pub(crate) fn forget(&mut self, id: NodeId) {
        if let Some(place) = self.nodes.get_mut(id.0 as usize)
            && place.take().is_some()
        {
            self.free.push(id);
            self.retired = self.retired.saturating_sub(1);
        }
    }
}
