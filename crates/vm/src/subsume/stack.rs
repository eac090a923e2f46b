//! Stacks, byte by byte.

use bpfvet_domain::Domain;

use super::{Identities, Rules, Strictness, value};
use crate::fault::{self, Fault};
use crate::state::{ByteKind, Dynptr, Iteration, Slot, SlotObject, Stack};
use crate::{ScalarValue, Value};

/// Whether a stack that was verified covers one that is met now. (`stacksafe`)
///
/// What lies deeper than the old stack was not used then and does not matter.
///
/// # Errors
///
/// The first slot that differs.
pub(super) fn covers<D: Domain>(
    rules: Rules,
    old: &Stack<D>,
    now: &Stack<D>,
    ids: &mut impl Identities,
) -> Result<(), u8> {
    // A run is four slots.
    let compared = if fault::on(Fault::DeepSlotsUncompared) { 1 } else { usize::MAX };
    let all = rules.strictness == Strictness::Exact;
    for run in old.beside(now).take(compared) {
        let mut rest = if all { run.used } else { run.held };
        while rest != 0 {
            let index = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let (before, after) = run.slots(index);
            let covered = if run.same { itself(rules, before, ids) } else { slot_covers(rules, before, after, ids) };
            if !covered {
                return Err(u8::try_from(run.first + index).unwrap_or(0));
            }
        }
    }
    Ok(())
}

/// The slot, where the stack is that deep.
fn within<D: Domain>(stack: &Stack<D>, index: usize) -> Option<&Slot<D>> {
    (index < stack.len()).then(|| stack.slot(index))
}

/// Whether one slot of a stack covers the same of another by itself.
pub(super) fn covers_at<D: Domain>(
    rules: Rules,
    old: &Stack<D>,
    now: &Stack<D>,
    slot: u8,
    ids: &mut impl Identities,
) -> bool {
    let slot = usize::from(slot);
    slot >= old.len() || slot_covers(rules, old.slot(slot), within(now, slot), ids)
}

/// Whether a slot covers itself: it does, if its identities can stand for themselves.
fn itself<D: Domain>(rules: Rules, slot: &Slot<D>, ids: &mut impl Identities) -> bool {
    match slot {
        Slot::Bytes(_) => true,
        Slot::Object(object) => objects_match(object, object, ids),
        Slot::Spill(spill) => match &spill.value {
            Value::Scalar(ScalarValue { link: None, .. }) => true,
            spilled @ (Value::Scalar(_) | Value::Pointer(_) | Value::Uninit) => {
                value::covers(rules, spilled, spilled, ids)
            }
        },
    }
}

/// Never written and never read again are the same to a comparison.
const fn settled(kind: ByteKind) -> ByteKind {
    match kind {
        ByteKind::Poison => ByteKind::Invalid,
        ByteKind::Invalid
        | ByteKind::Misc
        | ByteKind::Zero
        | ByteKind::Spill
        | ByteKind::Iteration
        | ByteKind::IrqFlag
        | ByteKind::Dynptr => kind,
    }
}

fn slot_covers<D: Domain>(rules: Rules, old: &Slot<D>, now: Option<&Slot<D>>, ids: &mut impl Identities) -> bool {
    let exact = rules.strictness == Strictness::Exact;
    match (old, now) {
        // The usual cases: a whole value, which covers another by itself; the same bytes; and bytes that were never read.
        (Slot::Spill(before), Some(Slot::Spill(after))) if before.width == 8 && after.width == 8 => {
            return value::covers(rules, &before.value, &after.value, ids);
        }
        (Slot::Bytes(before), Some(Slot::Bytes(after))) if before == after => return true,
        (Slot::Bytes(bytes), _) if !exact && bytes.iter().all(|kind| settled(*kind) == ByteKind::Invalid) => {
            return true;
        }
        (Slot::Object(before), Some(Slot::Object(after))) => return objects_match(before, after, ids),
        (Slot::Spill(_) | Slot::Bytes(_) | Slot::Object(_), _) => {}
    }
    let mut byte = 0;
    while byte < 8 {
        let before = old.byte(byte);
        if exact && now.is_none_or(|now| settled(before) != settled(now.byte(byte))) {
            return false;
        }
        let unread = match before {
            ByteKind::Invalid | ByteKind::Poison => true,
            ByteKind::Misc => rules.uninit_readable,
            ByteKind::Zero | ByteKind::Spill | ByteKind::Iteration | ByteKind::IrqFlag | ByteKind::Dynptr => false,
        };
        if unread {
            byte += 1;
            continue;
        }
        let Some(now) = now else { return fault::on(Fault::ShallowStackCovered) };
        if (byte == 0 || byte == 4)
            && let (Some(before), Some(after)) = (as_number(rules, old, byte), as_number(rules, now, byte))
        {
            // Bytes that are not tracked read as a number that can be anything, so they compare as one.
            return value::covers(rules, &before, &after, ids);
        }
        let after = now.byte(byte);
        if before == ByteKind::Misc && after == ByteKind::Zero {
            byte += 1;
            continue;
        }
        if before == ByteKind::Zero && after == ByteKind::Misc && fault::on(Fault::ZeroCoversMisc) {
            byte += 1;
            continue;
        }
        if before != after {
            return false;
        }
        if byte == 7
            && let (Some(before), Some(after)) = (old.spilled(), now.spilled())
            && !value::covers(rules, before, after, ids)
        {
            return false;
        }
        byte += 1;
    }
    true
}

/// Whether two slots hold the same for a function of the host. In which round an iteration is does not matter.
fn objects_match(old: &SlotObject, now: &SlotObject, ids: &mut impl Identities) -> bool {
    match (old, now) {
        (SlotObject::Iteration(before), SlotObject::Iteration(after)) => {
            let Iteration { ty, object, drained, depth: _, protection } = before;
            *ty == after.ty
                && *drained == after.drained
                && *protection == after.protection
                && ids.matches(object.map(|id| id.get()), after.object.map(|id| id.get()))
        }
        (SlotObject::IrqFlag(before), SlotObject::IrqFlag(after)) => ids.matches(Some(before.get()), Some(after.get())),
        (SlotObject::Dynptr(before), SlotObject::Dynptr(after)) => {
            let Dynptr { kind, first, object, parent } = before;
            *kind == after.kind
                && *first == after.first
                && ids.matches(Some(object.get()), Some(after.object.get()))
                && ids.matches(parent.map(|id| id.get()), after.parent.map(|id| id.get()))
        }
        (SlotObject::Iteration(_) | SlotObject::IrqFlag(_) | SlotObject::Dynptr(_), _) => false,
    }
}

/// The number that a load from byte `from` up would see, if it would see one. (`scalar_reg_for_stack`)
fn as_number<D: Domain>(rules: Rules, slot: &Slot<D>, from: usize) -> Option<Value<D>> {
    if slot.byte(from) == ByteKind::Spill
        && let Some(spilled) = slot.spilled()
        && spilled.is_scalar()
    {
        return Some(*spilled);
    }
    let untracked = (from..8).all(|byte| match slot.byte(byte) {
        ByteKind::Misc => true,
        ByteKind::Invalid | ByteKind::Poison => rules.uninit_readable,
        ByteKind::Zero | ByteKind::Spill | ByteKind::Iteration | ByteKind::IrqFlag | ByteKind::Dynptr => false,
    });
    untracked.then(|| Value::Scalar(ScalarValue::new(D::unknown())))
}
