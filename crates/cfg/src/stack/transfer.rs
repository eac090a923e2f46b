//! How pointers into stacks move through registers, spilled slots and stack arguments.

use alloc::rc::Rc;
use alloc::vec::Vec;

use bpfvet_insn::{AluOp, ByteOrder, Insn, InsnIdx, Operand, Reg, RegSet, Size, Width};

use super::track::Track;
use super::watch::TrackedPlace;
use crate::forward::Forward;
use crate::involved::Involved;

/// Slots of eight bytes that are followed.
const SLOTS: u8 = 64;
/// Stack arguments that are followed.
pub(crate) const STACK_ARGS: u8 = 7;

/// What a frame's stack slots and outgoing stack arguments hold, where that is a pointer into a stack.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Memory {
    /// Sorted by place: slots from the frame pointer down, then arguments.
    places: Vec<(u8, Track)>,
}

impl Memory {
    fn get(&self, place: u8) -> Track {
        match self.places.binary_search_by_key(&place, |&(place, _)| place) {
            Ok(index) => self.places.get(index).map_or(Track::None, |&(_, track)| track),
            Err(_) => Track::None,
        }
    }

    fn set(&mut self, place: u8, track: Track) {
        match (self.places.binary_search_by_key(&place, |&(place, _)| place), track) {
            (Ok(index), Track::None) => {
                self.places.remove(index);
            }
            (Ok(index), _) => {
                if let Some((_, old)) = self.places.get_mut(index) {
                    *old = track;
                }
            }
            (Err(_), Track::None) => {}
            (Err(index), _) => self.places.insert(index, (place, track)),
        }
    }

    /// The outgoing stack argument of this number, counted from zero.
    pub(crate) fn argument(&self, number: u8) -> Track {
        self.get(SLOTS.saturating_add(number))
    }

    fn join(&self, other: &Self) -> Self {
        let mut joined = Vec::with_capacity(self.places.len().max(other.places.len()));
        let (mut left, mut right) = (self.places.as_slice(), other.places.as_slice());
        loop {
            let place = match (left.first(), right.first()) {
                (Some(&(left, _)), Some(&(right, _))) => left.min(right),
                (Some(&(place, _)), None) | (None, Some(&(place, _))) => place,
                (None, None) => break,
            };
            let take = |from: &mut &[(u8, Track)]| match from.split_first() {
                Some((&(at, track), rest)) if at == place => {
                    *from = rest;
                    track
                }
                Some(_) | None => Track::None,
            };
            joined.push((place, take(&mut left).join(take(&mut right))));
        }
        Self { places: joined }
    }
}

/// What registers, slots and stack arguments hold before an instruction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct State {
    /// Registers 0 to 10.
    regs: [Track; 11],
    /// Those that hold a pointer into a stack; and the base of stack arguments, through which there is one to be had.
    pointers: RegSet,
    pub(crate) memory: Rc<Memory>,
}

impl State {
    /// Where a function begins at this depth, with these arguments in `r1` to `r5`.
    pub(crate) fn entry(depth: u8, args: &Arguments) -> Self {
        let mut state = Self { regs: [Track::None; 11], pointers: RegSet::of(Reg::ARGS), memory: Rc::default() };
        for (reg, &arg) in (0..5).filter_map(Reg::arg).zip(&args.regs) {
            state.set(reg, arg);
        }
        state.set(Reg::FP, Track::exact(depth, 0));
        state
    }

    pub(crate) fn get(&self, reg: Reg) -> Track {
        self.regs.get(reg.index()).copied().unwrap_or_default()
    }

    fn set(&mut self, reg: Reg, track: Track) {
        if let Some(register) = self.regs.get_mut(reg.index()) {
            *register = track;
            if track.is_pointer() { self.pointers.insert(reg) } else { self.pointers.remove(reg) }
        }
    }

