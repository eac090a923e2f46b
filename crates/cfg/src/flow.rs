//! The edges of a program: where control goes from each slot, within the slot's function.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Deref;

use bpfvet_insn::{Insn, InsnIdx, Program, Slot, Successors};

use crate::involved::Involved;
use crate::subprog::containing;
use crate::{Block, Marks, Subprog, SubprogId};

/// Where control may go from one instruction, within its function, in the kernel's order.
///
/// A call goes on behind itself. A tail call, and a legacy packet load, also go to the function's last `exit`. Dereferences to a
/// slice.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a> {
    inline: [InsnIdx; 2],
    len: u8,
    table: Option<&'a [InsnIdx]>,
}

impl Targets<'_> {
    const NONE: Self = Self { inline: [InsnIdx(0); 2], len: 0, table: None };

    const fn one(at: InsnIdx) -> Self {
        Self { inline: [at, InsnIdx(0)], len: 1, table: None }
    }

    const fn two(first: InsnIdx, second: InsnIdx) -> Self {
        Self { inline: [first, second], len: 2, table: None }
    }
}

impl Deref for Targets<'_> {
    type Target = [InsnIdx];

    fn deref(&self) -> &[InsnIdx] {
        match self.table {
            Some(table) => table,
            None => self.inline.get(..usize::from(self.len)).unwrap_or_default(),
        }
    }
}

/// A program with its functions, the marks of its instructions, and the tables of its indirect jumps.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) program: Arc<Program>,
    /// By slot.
    involved: Vec<Involved>,
    pub(crate) subprogs: Vec<Subprog>,
    /// By slot.
    pub(crate) marks: Vec<Marks>,
    /// Sorted targets of indirect jumps, by position.
    pub(crate) tables: BTreeMap<InsnIdx, Box<[InsnIdx]>>,
}

impl Flow {
    /// A program of which nothing is noted yet.
    pub(crate) fn new(program: Arc<Program>, subprogs: Vec<Subprog>) -> Self {
        let marks = vec![Marks::NONE; program.slots().len()];
        Self { involved: Involved::of_all(&program), program, subprogs, marks, tables: BTreeMap::new() }
    }

    /// Puts another program in the place of this one, of the same shape but for branches that became jumps.
    pub(crate) fn replace(&mut self, program: Arc<Program>) {
        self.involved = Involved::of_all(&program);
        self.program = program;
    }

    /// What the instruction at `at` involves.
    pub(crate) fn involved(&self, at: InsnIdx) -> Involved {
        self.involved.get(at.index()).copied().unwrap_or_default()
    }

    /// What the slots of a block involve, by ascending position.
    pub(crate) fn involved_in(&self, block: &Block) -> impl Iterator<Item = (InsnIdx, Involved)> {
        let involved = self.involved.get(block.start.index()..block.end.index()).unwrap_or_default();
        (block.start.0..).map(InsnIdx).zip(involved.iter().copied())
    }

    /// The last slot of those from `first` to `last` that involves some of this; `first` where there is none.
    pub(crate) fn last_involving(&self, first: InsnIdx, last: InsnIdx, concern: Involved) -> InsnIdx {
        let slots = self.involved.get(first.index()..=last.index()).unwrap_or_default();
        let found = slots.iter().rposition(|involved| involved.meets(concern)).unwrap_or(0);
        InsnIdx(first.0.saturating_add(u32::try_from(found).unwrap_or(0)))
    }

    /// Slots of the program.
    pub(crate) fn len(&self) -> usize {
        self.program.slots().len()
    }

    pub(crate) fn marks_at(&self, at: InsnIdx) -> Marks {
        self.marks.get(at.index()).copied().unwrap_or_default()
    }

    pub(crate) fn mark(&mut self, at: InsnIdx, marks: Marks) {
        if let Some(slot) = self.marks.get_mut(at.index()) {
            slot.add(marks);
        }
    }

    pub(crate) fn subprog_at(&self, at: InsnIdx) -> SubprogId {
        containing(&self.subprogs, at)
    }

    pub(crate) fn subprog_starting_at(&self, at: InsnIdx) -> Option<SubprogId> {
        self.subprogs.binary_search_by_key(&at, |subprog| subprog.start).ok().map(SubprogId::of)
    }

    pub(crate) fn subprog(&self, id: SubprogId) -> Option<&Subprog> {
        self.subprogs.get(id.index())
    }

    /// The instructions of a block, by ascending position.
    pub(crate) fn insns(&self, block: &Block) -> impl DoubleEndedIterator<Item = (InsnIdx, &Insn)> {
        let slots = self.program.slots().get(block.start.index()..block.end.index()).unwrap_or_default();
        (block.start.0..block.end.0).zip(slots).filter_map(|(at, slot)| match slot {
            Slot::Insn(insn) => Some((InsnIdx(at), insn)),
            Slot::Second => None,
        })
    }

    /// Where control may go from `at` (`bpf_insn_successors`, Linux 7.3). The second half of a 64-bit immediate load leads to
    /// the slot behind it, as in the kernel.
    pub(crate) fn successors(&self, at: InsnIdx) -> Targets<'_> {
        let insn = match self.program.slots().get(at.index()) {
            Some(Slot::Insn(insn)) => insn,
            Some(Slot::Second) => return Targets::one(at.next()),
            None => return Targets::NONE,
        };
        match insn.successors(at) {
            Successors::Exit | Successors::Outside => Targets::NONE,
            Successors::Next(next) if self.marks_at(at).hidden_exit() => match self.subprog(self.subprog_at(at)) {
                // Without an `exit` of its own there is no place that stands for leaving the function.
                Some(subprog) if subprog.contains(subprog.exit) => Targets::two(next, subprog.exit),
                Some(_) | None => Targets::one(next),
            },
            Successors::Next(next) | Successors::Jump(next) => Targets::one(next),
            Successors::Branch { next, target } => Targets::two(next, target),
            Successors::Indirect => match self.tables.get(&at) {
                Some(table) => Targets { table: Some(table), ..Targets::NONE },
                None => Targets::NONE,
            },
        }
    }
}
