//! Mistakes made on purpose: how soon is each of them found, and by which law?

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bpfvet::linux::Linux;
use bpfvet::vm::fault::{Fault, make};

use super::cpu_seconds;
use crate::containment::{self, Statement, Violation, Weights, generate_of};
use crate::machine::Choices;
use crate::metamorphic;

/// What looking for a mistake came to.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// The mistake.
    pub fault: Fault,
    /// What found it; `None` where nothing did.
    pub caught: Option<Caught>,
    /// The seed of a program that breaks a law even where no mistake is made on purpose.
    pub genuine: Option<u64>,
    /// Programs that were made.
    pub programs: u64,
    /// Seconds of processors.
    pub seconds: f64,
}

/// What found a mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Caught {
    /// An accepted program went wrong when it ran.
    Run,
    /// An accepted program was where no recorded state is.
    Containment,
    /// What was accepted by one search was refused where every path is walked.
    Search,
    /// A law between verdicts.
    Law(metamorphic::Law),
    /// The verifier met an invariant of its own that does not hold.
    Invariant,
}

impl std::fmt::Display for Caught {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run => f.write_str("a run that goes wrong"),
            Self::Containment => f.write_str("containment"),
            Self::Search => f.write_str("the search without pruning"),
            Self::Law(law) => write!(f, "law: {law:?}"),
            Self::Invariant => f.write_str("an invariant of the search"),
        }
    }
}

/// Runs of each accepted program, for each search.
const RUNS: u64 = 4;

/// Makes the mistake and looks for it, for so many seconds of processors; afterwards no mistake is made.
#[must_use]
pub fn hunt(fault: Fault, seed: u64, seconds: f64, threads: usize) -> Hunt {
    let (begin, next, over) = (cpu_seconds(), AtomicU64::new(0), AtomicBool::new(false));
    let weights = weights(fault);
    let caught = Mutex::new(None);
    make(Some(fault));
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let linux = Linux::newest();
                while !over.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let found = one(&linux, &weights, seed.wrapping_add(index));
                    if found.is_some() || (index.is_multiple_of(64) && cpu_seconds() - begin >= seconds) {
                        over.store(true, Ordering::Relaxed);
                        if let (Ok(mut caught), Some(found)) = (caught.lock(), found) {
                            caught.get_or_insert((found, seed.wrapping_add(index)));
                        }
                    }
                }
            });
        }
    });
    make(None);
    let (caught, by) = caught.into_inner().ok().flatten().unzip();
    // The same program must be faultless where the mistake is not made: otherwise it is not the mistake that was found.
    let genuine = by.filter(|by| one(&Linux::newest(), &weights, *by).is_some());
    let caught = caught.filter(|_| genuine.is_none());
    Hunt { fault, caught, genuine, programs: next.into_inner(), seconds: cpu_seconds() - begin }
}

fn one(linux: &Linux, weights: &Weights, seed: u64) -> Option<Caught> {
    let request = generate_of(&mut Choices::seeded(seed), weights);
    if let Err((_, violation)) = containment::check(linux, &request, seed, RUNS) {
        return Some(match violation {
            Violation::Fault(_) | Violation::Endless => Caught::Run,
            Violation::Outside { .. } => Caught::Containment,
            Violation::Disagreement { .. } => Caught::Search,
            Violation::Internal(_) => Caught::Invariant,
        });
    }
    metamorphic::check(linux, &request, &mut Choices::seeded(seed)).err().map(|broken| Caught::Law(broken.law))
}

