//! The stack: spills, fills, and bytes.

use bpfvet_domain::Domain;
use bpfvet_insn::Size;

use crate::cx::Cx;
use crate::effects::Demand;
use crate::failure::{Check, Stop, unsupported};
use crate::fault::{self, Fault};
use crate::state::{ByteKind, Slot, Stack};
use crate::value::{Link, LinkDelta, Pointer, Region};
use crate::violation::{Access, AccessKind, MemoryCause};
use crate::{ScalarValue, State, Value};

use super::stack_range::check_range;
use super::{MAX_VAR_OFF, Stored, dynptr};

/// The frame that a stack pointer points into.
pub(super) fn frame_of<D: Domain>(pointer: &Pointer<D>) -> Check<usize> {
    match pointer.region {
        Region::Stack { frame } => Ok(usize::from(frame)),
        Region::Ctx
        | Region::Map { .. }
        | Region::MapValue { .. }
        | Region::MapKey { .. }
        | Region::Packet { .. }
        | Region::PacketMeta { .. }
        | Region::PacketEnd
        | Region::FlowKeys
        | Region::Socket { .. }
        | Region::TpBuffer
        | Region::Btf { .. }
        | Region::Mem { .. }
        | Region::Buf
        | Region::Func { .. }
        | Region::Arena
        | Region::Insn { .. }
        | Region::Dynptr { .. } => Err(Stop::Internal(&"a stack access through another pointer")),
    }
}

/// Whether an access stays on the stack; the stack is then as deep as it needs.
/// (`check_stack_access_within_bounds`, `grow_stack_state`)
pub(super) fn check_within<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    pointer: &Pointer<D>,
    frame: usize,
    access: Access,
) -> Check<()> {
    let limit = i64::from(cx.facts.limits.stack_bytes);
    let constant = pointer.const_off();
    let (min, max) = if let Some(offset) = constant {
        let min = offset.saturating_add(access.off);
        (min, min.saturating_add(access.size))
    } else {
        let (smin, smax) = (pointer.off.smin(), pointer.off.smax());
        if smax >= MAX_VAR_OFF || smin <= -MAX_VAR_OFF {
            return Err(MemoryCause::StackUnbounded { access }.into());
        }
        (smin + access.off, smax + access.off + access.size)
    };
    let deepest = if access.kind == AccessKind::Write || cx.facts.may_read_uninit() {
        -limit
    } else {
        -i64::from(state.frame(frame).stack.depth())
    };
    if min < deepest || min > -1 || max > 0 || access.size < 0 {
        let start = constant.map(|_| min);
        return Err(MemoryCause::StackOutOfBounds { access, start, offset: pointer.off.bits() }.into());
    }
    let bytes = u32::try_from(-min).unwrap_or(u32::MAX);
    if bytes > state.frame(frame).stack.depth() {
        let owner = state.frame_mut(frame);
        owner.stack.grow(bytes);
        let (subprog, depth) = (owner.subprog, owner.stack.depth());
        cx.memo.deepen(subprog, depth);
    }
    Ok(())
}

/// Makes sure that a number has a group, so that what is learned of one copy is learned of all. Whether that changed it.
/// (`assign_scalar_id_before_mov`)
#[inline]
pub(crate) fn link<D: Domain>(cx: &mut Cx<'_, '_, D>, scalar: &mut ScalarValue<D>) -> bool {
    let alone = scalar.num.as_const().is_some() || !cx.facts.features.linked_scalars();
    match scalar.link {
        Some(Link { delta: LinkDelta::Base, .. }) => false,
        None if alone => false,
        Some(_) | None => {
            let id = if alone { None } else { Some(cx.new_scalar()) };
            scalar.link = id.map(|id| Link { id, delta: LinkDelta::Base });
            true
        }
    }
}

