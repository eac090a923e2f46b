//! Maps: what is true of each kind, which helpers take which kind, and which programs may use which map.

mod creation;
mod helpers;
mod structures;

use alloc::vec::Vec;

use bpfvet_platform::{
    AttachType, FieldKind, HelperId, LoadRequest, LookupResult, MapDef, MapKind, MapKindInfo, MapRefusal, ProgramType,
    Version,
};

pub(crate) use creation::check as check_creation;
pub(crate) use helpers::allows;
pub(crate) use structures::of as structure;

/// A kind of map as a row.
struct Row {
    kind: MapKind,
    since: Version,
    direct: Direct,
    constant_key: bool,
    lookup: LookupResult,
    /// Since when programs that sleep may use it (`check_map_prog_compatibility`).
    sleepable: Option<Version>,
    implied_flags: u32,
}

/// Whether values can be named by a 64-bit immediate (`map_direct_value_addr`).
#[derive(Clone, Copy)]
enum Direct {
    No,
    /// From this release on, for maps of one entry.
    Single(Version),
    /// From this release on.
    Yes(Version),
}

const fn v(major: u16, minor: u16) -> Version {
    Version::new(major, minor)
}

const fn row(kind: MapKind, major: u16, minor: u16) -> Row {
    Row {
        kind,
        since: v(major, minor),
        direct: Direct::No,
        constant_key: false,
        lookup: LookupResult::Value,
        sleepable: None,
        implied_flags: 0,
    }
}

impl Row {
    const fn direct(self, direct: Direct) -> Self {
        Self { direct, ..self }
    }

    /// A constant key inside the bounds is always found (`can_elide_value_nullness`).
    const fn constant_key(self) -> Self {
        Self { constant_key: true, ..self }
    }

    const fn yields(self, lookup: LookupResult) -> Self {
        Self { lookup, ..self }
    }

    const fn sleepable(self, major: u16, minor: u16) -> Self {
        Self { sleepable: Some(v(major, minor)), ..self }
    }

    const fn implies(self, implied_flags: u32) -> Self {
        Self { implied_flags, ..self }
    }
}

/// Every kind, by number.
#[rustfmt::skip]
static ROWS: &[Row] = &[
    row(MapKind::HASH, 3, 19).sleepable(5, 10),
    row(MapKind::ARRAY, 3, 19).direct(Direct::Single(v(5, 2))).constant_key().sleepable(5, 10),
    row(MapKind::PROG_ARRAY, 4, 2).sleepable(7, 3),
    row(MapKind::PERF_EVENT_ARRAY, 4, 3),
    row(MapKind::PERCPU_HASH, 4, 6).sleepable(5, 13),
    row(MapKind::PERCPU_ARRAY, 4, 6).direct(Direct::Single(v(7, 3))).constant_key().sleepable(5, 13),
    row(MapKind::STACK_TRACE, 4, 6),
    row(MapKind::CGROUP_ARRAY, 4, 8),
    row(MapKind::LRU_HASH, 4, 10).sleepable(5, 10),
    row(MapKind::LRU_PERCPU_HASH, 4, 10).sleepable(5, 13),
    row(MapKind::LPM_TRIE, 4, 11).sleepable(7, 3),
    row(MapKind::ARRAY_OF_MAPS, 4, 12).yields(LookupResult::Map).sleepable(5, 13),
    row(MapKind::HASH_OF_MAPS, 4, 12).yields(LookupResult::Map).sleepable(5, 13),
    // Programs see the interface's index itself, so the kernel adds the flag (`dev_map_init_map`).
    row(MapKind::DEVMAP, 4, 14).implies(MapDef::RDONLY_PROG),
    row(MapKind::SOCKMAP, 4, 14).yields(LookupResult::Socket),
    row(MapKind::CPUMAP, 4, 15),
    row(MapKind::XSKMAP, 4, 18).yields(LookupResult::XdpSocket),
    row(MapKind::SOCKHASH, 4, 18).yields(LookupResult::Socket),
    row(MapKind::CGROUP_STORAGE, 4, 19),
    row(MapKind::REUSEPORT_SOCKARRAY, 4, 19),
    row(MapKind::PERCPU_CGROUP_STORAGE, 4, 20),
    row(MapKind::QUEUE, 4, 20).sleepable(6, 5),
    row(MapKind::STACK, 4, 20).sleepable(6, 5),
    row(MapKind::SK_STORAGE, 5, 2).sleepable(5, 17),
    row(MapKind::DEVMAP_HASH, 5, 4).implies(MapDef::RDONLY_PROG),
    row(MapKind::STRUCT_OPS, 5, 6),
    row(MapKind::RINGBUF, 5, 8).sleepable(5, 12),
    row(MapKind::INODE_STORAGE, 5, 10).sleepable(5, 17),
    row(MapKind::TASK_STORAGE, 5, 11).sleepable(5, 17),
    row(MapKind::BLOOM_FILTER, 5, 16),
    row(MapKind::USER_RINGBUF, 6, 1).sleepable(6, 1),
    row(MapKind::CGRP_STORAGE, 6, 2).sleepable(6, 2),
    row(MapKind::ARENA, 6, 9).direct(Direct::Yes(v(6, 9))).sleepable(6, 9),
    row(MapKind::INSN_ARRAY, 6, 19).direct(Direct::Yes(v(6, 19))).sleepable(6, 19).implies(MapDef::RDONLY_PROG),
    row(MapKind::RHASH, 7, 2).sleepable(7, 2),
];

