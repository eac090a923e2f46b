//! What is wanted, frame by frame, on the way back over a path.

use bpfvet_insn::{InsnIdx, Reg, RegSet};
use bpfvet_vm::fault::{self, Fault};
use bpfvet_vm::{Demand, StackNote};

use super::Broken;

/// Most frames that a chain of calls can have.
const FRAMES: usize = 17;

/// What is wanted, by frame.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(super) frame: usize,
    pub(super) regs: [RegSet; FRAMES],
    pub(super) slots: [u64; FRAMES],
    pub(super) args: [u8; FRAMES],
}

impl Wanted {
    /// Nothing, from this frame on.
    pub(crate) const fn nothing(frame: usize) -> Self {
        Self { frame, regs: [RegSet::EMPTY; FRAMES], slots: [0; FRAMES], args: [0; FRAMES] }
    }

    /// What a step relied upon.
    pub(crate) fn demand(demand: Demand) -> Self {
        match demand {
            Demand::Reg { frame, reg } => {
                let mut wanted = Self::nothing(frame);
                wanted.want_reg(frame, reg);
                wanted
            }
            Demand::Slots { frame, of, slots } => {
                let mut wanted = Self::nothing(frame);
                wanted.want_slots(of, slots);
                wanted
            }
            Demand::StackArg { frame, slot } => {
                let mut wanted = Self::nothing(frame);
                if let Some(args) = wanted.args.get_mut(frame) {
                    *args |= 1 << (slot & 7);
                }
                wanted
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        if !self.here().is_empty() {
            return false;
        }
        let upto = ..=self.frame.min(FRAMES - 1);
        self.regs.get(upto).is_none_or(|regs| regs.iter().all(|regs| regs.is_empty()))
            && self.slots.get(upto).is_none_or(|slots| slots.iter().all(|slots| *slots == 0))
            && self.args.get(upto).is_none_or(|args| args.iter().all(|args| *args == 0))
    }

    /// Whether nothing is wanted but registers of this frame, the innermost, and no others than these.
    fn is_within(&self, frame: usize, regs: RegSet) -> bool {
        let below = ..frame.min(FRAMES);
        self.frame == frame
            && self.here().difference(regs).is_empty()
            && self.regs.get(below).is_none_or(|regs| regs.iter().all(|regs| regs.is_empty()))
            && self.slots.get(..=frame.min(FRAMES - 1)).is_none_or(|slots| slots.iter().all(|slots| *slots == 0))
            && self.args.get(..=frame.min(FRAMES - 1)).is_none_or(|args| args.iter().all(|args| *args == 0))
    }

    pub(crate) fn regs_of(&self, frame: usize) -> RegSet {
        self.regs.get(frame).copied().unwrap_or_default()
    }

    pub(crate) fn slots_of(&self, frame: usize) -> u64 {
        self.slots.get(frame).copied().unwrap_or_default()
    }

    pub(super) fn args_of(&self, frame: usize) -> u8 {
        self.args.get(frame).copied().unwrap_or_default()
    }

    pub(crate) fn want_reg(&mut self, frame: usize, reg: Reg) {
        if let Some(regs) = self.regs.get_mut(frame) {
            regs.insert(reg);
        }
    }

    pub(super) fn drop_reg(&mut self, frame: usize, reg: Reg) {
        if let Some(regs) = self.regs.get_mut(frame) {
            regs.remove(reg);
        }
    }

    pub(crate) fn want_slots(&mut self, frame: usize, slots: u64) {
        if let Some(wanted) = self.slots.get_mut(frame) {
            *wanted |= slots;
        }
    }

    pub(super) fn drop_slots(&mut self, frame: usize, slots: u64) {
        if let Some(wanted) = self.slots.get_mut(frame) {
            *wanted &= !slots;
        }
    }

    pub(super) fn here(&self) -> RegSet {
        self.regs_of(self.frame)
    }

    pub(super) fn wants(&self, reg: Reg) -> bool {
        self.here().contains(reg)
    }

    pub(super) fn want(&mut self, reg: Reg) {
        self.want_reg(self.frame, reg);
    }

    pub(super) fn drop(&mut self, reg: Reg) {
        self.drop_reg(self.frame, reg);
    }

    pub(super) fn enter(&mut self) -> Result<(), Broken> {
        if self.frame + 1 >= FRAMES {
            return Err("a precision walk enters more functions than there can be");
        }
        self.frame += 1;
        Ok(())
    }

    pub(super) fn leave(&mut self) -> Result<(), Broken> {
        self.frame = self.frame.checked_sub(1).ok_or("a precision walk leaves the entry function")?;
        Ok(())
    }

    /// Members of a group that were refined together are wanted together. (`bpf_bt_sync_linked_regs`)
    pub(super) fn sync_linked(&mut self, note: Option<&StackNote>) {
        let Some(note) = note else { return };
        let group = note.linked.as_slice();
        let any = group.iter().any(|member| {
            let frame = usize::from(member.frame);
            if member.is_reg {
                self.regs_of(frame).bits() & (1 << member.index) != 0
            } else {
                self.slots_of(frame) & (1 << member.index) != 0
            }
        });
        if any && !fault::on(Fault::LinksUntraced) {
            for member in group {
                let frame = usize::from(member.frame);
                if member.is_reg {
                    if let Some(reg) = Reg::new(member.index) {
                        self.want_reg(frame, reg);
                    }
                } else {
                    self.want_slots(frame, 1 << member.index);
                }
            }
        }
    }
}

/// The place on a trail from which registers were wanted last. That walk was made, so one that comes by and wants no more there need
/// not go on: all that it would mark is marked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    /// The instruction before which they were wanted.
    at: InsnIdx,
    /// Steps of the trail up to there, it included.
    steps: usize,
    frame: usize,
    /// None of them, where nothing was wanted yet.
    regs: RegSet,
}

impl Asked {
    /// A walk was made for a register, from the end of a trail of this many steps.
    pub(crate) fn note(&mut self, at: InsnIdx, steps: usize, frame: usize, reg: Reg) {
        let here = self.at == at && self.steps == steps && self.frame == frame;
        let regs = if here { self.regs.with(reg) } else { RegSet::of(reg) };
        *self = Self { at, steps, frame, regs };
    }

    /// The instruction before which registers were wanted last; the first where none were.
    pub(super) const fn place(&self) -> InsnIdx {
        self.at
    }

    /// Whether all that is wanted at this place was wanted there before.
    pub(super) fn covers(&self, at: InsnIdx, steps: usize, wanted: &Wanted) -> bool {
        let Self { at: asked_at, steps: asked_steps, frame, regs } = *self;
        asked_at == at && asked_steps == steps && !regs.is_empty() && wanted.is_within(frame, regs)
    }
}
