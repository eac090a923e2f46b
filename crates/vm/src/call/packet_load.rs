//! Legacy packet loads: they can end the function they stand in.

use bpfvet_domain::Domain;
use bpfvet_insn::{PacketIndex, Reg};

use super::leak::{self, Extent};
use super::{after, exit};
use crate::State;
use crate::cx::Cx;
use crate::effects::{Fork, ForkKind};
use crate::failure::{Check, Stop};
use crate::fault::{self, Fault};
use crate::region::check_offset;
use crate::state::FrameKind;
use crate::transfer::{Next, read};
use crate::value::{Base, TypeTag};
use crate::violation::{ContextCause, LeakSite, Place, PolicyCause};

/// Loads from the packet that the context in `r6` describes. (`check_ld_abs`)
///
/// Where the bytes are not there, the function returns zero. In the entry function that ends the program, and any result will
/// do; in another one the caller goes on, which is a path of its own.
pub(crate) fn load_packet<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, index: PacketIndex) -> Check<Next> {
    let ctx = Reg::R6;
    if !cx.facts.kind.packet.legacy_loads {
        return Err(PolicyCause::PacketLoad.into());
    }
    if state.frames().iter().skip(1).any(|frame| matches!(frame.kind, FrameKind::Callback(_))) {
        return Err(ContextCause::InCallback { site: LeakSite::PacketLoad }.into());
    }
    read(cx, state, ctx)?;
    leak::check(state, LeakSite::PacketLoad, Extent { whole_stack: false, regions: true })?;
    let value = *state.reg(ctx);
    if value.tag() != TypeTag::of(Base::Ctx) {
        return Err(PolicyCause::PacketLoadContext.into());
    }
    match index {
        PacketIndex::Absolute => {}
        PacketIndex::Indirect(reg) => {
            read(cx, state, reg)?;
        }
    }
    let pointer = value.as_pointer().ok_or(Stop::Internal(&"a context that is no pointer"))?;
    check_offset(pointer, Place::Reg(ctx), false)?;
    let frame = state.top_mut();
    frame.clobber_caller_saved();
    cx.fx.touched = cx.fx.touched.union(bpfvet_insn::RegSet::CALLER_SAVED);
    state.set(Reg::R0, cx.unknown());
    let next = after(cx);
    if state.depth() == 0 {
        return Ok(Next::To(next));
    }
    if fault::on(Fault::PacketLoadExitForgotten) {
        return Ok(Next::To(next));
    }
    cx.fx.forks.push(Fork { state: state.clone(), at: next, kind: ForkKind::Branch });
    state.set(Reg::R0, cx.scalar(D::constant(0)));
    exit::leave_function(cx, state)
}
