//! One call on one state: what is refused, and what becomes of registers, stack, references and forks.

mod host;

use bpfvet_domain::Scalar;
use bpfvet_insn::{Call, Insn, InsnIdx, Reg};
use bpfvet_platform::{FieldKind, MapDef, MapField, ReturnRule};

use self::host::*;
use crate::effects::{Demand, Event};
use crate::transfer::Next;
use crate::value::MapRef;
use crate::{
    ByteKind, CallbackRange, Failure, Flags, ForkKind, Frame, FrameKind, Pointer, Region, ScalarValue, SocketKind,
    State, Value,
};

const NEXT: Next = Next::To(InsnIdx(2));

fn map(index: u16) -> Value {
    Value::Pointer(Pointer::to(Region::Map { map: MapRef { index, inner: 0 }, uid: 0 }))
}

fn stack(off: i64) -> Value {
    let off = Scalar::constant(off.cast_unsigned());
    Value::Pointer(Pointer { off, ..Pointer::to(Region::Stack { frame: 0 }) })
}

fn number(num: Scalar) -> Value {
    Value::Scalar(ScalarValue::new(num))
}

/// Writes a known number into the slot below the frame pointer, spilled in so many bytes.
fn spill(state: &mut State, value: Value, width: u32) {
    let stack = &mut state.top_mut().stack;
    stack.grow(8);
    stack.slot_mut(0).unwrap().spill(value, width);
}

#[track_caller]
fn refused(result: Result<Next, Failure>, code: &str) {
    match result {
        Err(Failure::Violation(violation)) => assert_eq!(violation.cause.code(), code),
        other => panic!("{code} expected, got {other:?}"),
    }
}

#[test]
fn a_call_overwrites_what_callers_save() {
    let (mut world, mut state) = (World::new(), World::entry());
    state.set(Reg::R2, Value::constant(0));
    state.set(Reg::R6, Value::constant(6));
    assert_eq!(world.helper(&mut state, PULL_DATA), Ok(NEXT));
    assert_eq!(state.reg(Reg::R0), &Value::unknown());
    assert_eq!(state.reg(Reg::R1), &Value::Uninit);
    assert_eq!(state.reg(Reg::R6), &Value::constant(6));
    assert_eq!(world.fx.touched.bits(), 0b11_1111);
}

#[test]
fn arguments_are_read_and_of_the_right_kind() {
    let (mut world, mut state) = (World::new(), World::entry());
    refused(world.helper(&mut state, PULL_DATA), "register::unreadable");
    state.set(Reg::R1, stack(-8));
    state.set(Reg::R2, Value::constant(0));
    refused(world.helper(&mut state, PULL_DATA), "call::argument-kind");
    refused(world.helper(&mut state, 4711), "policy::helper-not-allowed");
    refused(world.helper(&mut state, -1), "policy::unknown-helper");
    let mut ctx = Pointer::to(Region::Ctx);
    ctx.off = Scalar::constant(4);
    state.set(Reg::R1, Value::Pointer(ctx));
    refused(world.helper(&mut state, PULL_DATA), "memory::modified-pointer");
}

#[test]
fn sizes_are_bounded() {
    let (mut world, mut state) = (World::new(), World::entry());
    state.set(Reg::R1, stack(-16));
    state.set(Reg::R3, Value::unknown());
    for (size, code) in [
        (Scalar::unknown(), "call::size-negative"),
        (Scalar::unknown().with_urange(0, 16), "call::size-zero"),
        (Scalar::unknown().with_urange(1, 1 << 30), "call::size-unbounded"),
        (Scalar::unknown().with_urange(1, 17), "memory::stack-out-of-bounds"),
    ] {
        state.set(Reg::R2, number(size));
        refused(world.helper(&mut state.clone(), READ_STR), code);
    }
}

