//! The analysis of all functions, each once for every chain of calls that hands it pointers into stacks.
//!
//! ```text
//!   root ──▶ callee with pointers ──▶ its callee with pointers ──▶ …      one level each, no deeper than there are frames
//!    ▲                │
//!    └── what the callee may read of the frames below, added at the call
//! ```

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

use bpfvet_insn::{Call, Insn, InsnIdx, Reg};
use bpfvet_platform::LoadRequest;

use super::access::{Facts, Largest, record_all, record_call, record_memory};
use super::instance::Instance;
use super::transfer::{Arguments, Memory, Place, State};
use super::watch::{self, StackEvent};
use crate::blocks::{BlockId, Blocks};
use crate::callee::{Callees, Control};
use crate::constants::Constants;
use crate::flow::Flow;
use crate::forward::solve;
use crate::mentions::Mentions;
use crate::tables::used_maps;
use crate::{ConstValue, StructureCause, Subprog, SubprogId};

/// Analyses of functions that Linux does before it gives up.
const MOST_ANALYSES: u32 = 10_000;
/// Slots, counted once for every analysis of their function, that this crate looks at before it gives up, so that time and memory stay
/// bounded where the kernel's are not.
const MOST_SLOTS: u64 = 1 << 24;
/// Frames that a set of frames has room for.
const MOST_FRAMES: u32 = 32;

/// Instances by call and depth.
pub(super) type Instances = BTreeMap<(InsnIdx, u32), Instance>;

/// Why the analysis stopped.
pub(super) enum Stop {
    /// The host stops here too, and refuses the program.
    Refused(StructureCause),
    /// The host would have gone on.
    GaveUp,
}

/// What the analysis is given.
pub(crate) struct Input<'a> {
    pub(crate) flow: &'a Flow,
    pub(crate) blocks: &'a Blocks,
    pub(crate) mentions: &'a Mentions,
    pub(crate) constants: &'a Constants,
    pub(crate) callees: &'a Callees,
    /// The functions, each after those that it calls.
    pub(crate) callees_first: &'a [SubprogId],
    pub(crate) request: &'a LoadRequest,
    /// Frames that there can be.
    pub(crate) call_frames: u32,
}

/// One function being analysed, in one frame of the current chain.
struct Level {
    instance: Instance,
    depth: u8,
    /// Its calls that hand on pointers into stacks, those still to be followed.
    descents: vec::IntoIter<Descent>,
    /// What it holds at the call that leads to the next level.
    memory: Rc<Memory>,
}

/// A call with pointers into stacks.
struct Descent {
    at: InsnIdx,
    callee: SubprogId,
    args: Arguments,
    /// What the caller holds there.
    memory: Rc<Memory>,
}

struct Analysis<'a> {
    input: &'a Input<'a>,
    facts: Facts<'a>,
    instances: Instances,
    /// By function: whether it has been analysed in any way.
    seen: Vec<bool>,
    analyses: u32,
    slots: u64,
    watch: Option<&'a mut dyn FnMut(StackEvent)>,
}

/// Analyses all functions, callers first (`bpf_compute_subprog_arg_access`, Linux 7.3).
///
/// # Errors
///
/// Too deep, or too much.
pub(super) fn analyze<'a>(
    input: &'a Input<'a>,
    watch: Option<&'a mut dyn FnMut(StackEvent)>,
) -> Result<Instances, Stop> {
    let used = used_maps(&input.flow.program, input.mentions);
    let maps = used.iter().filter_map(|&map| input.request.maps.get(map as usize));
    let largest = maps.fold(Largest::default(), Largest::with);
    let mut analysis = Analysis {
        input,
        facts: Facts { constants: input.constants, maps: &input.request.maps, largest },
        instances: Instances::new(),
        seen: vec![false; input.flow.subprogs.len()],
        analyses: 0,
        slots: 0,
        watch,
    };
    for &root in input.callees_first.iter().rev() {
        let Some(subprog) = input.flow.subprog(root) else { continue };
        if subprog.is_global || analysis.seen.get(root.index()) == Some(&false) {
            let instance = Instance::new(subprog.start, 0, root);
            analysis.run(instance)?;
        }
    }
    Ok(analysis.instances)
}

