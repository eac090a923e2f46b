//! A small host: a handful of helpers, enough to meet every kind of argument that is modelled.

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;

use bpfvet_insn::{Call, Insn, InsnIdx, Program, Reg};
use bpfvet_platform::{
    ArgKind, ArgSpec, CtxKind, CtxLayout, Effects as HelperEffects, Features, HelperId, HelperLookup, HelperProto,
    HelperSpecial, Limits, LoadRequest, LookupResult, MapDef, MapKind, MapKindInfo, MemDir, MemSize, PacketAccess,
    PacketToHelpers, Platform, Privilege, ProgramType, ProgramTypeInfo, RetKind, RetRange, RetSpec, ReturnRule,
};

use crate::facts::{Facts, SubprogFacts};
use crate::state::IdGen;
use crate::transfer::{Next, step};
use crate::violation::PrototypeReason;
use crate::{ArgShape, Effects, Failure, Memo, Pointer, Region, State, Value};

pub(super) const LOOKUP: i32 = 1;
pub(super) const UPDATE: i32 = 2;
pub(super) const TAIL_CALL: i32 = 12;
pub(super) const CSUM: i32 = 28;
pub(super) const PULL_DATA: i32 = 39;
pub(super) const LOOKUP_SOCK: i32 = 84;
pub(super) const RELEASE_SOCK: i32 = 86;
pub(super) const LOCK: i32 = 93;
pub(super) const UNLOCK: i32 = 94;
pub(super) const TCP_SOCK: i32 = 96;
pub(super) const READ_STR: i32 = 115;
pub(super) const RESERVE: i32 = 131;
pub(super) const SUBMIT: i32 = 132;
pub(super) const LOOP: i32 = 181;

const INTEGER: RetSpec = ret(RetKind::Integer);

const fn ret(kind: RetKind) -> RetSpec {
    RetSpec { kind, nullable: false, range: RetRange::Unknown }
}

const fn or_null(kind: RetKind) -> RetSpec {
    RetSpec { nullable: true, ..ret(kind) }
}

fn memory(dir: MemDir) -> ArgSpec {
    ArgSpec::of(ArgKind::Mem { dir, size: MemSize::NextArg })
}

fn row(id: i32, name: &'static str, given: &[ArgSpec], ret: RetSpec) -> HelperProto {
    let mut args = [ArgSpec::UNUSED; 5];
    args.iter_mut().zip(given).for_each(|(arg, given)| *arg = *given);
    let (effects, special) = (HelperEffects::default(), HelperSpecial::None);
    let id = HelperId(u32::try_from(id).unwrap());
    HelperProto { id, name: Cow::Borrowed(name), args, ret, gpl_only: false, pkt_access: false, effects, special }
}

