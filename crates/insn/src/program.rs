//! A whole program, indexed by slot.

use alloc::vec::Vec;
use core::ops::Range;

use crate::{Insn, InsnIdx};

/// What one 8-byte slot of a program holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Slot {
    /// An instruction, or the first half of a 64-bit immediate load.
    Insn(Insn),
    /// The second half of the 64-bit immediate load before it.
    Second,
}

/// A decoded program: one [`Slot`] per 8 bytes, so that positions are the kernel's.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Program {
    slots: Vec<Slot>,
    /// By ascending position.
    landmarks: Vec<InsnIdx>,
}

impl Program {
    /// The program made of these instructions, in order.
    pub fn from_insns(insns: impl IntoIterator<Item = Insn>) -> Self {
        let mut slots = Vec::new();
        for insn in insns {
            slots.push(Slot::Insn(insn));
            if insn.slots() == 2 {
                slots.push(Slot::Second);
            }
        }
        Self::from_slots(slots)
    }

    /// The program with these slots; each 64-bit immediate load is followed by its second half, and no other instruction is.
    pub(crate) fn from_slots(slots: Vec<Slot>) -> Self {
        let positions = (0..).map(InsnIdx).zip(&slots);
        let landmarks = positions.filter(|(_, slot)| matches!(slot, Slot::Insn(insn) if !insn.is_plain()));
        Self { landmarks: landmarks.map(|(at, _)| at).collect(), slots }
    }

    /// How many slots it has.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// Whether it has no slot.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The instruction that starts at `at`; `None` past the end and in the second half of a 64-bit immediate load.
    #[must_use]
    pub fn get(&self, at: InsnIdx) -> Option<&Insn> {
        match self.slots.get(at.index()) {
            Some(Slot::Insn(insn)) => Some(insn),
            Some(Slot::Second) | None => None,
        }
    }

    /// Its slots.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Its instructions with their positions, in order.
    pub fn iter(&self) -> impl Iterator<Item = (InsnIdx, &Insn)> {
        self.slots.iter().enumerate().filter_map(|(at, slot)| match slot {
            Slot::Insn(insn) => Some((InsnIdx(u32::try_from(at).unwrap_or(u32::MAX)), insn)),
            Slot::Second => None,
        })
    }

    /// Its instructions that are not [plain](Insn::is_plain), with their positions, in order. Most passes over the form of a program
    /// look for nothing else, and they are few.
    pub fn landmarks(&self) -> impl Iterator<Item = (InsnIdx, &Insn)> {
        self.landmarks_within(InsnIdx(0)..InsnIdx(u32::MAX))
    }

    /// Those in a range of slots.
    pub fn landmarks_within(&self, range: Range<InsnIdx>) -> impl Iterator<Item = (InsnIdx, &Insn)> {
        let (from, to) = (self.landmarks_before(range.start), self.landmarks_before(range.end));
        let positions = self.landmarks.get(from..to).unwrap_or_default();
        positions.iter().filter_map(|&at| Some((at, self.get(at)?)))
    }

    /// Where the first of them at or behind `at` is; `None` behind the last.
    #[must_use]
    pub fn next_landmark(&self, at: InsnIdx) -> Option<InsnIdx> {
        self.landmarks.get(self.landmarks_before(at)).copied()
    }

    fn landmarks_before(&self, at: InsnIdx) -> usize {
        self.landmarks.partition_point(|&landmark| landmark < at)
    }
}

impl FromIterator<Insn> for Program {
    fn from_iter<T: IntoIterator<Item = Insn>>(iter: T) -> Self {
        Self::from_insns(iter)
    }
}
