//! The kernel's structure behind each kind of map, which programs may read through a pointer to the map (`map_btf_id`).

use bpfvet_platform::{MapKind, Version};

/// Maps have structures that programs may read from this release on.
const SINCE: Version = Version::new(5, 9);

#[rustfmt::skip]
static ROWS: &[(&str, &[MapKind])] = &[
    ("bpf_arena", &[MapKind::ARENA]),
    ("bpf_array", &[
        MapKind::ARRAY, MapKind::PERCPU_ARRAY, MapKind::PROG_ARRAY, MapKind::PERF_EVENT_ARRAY, MapKind::CGROUP_ARRAY,
        MapKind::ARRAY_OF_MAPS,
    ]),
    ("bpf_bloom_filter", &[MapKind::BLOOM_FILTER]),
    ("bpf_cgroup_storage_map", &[MapKind::CGROUP_STORAGE, MapKind::PERCPU_CGROUP_STORAGE]),
    ("bpf_cpu_map", &[MapKind::CPUMAP]),
    ("bpf_dtab", &[MapKind::DEVMAP, MapKind::DEVMAP_HASH]),
    ("bpf_htab", &[
        MapKind::HASH, MapKind::PERCPU_HASH, MapKind::LRU_HASH, MapKind::LRU_PERCPU_HASH, MapKind::HASH_OF_MAPS,
    ]),
    ("bpf_insn_array", &[MapKind::INSN_ARRAY]),
    ("bpf_local_storage_map", &[
        MapKind::SK_STORAGE, MapKind::INODE_STORAGE, MapKind::TASK_STORAGE, MapKind::CGRP_STORAGE,
    ]),
    ("bpf_queue_stack", &[MapKind::QUEUE, MapKind::STACK]),
    ("bpf_rhtab", &[MapKind::RHASH]),
    ("bpf_ringbuf_map", &[MapKind::RINGBUF, MapKind::USER_RINGBUF]),
    ("bpf_shtab", &[MapKind::SOCKHASH]),
    ("bpf_stab", &[MapKind::SOCKMAP]),
    ("bpf_stack_map", &[MapKind::STACK_TRACE]),
    ("bpf_struct_ops_map", &[MapKind::STRUCT_OPS]),
    ("lpm_trie", &[MapKind::LPM_TRIE]),
    ("reuseport_array", &[MapKind::REUSEPORT_SOCKARRAY]),
    ("xsk_map", &[MapKind::XSKMAP]),
];

/// The structure's name.
pub(crate) fn of(version: Version, kind: MapKind) -> Option<&'static str> {
    let (name, _) = ROWS.iter().find(|(_, kinds)| kinds.contains(&kind))?;
    version.at_least(SINCE).then_some(*name)
}
