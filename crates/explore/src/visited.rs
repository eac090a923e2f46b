//! At a checkpoint: was this state seen, and is it worth remembering? (`bpf_is_state_visited`, Linux 7.3)

use alloc::boxed::Box;
use alloc::vec::Vec;
use bpfvet_domain::Domain;

use bpfvet_insn::{Call, Insn, InsnIdx};
use bpfvet_platform::{KfuncFlags, KfuncLookup};
use bpfvet_vm::fault::{self, Fault};
use bpfvet_vm::{Comparison, Frame, FrameKind, Hint, IdMap, State, Strictness, Value, registers_identical};

use crate::checkpoint::{Node, NodeId};
use crate::convergence::{BackEdge, loop_of};
use crate::observer::{PathInfo, PrecisionEvent, SccEvent};
use crate::outcome::RejectionCause;
use crate::path::{Path, Trail, TrailStep};
use crate::precision::{Asked, Broken, marked};
use crate::search::{Search, Stop, internal};

/// What became of a state at a place where a checkpoint may stand.
pub(crate) enum Visited {
    /// It is covered: the path ends.
    Covered,
    /// It goes on, remembered or not.
    New,
}

/// What a comparison with one remembered state came to.
enum Compared {
    Covered { in_loop: bool },
    Missed { open: bool },
}

impl<D: Domain> Node<D> {
    /// Whether it covers a state. Where they differ is looked at first the next time, and with the states that come next: `told` is where
    /// the last one differed.
    #[inline]
    fn covers(
        &mut self,
        now: &Comparison<'_, '_, D>,
        strictness: Strictness,
        told: &mut Hint,
        ids: &mut IdMap,
    ) -> bool {
        let [last, _] = self.hints;
        if now.may_be_covered(&self.state, strictness, last) {
            return self.covers_elsewhere(now, strictness, told, ids);
        }
        *told = last;
        false
    }

    /// Whether it covers a state that does not differ where the last one did.
    #[inline(never)]
    fn covers_elsewhere(
        &mut self,
        now: &Comparison<'_, '_, D>,
        strictness: Strictness,
        told: &mut Hint,
        ids: &mut IdMap,
    ) -> bool {
        let [last, before] = self.hints;
        if !now.may_be_covered(&self.state, strictness, before) {
            self.hints = [before, last];
            *told = before;
            return false;
        }
        if *told != last && *told != before && !now.may_be_covered(&self.state, strictness, *told) {
            return false;
        }
        match now.covered(&self.state, strictness, ids) {
            Ok(()) => true,
            Err(hint) => {
                if !hint.is_empty() {
                    self.hints = [hint, last];
                    *told = hint;
                }
                false
            }
        }
    }
}

