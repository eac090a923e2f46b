//! Analyses that go forward, from what holds where a function begins.
//!
//! ```text
//!  head ──▶ block ──▶ … ──▶ what holds behind its last instruction ──join──▶ heads of its successors
//! ```
//!
//! Linux keeps a state for each instruction and joins into each. Within a block only one instruction leads to the next, so that one state
//! at its head says it all, until the head changes and the block is walked again: from then on each of its instructions has a state here
//! too, for joining is not everywhere the least upper bound, and what comes out must be what Linux finds.

use alloc::rc::Rc;
use alloc::vec::Vec;

use bpfvet_insn::{Insn, InsnIdx};

use crate::blocks::{BlockId, Blocks};
use crate::flow::Flow;
use crate::involved::Involved;
use crate::{Block, SubprogId};

/// What an analysis knows, and how that moves.
pub(crate) trait Forward {
    /// What holds before an instruction.
    type State: Clone;

    /// What of an instruction may change a state, or is worth being told of. Instructions without leave it as it is.
    fn concern(state: &Self::State) -> Involved;

    /// Turns what holds before an instruction into what holds behind it; whether that may differ. A shared state is copied first.
    fn pass(&self, at: InsnIdx, insn: &Insn, state: &mut Rc<Self::State>) -> bool;

    /// Joins what comes along an edge into what is known of its end; whether that changed. Joining the same again changes nothing.
    fn join(known: &mut Rc<Self::State>, from: &Rc<Self::State>) -> bool;
}

/// What is known of one block.
struct Place<S> {
    /// Before its first instruction; [`None`] as long as nothing leads there.
    head: Option<Rc<S>>,
    /// The head with which it was walked last.
    walked: Option<Rc<S>>,
    /// Before each further instruction, once it was walked with more than one head.
    inner: Vec<Rc<S>>,
}

/// What holds in one function.
pub(crate) struct Solution<S> {
    /// The number of its first block.
    first: usize,
    places: Vec<Place<S>>,
}

/// Walks the blocks of a function in reverse postorder until nothing changes.
pub(crate) fn solve<A: Forward>(
    analysis: &A,
    flow: &Flow,
    blocks: &Blocks,
    subprog: SubprogId,
    entry: Rc<A::State>,
) -> Solution<A::State> {
    let range = blocks.of_subprog(subprog);
    let mut places = Vec::new();
    places.resize_with(range.len(), || Place { head: None, walked: None, inner: Vec::new() });
    if let Some(place) = places.first_mut() {
        place.head = Some(entry);
    }
    let mut solution = Solution { first: range.start, places };
    loop {
        let mut again = false;
        for &id in blocks.postorder_of(subprog).iter().rev() {
            let Some(after) = solution.walk(analysis, flow, blocks, id) else { continue };
            for &next in blocks.successors(id) {
                let Some(place) = solution.place_mut(next) else { continue };
                let changed = match &mut place.head {
                    Some(head) => A::join(head, &after),
                    none => {
                        *none = Some(Rc::clone(&after));
                        true
                    }
                };
                // Another round changes something only if a block changed that this one had passed.
                again |= changed && blocks.is_retreating(id, next);
            }
        }
        if !again {
            return solution;
        }
    }
}

impl<S: Clone> Solution<S> {
    fn place_mut(&mut self, id: BlockId) -> Option<&mut Place<S>> {
        self.places.get_mut(id.index().checked_sub(self.first)?)
    }

    /// What holds behind a block; [`None`] where that cannot have changed since it was walked last.
    fn walk<A: Forward<State = S>>(
        &mut self,
        analysis: &A,
        flow: &Flow,
        blocks: &Blocks,
        id: BlockId,
    ) -> Option<Rc<S>> {
        let block = blocks.get(id)?;
        let Place { head, walked, inner } = self.place_mut(id)?;
        let mut state = Rc::clone(head.as_ref()?);
        let Some(before) = walked.replace(Rc::clone(&state)) else {
            runs(analysis, flow, block, &mut state, |_, _| {});
            return Some(state);
        };
        if Rc::ptr_eq(&before, &state) {
            return None;
        }
        if inner.is_empty() {
            *inner = within(analysis, flow, block, before);
        }
        let mut further = inner.iter_mut();
        for (at, insn) in flow.insns(block) {
            if at != block.start
                && let Some(known) = further.next()
            {
                if !A::join(known, &state) {
                    return None;
                }
                state = Rc::clone(known);
            }
            pass(analysis, flow, at, insn, &mut state);
        }
        Some(state)
    }

    /// Tells what holds before each instruction of a block, run by run; nothing of a block to which no path leads.
    pub(crate) fn tell<A: Forward<State = S>>(
        &self,
        analysis: &A,
        flow: &Flow,
        (id, block): (BlockId, &Block),
        mut tell: impl FnMut(Run<'_>, &S),
    ) {
        let place = id.index().checked_sub(self.first).and_then(|index| self.places.get(index));
        let Some(Place { head: Some(head), inner, .. }) = place else { return };
        if inner.is_empty() {
            return runs(analysis, flow, block, &mut Rc::clone(head), tell);
        }
        let mut before = None;
        for ((at, insn), state) in flow.insns(block).zip(core::iter::once(head).chain(inner)) {
            let changed = before.replace(state).is_none_or(|before| !Rc::ptr_eq(before, state));
            tell(Run { start: at, end: at.next(), changed, last: Some((at, insn)) }, state);
        }
    }
}

/// Slots before which the same holds.
pub(crate) struct Run<'a> {
    /// The first.
    pub(crate) start: InsnIdx,
    /// One past the last.
    pub(crate) end: InsnIdx,
    /// Whether it may be something else than before the slot above.
    pub(crate) changed: bool,
    /// Its last instruction, where that concerns the analysis. The others do not.
    pub(crate) last: Option<(InsnIdx, &'a Insn)>,
}

/// Goes through a block with what holds before it, and tells of each run on the way.
fn runs<A: Forward>(
    analysis: &A,
    flow: &Flow,
    block: &Block,
    state: &mut Rc<A::State>,
    mut tell: impl FnMut(Run<'_>, &A::State),
) {
    let (mut start, mut changed, mut concern) = (block.start, true, A::concern(state));
    for (at, involved) in flow.involved_in(block) {
        if !involved.meets(concern) {
            continue;
        }
        let Some(insn) = flow.program.get(at) else { continue };
        tell(Run { start, end: at.next(), changed, last: Some((at, insn)) }, state);
        start = at.next();
        changed = analysis.pass(at, insn, state);
        if changed {
            concern = A::concern(state);
        }
    }
    if start < block.end {
        tell(Run { start, end: block.end, changed, last: None }, state);
    }
}

/// What holds before each instruction of a block but the first.
fn within<A: Forward>(analysis: &A, flow: &Flow, block: &Block, mut state: Rc<A::State>) -> Vec<Rc<A::State>> {
    let mut states = Vec::new();
    for (at, insn) in flow.insns(block) {
        if at != block.start {
            states.push(Rc::clone(&state));
        }
        pass(analysis, flow, at, insn, &mut state);
    }
    states
}

/// One instruction of several that are gone through one by one.
fn pass<A: Forward>(analysis: &A, flow: &Flow, at: InsnIdx, insn: &Insn, state: &mut Rc<A::State>) {
    if flow.involved(at).meets(A::concern(state)) {
        analysis.pass(at, insn, state);
    }
}
