//! Dynamic pointers as arguments: made, taken, and given back.
//!
//! ```text
//!   slot    fp-16        fp-8
//!         ┌────────────┬────────────┐     both name the dynamic pointer, so that a store into
//!         │ first half │ other half │     either of them is known to end it
//!         └────────────┴────────────┘
//! ```

use bpfvet_domain::Domain;
use bpfvet_platform::{DynptrArg, DynptrKind};

use super::slots::{Slots, frame_of, locate, set};
use crate::cx::Cx;
use crate::failure::{Check, Stop};
use crate::region::stack_range::write_raw_words;
use crate::state::{Dynptr, Reference, ReferenceKind, Slot, SlotObject};
use crate::value::{Flags, ObjectId, Pointer, Region};
use crate::violation::{DynptrCause, Place};
use crate::{State, Value};

/// What is asked of an argument.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    pub(super) place: Place,
    pub(super) arg: DynptrArg,
    /// The call gives back what it lies over.
    pub(super) release: bool,
    /// The dynamic pointer in an argument before, of which this one may be a copy.
    pub(super) before: Option<Dynptr>,
    /// The referenced object in an argument before, of which this one may be made.
    pub(super) of: Option<ObjectId>,
}

/// The dynamic pointer that is passed; none where the call makes it. (`process_dynptr_func`)
pub(super) fn check<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    value: &Value<D>,
    ask: Ask,
) -> Check<Option<Dynptr>> {
    let Ask { place, arg, release, before, of } = ask;
    let given = given(value)?;
    let stack = frame_of(value);
    if given.is_none() && stack.is_none() {
        return Err(DynptrCause::Argument { place }.into());
    }
    let (kind, shared) = match (arg, before) {
        (DynptrArg::New(kind), _) => (kind, None),
        (DynptrArg::NewClone, Some(before)) => (before.kind, Some(before)),
        (DynptrArg::NewClone, None) => return Err(Stop::Internal(&"a copy of no dynamic pointer")),
        (DynptrArg::Any | DynptrArg::Of(_), _) => {
            let found = match (given, stack) {
                (Some(_), _) if release => return Err(DynptrCause::ConstReleased { place }.into()),
                (Some(given), _) => given,
                (None, Some((pointer, frame))) => on_stack(cx, state, pointer, frame, place)?,
                (None, None) => return Err(DynptrCause::Argument { place }.into()),
            };
            return match arg {
                DynptrArg::Of(expected) if expected != found.kind => {
                    Err(DynptrCause::Kind { place, expected, actual: found.kind }.into())
                }
                DynptrArg::Any | DynptrArg::Of(_) | DynptrArg::New(_) | DynptrArg::NewClone => Ok(Some(found)),
            };
        }
    };
    let Some((pointer, frame)) = stack else { return Err(DynptrCause::Room { place, fault: None }.into()) };
    make(cx, state, place, pointer, frame, Make { kind, shared, of })?;
    Ok(None)
}

/// What a dynamic pointer that is passed to a function lies over, where it is one.
pub(super) fn kind_of<D: Domain>(state: &State<D>, value: &Value<D>) -> Option<DynptrKind> {
    match given(value) {
        Ok(Some(given)) => Some(given.kind),
        Ok(None) => {
            let (pointer, frame) = frame_of(value)?;
            let slots = locate(state, pointer, frame, Dynptr::SLOTS).ok()??;
            state.frame(frame).stack.dynptr(slots.first).map(|half| half.kind)
        }
        Err(_) => None,
    }
}

/// One that the host made.
fn given<D: Domain>(value: &Value<D>) -> Check<Option<Dynptr>> {
    let Value::Pointer(pointer) = value else { return Ok(None) };
    let Region::Dynptr { kind } = pointer.region else { return Ok(None) };
    if pointer.flags != Flags::NONE {
        return Ok(None);
    }
    let object = pointer.object.ok_or(Stop::Internal(&"a dynamic pointer without an identity"))?;
    Ok(Some(Dynptr { kind, first: true, object, parent: pointer.parent }))
}

/// One on the stack. (`is_dynptr_reg_valid_init`)
fn on_stack<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &State<D>,
    pointer: &Pointer<D>,
    frame: usize,
    place: Place,
) -> Check<Dynptr> {
    let slots = match locate(state, pointer, frame, Dynptr::SLOTS) {
        Err(fault) => return Err(DynptrCause::Missing { place, fault: Some(fault) }.into()),
        Ok(None) => return Err(DynptrCause::Missing { place, fault: None }.into()),
        Ok(Some(slots)) => slots,
    };
    let stack = &state.frame(frame).stack;
    let Some(whole) = stack.dynptr(slots.first).filter(|half| half.first) else {
        return Err(DynptrCause::Missing { place, fault: None }.into());
    };
    if slots.each().any(|index| stack.dynptr(index).is_none_or(|half| half.object != whole.object)) {
        return Err(Stop::Internal(&"half a dynamic pointer"));
    }
    slots.each().for_each(|index| cx.fx.touch_slot(index));
    Ok(whole)
}

/// What is made.
struct Make {
    kind: DynptrKind,
    /// That of which it is a copy.
    shared: Option<Dynptr>,
    /// The object of which it is made.
    of: Option<ObjectId>,
}

/// (`is_dynptr_reg_valid_uninit`, `mark_stack_slots_dynptr`)
fn make<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    place: Place,
    pointer: &Pointer<D>,
    frame: usize,
    make: Make,
) -> Check<()> {
    let Make { kind, shared, of } = make;
    let find = |state: &State<D>| locate(state, pointer, frame, Dynptr::SLOTS);
    match find(state) {
        Err(fault) => return Err(DynptrCause::Room { place, fault: Some(fault) }.into()),
        Ok(Some(slots)) => {
            let stack = &state.frame(frame).stack;
            let taken = slots.each().any(|index| stack.dynptr(index).is_some());
            if taken && !cx.facts.features.dynptrs_made_anew() {
                return Err(DynptrCause::Room { place, fault: None }.into());
            }
        }
        Ok(None) => {}
    }
    // That of which it is a copy may have ended here.
    write_raw_words(cx, state, pointer, place, Dynptr::SLOTS)?;
    let Ok(Some(slots)) = find(state) else { return Err(Stop::Internal(&"stack that was written and is not there")) };
    let parent = match shared {
        Some(shared) => shared.parent,
        None if kind.owns() => {
            let object = cx.new_object();
            let kind = ReferenceKind::Object { parent: of };
            state.refs.push(Reference { id: Some(object.0), at: cx.at, kind });
            Some(object)
        }
        None => of,
    };
    let object = cx.new_object();
    put(cx, state, slots, Dynptr { kind, first: true, object, parent });
    Ok(())
}

fn put<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, slots: Slots, dynptr: Dynptr) {
    for (nth, index) in slots.each().enumerate() {
        let half = Dynptr { first: nth == 0, ..dynptr };
        set(cx, state, slots, index, Slot::Object(SlotObject::Dynptr(half)));
    }
}
