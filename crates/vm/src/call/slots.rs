//! Places on the stack where the host keeps something for itself.

use core::ops::Range;

use bpfvet_domain::Domain;

use crate::cx::Cx;
use crate::state::{Slot, SlotObject, Stack};
use crate::value::{Flags, Pointer, Region};
use crate::violation::SlotFault;
use crate::{State, Value};

/// Whole slots of a frame's stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slots {
    pub(super) frame: usize,
    /// The one at the lowest address; the others come before it.
    pub(super) first: usize,
    count: usize,
}

impl Slots {
    /// From the lowest address up.
    pub(super) fn each(self) -> impl Iterator<Item = usize> {
        let Range { start, end } =
            self.first.saturating_add(1).saturating_sub(self.count)..self.first.saturating_add(1);
        (start..end).rev()
    }
}

/// Where the slots are: known and in use, or below what is in use. (`stack_slot_obj_get_spi`)
///
/// # Errors
///
/// They are in no known place, or not whole slots.
pub(super) fn locate<D: Domain>(
    state: &State<D>,
    pointer: &Pointer<D>,
    frame: usize,
    count: usize,
) -> Result<Option<Slots>, SlotFault> {
    let off = pointer.const_off().ok_or(SlotFault::Variable)?;
    if off >= 0 || off % 8 != 0 {
        return Err(SlotFault::Offset(off));
    }
    let (first, _) = Stack::locate(off);
    if first + 1 < count {
        return Err(SlotFault::Offset(off));
    }
    let in_use = first < state.frame(frame).stack.len();
    Ok(in_use.then_some(Slots { frame, first, count }))
}

/// The frame that an argument points into, if it is a pointer to the stack.
pub(super) fn frame_of<D: Domain>(value: &Value<D>) -> Option<(&Pointer<D>, usize)> {
    let pointer = value.as_pointer().filter(|pointer| pointer.flags == Flags::NONE)?;
    let Region::Stack { frame } = pointer.region else { return None };
    Some((pointer, usize::from(frame)))
}

/// What a function of the host keeps in a slot.
pub(super) fn object_at<D: Domain>(state: &State<D>, slots: Slots, index: usize) -> Option<SlotObject> {
    match state.frame(slots.frame).stack.slot(index) {
        Slot::Object(object) => Some(*object),
        Slot::Bytes(_) | Slot::Spill(_) => None,
    }
}

/// Writes a slot.
pub(super) fn set<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, slots: Slots, index: usize, slot: Slot<D>) {
    cx.fx.touch_slot(index);
    if let Some(place) = state.frame_mut(slots.frame).stack.slot_mut(index) {
        *place = slot;
    }
}
