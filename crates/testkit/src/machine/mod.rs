//! A machine that runs programs for real: one number in each register, memory with ends, helpers that do the worst they may.
//!
//! It is the other side of the containment law: what an analyser says of every run must be true of this one. So it shares
//! with the analyser only the decoder and the definitions of division, remainder and shifts, and it never asks whether an
//! access is allowed, only whether it hits.
//!
//! - Pointers carry their region, so that an access beyond an object is seen even where another object lies there.
//! - Values of maps and fields of contexts are anybody's: what is loaded from there is chosen anew, again and again.
//! - A fault says where and what; what the machine does not model says so ([`End::Unsupported`]) and proves nothing.
//! - Stack that was never written reads as arbitrary bytes for a program with all privileges, and must not be read by another.

mod arithmetic;
mod call;
mod choices;
mod context;
mod helper;
mod memory;
mod step;

use std::collections::BTreeMap;

use bpfvet::platform::{LoadRequest, MapDef};
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
    /// The call that entered it; `None` for the entry function, and for one that is run later.
    pub callsite: Option<InsnIdx>,
    /// The function's first instruction.
    pub start: InsnIdx,
    /// It is run later, as a program of its own.
    deferred: bool,
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
    /// The packet as it is now.
    pub packet: RegionId,
    /// The maps, and after them the maps within them; what follows is by position among these.
    pub defs: Vec<Map<'a>>,
    maps: Vec<RegionId>,
    values: Vec<Vec<RegionId>>,
    functions: BTreeMap<InsnIdx, RegionId>,
    /// Sockets, and other views of them.
    views: Vec<(RegionId, RegionId)>,
    /// The value whose lock is held.
    lock: Option<RegionId>,
    /// What is run when the program has ended.
    later: Vec<Later>,
    /// How much more may be put off.
    puts_off: u32,
}

/// A map: one that the program names, or one that lies in such a one.
#[derive(Clone, Copy, Debug)]
pub struct Map<'a> {
    /// What it is.
    pub def: &'a MapDef,
    /// The position of the named one.
    pub index: usize,
    /// How many maps it lies in.
    pub inner: u8,
}

/// A function to be run for a value of a map when the program has ended.
#[derive(Clone, Copy, Debug)]
struct Later {
    start: InsnIdx,
    map: usize,
    value: RegionId,
}

/// At most this many values of a map exist.
const VALUES: u32 = 4;
/// At most this many functions are run later.
const PUT_OFF: u32 = 3;
/// `-EINVAL`.
const INVALID: i64 = -22;

impl<'a> Machine<'a> {
    /// A program about to run, in a world that `choices` makes up.
    #[must_use]
    pub fn new(request: &'a LoadRequest, mut choices: Choices<'a>) -> Self {
        let mut memory = Memory::default();
        let len = choices.pick(&helper::PACKETS) as usize;
        let packet = choices.bytes(len);
        let packet = memory.add(RegionKind::Packet, 0, packet);
        let context = memory.add(RegionKind::Context, 0, Vec::new());
        let mut maps = Vec::new();
        let mut values = Vec::new();
        let named = request.maps.iter().enumerate().map(|(index, def)| Map { def, index, inner: 0 });
        let inner = request
            .maps
            .iter()
            .enumerate()
            .filter_map(|(index, def)| def.inner.as_deref().map(|def| Map { def, index, inner: 1 }));
        let defs: Vec<Map<'a>> = named.chain(inner).collect();
        for (index, map) in defs.iter().map(|map| map.def).enumerate() {
            maps.push(memory.add(RegionKind::Map(index), 0, Vec::new()));
            let size = if map.value_size < 1 << 16 { map.value_size } else { 0 };
            let values_of = (0..map.max_entries.min(VALUES))
                .map(|_| {
                    let bytes = choices.bytes(size as usize);
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
            defs,
            maps,
            values,
            functions: BTreeMap::new(),
            views: Vec::new(),
            lock: None,
            later: Vec::new(),
            puts_off: PUT_OFF,
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
                Err(Stop::Returned(_)) if self.run_later() => continue,
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
        let bytes = self.choices.bytes(STACK_BYTES);
        let stack = self.memory.add(kind, low, bytes);
        if !self.request.privilege.may_read_uninit_stack() {
            self.memory.watch_writes(stack);
        }
        let mut regs = [None; 11];
        if let Some(fp) = regs.get_mut(Reg::FP.index()) {
            *fp = Some(Word::Ptr(Ptr { region: stack, off: 0 }));
        }
        let patience = self.choices.below(40);
        let start = InsnIdx(0);
        Frame {
            regs,
            stack,
            callsite,
            start,
            deferred: false,
            round: None,
            next_round: None,
            loop_over: false,
            patience,
        }
    }
}

#[cfg(test)]
mod tests;
