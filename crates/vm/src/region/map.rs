//! Map values: flags, bounds, special fields, contents that cannot change.

use bpfvet_domain::Domain;
use bpfvet_insn::Size;
use bpfvet_platform::{FieldKind, MapDef, MapField, MapKind};

use crate::Value;
use crate::cx::Cx;
use crate::failure::{Check, Stop, unsupported};
use crate::fault::{self, Fault};
use crate::value::{MapRef, Pointer, Region};
use crate::violation::{Access, AccessKind, MemoryCause};

use super::check_bounds;

fn def<'a, D: Domain>(cx: &'a Cx<'_, '_, D>, map: MapRef) -> Check<&'a MapDef> {
    cx.facts.map(map).ok_or(Stop::Internal(&"a pointer names a map that the program does not have"))
}

/// Bytes that a value pointer can address.
fn addressable(map: &MapDef) -> u32 {
    let value_size = map.value_size.saturating_add(u32::from(fault::on(Fault::MapValueTooLong)));
    if map.kind == MapKind::INSN_ARRAY { map.max_entries.saturating_mul(8) } else { value_size }
}

/// Whether the map's flags let programs read, or write. (`check_map_access_type`)
pub(crate) fn check_map_flags<D: Domain>(
    cx: &Cx<'_, '_, D>,
    pointer: &Pointer<D>,
    off: i64,
    size: i64,
    kind: AccessKind,
) -> Check<()> {
    let Some(map) = pointer.region.map() else { return Err(Stop::Internal(&"map flags asked of another region")) };
    let map = def(cx, map)?;
    let implied = cx.facts.platform.map_kind(map.kind).map_or(0, |info| info.implied_flags);
    let refused = match kind {
        AccessKind::Read => MapDef::WRONLY_PROG,
        AccessKind::Write => MapDef::RDONLY_PROG,
    };
    if (map.flags | implied) & refused == 0 {
        Ok(())
    } else {
        let off = pointer.off.smin().saturating_add(off);
        Err(MemoryCause::MapFlags { kind, value_size: map.value_size, off, size }.into())
    }
}

/// Whether an access lies in the value and touches nothing special. (`check_map_access`)
pub(crate) fn check_map_value<D: Domain>(
    cx: &Cx<'_, '_, D>,
    pointer: &Pointer<D>,
    access: Access,
    zero_ok: bool,
    by_helper: bool,
) -> Check<()> {
    let Some(map) = pointer.region.map() else { return Err(Stop::Internal(&"map bounds asked of another region")) };
    let map = def(cx, map)?;
    check_bounds(pointer, access, addressable(map), zero_ok)?;
    let (off, varying) = (access.off.saturating_add(pointer.off.fixed()), pointer.off.varying());
    let start = varying.smin().saturating_add(off);
    let end = varying.umax().cast_signed().saturating_add(off).saturating_add(access.size);
    for field in &map.fields {
        let at = i64::from(field.offset);
        if start < at.saturating_add(i64::from(field.size)) && at < end {
            check_field(pointer, access, field, by_helper)?;
        }
    }
    Ok(())
}

/// Whether a special field may be touched so: only pointers to kernel objects, whole and directly.
fn check_field<D: Domain>(pointer: &Pointer<D>, access: Access, field: &MapField, by_helper: bool) -> Check<()> {
    let kind = field.kind;
    match kind {
        FieldKind::KptrUnref | FieldKind::KptrRef | FieldKind::KptrPercpu | FieldKind::Uptr => {
            if by_helper {
                return Err(MemoryCause::KptrByHelper { field: kind }.into());
            }
            let Some(offset) = pointer.const_off() else {
                return Err(MemoryCause::KptrVariable { field: kind }.into());
            };
            let off = offset.saturating_add(access.off);
            if off != i64::from(field.offset) {
                return Err(MemoryCause::KptrMisaligned { field: kind, expected: field.offset, off }.into());
            }
            if access.size != 8 {
                return Err(MemoryCause::KptrSize { field: kind }.into());
            }
            Ok(())
        }
        FieldKind::SpinLock
        | FieldKind::ResSpinLock
        | FieldKind::Timer
        | FieldKind::Workqueue
        | FieldKind::TaskWork
        | FieldKind::Refcount
        | FieldKind::ListHead
        | FieldKind::ListNode
        | FieldKind::RbRoot
        | FieldKind::RbNode => Err(MemoryCause::SpecialField { field: kind }.into()),
    }
}

fn touches_kptr<D: Domain>(map: &MapDef, pointer: &Pointer<D>, access: Access) -> bool {
    pointer.const_off().is_some_and(|offset| {
        let off = offset.saturating_add(access.off);
        map.fields.iter().any(|field| {
            i64::from(field.offset) == off
                && matches!(
                    field.kind,
                    FieldKind::KptrUnref | FieldKind::KptrRef | FieldKind::KptrPercpu | FieldKind::Uptr
                )
        })
    })
}

/// What a load yields.
pub(super) fn load<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    pointer: &Pointer<D>,
    map: MapRef,
    access: Access,
    size: Size,
    signed: bool,
    wanted: bool,
) -> Check<Value<D>> {
    check_map_flags(cx, pointer, access.off, access.size, AccessKind::Read)?;
    check_map_value(cx, pointer, access, false, false)?;
    let def = def(cx, map)?;
    if touches_kptr(def, pointer, access) {
        return unsupported("pointers to kernel objects stored in map values");
    }
    if !wanted {
        return Ok(cx.unknown());
    }
    if def.kind == MapKind::INSN_ARRAY {
        if size != Size::B8 {
            return Err(MemoryCause::InsnTableRead { size: size.bytes() }.into());
        }
        let off = pointer.off.add_const(access.off);
        return Ok(Value::Pointer(Pointer { region: Region::Insn { map }, off, ..*pointer }));
    }
    if def.kind != MapKind::PERCPU_ARRAY
        && let Some(known) = frozen(def, pointer, access, size, signed)
    {
        return Ok(cx.scalar(D::constant(known)));
    }
    Ok(cx.unknown())
}

/// The number that is there and will stay there. (`bpf_map_direct_read`)
fn frozen<D: Domain>(map: &MapDef, pointer: &Pointer<D>, access: Access, size: Size, signed: bool) -> Option<u64> {
    if map.program_writes() {
        return None;
    }
    let contents = map.frozen.as_deref()?;
    let start = usize::try_from(pointer.const_off()?.checked_add(access.off)?).ok()?;
    let bytes = contents.get(start..start.checked_add(size.bytes() as usize)?)?;
    let mut word = [0; 8];
    word.get_mut(..bytes.len())?.copy_from_slice(bytes);
    let value = u64::from_le_bytes(word);
    if signed {
        let spare = 64 - size.bits();
        Some(((value << spare).cast_signed() >> spare).cast_unsigned())
    } else {
        Some(value)
    }
}

/// Whether a store is allowed.
pub(super) fn check_store<D: Domain>(
    cx: &Cx<'_, '_, D>,
    pointer: &Pointer<D>,
    map: MapRef,
    access: Access,
) -> Check<()> {
    check_map_flags(cx, pointer, access.off, access.size, AccessKind::Write)?;
    check_map_value(cx, pointer, access, false, false)?;
    if touches_kptr(def(cx, map)?, pointer, access) {
        return unsupported("pointers to kernel objects stored in map values");
    }
    Ok(())
}