impl<D: Domain> Search<'_, '_, D> {
    /// Compares the path's state with those remembered here, and remembers it if that is worth while.
    pub(crate) fn visit(&mut self, path: &mut Path<D>, resumed: bool) -> Result<Visited, Stop<D>> {
        let at = path.at;
        let marks = self.graph.marks(at);
        let force = self.policy.checkpoint_everywhere
            || (self.facts.request.flags.test_state_freq && self.facts.bpf_capable())
            || marks.force_checkpoint()
            || path.trail.steps.len() > self.facts.limits.history_len as usize;
        let since_jumps = self.jumps - self.jumps_at_checkpoint;
        let since_insns = self.stats.insns_processed - self.insns_at_checkpoint;
        let mut add = force || (since_jumps >= self.policy.min_jumps && since_insns >= self.policy.min_insns);
        self.forget_dead(&mut path.state, at);

        let bucket = self.nodes.bucket_of(at, path.state.top().callsite);
        let now = Comparison::new(self.facts, self.memo.exact_scalars, &path.state, at, self.ids.last());
        // A state that covers this one was reached by the same calls: it is in the same loop.
        let in_loop = self.loop_is_open(&path.state, at);
        let settled = self.strictness(in_loop);
        let mut told = Hint::default();
        let mut met = 0;
        let mut index = self.nodes.bucket(bucket).len();
        while index > 0 {
            index -= 1;
            let Some(id) = self.nodes.bucket(bucket).get(index).copied() else { break };
            met += 1;
            let Some(node) = self.nodes.get_mut(id) else { continue };
            if node.at != at {
                continue;
            }
            let compared = if node.branches == 0 {
                if node.covers(&now, settled, &mut told, &mut self.id_map) {
                    Compared::Covered { in_loop }
                } else {
                    Compared::Missed { open: false }
                }
            } else {
                self.compare_open(path, id, &now, &mut told)?
            };
            match compared {
                Compared::Covered { in_loop } => {
                    self.covered(path, id, in_loop, resumed)?;
                    return Ok(Visited::Covered);
                }
                Compared::Missed { open } => {
                    if open
                        && !force
                        && since_jumps < self.policy.min_loop_jumps
                        && since_insns < self.policy.min_loop_insns
                    {
                        add = false;
                    }
                }
            }
            self.missed(bucket, id, add, marks.force_checkpoint());
        }
        self.stats.max_states_per_insn = self.stats.max_states_per_insn.max(met);
        let crowded = self.facts.limits.stored_states_per_bucket.is_some_and(|limit| met > limit);
        if add && !crowded {
            self.remember(path, bucket, told, resumed);
        }
        Ok(Visited::New)
    }

    /// How much must agree with a state all of whose paths have ended.
    fn strictness(&self, in_loop: bool) -> Strictness {
        if (in_loop && !fault::on(Fault::LoopComparedLoosely)) || self.policy.exact_subsumption {
            Strictness::RangeWithin
        } else {
            Strictness::Relevant
        }
    }

    /// Compares with a state from which not all paths have ended.
    fn compare_open(
        &mut self,
        path: &Path<D>,
        id: NodeId,
        now: &Comparison<'_, '_, D>,
        told: &mut Hint,
    ) -> Result<Compared, Stop<D>> {
        let at = path.at;
        let marks = self.graph.marks(at);
        let iterates = self.iterates_at(at);
        let ids = &mut self.id_map;
        let Some(node) = self.nodes.get_mut(id) else { return Ok(Compared::Missed { open: false }) };
        let missed = Ok(Compared::Missed { open: true });
        if let FrameKind::AsyncCallback(_) = node.state.top().kind
            && node.state.top().async_depth != path.state.top().async_depth
        {
            // Another entry into the callback: meeting the same state is no loop.
            return missed;
        }
        if iterates {
            // That an iteration ends is its contract: a round that is like one before proves what all rounds do.
            let covered = node.covers(now, Strictness::RangeWithin, told, ids) && path.state.iterates();
            return if covered { Ok(Compared::Covered { in_loop: true }) } else { missed };
        }
        let (node_rounds, path_rounds) = (node.trail.may_goto_rounds, path.trail.may_goto_rounds);
        let same_callback_round = node.trail.callback_rounds == path.trail.callback_rounds;
        if matches!(self.facts.program.get(at), Some(Insn::MayGoto { .. }))
            && node_rounds != path_rounds
            && (fault::on(Fault::MayGotoAssumedSettled) || node.covers(now, Strictness::RangeWithin, told, ids))
        {
            return Ok(Compared::Covered { in_loop: true });
        }
        if marks.calls_callback() {
            let settled = fault::on(Fault::CallbackAssumedSettled);
            return Ok(if settled || node.covers(now, Strictness::RangeWithin, told, ids) {
                Compared::Covered { in_loop: true }
            } else {
                Compared::Missed { open: true }
            });
        }
        let strictness =
            if self.facts.features.exact_loop_detection() { Strictness::Exact } else { Strictness::Relevant };
        if registers_identical(&node.state, &path.state)
            && node.covers(now, strictness, told, ids)
            && !node.state.in_other_rounds(&path.state)
            && node_rounds == path_rounds
            && same_callback_round
        {
            self.watcher.tell(|observer| observer.infinite_loop(at, &path.state, &node.state));
            return Err(Box::new((RejectionCause::InfiniteLoop { at }, Some(path.state.clone()))));
        }
        missed
    }

