//! How much stack the program uses at most, added up over its chains of calls.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use bpfvet_insn::InsnIdx;
use bpfvet_platform::{AttachType, Limits, LoadRequest, ProgramType};

use crate::{CallKind, Graph, StructureCause, StructureError, Subprog, SubprogId};

/// What the callers of a function with a tail call must stay below, in bytes.
const TAIL_CALL_STACK: u32 = 256;
/// The least stack for which a function is worth a stack of its own, in bytes.
const PRIVATE_STACK_MIN: u32 = 64;

/// What the search found out about one function.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct SubprogUsage {
    /// Bytes of stack that it uses.
    pub stack_bytes: u32,
    /// It passes arguments on the stack, or is passed some.
    pub stack_args: bool,
    /// It was called as a callback.
    pub is_callback: bool,
    /// It was called as a callback after the program's end, from a timer or a work queue.
    pub is_async_callback: bool,
}

/// How a host adds up stacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StackRules {
    /// Bytes that a function's stack is rounded up to: 16 where programs are compiled, 32 where they are interpreted.
    pub granule: u32,
    /// A function counts for one granule at least.
    pub at_least_one: bool,
    /// Functions of this program may have stacks of their own, which do not add up.
    pub private_stacks: bool,
    /// Stack arguments and a stack of its own exclude each other (x86-64).
    pub stack_args_exclude_private: bool,
    /// Bytes that one chain of calls may use.
    pub stack_bytes: u32,
    /// Nested frames that there can be.
    pub call_frames: u32,
    /// A global function is the first of its frames, whoever calls it.
    pub globals_begin_anew: bool,
}

impl StackRules {
    /// The rules of Linux on x86-64 with its compiler, with these limits. Stacks of their own are for the newest hosts, and for programs that
    /// [`may_have_private_stacks`].
    #[must_use]
    pub const fn compiled(limits: &Limits, private_stacks: bool) -> Self {
        Self {
            granule: 16,
            at_least_one: false,
            private_stacks,
            stack_args_exclude_private: true,
            stack_bytes: limits.stack_bytes,
            call_frames: limits.call_frames,
            globals_begin_anew: true,
        }
    }

    const fn round(&self, bytes: u32) -> u32 {
        let bytes = if self.at_least_one && bytes == 0 { 1 } else { bytes };
        match bytes.checked_next_multiple_of(self.granule) {
            Some(rounded) => rounded,
            None => bytes,
        }
    }
}

/// Whether functions of such a program may have stacks of their own, because the program can interrupt itself (`bpf_enable_priv_stack`,
/// Linux 7.3).
#[must_use]
pub fn may_have_private_stacks(request: &LoadRequest) -> bool {
    match request.program_type {
        ProgramType::KPROBE | ProgramType::TRACEPOINT | ProgramType::PERF_EVENT | ProgramType::RAW_TRACEPOINT => true,
        ProgramType::TRACING => request.attach_type != AttachType::TRACE_ITER,
        _ => false,
    }
}

/// How much stack a program uses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StackDepth {
    /// Bytes of the deepest chain of calls, or of the largest stack of a function's own.
    pub max_bytes: u32,
    /// By function: it has a stack of its own.
    pub private: Vec<bool>,
    /// By function: a tail call can be reached from it.
    pub tail_call_reachable: Vec<bool>,
}

/// Adds up the stacks of all chains of calls, dead calls too (`check_max_stack_depth`, Linux 7.3).
///
/// `usage` is by function; a function without an entry uses nothing.
///
/// # Errors
///
/// The first violation on the way through the calls, in their order: too much stack, too many frames, a tail call or a legacy packet
/// load that a callback can reach, the call of an exception callback.
pub fn check_stack_depth(
    graph: &Graph,
    usage: &[SubprogUsage],
    rules: &StackRules,
) -> Result<StackDepth, StructureError> {
    let count = graph.subprogs().len();
    let mut walk = Walk {
        graph,
        usage,
        rules,
        mode: vec![Mode::Undecided; count],
        found: StackDepth { max_bytes: 0, private: vec![false; count], tail_call_reachable: vec![false; count] },
        passed: BTreeMap::new(),
    };
    for (reachable, subprog) in walk.found.tail_call_reachable.iter_mut().zip(graph.subprogs()) {
        *reachable = subprog.has_tail_call;
    }
    let private = rules.private_stacks && !graph.subprogs().iter().any(|subprog| subprog.has_tail_call);
    // Asynchronous callbacks run on the normal stack, and so does what they call; the main function must know that.
    for index in (0..count).rev() {
        let id = SubprogId::of(index);
        if id == SubprogId::MAIN || walk.is_async(id) {
            walk.walk_from(id, id == SubprogId::MAIN && private)?;
        }
    }
    for (private, mode) in walk.found.private.iter_mut().zip(&walk.mode) {
        *private = *mode == Mode::Private;
    }
    Ok(walk.found)
}

