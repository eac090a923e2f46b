//! Maps as arguments, and what lies in their values: keys, timers, strings.

use bpfvet_domain::Domain;
use bpfvet_insn::Reg;
use bpfvet_platform::{FieldKind, MapDef, MapKind};

use super::args::{CheckedArgs, NamedMap};
use super::memory;
use crate::cx::Cx;
use crate::effects::Demand;
use crate::failure::{Check, Stop};
use crate::region::check_map_value;
use crate::state::{ByteKind, Stack};
use crate::value::{MapRef, Pointer, Region};
use crate::violation::{Access, AccessKind, CallCause, Place};
use crate::{State, Value};

/// The map is the template of the values of a map of maps (`BPF_F_INNER_MAP`): its size is not known.
const INNER_MAP: u32 = 1 << 12;

/// The map that a call works on.
pub(super) fn named<'a, D: Domain>(cx: &Cx<'a, '_, D>, found: &CheckedArgs) -> Check<&'a MapDef> {
    let map = found.map.ok_or(Stop::Internal(&"an argument that needs a map before it"))?;
    definition(cx, map.map)
}

/// A map's definition.
pub(super) fn definition<'a, D: Domain>(cx: &Cx<'a, '_, D>, map: MapRef) -> Check<&'a MapDef> {
    cx.facts.map(map).ok_or(Stop::Internal(&"a pointer names a map that the program does not have"))
}

/// A map; it is the one that an earlier argument lies in, if one did. (`process_map_ptr_arg`)
pub(super) fn check_map<D: Domain>(value: &Value<D>, reg: Reg, found: &mut CheckedArgs) -> Check<()> {
    let Value::Pointer(Pointer { region: Region::Map { map, uid }, .. }) = *value else {
        return Err(Stop::Internal(&"a map argument that is no map"));
    };
    let this = NamedMap { map, uid };
    match found.map {
        Some(other) if other != this => {
            let before = reg.number().checked_sub(2).and_then(Reg::arg).unwrap_or(Reg::R1);
            Err(CallCause::MapMismatch {
                object: "timer",
                object_place: Place::Reg(before),
                object_uid: other.uid,
                place: Place::Reg(reg),
                uid,
            }
            .into())
        }
        Some(_) | None => {
            found.map = Some(this);
            Ok(())
        }
    }
}

/// A key: memory of the map's key size. Where a known key rules out null, it is remembered.
pub(super) fn check_key<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    value: &Value<D>,
    place: Place,
    found: &mut CheckedArgs,
) -> Check<()> {
    let map = named(cx, found)?;
    let size = map.key_size;
    let ask = memory::Ask {
        place,
        size: i64::from(size),
        kind: AccessKind::Read,
        zero_ok: false,
        raw: false,
        any_byte: false,
    };
    let _ = memory::check(cx, state, value, ask)?;
    if key_rules_out_null(cx, map) {
        found.key = constant_key(cx, state, value, size);
    }
    Ok(())
}

/// Whether a look-up with a known key inside the bounds cannot fail. (`can_elide_value_nullness`)
pub(super) fn key_rules_out_null<D: Domain>(cx: &Cx<'_, '_, D>, map: &MapDef) -> bool {
    map.flags & INNER_MAP == 0 && cx.facts.platform.map_kind(map.kind).is_some_and(|info| info.constant_key_lookup)
}

/// The number that a key on the stack holds. (`get_constant_map_key`)
fn constant_key<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &State<D>, key: &Value<D>, size: u32) -> Option<u64> {
    let pointer = key.as_pointer()?;
    let Region::Stack { frame } = pointer.region else { return None };
    if !cx.facts.bpf_capable() || pointer.nullable() {
        return None;
    }
    let off = pointer.const_off().filter(|off| *off < 0)?;
    let (index, byte) = Stack::locate(off);
    let slot = state.frame(usize::from(frame)).stack.slot(index);
    // The key's bytes lie from `byte` down, all of them in this slot.
    let run = |kind| (0..=byte).rev().take_while(|byte| slot.byte(*byte) == kind).count();
    if run(ByteKind::Zero) >= size as usize {
        return Some(0);
    }
    let scalar = slot.spilled()?.as_scalar()?;
    if run(ByteKind::Spill) != size as usize {
        return None;
    }
    let number = scalar.num.as_const()?;
    let slots = 1_u64.checked_shl(u32::try_from(index).ok()?)?;
    cx.fx.demands.push(Demand::Slots { frame: state.depth(), of: usize::from(frame), slots });
    Some(number)
}

