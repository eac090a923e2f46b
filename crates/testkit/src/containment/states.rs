//! Whether an abstract state contains the machine's.

use std::num::NonZeroU32;

use bpfvet::domain::Domain;
use bpfvet::vm::{ByteKind, Frame, Link, LinkDelta, MapRef, ObjectId, Pointer, Region, Slot, SocketKind, State, Value};
use bpfvet_insn::{Reg, Size};

use crate::machine::{self, Machine, Ptr, RegionKind, Word};

/// How much of what a state says must be true.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// All of it.
    Everything,
    /// Kinds, pointers and their offsets, but not the ranges of numbers.
    Kinds,
}

/// Whether the state contains the machine's.
///
/// # Errors
///
/// The first thing in the state that is not true, in words.
pub fn contained<D: Domain>(machine: &Machine<'_>, state: &State<D>, claim: Claim) -> Result<(), String> {
    let frames = state.frames();
    // A function that is verified on its own knows nothing of its callers.
    let Some(base) = machine.frames.len().checked_sub(frames.len()) else {
        return Err(format!("{} frames, not {}", machine.frames.len(), frames.len()));
    };
    let mut view = View { machine, base, claim, objects: Vec::new(), links: Vec::new() };
    for (index, (real, said)) in machine.frames.iter().skip(base).zip(frames).enumerate() {
        let callsite = if index == 0 { None } else { real.callsite };
        if callsite != said.callsite || (base > 0 && index == 0 && said.subprog == 0) {
            return Err(format!("frame {index} was entered at {:?}, not {:?}", real.callsite, said.callsite));
        }
        for (number, value) in said.regs().iter().enumerate() {
            let word = real.regs.get(number).copied().flatten();
            view.value(value, word, 8).map_err(|why| {
                let reg = u8::try_from(number).ok().and_then(Reg::new).unwrap_or(Reg::FP);
                format!("frame {index}, {reg}: {why}")
            })?;
        }
        view.stack(said, real).map_err(|why| format!("frame {index}, {why}"))?;
    }
    // What could not be had is something that the state counts until it is compared with null. What callers hold that the
    // state knows nothing of may come on top.
    let held = machine.memory.held().len();
    let said = state.object_references().filter(|reference| !view.is_null(reference.id)).count();
    if held == said || (base > 0 && held > said) { Ok(()) } else { Err(format!("{held} are held, not {said}")) }
}

/// A state beside the machine's, as far as it was compared.
#[derive(Debug)]
struct View<'m, 'a> {
    machine: &'m Machine<'a>,
    /// Frames of the machine that the state knows nothing of.
    base: usize,
    claim: Claim,
    /// Objects, and whether each is null.
    objects: Vec<(ObjectId, bool)>,
    /// Members of groups of equal numbers.
    links: Vec<(Link, u64)>,
}

