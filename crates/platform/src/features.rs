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
    /// Packet bytes may be read through pointers that were compared with the packet's end.
    DirectPacketAccess, direct_packet_access, v(4, 7);
    /// Known bits and signed and unsigned ranges are tracked side by side; before, one range of small numbers.
    ValueTracking, value_tracking, v(4, 14);
    /// `<`, `<=` and their signed forms as branch conditions.
    LessThanBranches, less_than_branches, v(4, 14);
    /// Functions within a program: calls to static subprograms.
    Subprograms, subprograms, v(4, 16);
    /// System calls take their arguments from saved registers, behind a wrapper (x86-64).
    SyscallWrappers, syscall_wrappers, v(4, 17);
    /// References that a call acquires must be released on every path.
    References, references, v(4, 20);
    /// Pointer arithmetic of unprivileged programs must keep its bounds when mispredicted.
    PointerSanitation, pointer_sanitation, v(5, 0);
    /// 32-bit branches.
    Jmp32, jmp32, v(5, 1);
    /// Spin locks in map values.
    SpinLocks, spin_locks, v(5, 1);
    /// A million processed instructions instead of 131,072, and as many in a program.
    MillionInsns, million_insns, v(5, 2);
    /// Direct access to the value of a single-element map.
    DirectValueAccess, direct_value_access, v(5, 2);
    /// Loops that end are accepted.
    BoundedLoops, bounded_loops, v(5, 3);
    /// Scalars start imprecise and are marked precise on demand.
    PrecisionTracking, precision_tracking, v(5, 3);
    /// Contents of frozen read-only maps are known to the verifier.
    ReadOnlyMapContents, read_only_map_contents, v(5, 5);
    /// Pointers to structures of the kernel, typed by its BTF.
    TypedPointers, typed_pointers, v(5, 5);
    /// Global functions are verified once, on their own.
    GlobalFunctions, global_functions, v(5, 6);
    /// The low half of a number has ranges of its own.
    SubregisterRanges, subregister_ranges, v(5, 7);
    /// Capabilities split: `CAP_BPF` and `CAP_PERFMON`.
    CapBpf, cap_bpf, v(5, 8);
    /// Tail calls and subprograms in one program.
    TailCallsWithSubprograms, tail_calls_with_subprograms, v(5, 10);
    /// Programs may sleep.
    SleepablePrograms, sleepable_programs, v(5, 10);
    /// Addresses of variables of the kernel.
    KernelVariables, kernel_variables, v(5, 10);
    /// A branch on one scalar refines its copies.
    LinkedScalars, linked_scalars, v(5, 10);
    /// Atomic operations beyond add.
    Atomics, atomics, v(5, 12);
    /// Global functions take pointers to memory.
    GlobalFunctionPointers, global_function_pointers, v(5, 12);
    /// Static functions as callbacks, and addresses of functions.
    FunctionPointers, function_pointers, v(5, 13);
    /// Calls to kernel functions.
    KernelFunctions, kernel_functions, v(5, 13);
    /// Maps named by index into the load request.
    MapIndexes, map_indexes, v(5, 14);
    /// Timers, and callbacks that run later.
    AsyncCallbacks, async_callbacks, v(5, 15);
    /// Programs are attached with a number of the user's own, a cookie.
    AttachCookies, attach_cookies, v(5, 15);
    /// Numbers narrower than a stack slot are spilled and filled.
    NarrowSpills, narrow_spills, v(5, 16);
    /// Arguments in a typed context may point to numbers of any size; before, to bytes and to nothing known.
    NumberPointerArguments, number_pointer_arguments, v(5, 17);
    /// Dynamic pointers, and kernel pointers in map values.
    Dynptrs, dynptrs, v(5, 19);
    /// A helper's result of a fixed size may go where nothing was written before.
    ResultsIntoNewRoom, results_into_new_room, v(6, 1);
    /// Arguments in a typed context may be structures.
    StructureArguments, structure_arguments, v(6, 1);
    /// Pointers of the kernel are trusted, untrusted, or protected by RCU.
    TrustedPointers, trusted_pointers, v(6, 2);
    /// Objects that programs allocate, and linked lists of them.
    AllocatedObjects, allocated_objects, v(6, 2);
    /// Any memory may hold a map's key or value.
    MemoryAsKeys, memory_as_keys, v(6, 2);
    /// Of two equal pointers neither is null where one cannot be.
    NullnessByComparison, nullness_by_comparison, v(6, 2);
    /// Red-black trees of allocated objects, and references that do not own.
    NonOwningReferences, non_owning_references, v(6, 3);
    /// A dynamic pointer that owns nothing may be made anew where it is.
    DynptrsMadeAnew, dynptrs_made_anew, v(6, 3);
    /// A cookie is made of a TCP header whose length is not known to differ from zero.
    ZeroCookieLengths, zero_cookie_lengths, v(6, 3);
    /// Privileged programs may read stack that was never written.
    UninitStackReads, uninit_stack_reads, v(6, 3);
    /// Helpers take objects that may be null, where they look for themselves.
    NullObjects, null_objects, v(6, 4);
    /// A copy of the low half stays linked to its number, where the high half is zero.
    LinkedLowHalves, linked_low_halves, v(6, 4);
    /// Open-coded iterators.
    Iterators, iterators, v(6, 4);
    /// Scalars spilled by immediate stores keep their value.
    PreciseSpillOfImm, precise_spill_of_imm, v(6, 4);
    /// Equality with a constant is decided by ranges as well as by known bits, and comparisons whose constant is on the left are decided.
    EqualityByRanges, equality_by_ranges, v(6, 4);
    /// Precision is tracked back across calls.
    PrecisionAcrossCalls, precision_across_calls, v(6, 4);
    /// What is read as a number through a union may go beyond the member in which it begins.
    ReadsAcrossUnionMembers, reads_across_union_members, v(6, 6);
    /// Sign-extending loads and moves, signed division, unconditional byte swap, 32-bit jump offsets.
    IsaV4, isa_v4, v(6, 6);
    /// Programs may throw exceptions.
    Exceptions, exceptions, v(6, 7);
    /// Callbacks are explored as loops, not once.
    CallbackLoops, callback_loops, v(6, 7);
    /// Loops of privileged programs may be entered anywhere, not only at a jump's target.
    LoopsEnteredAnywhere, loops_entered_anywhere, v(6, 7);
    /// Pointers to maps, to buffers and to memory of a known size are known not to be null.
    KnownNotNull, known_not_null, v(6, 7);
    /// Arguments of global functions say what they are (`arg:ctx`, `arg:nonnull`), and may be dynamic pointers.
    GlobalArgumentTags, global_argument_tags, v(6, 8);
    /// Global functions that nobody calls are not verified.
    LazyGlobalFunctions, lazy_global_functions, v(6, 8);
    /// Comparisons of two numbers that are not constant are decided and teach, and inequality takes a constant off the end of a range.
    RangeComparisons, range_comparisons, v(6, 8);
    /// Arguments of global functions may be objects of the kernel (`arg:trusted`, `arg:nullable`).
    TrustedArguments, trusted_arguments, v(6, 9);
    /// Static functions may be called, and may take and give back the lock, while one is held.
    SubprogramsUnderLock, subprograms_under_lock, v(6, 9);
    /// A loop does not end where a state comes again exactly; before, where one came that an earlier one covers.
    ExactLoopDetection, exact_loop_detection, v(6, 9);
    /// The `may_goto` instruction.
    MayGoto, may_goto, v(6, 9);
    /// Numbers are linked to what is spilled of them, unknown ones are spilled too, and a fill may be narrower than the spill.
    SpillLinks, spill_links, v(6, 9);
    /// Address-space casts and arena maps.
    Arena, arena, v(6, 9);
    /// Regions without preemption.
    PreemptRegions, preempt_regions, v(6, 10);
    /// Which registers a branch refined together is remembered for precision.
    LinkedScalarHistory, linked_scalar_history, v(6, 10);
    /// One call may walk over the elements of several maps.
    WalksOfManyMaps, walks_of_many_maps, v(6, 10);
    /// Scalars stay linked across additions of constants.
    LinkedScalarDeltas, linked_scalar_deltas, v(6, 11);
    /// A socket is looked up by a tuple whose length is not known to differ from zero.
    ZeroTupleLengths, zero_tuple_lengths, v(6, 11);
    /// A number that is zero or all ones is split before a mask (in stable updates).
    MaskSplits, mask_splits, v(6, 12);
    /// Spills around calls that spare registers are not counted (`bpf_fastcall`).
    Fastcall, fastcall, v(6, 12);
    /// A callback knows which of the maps in a map it is given a value of.
    MapIdentityInCallbacks, map_identity_in_callbacks, v(6, 12);
    /// A tail call forgets packet pointers; later kernels know that what comes after it runs only if it failed.
    TailCallsMovePackets, tail_calls_move_packets, v(6, 12);
    /// Frames of compiled programs are counted in steps of 16 bytes, not of 32.
    SmallFrameSteps, small_frame_steps, v(6, 12);
    /// Security hooks must return what the kernel expects of them.
    HookReturnRanges, hook_return_ranges, v(6, 12);
    /// Calls of functions that move the packet forget packet pointers in the caller.
    PacketEffectsOfCalls, packet_effects_of_calls, v(6, 13);
    /// Frames of eligible functions lie outside the kernel's stack and are counted apart.
    PrivateStacks, private_stacks, v(6, 13);
    /// A lookup with a constant key inside an array never fails.
    ConstantKeyLookups, constant_key_lookups, v(6, 14);
    /// A `may_goto` that leads to the next instruction.
    MayGotoNext, may_goto_next, v(6, 14);
    /// Regions without interrupts.
    IrqRegions, irq_regions, v(6, 14);
    /// Load-acquire and store-release.
    AcquireRelease, acquire_release, v(6, 15);
    /// Resilient spin locks.
    ResilientLocks, resilient_locks, v(6, 15);
    /// Live registers are computed before the search.
    LiveRegisters, live_registers, v(6, 15);
    /// Arguments in a typed context may point to nothing known with a qualifier, such as `const`.
    QualifiedVoidArguments, qualified_void_arguments, v(6, 16);
    /// Arguments of global functions may be pointers of which nothing is known (`arg:untrusted`).
    UntrustedArguments, untrusted_arguments, v(6, 17);
    /// Errors on speculative paths end the path, not the program.
    SpeculationBarriers, speculation_barriers, v(6, 17);
    /// Loops converge by strongly connected components.
    LoopComponents, loop_components, v(6, 17);
    /// A negated number keeps its range.
    NegationRanges, negation_ranges, v(6, 18);
    /// A comparison with a register that is zero is a null check.
    NullChecksByRegister, null_checks_by_register, v(6, 18);
    /// What a comparison of a register with itself yields is known.
    SelfComparisons, self_comparisons, v(6, 19);
    /// A tail call that fails keeps packet pointers.
    TailCallsKeepPackets, tail_calls_keep_packets, v(6, 19);
    /// Arguments in a typed context may be unions.
    UnionArguments, union_arguments, v(6, 19);
    /// Indirect jumps through tables of instructions.
    IndirectJumps, indirect_jumps, v(6, 19);
    /// Division and remainder by a constant keep ranges.
    DivisionRanges, division_ranges, v(7, 0);
    /// Byte swaps keep what is known of the bits.
    ByteOrderBits, byte_order_bits, v(7, 0);
    /// Scalars stay linked across subtractions, and additions of negative and of 32-bit constants.
    LinkedScalarSubtractions, linked_scalar_subtractions, v(7, 0);
    /// Arguments of kernel functions must be trusted unless they say otherwise.
    TrustedByDefault, trusted_by_default, v(7, 0);
    /// Arguments in a typed context may be pointers to anything.
    AnyPointerArguments, any_pointer_arguments, v(7, 1);
    /// Liveness of registers and stack slots is computed before the search.
    StaticLiveness, static_liveness, v(7, 1);
    /// Branches on constants are removed before the search.
    DeadBranchPruning, dead_branch_pruning, v(7, 1);
    /// Frames are counted from the last global function on.
    FramesByGlobalFunction, frames_by_global_function, v(7, 2);
    /// Global functions may return nothing.
    VoidGlobalFunctions, void_global_functions, v(7, 2);
    /// Several arguments of a helper may belong to owned objects.
    ManyOwnedArguments, many_owned_arguments, v(7, 2);
    /// Ranges of numbers are circular.
    CircularRanges, circular_ranges, v(7, 2);
    /// Arguments beyond the fifth are passed on the stack.
    StackArguments, stack_arguments, v(7, 2);
    /// Pointers of every kind may be spilled.
    SpillsOfAnyPointer, spills_of_any_pointer, v(7, 3);
    /// Reading spilled zeros at a variable offset yields zero.
    ReadsOfSpilledZeros, reads_of_spilled_zeros, v(7, 3);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_features_fit_and_the_newest_linux_has_them() {
        assert!(Feature::ALL.len() <= 128);
        assert_eq!(Features::linux(v(7, 3)), Features::ALL);
        assert_eq!(Features::ALL.iter().count(), Feature::ALL.len());
        assert_eq!(Features::linux(v(4, 0)), Features::NONE);
    }

    #[test]
    fn the_list_stands_by_release() {
        assert!(Feature::ALL.windows(2).all(|pair| pair[0].since() <= pair[1].since()));
    }

    #[test]
    fn a_feature_can_be_given_and_taken() {
        for feature in Feature::ALL {
            assert!(Features::NONE.with(*feature).has(*feature));
            assert!(!Features::ALL.without(*feature).has(*feature));
            assert_eq!(Features::of(&[*feature]).iter().collect::<alloc::vec::Vec<_>>(), [*feature]);
        }
    }
}
