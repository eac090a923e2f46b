//! Whether a map may be passed to a helper: looked at last, when everything else about the call is right.

use bpfvet_domain::Domain;
use bpfvet_platform::{HelperId, HelperSpecial, LookupResult};

use super::args::CheckedArgs;
use super::helper::Helper;
use super::{map_args, unforgiven};
use crate::State;
use crate::cx::Cx;
use crate::failure::Check;
use crate::violation::CallCause;

/// `map_update_elem` and `map_delete_elem`, which maps of sockets allow only where no socket can be locked.
const UPDATES: [HelperId; 2] = [HelperId(2), HelperId(3)];

/// The map and the helper go together. (`check_map_func_compatibility`)
pub(super) fn check<D: Domain>(
    cx: &Cx<'_, '_, D>,
    state: &State<D>,
    helper: Helper<'_>,
    args: &CheckedArgs,
) -> Check<()> {
    if args.map.is_none() {
        return Ok(());
    }
    let platform = cx.facts.platform;
    let kind = map_args::named(cx, args)?.kind;
    let id = helper.id();
    if !platform.map_allows_helper(kind, id) {
        return Err(CallCause::MapHelper { kind, helper: helper.name(), id: id.0 }.into());
    }
    let holds_sockets = platform.map_kind(kind).is_some_and(|info| info.lookup == LookupResult::Socket);
    if holds_sockets && UPDATES.contains(&id) && !platform.may_update_sockmap(id, cx.facts.request) {
        return Err(CallCause::SockmapUpdate { kind, helper: helper.name(), id: id.0 }.into());
    }
    let mixed = cx.facts.subprogs.len() > 1 && !cx.facts.features.tail_calls_with_subprograms();
    if helper.proto.special == HelperSpecial::TailCall && mixed {
        return Err(unforgiven(state, CallCause::TailCallWithSubprograms));
    }
    Ok(())
}
