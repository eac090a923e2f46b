//! Program types: what is true of each.

use alloc::vec::Vec;

use bpfvet_platform::{PacketAccess, PacketToHelpers, ProgramType, ProgramTypeInfo, Version};

use crate::ctx;

/// A program type as a row.
struct Row {
    kind: ProgramType,
    since: Version,
    packet: PacketAccess,
    /// Loadable without any capability (`bpf_prog_load`).
    unprivileged: bool,
    /// `is_net_admin_prog_type`
    net_admin: bool,
    /// `is_perfmon_prog_type`
    perfmon: bool,
    sleep: Sleep,
    /// The kernel does not rewrite accesses to the context (no `convert_ctx_access`).
    plain_ctx: bool,
    by_btf: bool,
}

/// Whether programs of a type may sleep (`can_be_sleepable`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sleep {
    Never,
    From(u16, u16),
    Always,
}

const NO_PACKET: PacketAccess = packet(false, false, PacketToHelpers::Never);
const READ_PACKET: PacketAccess = packet(true, false, PacketToHelpers::Declared);
const WRITE_PACKET: PacketAccess = packet(true, true, PacketToHelpers::Declared);
/// The context has packet pointers; no helper takes them.
const LOOK_AT_PACKET: PacketAccess = packet(true, false, PacketToHelpers::Never);
/// Socket options stand in for a packet; they are ordinary memory to the kernel.
const OPTION_AS_PACKET: PacketAccess = packet(true, true, PacketToHelpers::Always);

const fn packet(read: bool, write: bool, helpers: PacketToHelpers) -> PacketAccess {
    PacketAccess { read, write, helpers, legacy_loads: false }
}

const fn with_legacy_loads(access: PacketAccess) -> PacketAccess {
    PacketAccess { legacy_loads: true, ..access }
}

const fn row(kind: ProgramType, major: u16, minor: u16, packet: PacketAccess) -> Row {
    Row {
        kind,
        since: Version::new(major, minor),
        packet,
        unprivileged: false,
        net_admin: false,
        perfmon: false,
        sleep: Sleep::Never,
        plain_ctx: false,
        by_btf: false,
    }
}

impl Row {
    const fn unprivileged(self) -> Self {
        Self { unprivileged: true, ..self }
    }

    const fn net_admin(self) -> Self {
        Self { net_admin: true, ..self }
    }

    const fn perfmon(self) -> Self {
        Self { perfmon: true, ..self }
    }

    const fn sleeps(self, sleep: Sleep) -> Self {
        Self { sleep, ..self }
    }

    const fn plain_ctx(self) -> Self {
        Self { plain_ctx: true, ..self }
    }

    const fn by_btf(self) -> Self {
        Self { by_btf: true, ..self }
    }
}

