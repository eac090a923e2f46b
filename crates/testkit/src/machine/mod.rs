//! A machine that runs programs for real: one number in each register, memory with ends, helpers that do the worst they may.
//!
//! It is the other side of the containment law: what an analyser says of every run must be true of this one. So it shares
//! with the analyser only the decoder and the definitions of division, remainder and shifts, and it never asks whether an
//! access is allowed, only whether it hits.
//!
//! - Pointers carry their region, so that an access beyond an object is seen even where another object lies there.
//! - Values of maps and fields of contexts are anybody's: what is loaded from there is chosen anew, again and again.
//! - A fault says where and what; what the machine does not model says so ([`End::Unsupported`]) and proves nothing.
//! - Stack that was never written reads as arbitrary bytes, as for a program with all privileges.

mod arithmetic;
mod call;
mod choices;
mod context;
mod memory;
mod step;

use std::collections::BTreeMap;

use bpfvet::platform::LoadRequest;
use bpfvet_insn::{InsnIdx, Program, Reg};

pub use choices::Choices;
pub use context::Layout;
pub use memory::{FaultCause, Memory, Ptr, Region, RegionId, RegionKind, STACK_BYTES, Word};

/// A fault, with its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The instruction.
    pub at: InsnIdx,
    /// What is wrong.
    pub cause: FaultCause,
}

/// How a run ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The entry function returned this.
    Returned(Word),
    /// It took more steps than it was given.
    StepLimit,
    /// The machine does not model what comes next.
    Unsupported(&'static str),
    /// It went wrong.
    Fault(Fault),
}

/// Why a step did not lead to another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
    Returned(Word),
    Unsupported(&'static str),
    Fault(FaultCause),
}

impl From<FaultCause> for Stop {
    fn from(cause: FaultCause) -> Self {
        Self::Fault(cause)
    }
}

/// A function that is running.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its registers; nothing where nothing was written.
    pub regs: [Option<Word>; 11],
    /// Its stack.
    pub stack: RegionId,
    /// The call that entered it; `None` for the entry function.
    pub callsite: Option<InsnIdx>,
    /// The round that a helper runs it for; `None` where a program calls it.
    round: Option<u64>,
    /// The next round of the loop that this frame's current instruction runs.
    next_round: Option<u64>,
    /// The loop that this frame's current instruction runs is over.
    loop_over: bool,
    /// How many more times `may_goto` falls through here.
    patience: u32,
}

/// A program in the middle of a run.
#[derive(Clone, Debug)]
pub struct Machine<'a> {
    request: &'a LoadRequest,
    program: &'a Program,
    layout: Layout,
    choices: Choices<'a>,
    /// All memory.
    pub memory: Memory,
    /// Functions that are running, the entry function's first.
    pub frames: Vec<Frame>,
    /// The next instruction.
    pub at: InsnIdx,
    packet: RegionId,
    maps: Vec<RegionId>,
    values: Vec<Vec<RegionId>>,
    functions: BTreeMap<InsnIdx, RegionId>,
}

/// At most this many values of a map exist.
const VALUES: u32 = 4;

impl<'a> Machine<'a> {
    /// A program about to run, in a world that `choices` makes up.
    #[must_use]
    pub fn new(request: &'a LoadRequest, mut choices: Choices<'a>) -> Self {
        let mut memory = Memory::default();
        let packet_bytes = choices.pick(&[0, 1, 14, 20, 34, 64, 300]);
        let packet = (0..packet_bytes).map(|_| choices.bits() as u8).collect();
        let packet = memory.add(RegionKind::Packet, 0, packet);
        let context = memory.add(RegionKind::Context, 0, Vec::new());
        let mut maps = Vec::new();
        let mut values = Vec::new();
        for (index, map) in request.maps.iter().enumerate() {
            maps.push(memory.add(RegionKind::Map(index), 0, Vec::new()));
            let size = if map.value_size < 1 << 16 { map.value_size } else { 0 };
            let values_of = (0..map.max_entries.min(VALUES))
                .map(|_| {
                    let bytes = (0..size).map(|_| choices.bits() as u8).collect();
                    memory.add(RegionKind::MapValue(index), 0, bytes)
                })
                .collect();
            values.push(values_of);
        }
        let mut machine = Self {
            request,
            program: &request.program,
            layout: Layout::of(request.program_type),
            choices,
            memory,
            frames: Vec::new(),
            at: InsnIdx(0),
            packet,
            maps,
            values,
            functions: BTreeMap::new(),
        };
        let mut frame = machine.frame(None);
        if let Some(first) = frame.regs.get_mut(Reg::R1.index()) {
            *first = Some(Word::Ptr(Ptr { region: context, off: 0 }));
        }
        machine.frames.push(frame);
        machine
    }

    /// Runs to the end, or for `steps` instructions. `watch` sees the machine before each, and ends the run by an answer.
    pub fn run<T>(&mut self, steps: u64, mut watch: impl FnMut(&Self) -> Option<T>) -> Result<(End, u64), T> {
        for step in 0..steps {
            if let Some(answer) = watch(self) {
                return Err(answer);
            }
            let end = match self.step() {
                Ok(()) => continue,
                Err(Stop::Returned(word)) => End::Returned(word),
                Err(Stop::Unsupported(what)) => End::Unsupported(what),
                Err(Stop::Fault(cause)) => End::Fault(Fault { at: self.at, cause }),
            };
            return Ok((end, step + 1));
        }
        Ok((End::StepLimit, steps))
    }

    /// The length of the packet.
    #[must_use]
    pub fn packet_len(&self) -> i64 {
        let len = self.memory.region(self.packet).map_or(0, |packet| packet.bytes.len());
        i64::try_from(len).unwrap_or(i64::MAX)
    }

    /// A frame with nothing in it but its stack, which holds what was left there.
    fn frame(&mut self, callsite: Option<InsnIdx>) -> Frame {
        let kind = RegionKind::Stack { frame: self.frames.len() };
        let low = -512_i64;
        let bytes = (0..STACK_BYTES).map(|_| self.choices.bits() as u8).collect();
        let stack = self.memory.add(kind, low, bytes);
        let mut regs = [None; 11];
        if let Some(fp) = regs.get_mut(Reg::FP.index()) {
            *fp = Some(Word::Ptr(Ptr { region: stack, off: 0 }));
        }
        let patience = self.choices.below(40);
        Frame { regs, stack, callsite, round: None, next_round: None, loop_over: false, patience }
    }
}

#[cfg(test)]
mod tests;
