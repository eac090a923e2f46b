//! Linking: a program, the functions that it calls after it, and every reference resolved.
//!
//! ```text
//!  main │ a │ b │ c        main calls a and c, a calls b: a function is appended when the first call to it is met,
//!   └───▶┴──▶┘   ▲          and its own calls are followed before the caller's next one
//!   └────────────┘
//! ```

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use bpfvet_insn::{Program, Raw};
use bpfvet_platform::{LoadRequest, MapDef, MapKind, ProgramType};

use crate::code::Function;
use crate::core_relo::Failure;
use crate::externs::{self, Resolved};
use crate::reloc::{CALL, LD_IMM64, PSEUDO_CALL, Reloc, Target};
use crate::{Object, ProgramEntry, ProgramError, attachment, records};

/// Pseudo sources: what the immediate of a 64-bit load or a call stands for.
const PSEUDO_MAP_FD: u8 = 1;
const PSEUDO_MAP_VALUE: u8 = 2;
const PSEUDO_BTF_ID: u8 = 3;
const PSEUDO_FUNC: u8 = 4;
const PSEUDO_MAP_IDX: u8 = 5;
const PSEUDO_MAP_IDX_VALUE: u8 = 6;
const PSEUDO_KFUNC_CALL: u8 = 2;

/// Calls that no kernel has, made where a map was left out, or where a kernel function that may be missing is missing. libbpf
/// writes the same, so that the verifier names the number if the call can be reached.
const NO_MAP: i32 = 2_001_000_000;
const NO_KFUNC: i32 = 2_002_000_000;

/// The most slots that any kernel looks at.
const LONGEST: usize = 1_000_000;

/// A map that the program refers to.
enum Used {
    /// One of the object's.
    Object(usize),
    /// A jump table made for this program.
    JumpTable(MapDef),
}

pub(crate) struct Linker<'a> {
    object: &'a Object,
    entry: &'a ProgramEntry,
    insns: Vec<Raw>,
    /// Where each function was put, in order.
    placed: Vec<(usize, usize)>,
    place_of: BTreeMap<usize, usize>,
    used: Vec<Used>,
    map_index: BTreeMap<usize, i32>,
    jump_tables: BTreeMap<u64, i32>,
    /// Instructions that load a map by a number that no relocation gave them.
    strays: Vec<usize>,
    /// The externs that it refers to.
    pub(crate) externs: BTreeSet<usize>,
}

/// A function whose calls are being followed.
struct Level {
    function: usize,
    /// Where it was put.
    start: usize,
    /// The slot that comes next.
    next: usize,
}

impl<'a> Linker<'a> {
    pub(crate) fn new(object: &'a Object, entry: &'a ProgramEntry) -> Self {
        Self {
            object,
            entry,
            insns: Vec::new(),
            placed: Vec::new(),
            place_of: BTreeMap::new(),
            used: Vec::new(),
            map_index: BTreeMap::new(),
            jump_tables: BTreeMap::new(),
            strays: Vec::new(),
            externs: BTreeSet::new(),
        }
    }

    /// Puts the program together and resolves what it refers to.
    pub(crate) fn link(&mut self) -> Result<(), ProgramError> {
        self.append_with_callees(self.entry.function)?;
        if let Some(callback) = records::exception_callback(self.object, self.entry)?
            && !self.place_of.contains_key(&callback)
        {
            self.append_with_callees(callback)?;
        }
        self.disown_stray_maps();
        Ok(())
    }

