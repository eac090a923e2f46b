//! Which of the remaining program types has which helper.

use super::conditions::*;
use super::groups;
use crate::helpers::*;

groups! {
    /// Infrared decoders, which have no other set below (`lirc_mode2_func_proto`, drivers/media/rc/bpf-lirc.c).
    LIRC {
        maps::MAP_LOOKUP_ELEM;
        maps::MAP_UPDATE_ELEM;
        maps::MAP_DELETE_ELEM;
        misc::KTIME_GET_NS;
        trace::TRACE_PRINTK if PERFMON;
        misc::GET_PRANDOM_U32;
        maps::TAIL_CALL;
        misc::RC_REPEAT;
        misc::RC_KEYDOWN;
        maps::MAP_PUSH_ELEM;
        maps::MAP_POP_ELEM;
        maps::MAP_PEEK_ELEM;
        misc::RC_POINTER_REL;
        misc::KTIME_GET_BOOT_NS;
    }
    /// Congestion control (`bpf_tcp_ca_get_func_proto`, net/ipv4/bpf_tcp_ca.c).
    TCP_CA {
        sock::SK_SETSOCKOPT_NODELAY from 6, 0, unless "release";
        sock::SK_GETSOCKOPT from 6, 0, unless "release";
        maps::SK_STORAGE_GET;
        maps::SK_STORAGE_DELETE;
        sock::TCP_SEND_ACK;
        misc::KTIME_GET_COARSE_NS;
    }
    /// What schedulers had of their own before the base set took it over (`bpf_scx_get_func_proto` of Linux 6.12).
    SCHED_EXT {
        maps::TASK_STORAGE_GET until 6, 16;
        maps::TASK_STORAGE_DELETE until 6, 16;
    }
}
