//! Helpers on sockets.

use super::rows::*;

protos! {
    GET_SOCKET_COOKIE: 46 get_socket_cookie since 4, 12 (CTX) -> INT;
    GET_SOCKET_COOKIE_SOCK_ADDR: 46 get_socket_cookie since 4, 12 (CTX) -> INT;
    GET_SOCKET_COOKIE_SOCK_OPS: 46 get_socket_cookie since 4, 12 (CTX) -> INT;
    GET_SOCKET_COOKIE_SOCK: 46 get_socket_cookie since 4, 12 (CTX) -> INT;
    GET_SOCKET_PTR_COOKIE: 46 get_socket_cookie since 4, 12 (BTF_SOCK.or_null()) -> INT;
    GET_SOCKET_UID: 47 get_socket_uid since 4, 12 (CTX) -> INT;
    SK_SETSOCKOPT_NODELAY: 49 setsockopt since 4, 13 (BTF_SOCK, ANY, ANY, READ, SIZE) -> INT;
    SK_SETSOCKOPT: 49 setsockopt since 4, 13 (BTF_SOCK, ANY, ANY, READ, SIZE) -> INT;
    SOCK_ADDR_SETSOCKOPT: 49 setsockopt since 4, 13 (CTX, ANY, ANY, READ, SIZE) -> INT;
    SOCK_CREATE_SETSOCKOPT: 49 setsockopt since 4, 13 (CTX, ANY, ANY, READ, SIZE) -> INT;
    SOCK_OPS_SETSOCKOPT: 49 setsockopt since 4, 13 (CTX, ANY, ANY, READ, SIZE) -> INT;
    UNLOCKED_SK_SETSOCKOPT: 49 setsockopt since 4, 13 (BTF_SOCK, ANY, ANY, READ, SIZE) -> INT;
    SK_REDIRECT_MAP: 52 sk_redirect_map since 4, 14 (CTX, MAP, ANY, ANY) -> INT;
    SOCK_MAP_UPDATE: 53 sock_map_update since 4, 14 (CTX, MAP, KEY, ANY) -> INT, pkt;
    SK_GETSOCKOPT: 57 getsockopt since 4, 15 (BTF_SOCK, ANY, ANY, UNINIT, SIZE) -> INT;
    SOCK_ADDR_GETSOCKOPT: 57 getsockopt since 4, 15 (CTX, ANY, ANY, UNINIT, SIZE) -> INT;
    SOCK_CREATE_GETSOCKOPT: 57 getsockopt since 4, 15 (CTX, ANY, ANY, UNINIT, SIZE) -> INT;
    SOCK_OPS_GETSOCKOPT: 57 getsockopt since 4, 15 (CTX, ANY, ANY, UNINIT, SIZE) -> INT;
    UNLOCKED_SK_GETSOCKOPT: 57 getsockopt since 4, 15 (BTF_SOCK, ANY, ANY, UNINIT, SIZE) -> INT;
    SOCK_OPS_CB_FLAGS_SET: 59 sock_ops_cb_flags_set since 4, 16 (CTX, ANY) -> INT;
    BIND: 64 bind since 4, 17 (CTX, READ, SIZE) -> INT;
    SOCK_HASH_UPDATE: 70 sock_hash_update since 4, 18 (CTX, MAP, KEY, ANY) -> INT, pkt;
    SK_REDIRECT_HASH: 72 sk_redirect_hash since 4, 18 (CTX, MAP, KEY, ANY) -> INT;
    SK_SELECT_REUSEPORT: 82 sk_select_reuseport since 4, 19 (CTX, MAP, KEY, ANY) -> INT;
    SK_LOOKUP_TCP: 84 sk_lookup_tcp since 4, 20 (CTX, READ, TUPLE_SIZE, ANY, ANY) -> SOCKET_OR_NULL, pkt, acquires;
    SOCK_ADDR_SK_LOOKUP_TCP: 84 sk_lookup_tcp since 4, 20 (CTX, READ, TUPLE_SIZE, ANY, ANY)
        -> SOCKET_OR_NULL, acquires;
    TC_SK_LOOKUP_TCP: 84 sk_lookup_tcp since 4, 20 (CTX, READ, TUPLE_SIZE, ANY, ANY) -> SOCKET_OR_NULL, pkt, acquires;
    XDP_SK_LOOKUP_TCP: 84 sk_lookup_tcp since 4, 20 (CTX, READ, TUPLE_SIZE, ANY, ANY)
        -> SOCKET_OR_NULL, pkt, acquires;
    SK_LOOKUP_UDP: 85 sk_lookup_udp since 4, 20 (CTX, READ, TUPLE_SIZE, ANY, ANY) -> SOCKET_OR_NULL, pkt, acquires;
    SOCK_ADDR_SK_LOOKUP_UDP: 85 sk_lookup_udp since 4, 20 (CTX, READ, TUPLE_SIZE, ANY, ANY)
        -> SOCKET_OR_NULL, acquires;
    TC_SK_LOOKUP_UDP: 85 sk_lookup_udp since 4, 20 (CTX, READ, TUPLE_SIZE, ANY, ANY) -> SOCKET_OR_NULL, pkt, acquires;
    XDP_SK_LOOKUP_UDP: 85 sk_lookup_udp since 4, 20 (CTX, READ, TUPLE_SIZE, ANY, ANY)
        -> SOCKET_OR_NULL, pkt, acquires;
    SK_RELEASE: 86 sk_release since 4, 20 (BTF_SOCK.released()) -> INT;
    SK_FULLSOCK: 95 sk_fullsock since 5, 1 (SOCK_COMMON) -> SOCKET_OR_NULL, casts;
    TCP_SOCK: 96 tcp_sock since 5, 1 (SOCK_COMMON) -> TCP_SOCK_OR_NULL, casts;
    GET_LISTENER_SOCK: 98 get_listener_sock since 5, 1 (SOCK_COMMON) -> SOCKET_OR_NULL;
    SKC_LOOKUP_TCP: 99 skc_lookup_tcp since 5, 2 (CTX, READ, TUPLE_SIZE, ANY, ANY)
        -> SOCK_COMMON_OR_NULL, pkt, acquires;
    SOCK_ADDR_SKC_LOOKUP_TCP: 99 skc_lookup_tcp since 5, 2 (CTX, READ, TUPLE_SIZE, ANY, ANY)
        -> SOCK_COMMON_OR_NULL, acquires;
    TC_SKC_LOOKUP_TCP: 99 skc_lookup_tcp since 5, 2 (CTX, READ, TUPLE_SIZE, ANY, ANY)
        -> SOCK_COMMON_OR_NULL, pkt, acquires;
    XDP_SKC_LOOKUP_TCP: 99 skc_lookup_tcp since 5, 2 (CTX, READ, TUPLE_SIZE, ANY, ANY)
        -> SOCK_COMMON_OR_NULL, pkt, acquires;
    TCP_CHECK_SYNCOOKIE: 100 tcp_check_syncookie since 5, 2 (BTF_SOCK, READ, SIZE, READ, SIZE) -> INT, gpl, pkt;
    TCP_GEN_SYNCOOKIE: 110 tcp_gen_syncookie since 5, 4 (BTF_SOCK, READ, SIZE, READ, SIZE) -> INT, gpl, pkt;
    TCP_SEND_ACK: 116 tcp_send_ack since 5, 6 (object("tcp_sock"), ANY) -> INT;
    GET_NETNS_COOKIE: 122 get_netns_cookie since 5, 7 (CTX.or_null()) -> INT;
    GET_NETNS_COOKIE_SK_MSG: 122 get_netns_cookie since 5, 7 (CTX.or_null()) -> INT;
    GET_NETNS_COOKIE_SOCK_ADDR: 122 get_netns_cookie since 5, 7 (CTX.or_null()) -> INT;
    GET_NETNS_COOKIE_SOCK_OPS: 122 get_netns_cookie since 5, 7 (CTX.or_null()) -> INT;
    GET_NETNS_COOKIE_SOCK: 122 get_netns_cookie since 5, 7 (CTX.or_null()) -> INT;
    GET_NETNS_COOKIE_SOCKOPT: 122 get_netns_cookie since 5, 7 (CTX.or_null()) -> INT;
    SK_ASSIGN: 124 sk_assign since 5, 7 (CTX, BTF_SOCK, ANY) -> INT;
    SK_LOOKUP_ASSIGN: 124 sk_assign since 5, 7 (CTX, SOCKET.or_null(), ANY) -> INT;
    SKC_TO_TCP6_SOCK: 136 skc_to_tcp6_sock since 5, 9 (BTF_SOCK) -> object_or_null("tcp6_sock"), casts;
    SKC_TO_TCP_SOCK: 137 skc_to_tcp_sock since 5, 9 (BTF_SOCK) -> object_or_null("tcp_sock"), casts;
    SKC_TO_TCP_TIMEWAIT_SOCK: 138 skc_to_tcp_timewait_sock since 5, 9 (BTF_SOCK)
        -> object_or_null("tcp_timewait_sock"), casts;
    SKC_TO_TCP_REQUEST_SOCK: 139 skc_to_tcp_request_sock since 5, 9 (BTF_SOCK)
        -> object_or_null("tcp_request_sock"), casts;
    SKC_TO_UDP6_SOCK: 140 skc_to_udp6_sock since 5, 9 (BTF_SOCK) -> object_or_null("udp6_sock"), casts;
    SOCK_OPS_LOAD_HDR_OPT: 142 load_hdr_opt since 5, 10 (CTX, WRITE, SIZE, ANY) -> INT;
    SOCK_OPS_STORE_HDR_OPT: 143 store_hdr_opt since 5, 10 (CTX, READ, SIZE, ANY) -> INT, moves_packet;
    SOCK_OPS_RESERVE_HDR_OPT: 144 reserve_hdr_opt since 5, 10 (CTX, ANY, ANY) -> INT;
    SOCK_FROM_FILE: 162 sock_from_file since 5, 11 (object("file")) -> object_or_null("socket");
    SKC_TO_UNIX_SOCK: 178 skc_to_unix_sock since 5, 16 (BTF_SOCK) -> object_or_null("unix_sock");
    SKC_TO_MPTCP_SOCK: 196 skc_to_mptcp_sock since 5, 19 (SOCK_COMMON) -> object_or_null("mptcp_sock"), casts;
    TCP_RAW_GEN_SYNCOOKIE_IPV4: 204 tcp_raw_gen_syncookie_ipv4 since 6, 0 (read(20), READ, COOKIE_SIZE)
        -> INT, gpl, pkt;
    TCP_RAW_GEN_SYNCOOKIE_IPV6: 205 tcp_raw_gen_syncookie_ipv6 since 6, 0 (read(40), READ, COOKIE_SIZE)
        -> INT, gpl, pkt;
    TCP_RAW_CHECK_SYNCOOKIE_IPV4: 206 tcp_raw_check_syncookie_ipv4 since 6, 0 (read(20), read(20)) -> INT, gpl, pkt;
    TCP_RAW_CHECK_SYNCOOKIE_IPV6: 207 tcp_raw_check_syncookie_ipv6 since 6, 0 (read(40), read(20)) -> INT, gpl, pkt;
}