    /// The program as it is so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.insns.iter().flat_map(|insn| insn.to_bytes()).collect()
    }

    pub(crate) fn run(mut self) -> Result<LoadRequest, ProgramError> {
        let unknown = || ProgramError::UnknownType { section: self.entry.section.clone() };
        let program_type = self.entry.program_type.ok_or_else(unknown)?;
        self.link()?;
        let funcs = records::funcs(self.object, &self.placed)?;
        let lines = records::lines(self.object, &self.placed);
        let (attach_type, attach_target) = attachment::resolve(self.object, self.entry, program_type)?;
        let mut flags = self.entry.flags;
        flags.xdp_has_frags &= program_type == ProgramType::XDP;
        Ok(LoadRequest {
            name: self.entry.name.clone(),
            program_type,
            attach_type,
            maps: self.maps()?,
            program: Arc::new(Program::decode_as_linux(&self.bytes())?),
            gpl_compatible: is_gpl_compatible(&self.object.license),
            flags,
            privilege: self.object.options.privilege,
            btf: self.object.btf.clone(),
            funcs,
            lines,
            attach_target,
        })
    }

    /// Map numbers that the program brought itself stand for no map, not for one of ours.
    fn disown_stray_maps(&mut self) {
        let maps = self.used.len();
        let strays = core::mem::take(&mut self.strays);
        for at in strays {
            if let Some(insn) = self.insns.get_mut(at)
                && usize::try_from(insn.imm).is_ok_and(|index| index < maps)
            {
                insn.imm = -1;
            }
        }
    }

    fn function(&self, index: usize) -> Result<&'a Function, ProgramError> {
        self.object.code.functions.get(index).ok_or(ProgramError::Empty)
    }

    /// Appends a function, and whatever it calls, directly or not.
    fn append_with_callees(&mut self, root: usize) -> Result<(), ProgramError> {
        let start = self.append(root)?;
        let mut levels = alloc::vec![Level { function: root, start, next: 0 }];
        while let Some(level) = levels.last_mut() {
            let function = self.object.code.functions.get(level.function).ok_or(ProgramError::Empty)?;
            if level.next >= function.slots.len() {
                levels.pop();
                continue;
            }
            let (start, slot) = (level.start, level.next);
            level.next += 1;
            if let Some(callee) = self.resolve(function, start, slot)? {
                levels.push(Level { function: callee, start: self.append(callee)?, next: 0 });
                // The same instruction once more, now that it has somewhere to point to.
                let caller = levels.len().saturating_sub(2);
                if let Some(level) = levels.get_mut(caller) {
                    level.next = slot;
                }
            }
        }
        Ok(())
    }

    /// Appends the instructions of a function as they are, and says where.
    fn append(&mut self, index: usize) -> Result<usize, ProgramError> {
        let function = self.function(index)?;
        if function.out_of_bounds {
            return Err(ProgramError::Bounds(function.name.clone()));
        }
        let section = self.object.code.sections.get(function.section);
        let insns = section.and_then(|section| section.insns.get(function.slots.clone())).unwrap_or_default();
        if insns.is_empty() {
            return Err(ProgramError::Empty);
        }
        // Functions that overlap could otherwise make a program much longer than the file.
        if self.insns.len().saturating_add(insns.len()) > LONGEST {
            return Err(ProgramError::TooLong);
        }
        let failed = &self.object.core.failed;
        let from = (function.section, function.slots.start);
        if let Some((&(_, slot), failure)) = failed.range(from..(function.section, function.slots.end)).next() {
            return Err(match failure {
                Failure::NoKernelBtf => ProgramError::NeedsKernelBtf,
                Failure::CoRe(error) => ProgramError::CoRe {
                    function: function.name.clone(),
                    at: position(slot.saturating_sub(function.slots.start)),
                    error: error.clone(),
                },
            });
        }
        let start = self.insns.len();
        self.insns.extend_from_slice(insns);
        self.placed.push((index, start));
        self.place_of.insert(index, start);
        Ok(start)
    }

    /// Resolves what one instruction refers to; or names the function that has to be appended before that can be done.
    fn resolve(&mut self, function: &'a Function, start: usize, slot: usize) -> Result<Option<usize>, ProgramError> {
        let at = start.saturating_add(slot);
        let Some(&insn) = self.insns.get(at) else { return Ok(None) };
        let is_call = insn.code == CALL && insn.src == PSEUDO_CALL;
        if !is_call && insn.code != LD_IMM64 {
            return Ok(None);
        }
        let Some(section) = self.object.code.sections.get(function.section) else { return Ok(None) };
        let here = function.slots.start.saturating_add(slot);
        let no_callee = || ProgramError::NoCallee { function: function.name.clone(), at: position(slot) };
        let target = match relocation(&section.relocs, here) {
            Some(Reloc { slot: _, target: Ok(target) }) => target,
            Some(Reloc { slot: _, target: Err(error) }) => {
                let error = error.clone();
                return Err(ProgramError::Reloc { function: function.name.clone(), at: position(slot), error });
            }
            None if is_call => {
                // Within a section, the distance is the right one already.
                let callee = offset(here, i64::from(insn.imm).saturating_add(1)).ok_or_else(no_callee)?;
                return self.point(at, insn, function.section, callee).ok_or_else(no_callee);
            }
            None => {
                if matches!(insn.src, PSEUDO_MAP_FD | PSEUDO_MAP_VALUE | PSEUDO_MAP_IDX | PSEUDO_MAP_IDX_VALUE) {
                    self.strays.push(at);
                }
                return Ok(None);
            }
        };
        match *target {
            Target::Call { section, slot } => {
                let callee = offset(slot, i64::from(insn.imm).saturating_add(1)).ok_or_else(no_callee)?;
                return self.point(at, insn, section, callee).ok_or_else(no_callee);
            }
            Target::Func { section, offset: byte } => {
                let byte = byte.wrapping_add(u64::from(insn.imm.cast_unsigned()));
                let callee =
                    byte.is_multiple_of(8).then(|| usize::try_from(byte / 8).ok()).flatten().ok_or_else(no_callee)?;
                let insn = Raw { src: PSEUDO_FUNC, ..insn };
                return self.point(at, insn, section, callee).ok_or_else(no_callee);
            }
            Target::Map(map) => self.refer(at, insn, map, PSEUDO_MAP_FD, None),
            Target::Data { map, offset } => {
                let place = offset.wrapping_add(u64::from(insn.imm.cast_unsigned()));
                self.refer(at, insn, map, PSEUDO_MAP_VALUE, Some(low_half(place)));
            }
            Target::Extern(index) => self.resolve_extern(at, insn, index)?,
            Target::JumpTable { offset, size } => {
                let fault = || ProgramError::JumpTable { function: function.name.clone(), at: position(slot) };
                self.resolve_jump_table(at, insn, (function, start), (offset, size)).ok_or_else(fault)?;
            }
        }
        Ok(None)
    }

    /// Makes an instruction point to the function that begins at this slot; names the function where it has to be appended
    /// first; `None` where no function begins there.
    fn point(&mut self, at: usize, insn: Raw, section: usize, slot: usize) -> Option<Option<usize>> {
        let callee = self.object.code.function_at(section, slot)?;
        let Some(&start) = self.place_of.get(&callee) else { return Some(Some(callee)) };
        let distance = i64::try_from(start).ok()?.checked_sub(i64::try_from(at).ok()?)?.checked_sub(1)?;
        self.set(at, Raw { imm: i32::try_from(distance).ok()?, ..insn });
        Some(None)
    }

    /// Makes an instruction refer to a map, or to a place in its value.
    fn refer(&mut self, at: usize, insn: Raw, map: usize, pseudo: u8, place: Option<i32>) {
        if self.object.maps.list.get(map).is_some_and(|map| map.left_out) {
            let number = i32::try_from(map).unwrap_or_default();
            let call = Raw { code: CALL, dst: 0, src: 0, off: 0, imm: NO_MAP.saturating_add(number) };
            self.set(at, call);
            self.set(at.saturating_add(1), call);
            return;
        }
        let index = match self.map_index.get(&map) {
            Some(&index) => index,
            None => {
                let index = self.use_map(Used::Object(map));
                self.map_index.insert(map, index);
                index
            }
        };
        self.set(at, Raw { src: pseudo, imm: index, ..insn });
        if let Some(place) = place {
            self.set_high(at, place);
        }
    }

    /// Makes an instruction refer to a symbol of the kernel.
    fn resolve_extern(&mut self, at: usize, insn: Raw, index: usize) -> Result<(), ProgramError> {
        let object = self.object;
        let Some(found) = object.externs.list.get(index) else { return Ok(()) };
        self.externs.insert(index);
        let fault = |problem: &str| ProgramError::Extern { name: found.name.clone(), problem: problem.into() };
        let resolved = externs::resolve(object, found).map_err(|problem| fault(&problem))?;
        match (resolved, insn.code == CALL) {
            (Resolved::Kconfig { offset }, false) => {
                let map = object.maps.kconfig.ok_or_else(|| fault("has no map to be in"))?;
                self.refer(at, insn, map, PSEUDO_MAP_VALUE, Some(offset.cast_signed()));
            }
            (Resolved::Type(found), false) => {
                self.set(at, Raw { src: PSEUDO_BTF_ID, imm: found.id.0.cast_signed(), ..insn });
                self.set_high(at, found.set.cast_signed());
            }
            (Resolved::Address(address), false) => {
                self.set(at, Raw { imm: low_half(address), ..insn });
                self.set_high(at, low_half(address >> 32));
            }
            (Resolved::Type(function), true) => {
                let set = i16::try_from(function.set)
                    .map_err(|_| fault("is in a module whose number does not fit in a call"))?;
                self.set(at, Raw { src: PSEUDO_KFUNC_CALL, off: set, imm: function.id.0.cast_signed(), ..insn });
            }
            (Resolved::Missing, true) => {
                let number = i32::try_from(index).unwrap_or_default();
                self.set(at, Raw { code: CALL, dst: 0, src: 0, off: 0, imm: NO_KFUNC.saturating_add(number) });
            }
            (Resolved::Missing, false) => {
                self.set(at, Raw { imm: 0, ..insn });
                self.set_high(at, 0);
            }
            (Resolved::Kconfig { .. } | Resolved::Address(_), true) => {
                return Err(fault("is called, but is not a function"));
            }
        }
        Ok(())
    }

    /// Makes an instruction refer to a jump table, as a map of this program's own: its entries count from the program's first
    /// instruction.
    fn resolve_jump_table(&mut self, at: usize, insn: Raw, owner: (&Function, usize), table: (u64, u64)) -> Option<()> {
        let ((function, start), (offset, size)) = (owner, table);
        let index = match self.jump_tables.get(&offset) {
            Some(&index) => index,
            None => {
                let mut content = Vec::new();
                let mut entries = 0;
                for byte in self.object.maps.jump_table(offset, size)? {
                    let slot = usize::try_from(byte / 8).ok()?.checked_sub(function.slots.start)?.checked_add(start)?;
                    content.extend_from_slice(&u32::try_from(slot).ok()?.to_le_bytes());
                    content.extend_from_slice(&[0; 12]);
                    entries += 1;
                }
                let mut def = MapDef::new(".jumptables", MapKind::INSN_ARRAY, 4, 16, entries);
                def.frozen = Some(content.into());
                let index = self.use_map(Used::JumpTable(def));
                self.jump_tables.insert(offset, index);
                index
            }
        };
        self.set(at, Raw { src: PSEUDO_MAP_VALUE, off: 0, imm: index, ..insn });
        Some(())
    }

    fn use_map(&mut self, used: Used) -> i32 {
        self.used.push(used);
        i32::try_from(self.used.len() - 1).unwrap_or(i32::MAX)
    }

    fn set(&mut self, at: usize, insn: Raw) {
        if let Some(place) = self.insns.get_mut(at) {
            *place = insn;
        }
    }

    /// Sets the second half of a 64-bit immediate.
    fn set_high(&mut self, at: usize, imm: i32) {
        if let Some(place) = self.insns.get_mut(at.saturating_add(1)) {
            place.imm = imm;
        }
    }

    /// The maps that the program refers to, in the order in which it does.
    fn maps(&self) -> Result<Vec<MapDef>, ProgramError> {
        let def = |used: &Used| match used {
            Used::JumpTable(def) => Ok(def.clone()),
            Used::Object(index) => {
                let map = self.object.maps.list.get(*index).ok_or(ProgramError::Empty)?;
                map.def.clone().map_err(|error| ProgramError::Map { map: map.name.clone(), error })
            }
        };
        self.used.iter().map(def).collect()
    }
}

/// The relocation of the instruction in this slot of a code section.
fn relocation(relocs: &[Reloc], slot: usize) -> Option<&Reloc> {
    let at = relocs.partition_point(|reloc| reloc.slot < slot);
    relocs.get(at).filter(|reloc| reloc.slot == slot)
}

fn offset(slot: usize, distance: i64) -> Option<usize> {
    usize::try_from(i64::try_from(slot).ok()?.checked_add(distance)?).ok()
}

fn position(slot: usize) -> u32 {
    u32::try_from(slot).unwrap_or(u32::MAX)
}

/// The low 32 bits, as an immediate.
fn low_half(value: u64) -> i32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

/// Whether the kernel takes this licence to be compatible with the GPL (`license_is_gpl_compatible`).
fn is_gpl_compatible(license: &str) -> bool {
    matches!(license, "GPL" | "GPL v2" | "GPL and additional rights" | "Dual BSD/GPL" | "Dual MIT/GPL" | "Dual MPL/GPL")
}
