//! A path: the state it carries and the trail it left since the last checkpoint.

use alloc::vec::Vec;

use bpfvet_insn::InsnIdx;
use bpfvet_vm::{StackNote, State};

use crate::checkpoint::NodeId;
use crate::precision::Asked;

/// One step of a trail that cannot be told from positions alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrailStep {
    /// The instruction.
    pub(crate) at: InsnIdx,
    /// The one before it; `None` at the start of a run.
    pub(crate) prev: Option<InsnIdx>,
    /// What walking back over it needs to know.
    pub(crate) note: StackNote,
}

/// How a state was reached from the checkpoint before it, and which that is.
#[derive(Clone, Debug)]
pub(crate) struct Trail {
    /// The first instruction after the checkpoint.
    pub(crate) first: InsnIdx,
    /// Jumps, and instructions with a note, from first to last.
    pub(crate) steps: Vec<TrailStep>,
    /// Where on it registers were wanted last.
    pub(crate) asked: Asked,
    /// The checkpoint.
    pub(crate) parent: Option<NodeId>,
    /// Checkpoints on the way from the start.
    pub(crate) dfs_depth: u32,
    /// Rounds of callbacks on the way from the start.
    pub(crate) callback_rounds: u32,
    /// Rounds of `may_goto` loops on the way from the start.
    pub(crate) may_goto_rounds: u32,
}

impl Trail {
    /// The trail of a run that starts at `first`.
    pub(crate) fn new(first: InsnIdx) -> Self {
        Self {
            first,
            steps: Vec::new(),
            asked: Asked::default(),
            parent: None,
            dfs_depth: 0,
            callback_rounds: 0,
            may_goto_rounds: 0,
        }
    }

    /// The trail of a path that goes another way from here on. It has room for the steps that follow at once.
    pub(crate) fn forked(&self) -> Self {
        let Self { first, ref steps, asked, parent, dfs_depth, callback_rounds, may_goto_rounds } = *self;
        let mut walked = Vec::with_capacity(steps.len() + 4);
        walked.extend_from_slice(steps);
        Self { first, steps: walked, asked, parent, dfs_depth, callback_rounds, may_goto_rounds }
    }
}

/// A path that is being walked, or waits to be.
#[derive(Clone, Debug)]
pub(crate) struct Path<D> {
    /// What is known.
    pub(crate) state: State<D>,
    /// Where it is.
    pub(crate) at: InsnIdx,
    /// Where it was before; `None` at the start of a run.
    pub(crate) prev: Option<InsnIdx>,
    /// How it got here.
    pub(crate) trail: Trail,
}