#[test]
fn memory_that_the_helper_writes_whole_need_not_be_initialised() {
    let (mut world, mut state) = (World::new(), World::entry());
    state.set(Reg::R1, stack(-8));
    state.set(Reg::R2, Value::constant(4));
    state.set(Reg::R3, Value::unknown());
    assert_eq!(world.helper(&mut state, READ_STR), Ok(NEXT));
    let slot = state.top().stack.slot(0);
    assert_eq!((slot.byte(7), slot.byte(4), slot.byte(3)), (ByteKind::Misc, ByteKind::Misc, ByteKind::Invalid));
    let result = state.reg(Reg::R0).as_scalar().unwrap();
    assert_eq!((result.num.smin(), result.num.smax()), (-4095, 4));
    assert_eq!(world.fx.demands, [Demand::Reg { frame: 0, reg: Reg::R2 }]);
}

#[test]
fn null_will_do_where_the_argument_says_so() {
    let (mut world, mut state) = (World::new(), World::entry());
    state.set(Reg::R1, Value::constant(0));
    state.set(Reg::R2, Value::constant(0));
    assert_eq!(world.helper(&mut state.clone(), CSUM), Ok(NEXT));
    state.set(Reg::R2, Value::constant(4));
    refused(world.helper(&mut state, CSUM), "call::argument-kind");
}

#[test]
fn a_look_up_may_fail_unless_the_key_says_otherwise() {
    let mut world = World::new();
    let mut state = World::entry();
    spill(&mut state, Value::constant(3), 4);
    state.set(Reg::R1, map(ARRAY));
    state.set(Reg::R2, stack(-8));
    let mut known = state.clone();
    assert_eq!(world.helper(&mut known, LOOKUP), Ok(NEXT));
    let value = Region::MapValue { map: MapRef { index: ARRAY, inner: 0 }, uid: 0 };
    assert_eq!(known.reg(Reg::R0), &Value::Pointer(Pointer::to(value)));
    assert_eq!(world.fx.demands, [Demand::Slots { frame: 0, of: 0, slots: 1 }]);
    spill(&mut state, Value::constant(4), 4);
    assert_eq!(world.helper(&mut state, LOOKUP), Ok(NEXT));
    assert!(state.reg(Reg::R0).as_pointer().is_some_and(|pointer| pointer.nullable() && pointer.object.is_some()));
}

#[test]
fn maps_are_changed_only_where_programs_may() {
    let (mut world, mut state) = (World::new(), World::entry());
    spill(&mut state, Value::constant(0), 8);
    for (reg, value) in
        [(Reg::R1, map(HASH)), (Reg::R2, stack(-8)), (Reg::R3, stack(-16)), (Reg::R4, Value::constant(0))]
    {
        state.set(reg, value);
    }
    state.top_mut().stack.grow(16);
    for byte in 0..8 {
        state.top_mut().stack.slot_mut(1).unwrap().set_byte(byte, ByteKind::Misc);
    }
    assert_eq!(world.helper(&mut state.clone(), UPDATE), Ok(NEXT));
    let mut reserving = state.clone();
    reserving.set(Reg::R2, Value::constant(16));
    refused(world.helper(&mut reserving, RESERVE), "call::map-helper");
    world.request.maps[0].flags = MapDef::RDONLY_PROG;
    refused(world.helper(&mut state, UPDATE), "policy::map-read-only");
}

#[test]
fn references_are_taken_and_given_back() {
    let (mut world, mut state) = (World::new(), World::entry());
    state.set(Reg::R1, map(RINGBUF));
    state.set(Reg::R2, Value::constant(16));
    state.set(Reg::R3, Value::constant(0));
    assert_eq!(world.helper(&mut state, RESERVE), Ok(NEXT));
    let record = *state.reg(Reg::R0);
    let pointer = record.as_pointer().unwrap();
    assert_eq!(pointer.region, Region::Mem { size: 16 });
    assert!(pointer.nullable() && pointer.flags.contains(Flags::RINGBUF) && state.is_referenced(pointer.object));
    refused(world.step(&mut state.clone(), Insn::Exit), "resource::leak");
    let record = Value::Pointer(pointer.with(Flags::RINGBUF));
    state.set(Reg::R1, record);
    state.set(Reg::R6, record);
    state.set(Reg::R2, Value::constant(0));
    assert_eq!(world.helper(&mut state, SUBMIT), Ok(NEXT));
    assert_eq!(state.reg(Reg::R6), &Value::unknown());
    assert!(state.refs.is_empty());
    state.set(Reg::R1, record);
    state.set(Reg::R2, Value::constant(0));
    refused(world.helper(&mut state, SUBMIT), "resource::not-referenced");
}

