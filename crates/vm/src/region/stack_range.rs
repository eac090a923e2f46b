//! Ranges of the stack that helpers read or write.

use bpfvet_domain::Domain;
use bpfvet_insn::{Reg, Size};

use crate::State;
use crate::cx::Cx;
use crate::failure::Check;
use crate::fault::{self, Fault};
use crate::state::{ByteKind, Slot, Stack};
use crate::value::Pointer;
use crate::violation::{Access, AccessKind, MemoryCause, Place};

use super::Stored;
use super::stack::{check_within, frame_of, store};

/// What checking a range for a helper found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StackRange {
    /// It is initialised, as far as it has to be; what the helper may overwrite is forgotten.
    Checked,
    /// The helper will write it whole: the caller marks the bytes afterwards, see [`write_raw_bytes`].
    Raw,
}

/// Whether a helper, or a load at a variable offset, may use the range. (`check_stack_range_initialized`)
///
/// `raw`: the helper writes it whole, so that nothing need be initialised. `negated`: what the callee does with it is not
/// known, so that bytes dropped as never read are let through.
#[expect(clippy::too_many_arguments, reason = "each is a fact of the access; a struct of them would be used once")]
pub(crate) fn check_range<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    pointer: &Pointer<D>,
    place: Place,
    off: i64,
    size: i64,
    zero_ok: bool,
    kind: AccessKind,
    raw: bool,
    negated: bool,
) -> Check<StackRange> {
    let frame = frame_of(pointer)?;
    let clobbers = kind == AccessKind::Write && !fault::on(Fault::HelperWriteForgotten);
    if size == 0 && !zero_ok {
        return Err(MemoryCause::ZeroSized.into());
    }
    check_within(cx, state, pointer, frame, Access { place, tag: pointer.tag(), off, size, kind })?;
    let (min, max) = if let Some(offset) = pointer.const_off() {
        if raw {
            return Ok(StackRange::Raw);
        }
        (offset + off, offset + off)
    } else {
        if !cx.facts.request.privilege.bypasses_spec_v1() {
            return Err(MemoryCause::VariableStack { place, offset: pointer.off.bits() }.into());
        }
        // Only memory that is initialised may be given at a variable offset, or the helper could return stale stack.
        (pointer.off.smin() + off, pointer.off.smax() + off)
    };
    let mut next = min;
    while next < max + size {
        let at = next;
        let (index, byte) = Stack::locate(at);
        let slot = state.frame(frame).stack.slot(index);
        // A whole slot at once, where nothing in it is in the way.
        if byte == 7 && max + size - at >= 8 && passes(cx, slot, clobbers, negated || clobbers) {
            next += 8;
            continue;
        }
        next += 1;
        match slot.byte(byte) {
            ByteKind::Misc => continue,
            ByteKind::Zero => {
                clobber_byte(state, frame, index, byte, clobbers);
                continue;
            }
            ByteKind::Invalid if cx.facts.may_read_uninit() => {
                clobber_byte(state, frame, index, byte, clobbers);
                continue;
            }
            ByteKind::Invalid
            | ByteKind::Poison
            | ByteKind::Spill
            | ByteKind::Iteration
            | ByteKind::IrqFlag
            | ByteKind::Dynptr => {}
        }
        if let Some(spilled) = slot.spilled()
            && (spilled.is_scalar() || cx.facts.may_leak())
        {
            if clobbers && let Some(slot) = state.frame_mut(frame).stack.slot_mut(index) {
                slot.scrub();
            }
            continue;
        }
        if slot.byte(byte) == ByteKind::Poison && (negated || clobbers) {
            continue;
        }
        let (poisoned, byte) = (slot.byte(byte) == ByteKind::Poison, at - min);
        if poisoned {
            return Err(MemoryCause::StackPoisoned { place: Some(place), off: min, byte, size }.into());
        }
        let variable = if pointer.const_off().is_some() { None } else { Some(pointer.off.bits()) };
        return Err(MemoryCause::StackUninit { place: Some(place), off: min, byte, size, variable }.into());
    }
    Ok(StackRange::Checked)
}

/// Bytes that were all written with something that is not tracked.
const ALL_MISC: [ByteKind; 8] = [ByteKind::Misc; 8];

/// Whether a helper may use every byte of a slot, and leaves the slot as it is. `any`: bytes that are never read will do.
fn passes<D: Domain>(cx: &Cx<'_, '_, D>, slot: &Slot<D>, clobbers: bool, any: bool) -> bool {
    match slot {
        Slot::Bytes(ALL_MISC) => true,
        Slot::Bytes(bytes) => bytes.iter().all(|kind| match kind {
            ByteKind::Misc => true,
            ByteKind::Zero => !clobbers,
            ByteKind::Poison => any,
            ByteKind::Invalid | ByteKind::Spill | ByteKind::Iteration | ByteKind::IrqFlag | ByteKind::Dynptr => false,
        }),
        Slot::Object(_) => false,
        Slot::Spill(spill) => spill.width == 8 && !clobbers && (spill.value.is_scalar() || cx.facts.may_leak()),
    }
}

fn clobber_byte<D: Domain>(state: &mut State<D>, frame: usize, index: usize, byte: usize, clobbers: bool) {
    if clobbers && let Some(slot) = state.frame_mut(frame).stack.slot_mut(index) {
        slot.overwrite_byte(byte, ByteKind::Misc);
    }
}

/// Marks the bytes that a helper wrote whole. (`check_helper_call`, after the arguments)
///
/// The kernel stores them one by one as bytes that are not tracked, with all that a store entails. To store those of a slot at once
/// is the same, but where a pointer is spilled that may not leak: it may be overwritten whole and not in part.
pub(crate) fn write_raw_bytes<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    pointer: &Pointer<D>,
    size: u32,
) -> Check<()> {
    let frame = frame_of(pointer)?;
    let size = if fault::on(Fault::HelperWriteForgotten) { 0 } else { size };
    let size = i64::from(size);
    let start = pointer.const_off().filter(|_| cx.facts.may_leak());
    let fits = |off: i64, bytes: i64| size - off >= bytes && start.is_some_and(|start| (start + off) % bytes == 0);
    let mut off = 0;
    while off < size {
        let wider = [Size::B8, Size::B4, Size::B2].into_iter().find(|wider| fits(off, i64::from(wider.bytes())));
        let stored = wider.unwrap_or(Size::B1);
        let bytes = i64::from(stored.bytes());
        let access =
            Access { place: Place::Reg(Reg::FP), tag: pointer.tag(), off, size: bytes, kind: AccessKind::Write };
        store(cx, state, pointer, frame, access, stored, Stored::Untracked)?;
        off += bytes;
    }
    Ok(())
}

/// Writes whole slots with something that is not tracked, from the lowest address up. (`process_iter_arg`, `process_irq_flag`)
pub(crate) fn write_raw_words<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    pointer: &Pointer<D>,
    place: Place,
    count: usize,
) -> Check<()> {
    let frame = frame_of(pointer)?;
    for off in (0..i64::try_from(count).unwrap_or(i64::MAX)).map(|slot| slot * 8) {
        let access = Access { place, tag: pointer.tag(), off, size: 8, kind: AccessKind::Write };
        store(cx, state, pointer, frame, access, Size::B8, Stored::Untracked)?;
    }
    Ok(())
}
