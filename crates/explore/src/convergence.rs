//! Loops: strongly connected components, their visits, and the edges back that close them.
//!
//! While a loop is being explored it is not yet known which numbers will matter in it. A state met again in the loop is
//! therefore compared by ranges, and remembered as an *edge back* to the state that covers it. When all paths of the loop have
//! ended, what mattered flows along the edges back until nothing changes. A visit is one way into the loop: the calls that lead
//! to it, and the loop. (`bpf_scc_visit`, Linux 7.3)

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use bpfvet_domain::Domain;

use bpfvet_cfg::Graph;
use bpfvet_insn::InsnIdx;
use bpfvet_vm::State;

use crate::checkpoint::NodeId;
use crate::path::Path;

/// A way into a loop: the calls that lead to it, and its number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct LoopKey {
    pub(crate) callsites: Vec<InsnIdx>,
    pub(crate) scc: u32,
}

/// A state that came back into a loop, and the state that covers it.
#[derive(Clone, Debug)]
pub(crate) struct BackEdge<D> {
    pub(crate) covered_by: NodeId,
    pub(crate) path: Path<D>,
}

/// One way into a loop.
#[derive(Clone, Debug)]
pub(crate) struct Visit<D> {
    /// The checkpoint through which it is explored at the moment.
    pub(crate) entry: Option<NodeId>,
    /// Newest last.
    pub(crate) back_edges: Vec<BackEdge<D>>,
}

/// All ways into all loops.
#[derive(Debug)]
pub(crate) struct Loops<D> {
    visits: BTreeMap<LoopKey, Visit<D>>,
    /// Edges back that wait, over all visits.
    pub(crate) back_edges: u32,
}

impl<D> Default for Visit<D> {
    fn default() -> Self {
        Self { entry: None, back_edges: Vec::new() }
    }
}

impl<D> Default for Loops<D> {
    fn default() -> Self {
        Self { visits: BTreeMap::new(), back_edges: 0 }
    }
}

impl<D: Domain> Loops<D> {
    pub(crate) fn clear(&mut self) {
        self.visits.clear();
    }

    pub(crate) fn visit(&self, key: &LoopKey) -> Option<&Visit<D>> {
        self.visits.get(key)
    }

    pub(crate) fn visit_mut(&mut self, key: &LoopKey) -> Option<&mut Visit<D>> {
        self.visits.get_mut(key)
    }

    pub(crate) fn enter(&mut self, key: LoopKey) -> &mut Visit<D> {
        self.visits.entry(key).or_default()
    }
}

/// The outermost loop that a state is in, with the calls that lead there; `None` outside of loops.
/// (`compute_scc_callchain`)
pub(crate) fn loop_of<D: Domain>(graph: &Graph, state: &State<D>, at: InsnIdx) -> Option<LoopKey> {
    let mut callsites = Vec::new();
    for frame in 0..state.frames().len() {
        let here = state.frame_insn(frame, at);
        let scc = graph.scc(here);
        if scc != 0 {
            return Some(LoopKey { callsites, scc });
        }
        callsites.push(here);
    }
    None
}
