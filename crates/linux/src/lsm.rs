//! Security hooks by kind (`bpf_lsm_*`, kernel/bpf/bpf_lsm.c and include/linux/lsm_hook_defs.h, Linux 7.3), without the
//! `bpf_lsm_` in front.

use bpfvet_platform::Version;

/// Hooks that return a number.
#[rustfmt::skip]
pub(crate) static RETURNING_INT: &[&str] = &[
    "audit_rule_init", "audit_rule_known", "audit_rule_match", "backing_file_alloc", "bdev_alloc_security",
    "bdev_setintegrity", "binder_set_context_mgr", "binder_transaction", "binder_transfer_binder",
    "binder_transfer_file", "bpf", "bpf_map", "bpf_map_create", "bpf_prog", "bpf_prog_load", "bpf_token_capable",
    "bpf_token_cmd", "bpf_token_create", "bprm_check_security", "bprm_creds_for_exec", "bprm_creds_from_file",
    "capable", "capget", "capset", "cred_alloc_blank", "cred_prepare", "dentry_create_files_as",
    "dentry_init_security", "file_alloc_security", "file_fcntl", "file_ioctl", "file_ioctl_compat", "file_lock",
    "file_mprotect", "file_open", "file_permission", "file_post_open", "file_receive", "file_send_sigiotask",
    "file_truncate", "fs_context_dup", "fs_context_parse_param", "fs_context_submount", "getprocattr",
    "getselfattr", "ib_alloc_security", "ib_endport_manage_subnet", "ib_pkey_access", "inet_conn_request",
    "inode_alloc_security", "inode_copy_up", "inode_copy_up_xattr", "inode_create", "inode_file_getattr",
    "inode_file_setattr", "inode_follow_link", "inode_get_acl", "inode_getattr", "inode_getsecctx",
    "inode_getsecurity", "inode_getxattr", "inode_init_security", "inode_init_security_anon", "inode_killpriv",
    "inode_link", "inode_listsecurity", "inode_listxattr", "inode_mkdir", "inode_mknod", "inode_need_killpriv",
    "inode_notifysecctx", "inode_permission", "inode_readlink", "inode_remove_acl", "inode_removexattr",
    "inode_rename", "inode_rmdir", "inode_set_acl", "inode_setattr", "inode_setintegrity", "inode_setsecctx",
    "inode_setsecurity", "inode_setxattr", "inode_symlink", "inode_unlink", "inode_xattr_skipcap", "ipc_permission",
    "ismaclabel", "kernel_act_as", "kernel_create_files_as", "kernel_load_data", "kernel_module_request",
    "kernel_post_load_data", "kernel_post_read_file", "kernel_read_file", "kernfs_init_security", "key_alloc",
    "key_getsecurity", "key_permission", "locked_down", "lsmprop_to_secctx", "mmap_addr", "mmap_backing_file",
    "mmap_file", "move_mount", "mptcp_add_subflow", "msg_msg_alloc_security", "msg_queue_alloc_security",
    "msg_queue_associate", "msg_queue_msgctl", "msg_queue_msgrcv", "msg_queue_msgsnd", "netlink_send", "path_chmod",
    "path_chown", "path_chroot", "path_link", "path_mkdir", "path_mknod", "path_notify", "path_rename",
    "path_rmdir", "path_symlink", "path_truncate", "path_unlink", "perf_event_alloc", "perf_event_open",
    "perf_event_read", "perf_event_write", "post_notification", "ptrace_access_check", "ptrace_traceme", "quota_on",
    "quotactl", "sb_alloc_security", "sb_clone_mnt_opts", "sb_eat_lsm_opts", "sb_kern_mount", "sb_mnt_opts_compat",
    "sb_mount", "sb_pivotroot", "sb_remount", "sb_set_mnt_opts", "sb_show_options", "sb_statfs", "sb_umount",
    "sctp_assoc_established", "sctp_assoc_request", "sctp_bind_connect", "secctx_to_secid", "secid_to_secctx",
    "secmark_relabel_packet", "sem_alloc_security", "sem_associate", "sem_semctl", "sem_semop", "setprocattr",
    "setselfattr", "settime", "shm_alloc_security", "shm_associate", "shm_shmat", "shm_shmctl", "sk_alloc_security",
    "socket_accept", "socket_bind", "socket_connect", "socket_create", "socket_getpeername",
    "socket_getpeersec_dgram", "socket_getpeersec_stream", "socket_getsockname", "socket_getsockopt",
    "socket_listen", "socket_post_create", "socket_recvmsg", "socket_sendmsg", "socket_setsockopt",
    "socket_shutdown", "socket_sock_rcv_skb", "socket_socketpair", "syslog", "task_alloc", "task_fix_setgid",
    "task_fix_setgroups", "task_fix_setuid", "task_getioprio", "task_getpgid", "task_getscheduler", "task_getsid",
    "task_kill", "task_movememory", "task_prctl", "task_prlimit", "task_setioprio", "task_setnice", "task_setpgid",
    "task_setrlimit", "task_setscheduler", "tun_dev_alloc_security", "tun_dev_attach", "tun_dev_attach_queue",
    "tun_dev_create", "tun_dev_open", "unix_find", "unix_may_send", "unix_stream_connect", "uring_allowed",
    "uring_cmd", "uring_override_creds", "uring_sqpoll", "userns_create", "vm_enough_memory", "watch_key",
    "xfrm_decode_session", "xfrm_policy_alloc_security", "xfrm_policy_clone_security",
    "xfrm_policy_delete_security", "xfrm_policy_lookup", "xfrm_state_alloc", "xfrm_state_alloc_acquire",
    "xfrm_state_delete_security", "xfrm_state_pol_flow_match",
];

