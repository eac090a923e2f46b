//! Contexts that are typed by what a program attaches to: what the kernel promises of the arguments, and which targets take
//! programs that sleep or that replace what a function returns.

use alloc::vec::Vec;

use bpfvet_btf::Btf;
use bpfvet_platform::{AttachType, LoadRequest, ProgramType, TypedArg, TypedArgs, Untold, Version};

use crate::lsm;

/// What is promised of the arguments (`prog_args_trusted`, `btf_ctx_access`).
pub(crate) fn arguments(
    version: Version,
    attach: AttachType,
    request: &LoadRequest,
    btf: Option<&Btf>,
) -> Result<TypedArgs, Untold> {
    let Some(target) = &request.attach_target else {
        return Err("a context typed by a target that is not named".into());
    };
    let vouches = version.at_least(TRUST);
    match (request.program_type, attach) {
        (ProgramType::TRACING, AttachType::TRACE_RAW_TP) => {
            let module = btf.and_then(Btf::base).is_some_and(|kernel| target.btf_id >= kernel.end_id().0);
            let name = target.name.strip_prefix("btf_trace_").unwrap_or(&target.name);
            Ok(TypedArgs { trusted: vouches, others: tracepoint(version, name, module) })
        }
        (ProgramType::TRACING, AttachType::TRACE_ITER) => {
            let name = target.name.strip_prefix("bpf_iter_").unwrap_or(&target.name);
            let Ok(at) = ITERATORS.binary_search_by_key(&name, |(name, _)| name) else {
                return Err("iterators over what is not known here".into());
            };
            let others = ITERATORS.get(at).map(|(_, others)| others.to_vec()).unwrap_or_default();
            Ok(TypedArgs { trusted: vouches, others })
        }
        (ProgramType::TRACING, _) => Ok(TypedArgs::default()),
        (ProgramType::LSM, _) => {
            let trusted = vouches && !lsm::UNTRUSTED.contains(&lsm::hook(&target.name));
            Ok(TypedArgs { trusted, others: Vec::new() })
        }
        _ => Err("contexts of this program type".into()),
    }
}

/// The release from which on pointers are told apart by whether their object is known to be alive.
const TRUST: Version = Version::new(6, 2);

/// The release from which on tracepoints say which arguments may be null: it came with 6.13 and was brought back to 6.12.
const TRACEPOINT_NULLS: Version = Version::new(6, 12);

/// What is particular about a tracepoint's arguments. Those of modules say nothing, so that all of them may be null.
fn tracepoint(version: Version, name: &str, module: bool) -> Vec<(u32, TypedArg)> {
    if !version.at_least(TRACEPOINT_NULLS) {
        return Vec::new();
    }
    let nulls = NULLABLE.binary_search_by_key(&name, |(name, _)| name).ok().and_then(|at| NULLABLE.get(at));
    let errors = ERRORS.binary_search_by_key(&name, |(name, _)| name).ok().and_then(|at| ERRORS.get(at));
    if module && nulls.is_none() && errors.is_none() {
        return (0..12).map(|position| (position, TypedArg::Nullable)).collect();
    }
    let errors = errors.map_or(&[][..], |(_, positions)| positions).iter().map(|at| (*at, TypedArg::MayBeError));
    let nulls = nulls.map_or(&[][..], |(_, positions)| positions).iter().map(|at| (*at, TypedArg::Nullable));
    errors.chain(nulls).collect()
}

/// Tracepoints that run where a page fault can be taken, so that their programs may sleep (`tracepoint_is_faultable`).
pub(crate) fn is_faultable(tracepoint: &str) -> bool {
    matches!(tracepoint, "sys_enter" | "sys_exit")
}

/// Whether faults may be injected into a function (`ALLOW_ERROR_INJECTION`): then programs there may sleep and replace what it
/// returns. Every system call is such a function.
pub(crate) fn is_error_injectable(function: &str) -> bool {
    let call = ["__x64_sys_", "__ia32_sys_", "__ia32_compat_sys_", "__arm64_sys_", "__s390x_sys_", "__riscv_sys_"];
    call.iter().any(|prefix| function.starts_with(prefix)) || ERROR_INJECTION.contains(&function)
}

/// Whether programs at a function may sleep (`btf_id_allow_sleepable`).
pub(crate) fn may_sleep(function: &str) -> bool {
    (is_error_injectable(function) && !ERROR_INJECTION_ATOMIC.contains(&function)) || function == "bpf_fentry_test1"
}

/// Whether programs may replace what a function returns (`check_attach_modify_return`, `btf_kfunc_is_modify_return`).
pub(crate) fn may_modify_return(function: &str) -> bool {
    is_error_injectable(function) || function.starts_with("security_") || MODIFY_RETURN.contains(&function)
}

/// Functions outside of modules and drivers into which faults may be injected, besides system calls.
static ERROR_INJECTION: &[&str] = &[
    "__filemap_add_folio",
    "page_pool_alloc_netmems",
    "should_fail_alloc_page",
    "should_fail_bio",
    "should_fail_net_realloc_skb",
    "should_failslab",
];

