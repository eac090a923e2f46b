//! Memory: regions with ends, and words that remember which region they point into.

use std::collections::BTreeMap;

use bpfvet_insn::{InsnIdx, Reg, Size};

/// Bytes of a frame's stack.
pub const STACK_BYTES: usize = 512;

/// A region, by number. Numbers are never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RegionId(pub usize);

/// A pointer that knows where it belongs, whatever was added to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ptr {
    /// The region.
    pub region: RegionId,
    /// Bytes from its origin: its start, or for a stack its upper end.
    pub off: i64,
}

/// What a register holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// A number; null is zero.
    Num(u64),
    /// A pointer. As a number it is its address.
    Ptr(Ptr),
}

/// What a region is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegionKind {
    /// The stack of a frame, counted from the entry function's.
    Stack {
        /// Which frame.
        frame: usize,
    },
    /// The program's context; what a load yields is up to the machine.
    Context,
    /// A map itself, by position among the machine's; nothing can be loaded from it.
    Map(usize),
    /// A value of a map, likewise. Others may write to it at any time.
    MapValue(usize),
    /// A key of a map, as a callback is given one.
    MapKey(usize),
    /// The packet.
    Packet,
    /// A ring buffer record, which must be given back.
    Record,
    /// A socket, which must be given back; what a load yields is up to the machine.
    Socket,
    /// Another view of a socket, which lives as long as the socket does.
    View,
    /// A function that begins there; nothing can be loaded from it.
    Func(InsnIdx),
}

/// A region: bytes with an address.
#[derive(Clone, Debug)]
pub struct Region {
    /// What it is.
    pub kind: RegionKind,
    /// The address of its origin.
    pub base: u64,
    /// The offset of its first byte from its origin.
    pub first: i64,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Pointers that lie in it whole, by offset.
    pub spilled: BTreeMap<i64, Ptr>,
    /// Which bytes were written, where that matters.
    pub written: Option<Vec<bool>>,
    /// It may still be accessed.
    pub alive: bool,
}

/// Why an execution cannot go on: what a verifier must have ruled out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultCause {
    /// A register that nothing was written to is read.
    Uninit(Reg),
    /// Memory is accessed through a number.
    NotAPointer(u64),
    /// An access leaves its region.
    OutOfBounds {
        /// The region.
        kind: RegionKind,
        /// From its origin.
        off: i64,
        /// Bytes.
        size: u32,
    },
    /// The region is gone: a frame that was left, a record that was given back.
    Dead(RegionKind),
    /// Stack is read that was never written, by a program that must not see what was left there.
    Unwritten,
    /// A record or a socket was not given back.
    Leaked(RegionId),
    /// A callback returns what it must not.
    CallbackResult(u64),
    /// A lock is held where it must not be.
    LockHeld,
    /// A helper is given something that it must not be given, in this register.
    Argument(Reg),
    /// There is no instruction here.
    NoInstruction,
    /// Calls are nested too deep.
    TooDeep,
}

/// All regions.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    regions: Vec<Region>,
    /// Regions that must be given back.
    held: Vec<RegionId>,
}

impl Memory {
    /// A new region of these bytes, with an address of its own above all numbers that programs usually meet.
    pub fn add(&mut self, kind: RegionKind, first: i64, bytes: Vec<u8>) -> RegionId {
        let id = self.regions.len();
        let base = 0xffff_8880_0000_0000_u64.wrapping_add((id as u64) << 20).wrapping_add(0x8_0000);
        self.regions.push(Region { kind, base, first, bytes, spilled: BTreeMap::new(), written: None, alive: true });
        if matches!(kind, RegionKind::Record | RegionKind::Socket) {
            self.held.push(RegionId(id));
        }
        RegionId(id)
    }

    /// From now on it matters which bytes of a region were written: none, so far.
    pub fn watch_writes(&mut self, id: RegionId) {
        if let Some(region) = self.regions.get_mut(id.0) {
            region.written = Some(vec![false; region.bytes.len()]);
        }
    }

    /// The region with this number.
    #[must_use]
    pub fn region(&self, id: RegionId) -> Option<&Region> {
        self.regions.get(id.0)
    }

