//! What becomes of pointers when the thing they point to is given back, moves, or loses its protection.

use alloc::vec::Vec;
use bpfvet_domain::Domain;

use bpfvet_insn::Reg;

use crate::cx::Cx;
use crate::failure::{Check, Stop};
use crate::fault::{self, Fault};
use crate::state::{Iteration, Protection, ReferenceKind, Slot, SlotObject};
use crate::value::{Flags, ObjectId};
use crate::violation::ResourceCause;
use crate::{State, Value};

/// Gives back the reference that an argument owns; null owns none. (`release_reg`)
pub(super) fn release_argument<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, reg: Reg) -> Check<()> {
    let value = *state.reg(reg);
    if value.is_null() {
        return Ok(());
    }
    match value.as_pointer().and_then(|pointer| pointer.object) {
        Some(object) if state.is_referenced(Some(object)) => release(cx, state, object),
        Some(_) | None => Err(Stop::Internal(&"an argument to be released that owns nothing")),
    }
}

/// Gives back a reference; pointers to the object, and to what was derived from it, become useless. (`release_reference`)
pub(crate) fn release<D: Domain>(cx: &Cx<'_, '_, D>, state: &mut State<D>, object: ObjectId) -> Check<()> {
    state.drop_reference(object);
    if fault::on(Fault::ReleaseLeavesCopies) {
        return Ok(());
    }
    let mut gone = alloc::vec![object];
    while let Some(object) = gone.pop() {
        let child = state.refs.iter().find(|reference| match reference.kind {
            ReferenceKind::Object { parent } => parent == Some(object),
            ReferenceKind::Irq | ReferenceKind::Lock(_) => false,
        });
        if let Some(reference) = child {
            let child = reference.id.map_or(0, |id| id.get());
            return Err(ResourceCause::ReleasedWithChildren { child, at: reference.at }.into());
        }
        let mut derived = Vec::new();
        invalidate(cx, state, |value| match value {
            Value::Pointer(pointer) => {
                if pointer.parent == Some(object)
                    && let Some(child) = pointer.object
                    && !derived.contains(&child)
                {
                    derived.push(child);
                }
                pointer.object == Some(object) || pointer.parent == Some(object)
            }
            Value::Scalar(_) | Value::Uninit => false,
        });
        state.forget_dynptrs(|half| {
            let dies = half.parent == Some(object);
            if dies && !derived.contains(&half.object) {
                derived.push(half.object);
            }
            dies || half.object == object
        });
        gone.extend(derived.into_iter().filter(|child| *child != object));
    }
    Ok(())
}

/// The packet may have moved: pointers into it are useless. (`clear_all_pkt_pointers`)
pub(super) fn invalidate_packets<D: Domain>(cx: &Cx<'_, '_, D>, state: &mut State<D>) {
    invalidate(cx, state, |value| match value {
        Value::Pointer(pointer) => pointer.is_packet_any() || pointer.flags.contains(Flags::PACKET_SLICE),
        Value::Scalar(_) | Value::Uninit => false,
    });
}

/// A lock was given back: what a data structure under it owns may be gone. (`invalidate_non_owning_refs`)
pub(super) fn invalidate_non_owning<D: Domain>(cx: &Cx<'_, '_, D>, state: &mut State<D>) {
    invalidate(cx, state, |value| match value {
        Value::Pointer(pointer) => pointer.flags.contains(Flags::NON_OWNING),
        Value::Scalar(_) | Value::Uninit => false,
    });
}

/// RCU protects no more: nothing is known of the validity of what it protected. (`invalidate_rcu_protected_refs`)
pub(super) fn distrust_rcu<D: Domain>(state: &mut State<D>) {
    let lost = Flags::RCU.union(Flags::NULLABLE).union(Flags::NON_OWNING);
    state.for_each_value_mut(
        |value| value.as_pointer().is_some_and(|pointer| pointer.flags.contains(Flags::RCU)),
        |value| {
            if let Value::Pointer(pointer) = value {
                pointer.flags = pointer.flags.without(lost).union(Flags::UNTRUSTED);
            }
        },
    );
    let held = |slot: &Slot<D>| {
        matches!(slot, Slot::Object(SlotObject::Iteration(Iteration { protection: Protection::Held, .. })))
    };
    for index in 0..state.frames().len() {
        for number in 0..state.frame(index).stack.len() {
            if held(state.frame(index).stack.slot(number))
                && let Some(Slot::Object(SlotObject::Iteration(part))) = state.frame_mut(index).stack.slot_mut(number)
            {
                part.protection = Protection::Lost;
            }
        }
    }
}

/// Makes every value useless that `which` picks.
fn invalidate<D: Domain>(cx: &Cx<'_, '_, D>, state: &mut State<D>, which: impl FnMut(&Value<D>) -> bool) {
    let useless = cx.invalidated();
    state.for_each_value_mut(which, |value| *value = useless);
}
