//! One instruction.

use bpfvet_insn::{AtomicOp, Call, ImmSource, Insn, InsnIdx, Operand, PacketIndex, Reg, Size};

use super::arithmetic::{alu, holds, modified, narrowed, reordered, sign_extended};
use super::{FaultCause, Machine, Ptr, RegionKind, Stop, Word};

impl Machine<'_> {
    /// Runs the next instruction.
    pub(super) fn step(&mut self) -> Result<(), Stop> {
        let insn = *self.program.get(self.at).ok_or(FaultCause::NoInstruction)?;
        let next = self.at.offset(i64::from(insn.slots())).ok_or(FaultCause::NoInstruction)?;
        let target = || insn.target(self.at).ok_or(FaultCause::NoInstruction);
        let mut to = next;
        match insn {
            Insn::Alu { width, op, dst, src } => {
                let (x, y) = (self.read(dst)?, self.operand(src)?);
                let result = alu(&self.memory, width, op, x, y);
                self.write(dst, result);
            }
            Insn::Neg { width, dst } => {
                let x = self.number(dst)?;
                self.write(dst, Word::Num(narrowed(width, x.wrapping_neg())));
            }
            Insn::Mov { width, dst, src } => {
                let word = self.operand(src)?;
                let word = match width {
                    bpfvet_insn::Width::W32 => Word::Num(narrowed(width, self.memory.number(word))),
                    bpfvet_insn::Width::W64 => word,
                };
                self.write(dst, word);
            }
            Insn::MovSx { width, dst, src, from } => {
                let x = self.number(src)?;
                self.write(dst, Word::Num(narrowed(width, sign_extended(from, x))));
            }
            Insn::AddrSpaceCast { .. } => return Err(Stop::Unsupported("address spaces")),
            Insn::Endian { order, dst, size } => {
                let x = self.number(dst)?;
                self.write(dst, Word::Num(reordered(order, size, x)));
            }
            Insn::LoadImm64 { dst, imm } => {
                let word = self.immediate(imm, target().ok())?;
                self.write(dst, word);
            }
            Insn::LoadPacket { size, index, imm: _ } => return self.load_packet(size, index, next),
            Insn::Load { dst, base, off, size, signed } => {
                let at = self.address(base, off)?;
                let word = self.load(at, size)?;
                let word = match (signed, word) {
                    (true, Word::Num(number)) => Word::Num(sign_extended(size, number)),
                    (true, Word::Ptr(_)) | (false, _) => word,
                };
                self.write(dst, word);
            }
            Insn::LoadAcquire { dst, base, off, size } => {
                let at = self.address(base, off)?;
                let word = self.load(at, size)?;
                self.write(dst, word);
            }
            Insn::Store { base, off, size, src } => {
                let word = self.operand(src)?;
                let at = self.address(base, off)?;
                self.store(at, size, word)?;
            }
            Insn::StoreRelease { base, off, size, src } => {
                let word = self.read(src)?;
                let at = self.address(base, off)?;
                self.store(at, size, word)?;
            }
            Insn::Atomic { op, size, base, off, src } => self.atomic(op, size, base, off, src)?,
            Insn::Jump { .. } => to = target()?,
            Insn::JumpIndirect { .. } => return Err(Stop::Unsupported("tables of instructions")),
            Insn::Branch { width, op, dst, src, .. } => {
                let (x, y) = (self.number(dst)?, self.operand(src)?);
                if holds(width, op, x, self.memory.number(y)) {
                    to = target()?;
                }
            }
            Insn::MayGoto { .. } => {
                let out = target()?;
                match self.frames.last_mut() {
                    Some(frame) if frame.patience > 0 => frame.patience -= 1,
                    Some(_) | None => to = out,
                }
            }
            Insn::Call(Call::Helper(id)) => return self.call_helper(id, next),
            Insn::Call(Call::Subprog(_)) => {
                let start = target()?;
                return self.enter_called(start);
            }
            Insn::Call(Call::Kfunc { .. }) => return Err(Stop::Unsupported("functions of the host")),
            Insn::Exit => return self.leave(),
        }
        self.at = to;
        Ok(())
    }

    /// What a register holds.
    pub(super) fn read(&self, reg: Reg) -> Result<Word, FaultCause> {
        let word = self.frames.last().and_then(|frame| frame.regs.get(reg.index())).copied().flatten();
        word.ok_or(FaultCause::Uninit(reg))
    }

    /// The same as a number.
    pub(super) fn number(&self, reg: Reg) -> Result<u64, FaultCause> {
        Ok(self.memory.number(self.read(reg)?))
    }

    pub(super) fn write(&mut self, reg: Reg, word: Word) {
        if let Some(place) = self.frames.last_mut().and_then(|frame| frame.regs.get_mut(reg.index())) {
            *place = Some(word);
        }
    }

    /// Makes what a call overwrites unreadable.
    pub(super) fn clobber(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.regs.iter_mut().take(6).for_each(|reg| *reg = None);
        }
    }

    fn operand(&self, operand: Operand) -> Result<Word, FaultCause> {
        match operand {
            Operand::Reg(reg) => self.read(reg),
            Operand::Imm(imm) => Ok(Word::Num(i64::from(imm).cast_unsigned())),
        }
    }

    fn address(&self, base: Reg, off: i16) -> Result<Ptr, Stop> {
        if base == Reg::ARGS {
            return Err(Stop::Unsupported("arguments on the stack"));
        }
        match self.read(base)? {
            Word::Ptr(ptr) => Ok(Ptr { off: ptr.off.wrapping_add(i64::from(off)), ..ptr }),
            Word::Num(number) => Err(FaultCause::NotAPointer(number).into()),
        }
    }

    fn kind(&self, at: Ptr) -> Option<RegionKind> {
        self.memory.region(at.region).map(|region| region.kind)
    }

    fn load(&mut self, at: Ptr, size: Size) -> Result<Word, Stop> {
        match self.kind(at) {
            Some(RegionKind::Context) => return self.load_context(at.off, size),
            // Somebody else may have written to it.
            Some(RegionKind::MapValue(_)) if self.choices.one_in(2) => {
                let written = self.choices.word();
                self.memory.store(at, size, Word::Num(written))?;
            }
            Some(RegionKind::Socket | RegionKind::View) => return self.load_socket(at, size),
            Some(
                RegionKind::MapValue(_)
                | RegionKind::MapKey(_)
                | RegionKind::Stack { .. }
                | RegionKind::Map(_)
                | RegionKind::Packet
                | RegionKind::Record
                | RegionKind::Func(_),
            )
            | None => {}
        }
        self.memory.check_written(at, size.bytes())?;
        Ok(self.memory.load(at, size)?)
    }

    fn store(&mut self, at: Ptr, size: Size, word: Word) -> Result<(), Stop> {
        if self.kind(at) == Some(RegionKind::Context) {
            // The host translates it; what is loaded later is up to the host.
            return self.load_context(at.off, size).map(|_| ());
        }
        Ok(self.memory.store(at, size, word)?)
    }

    fn atomic(&mut self, op: AtomicOp, size: Size, base: Reg, off: i16, src: Reg) -> Result<(), Stop> {
        let operand = self.number(src)?;
        let compared = if op == AtomicOp::CmpXchg { self.number(Reg::R0)? } else { 0 };
        let at = self.address(base, off)?;
        // A pointer that is fetched whole is a pointer; what takes its place is a number, whatever it was.
        let fetched = self.load(at, size)?;
        let old = self.memory.number(fetched);
        self.memory.store(at, size, Word::Num(modified(op, size, old, operand, compared)))?;
        if let Some(reg) = op.fetched_into(src) {
            self.write(reg, fetched);
        }
        Ok(())
    }

    fn immediate(&mut self, imm: ImmSource, target: Option<InsnIdx>) -> Result<Word, Stop> {
        let index = |index: i32| usize::try_from(index).map_err(|_| Stop::Unsupported("a map that is not there"));
        let found = match imm {
            ImmSource::Value(number) => return Ok(Word::Num(number)),
            ImmSource::MapFd(fd) | ImmSource::MapIdx(fd) => self.maps.get(index(fd)?).map(|map| (*map, 0)),
            ImmSource::MapValue { fd: map, off } | ImmSource::MapIdxValue { index: map, off } => {
                self.values.get(index(map)?).and_then(|values| values.first()).map(|value| (*value, i64::from(off)))
            }
            ImmSource::Func(_) => {
                let start = target.ok_or(FaultCause::NoInstruction)?;
                return Ok(Word::Ptr(Ptr { region: self.function(start), off: 0 }));
            }
            ImmSource::BtfId { .. } => return Err(Stop::Unsupported("variables of the host")),
        };
        found.map(|(region, off)| Word::Ptr(Ptr { region, off })).ok_or(Stop::Unsupported("a map that is not there"))
    }

    /// A load that needs `r6` alone; it may find nothing and end the function.
    fn load_packet(&mut self, size: Size, index: PacketIndex, next: InsnIdx) -> Result<(), Stop> {
        let context = self.read(Reg::R6)?;
        if let PacketIndex::Indirect(reg) = index {
            self.read(reg)?;
        }
        let in_context = matches!(context, Word::Ptr(ptr) if self.kind(ptr) == Some(RegionKind::Context));
        if !in_context {
            return Err(FaultCause::Argument(Reg::R6).into());
        }
        self.no_lock()?;
        self.clobber();
        if self.choices.one_in(4) {
            self.write(Reg::R0, Word::Num(0));
            return self.leave();
        }
        let above = 64 - size.bits();
        let loaded = (self.choices.word() << above) >> above;
        self.write(Reg::R0, Word::Num(loaded));
        self.at = next;
        Ok(())
    }
}