/// No bound says anything, whatever the bits say. (`register_is_bounded`, before Linux 6.9)
fn is_unbounded<D: Domain>(num: &D) -> bool {
    num.unsigned() == (0, u64::MAX)
        && num.signed() == (i64::MIN, i64::MAX)
        && num.unsigned_low() == (0, u32::MAX)
        && num.signed_low() == (i32::MIN, i32::MAX)
}

/// How many bits a number needs.
fn width_of<D: Domain>(num: &D) -> u32 {
    64 - num.umax().leading_zeros()
}

/// Where each byte of an access lies: slot and byte, from the highest address down to the lowest.
fn places(off: i64, size: i64) -> impl Iterator<Item = (i64, (usize, usize))> {
    (0..size).map(move |byte| (byte, Stack::locate(off + byte)))
}

/// Stores.
pub(super) fn store<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    pointer: &Pointer<D>,
    frame: usize,
    access: Access,
    size: Size,
    what: Stored,
) -> Check<()> {
    check_within(cx, state, pointer, frame, access)?;
    match pointer.const_off() {
        Some(offset) => store_fixed(cx, state, frame, offset + access.off, size, what),
        None => {
            let (min, max) = (pointer.off.smin() + access.off, pointer.off.smax() + access.off + access.size);
            store_variable(cx, state, frame, min, max, what)
        }
    }
}

/// Stores at a known place. (`check_stack_write_fixed_off`)
fn store_fixed<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    frame: usize,
    off: i64,
    size: Size,
    what: Stored,
) -> Check<()> {
    let (index, _) = Stack::locate(off);
    let slot = state.frame(frame).stack.slot(index);
    if !cx.facts.may_leak() && slot.spilled().is_some_and(Value::is_pointer) && size != Size::B8 {
        return Err(MemoryCause::SpilledPointerCorrupted { off, size: size.bytes() }.into());
    }
    if !cx.facts.request.privilege.bypasses_spec_v4() {
        let untouched = places(off, i64::from(size.bytes()))
            .any(|(_, (_, byte))| !matches!(slot.byte(byte), ByteKind::Misc | ByteKind::Zero));
        let of_pointer = match what {
            Stored::Reg(reg) => state.reg(reg).is_pointer(),
            Stored::Imm(_) | Stored::Untracked => false,
        };
        if of_pointer || untouched {
            cx.memo.insn_mut(cx.at).barrier_after = true;
        }
    }
    dynptr::overwrite(cx, state, frame, index)?;
    cx.fx.touch_slot(index);
    let slot_aligned = off % 8 == 0;
    // What is stored may be a part of what the dynamic pointer that ended here lay over: it is looked at only now.
    let value = match what {
        Stored::Reg(reg) => state.reg(reg),
        Stored::Imm(_) | Stored::Untracked => &Value::Uninit,
    };
    let tracked = match (what, value) {
        (Stored::Reg(reg), &Value::Scalar(mut scalar))
            if slot_aligned && cx.facts.bpf_capable() && keeps_number(cx, &scalar.num, size) =>
        {
            // Before numbers were linked to what is spilled of them, refining passed over narrow spills.
            let reached = size == Size::B8 || cx.facts.features.spill_links();
            let fits = reached && width_of(&scalar.num) <= size.bits();
            if fits || fault::on(Fault::SpillNotCut) {
                if cx.facts.features.spill_links() && link(cx, &mut scalar) {
                    state.set(reg, Value::Scalar(scalar));
                }
            } else {
                scalar.link = None;
            }
            Some(Value::Scalar(scalar))
        }
        (Stored::Imm(imm), _)
            if slot_aligned
                && cx.facts.bpf_capable()
                && cx.facts.features.precise_spill_of_imm()
                && (imm != 0 || cx.facts.features.spill_links()) =>
        {
            Some(Value::constant(i64::from(imm).cast_unsigned()))
        }
        (Stored::Reg(_), &Value::Pointer(stored)) if keeps_pointer(cx, &stored) => {
            if size != Size::B8 {
                return Err(MemoryCause::PartialPointerSpill.into());
            }
            if frame != state.depth() && matches!(stored.region, Region::Stack { .. }) {
                return Err(MemoryCause::StackPointerToCaller.into());
            }
            Some(Value::Pointer(stored))
        }
        (Stored::Reg(_) | Stored::Imm(_) | Stored::Untracked, _) => None,
    };
    let Some(tracked) = tracked else {
        let zero = match what {
            Stored::Reg(reg) => {
                let null = state.reg(reg).is_null();
                if null && !fault::on(Fault::ZeroDemandDropped) {
                    // Zeros on the stack are not tracked back, so the register must be exactly that.
                    cx.demand(state, reg);
                }
                null
            }
            Stored::Imm(imm) => imm == 0,
            Stored::Untracked => false,
        };
        let kind = if zero { ByteKind::Zero } else { ByteKind::Misc };
        if let Some(slot) = state.frame_mut(frame).stack.slot_mut(index)
            && !(fault::on(Fault::NarrowStoreKeepsSpill) && size != Size::B8 && slot.spilled().is_some())
        {
            slot.scrub();
            for (_, (_, byte)) in places(off, i64::from(size.bytes())) {
                slot.set_byte(byte, kind);
            }
        }
        return Ok(());
    };
    if let Some(slot) = state.frame_mut(frame).stack.slot_mut(index) {
        slot.spill(tracked, size.bytes());
    }
    note_slot(cx, frame, index);
    Ok(())
}

