//! What functions of the host keep on the stack: states of iterations, saved interrupt states.

use alloc::string::{String, ToString};

use bpfvet_btf::TypeId;
use bpfvet_insn::Reg;
use bpfvet_platform::{KfuncFlags, KfuncProto, KfuncSpecial};

use super::args::Found;
use super::region::end_protection;
use crate::call::slots::{Slots, frame_of, locate, object_at, set};
use crate::call::{after, release};
use crate::cx::Cx;
use crate::effects::{Fork, ForkKind};
use crate::facts::Facts;
use crate::failure::{Check, Stop};
use crate::region::stack_range::write_raw_words;
use crate::state::{Iteration, Protection, Reference, ReferenceKind, Slot, SlotObject};
use crate::value::{Flags, ObjectId};
use crate::violation::{CallCause, Place, SlotKind};
use crate::{State, Value, typed};
use bpfvet_domain::Domain;

/// The state of an iteration as an argument. (`process_iter_arg`)
pub(super) fn iteration<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    proto: &KfuncProto,
    reg: Reg,
    (ty, count): (u32, usize),
    found: &mut Found,
) -> Check<()> {
    let value = *state.reg(reg);
    let place = Place::Reg(reg);
    let Some((pointer, frame)) = frame_of(&value) else {
        return Err(CallCause::NotOnStack { place, kind: SlotKind::Iteration }.into());
    };
    let located = locate(state, pointer, frame, count);
    let facts = cx.facts;
    let refuse = |initialised, fault| {
        let name = name_of(facts, ty);
        Err(CallCause::SlotState { place, kind: SlotKind::Iteration, name, initialised, fault }.into())
    };
    if proto.flags.contains(KfuncFlags::ITER_NEW) {
        match located {
            Err(fault) => return refuse(false, Some(fault)),
            Ok(Some(slots)) => {
                let taken = |index| matches!(object_at(state, slots, index), Some(SlotObject::Iteration(_)));
                if slots.each().any(taken) {
                    return refuse(false, None);
                }
            }
            Ok(None) => {}
        }
        write_raw_words(cx, state, pointer, place, count)?;
        let Ok(Some(slots)) = locate(state, pointer, frame, count) else {
            return Err(Stop::Internal(&"stack that was written and is not there"));
        };
        begin(cx, state, proto, slots, ty);
        return Ok(());
    }
    let slots = match located {
        Err(fault) => return refuse(true, Some(fault)),
        Ok(None) => return refuse(true, None),
        Ok(Some(slots)) => slots,
    };
    let mut object = None;
    for (nth, index) in slots.each().enumerate() {
        let Some(SlotObject::Iteration(part)) = object_at(state, slots, index) else { return refuse(true, None) };
        if part.protection == Protection::Lost {
            return Err(CallCause::ProtectionLost { kfunc: proto.name.clone() }.into());
        }
        if part.object.is_some() != (nth == 0) || part.ty != ty {
            return refuse(true, None);
        }
        object = object.or(part.object);
        cx.fx.touch_slot(index);
    }
    let object = object.ok_or(Stop::Internal(&"an iteration without a reference"))?;
    found.many_owned |= found.owned.is_some();
    found.owned = Some(object);
    found.iteration = Some(slots);
    if proto.flags.contains(KfuncFlags::ITER_DESTROY) {
        release::release(cx, state, object)?;
        for index in slots.each() {
            set(cx, state, slots, index, Slot::INVALID);
        }
    }
    Ok(())
}

/// (`mark_stack_slots_iter`)
fn begin<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, proto: &KfuncProto, slots: Slots, ty: u32) {
    let object = cx.new_object();
    state.refs.push(Reference { id: Some(object.0), at: cx.at, kind: ReferenceKind::Object { parent: None } });
    let protection = if !proto.flags.contains(KfuncFlags::RCU_PROTECTED) {
        Protection::NotNeeded
    } else if typed::in_read_section(state) {
        Protection::Held
    } else {
        Protection::Lost
    };
    let mut object: Option<ObjectId> = Some(object);
    for index in slots.each() {
        let part = Iteration { ty, object: object.take(), drained: false, depth: 0, protection };
        set(cx, state, slots, index, Slot::Object(SlotObject::Iteration(part)));
    }
}

