//! The tables of instructions that indirect jumps go through.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use bpfvet_insn::{ImmSource, Insn, InsnIdx, Program};
use bpfvet_platform::{LoadRequest, MapDef, MapKind};

use crate::mentions::Mentions;
use crate::{StructureCause, StructureError, Subprog};

/// The maps that the program refers to, by index into the request's list.
pub(crate) fn used_maps(program: &Program, mentions: &Mentions) -> BTreeSet<u32> {
    mentions.iter(program).filter_map(|(_, insn)| map_of(insn)).collect()
}

/// The map that a 64-bit immediate refers to, by index into the request's list.
pub(crate) fn map_of(insn: &Insn) -> Option<u32> {
    let Insn::LoadImm64 { imm, .. } = *insn else { return None };
    let index = match imm {
        ImmSource::MapFd(index)
        | ImmSource::MapIdx(index)
        | ImmSource::MapValue { fd: index, .. }
        | ImmSource::MapIdxValue { index, .. } => index,
        ImmSource::Value(_) | ImmSource::BtfId { .. } | ImmSource::Func(_) => return None,
    };
    u32::try_from(index).ok()
}

/// The contents of all tables of instructions that the program refers to, each sorted and without duplicates.
pub(crate) struct JumpTables {
    tables: Vec<Box<[InsnIdx]>>,
}

impl JumpTables {
    /// Reads the tables (`bpf_insn_array_init`, `jt_from_map`, Linux 7.3).
    ///
    /// # Errors
    ///
    /// The contents of a table are not known, or it names a slot where no instruction starts.
    pub(crate) fn read(request: &LoadRequest, mentions: &Mentions) -> Result<Self, StructureError> {
        let mut tables = Vec::new();
        for index in used_maps(&request.program, mentions) {
            let Some(map) = request.maps.get(index as usize) else { continue };
            if map.kind == MapKind::INSN_ARRAY {
                tables.push(contents(map, &request.program).map_err(StructureError::whole)?);
            }
        }
        Ok(Self { tables })
    }

    /// Where an indirect jump at `at` may lead (`create_jt`, Linux 7.3): all tables that begin in its function, merged.
    ///
    /// # Errors
    ///
    /// No table begins there, or one that does leads out of the function.
    pub(crate) fn targets(&self, at: InsnIdx, subprog: &Subprog) -> Result<Box<[InsnIdx]>, StructureError> {
        let (start, end) = (subprog.start, subprog.end);
        let begins_here = |table: &&[InsnIdx]| table.first().is_some_and(|&first| subprog.contains(first));
        let merged: BTreeSet<InsnIdx> = self
            .tables
            .iter()
            .map(|table| &**table)
            .filter(begins_here)
            .flat_map(|table| table.iter().copied())
            .collect();
        if merged.is_empty() {
            return Err(StructureError::at(at, StructureCause::NoJumpTable { start }));
        }
        if merged.iter().any(|&target| !subprog.contains(target)) {
            return Err(StructureError::at(at, StructureCause::JumpTableOutside { start, end }));
        }
        Ok(merged.into_iter().collect())
    }
}

/// What an instruction array holds: one value an entry, which begins with the slot's position.
fn contents(map: &MapDef, program: &Program) -> Result<Box<[InsnIdx]>, StructureCause> {
    let unknown = || StructureCause::JumpTableUnknown { map: map.name.clone() };
    let bytes = map.frozen.as_deref().ok_or_else(unknown)?;
    let stride = usize::try_from(map.value_size).ok().filter(|&size| size >= 4).ok_or_else(unknown)?;
    let mut entries = bytes.chunks_exact(stride);
    let mut table = BTreeSet::new();
    for _ in 0..map.max_entries {
        let to = entries.next().and_then(|value| value.first_chunk().copied()).map(u32::from_le_bytes);
        let to = to.ok_or_else(unknown)?;
        if program.get(InsnIdx(to)).is_none() {
            return Err(StructureCause::JumpTableEntry { map: map.name.clone(), to });
        }
        table.insert(InsnIdx(to));
    }
    Ok(table.into_iter().collect())
}
