//! What registers are known to hold before any path is walked, and branches that this decides.
//!
//! The lattice is flat: a number, a map, a place in a map's value, or a function; two that differ join to unknown.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;

use bpfvet_insn::{AluOp, AtomicOp, CmpOp, ImmSource, Insn, InsnIdx, Operand, Program, Reg, Size, Width};
use bpfvet_platform::{LoadRequest, MapKind, Platform};

use crate::SubprogId;
use crate::flow::Flow;
use crate::order::Postorder;
use crate::tables::map_of;

/// The kind of a known value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Unknown,
    Number,
    Map,
    MapValue,
    Subprog,
}

/// What is known of one register (`struct const_arg_info`, Linux 7.3).
///
/// A field that the kind does not use keeps what was in it, and counts when two values are compared. That loses a constant now and
/// then, and is kept because what is folded is visible in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Known {
    kind: Kind,
    map: u32,
    number: u64,
}

const UNKNOWN: Known = Known { kind: Kind::Unknown, map: 0, number: 0 };

/// Registers 0 to 10.
type Registers = [Known; 11];

/// What a register is known to hold, as later passes see it: numbers that fit 32 bits, maps and functions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ConstValue {
    /// This number.
    Number(u32),
    /// A map, by index into the request's list.
    Map(u32),
    /// The address of a function of the program.
    Subprog(SubprogId),
}

/// What registers are known to hold before each slot, where anything is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Constants {
    /// By slot: where its values begin.
    starts: Vec<u32>,
    values: Vec<(Reg, ConstValue)>,
}

impl Constants {
    /// What `reg` holds before `at`, if that is known.
    pub(crate) fn get(&self, at: InsnIdx, reg: Reg) -> Option<ConstValue> {
        self.before(at).iter().find(|(known, _)| *known == reg).map(|&(_, value)| value)
    }

    /// All that is known before `at`.
    pub(crate) fn before(&self, at: InsnIdx) -> &[(Reg, ConstValue)] {
        let bounds = self.starts.get(at.index()).zip(self.starts.get(at.next().index()));
        bounds.and_then(|(&from, &to)| self.values.get(from as usize..to as usize)).unwrap_or_default()
    }
}

/// Finds what is known before each slot, forwards to a fixed point (`bpf_compute_const_regs`, Linux 7.3). Nothing is known where a
/// function begins, and branches teach nothing.
pub(crate) fn fold(flow: &Flow, postorder: &Postorder, request: &LoadRequest, platform: &dyn Platform) -> Constants {
    // Most instructions change nothing that is known, so that slots share what they know.
    let mut before: Vec<Option<Rc<Registers>>> = vec![None; flow.len()];
    let nothing = Rc::new([UNKNOWN; 11]);
    for subprog in &flow.subprogs {
        if let Some(entry) = before.get_mut(subprog.start.index()) {
            *entry = Some(Rc::clone(&nothing));
        }
    }
    let maps = Maps { request, platform };
    let position = postorder.positions();
    loop {
        let mut again = false;
        for &at in postorder.all().iter().rev() {
            let (Some(insn), Some(Some(registers))) = (flow.program.get(at), before.get(at.index())) else { continue };
            let after = transfer(registers, insn, at, flow, &maps).apply(registers);
            for &next in &*flow.successors(at) {
                if let Some(target) = before.get_mut(next.index())
                    && join(target, &after)
                {
                    // Joining is idempotent: another round changes something only if a slot changed that this one had passed.
                    again |= position.get(next.index()) >= position.get(at.index());
                }
            }
        }
        if !again {
            break;
        }
    }
    let mut constants = Constants { starts: Vec::with_capacity(flow.len() + 1), values: Vec::new() };
    for registers in &before {
        let registers = registers.as_deref().into_iter().flatten();
        constants.starts.push(u32::try_from(constants.values.len()).unwrap_or(u32::MAX));
        for (number, known) in (0..).zip(registers) {
            let value = match known.kind {
                Kind::Number => u32::try_from(known.number).ok().map(ConstValue::Number),
                Kind::Map => Some(ConstValue::Map(known.map)),
                Kind::Subprog => u32::try_from(known.number).ok().map(|id| ConstValue::Subprog(SubprogId(id))),
                Kind::Unknown | Kind::MapValue => None,
            };
            if let (Some(reg), Some(value)) = (Reg::new(number), value) {
                constants.values.push((reg, value));
            }
        }
    }
    constants.starts.push(u32::try_from(constants.values.len()).unwrap_or(u32::MAX));
    constants
}

/// Joins what comes along an edge into what is known of its end; whether that changed.
fn join(target: &mut Option<Rc<Registers>>, from: &Rc<Registers>) -> bool {
    let Some(target) = target else {
        *target = Some(Rc::clone(from));
        return true;
    };
    let differs = |old: &Known, new: &Known| old.kind != Kind::Unknown && old != new;
    if Rc::ptr_eq(target, from) || !target.iter().zip(from.iter()).any(|(old, new)| differs(old, new)) {
        return false;
    }
    let mut joined = **target;
    for (old, new) in joined.iter_mut().zip(from.iter()) {
        if differs(old, new) {
            old.kind = Kind::Unknown;
        }
    }
    *target = Rc::new(joined);
    true
}

