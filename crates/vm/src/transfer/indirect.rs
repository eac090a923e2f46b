//! Indirect jumps: a register that holds an entry of a table of instructions.

use alloc::collections::BTreeSet;
use bpfvet_domain::Domain;
use core::ops::RangeInclusive;

use bpfvet_insn::{InsnIdx, Reg};
use bpfvet_platform::MapDef;

use crate::cx::Cx;
use crate::effects::{Fork, ForkKind};
use crate::failure::{Check, Stop};
use crate::value::{Pointer, Region};
use crate::violation::RegisterCause;
use crate::{State, Value};

/// Bytes of a table's entry, as a program sees it: one address.
const ENTRY: u64 = 8;

/// `gotox reg`: the last of its targets goes on, and the others are put aside, by ascending position. (`check_indirect_jump`)
///
/// # Soundness
///
/// The register holds one of the entries between the lowest and the highest that its offset allows, because such a pointer
/// comes only from a load that was aligned and inside the table, and cannot be moved after it. The table was frozen before
/// the program was loaded.
pub(super) fn jump_indirect<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &State<D>, reg: Reg) -> Check<InsnIdx> {
    let value = state.reg(reg);
    let pointer = match value {
        Value::Pointer(pointer) if !pointer.nullable() => pointer,
        Value::Pointer(_) | Value::Scalar(_) | Value::Uninit => return not_an_instruction(reg, value),
    };
    let Region::Insn { map } = pointer.region else { return not_an_instruction(reg, value) };
    let table =
        cx.facts.map(map).ok_or(Stop::Internal(&"an indirect jump through a map that the program does not have"))?;
    let entries = entries(reg, pointer, table)?;
    let mut targets = targets(table, entries).ok_or(Stop::Internal(&"a table of instructions without contents"))?;
    let last = targets.pop_last().ok_or(Stop::Internal(&"an indirect jump to nowhere"))?;
    for target in targets {
        cx.fx.forks.push(Fork { state: state.clone(), at: target, kind: ForkKind::Branch });
    }
    Ok(last)
}

fn not_an_instruction<T, D: Domain>(reg: Reg, value: &Value<D>) -> Check<T> {
    Err(RegisterCause::NotAnInstruction { reg, tag: value.tag() }.into())
}

/// Which entries the pointer can have come from. (`indirect_jump_min_max_index`)
fn entries<D: Domain>(reg: Reg, pointer: &Pointer<D>, table: &MapDef) -> Check<RangeInclusive<u32>> {
    let index = |offset: u64, highest: bool| {
        u32::try_from(offset / ENTRY)
            .ok()
            .filter(|_| offset <= u64::from(u32::MAX) * ENTRY)
            .ok_or(RegisterCause::TableOffsetTooLarge { reg, highest, offset })
    };
    let first = index(pointer.off.umin(), false)?;
    let last = index(pointer.off.umax(), true)?;
    if last >= table.max_entries {
        return Err(RegisterCause::OutsideTable { reg, first, last, entries: table.max_entries }.into());
    }
    Ok(first..=last)
}

/// Where these entries of a table lead: each begins with the slot's position. `None` where the table does not have them.
fn targets(table: &MapDef, entries: RangeInclusive<u32>) -> Option<BTreeSet<InsnIdx>> {
    let contents = table.frozen.as_deref()?;
    let stride = usize::try_from(table.value_size).ok()?;
    entries
        .map(|entry| {
            let start = usize::try_from(entry).ok()?.checked_mul(stride)?;
            let position = contents.get(start..)?.first_chunk().copied()?;
            Some(InsnIdx(u32::from_le_bytes(position)))
        })
        .collect()
}
