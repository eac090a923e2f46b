//! Calls of functions of the host, by their prototypes: arguments, regions, release, result. (`check_kfunc_call`)

mod args;
mod object;
mod region;
mod returns;
mod slots;

use alloc::borrow::Cow;
use alloc::format;
use bpfvet_domain::Domain;

use bpfvet_insn::Reg;
use bpfvet_platform::{KfuncArgKind, KfuncFlags, KfuncLookup, KfuncProto, KfuncSpecial};

use super::{after, clobber, exit, leak, no_sleep_reason, release};
use crate::State;
use crate::cx::Cx;
use crate::failure::{Check, Stop, unsupported};
use crate::transfer::Next;
use crate::typed;
use crate::violation::{CallCause, ContextCause, LeakSite, NoSleepReason, PolicyCause};

/// What the host says of the function that is called.
fn look_up<'a, D: Domain>(cx: &Cx<'a, '_, D>, id: i32, module: i16) -> Check<&'a KfuncProto> {
    match cx.facts.kfuncs.get(&(id, module)) {
        Some(KfuncLookup::Allowed(proto)) => Ok(proto),
        Some(KfuncLookup::NotAllowed { name }) => Err(PolicyCause::KfuncNotAllowed { kfunc: name.clone() }.into()),
        Some(KfuncLookup::Unsupported(what)) => unsupported(what.clone()),
        None => unsupported(format!("calls to kernel functions (id {id} of BTF {module})")),
    }
}

/// Whether the function may be called while a lock is held. (`kfunc_spin_allowed`)
pub(super) fn allowed_under_lock<D: Domain>(cx: &Cx<'_, '_, D>, id: i32, module: i16) -> bool {
    match cx.facts.kfuncs.get(&(id, module)) {
        Some(KfuncLookup::Allowed(proto)) => proto.flags.contains(KfuncFlags::SPINLOCK_SAFE),
        // It is not known whether it may.
        Some(KfuncLookup::NotAllowed { .. } | KfuncLookup::Unsupported(_)) | None => true,
    }
}

/// Calls a function of the host.
pub(super) fn call<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, id: i32, module: i16) -> Check<Next> {
    if id == 0 && module == 0 {
        // Loaders leave this where the host has no such function: the host objects to what is left of it in the end.
        cx.memo.insn_mut(cx.at).missing_kfunc = true;
        return Ok(Next::To(after(cx)));
    }
    let proto = look_up(cx, id, module)?;
    let kfunc = || proto.name.clone();
    let has = |flag| proto.flags.contains(flag);
    if proto.special == KfuncSpecial::Trap {
        return Err(super::unforgiven(state, CallCause::TrapReached));
    }
    if proto.special == KfuncSpecial::NotModelled || has(KfuncFlags::DESTRUCTIVE) {
        return unsupported(format!("calls to kernel functions ({})", proto.name));
    }
    if has(KfuncFlags::PERFMON) && !cx.facts.may_leak() {
        return Err(PolicyCause::KfuncNeedsPerfmon { kfunc: kfunc() }.into());
    }
    if has(KfuncFlags::SLEEPABLE) && !state.sleepable {
        return Err(ContextCause::SleepingKfunc { kfunc: kfunc(), reason: NoSleepReason::Program }.into());
    }
    let found = args::check(cx, state, proto)?;
    region::change(state, proto)?;
    if has(KfuncFlags::SLEEPABLE) && !state.may_sleep() {
        return Err(ContextCause::SleepingKfunc { kfunc: kfunc(), reason: no_sleep_reason(state) }.into());
    }
    if has(KfuncFlags::RCU_PROTECTED) && !typed::in_read_section(state) {
        return Err(ContextCause::NeedsRcu { kfunc: kfunc() }.into());
    }
    if has(KfuncFlags::RELEASE) {
        give_back(cx, state, proto, &found)?;
    }
    if proto.special == KfuncSpecial::Throw {
        exit::check_thrown(cx, state)?;
        clobber(cx, state);
        leak::check(state, LeakSite::Throw, leak::Extent { whole_stack: true, regions: true })?;
        return Ok(Next::End);
    }
    clobber(cx, state);
    let result = returns::result(cx, state, proto, &found)?;
    state.set(Reg::R0, result);
    let writes_packet = proto.special == KfuncSpecial::DynptrWrite && found.movable;
    if proto.special == KfuncSpecial::MovesPacket || writes_packet {
        release::invalidate_packets(cx, state);
    }
    if has(KfuncFlags::ITER_NEXT) {
        slots::go_on(cx, state, &found)?;
    }
    Ok(Next::To(after(cx)))
}

/// Gives back what the first argument owns. (`release_reg`)
fn give_back<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    proto: &KfuncProto,
    found: &args::Found,
) -> Check<()> {
    let of_dynptr = matches!(proto.args.first().map(|arg| arg.kind), Some(KfuncArgKind::Dynptr(_)));
    match found.dynptr {
        None => release::release_argument(cx, state, Reg::R1),
        Some(dynptr) if of_dynptr => {
            let held = dynptr.given_back();
            release::release(cx, state, held.ok_or(Stop::Internal(&"a dynamic pointer that gives back nothing"))?)
        }
        Some(_) => not_modelled(proto, "a reference that is given back beside a dynamic pointer"),
    }
}

/// Something about a call that is not modelled.
fn not_modelled<T>(proto: &KfuncProto, what: &'static str) -> Check<T> {
    unsupported(Cow::from(format!("calls to kernel functions ({}): {what}", proto.name)))
}