    /// Joins what comes along an edge into what is known of its end; whether that changed.
    pub(crate) fn join(known: &mut Rc<Self>, from: &Rc<Self>) -> bool {
        if Rc::ptr_eq(known, from) || known == from {
            return false;
        }
        let mut joined = Self::clone(known);
        for reg in known.pointers.union(from.pointers).iter() {
            joined.set(reg, known.get(reg).join(from.get(reg)));
        }
        if !Rc::ptr_eq(&known.memory, &from.memory) {
            joined.memory = Rc::new(known.memory.join(&from.memory));
        }
        if joined == **known {
            return false;
        }
        *known = Rc::new(joined);
        true
    }
}

impl State {
    /// All places that are followed, in the kernel's order.
    pub(crate) fn places() -> impl Iterator<Item = TrackedPlace> {
        let registers = (0..11).filter_map(Reg::new).map(TrackedPlace::Reg);
        registers.chain((0..STACK_ARGS).map(TrackedPlace::StackArg)).chain((0..SLOTS).map(TrackedPlace::Slot))
    }

    /// What a place holds.
    pub(crate) fn at(&self, place: TrackedPlace) -> Track {
        match place {
            TrackedPlace::Reg(reg) => self.get(reg),
            TrackedPlace::StackArg(number) => self.memory.argument(number),
            TrackedPlace::Slot(slot) => self.memory.get(slot),
        }
    }
}

/// What a function is called with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Arguments {
    /// `r1` to `r5`.
    pub(crate) regs: [Track; 5],
    /// The sixth and later ones.
    pub(crate) stack: [Track; STACK_ARGS as usize],
}

impl Arguments {
    /// What a call passes in this state.
    pub(crate) fn passed(state: &State) -> Self {
        let mut args = Self::default();
        for (arg, reg) in args.regs.iter_mut().zip((0..5).filter_map(Reg::arg)) {
            *arg = state.get(reg);
        }
        for (arg, number) in args.stack.iter_mut().zip(0..) {
            *arg = state.memory.argument(number);
        }
        args
    }

    /// Whether one of them is a pointer into a stack.
    pub(crate) fn has_pointers(&self) -> bool {
        self.regs.iter().chain(&self.stack).any(Track::is_pointer)
    }
}

/// Where an instruction is: in which frame, called how.
pub(crate) struct Place<'a> {
    /// The frame's number.
    pub(crate) depth: u8,
    /// What the function was called with.
    pub(crate) args: &'a Arguments,
    /// What the frames below hold where they call on, the outermost first.
    pub(crate) callers: &'a [Rc<Memory>],
}

impl Forward for Place<'_> {
    type State = State;

    /// Calls hand on what is in memory, too.
    fn concern(state: &State) -> Involved {
        Involved::regs(state.pointers).with(Involved::LEAVES)
    }

    fn pass(&self, _at: InsnIdx, insn: &Insn, state: &mut Rc<State>) -> bool {
        self.transfer(insn, state);
        true
    }

    fn join(known: &mut Rc<State>, from: &Rc<State>) -> bool {
        State::join(known, from)
    }
}

