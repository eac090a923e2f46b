//! Calls: functions of the program, and helpers as adversaries within their contracts.

use bpfvet::platform::MapKind;
use bpfvet_insn::{InsnIdx, Reg};

use super::{FaultCause, INVALID, Machine, Map, Ptr, RegionId, RegionKind, Stop, Word};

/// Nesting of functions.
const FRAMES: usize = 8;
/// Rounds that `bpf_loop` refuses beyond, and those that the machine is ready to run.
const LOOP_LIMIT: u64 = 1 << 23;
/// `-E2BIG`, and what an update of a map may fail with.
const TOO_BIG: i64 = -7;
const NO_SPACE: i64 = -28;
/// `spin_unlock`, the only helper that may be called while a lock is held.
const UNLOCK: i32 = 94;
/// The last processor of the largest machine.
const LAST_CPU: u64 = 8191;
/// Bytes of a key or value that a helper is ready to copy.
const COPIED: u32 = 1 << 12;

impl Machine<'_> {
    /// Enters the function that the program calls.
    pub(super) fn enter_called(&mut self, start: InsnIdx) -> Result<(), Stop> {
        let caller = self.frames.last().ok_or(FaultCause::NoInstruction)?.regs;
        let args = core::array::from_fn(|arg| caller.get(arg + 1).copied().flatten());
        self.enter(start, args, None)
    }

    /// Enters the function at `start`; `round` where a helper runs it.
    fn enter(&mut self, start: InsnIdx, args: [Option<Word>; 5], round: Option<u64>) -> Result<(), Stop> {
        if self.frames.len() >= FRAMES {
            return Err(FaultCause::TooDeep.into());
        }
        let mut frame = self.frame(Some(self.at));
        for (place, arg) in frame.regs.iter_mut().skip(1).zip(args) {
            *place = arg;
        }
        frame.round = round;
        frame.start = start;
        self.frames.push(frame);
        self.at = start;
        Ok(())
    }

    /// Leaves the innermost function.
    pub(super) fn leave(&mut self) -> Result<(), Stop> {
        let result = self.read(Reg::R0)?;
        let frame = if self.frames.len() > 1 { self.frames.pop() } else { None };
        let Some(frame) = frame else { return Err(self.end(result)) };
        self.memory.end(frame.stack);
        let callsite = frame.callsite.ok_or(FaultCause::NoInstruction)?;
        if let Some(round) = frame.round {
            // The call runs again, to decide on another round.
            let result = self.memory.number(result);
            if result > 1 {
                return Err(FaultCause::CallbackResult(result).into());
            }
            if let Some(caller) = self.frames.last_mut() {
                caller.next_round = Some(round.saturating_add(1));
                caller.loop_over = result != 0;
            }
            self.at = callsite;
        } else {
            self.clobber();
            self.write(Reg::R0, result);
            self.at = callsite.next();
        }
        Ok(())
    }

    /// The program ends, with nothing in its hands.
    fn end(&self, result: Word) -> Stop {
        if let Some(held) = self.memory.held().first() {
            return FaultCause::Leaked(*held).into();
        }
        if self.lock.is_some() {
            return FaultCause::LockHeld.into();
        }
        let number = self.memory.number(result);
        if number != 0 && self.frames.last().is_some_and(|frame| frame.deferred) {
            return FaultCause::CallbackResult(number).into();
        }
        Stop::Returned(result)
    }

    /// No lock is held.
    pub(super) fn no_lock(&self) -> Result<(), Stop> {
        if self.lock.is_some() { Err(FaultCause::LockHeld.into()) } else { Ok(()) }
    }

    /// The region that stands for the function at `start`.
    pub(super) fn function(&mut self, start: InsnIdx) -> RegionId {
        let (memory, functions) = (&mut self.memory, &mut self.functions);
        *functions.entry(start).or_insert_with(|| memory.add(RegionKind::Func(start), 0, Vec::new()))
    }

    /// Calls a helper.
    pub(super) fn call_helper(&mut self, id: i32, next: InsnIdx) -> Result<(), Stop> {
        if id != UNLOCK {
            self.no_lock()?;
        }
        let result = match id {
            1 => self.look_up()?,
            2 => self.update()?,
            3 => self.delete()?,
            5 | 7 | 14 => Word::Num(if id == 7 { self.choices.word() & 0xffff_ffff } else { self.choices.word() }),
            8 => Word::Num(self.choices.pick(&[0, 1, LAST_CPU])),
            12 => return self.tail_call(next),
            16 => self.fill(Reg::R1, Reg::R2, false)?,
            26 | 189 => self.fill(Reg::R3, Reg::R4, false)?,
            38 | 39 | 44 => self.move_packet()?,
            84 => self.look_up_socket()?,
            86 => self.release_socket()?,
            93 => self.lock()?,
            UNLOCK => self.unlock()?,
            96 => self.view_socket()?,
            113 => self.fill(Reg::R1, Reg::R2, false)?,
            115 => self.fill(Reg::R1, Reg::R2, true)?,
            131 => self.reserve()?,
            132 | 133 => return self.give_back(next),
            164 => match self.run_over_map()? {
                Some(rounds) => rounds,
                None => return Ok(()),
            },
            169 | 171 => self.touch_timer()?,
            170 => self.set_timer()?,
            181 => match self.run_loop()? {
                Some(rounds) => rounds,
                None => return Ok(()),
            },
            _ => return Err(Stop::Unsupported("a helper")),
        };
        self.clobber();
        self.write(Reg::R0, result);
        self.at = next;
        Ok(())
    }

    /// The region whose origin an argument points to.
    fn region_of(&self, reg: Reg) -> Result<RegionKind, Stop> {
        let wrong = Stop::Fault(FaultCause::Argument(reg));
        let Word::Ptr(Ptr { region, off: 0 }) = self.read(reg)? else { return Err(wrong) };
        self.memory.region(region).map(|region| region.kind).ok_or(wrong)
    }

    /// The map that an argument is.
    pub(super) fn map_in(&self, reg: Reg) -> Result<usize, Stop> {
        let RegionKind::Map(index) = self.region_of(reg)? else { return Err(FaultCause::Argument(reg).into()) };
        Ok(index)
    }

    /// The function whose address an argument is.
    pub(super) fn function_in(&self, reg: Reg) -> Result<InsnIdx, Stop> {
        let RegionKind::Func(start) = self.region_of(reg)? else { return Err(FaultCause::Argument(reg).into()) };
        Ok(start)
    }

    /// The bytes that an argument points to.
    pub(super) fn argument(&self, reg: Reg, size: u32) -> Result<Vec<u8>, Stop> {
        let Word::Ptr(ptr) = self.read(reg)? else { return Err(FaultCause::Argument(reg).into()) };
        if size > COPIED {
            return Err(Stop::Unsupported("large keys and values"));
        }
        self.memory.check_written(ptr, size)?;
        Ok(self.memory.bytes(ptr, size)?.to_vec())
    }

    /// The key in `r2` of the map in `r1`, and the value that is there, if any: arrays keep their word, others have what
    /// they please.
    fn find(&mut self) -> Result<(usize, Option<RegionId>), Stop> {
        let map = self.map_in(Reg::R1)?;
        let Some(Map { def, .. }) = self.defs.get(map).copied() else {
            return Err(Stop::Unsupported("a map that is not there"));
        };
        let key = self.argument(Reg::R2, def.key_size)?;
        let values = self.values.get(map).map(Vec::as_slice).unwrap_or_default();
        let some = self.choices.below(u32::try_from(values.len()).unwrap_or(0)) as usize;
        let found = if def.kind == MapKind::ARRAY {
            let index = key.iter().rev().fold(0_u64, |index, byte| (index << 8) | u64::from(*byte));
            // Values beyond those that exist share them.
            if index < u64::from(def.max_entries) {
                Some(usize::try_from(index).unwrap_or(0).checked_rem(values.len()).unwrap_or(0))
            } else {
                None
            }
        } else if def.kind == MapKind::HASH {
            (!self.choices.one_in(2)).then_some(some)
        } else {
            return Err(Stop::Unsupported("a kind of map"));
        };
        Ok((map, found.and_then(|found| values.get(found)).copied()))
    }

    fn look_up(&mut self) -> Result<Word, Stop> {
        let map = self.map_in(Reg::R1)?;
        if self.defs.get(map).is_some_and(|map| map.def.inner.is_some()) {
            self.argument(Reg::R2, 4)?;
            let index = self.defs.get(map).map_or(0, |map| map.index);
            let inner = self.defs.iter().position(|map| map.index == index && map.inner == 1);
            let found = inner.and_then(|inner| self.maps.get(inner)).filter(|_| !self.choices.one_in(3));
            return Ok(found.map_or(Word::Num(0), |region| Word::Ptr(Ptr { region: *region, off: 0 })));
        }
        let (_, found) = self.find()?;
        Ok(found.map_or(Word::Num(0), |region| Word::Ptr(Ptr { region, off: 0 })))
    }

    fn update(&mut self) -> Result<Word, Stop> {
        let (map, found) = self.find()?;
        self.read(Reg::R4)?;
        let size = self.defs.get(map).map_or(0, |map| map.def.value_size);
        let new = self.argument(Reg::R3, size)?;
        if self.choices.one_in(3) {
            return Ok(Word::Num(self.choices.pick(&[TOO_BIG, INVALID, NO_SPACE]).cast_unsigned()));
        }
        if let Some(region) = found {
            self.memory.set_bytes(Ptr { region, off: 0 }, &new)?;
        }
        Ok(Word::Num(0))
    }

    fn delete(&mut self) -> Result<Word, Stop> {
        self.find()?;
        Ok(Word::Num(self.choices.pick(&[0, INVALID]).cast_unsigned()))
    }

    fn reserve(&mut self) -> Result<Word, Stop> {
        self.map_in(Reg::R1)?;
        let size = u32::try_from(self.number(Reg::R2)?).unwrap_or(u32::MAX);
        self.number(Reg::R3)?;
        if size > COPIED || self.choices.one_in(3) {
            return Ok(Word::Num(0));
        }
        let bytes = self.choices.bytes(size as usize);
        let region = self.memory.add(RegionKind::Record, 0, bytes);
        Ok(Word::Ptr(Ptr { region, off: 0 }))
    }

    fn give_back(&mut self, next: InsnIdx) -> Result<(), Stop> {
        let wrong = Stop::Fault(FaultCause::Argument(Reg::R1));
        let Word::Ptr(ptr) = self.read(Reg::R1)? else { return Err(wrong) };
        self.number(Reg::R2)?;
        let live = self.memory.held().contains(&ptr.region);
        if !live || ptr.off != 0 {
            return Err(wrong);
        }
        self.memory.end(ptr.region);
        self.clobber();
        self.at = next;
        Ok(())
    }

    /// `loop(count, function, data, flags)`: the number of rounds when it is over, nothing while it runs.
    fn run_loop(&mut self) -> Result<Option<Word>, Stop> {
        let (count, flags) = (self.number(Reg::R1)?, self.number(Reg::R4)?);
        self.read(Reg::R3)?;
        let start = self.function_in(Reg::R2)?;
        let Some(frame) = self.frames.last_mut() else { return Err(FaultCause::NoInstruction.into()) };
        let round = frame.next_round.take().unwrap_or(0);
        let over = core::mem::take(&mut frame.loop_over);
        // The count is a 32-bit argument.
        let count = count & 0xffff_ffff;
        if round == 0 && flags != 0 {
            return Ok(Some(Word::Num(INVALID.cast_unsigned())));
        }
        if round == 0 && count > LOOP_LIMIT {
            return Ok(Some(Word::Num(TOO_BIG.cast_unsigned())));
        }
        if over || round >= count {
            return Ok(Some(Word::Num(round)));
        }
        let data = self.read(Reg::R3).ok();
        self.enter(start, [Some(Word::Num(round)), data, None, None, None], Some(round))?;
        Ok(None)
    }

    /// `for_each(map, function, data, flags)`: the number of elements when it is over, nothing while it runs.
    fn run_over_map(&mut self) -> Result<Option<Word>, Stop> {
        let (map, start) = (self.map_in(Reg::R1)?, self.function_in(Reg::R2)?);
        let (given, data) = (self.read(Reg::R1).ok(), Some(self.read(Reg::R3)?));
        let flags = self.number(Reg::R4)?;
        let Some(frame) = self.frames.last_mut() else { return Err(FaultCause::NoInstruction.into()) };
        let round = frame.next_round.take().unwrap_or(0);
        let over = core::mem::take(&mut frame.loop_over);
        if round == 0 && flags != 0 {
            return Ok(Some(Word::Num(INVALID.cast_unsigned())));
        }
        let place = usize::try_from(round).unwrap_or(usize::MAX);
        let value = self.values.get(map).and_then(|values| values.get(place)).copied();
        let Some(value) = value.filter(|_| !over) else { return Ok(Some(Word::Num(round))) };
        let key_size = self.defs.get(map).map_or(0, |map| map.def.key_size) as usize;
        let bytes = self.choices.bytes(key_size);
        let key = self.memory.add(RegionKind::MapKey(map), 0, bytes);
        let to = |region| Some(Word::Ptr(Ptr { region, off: 0 }));
        self.enter(start, [given, to(key), to(value), data, None], Some(round))?;
        Ok(None)
    }
}
