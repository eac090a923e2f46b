//! Deliberate mistakes, so that what is meant to find mistakes can be put to the test.
//!
//! Each is a bug that a verifier had, or could have. Without the feature `faults` there are none: [`on`] is a constant, and what
//! hangs on it is not compiled in. With it, one can be switched on for the whole process.

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A deliberate mistake.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

faults! {
    // Null.
    /// A null check teaches of every pointer that may be null, whatever object it refers to.
    NullGroupsMerged,
    /// The branch on null is read the wrong way round.
    NullSidesSwapped,
    /// A pointer that may be null can be dereferenced.
    NullableDereferenced,
    /// A pointer that may be null can be moved.
    NullableMoved,
    /// A pointer that may be null is compared with null as if it could not be.
    NullableDecided,
    /// A pointer equal to one that may be null is not null.
    EqualToNullable,
    // Numbers.
    /// A 32-bit move keeps the upper half.
    MoveKeepsUpperHalf,
    /// A move with sign extension does not extend.
    MoveForgetsSign,
    /// A narrow load yields the number that was stored, uncut.
    FillNotCut,
    /// A load with sign extension extends with zeros.
    FillForgetsSign,
    /// A mask splits the path in two, and the path of the zeros is lost.
    SplitLosesZeros,
    /// What both sides of a test of bits teach is exchanged.
    BitTestSidesSwapped,
    /// `<=` teaches what `<` does.
    LessOrEqualIsLess,
    /// A signed comparison teaches what an unsigned one does.
    SignedComparisonUnsigned,
    /// A comparison of halves teaches of the whole numbers.
    HalfComparisonWhole,
    /// Numbers that are linked at a distance are taken for equal.
    LinkDistanceIgnored,
    /// Distances in 32 bits are taken for distances in 64.
    LinkWidthIgnored,
    /// A number stays linked when it is changed by more than a constant.
    LinkSurvivesChange,
    // Pointers and bounds.
    /// Subtraction from a pointer adds.
    PointerSubAdds,
    /// Values of maps are a byte longer than they are.
    MapValueTooLong,
    /// The lower end of a range is not looked at.
    LowerBoundUnchecked,
    /// A comparison with the packet's end proves a byte too many.
    PacketRangeTooLong,
    /// A packet pointer that is moved by an unknown number stays in its group. (That it kept its range alone would be no
    /// mistake: a range is compared with the greatest offset, to which the unknown number was added.)
    PacketGroupSurvivesMove,
    /// What is proven of one packet pointer is taken to hold for all.
    PacketGroupsMerged,
    /// Packet pointers survive helpers that move the packet.
    PacketMoveForgotten,
    /// Packet pointers survive global functions that move the packet.
    PacketMoveInGlobalForgotten,
    // The stack.
    /// What comes back of a number wider than its slot stays linked with the whole of it. (Keeping the link only where it is
    /// stored would be no mistake: what comes back is cut, and loses it then.)
    SpillNotCut,
    /// Bytes that hold something are read as zero.
    MiscReadsZero,
    /// Bytes that were never written can be read.
    UninitReadable,
    /// A store at a variable offset leaves spilled values as they were.
    VariableStoreKeepsSpills,
    /// A store at a variable offset does not reach the last byte that it may write.
    VariableStoreTooShort,
    /// A narrow store over a spilled value leaves the value.
    NarrowStoreKeepsSpill,
    /// What a helper writes to the stack is not noticed.
    HelperWriteForgotten,
    // Calls.
    /// A helper leaves the arguments' registers as they were.
    HelperKeepsArguments,
    /// The caller's registers can be read in a function.
    CalleeSeesCaller,
    /// A global function returns zero.
    GlobalResultZero,
    /// What a global function is given is not checked.
    GlobalArgumentsUnchecked,
    /// What a callback returns is not checked.
    CallbackResultUnchecked,
    /// A loop of a helper runs its callback one time less than it may.
    LoopOneRoundShort,
    /// What is done later is not verified.
    AsyncCallbackSkipped,
    /// A tail call never returns to a caller.
    TailCallReturnForgotten,
    /// A packet load never ends a function.
    PacketLoadExitForgotten,
    /// Memory that is given to a helper is a byte shorter than the size says.
    HelperSizeTooShort,
    /// An atomic operation leaves the register that it fetches into.
    AtomicFetchForgotten,
    /// A number that a helper limits is one less than it can be.
    ResultTooNarrow,
    // References and locks.
    /// Objects that are held at the end are not noticed.
    LeakAtExit,
    /// Locks that are held at the end are not noticed.
    LockAtExit,
    /// Any helper can be called while a lock is held.
    CallsUnderLock,
    /// Copies of a pointer survive the object's release.
    ReleaseLeavesCopies,
    // Comparing states.
    /// A number that mattered to nothing covers a pointer.
    NumberCoversPointer,
    /// Identities are not matched.
    IdentitiesUnmatched,
    /// Numbers that were linked cover numbers that are not.
    LinksUnmatched,
    /// Offsets of pointers are not compared.
    OffsetsUncompared,
    /// What a pointer may be is not compared.
    FlagsUncompared,
    /// How far a packet was proven is not compared.
    PacketRangeUncompared,
    /// What is held is not compared.
    ReferencesUncompared,
    /// Locks are not compared.
    LocksUncompared,
    /// A slot that was not written covers nothing, and is taken to.
    ShallowStackCovered,
    /// Zeros cover anything that was written.
    ZeroCoversMisc,
    /// One of the registers is not compared.
    RegisterUncompared,
    /// Slots far from the top of the stack are not compared.
    DeepSlotsUncompared,
    /// The frames of callers are not compared.
    CallersUncompared,
    /// In a loop, numbers are compared as outside of one.
    LoopComparedLoosely,
    /// A callback's second round is taken to be like its first.
    CallbackAssumedSettled,
    /// The second round of a `may_goto` loop is taken to be like its first.
    MayGotoAssumedSettled,
    /// Between two rounds a number is set to what it was, not to anything.
    WidenedToBefore,
    // Precision.
    /// Arithmetic on pointers does not say that the number mattered.
    OffsetDemandDropped,
    /// A decided branch does not say that its operands mattered.
    BranchDemandDropped,
    /// A size that a helper is given does not say that it mattered.
    SizeDemandDropped,
    /// A zero that is stored does not say that it mattered.
    ZeroDemandDropped,
    /// The second operand of arithmetic is not traced.
    SecondOperandUntraced,
    /// A value is not traced through the stack.
    StackUntraced,
    /// An atomic operation that fetches is not traced.
    AtomicUntraced,
    /// Numbers that were refined together are not traced together.
    LinksUntraced,
    /// Arguments of functions are not traced into the caller.
    ArgumentsUntraced,
    /// Results of functions are not traced into the function.
    ResultsUntraced,
    /// What mattered in a state does not matter where it covers another.
    CoverUnpropagated,
    /// What matters in a loop does not flow along its edges back.
    BackEdgesUnsettled,
}

#[cfg(feature = "faults")]
mod switch {
    use core::sync::atomic::{AtomicU8, Ordering};

    use super::Fault;

    /// None.
    const NONE: u8 = u8::MAX;
    static CURRENT: AtomicU8 = AtomicU8::new(NONE);

    /// Makes this mistake from now on, in all threads, and no other.
    pub fn make(fault: Option<Fault>) {
        CURRENT.store(fault.map_or(NONE, |fault| fault as u8), Ordering::Relaxed);
    }

    /// Whether this mistake is being made.
    #[must_use]
    pub fn on(fault: Fault) -> bool {
        CURRENT.load(Ordering::Relaxed) == fault as u8
    }
}

#[cfg(feature = "faults")]
pub use switch::{make, on};

/// Whether this mistake is being made: never.
#[cfg(not(feature = "faults"))]
#[must_use]
pub const fn on(fault: Fault) -> bool {
    let _ = fault;
    false
}