impl Place<'_> {
    /// Whether the base of an access may point into the frame's own stack.
    fn is_local(&self, base: Reg, track: Track) -> bool {
        base == Reg::FP || track.frames() & 1 << (self.depth & 31) != 0
    }

    /// Turns what holds before an instruction into what holds behind it (`arg_track_xfer`, Linux 7.3).
    ///
    /// Calls leave slots alone: a helper makes no valid pointer, and a function of the program may not store one there.
    pub(crate) fn transfer(&self, insn: &Insn, state: &mut Rc<State>) {
        // What has nothing to do with such a pointer makes none and loses none.
        if insn.uses().union(insn.defs()).intersection(state.pointers).is_empty() {
            return;
        }
        let (dst, value) = match *insn {
            Insn::Load { dst, base: Reg::ARGS, off, .. } => {
                let arg = stack_arg(off).and_then(|number| self.args.stack.get(usize::from(number)));
                (dst, arg.copied().unwrap_or_default())
            }
            Insn::Load { dst, base, off, size: Size::B8, signed: false } => (dst, self.fill(state, base, off)),
            Insn::Store { base: Reg::ARGS, off, src, .. } => {
                if let Some(number) = stack_arg(off) {
                    let value = stored(state, src);
                    set_place(state, SLOTS + number, value);
                }
                return;
            }
            Insn::Store { base, off, size, src: Operand::Reg(src) } => {
                let track = state.get(base);
                if self.is_local(base, track) {
                    let value = if size == Size::B8 { state.get(src) } else { Track::None };
                    spill(state, base, track, off, value);
                }
                return;
            }
            Insn::Store { base, off, size, src: Operand::Imm(_) } | Insn::StoreRelease { base, off, size, .. } => {
                return self.clear(state, base, off, size);
            }
            Insn::Atomic { op, base, off, size, src } => {
                self.clear(state, base, off, size);
                match op.fetched_into(src) {
                    Some(reg) => (reg, Track::None),
                    None => return,
                }
            }
            Insn::Alu { width: Width::W64, op, dst, src: Operand::Imm(imm) } => {
                let old = state.get(dst);
                let new = match op {
                    AluOp::Add => old.shifted(i64::from(imm)),
                    AluOp::Sub => old.shifted(-i64::from(imm)),
                    AluOp::Mul
                    | AluOp::Div
                    | AluOp::Sdiv
                    | AluOp::Mod
                    | AluOp::Smod
                    | AluOp::And
                    | AluOp::Or
                    | AluOp::Xor
                    | AluOp::Lsh
                    | AluOp::Rsh
                    | AluOp::Arsh => old.anywhere(),
                };
                (dst, new)
            }
            Insn::Alu { width: Width::W64, dst, src: Operand::Reg(src), .. } => {
                (dst, state.get(dst).combined(state.get(src)))
            }
            Insn::Neg { width: Width::W64, dst } | Insn::Endian { order: ByteOrder::Swap, dst, .. } => {
                (dst, state.get(dst).anywhere())
            }
            Insn::Mov { width: Width::W64, dst, src: Operand::Reg(src) } => (dst, state.get(src)),
            // 32-bit results are no pointers, and neither is what comes from elsewhere.
            Insn::Alu { width: Width::W32, dst, .. }
            | Insn::Neg { width: Width::W32, dst }
            | Insn::Mov { width: Width::W32, dst, .. }
            | Insn::Mov { width: Width::W64, dst, src: Operand::Imm(_) }
            | Insn::MovSx { dst, .. }
            | Insn::AddrSpaceCast { dst, .. }
            | Insn::Endian { order: ByteOrder::Le | ByteOrder::Be, dst, .. }
            | Insn::LoadImm64 { dst, .. }
            | Insn::Load { dst, .. }
            | Insn::LoadAcquire { dst, .. } => (dst, Track::None),
            Insn::Call(_) => {
                let state = Rc::make_mut(state);
                return RegSet::CALLER_SAVED.iter().for_each(|reg| state.set(reg, Track::None));
            }
            Insn::LoadPacket { .. }
            | Insn::Jump { .. }
            | Insn::JumpIndirect { .. }
            | Insn::Branch { .. }
            | Insn::MayGoto { .. }
            | Insn::Exit => return,
        };
        if state.get(dst) != value {
            Rc::make_mut(state).set(dst, value);
        }
    }

    /// What a load of eight bytes brings back from a stack.
    fn fill(&self, state: &State, base: Reg, off: i16) -> Track {
        let track = state.get(base);
        if base == Reg::FP {
            return slot(Some(off)).map_or(Track::any_up_to(self.depth), |slot| state.memory.get(slot));
        }
        if self.is_local(base, track) {
            return fill_through(track, off, &state.memory, self.depth);
        }
        match track {
            Track::Frame { frame, .. } => match self.callers.get(usize::from(frame)) {
                Some(memory) => fill_through(track, off, memory, frame),
                None => Track::any_up_to(frame),
            },
            // Only callers' frames: what they hold came from them.
            Track::Mixed { .. } => track,
            Track::None => Track::None,
        }
    }

    /// A store of something that is no pointer (`clear_stack_for_all_offs`).
    fn clear(&self, state: &mut Rc<State>, base: Reg, off: i16, size: Size) {
        let track = state.get(base);
        if !self.is_local(base, track) || state.memory.places.is_empty() {
            return;
        }
        let size = i32::from(u8::try_from(size.bytes()).unwrap_or(8));
        if base == Reg::FP {
            forget(state, Some(off), size, true);
            return;
        }
        let Track::Frame { offs: Some(offs), .. } = track else { return forget(state, None, size, false) };
        let exact = offs.as_slice().len() == 1;
        for own in offs.as_slice() {
            match own.checked_add(off) {
                Some(off) => forget(state, Some(off), size, exact),
                None => return forget(state, None, size, false),
            }
        }
    }
}

