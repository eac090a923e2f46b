//! Helpers of lightweight tunnels.

use super::rows::*;

protos! {
    LWT_IN_PUSH_ENCAP: 73 lwt_push_encap since 4, 18 (CTX, ANY, READ, SIZE) -> INT, moves_packet;
    LWT_XMIT_PUSH_ENCAP: 73 lwt_push_encap since 4, 18 (CTX, ANY, READ, SIZE) -> INT, moves_packet;
    LWT_SEG6_STORE_BYTES: 74 lwt_seg6_store_bytes since 4, 18 (CTX, ANY, READ, SIZE) -> INT, moves_packet;
    LWT_SEG6_ADJUST_SRH: 75 lwt_seg6_adjust_srh since 4, 18 (CTX, ANY, ANY) -> INT, moves_packet;
    LWT_SEG6_ACTION: 76 lwt_seg6_action since 4, 18 (CTX, ANY, READ, SIZE) -> INT, moves_packet;
}
