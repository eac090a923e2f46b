//! Regions that begin or end with a call: RCU read sections, preemption.

use bpfvet_domain::Domain;
use bpfvet_platform::{KfuncProto, KfuncSpecial};

use crate::State;
use crate::call::release;
use crate::failure::Check;
use crate::typed;
use crate::violation::ContextCause;

/// Enters or leaves the region that the function stands for.
pub(super) fn change<D: Domain>(state: &mut State<D>, proto: &KfuncProto) -> Check<()> {
    let unmatched = |preemption| ContextCause::NothingToLeave { kfunc: proto.name.clone(), preemption };
    match proto.special {
        KfuncSpecial::RcuReadLock => state.rcu_depth = state.rcu_depth.saturating_add(1),
        KfuncSpecial::RcuReadUnlock => {
            state.rcu_depth = state.rcu_depth.checked_sub(1).ok_or_else(|| unmatched(false))?;
            end_protection(state);
        }
        KfuncSpecial::PreemptDisable => state.preempt_depth = state.preempt_depth.saturating_add(1),
        KfuncSpecial::PreemptEnable => {
            state.preempt_depth = state.preempt_depth.checked_sub(1).ok_or_else(|| unmatched(true))?;
            end_protection(state);
        }
        KfuncSpecial::None
        | KfuncSpecial::IrqSave
        | KfuncSpecial::IrqRestore
        | KfuncSpecial::ReadOnlyCast
        | KfuncSpecial::KernelCtx { .. }
        | KfuncSpecial::Throw
        | KfuncSpecial::MovesPacket
        | KfuncSpecial::DynptrWrite
        | KfuncSpecial::DynptrSlice { .. }
        | KfuncSpecial::UntrustedResult
        | KfuncSpecial::Trap
        | KfuncSpecial::NotModelled => {}
    }
    Ok(())
}

/// Where nothing else keeps objects alive any more, what RCU protected is not trusted.
pub(super) fn end_protection<D: Domain>(state: &mut State<D>) {
    if !typed::in_read_section(state) {
        release::distrust_rcu(state);
    }
}
