//! Contexts of networking programs other than socket buffers (`*_is_valid_access`, net/core/filter.c and net/netfilter).

use bpfvet_platform::{AttachType, Condition, CtxRule, CtxValue};

use super::{Table, ptr, ro, short_ptr};
use CtxRule::{Exact, Narrow, NarrowFrom, Sizes, Unit};

/// `xdp_is_valid_access`
pub(super) static XDP: Table = Table {
    name: "xdp_md",
    size: 24,
    rows: &[
        short_ptr("data", 0, CtxValue::PacketData),
        short_ptr("data_end", 4, CtxValue::PacketEnd),
        short_ptr("data_meta", 8, CtxValue::PacketMeta).since(4, 15),
        ro("ingress_ifindex", 12, 4, Exact).since(4, 16),
        ro("rx_queue_index", 16, 4, Exact).since(4, 16),
        ro("egress_ifindex", 20, 4, Exact).since(5, 8).when(Condition::attach(&[AttachType::XDP_DEVMAP])),
    ],
};

/// `sk_msg_is_valid_access`
pub(super) static SK_MSG: Table = Table {
    name: "sk_msg_md",
    size: 80,
    rows: &[
        ptr("data", 0, CtxValue::PacketData),
        ptr("data_end", 8, CtxValue::PacketEnd),
        ro("family", 16, 4, Exact).since(4, 18),
        ro("remote_ip4", 20, 4, Exact).since(4, 18),
        ro("local_ip4", 24, 4, Exact).since(4, 18),
        ro("remote_ip6", 28, 16, Unit(4)).since(4, 18),
        ro("local_ip6", 44, 16, Unit(4)).since(4, 18),
        ro("remote_port", 60, 4, Exact).since(4, 18),
        ro("local_port", 64, 4, Exact).since(4, 18),
        ro("size", 68, 4, Exact).since(5, 0),
        ptr("sk", 72, CtxValue::Socket { nullable: false }).since(5, 8),
    ],
};

/// `sk_reuseport_is_valid_access`
pub(super) static SK_REUSEPORT: Table = Table {
    name: "sk_reuseport_md",
    size: 56,
    rows: &[
        ptr("data", 0, CtxValue::PacketData),
        ptr("data_end", 8, CtxValue::PacketEnd),
        ro("len", 16, 4, Narrow(4)),
        // No narrower than the kernel's own field.
        ro("eth_protocol", 20, 4, NarrowFrom(4, 2)),
        ro("ip_protocol", 24, 4, Narrow(4)),
        ro("bind_inany", 28, 4, Narrow(4)),
        ro("hash", 32, 4, Exact),
        ptr("sk", 40, CtxValue::Socket { nullable: false }).since(5, 14),
        ptr("migrating_sk", 48, CtxValue::SockCommon { nullable: true }).since(5, 14),
    ],
};

/// `sk_lookup_is_valid_access`
pub(super) static SK_LOOKUP: Table = Table {
    name: "bpf_sk_lookup",
    size: 72,
    rows: &[
        ptr("sk", 0, CtxValue::Socket { nullable: true }),
        ro("family", 8, 4, Narrow(4)),
        ro("protocol", 12, 4, Narrow(4)),
        ro("remote_ip4", 16, 4, Narrow(4)),
        ro("remote_ip6", 20, 16, Narrow(4)),
        ro("remote_port", 36, 2, Narrow(2)),
        // The port was four bytes wide once; the padding after it reads as zero.
        ro("remote_port", 38, 2, Narrow(2)),
        ro("remote_port", 36, 4, Sizes(4)),
        ro("local_ip4", 40, 4, Narrow(4)),
        ro("local_ip6", 44, 16, Narrow(4)),
        ro("local_port", 60, 4, Narrow(4)),
        ro("ingress_ifindex", 64, 4, Narrow(4)).since(5, 17),
    ],
};

/// `nf_is_valid_access`
pub(super) static NETFILTER: Table = Table {
    name: "bpf_nf_ctx",
    size: 16,
    rows: &[
        ptr("state", 0, CtxValue::Struct { name: "nf_hook_state", trusted: true, nullable: false }),
        ptr("skb", 8, CtxValue::Struct { name: "sk_buff", trusted: true, nullable: false }),
    ],
};
