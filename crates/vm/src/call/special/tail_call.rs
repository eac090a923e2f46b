//! `tail_call`: another program goes on in this one's place, or this one goes on.
//!
//! In a function, a taken tail call returns to the caller with whatever the other program returned, which is a path of its own.

use bpfvet_domain::Domain;
use bpfvet_insn::Reg;
use bpfvet_platform::MapKind;

use crate::State;
use crate::call::args::CheckedArgs;
use crate::call::{after, exit, leak, map_args, release};
use crate::cx::Cx;
use crate::effects::{Fork, ForkKind};
use crate::failure::Check;
use crate::fault::{self, Fault};
use crate::state::FrameKind;
use crate::transfer::Next;
use crate::violation::{CallCause, ContextCause, LeakSite};

/// The map holds programs; an index that is known and inside it is relied upon. (`record_func_key`)
pub(in crate::call) fn check_map<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &State<D>, args: &CheckedArgs) -> Check<()> {
    let map = map_args::named(cx, args)?;
    if map.kind != MapKind::PROG_ARRAY {
        return Err(CallCause::TailCallMap.into());
    }
    let index = state.reg(Reg::R3).as_scalar().and_then(|index| index.num.as_const());
    if index.is_some_and(|index| index < u64::from(map.max_entries)) {
        cx.demand(state, Reg::R3);
    }
    Ok(())
}

/// Nothing is held that would be lost with this program.
pub(super) fn check_resources<D: Domain>(state: &State<D>) -> Check<()> {
    leak::check(state, LeakSite::TailCall, leak::Extent { whole_stack: false, regions: true })
}

/// Goes on after a tail call: in the entry function as if nothing had happened, in another one also in its caller.
pub(in crate::call) fn leave<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    moves_packet: bool,
) -> Check<Next> {
    let next = after(cx);
    if cx.facts.features.tail_calls_move_packets() && !cx.facts.features.tail_calls_keep_packets() {
        release::invalidate_packets(cx, state);
    }
    if state.depth() == 0 {
        return Ok(Next::To(next));
    }
    if matches!(state.top().kind, FrameKind::Callback(_)) {
        return Err(ContextCause::InCallback { site: LeakSite::TailCall }.into());
    }
    cx.fx.touch(Reg::R0);
    if fault::on(Fault::TailCallReturnForgotten) {
        return Ok(Next::To(next));
    }
    cx.fx.forks.push(Fork { state: state.clone(), at: next, kind: ForkKind::Branch });
    release::invalidate_packets(cx, state);
    state.set(Reg::R0, cx.unknown());
    let next = exit::leave_function(cx, state)?;
    if moves_packet {
        release::invalidate_packets(cx, state);
    }
    Ok(next)
}
