//! Calls of functions of the program: a static one is entered, a global one is believed.

use alloc::boxed::Box;
use bpfvet_domain::Domain;

use bpfvet_btf::FuncLinkage;
use bpfvet_insn::{InsnIdx, Reg};
use bpfvet_platform::{ArgKind, DynptrArg, DynptrKind};

use super::kinds::{Wanted, check_arg_offset, check_kind};
use super::{
    REG_ARGS, after, clobber, dynptr, leak, memory, no_sleep_reason, prototype, release, touch_all, unforgiven,
};
use crate::cx::Cx;
use crate::effects::{Event, Fork, ForkKind};
use crate::facts::{ArgShape, SubprogFacts};
use crate::failure::{Check, Stop, unsupported};
use crate::fault::{self, Fault};
use crate::state::Frame;
use crate::transfer::Next;
use crate::value::{Base, Flags, Pointer, Region, TypeTag};
use crate::violation::{CallCause, Cause, ContextCause, LeakSite, Place, PrototypeReason};
use crate::{State, Value};

/// A function by position.
fn facts_of<'a, D: Domain>(cx: &Cx<'a, '_, D>, subprog: u32) -> Check<&'a SubprogFacts> {
    cx.facts.subprog(subprog).ok_or(Stop::Internal(&"a call of a function that the program does not have"))
}

/// A function's first instruction.
pub(super) fn start<D: Domain>(cx: &Cx<'_, '_, D>, subprog: u32) -> Check<InsnIdx> {
    facts_of(cx, subprog).map(|facts| facts.start)
}

/// There is room for one more frame. (`setup_func_entry`)
pub(super) fn check_depth<D: Domain>(cx: &Cx<'_, '_, D>, state: &State<D>) -> Check<()> {
    let frames = u32::try_from(state.frames().len()).unwrap_or(u32::MAX).saturating_add(1);
    if frames > cx.facts.limits.call_frames { Err(CallCause::TooDeep { frames }.into()) } else { Ok(()) }
}

/// Calls a function of the program. (`check_func_call`)
pub(super) fn call<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, off: i32) -> Check<Next> {
    let target = cx.at.offset(i64::from(off).saturating_add(1));
    let subprog = target.and_then(|target| cx.facts.subprog_starting_at(target));
    let subprog = subprog.ok_or(Stop::Internal(&"a call into the middle of a function"))?;
    let facts = facts_of(cx, subprog)?;
    let matches = compare_arguments(cx, state, subprog)?;
    if facts.global { call_global(cx, state, subprog, facts, matches) } else { enter(cx, state, subprog, facts.start) }
}

/// Goes on in a static function.
fn enter<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, subprog: u32, start: InsnIdx) -> Check<Next> {
    if cx.facts.incoming_stack_args(subprog) > 0
        && let Some(passes) = cx.memo.passes_stack_args.get_mut(state.top().subprog as usize)
    {
        *passes = true;
    }
    check_depth(cx, state)?;
    let mut callee = Frame::new(state.frames().len(), subprog, Some(cx.at));
    let caller = state.top_mut();
    for reg in (0..).map_while(Reg::arg) {
        callee.set(reg, *caller.reg(reg));
    }
    if fault::on(Fault::CalleeSeesCaller) {
        [Reg::R6, Reg::R7, Reg::R8, Reg::R9].into_iter().for_each(|reg| callee.set(reg, *caller.reg(reg)));
    }
    // The outgoing arguments stay: the callee reads them from here.
    caller.clobber_caller_saved();
    state.push(callee);
    touch_all(cx);
    cx.fx.events.push(Event::Entered);
    Ok(Next::To(start))
}