/// Every program type, by number.
#[rustfmt::skip]
static ROWS: &[Row] = &[
    row(ProgramType::SOCKET_FILTER, 3, 19, with_legacy_loads(NO_PACKET)).unprivileged(),
    row(ProgramType::KPROBE, 4, 1, NO_PACKET).perfmon().sleeps(Sleep::From(6, 0)).plain_ctx(),
    row(ProgramType::SCHED_CLS, 4, 1, with_legacy_loads(WRITE_PACKET)).net_admin(),
    row(ProgramType::SCHED_ACT, 4, 1, with_legacy_loads(WRITE_PACKET)).net_admin(),
    row(ProgramType::TRACEPOINT, 4, 7, NO_PACKET).perfmon().sleeps(Sleep::From(7, 2)).plain_ctx(),
    row(ProgramType::XDP, 4, 8, WRITE_PACKET).net_admin(),
    row(ProgramType::PERF_EVENT, 4, 9, NO_PACKET).perfmon(),
    row(ProgramType::CGROUP_SKB, 4, 10, READ_PACKET).unprivileged(),
    row(ProgramType::CGROUP_SOCK, 4, 10, NO_PACKET).net_admin(),
    row(ProgramType::LWT_IN, 4, 10, READ_PACKET).net_admin(),
    row(ProgramType::LWT_OUT, 4, 10, READ_PACKET).net_admin(),
    row(ProgramType::LWT_XMIT, 4, 10, WRITE_PACKET).net_admin(),
    row(ProgramType::SOCK_OPS, 4, 13, LOOK_AT_PACKET).net_admin(),
    row(ProgramType::SK_SKB, 4, 14, WRITE_PACKET).net_admin(),
    row(ProgramType::CGROUP_DEVICE, 4, 15, NO_PACKET).net_admin().plain_ctx(),
    row(ProgramType::SK_MSG, 4, 17, WRITE_PACKET).net_admin(),
    row(ProgramType::RAW_TRACEPOINT, 4, 17, NO_PACKET).perfmon().sleeps(Sleep::From(7, 2)).plain_ctx(),
    row(ProgramType::CGROUP_SOCK_ADDR, 4, 17, NO_PACKET).net_admin(),
    row(ProgramType::LWT_SEG6LOCAL, 4, 18, READ_PACKET).net_admin(),
    row(ProgramType::LIRC_MODE2, 4, 18, NO_PACKET).plain_ctx(),
    row(ProgramType::SK_REUSEPORT, 4, 19, READ_PACKET),
    row(ProgramType::FLOW_DISSECTOR, 4, 20, READ_PACKET).net_admin(),
    row(ProgramType::CGROUP_SYSCTL, 5, 2, NO_PACKET).net_admin(),
    row(ProgramType::RAW_TRACEPOINT_WRITABLE, 5, 2, NO_PACKET).perfmon().plain_ctx(),
    row(ProgramType::CGROUP_SOCKOPT, 5, 3, OPTION_AS_PACKET).net_admin(),
    row(ProgramType::TRACING, 5, 5, NO_PACKET).perfmon().sleeps(Sleep::From(5, 10)).plain_ctx().by_btf(),
    row(ProgramType::STRUCT_OPS, 5, 6, NO_PACKET).perfmon().sleeps(Sleep::From(5, 18)).plain_ctx().by_btf(),
    row(ProgramType::EXT, 5, 6, NO_PACKET).net_admin().perfmon().by_btf(),
    row(ProgramType::LSM, 5, 7, NO_PACKET).perfmon().sleeps(Sleep::From(5, 10)).plain_ctx().by_btf(),
    row(ProgramType::SK_LOOKUP, 5, 9, NO_PACKET),
    row(ProgramType::SYSCALL, 5, 14, NO_PACKET).sleeps(Sleep::Always).plain_ctx(),
    row(ProgramType::NETFILTER, 6, 4, NO_PACKET).net_admin().plain_ctx(),
];

/// The program types of a release, by number.
pub(crate) fn table(version: Version) -> Vec<ProgramTypeInfo> {
    let mut table: Vec<ProgramTypeInfo> =
        ROWS.iter().filter(|row| version.at_least(row.since)).map(|row| info(row, version)).collect();
    table.sort_by_key(|info| info.kind);
    table
}

fn info(row: &Row, version: Version) -> ProgramTypeInfo {
    let Row { kind, since: _, packet, unprivileged, net_admin, perfmon, sleep, plain_ctx, by_btf } = *row;
    ProgramTypeInfo {
        kind,
        ctx: ctx::of(kind, version),
        packet,
        unprivileged,
        needs_net_admin: net_admin,
        needs_perfmon: perfmon,
        may_sleep: match sleep {
            Sleep::Never => false,
            Sleep::From(major, minor) => version.at_least(Version::new(major, minor)),
            Sleep::Always => true,
        },
        always_sleeps: sleep == Sleep::Always,
        ctx_fixed_offset: plain_ctx && version.at_least(ctx::PLAIN_CTX_OFFSETS),
        attaches_by_btf: by_btf,
    }
}
