//! Functions of a program: where they begin and end, and what is true of each.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bpfvet_insn::{Call, ImmSource, Insn, InsnIdx, Program};
use bpfvet_platform::{LoadRequest, Platform};

use crate::error::Restricted;
use crate::mentions::Mentions;
use crate::types;
use crate::{StructureCause, StructureError};

/// A function of a program, by ascending position; the main function is zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SubprogId(pub u32);

impl SubprogId {
    /// The function that the program begins with.
    pub const MAIN: Self = Self(0);

    /// As an index into a slice of functions.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn of(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }
}

impl fmt::Display for SubprogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "func#{}", self.0)
    }
}

/// What calling a function may do, seen from outside, the functions that it calls included.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Hash)]
pub struct SubprogEffects {
    /// It may move the packet, so that packet pointers become useless.
    pub changes_pkt_data: bool,
    /// It may sleep.
    pub might_sleep: bool,
    /// It may throw.
    pub might_throw: bool,
}

impl SubprogEffects {
    pub(crate) const fn merge(&mut self, other: Self) {
        self.changes_pkt_data |= other.changes_pkt_data;
        self.might_sleep |= other.might_sleep;
        self.might_throw |= other.might_throw;
    }
}

/// How a function names another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum CallKind {
    /// It calls it.
    Direct,
    /// It takes its address, to use it as a callback.
    Address,
}

/// An instruction that names a function of the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct CallSite {
    /// The instruction.
    pub at: InsnIdx,
    /// The function it names.
    pub callee: SubprogId,
    /// How.
    pub kind: CallKind,
}

/// One function of a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subprog {
    /// Its first slot.
    pub start: InsnIdx,
    /// One past its last slot.
    pub end: InsnIdx,
    /// Its last `exit`, where hidden exits lead; zero where it has none (`exit_idx`).
    pub exit: InsnIdx,
    /// It is verified on its own, for any arguments of its types.
    pub is_global: bool,
    /// Its name in the program's types.
    pub name: Option<String>,
    /// It has a tail call.
    pub has_tail_call: bool,
    /// It has a legacy packet load.
    pub has_ld_abs: bool,
    /// Its first instruction that throws.
    pub throws: Option<InsnIdx>,
    /// What calling it may do.
    pub effects: SubprogEffects,
    /// It is the program's exception callback.
    pub is_exception_cb: bool,
    /// The functions that it names, in the order of the instructions, dead ones too.
    pub callees: Vec<CallSite>,
    /// Where the slots for sparing registers around calls begin, in bytes from the frame pointer; zero where there are none
    /// (`fastcall_stack_off`).
    pub fastcall_off: i16,
    /// Some call in such a pattern does not spare registers on this host, so its spills and fills stay.
    pub keep_fastcall_stack: bool,
}

impl Subprog {
    /// Whether the slot is one of its.
    #[must_use]
    pub const fn contains(&self, at: InsnIdx) -> bool {
        self.start.0 <= at.0 && at.0 < self.end.0
    }

    /// Slots it takes.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.end.0.saturating_sub(self.start.0)
    }

    /// Whether it has no slot; no function is so.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where a jump of `off` slots leads, in the 32 bits in which the kernel computes it.
pub(crate) fn destination(at: InsnIdx, off: i32) -> i64 {
    i64::from(at.0.cast_signed().wrapping_add(off).wrapping_add(1))
}

/// The function that `insn` names: how, and the distance to it.
pub(crate) const fn names_subprog(insn: &Insn) -> Option<(CallKind, i32)> {
    if let Insn::Call(Call::Subprog(off)) = *insn {
        Some((CallKind::Direct, off))
    } else if let Insn::LoadImm64 { imm: ImmSource::Func(off), .. } = *insn {
        Some((CallKind::Address, off))
    } else {
        None
    }
}

/// The function that contains the slot, given their starts in ascending order.
pub(crate) fn containing(subprogs: &[Subprog], at: InsnIdx) -> SubprogId {
    SubprogId::of(subprogs.partition_point(|subprog| subprog.start <= at).saturating_sub(1))
}

