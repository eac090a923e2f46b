//! A frame's stack: sixty-four 8-byte slots, counted from the top.
//!
//! ```text
//!   address   fp-16 ............ fp-8 ............. fp
//!   slot               1                 0
//!   byte       7 6 5 4 3 2 1 0   7 6 5 4 3 2 1 0
//!              ▲ low end of the value
//! ```
//!
//! Byte 7 of a slot has the lowest address, so a value spilled in *n* bytes covers bytes 7 down to 8 − *n*.

use alloc::rc::Rc;
use core::iter::repeat_n;

use bpfvet_domain::{Scalar, Views};

use super::SlotObject;
use crate::Value;

/// Slots of a frame.
pub const STACK_SLOTS: usize = 64;

/// What is known of one byte of stack.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ByteKind {
    /// Never written.
    Invalid,
    /// Written with something that is not tracked.
    Misc,
    /// Zero.
    Zero,
    /// Never read again, so its content was forgotten.
    Poison,
    /// Part of a spilled value.
    Spill,
    /// Part of the state of an iteration.
    Iteration,
    /// Part of a saved interrupt state.
    IrqFlag,
    /// Part of a dynamic pointer.
    Dynptr,
}

/// Bytes of which everything was forgotten.
const FORGOTTEN: [ByteKind; 8] = [ByteKind::Poison; 8];

/// A value spilled into a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spill<D = Scalar> {
    /// The value.
    pub value: Value<D>,
    /// How many bytes it takes: a run from byte 7 down.
    pub width: u8,
    /// The other bytes, in the places below the run, which takes one at least; the rest of the array has no meaning.
    pub(super) rest: [ByteKind; 7],
}

/// One slot of eight bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot<D = Scalar> {
    /// Bytes that hold no spilled value.
    Bytes([ByteKind; 8]),
    /// A spilled value, and what lies above it.
    Spill(Spill<D>),
    /// What a function of the host keeps there.
    Object(SlotObject),
}

impl<D: Views> Slot<D> {
    /// A slot never written.
    pub const INVALID: Self = Self::Bytes([ByteKind::Invalid; 8]);

    /// A slot of which everything was forgotten.
    pub const FORGOTTEN: Self = Self::Bytes(FORGOTTEN);

    /// A slot that holds a whole value.
    #[must_use]
    pub const fn whole(value: Value<D>) -> Self {
        Self::Spill(Spill { value, width: 8, rest: [ByteKind::Invalid; 7] })
    }

    /// The kind of byte `byte` (0 to 7).
    #[must_use]
    pub fn byte(&self, byte: usize) -> ByteKind {
        match self {
            Self::Bytes(bytes) => bytes.get(byte).copied().unwrap_or(ByteKind::Invalid),
            Self::Spill(spill) => {
                if byte + usize::from(spill.width) >= 8 {
                    ByteKind::Spill
                } else {
                    spill.rest.get(byte).copied().unwrap_or(ByteKind::Invalid)
                }
            }
            Self::Object(SlotObject::Iteration(_)) => ByteKind::Iteration,
            Self::Object(SlotObject::IrqFlag(_)) => ByteKind::IrqFlag,
            Self::Object(SlotObject::Dynptr(_)) => ByteKind::Dynptr,
        }
    }

    /// The kinds of its eight bytes.
    #[must_use]
    pub fn bytes(&self) -> [ByteKind; 8] {
        core::array::from_fn(|byte| self.byte(byte))
    }

    /// The spilled value, if there is one.
    #[must_use]
    pub const fn spilled(&self) -> Option<&Value<D>> {
        match self {
            Self::Bytes(_) | Self::Object(_) => None,
            Self::Spill(spill) => Some(&spill.value),
        }
    }

    /// The spilled value, to be written.
    pub const fn spilled_mut(&mut self) -> Option<&mut Value<D>> {
        match self {
            Self::Bytes(_) | Self::Object(_) => None,
            Self::Spill(spill) => Some(&mut spill.value),
        }
    }

