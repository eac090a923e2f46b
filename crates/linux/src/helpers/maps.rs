//! Helpers on maps, storage and locks.

use super::rows::*;

protos! {
    MAP_LOOKUP_ELEM: 1 map_lookup_elem since 3, 19 (MAP, KEY) -> VALUE_OR_NULL, pkt, special(MapLookup);
    MAP_UPDATE_ELEM: 2 map_update_elem since 3, 19 (MAP, KEY, VALUE, ANY) -> INT, pkt;
    MAP_DELETE_ELEM: 3 map_delete_elem since 3, 19 (MAP, KEY) -> INT, pkt;
    TAIL_CALL: 12 tail_call since 4, 2 (CTX, MAP, ANY) -> VOID, moves_packet, special(TailCall);
    GET_LOCAL_STORAGE: 81 get_local_storage since 4, 19 (MAP, ANY) -> VALUE_HERE, special(GetLocalStorage);
    MAP_PUSH_ELEM: 87 map_push_elem since 4, 20 (MAP, VALUE, ANY) -> INT, pkt;
    MAP_POP_ELEM: 88 map_pop_elem since 4, 20 (MAP, VALUE_UNINIT) -> INT;
    MAP_PEEK_ELEM: 89 map_peek_elem since 4, 20 (MAP, VALUE_UNINIT) -> INT;
    SPIN_LOCK: 93 spin_lock since 5, 1 (LOCK) -> VOID, special(SpinLock);
    SPIN_UNLOCK: 94 spin_unlock since 5, 1 (LOCK) -> VOID, special(SpinUnlock);
    SK_STORAGE_GET_CG_SOCK: 107 sk_storage_get since 5, 2 (MAP, CTX, VALUE.or_null(), ANY) -> VALUE_OR_NULL;
    SK_STORAGE_GET: 107 sk_storage_get since 5, 2 (MAP, BTF_SOCK, VALUE.or_null(), ANY) -> VALUE_OR_NULL;
    SK_STORAGE_GET_TRACING: 107 sk_storage_get since 5, 2 (MAP, object("sock_common").or_null(), VALUE.or_null(), ANY)
        -> VALUE_OR_NULL;
    SK_STORAGE_DELETE: 108 sk_storage_delete since 5, 2 (MAP, BTF_SOCK) -> INT;
    SK_STORAGE_DELETE_TRACING: 108 sk_storage_delete since 5, 2 (MAP, object("sock_common").or_null()) -> INT;
    INODE_STORAGE_GET: 145 inode_storage_get since 5, 10 (MAP, object("inode").or_null(), VALUE.or_null(), ANY)
        -> VALUE_OR_NULL;
    INODE_STORAGE_DELETE: 146 inode_storage_delete since 5, 10 (MAP, object("inode").or_null()) -> INT;
    TASK_STORAGE_GET: 156 task_storage_get since 5, 11 (MAP, object("task_struct").or_null(), VALUE.or_null(), ANY)
        -> VALUE_OR_NULL;
    TASK_STORAGE_DELETE: 157 task_storage_delete since 5, 11 (MAP, object("task_struct").or_null()) -> INT;
    FOR_EACH_MAP_ELEM: 164 for_each_map_elem since 5, 13 (MAP, FUNC, STACK.or_null(), ANY)
        -> INT, special(ForEachMapElem);
    KPTR_XCHG: 194 kptr_xchg since 5, 19 (KPTR_DEST, object("").or_null().released())
        -> object_or_null(""), acquires, special(KptrXchg);
    MAP_LOOKUP_PERCPU_ELEM: 195 map_lookup_percpu_elem since 5, 19 (MAP, KEY, ANY) -> VALUE_OR_NULL, pkt;
    CGRP_STORAGE_GET: 210 cgrp_storage_get since 6, 2 (MAP, object("cgroup").or_null(), VALUE.or_null(), ANY)
        -> VALUE_OR_NULL;
    CGRP_STORAGE_DELETE: 211 cgrp_storage_delete since 6, 2 (MAP, object("cgroup").or_null()) -> INT;
}
