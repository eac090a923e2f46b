//! What the analysis of stacks does, for those who watch.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;

use bpfvet_insn::{Insn, InsnIdx, Reg};

use super::analyze::Input;
use super::track::Track;
use super::transfer::{Arguments, Place, State};
use crate::SubprogId;

/// A place whose value the analysis follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum TrackedPlace {
    /// A register.
    Reg(Reg),
    /// An outgoing stack argument, counted from zero.
    StackArg(u8),
    /// A slot of eight bytes of the frame's own stack, counted from the frame pointer down.
    Slot(u8),
}

/// What is known of a value as a pointer into a stack.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StackPointer {
    /// It is none.
    None,
    /// It points to one of these places of one frame.
    Exact {
        /// The frame, zero for the outermost that is analysed.
        frame: u8,
        /// Bytes from its frame pointer, ascending.
        offs: Vec<i16>,
    },
    /// It points into this frame.
    Anywhere {
        /// The frame.
        frame: u8,
    },
    /// It points into one of several frames.
    Mixed {
        /// One bit each.
        frames: u32,
    },
}

impl From<Track> for StackPointer {
    fn from(track: Track) -> Self {
        match track {
            Track::None => Self::None,
            Track::Frame { frame, offs: Some(offs) } => Self::Exact { frame, offs: offs.as_slice().to_vec() },
            Track::Frame { frame, offs: None } => Self::Anywhere { frame },
            Track::Mixed { frames } => Self::Mixed { frames },
        }
    }
}

/// A place whose value is another than before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// The place.
    pub place: TrackedPlace,
    /// What was known before.
    pub old: StackPointer,
    /// What is known after.
    pub new: StackPointer,
}

/// A step of the analysis of stacks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StackEvent {
    /// A function is looked at.
    Begun {
        /// The function.
        subprog: SubprogId,
        /// The frame that it runs in.
        depth: u8,
    },
    /// An instruction moves pointers, or forgets them.
    Passed {
        /// The instruction.
        at: InsnIdx,
        /// What it changes.
        moved: Vec<Moved>,
    },
    /// What comes along an edge changes what is known at its end, which was met before.
    Joined {
        /// The instruction before.
        from: InsnIdx,
        /// The instruction behind.
        to: InsnIdx,
        /// What comes along.
        with: StackPointer,
        /// What that changes.
        moved: Moved,
    },
    /// A function has been looked at.
    Settled {
        /// The function.
        subprog: SubprogId,
        /// By instruction that is reached: which places hold pointers into stacks before it.
        held: Vec<(InsnIdx, Vec<(TrackedPlace, StackPointer)>)>,
    },
}

/// What is another in one state than in the other.
fn moved(old: &State, new: &State) -> Vec<Moved> {
    State::places()
        .map(|place| (place, old.at(place), new.at(place)))
        .filter(|(_, old, new)| old != new)
        .map(|(place, old, new)| Moved { place, old: old.into(), new: new.into() })
        .collect()
}

/// The places that hold pointers into stacks, but for the frame pointer.
fn held(state: &State) -> Vec<(TrackedPlace, StackPointer)> {
    State::places()
        .filter(|place| *place != TrackedPlace::Reg(Reg::FP))
        .map(|place| (place, state.at(place)))
        .filter(|(_, track)| track.is_pointer())
        .map(|(place, track)| (place, track.into()))
        .collect()
}

/// Tells how a function is looked at: instruction by instruction, round by round until nothing changes, as Linux does it. What comes
/// out is what the analysis by blocks finds.
pub(super) fn tell(
    place: &Place<'_>,
    input: &Input<'_>,
    subprog: SubprogId,
    args: &Arguments,
    watch: &mut dyn FnMut(StackEvent),
) {
    let Input { flow, blocks, .. } = *input;
    watch(StackEvent::Begun { subprog, depth: place.depth });
    let Some(function) = flow.subprog(subprog) else { return };
    let order = blocks.postorder_of(subprog).iter().rev().filter_map(|id| blocks.get(*id));
    let order: Vec<(InsnIdx, &Insn)> = order.flat_map(|block| flow.insns(block)).collect();
    let mut states = BTreeMap::from([(function.start, Rc::new(State::entry(place.depth, args)))]);
    let mut again = true;
    while again {
        again = false;
        for &(at, insn) in &order {
            let Some(before) = states.get(&at).cloned() else { continue };
            let mut after = Rc::clone(&before);
            place.transfer(insn, &mut after);
            let changes = moved(&before, &after);
            if !changes.is_empty() {
                watch(StackEvent::Passed { at, moved: changes });
            }
            for &next in flow.successors(at).iter().filter(|next| function.contains(**next)) {
                let Some(known) = states.get_mut(&next) else {
                    states.insert(next, Rc::clone(&after));
                    again = true;
                    continue;
                };
                let old = Rc::clone(known);
                again |= State::join(known, &after);
                for moved in moved(&old, known) {
                    let with = after.at(moved.place).into();
                    watch(StackEvent::Joined { from: at, to: next, with, moved });
                }
            }
        }
    }
    watch(StackEvent::Settled { subprog, held: states.iter().map(|(at, state)| (*at, held(state))).collect() });
}