/// What programs are made of that could show the mistake.
fn weights(fault: Fault) -> Weights {
    use Statement as S;
    let on: &[Statement] = match fault {
        Fault::NullGroupsMerged | Fault::EqualToNullable => &[S::Ways, S::LookUp],
        Fault::NullSidesSwapped | Fault::NullableDereferenced | Fault::NullableDecided => &[S::LookUp, S::MapValue],
        Fault::NullableMoved => &[S::MovedEarly],
        Fault::MoveKeepsUpperHalf
        | Fault::MoveForgetsSign
        | Fault::SplitLosesZeros
        | Fault::BitTestSidesSwapped
        | Fault::LessOrEqualIsLess
        | Fault::SignedComparisonUnsigned
        | Fault::HalfComparisonWhole => &[S::Arithmetic, S::Outside, S::Branch, S::MapValue, S::VariableStack],
        Fault::FillNotCut | Fault::FillForgetsSign | Fault::MiscReadsZero | Fault::NarrowStoreKeepsSpill => {
            &[S::Narrow, S::Stack, S::Outside]
        }
        Fault::LinkDistanceIgnored | Fault::LinkWidthIgnored | Fault::LinkSurvivesChange => &[S::Linked, S::Outside],
        Fault::PointerSubAdds => &[S::Backwards],
        Fault::SpillNotCut => &[S::Part],
        Fault::MapValueTooLong | Fault::LowerBoundUnchecked => &[S::LookUp, S::MapValue],
        Fault::PacketRangeTooLong => &[S::Packet],
        Fault::PacketGroupSurvivesMove | Fault::PacketGroupsMerged => &[S::Apart],
        Fault::PacketMoveForgotten | Fault::PacketMoveInGlobalForgotten => &[S::MovePacket],
        Fault::UninitReadable => &[S::Unwritten],
        Fault::VariableStoreKeepsSpills | Fault::VariableStoreTooShort => &[S::VariableStack, S::Stack, S::Outside],
        Fault::HelperWriteForgotten | Fault::HelperSizeTooShort | Fault::ResultTooNarrow => &[S::Fill],
        Fault::HelperKeepsArguments => &[S::Outside],
        Fault::GlobalResultZero
        | Fault::GlobalArgumentsUnchecked
        | Fault::CallbackResultUnchecked
        | Fault::LoopOneRoundShort => &[S::Call],
        Fault::AsyncCallbackSkipped => &[S::Timer],
        Fault::TailCallReturnForgotten => &[S::TailCall],
        Fault::PacketLoadExitForgotten => &[S::PacketLoad],
        Fault::AtomicFetchForgotten => &[S::Atomic, S::Outside],
        Fault::LeakAtExit | Fault::ReleaseLeavesCopies => &[S::Record, S::Socket],
        Fault::LockAtExit | Fault::CallsUnderLock => &[S::Lock],
        Fault::LoopComparedLoosely
        | Fault::CallbackAssumedSettled
        | Fault::MayGotoAssumedSettled
        | Fault::WidenedToBefore
        | Fault::BackEdgesUnsettled => &[S::Growth],
        Fault::CalleeSeesCaller
        | Fault::NumberCoversPointer
        | Fault::IdentitiesUnmatched
        | Fault::LinksUnmatched
        | Fault::OffsetsUncompared
        | Fault::FlagsUncompared
        | Fault::PacketRangeUncompared
        | Fault::ReferencesUncompared
        | Fault::LocksUncompared
        | Fault::ShallowStackCovered
        | Fault::ZeroCoversMisc
        | Fault::RegisterUncompared
        | Fault::DeepSlotsUncompared
        | Fault::CallersUncompared
        | Fault::OffsetDemandDropped
        | Fault::BranchDemandDropped
        | Fault::SizeDemandDropped
        | Fault::ZeroDemandDropped
        | Fault::SecondOperandUntraced
        | Fault::StackUntraced
        | Fault::AtomicUntraced
        | Fault::LinksUntraced
        | Fault::ArgumentsUntraced
        | Fault::ResultsUntraced
        | Fault::CoverUnpropagated => &[S::Ways],
    };
    let weights = Weights::focused(on);
    // What only they must not do who may not see addresses.
    if matches!(fault, Fault::UninitReadable | Fault::NumberCoversPointer) { weights.watched() } else { weights }
}