    /// Ends a region's life.
    pub fn end(&mut self, id: RegionId) {
        if let Some(region) = self.regions.get_mut(id.0) {
            region.alive = false;
            self.held.retain(|held| *held != id);
        }
    }

    /// Records and sockets that were not given back, oldest first.
    #[must_use]
    pub fn held(&self) -> &[RegionId] {
        &self.held
    }

    /// A word as a number.
    #[must_use]
    pub fn number(&self, word: Word) -> u64 {
        match word {
            Word::Num(number) => number,
            Word::Ptr(ptr) => {
                self.region(ptr.region).map_or(0, |region| region.base).wrapping_add(ptr.off.cast_unsigned())
            }
        }
    }

    /// Where in its region's bytes an access lies.
    fn place(&self, at: Ptr, size: u32) -> Result<usize, FaultCause> {
        let region = self.region(at.region).ok_or(FaultCause::NotAPointer(0))?;
        let kind = region.kind;
        if !region.alive {
            return Err(FaultCause::Dead(kind));
        }
        let outside = FaultCause::OutOfBounds { kind, off: at.off, size };
        let start = at.off.checked_sub(region.first).and_then(|start| usize::try_from(start).ok()).ok_or(outside)?;
        match start.checked_add(size as usize) {
            Some(end) if end <= region.bytes.len() => Ok(start),
            Some(_) | None => Err(outside),
        }
    }

    /// Whether the bytes there may be read: where it matters, they were written.
    pub fn check_written(&self, at: Ptr, size: u32) -> Result<(), FaultCause> {
        let start = self.place(at, size)?;
        let written = self.region(at.region).and_then(|region| region.written.as_deref());
        let all = written.is_none_or(|written| {
            written.get(start..start + size as usize).is_some_and(|written| written.iter().all(|written| *written))
        });
        if all { Ok(()) } else { Err(FaultCause::Unwritten) }
    }

    /// The bytes there, in order.
    pub fn bytes(&self, at: Ptr, size: u32) -> Result<&[u8], FaultCause> {
        let start = self.place(at, size)?;
        let bytes = self.region(at.region).map_or(&[][..], |region| &region.bytes);
        bytes.get(start..start + size as usize).ok_or(FaultCause::NotAPointer(0))
    }

    /// Overwrites bytes; pointers that lay there are no pointers any more.
    pub fn set_bytes(&mut self, at: Ptr, new: &[u8]) -> Result<(), FaultCause> {
        let start = self.place(at, u32::try_from(new.len()).unwrap_or(u32::MAX))?;
        let Some(region) = self.regions.get_mut(at.region.0) else { return Err(FaultCause::NotAPointer(0)) };
        let end = at.off.saturating_add(i64::try_from(new.len()).unwrap_or(i64::MAX));
        if !region.spilled.is_empty() {
            region.spilled.retain(|off, _| off.saturating_add(8) <= at.off || *off >= end);
        }
        if let Some(place) = region.written.as_mut().and_then(|written| written.get_mut(start..start + new.len())) {
            place.fill(true);
        }
        if let Some(place) = region.bytes.get_mut(start..start + new.len()) {
            place.copy_from_slice(new);
        }
        Ok(())
    }

    /// Reads a word: a pointer if one was stored there whole, otherwise a little-endian number, zero-extended.
    pub fn load(&self, at: Ptr, size: Size) -> Result<Word, FaultCause> {
        let bytes = self.bytes(at, size.bytes())?;
        let spilled = self.region(at.region).and_then(|region| region.spilled.get(&at.off));
        if let (Size::B8, Some(ptr)) = (size, spilled) {
            return Ok(Word::Ptr(*ptr));
        }
        Ok(Word::Num(bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))))
    }

    /// Writes the low bytes of a word. Only stacks keep pointers; elsewhere they are numbers from then on.
    pub fn store(&mut self, at: Ptr, size: Size, word: Word) -> Result<(), FaultCause> {
        let bytes = self.number(word).to_le_bytes();
        self.set_bytes(at, bytes.get(..size.bytes() as usize).unwrap_or_default())?;
        if let (Word::Ptr(ptr), Size::B8) = (word, size)
            && let Some(region) = self.regions.get_mut(at.region.0)
            && let RegionKind::Stack { .. } = region.kind
        {
            region.spilled.insert(at.off, ptr);
        }
        Ok(())
    }
}
