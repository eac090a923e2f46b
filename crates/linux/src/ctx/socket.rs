//! Sockets as programs may read them through a pointer (`check_sock_access`, kernel/bpf/verifier.c; the rules in
//! net/core/filter.c).

use bpfvet_platform::CtxRule;

use super::{Table, ro};
use CtxRule::{Exact, Narrow, Sizes};

/// Any size up to four bytes, at the field's own offset.
const FROM_START: CtxRule = Sizes(1 | 2 | 4);

/// `bpf_sock_is_valid_access`
pub(super) static FULL: Table = Table {
    name: "bpf_sock",
    size: 80,
    rows: &[
        ro("bound_dev_if", 0, 4, Exact),
        ro("family", 4, 4, FROM_START),
        ro("type", 8, 4, FROM_START),
        ro("protocol", 12, 4, FROM_START),
        ro("mark", 16, 4, Exact),
        ro("priority", 20, 4, Exact),
        ro("src_ip4", 24, 4, Narrow(4)),
        ro("src_ip6", 28, 16, Narrow(4)),
        ro("src_port", 44, 4, FROM_START),
        ro("dst_port", 48, 2, Narrow(2)),
        ro("dst_port", 48, 4, Sizes(4)),
        ro("dst_ip4", 52, 4, Narrow(4)),
        ro("dst_ip6", 56, 16, Narrow(4)),
        ro("state", 72, 4, FROM_START),
        ro("rx_queue_mapping", 76, 4, FROM_START).since(5, 8),
    ],
};

/// `bpf_sock_common_is_valid_access`: all but type, protocol, mark and priority.
pub(super) static COMMON: Table = Table {
    name: "bpf_sock",
    size: 80,
    rows: &[
        ro("bound_dev_if", 0, 4, Exact),
        ro("family", 4, 4, FROM_START),
        ro("src_ip4", 24, 4, Narrow(4)),
        ro("src_ip6", 28, 16, Narrow(4)),
        ro("src_port", 44, 4, FROM_START),
        ro("dst_port", 48, 2, Narrow(2)),
        ro("dst_port", 48, 4, Sizes(4)),
        ro("dst_ip4", 52, 4, Narrow(4)),
        ro("dst_ip6", 56, 16, Narrow(4)),
        ro("state", 72, 4, FROM_START),
        ro("rx_queue_mapping", 76, 4, FROM_START).since(5, 8),
    ],
};

/// `bpf_tcp_sock_is_valid_access`
pub(super) static TCP: Table = Table {
    name: "bpf_tcp_sock",
    size: 112,
    rows: &[
        ro("snd_cwnd", 0, 4, Exact),
        ro("srtt_us", 4, 4, Exact),
        ro("rtt_min", 8, 4, Exact),
        ro("snd_ssthresh", 12, 4, Exact),
        ro("rcv_nxt", 16, 4, Exact),
        ro("snd_nxt", 20, 4, Exact),
        ro("snd_una", 24, 4, Exact),
        ro("mss_cache", 28, 4, Exact),
        ro("ecn_flags", 32, 4, Exact),
        ro("rate_delivered", 36, 4, Exact),
        ro("rate_interval_us", 40, 4, Exact),
        ro("packets_out", 44, 4, Exact),
        ro("retrans_out", 48, 4, Exact),
        ro("total_retrans", 52, 4, Exact),
        ro("segs_in", 56, 4, Exact),
        ro("data_segs_in", 60, 4, Exact),
        ro("segs_out", 64, 4, Exact),
        ro("data_segs_out", 68, 4, Exact),
        ro("lost_out", 72, 4, Exact),
        ro("sacked_out", 76, 4, Exact),
        ro("bytes_received", 80, 8, Exact),
        ro("bytes_acked", 88, 8, Exact),
        ro("dsack_dups", 96, 4, Exact).since(5, 3),
        ro("delivered", 100, 4, Exact).since(5, 3),
        ro("delivered_ce", 104, 4, Exact).since(5, 3),
        ro("icsk_retransmits", 108, 4, Exact).since(5, 3),
    ],
};

/// `bpf_xdp_sock_is_valid_access`
pub(super) static XDP: Table = Table { name: "bpf_xdp_sock", size: 4, rows: &[ro("queue_id", 0, 4, Exact)] };
