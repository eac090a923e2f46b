//! The set of helpers that every program type can reach, and what it held in other sets before.

use super::conditions::*;
use super::groups;
use crate::helpers::*;

groups! {
    /// The set of every program type (`bpf_base_func_proto`, kernel/bpf/helpers.c).
    BASE {
        maps::MAP_LOOKUP_ELEM;
        maps::MAP_UPDATE_ELEM;
        maps::MAP_DELETE_ELEM;
        misc::KTIME_GET_NS;
        trace::TRACE_PRINTK if PERFMON;
        misc::GET_PRANDOM_U32;
        misc::GET_RAW_SMP_PROCESSOR_ID;
        maps::TAIL_CALL;
        task::GET_CURRENT_PID_TGID from 6, 10;
        task::GET_CURRENT_UID_GID from 6, 16;
        task::GET_CURRENT_COMM from 6, 16 if PERFMON;
        cgroup::GET_CGROUP_CLASSID_CURR from 6, 16 if BPF;
        trace::PERF_EVENT_READ from 6, 16 if PERFMON;
        task::GET_CURRENT_TASK from 5, 8 if PERFMON;
        cgroup::CURRENT_TASK_UNDER_CGROUP from 6, 16 if BPF;
        misc::GET_NUMA_NODE_ID;
        trace::PERF_EVENT_READ_VALUE from 6, 16 if PERFMON;
        cgroup::GET_CURRENT_CGROUP_ID from 6, 2 if BPF;
        maps::MAP_PUSH_ELEM;
        maps::MAP_POP_ELEM;
        maps::MAP_PEEK_ELEM;
        maps::SPIN_LOCK if BPF;
        maps::SPIN_UNLOCK if BPF;
        misc::STRTOL from 6, 1;
        misc::STRTOUL from 6, 1;
        task::SEND_SIGNAL from 6, 16 if PERFMON;
        trace::PROBE_READ_USER from 5, 8 if PERFMON;
        trace::PROBE_READ_KERNEL from 5, 8 if PERFMON;
        trace::PROBE_READ_USER_STR from 5, 8 if PERFMON;
        trace::PROBE_READ_KERNEL_STR from 5, 8 if PERFMON;
        task::SEND_SIGNAL_THREAD from 6, 16 if PERFMON;
        misc::JIFFIES64 if BPF;
        task::GET_NS_CURRENT_PID_TGID from 6, 10;
        cgroup::GET_CURRENT_ANCESTOR_CGROUP_ID from 6, 2 if BPF;
        misc::KTIME_GET_BOOT_NS;
        ringbuf::RINGBUF_OUTPUT;
        ringbuf::RINGBUF_RESERVE;
        ringbuf::RINGBUF_SUBMIT;
        ringbuf::RINGBUF_DISCARD;
        ringbuf::RINGBUF_QUERY;
        trace::GET_TASK_STACK_SLEEPABLE from 6, 16 if PERFMON.sleeping();
        trace::GET_TASK_STACK from 6, 16 if PERFMON;
        task::COPY_FROM_USER from 6, 16 if PERFMON;
        trace::SNPRINTF_BTF if PERFMON;
        misc::PER_CPU_PTR if BPF;
        misc::THIS_CPU_PTR if BPF;
        maps::TASK_STORAGE_GET from 6, 16 if BPF;
        maps::TASK_STORAGE_DELETE from 6, 16 if BPF;
        task::GET_CURRENT_TASK_BTF if PERFMON;
        maps::FOR_EACH_MAP_ELEM if BPF;
        trace::SNPRINTF if PERFMON;
        misc::TIMER_INIT if BPF;
        misc::TIMER_SET_CALLBACK if BPF;
        misc::TIMER_START if BPF;
        misc::TIMER_CANCEL if BPF;
        task::TASK_PT_REGS if PERFMON;
        trace::GET_BRANCH_SNAPSHOT from 6, 16 if PERFMON;
        trace::TRACE_VPRINTK if PERFMON;
        task::FIND_VMA from 6, 16 if PERFMON;
        misc::LOOP if BPF;
        misc::STRNCMP;
        task::COPY_FROM_USER_TASK from 6, 16 if PERFMON;
        maps::KPTR_XCHG if BPF;
        maps::MAP_LOOKUP_PERCPU_ELEM;
        ringbuf::DYNPTR_FROM_MEM if BPF;
        ringbuf::RINGBUF_RESERVE_DYNPTR if BPF;
        ringbuf::RINGBUF_SUBMIT_DYNPTR if BPF;
        ringbuf::RINGBUF_DISCARD_DYNPTR if BPF;
        ringbuf::DYNPTR_READ if BPF;
        ringbuf::DYNPTR_WRITE if BPF;
        ringbuf::DYNPTR_DATA if BPF;
        misc::KTIME_GET_TAI_NS;
        ringbuf::USER_RINGBUF_DRAIN if BPF;
        maps::CGRP_STORAGE_GET if BPF;
        maps::CGRP_STORAGE_DELETE if BPF;
    }
}
