//! Numbers that are known to be equal, up to a constant: what is learned of one is learned of all.

use bpfvet_domain::{Domain, Width};
use bpfvet_insn::Reg;

use crate::cx::Cx;
use crate::effects::{LinkedRegs, LinkedSlot};
use crate::fault::{self, Fault};
use crate::state::Slot;
use crate::value::{Link, LinkDelta, ScalarId};
use crate::{ScalarValue, State, Value};

/// Adds every live member of a group to `found`; those that do not fit lose their link. (`collect_linked_regs`)
pub(super) fn collect<D: Domain>(cx: &Cx<'_, '_, D>, state: &mut State<D>, id: ScalarId, found: &mut LinkedRegs) {
    let limit = cx.facts.limits.linked_scalars;
    for frame in (0..state.frames().len()).rev() {
        let at = state.frame_insn(frame, cx.at);
        let live = cx.facts.live_regs.get(at.index()).copied().unwrap_or_default();
        let index = u8::try_from(frame).unwrap_or(u8::MAX);
        for number in 0..10u8 {
            let Some(reg) = Reg::new(number).filter(|reg| live.contains(*reg)) else { continue };
            if belongs(state.frame(frame).reg(reg), id)
                && !found.push(LinkedSlot { frame: index, index: number, is_reg: true }, limit)
                && let Some(value) = state.frame_mut(frame).reg_mut(reg)
            {
                unlink(value);
            }
        }
        for slot in 0..state.frame(frame).stack.len() {
            if state.frame(frame).stack.slot(slot).spilled().is_some_and(|value| belongs(value, id))
                && !found.push(
                    LinkedSlot { frame: index, index: u8::try_from(slot).unwrap_or(u8::MAX), is_reg: false },
                    limit,
                )
                && let Some(value) = state.frame_mut(frame).stack.slot_mut(slot).and_then(Slot::spilled_mut)
            {
                unlink(value);
            }
        }
    }
}

fn belongs<D: Domain>(value: &Value<D>, id: ScalarId) -> bool {
    value.as_scalar().and_then(|scalar| scalar.link).is_some_and(|link| link.id == id)
}

fn unlink<D: Domain>(value: &mut Value<D>) {
    if let Value::Scalar(scalar) = value {
        scalar.link = None;
    }
}

/// Tells the members of a group what was learned of the number in `reg` of the innermost frame. (`sync_linked_regs`)
///
/// # Soundness
///
/// Members of a group are equal to one number, each plus its own constant. So `member = known + (member's constant − known's
/// constant)`, in the arithmetic that made the constants; constants of different widths say nothing about each other.
pub(super) fn sync<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, reg: Reg, group: &LinkedRegs) {
    let Some(known) = state.reg(reg).as_scalar().copied() else { return };
    let Some(known_link) = known.link else { return };
    let top = state.depth();
    for member in group.as_slice() {
        let frame = usize::from(member.frame);
        if member.is_reg && frame == top && member.index == reg.number() {
            continue;
        }
        let current = if member.is_reg {
            Reg::new(member.index).map(|reg| *state.frame(frame).reg(reg))
        } else {
            state.frame(frame).stack.slot(usize::from(member.index)).spilled().copied()
        };
        let Some(Value::Scalar(scalar)) = current else { continue };
        let Some(link) = scalar.link.filter(|link| link.id == known_link.id) else { continue };
        let Some(learned) = displaced(&known, known_link, link) else { continue };
        if member.is_reg {
            if let Some(reg) = Reg::new(member.index) {
                if scalar != learned {
                    state.frame_mut(frame).set(reg, Value::Scalar(learned));
                }
                cx.fx.touch(reg);
            }
        } else {
            if scalar != learned
                && let Some(place) =
                    state.frame_mut(frame).stack.slot_mut(usize::from(member.index)).and_then(Slot::spilled_mut)
            {
                *place = Value::Scalar(learned);
            }
            cx.fx.touch_slot(usize::from(member.index));
        }
    }
}

/// What a member is, given another; `None` where the constants cannot be compared.
fn displaced<D: Domain>(known: &ScalarValue<D>, from: Link, to: Link) -> Option<ScalarValue<D>> {
    let narrow = match (from.delta, to.delta) {
        (LinkDelta::Add32(_), LinkDelta::Add64(_)) | (LinkDelta::Add64(_), LinkDelta::Add32(_)) => return None,
        (LinkDelta::Add32(_), _) | (_, LinkDelta::Add32(_)) => true,
        (LinkDelta::Base | LinkDelta::Add64(_), LinkDelta::Base | LinkDelta::Add64(_)) => false,
    };
    if from.delta.distance() == to.delta.distance() || fault::on(Fault::LinkDistanceIgnored) {
        return Some(*known);
    }
    let by = i64::from(to.delta.distance()) - i64::from(from.delta.distance());
    let width = if narrow && !fault::on(Fault::LinkWidthIgnored) { Width::W32 } else { Width::W64 };
    Some(ScalarValue { num: D::offset_by(known.num, by, width), link: Some(to), precise: known.precise })
}
