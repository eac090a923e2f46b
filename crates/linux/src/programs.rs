//! Program types: what is true of each, where each may attach, and what each may return.

use alloc::vec::Vec;

use bpfvet_platform::{
    AttachType, LoadRefusal, LoadRequest, PacketAccess, PacketToHelpers, ProgramType, ProgramTypeInfo, Version,
};

use crate::{ctx, lsm};

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

/// The release that brought an attach type; `None` for a number that Linux does not use.
pub(crate) fn attach_since(attach: AttachType) -> Option<Version> {
    ATTACH_SINCE.iter().find(|(last, ..)| attach.0 <= *last).map(|(_, major, minor)| Version::new(*major, *minor))
}

/// The last attach type that a release brought, and the release: the numbers were handed out in order.
static ATTACH_SINCE: &[(u32, u16, u16)] = &[
    (AttachType::CGROUP_INET_SOCK_CREATE.0, 4, 10),
    (AttachType::CGROUP_SOCK_OPS.0, 4, 13),
    (AttachType::SK_SKB_STREAM_VERDICT.0, 4, 14),
    (AttachType::CGROUP_DEVICE.0, 4, 15),
    (AttachType::CGROUP_INET6_POST_BIND.0, 4, 17),
    (AttachType::LIRC_MODE2.0, 4, 18),
    (AttachType::FLOW_DISSECTOR.0, 4, 20),
    (AttachType::CGROUP_UDP6_RECVMSG.0, 5, 2),
    (AttachType::CGROUP_SETSOCKOPT.0, 5, 3),
    (AttachType::TRACE_FEXIT.0, 5, 5),
    (AttachType::LSM_MAC.0, 5, 7),
    (AttachType::XDP_DEVMAP.0, 5, 8),
    (AttachType::XDP.0, 5, 9),
    (AttachType::SK_SKB_VERDICT.0, 5, 13),
    (AttachType::SK_REUSEPORT_SELECT_OR_MIGRATE.0, 5, 14),
    (AttachType::PERF_EVENT.0, 5, 15),
    (AttachType::TRACE_KPROBE_MULTI.0, 5, 18),
    (AttachType::LSM_CGROUP.0, 6, 0),
    (AttachType::STRUCT_OPS.0, 6, 3),
    (AttachType::NETFILTER.0, 6, 4),
    (AttachType::TRACE_UPROBE_MULTI.0, 6, 6),
    (AttachType::NETKIT_PEER.0, 6, 7),
    (AttachType::TRACE_KPROBE_SESSION.0, 6, 10),
    (AttachType::TRACE_UPROBE_SESSION.0, 6, 13),
    (AttachType::TRACE_FSESSION.0, 7, 0),
    (AttachType::TRACE_FSESSION_MULTI.0, 7, 3),
];