impl Analysis<'_> {
    /// Analyses a function and what it hands pointers to.
    fn run(&mut self, root: Instance) -> Result<(), Stop> {
        let mut levels = vec![self.begin(root, Arguments::default(), 0, &[])?];
        while let Some(level) = levels.last_mut() {
            if let Some(descent) = level.descents.next() {
                let depth = level.depth.saturating_add(1);
                if u32::from(depth) >= self.input.call_frames {
                    return Err(Stop::Refused(StructureCause::LivenessTooDeep { limit: self.input.call_frames }));
                }
                if u32::from(depth) >= MOST_FRAMES {
                    return Err(Stop::GaveUp);
                }
                level.memory = descent.memory;
                let callers: Vec<Rc<Memory>> = levels.iter().map(|level| Rc::clone(&level.memory)).collect();
                let instance = Instance::new(descent.at, depth, descent.callee);
                levels.push(self.begin(instance, descent.args, depth, &callers)?);
            } else if let Some(done) = levels.pop() {
                let caller = levels.last_mut().map(|level| &mut level.instance);
                self.finish(done.instance, caller);
            }
        }
        Ok(())
    }

    /// Follows pointers through a function, and notes what its instructions do (`compute_subprog_args`).
    fn begin(
        &mut self,
        mut instance: Instance,
        args: Arguments,
        depth: u8,
        callers: &[Rc<Memory>],
    ) -> Result<Level, Stop> {
        self.analyses = self.analyses.saturating_add(1);
        if self.analyses > MOST_ANALYSES {
            let (calls, limit) = (self.analyses, MOST_ANALYSES);
            return Err(Stop::Refused(StructureCause::LivenessTooComplex { calls, limit }));
        }
        let Input { flow, blocks, callees, .. } = *self.input;
        let id = instance.subprog;
        self.slots = self.slots.saturating_add(u64::from(flow.subprog(id).map_or(0, Subprog::len)));
        if self.analyses > 1 && self.slots > MOST_SLOTS {
            return Err(Stop::GaveUp);
        }
        if let Some(seen) = self.seen.get_mut(id.index()) {
            *seen = true;
        }
        let place = Place { depth, args: &args, callers };
        if let Some(watch) = &mut self.watch {
            watch::tell(&place, self.input, id, &args, *watch);
        }
        // Joins happen in the kernel's order, for what comes out depends on it.
        let solution = solve(&place, flow, blocks, id, Rc::new(State::entry(depth, &args)));
        let mut descents = Vec::new();
        for number in blocks.of_subprog(id).map(BlockId::of) {
            let Some(block) = blocks.get(number) else { continue };
            solution.tell(&place, flow, (number, block), |run, state| {
                let Some((at, insn)) = run.last else { return };
                record_memory(&mut instance, insn, at, state);
                if let Insn::Call(call) = *insn {
                    record_call(&mut instance, call, callees.of(call), at, state, &self.facts);
                    descents.extend(self.descent(&mut instance, call, at, state));
                }
            });
        }
        // In the order of their slots in postorder.
        let order = |descent: &Descent| (blocks.at(descent.at).and_then(|at| blocks.position(at)), Reverse(descent.at));
        descents.sort_by_key(order);
        Ok(Level { instance, depth, descents: descents.into_iter(), memory: Rc::default() })
    }

    /// The call at `at`, if it hands on pointers into stacks (`analyze_subprog`).
    fn descent(&self, instance: &mut Instance, call: Call, at: InsnIdx, state: &State) -> Option<Descent> {
        let (callee, args) = match (call, self.input.callees.of(call).control()) {
            (Call::Subprog(_), _) => {
                let target = self.input.flow.program.get(at).and_then(|insn| insn.target(at));
                let callee = target.and_then(|target| self.input.flow.subprog_starting_at(target));
                (callee, Arguments::passed(state))
            }
            (Call::Helper(_), Control::SyncCallback(callback)) => {
                let ctx = Reg::arg(callback.ctx).map(|reg| state.get(reg)).unwrap_or_default();
                let func = Reg::arg(callback.func).and_then(|reg| self.input.constants.get(at, reg));
                let mut args = Arguments::default();
                if let Some(arg) = args.regs.get_mut(usize::from(callback.ctx_as)) {
                    *arg = ctx;
                }
                match func {
                    Some(ConstValue::Subprog(callee)) => (Some(callee), args),
                    // One of several callbacks, or not one that is known: it may read anything that it is handed.
                    Some(ConstValue::Number(_) | ConstValue::Map(_)) | None => {
                        if ctx.is_pointer() {
                            record_all(instance, at, u32::MAX >> (31 - (instance.depth & 31)));
                        }
                        return None;
                    }
                }
            }
            (
                Call::Helper(_) | Call::Kfunc { .. },
                Control::Plain | Control::TailCall | Control::AsyncCallback | Control::SyncCallback(_),
            ) => return None,
        };
        let callee = callee.filter(|_| args.has_pointers())?;
        Some(Descent { at, callee, args, memory: Rc::clone(&state.memory) })
    }

    /// Keeps what was found, joined with what was found before on the same way in, and tells the caller what the function may read of
    /// the frames below.
    fn finish(&mut self, mut found: Instance, caller: Option<&mut Instance>) {
        found.settle();
        let blocks = self.input.blocks;
        let instance = match self.instances.entry((found.callsite, found.depth)) {
            Entry::Occupied(entry) => {
                let known = entry.into_mut();
                known.merge(&found);
                known
            }
            Entry::Vacant(entry) => entry.insert(found),
        };
        instance.solve(blocks);
        let (Some(caller), Some(subprog)) = (caller, self.input.flow.subprog(instance.subprog)) else { return };
        for frame in 0..u8::try_from(instance.depth).unwrap_or(0) {
            let live = instance.live_before(blocks, subprog.start, u32::from(frame));
            caller.reads(frame, instance.callsite, live);
        }
    }
}