/// Those of them that also run where nothing may sleep (`btf_non_sleepable_error_inject`).
static ERROR_INJECTION_ATOMIC: &[&str] = &["__filemap_add_folio", "should_fail_alloc_page", "should_failslab"];

/// Functions whose result programs may replace by registration (`register_btf_fmodret_id_set`).
static MODIFY_RETURN: &[&str] = &[
    "bpf_fentry_test1",
    "bpf_modify_return_test",
    "bpf_modify_return_test2",
    "bpf_modify_return_test_tp",
    "update_socket_protocol",
];

const OBJECT: TypedArg = TypedArg::ObjectOrNull { trusted: true };
const OLD_OBJECT: TypedArg = TypedArg::ObjectOrNull { trusted: false };
const KEY: TypedArg = TypedArg::BufferOrNull { read_only: true };
const VALUE: TypedArg = TypedArg::BufferOrNull { read_only: false };

/// What is particular about an iterator's arguments, by name of what it goes over (`ctx_arg_info` of each `bpf_iter_reg`).
#[rustfmt::skip]
static ITERATORS: &[(&str, &[(u32, TypedArg)])] = &[
    ("bpf_link", &[(1, OLD_OBJECT)]),
    ("bpf_map", &[(1, OBJECT)]),
    ("bpf_map_elem", &[(2, KEY), (3, VALUE)]),
    ("bpf_prog", &[(1, OLD_OBJECT)]),
    ("bpf_sk_storage_map", &[(2, OLD_OBJECT), (3, VALUE)]),
    ("cgroup", &[(1, OBJECT)]),
    ("dmabuf", &[(1, OLD_OBJECT)]),
    ("ipv6_route", &[(1, OLD_OBJECT)]),
    ("kmem_cache", &[(1, OBJECT)]),
    ("ksym", &[(1, OLD_OBJECT)]),
    ("netlink", &[(1, OLD_OBJECT)]),
    ("sockmap", &[(2, KEY), (3, OLD_OBJECT)]),
    ("task", &[(1, OBJECT)]),
    ("task_file", &[(1, OLD_OBJECT), (3, OLD_OBJECT)]),
    ("task_vma", &[(1, OLD_OBJECT), (2, OLD_OBJECT)]),
    ("tcp", &[(1, OBJECT)]),
    ("udp", &[(1, OBJECT)]),
    ("unix", &[(1, OLD_OBJECT)]),
];