/// Whether the host remembers a number that is stored in this width at the low end of a slot. (`check_stack_write_fixed_off`)
fn keeps_number<D: Domain>(cx: &Cx<'_, '_, D>, num: &D, size: Size) -> bool {
    let host = &cx.facts.features;
    host.spill_links()
        || ((size == Size::B8 || host.narrow_spills()) && !is_unbounded(num) && num.as_const() != Some(0))
}

/// Whether the host remembers a pointer that is stored; otherwise its bytes are any. (`is_spillable_regtype`)
fn keeps_pointer<D: Domain>(cx: &Cx<'_, '_, D>, pointer: &Pointer<D>) -> bool {
    let newest_only = matches!(pointer.region, Region::TpBuffer | Region::Insn { .. } | Region::Dynptr { .. });
    cx.facts.features.spills_of_any_pointer() || !newest_only
}

fn note_slot<D: Domain>(cx: &mut Cx<'_, '_, D>, frame: usize, index: usize) {
    cx.fx.note_mut().slot = Some((u8::try_from(frame).unwrap_or(u8::MAX), u8::try_from(index).unwrap_or(u8::MAX)));
}

/// Stores somewhere in `min..max`: everything there may have changed. (`check_stack_write_var_off`)
fn store_variable<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    frame: usize,
    min: i64,
    max: i64,
    what: Stored,
) -> Check<()> {
    let writing_zero = match what {
        Stored::Reg(reg) => state.reg(reg).is_null(),
        Stored::Imm(imm) => imm == 0,
        Stored::Untracked => false,
    };
    let mut zero_used = false;
    let max = if fault::on(Fault::VariableStoreTooShort) { max - 1 } else { max };
    for off in min..max {
        let (index, _) = Stack::locate(off);
        dynptr::overwrite(cx, state, frame, index)?;
    }
    for off in min..max {
        let (index, byte) = Stack::locate(off);
        cx.fx.touch_slot(index);
        let slot = *state.frame(frame).stack.slot(index);
        let kind = slot.byte(byte);
        if kind == ByteKind::Spill && fault::on(Fault::VariableStoreKeepsSpills) {
            continue;
        }
        if let Slot::Object(_) = slot {
            return unsupported("stores at unknown places over what functions of the host keep on the stack");
        }
        if !cx.facts.may_leak() && !matches!(kind, ByteKind::Misc | ByteKind::Zero) {
            return Err(MemoryCause::VariableWriteOverSpill { off }.into());
        }
        if writing_zero && kind == ByteKind::Spill && slot.spilled().is_some_and(Value::is_null) {
            zero_used = true;
            continue;
        }
        let mut next = ByteKind::Misc;
        let Some(place) = state.frame_mut(frame).stack.slot_mut(index) else {
            return Err(Stop::Internal(&"a stack write beyond the depth that was made for it"));
        };
        place.scrub();
        if writing_zero && place.byte(byte) == ByteKind::Zero {
            next = ByteKind::Zero;
            zero_used = true;
        }
        let unwritten = matches!(place.byte(byte), ByteKind::Invalid | ByteKind::Poison);
        if unwritten && !cx.facts.may_read_uninit() {
            return Err(MemoryCause::VariableWriteOverUninit { off }.into());
        }
        place.set_byte(byte, next);
    }
    if zero_used && let Stored::Reg(reg) = what {
        cx.demand(state, reg);
    }
    Ok(())
}

