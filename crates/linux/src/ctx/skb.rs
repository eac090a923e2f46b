//! `struct __sk_buff`: one table of its fields, and what each program type hides, adds or may write (`bpf_skb_is_valid_access`
//! and the functions that call it, net/core/filter.c).

use alloc::vec::Vec;

use bpfvet_platform::{Condition, CtxLayout, CtxRule, CtxValue, Version};

use super::{Row, Table, ptr, ro, rw, short_ptr};
use CtxRule::{Any, Exact, Narrow, Unit};

/// All of it. Rules of writing hold only where a program type may write the field at all.
static FIELDS: &[Row] = &[
    rw("len", 0, 4, Narrow(4), Exact),
    rw("pkt_type", 4, 4, Narrow(4), Exact),
    rw("mark", 8, 4, Narrow(4), Exact),
    rw("queue_mapping", 12, 4, Narrow(4), Exact),
    rw("protocol", 16, 4, Narrow(4), Exact),
    rw("vlan_present", 20, 4, Narrow(4), Exact),
    rw("vlan_tci", 24, 4, Narrow(4), Exact),
    rw("vlan_proto", 28, 4, Narrow(4), Exact),
    rw("priority", 32, 4, Narrow(4), Exact),
    rw("ingress_ifindex", 36, 4, Narrow(4), Exact),
    rw("ifindex", 40, 4, Narrow(4), Exact),
    rw("tc_index", 44, 4, Narrow(4), Exact),
    rw("cb", 48, 20, Any, Any),
    rw("hash", 68, 4, Narrow(4), Exact),
    rw("tc_classid", 72, 4, Narrow(4), Exact),
    short_ptr("data", 76, CtxValue::PacketData).since(4, 7),
    short_ptr("data_end", 80, CtxValue::PacketEnd).since(4, 7),
    rw("napi_id", 84, 4, Narrow(4), Exact).since(4, 12),
    rw("family", 88, 4, Narrow(4), Exact).since(4, 14),
    rw("remote_ip4", 92, 4, Exact, Exact).since(4, 14),
    rw("local_ip4", 96, 4, Exact, Exact).since(4, 14),
    rw("remote_ip6", 100, 16, Unit(4), Unit(4)).since(4, 14),
    rw("local_ip6", 116, 16, Unit(4), Unit(4)).since(4, 14),
    rw("remote_port", 132, 4, Narrow(4), Exact).since(4, 14),
    rw("local_port", 136, 4, Narrow(4), Exact).since(4, 14),
    short_ptr("data_meta", 140, CtxValue::PacketMeta).since(4, 15),
    // flow_keys, at 144, is for flow dissectors alone.
    rw("tstamp", 152, 8, Exact, Exact).since(5, 0),
    rw("wire_len", 160, 4, Narrow(4), Exact).since(5, 0),
    rw("gso_segs", 164, 4, Narrow(4), Exact).since(5, 1),
    ptr("sk", 168, CtxValue::SockCommon { nullable: true }).since(5, 1),
    rw("gso_size", 176, 4, Narrow(4), Exact).since(5, 7),
    ro("hwtstamp", 184, 8, Exact).since(5, 16),
];

/// Bytes of the structure.
const SIZE: u32 = 192;

/// A program type's view of the structure.
pub(super) struct View {
    /// Rows that decide before those of the table.
    first: &'static [Row],
    /// Fields it does not see.
    hidden: &'static [&'static str],
    /// Fields it may write, and from when on.
    writable: &'static [(&'static str, Version)],
}

const ALWAYS: Version = Version::new(0, 0);

const TSTAMP_RW: Row = rw("tstamp", 152, 8, Exact, Exact).since(5, 0);

/// `sk_filter_is_valid_access`
pub(super) static SOCKET_FILTER: View = View {
    first: &[],
    hidden: &[
        "tc_classid",
        "data",
        "data_end",
        "data_meta",
        "family",
        "remote_ip4",
        "local_ip4",
        "remote_ip6",
        "local_ip6",
        "remote_port",
        "local_port",
        "tstamp",
        "wire_len",
        "hwtstamp",
    ],
    writable: &[("cb", ALWAYS)],
};

/// `tc_cls_act_is_valid_access`
pub(super) static TC: View = View {
    first: &[ro("tstamp_type", 180, 1, Exact).since(5, 18)],
    hidden: &["family", "remote_ip4", "local_ip4", "remote_ip6", "local_ip6", "remote_port", "local_port"],
    writable: &[
        ("mark", ALWAYS),
        ("tc_index", ALWAYS),
        ("priority", ALWAYS),
        ("tc_classid", ALWAYS),
        ("cb", ALWAYS),
        ("tstamp", ALWAYS),
        ("queue_mapping", Version::new(5, 1)),
    ],
};

/// `cg_skb_is_valid_access`. The packet, and writing the time stamp, take `CAP_BPF`.
pub(super) static CGROUP_SKB: View = View {
    first: &[
        short_ptr("data", 76, CtxValue::PacketData).since(4, 20).when(Condition::BPF),
        short_ptr("data_end", 80, CtxValue::PacketEnd).since(4, 20).when(Condition::BPF),
        TSTAMP_RW.when(Condition::BPF),
    ],
    hidden: &["tc_classid", "data", "data_end", "data_meta", "wire_len"],
    writable: &[("mark", ALWAYS), ("priority", ALWAYS), ("cb", ALWAYS)],
};

/// `lwt_is_valid_access`
pub(super) static LWT: View = View {
    first: &[],
    hidden: &[
        "tc_classid",
        "family",
        "remote_ip4",
        "local_ip4",
        "remote_ip6",
        "local_ip6",
        "remote_port",
        "local_port",
        "data_meta",
        "tstamp",
        "wire_len",
        "hwtstamp",
    ],
    writable: &[("mark", ALWAYS), ("priority", ALWAYS), ("cb", ALWAYS)],
};

/// `sk_skb_is_valid_access`
pub(super) static SK_SKB: View = View {
    first: &[],
    hidden: &["tc_classid", "data_meta", "tstamp", "wire_len", "hwtstamp", "mark"],
    writable: &[("tc_index", ALWAYS), ("priority", ALWAYS)],
};

/// `flow_dissector_is_valid_access`, which shares nothing with the others.
pub(super) static FLOW_DISSECTOR: Table = Table {
    name: "__sk_buff",
    size: SIZE,
    rows: &[
        short_ptr("data", 76, CtxValue::PacketData),
        short_ptr("data_end", 80, CtxValue::PacketEnd),
        ptr("flow_keys", 144, CtxValue::FlowKeys),
    ],
};

/// The structure as a program type sees it.
pub(super) fn layout(view: &View, version: Version) -> CtxLayout {
    let View { first, hidden, writable } = *view;
    let may_write = |name: &str| writable.iter().any(|(one, since)| *one == name && version.at_least(*since));
    let seen = FIELDS.iter().filter(|row| !hidden.contains(&&*row.field.name)).map(|row| {
        let mut row = row.clone();
        if !may_write(&row.field.name) {
            row.field.write = CtxRule::Denied;
        }
        row
    });
    let rows: Vec<Row> = first.iter().cloned().chain(seen).collect();
    super::layout("__sk_buff", SIZE, rows.iter(), version)
}
