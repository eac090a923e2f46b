//! What a search ends with.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use bpfvet_cfg::StructureError;
use bpfvet_insn::InsnIdx;
use bpfvet_platform::{Feature, LoadRefusal, MapRefusal};
use bpfvet_vm::{TypeTag, Unsupported, Violation};

/// The program would load.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// What it cost.
    pub stats: Stats,
    /// The kind of pointer that each instruction accessed memory through, by slot.
    pub pointers: Vec<Option<TypeTag>>,
    /// Whether each slot was reached.
    pub seen: Vec<bool>,
}

/// The program would not load, or it is not known whether it would.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// Why.
    pub cause: RejectionCause,
    /// What it cost to find out.
    pub stats: Stats,
}

/// Why there is no acceptance.
#[derive(Clone, Debug)]
pub enum RejectionCause {
    /// A rule is broken at one instruction.
    Violation(Violation),
    /// The program's form is wrong.
    Structure(StructureError),
    /// A limit of the host is exceeded.
    Limit(Limit),
    /// The program would run for ever from this instruction.
    InfiniteLoop {
        /// The instruction.
        at: InsnIdx,
    },
    /// The host does not look at such a program at all.
    LoadRefused(LoadRefusal),
    /// The program refers to a map that it may not use.
    MapRefused {
        /// Where.
        at: InsnIdx,
        /// The map's name.
        map: String,
        /// Why not.
        refusal: MapRefusal,
    },
    /// The program refers to a map that it does not have.
    NoSuchMap {
        /// Where.
        at: InsnIdx,
        /// The index, or descriptor.
        index: i32,
    },
    /// An instruction that the host does not have.
    MissingInsn {
        /// Where.
        at: InsnIdx,
        /// The behaviour that the host would need.
        needs: Feature,
    },
    /// The program addresses a value in a map whose values have no addresses.
    NoDirectValue {
        /// Where.
        at: InsnIdx,
    },
    /// The program addresses beyond a map's value.
    DirectValueOutOfBounds {
        /// Where.
        at: InsnIdx,
        /// Bytes of a value.
        value_size: u32,
        /// Bytes into it.
        off: u32,
    },
    /// A check that the caller brought along refuses it; the host might not.
    Pass {
        /// The instruction that it points at; `None` where it is about the whole program.
        at: Option<InsnIdx>,
        /// The check's own code, `group::name`.
        code: &'static str,
        /// What is wrong, in the check's own words.
        what: Cow<'static, str>,
    },
    /// Something is not modelled: no verdict.
    Unsupported(Unsupported),
    /// The caller's own budget or patience ran out: no verdict.
    Interrupted,
    /// An invariant of ours does not hold: no verdict, and a bug.
    Internal {
        /// Where.
        at: InsnIdx,
        /// Which.
        what: &'static str,
    },
}

/// A limit of the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// The program has no instruction, or too many.
    ProgramLength {
        /// Its slots.
        slots: u32,
        /// How many there may be.
        limit: u32,
    },
    /// Too many instructions were processed over all paths.
    ProcessedInsns {
        /// How many.
        processed: u64,
    },
    /// Too many states wait at one time.
    PendingStates {
        /// How many.
        pending: u32,
    },
}

/// What a verification cost, in the kernel's terms.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Instructions processed over all paths.
    pub insns_processed: u64,
    /// Most states in one bucket met by a look-up.
    pub max_states_per_insn: u32,
    /// States ever stored.
    pub total_states: u32,
    /// States stored at one time, at most.
    pub peak_states: u32,
    /// Deepest combined stack over all chains of calls, in bytes.
    pub max_stack_depth: u32,
    /// By function, in the order of the program.
    pub subprogs: Vec<SubprogStats>,
}

/// What one function cost.
#[derive(Clone, Debug, Default)]
pub struct SubprogStats {
    /// Its name, if known.
    pub name: Option<String>,
    /// Whether it is verified on its own.
    pub global: bool,
    /// Instructions processed in it.
    pub insns_self: u64,
    /// Instructions processed in it and in what it calls.
    pub insns_total: u64,
    /// Its stack, in bytes.
    pub stack_depth: u32,
}
