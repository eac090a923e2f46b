//! `set_retval`: what the hook may be told to return.

use bpfvet_domain::Domain;
use bpfvet_insn::Reg;
use bpfvet_platform::ArgKind;

use crate::State;
use crate::call::exit::{Bounds, check_range};
use crate::call::helper::Helper;
use crate::cx::Cx;
use crate::failure::Check;
use crate::violation::{CallCause, ReturnSite};

/// The number is one that the hook may return; bounds that no number meets are those of a hook that returns nothing.
pub(super) fn check<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &State<D>, helper: Helper<'_>) -> Check<()> {
    let reg = Reg::R1;
    let Some(scalar) = state.reg(reg).as_scalar() else { return Err(CallCause::RetvalKind.into()) };
    let Some(ArgKind::ScalarIn { min, max }) = helper.proto.args.first().map(|spec| spec.kind) else { return Ok(()) };
    if min > max {
        return Err(CallCause::RetvalOfVoid.into());
    }
    cx.demand(state, reg);
    check_range(&scalar.num, Bounds { min, max, low_half: true }, reg, ReturnSite::SetRetval)
}
