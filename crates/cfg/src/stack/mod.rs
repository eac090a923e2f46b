//! Which bytes of which frame's stack may still be read.
//!
//! A pointer into a stack may be handed to a function, which then reads its caller's frame. So what is live is asked for a chain of
//! calls, and each function is analysed once for each way in: each call that hands it such a pointer, at each depth.
//!
//! ```text
//!  frame 0  main      call at 12 ──▶ live after 12, in main's instance
//!  frame 1  helper    call at 40 ──▶ live after 40, in the instance of the call at 12
//!  frame 2  leaf      at 57      ──▶ live before 57, in the instance of the call at 40
//! ```
//!
//! A slot of frame 0 is live if any of the three says so; a slot of frame 1 if one of the lower two does. A callback comes back to its
//! call, so there the question is what is live before the call.

mod access;
mod analyze;
mod instance;
mod slots;
mod track;
mod transfer;
mod watch;

use alloc::vec::Vec;

use bpfvet_insn::InsnIdx;

pub(crate) use analyze::Input;
pub use instance::{Instance, StackAccess};
pub use slots::StackSlots;
pub use watch::{Moved, StackEvent, StackPointer, TrackedPlace};

use crate::blocks::Blocks;
use crate::flow::Flow;
use crate::{StructureCause, SubprogId};
use analyze::{Instances, Stop};

/// One frame of a chain of calls, the outermost first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct StackFrame {
    /// The function that runs in it.
    pub subprog: SubprogId,
    /// The call that made it. Of the outermost frame this has no meaning.
    pub callsite: InsnIdx,
}

/// Liveness of stacks, for every way into every function.
#[derive(Clone, Debug, Default)]
pub(crate) struct StackLiveness {
    /// [`None`] where the analysis gave up: then everything is live.
    instances: Option<Instances>,
}

impl StackLiveness {
    /// Computes it. Without `strict`, a host that would refuse the program for this analysis has none, and everything is live.
    ///
    /// # Errors
    ///
    /// The analysis goes too deep, or takes too much.
    pub(crate) fn compute(input: &Input<'_>, strict: bool) -> Result<Self, StructureCause> {
        match analyze::analyze(input, None) {
            Ok(instances) => Ok(Self { instances: Some(instances) }),
            Err(Stop::Refused(cause)) if strict => Err(cause),
            Err(Stop::Refused(_) | Stop::GaveUp) => Ok(Self { instances: None }),
        }
    }

    /// Computes it again, for one who watches.
    pub(crate) fn watch(input: &Input<'_>, watch: &mut dyn FnMut(StackEvent)) {
        // How it ends is known from the first time.
        let _ = analyze::analyze(input, Some(watch));
    }

    pub(crate) fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.instances.iter().flat_map(|instances| instances.values())
    }

    /// The instance for a frame: that of its call at its depth, or at a smaller one where the function was analysed only there, down to
    /// where it was analysed by itself (`lookup_instance`, Linux 7.3).
    fn lookup(&self, flow: &Flow, frames: &[StackFrame], number: usize) -> Option<&Instance> {
        let frame = frames.get(number)?;
        let start = flow.subprog(frame.subprog)?.start;
        let instances = self.instances.as_ref()?;
        (0..=number).rev().find_map(|depth| {
            let key = if depth > 0 { frame.callsite } else { start };
            instances.get(&(key, u32::try_from(depth).ok()?)).filter(|instance| instance.subprog == frame.subprog)
        })
    }
}

/// What is live in the stacks of one chain of calls, at one instruction of the innermost function.
#[derive(Clone, Debug)]
pub struct StackQuery<'a> {
    flow: &'a Flow,
    blocks: &'a Blocks,
    liveness: &'a StackLiveness,
    chain: Vec<StackFrame>,
    /// By frame.
    instances: Vec<Option<&'a Instance>>,
    /// What the functions that wait for a call to return keep live: of frames 0 to *n*, those that frames *n* and further out wait in,
    /// for each *n* but the innermost, one after the other. It changes only with the chain.
    waiting: Vec<StackSlots>,
    at: InsnIdx,
}

