//! Helpers on time, processors, strings, and the few of small program types.

use super::rows::*;

protos! {
    KTIME_GET_NS: 5 ktime_get_ns since 4, 1 () -> INT;
    GET_PRANDOM_U32: 7 get_prandom_u32 since 4, 1 () -> INT;
    GET_RAW_SMP_PROCESSOR_ID: 8 get_smp_processor_id since 4, 1 () -> INT, between(0, MAX_CPU);
    GET_SMP_PROCESSOR_ID: 8 get_smp_processor_id since 4, 1 () -> INT, fastcall, between(0, MAX_CPU);
    GET_NUMA_NODE_ID: 42 get_numa_node_id since 4, 10 () -> INT;
    RC_REPEAT: 77 rc_repeat since 4, 18 (CTX) -> INT, gpl;
    RC_KEYDOWN: 78 rc_keydown since 4, 18 (CTX, ANY, ANY, ANY) -> INT, gpl;
    RC_POINTER_REL: 92 rc_pointer_rel since 5, 0 (CTX, ANY, ANY) -> INT, gpl;
    STRTOL: 105 strtol since 5, 2 (READ, SIZE, ANY, uninit_aligned(8)) -> INT;
    STRTOUL: 106 strtoul since 5, 2 (READ, SIZE, ANY, uninit_aligned(8)) -> INT;
    JIFFIES64: 118 jiffies64 since 5, 6 () -> INT;
    KTIME_GET_BOOT_NS: 125 ktime_get_boot_ns since 5, 8 () -> INT;
    PER_CPU_PTR: 153 per_cpu_ptr since 5, 10 (PERCPU, ANY) -> PERCPU_OR_NULL, special(PerCpuPtr);
    THIS_CPU_PTR: 154 this_cpu_ptr since 5, 10 (PERCPU) -> PERCPU_HERE, special(PerCpuPtr);
    BPRM_OPTS_SET: 159 bprm_opts_set since 5, 11 (object("linux_binprm"), ANY) -> INT;
    KTIME_GET_COARSE_NS: 160 ktime_get_coarse_ns since 5, 11 () -> INT;
    IMA_INODE_HASH: 161 ima_inode_hash since 5, 11 (object("inode"), UNINIT, SIZE) -> INT, sleeps;
    SYS_BPF: 166 sys_bpf since 5, 14 (ANY, READ, SIZE) -> INT, sleeps;
    BTF_FIND_BY_NAME_KIND: 167 btf_find_by_name_kind since 5, 14 (READ, SIZE, ANY, ANY) -> INT, sleeps;
    SYS_CLOSE: 168 sys_close since 5, 14 (ANY) -> INT, sleeps;
    TIMER_INIT: 169 timer_init since 5, 15 (TIMER, MAP, ANY) -> INT, gpl;
    TIMER_SET_CALLBACK: 170 timer_set_callback since 5, 15 (TIMER, FUNC) -> INT, gpl, special(TimerSetCallback);
    TIMER_START: 171 timer_start since 5, 15 (TIMER, ANY, ANY) -> INT, gpl;
    TIMER_CANCEL: 172 timer_cancel since 5, 15 (TIMER) -> INT, gpl;
    KALLSYMS_LOOKUP_NAME: 179 kallsyms_lookup_name since 5, 16 (READ, SIZE_OR_ZERO, ANY, uninit_aligned(8)) -> INT;
    LOOP: 181 loop since 5, 17 (SCALAR, FUNC, STACK.or_null(), ANY) -> INT, special(Loop);
    STRNCMP: 182 strncmp since 5, 17 (READ, SIZE, CONST_STR) -> INT;
    IMA_FILE_HASH: 193 ima_file_hash since 5, 18 (object("file"), UNINIT, SIZE) -> INT, sleeps;
    KTIME_GET_TAI_NS: 208 ktime_get_tai_ns since 6, 1 () -> INT;
}