struct Maps<'a> {
    request: &'a LoadRequest,
    platform: &'a dyn Platform,
}

impl Maps<'_> {
    /// The bytes at `off` of a map's only value, where nobody can change them (`bpf_map_is_rdonly`, `bpf_map_direct_read`).
    fn read(&self, index: u32, off: u64, size: Size, signed: bool) -> Option<u64> {
        let map = self.request.maps.get(index as usize)?;
        let direct = self.platform.map_kind(map.kind)?.direct_value;
        let hidden = map.kind == MapKind::INSN_ARRAY || map.kind == MapKind::PERCPU_ARRAY;
        if map.program_writes() || !direct || hidden || map.max_entries != 1 {
            return None;
        }
        // The kernel keeps the offset in 32 bits.
        let off = u32::try_from((off as u32).cast_signed()).ok()?;
        let end = off.checked_add(size.bytes()).filter(|&end| end <= map.value_size)?;
        let bytes = map.frozen.as_deref()?.get(off as usize..end as usize)?;
        let number = bytes.iter().rev().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
        Some(if signed { sign_extend(number, size) } else { number })
    }
}

const fn sign_extend(number: u64, from: Size) -> u64 {
    let unused = 64 - from.bits();
    ((number << unused).cast_signed() >> unused).cast_unsigned()
}

const fn extended(imm: i32) -> u64 {
    (imm as i64).cast_unsigned()
}

/// What an instruction changes.
enum Change {
    Nothing,
    One(Reg, Known),
    /// `r0` to `r5` hold nothing known.
    CallerSaved,
}

impl Change {
    fn apply(self, registers: &Rc<Registers>) -> Rc<Registers> {
        match self {
            Self::One(reg, value) if registers.get(reg.index()).is_some_and(|known| *known != value) => {
                let mut changed = **registers;
                if let Some(register) = changed.get_mut(reg.index()) {
                    *register = value;
                }
                Rc::new(changed)
            }
            Self::CallerSaved if registers.iter().take(6).any(|known| *known != UNKNOWN) => {
                let mut changed = **registers;
                changed.iter_mut().take(6).for_each(|register| *register = UNKNOWN);
                Rc::new(changed)
            }
            Self::Nothing | Self::One(..) | Self::CallerSaved => Rc::clone(registers),
        }
    }
}

/// What one instruction changes (`const_reg_xfer`, Linux 7.3).
fn transfer(registers: &Registers, insn: &Insn, at: InsnIdx, flow: &Flow, maps: &Maps<'_>) -> Change {
    let known = |reg: Reg| registers.get(reg.index()).copied().unwrap_or(UNKNOWN);
    let (dst, value) = match *insn {
        Insn::Alu { width, op, dst, src } => {
            let old = known(dst);
            let src = match src {
                Operand::Reg(reg) => Source::Reg(known(reg)),
                Operand::Imm(imm) => Source::Imm(extended(imm)),
            };
            (dst, narrow(width, arithmetic(op, old, src)))
        }
        Insn::Mov { width, dst, src: Operand::Imm(imm) } => {
            (dst, narrow(width, Known { kind: Kind::Number, number: extended(imm), ..known(dst) }))
        }
        Insn::Mov { width, dst, src: Operand::Reg(src) } => (dst, narrow(width, known(src))),
        Insn::MovSx { width, dst, src, from } => {
            let value = match known(src) {
                value @ Known { kind: Kind::Number, number, .. } => {
                    Known { number: sign_extend(number, from), ..value }
                }
                _ => UNKNOWN,
            };
            (dst, narrow(width, value))
        }
        Insn::Neg { dst, .. } | Insn::AddrSpaceCast { dst, .. } | Insn::Endian { dst, .. } => (dst, UNKNOWN),
        Insn::LoadImm64 { dst, imm } => (dst, immediate(known(dst), imm, insn, at, flow)),
        Insn::Load { dst, base, off, size, signed } => {
            let value = match known(base) {
                Known { kind: Kind::MapValue, map, number } => {
                    let off = number.wrapping_add(extended(i32::from(off)));
                    let read = maps.read(map, off, size, signed);
                    read.map_or(UNKNOWN, |number| Known { kind: Kind::Number, number, ..known(dst) })
                }
                _ => UNKNOWN,
            };
            (dst, value)
        }
        Insn::LoadAcquire { dst, .. } => (dst, UNKNOWN),
        Insn::Atomic { op, src, .. } => match AtomicOp::fetched_into(op, src) {
            Some(reg) => (reg, UNKNOWN),
            None => return Change::Nothing,
        },
        Insn::LoadPacket { .. } | Insn::Call(_) => return Change::CallerSaved,
        Insn::Store { .. }
        | Insn::StoreRelease { .. }
        | Insn::Jump { .. }
        | Insn::JumpIndirect { .. }
        | Insn::Branch { .. }
        | Insn::MayGoto { .. }
        | Insn::Exit => return Change::Nothing,
    };
    Change::One(dst, value)
}