/// Takes a global function's word for what it does.
fn call_global<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    subprog: u32,
    facts: &SubprogFacts,
    matches: Result<(), Cause>,
) -> Check<Next> {
    let name = || facts.name.clone().unwrap_or_default();
    if state.active_locks > 0 {
        return Err(ContextCause::GlobalCallUnderLock.into());
    }
    if facts.calls_kernel {
        return unsupported("calls of global functions that call kernel functions");
    }
    if facts.might_sleep && !state.may_sleep() {
        return Err(ContextCause::SleepingFunction { name: name(), reason: no_sleep_reason(state) }.into());
    }
    if let Err(inner) = matches
        && !fault::on(Fault::GlobalArgumentsUnchecked)
    {
        return Err(CallCause::GlobalArguments { subprog, name: name(), inner: Box::new(inner) }.into());
    }
    cx.fx.events.push(Event::GlobalCall { subprog });
    if let Some(called) = cx.memo.global_calls.get_mut(subprog as usize)
        && let Some(called) = called.get_mut(usize::from(state.may_sleep()))
    {
        *called = true;
    }
    if (facts.moves_packet || writes_packet(state, facts)) && !fault::on(Fault::PacketMoveInGlobalForgotten) {
        release::invalidate_packets(cx, state);
    }
    clobber(cx, state);
    if !facts.returns_void {
        let zero = fault::on(Fault::GlobalResultZero);
        state.set(Reg::R0, if zero { Value::constant(0) } else { cx.unknown() });
    }
    if facts.might_throw {
        cx.fx.forks.push(Fork { state: state.clone(), at: after(cx), kind: ForkKind::Branch });
        leak::check(state, LeakSite::Throw, leak::Extent { whole_stack: true, regions: true })?;
        return Ok(Next::End);
    }
    Ok(Next::To(after(cx)))
}

/// Whether the function may write to a packet through a dynamic pointer, and so move it.
///
/// # Soundness
///
/// Linux 7.3 forgets what is known of the packet where such a write is seen, but not in the callers of a global function that
/// has one.
fn writes_packet<D: Domain>(state: &State<D>, facts: &SubprogFacts) -> bool {
    let movable = |index| dynptr::kind_of(state, &passed(state, index).1).is_some_and(DynptrKind::moves_when_written);
    facts.writes_dynptrs
        && (facts.makes_movable_dynptrs
            || facts.args.iter().flatten().zip(0..).any(|(shape, index)| *shape == ArgShape::Dynptr && movable(index)))
}

/// Whether the caller's arguments go with the function's prototype, and if not, why. (`btf_check_subprog_call`)
///
/// A mismatch refuses calls of global functions only; for all, it is remembered that the prototype does not describe the
/// function, and of a static one nothing is told from then on.
///
/// # Errors
///
/// What refuses static functions too.
pub(super) fn compare_arguments<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    subprog: u32,
) -> Check<Result<(), Cause>> {
    let facts = facts_of(cx, subprog)?;
    let prototype = |reason: &PrototypeReason| CallCause::Prototype {
        name: facts.name.clone().unwrap_or_default(),
        reason: reason.clone(),
    };
    let untyped = cx.facts.request.funcs.is_empty();
    if untyped || cx.memo.unreliable.get(subprog as usize).copied().unwrap_or(false) {
        let reason = if untyped { PrototypeReason::Untyped } else { PrototypeReason::Unreliable };
        return Ok(if facts.global { Err(prototype(&reason).into()) } else { Ok(()) });
    }
    let result = match &facts.args {
        Err(reason @ PrototypeReason::TooMany { max, .. }) if *max > REG_ARGS => {
            return Err(unforgiven(state, prototype(reason)));
        }
        Err(reason) => {
            check_stack_arguments(state, facts.params)?;
            if let PrototypeReason::NotModelled { what } = reason
                && facts.global
            {
                return unsupported(*what);
            }
            Err(prototype(reason).into())
        }
        Ok(shapes) => {
            check_stack_arguments(state, facts.params)?;
            shapes
                .iter()
                .zip(0..)
                .try_for_each(|(shape, index)| check_argument(cx, state, facts, subprog, *shape, index))
        }
    };
    let cause = match result {
        Ok(()) => return Ok(Ok(())),
        Err(Stop::Cause(cause)) => *cause,
        Err(stop @ (Stop::Unsupported(_) | Stop::Internal(_))) if facts.global => return Err(stop),
        // The result of comparing a static function's arguments matters to nobody.
        Err(Stop::Unsupported(_) | Stop::Internal(_)) => prototype(&PrototypeReason::Unreliable).into(),
    };
    if let Some(unreliable) = cx.memo.unreliable.get_mut(subprog as usize) {
        *unreliable = true;
    }
    Ok(Err(cause))
}

/// The arguments beyond the fifth were stored. (`check_outgoing_stack_args`)
fn check_stack_arguments<D: Domain>(state: &State<D>, expected: u32) -> Check<()> {
    let stored = &state.top().out_args;
    for missing in 1..=expected.saturating_sub(REG_ARGS) {
        let value = stored.get(missing as usize - 1).unwrap_or(&Value::Uninit);
        if *value == Value::Uninit {
            return Err(CallCause::MissingStackArgument { expected, missing }.into());
        }
    }
    Ok(())
}