/// Arguments of tracepoints that may be null, by position from zero (`raw_tp_null_args`).
#[rustfmt::skip]
static NULLABLE: &[(&str, &[u32])] = &[
    ("afs_flock_ev", &[1]), ("afs_make_fs_call", &[1]), ("afs_make_fs_call1", &[1]), ("afs_make_fs_call2", &[1]),
    ("afs_make_fs_calli", &[1]), ("afs_protocol_error", &[0]), ("amdgpu_vm_bo_map", &[0]),
    ("amdgpu_vm_bo_unmap", &[0]), ("amdtp_packet", &[2]), ("binder_transaction", &[2]), ("break_lease_block", &[1]),
    ("break_lease_noblock", &[1]), ("break_lease_unblock", &[1]), ("btree_path_free", &[2]),
    ("cachefiles_io_error", &[0]), ("cachefiles_lookup", &[0]), ("cachefiles_mark_active", &[0]),
    ("cachefiles_mark_failed", &[0]), ("cachefiles_mark_inactive", &[0]), 
    // These are gone since.
    ("cachefiles_ondemand_close", &[0]), ("cachefiles_ondemand_copen", &[0]), ("cachefiles_ondemand_cread", &[0]), ("cachefiles_ondemand_fd_release", &[0]), ("cachefiles_ondemand_fd_write", &[0]), ("cachefiles_ondemand_open", &[0]), ("cachefiles_ondemand_read", &[0]),
    ("cachefiles_prep_read", &[0]),
    ("cachefiles_rename", &[0]), ("cachefiles_unlink", &[0]), ("cachefiles_vfs_error", &[0]),
    ("cfg80211_inform_bss_frame", &[2]), ("cfg80211_michael_mic_failure", &[4]),
    ("cfg80211_report_wowlan_wakeup", &[2]), ("cfg80211_scan_done", &[0, 1]), ("coda_dec_pic_done", &[1]),
    ("coda_dec_pic_run", &[1]), ("device_pm_callback_start", &[1]), ("dpu_crtc_setup_mixer", &[2]),
    ("ext4_mballoc_discard", &[1]), ("ext4_mballoc_free", &[1]), ("fcntl_setlk", &[1]), ("fib_table_lookup", &[2]),
    ("flock_lock_inode", &[1]), ("folio_wait_writeback", &[1]), ("generic_delete_lease", &[1]),
    ("hfi1_sdma_progress", &[3]), ("host1x_cdma_push_gather", &[4]), ("hugetlbfs_alloc_inode", &[1]),
    ("iptfs_ingress_postq_event", &[3]), ("kfree_skb", &[3]), ("kvm_page_fault_enter", &[2]),
    ("locks_remove_posix", &[1]), ("mm_collapse_huge_page_isolate", &[0]), ("mm_khugepaged_collapse_file", &[1]),
    ("mm_khugepaged_scan_file", &[1]), ("mm_khugepaged_scan_pmd", &[1]), ("mm_page_alloc", &[0]),
    ("mm_page_alloc_zone_locked", &[0]), ("mm_page_pcpu_drain", &[0]), ("neigh_update", &[1]),
    ("netfs_failure", &[1]), ("netfs_folioq", &[0]), ("nfs4_setup_sequence", &[0]), ("nfsd_dirent", &[0]),
    ("nfsd_file_acquire", &[0, 3]), ("nfsd_file_cons_err", &[0]), ("nfsd_file_insert_err", &[0]),
    ("pnfs_mds_fallback_pg_get_mirror_count", &[4]), ("pnfs_mds_fallback_pg_init_read", &[4]),
    ("pnfs_mds_fallback_pg_init_write", &[4]), ("pnfs_mds_fallback_read_done", &[4]),
    ("pnfs_mds_fallback_read_pagelist", &[4]), ("pnfs_mds_fallback_write_done", &[4]),
    ("pnfs_mds_fallback_write_pagelist", &[4]), ("pnfs_update_layout", &[4]), ("posix_lock_inode", &[1]),
    ("qdisc_dequeue", &[3]), ("rdev_set_coalesce", &[1]), ("rxrpc_client", &[0]), ("rxrpc_recvdata", &[0]),
    ("rxrpc_resend", &[1]), ("rxrpc_tq", &[1]), ("sched_pi_setprio", &[1]), ("sched_process_wait", &[0]),
    ("sched_stick_numa", &[2]), ("sched_swap_numa", &[2]), ("spufs_context", &[1]), ("tcp_send_reset", &[0, 1]),
    ("tcp_sendmsg_locked", &[2]), ("tegra_dma_tx_status", &[2]), ("time_out_leases", &[1]),
    ("tmigr_update_events", &[0]), ("wiphy_work_cancel", &[1]), ("wiphy_work_flush", &[1]),
    ("wiphy_work_queue", &[1]), ("wiphy_work_run", &[1]), ("writeback_dirty_folio", &[1]),
    ("xchk_metapath_lookup", &[2]), ("xchk_nlinks_live_update", &[1]), ("xfs_blockgc_flush_all", &[0]),
    ("xfs_blockgc_free_space", &[1]), ("xfs_blockgc_start", &[0]), ("xfs_blockgc_stop", &[0]),
    ("xfs_blockgc_worker", &[0]), ("xfs_btree_overlapped_query_range", &[2]), ("xfs_btree_updkeys", &[2]),
    ("xfs_defer_add_item", &[0]), ("xfs_defer_cancel_item", &[0]), ("xfs_defer_cancel_list", &[0]),
    ("xfs_defer_create_intent", &[0]), ("xfs_defer_finish_item", &[0]), ("xfs_defer_isolate_paused", &[0]),
    ("xfs_defer_item_pause", &[0]), ("xfs_defer_item_unpause", &[0]), ("xfs_defer_pending_abort", &[0]),
    ("xfs_defer_pending_finish", &[0]), ("xfs_defer_relog_intent", &[0]), ("xfs_fs_sync_fs", &[0]),
    ("xfs_inodegc_flush", &[0]), ("xfs_inodegc_push", &[0]), ("xfs_inodegc_queue", &[0]), ("xfs_inodegc_start", &[0]),
    ("xfs_inodegc_stop", &[0]), ("xfs_inodegc_throttle", &[0]), ("xfs_ioc_free_eofblocks", &[1]),
    ("xfs_iomap_alloc", &[3]), ("xfs_iomap_found", &[3]), ("xfs_map_blocks_alloc", &[4]),
    ("xfs_map_blocks_found", &[4]), ("xprt_get_cong", &[1]), ("xprt_put_cong", &[1]), ("xprt_release_cong", &[1]),
    ("xprt_reserve_cong", &[1]), ("xs_stream_read_data", &[0]),
];

/// Arguments of tracepoints that may hold an error instead (`raw_tp_null_args`).
#[rustfmt::skip]
static ERRORS: &[(&str, &[u32])] = &[
    ("cachefiles_lookup", &[2]), ("mr_integ_alloc", &[3]), ("nfs4_inode_callback_event", &[2]),
    ("nfs4_inode_stateid_callback_event", &[2]), ("signal_deliver", &[1]), ("signal_generate", &[1]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_for_the_search() {
        assert!(NULLABLE.is_sorted_by(|a, b| a.0 < b.0));
        assert!(ERRORS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(ITERATORS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn a_tracepoint_says_which_arguments_may_be_null() {
        let newest = Version::new(7, 3);
        assert_eq!(tracepoint(newest, "kfree_skb", false), [(3, TypedArg::Nullable)]);
        assert_eq!(tracepoint(newest, "sched_switch", false), []);
        assert_eq!(tracepoint(newest, "signal_generate", false), [(1, TypedArg::MayBeError)]);
        assert_eq!(tracepoint(newest, "of_a_module", true).len(), 12);
        assert_eq!(tracepoint(Version::new(6, 11), "kfree_skb", false), []);
    }
}
