//! Maps: what a program declares, and what a host knows of each kind.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use bpfvet_btf::FieldKind;

/// A kind of map, by the host's number (`enum bpf_map_type` on Linux).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MapKind(pub u32);

macro_rules! map_kinds {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl MapKind {
            $(#[doc = concat!("Linux's `", $text, "`.")] pub const $name: Self = Self($number);)*

            /// Its name in lower case, as libbpf spells it; `unknown` for a number that Linux does not use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self.0 { $($number => $text,)* _ => "unknown" }
            }
        }
    };
}

map_kinds! {
    UNSPEC = 0, "unspec"; HASH = 1, "hash"; ARRAY = 2, "array"; PROG_ARRAY = 3, "prog_array";
    PERF_EVENT_ARRAY = 4, "perf_event_array"; PERCPU_HASH = 5, "percpu_hash"; PERCPU_ARRAY = 6, "percpu_array";
    STACK_TRACE = 7, "stack_trace"; CGROUP_ARRAY = 8, "cgroup_array"; LRU_HASH = 9, "lru_hash";
    LRU_PERCPU_HASH = 10, "lru_percpu_hash"; LPM_TRIE = 11, "lpm_trie"; ARRAY_OF_MAPS = 12, "array_of_maps";
    HASH_OF_MAPS = 13, "hash_of_maps"; DEVMAP = 14, "devmap"; SOCKMAP = 15, "sockmap"; CPUMAP = 16, "cpumap";
    XSKMAP = 17, "xskmap"; SOCKHASH = 18, "sockhash"; CGROUP_STORAGE = 19, "cgroup_storage";
    REUSEPORT_SOCKARRAY = 20, "reuseport_sockarray"; PERCPU_CGROUP_STORAGE = 21, "percpu_cgroup_storage";
    QUEUE = 22, "queue"; STACK = 23, "stack"; SK_STORAGE = 24, "sk_storage"; DEVMAP_HASH = 25, "devmap_hash";
    STRUCT_OPS = 26, "struct_ops"; RINGBUF = 27, "ringbuf"; INODE_STORAGE = 28, "inode_storage";
    TASK_STORAGE = 29, "task_storage"; BLOOM_FILTER = 30, "bloom_filter"; USER_RINGBUF = 31, "user_ringbuf";
    CGRP_STORAGE = 32, "cgrp_storage"; ARENA = 33, "arena"; INSN_ARRAY = 34, "insn_array"; RHASH = 35, "rhash";
}

/// One special field of a map value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MapField {
    /// What it is.
    pub kind: FieldKind,
    /// Bytes from the start of the value.
    pub offset: u32,
    /// Bytes it takes.
    pub size: u32,
    /// BTF id, in the program's BTF, of what a kernel pointer points to, or of what a list or tree contains; 0 where that has no
    /// meaning.
    pub pointee: u32,
    /// For lists and trees: bytes from the start of what they contain to its node; 0 elsewhere.
    pub node: u32,
}

/// A map as the program declares it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MapDef {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: MapKind,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value.
    pub value_size: u32,
    /// Entries it can hold; bytes for ring buffers, pages for arenas.
    pub max_entries: u32,
    /// Creation flags (`BPF_F_*`).
    pub flags: u32,
    /// `map_extra`.
    pub extra: u64,
    /// Special fields of a value, by ascending offset.
    pub fields: Vec<MapField>,
    /// What the values of a map of maps look like.
    pub inner: Option<Box<MapDef>>,
    /// Its contents where nobody can change them any more: the values of a frozen, program-read-only array, in order.
    pub frozen: Option<Arc<[u8]>>,
    /// BTF ids of key and value in the program's BTF, 0 where there is none.
    pub btf_key: u32,
    /// BTF id of the value type.
    pub btf_value: u32,
}

impl MapDef {
    /// `BPF_F_RDONLY_PROG`: programs may only read values.
    pub const RDONLY_PROG: u32 = 1 << 7;
    /// `BPF_F_WRONLY_PROG`: programs may only write values.
    pub const WRONLY_PROG: u32 = 1 << 8;

    /// A map of this kind and shape, without special fields or contents.
    #[must_use]
    pub fn new(name: &str, kind: MapKind, key_size: u32, value_size: u32, max_entries: u32) -> Self {
        Self {
            name: name.into(),
            kind,
            key_size,
            value_size,
            max_entries,
            flags: 0,
            extra: 0,
            fields: Vec::new(),
            inner: None,
            frozen: None,
            btf_key: 0,
            btf_value: 0,
        }
    }

    /// Whether programs may read its values.
    #[must_use]
    pub const fn program_reads(&self) -> bool {
        self.flags & Self::WRONLY_PROG == 0
    }

    /// Whether programs may write its values.
    #[must_use]
    pub const fn program_writes(&self) -> bool {
        self.flags & Self::RDONLY_PROG == 0
    }

    /// The special field of this kind, if the value has one.
    #[must_use]
    pub fn field(&self, kind: FieldKind) -> Option<&MapField> {
        self.fields.iter().find(|field| field.kind == kind)
    }
}

/// What a host knows of a kind of map.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MapKindInfo {
    /// The kind.
    pub kind: MapKind,
    /// Its values can be addressed directly by a 64-bit immediate (`map_direct_value_addr`).
    pub direct_value: bool,
    /// And then only where the map has exactly one entry.
    pub direct_value_single: bool,
    /// A lookup with a constant key inside the bounds never fails (arrays).
    pub constant_key_lookup: bool,
    /// A lookup returns another map (map of maps).
    pub holds_maps: bool,
    /// A lookup returns a socket (sockmap, sockhash) or an XDP socket (xskmap).
    pub lookup: LookupResult,
    /// Usable from programs that may sleep.
    pub sleepable: bool,
    /// Creation flags that every map of this kind has, asked for or not.
    pub implied_flags: u32,
}

/// What looking up a key yields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LookupResult {
    /// A pointer to the value.
    Value,
    /// A pointer to the inner map.
    Map,
    /// A referenced socket.
    Socket,
    /// An XDP socket.
    XdpSocket,
}