/// Makes a slot or a stack argument hold this.
fn set_place(state: &mut Rc<State>, place: u8, track: Track) {
    if state.memory.get(place) != track {
        Rc::make_mut(&mut Rc::make_mut(state).memory).set(place, track);
    }
}

fn stored(state: &State, src: Operand) -> Track {
    match src {
        Operand::Reg(reg) => state.get(reg),
        Operand::Imm(_) => Track::None,
    }
}

/// The number of the stack argument at this offset from `r11`, counted from zero.
fn stack_arg(off: i16) -> Option<u8> {
    let number = (off.unsigned_abs() / 8).checked_sub(1)?;
    u8::try_from(number).ok().filter(|&number| number < STACK_ARGS)
}

/// The slot at this offset from the frame pointer, if a slot begins there.
fn slot(off: Option<i16>) -> Option<u8> {
    let off = off.filter(|off| off % 8 == 0)?;
    u8::try_from(-(i32::from(off) / 8) - 1).ok().filter(|&slot| slot < SLOTS)
}

/// What a load through a tracked pointer brings back. A pointer that is not the frame pointer itself may be none, which the first
/// join says.
fn fill_through(track: Track, off: i16, memory: &Memory, depth: u8) -> Track {
    let Track::Frame { offs: Some(offs), .. } = track else { return Track::any_up_to(depth) };
    let mut value = Track::None;
    for own in offs.as_slice() {
        match slot(own.checked_add(off)) {
            Some(slot) => value = value.join(memory.get(slot)),
            None => return Track::any_up_to(depth),
        }
    }
    value
}

/// A store of a register (`spill_to_stack`). Where the place is not exact, the slots may also keep what they had.
fn spill(state: &mut Rc<State>, base: Reg, track: Track, off: i16, value: Track) {
    if base == Reg::FP {
        if let Some(slot) = slot(Some(off)) {
            set_place(state, slot, value);
        }
        return;
    }
    let weak = |state: &mut Rc<State>, slot| {
        let joined = state.memory.get(slot).join(value);
        set_place(state, slot, joined);
    };
    let Track::Frame { offs: Some(offs), .. } = track else {
        return (0..SLOTS).for_each(|slot| weak(state, slot));
    };
    let exact = offs.as_slice().len() == 1;
    for own in offs.as_slice() {
        match slot(own.checked_add(off)) {
            Some(slot) if exact => set_place(state, slot, value),
            Some(slot) => weak(state, slot),
            None => {}
        }
    }
}

/// Slots that overlap a store of `size` bytes hold no pointer any more, or maybe none where the place is not exact; all slots where
/// it is not known.
fn forget(state: &mut Rc<State>, off: Option<i16>, size: i32, exact: bool) {
    let overlaps = |slot: u8| {
        let start = -8 * (i32::from(slot) + 1);
        off.is_none_or(|off| start < i32::from(off) + size && i32::from(off) < start + 8)
    };
    let held = state.memory.places.iter().map(|&(place, _)| place);
    let held: Vec<u8> = held.filter(|&slot| slot < SLOTS && overlaps(slot)).collect();
    for slot in held {
        let value = if exact { Track::None } else { state.memory.get(slot).join(Track::None) };
        set_place(state, slot, value);
    }
}