/// Hooks that return nothing (`void_lsm_hooks`).
#[rustfmt::skip]
pub(crate) static RETURNING_VOID: &[&str] = &[
    "audit_rule_free", "backing_file_free", "bdev_free_security", "bpf_map_free", "bpf_prog_free", "bpf_token_free",
    "bprm_committed_creds", "bprm_committing_creds", "cred_free", "cred_getlsmprop", "cred_getsecid",
    "cred_transfer", "current_getlsmprop_subj", "d_instantiate", "file_free_security", "file_release",
    "file_set_fowner", "inet_conn_established", "inet_csk_clone", "initramfs_populated", "inode_free_security",
    "inode_free_security_rcu", "inode_getlsmprop", "inode_invalidate_secctx", "inode_post_create_tmpfile",
    "inode_post_remove_acl", "inode_post_removexattr", "inode_post_set_acl", "inode_post_setattr",
    "inode_post_setxattr", "ipc_getlsmprop", "key_post_create_or_update", "msg_msg_free_security",
    "msg_queue_free_security", "path_post_mknod", "release_secctx", "req_classify_flow", "sb_delete",
    "sb_free_mnt_opts", "sb_free_security", "sctp_sk_clone", "secmark_refcount_dec", "secmark_refcount_inc",
    "sem_free_security", "shm_free_security", "sk_clone_security", "sk_free_security", "sk_getsecid", "sock_graft",
    "task_free", "task_getlsmprop_obj", "task_to_inode", "xfrm_policy_free_security", "xfrm_state_free_security",
];

/// Hooks that return zero or one (`bool_lsm_hooks`). They are among those that return a number.
#[rustfmt::skip]
pub(crate) static RETURNING_BOOL: &[&str] = &[
    "audit_rule_known", "inode_xattr_skipcap", "xfrm_state_pol_flow_match",
];

/// Hooks whose programs may sleep (`sleepable_lsm_hooks`).
#[rustfmt::skip]
pub(crate) static SLEEPABLE: &[&str] = &[
    "bdev_alloc_security", "bdev_setintegrity", "bpf", "bpf_map", "bpf_map_create", "bpf_map_free", "bpf_prog",
    "bpf_prog_load", "bpf_token_capable", "bpf_token_cmd", "bpf_token_create", "bpf_token_free",
    "bprm_check_security", "bprm_committed_creds", "bprm_committing_creds", "bprm_creds_for_exec",
    "bprm_creds_from_file", "capget", "capset", "cred_prepare", "file_ioctl", "file_lock", "file_open",
    "file_post_open", "file_receive", "inode_create", "inode_free_security", "inode_getattr", "inode_getxattr",
    "inode_mknod", "inode_need_killpriv", "inode_post_removexattr", "inode_post_setxattr", "inode_readlink",
    "inode_removexattr", "inode_rename", "inode_rmdir", "inode_setattr", "inode_setxattr", "inode_symlink",
    "inode_unlink", "kernel_module_request", "kernel_read_file", "kernfs_init_security", "mmap_file",
    "netlink_send", "path_chmod", "path_chown", "path_link", "path_mkdir", "path_notify", "path_rename",
    "path_rmdir", "path_symlink", "path_truncate", "path_unlink", "release_secctx", "sb_alloc_security",
    "sb_eat_lsm_opts", "sb_kern_mount", "sb_mount", "sb_remount", "sb_set_mnt_opts", "sb_show_options", "sb_statfs",
    "sb_umount", "settime", "socket_accept", "socket_bind", "socket_connect", "socket_create", "socket_getpeername",
    "socket_getpeersec_dgram", "socket_getsockname", "socket_getsockopt", "socket_listen", "socket_post_create",
    "socket_recvmsg", "socket_sendmsg", "socket_shutdown", "socket_socketpair", "syslog", "task_alloc",
    "task_prctl", "task_setscheduler", "userns_create",
];

