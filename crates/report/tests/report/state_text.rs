//! Values and states, as the log prints them.

use std::num::NonZeroU32;

use crate::host::{Host, entry, request};
use bpfvet_domain::{Scalar, Tnum};
use bpfvet_insn::{InsnIdx, Reg, RegSet};
use bpfvet_report::{Extent, Names, state_text, value_text};
use bpfvet_vm::{
    ByteKind, CallbackRange, Flags, Frame, FrameKind, Link, LinkDelta, MapRef, ObjectId, PacketId, Pointer, Reference,
    ReferenceKind, Region, ScalarId, ScalarValue, Slot, SocketKind, Value,
};
use expect_test::expect;

fn nz(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn bits(value: u64, mask: u64) -> Scalar {
    let tnum = Tnum { value, mask };
    let unknown = Scalar::unknown();
    Scalar::from_parts(tnum, unknown.arc64(), unknown.arc32()).synced()
}

fn text(value: Value) -> String {
    let (host, request) = (Host::default(), request(vec![]));
    value_text(&value, 0, &Names::new(&request, &host))
}

fn pointer(region: Region) -> Value {
    Value::Pointer(Pointer::to(region))
}

const MAP: MapRef = MapRef { index: 0, inner: 0 };

#[test]
fn scalars() {
    let link = |delta| Some(Link { id: ScalarId(nz(3)), delta });
    let lines = [
        text(Value::Uninit),
        text(Value::unknown()),
        text(Value::constant(7)),
        text(Value::constant(u64::MAX)),
        text(Value::constant(0x1_0000)),
        text(Value::Scalar(ScalarValue { num: Scalar::constant(40_000), link: None, precise: true })),
        text(Value::Scalar(ScalarValue { num: bits(0, 0xff), link: None, precise: true })),
        text(Value::Scalar(ScalarValue { num: bits(0, 0xff), link: link(LinkDelta::Base), precise: false })),
        text(Value::Scalar(ScalarValue { num: bits(0, 0xff), link: link(LinkDelta::Add64(-4)), precise: false })),
        text(Value::Scalar(ScalarValue { num: Scalar::unknown(), link: link(LinkDelta::Add32(8)), precise: false })),
    ];
    expect![[r#"
        ?
        scalar()
        7
        -1
        0x10000
        P0x9c40
        Pscalar(smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))
        scalar(id=3,smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))
        scalar(id=3-4,smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))
        scalar(id=3+8)"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn pointers() {
    let at = |region, off| Value::Pointer(Pointer { off: Scalar::constant(off), ..Pointer::to(region) });
    let nullable = Flags::NULLABLE;
    let packet = |range| Region::Packet { group: Some(PacketId(nz(2))), range };
    let lines = [
        text(pointer(Region::Ctx)),
        text(at(Region::Ctx, u64::MAX)),
        text(pointer(Region::Stack { frame: 0 })),
        text(at(Region::Stack { frame: 0 }, (-16_i64).cast_unsigned())),
        text(at(Region::Stack { frame: 2 }, (-16_i64).cast_unsigned())),
        text(Value::Pointer(Pointer { off: bits(0, 0xff), ..Pointer::to(Region::Stack { frame: 0 }) })),
        text(pointer(Region::Map { map: MAP, uid: 0 })),
        text(at(Region::MapValue { map: MAP, uid: 0 }, 4)),
        text(Value::Pointer(Pointer {
            object: Some(ObjectId(nz(1))),
            ..Pointer::to(Region::MapValue { map: MAP, uid: 0 }).with(nullable)
        })),
        text(at(packet(14), 14)),
        text(Value::Pointer(Pointer { off: bits(0, 0xff), ..Pointer::to(packet(-1)) })),
        text(pointer(Region::Packet { group: None, range: 0 })),
        text(pointer(Region::PacketEnd)),
        text(Value::Pointer(Pointer {
            object: Some(ObjectId(nz(4))),
            parent: Some(ObjectId(nz(3))),
            ..Pointer::to(Region::socket(SocketKind::Tcp)).with(nullable)
        })),
        text(Value::Pointer(Pointer::to(Region::Mem { size: 16 }).with(Flags::RINGBUF.union(nullable)))),
        text(pointer(Region::Buf)),
        text(pointer(Region::Arena)),
        text(at(Region::TpBuffer, (-8_i64).cast_unsigned())),
        text(pointer(Region::Func { subprog: 1 })),
    ];
    expect![[r#"
        ctx()
        ctx(imm=-1)
        fp0
        fp-16
        fp[2]-16
        fp(smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))
        map_ptr(map=counters_by_pro,ks=4,vs=8)
        map_value(map=counters_by_pro,ks=4,vs=8,imm=4)
        map_value_or_null(id=1,map=counters_by_pro,ks=4,vs=8)
        pkt(id=2,r=14,imm=14)
        pkt(id=2,r=0xffffffffffffffff,smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))
        pkt(r=0)
        pkt_end()
        tcp_sock_or_null(id=4,parent_id=3)
        ringbuf_mem_or_null(sz=16)
        buf()
        arena
        tp_buffer(imm=-8)
        func()"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn states() {
    let (host, request) = (Host::default(), request(vec![]));
    let names = Names::new(&request, &host);
    let mut state = entry();
    let top = state.top_mut();
    top.set(Reg::R0, Value::constant(3));
    top.stack.grow(40);
    *top.stack.slot_mut(0).unwrap() = Slot::whole(Value::constant(5));
    let slot = top.stack.slot_mut(1).unwrap();
    slot.set_byte(0, ByteKind::Misc);
    slot.spill(Value::unknown(), 4);
    let slot = top.stack.slot_mut(2).unwrap();
    slot.set_byte(3, ByteKind::Zero);
    slot.set_byte(7, ByteKind::Misc);
    *top.stack.slot_mut(3).unwrap() = Slot::Bytes([ByteKind::Poison; 8]);
    let mut held = |id: u32| {
        let kind = ReferenceKind::Object { parent: None };
        state.refs.push(Reference { id: NonZeroU32::new(id), at: InsnIdx(1), kind });
    };
    held(2);
    held(5);
    expect![" R0=3 R1=ctx() R10=fp0 fp-8=5 fp-16=m???scalar() fp-24=???0???m refs=2,5"].assert_eq(&state_text(
        &state,
        0,
        Extent::Whole,
        &names,
    ));
    let changed = Extent::Changed { regs: RegSet::of(Reg::R1).with(Reg::R7), slots: 0b100 };
    expect![" R1=ctx() fp-24=???0???m refs=2,5"].assert_eq(&state_text(&state, 0, changed, &names));

    let mut callee = Frame::new(1, 1, Some(InsnIdx(4)));
    callee.kind = FrameKind::Callback(CallbackRange { min: 0, max: 1 });
    callee.set(Reg::R1, Value::Pointer(Pointer::to(Region::Stack { frame: 0 })));
    state.refs.clear();
    state.push(callee);
    expect![" frame1: R1=fp[0]0 R10=fp0 cb"].assert_eq(&state_text(&state, 1, Extent::Whole, &names));
}
