//! Forgetting what is never read again, so that states that differ only there compare equal. (`clean_verifier_state`)

use bpfvet_cfg::{Graph, StackFrame, StackQuery, StackSlots, SubprogId};
use bpfvet_domain::Domain;
use bpfvet_insn::{InsnIdx, Reg};
use bpfvet_vm::{Slot, Stack, State, Value};

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
        let remembered = StackSlots::from_bits(state.frame(index).stack.remembered());
        if remembered.is_empty() {
            continue;
        }
        // Half slots, two bits to a slot.
        let live = query.slots(index).bits();
        let mut dead = remembered.bits() & !live;
        let mut change = None;
        while dead != 0 && change.is_none() {
            change = next_cleaned(&state.frame(index).stack, live, &mut dead);
        }
        let Some((slot, cleaned)) = change else { continue };
        // The frame is copied only where something changes.
        let stack = &mut state.frame_mut(index).stack;
        stack.clean(slot, cleaned);
        while dead != 0 {
            if let Some((slot, cleaned)) = next_cleaned(stack, live, &mut dead) {
                stack.clean(slot, cleaned);
            }
        }
    }
}

/// Takes the next slot off the dead half slots; what is left of it, if that is less than it holds.
fn next_cleaned<D: Domain>(stack: &Stack<D>, live: u128, dead: &mut u128) -> Option<(usize, Slot<D>)> {
    let slot = dead.trailing_zeros() / 2;
    *dead &= !(0b11_u128.checked_shl(slot * 2).unwrap_or(u128::MAX));
    let halves = live.checked_shr(slot * 2).unwrap_or(0);
    let slot = slot as usize;
    Some((slot, stack.slot(slot).cleaned(halves & 1 != 0, halves & 2 != 0)?))
}
