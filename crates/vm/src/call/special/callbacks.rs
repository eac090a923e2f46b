//! Helpers that run a function of the program: what it is given, and what it may return.

use bpfvet_domain::Domain;
use bpfvet_insn::Reg;
use bpfvet_platform::{DynptrKind, MapKind};

use crate::call::args::CheckedArgs;
use crate::call::{callback, map_args, unforgiven};
use crate::cx::Cx;
use crate::effects::Event;
use crate::failure::{Check, Stop};
use crate::fault::{self, Fault};
use crate::state::{CallbackRange, Frame, FrameKind};
use crate::value::{BtfRef, Pointer, Region};
use crate::violation::CallCause;
use crate::{State, Value, typed};

/// Go on, or stop.
const CONTINUE_OR_STOP: CallbackRange = CallbackRange { min: 0, max: 1 };
/// Nothing but zero.
const ZERO: CallbackRange = CallbackRange { min: 0, max: 0 };

/// Kinds of maps whose elements can be walked.
const WALKED: [MapKind; 7] = [
    MapKind::HASH,
    MapKind::ARRAY,
    MapKind::PERCPU_HASH,
    MapKind::PERCPU_ARRAY,
    MapKind::LRU_HASH,
    MapKind::LRU_PERCPU_HASH,
    MapKind::RHASH,
];

fn called(args: &CheckedArgs) -> Check<u32> {
    args.callback.ok_or(Stop::Internal(&"a callback that is no function"))
}

/// `loop(count, function(index, data), data, flags)`
pub(super) fn run_loop<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, args: &CheckedArgs) -> Check<()> {
    let subprog = called(args)?;
    remember_inline(cx, state, subprog);
    cx.demand(state, Reg::R1);
    let rounds = state.reg(Reg::R1).as_scalar().map_or(u64::MAX, |count| count.num.umax());
    let rounds = if fault::on(Fault::LoopOneRoundShort) { rounds.saturating_sub(1) } else { rounds };
    if u64::from(state.top().callback_depth) >= rounds {
        state.top_mut().callback_depth = 0;
        cx.fx.events.push(Event::LoopLimit);
        return Ok(());
    }
    let index = cx.unknown();
    callback::run(cx, state, subprog, |_, caller, callee| {
        callee.set(Reg::R1, index);
        callee.set(Reg::R2, *caller.reg(Reg::R3));
        callee.kind = FrameKind::Callback(CONTINUE_OR_STOP);
        Ok(())
    })
}

/// Whether the loop could be run in place: always the same function, always without flags. (`update_loop_inline_state`)
fn remember_inline<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &State<D>, subprog: u32) {
    let known = cx.memo.insn(cx.at).loop_inline;
    if known.is_some_and(|(fit, _)| !fit) {
        return;
    }
    let plain = state.reg(Reg::R4).is_null();
    if plain {
        cx.demand(state, Reg::R4);
    }
    cx.memo.insn_mut(cx.at).loop_inline = Some(match known {
        None => (plain, subprog),
        Some((_, first)) => (plain && first == subprog, first),
    });
}

/// `for_each_map_elem(map, function(map, key, value, data), data, flags)`
pub(super) fn for_each_map_elem<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    args: &CheckedArgs,
) -> Check<()> {
    let subprog = called(args)?;
    let map = map_args::named(cx, args)?;
    let walked = WALKED.contains(&map.kind);
    let first = cx.memo.insn(cx.at).map;
    if !cx.facts.features.walks_of_many_maps() && args.map.is_some_and(|map| first != Some(map.map)) {
        return Err(CallCause::TailCallMaps.into());
    }
    let refusal = unforgiven(state, CallCause::NoIteration);
    callback::run(cx, state, subprog, |cx, caller, callee| {
        if !walked {
            return Err(refusal);
        }
        callee.set(Reg::R1, *caller.reg(Reg::R1));
        element(cx, callee, map_of(caller, Reg::R1)?);
        callee.set(Reg::R4, *caller.reg(Reg::R3));
        callee.kind = FrameKind::Callback(CONTINUE_OR_STOP);
        Ok(())
    })
}