/// Where a program of a type may attach, for the types that must say so when they are loaded (`bpf_prog_load_check_attach`).
/// `None`: the kernel does not ask yet.
pub(crate) fn attach_types(kind: ProgramType) -> Option<&'static [AttachType]> {
    Some(match kind {
        ProgramType::CGROUP_SOCK => &[
            AttachType::CGROUP_INET_SOCK_CREATE,
            AttachType::CGROUP_INET_SOCK_RELEASE,
            AttachType::CGROUP_INET4_POST_BIND,
            AttachType::CGROUP_INET6_POST_BIND,
        ],
        ProgramType::CGROUP_SOCK_ADDR => &[
            AttachType::CGROUP_INET4_BIND,
            AttachType::CGROUP_INET6_BIND,
            AttachType::CGROUP_INET4_CONNECT,
            AttachType::CGROUP_INET6_CONNECT,
            AttachType::CGROUP_UNIX_CONNECT,
            AttachType::CGROUP_INET4_GETPEERNAME,
            AttachType::CGROUP_INET6_GETPEERNAME,
            AttachType::CGROUP_UNIX_GETPEERNAME,
            AttachType::CGROUP_INET4_GETSOCKNAME,
            AttachType::CGROUP_INET6_GETSOCKNAME,
            AttachType::CGROUP_UNIX_GETSOCKNAME,
            AttachType::CGROUP_UDP4_SENDMSG,
            AttachType::CGROUP_UDP6_SENDMSG,
            AttachType::CGROUP_UNIX_SENDMSG,
            AttachType::CGROUP_UDP4_RECVMSG,
            AttachType::CGROUP_UDP6_RECVMSG,
            AttachType::CGROUP_UNIX_RECVMSG,
        ],
        ProgramType::CGROUP_SKB => &[AttachType::CGROUP_INET_INGRESS, AttachType::CGROUP_INET_EGRESS],
        ProgramType::CGROUP_SOCKOPT => &[AttachType::CGROUP_SETSOCKOPT, AttachType::CGROUP_GETSOCKOPT],
        ProgramType::SK_LOOKUP => &[AttachType::SK_LOOKUP],
        ProgramType::SK_REUSEPORT => &[AttachType::SK_REUSEPORT_SELECT, AttachType::SK_REUSEPORT_SELECT_OR_MIGRATE],
        ProgramType::NETFILTER => &[AttachType::NETFILTER],
        ProgramType::SYSCALL | ProgramType::EXT => &[AttachType(0)],
        // Checked with the attach target (`bpf_check_attach_target`).
        ProgramType::TRACING => &[
            AttachType::TRACE_RAW_TP,
            AttachType::TRACE_ITER,
            AttachType::MODIFY_RETURN,
            AttachType::TRACE_FENTRY,
            AttachType::TRACE_FEXIT,
            AttachType::TRACE_FSESSION,
            AttachType::TRACE_FENTRY_MULTI,
            AttachType::TRACE_FEXIT_MULTI,
            AttachType::TRACE_FSESSION_MULTI,
        ],
        ProgramType::LSM => &[AttachType::LSM_MAC, AttachType::LSM_CGROUP],
        _ => return None,
    })
}

/// The attach type that the kernel takes zero for (`bpf_prog_load_fixup_attach_type`).
pub(crate) fn attach_type(request: &LoadRequest) -> AttachType {
    match request.program_type {
        ProgramType::CGROUP_SOCK if request.attach_type.0 == 0 => AttachType::CGROUP_INET_SOCK_CREATE,
        ProgramType::SK_REUSEPORT if request.attach_type.0 == 0 => AttachType::SK_REUSEPORT_SELECT,
        _ => request.attach_type,
    }
}

/// Attach types at which a program of type `TRACING` may sleep (`can_be_sleepable`), and from when on.
static SLEEPING_TRACING: &[(AttachType, u16, u16)] = &[
    (AttachType::TRACE_FENTRY, 5, 10),
    (AttachType::TRACE_FEXIT, 5, 10),
    (AttachType::MODIFY_RETURN, 5, 10),
    (AttachType::TRACE_ITER, 5, 16),
    (AttachType::TRACE_FSESSION, 7, 0),
    (AttachType::TRACE_RAW_TP, 7, 2),
    (AttachType::TRACE_FENTRY_MULTI, 7, 3),
    (AttachType::TRACE_FEXIT_MULTI, 7, 3),
    (AttachType::TRACE_FSESSION_MULTI, 7, 3),
];

/// Functions that no tracing program may attach to (`btf_id_deny`).
static DENIED_TARGETS: &[&str] = &[
    "___migrate_enable",
    "migrate_disable",
    "migrate_enable",
    "rcu_read_unlock_strict",
    "preempt_count_add",
    "preempt_count_sub",
    "__rcu_read_lock",
    "__rcu_read_unlock",
];

/// Functions that do not return (`noreturn_deny`).
static NORETURN_TARGETS: &[&str] = &[
    "__ia32_sys_exit",
    "__ia32_sys_exit_group",
    "__kunit_abort",
    "kunit_try_catch_throw",
    "__module_put_and_kthread_exit",
    "__x64_sys_exit",
    "__x64_sys_exit_group",
    "do_exit",
    "do_group_exit",
    "kthread_complete_and_exit",
    "make_task_dead",
];