#[test]
fn a_cast_of_a_referenced_socket_forks() {
    let (mut world, mut state) = (World::new(), World::entry());
    assert_eq!(world.helper(&mut state, LOOKUP_SOCK), Ok(NEXT));
    let pointer = state.reg(Reg::R0).as_pointer().unwrap().with(Flags::NONE);
    state.set(Reg::R1, Value::Pointer(pointer));
    assert_eq!(world.helper(&mut state, TCP_SOCK), Ok(NEXT));
    let cast = *state.reg(Reg::R0).as_pointer().unwrap();
    assert_eq!((cast.region, cast.object), (Region::socket(SocketKind::Tcp), pointer.object));
    assert!(!cast.nullable());
    let failed = &world.fx.forks[0];
    assert_eq!(
        (failed.at, failed.kind, failed.state.reg(Reg::R0)),
        (InsnIdx(2), ForkKind::Branch, &Value::constant(0))
    );
    state.set(Reg::R1, Value::Pointer(cast));
    state.set(Reg::R7, Value::Pointer(pointer));
    assert_eq!(world.helper(&mut state, RELEASE_SOCK), Ok(NEXT));
    assert_eq!(state.reg(Reg::R7), &Value::unknown());
}

#[test]
fn packets_move() {
    let (mut world, mut state) = (World::new(), World::entry());
    let packet = Value::Pointer(Pointer::to(Region::Packet { group: None, range: 14 }));
    state.set(Reg::R6, packet);
    spill(&mut state, packet, 8);
    state.set(Reg::R2, Value::constant(0));
    assert_eq!(world.helper(&mut state, PULL_DATA), Ok(NEXT));
    assert_eq!(state.reg(Reg::R6), &Value::unknown());
    assert_eq!(state.top().stack.slot(0).spilled(), Some(&Value::unknown()));
}

#[test]
fn packets_reach_helpers_that_declare_it_within_what_is_proven() {
    let (mut world, mut state) = (World::new(), World::entry());
    state.set(Reg::R1, Value::Pointer(Pointer::to(Region::Packet { group: None, range: 14 })));
    state.set(Reg::R2, Value::constant(14));
    assert_eq!(world.helper(&mut state.clone(), CSUM), Ok(NEXT));
    state.set(Reg::R2, Value::constant(15));
    refused(world.helper(&mut state, CSUM), "memory::out-of-bounds");
    state.set(Reg::R2, Value::constant(14));
    state.set(Reg::R3, Value::constant(0));
    refused(world.helper(&mut state, READ_STR), "policy::helper-packet-access");
}

#[test]
fn static_functions_are_entered_and_left() {
    let (mut world, mut state) = (World::new(), World::entry());
    let call = Insn::Call(Call::Subprog(8));
    state.set(Reg::R2, stack(-8));
    assert_eq!(world.step(&mut state, call), Ok(Next::To(STATIC)));
    assert!(matches!(world.fx.events[..], [Event::Entered]));
    assert_eq!((state.depth(), state.reg(Reg::R2)), (1, &stack(-8)));
    assert_eq!(state.frame(0).reg(Reg::R2), &Value::Uninit);
    state.set(Reg::R0, Value::constant(7));
    let mut bad = state.clone();
    bad.set(Reg::R0, stack(-8));
    refused(world.step(&mut bad, Insn::Exit), "policy::returns-stack-pointer");
    assert_eq!(world.step(&mut state, Insn::Exit), Ok(NEXT));
    assert_eq!((state.depth(), state.reg(Reg::R0)), (0, &Value::constant(7)));
}

