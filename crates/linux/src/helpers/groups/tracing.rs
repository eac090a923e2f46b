//! Which tracing program type has which helper.

use super::conditions::*;
use super::groups;
use crate::helpers::*;

groups! {
    /// Tracing types (`bpf_tracing_func_proto`, kernel/trace/bpf_trace.c). What the base set took over asked for no capability here.
    TRACING {
        trace::PROBE_READ_COMPAT;
        trace::TRACE_PRINTK until 6, 16;
        misc::GET_SMP_PROCESSOR_ID;
        task::GET_CURRENT_PID_TGID until 6, 10;
        task::GET_CURRENT_UID_GID until 6, 16;
        task::GET_CURRENT_COMM until 6, 16;
        trace::PERF_EVENT_READ until 6, 16;
        task::GET_CURRENT_TASK until 6, 16;
        trace::PROBE_WRITE_USER if SYS_ADMIN;
        cgroup::CURRENT_TASK_UNDER_CGROUP until 6, 16;
        trace::PROBE_READ_COMPAT_STR;
        trace::PERF_EVENT_READ_VALUE until 6, 16;
        cgroup::GET_CURRENT_CGROUP_ID until 6, 2;
        task::SEND_SIGNAL until 6, 16;
        trace::PROBE_READ_USER until 6, 16;
        trace::PROBE_READ_KERNEL until 6, 16;
        trace::PROBE_READ_USER_STR until 6, 16;
        trace::PROBE_READ_KERNEL_STR until 6, 16;
        task::SEND_SIGNAL_THREAD until 6, 16;
        misc::JIFFIES64 until 6, 16;
        task::GET_NS_CURRENT_PID_TGID until 6, 10;
        cgroup::GET_CURRENT_ANCESTOR_CGROUP_ID until 6, 2;
        trace::GET_TASK_STACK_SLEEPABLE from 6, 13 until 6, 16 if SLEEPING;
        trace::GET_TASK_STACK_UNBOUNDED until 5, 13;
        trace::GET_TASK_STACK from 5, 13 until 6, 16;
        task::COPY_FROM_USER until 6, 16;
        trace::SNPRINTF_BTF until 6, 16;
        misc::PER_CPU_PTR until 6, 16;
        misc::THIS_CPU_PTR until 6, 16;
        maps::TASK_STORAGE_GET until 6, 16;
        maps::TASK_STORAGE_DELETE until 6, 16;
        task::GET_CURRENT_TASK_BTF until 6, 16;
        maps::FOR_EACH_MAP_ELEM until 6, 16;
        trace::SNPRINTF until 6, 16;
        trace::GET_FUNC_IP_TRACING if NEVER => NoTracedFunction;
        task::TASK_PT_REGS until 6, 16;
        trace::GET_BRANCH_SNAPSHOT until 6, 16;
        trace::TRACE_VPRINTK until 6, 16;
        task::FIND_VMA until 6, 16;
        task::COPY_FROM_USER_TASK until 6, 16;
        maps::CGRP_STORAGE_GET until 6, 16;
        maps::CGRP_STORAGE_DELETE until 6, 16;
    }
    /// What only `BPF_PROG_TYPE_TRACING` has (`check_get_func_ip`, kernel/bpf/verifier.c).
    TRACING_ONLY {
        trace::GET_FUNC_IP_TRACING if TRAMPOLINE => NoTrampoline;
    }
    /// Kernel and user probes (`kprobe_prog_func_proto`).
    KPROBE {
        trace::PERF_EVENT_OUTPUT;
        trace::GET_STACKID;
        trace::OVERRIDE_RETURN;
        trace::GET_STACK_SLEEPABLE from 6, 13 if SLEEPING;
        trace::GET_STACK;
        trace::GET_FUNC_IP_KPROBE_MULTI from 5, 18 if KPROBE_MULTI;
        trace::GET_FUNC_IP_UPROBE_MULTI from 6, 6 if UPROBE_MULTI;
        trace::GET_FUNC_IP_KPROBE;
        trace::GET_ATTACH_COOKIE_KMULTI from 5, 18 if KPROBE_MULTI;
        trace::GET_ATTACH_COOKIE_UMULTI from 6, 6 if UPROBE_MULTI;
        trace::GET_ATTACH_COOKIE_TRACE;
    }
    /// Tracepoints (`tp_prog_func_proto`).
    TRACEPOINT {
        trace::PERF_EVENT_OUTPUT_TP;
        trace::GET_STACKID_TP;
        trace::GET_STACK_TP;
        trace::GET_ATTACH_COOKIE_TRACE;
    }
    /// Performance events (`pe_prog_func_proto`).
    PERF_EVENT {
        trace::PERF_EVENT_OUTPUT_TP;
        trace::GET_STACKID_PE;
        trace::PERF_PROG_READ_VALUE;
        trace::GET_STACK_PE;
        trace::READ_BRANCH_RECORDS;
        trace::GET_ATTACH_COOKIE_PE;
    }
    /// Raw tracepoints, and below them trampolines (`raw_tp_prog_func_proto`).
    RAW_TP {
        trace::PERF_EVENT_OUTPUT_RAW_TP;
        trace::GET_STACKID_RAW_TP;
        trace::GET_STACK_RAW_TP;
        trace::GET_ATTACH_COOKIE_TRACING from 6, 10;
    }
    /// Types that attach by BTF (`tracing_prog_func_proto`).
    TRAMPOLINES {
        sock::GET_SOCKET_PTR_COOKIE from 5, 12;
        maps::SK_STORAGE_GET_TRACING from 5, 11 if ITER_OR_RAW_TP;
        maps::SK_STORAGE_GET_TRACING from 5, 11 if NOT_SK_STORAGE => AttachPoint;
        maps::SK_STORAGE_DELETE_TRACING from 5, 11 if ITER_OR_RAW_TP;
        maps::SK_STORAGE_DELETE_TRACING from 5, 11 if NOT_SK_STORAGE => AttachPoint;
        skb::SKB_OUTPUT;
        xdp::XDP_OUTPUT;
        trace::SEQ_PRINTF if AT_ITER;
        trace::SEQ_WRITE if AT_ITER;
        sock::SKC_TO_TCP6_SOCK;
        sock::SKC_TO_TCP_SOCK;
        sock::SKC_TO_TCP_TIMEWAIT_SOCK;
        sock::SKC_TO_TCP_REQUEST_SOCK;
        sock::SKC_TO_UDP6_SOCK;
        trace::D_PATH if AT_ITER;
        trace::D_PATH if D_PATH_TARGET => AttachPoint;
        trace::SEQ_PRINTF_BTF if AT_ITER;
        sock::SOCK_FROM_FILE from 5, 11;
        trace::GET_ATTACH_COOKIE_TRACING from 5, 19 if TRAMPOLINE;
        trace::GET_ATTACH_COOKIE_TRACING from 6, 10 if AT_RAW_TP;
        sock::SKC_TO_UNIX_SOCK;
        trace::GET_FUNC_ARG if TRAMPOLINE;
        trace::GET_FUNC_ARG from 6, 19 if AT_RAW_TP;
        trace::GET_FUNC_RET if TRAMPOLINE;
        trace::GET_FUNC_ARG_CNT if TRAMPOLINE;
        trace::GET_FUNC_ARG_CNT from 6, 19 if AT_RAW_TP;
        xdp::XDP_GET_BUFF_LEN_TRACE;
        sock::SKC_TO_MPTCP_SOCK;
    }
    /// Iterators over sockets (`bpf_iter_tcp_get_func_proto`, `bpf_iter_unix_get_func_proto`).
    ITER {
        sock::SK_SETSOCKOPT from 5, 16 if SOCKET_ITER;
        sock::SK_GETSOCKOPT from 5, 16 if SOCKET_ITER;
    }
    /// Security hooks (`bpf_lsm_func_proto`, kernel/bpf/bpf_lsm.c).
    LSM {
        sock::SK_SETSOCKOPT from 6, 0 if LOCKED_SOCKOPT_HOOK;
        sock::UNLOCKED_SK_SETSOCKOPT from 6, 0 if UNLOCKED_SOCKOPT_HOOK;
        sock::SK_GETSOCKOPT from 6, 0 if LOCKED_SOCKOPT_HOOK;
        sock::UNLOCKED_SK_GETSOCKOPT from 6, 0 if UNLOCKED_SOCKOPT_HOOK;
        maps::SPIN_LOCK;
        maps::SPIN_UNLOCK;
        maps::SK_STORAGE_GET;
        maps::SK_STORAGE_DELETE;
        maps::INODE_STORAGE_GET;
        maps::INODE_STORAGE_DELETE;
        trace::D_PATH if SLEEPABLE_HOOK => AttachPoint;
        misc::BPRM_OPTS_SET;
        misc::IMA_INODE_HASH if SLEEPABLE_HOOK => AttachPoint;
        trace::GET_ATTACH_COOKIE from 5, 19 if TRAMPOLINE;
        misc::IMA_FILE_HASH if SLEEPABLE_HOOK => AttachPoint;
    }
    /// Programs that make system calls (`syscall_prog_func_proto`, kernel/bpf/syscall.c).
    SYSCALL {
        misc::SYS_BPF if PERFMON;
        misc::BTF_FIND_BY_NAME_KIND;
        misc::SYS_CLOSE;
        misc::KALLSYMS_LOOKUP_NAME;
    }
}
