//! Helpers on tasks.

use super::rows::*;

protos! {
    GET_CURRENT_PID_TGID: 14 get_current_pid_tgid since 4, 2 () -> INT;
    GET_CURRENT_UID_GID: 15 get_current_uid_gid since 4, 2 () -> INT;
    GET_CURRENT_COMM: 16 get_current_comm since 4, 2 (UNINIT, SIZE) -> INT;
    GET_CURRENT_TASK: 35 get_current_task since 4, 8 () -> INT, gpl;
    SEND_SIGNAL: 109 send_signal since 5, 3 (ANY) -> INT;
    SEND_SIGNAL_THREAD: 117 send_signal_thread since 5, 6 (ANY) -> INT;
    GET_NS_CURRENT_PID_TGID: 120 get_ns_current_pid_tgid since 5, 7 (ANY, ANY, UNINIT, SIZE) -> INT;
    COPY_FROM_USER: 148 copy_from_user since 5, 10 (UNINIT, SIZE_OR_ZERO, ANY) -> INT, sleeps;
    GET_CURRENT_TASK_BTF: 158 get_current_task_btf since 5, 11 () -> returns_trusted("task_struct"), gpl;
    TASK_PT_REGS: 175 task_pt_regs since 5, 15 (object("task_struct")) -> returns_object("pt_regs"), gpl;
    FIND_VMA: 180 find_vma since 5, 17 (object("task_struct"), ANY, FUNC, STACK.or_null(), ANY)
        -> INT, special(FindVma);
    COPY_FROM_USER_TASK: 191 copy_from_user_task since 5, 18 (UNINIT, SIZE_OR_ZERO, ANY, object("task_struct"), ANY)
        -> INT, gpl, sleeps;
}
