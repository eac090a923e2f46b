//! Which maps can be created: capabilities, sizes, flags and special fields (`map_create`, the kinds' `map_alloc_check`, and
//! `map_check_btf`, kernel/bpf).

use bpfvet_platform::{FieldKind, MapDef, MapKind, MapRefusal, Privilege};

const NO_PREALLOC: u32 = 1 << 0;
const NO_COMMON_LRU: u32 = 1 << 1;
const NUMA_NODE: u32 = 1 << 2;
const RDONLY: u32 = 1 << 3;
const WRONLY: u32 = 1 << 4;
const STACK_BUILD_ID: u32 = 1 << 5;
const ZERO_SEED: u32 = 1 << 6;
const CLONE: u32 = 1 << 9;
const MMAPABLE: u32 = 1 << 10;
const PRESERVE_ELEMS: u32 = 1 << 11;
const INNER_MAP: u32 = 1 << 12;
const LINK: u32 = 1 << 13;
const VTYPE_BTF_OBJ_FD: u32 = 1 << 15;
const SEGV_ON_FAULT: u32 = 1 << 17;
const NO_USER_CONV: u32 = 1 << 18;
const RB_OVERWRITE: u32 = 1 << 19;

const ACCESS: u32 = RDONLY | WRONLY | MapDef::RDONLY_PROG | MapDef::WRONLY_PROG;
const PROGRAM_ACCESS: u32 = MapDef::RDONLY_PROG | MapDef::WRONLY_PROG;
const ARRAY_FLAGS: u32 = NUMA_NODE | ACCESS;
const HASH_FLAGS: u32 = NO_PREALLOC | NUMA_NODE | ACCESS | ZERO_SEED;

/// What a size or a number may be.
#[derive(Clone, Copy)]
enum Is {
    /// Exactly this.
    Just(u32),
    /// One of these two.
    Either(u32, u32),
    /// Between these two, both included.
    Between(u32, u32),
    /// Anything.
    Any,
}

/// Anything but zero.
const SOME: Is = Is::Between(1, u32::MAX);

impl Is {
    fn holds(self, value: u32) -> bool {
        match self {
            Self::Just(one) => value == one,
            Self::Either(one, other) => value == one || value == other,
            Self::Between(min, max) => (min..=max).contains(&value),
            Self::Any => true,
        }
    }
}

/// Who may create maps of a kind (`map_create`).
#[derive(Clone, Copy)]
enum Needs {
    Nothing,
    Bpf,
    NetAdmin,
}

/// What a kind demands of its maps.
struct Rule {
    kind: MapKind,
    needs: Needs,
    key: Is,
    value: Is,
    entries: Is,
    /// Flags that it takes.
    flags: u32,
    /// Flags that it demands.
    demands: u32,
}

const fn rule(kind: MapKind, needs: Needs, key: Is, value: Is, entries: Is, flags: u32) -> Rule {
    Rule { kind, needs, key, value, entries, flags, demands: 0 }
}

impl Rule {
    const fn demands(self, demands: u32) -> Self {
        Self { demands, ..self }
    }
}

use Is::{Any, Between, Either, Just};
use Needs::{Bpf, NetAdmin, Nothing};

/// The most that the kernel allocates in one piece on x86-64 (`KMALLOC_MAX_SIZE`).
const KMALLOC_MAX: u32 = 4 << 20;
/// The most that one value may take per processor (`PCPU_MIN_UNIT_SIZE`).
const PERCPU_MAX: u32 = 32 << 10;
/// The most that a value in local storage may take (`BPF_LOCAL_STORAGE_MAX_VALUE_SIZE`: 64 KiB less the kernel's own part).
const STORAGE_MAX: u32 = 0xffff;
/// The largest array value (`INT_MAX`).
const ARRAY_MAX: u32 = i32::MAX as u32;
/// Frames of a stack trace (`sysctl_perf_event_max_stack`).
const FRAMES_MAX: u32 = 127;
/// Bytes of a frame: an address, or a build id and an offset.
const FRAME: u32 = 8;
const FRAME_WITH_BUILD_ID: u32 = 32;
/// Entries of a table that rounds up to a power of two.
const POWER_MAX: u32 = 1 << 31;

