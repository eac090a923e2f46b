//! Calls: functions of the program, and helpers as adversaries within their contracts.

use bpfvet::platform::MapKind;
use bpfvet_insn::{InsnIdx, Reg};

use super::{FaultCause, Machine, Ptr, RegionId, RegionKind, Stop, Word};

/// Nesting of functions.
const FRAMES: usize = 8;
/// Rounds that `bpf_loop` refuses beyond, and those that the machine is ready to run.
const LOOP_LIMIT: u64 = 1 << 23;
/// `-E2BIG` and `-EINVAL`, and what an update of a map may fail with.
const TOO_BIG: i64 = -7;
const INVALID: i64 = -22;
const NO_SPACE: i64 = -28;
/// Bytes of a key or value that a helper is ready to copy.
const COPIED: u32 = 1 << 12;

impl Machine<'_> {
    /// Enters the function at `start`; `round` where a helper runs it.
    pub(super) fn enter(&mut self, start: InsnIdx, round: Option<u64>) -> Result<(), Stop> {
        if self.frames.len() >= FRAMES {
            return Err(FaultCause::TooDeep.into());
        }
        let caller = self.frames.last().ok_or(FaultCause::NoInstruction)?.regs;
        let mut frame = self.frame(Some(self.at));
        let given = |reg: Reg| caller.get(reg.index()).copied().flatten();
        for arg in (0..5).filter_map(Reg::arg) {
            let word = match (round, arg) {
                (None, _) => given(arg),
                (Some(round), Reg::R1) => Some(Word::Num(round)),
                (Some(_), Reg::R2) => given(Reg::R3),
                (Some(_), _) => None,
            };
            if let Some(place) = frame.regs.get_mut(arg.index()) {
                *place = word;
            }
        }
        frame.round = round;
        self.frames.push(frame);
        self.at = start;
        Ok(())
    }

    /// Leaves the innermost function.
    pub(super) fn leave(&mut self) -> Result<(), Stop> {
        let result = self.read(Reg::R0)?;
        let frame = if self.frames.len() > 1 { self.frames.pop() } else { None };
        let Some(frame) = frame else {
            return Err(match self.memory.records().next() {
                Some(record) => FaultCause::Leaked(record).into(),
                None => Stop::Returned(result),
            });
        };
        self.memory.end(frame.stack);
        let callsite = frame.callsite.ok_or(FaultCause::NoInstruction)?;
        if let Some(round) = frame.round {
            // The call runs again, to decide on another round.
            let over = self.memory.number(result) != 0;
            if let Some(caller) = self.frames.last_mut() {
                caller.next_round = Some(round.saturating_add(1));
                caller.loop_over = over;
            }
            self.at = callsite;
        } else {
            self.clobber();
            self.write(Reg::R0, result);
            self.at = callsite.next();
        }
        Ok(())
    }

    /// The region that stands for the function at `start`.
    pub(super) fn function(&mut self, start: InsnIdx) -> RegionId {
        let (memory, functions) = (&mut self.memory, &mut self.functions);
        *functions.entry(start).or_insert_with(|| memory.add(RegionKind::Func(start), 0, Vec::new()))
    }

    /// Calls a helper.
    pub(super) fn call_helper(&mut self, id: i32, next: InsnIdx) -> Result<(), Stop> {
        let result = match id {
            1 => self.look_up()?,
            2 => self.update()?,
            3 => self.delete()?,
            5 | 7 | 14 => Word::Num(if id == 7 { self.choices.word() & 0xffff_ffff } else { self.choices.word() }),
            // The machine has one processor.
            8 => Word::Num(0),
            131 => self.reserve()?,
            132 | 133 => return self.give_back(next),
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

    /// The map in `r1`.
    fn map(&self) -> Result<usize, Stop> {
        let wrong = Stop::Fault(FaultCause::Argument(Reg::R1));
        let Word::Ptr(ptr) = self.read(Reg::R1)? else { return Err(wrong) };
        match self.memory.region(ptr.region).map(|region| region.kind) {
            Some(RegionKind::Map(index)) if ptr.off == 0 => Ok(index),
            Some(
                RegionKind::Map(_)
                | RegionKind::Stack { .. }
                | RegionKind::Context
                | RegionKind::MapValue(_)
                | RegionKind::Packet
                | RegionKind::Record
                | RegionKind::Func(_),
            )
            | None => Err(wrong),
        }
    }

    /// The bytes that an argument points to.
    fn argument(&self, reg: Reg, size: u32) -> Result<Vec<u8>, Stop> {
        let Word::Ptr(ptr) = self.read(reg)? else { return Err(FaultCause::Argument(reg).into()) };
        if size > COPIED {
            return Err(Stop::Unsupported("large keys and values"));
        }
        Ok(self.memory.bytes(ptr, size)?.to_vec())
    }

    /// The key in `r2` of the map in `r1`, and the value that is there, if any: arrays keep their word, others have what
    /// they please.
    fn find(&mut self) -> Result<(usize, Option<RegionId>), Stop> {
        let map = self.map()?;
        let Some(def) = self.request.maps.get(map) else { return Err(Stop::Unsupported("a map that is not there")) };
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
        let (_, found) = self.find()?;
        Ok(found.map_or(Word::Num(0), |region| Word::Ptr(Ptr { region, off: 0 })))
    }

    fn update(&mut self) -> Result<Word, Stop> {
        let (map, found) = self.find()?;
        self.read(Reg::R4)?;
        let size = self.request.maps.get(map).map_or(0, |def| def.value_size);
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
        self.map()?;
        let size = u32::try_from(self.number(Reg::R2)?).unwrap_or(u32::MAX);
        self.number(Reg::R3)?;
        if size > COPIED || self.choices.one_in(3) {
            return Ok(Word::Num(0));
        }
        let bytes = (0..size).map(|_| self.choices.bits() as u8).collect();
        let region = self.memory.add(RegionKind::Record, 0, bytes);
        Ok(Word::Ptr(Ptr { region, off: 0 }))
    }

    fn give_back(&mut self, next: InsnIdx) -> Result<(), Stop> {
        let wrong = Stop::Fault(FaultCause::Argument(Reg::R1));
        let Word::Ptr(ptr) = self.read(Reg::R1)? else { return Err(wrong) };
        self.number(Reg::R2)?;
        let live = self.memory.records().any(|record| record == ptr.region);
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
        let wrong = Stop::Fault(FaultCause::Argument(Reg::R2));
        let Word::Ptr(callback) = self.read(Reg::R2)? else { return Err(wrong) };
        self.read(Reg::R3)?;
        let start = match self.memory.region(callback.region).map(|region| region.kind) {
            Some(RegionKind::Func(start)) if callback.off == 0 => start,
            Some(
                RegionKind::Func(_)
                | RegionKind::Map(_)
                | RegionKind::Stack { .. }
                | RegionKind::Context
                | RegionKind::MapValue(_)
                | RegionKind::Packet
                | RegionKind::Record,
            )
            | None => return Err(wrong),
        };
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
        self.enter(start, Some(round))?;
        Ok(None)
    }
}