    /// Whether an iteration goes on at this instruction.
    fn iterates_at(&self, at: InsnIdx) -> bool {
        let Some(&Insn::Call(Call::Kfunc { id, btf })) = self.facts.program.get(at) else { return false };
        matches!(
            self.facts.kfuncs.get(&(id, btf)),
            Some(KfuncLookup::Allowed(proto)) if proto.flags.contains(KfuncFlags::ITER_NEXT)
        )
    }

    /// Whether it is not yet known what matters in the loop that a state is in. (`incomplete_read_marks`)
    #[inline]
    fn loop_is_open(&self, state: &State<D>, at: InsnIdx) -> bool {
        // Most of the time no loop waits for anything.
        self.loops.back_edges > 0
            && loop_of(self.graph, state, at)
                .and_then(|key| self.loops.visit(&key))
                .is_some_and(|visit| !visit.back_edges.is_empty())
    }

    /// The path ends in a state that covers its own: what mattered there matters on the way here.
    fn covered(&mut self, path: &mut Path<D>, id: NodeId, in_loop: bool, resumed: bool) -> Result<(), Stop<D>> {
        let at = path.at;
        if let Some(node) = self.nodes.get_mut(id) {
            node.hits += 1;
        }
        if self.graph.marks(at).jump_point() {
            path.trail.steps.push(TrailStep { at, prev: path.prev, note: Default::default() });
        }
        if !fault::on(Fault::CoverUnpropagated) {
            self.propagate(id, &path.state, at, &path.trail).map_err(|what| internal(at, what))?;
        }
        if let Some(node) = self.nodes.get(id) {
            let info = PathInfo { at, prev: path.prev, resumed, state: &path.state };
            self.watcher.tell(|observer| observer.pruned(&info, &node.state));
        }
        if in_loop {
            self.add_back_edge(path, id).map_err(|what| internal(at, what))?;
        }
        Ok(())
    }

    /// (`propagate_precision`)
    fn propagate(&mut self, from: NodeId, state: &State<D>, at: InsnIdx, trail: &Trail) -> Result<bool, Broken> {
        if !self.facts.bpf_capable() || !self.facts.features.precision_tracking() {
            return Ok(false);
        }
        let Some(node) = self.nodes.get(from) else { return Err("a covering checkpoint was forgotten") };
        let wanted = marked(self.graph, &node.state, at, &mut self.watcher);
        self.marker().mark(state.depth(), at, trail, wanted)
    }

    /// (`add_scc_backedge`)
    fn add_back_edge(&mut self, path: &Path<D>, covered_by: NodeId) -> Result<(), Broken> {
        let node = self.nodes.get(covered_by).ok_or("a covering checkpoint was forgotten")?;
        let key = loop_of(self.graph, &node.state, node.at).ok_or("a loop was closed where there is none")?;
        self.watcher.tell(|observer| observer.scc(&SccEvent::BackEdge { callsites: &key.callsites, scc: key.scc }));
        let visit = self.loops.visit_mut(&key).ok_or("a loop was closed that was not entered")?;
        visit.back_edges.push(BackEdge { covered_by, path: path.clone() });
        self.loops.back_edges += 1;
        self.note_peak();
        Ok(())
    }

    /// A remembered state did not help. One that never does is retired.
    fn missed(&mut self, bucket: usize, id: NodeId, add: bool, forced: bool) {
        let Some(node) = self.nodes.get_mut(id) else { return };
        // Where no new state is remembered, those of earlier rounds of a loop are not held to account.
        if add {
            node.misses += 1;
        }
        let patience = if forced && node.branches > 0 { self.policy.loop_patience } else { self.policy.patience };
        if node.misses > node.hits * patience + patience {
            self.nodes.retire(bucket, id);
            self.forget_if_unused(id);
        }
    }