/// Every kind, by number.
#[rustfmt::skip]
static RULES: &[Rule] = &[
    rule(MapKind::HASH, Nothing, SOME, SOME, SOME, HASH_FLAGS),
    rule(MapKind::ARRAY, Nothing, Just(4), Between(1, ARRAY_MAX), SOME, ARRAY_FLAGS | MMAPABLE | INNER_MAP),
    rule(MapKind::PROG_ARRAY, Nothing, Just(4), Just(4), SOME, NUMA_NODE | RDONLY | WRONLY),
    rule(MapKind::PERF_EVENT_ARRAY, Nothing, Just(4), Just(4), Any, NUMA_NODE | RDONLY | WRONLY | PRESERVE_ELEMS),
    rule(MapKind::PERCPU_HASH, Nothing, SOME, Between(1, PERCPU_MAX), SOME, HASH_FLAGS & !NUMA_NODE),
    rule(MapKind::PERCPU_ARRAY, Nothing, Just(4), Between(1, PERCPU_MAX), SOME, ACCESS),
    rule(MapKind::STACK_TRACE, Bpf, Just(4), Between(8, FRAMES_MAX * FRAME_WITH_BUILD_ID), Between(1, POWER_MAX), NUMA_NODE | RDONLY | WRONLY | STACK_BUILD_ID),
    rule(MapKind::CGROUP_ARRAY, Nothing, Just(4), Just(4), SOME, NUMA_NODE | RDONLY | WRONLY),
    rule(MapKind::LRU_HASH, Bpf, SOME, SOME, SOME, (HASH_FLAGS | NO_COMMON_LRU) & !NO_PREALLOC),
    rule(MapKind::LRU_PERCPU_HASH, Bpf, SOME, Between(1, PERCPU_MAX), SOME, (HASH_FLAGS | NO_COMMON_LRU) & !NO_PREALLOC & !NUMA_NODE),
    rule(MapKind::LPM_TRIE, Bpf, Between(5, 260), Between(1, KMALLOC_MAX), SOME, NO_PREALLOC | NUMA_NODE | ACCESS).demands(NO_PREALLOC),
    rule(MapKind::ARRAY_OF_MAPS, Nothing, Just(4), Just(4), SOME, NUMA_NODE | RDONLY | WRONLY),
    rule(MapKind::HASH_OF_MAPS, Nothing, SOME, Just(4), SOME, HASH_FLAGS),
    rule(MapKind::DEVMAP, NetAdmin, Just(4), Either(4, 8), SOME, NUMA_NODE | RDONLY | WRONLY),
    rule(MapKind::SOCKMAP, NetAdmin, Just(4), Either(4, 8), SOME, NUMA_NODE | RDONLY | WRONLY),
    rule(MapKind::CPUMAP, Bpf, Just(4), Either(4, 8), SOME, NUMA_NODE),
    rule(MapKind::XSKMAP, NetAdmin, Just(4), Just(4), SOME, NUMA_NODE | RDONLY | WRONLY),
    rule(MapKind::SOCKHASH, NetAdmin, Between(1, 512), Either(4, 8), SOME, NUMA_NODE | RDONLY | WRONLY),
    rule(MapKind::CGROUP_STORAGE, Nothing, Either(8, 16), Between(1, STORAGE_MAX), Just(0), NUMA_NODE | ACCESS),
    rule(MapKind::REUSEPORT_SOCKARRAY, Bpf, Just(4), Either(4, 8), SOME, ARRAY_FLAGS),
    rule(MapKind::PERCPU_CGROUP_STORAGE, Nothing, Either(8, 16), Between(1, PERCPU_MAX), Just(0), NUMA_NODE | ACCESS),
    rule(MapKind::QUEUE, Bpf, Just(0), Between(1, KMALLOC_MAX), SOME, NUMA_NODE | ACCESS),
    rule(MapKind::STACK, Bpf, Just(0), Between(1, KMALLOC_MAX), SOME, NUMA_NODE | ACCESS),
    rule(MapKind::SK_STORAGE, Bpf, Just(4), Between(1, STORAGE_MAX), Just(0), NO_PREALLOC | CLONE).demands(NO_PREALLOC),
    rule(MapKind::DEVMAP_HASH, NetAdmin, Just(4), Either(4, 8), Between(1, POWER_MAX), NUMA_NODE | RDONLY | WRONLY),
    rule(MapKind::STRUCT_OPS, Bpf, Just(4), Any, Just(1), LINK | VTYPE_BTF_OBJ_FD),
    rule(MapKind::RINGBUF, Nothing, Just(0), Just(0), Between(4096, POWER_MAX), NUMA_NODE | RB_OVERWRITE),
    rule(MapKind::INODE_STORAGE, Bpf, Just(4), Between(1, STORAGE_MAX), Just(0), NO_PREALLOC | CLONE).demands(NO_PREALLOC),
    rule(MapKind::TASK_STORAGE, Bpf, Just(4), Between(1, STORAGE_MAX), Just(0), NO_PREALLOC | CLONE).demands(NO_PREALLOC),
    rule(MapKind::BLOOM_FILTER, Bpf, Just(0), SOME, SOME, NUMA_NODE | ZERO_SEED | ACCESS),
    rule(MapKind::USER_RINGBUF, Nothing, Just(0), Just(0), Between(4096, POWER_MAX), NUMA_NODE),
    rule(MapKind::CGRP_STORAGE, Bpf, Just(4), Between(1, STORAGE_MAX), Just(0), NO_PREALLOC | CLONE).demands(NO_PREALLOC),
    rule(MapKind::ARENA, Bpf, Just(0), Just(0), Between(1, 1 << 20), SEGV_ON_FAULT | MMAPABLE | NO_USER_CONV).demands(MMAPABLE),
    rule(MapKind::INSN_ARRAY, Bpf, Just(4), Just(16), SOME, 0),
    rule(MapKind::RHASH, Nothing, Between(1, 0xffff), SOME, SOME, HASH_FLAGS & !ZERO_SEED).demands(NO_PREALLOC),
];

