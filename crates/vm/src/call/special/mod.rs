//! What no prototype can say: one file per matter, and the list of them here. Its length is a debt.

pub(super) mod callbacks;
mod dynptr;
mod format;
mod local_storage;
mod set_retval;
pub(super) mod spin_lock;
pub(super) mod tail_call;

use bpfvet_domain::Domain;
use bpfvet_platform::HelperSpecial;

use super::args::CheckedArgs;
use super::helper::Helper;
use crate::State;
use crate::cx::Cx;
use crate::failure::{Check, unsupported};

/// What a helper does beyond its prototype, after its arguments are checked and before the call overwrites registers.
pub(super) fn run<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    helper: Helper<'_>,
    args: &CheckedArgs,
) -> Check<()> {
    match helper.proto.special {
        // Those that act elsewhere: on the result, or where the argument itself is checked.
        HelperSpecial::None
        | HelperSpecial::MapLookup
        | HelperSpecial::SpinLock
        | HelperSpecial::SpinUnlock
        | HelperSpecial::CallChain
        | HelperSpecial::DynptrData
        | HelperSpecial::DynptrWrite => Ok(()),
        HelperSpecial::TailCall => tail_call::check_resources(state),
        HelperSpecial::GetLocalStorage => local_storage::check_flags(cx, state),
        HelperSpecial::Loop => callbacks::run_loop(cx, state, args),
        HelperSpecial::ForEachMapElem => callbacks::for_each_map_elem(cx, state, args),
        HelperSpecial::FindVma => callbacks::find_vma(cx, state, args),
        HelperSpecial::TimerSetCallback => callbacks::timer(cx, state, args),
        HelperSpecial::Snprintf => format::check(cx, state),
        HelperSpecial::SetRetval => set_retval::check(cx, state, helper),
        HelperSpecial::PerCpuPtr => Ok(()),
        HelperSpecial::UserRingbufDrain => callbacks::user_ringbuf_drain(cx, state, args),
        HelperSpecial::KptrXchg => unsupported("exchanging kernel pointers in map values"),
        HelperSpecial::DynptrFromMem => dynptr::check_memory(state),
    }
}
