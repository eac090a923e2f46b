//! Forgetting what is never read again, so that states that differ only there compare equal. (`clean_verifier_state`)

use bpfvet_cfg::{Graph, StackFrame, StackQuery, StackSlots, SubprogId};
use bpfvet_domain::Domain;
use bpfvet_insn::{InsnIdx, Reg};
use bpfvet_vm::{State, Value};

/// Forgets registers and stack of all frames that no path from here reads. `query` is one of the graph's, whatever it was about.
pub(crate) fn forget_dead<D: Domain>(graph: &Graph, query: &mut StackQuery<'_>, state: &mut State<D>, at: InsnIdx) {
    let any_stack = state.frames().iter().any(|frame| !frame.stack.is_empty());
    if any_stack {
        let chain = state.frames().iter().map(|frame| StackFrame {
            subprog: SubprogId(frame.subprog),
            callsite: frame.callsite.unwrap_or_default(),
        });
        query.ask(chain, at);
    }
    for index in 0..state.frames().len() {
        let live = graph.live_regs_before(state.frame_insn(index, at));
        let dead = |reg: &Reg| !live.contains(*reg);
        let registers = || (0..10u8).filter_map(Reg::new).filter(dead);
        if registers().any(|reg| !matches!(state.frame(index).reg(reg), Value::Uninit)) {
            let frame = state.frame_mut(index);
            registers().for_each(|reg| frame.set(reg, Value::Uninit));
        }
        let used = state.frame(index).stack.len();
        let Some(last) = u32::try_from(used * 2).ok().and_then(|halves| halves.checked_sub(1)) else { continue };
        // Half slots, two bits to a slot.
        let live = query.slots(index);
        let mut dead = StackSlots::range(0, last).difference(live).bits();
        while dead != 0 {
            let slot = dead.trailing_zeros() / 2;
            dead &= !(0b11 << (slot * 2));
            let (low, high) = (live.contains(slot * 2), live.contains(slot * 2 + 1));
            let slot = slot as usize;
            if let Some(cleaned) = state.frame(index).stack.slot(slot).cleaned(low, high)
                && let Some(place) = state.frame_mut(index).stack.slot_mut(slot)
            {
                *place = cleaned;
            }
        }
    }
}
