//! Attach types: since when each is known, and where a program of a type may attach.

use bpfvet_platform::{AttachType, ProgramType, Version};

/// The release that brought an attach type; `None` for a number that Linux does not use.
pub(crate) fn since(attach: AttachType) -> Option<Version> {
    SINCE.iter().find(|(last, ..)| attach.0 <= *last).map(|(_, major, minor)| Version::new(*major, *minor))
}

/// The last attach type that a release brought, and the release: the numbers were handed out in order.
static SINCE: &[(u32, u16, u16)] = &[
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
pub(crate) fn allowed(kind: ProgramType) -> Option<&'static [AttachType]> {
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