/// The kinds of a release, by number.
pub(crate) fn table(version: Version) -> Vec<MapKindInfo> {
    let mut table: Vec<MapKindInfo> =
        ROWS.iter().filter(|row| version.at_least(row.since)).map(|row| info(row, version)).collect();
    table.sort_by_key(|info| info.kind);
    table
}

fn info(row: &Row, version: Version) -> MapKindInfo {
    let Row { kind, since: _, direct, constant_key, lookup, sleepable, implied_flags } = *row;
    let (direct_value, direct_value_single) = match direct {
        Direct::No => (false, false),
        Direct::Single(since) => (version.at_least(since), true),
        Direct::Yes(since) => (version.at_least(since), false),
    };
    MapKindInfo {
        kind,
        direct_value,
        direct_value_single,
        // The check came with `can_elide_value_nullness`.
        constant_key_lookup: constant_key && version.at_least(v(6, 14)),
        holds_maps: lookup == LookupResult::Map,
        lookup,
        sleepable: sleepable.is_some_and(|since| version.at_least(since)),
        implied_flags,
    }
}

/// Whether a program may change a map that holds sockets (`may_update_sockmap`): only where no lock on the socket can be held.
pub(crate) fn may_update_sockmap(version: Version, helper: HelperId, request: &LoadRequest) -> bool {
    const UPDATE: HelperId = HelperId(2);
    const DELETE: HelperId = HelperId(3);
    if helper != UPDATE && helper != DELETE {
        return false;
    }
    match request.program_type {
        ProgramType::TRACING => request.attach_type == AttachType::TRACE_ITER,
        ProgramType::SOCK_OPS => helper == DELETE,
        ProgramType::SK_REUSEPORT | ProgramType::SK_LOOKUP => true,
        // Taken back when it turned out that the locks can be held there after all.
        ProgramType::SOCKET_FILTER
        | ProgramType::SCHED_CLS
        | ProgramType::SCHED_ACT
        | ProgramType::XDP
        | ProgramType::FLOW_DISSECTOR => version.at_least(v(5, 10)) && !version.at_least(v(7, 3)),
        _ => false,
    }
}

/// Program types that may run in any context (`is_tracing_prog_type`).
fn is_tracing(kind: ProgramType) -> bool {
    matches!(
        kind,
        ProgramType::KPROBE
            | ProgramType::TRACEPOINT
            | ProgramType::PERF_EVENT
            | ProgramType::RAW_TRACEPOINT
            | ProgramType::RAW_TRACEPOINT_WRITABLE
    )
}

/// Whether a program may refer to a map at all (`check_map_prog_compatibility`, in its order).
pub(crate) fn check_use(
    version: Version,
    info: &MapKindInfo,
    map: &MapDef,
    request: &LoadRequest,
) -> Result<(), MapRefusal> {
    let kind = request.program_type;
    let has = |field: FieldKind| map.field(field).map(|_| field);
    if is_tracing(kind)
        && let Some(field) = has(FieldKind::ListHead).or_else(|| has(FieldKind::RbRoot))
    {
        return Err(MapRefusal::FieldInTracing(field));
    }
    if kind == ProgramType::SOCKET_FILTER
        && let Some(field) = has(FieldKind::SpinLock).or_else(|| has(FieldKind::ResSpinLock))
    {
        return Err(MapRefusal::FieldInSocketFilter(field));
    }
    if is_tracing(kind)
        && let Some(field) = has(FieldKind::SpinLock)
    {
        return Err(MapRefusal::FieldInTracing(field));
    }
    // Timers and work queues were kept from tracing programs until they became safe in any context.
    if is_tracing(kind)
        && !version.at_least(v(7, 1))
        && let Some(field) = has(FieldKind::Timer).or_else(|| has(FieldKind::Workqueue))
    {
        return Err(MapRefusal::FieldInTracing(field));
    }
    if map.kind == MapKind::STRUCT_OPS {
        return Err(MapRefusal::NotForPrograms);
    }
    if request.flags.sleepable && !info.sleepable {
        return Err(MapRefusal::NotSleepable);
    }
    if map.kind == MapKind::ARENA && !(request.privilege.bpf && request.privilege.perfmon) {
        return Err(MapRefusal::NeedsBpfAndPerfmon);
    }
    Ok(())
}