    /// How many bytes the spilled value takes; zero where there is none.
    #[must_use]
    pub const fn spill_width(&self) -> u32 {
        match self {
            Self::Bytes(_) | Self::Object(_) => 0,
            Self::Spill(spill) => spill.width as u32,
        }
    }

    /// Spills `value` into its low `width` bytes. Bytes above that held part of another value become untracked; zeros and
    /// bytes never written stay.
    pub fn spill(&mut self, value: Value<D>, width: u32) {
        let width = u8::try_from(width.clamp(1, 8)).unwrap_or(8);
        if width == 8 {
            *self = Self::whole(value);
            return;
        }
        let rest = core::array::from_fn(|byte| match self.byte(byte) {
            ByteKind::Spill | ByteKind::Misc | ByteKind::Iteration | ByteKind::IrqFlag | ByteKind::Dynptr => {
                ByteKind::Misc
            }
            kind @ (ByteKind::Invalid | ByteKind::Zero | ByteKind::Poison) => kind,
        });
        *self = Self::Spill(Spill { value, width, rest });
    }

    /// Forgets a spilled value, or what a function of the host keeps there: all its bytes, and those above it that were written,
    /// become untracked.
    pub fn scrub(&mut self) {
        if let Self::Spill(_) | Self::Object(_) = self {
            *self = Self::Bytes(self.bytes().map(|kind| match kind {
                ByteKind::Invalid | ByteKind::Poison => kind,
                ByteKind::Misc
                | ByteKind::Zero
                | ByteKind::Spill
                | ByteKind::Iteration
                | ByteKind::IrqFlag
                | ByteKind::Dynptr => ByteKind::Misc,
            }));
        }
    }

    /// Sets the kind of one byte that is not part of a spilled value; a spilled value is forgotten first.
    pub fn set_byte(&mut self, byte: usize, kind: ByteKind) {
        self.scrub();
        if let Self::Bytes(bytes) = self
            && let Some(place) = bytes.get_mut(byte)
        {
            *place = kind;
        }
    }

    /// Sets the kind of one byte that is not part of a spilled value, and leaves a spilled value beside it alone.
    ///
    /// On a byte that is part of one, the value is forgotten as by [`Slot::set_byte`].
    pub fn overwrite_byte(&mut self, byte: usize, kind: ByteKind) {
        if let Self::Spill(spill) = self
            && byte + usize::from(spill.width) < 8
        {
            if let Some(place) = spill.rest.get_mut(byte) {
                *place = kind;
            }
        } else {
            self.set_byte(byte, kind);
        }
    }

    /// What is left when what is never read again is forgotten; `None` where nothing changes. `low` says whether bytes 0 to 3 are still
    /// read, `high` the same of bytes 4 to 7.
    ///
    /// A spilled pointer of which only the low half is read stays whole: a partial fill of it must still be refused. A
    /// spilled zero stays too, since bytes known to be zero would need precision marks. What a function of the host keeps there
    /// stays: it must not be made twice.
    #[must_use]
    pub fn cleaned(&self, low: bool, high: bool) -> Option<Self> {
        let cleaned = match (self, low, high) {
            (_, true, true) | (Self::Object(_), _, _) => return None,
            (Self::Bytes(FORGOTTEN), _, _) => return None,
            (_, false, false) => return Some(Self::FORGOTTEN),
            (Self::Bytes(bytes), ..) => {
                let mut left = *bytes;
                let dead = if low { 4..8 } else { 0..4 };
                left.get_mut(dead).unwrap_or_default().fill(ByteKind::Poison);
                Self::Bytes(left)
            }
            // Only bytes 0 to 3 die: the value survives in what is left of its run.
            (Self::Spill(spill), false, true) => {
                let rest = core::array::from_fn(|byte| if byte < 4 { ByteKind::Poison } else { self.byte(byte) });
                Self::Spill(Spill { value: spill.value, width: spill.width.min(4), rest })
            }
            (Self::Spill(spill), true, false) if spill.value.as_scalar().is_none_or(|scalar| scalar.is_zero()) => {
                return None;
            }
            (Self::Spill(_), _, _) => {
                Self::Bytes(core::array::from_fn(|byte| match (if byte < 4 { low } else { high }, self.byte(byte)) {
                    (false, _) => ByteKind::Poison,
                    (true, ByteKind::Spill | ByteKind::Iteration | ByteKind::IrqFlag | ByteKind::Dynptr) => {
                        ByteKind::Misc
                    }
                    (true, kind @ (ByteKind::Invalid | ByteKind::Misc | ByteKind::Zero | ByteKind::Poison)) => kind,
                }))
            }
        };
        (cleaned != *self).then_some(cleaned)
    }
}