    fn forget_if_unused(&mut self, id: NodeId) {
        let unused = self
            .nodes
            .get(id)
            .is_some_and(|node| node.retired && node.branches == 0 && !self.loop_is_open(&node.state, node.at));
        if unused {
            self.nodes.forget(id);
        }
    }

    fn note_peak(&mut self) {
        let now = self.nodes.active + self.nodes.retired + self.loops.back_edges;
        self.stats.peak_states = self.stats.peak_states.max(now);
    }

    fn remember(&mut self, path: &mut Path<D>, bucket: usize, hint: Hint, resumed: bool) {
        let at = path.at;
        self.stats.total_states += 1;
        self.jumps_at_checkpoint = self.jumps;
        self.insns_at_checkpoint = self.stats.insns_processed;
        settle(&mut path.state, self.facts.bpf_capable(), &mut self.links);
        let info = PathInfo { at, prev: path.prev, resumed, state: &path.state };
        self.watcher.tell(|observer| observer.checkpoint(&info));
        let node = Node {
            state: path.state.clone(),
            at,
            prev: path.prev,
            trail: path.trail.clone(),
            branches: 1,
            hints: [hint, Hint::default()],
            misses: 0,
            hits: 0,
            retired: false,
        };
        let depth = node.trail.dfs_depth;
        let id = self.nodes.insert(bucket, node);
        self.note_peak();
        self.enter_loop(id);
        path.trail.parent = Some(id);
        path.trail.first = at;
        path.trail.dfs_depth = depth + 1;
        path.trail.steps.clear();
        path.trail.asked = Asked::default();
    }

    /// (`maybe_enter_scc`)
    fn enter_loop(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get(id) else { return };
        let Some(key) = loop_of(self.graph, &node.state, node.at) else { return };
        let visit = self.loops.enter(key.clone());
        if visit.entry.is_none() {
            visit.entry = Some(id);
            self.watcher.tell(|observer| observer.scc(&SccEvent::Enter { callsites: &key.callsites, scc: key.scc }));
        }
    }

    /// A path ended: its checkpoints may be finished, and the loops that they entered. (`bpf_update_branch_counts`)
    pub(crate) fn path_ended(&mut self, path: &Path<D>) -> Result<(), Broken> {
        let mut next = path.trail.parent;
        while let Some(id) = next {
            let node = self.nodes.get_mut(id).ok_or("a path's checkpoint was forgotten")?;
            node.branches = node.branches.checked_sub(1).ok_or("a checkpoint has no path left to end")?;
            if node.branches > 0 {
                break;
            }
            next = node.trail.parent;
            self.leave_loop(id)?;
            self.forget_if_unused(id);
        }
        Ok(())
    }

    /// (`maybe_exit_scc`, `propagate_backedges`)
    fn leave_loop(&mut self, id: NodeId) -> Result<(), Broken> {
        let Some(node) = self.nodes.get(id) else { return Ok(()) };
        let Some(key) = loop_of(self.graph, &node.state, node.at) else { return Ok(()) };
        let Some(visit) = self.loops.visit_mut(&key).filter(|visit| visit.entry == Some(id)) else { return Ok(()) };
        visit.entry = None;
        let edges = core::mem::take(&mut visit.back_edges);
        self.watcher.tell(|observer| observer.scc(&SccEvent::Exit { callsites: &key.callsites, scc: key.scc }));
        let closed = u32::try_from(edges.len()).unwrap_or(u32::MAX);
        self.loops.back_edges = self.loops.back_edges.saturating_sub(closed);
        self.note_peak();
        if fault::on(Fault::BackEdgesUnsettled) { Ok(()) } else { self.settle(&edges) }
    }

