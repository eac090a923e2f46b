//! The search itself: one path at a time, the newest first. (`do_check`, Linux 7.3)

use alloc::boxed::Box;
use alloc::vec::Vec;
use bpfvet_domain::Domain;

use bpfvet_cfg::{Graph, StackQuery, SubprogUsage};
use bpfvet_insn::{Insn, InsnIdx};
use bpfvet_vm::{Effects, Facts, Failure, Fork, ForkKind, IdGen, IdMap, Memo, Next, State, step};

use crate::checkpoint::Checkpoints;
use crate::clean::forget_dead;
use crate::convergence::Loops;
use crate::observer::{Observer, PathInfo, Watcher};
use crate::outcome::{Limit, RejectionCause, Stats};
use crate::path::{Path, Trail, TrailStep};
use crate::policy::{Budget, Policy};
use crate::precision::{Marker, Wanted};
use crate::tally::Tally;
use crate::visited::Visited;
use crate::widen::widen;

/// Why a search stops, with the state it stopped in.
pub(crate) type Stop<D> = Box<(RejectionCause, Option<State<D>>)>;

/// A search in progress over one program.
pub(crate) struct Search<'a, 'f, D: Domain> {
    pub(crate) facts: &'a Facts<'f>,
    pub(crate) graph: &'a Graph,
    pub(crate) policy: &'a Policy,
    pub(crate) budget: &'a Budget,
    pub(crate) watcher: Watcher<'a, D>,
    pub(crate) memo: Memo,
    pub(crate) ids: IdGen,
    pub(crate) nodes: Checkpoints<D>,
    pub(crate) loops: Loops<D>,
    pub(crate) id_map: IdMap,
    pub(crate) stats: Stats,
    pub(crate) usage: Vec<SubprogUsage>,
    pub(crate) seen: Vec<bool>,
    /// Jumps processed over all paths.
    pub(crate) jumps: u64,
    /// Jumps and instructions processed when the last checkpoint was made.
    pub(crate) jumps_at_checkpoint: u64,
    pub(crate) insns_at_checkpoint: u64,
    tally: Tally,
    /// So many instructions will be processed when limits are looked at again.
    check_at: u64,
    worklist: Vec<Path<D>>,
    effects: Effects<D>,
    live: StackQuery<'a>,
    pub(crate) links: Vec<u32>,
}

/// How the current path goes on.
enum Going {
    /// Here.
    On,
    /// It ended.
    Ended,
}

impl<'a, 'f, D: Domain> Search<'a, 'f, D> {
    pub(crate) fn new(
        facts: &'a Facts<'f>,
        graph: &'a Graph,
        policy: &'a Policy,
        budget: &'a Budget,
        observer: &'a mut dyn Observer<D>,
    ) -> Self {
        let slots = facts.program.slots().len();
        let functions = facts.subprogs.len();
        let mut stats = Stats::default();
        stats.subprogs.resize_with(functions, Default::default);
        for (to, from) in stats.subprogs.iter_mut().zip(&facts.subprogs) {
            to.name.clone_from(&from.name);
            to.global = from.global;
        }
        Self {
            facts,
            graph,
            policy,
            budget,
            watcher: Watcher::new(observer),
            memo: Memo::new(slots, functions),
            ids: IdGen::default(),
            nodes: Checkpoints::new(slots),
            loops: Loops::default(),
            id_map: IdMap::default(),
            stats,
            usage: alloc::vec![SubprogUsage::default(); functions],
            seen: alloc::vec![false; slots],
            jumps: 0,
            jumps_at_checkpoint: 0,
            insns_at_checkpoint: 0,
            tally: Tally::default(),
            check_at: 0,
            worklist: Vec::new(),
            effects: Effects::default(),
            live: graph.live_stack(&[], InsnIdx(0)),
            links: Vec::new(),
        }
    }