/// `find_vma(task, address, function(task, area, data), data, flags)`
pub(super) fn find_vma<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, args: &CheckedArgs) -> Check<()> {
    let subprog = called(args)?;
    let area = typed::named(cx, "vm_area_struct")?;
    callback::run(cx, state, subprog, |_, caller, callee| {
        callee.set(Reg::R1, *caller.reg(Reg::R1));
        callee.set(Reg::R2, Value::Pointer(Pointer::to(Region::Btf { btf: BtfRef::Host, id: area })));
        callee.set(Reg::R3, *caller.reg(Reg::R4));
        callee.kind = FrameKind::Callback(CONTINUE_OR_STOP);
        Ok(())
    })
}

/// `user_ringbuf_drain(map, function(dynptr, data), data, flags)`: each record is given as a dynamic pointer.
pub(super) fn user_ringbuf_drain<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    args: &CheckedArgs,
) -> Check<()> {
    let subprog = called(args)?;
    callback::run(cx, state, subprog, |cx, caller, callee| {
        let region = Region::Dynptr { kind: DynptrKind::Local };
        let record = Pointer { object: Some(cx.new_object()), ..Pointer::to(region) };
        callee.set(Reg::R1, Value::Pointer(record));
        callee.set(Reg::R2, *caller.reg(Reg::R3));
        callee.kind = FrameKind::Callback(CONTINUE_OR_STOP);
        Ok(())
    })
}

/// `timer_set_callback(timer, function(map, key, value))`: it runs later, where nothing may sleep.
pub(super) fn timer<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, args: &CheckedArgs) -> Check<()> {
    let subprog = called(args)?;
    callback::run_later(cx, state, subprog, false, |cx, caller, callee| {
        let (map, uid) = map_of(caller, Reg::R1)?;
        let uid = if cx.facts.features.map_identity_in_callbacks() { uid } else { 0 };
        callee.set(Reg::R1, Value::Pointer(Pointer::to(Region::Map { map, uid })));
        element(cx, callee, (map, uid));
        callee.kind = FrameKind::AsyncCallback(ZERO);
        Ok(())
    })
}

/// The map that an argument is, or lies in.
fn map_of<D: Domain>(caller: &Frame<D>, reg: Reg) -> Check<(crate::value::MapRef, u32)> {
    let region = caller.reg(reg).as_pointer().map(|pointer| pointer.region);
    match region {
        Some(Region::Map { map, uid } | Region::MapValue { map, uid }) => Ok((map, uid)),
        Some(
            Region::Ctx
            | Region::Stack { .. }
            | Region::MapKey { .. }
            | Region::Packet { .. }
            | Region::PacketMeta { .. }
            | Region::PacketEnd
            | Region::FlowKeys
            | Region::Socket { .. }
            | Region::TpBuffer
            | Region::Btf { .. }
            | Region::Mem { .. }
            | Region::Buf
            | Region::Func { .. }
            | Region::Arena
            | Region::Insn { .. }
            | Region::Dynptr { .. },
        )
        | None => Err(Stop::Internal(&"a callback over a map without a map")),
    }
}

/// A key and its value, as a callback over a map is given them.
fn element<D: Domain>(cx: &mut Cx<'_, '_, D>, callee: &mut Frame<D>, (map, uid): (crate::value::MapRef, u32)) {
    let uid = if cx.facts.features.map_identity_in_callbacks() { uid } else { 0 };
    callee.set(Reg::R2, Value::Pointer(Pointer::to(Region::MapKey { map, uid })));
    let value = Pointer { object: Some(cx.new_object()), ..Pointer::to(Region::MapValue { map, uid }) };
    callee.set(Reg::R3, Value::Pointer(value));
}