/// What a load into `dst` yields, or only the check that it could, where `dst` is none. (`check_stack_read`)
pub(super) fn load<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    pointer: &Pointer<D>,
    frame: usize,
    access: Access,
    size: Size,
    wanted: bool,
) -> Check<Option<Value<D>>> {
    check_within(cx, state, pointer, frame, access)?;
    if let Some(offset) = pointer.const_off() {
        return load_fixed(cx, state, frame, offset + access.off, size, wanted);
    }
    if !wanted {
        return Err(MemoryCause::VariableStackToHelper {
            offset: pointer.off.bits(),
            off: access.off,
            size: size.bytes(),
        }
        .into());
    }
    check_range(cx, state, pointer, access.place, access.off, access.size, false, AccessKind::Read, false, false)?;
    let (min, max) = (pointer.off.smin() + access.off, pointer.off.smax() + access.off + access.size);
    Ok(Some(read_bytes(cx, state, frame, min, max)))
}

/// Loads from a known place. (`check_stack_read_fixed_off`)
fn load_fixed<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    frame: usize,
    off: i64,
    size: Size,
    wanted: bool,
) -> Check<Option<Value<D>>> {
    let (index, _) = Stack::locate(off);
    cx.fx.touch_slot(index);
    let slot = state.frame(frame).stack.slot(index);
    let bytes = i64::from(size.bytes());
    let Some(spilled) = slot.spilled() else {
        check_bytes(cx, slot, off, size, false)?;
        return Ok(wanted.then(|| read_bytes(cx, state, frame, off, off + bytes)));
    };
    let spill_width = slot.spill_width();
    if size == Size::B8 && spill_width == 8 {
        let spilled = *spilled;
        return fill_whole(cx, state, frame, off, index, spilled, wanted);
    }
    let &Value::Scalar(mut scalar) = spilled else { return Err(MemoryCause::PartialPointerFill.into()) };
    if !wanted {
        return Ok(None);
    }
    let whole = cx.facts.features.narrow_spills() && size.bytes() == spill_width;
    if (whole || (cx.facts.features.spill_links() && size.bytes() <= spill_width)) && off % 8 == 0 {
        // The low end of the spill: what is loaded is the value, cut.
        if relinks(cx) && size == Size::B4 && spill_width == 4 && width_of(&scalar.num) <= 32 {
            relink(cx, state, frame, index, &mut scalar);
        }
        if width_of(&scalar.num) > size.bits() && !fault::on(Fault::SpillNotCut) {
            scalar.link = None;
        }
        note_slot(cx, frame, index);
        return Ok(Some(Value::Scalar(scalar)));
    }
    check_bytes(cx, slot, off, size, true)?;
    let kinds = |wanted| places(off, bytes).all(|(_, (_, byte))| slot.byte(byte) == wanted);
    Ok(Some(if kinds(ByteKind::Spill) && scalar.is_zero() {
        note_slot(cx, frame, index);
        cx.scalar(D::constant(0))
    } else if kinds(ByteKind::Zero) {
        cx.scalar(D::constant(0))
    } else {
        read_bytes(cx, state, frame, off, off + bytes)
    }))
}