#[test]
fn calls_nest_only_so_deep() {
    let (mut world, mut state) = (World::new(), World::entry());
    let call = Insn::Call(Call::Subprog(8));
    assert_eq!(world.step(&mut state, call), Ok(Next::To(STATIC)));
    assert_eq!(world.step(&mut state, call), Ok(Next::To(STATIC)));
    refused(world.step(&mut state, call), "call::too-deep");
}

#[test]
fn global_functions_are_believed_if_their_arguments_are_right() {
    let (mut world, mut state) = (World::new(), World::entry());
    let call = Insn::Call(Call::Subprog(18));
    state.set(Reg::R6, Value::constant(6));
    let mut wrong = state.clone();
    wrong.set(Reg::R1, Value::constant(0));
    refused(world.step(&mut wrong, call), "call::global-arguments");
    world.memo.unreliable[2] = false;
    spill(&mut state, Value::constant(1), 8);
    state.set(Reg::R1, stack(-8));
    assert_eq!(world.step(&mut state, call), Ok(NEXT));
    assert_eq!(state.reg(Reg::R0), &Value::unknown());
    assert_eq!(world.memo.global_calls[2], [true, false]);
    // The function may have written the memory.
    assert_eq!(state.top().stack.slot(0).spilled(), None);
}

fn lockable(world: &mut World) -> Value {
    let hash = &mut world.request.maps[0];
    hash.btf_value = 1;
    hash.fields.push(MapField { kind: FieldKind::SpinLock, offset: 4, size: 4, pointee: 0, node: 0 });
    let region = Region::MapValue { map: MapRef { index: HASH, inner: 0 }, uid: 0 };
    Value::Pointer(Pointer { off: Scalar::constant(4), ..Pointer::to(region) })
}

#[test]
fn one_lock_at_a_time() {
    let (mut world, mut state) = (World::new(), World::entry());
    let lock = lockable(&mut world);
    state.set(Reg::R1, lock);
    refused(world.helper(&mut state.clone(), UNLOCK), "resource::unlock-without-lock");
    let mut elsewhere = state.clone();
    elsewhere.set(Reg::R1, Value::Pointer(Pointer { off: Scalar::constant(0), ..*lock.as_pointer().unwrap() }));
    refused(world.helper(&mut elsewhere, LOCK), "resource::lock-elsewhere");
    assert_eq!(world.helper(&mut state, LOCK), Ok(NEXT));
    refused(world.helper(&mut state.clone(), PULL_DATA), "context::call-under-lock");
    refused(world.step(&mut state.clone(), Insn::Exit), "resource::lock-held");
    let mut other = *lock.as_pointer().unwrap();
    other.object = Some(crate::ObjectId(core::num::NonZeroU32::MAX));
    let mut different = state.clone();
    different.set(Reg::R1, Value::Pointer(other));
    refused(world.helper(&mut different, UNLOCK), "resource::unlock-of-different-lock");
    state.set(Reg::R1, lock);
    assert_eq!(world.helper(&mut state, UNLOCK), Ok(NEXT));
    assert_eq!(state.active_locks, 0);
}

/// A state that is about to run a loop of so many rounds over the static function.
fn looping(rounds: Scalar) -> State {
    let mut state = World::entry();
    state.set(Reg::R1, number(rounds));
    state.set(Reg::R2, Value::Pointer(Pointer::to(Region::Func { subprog: 1 })));
    state.set(Reg::R3, Value::constant(0));
    state.set(Reg::R4, Value::constant(0));
    state
}

