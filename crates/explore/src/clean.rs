//! Forgetting what is never read again, so that states that differ only there compare equal. (`clean_verifier_state`)

use bpfvet_cfg::{Graph, StackFrame, StackQuery, SubprogId};
use bpfvet_domain::Domain;
use bpfvet_insn::{InsnIdx, Reg};
use bpfvet_vm::{Slot, Stack, State, Value};

use crate::precision::bits;

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
        let dead = state.frame(index).held().difference(live).without(Reg::FP);
        if !dead.is_empty() {
            let frame = state.frame_mut(index);
            dead.iter().for_each(|reg| frame.set(reg, Value::Uninit));
        }
        let remembered = state.frame(index).stack.remembered();
        if remembered == 0 {
            continue;
        }
        let live = query.slots(index).bits();
        // The frame is copied only where something changes.
        let Dying { whole, partly } = dying(&state.frame(index).stack, remembered & !live, live);
        if whole != 0 {
            state.frame_mut(index).stack.forget(whole);
        }
        for slot in bits(partly) {
            let halves = live >> (slot * 2);
            if let Some(cleaned) = state.frame(index).stack.slot(slot).cleaned(halves & 1 != 0, halves & 2 != 0) {
                state.frame_mut(index).stack.clean(slot, cleaned);
            }
        }
    }
}

/// Slots that are never read again, a bit each.
struct Dying {
    whole: u64,
    partly: u64,
}

/// Which slots die with these half slots. What a function of the host keeps in one stays: it must not be made twice.
fn dying<D: Domain>(stack: &Stack<D>, dead: u128, live: u128) -> Dying {
    let mut dying = Dying { whole: 0, partly: 0 };
    // Thirty-two slots to a word.
    for word in 0..2 {
        let halves = |all: u128| (all >> (word * 64)) as u64;
        let (mut dead, live) = (halves(dead), halves(live));
        while dead != 0 {
            let half = dead.trailing_zeros() & !1;
            dead &= !(0b11 << half);
            let slot = word * 32 + half / 2;
            if live >> half & 0b11 != 0 {
                dying.partly |= 1 << slot;
            } else if !matches!(stack.slot(slot as usize), Slot::Object(_)) {
                dying.whole |= 1 << slot;
            }
        }
    }
    dying
}