    /// Walks every path from this state on.
    pub(crate) fn run(&mut self, entry: State<D>, at: InsnIdx) -> Result<(), Stop<D>> {
        self.nodes.clear();
        self.loops.clear();
        self.worklist.clear();
        let mut path = Path { state: entry, at, prev: None, trail: Trail::new(at) };
        let mut resumed = false;
        loop {
            let walked = self.walk(&mut path, resumed);
            self.tally.left_all(&mut self.stats.subprogs);
            walked?;
            self.watcher.tell(|observer| observer.path_ended(path.at, &path.state));
            self.path_ended(&path).map_err(|what| internal(path.at, what))?;
            let Some(next) = self.worklist.pop() else { return Ok(()) };
            self.watcher.tell(|observer| observer.resumed());
            path = next;
            resumed = true;
        }
    }

    /// Follows a path to its end.
    fn walk(&mut self, path: &mut Path<D>, mut resumed: bool) -> Result<(), Stop<D>> {
        while let Going::On = self.advance(path, resumed)? {
            resumed = false;
        }
        Ok(())
    }

    /// One instruction of one path. The path is of no use any more where it ended.
    fn advance(&mut self, path: &mut Path<D>, resumed: bool) -> Result<Going, Stop<D>> {
        let at = path.at;
        let Some(insn) = self.facts.program.get(at) else {
            return Err(internal(at, "a path leads outside the program"));
        };
        self.stats.insns_processed += 1;
        self.tally.processed(&mut self.stats.subprogs, path.state.frames());
        if self.stats.insns_processed >= self.check_at {
            self.check_budget()?;
        }
        let marks = self.graph.marks(at);
        if marks.prune_point() && self.policy.prune {
            match self.visit(path, resumed)? {
                Visited::Covered => return Ok(Going::Ended),
                Visited::New => {}
            }
        }
        let mut noted = false;
        if marks.jump_point() {
            path.trail.steps.push(TrailStep { at, prev: path.prev, note: Default::default() });
            noted = true;
        }
        self.watcher.tell(|observer| observer.step(&PathInfo { at, prev: path.prev, resumed, state: &path.state }));
        let speculative = path.state.speculative;
        let came_from = path.prev.replace(at);
        if speculative {
            if self.memo.insn(at).barrier_before {
                return Ok(Going::Ended);
            }
        } else if let Some(seen) = self.seen.get_mut(at.index()) {
            *seen = true;
        }
        if is_jump(insn) {
            self.jumps += 1;
        }
        let result = step(self.facts, &mut self.memo, &mut self.ids, &mut path.state, at, &mut self.effects);
        // What an instruction notes is merged with what was noted of it as a jump.
        if let Some(&note) = self.effects.to_note() {
            match path.trail.steps.last_mut() {
                Some(last) if noted => last.note = note,
                Some(_) | None => {
                    path.trail.steps.push(TrailStep { at, prev: came_from, note });
                }
            }
        }
        if !self.effects.demands.is_empty() && self.facts.bpf_capable() && self.facts.features.precision_tracking() {
            self.mark_demands(path, at)?;
        }
        let mut next = match result {
            Ok(next) => next,
            Err(failure) => return self.failed(failure, path, at, speculative),
        };
        if !self.effects.forks.is_empty() {
            if self.policy.reversed {
                next = self.other_way(path, next);
            }
            self.put_aside(path, at)?;
        }
        self.watcher.tell(|observer| observer.stepped(at, &path.state, &self.effects));
        path.at = match next {
            Next::To(to) => to,
            Next::CallbackReturn(to) => {
                if let Some(previous) = self.previous_entry(&path.trail, &path.state, to, path.state.top().callsite)
                    && let Some(node) = self.nodes.get(previous)
                {
                    widen(&node.state, &mut path.state, self.facts.scalars_precise());
                }
                to
            }
            Next::End => return Ok(Going::Ended),
        };
        if path.state.speculative && self.facts.features.speculation_barriers() && self.memo.insn(at).barrier_after {
            return Ok(Going::Ended);
        }
        Ok(Going::On)
    }

