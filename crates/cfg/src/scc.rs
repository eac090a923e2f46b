//! Strongly connected components: which slots lie on a common loop.

use alloc::vec;
use alloc::vec::Vec;

use bpfvet_insn::InsnIdx;

use crate::flow::Flow;

/// Numbers the components, in the order in which Tarjan's algorithm completes them, from one (`bpf_compute_scc`, Linux 7.3; R. Tarjan,
/// "Depth-First Search and Linear Graph Algorithms").
///
/// A slot alone has no number, zero, unless it leads to itself or calls a helper that calls back, which is a loop not drawn in the
/// graph.
///
/// The numbers are visible in the log and in which states belong together, so the order matters: starts by ascending slot,
/// successors in their order.
pub(crate) fn number(flow: &Flow) -> Components {
    const DONE: u32 = u32::MAX;
    let len = flow.len();
    let mut of = vec![0_u32; len];
    // When each slot was first seen, counted from one, and the earliest on the stack that it leads to.
    let mut seen = vec![0_u32; len];
    let mut low = vec![0_u32; len];
    let mut open = Vec::new();
    // The path from the start, each slot with how many of its successors have been looked at.
    let mut path: Vec<(usize, usize)> = Vec::new();
    let mut clock = 0_u32;
    let mut count = 0_u32;
    for start in 0..len {
        if seen.get(start) != Some(&0) {
            continue;
        }
        path.push((start, 0));
        while let Some((slot, looked_at)) = path.last_mut() {
            let slot = *slot;
            let (Some(seen_slot), Some(low_slot)) = (seen.get_mut(slot), low.get_mut(slot)) else { break };
            if *seen_slot == 0 {
                clock = clock.saturating_add(1);
                *seen_slot = clock;
                *low_slot = clock;
                open.push(slot);
            }
            let at = InsnIdx(u32::try_from(slot).unwrap_or(u32::MAX));
            let successors = flow.successors(at);
            let mut lowest = *low_slot;
            let mut descend = None;
            while let Some(next) = successors.get(*looked_at) {
                let next = next.index();
                match (seen.get(next), low.get(next)) {
                    (Some(0), _) => {
                        descend = Some(next);
                        break;
                    }
                    (Some(_), Some(&low)) => lowest = lowest.min(low),
                    (None, _) | (_, None) => {}
                }
                *looked_at += 1;
            }
            if let Some(low) = low.get_mut(slot) {
                *low = lowest;
            }
            if let Some(next) = descend {
                path.push((next, 0));
                continue;
            }
            path.pop();
            if seen.get(slot).is_some_and(|&seen| lowest < seen) {
                continue;
            }
            let is_loop = open.last() != Some(&slot) || successors.contains(&at) || flow.marks_at(at).calls_callback();
            if is_loop {
                count = count.saturating_add(1);
            }
            while let Some(member) = open.pop() {
                if let Some(low) = low.get_mut(member) {
                    *low = DONE;
                }
                if is_loop && let Some(number) = of.get_mut(member) {
                    *number = count;
                }
                if member == slot {
                    break;
                }
            }
        }
    }
    Components { of, count }
}

/// The component of each slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Components {
    /// By slot; zero for none.
    pub(crate) of: Vec<u32>,
    /// How many there are; the greatest number.
    pub(crate) count: u32,
}
