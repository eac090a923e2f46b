//! Helpers for tracing.

use super::rows::*;

protos! {
    PROBE_READ_COMPAT: 4 probe_read since 4, 1 (UNINIT, SIZE_OR_ZERO, ANY) -> INT, gpl;
    TRACE_PRINTK: 6 trace_printk since 4, 1 (READ, SIZE) -> INT, gpl;
    PERF_EVENT_READ: 22 perf_event_read since 4, 3 (MAP, ANY) -> INT, gpl;
    EVENT_OUTPUT_DATA: 25 perf_event_output since 4, 4 (CTX, MAP, ANY, READ, SIZE_OR_ZERO) -> INT, gpl;
    PERF_EVENT_OUTPUT: 25 perf_event_output since 4, 4 (CTX, MAP, ANY, READ, SIZE_OR_ZERO) -> INT, gpl;
    PERF_EVENT_OUTPUT_RAW_TP: 25 perf_event_output since 4, 4 (CTX, MAP, ANY, READ, SIZE_OR_ZERO) -> INT, gpl;
    PERF_EVENT_OUTPUT_TP: 25 perf_event_output since 4, 4 (CTX, MAP, ANY, READ, SIZE_OR_ZERO) -> INT, gpl;
    SKB_EVENT_OUTPUT: 25 perf_event_output since 4, 4 (CTX, MAP, ANY, READ, SIZE_OR_ZERO) -> INT, gpl;
    XDP_EVENT_OUTPUT: 25 perf_event_output since 4, 4 (CTX, MAP, ANY, READ, SIZE_OR_ZERO) -> INT, gpl;
    GET_STACKID: 27 get_stackid since 4, 6 (CTX, MAP, ANY) -> INT, gpl, special(CallChain);
    GET_STACKID_PE: 27 get_stackid since 4, 6 (CTX, MAP, ANY) -> INT, special(CallChain);
    GET_STACKID_RAW_TP: 27 get_stackid since 4, 6 (CTX, MAP, ANY) -> INT, gpl, special(CallChain);
    GET_STACKID_TP: 27 get_stackid since 4, 6 (CTX, MAP, ANY) -> INT, gpl, special(CallChain);
    PROBE_WRITE_USER: 36 probe_write_user since 4, 8 (ANY, READ, SIZE) -> INT, gpl;
    PROBE_READ_COMPAT_STR: 45 probe_read_str since 4, 11 (UNINIT, SIZE_OR_ZERO, ANY) -> INT, gpl, error_or_size(1);
    PERF_EVENT_READ_VALUE: 55 perf_event_read_value since 4, 15 (MAP, ANY, UNINIT, SIZE) -> INT, gpl;
    PERF_PROG_READ_VALUE: 56 perf_prog_read_value since 4, 15 (CTX, UNINIT, SIZE) -> INT, gpl;
    OVERRIDE_RETURN: 58 override_return since 4, 16 (CTX, ANY) -> INT, gpl;
    GET_STACK: 67 get_stack since 4, 18 (CTX, UNINIT, SIZE_OR_ZERO, ANY)
        -> INT, gpl, special(CallChain), error_or_size(2);
    GET_STACK_PE: 67 get_stack since 4, 18 (CTX, UNINIT, SIZE_OR_ZERO, ANY)
        -> INT, gpl, special(CallChain), error_or_size(2);
    GET_STACK_RAW_TP: 67 get_stack since 4, 18 (CTX, UNINIT, SIZE_OR_ZERO, ANY)
        -> INT, gpl, special(CallChain), error_or_size(2);
    GET_STACK_TP: 67 get_stack since 4, 18 (CTX, UNINIT, SIZE_OR_ZERO, ANY)
        -> INT, gpl, special(CallChain), error_or_size(2);
    GET_STACK_SLEEPABLE: 67 get_stack since 4, 18 (CTX, UNINIT, SIZE_OR_ZERO, ANY)
        -> INT, gpl, sleeps, special(CallChain), error_or_size(2);
    PROBE_READ_USER: 112 probe_read_user since 5, 5 (UNINIT, SIZE_OR_ZERO, ANY) -> INT, gpl;
    PROBE_READ_KERNEL: 113 probe_read_kernel since 5, 5 (UNINIT, SIZE_OR_ZERO, ANY) -> INT, gpl;
    PROBE_READ_USER_STR: 114 probe_read_user_str since 5, 5 (UNINIT, SIZE_OR_ZERO, ANY) -> INT, gpl, error_or_size(1);
    PROBE_READ_KERNEL_STR: 115 probe_read_kernel_str since 5, 5 (UNINIT, SIZE_OR_ZERO, ANY)
        -> INT, gpl, error_or_size(1);
    READ_BRANCH_RECORDS: 119 read_branch_records since 5, 7 (CTX, WRITE.or_null(), SIZE_OR_ZERO, ANY) -> INT, gpl;
    SEQ_PRINTF: 126 seq_printf since 5, 8 (object("seq_file"), READ, SIZE, READ.or_null(), SIZE_OR_ZERO) -> INT, gpl;
    SEQ_WRITE: 127 seq_write since 5, 8 (object("seq_file"), READ, SIZE_OR_ZERO) -> INT, gpl;
    GET_TASK_STACK: 141 get_task_stack since 5, 9 (object("task_struct"), UNINIT, SIZE_OR_ZERO, ANY)
        -> INT, special(CallChain), error_or_size(2);
    GET_TASK_STACK_UNBOUNDED: 141 get_task_stack since 5, 9 (object("task_struct"), UNINIT, SIZE_OR_ZERO, ANY)
        -> INT, special(CallChain);
    GET_TASK_STACK_SLEEPABLE: 141 get_task_stack since 5, 9 (object("task_struct"), UNINIT, SIZE_OR_ZERO, ANY)
        -> INT, sleeps, special(CallChain), error_or_size(2);
    D_PATH: 147 d_path since 5, 10 (object("path"), WRITE, SIZE_OR_ZERO) -> INT;
    SNPRINTF_BTF: 149 snprintf_btf since 5, 10 (WRITE, SIZE, READ, SIZE, ANY) -> INT;
    SEQ_PRINTF_BTF: 150 seq_printf_btf since 5, 10 (object("seq_file"), READ, SIZE_OR_ZERO, ANY) -> INT, gpl;
    SNPRINTF: 165 snprintf since 5, 13 (WRITE.or_null(), SIZE_OR_ZERO, CONST_STR, READ.or_null(), SIZE_OR_ZERO)
        -> INT, gpl, special(Snprintf);
    GET_FUNC_IP_KPROBE: 173 get_func_ip since 5, 15 (CTX) -> INT, gpl;
    GET_FUNC_IP_KPROBE_MULTI: 173 get_func_ip since 5, 15 (CTX) -> INT;
    GET_FUNC_IP_TRACING: 173 get_func_ip since 5, 15 (CTX) -> INT, gpl;
    GET_FUNC_IP_UPROBE_MULTI: 173 get_func_ip since 5, 15 (CTX) -> INT;
    GET_ATTACH_COOKIE: 174 get_attach_cookie since 5, 15 (CTX) -> INT;
    GET_ATTACH_COOKIE_KMULTI: 174 get_attach_cookie since 5, 15 (CTX) -> INT;
    GET_ATTACH_COOKIE_PE: 174 get_attach_cookie since 5, 15 (CTX) -> INT;
    GET_ATTACH_COOKIE_TRACE: 174 get_attach_cookie since 5, 15 (CTX) -> INT;
    GET_ATTACH_COOKIE_TRACING: 174 get_attach_cookie since 5, 15 (CTX) -> INT;
    GET_ATTACH_COOKIE_UMULTI: 174 get_attach_cookie since 5, 15 (CTX) -> INT;
    GET_BRANCH_SNAPSHOT: 176 get_branch_snapshot since 5, 16 (UNINIT, SIZE_OR_ZERO) -> INT, gpl;
    TRACE_VPRINTK: 177 trace_vprintk since 5, 16 (READ, SIZE, READ.or_null(), SIZE_OR_ZERO) -> INT, gpl;
    GET_FUNC_ARG: 183 get_func_arg since 5, 17 (CTX, ANY, uninit_aligned(8)) -> INT;
    GET_FUNC_RET: 184 get_func_ret since 5, 17 (CTX, uninit_aligned(8)) -> INT;
    GET_FUNC_ARG_CNT: 185 get_func_arg_cnt since 5, 17 (CTX) -> INT;
}