/// Those of them whose programs could not sleep from the beginning, with a release in which they could: between 6.1 and 6.12, and
/// between 6.12 and 7.2, it is not known which was the first.
#[rustfmt::skip]
static SLEEPABLE_SINCE: &[(&str, u16, u16)] = &[
    ("bdev_alloc_security", 7, 2), ("bdev_setintegrity", 7, 2), ("bpf_map_create", 6, 12), ("bpf_map_free", 6, 12),
    ("bpf_prog_load", 6, 12), ("bpf_token_capable", 6, 12), ("bpf_token_cmd", 6, 12), ("bpf_token_create", 6, 12),
    ("bpf_token_free", 6, 12), ("file_post_open", 6, 12), ("inode_post_removexattr", 7, 2), ("inode_removexattr", 7, 2),
    ("path_chmod", 6, 12), ("path_chown", 6, 12), ("path_link", 6, 12), ("path_mkdir", 6, 12), ("path_rename", 6, 12),
    ("path_rmdir", 6, 12), ("path_symlink", 6, 12), ("path_truncate", 6, 12), ("path_unlink", 6, 12),
];

/// Whether programs at a hook may sleep at this release. (`bpf_lsm_is_sleepable_hook`)
pub(crate) fn may_sleep(version: Version, hook: &str) -> bool {
    if !version.at_least(Version::new(5, 11)) {
        return hook == "bprm_committed_creds";
    }
    let since = SLEEPABLE_SINCE.iter().find(|(name, ..)| *name == hook);
    SLEEPABLE.contains(&hook) && since.is_none_or(|(_, major, minor)| version.at_least(Version::new(*major, *minor)))
}

/// Hooks that no program may attach to (`bpf_lsm_disabled_hooks`).
#[rustfmt::skip]
pub(crate) static DISABLED: &[&str] = &[
    "audit_rule_match", "file_alloc_security", "getprocattr", "getselfattr", "inode_copy_up_xattr",
    "inode_getsecurity", "inode_listsecurity", "inode_need_killpriv", "ismaclabel", "key_getsecurity",
    "setprocattr", "vm_enough_memory", "xfrm_decode_session",
];

/// Hooks whose arguments may be dying or half made (`untrusted_lsm_hooks`).
#[rustfmt::skip]
pub(crate) static UNTRUSTED: &[&str] = &[
    "bdev_alloc_security", "bdev_free_security", "bpf_map_free", "bpf_prog_free", "file_alloc_security",
    "file_free_security", "sk_alloc_security", "sk_free_security", "task_free",
];

/// Hooks that hold the socket (`bpf_lsm_locked_sockopt_hooks`).
#[rustfmt::skip]
pub(crate) static LOCKED_SOCKOPT: &[&str] = &[
    "inet_conn_established", "inet_csk_clone", "sock_graft",
];

/// Hooks that see a socket nobody else sees yet (`bpf_lsm_unlocked_sockopt_hooks`).
#[rustfmt::skip]
pub(crate) static UNLOCKED_SOCKOPT: &[&str] = &[
    "socket_post_create", "socket_socketpair",
];

/// The hook's name without the prefix that the kernel gives its functions.
pub(crate) fn hook(name: &str) -> &str {
    name.strip_prefix("bpf_lsm_").unwrap_or(name)
}
