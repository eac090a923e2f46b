//! Widening: between two rounds of a loop, numbers that differ and never mattered become any number.

use alloc::vec::Vec;

use bpfvet_domain::Domain;
use bpfvet_insn::Reg;
use bpfvet_vm::fault::{self, Fault};
use bpfvet_vm::{ScalarValue, Slot, State, Value};

/// Forgets in `now` every number that differs from the one in `before` and is precise in neither.
/// (`widen_imprecise_scalars`)
///
/// # Soundness
///
/// The result contains `now`: forgetting only adds.
pub(crate) fn widen<D: Domain>(before: &State<D>, now: &mut State<D>, precise: bool) {
    let unknown = Value::Scalar(ScalarValue { num: D::unknown(), link: None, precise });
    for frame in (0..before.frames().len().min(now.frames().len())).rev() {
        let (old, new) = (before.frame(frame), now.frame(frame));
        let regs: Vec<Reg> =
            (0..11u8).filter_map(Reg::new).filter(|reg| differs(old.reg(*reg), new.reg(*reg))).collect();
        let slots: Vec<usize> = old
            .stack
            .slots()
            .zip(new.stack.slots())
            .enumerate()
            .filter(|(_, (old, new))| match (old.spilled(), new.spilled()) {
                (Some(old), Some(new)) => differs(old, new),
                (Some(_) | None, _) => false,
            })
            .map(|(index, _)| index)
            .collect();
        if regs.is_empty() && slots.is_empty() {
            continue;
        }
        let frame = now.frame_mut(frame);
        for reg in regs {
            frame.set(reg, if fault::on(Fault::WidenedToBefore) { *old.reg(reg) } else { unknown });
        }
        for slot in slots {
            if let Some(place) = frame.stack.slot_mut(slot).and_then(Slot::spilled_mut) {
                *place = unknown;
            }
        }
    }
}

fn differs<D: Domain>(before: &Value<D>, now: &Value<D>) -> bool {
    match (before, now) {
        (Value::Scalar(before), Value::Scalar(now)) => {
            let distance = |scalar: &ScalarValue<D>| scalar.link.map_or(0, |link| link.delta.distance());
            !before.precise && !now.precise && (before.num != now.num || distance(before) != distance(now))
        }
        (Value::Scalar(_) | Value::Pointer(_) | Value::Uninit, _) => false,
    }
}