impl View<'_, '_> {
    fn stack<D: Domain>(&mut self, said: &Frame<D>, real: &machine::Frame) -> Result<(), String> {
        let memory = &self.machine.memory;
        for (index, slot) in said.stack.slots().enumerate() {
            let low = -8 * (i64::try_from(index).unwrap_or(i64::MAX / 8) + 1);
            let place = Ptr { region: real.stack, off: low };
            let Some(value) = slot.spilled() else {
                if self.claim == Claim::Everything && (0..8).any(|byte| slot.byte(byte) == ByteKind::Zero) {
                    self.zeros(slot, place)?;
                }
                continue;
            };
            if self.claim == Claim::Everything {
                self.zeros(slot, place)?;
            }
            let width = slot.spill_width();
            let whole = memory.load(place, Size::B8).map_err(|cause| format!("fp{low}: {cause:?}"))?;
            let word = match (value, whole) {
                // Half of a pointer, the other never read again: while it lies there whole, it must be the one.
                (Value::Pointer(_), Word::Num(_)) if width < 8 => continue,
                (Value::Pointer(_), _) => whole,
                (Value::Scalar(_) | Value::Uninit, _) if width == 8 => whole,
                (Value::Scalar(_) | Value::Uninit, _) => {
                    let bytes = memory.bytes(place, width).map_err(|cause| format!("fp{low}: {cause:?}"))?;
                    Word::Num(bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
                }
            };
            self.value(value, Some(word), width).map_err(|why| format!("fp{low}: {why}"))?;
        }
        Ok(())
    }

    /// Bytes that are said to be zero are.
    fn zeros<D: Domain>(&self, slot: &Slot<D>, place: Ptr) -> Result<(), String> {
        let bytes = self.machine.memory.bytes(place, 8).map_err(|cause| format!("fp{}: {cause:?}", place.off))?;
        for (byte, number) in bytes.iter().rev().enumerate() {
            if slot.byte(byte) == ByteKind::Zero && *number != 0 {
                return Err(format!("fp{}: byte {byte} is {number:#x}, not zero", place.off));
            }
        }
        Ok(())
    }

    /// `width` is how many low bytes of the value are there.
    fn value<D: Domain>(&mut self, value: &Value<D>, word: Option<Word>, width: u32) -> Result<(), String> {
        match (value, word) {
            (Value::Uninit, _) => Ok(()),
            (Value::Scalar(_) | Value::Pointer(_), None) => Err(format!("nothing, not {value:?}")),
            (Value::Scalar(_), Some(_)) if self.claim == Claim::Kinds => Ok(()),
            (Value::Scalar(scalar), Some(word)) => {
                let number = self.machine.memory.number(word);
                let said = if width == 8 { scalar.num } else { D::truncate(width, scalar.num) };
                if !said.contains(number) {
                    return Err(format!("{number:#x} is not in {said:?}"));
                }
                match scalar.link {
                    Some(link) if width == 8 => self.link(link, number),
                    Some(_) | None => Ok(()),
                }
            }
            (Value::Pointer(pointer), Some(Word::Num(0))) if pointer.nullable() => self.object(pointer, true),
            (Value::Pointer(pointer), Some(Word::Ptr(ptr))) => {
                self.pointer(pointer, ptr)?;
                self.object(pointer, false)
            }
            (Value::Pointer(pointer), Some(Word::Num(number))) => Err(format!("{number:#x} is not {pointer:?}")),
        }
    }

    fn pointer<D: Domain>(&self, pointer: &Pointer<D>, ptr: Ptr) -> Result<(), String> {
        let machine = self.machine;
        let Some(region) = machine.memory.region(ptr.region) else { return Err("a region that is not there".into()) };
        let kind = region.kind;
        let mut off = ptr.off;
        let is_map = |flat: usize, map: &MapRef| {
            machine.defs.get(flat).is_some_and(|def| def.index == usize::from(map.index) && def.inner == map.inner)
        };
        let same = match &pointer.region {
            Region::Ctx => kind == RegionKind::Context,
            Region::Stack { frame } => {
                kind == RegionKind::Stack { frame: usize::from(*frame) + self.base } && region.alive
            }
            Region::Map { map, .. } => matches!(kind, RegionKind::Map(flat) if is_map(flat, map)),
            Region::MapValue { map, .. } => matches!(kind, RegionKind::MapValue(flat) if is_map(flat, map)),
            Region::MapKey { map, .. } => matches!(kind, RegionKind::MapKey(flat) if is_map(flat, map)),
            Region::Packet { .. } => ptr.region == machine.packet,
            Region::PacketEnd => {
                off = off.wrapping_sub(machine.packet_len());
                ptr.region == machine.packet
            }
            // What a caller gave is memory of some kind, from there on.
            Region::Mem { .. } if kind != RegionKind::Record => return self.given(kind, region.alive),
            Region::Mem { size } => region.alive && region.bytes.len() == *size as usize,
            Region::Socket { kind: SocketKind::Full, .. } => kind == RegionKind::Socket && region.alive,
            Region::Socket { .. } => kind == RegionKind::View && region.alive,
            Region::Func { .. } => matches!(kind, RegionKind::Func(_)),
            Region::PacketMeta { .. }
            | Region::FlowKeys
            | Region::TpBuffer
            | Region::Btf { .. }
            | Region::Buf
            | Region::Arena
            | Region::Insn { .. }
            | Region::Dynptr { .. } => false,
        };
        if same && pointer.off.contains(off.cast_unsigned()) {
            Ok(())
        } else {
            Err(format!("{kind:?}{off:+} is not {:?} at {:?}", pointer.region, pointer.off))
        }
    }

    fn given(&self, kind: RegionKind, alive: bool) -> Result<(), String> {
        let memory = matches!(kind, RegionKind::Stack { .. } | RegionKind::MapValue(_) | RegionKind::Packet);
        if self.base > 0 && memory && alive { Ok(()) } else { Err(format!("{kind:?} is no memory that was given")) }
    }

    /// Whether a pointer to this object was met and is null.
    fn is_null(&self, id: Option<NonZeroU32>) -> bool {
        self.objects.iter().any(|(object, null)| *null && Some(object.0) == id)
    }

    /// Pointers to one object are null together.
    fn object<D: Domain>(&mut self, pointer: &Pointer<D>, null: bool) -> Result<(), String> {
        let Some(object) = pointer.object else { return Ok(()) };
        if self.objects.iter().any(|(other, was)| *other == object && *was != null) {
            return Err(format!("{object:?} is null here and not there"));
        }
        self.objects.push((object, null));
        Ok(())
    }

    /// Numbers of one group are at their distances.
    fn link(&mut self, link: Link, number: u64) -> Result<(), String> {
        for (other, was) in &self.links {
            if other.id == link.id && !at_distance((other.delta, *was), (link.delta, number)) {
                return Err(format!("{number:#x} as {link:?} beside {was:#x} as {other:?}"));
            }
        }
        self.links.push((link, number));
        Ok(())
    }
}

/// Whether two members of a group can be what they are.
fn at_distance(a: (LinkDelta, u64), b: (LinkDelta, u64)) -> bool {
    let apart = |delta: LinkDelta| i64::from(delta.distance()).cast_unsigned();
    let (bases, low) = ((a.1.wrapping_sub(apart(a.0)), b.1.wrapping_sub(apart(b.0))), 0xffff_ffff);
    match (a.0, b.0) {
        (LinkDelta::Base | LinkDelta::Add64(_), LinkDelta::Base | LinkDelta::Add64(_)) => bases.0 == bases.1,
        // A member that wrapped in its low half tells the low half of the base.
        (LinkDelta::Add32(_), _) | (_, LinkDelta::Add32(_)) => (bases.0 ^ bases.1) & low == 0,
    }
}
