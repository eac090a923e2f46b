//! Helpers on socket buffers, redirection and routes.

use super::rows::*;

protos! {
    SKB_STORE_BYTES: 9 skb_store_bytes since 4, 1 (CTX, ANY, READ, SIZE, ANY) -> INT, moves_packet;
    L3_CSUM_REPLACE: 10 l3_csum_replace since 4, 1 (CTX, ANY, ANY, ANY, ANY) -> INT, moves_packet;
    L4_CSUM_REPLACE: 11 l4_csum_replace since 4, 1 (CTX, ANY, ANY, ANY, ANY) -> INT, moves_packet;
    CLONE_REDIRECT: 13 clone_redirect since 4, 2 (CTX, ANY, ANY) -> INT, moves_packet;
    SKB_VLAN_PUSH: 18 skb_vlan_push since 4, 3 (CTX, ANY, ANY) -> INT, moves_packet;
    SKB_VLAN_POP: 19 skb_vlan_pop since 4, 3 (CTX) -> INT, moves_packet;
    SKB_GET_TUNNEL_KEY: 20 skb_get_tunnel_key since 4, 3 (CTX, UNINIT, SIZE, ANY) -> INT;
    SKB_SET_TUNNEL_KEY: 21 skb_set_tunnel_key since 4, 3 (CTX, READ, SIZE, ANY) -> INT;
    REDIRECT: 23 redirect since 4, 4 (ANY, ANY) -> INT;
    XDP_REDIRECT: 23 redirect since 4, 4 (ANY, ANY) -> INT;
    GET_ROUTE_REALM: 24 get_route_realm since 4, 4 (CTX) -> INT;
    FLOW_DISSECTOR_LOAD_BYTES: 26 skb_load_bytes since 4, 5 (CTX, ANY, UNINIT, SIZE) -> INT;
    SKB_LOAD_BYTES: 26 skb_load_bytes since 4, 5 (CTX, ANY, UNINIT, SIZE) -> INT;
    SK_REUSEPORT_LOAD_BYTES: 26 skb_load_bytes since 4, 5 (CTX, ANY, UNINIT, SIZE) -> INT;
    CSUM_DIFF: 28 csum_diff since 4, 6 (READ.or_null(), SIZE_OR_ZERO, READ.or_null(), SIZE_OR_ZERO, ANY) -> INT, pkt;
    SKB_GET_TUNNEL_OPT: 29 skb_get_tunnel_opt since 4, 6 (CTX, UNINIT, SIZE) -> INT;
    SKB_SET_TUNNEL_OPT: 30 skb_set_tunnel_opt since 4, 6 (CTX, READ, SIZE) -> INT;
    SKB_CHANGE_PROTO: 31 skb_change_proto since 4, 8 (CTX, ANY, ANY) -> INT, moves_packet;
    SKB_CHANGE_TYPE: 32 skb_change_type since 4, 8 (CTX, ANY) -> INT;
    GET_HASH_RECALC: 34 get_hash_recalc since 4, 8 (CTX) -> INT;
    SKB_CHANGE_TAIL: 38 skb_change_tail since 4, 9 (CTX, ANY, ANY) -> INT, moves_packet;
    SK_SKB_CHANGE_TAIL: 38 skb_change_tail since 4, 9 (CTX, ANY, ANY) -> INT, moves_packet;
    SKB_PULL_DATA: 39 skb_pull_data since 4, 9 (CTX, ANY) -> INT, moves_packet;
    SK_SKB_PULL_DATA: 39 skb_pull_data since 4, 9 (CTX, ANY) -> INT, moves_packet;
    CSUM_UPDATE: 40 csum_update since 4, 9 (CTX, ANY) -> INT;
    SET_HASH_INVALID: 41 set_hash_invalid since 4, 9 (CTX) -> INT;
    SKB_CHANGE_HEAD: 43 skb_change_head since 4, 10 (CTX, ANY, ANY) -> INT, moves_packet;
    SK_SKB_CHANGE_HEAD: 43 skb_change_head since 4, 10 (CTX, ANY, ANY) -> INT, moves_packet;
    SET_HASH: 48 set_hash since 4, 13 (CTX, ANY) -> INT;
    SKB_ADJUST_ROOM: 50 skb_adjust_room since 4, 13 (CTX, ANY, ANY, ANY) -> INT, moves_packet;
    SK_SKB_ADJUST_ROOM: 50 skb_adjust_room since 4, 13 (CTX, ANY, ANY, ANY) -> INT, moves_packet;
    XDP_REDIRECT_MAP: 51 redirect_map since 4, 14 (MAP, ANY, ANY) -> INT;
    SKB_GET_XFRM_STATE: 66 skb_get_xfrm_state since 4, 18 (CTX, ANY, UNINIT, SIZE, ANY) -> INT;
    SKB_LOAD_BYTES_RELATIVE: 68 skb_load_bytes_relative since 4, 18 (CTX, ANY, UNINIT, SIZE, ANY) -> INT;
    SK_REUSEPORT_LOAD_BYTES_RELATIVE: 68 skb_load_bytes_relative since 4, 18 (CTX, ANY, UNINIT, SIZE, ANY) -> INT;
    SKB_FIB_LOOKUP: 69 fib_lookup since 4, 18 (CTX, WRITE, SIZE, ANY) -> INT, gpl;
    XDP_FIB_LOOKUP: 69 fib_lookup since 4, 18 (CTX, WRITE, SIZE, ANY) -> INT, gpl;
    SKB_ECN_SET_CE: 97 skb_ecn_set_ce since 5, 1 (CTX) -> INT;
    SKB_OUTPUT: 111 skb_output since 5, 5 (object("sk_buff"), MAP, ANY, READ, SIZE_OR_ZERO) -> INT, gpl;
    CSUM_LEVEL: 135 csum_level since 5, 8 (CTX, ANY) -> INT;
    REDIRECT_NEIGH: 152 redirect_neigh since 5, 10 (ANY, READ.or_null(), SIZE_OR_ZERO, ANY) -> INT;
    REDIRECT_PEER: 155 redirect_peer since 5, 10 (ANY, ANY) -> INT;
    SKB_CHECK_MTU: 163 check_mtu since 5, 12 (CTX, ANY, write_aligned(4), ANY, ANY) -> INT, gpl;
    XDP_CHECK_MTU: 163 check_mtu since 5, 12 (CTX, ANY, write_aligned(4), ANY, ANY) -> INT, gpl;
    SKB_SET_TSTAMP: 192 skb_set_tstamp since 5, 18 (CTX, ANY, ANY) -> INT;
}