/// Slots that are copied together when one of them is written.
pub(super) const CHUNK: usize = 4;

/// Neighbours. States that branch from each other share them until one writes.
type Chunk<D> = [Slot<D>; CHUNK];

/// A chunk, to be written: copied first where another stack shares it, at once and not slot by slot.
fn own<D: Copy>(chunk: &mut Rc<Chunk<D>>) -> &mut Chunk<D> {
    if Rc::get_mut(chunk).is_none() {
        *chunk = Rc::new(**chunk);
    }
    Rc::make_mut(chunk)
}

/// A frame's stack, as deep as it was used.
///
/// ```text
///   stack ──▶ chunks ──▶ chunk, 4 slots     both shared, both copied when written; no more chunks than were
///               └──────▶ chunk              used; no chunk where no slot holds anything
/// ```
#[derive(Clone, Debug)]
pub struct Stack<D = Scalar> {
    pub(super) chunks: Rc<[Option<Rc<Chunk<D>>>]>,
    pub(super) len: usize,
    /// Half slots of which everything was forgotten and nothing written since, from the top of the stack down.
    pub(super) forgotten: u128,
    /// Slots of which that is true of both halves: a bit each. What a chunk says of them is out of date.
    pub(super) gone: u64,
}

/// A run of slots of one stack, beside the same of another.
#[derive(Debug)]
pub(crate) struct Run<'a, D> {
    /// The first of them.
    pub(crate) first: usize,
    /// Whether both stacks hold the same objects there, and so the same.
    pub(crate) same: bool,
    /// Those of the one stack, as deep as it was used: a bit each.
    pub(crate) used: u64,
    /// Those of them that may hold something. The others were never written, or everything in them was forgotten.
    pub(crate) held: u64,
    one: Side<'a, D>,
    other: Side<'a, D>,
}

/// A run of slots of one stack.
#[derive(Debug)]
struct Side<'a, D> {
    chunk: &'a Chunk<D>,
    used: u64,
    gone: u64,
}

impl<'a, D: Views> Run<'a, D> {
    /// A slot of the one stack, counted from the first of the run, never written where that stack is not so deep; and the same of the
    /// other, where that is as deep.
    pub(crate) fn slots(&self, index: usize) -> (&'a Slot<D>, Option<&'a Slot<D>>) {
        let slot = |side: &Side<'a, D>| {
            if side.gone >> index & 1 != 0 { &Slot::FORGOTTEN } else { side.chunk.get(index).unwrap_or(&Slot::INVALID) }
        };
        (slot(&self.one), (self.other.used >> index & 1 != 0).then(|| slot(&self.other)))
    }
}

impl<D> Default for Stack<D> {
    fn default() -> Self {
        Self { chunks: Rc::default(), len: 0, forgotten: 0, gone: 0 }
    }
}

impl<D: Views> Stack<D> {
    /// Slots that were never written.
    const INVALID: Chunk<D> = [Slot::INVALID; CHUNK];

    /// How many slots are in use.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether none is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes in use, a multiple of eight.
    #[must_use]
    pub fn depth(&self) -> u32 {
        u32::try_from(self.len * 8).unwrap_or(u32::MAX)
    }