    /// A step failed: the search is over, unless the path was one that only a processor that guesses wrong would take.
    #[cold]
    fn failed(&mut self, failure: Failure, path: &Path<D>, at: InsnIdx, speculative: bool) -> Result<Going, Stop<D>> {
        let state = || Some(path.state.clone());
        match failure {
            Failure::Violation(violation)
                if speculative && self.facts.features.speculation_barriers() && violation.cause.ends_speculation() =>
            {
                // The host puts a barrier there, and the processor never gets this far.
                let memo = self.memo.insn_mut(at);
                memo.barrier_before = true;
                memo.mask = None;
                // What it had put aside before it failed is walked all the same.
                self.put_aside(path, at)?;
                Ok(Going::Ended)
            }
            Failure::Violation(violation) => Err(Box::new((RejectionCause::Violation(violation), state()))),
            Failure::Unsupported(what) => Err(Box::new((RejectionCause::Unsupported(what), state()))),
            Failure::Internal { at, what } => Err(internal(at, what)),
        }
    }

    /// Exchanges the way that goes on with the one that was put aside, where there are just those two.
    fn other_way(&mut self, path: &mut Path<D>, next: Next) -> Next {
        match (next, self.effects.forks.as_mut_slice()) {
            (Next::To(to), [Fork { state, at, kind: ForkKind::Branch }]) => {
                core::mem::swap(&mut path.state, state);
                Next::To(core::mem::replace(at, to))
            }
            (Next::To(_) | Next::CallbackReturn(_) | Next::End, _) => next,
        }
    }

    /// Whether the search may go on, and when that is to be asked again.
    fn check_budget(&mut self) -> Result<(), Stop<D>> {
        /// An atomic load every so often is prompt enough, and free.
        const CANCELLED: u64 = 256;
        let Budget { insns, states, cancel } = self.budget;
        let processed = self.stats.insns_processed;
        let limit = self.facts.limits.processed_insns;
        if processed > limit {
            return Err(Box::new((RejectionCause::Limit(Limit::ProcessedInsns { processed }), None)));
        }
        let over =
            insns.is_some_and(|budget| processed > budget) || states.is_some_and(|budget| self.nodes.active > budget);
        let cancelled = processed.is_multiple_of(CANCELLED)
            && cancel.as_ref().is_some_and(|flag| flag.load(core::sync::atomic::Ordering::Relaxed));
        if over || cancelled {
            return Err(Box::new((RejectionCause::Interrupted, None)));
        }
        let first_over = limit.min(insns.unwrap_or(u64::MAX)).saturating_add(1);
        self.check_at = match (states, cancel) {
            (Some(_), _) => processed + 1,
            (None, Some(_)) => first_over.min((processed / CANCELLED + 1) * CANCELLED),
            (None, None) => first_over,
        };
        Ok(())
    }

    /// Marks what the step relied upon, in the order in which it did.
    fn mark_demands(&mut self, path: &mut Path<D>, at: InsnIdx) -> Result<(), Stop<D>> {
        for index in 0..self.effects.demands.len() {
            let Some(demand) = self.effects.demands.get(index).copied() else { break };
            let wanted = Wanted::demand(demand);
            let depth = match demand {
                bpfvet_vm::Demand::Reg { frame, .. }
                | bpfvet_vm::Demand::Slots { frame, .. }
                | bpfvet_vm::Demand::StackArg { frame, .. } => frame,
            };
            self.marker().mark(depth, at, &path.trail, wanted).map_err(|what| internal(at, what))?;
            if let bpfvet_vm::Demand::Reg { frame, reg } = demand {
                path.trail.asked.note(at, path.trail.steps.len(), frame, reg);
            }
        }
        Ok(())
    }