/// Where an argument is passed, and what is passed there.
fn passed<D: Domain>(state: &State<D>, index: u8) -> (Place, Value<D>) {
    match Reg::arg(index) {
        Some(reg) => (Place::Reg(reg), *state.reg(reg)),
        None => {
            let slot = index.saturating_sub(5);
            (Place::StackArg(slot), state.top().out_args.get(usize::from(slot)).copied().unwrap_or_default())
        }
    }
}

/// One argument against one parameter. (`btf_check_func_arg_match`)
fn check_argument<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    facts: &SubprogFacts,
    subprog: u32,
    shape: ArgShape,
    index: u8,
) -> Check<()> {
    let (place, value) = passed(state, index);
    match shape {
        ArgShape::Scalar => match value {
            Value::Scalar(_) => Ok(()),
            Value::Pointer(_) | Value::Uninit => Err(CallCause::NotScalar { place }.into()),
        },
        // Reads through these are guarded, so anything will do.
        ArgShape::UntrustedMem | ArgShape::Struct { trusted: false, .. } => Ok(()),
        ArgShape::Ctx => {
            check_arg_offset(cx, &value, place, ArgKind::Ctx, false)?;
            if value.tag() == TypeTag::of(Base::Ctx) { Ok(()) } else { Err(CallCause::NotCtx { place }.into()) }
        }
        ArgShape::Mem { size, nullable } => {
            check_arg_offset(cx, &value, place, ArgKind::Unused, false)?;
            memory::check_fixed(cx, state, &value, place, size, true)?;
            let moves = |pointer: &Pointer<D>| pointer.is_packet_any() || pointer.flags.contains(Flags::PACKET_SLICE);
            let in_packet = value.as_pointer().is_some_and(moves);
            if in_packet && facts.moves_packet {
                return Err(CallCause::PacketPointerToMover { place, subprog }.into());
            }
            let null = value.is_null() || matches!(value, Value::Pointer(pointer) if pointer.nullable());
            if null && !nullable { Err(CallCause::NotNonNull { place }.into()) } else { Ok(()) }
        }
        ArgShape::Struct { id, nullable, trusted: true } => {
            if nullable && value.is_null() {
                cx.demand_at(state, place);
                return Ok(());
            }
            let kind = ArgKind::Struct("");
            let helper = facts.name.as_deref().unwrap_or_default();
            let wanted = Wanted { kind, nullable, release: false, structure: Some(id), strict: false, helper };
            check_kind(cx, &value, place, wanted)?;
            check_arg_offset(cx, &value, place, kind, false)
        }
        ArgShape::Dynptr => {
            check_arg_offset(cx, &value, place, ArgKind::Dynptr(DynptrArg::Any), false)?;
            let ask = dynptr::Ask { place, arg: DynptrArg::Any, release: false, before: None, of: None };
            dynptr::check(cx, state, &value, ask).map(|_| ())
        }
        ArgShape::Arena => match value.tag().base {
            Base::Scalar | Base::Arena => Ok(()),
            Base::Uninit
            | Base::Ctx
            | Base::Map
            | Base::MapValue
            | Base::MapKey
            | Base::Stack
            | Base::PacketMeta
            | Base::Packet
            | Base::PacketEnd
            | Base::FlowKeys
            | Base::Socket
            | Base::SockCommon
            | Base::TcpSock
            | Base::TpBuffer
            | Base::XdpSock
            | Base::Btf
            | Base::Mem
            | Base::Buf
            | Base::Func
            | Base::Insn
            | Base::Dynptr => Err(CallCause::NotArena { place }.into()),
        },
    }
}

/// The address of a function, to be called back. (`check_ld_imm`)
pub(crate) fn function_address<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    target: InsnIdx,
) -> Check<Value<D>> {
    let _ = state;
    let subprog = cx.facts.subprog_starting_at(target).ok_or(Stop::Internal(&"the address of no function"))?;
    let request = cx.facts.request;
    if request.funcs.is_empty() {
        return Err(CallCause::NoFunctionRecords.into());
    }
    if prototype::linkage(request, target) != Some(FuncLinkage::Static) {
        return Err(CallCause::CallbackNotStatic.into());
    }
    if subprog == 0 {
        return Err(CallCause::CallbackIsMain.into());
    }
    Ok(Value::Pointer(Pointer::to(Region::Func { subprog })))
}
