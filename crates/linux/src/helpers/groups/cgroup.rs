//! Which control group program type has which helper.

use super::conditions::*;
use super::groups;
use crate::helpers::*;

groups! {
    /// Types that attach to control groups (`cgroup_common_func_proto`, kernel/bpf/cgroup.c).
    CGROUP_COMMON {
        maps::GET_LOCAL_STORAGE;
        cgroup::GET_RETVAL_OF_GETSOCKOPT if GETSOCKOPT;
        cgroup::GET_RETVAL_OF_BOOL_HOOK if LSM_BOOL_HOOK;
        cgroup::GET_RETVAL_OF_VOID_HOOK if LSM_VOID_HOOK;
        cgroup::GET_RETVAL if HAS_RETVAL;
        cgroup::SET_RETVAL_OF_GETSOCKOPT if GETSOCKOPT;
        cgroup::SET_RETVAL_OF_BOOL_HOOK from 6, 13 if LSM_BOOL_HOOK;
        cgroup::SET_RETVAL_OF_VOID_HOOK if LSM_VOID_HOOK;
        cgroup::SET_RETVAL from 6, 13 if HAS_RETVAL;
        cgroup::SET_RETVAL_UNCHECKED until 6, 13 if HAS_RETVAL;
    }
    /// What control group types had of their own before the base set took it over (`cgroup_current_func_proto` of Linux 6.12).
    CGROUP_CURRENT {
        task::GET_CURRENT_PID_TGID from 5, 7 until 6, 10;
        task::GET_CURRENT_UID_GID until 6, 16;
        task::GET_CURRENT_COMM until 6, 16;
        cgroup::GET_CGROUP_CLASSID_CURR from 5, 7 until 6, 16;
        cgroup::CURRENT_TASK_UNDER_CGROUP from 6, 2 until 6, 16;
        cgroup::GET_CURRENT_CGROUP_ID until 6, 2;
        cgroup::GET_CURRENT_ANCESTOR_CGROUP_ID until 6, 2;
    }
    /// Control group filters (`cg_skb_func_proto`).
    CGROUP_SKB {
        trace::SKB_EVENT_OUTPUT from 5, 4;
        cgroup::SKB_CGROUP_ID;
        cgroup::SKB_ANCESTOR_CGROUP_ID;
        sock::SK_LOOKUP_TCP;
        sock::SK_LOOKUP_UDP;
        sock::SK_RELEASE;
        sock::SK_FULLSOCK;
        sock::TCP_SOCK;
        skb::SKB_ECN_SET_CE;
        sock::GET_LISTENER_SOCK;
        sock::SKC_LOOKUP_TCP;
        maps::SK_STORAGE_GET;
        maps::SK_STORAGE_DELETE;
        cgroup::SK_CGROUP_ID;
        cgroup::SK_ANCESTOR_CGROUP_ID;
    }
    /// Control group socket hooks (`sock_filter_func_proto`).
    CGROUP_SOCK {
        trace::EVENT_OUTPUT_DATA from 5, 4;
        sock::GET_SOCKET_COOKIE_SOCK from 5, 8;
        sock::SOCK_CREATE_SETSOCKOPT from 6, 19 if SOCK_CREATE;
        sock::SOCK_CREATE_GETSOCKOPT from 6, 19 if SOCK_CREATE;
        maps::SK_STORAGE_GET_CG_SOCK;
        sock::GET_NETNS_COOKIE_SOCK;
        misc::KTIME_GET_COARSE_NS;
    }
    /// Control group address hooks (`sock_addr_func_proto`).
    SOCK_ADDR {
        trace::EVENT_OUTPUT_DATA from 5, 4;
        sock::GET_SOCKET_COOKIE_SOCK_ADDR from 4, 19;
        sock::SOCK_ADDR_SETSOCKOPT from 5, 8 until 5, 12 if CONNECT;
        sock::SOCK_ADDR_SETSOCKOPT from 5, 12 if SOCK_ADDR_OPTIONS;
        sock::SOCK_ADDR_GETSOCKOPT from 5, 8 until 5, 12 if CONNECT;
        sock::SOCK_ADDR_GETSOCKOPT from 5, 12 if SOCK_ADDR_OPTIONS;
        sock::BIND if CONNECT;
        sock::SOCK_ADDR_SK_LOOKUP_TCP;
        sock::SOCK_ADDR_SK_LOOKUP_UDP;
        sock::SK_RELEASE;
        sock::SOCK_ADDR_SKC_LOOKUP_TCP;
        maps::SK_STORAGE_GET;
        maps::SK_STORAGE_DELETE;
        sock::GET_NETNS_COOKIE_SOCK_ADDR;
    }
    /// TCP events (`sock_ops_func_proto`).
    SOCK_OPS {
        trace::EVENT_OUTPUT_DATA from 4, 16;
        sock::GET_SOCKET_COOKIE_SOCK_OPS from 4, 19;
        sock::SOCK_OPS_SETSOCKOPT;
        sock::SOCK_MAP_UPDATE;
        sock::SOCK_OPS_GETSOCKOPT;
        sock::SOCK_OPS_CB_FLAGS_SET;
        sock::SOCK_HASH_UPDATE;
        sock::TCP_SOCK;
        maps::SK_STORAGE_GET;
        maps::SK_STORAGE_DELETE;
        sock::GET_NETNS_COOKIE_SOCK_OPS from 5, 15;
        sock::SOCK_OPS_LOAD_HDR_OPT;
        sock::SOCK_OPS_STORE_HDR_OPT;
        sock::SOCK_OPS_RESERVE_HDR_OPT;
    }
    /// Device access (`cgroup_dev_func_proto`, kernel/bpf/cgroup.c).
    CGROUP_DEVICE {
        trace::EVENT_OUTPUT_DATA from 5, 4;
    }
    /// Sysctls (`sysctl_func_proto`, kernel/bpf/cgroup.c).
    SYSCTL {
        trace::EVENT_OUTPUT_DATA from 5, 4;
        cgroup::SYSCTL_GET_NAME;
        cgroup::SYSCTL_GET_CURRENT_VALUE;
        cgroup::SYSCTL_GET_NEW_VALUE;
        cgroup::SYSCTL_SET_NEW_VALUE;
        misc::STRTOL until 6, 1;
        misc::STRTOUL until 6, 1;
        misc::KTIME_GET_COARSE_NS;
    }
    /// Socket options (`cg_sockopt_func_proto`, kernel/bpf/cgroup.c).
    SOCKOPT {
        trace::EVENT_OUTPUT_DATA from 5, 4;
        sock::SK_SETSOCKOPT from 5, 15 if SETSOCKOPT;
        sock::SK_GETSOCKOPT from 5, 15 if SETSOCKOPT;
        sock::TCP_SOCK;
        maps::SK_STORAGE_GET;
        maps::SK_STORAGE_DELETE;
        sock::GET_NETNS_COOKIE_SOCKOPT from 5, 15;
    }
}
