//! Behaviours of a host, by name.

use crate::Version;

macro_rules! features {
    ($($(#[doc = $doc:literal])+ $variant:ident, $name:ident, $since:expr;)*) => {
        /// One behaviour that some hosts have and others do not.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
        #[repr(u8)]
        pub enum Feature { $($(#[doc = $doc])+ $variant,)* }

        impl Feature {
            /// Every feature, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The Linux release that brought it.
            #[must_use]
            pub const fn since(self) -> Version {
                match self { $(Self::$variant => $since,)* }
            }

            /// Its name, as in `Features`' accessors.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($name),)* }
            }
        }

        impl Features {
            $($(#[doc = $doc])+ #[must_use] pub const fn $name(&self) -> bool { self.has(Feature::$variant) })*
        }
    };
}

/// The set of behaviours that a host has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Features {
    bits: u128,
}

impl Features {
    /// None of them.
    pub const NONE: Self = Self { bits: 0 };

    /// All of them: the newest host.
    pub const ALL: Self = Self::of(Feature::ALL);

    /// Exactly these.
    #[must_use]
    pub const fn of(list: &[Feature]) -> Self {
        let mut bits = 0;
        let mut rest = list;
        while let [first, tail @ ..] = rest {
            bits |= 1 << (*first as u8);
            rest = tail;
        }
        Self { bits }
    }

    /// Those that Linux had at `version`.
    #[must_use]
    pub const fn linux(version: Version) -> Self {
        let mut bits = 0;
        let mut rest = Feature::ALL;
        while let [first, tail @ ..] = rest {
            if version.at_least(first.since()) {
                bits |= 1 << (*first as u8);
            }
            rest = tail;
        }
        Self { bits }
    }

    /// Whether the host has it.
    #[must_use]
    pub const fn has(&self, feature: Feature) -> bool {
        self.bits & (1 << (feature as u8)) != 0
    }

    /// These and `feature`.
    #[must_use]
    pub const fn with(self, feature: Feature) -> Self {
        Self { bits: self.bits | 1 << (feature as u8) }
    }

    /// These without `feature`.
    #[must_use]
    pub const fn without(self, feature: Feature) -> Self {
        Self { bits: self.bits & !(1 << (feature as u8)) }
    }

    /// Its members, in the order of the list.
    pub fn iter(self) -> impl Iterator<Item = Feature> {
        Feature::ALL.iter().copied().filter(move |feature| self.has(*feature))
    }
}

const fn v(major: u16, minor: u16) -> Version {
    Version::new(major, minor)
}

features! {
    /// Functions within a program: calls to static subprograms.
    Subprograms, subprograms, v(4, 16);
    /// Global functions are verified once, on their own.
    GlobalFunctions, global_functions, v(5, 6);
    /// `<`, `<=` and their signed forms as branch conditions.
    LessThanBranches, less_than_branches, v(4, 14);
    /// 32-bit branches.
    Jmp32, jmp32, v(5, 1);
    /// Loops that end are accepted.
    BoundedLoops, bounded_loops, v(5, 3);
    /// A million processed instructions instead of 131,072, and as many in a program.
    MillionInsns, million_insns, v(5, 2);
    /// Scalars start imprecise and are marked precise on demand.
    PrecisionTracking, precision_tracking, v(5, 3);
    /// Direct access to the value of a single-element map.
    DirectValueAccess, direct_value_access, v(5, 2);
    /// Contents of frozen read-only maps are known to the verifier.
    ReadOnlyMapContents, read_only_map_contents, v(5, 5);
    /// Capabilities split: `CAP_BPF` and `CAP_PERFMON`.
    CapBpf, cap_bpf, v(5, 8);
    /// Tail calls and subprograms in one program.
    TailCallsWithSubprograms, tail_calls_with_subprograms, v(5, 10);
    /// Atomic operations beyond add.
    Atomics, atomics, v(5, 12);
    /// Static functions as callbacks, and addresses of functions.
    FunctionPointers, function_pointers, v(5, 13);
    /// Calls to kernel functions.
    KernelFunctions, kernel_functions, v(5, 13);
    /// Maps named by index into the load request.
    MapIndexes, map_indexes, v(5, 14);
    /// Sign-extending loads and moves, signed division, unconditional byte swap, 32-bit jump offsets.
    IsaV4, isa_v4, v(6, 6);
    /// The `may_goto` instruction.
    MayGoto, may_goto, v(6, 9);
    /// Address-space casts and arena maps.
    Arena, arena, v(6, 9);
    /// Programs may throw exceptions.
    Exceptions, exceptions, v(6, 7);
    /// Load-acquire and store-release.
    AcquireRelease, acquire_release, v(6, 15);
    /// Indirect jumps through tables of instructions.
    IndirectJumps, indirect_jumps, v(6, 19);
    /// Arguments beyond the fifth are passed on the stack.
    StackArguments, stack_arguments, v(7, 3);
    /// Privileged programs may read stack that was never written.
    UninitStackReads, uninit_stack_reads, v(6, 3);
    /// Scalars spilled by immediate stores keep their value.
    PreciseSpillOfImm, precise_spill_of_imm, v(6, 8);
    /// Callbacks are explored as loops, not once.
    CallbackLoops, callback_loops, v(6, 8);
    /// Errors on speculative paths end the path, not the program.
    SpeculationBarriers, speculation_barriers, v(6, 17);
    /// Liveness of registers and stack slots is computed before the search.
    StaticLiveness, static_liveness, v(7, 1);
    /// Branches on constants are removed before the search.
    DeadBranchPruning, dead_branch_pruning, v(7, 1);
    /// Ranges of numbers are circular.
    CircularRanges, circular_ranges, v(7, 2);
}