impl<'a> StackQuery<'a> {
    /// Asks about no chain.
    pub(crate) const fn new(flow: &'a Flow, blocks: &'a Blocks, liveness: &'a StackLiveness) -> Self {
        Self { flow, blocks, liveness, chain: Vec::new(), instances: Vec::new(), waiting: Vec::new(), at: InsnIdx(0) }
    }

    /// Asks about another chain and another instruction. What the chain has in common with the one before is not looked up again.
    pub fn ask(&mut self, chain: impl IntoIterator<Item = StackFrame>, at: InsnIdx) {
        self.at = at;
        let mut depth = 0;
        for frame in chain {
            if self.chain.get(depth) != Some(&frame) {
                self.truncate(depth);
                self.chain.push(frame);
                self.instances.push(self.liveness.lookup(self.flow, &self.chain, depth));
                self.wait();
            }
            depth += 1;
        }
        self.truncate(depth);
    }

    /// Leaves all frames but the outermost so many.
    fn truncate(&mut self, depth: usize) {
        self.chain.truncate(depth);
        self.instances.truncate(depth);
        self.waiting.truncate(Self::waiting_before(depth.saturating_sub(1)));
    }

    /// How many entries [`StackQuery::waiting`] has for frames further out than this one.
    const fn waiting_before(frame: usize) -> usize {
        frame * (frame + 1) / 2
    }

    /// The innermost function was called: the one that called it waits.
    fn wait(&mut self) {
        let Some(waits) = self.chain.len().checked_sub(2) else { return };
        let further_out = Self::waiting_before(waits.saturating_sub(1));
        for frame in 0..=waits {
            let before = if frame < waits { self.waiting.get(further_out + frame).copied() } else { None };
            let kept = self.kept_by(waits, frame).unwrap_or(StackSlots::ALL);
            self.waiting.push(before.unwrap_or_default().union(kept));
        }
    }

    /// What the function in one frame may read of a frame, its own or one further out. All of it, where nothing is known of the function;
    /// [`None`] where it was not handed pointers to that frame.
    fn kept_by(&self, number: usize, frame: usize) -> Option<StackSlots> {
        let Some(&Some(instance)) = self.instances.get(number) else { return Some(StackSlots::ALL) };
        // An instance that was made at a smaller depth counts its frames from there.
        let depth = usize::try_from(instance.depth).unwrap_or(usize::MAX);
        let own = u32::try_from(frame.saturating_add(depth).checked_sub(number)?).unwrap_or(u32::MAX);
        Some(instance.live_before(self.blocks, self.point(number), own))
    }

    /// The instruction that decides what is live in a frame: where it goes on when the frames in it have been left.
    fn point(&self, frame: usize) -> InsnIdx {
        match self.chain.get(frame + 1) {
            None => self.at,
            // A callback comes back to its call.
            Some(next) if self.flow.marks_at(next.callsite).calls_callback() => next.callsite,
            Some(next) => next.callsite.next(),
        }
    }

    /// The half slots of a frame that may be read (`bpf_stack_slot_alive`, Linux 7.3). All of them, where nothing is known of a frame
    /// that can reach it.
    #[must_use]
    pub fn slots(&self, frame: usize) -> StackSlots {
        let Some(innermost) = self.chain.len().checked_sub(1) else { return StackSlots::ALL };
        if frame > innermost {
            return StackSlots::EMPTY;
        }
        let waiting = match innermost.checked_sub(1) {
            Some(waits) if frame <= waits => self.waiting.get(Self::waiting_before(waits) + frame),
            Some(_) | None => None,
        };
        waiting.copied().unwrap_or_default().union(self.kept_by(innermost, frame).unwrap_or_default())
    }

    /// Whether a half slot of a frame may be read.
    #[must_use]
    pub fn is_alive(&self, frame: usize, half: u32) -> bool {
        self.slots(frame).contains(half)
    }

    /// How many frames the chain has.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.chain.len()
    }

    /// The function that runs in the innermost frame.
    #[must_use]
    pub fn subprog(&self) -> Option<SubprogId> {
        self.chain.last().map(|_| self.flow.subprog_at(self.at))
    }
}
