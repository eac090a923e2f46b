//! Nothing may be held where a program can end.

use alloc::vec::Vec;
use bpfvet_domain::Domain;

use crate::State;
use crate::failure::Check;
use crate::fault::{self, Fault};
use crate::value::ObjectId;
use crate::violation::{LeakSite, ResourceCause};

/// How much of what is held would be lost.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    /// References count even in an inner function, since all functions end here.
    pub(super) whole_stack: bool,
    /// Locks and regions count too.
    pub(super) regions: bool,
}

/// Nothing is held that would be lost here. (`check_resource_leak`)
pub(super) fn check<D: Domain>(state: &State<D>, site: LeakSite, extent: Extent) -> Check<()> {
    check_but(state, site, extent, None)
}

/// The same, where the reference to one object is handed on.
pub(super) fn check_but<D: Domain>(
    state: &State<D>,
    site: LeakSite,
    extent: Extent,
    handed_on: Option<ObjectId>,
) -> Check<()> {
    let Extent { whole_stack, regions } = extent;
    if regions && state.active_locks > 0 && !fault::on(Fault::LockAtExit) {
        return Err(ResourceCause::LockHeld { site }.into());
    }
    if whole_stack || state.depth() == 0 {
        let live: Vec<_> = state
            .object_references()
            .filter(|reference| handed_on.is_none_or(|object| reference.id != Some(object.0)))
            .map(|reference| (reference.id.map_or(0, |id| id.get()), reference.at))
            .collect();
        if !live.is_empty() && !fault::on(Fault::LeakAtExit) {
            return Err(ResourceCause::Leak { site, live }.into());
        }
    }
    if regions && state.active_irq.is_some() {
        return Err(ResourceCause::IrqHeld { site }.into());
    }
    if regions && state.rcu_depth > 0 {
        return Err(ResourceCause::RcuHeld { site }.into());
    }
    if regions && state.preempt_depth > 0 {
        return Err(ResourceCause::PreemptHeld { site }.into());
    }
    Ok(())
}
