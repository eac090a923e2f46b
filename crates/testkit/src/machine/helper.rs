//! Helpers beyond maps and records: they move packets, fill buffers, hold sockets and locks, and run functions later.

use bpfvet::platform::FieldKind;
use bpfvet_insn::{InsnIdx, Reg, Size};

use super::{FaultCause, INVALID, Later, Machine, Ptr, RegionId, RegionKind, Stop, Word};

/// `-EFAULT`.
const FAULTY: i64 = -14;
/// Bytes of a socket that programs can load from.
const SOCKET_BYTES: i64 = 80;
/// Bytes of another view of one.
const VIEW_BYTES: i64 = 116;
/// Lengths that packets come in.
pub(super) const PACKETS: [u32; 7] = [0, 1, 14, 20, 34, 64, 300];

impl Machine<'_> {
    /// The packet moves, whatever else the helper does: pointers into the old one are worth nothing.
    pub(super) fn move_packet(&mut self) -> Result<Word, Stop> {
        self.read(Reg::R1)?;
        self.new_packet();
        Ok(Word::Num(self.choices.pick(&[0, 0, INVALID]).cast_unsigned()))
    }

    /// A packet in the place of the last.
    pub(super) fn new_packet(&mut self) {
        self.memory.end(self.packet);
        let len = self.choices.pick(&PACKETS) as usize;
        let bytes = self.choices.bytes(len);
        self.packet = self.memory.add(RegionKind::Packet, 0, bytes);
    }

    /// Fills the buffer of that size, or clears it and fails. `result` makes the result of the size.
    pub(super) fn fill(&mut self, buffer: Reg, size: Reg, length: bool) -> Result<Word, Stop> {
        let size = u32::try_from(self.number(size)?).map_err(|_| Stop::Fault(FaultCause::Argument(size)))?;
        let ptr = match self.read(buffer)? {
            Word::Ptr(ptr) => ptr,
            Word::Num(_) if size == 0 => return Ok(Word::Num(0)),
            Word::Num(number) => return Err(FaultCause::NotAPointer(number).into()),
        };
        // It may write none of it, some of it, or all.
        self.memory.bytes(ptr, size)?;
        if size == 0 {
            return Ok(Word::Num(0));
        }
        let failed = self.choices.one_in(4);
        let bytes = if failed { vec![0; size as usize] } else { self.choices.bytes(size as usize) };
        self.memory.set_bytes(ptr, &bytes)?;
        Ok(Word::Num(match (failed, length) {
            (true, _) => FAULTY.cast_unsigned(),
            (false, true) => u64::from(if self.choices.one_in(2) { size } else { self.choices.below(size) + 1 }),
            (false, false) => 0,
        }))
    }

    /// A socket for this tuple, or none.
    pub(super) fn look_up_socket(&mut self) -> Result<Word, Stop> {
        let size = u32::try_from(self.number(Reg::R3)?).unwrap_or(u32::MAX);
        self.argument(Reg::R2, size)?;
        if self.choices.one_in(3) {
            return Ok(Word::Num(0));
        }
        let region = self.memory.add(RegionKind::Socket, 0, Vec::new());
        Ok(Word::Ptr(Ptr { region, off: 0 }))
    }

    /// Another view of a socket, or none.
    pub(super) fn view_socket(&mut self) -> Result<Word, Stop> {
        let socket = self.socket(Reg::R1)?;
        if self.choices.one_in(3) {
            return Ok(Word::Num(0));
        }
        let region = self.memory.add(RegionKind::View, 0, Vec::new());
        self.views.push((socket, region));
        Ok(Word::Ptr(Ptr { region, off: 0 }))
    }

    fn socket(&self, reg: Reg) -> Result<RegionId, Stop> {
        let wrong = Stop::Fault(FaultCause::Argument(reg));
        let Word::Ptr(ptr) = self.read(reg)? else { return Err(wrong) };
        let region = self.memory.region(ptr.region);
        let is_socket = region.is_some_and(|region| region.kind == RegionKind::Socket && region.alive);
        if is_socket && ptr.off == 0 { Ok(ptr.region) } else { Err(wrong) }
    }

    /// Gives a socket back; views of it go with it.
    pub(super) fn release_socket(&mut self) -> Result<Word, Stop> {
        let socket = self.socket(Reg::R1)?;
        self.memory.end(socket);
        for (of, view) in self.views.clone() {
            if of == socket {
                self.memory.end(view);
            }
        }
        Ok(Word::Num(0))
    }

    /// A field of a socket: any number of that size.
    pub(super) fn load_socket(&mut self, at: Ptr, size: Size) -> Result<Word, Stop> {
        let Some(region) = self.memory.region(at.region) else { return Err(FaultCause::NotAPointer(0).into()) };
        let kind = region.kind;
        if !region.alive {
            return Err(FaultCause::Dead(kind).into());
        }
        let limit = if kind == RegionKind::View { VIEW_BYTES } else { SOCKET_BYTES };
        if at.off < 0 || at.off.saturating_add(i64::from(size.bytes())) > limit {
            return Err(FaultCause::OutOfBounds { kind, off: at.off, size: size.bytes() }.into());
        }
        let above = 64 - size.bits();
        Ok(Word::Num((self.choices.word() << above) >> above))
    }

    /// The special field of a map value that an argument points to: the value's region, and the map.
    fn field(&self, reg: Reg, kind: FieldKind) -> Result<(RegionId, usize), Stop> {
        let wrong = Stop::Fault(FaultCause::Argument(reg));
        let Word::Ptr(ptr) = self.read(reg)? else { return Err(wrong) };
        let Some(RegionKind::MapValue(map)) = self.memory.region(ptr.region).map(|region| region.kind) else {
            return Err(wrong);
        };
        let offset = self.defs.get(map).and_then(|def| def.def.field(kind)).map(|field| i64::from(field.offset));
        if offset == Some(ptr.off) { Ok((ptr.region, map)) } else { Err(wrong) }
    }

    /// Takes the lock, which is the only one.
    pub(super) fn lock(&mut self) -> Result<Word, Stop> {
        let (value, _) = self.field(Reg::R1, FieldKind::SpinLock)?;
        if self.lock.is_some() {
            return Err(FaultCause::LockHeld.into());
        }
        self.lock = Some(value);
        Ok(Word::Num(0))
    }

    /// Gives the lock back, which is the one that was taken.
    pub(super) fn unlock(&mut self) -> Result<Word, Stop> {
        let (value, _) = self.field(Reg::R1, FieldKind::SpinLock)?;
        if self.lock != Some(value) {
            return Err(FaultCause::Argument(Reg::R1).into());
        }
        self.lock = None;
        Ok(Word::Num(0))
    }

    /// Says what a timer runs; it will.
    pub(super) fn set_timer(&mut self) -> Result<Word, Stop> {
        let (value, map) = self.field(Reg::R1, FieldKind::Timer)?;
        let start = self.function_in(Reg::R2)?;
        if self.puts_off > 0 {
            self.puts_off -= 1;
            self.later.push(Later { start, map, value });
        }
        Ok(Word::Num(0))
    }

    /// A timer, named; what it does is settled elsewhere.
    pub(super) fn touch_timer(&mut self) -> Result<Word, Stop> {
        self.field(Reg::R1, FieldKind::Timer)?;
        Ok(Word::Num(self.choices.pick(&[0, INVALID]).cast_unsigned()))
    }

    /// Another program takes over, or none is there: then this one goes on. In a function, the caller goes on afterwards.
    pub(super) fn tail_call(&mut self, next: InsnIdx) -> Result<(), Stop> {
        self.no_lock()?;
        self.read(Reg::R1)?;
        self.map_in(Reg::R2)?;
        self.number(Reg::R3)?;
        if self.choices.one_in(2) {
            self.clobber();
            self.write(Reg::R0, Word::Num(FAULTY.cast_unsigned()));
            self.at = next;
            return Ok(());
        }
        if self.choices.one_in(2) {
            self.new_packet();
        }
        let result = self.choices.word();
        self.write(Reg::R0, Word::Num(result));
        self.leave()
    }

    /// The next thing that was put off is run, as a program of its own; whether there was one.
    pub(super) fn run_later(&mut self) -> bool {
        if self.later.is_empty() {
            return false;
        }
        let Later { start, map, value } = self.later.remove(0);
        let key_size = self.defs.get(map).map_or(0, |def| def.def.key_size) as usize;
        let bytes = self.choices.bytes(key_size);
        let key = self.memory.add(RegionKind::MapKey(map), 0, bytes);
        self.frames.clear();
        let mut frame = self.frame(None);
        let map = self.maps.get(map).copied().unwrap_or(key);
        for (reg, region) in [(Reg::R1, map), (Reg::R2, key), (Reg::R3, value)] {
            if let Some(place) = frame.regs.get_mut(reg.index()) {
                *place = Some(Word::Ptr(Ptr { region, off: 0 }));
            }
        }
        frame.deferred = true;
        frame.start = start;
        self.frames.push(frame);
        self.at = start;
        true
    }
}