    /// Makes it at least `bytes` deep, rounded up to slots; new ones were never written. Whether it grew.
    pub fn grow(&mut self, bytes: u32) -> bool {
        let slots = (bytes as usize).div_ceil(8).min(STACK_SLOTS);
        let grows = slots > self.len;
        self.len = self.len.max(slots);
        grows
    }

    /// The slot at `index`, never written where the stack is not that deep.
    #[must_use]
    pub fn slot(&self, index: usize) -> &Slot<D> {
        if index < STACK_SLOTS && self.gone >> index & 1 != 0 {
            return &Slot::FORGOTTEN;
        }
        match self.chunks.get(index / CHUNK) {
            Some(Some(chunk)) => chunk.get(index % CHUNK).unwrap_or(&Slot::INVALID),
            Some(None) | None => &Slot::INVALID,
        }
    }

    /// The slot at `index`, to be written; `None` beyond the depth.
    pub fn slot_mut(&mut self, index: usize) -> Option<&mut Slot<D>> {
        if index >= self.len {
            return None;
        }
        if index / CHUNK >= self.chunks.len() {
            let more = self.len.div_ceil(CHUNK).saturating_sub(self.chunks.len());
            self.chunks = self.chunks.iter().cloned().chain(repeat_n(None, more)).collect();
        }
        let chunk = Rc::make_mut(&mut self.chunks).get_mut(index / CHUNK)?;
        let slot = own(chunk.get_or_insert_with(|| Rc::new(Self::INVALID))).get_mut(index % CHUNK)?;
        if self.gone >> index & 1 != 0 {
            self.gone &= !(1 << index);
            *slot = Slot::FORGOTTEN;
        }
        self.forgotten &= !(0b11 << (index * 2));
        Some(slot)
    }

    /// All slots in use, from the top of the stack down.
    pub fn slots(&self) -> impl Iterator<Item = &Slot<D>> {
        (0..self.len).map(|index| self.slot(index))
    }

    /// Half slots in use of which not everything was forgotten: bit *n* is the four bytes that end at `fp - 4n`.
    #[must_use]
    pub const fn remembered(&self) -> u128 {
        let halves = self.len * 2;
        if halves == 0 { 0 } else { u128::MAX >> (2 * STACK_SLOTS - halves) & !self.forgotten }
    }

    /// Puts what [`Slot::cleaned`] left into a slot.
    pub fn clean(&mut self, index: usize, cleaned: Slot<D>) {
        if index >= self.len {
            return;
        }
        if let Slot::Bytes(FORGOTTEN) = cleaned {
            return self.forget(1 << index);
        }
        let gone = |half: usize| (half * 4..half * 4 + 4).all(|byte| cleaned.byte(byte) == ByteKind::Poison);
        let forgotten = u128::from(gone(0)) | u128::from(gone(1)) << 1;
        if let Some(slot) = self.slot_mut(index) {
            *slot = cleaned;
            self.forgotten |= forgotten << (index * 2);
        }
    }

    /// Slots in use, a bit each.
    const fn used(&self) -> u64 {
        if self.len == 0 { 0 } else { u64::MAX >> (STACK_SLOTS - self.len) }
    }

    /// Slots in runs, from the top of the stack down: those of this stack, as deep as it was used, beside those of `other`.
    pub(crate) fn beside<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = Run<'a, D>> {
        let (used, other_used, as_deep) = (self.used(), other.used(), self.len == other.len);
        (0..self.len.div_ceil(CHUNK)).map(move |number| {
            let bits = |slots: u64| slots >> (number * CHUNK) & 0xf;
            let (mine, theirs) = (self.chunk(number), other.chunk(number));
            let same_objects = match (mine, theirs) {
                (Some(mine), Some(theirs)) => Rc::ptr_eq(mine, theirs),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            let chunk = |chunk: Option<&'a Rc<Chunk<D>>>| chunk.map_or(&Self::INVALID, |chunk| chunk);
            let one = Side { chunk: chunk(mine), used: bits(used), gone: bits(self.gone) };
            let other = Side { chunk: chunk(theirs), used: bits(other_used), gone: bits(other.gone) };
            Run {
                first: number * CHUNK,
                same: same_objects && as_deep && one.gone == other.gone,
                used: one.used,
                held: if mine.is_some() { one.used & !one.gone } else { 0 },
                one,
                other,
            }
        })
    }

