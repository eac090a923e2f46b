//! Program types and what each may return.

use crate::CtxKind;

/// A program type, by the host's number (`enum bpf_prog_type` on Linux).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProgramType(pub u32);

/// An attach type, by the host's number (`enum bpf_attach_type` on Linux).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct AttachType(pub u32);

macro_rules! numbers {
    ($ty:ident: $($name:ident = $number:literal, $text:literal;)*) => {
        impl $ty {
            $(#[doc = concat!("Linux's `", $text, "`.")] pub const $name: Self = Self($number);)*

            /// Every one that Linux has, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in lower case, as libbpf spells it; `unknown` for a number that Linux does not use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self.0 { $($number => $text,)* _ => "unknown" }
            }

            /// The one with this name.
            #[must_use]
            pub fn by_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

numbers! { ProgramType:
    UNSPEC = 0, "unspec"; SOCKET_FILTER = 1, "socket_filter"; KPROBE = 2, "kprobe"; SCHED_CLS = 3, "sched_cls";
    SCHED_ACT = 4, "sched_act"; TRACEPOINT = 5, "tracepoint"; XDP = 6, "xdp"; PERF_EVENT = 7, "perf_event";
    CGROUP_SKB = 8, "cgroup_skb"; CGROUP_SOCK = 9, "cgroup_sock"; LWT_IN = 10, "lwt_in"; LWT_OUT = 11, "lwt_out";
    LWT_XMIT = 12, "lwt_xmit"; SOCK_OPS = 13, "sock_ops"; SK_SKB = 14, "sk_skb"; CGROUP_DEVICE = 15, "cgroup_device";
    SK_MSG = 16, "sk_msg"; RAW_TRACEPOINT = 17, "raw_tracepoint"; CGROUP_SOCK_ADDR = 18, "cgroup_sock_addr";
    LWT_SEG6LOCAL = 19, "lwt_seg6local"; LIRC_MODE2 = 20, "lirc_mode2"; SK_REUSEPORT = 21, "sk_reuseport";
    FLOW_DISSECTOR = 22, "flow_dissector"; CGROUP_SYSCTL = 23, "cgroup_sysctl";
    RAW_TRACEPOINT_WRITABLE = 24, "raw_tracepoint_writable"; CGROUP_SOCKOPT = 25, "cgroup_sockopt"; TRACING = 26, "tracing";
    STRUCT_OPS = 27, "struct_ops"; EXT = 28, "ext"; LSM = 29, "lsm"; SK_LOOKUP = 30, "sk_lookup"; SYSCALL = 31, "syscall";
    NETFILTER = 32, "netfilter";
}

numbers! { AttachType:
    CGROUP_INET_INGRESS = 0, "cgroup_inet_ingress"; CGROUP_INET_EGRESS = 1, "cgroup_inet_egress";
    CGROUP_INET_SOCK_CREATE = 2, "cgroup_inet_sock_create"; CGROUP_SOCK_OPS = 3, "cgroup_sock_ops";
    SK_SKB_STREAM_PARSER = 4, "sk_skb_stream_parser"; SK_SKB_STREAM_VERDICT = 5, "sk_skb_stream_verdict";
    CGROUP_DEVICE = 6, "cgroup_device"; SK_MSG_VERDICT = 7, "sk_msg_verdict"; CGROUP_INET4_BIND = 8, "cgroup_inet4_bind";
    CGROUP_INET6_BIND = 9, "cgroup_inet6_bind"; CGROUP_INET4_CONNECT = 10, "cgroup_inet4_connect";
    CGROUP_INET6_CONNECT = 11, "cgroup_inet6_connect"; CGROUP_INET4_POST_BIND = 12, "cgroup_inet4_post_bind";
    CGROUP_INET6_POST_BIND = 13, "cgroup_inet6_post_bind"; CGROUP_UDP4_SENDMSG = 14, "cgroup_udp4_sendmsg";
    CGROUP_UDP6_SENDMSG = 15, "cgroup_udp6_sendmsg"; LIRC_MODE2 = 16, "lirc_mode2"; FLOW_DISSECTOR = 17, "flow_dissector";
    CGROUP_SYSCTL = 18, "cgroup_sysctl"; CGROUP_UDP4_RECVMSG = 19, "cgroup_udp4_recvmsg";
    CGROUP_UDP6_RECVMSG = 20, "cgroup_udp6_recvmsg"; CGROUP_GETSOCKOPT = 21, "cgroup_getsockopt";
    CGROUP_SETSOCKOPT = 22, "cgroup_setsockopt"; TRACE_RAW_TP = 23, "trace_raw_tp"; TRACE_FENTRY = 24, "trace_fentry";
    TRACE_FEXIT = 25, "trace_fexit"; MODIFY_RETURN = 26, "modify_return"; LSM_MAC = 27, "lsm_mac"; TRACE_ITER = 28, "trace_iter";
    CGROUP_INET4_GETPEERNAME = 29, "cgroup_inet4_getpeername"; CGROUP_INET6_GETPEERNAME = 30, "cgroup_inet6_getpeername";
    CGROUP_INET4_GETSOCKNAME = 31, "cgroup_inet4_getsockname"; CGROUP_INET6_GETSOCKNAME = 32, "cgroup_inet6_getsockname";
    XDP_DEVMAP = 33, "xdp_devmap"; CGROUP_INET_SOCK_RELEASE = 34, "cgroup_inet_sock_release"; XDP_CPUMAP = 35, "xdp_cpumap";
    SK_LOOKUP = 36, "sk_lookup"; XDP = 37, "xdp"; SK_SKB_VERDICT = 38, "sk_skb_verdict";
    SK_REUSEPORT_SELECT = 39, "sk_reuseport_select"; SK_REUSEPORT_SELECT_OR_MIGRATE = 40, "sk_reuseport_select_or_migrate";
    PERF_EVENT = 41, "perf_event"; TRACE_KPROBE_MULTI = 42, "trace_kprobe_multi"; LSM_CGROUP = 43, "lsm_cgroup";
    STRUCT_OPS = 44, "struct_ops"; NETFILTER = 45, "netfilter"; TCX_INGRESS = 46, "tcx_ingress"; TCX_EGRESS = 47, "tcx_egress";
    TRACE_UPROBE_MULTI = 48, "trace_uprobe_multi"; CGROUP_UNIX_CONNECT = 49, "cgroup_unix_connect";
    CGROUP_UNIX_SENDMSG = 50, "cgroup_unix_sendmsg"; CGROUP_UNIX_RECVMSG = 51, "cgroup_unix_recvmsg";
    CGROUP_UNIX_GETPEERNAME = 52, "cgroup_unix_getpeername"; CGROUP_UNIX_GETSOCKNAME = 53, "cgroup_unix_getsockname";
    NETKIT_PRIMARY = 54, "netkit_primary"; NETKIT_PEER = 55, "netkit_peer"; TRACE_KPROBE_SESSION = 56, "trace_kprobe_session";
    TRACE_UPROBE_SESSION = 57, "trace_uprobe_session"; TRACE_FSESSION = 58, "trace_fsession";
    TRACE_FENTRY_MULTI = 59, "trace_fentry_multi"; TRACE_FEXIT_MULTI = 60, "trace_fexit_multi";
    TRACE_FSESSION_MULTI = 61, "trace_fsession_multi";
}

/// What a program type may do with packet bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PacketAccess {
    /// Its packet pointers may be read through.
    pub read: bool,
    /// Its packet pointers may be written through.
    pub write: bool,
    /// Its packet pointers may be passed to helpers.
    pub helpers: PacketToHelpers,
    /// Legacy packet loads (`BPF_ABS`, `BPF_IND`) are allowed.
    pub legacy_loads: bool,
}

/// Whether packet pointers may be passed to helpers as memory (`may_access_direct_pkt_data` with a prototype).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PacketToHelpers {
    /// Never.
    #[default]
    Never,
    /// To those that declare it ([`crate::HelperProto::pkt_access`]).
    Declared,
    /// To all: the packet is memory of the host's own.
    Always,
}

/// What is true of every program of a type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProgramTypeInfo {
    /// The type.
    pub kind: ProgramType,
    /// What `r1` points to at entry.
    pub ctx: CtxKind,
    /// What it may do with packets.
    pub packet: PacketAccess,
    /// It may be loaded without any capability.
    pub unprivileged: bool,
    /// It needs `CAP_NET_ADMIN`.
    pub needs_net_admin: bool,
    /// It needs `CAP_PERFMON`.
    pub needs_perfmon: bool,
    /// Programs of this type may be marked as sleeping.
    pub may_sleep: bool,
    /// Every program of this type may sleep.
    pub always_sleeps: bool,
    /// A constant fixed offset on the context pointer is allowed (types whose context needs no rewriting).
    pub ctx_fixed_offset: bool,
    /// It attaches to a function or type described by the host's BTF.
    pub attaches_by_btf: bool,
}

impl ProgramTypeInfo {
    /// A type with this context that anybody may load, and that has no packet, never sleeps and attaches to nothing by type.
    #[must_use]
    pub const fn plain(kind: ProgramType, ctx: CtxKind) -> Self {
        Self {
            kind,
            ctx,
            packet: PacketAccess { read: false, write: false, helpers: PacketToHelpers::Never, legacy_loads: false },
            unprivileged: true,
            needs_net_admin: false,
            needs_perfmon: false,
            may_sleep: false,
            always_sleeps: false,
            ctx_fixed_offset: false,
            attaches_by_btf: false,
        }
    }
}

/// What the entry function may return.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReturnRule {
    /// Any scalar, no leaked pointer.
    Any,
    /// A scalar in this range, both ends included.
    Range {
        /// Lowest.
        min: i32,
        /// Highest.
        max: i32,
        /// Only the low 32 bits are looked at, as signed.
        low_half: bool,
    },
    /// `r0` is not looked at.
    Void,
    /// Null, or a referenced pointer to the structure with this id in the host's BTF, unmodified.
    ObjectOrNull {
        /// The structure.
        btf_id: u32,
    },
    /// The host has a rule, and this platform cannot say which: nothing can be accepted.
    Unknown,
}
