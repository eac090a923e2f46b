//! Helpers on control groups and sysctls.

use super::rows::*;

protos! {
    GET_CGROUP_CLASSID_CURR: 17 get_cgroup_classid since 4, 3 () -> INT;
    GET_CGROUP_CLASSID: 17 get_cgroup_classid since 4, 3 (CTX) -> INT;
    SKB_UNDER_CGROUP: 33 skb_under_cgroup since 4, 8 (CTX, MAP, ANY) -> INT;
    CURRENT_TASK_UNDER_CGROUP: 37 current_task_under_cgroup since 4, 9 (MAP, ANY) -> INT;
    SKB_CGROUP_ID: 79 skb_cgroup_id since 4, 18 (CTX) -> INT;
    GET_CURRENT_CGROUP_ID: 80 get_current_cgroup_id since 4, 18 () -> INT;
    SKB_ANCESTOR_CGROUP_ID: 83 skb_ancestor_cgroup_id since 4, 19 (CTX, ANY) -> INT;
    SYSCTL_GET_NAME: 101 sysctl_get_name since 5, 2 (CTX, WRITE, SIZE, ANY) -> INT;
    SYSCTL_GET_CURRENT_VALUE: 102 sysctl_get_current_value since 5, 2 (CTX, UNINIT, SIZE) -> INT;
    SYSCTL_GET_NEW_VALUE: 103 sysctl_get_new_value since 5, 2 (CTX, UNINIT, SIZE) -> INT;
    SYSCTL_SET_NEW_VALUE: 104 sysctl_set_new_value since 5, 2 (CTX, READ, SIZE) -> INT;
    GET_CURRENT_ANCESTOR_CGROUP_ID: 123 get_current_ancestor_cgroup_id since 5, 7 (ANY) -> INT;
    SK_CGROUP_ID: 128 sk_cgroup_id since 5, 8 (BTF_SOCK) -> INT;
    SK_ANCESTOR_CGROUP_ID: 129 sk_ancestor_cgroup_id since 5, 8 (BTF_SOCK, ANY) -> INT;
    SKB_CGROUP_CLASSID: 151 skb_cgroup_classid since 5, 10 (CTX) -> INT;
    GET_RETVAL: 186 get_retval since 5, 18 () -> INT, between(-MAX_ERRNO, 0);
    GET_RETVAL_OF_GETSOCKOPT: 186 get_retval since 5, 18 () -> INT;
    GET_RETVAL_OF_BOOL_HOOK: 186 get_retval since 5, 18 () -> INT, between(0, 1);
    GET_RETVAL_OF_VOID_HOOK: 186 get_retval since 5, 18 () -> INT;
    SET_RETVAL: 187 set_retval since 5, 18 (scalar_in(-MAX_ERRNO, 0)) -> INT, special(SetRetval);
    SET_RETVAL_OF_GETSOCKOPT: 187 set_retval since 5, 18 (SCALAR) -> INT, special(SetRetval);
    SET_RETVAL_OF_BOOL_HOOK: 187 set_retval since 5, 18 (scalar_in(0, 1)) -> INT, special(SetRetval);
    SET_RETVAL_OF_VOID_HOOK: 187 set_retval since 5, 18 (NO_SCALAR) -> INT, special(SetRetval);
    SET_RETVAL_UNCHECKED: 187 set_retval since 5, 18 (SCALAR) -> INT, special(SetRetval);
}
