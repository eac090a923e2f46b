//! Which helper takes which kind of map (`check_map_func_compatibility`, kernel/bpf/verifier.c): one table from the map's side,
//! one from the helper's. Both must agree; what neither mentions is free.

use bpfvet_platform::{HelperId, MapKind, Version};

/// A restricted kind of map and the helpers that take it. Update and delete of maps that hold sockets depend on the program
/// besides (`may_update_sockmap`).
#[rustfmt::skip]
static BY_MAP: &[(MapKind, &[&str])] = &[
    (MapKind::PROG_ARRAY, &["tail_call"]),
    (MapKind::PERF_EVENT_ARRAY, &[
        "perf_event_read", "perf_event_output", "skb_output", "perf_event_read_value", "xdp_output",
    ]),
    (MapKind::RINGBUF, &[
        "ringbuf_output", "ringbuf_reserve", "ringbuf_query", "ringbuf_reserve_dynptr", "ringbuf_submit_dynptr",
        "ringbuf_discard_dynptr",
    ]),
    (MapKind::USER_RINGBUF, &["user_ringbuf_drain"]),
    (MapKind::STACK_TRACE, &["get_stackid"]),
    (MapKind::CGROUP_ARRAY, &["skb_under_cgroup", "current_task_under_cgroup"]),
    (MapKind::CGROUP_STORAGE, &["get_local_storage"]),
    (MapKind::PERCPU_CGROUP_STORAGE, &["get_local_storage"]),
    (MapKind::DEVMAP, &["redirect_map", "map_lookup_elem"]),
    (MapKind::DEVMAP_HASH, &["redirect_map", "map_lookup_elem"]),
    (MapKind::CPUMAP, &["redirect_map"]),
    (MapKind::XSKMAP, &["redirect_map", "map_lookup_elem"]),
    (MapKind::ARRAY_OF_MAPS, &["map_lookup_elem"]),
    (MapKind::HASH_OF_MAPS, &["map_lookup_elem"]),
    (MapKind::SOCKMAP, &[
        "sk_redirect_map", "sock_map_update", "msg_redirect_map", "sk_select_reuseport", "map_lookup_elem",
        "map_update_elem", "map_delete_elem",
    ]),
    (MapKind::SOCKHASH, &[
        "sk_redirect_hash", "sock_hash_update", "msg_redirect_hash", "sk_select_reuseport", "map_lookup_elem",
        "map_update_elem", "map_delete_elem",
    ]),
    (MapKind::REUSEPORT_SOCKARRAY, &["sk_select_reuseport"]),
    (MapKind::QUEUE, &["map_peek_elem", "map_pop_elem", "map_push_elem"]),
    (MapKind::STACK, &["map_peek_elem", "map_pop_elem", "map_push_elem"]),
    (MapKind::SK_STORAGE, &["sk_storage_get", "sk_storage_delete", "kptr_xchg"]),
    (MapKind::INODE_STORAGE, &["inode_storage_get", "inode_storage_delete", "kptr_xchg"]),
    (MapKind::TASK_STORAGE, &["task_storage_get", "task_storage_delete", "kptr_xchg"]),
    (MapKind::CGRP_STORAGE, &["cgrp_storage_get", "cgrp_storage_delete", "kptr_xchg"]),
    (MapKind::BLOOM_FILTER, &["map_peek_elem", "map_push_elem"]),
    (MapKind::INSN_ARRAY, &[]),
];

/// A restricted helper and the kinds of map that it takes.
#[rustfmt::skip]
static BY_HELPER: &[(&str, &[MapKind])] = &[
    ("tail_call", &[MapKind::PROG_ARRAY]),
    ("perf_event_read", &[MapKind::PERF_EVENT_ARRAY]),
    ("perf_event_output", &[MapKind::PERF_EVENT_ARRAY]),
    ("perf_event_read_value", &[MapKind::PERF_EVENT_ARRAY]),
    ("skb_output", &[MapKind::PERF_EVENT_ARRAY]),
    ("xdp_output", &[MapKind::PERF_EVENT_ARRAY]),
    ("ringbuf_output", &[MapKind::RINGBUF]),
    ("ringbuf_reserve", &[MapKind::RINGBUF]),
    ("ringbuf_query", &[MapKind::RINGBUF]),
    ("ringbuf_reserve_dynptr", &[MapKind::RINGBUF]),
    ("ringbuf_submit_dynptr", &[MapKind::RINGBUF]),
    ("ringbuf_discard_dynptr", &[MapKind::RINGBUF]),
    ("user_ringbuf_drain", &[MapKind::USER_RINGBUF]),
    ("get_stackid", &[MapKind::STACK_TRACE]),
    ("current_task_under_cgroup", &[MapKind::CGROUP_ARRAY]),
    ("skb_under_cgroup", &[MapKind::CGROUP_ARRAY]),
    ("redirect_map", &[MapKind::DEVMAP, MapKind::DEVMAP_HASH, MapKind::CPUMAP, MapKind::XSKMAP]),
    ("sk_redirect_map", &[MapKind::SOCKMAP]),
    ("msg_redirect_map", &[MapKind::SOCKMAP]),
    ("sock_map_update", &[MapKind::SOCKMAP]),
    ("sk_redirect_hash", &[MapKind::SOCKHASH]),
    ("msg_redirect_hash", &[MapKind::SOCKHASH]),
    ("sock_hash_update", &[MapKind::SOCKHASH]),
    ("get_local_storage", &[MapKind::CGROUP_STORAGE, MapKind::PERCPU_CGROUP_STORAGE]),
    ("sk_select_reuseport", &[MapKind::REUSEPORT_SOCKARRAY, MapKind::SOCKMAP, MapKind::SOCKHASH]),
    ("map_pop_elem", &[MapKind::QUEUE, MapKind::STACK]),
    ("map_peek_elem", &[MapKind::QUEUE, MapKind::STACK, MapKind::BLOOM_FILTER]),
    ("map_push_elem", &[MapKind::QUEUE, MapKind::STACK, MapKind::BLOOM_FILTER]),
    ("map_lookup_percpu_elem", &[MapKind::PERCPU_ARRAY, MapKind::PERCPU_HASH, MapKind::LRU_PERCPU_HASH]),
    ("sk_storage_get", &[MapKind::SK_STORAGE]),
    ("sk_storage_delete", &[MapKind::SK_STORAGE]),
    ("inode_storage_get", &[MapKind::INODE_STORAGE]),
    ("inode_storage_delete", &[MapKind::INODE_STORAGE]),
    ("task_storage_get", &[MapKind::TASK_STORAGE]),
    ("task_storage_delete", &[MapKind::TASK_STORAGE]),
    ("cgrp_storage_get", &[MapKind::CGRP_STORAGE]),
    ("cgrp_storage_delete", &[MapKind::CGRP_STORAGE]),
];