    /// Lets what matters flow along the edges back until nothing changes.
    fn settle(&mut self, edges: &[BackEdge<D>]) -> Result<(), Broken> {
        let mut rounds = 0;
        loop {
            rounds += 1;
            if rounds > self.policy.back_edge_rounds + 1 {
                self.watcher.tell(|observer| observer.precision(&PrecisionEvent::TooManyRounds));
                for edge in edges.iter().rev() {
                    self.marker().mark_everything(edge.path.state.depth(), &edge.path.trail);
                }
                return Ok(());
            }
            let mut changed = false;
            for edge in edges.iter().rev() {
                let BackEdge { covered_by, path } = edge;
                changed |= self.propagate(*covered_by, &path.state, path.at, &path.trail)?;
            }
            if !changed {
                return Ok(());
            }
        }
    }

    /// The newest open checkpoint at an instruction with the same calls, further up the path. (`find_prev_entry`)
    pub(crate) fn previous_entry(
        &self,
        trail: &Trail,
        state: &State<D>,
        at: InsnIdx,
        callsite: Option<InsnIdx>,
    ) -> Option<NodeId> {
        let bucket = self.nodes.bucket_of(at, callsite);
        self.nodes.bucket(bucket).iter().rev().copied().find(|id| {
            self.nodes.get(*id).is_some_and(|node| {
                node.at == at
                    && node.branches > 0
                    && node.trail.dfs_depth < trail.dfs_depth
                    && node.state.frames().len() == state.frames().len()
                    && node.state.frames().iter().zip(state.frames()).all(|(a, b)| a.callsite == b.callsite)
            })
        })
    }
}

/// Makes a state one to be remembered. Which numbers mattered on the way to it is forgotten, if it `forgets`: only what matters after it
/// counts there. A group with one member says nothing. `seen` is scratch space.
fn settle<D: Domain>(state: &mut State<D>, forgets: bool, seen: &mut Vec<u32>) {
    seen.clear();
    for index in 0..state.frames().len() {
        let frame = state.frame(index);
        let mut marked = false;
        let mut look = |value: &Value<D>| {
            if let Value::Scalar(scalar) = value {
                marked |= scalar.precise;
                seen.extend(scalar.link.map(|link| link.id.get()));
            }
        };
        frame.regs().iter().for_each(&mut look);
        frame.stack.spilled().for_each(&mut look);
        // Numbers among outgoing arguments keep their marks.
        seen.extend(
            frame
                .out_args
                .iter()
                .filter_map(Value::as_scalar)
                .filter_map(|scalar| scalar.link)
                .map(|link| link.id.get()),
        );
        if marked && forgets {
            forget_precision(state.frame_mut(index));
        }
    }
    clear_singular_links(state, seen);
}

fn forget_precision<D: Domain>(frame: &mut Frame<D>) {
    let marked = |value: &Value<D>| value.as_scalar().is_some_and(|scalar| scalar.precise);
    let forget = |value: &mut Value<D>| {
        if let Value::Scalar(scalar) = value {
            scalar.precise = false;
        }
    };
    frame.regs_mut().iter_mut().for_each(forget);
    frame.stack.for_each_spilled_mut(&mut { marked }, &mut { forget });
}

/// `ids` are those of all groups, once for each member. (`bpf_clear_singular_ids`)
fn clear_singular_links<D: Domain>(state: &mut State<D>, ids: &mut [u32]) {
    ids.sort_unstable();
    if ids.chunk_by(|one, next| one == next).all(|group| group.len() > 1) {
        return;
    }
    let alone = |id: u32| ids.get(ids.partition_point(|other| *other < id) + 1) != Some(&id);
    let id = |value: &Value<D>| value.as_scalar().and_then(|scalar| scalar.link).map(|link| link.id.get());
    state.for_each_value_mut(
        |value| id(value).is_some_and(alone),
        |value| {
            if let Value::Scalar(scalar) = value {
                scalar.link = None;
            }
        },
    );
}