/// A timer in a map value. (`process_timer_func`, `check_map_field_pointer`)
pub(super) fn check_timer<D: Domain>(
    cx: &Cx<'_, '_, D>,
    value: &Value<D>,
    place: Place,
    found: &mut CheckedArgs,
) -> Check<()> {
    let field = "bpf_timer";
    let Value::Pointer(pointer) = value else { return Err(Stop::Internal(&"a timer that is no pointer")) };
    let Region::MapValue { map, uid } = pointer.region else {
        return Err(Stop::Internal(&"a timer outside of map values"));
    };
    let Some(off) = pointer.const_off() else { return Err(CallCause::FieldVariable { place, field }.into()) };
    let def = definition(cx, map)?;
    if !has_types(def) {
        return Err(CallCause::FieldWithoutTypes { map: def.name.clone(), field }.into());
    }
    let Some(timer) = def.field(FieldKind::Timer) else {
        return Err(CallCause::NoField { map: def.name.clone(), field }.into());
    };
    if off != i64::from(timer.offset) {
        return Err(CallCause::FieldElsewhere { off, field, at: timer.offset }.into());
    }
    found.map = Some(NamedMap { map, uid });
    Ok(())
}

/// Whether the map came with types.
pub(super) fn has_types(map: &MapDef) -> bool {
    map.btf_key != 0 || map.btf_value != 0
}

/// A string that ends inside a map that nobody can change. (`check_arg_const_str`)
pub(super) fn check_const_str<D: Domain>(cx: &Cx<'_, '_, D>, value: &Value<D>, place: Place) -> Check<()> {
    let Value::Pointer(pointer) = value else { return Err(Stop::Internal(&"a string that is no pointer")) };
    let Region::MapValue { map, .. } = pointer.region else {
        return Err(Stop::Internal(&"a string outside of map values"));
    };
    let def = definition(cx, map)?;
    if [MapKind::INSN_ARRAY, MapKind::PERCPU_ARRAY].contains(&def.kind) {
        return Err(CallCause::StringMapKind { place, kind: def.kind }.into());
    }
    let Some(contents) = def.frozen.as_deref().filter(|_| !def.program_writes()) else {
        return Err(CallCause::StringNotReadOnly { place }.into());
    };
    let Some(off) = pointer.const_off() else { return Err(CallCause::StringVariable { place }.into()) };
    let info = cx.facts.platform.map_kind(def.kind).filter(|info| info.direct_value);
    let Some(info) = info else { return Err(CallCause::StringNoAddress.into()) };
    let size = i64::from(def.value_size).saturating_sub(off);
    let access = Access { place, tag: pointer.tag(), off: 0, size, kind: AccessKind::Read };
    check_map_value(cx, pointer, access, false, true)?;
    if info.direct_value_single && def.max_entries != 1 {
        return Err(CallCause::StringNoAddress.into());
    }
    match string_at(contents, def.value_size, off) {
        Some(_) => Ok(()),
        None => Err(CallCause::StringUnterminated.into()),
    }
}

/// The string at an offset into a map's only value, without its end.
pub(super) fn string_at(contents: &[u8], value_size: u32, off: i64) -> Option<&[u8]> {
    let value = contents.get(usize::try_from(off).ok()?..value_size as usize)?;
    value.split(|byte| *byte == 0).next().filter(|text| text.len() < value.len())
}
