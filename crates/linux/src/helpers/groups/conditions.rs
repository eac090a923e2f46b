//! Conditions that rows of the group tables share, by name.

use bpfvet_platform::{AttachType, Condition, Target};

pub(super) use bpfvet_platform::HelperRefusal::{AttachPoint, NoTracedFunction, NoTrampoline};

use crate::lsm;

/// Holds for no load: what a group withholds from the group below it.
pub(super) const NEVER: Condition =
    Condition { attach: &[AttachType::TRACE_ITER], not_attach: &[AttachType::TRACE_ITER], ..Condition::ALWAYS };
pub(super) const BPF: Condition = Condition::BPF;
pub(super) const PERFMON: Condition = Condition::PERFMON;
pub(super) const SYS_ADMIN: Condition = Condition { needs_sys_admin: true, ..Condition::ALWAYS };
pub(super) const SLEEPING: Condition = Condition::ALWAYS.sleeping();

/// Attach types whose programs are called through a trampoline (`bpf_prog_has_trampoline`).
pub(super) const TRAMPOLINE: Condition = Condition::attach(&[
    AttachType::TRACE_FENTRY,
    AttachType::TRACE_FEXIT,
    AttachType::MODIFY_RETURN,
    AttachType::TRACE_FSESSION,
    AttachType::TRACE_FENTRY_MULTI,
    AttachType::TRACE_FEXIT_MULTI,
    AttachType::TRACE_FSESSION_MULTI,
    AttachType::LSM_MAC,
]);
pub(super) const AT_ITER: Condition = Condition::attach(&[AttachType::TRACE_ITER]);
pub(super) const AT_RAW_TP: Condition = Condition::attach(&[AttachType::TRACE_RAW_TP]);
pub(super) const ITER_OR_RAW_TP: Condition = Condition::attach(&[AttachType::TRACE_ITER, AttachType::TRACE_RAW_TP]);
/// `bpf_sk_storage_tracing_allowed`: not while tracing socket storage itself.
pub(super) const NOT_SK_STORAGE: Condition =
    Condition::attach(&[AttachType::TRACE_FENTRY, AttachType::TRACE_FEXIT, AttachType::TRACE_FSESSION])
        .target(Target::NotBeginning("bpf_sk_storage"));
/// `btf_allowlist_d_path`, kernel/trace/bpf_trace.c.
pub(super) const D_PATH_TARGET: Condition = Condition::ALWAYS.target(Target::OneOf(&[
    "security_file_permission",
    "security_inode_getattr",
    "security_file_open",
    "security_path_truncate",
    "vfs_truncate",
    "vfs_fallocate",
    "dentry_open",
    "vfs_getattr",
    "filp_close",
]));
pub(super) const SOCKET_ITER: Condition =
    AT_ITER.target(Target::OneOf(&["tcp", "unix", "bpf_iter_tcp", "bpf_iter_unix"]));

pub(super) const KPROBE_MULTI: Condition =
    Condition::attach(&[AttachType::TRACE_KPROBE_MULTI, AttachType::TRACE_KPROBE_SESSION]);
pub(super) const UPROBE_MULTI: Condition =
    Condition::attach(&[AttachType::TRACE_UPROBE_MULTI, AttachType::TRACE_UPROBE_SESSION]);

pub(super) const SLEEPABLE_HOOK: Condition = Condition::ALWAYS.target(Target::OneOf(lsm::SLEEPABLE));
const LSM_CGROUP: Condition = Condition::attach(&[AttachType::LSM_CGROUP]);
pub(super) const LSM_BOOL_HOOK: Condition = LSM_CGROUP.target(Target::OneOf(lsm::RETURNING_BOOL));
pub(super) const LSM_VOID_HOOK: Condition = LSM_CGROUP.target(Target::OneOf(lsm::RETURNING_VOID));
pub(super) const LOCKED_SOCKOPT_HOOK: Condition = LSM_CGROUP.target(Target::OneOf(lsm::LOCKED_SOCKOPT));
pub(super) const UNLOCKED_SOCKOPT_HOOK: Condition = LSM_CGROUP.target(Target::OneOf(lsm::UNLOCKED_SOCKOPT));

pub(super) const SETSOCKOPT: Condition = Condition::attach(&[AttachType::CGROUP_SETSOCKOPT]);
pub(super) const GETSOCKOPT: Condition = Condition::attach(&[AttachType::CGROUP_GETSOCKOPT]);
/// A type that is not given counts as creation (`bpf_prog_load_fixup_attach_type`).
pub(super) const SOCK_CREATE: Condition = Condition::attach(&[AttachType(0), AttachType::CGROUP_INET_SOCK_CREATE]);
pub(super) const CONNECT: Condition =
    Condition::attach(&[AttachType::CGROUP_INET4_CONNECT, AttachType::CGROUP_INET6_CONNECT]);
/// Where an address hook may get and set socket options: everywhere but for the names of Unix sockets.
pub(super) const SOCK_ADDR_OPTIONS: Condition = Condition::attach(&[
    AttachType::CGROUP_INET4_BIND,
    AttachType::CGROUP_INET6_BIND,
    AttachType::CGROUP_INET4_CONNECT,
    AttachType::CGROUP_INET6_CONNECT,
    AttachType::CGROUP_UNIX_CONNECT,
    AttachType::CGROUP_UDP4_RECVMSG,
    AttachType::CGROUP_UDP6_RECVMSG,
    AttachType::CGROUP_UNIX_RECVMSG,
    AttachType::CGROUP_UDP4_SENDMSG,
    AttachType::CGROUP_UDP6_SENDMSG,
    AttachType::CGROUP_UNIX_SENDMSG,
    AttachType::CGROUP_INET4_GETPEERNAME,
    AttachType::CGROUP_INET6_GETPEERNAME,
    AttachType::CGROUP_INET4_GETSOCKNAME,
    AttachType::CGROUP_INET6_GETSOCKNAME,
]);
/// Where the kernel looks at the value that a control group program sets.
pub(super) const HAS_RETVAL: Condition = Condition::not_attach(&[
    AttachType::CGROUP_INET_INGRESS,
    AttachType::CGROUP_INET_EGRESS,
    AttachType::CGROUP_SOCK_OPS,
    AttachType::CGROUP_UDP4_RECVMSG,
    AttachType::CGROUP_UDP6_RECVMSG,
    AttachType::CGROUP_UNIX_RECVMSG,
    AttachType::CGROUP_INET4_GETPEERNAME,
    AttachType::CGROUP_INET6_GETPEERNAME,
    AttachType::CGROUP_UNIX_GETPEERNAME,
    AttachType::CGROUP_INET4_GETSOCKNAME,
    AttachType::CGROUP_INET6_GETSOCKNAME,
    AttachType::CGROUP_UNIX_GETSOCKNAME,
]);
