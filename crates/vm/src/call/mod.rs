//! Calls and exits: helpers, functions of the program, callbacks, and what is true where a path or a function ends.
//!
//! A helper is a row of a table: the loop over its five argument specifications *is* the check. What no row can say has a file
//! of its own under `special/`.
//!
//! ```text
//!  helper ──▶ args (kinds · memory · map_args) ──▶ special ──▶ returns ──▶ compat
//!  kfunc ───▶ args (objects · memory) ──▶ regions ──▶ release ──▶ returns
//!  subprog ─▶ arguments of its prototype ────────▶ a frame (static), or its promise (global)
//!  exit ────▶ leak ──▶ caller's frame, or the end of the path
//! ```

mod args;
mod callback;
mod compat;
mod dynptr;
mod entry;
mod exit;
mod helper;
mod kfunc;
mod kinds;
mod leak;
mod map_args;
mod memory;
mod packet_load;
mod prototype;
mod release;
mod returns;
mod slots;
mod special;
mod subprog;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use bpfvet_domain::Domain;
use bpfvet_insn::{Call, InsnIdx, Reg, RegSet};

use crate::State;
use crate::cx::Cx;
use crate::failure::{Check, Stop};
use crate::fault::{self, Fault};
use crate::transfer::Next;
use crate::violation::{Cause, ContextCause, NoSleepReason};

pub use entry::{entry_state, global_entry_state};
pub(crate) use exit::exit;
pub(crate) use packet_load::load_packet;
pub use prototype::{Prototype, prototype};
pub(crate) use release::release;
pub(crate) use subprog::function_address;

/// How many arguments registers carry.
const REG_ARGS: u32 = 5;

/// A call. (`do_check_insn`, calls)
pub(crate) fn call<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, call: Call) -> Check<Next> {
    let allowed_under_lock = match call {
        Call::Helper(id) => helper::ALLOWED_UNDER_LOCK.contains(&id),
        Call::Kfunc { id, btf } => kfunc::allowed_under_lock(cx, id, btf),
        Call::Subprog(_) => cx.facts.features.subprograms_under_lock(),
    };
    if state.active_locks > 0 && !allowed_under_lock && !fault::on(Fault::CallsUnderLock) {
        return Err(ContextCause::CallUnderLock.into());
    }
    cx.fx.touch(Reg::R0);
    let params = cx.facts.subprog(state.top().subprog).map_or(0, |subprog| subprog.params);
    if params > REG_ARGS {
        state.top_mut().args_sealed = true;
    }
    match call {
        Call::Helper(id) => helper::call(cx, state, id),
        Call::Subprog(off) => subprog::call(cx, state, off),
        Call::Kfunc { id, btf } => kfunc::call(cx, state, id, btf),
    }
}

/// The instruction after a call.
fn after<D: Domain>(cx: &Cx<'_, '_, D>) -> InsnIdx {
    cx.at.next()
}

/// The kernel would print every register and slot next, as it does where a frame was set up.
fn touch_all<D: Domain>(cx: &mut Cx<'_, '_, D>) {
    cx.fx.touched = RegSet::from_bits(0x7ff);
    cx.fx.touched_slots = u64::MAX;
}

/// `r0` to `r5` become unreadable, and the outgoing arguments too.
fn clobber<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>) {
    let frame = state.top_mut();
    if !fault::on(Fault::HelperKeepsArguments) {
        frame.clobber_caller_saved();
    }
    frame.invalidate_out_args();
    cx.fx.touched = cx.fx.touched.union(RegSet::CALLER_SAVED);
}

/// Why sleeping is not allowed here. (`non_sleepable_context_description`)
fn no_sleep_reason<D: Domain>(state: &State<D>) -> NoSleepReason {
    if state.rcu_depth > 0 {
        NoSleepReason::Rcu
    } else if state.preempt_depth > 0 {
        NoSleepReason::Preempt
    } else if state.active_irq.is_some() {
        NoSleepReason::Irq
    } else if state.active_locks > 0 {
        NoSleepReason::Lock
    } else {
        NoSleepReason::Program
    }
}

/// A failure that the kernel does not forgive a path that only a wrong guess would take. Such a path gives no verdict, since
/// ending it, as is done with other failures, would accept what the kernel refuses.
fn unforgiven<D: Domain>(state: &State<D>, cause: impl Into<Cause>) -> Stop {
    if state.speculative {
        Stop::Unsupported(Box::new("a failure on a speculative path that the kernel does not forgive".into()))
    } else {
        Stop::from(cause)
    }
}
