//! What registers are known to hold before any path is walked, and branches that this decides.
//!
//! The lattice is flat: a number, a map, a place in a map's value, or a function; two that differ join to unknown.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;

use bpfvet_insn::{AluOp, AtomicOp, CmpOp, ImmSource, Insn, InsnIdx, Operand, Program, Reg, RegSet, Size, Width};
use bpfvet_platform::{LoadRequest, MapKind, Platform};

use crate::SubprogId;
use crate::blocks::{BlockId, Blocks};
use crate::flow::Flow;
use crate::forward::{Forward, solve};
use crate::involved::Involved;
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

/// What is known of registers 0 to 10.
#[derive(Clone, Debug)]
struct Registers {
    known: [Known; 11],
    /// Those that may be anything else than [`UNKNOWN`]: most instructions touch none of them, and so leave everything as it is.
    some: RegSet,
}

impl Registers {
    fn get(&self, reg: Reg) -> Known {
        self.known.get(reg.index()).copied().unwrap_or(UNKNOWN)
    }

    fn set(&mut self, reg: Reg, value: Known) {
        if let Some(known) = self.known.get_mut(reg.index()) {
            *known = value;
            if value == UNKNOWN { self.some.remove(reg) } else { self.some.insert(reg) }
        }
    }
}

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
    /// By slot: the number of its set of values, counted from one; zero where nothing is known. Neighbours share theirs.
    sets: Vec<u32>,
    /// By set: where its values end. They begin where those of the set before end.
    ends: Vec<u32>,
    values: Vec<(Reg, ConstValue)>,
}

impl Constants {
    /// What `reg` holds before `at`, if that is known.
    pub(crate) fn get(&self, at: InsnIdx, reg: Reg) -> Option<ConstValue> {
        self.before(at).iter().find(|(known, _)| *known == reg).map(|&(_, value)| value)
    }

    /// All that is known before `at`.
    pub(crate) fn before(&self, at: InsnIdx) -> &[(Reg, ConstValue)] {
        let set = self.sets.get(at.index()).and_then(|&set| (set as usize).checked_sub(1));
        let Some(set) = set else { return &[] };
        let from = set.checked_sub(1).and_then(|set| self.ends.get(set)).copied().unwrap_or(0);
        let to = self.ends.get(set).copied().unwrap_or(0);
        self.values.get(from as usize..to as usize).unwrap_or_default()
    }

    /// The number of the set with what these registers hold.
    fn add(&mut self, registers: &Registers) -> u32 {
        let before = self.values.len();
        for reg in registers.some.iter() {
            let known = registers.get(reg);
            let value = match known.kind {
                Kind::Number => u32::try_from(known.number).ok().map(ConstValue::Number),
                Kind::Map => Some(ConstValue::Map(known.map)),
                Kind::Subprog => u32::try_from(known.number).ok().map(|id| ConstValue::Subprog(SubprogId(id))),
                Kind::Unknown | Kind::MapValue => None,
            };
            self.values.extend(value.map(|value| (reg, value)));
        }
        if self.values.len() == before {
            return 0;
        }
        self.ends.push(u32::try_from(self.values.len()).unwrap_or(u32::MAX));
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }
}

/// Finds what is known before each slot, forwards to a fixed point (`bpf_compute_const_regs`, Linux 7.3). Nothing is known where a
/// function begins, and branches teach nothing.
pub(crate) fn fold(flow: &Flow, blocks: &Blocks, request: &LoadRequest, platform: &dyn Platform) -> Constants {
    let analysis = Folding { flow, maps: Maps { request, platform } };
    let nothing = Rc::new(Registers { known: [UNKNOWN; 11], some: RegSet::EMPTY });
    let mut constants = Constants { sets: vec![0; flow.len()], ..Constants::default() };
    for subprog in (0..flow.subprogs.len()).map(SubprogId::of) {
        let solution = solve(&analysis, flow, blocks, subprog, Rc::clone(&nothing));
        for id in blocks.of_subprog(subprog).map(BlockId::of) {
            let Some(block) = blocks.get(id) else { continue };
            let mut set = 0;
            solution.tell(&analysis, flow, (id, block), |run, registers| {
                if run.changed {
                    set = constants.add(registers);
                }
                constants.sets.get_mut(run.start.index()..run.end.index()).unwrap_or_default().fill(set);
            });
        }
    }
    constants
}

/// The analysis.
struct Folding<'a> {
    flow: &'a Flow,
    maps: Maps<'a>,
}

impl Forward for Folding<'_> {
    type State = Registers;

    fn concern(state: &Registers) -> Involved {
        Involved::regs(state.some).with(Involved::MAKES_KNOWN)
    }

    fn pass(&self, at: InsnIdx, insn: &Insn, state: &mut Rc<Registers>) -> bool {
        match transfer(state, insn, at, self.flow, &self.maps) {
            Change::One(reg, value) if state.get(reg) != value => {
                Rc::make_mut(state).set(reg, value);
                true
            }
            Change::CallerSaved if !state.some.intersection(RegSet::CALLER_SAVED).is_empty() => {
                let state = Rc::make_mut(state);
                RegSet::CALLER_SAVED.iter().for_each(|reg| state.set(reg, UNKNOWN));
                true
            }
            Change::Nothing | Change::One(..) | Change::CallerSaved => false,
        }
    }

    fn join(known: &mut Rc<Registers>, from: &Rc<Registers>) -> bool {
        if Rc::ptr_eq(known, from) {
            return false;
        }
        let differs = |reg: &Reg| {
            let old = known.get(*reg);
            old.kind != Kind::Unknown && old != from.get(*reg)
        };
        let differing: RegSet = known.some.iter().filter(differs).collect();
        if differing.is_empty() {
            return false;
        }
        let known = Rc::make_mut(known);
        for reg in differing.iter() {
            known.set(reg, Known { kind: Kind::Unknown, ..known.get(reg) });
        }
        true
    }
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

/// What one instruction changes (`const_reg_xfer`, Linux 7.3).
fn transfer(registers: &Registers, insn: &Insn, at: InsnIdx, flow: &Flow, maps: &Maps<'_>) -> Change {
    let known = |reg: Reg| registers.get(reg);
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
pub(crate) fn decide_branches(program: &Program, blocks: &Blocks, constants: &Constants) -> Option<Program> {
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
    // Branches end blocks.
    let last = |block: &crate::Block| program.get(block.last).is_some_and(|insn| decided(block.last, insn).is_some());
    if !blocks.list().iter().any(last) {
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
