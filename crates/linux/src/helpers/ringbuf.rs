//! Helpers on ring buffers and dynamic pointers.

use super::rows::*;

protos! {
    RINGBUF_OUTPUT: 130 ringbuf_output since 5, 8 (MAP, READ, SIZE_OR_ZERO, ANY) -> INT;
    RINGBUF_RESERVE: 131 ringbuf_reserve since 5, 8 (MAP, ALLOC_SIZE, ANY) -> RECORD_OR_NULL, acquires;
    RINGBUF_SUBMIT: 132 ringbuf_submit since 5, 8 (RECORD.released(), ANY) -> VOID;
    RINGBUF_DISCARD: 133 ringbuf_discard since 5, 8 (RECORD.released(), ANY) -> VOID;
    RINGBUF_QUERY: 134 ringbuf_query since 5, 8 (MAP, ANY) -> INT;
    DYNPTR_FROM_MEM: 197 dynptr_from_mem since 5, 19 (UNINIT, SIZE_OR_ZERO, ANY, NEW_DYNPTR)
        -> INT, special(DynptrFromMem);
    RINGBUF_RESERVE_DYNPTR: 198 ringbuf_reserve_dynptr since 5, 19 (MAP, ANY, ANY, NEW_DYNPTR_RINGBUF) -> INT;
    RINGBUF_SUBMIT_DYNPTR: 199 ringbuf_submit_dynptr since 5, 19 (DYNPTR_RINGBUF.released(), ANY) -> VOID;
    RINGBUF_DISCARD_DYNPTR: 200 ringbuf_discard_dynptr since 5, 19 (DYNPTR_RINGBUF.released(), ANY) -> VOID;
    DYNPTR_READ: 201 dynptr_read since 5, 19 (UNINIT, SIZE_OR_ZERO, DYNPTR, ANY, ANY) -> INT;
    DYNPTR_WRITE: 202 dynptr_write since 5, 19 (DYNPTR, ANY, READ, SIZE_OR_ZERO, ANY) -> INT, special(DynptrWrite);
    DYNPTR_DATA: 203 dynptr_data since 5, 19 (DYNPTR, ANY, ALLOC_SIZE) -> DYNPTR_MEM_OR_NULL, special(DynptrData);
    USER_RINGBUF_DRAIN: 209 user_ringbuf_drain since 6, 1 (MAP, FUNC, STACK.or_null(), ANY)
        -> INT, special(UserRingbufDrain);
}