/// Brings a whole value back.
fn fill_whole<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    frame: usize,
    off: i64,
    index: usize,
    mut spilled: Value<D>,
    wanted: bool,
) -> Check<Option<Value<D>>> {
    if !wanted && cx.leaks(&spilled) {
        return Err(MemoryCause::PointerLeakedFromStack { off }.into());
    }
    if let Value::Scalar(scalar) = &mut spilled
        && wanted
        && relinks(cx)
    {
        relink(cx, state, frame, index, scalar);
    }
    note_slot(cx, frame, index);
    Ok(wanted.then_some(spilled))
}

/// Whether a number that is filled is made one group with what stays in its slot.
fn relinks<D: Domain>(cx: &Cx<'_, '_, D>) -> bool {
    cx.facts.bpf_capable() && cx.facts.features.spill_links()
}

/// Gives a number that is spilled in this slot a group if it needs one, there too.
fn relink<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    frame: usize,
    index: usize,
    scalar: &mut ScalarValue<D>,
) {
    if link(cx, scalar)
        && let Some(place) = state.frame_mut(frame).stack.slot_mut(index).and_then(Slot::spilled_mut)
    {
        *place = Value::Scalar(*scalar);
    }
}

/// Whether all bytes may be read. `over_spill`: bytes of a spilled value count as readable.
fn check_bytes<D: Domain>(cx: &Cx<'_, '_, D>, slot: &Slot<D>, off: i64, size: Size, over_spill: bool) -> Check<()> {
    // The kernel reports the byte counted from the lowest address.
    for (byte, (_, place)) in places(off, i64::from(size.bytes())) {
        match slot.byte(place) {
            ByteKind::Misc | ByteKind::Zero => {}
            ByteKind::Spill if over_spill => {}
            ByteKind::Invalid if cx.facts.may_read_uninit() || fault::on(Fault::UninitReadable) => {}
            ByteKind::Poison => {
                let size = i64::from(size.bytes());
                return Err(MemoryCause::StackPoisoned { place: None, off, byte, size }.into());
            }
            ByteKind::Invalid | ByteKind::Spill | ByteKind::Iteration | ByteKind::IrqFlag | ByteKind::Dynptr => {
                let size = i64::from(size.bytes());
                return Err(MemoryCause::StackUninit { place: None, off, byte, size, variable: None }.into());
            }
        }
    }
    Ok(())
}

/// What reading the bytes `min..max` yields: zero if all are, something otherwise. (`mark_reg_stack_read`)
fn read_bytes<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &State<D>, frame: usize, min: i64, max: i64) -> Value<D> {
    let mut spilled_zeros = 0u64;
    let mut all_zero = true;
    for off in min..max {
        let (index, byte) = Stack::locate(off);
        cx.fx.touch_slot(index);
        let slot = state.frame(frame).stack.slot(index);
        match slot.byte(byte) {
            ByteKind::Zero => {}
            ByteKind::Misc if fault::on(Fault::MiscReadsZero) => {}
            ByteKind::Spill
                if cx.facts.features.reads_of_spilled_zeros() && slot.spilled().is_some_and(Value::is_null) =>
            {
                spilled_zeros |= 1 << (index % 64);
            }
            ByteKind::Spill
            | ByteKind::Misc
            | ByteKind::Invalid
            | ByteKind::Poison
            | ByteKind::Iteration
            | ByteKind::IrqFlag
            | ByteKind::Dynptr => {
                all_zero = false;
                break;
            }
        }
    }
    if all_zero && spilled_zeros != 0 && !fault::on(Fault::ZeroDemandDropped) {
        cx.fx.demands.push(Demand::Slots { frame: state.depth(), of: frame, slots: spilled_zeros });
    }
    if all_zero { cx.scalar(D::constant(0)) } else { cx.unknown() }
}