/// Whether what an iteration yields is protected as the iteration is.
pub(super) fn yields_protected<D: Domain>(state: &State<D>, found: &Found) -> bool {
    let first = found.iteration.and_then(|slots| object_at(state, slots, slots.first));
    matches!(first, Some(SlotObject::Iteration(Iteration { protection: Protection::Held, .. })))
}

/// The next round of an iteration is put aside, and its end goes on. (`process_iter_next_call`)
pub(super) fn go_on<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, found: &Found) -> Check<()> {
    let slots = found.iteration.ok_or(Stop::Internal(&"an iteration that is nowhere"))?;
    let Some(SlotObject::Iteration(part)) = object_at(state, slots, slots.first) else {
        return Err(Stop::Internal(&"an iteration that is not there any more"));
    };
    let put = |state: &mut State<D>, part| {
        if let Some(slot) = state.frame_mut(slots.frame).stack.slot_mut(slots.first) {
            *slot = Slot::Object(SlotObject::Iteration(part));
        }
    };
    if !part.drained {
        let mut other = state.clone();
        put(&mut other, Iteration { depth: part.depth.saturating_add(1), ..part });
        if let Value::Pointer(pointer) = *other.reg(Reg::R0) {
            other.set(Reg::R0, Value::Pointer(pointer.with(pointer.flags.without(Flags::NULLABLE))));
        }
        cx.fx.forks.push(Fork { state: other, at: after(cx), kind: ForkKind::Iteration });
    }
    put(state, Iteration { drained: true, ..part });
    state.set(Reg::R0, cx.scalar(D::constant(0)));
    Ok(())
}

/// An iteration's name, as logs print it.
fn name_of(facts: &Facts<'_>, ty: u32) -> String {
    let found = facts.platform.btf().and_then(|types| types.type_by_id(TypeId(ty)));
    found.map_or("", |ty| ty.name()).trim_start_matches("bpf_iter_").to_string()
}

/// A place for a saved interrupt state. (`process_irq_flag`)
pub(super) fn irq_flag<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    proto: &KfuncProto,
    reg: Reg,
) -> Check<()> {
    let value = *state.reg(reg);
    let place = Place::Reg(reg);
    let kind = SlotKind::IrqFlag;
    let Some((pointer, frame)) = frame_of(&value) else { return Err(CallCause::NotOnStack { place, kind }.into()) };
    let located = locate(state, pointer, frame, 1);
    let saves = proto.special == KfuncSpecial::IrqSave;
    let refuse =
        |fault| Err(CallCause::SlotState { place, kind, name: String::new(), initialised: !saves, fault }.into());
    let found = match located {
        Err(fault) => return refuse(Some(fault)),
        Ok(Some(slots)) => match object_at(state, slots, slots.first) {
            Some(SlotObject::IrqFlag(id)) => Some((slots, id)),
            Some(SlotObject::Iteration(_) | SlotObject::Dynptr(_)) | None => None,
        },
        Ok(None) => None,
    };
    match (saves, found) {
        (true, Some(_)) | (false, None) => refuse(None),
        (true, None) => {
            write_raw_words(cx, state, pointer, place, 1)?;
            let Ok(Some(slots)) = locate(state, pointer, frame, 1) else {
                return Err(Stop::Internal(&"stack that was written and is not there"));
            };
            let id = cx.ids.next();
            state.refs.push(Reference { id: Some(id), at: cx.at, kind: ReferenceKind::Irq });
            state.active_irq = Some(id);
            set(cx, state, slots, slots.first, Slot::Object(SlotObject::IrqFlag(id)));
            Ok(())
        }
        (false, Some((slots, id))) => {
            cx.fx.touch_slot(slots.first);
            if !state.restore_irq(id) {
                let active = state.active_irq;
                let taken = state.refs.iter().find(|held| active.is_some() && held.id == active).map(|held| held.at);
                return Err(CallCause::IrqOutOfOrder { active: active.map_or(0, |id| id.get()), taken }.into());
            }
            set(cx, state, slots, slots.first, Slot::INVALID);
            end_protection(state);
            Ok(())
        }
    }
}