/// Where a function's stack is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Undecided,
    /// On its caller's.
    Shared,
    /// On its own.
    Private,
}

/// What is true of a function's frame in one chain of calls. More of anything only leads to more violations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Above {
    /// Bytes of stack of the frames before it.
    bytes: u32,
    /// Frames of static functions on top of each other.
    frames: u32,
    /// A callback is among them.
    callback: bool,
}

impl Above {
    const fn covers(self, other: Self) -> bool {
        self.bytes >= other.bytes && self.frames >= other.frames && (self.callback || !other.callback)
    }
}

/// A function on the current chain.
struct Frame {
    id: SubprogId,
    above: Above,
    /// Bytes with its own stack.
    bytes: u32,
    /// Calls that have been looked at.
    looked_at: usize,
    /// A tail call is in it or in what it has called so far.
    tail_call: bool,
}

struct Walk<'a> {
    graph: &'a Graph,
    usage: &'a [SubprogUsage],
    rules: &'a StackRules,
    mode: Vec<Mode>,
    found: StackDepth,
    /// What functions have been gone through with, in the current walk, without a violation.
    passed: BTreeMap<SubprogId, Vec<Above>>,
}

impl Walk<'_> {
    fn usage(&self, id: SubprogId) -> SubprogUsage {
        self.usage.get(id.index()).copied().unwrap_or_default()
    }

    fn is_callback(&self, id: SubprogId) -> bool {
        self.usage(id).is_callback || self.is_async(id)
    }

    fn is_async(&self, id: SubprogId) -> bool {
        self.usage(id).is_async_callback || self.graph.subprog(id).is_some_and(|subprog| subprog.is_exception_cb)
    }

    /// Goes through all chains that start at a function.
    fn walk_from(&mut self, root: SubprogId, private: bool) -> Result<(), StructureError> {
        self.passed.clear();
        let mut chain: Vec<Frame> = Vec::new();
        self.enter(&mut chain, root, Above { bytes: 0, frames: 0, callback: self.is_callback(root) }, private)?;
        while let Some(frame) = chain.last_mut() {
            let Some(subprog) = self.graph.subprog(frame.id) else { break };
            match subprog.callees.get(frame.looked_at) {
                Some(&call) => {
                    frame.looked_at += 1;
                    let (bytes, above) = (frame.bytes, frame.above);
                    if self.is_async(call.callee) {
                        // It does not run on this stack, unless it is called like any other function.
                        if call.kind == CallKind::Address {
                            continue;
                        }
                        if self.graph.subprog(call.callee).is_some_and(|callee| callee.is_exception_cb) {
                            let cause = StructureCause::CallsExceptionCallback { subprog: call.callee };
                            return Err(StructureError::at(call.at, cause));
                        }
                    }
                    let callback = above.callback || self.is_callback(call.callee);
                    self.call(
                        &mut chain,
                        call.at,
                        call.callee,
                        Above { bytes, frames: above.frames, callback },
                        private,
                    )?;
                }
                None => self.leave(&mut chain)?,
            }
        }
        Ok(())
    }

    fn call(
        &mut self,
        chain: &mut Vec<Frame>,
        at: InsnIdx,
        callee: SubprogId,
        above: Above,
        private: bool,
    ) -> Result<(), StructureError> {
        let global = self.graph.subprog(callee).is_some_and(|subprog| subprog.is_global);
        let anew = global && self.rules.globals_begin_anew;
        let frames = if anew { 0 } else { above.frames.saturating_add(1) };
        let limit = self.rules.call_frames;
        // A global function that calls itself from dead code has no end of frames either.
        if frames >= limit || chain.iter().any(|frame| frame.id == callee) {
            return Err(StructureError::at(at, StructureCause::TooManyFrames { frames: frames.max(limit), limit }));
        }
        let above = Above { frames, ..above };
        let passed = self.passed.get(&callee);
        if passed.is_some_and(|passed| passed.iter().any(|passed| passed.covers(above))) {
            // Nothing new can be found there, but what was found concerns this chain.
            if self.found.tail_call_reachable.get(callee.index()) == Some(&true) {
                self.reach_tail_call(chain, None)?;
            }
            self.returned(chain);
            return Ok(());
        }
        self.enter(chain, callee, above, private)
    }

    fn enter(
        &mut self,
        chain: &mut Vec<Frame>,
        id: SubprogId,
        above: Above,
        private: bool,
    ) -> Result<(), StructureError> {
        let Some(subprog) = self.graph.subprog(id) else { return Ok(()) };
        let at = |cause| Err(StructureError::at(subprog.start, cause));
        if subprog.has_ld_abs && above.callback {
            return at(StructureCause::PacketLoadInCallback { subprog: id });
        }
        if let Some(throws) = subprog.throws.filter(|_| above.callback) {
            return Err(StructureError::at(throws, StructureCause::ThrowInCallback { subprog: id }));
        }
        if id != SubprogId::MAIN && subprog.has_tail_call && above.bytes >= TAIL_CALL_STACK {
            let (bytes, limit) = (above.bytes, TAIL_CALL_STACK);
            return at(StructureCause::TailCallStackTooLarge { subprog: id, bytes, limit });
        }
        let own = self.rules.round(self.usage(id).stack_bytes);
        let limit = self.rules.stack_bytes;
        let bytes = if self.decide(id, own, private) == Mode::Private {
            self.found.max_bytes = self.found.max_bytes.max(own);
            if own > limit {
                return at(StructureCause::StackTooLarge { subprog: id, bytes: own, limit });
            }
            above.bytes
        } else {
            let bytes = above.bytes.saturating_add(own);
            self.found.max_bytes = self.found.max_bytes.max(bytes);
            if bytes > limit {
                let calls = u32::try_from(chain.len()).unwrap_or(u32::MAX).saturating_add(1);
                return at(StructureCause::CombinedStackTooLarge { subprog: id, calls, bytes, limit });
            }
            bytes
        };
        // The function at which a walk starts looks only for tail calls below it.
        let tail_call = !chain.is_empty() && subprog.has_tail_call;
        chain.push(Frame { id, above, bytes, looked_at: 0, tail_call });
        Ok(())
    }

    fn decide(&mut self, id: SubprogId, own: u32, private: bool) -> Mode {
        let excluded = self.rules.stack_args_exclude_private && self.usage(id).stack_args;
        let Some(mode) = self.mode.get_mut(id.index()) else { return Mode::Shared };
        if !private || excluded {
            *mode = Mode::Shared;
        } else if *mode == Mode::Undecided && own >= PRIVATE_STACK_MIN {
            *mode = Mode::Private;
        }
        *mode
    }

    fn leave(&mut self, chain: &mut Vec<Frame>) -> Result<(), StructureError> {
        let Some(frame) = chain.pop() else { return Ok(()) };
        if frame.tail_call {
            self.reach_tail_call(chain, Some(frame.id))?;
        } else if frame.id == SubprogId::MAIN
            && self.usage(frame.id).stack_args
            && self.graph.subprogs().first().is_some_and(|main| main.has_tail_call)
        {
            let cause = StructureCause::TailCallWithStackArgs { subprog: frame.id };
            return Err(StructureError { at: None, cause });
        }
        self.returned(chain);
        self.passed.entry(frame.id).or_default().push(frame.above);
        Ok(())
    }

    /// Back from a call, the caller has whatever tail calls were found below it.
    fn returned(&self, chain: &mut [Frame]) {
        if let Some(caller) = chain.last_mut() {
            caller.tail_call = self.found.tail_call_reachable.get(caller.id.index()).copied().unwrap_or(false);
        }
    }

    /// A tail call can be reached from all functions on the chain, and from `innermost`.
    fn reach_tail_call(&mut self, chain: &[Frame], innermost: Option<SubprogId>) -> Result<(), StructureError> {
        let ids: Vec<SubprogId> = innermost.into_iter().chain(chain.iter().rev().map(|frame| frame.id)).collect();
        for id in ids {
            let at = self.graph.subprog(id).map(|subprog: &Subprog| subprog.start);
            if self.is_callback(id) {
                return Err(StructureError { at, cause: StructureCause::TailCallInCallback { subprog: id } });
            }
            if self.usage(id).stack_args {
                return Err(StructureError { at, cause: StructureCause::TailCallWithStackArgs { subprog: id } });
            }
            if let Some(reachable) = self.found.tail_call_reachable.get_mut(id.index()) {
                *reachable = true;
            }
        }
        Ok(())
    }
}
