//! Helpers on socket messages.

use super::rows::*;

protos! {
    MSG_REDIRECT_MAP: 60 msg_redirect_map since 4, 17 (CTX, MAP, ANY, ANY) -> INT;
    MSG_APPLY_BYTES: 61 msg_apply_bytes since 4, 17 (CTX, ANY) -> INT;
    MSG_CORK_BYTES: 62 msg_cork_bytes since 4, 17 (CTX, ANY) -> INT;
    MSG_PULL_DATA: 63 msg_pull_data since 4, 17 (CTX, ANY, ANY, ANY) -> INT, moves_packet;
    MSG_REDIRECT_HASH: 71 msg_redirect_hash since 4, 18 (CTX, MAP, KEY, ANY) -> INT;
    MSG_PUSH_DATA: 90 msg_push_data since 4, 20 (CTX, ANY, ANY, ANY) -> INT, moves_packet;
    MSG_POP_DATA: 91 msg_pop_data since 5, 0 (CTX, ANY, ANY, ANY) -> INT, moves_packet;
}
