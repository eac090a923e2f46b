//! Contexts of programs that attach to control groups (net/core/filter.c, kernel/bpf/cgroup.c).

use bpfvet_platform::{AttachType, Condition, CtxRule, CtxValue};

use super::{Table, ptr, ro, rw};
use CtxRule::{Exact, Narrow, NarrowOrWide, Sizes, Unit, UnitOrWide};

/// A type that is not given counts as creation (`bpf_prog_load_fixup_attach_type`).
const AT_CREATE_OR_RELEASE: Condition =
    Condition::attach(&[AttachType(0), AttachType::CGROUP_INET_SOCK_CREATE, AttachType::CGROUP_INET_SOCK_RELEASE]);
const AFTER_BIND4: Condition = Condition::attach(&[AttachType::CGROUP_INET4_POST_BIND]);
const AFTER_BIND6: Condition = Condition::attach(&[AttachType::CGROUP_INET6_POST_BIND]);
const AFTER_BIND: Condition =
    Condition::attach(&[AttachType::CGROUP_INET4_POST_BIND, AttachType::CGROUP_INET6_POST_BIND]);

/// Any size up to four bytes, at the field's own offset.
const FROM_START: CtxRule = Sizes(1 | 2 | 4);

/// `sock_filter_is_valid_access`
pub(super) static SOCK: Table = Table {
    name: "bpf_sock",
    size: 80,
    rows: &[
        rw("bound_dev_if", 0, 4, Exact, Exact).when(AT_CREATE_OR_RELEASE),
        ro("family", 4, 4, FROM_START),
        ro("type", 8, 4, FROM_START),
        ro("protocol", 12, 4, FROM_START),
        rw("mark", 16, 4, Exact, Exact).since(4, 14).when(AT_CREATE_OR_RELEASE),
        rw("priority", 20, 4, Exact, Exact).since(4, 14).when(AT_CREATE_OR_RELEASE),
        ro("src_ip4", 24, 4, Narrow(4)).since(4, 17).when(AFTER_BIND4),
        ro("src_ip6", 28, 16, Narrow(4)).since(4, 17).when(AFTER_BIND6),
        ro("src_port", 44, 4, FROM_START).since(4, 17).when(AFTER_BIND),
        ro("dst_port", 48, 2, Narrow(2)).since(5, 1),
        // The port was four bytes wide once; nobody reads its padding alone.
        ro("dst_port", 48, 4, Sizes(4)).since(5, 1),
        ro("dst_ip4", 52, 4, Narrow(4)).since(5, 1),
        ro("dst_ip6", 56, 16, Narrow(4)).since(5, 1),
        ro("state", 72, 4, FROM_START).since(5, 1),
        ro("rx_queue_mapping", 76, 4, FROM_START).since(5, 8),
    ],
};

const INET4: Condition = Condition::attach(&[
    AttachType::CGROUP_INET4_BIND,
    AttachType::CGROUP_INET4_CONNECT,
    AttachType::CGROUP_INET4_GETPEERNAME,
    AttachType::CGROUP_INET4_GETSOCKNAME,
    AttachType::CGROUP_UDP4_SENDMSG,
    AttachType::CGROUP_UDP4_RECVMSG,
]);
const INET6: Condition = Condition::attach(&[
    AttachType::CGROUP_INET6_BIND,
    AttachType::CGROUP_INET6_CONNECT,
    AttachType::CGROUP_INET6_GETPEERNAME,
    AttachType::CGROUP_INET6_GETSOCKNAME,
    AttachType::CGROUP_UDP6_SENDMSG,
    AttachType::CGROUP_UDP6_RECVMSG,
]);
const UDP4_SENDMSG: Condition = Condition::attach(&[AttachType::CGROUP_UDP4_SENDMSG]);
const UDP6_SENDMSG: Condition = Condition::attach(&[AttachType::CGROUP_UDP6_SENDMSG]);

/// `sock_addr_is_valid_access`
pub(super) static SOCK_ADDR: Table = Table {
    name: "bpf_sock_addr",
    size: 72,
    rows: &[
        ro("user_family", 0, 4, Exact),
        rw("user_ip4", 4, 4, Narrow(4), Exact).when(INET4),
        rw("user_ip6", 8, 16, NarrowOrWide(4), UnitOrWide(4)).when(INET6),
        rw("user_port", 24, 4, Narrow(4), Exact),
        ro("family", 28, 4, Exact),
        ro("type", 32, 4, Exact),
        ro("protocol", 36, 4, Exact),
        rw("msg_src_ip4", 40, 4, Narrow(4), Exact).since(4, 18).when(UDP4_SENDMSG),
        rw("msg_src_ip6", 44, 16, NarrowOrWide(4), UnitOrWide(4)).since(4, 18).when(UDP6_SENDMSG),
        ptr("sk", 64, CtxValue::Socket { nullable: false }).since(5, 3),
    ],
};

