//! Dynamic pointers on the stacks of a state.

use bpfvet_domain::Views;

use super::{Dynptr, Slot, SlotObject, Stack};
use crate::State;
use crate::value::ObjectId;

impl<D: Views> Stack<D> {
    /// The half of a dynamic pointer that lies in a slot.
    #[must_use]
    pub fn dynptr(&self, index: usize) -> Option<Dynptr> {
        match self.slot(index) {
            Slot::Object(SlotObject::Dynptr(half)) => Some(*half),
            Slot::Object(SlotObject::Iteration(_) | SlotObject::IrqFlag(_)) | Slot::Bytes(_) | Slot::Spill(_) => None,
        }
    }

    /// The dynamic pointers, from the top of the stack down, each with the slot at its lower address.
    pub fn dynptrs(&self) -> impl Iterator<Item = (usize, Dynptr)> {
        (0..self.len()).filter_map(|index| self.dynptr(index).filter(|half| half.first).map(|whole| (index, whole)))
    }
}

impl<D: Views> State<D> {
    /// How many dynamic pointers share what they lie over (`dynptr_ref_cnt`).
    #[must_use]
    pub fn dynptrs_sharing(&self, parent: Option<ObjectId>) -> usize {
        let all = self.frames().iter().flat_map(|frame| frame.stack.dynptrs());
        all.filter(|(_, dynptr)| dynptr.parent == parent).count()
    }

    /// Forgets the dynamic pointers that `which` picks: their slots are as if never written (`invalidate_dynptr`).
    pub fn forget_dynptrs(&mut self, mut which: impl FnMut(&Dynptr) -> bool) {
        for frame in 0..self.frames().len() {
            for index in 0..self.frame(frame).stack.len() {
                if self.frame(frame).stack.dynptr(index).is_some_and(|half| which(&half))
                    && let Some(slot) = self.frame_mut(frame).stack.slot_mut(index)
                {
                    *slot = Slot::INVALID;
                }
            }
        }
    }
}