/// Which kinds may hold which special field (`map_check_btf`).
fn holds(kind: MapKind, field: FieldKind) -> bool {
    let storage = is_local_storage(kind);
    let percpu = matches!(kind, MapKind::PERCPU_HASH | MapKind::LRU_PERCPU_HASH | MapKind::PERCPU_ARRAY);
    match field {
        FieldKind::SpinLock | FieldKind::ResSpinLock => {
            storage || matches!(kind, MapKind::HASH | MapKind::RHASH | MapKind::ARRAY | MapKind::CGROUP_STORAGE)
        }
        FieldKind::Timer | FieldKind::Workqueue | FieldKind::TaskWork => {
            matches!(kind, MapKind::HASH | MapKind::RHASH | MapKind::LRU_HASH | MapKind::ARRAY)
        }
        FieldKind::KptrUnref | FieldKind::KptrRef | FieldKind::KptrPercpu | FieldKind::Refcount => {
            storage || percpu || matches!(kind, MapKind::HASH | MapKind::RHASH | MapKind::LRU_HASH | MapKind::ARRAY)
        }
        FieldKind::Uptr => kind == MapKind::TASK_STORAGE,
        FieldKind::ListHead | FieldKind::RbRoot => matches!(kind, MapKind::HASH | MapKind::LRU_HASH | MapKind::ARRAY),
        // Nodes live in allocated objects, never in a map.
        FieldKind::ListNode | FieldKind::RbNode => false,
    }
}

/// Values that belong to an object of the kernel (`bpf_local_storage_map_alloc_check`).
fn is_local_storage(kind: MapKind) -> bool {
    matches!(kind, MapKind::SK_STORAGE | MapKind::INODE_STORAGE | MapKind::TASK_STORAGE | MapKind::CGRP_STORAGE)
}

/// Whether the value holds whole frames and not too many, if it is a stack trace (`stack_map_alloc`).
fn is_whole_trace(map: &MapDef) -> bool {
    let frame = if map.flags & STACK_BUILD_ID == 0 { FRAME } else { FRAME_WITH_BUILD_ID };
    map.kind != MapKind::STACK_TRACE
        || (map.value_size.is_multiple_of(frame) && map.value_size.div_ceil(frame) <= FRAMES_MAX)
}