/// `sock_ops_is_valid_access`
pub(super) static SOCK_OPS: Table = Table {
    name: "bpf_sock_ops",
    size: 224,
    rows: &[
        ro("op", 0, 4, Exact),
        rw("reply", 4, 4, Exact, Exact),
        ro("replylong", 8, 12, Unit(4)),
        ro("family", 20, 4, Exact),
        ro("remote_ip4", 24, 4, Exact),
        ro("local_ip4", 28, 4, Exact),
        ro("remote_ip6", 32, 16, Unit(4)),
        ro("local_ip6", 48, 16, Unit(4)),
        ro("remote_port", 64, 4, Exact),
        ro("local_port", 68, 4, Exact),
        ro("is_fullsock", 72, 4, Exact).since(4, 16),
        ro("snd_cwnd", 76, 4, Exact).since(4, 16),
        ro("srtt_us", 80, 4, Exact).since(4, 16),
        ro("bpf_sock_ops_cb_flags", 84, 4, Exact).since(4, 16),
        ro("state", 88, 4, Exact).since(4, 16),
        ro("rtt_min", 92, 4, Exact).since(4, 16),
        ro("snd_ssthresh", 96, 4, Exact).since(4, 16),
        ro("rcv_nxt", 100, 4, Exact).since(4, 16),
        ro("snd_nxt", 104, 4, Exact).since(4, 16),
        ro("snd_una", 108, 4, Exact).since(4, 16),
        ro("mss_cache", 112, 4, Exact).since(4, 16),
        ro("ecn_flags", 116, 4, Exact).since(4, 16),
        ro("rate_delivered", 120, 4, Exact).since(4, 16),
        ro("rate_interval_us", 124, 4, Exact).since(4, 16),
        ro("packets_out", 128, 4, Exact).since(4, 16),
        ro("retrans_out", 132, 4, Exact).since(4, 16),
        ro("total_retrans", 136, 4, Exact).since(4, 16),
        ro("segs_in", 140, 4, Exact).since(4, 16),
        ro("data_segs_in", 144, 4, Exact).since(4, 16),
        ro("segs_out", 148, 4, Exact).since(4, 16),
        ro("data_segs_out", 152, 4, Exact).since(4, 16),
        ro("lost_out", 156, 4, Exact).since(4, 16),
        ro("sacked_out", 160, 4, Exact).since(4, 16),
        rw("sk_txhash", 164, 4, Exact, Exact).since(4, 16),
        ro("bytes_received", 168, 8, Exact).since(4, 16),
        ro("bytes_acked", 176, 8, Exact).since(4, 16),
        ptr("sk", 184, CtxValue::Socket { nullable: true }).since(5, 3),
        ptr("skb_data", 192, CtxValue::PacketData).since(5, 10),
        ptr("skb_data_end", 200, CtxValue::PacketEnd).since(5, 10),
        ro("skb_len", 208, 4, Exact).since(5, 10),
        ro("skb_tcp_flags", 212, 4, FROM_START).since(5, 10),
        ro("skb_hwtstamp", 216, 8, Exact).since(6, 2),
    ],
};

const GETSOCKOPT: Condition = Condition::attach(&[AttachType::CGROUP_GETSOCKOPT]);
const SETSOCKOPT: Condition = Condition::attach(&[AttachType::CGROUP_SETSOCKOPT]);

/// `cg_sockopt_is_valid_access`
pub(super) static SOCKOPT: Table = Table {
    name: "bpf_sockopt",
    size: 40,
    rows: &[
        ptr("sk", 0, CtxValue::Socket { nullable: false }),
        ptr("optval", 8, CtxValue::PacketData),
        ptr("optval_end", 16, CtxValue::PacketEnd),
        rw("level", 24, 4, Exact, Exact).when(SETSOCKOPT),
        ro("level", 24, 4, Exact),
        rw("optname", 28, 4, Exact, Exact).when(SETSOCKOPT),
        ro("optname", 28, 4, Exact),
        rw("optlen", 32, 4, Exact, Exact),
        rw("retval", 36, 4, Exact, Exact).when(GETSOCKOPT),
    ],
};

/// `sysctl_is_valid_access`
pub(super) static SYSCTL: Table = Table {
    name: "bpf_sysctl",
    size: 8,
    rows: &[ro("write", 0, 4, Narrow(4)), rw("file_pos", 4, 4, Narrow(4), Exact)],
};

/// `cgroup_dev_is_valid_access`
pub(super) static DEVICE: Table = Table {
    name: "bpf_cgroup_dev_ctx",
    size: 12,
    rows: &[ro("access_type", 0, 4, Narrow(4)), ro("major", 4, 4, Exact), ro("minor", 8, 4, Exact)],
};