#[test]
fn a_callback_is_run_aside() {
    let (mut world, mut state) = (World::new(), looping(Scalar::unknown()));
    assert_eq!(world.helper(&mut state, LOOP), Ok(NEXT));
    let fork = world.fx.forks.pop().unwrap();
    assert_eq!((fork.at, fork.kind), (STATIC, ForkKind::Callback));
    let mut round = fork.state;
    assert_eq!((round.depth(), round.frame(0).callback_depth, state.top().callback_depth), (1, 1, 0));
    assert_eq!(round.top().kind, FrameKind::Callback(CallbackRange { min: 0, max: 1 }));
    let mut bad = round.clone();
    bad.set(Reg::R0, Value::constant(2));
    refused(world.step(&mut bad, Insn::Exit), "policy::return-value");
    round.set(Reg::R0, Value::constant(1));
    assert_eq!(world.step(&mut round, Insn::Exit), Ok(Next::CallbackReturn(InsnIdx(1))));
    // The caller's registers are as they were before the call, so that it can be made again.
    assert_eq!(round.reg(Reg::R2), &Value::Pointer(Pointer::to(Region::Func { subprog: 1 })));
}

#[test]
fn a_loop_is_run_no_more_often_than_it_says() {
    let (mut world, mut state) = (World::new(), looping(Scalar::constant(1)));
    state.top_mut().callback_depth = 1;
    assert_eq!(world.helper(&mut state, LOOP), Ok(NEXT));
    assert!(world.fx.forks.is_empty() && matches!(world.fx.events[..], [Event::LoopLimit]));
    assert_eq!(state.top().callback_depth, 0);
}

fn tail_calling(depth: FrameKind) -> State {
    let mut state = World::entry();
    let mut inner = Frame::new(1, 1, Some(InsnIdx(5)));
    inner.kind = depth;
    inner.set(Reg::R1, Value::Pointer(Pointer::to(Region::Ctx)));
    inner.set(Reg::R2, map(PROGRAMS));
    inner.set(Reg::R3, Value::constant(1));
    state.push(inner);
    state
}

#[test]
fn a_tail_call_in_a_function_also_returns() {
    let (mut world, mut state) = (World::new(), tail_calling(FrameKind::Plain));
    assert_eq!(world.helper(&mut state, TAIL_CALL), Ok(Next::To(InsnIdx(6))));
    assert_eq!((state.depth(), state.reg(Reg::R0)), (0, &Value::unknown()));
    assert_eq!((world.fx.forks[0].at, world.fx.forks[0].state.depth()), (InsnIdx(2), 1));
    let callback = FrameKind::Callback(CallbackRange { min: 0, max: 1 });
    refused(world.helper(&mut tail_calling(callback), TAIL_CALL), "context::in-callback");
    let mut state = tail_calling(FrameKind::Plain);
    state.set(Reg::R2, map(HASH));
    refused(world.helper(&mut state, TAIL_CALL), "call::tail-call-map");
}

#[test]
fn results_obey_the_attach_point() {
    let (mut world, mut state) = (World::new(), World::entry());
    refused(world.step(&mut state.clone(), Insn::Exit), "register::unreadable");
    state.set(Reg::R0, Value::constant(2));
    assert_eq!(world.step(&mut state.clone(), Insn::Exit), Ok(Next::End));
    world.host.rule = ReturnRule::Range { min: 0, max: 1, low_half: false };
    refused(world.step(&mut state.clone(), Insn::Exit), "policy::return-value");
    state.set(Reg::R0, Value::Pointer(Pointer::to(Region::Ctx)));
    refused(world.step(&mut state.clone(), Insn::Exit), "policy::return-kind");
    world.request.privilege = bpfvet_platform::Privilege::NONE;
    refused(world.step(&mut state, Insn::Exit), "policy::pointer-leak");
}

#[test]
fn legacy_packet_loads_need_the_context() {
    let (mut world, mut state) = (World::new(), World::entry());
    let load = Insn::LoadPacket { size: bpfvet_insn::Size::B4, index: bpfvet_insn::PacketIndex::Absolute, imm: 0 };
    refused(world.step(&mut state, load), "register::unreadable");
    state.set(Reg::R6, Value::constant(0));
    refused(world.step(&mut state, load), "policy::packet-load-context");
    state.set(Reg::R6, Value::Pointer(Pointer::to(Region::Ctx)));
    assert_eq!(world.step(&mut state, load), Ok(NEXT));
    assert_eq!((state.reg(Reg::R0), state.reg(Reg::R1)), (&Value::unknown(), &Value::Uninit));
}