/// The functions of the program (`add_subprogs`, Linux 7.3).
///
/// # Errors
///
/// The first instruction that names a function which it may not or cannot name.
pub(crate) fn discover(
    request: &LoadRequest,
    platform: &dyn Platform,
    mentions: &Mentions,
) -> Result<Vec<Subprog>, StructureError> {
    let program = &*request.program;
    let limit = platform.limits(request.privilege).subprogs;
    let mut starts = BTreeSet::from([InsnIdx(0)]);
    let add = |starts: &mut BTreeSet<InsnIdx>, at: Option<InsnIdx>, to: i64| {
        let target = u32::try_from(to).ok().filter(|&to| to < program.len());
        let Some(target) = target else {
            return Err(StructureError { at, cause: StructureCause::CallOutOfRange { to } });
        };
        if !starts.contains(&InsnIdx(target)) {
            if starts.len() >= limit as usize {
                return Err(StructureError { at, cause: StructureCause::TooManySubprogs { limit } });
            }
            starts.insert(InsnIdx(target));
        }
        Ok(())
    };
    for (at, insn) in mentions.iter(program) {
        let Some((kind, off)) = names_subprog(insn) else { continue };
        permit(request, platform, kind).map_err(|cause| StructureError::at(at, cause))?;
        add(&mut starts, Some(at), destination(at, off))?;
    }
    let exception_callback = types::exception_callback(request)?;
    if let Some(callback) = exception_callback {
        add(&mut starts, None, i64::from(callback.0))?;
    }
    let mut subprogs: Vec<Subprog> = starts
        .into_iter()
        .map(|start| Subprog {
            start,
            end: InsnIdx(program.len()),
            exit: InsnIdx(0),
            is_global: false,
            name: None,
            has_tail_call: false,
            has_ld_abs: false,
            throws: None,
            effects: SubprogEffects::default(),
            is_exception_cb: exception_callback == Some(start),
            callees: Vec::new(),
            fastcall_off: 0,
            keep_fastcall_stack: false,
        })
        .collect();
    let mut end = InsnIdx(program.len());
    for subprog in subprogs.iter_mut().rev() {
        subprog.end = end;
        end = subprog.start;
        let info = types::function_at(request, subprog.start);
        subprog.name = info.name;
        subprog.is_global = info.is_global && platform.features().global_functions();
    }
    for (at, insn) in mentions.iter(program) {
        let Some((kind, off)) = names_subprog(insn) else { continue };
        let Ok(target) = u32::try_from(destination(at, off)) else { continue };
        let callee = containing(&subprogs, InsnIdx(target));
        let caller = containing(&subprogs, at);
        if let Some(caller) = subprogs.get_mut(caller.index()) {
            caller.callees.push(CallSite { at, callee, kind });
        }
    }
    Ok(subprogs)
}

fn permit(request: &LoadRequest, platform: &dyn Platform, kind: CallKind) -> Result<(), StructureCause> {
    let features = platform.features();
    match kind {
        CallKind::Direct if !features.subprograms() => Err(StructureCause::SubprogsUnavailable),
        CallKind::Address if !features.function_pointers() => Err(StructureCause::FunctionAddressesUnavailable),
        CallKind::Direct | CallKind::Address if request.privilege.bpf => Ok(()),
        CallKind::Direct => Err(StructureCause::NotPermitted { what: Restricted::SubprogCall }),
        CallKind::Address => Err(StructureCause::NotPermitted { what: Restricted::FunctionAddress }),
    }
}

/// Checks that jumps stay in their functions and that no function runs into the next, and notes what each function has
/// (`check_subprogs`, Linux 7.3).
pub(crate) fn check(
    program: &Program,
    subprogs: &mut [Subprog],
    is_tail_call: impl Fn(InsnIdx) -> bool,
) -> Result<(), StructureError> {
    for (index, subprog) in subprogs.iter_mut().enumerate() {
        let id = SubprogId::of(index);
        let mut ends_well = false;
        for (at, insn) in program.landmarks_within(subprog.start..subprog.end) {
            let is_last = at.next() == subprog.end;
            let off = match *insn {
                Insn::Jump { off, .. } => {
                    ends_well = is_last;
                    off
                }
                Insn::Branch { off, .. } | Insn::MayGoto { off } => i32::from(off),
                Insn::Exit => {
                    ends_well = is_last;
                    subprog.exit = at;
                    continue;
                }
                Insn::JumpIndirect { .. } => {
                    ends_well = is_last;
                    continue;
                }
                Insn::Call(_) => {
                    subprog.has_tail_call |= is_tail_call(at);
                    continue;
                }
                Insn::LoadPacket { .. } => {
                    subprog.has_ld_abs = true;
                    continue;
                }
                Insn::Alu { .. }
                | Insn::Neg { .. }
                | Insn::Mov { .. }
                | Insn::MovSx { .. }
                | Insn::AddrSpaceCast { .. }
                | Insn::Endian { .. }
                | Insn::LoadImm64 { .. }
                | Insn::Load { .. }
                | Insn::Store { .. }
                | Insn::Atomic { .. }
                | Insn::LoadAcquire { .. }
                | Insn::StoreRelease { .. } => continue,
            };
            let to = destination(at, off);
            if to < i64::from(subprog.start.0) || to >= i64::from(subprog.end.0) {
                let (start, end) = (subprog.start, subprog.end);
                return Err(StructureError::at(at, StructureCause::JumpOutOfRange { to, subprog: id, start, end }));
            }
        }
        if !ends_well {
            let last = InsnIdx(subprog.end.0.saturating_sub(1));
            return Err(StructureError::at(last, StructureCause::FallsThrough { subprog: id }));
        }
    }
    Ok(())
}