/// Pairs that came later than both the kind and the helper.
#[rustfmt::skip]
static LATER: &[(MapKind, &str, Version)] = &[
    (MapKind::DEVMAP, "map_lookup_elem", Version::new(5, 3)),
    (MapKind::XSKMAP, "map_lookup_elem", Version::new(5, 3)),
    (MapKind::SOCKMAP, "sk_select_reuseport", Version::new(5, 7)),
    (MapKind::SOCKHASH, "sk_select_reuseport", Version::new(5, 7)),
    (MapKind::SOCKMAP, "map_lookup_elem", Version::new(5, 8)),
    (MapKind::SOCKHASH, "map_lookup_elem", Version::new(5, 8)),
    (MapKind::SOCKMAP, "map_update_elem", Version::new(5, 10)),
    (MapKind::SOCKHASH, "map_update_elem", Version::new(5, 10)),
    (MapKind::SOCKMAP, "map_delete_elem", Version::new(5, 10)),
    (MapKind::SOCKHASH, "map_delete_elem", Version::new(5, 10)),
    (MapKind::SK_STORAGE, "kptr_xchg", Version::new(6, 4)),
    (MapKind::INODE_STORAGE, "kptr_xchg", Version::new(6, 4)),
    (MapKind::TASK_STORAGE, "kptr_xchg", Version::new(6, 4)),
    (MapKind::CGRP_STORAGE, "kptr_xchg", Version::new(6, 4)),
];

/// Whether a map of this kind may be passed to this helper.
pub(crate) fn allows(version: Version, kind: MapKind, helper: HelperId) -> bool {
    let name = crate::helpers::name(helper).unwrap_or("");
    let later = LATER.iter().find(|(one, other, _)| *one == kind && *other == name);
    BY_MAP.iter().find(|(one, _)| *one == kind).is_none_or(|(_, helpers)| helpers.contains(&name))
        && BY_HELPER.iter().find(|(one, _)| *one == name).is_none_or(|(_, kinds)| kinds.contains(&kind))
        && later.is_none_or(|(_, _, since)| version.at_least(*since))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two sides of the table agree wherever both speak: a helper that names its maps is in the list of each of those
    /// maps, and the other way round.
    #[test]
    fn the_two_sides_agree() {
        for (kind, helpers) in BY_MAP {
            for helper in *helpers {
                if let Some((_, kinds)) = BY_HELPER.iter().find(|(one, _)| one == helper) {
                    assert!(kinds.contains(kind), "{helper} does not take {}", kind.name());
                }
            }
        }
        for (helper, kinds) in BY_HELPER {
            for kind in *kinds {
                if let Some((_, helpers)) = BY_MAP.iter().find(|(one, _)| one == kind) {
                    assert!(helpers.contains(helper), "{} is not for {helper}", kind.name());
                }
            }
        }
    }

    #[test]
    fn every_name_is_a_helper() {
        let by_map = BY_MAP.iter().flat_map(|(_, helpers)| *helpers);
        for name in by_map.chain(BY_HELPER.iter().map(|(name, _)| name)).chain(LATER.iter().map(|(_, name, _)| name)) {
            assert!(crate::helpers::by_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_came_later_is_allowed_now() {
        for (kind, name, since) in LATER {
            let helper = crate::helpers::by_name(name).unwrap();
            assert!(allows(*since, *kind, helper), "{name} on {}", kind.name());
            assert!(!allows(Version::new(since.major, since.minor - 1), *kind, helper));
        }
    }
}
