//! Dynamic pointers on the stack, where something else is written.

use bpfvet_domain::Domain;

use crate::State;
use crate::call::release;
use crate::cx::Cx;
use crate::failure::Check;
use crate::violation::ResourceCause;

/// A store into this slot ends the dynamic pointer that lies there, if one does, in both of its slots.
/// (`destroy_if_dynptr_stack_slot`)
///
/// # Errors
///
/// It is the last of those that could give back what they lie over.
pub(super) fn overwrite<D: Domain>(cx: &Cx<'_, '_, D>, state: &mut State<D>, frame: usize, index: usize) -> Check<()> {
    let Some(dynptr) = state.frame(frame).stack.dynptr(index) else { return Ok(()) };
    if dynptr.kind.owns() && state.dynptrs_sharing(dynptr.parent) <= 1 {
        let held = state.object_references().find(|held| held.id == dynptr.parent.map(|parent| parent.0));
        return Err(ResourceCause::DynptrOverwritten { taken: held.map(|held| held.at) }.into());
    }
    release(cx, state, dynptr.object)
}
