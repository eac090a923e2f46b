//! Whether an abstract state contains the machine's.

use std::num::NonZeroU32;

use bpfvet::domain::Scalar;
use bpfvet::vm::{ByteKind, Frame, Link, LinkDelta, ObjectId, Pointer, Region, State, Value};
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

/// Facts that hold between values: met one by one, compared with those before.
#[derive(Debug, Default)]
struct Relations {
    /// Objects, and whether each is null.
    objects: Vec<(ObjectId, bool)>,
    /// Members of groups of equal numbers.
    links: Vec<(Link, u64)>,
}

/// Whether the state contains the machine's.
///
/// # Errors
///
/// The first thing in the state that is not true, in words.
pub fn contained(machine: &Machine<'_>, state: &State, claim: Claim) -> Result<(), String> {
    let frames = state.frames();
    if frames.len() != machine.frames.len() {
        return Err(format!("{} frames, not {}", machine.frames.len(), frames.len()));
    }
    let mut relations = Relations::default();
    for (index, (real, said)) in machine.frames.iter().zip(frames).enumerate() {
        if real.callsite != said.callsite {
            return Err(format!("frame {index} was entered at {:?}, not {:?}", real.callsite, said.callsite));
        }
        for (number, value) in said.regs().iter().enumerate() {
            let word = real.regs.get(number).copied().flatten();
            let reg = u8::try_from(number).ok().and_then(Reg::new).unwrap_or(Reg::FP);
            value_contains(machine, value, word, claim, 8, &mut relations)
                .map_err(|why| format!("frame {index}, {reg}: {why}"))?;
        }
        stack_contains(machine, said, real, claim, &mut relations).map_err(|why| format!("frame {index}, {why}"))?;
    }
    // A record that could not be had is one that the state counts until it is compared with null.
    let held = machine.memory.records().count();
    let said = state.object_references().filter(|reference| !relations.is_null(reference.id)).count();
    if held == said { Ok(()) } else { Err(format!("{held} records are held, not {said}")) }
}

fn stack_contains(
    machine: &Machine<'_>,
    said: &Frame,
    real: &machine::Frame,
    claim: Claim,
    relations: &mut Relations,
) -> Result<(), String> {
    for (index, slot) in said.stack.slots().enumerate() {
        let low = -8 * (i64::try_from(index).unwrap_or(i64::MAX / 8) + 1);
        let at = |off: i64| Ptr { region: real.stack, off };
        let bytes = machine.memory.bytes(at(low), 8).map_err(|cause| format!("fp{low}: {cause:?}"))?;
        for (byte, number) in bytes.iter().rev().enumerate() {
            if slot.byte(byte) == ByteKind::Zero && *number != 0 && claim == Claim::Everything {
                return Err(format!("fp{low}: byte {byte} is {number:#x}, not zero"));
            }
        }
        let Some(value) = slot.spilled() else { continue };
        let width = slot.spill_width();
        let whole = machine.memory.load(at(low), Size::B8).map_err(|cause| format!("fp{low}: {cause:?}"))?;
        let word = match (value, whole) {
            // Half of a pointer, the other never read again: while it lies there whole, it must be the one.
            (Value::Pointer(_), Word::Num(_)) if width < 8 => continue,
            (Value::Pointer(_), _) => whole,
            (Value::Scalar(_) | Value::Uninit, _) if width == 8 => whole,
            (Value::Scalar(_) | Value::Uninit, _) => {
                let taken = bytes.get(..width as usize).unwrap_or_default();
                Word::Num(taken.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
            }
        };
        value_contains(machine, value, Some(word), claim, width, relations).map_err(|why| format!("fp{low}: {why}"))?;
    }
    Ok(())
}

/// `width` is how many low bytes of the value are there.
fn value_contains(
    machine: &Machine<'_>,
    value: &Value,
    word: Option<Word>,
    claim: Claim,
    width: u32,
    relations: &mut Relations,
) -> Result<(), String> {
    match (value, word) {
        (Value::Uninit, _) => Ok(()),
        (Value::Scalar(_) | Value::Pointer(_), None) => Err(format!("nothing, not {value:?}")),
        (Value::Scalar(_), Some(_)) if claim == Claim::Kinds => Ok(()),
        (Value::Scalar(scalar), Some(word)) => {
            let number = machine.memory.number(word);
            let said = if width == 8 { scalar.num } else { Scalar::truncate(width, scalar.num) };
            if !said.contains(number) {
                return Err(format!("{number:#x} is not in {said:?}"));
            }
            match scalar.link {
                Some(link) if width == 8 => relations.link(link, number),
                Some(_) | None => Ok(()),
            }
        }
        (Value::Pointer(pointer), Some(Word::Num(0))) if pointer.nullable() => relations.object(pointer, true),
        (Value::Pointer(pointer), Some(Word::Ptr(ptr))) => {
            pointer_contains(machine, pointer, ptr)?;
            relations.object(pointer, false)
        }
        (Value::Pointer(pointer), Some(Word::Num(number))) => Err(format!("{number:#x} is not {pointer:?}")),
    }
}

fn pointer_contains(machine: &Machine<'_>, pointer: &Pointer, ptr: Ptr) -> Result<(), String> {
    let Some(region) = machine.memory.region(ptr.region) else { return Err("a region that is not there".into()) };
    let kind = region.kind;
    let mut off = ptr.off;
    let same = match pointer.region {
        Region::Ctx => kind == RegionKind::Context,
        Region::Stack { frame } => kind == RegionKind::Stack { frame: usize::from(frame) } && region.alive,
        Region::Map { map, .. } => kind == RegionKind::Map(usize::from(map.index)) && map.inner == 0,
        Region::MapValue { map, .. } => kind == RegionKind::MapValue(usize::from(map.index)) && map.inner == 0,
        Region::Packet { .. } => kind == RegionKind::Packet,
        Region::PacketEnd => {
            off = off.wrapping_sub(machine.packet_len());
            kind == RegionKind::Packet
        }
        Region::Mem { size } => kind == RegionKind::Record && region.alive && region.bytes.len() == size as usize,
        Region::Func { .. } => matches!(kind, RegionKind::Func(_)),
        Region::MapKey { .. }
        | Region::PacketMeta { .. }
        | Region::FlowKeys
        | Region::Socket { .. }
        | Region::TpBuffer
        | Region::Btf { .. }
        | Region::Buf
        | Region::Arena
        | Region::Insn { .. } => false,
    };
    if same && pointer.off.contains(off.cast_unsigned()) {
        Ok(())
    } else {
        Err(format!("{kind:?}{off:+} is not {:?} at {:?}", pointer.region, pointer.off))
    }
}

impl Relations {
    /// Whether a pointer to this object was met and is null.
    fn is_null(&self, id: Option<NonZeroU32>) -> bool {
        self.objects.iter().any(|(object, null)| *null && Some(object.0) == id)
    }

    /// Pointers to one object are null together.
    fn object(&mut self, pointer: &Pointer, null: bool) -> Result<(), String> {
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