/// What the kernel asks before it looks at an instruction (`bpf_prog_load`, `check_attach_btf_id`), in its order.
pub(crate) fn check(version: Version, info: &ProgramTypeInfo, request: &LoadRequest) -> Result<(), LoadRefusal> {
    let privilege = request.privilege;
    if !info.unprivileged && !privilege.bpf {
        return Err(LoadRefusal::NeedsBpf);
    }
    if info.needs_net_admin && !privilege.net_admin {
        return Err(LoadRefusal::NeedsNetAdmin);
    }
    if info.needs_perfmon && !privilege.perfmon {
        return Err(LoadRefusal::NeedsPerfmon);
    }
    let attach = attach_type(request);
    // Structure operations put the number of a member here.
    if info.kind != ProgramType::STRUCT_OPS
        && attach_since(attach).is_none_or(|since| !version.at_least(since))
        && attach.0 != 0
    {
        return Err(LoadRefusal::UnknownAttachType);
    }
    if attach_types(info.kind).is_some_and(|list| !list.contains(&attach)) {
        return Err(LoadRefusal::AttachType);
    }
    if info.always_sleeps {
        return if request.flags.sleepable { Ok(()) } else { Err(LoadRefusal::MustSleep) };
    }
    if request.flags.sleepable && !may_sleep(version, info, attach) {
        return Err(LoadRefusal::CannotSleep);
    }
    if info.kind == ProgramType::STRUCT_OPS && !request.gpl_compatible {
        return Err(LoadRefusal::NeedsGpl);
    }
    if info.attaches_by_btf { check_target(version, info.kind, attach, request) } else { Ok(()) }
}

fn may_sleep(version: Version, info: &ProgramTypeInfo, attach: AttachType) -> bool {
    info.may_sleep
        && match info.kind {
            ProgramType::TRACING => SLEEPING_TRACING
                .iter()
                .any(|(one, major, minor)| *one == attach && version.at_least(Version::new(*major, *minor))),
            ProgramType::LSM => attach != AttachType::LSM_CGROUP,
            _ => true,
        }
}

fn check_target(
    version: Version,
    kind: ProgramType,
    attach: AttachType,
    request: &LoadRequest,
) -> Result<(), LoadRefusal> {
    let Some(target) = &request.attach_target else {
        return Err(LoadRefusal::NoTarget);
    };
    match kind {
        ProgramType::EXT => Err(LoadRefusal::Unsupported("it depends on the program that this one replaces".into())),
        ProgramType::LSM => check_hook(version, lsm::hook(&target.name), request),
        ProgramType::TRACING if attach != AttachType::TRACE_RAW_TP && attach != AttachType::TRACE_ITER => {
            let name = target.name.as_str();
            let after = matches!(
                attach,
                AttachType::TRACE_FEXIT
                    | AttachType::TRACE_FSESSION
                    | AttachType::TRACE_FSESSION_MULTI
                    | AttachType::MODIFY_RETURN
            );
            if DENIED_TARGETS.contains(&name) {
                Err(LoadRefusal::ForbiddenTarget)
            } else if after && version.at_least(Version::new(6, 16)) && NORETURN_TARGETS.contains(&name) {
                Err(LoadRefusal::TargetNeverReturns)
            } else {
                Ok(())
            }
        }
        _ => Ok(()),
    }
}

fn check_hook(version: Version, hook: &str, request: &LoadRequest) -> Result<(), LoadRefusal> {
    if request.flags.sleepable && !lsm::SLEEPABLE.contains(&hook) {
        Err(LoadRefusal::TargetCannotSleep)
    } else if !request.gpl_compatible {
        Err(LoadRefusal::NeedsGpl)
    } else if lsm::DISABLED.contains(&hook) {
        Err(LoadRefusal::ForbiddenTarget)
    } else if lsm::RETURNING_INT.contains(&hook) || lsm::RETURNING_VOID.contains(&hook) {
        Ok(())
    } else if version == crate::Linux::NEWEST {
        Err(LoadRefusal::UnknownTarget)
    } else {
        Err(LoadRefusal::Unsupported("the hooks that are known are those of the newest release".into()))
    }
}