fn helpers() -> Vec<HelperProto> {
    use ArgKind::{
        AllocSizeOrZero, Anything, BtfSockCommon, ConstMap, Ctx, Func, MapKey, MemSize as Size, MemSizeOrZero,
    };
    use ArgKind::{RingbufMem, Scalar, SockCommon, SpinLock, Stack};
    let of = ArgSpec::of;
    let value = of(ArgKind::MapValue { dir: MemDir::Read });
    let acquires = HelperEffects { acquires: true, ..HelperEffects::default() };
    let moves_packet = HelperEffects { moves_packet: true, ..HelperEffects::default() };
    let casts_socket = HelperEffects { casts_socket: true, ..HelperEffects::default() };
    let error_or_size = RetSpec { range: RetRange::ErrorOrSizeOf { arg: 1 }, ..INTEGER };
    let void = ret(RetKind::Void);
    [
        HelperProto {
            special: HelperSpecial::MapLookup,
            ..row(LOOKUP, "map_lookup_elem", &[of(ConstMap), of(MapKey)], or_null(RetKind::MapValue))
        },
        row(UPDATE, "map_update_elem", &[of(ConstMap), of(MapKey), value, of(Anything)], INTEGER),
        HelperProto {
            special: HelperSpecial::TailCall,
            effects: moves_packet,
            ..row(TAIL_CALL, "tail_call", &[of(Ctx), of(ConstMap), of(Anything)], void)
        },
        HelperProto {
            pkt_access: true,
            ..row(CSUM, "csum_diff", &[memory(MemDir::Read).or_null(), of(MemSizeOrZero)], INTEGER)
        },
        HelperProto { effects: moves_packet, ..row(PULL_DATA, "skb_pull_data", &[of(Ctx), of(Anything)], INTEGER) },
        HelperProto { effects: acquires, ..row(LOOKUP_SOCK, "sk_lookup_tcp", &[of(Ctx)], or_null(RetKind::Socket)) },
        row(RELEASE_SOCK, "sk_release", &[of(BtfSockCommon).released()], INTEGER),
        HelperProto { special: HelperSpecial::SpinLock, ..row(LOCK, "spin_lock", &[of(SpinLock)], void) },
        HelperProto { special: HelperSpecial::SpinUnlock, ..row(UNLOCK, "spin_unlock", &[of(SpinLock)], void) },
        HelperProto {
            effects: casts_socket,
            ..row(TCP_SOCK, "tcp_sock", &[of(SockCommon)], or_null(RetKind::TcpSock))
        },
        row(READ_STR, "probe_read_kernel_str", &[memory(MemDir::WriteUninit), of(Size), of(Anything)], error_or_size),
        HelperProto {
            effects: acquires,
            ..row(
                RESERVE,
                "ringbuf_reserve",
                &[of(ConstMap), of(AllocSizeOrZero), of(Anything)],
                or_null(RetKind::RingbufMem),
            )
        },
        row(SUBMIT, "ringbuf_submit", &[of(RingbufMem).released(), of(Anything)], void),
        HelperProto {
            special: HelperSpecial::Loop,
            ..row(LOOP, "loop", &[of(Scalar), of(Func), of(Stack).or_null(), of(Anything)], INTEGER)
        },
    ]
    .to_vec()
}

/// The host.
#[derive(Debug)]
pub(super) struct Host {
    helpers: Vec<HelperProto>,
    maps: Vec<MapKindInfo>,
    kind: ProgramTypeInfo,
    pub(super) rule: ReturnRule,
}

impl Host {
    pub(super) fn new() -> Self {
        let map = |kind, constant_key_lookup| MapKindInfo {
            kind,
            direct_value: true,
            direct_value_single: true,
            constant_key_lookup,
            holds_maps: false,
            lookup: LookupResult::Value,
            sleepable: true,
            implied_flags: 0,
        };
        let maps = [map(MapKind::HASH, false), map(MapKind::ARRAY, true), map(MapKind::RINGBUF, false)].to_vec();
        let layout = CtxLayout { name: "__sk_buff".into(), size: 192, fields: Cow::Borrowed(&[]), aligned: true };
        let kind = ProgramTypeInfo {
            kind: ProgramType::SCHED_CLS,
            ctx: CtxKind::Layout(layout),
            packet: PacketAccess { read: true, write: true, helpers: PacketToHelpers::Declared, legacy_loads: true },
            unprivileged: false,
            needs_net_admin: true,
            needs_perfmon: false,
            may_sleep: false,
            always_sleeps: false,
            ctx_fixed_offset: false,
            attaches_by_btf: false,
        };
        Self { helpers: helpers(), maps, kind, rule: ReturnRule::Any }
    }
}

impl Platform for Host {
    fn name(&self) -> &str {
        "a small host"
    }

    fn features(&self) -> &Features {
        const { &Features::ALL }
    }

    fn limits(&self, _: Privilege) -> Limits {
        Limits {
            program_len: 100,
            processed_insns: 1000,
            pending_states: 100,
            stored_states_per_bucket: None,
            call_frames: 3,
            stack_bytes: 512,
            subprogs: 10,
            maps: 10,
            linked_scalars: 5,
            history_len: 40,
        }
    }

    fn program_type(&self, kind: ProgramType) -> Option<&ProgramTypeInfo> {
        (kind == self.kind.kind).then_some(&self.kind)
    }

