//! Helpers of XDP programs.

use super::rows::*;

protos! {
    XDP_ADJUST_HEAD: 44 xdp_adjust_head since 4, 10 (CTX, ANY) -> INT, moves_packet;
    XDP_ADJUST_META: 54 xdp_adjust_meta since 4, 15 (CTX, ANY) -> INT, moves_packet;
    XDP_ADJUST_TAIL: 65 xdp_adjust_tail since 4, 18 (CTX, ANY) -> INT, moves_packet;
    XDP_OUTPUT: 121 xdp_output since 5, 7 (object("xdp_buff"), MAP, ANY, READ, SIZE_OR_ZERO) -> INT, gpl;
    XDP_GET_BUFF_LEN: 188 xdp_get_buff_len since 5, 18 (CTX) -> INT;
    XDP_GET_BUFF_LEN_TRACE: 188 xdp_get_buff_len since 5, 18 (object("xdp_buff")) -> INT;
    XDP_LOAD_BYTES: 189 xdp_load_bytes since 5, 18 (CTX, ANY, UNINIT, SIZE) -> INT;
    XDP_STORE_BYTES: 190 xdp_store_bytes since 5, 18 (CTX, ANY, READ, SIZE) -> INT;
}
