//! The walk over all paths: what can be reached, where loops close, and what is worth remembering of each instruction.
//!
//! Depth first, with the next slot before the target of a branch, and the body of a callee before what follows its callers'
//! other paths: the order decides which of several faults is found, and what is known of a callee when its caller is left.

use alloc::vec;
use alloc::vec::Vec;

use bpfvet_insn::{Insn, InsnIdx, Slot};

use crate::callee::{Callee, Callees, Control, Kfunc};
use crate::flow::Flow;
use crate::subprog::{destination, names_subprog};
use crate::tables::JumpTables;
use crate::{Marks, StructureCause, StructureError, SubprogEffects};

/// How far the walk is with a slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    /// Not seen.
    Unseen,
    /// On the walk's stack, no edge followed.
    Open,
    /// The first edge followed.
    First,
    /// Both edges followed.
    Both,
    /// All that it leads to has been seen.
    Closed,
}

/// An edge of the walk.
struct Edge {
    to: i64,
    /// Whether it is taken by jumping, and not by going on or by a jump without a condition.
    is_branch: bool,
    /// Whether it may close a loop on hosts that look where loops are entered.
    may_loop: bool,
}

/// Where loops may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loops {
    /// Nowhere.
    Refused,
    /// Where the edge that the walk finds last is a jump's: a loop that the walk enters in the middle has others.
    AtJumps,
    /// Anywhere.
    Anywhere,
}

struct Walk<'a> {
    flow: &'a mut Flow,
    callees: &'a Callees,
    tables: &'a JumpTables,
    loops: Loops,
    progress: Vec<Progress>,
    /// The way here, as runs of slots that were entered one after the other: the first and the last of each.
    stack: Vec<(InsnIdx, InsnIdx)>,
}

/// Walks over the program from its first instruction and from its exception callback (`bpf_check_cfg`, Linux 7.3), and notes
/// marks, effects of functions, and targets of indirect jumps in `flow`.
///
/// # Errors
///
/// The first fault on the walk: a jump out of the program, a loop where there may be none, an indirect jump without targets. Then
/// the first slot that cannot be reached, or that is the middle of an instruction and can.
pub(crate) fn walk(
    flow: &mut Flow,
    callees: &Callees,
    tables: &JumpTables,
    loops: Loops,
) -> Result<(), StructureError> {
    let exception_callback = flow.subprogs.iter().find(|subprog| subprog.is_exception_cb).map(|subprog| subprog.start);
    let progress = vec![Progress::Unseen; flow.len()];
    let mut walk = Walk { flow, callees, tables, loops, progress, stack: Vec::new() };
    walk.run(InsnIdx(0))?;
    if let Some(start) = exception_callback
        && walk.progress_at(start) != Progress::Closed
    {
        walk.run(start)?;
    }
    walk.all_reached()
}