    fn chunk(&self, number: usize) -> Option<&Rc<Chunk<D>>> {
        self.chunks.get(number)?.as_ref()
    }

    /// Forgets everything in these slots, a bit each.
    pub fn forget(&mut self, slots: u64) {
        let slots = slots & self.used();
        self.gone |= slots;
        let mut rest = slots;
        while rest != 0 {
            let index = rest.trailing_zeros() as usize;
            self.forgotten |= 0b11 << (index * 2);
            rest &= rest - 1;
        }
        let unknown = self.gone | !self.used();
        for number in 0..STACK_SLOTS / CHUNK {
            let run = |slots: u64| slots >> (number * CHUNK) & 0xf;
            // Of a chunk of which nothing is known any more nothing need be kept.
            if run(slots) != 0
                && run(unknown) == 0xf
                && self.chunk(number).is_some()
                && let Some(chunk) = Rc::make_mut(&mut self.chunks).get_mut(number)
            {
                *chunk = None;
            }
        }
    }

    /// The kind of the byte at `off` from the frame pointer (negative).
    #[must_use]
    pub fn byte_at(&self, off: i64) -> ByteKind {
        let (slot, byte) = Stack::locate(off);
        self.slot(slot).byte(byte)
    }

    /// The slots that hold a spilled value, and which that is, from the top of the stack down.
    pub fn spills(&self) -> impl Iterator<Item = (usize, &Value<D>)> {
        let chunks = self.chunks.iter().enumerate().filter_map(|(number, chunk)| Some((number, chunk.as_deref()?)));
        chunks.flat_map(|(number, chunk)| {
            let slots = (number * CHUNK..).zip(chunk).filter(|(index, _)| self.gone >> (index & 63) & 1 == 0);
            slots.filter_map(|(index, slot)| Some((index, slot.spilled()?)))
        })
    }

    /// Spilled values, from the top of the stack down.
    pub fn spilled(&self) -> impl Iterator<Item = &Value<D>> {
        self.spills().map(|(_, value)| value)
    }

    /// Calls `f` on every spilled value that `wants` names, from the top of the stack down. Only slots around one are copied.
    pub fn for_each_spilled_mut(
        &mut self,
        wants: &mut impl FnMut(&Value<D>) -> bool,
        f: &mut impl FnMut(&mut Value<D>),
    ) {
        for number in 0..self.chunks.len() {
            let gone = self.gone >> (number * CHUNK);
            let lasts = |index: usize| gone >> (index & 3) & 1 == 0;
            let Some(Some(chunk)) = self.chunks.get(number) else { continue };
            let spilled = chunk.iter().enumerate().filter(|(index, _)| lasts(*index));
            if !spilled.filter_map(|(_, slot)| slot.spilled()).any(&mut *wants) {
                continue;
            }
            if let Some(Some(chunk)) = Rc::make_mut(&mut self.chunks).get_mut(number) {
                let slots = own(chunk).iter_mut().enumerate().filter(|(index, _)| lasts(*index));
                let spilled = slots.filter_map(|(_, slot)| slot.spilled_mut());
                spilled.filter(|value| wants(value)).for_each(&mut *f);
            }
        }
    }
}

impl Stack {
    /// Slot and byte of the address `off` from the frame pointer (negative), whatever the stack holds.
    #[must_use]
    pub fn locate(off: i64) -> (usize, usize) {
        let place = usize::try_from(-1 - off).unwrap_or(usize::MAX);
        (place / 8, place % 8)
    }
}