    fn helper(&self, id: HelperId, _: &LoadRequest) -> HelperLookup<'_> {
        self.helpers.iter().find(|row| row.id == id).map_or(HelperLookup::NotForProgram, HelperLookup::Allowed)
    }

    fn map_kind(&self, kind: MapKind) -> Option<&MapKindInfo> {
        self.maps.iter().find(|info| info.kind == kind)
    }

    fn return_rule(&self, _: &LoadRequest) -> ReturnRule {
        self.rule
    }

    fn map_allows_helper(&self, kind: MapKind, helper: HelperId) -> bool {
        let reserve = helper.0.cast_signed() == RESERVE;
        (kind == MapKind::RINGBUF) == reserve
    }
}

/// The map of a kind in the world's load request.
pub(super) const HASH: u16 = 0;
pub(super) const ARRAY: u16 = 1;
pub(super) const RINGBUF: u16 = 2;
pub(super) const PROGRAMS: u16 = 3;

/// A program of three functions, of which only the calls matter: main, a static one, a global one.
pub(super) struct World {
    pub(super) host: Host,
    pub(super) request: LoadRequest,
    pub(super) subprogs: Vec<SubprogFacts>,
    pub(super) memo: Memo,
    pub(super) ids: IdGen,
    pub(super) fx: Effects,
}

/// Where the static function begins.
pub(super) const STATIC: InsnIdx = InsnIdx(10);
/// Where the global function begins.
pub(super) const GLOBAL: InsnIdx = InsnIdx(20);

impl World {
    pub(super) fn new() -> Self {
        let mut request = LoadRequest::new("test", ProgramType::SCHED_CLS, Program::default());
        request.maps = [
            MapDef::new("hash", MapKind::HASH, 8, 16, 4),
            MapDef::new("array", MapKind::ARRAY, 4, 16, 4),
            MapDef::new("ringbuf", MapKind::RINGBUF, 0, 0, 4096),
            MapDef::new("programs", MapKind::PROG_ARRAY, 4, 4, 4),
        ]
        .to_vec();
        request.funcs.push(bpfvet_platform::FuncInfo { at: InsnIdx(0), type_id: 1 });
        let subprog = |start: u32, name: &str, global, args| SubprogFacts {
            start: InsnIdx(start),
            end: InsnIdx(start + 10),
            name: Some(name.to_string()),
            global,
            moves_packet: false,
            might_sleep: false,
            might_throw: false,
            calls_kernel: false,
            writes_dynptrs: false,
            makes_movable_dynptrs: false,
            returns_void: false,
            params: 1,
            args,
        };
        let subprogs = [
            subprog(0, "main", true, Ok([ArgShape::Ctx].to_vec())),
            subprog(STATIC.0, "inner", false, Err(PrototypeReason::Untyped)),
            subprog(GLOBAL.0, "outer", true, Ok([ArgShape::Mem { size: 8, nullable: false }].to_vec())),
        ]
        .to_vec();
        let memo = Memo::new(30, 3);
        Self { host: Host::new(), request, subprogs, memo, ids: IdGen::default(), fx: Effects::default() }
    }

    /// Runs one instruction at slot 1 of whatever function `state` is in.
    pub(super) fn step(&mut self, state: &mut State, insn: Insn) -> Result<Next, Failure> {
        let mut insns = [Insn::Exit; 30];
        insns[1] = insn;
        let program = Program::from_insns(insns);
        let features = *self.host.features();
        let facts = Facts {
            attach: None,
            request: &self.request,
            platform: &self.host,
            program: &program,
            features,
            limits: self.host.limits(self.request.privilege),
            kind: &self.host.kind,
            subprogs: self.subprogs.clone(),
            live_regs: &[],
            kfuncs: Default::default(),
        };
        step(&facts, &mut self.memo, &mut self.ids, state, InsnIdx(1), &mut self.fx)
    }

    pub(super) fn helper(&mut self, state: &mut State, id: i32) -> Result<Next, Failure> {
        self.step(state, Insn::Call(Call::Helper(id)))
    }

    /// The state in which main begins.
    pub(super) fn entry() -> State {
        let mut frame = crate::Frame::new(0, 0, None);
        frame.set(Reg::R1, Value::Pointer(Pointer::to(Region::Ctx)));
        State::new(frame, false)
    }
}