impl Walk<'_> {
    fn progress_at(&self, at: InsnIdx) -> Progress {
        self.progress.get(at.index()).copied().unwrap_or(Progress::Closed)
    }

    fn set_progress(&mut self, at: InsnIdx, progress: Progress) {
        if let Some(slot) = self.progress.get_mut(at.index()) {
            *slot = progress;
        }
    }

    fn run(&mut self, start: InsnIdx) -> Result<(), StructureError> {
        self.set_progress(start, Progress::Open);
        self.stack.push((start, start));
        while let Some(&(first, at)) = self.stack.last() {
            let at = self.ahead(at);
            if let Some((_, last)) = self.stack.last_mut() {
                *last = at;
            }
            if !self.visit(at)? {
                self.progress.get_mut(first.index()..=at.index()).unwrap_or_default().fill(Progress::Closed);
                self.stack.pop();
            }
        }
        Ok(())
    }

    /// Goes on from `at` as long as instructions only lead to the next and that was not seen; where that ends.
    fn ahead(&mut self, at: InsnIdx) -> InsnIdx {
        let Some(landmark) = self.flow.program.next_landmark(at) else { return at };
        let further = self.progress.get_mut(at.next().index()..=landmark.index()).unwrap_or_default();
        let unseen = further.iter().position(|progress| *progress != Progress::Unseen).unwrap_or(further.len());
        let Some((last, passed)) = further.get_mut(..unseen).and_then(<[_]>::split_last_mut) else { return at };
        *last = Progress::Open;
        passed.fill(Progress::First);
        self.set_progress(at, Progress::First);
        InsnIdx(at.0.saturating_add(u32::try_from(unseen).unwrap_or(u32::MAX)))
    }

    /// Follows the next edge of `at` that leads to an unseen slot; `false` when there is none any more.
    fn visit(&mut self, at: InsnIdx) -> Result<bool, StructureError> {
        let insn = match self.flow.program.slots().get(at.index()) {
            Some(Slot::Insn(insn)) => *insn,
            Some(Slot::Second) => return self.follow(at, Some(next(at, 1)), None),
            None => return Ok(false),
        };
        match insn {
            Insn::Exit => Ok(false),
            Insn::JumpIndirect { .. } => self.visit_indirect(at),
            Insn::Jump { off, .. } => {
                let to = destination(at, off);
                self.mark(to, Marks::PRUNE_POINT.with(Marks::JUMP_POINT).with(Marks::JUMP_TARGET));
                self.follow(at, Some(Edge { to, is_branch: false, may_loop: true }), None)
            }
            Insn::Branch { off, .. } | Insn::MayGoto { off } => {
                let forced = matches!(insn, Insn::MayGoto { .. });
                let marks = if forced { Marks::FORCE_CHECKPOINT } else { Marks::NONE };
                self.flow.mark(at, marks.with(Marks::PRUNE_POINT));
                let branch = Edge { to: destination(at, i32::from(off)), is_branch: true, may_loop: true };
                self.follow(at, Some(Edge { may_loop: true, ..next(at, 1) }), Some(branch))
            }
            Insn::Call(_) | Insn::LoadImm64 { .. } => self.visit_call(at, &insn),
            Insn::LoadPacket { .. } => {
                self.flow.mark(at, Marks::HIDDEN_EXIT);
                self.follow(at, Some(next(at, 1)), None)
            }
            Insn::Alu { .. }
            | Insn::Neg { .. }
            | Insn::Mov { .. }
            | Insn::MovSx { .. }
            | Insn::AddrSpaceCast { .. }
            | Insn::Endian { .. }
            | Insn::Load { .. }
            | Insn::Store { .. }
            | Insn::Atomic { .. }
            | Insn::LoadAcquire { .. }
            | Insn::StoreRelease { .. } => self.follow(at, Some(next(at, 1)), None),
        }
    }

    /// A call, or a 64-bit immediate, which may be the address of a function.
    fn visit_call(&mut self, at: InsnIdx, insn: &Insn) -> Result<bool, StructureError> {
        let after = next(at, insn.slots());
        if let Insn::Call(call) = *insn {
            let callee = *self.callees.of(call);
            match callee.control() {
                Control::Plain => {}
                Control::TailCall => self.flow.mark(at, Marks::HIDDEN_EXIT),
                // Before the call, so that an asynchronous callback that was seen in this state is not seen again.
                Control::AsyncCallback => self.flow.mark(at, Marks::PRUNE_POINT),
                // A callback returns to its call, and is called until a state comes that was there before.
                Control::SyncCallback(_) => {
                    let point = Marks::PRUNE_POINT.with(Marks::JUMP_POINT);
                    self.flow.mark(at, point.with(Marks::CALLS_CALLBACK).with(Marks::FORCE_CHECKPOINT));
                }
            }
            if let Callee::Kfunc(Kfunc { iterates: true, .. }) = callee {
                // Whether a loop over an iteration has come round is looked at where it goes on.
                self.flow.mark(at, Marks::PRUNE_POINT.with(Marks::FORCE_CHECKPOINT));
            }
            self.merge_effects(at, callee.effects());
        }
        let subprog = names_subprog(insn).map(|(_, off)| destination(at, off));
        if matches!(insn, Insn::Call(_)) || subprog.is_some() {
            self.mark(after.to, Marks::PRUNE_POINT.with(Marks::JUMP_POINT));
        }
        let Some(to) = subprog else { return self.follow(at, Some(after), None) };
        self.flow.mark(at, Marks::PRUNE_POINT);
        // A function that takes its own address does not call itself.
        let callee = Edge { to, is_branch: true, may_loop: !matches!(insn, Insn::Call(_)) };
        let descended = self.follow(at, Some(after), Some(callee))?;
        if !descended && let Ok(start) = u32::try_from(to) {
            // The callee has been walked over, unless it is being walked over: then it calls itself.
            let effects = self.flow.subprog(self.flow.subprog_at(InsnIdx(start))).map(|subprog| subprog.effects);
            self.merge_effects(at, effects.unwrap_or_default());
        }
        Ok(descended)
    }

    /// An indirect jump leads to all of its table at once. Its targets are no prune points.
    fn visit_indirect(&mut self, at: InsnIdx) -> Result<bool, StructureError> {
        if !self.flow.tables.contains_key(&at) {
            if let Some(subprog) = self.flow.subprog(self.flow.subprog_at(at)) {
                let targets = self.tables.targets(at, subprog)?;
                self.flow.tables.insert(at, targets);
            }
            self.flow.mark(at, Marks::PRUNE_POINT);
        }
        let Self { flow, progress, stack, .. } = self;
        let mut descended = false;
        for target in flow.tables.get(&at).into_iter().flatten() {
            if let Some(marks) = flow.marks.get_mut(target.index()) {
                marks.add(Marks::JUMP_POINT.with(Marks::JUMP_TARGET));
            }
            if let Some(progress) = progress.get_mut(target.index())
                && *progress == Progress::Unseen
            {
                *progress = Progress::Open;
                stack.push((*target, *target));
                descended = true;
            }
        }
        Ok(descended)
    }

    fn follow(&mut self, at: InsnIdx, first: Option<Edge>, second: Option<Edge>) -> Result<bool, StructureError> {
        for (edge, done) in [(first, Progress::First), (second, Progress::Both)] {
            let Some(edge) = edge else { continue };
            if self.progress_at(at) >= done {
                continue;
            }
            if self.push(at, &edge, done)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn push(&mut self, at: InsnIdx, edge: &Edge, done: Progress) -> Result<bool, StructureError> {
        let target = u32::try_from(edge.to).ok().map(InsnIdx).filter(|to| to.index() < self.progress.len());
        let Some(to) = target else {
            let (start, end) = (InsnIdx(0), InsnIdx(self.flow.program.len()));
            let subprog = self.flow.subprog_at(at);
            let cause = StructureCause::JumpOutOfRange { to: edge.to, subprog, start, end };
            return Err(StructureError::at(at, cause));
        };
        if edge.is_branch {
            self.flow.mark(to, Marks::PRUNE_POINT.with(Marks::JUMP_POINT).with(Marks::JUMP_TARGET));
        }
        match self.progress_at(to) {
            Progress::Unseen => {
                self.set_progress(at, done);
                self.set_progress(to, Progress::Open);
                self.stack.push((to, to));
                Ok(true)
            }
            Progress::Open | Progress::First | Progress::Both => match self.loops {
                Loops::Anywhere => Ok(false),
                Loops::AtJumps if edge.may_loop => Ok(false),
                Loops::AtJumps | Loops::Refused => Err(StructureError::at(at, StructureCause::BackEdge { to })),
            },
            Progress::Closed => Ok(false),
        }
    }

    fn mark(&mut self, to: i64, marks: Marks) {
        if let Ok(to) = u32::try_from(to) {
            self.flow.mark(InsnIdx(to), marks);
        }
    }

    fn merge_effects(&mut self, at: InsnIdx, effects: SubprogEffects) {
        let id = self.flow.subprog_at(at);
        if let Some(subprog) = self.flow.subprogs.get_mut(id.index()) {
            subprog.effects.merge(effects);
        }
    }

    fn all_reached(&self) -> Result<(), StructureError> {
        let program = &self.flow.program;
        let slots = (0..).map(InsnIdx).zip(&self.progress);
        let mut open = slots.filter(|(_, progress)| **progress != Progress::Closed).map(|(at, _)| at);
        let unreached = open.find(|&at| program.get(at).is_some());
        let mut wide = program.landmarks().filter(|(_, insn)| insn.slots() == 2).map(|(at, _)| at);
        let entered = wide.find(|at| self.progress_at(at.next()) != Progress::Unseen);
        match (unreached, entered) {
            (Some(unreached), entered) if entered.is_none_or(|entered| unreached <= entered) => {
                Err(StructureError::at(unreached, StructureCause::Unreachable))
            }
            (_, Some(entered)) => Err(StructureError::at(entered, StructureCause::JumpIntoWide)),
            (_, None) => Ok(()),
        }
    }
}

fn next(at: InsnIdx, slots: u32) -> Edge {
    Edge { to: i64::from(at.0) + i64::from(slots), is_branch: false, may_loop: false }
}
