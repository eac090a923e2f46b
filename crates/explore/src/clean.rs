//! Forgetting what is never read again, so that states that differ only there compare equal. (`clean_verifier_state`)

use alloc::vec::Vec;

use bpfvet_cfg::{Graph, StackFrame, SubprogId};
use bpfvet_insn::{InsnIdx, Reg};
use bpfvet_vm::{State, Value};

/// Scratch space for asking about a chain of frames.
#[derive(Debug, Default)]
pub(crate) struct LiveStack {
    frames: Vec<StackFrame>,
}

impl LiveStack {
    /// Forgets registers and stack of all frames that no path from here reads.
    pub(crate) fn forget_dead(&mut self, graph: &Graph, state: &mut State, at: InsnIdx) {
        self.frames.clear();
        self.frames.extend(state.frames().iter().map(|frame| StackFrame {
            subprog: SubprogId(frame.subprog),
            callsite: frame.callsite.unwrap_or_default(),
        }));
        let any_stack = state.frames().iter().any(|frame| !frame.stack.is_empty());
        let query = if any_stack { Some(graph.live_stack(&self.frames, at)) } else { None };
        for index in 0..state.frames().len() {
            let live = graph.live_regs_before(state.frame_insn(index, at));
            let frame = state.frame(index);
            let dead =
                (0..10u8).filter_map(Reg::new).any(|reg| !live.contains(reg) && *frame.reg(reg) != Value::Uninit);
            if dead {
                let frame = state.frame_mut(index);
                for reg in (0..10u8).filter_map(Reg::new).filter(|reg| !live.contains(*reg)) {
                    frame.set(reg, Value::Uninit);
                }
            }
            let Some(query) = &query else { continue };
            if state.frame(index).stack.is_empty() {
                continue;
            }
            let slots = query.slots(index);
            for slot in 0..state.frame(index).stack.len() {
                let half = u32::try_from(slot * 2).unwrap_or(u32::MAX);
                let (low, high) = (slots.contains(half), slots.contains(half + 1));
                if low && high {
                    continue;
                }
                let content = state.frame(index).stack.slot(slot);
                if let Some(cleaned) = content.cleaned(low, high)
                    && let Some(place) = state.frame_mut(index).stack.slot_mut(slot)
                {
                    *place = cleaned;
                }
            }
        }
    }
}