/// Whether a loader with this privilege can create the map. What only the running machine knows (memory, processors, the
/// sysctl on stack depth when it was changed) is taken to be in order.
pub(crate) fn check(map: &MapDef, privilege: Privilege) -> Result<(), MapRefusal> {
    let Some(Rule { kind, needs, key, value, entries, flags, demands }) =
        RULES.iter().find(|rule| rule.kind == map.kind)
    else {
        return Err(MapRefusal::UnknownKind);
    };
    let program_access = map.flags & PROGRAM_ACCESS;
    if map.flags & !flags != 0 || map.flags & demands != *demands || program_access == PROGRAM_ACCESS {
        return Err(MapRefusal::Flags);
    }
    if map.flags & ZERO_SEED != 0 && !privilege.sys_admin {
        return Err(MapRefusal::Flags);
    }
    let ring = matches!(*kind, MapKind::RINGBUF | MapKind::USER_RINGBUF);
    if !entries.holds(map.max_entries) || (ring && !map.max_entries.is_power_of_two()) {
        return Err(MapRefusal::MaxEntries);
    }
    if !key.holds(map.key_size) {
        return Err(MapRefusal::KeySize);
    }
    if !value.holds(map.value_size) || !is_whole_trace(map) {
        return Err(MapRefusal::ValueSize);
    }
    if is_local_storage(*kind) && (map.btf_key == 0 || map.btf_value == 0) {
        return Err(MapRefusal::NeedsTypes);
    }
    let holds_maps = matches!(*kind, MapKind::ARRAY_OF_MAPS | MapKind::HASH_OF_MAPS);
    if holds_maps != map.inner.is_some() {
        return Err(MapRefusal::Inner);
    }
    match needs {
        Needs::Nothing => {}
        Needs::Bpf if privilege.bpf => {}
        Needs::Bpf => return Err(MapRefusal::NeedsBpf),
        Needs::NetAdmin if privilege.net_admin => {}
        Needs::NetAdmin => return Err(MapRefusal::NeedsNetAdmin),
    }
    if !map.fields.is_empty() {
        if !privilege.bpf {
            return Err(MapRefusal::NeedsBpf);
        }
        if program_access != 0 {
            return Err(MapRefusal::Flags);
        }
    }
    match map.fields.iter().find(|field| !holds(*kind, field.kind)) {
        Some(field) => Err(MapRefusal::Field(field.kind)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_rule() {
        for row in super::super::ROWS {
            assert_eq!(RULES.iter().filter(|rule| rule.kind == row.kind).count(), 1, "{}", row.kind.name());
        }
    }

    #[test]
    fn the_usual_maps_can_be_created() {
        let full = Privilege::FULL;
        assert_eq!(check(&MapDef::new("a", MapKind::ARRAY, 4, 8, 1), full), Ok(()));
        assert_eq!(check(&MapDef::new("h", MapKind::HASH, 16, 8, 1024), Privilege::NONE), Ok(()));
        assert_eq!(check(&MapDef::new("r", MapKind::RINGBUF, 0, 0, 4096), full), Ok(()));
        assert_eq!(check(&MapDef::new("e", MapKind::PERF_EVENT_ARRAY, 4, 4, 0), full), Ok(()));
        assert_eq!(check(&MapDef::new("q", MapKind::QUEUE, 0, 4, 8), full), Ok(()));
    }

    #[test]
    fn what_a_kind_does_not_take_is_refused() {
        let full = Privilege::FULL;
        assert_eq!(check(&MapDef::new("a", MapKind::ARRAY, 8, 8, 1), full), Err(MapRefusal::KeySize));
        assert_eq!(check(&MapDef::new("a", MapKind::ARRAY, 4, 0, 1), full), Err(MapRefusal::ValueSize));
        assert_eq!(check(&MapDef::new("h", MapKind::HASH, 4, 4, 0), full), Err(MapRefusal::MaxEntries));
        assert_eq!(check(&MapDef::new("r", MapKind::RINGBUF, 0, 0, 4096 * 3), full), Err(MapRefusal::MaxEntries));
        assert_eq!(check(&MapDef::new("t", MapKind::LPM_TRIE, 8, 4, 1), full), Err(MapRefusal::Flags));
        assert_eq!(check(&MapDef::new("s", MapKind::STACK_TRACE, 4, 12, 1), full), Err(MapRefusal::ValueSize));
        assert_eq!(check(&MapDef::new("s", MapKind::STACK_TRACE, 4, 127 * 32, 1), full), Err(MapRefusal::ValueSize));
        let by_build_id = |size| MapDef { flags: STACK_BUILD_ID, ..MapDef::new("s", MapKind::STACK_TRACE, 4, size, 1) };
        assert_eq!(check(&by_build_id(127 * 32), full), Ok(()));
        assert_eq!(check(&by_build_id(40), full), Err(MapRefusal::ValueSize));
        let untyped = MapDef { flags: NO_PREALLOC, ..MapDef::new("k", MapKind::SK_STORAGE, 4, 4, 0) };
        assert_eq!(check(&untyped, full), Err(MapRefusal::NeedsTypes));
        assert_eq!(check(&MapDef { btf_key: 1, btf_value: 1, ..untyped }, full), Ok(()));
        assert_eq!(check(&MapDef::new("o", MapKind::HASH_OF_MAPS, 4, 4, 1), full), Err(MapRefusal::Inner));
        assert_eq!(check(&MapDef::new("q", MapKind::QUEUE, 0, 4, 8), Privilege::NONE), Err(MapRefusal::NeedsBpf));
        let admin = Privilege { net_admin: false, ..full };
        assert_eq!(check(&MapDef::new("d", MapKind::DEVMAP, 4, 4, 8), admin), Err(MapRefusal::NeedsNetAdmin));
    }
}
