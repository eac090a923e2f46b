//! Which networking program type has which helper.

use super::conditions::*;
use super::groups;
use crate::helpers::*;

groups! {
    /// Networking types (`bpf_sk_base_func_proto`, net/core/filter.c).
    SK_BASE {
        sock::SKC_TO_TCP6_SOCK if PERFMON;
        sock::SKC_TO_TCP_SOCK if PERFMON;
        sock::SKC_TO_TCP_TIMEWAIT_SOCK if PERFMON;
        sock::SKC_TO_TCP_REQUEST_SOCK if PERFMON;
        sock::SKC_TO_UDP6_SOCK if PERFMON;
        misc::KTIME_GET_COARSE_NS;
        sock::SKC_TO_UNIX_SOCK if PERFMON;
        sock::SKC_TO_MPTCP_SOCK if PERFMON;
    }
    /// Socket filters, and below control group filters (`sk_filter_func_proto`).
    SK_FILTER {
        trace::SKB_EVENT_OUTPUT from 5, 4;
        skb::SKB_LOAD_BYTES;
        sock::GET_SOCKET_COOKIE;
        sock::GET_SOCKET_UID;
        skb::SKB_LOAD_BYTES_RELATIVE;
        sock::GET_NETNS_COOKIE from 6, 15;
    }
    /// Traffic control (`tc_cls_act_func_proto`).
    TC {
        misc::GET_SMP_PROCESSOR_ID;
        skb::SKB_STORE_BYTES;
        skb::L3_CSUM_REPLACE;
        skb::L4_CSUM_REPLACE;
        skb::CLONE_REDIRECT;
        cgroup::GET_CGROUP_CLASSID;
        skb::SKB_VLAN_PUSH;
        skb::SKB_VLAN_POP;
        skb::SKB_GET_TUNNEL_KEY;
        skb::SKB_SET_TUNNEL_KEY;
        skb::REDIRECT;
        skb::GET_ROUTE_REALM;
        trace::SKB_EVENT_OUTPUT from 4, 7;
        skb::SKB_LOAD_BYTES;
        skb::CSUM_DIFF;
        skb::SKB_GET_TUNNEL_OPT;
        skb::SKB_SET_TUNNEL_OPT;
        skb::SKB_CHANGE_PROTO;
        skb::SKB_CHANGE_TYPE;
        cgroup::SKB_UNDER_CGROUP;
        skb::GET_HASH_RECALC;
        skb::SKB_CHANGE_TAIL;
        skb::SKB_PULL_DATA;
        skb::CSUM_UPDATE;
        skb::SET_HASH_INVALID;
        skb::SKB_CHANGE_HEAD;
        sock::GET_SOCKET_COOKIE;
        sock::GET_SOCKET_UID;
        skb::SET_HASH;
        skb::SKB_ADJUST_ROOM;
        skb::SKB_GET_XFRM_STATE;
        skb::SKB_LOAD_BYTES_RELATIVE;
        skb::SKB_FIB_LOOKUP;
        cgroup::SKB_CGROUP_ID;
        cgroup::SKB_ANCESTOR_CGROUP_ID;
        sock::TC_SK_LOOKUP_TCP;
        sock::TC_SK_LOOKUP_UDP;
        sock::SK_RELEASE;
        sock::SK_FULLSOCK;
        sock::TCP_SOCK;
        skb::SKB_ECN_SET_CE;
        sock::GET_LISTENER_SOCK;
        sock::TC_SKC_LOOKUP_TCP;
        sock::TCP_CHECK_SYNCOOKIE;
        maps::SK_STORAGE_GET;
        maps::SK_STORAGE_DELETE;
        sock::TCP_GEN_SYNCOOKIE;
        sock::GET_NETNS_COOKIE from 6, 15;
        sock::SK_ASSIGN;
        skb::CSUM_LEVEL;
        cgroup::SKB_CGROUP_CLASSID;
        skb::REDIRECT_NEIGH;
        skb::REDIRECT_PEER;
        skb::SKB_CHECK_MTU;
        skb::SKB_SET_TSTAMP;
        sock::TCP_RAW_GEN_SYNCOOKIE_IPV4;
        sock::TCP_RAW_GEN_SYNCOOKIE_IPV6;
        sock::TCP_RAW_CHECK_SYNCOOKIE_IPV4;
        sock::TCP_RAW_CHECK_SYNCOOKIE_IPV6;
    }
    /// XDP (`xdp_func_proto`).
    XDP {
        misc::GET_SMP_PROCESSOR_ID;
        skb::XDP_REDIRECT from 4, 14;
        trace::XDP_EVENT_OUTPUT;
        skb::CSUM_DIFF from 4, 16;
        xdp::XDP_ADJUST_HEAD;
        skb::XDP_REDIRECT_MAP;
        xdp::XDP_ADJUST_META;
        xdp::XDP_ADJUST_TAIL;
        skb::XDP_FIB_LOOKUP;
        sock::XDP_SK_LOOKUP_TCP from 5, 0;
        sock::XDP_SK_LOOKUP_UDP from 5, 0;
        sock::SK_RELEASE from 5, 0;
        sock::XDP_SKC_LOOKUP_TCP;
        sock::TCP_CHECK_SYNCOOKIE;
        sock::TCP_GEN_SYNCOOKIE;
        skb::XDP_CHECK_MTU;
        xdp::XDP_GET_BUFF_LEN;
        xdp::XDP_LOAD_BYTES;
        xdp::XDP_STORE_BYTES;
        sock::TCP_RAW_GEN_SYNCOOKIE_IPV4;
        sock::TCP_RAW_GEN_SYNCOOKIE_IPV6;
        sock::TCP_RAW_CHECK_SYNCOOKIE_IPV4;
        sock::TCP_RAW_CHECK_SYNCOOKIE_IPV6;
    }
    /// Flow dissectors (`flow_dissector_func_proto`).
    FLOW_DISSECTOR {
        skb::FLOW_DISSECTOR_LOAD_BYTES;
    }
    /// Lightweight tunnels (`lwt_out_func_proto`).
    LWT_OUT {
        misc::GET_SMP_PROCESSOR_ID;
        cgroup::GET_CGROUP_CLASSID;
        skb::GET_ROUTE_REALM;
        trace::SKB_EVENT_OUTPUT;
        skb::SKB_LOAD_BYTES;
        skb::CSUM_DIFF;
        cgroup::SKB_UNDER_CGROUP;
        skb::GET_HASH_RECALC;
        skb::SKB_PULL_DATA;
    }
    /// Lightweight tunnels, input (`lwt_in_func_proto`).
    LWT_IN {
        lwt::LWT_IN_PUSH_ENCAP;
    }
    /// Lightweight tunnels, transmission (`lwt_xmit_func_proto`).
    LWT_XMIT {
        skb::SKB_STORE_BYTES;
        skb::L3_CSUM_REPLACE;
        skb::L4_CSUM_REPLACE;
        skb::CLONE_REDIRECT;
        skb::SKB_GET_TUNNEL_KEY;
        skb::SKB_SET_TUNNEL_KEY;
        skb::REDIRECT;
        skb::SKB_GET_TUNNEL_OPT;
        skb::SKB_SET_TUNNEL_OPT;
        skb::SKB_CHANGE_TAIL;
        skb::CSUM_UPDATE;
        skb::SET_HASH_INVALID;
        skb::SKB_CHANGE_HEAD;
        lwt::LWT_XMIT_PUSH_ENCAP;
        skb::CSUM_LEVEL;
    }
    /// Segment routing (`lwt_seg6local_func_proto`).
    LWT_SEG6LOCAL {
        skb::SKB_PULL_DATA if NEVER;
        lwt::LWT_SEG6_STORE_BYTES;
        lwt::LWT_SEG6_ADJUST_SRH;
        lwt::LWT_SEG6_ACTION;
    }
    /// Stream parsers and verdicts (`sk_skb_func_proto`).
    SK_SKB {
        skb::SKB_STORE_BYTES;
        trace::SKB_EVENT_OUTPUT from 5, 4;
        skb::SKB_LOAD_BYTES;
        skb::SK_SKB_CHANGE_TAIL;
        skb::SK_SKB_PULL_DATA;
        skb::SK_SKB_CHANGE_HEAD;
        sock::GET_SOCKET_COOKIE;
        sock::GET_SOCKET_UID;
        skb::SK_SKB_ADJUST_ROOM;
        sock::SK_REDIRECT_MAP;
        sock::SK_REDIRECT_HASH;
        sock::SK_LOOKUP_TCP;
        sock::SK_LOOKUP_UDP;
        sock::SK_RELEASE;
        sock::SKC_LOOKUP_TCP;
    }
    /// Socket messages (`sk_msg_func_proto`).
    SK_MSG {
        task::GET_CURRENT_UID_GID until 6, 16;
        cgroup::GET_CGROUP_CLASSID_CURR until 6, 16;
        trace::EVENT_OUTPUT_DATA from 5, 8;
        msg::MSG_REDIRECT_MAP;
        msg::MSG_APPLY_BYTES;
        msg::MSG_CORK_BYTES;
        msg::MSG_PULL_DATA;
        msg::MSG_REDIRECT_HASH;
        msg::MSG_PUSH_DATA;
        msg::MSG_POP_DATA;
        maps::SK_STORAGE_GET;
        maps::SK_STORAGE_DELETE;
        sock::GET_NETNS_COOKIE_SK_MSG from 5, 15;
    }
    /// Reuse-port selection (`sk_reuseport_func_proto`).
    SK_REUSEPORT {
        skb::SK_REUSEPORT_LOAD_BYTES;
        sock::GET_SOCKET_PTR_COOKIE from 5, 12;
        skb::SK_REUSEPORT_LOAD_BYTES_RELATIVE;
        sock::SK_SELECT_REUSEPORT;
        misc::KTIME_GET_COARSE_NS;
    }
    /// Socket look-up (`sk_lookup_func_proto`).
    SK_LOOKUP {
        trace::EVENT_OUTPUT_DATA;
        sock::SK_RELEASE;
        sock::SK_LOOKUP_ASSIGN from 5, 9;
    }
}
