//! How many instructions each function cost, with those of the functions that it called on the same path.

use alloc::vec::Vec;

use bpfvet_vm::Frames;

use crate::outcome::SubprogStats;

/// The frames of the current path that instructions were processed in since it began, the entry function's first.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Function, and instructions processed in it and in what it called.
    frames: Vec<(u32, u64)>,
    /// Instructions processed in the innermost of them that are not counted yet.
    uncounted: u64,
}

impl Tally {
    /// An instruction was processed in the innermost of these frames. (`account_processed_insn`)
    #[inline]
    pub(crate) fn processed<D>(&mut self, stats: &mut [SubprogStats], frames: Frames<'_, D>) {
        if self.frames.len() != frames.len() {
            self.moved(stats, frames);
        }
        self.uncounted += 1;
    }

    /// The path ended: so did all its frames. (`account_current_path`)
    pub(crate) fn left_all(&mut self, stats: &mut [SubprogStats]) {
        self.count(stats);
        while !self.frames.is_empty() {
            self.left(stats);
        }
    }

    /// Frames were entered, or left.
    fn moved<D>(&mut self, stats: &mut [SubprogStats], frames: Frames<'_, D>) {
        self.count(stats);
        while self.frames.len() > frames.len() {
            self.left(stats);
        }
        while let Some(entered) = frames.get(self.frames.len()) {
            self.frames.push((entered.subprog, 0));
        }
    }

    fn count(&mut self, stats: &mut [SubprogStats]) {
        let uncounted = core::mem::take(&mut self.uncounted);
        let Some((subprog, insns)) = self.frames.last_mut() else { return };
        *insns += uncounted;
        if let Some(stats) = stats.get_mut(*subprog as usize) {
            stats.insns_self += uncounted;
        }
    }

    /// The innermost frame was left. (`account_processed_insns`)
    fn left(&mut self, stats: &mut [SubprogStats]) {
        let Some((subprog, insns)) = self.frames.pop() else { return };
        if let Some(stats) = stats.get_mut(subprog as usize) {
            stats.insns_total += insns;
        }
        if let Some((_, caller)) = self.frames.last_mut() {
            *caller += insns;
        }
    }
}