enum Source {
    Reg(Known),
    Imm(u64),
}

fn arithmetic(op: AluOp, old: Known, src: Source) -> Known {
    let is_number = old.kind == Kind::Number;
    let shifts = is_number || old.kind == Kind::MapValue;
    let number = |number| Known { kind: Kind::Number, number, ..old };
    match (op, src) {
        (AluOp::Add, Source::Imm(imm)) if shifts => Known { number: old.number.wrapping_add(imm), ..old },
        (AluOp::Sub, Source::Imm(imm)) if shifts => Known { number: old.number.wrapping_sub(imm), ..old },
        (AluOp::And, Source::Imm(imm)) if is_number => number(old.number & imm),
        (AluOp::And, Source::Imm(0)) => number(0),
        (AluOp::And, Source::Reg(_)) if is_number && old.number == 0 => old,
        (AluOp::And, Source::Reg(Known { kind: Kind::Number, number: 0, .. })) => number(0),
        (AluOp::And, Source::Reg(src)) if is_number && src.kind == Kind::Number => number(old.number & src.number),
        _ => UNKNOWN,
    }
}

/// A 32-bit result: only numbers survive, and only their low half.
const fn narrow(width: Width, value: Known) -> Known {
    match (width, value.kind) {
        (Width::W64, _) | (Width::W32, Kind::Unknown) => value,
        (Width::W32, Kind::Number) => Known { number: value.number & 0xffff_ffff, ..value },
        (Width::W32, Kind::Map | Kind::MapValue | Kind::Subprog) => UNKNOWN,
    }
}

fn immediate(old: Known, imm: ImmSource, insn: &Insn, at: InsnIdx, flow: &Flow) -> Known {
    let map = map_of(insn);
    match (imm, map) {
        (ImmSource::Value(number), _) => Known { kind: Kind::Number, number, ..old },
        (ImmSource::Func(_), _) => match insn.target(at).and_then(|start| flow.subprog_starting_at(start)) {
            Some(id) => Known { kind: Kind::Subprog, number: u64::from(id.0), ..old },
            None => UNKNOWN,
        },
        (ImmSource::MapFd(_) | ImmSource::MapIdx(_), Some(map)) => Known { kind: Kind::Map, map, ..old },
        (ImmSource::MapValue { off, .. } | ImmSource::MapIdxValue { off, .. }, Some(map)) => {
            Known { kind: Kind::MapValue, map, number: u64::from(off) }
        }
        (ImmSource::BtfId { .. }, _) | (_, None) => UNKNOWN,
    }
}

/// The program with each branch that a constant decides made a jump, to its target or to the next slot; `None` where no branch is
/// so (`bpf_prune_dead_branches`, Linux 7.3).
///
/// Only constants that fit 32 bits count.
pub(crate) fn decide_branches(program: &Program, constants: &Constants) -> Option<Program> {
    let decided = |at, insn: &Insn| {
        let Insn::Branch { width, op, dst, src, off } = *insn else { return None };
        let number = |reg| match constants.get(at, reg) {
            Some(ConstValue::Number(number)) => Some(u64::from(number)),
            Some(ConstValue::Map(_) | ConstValue::Subprog(_)) | None => None,
        };
        let left = number(dst)?;
        let right = match src {
            Operand::Reg(reg) => number(reg)?,
            Operand::Imm(imm) => extended(imm),
        };
        let (left, right) = match width {
            Width::W64 => (left, right),
            // Both signs and both orders survive when both sides are extended from 32 bits.
            Width::W32 => (sign_extend(left, Size::B4), sign_extend(right, Size::B4)),
        };
        Some(if is_taken(op, left, right) { i32::from(off) } else { 0 })
    };
    if !program.iter().any(|(at, insn)| decided(at, insn).is_some()) {
        return None;
    }
    Some(Program::from_insns(program.iter().map(|(at, insn)| match decided(at, insn) {
        Some(off) => Insn::Jump { off, long: false },
        None => *insn,
    })))
}

const fn is_taken(op: CmpOp, left: u64, right: u64) -> bool {
    let (signed_left, signed_right) = (left.cast_signed(), right.cast_signed());
    match op {
        CmpOp::Eq => left == right,
        CmpOp::Ne => left != right,
        CmpOp::Gt => left > right,
        CmpOp::Ge => left >= right,
        CmpOp::Lt => left < right,
        CmpOp::Le => left <= right,
        CmpOp::Sgt => signed_left > signed_right,
        CmpOp::Sge => signed_left >= signed_right,
        CmpOp::Slt => signed_left < signed_right,
        CmpOp::Sle => signed_left <= signed_right,
        CmpOp::Set => left & right != 0,
    }
}