    pub(crate) fn marker(&mut self) -> Marker<'_, 'a, D> {
        Marker { graph: self.graph, nodes: &mut self.nodes, watcher: &mut self.watcher }
    }

    /// Puts the step's forks on the worklist, in their order.
    fn put_aside(&mut self, path: &Path<D>, at: InsnIdx) -> Result<(), Stop<D>> {
        let mut forks = core::mem::take(&mut self.effects.forks);
        for fork in forks.drain(..) {
            let Fork { mut state, at: to, kind } = fork;
            let mut trail = match kind {
                ForkKind::AsyncCallback => Trail::new(InsnIdx(0)),
                ForkKind::Branch
                | ForkKind::Speculative
                | ForkKind::Callback
                | ForkKind::MayGoto
                | ForkKind::Iteration => path.trail.forked(),
            };
            self.note_callback(kind, &state);
            match kind {
                ForkKind::Callback => trail.callback_rounds += 1,
                ForkKind::MayGoto => {
                    trail.may_goto_rounds += 1;
                    self.widen_round(path, &mut state, at);
                }
                ForkKind::Iteration => self.widen_round(path, &mut state, at),
                ForkKind::Branch | ForkKind::Speculative | ForkKind::AsyncCallback => {}
            }
            if let Some(parent) = trail.parent.and_then(|parent| self.nodes.get_mut(parent)) {
                parent.branches += 1;
            }
            self.watcher.tell(|observer| observer.forked(at, to, &state));
            self.worklist.push(Path { state, at: to, prev: Some(at), trail });
            let pending = u32::try_from(self.worklist.len()).unwrap_or(u32::MAX);
            if pending > self.facts.limits.pending_states {
                return Err(Box::new((RejectionCause::Limit(Limit::PendingStates { pending }), None)));
            }
        }
        // The next fork needs no new room.
        self.effects.forks = forks;
        Ok(())
    }

    fn note_callback(&mut self, kind: ForkKind, state: &State<D>) {
        let usage = self.usage.get_mut(state.top().subprog as usize);
        match (kind, usage) {
            (ForkKind::Callback, Some(usage)) => usage.is_callback = true,
            (ForkKind::AsyncCallback, Some(usage)) => {
                usage.is_callback = true;
                usage.is_async_callback = true;
            }
            (ForkKind::Branch | ForkKind::Speculative | ForkKind::MayGoto | ForkKind::Iteration, _)
            | (ForkKind::Callback | ForkKind::AsyncCallback, None) => {}
        }
    }

    /// The next round of a loop starts from what both rounds have in common.
    fn widen_round(&mut self, path: &Path<D>, state: &mut State<D>, at: InsnIdx) {
        let Some(parent) = path.trail.parent.and_then(|parent| self.nodes.get(parent)) else { return };
        let callsite = path.state.top().callsite;
        if let Some(previous) = self.previous_entry(&parent.trail, &parent.state, at, callsite)
            && let Some(node) = self.nodes.get(previous)
        {
            widen(&node.state, state, self.facts.scalars_precise());
        }
    }

    /// What may still be read in the frames of a state.
    pub(crate) fn forget_dead(&mut self, state: &mut State<D>, at: InsnIdx) {
        if self.facts.features.static_liveness() {
            forget_dead(self.graph, &mut self.live, state, at);
        }
    }
}

/// A bug of ours, as the end of a search.
pub(crate) fn internal<D: Domain>(at: InsnIdx, what: &'static str) -> Stop<D> {
    Box::new((RejectionCause::Internal { at, what }, None))
}

/// Whether the instruction is of a jump class: calls and exits are.
const fn is_jump(insn: &Insn) -> bool {
    matches!(
        insn,
        Insn::Jump { .. }
            | Insn::JumpIndirect { .. }
            | Insn::Branch { .. }
            | Insn::MayGoto { .. }
            | Insn::Call(_)
            | Insn::Exit
    )
}
