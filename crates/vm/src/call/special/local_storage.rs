//! `get_local_storage`: it cannot fail, so its flags must be zero.

use bpfvet_domain::Domain;
use bpfvet_insn::Reg;

use crate::State;
use crate::cx::Cx;
use crate::failure::Check;
use crate::violation::CallCause;

/// The flags are known to be zero.
pub(super) fn check_flags<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &State<D>) -> Check<()> {
    if !state.reg(Reg::R2).is_null() {
        return Err(CallCause::LocalStorageFlags.into());
    }
    cx.demand(state, Reg::R2);
    Ok(())
}
