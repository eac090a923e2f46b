//! What instructions do to stacks, given what their operands point to.

use bpfvet_insn::{Call, Insn, InsnIdx, Reg};
use bpfvet_platform::{ArgKind, DynptrArg, MapDef, MemDir, MemSize};

use super::instance::Instance;
use super::slots::StackSlots;
use super::track::Track;
use super::transfer::{STACK_ARGS, State};
use crate::ConstValue;
use crate::callee::{Callee, Helper, Kfunc, KfuncTouch};
use crate::constants::Constants;

/// Bytes of a dynamic pointer on the stack.
const DYNPTR_SIZE: u64 = 16;
/// Bytes of a frame's stack, the most that a callee reads through one pointer into it.
const STACK_SIZE: u64 = 512;

/// How many bytes are touched, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Touch {
    /// None.
    Nothing,
    /// This many are read.
    Read(u64),
    /// This many are written.
    Write(u64),
    /// All up to the frame pointer may be read.
    ReadUnknown,
}

/// What a call's accesses depend on.
pub(super) struct Facts<'a> {
    pub(super) constants: &'a Constants,
    /// By index into the request's list.
    pub(super) maps: &'a [MapDef],
    /// The greatest key and value of the maps that the program refers to.
    pub(super) largest: Largest,
}

/// The greatest sizes among some maps.
#[derive(Clone, Copy, Default)]
pub(super) struct Largest {
    key: u32,
    value: u32,
}

impl Largest {
    /// These, and those of a map and of the maps in it.
    pub(super) fn with(self, map: &MapDef) -> Self {
        let inner = map.inner.as_deref();
        Self {
            key: self.key.max(map.key_size).max(inner.map_or(0, |inner| inner.key_size)),
            value: self.value.max(map.value_size).max(inner.map_or(0, |inner| inner.value_size)),
        }
    }
}

/// Notes what a load or a store does (`record_load_store_access`, Linux 7.3).
pub(super) fn record_memory(instance: &mut Instance, insn: &Insn, at: InsnIdx, state: &State) {
    let (base, off, touch) = match *insn {
        Insn::Load { base, off, size, .. }
        | Insn::LoadAcquire { base, off, size, .. }
        | Insn::Atomic { base, off, size, .. } => (base, off, Touch::Read(u64::from(size.bytes()))),
        Insn::Store { base, off, size, .. } | Insn::StoreRelease { base, off, size, .. } => {
            (base, off, Touch::Write(u64::from(size.bytes())))
        }
        Insn::Alu { .. }
        | Insn::Neg { .. }
        | Insn::Mov { .. }
        | Insn::MovSx { .. }
        | Insn::AddrSpaceCast { .. }
        | Insn::Endian { .. }
        | Insn::LoadImm64 { .. }
        | Insn::LoadPacket { .. }
        | Insn::Jump { .. }
        | Insn::JumpIndirect { .. }
        | Insn::Branch { .. }
        | Insn::MayGoto { .. }
        | Insn::Call(_)
        | Insn::Exit => return,
    };
    if base != Reg::ARGS {
        record(instance, at, state.get(base).shifted(i64::from(off)), touch);
    }
}

/// Notes what a call of a helper or kernel function does (`record_call_access`, Linux 7.3).
pub(super) fn record_call(
    instance: &mut Instance,
    call: Call,
    callee: &Callee,
    at: InsnIdx,
    state: &State,
    facts: &Facts<'_>,
) {
    if let Call::Subprog(_) = call {
        return;
    }
    for number in 0..callee.arg_count().unwrap_or(5) {
        let track = Reg::arg(number).map(|reg| state.get(reg)).unwrap_or_default();
        if !track.is_pointer() {
            continue;
        }
        let touch = match callee {
            Callee::Helper(helper) => facts.touch(helper, number, at),
            Callee::Kfunc(kfunc) => facts.kfunc_touch(kfunc, number, at),
            Callee::UnknownHelper | Callee::Subprog | Callee::UnknownKfunc => Touch::ReadUnknown,
        };
        record(instance, at, track, touch);
    }
    if let Callee::UnknownKfunc = callee {
        for number in 0..STACK_ARGS {
            record(instance, at, state.memory.argument(number), Touch::ReadUnknown);
        }
    }
}

/// Notes that everything in these frames may be read.
pub(super) fn record_all(instance: &mut Instance, at: InsnIdx, frames: u32) {
    for frame in (0..32_u8).filter(|frame| frames & 1 << frame != 0) {
        instance.reads(frame, at, StackSlots::ALL);
    }
}

fn record(instance: &mut Instance, at: InsnIdx, track: Track, touch: Touch) {
    if touch == Touch::Nothing {
        return;
    }
    match track {
        Track::None => {}
        Track::Mixed { frames } => record_all(instance, at, frames),
        Track::Frame { frame, offs: None } => match touch {
            Touch::Read(_) | Touch::ReadUnknown => instance.reads(frame, at, StackSlots::ALL),
            // It writes something, but nothing for certain.
            Touch::Write(_) | Touch::Nothing => {}
        },
        Track::Frame { frame, offs: Some(offs) } => {
            let offs = offs.as_slice();
            for &off in offs {
                match touch {
                    Touch::Write(bytes) if offs.len() == 1 => instance.writes(frame, at, covered(off, bytes)),
                    Touch::Read(bytes) => instance.reads(frame, at, touched(off, bytes)),
                    Touch::ReadUnknown => instance.reads(frame, at, touched(off, u64::MAX)),
                    Touch::Write(_) | Touch::Nothing => {}
                }
            }
        }
    }
}

/// Half slots that `bytes` bytes from `off` on touch, below the frame pointer.
fn touched(off: i16, bytes: u64) -> StackSlots {
    let Some(depth) = depth_of(off) else { return StackSlots::EMPTY };
    let top = u64::from(depth).saturating_sub(bytes) / 4;
    StackSlots::range(u32::try_from(top).unwrap_or(u32::MAX), (depth - 1) / 4)
}

/// Half slots that `bytes` bytes from `off` on cover whole.
fn covered(off: i16, bytes: u64) -> StackSlots {
    let Some(depth) = depth_of(off) else { return StackSlots::EMPTY };
    let top = u64::from(depth).saturating_sub(bytes).div_ceil(4);
    match (depth / 4).checked_sub(1) {
        Some(last) => StackSlots::range(u32::try_from(top).unwrap_or(u32::MAX), last),
        None => StackSlots::EMPTY,
    }
}

/// Bytes below the frame pointer; [`None`] at it and above, where there is no stack.
fn depth_of(off: i16) -> Option<u32> {
    (off < 0).then_some(u32::from(off.unsigned_abs()))
}

impl Facts<'_> {
    /// What a helper does to memory that one of its arguments points to (`bpf_helper_stack_access_bytes`, Linux 7.3).
    fn touch(&self, helper: &Helper, number: u8, at: InsnIdx) -> Touch {
        let Some(arg) = helper.args.get(usize::from(number)) else { return Touch::ReadUnknown };
        match arg.kind {
            ArgKind::MapKey => directed(self.map_size(helper, number, at, true), MemDir::Read),
            ArgKind::MapValue { dir } => directed(self.map_size(helper, number, at, false), dir),
            ArgKind::Mem { dir, size: MemSize::Fixed { bytes, .. } } => directed(Some(u64::from(bytes)), dir),
            ArgKind::Mem { dir, size: MemSize::NextArg } => {
                let next = helper.args.get(usize::from(number) + 1).map(|next| next.kind);
                if !next.is_some_and(ArgKind::is_mem_size) {
                    return Touch::ReadUnknown;
                }
                match self.constant(at, number + 1) {
                    Some(ConstValue::Number(bytes)) => directed(Some(u64::from(bytes)), dir),
                    Some(ConstValue::Map(_) | ConstValue::Subprog(_)) | None if dir == MemDir::WriteUninit => {
                        Touch::Nothing
                    }
                    Some(ConstValue::Map(_) | ConstValue::Subprog(_)) | None => Touch::Read(STACK_SIZE),
                }
            }
            ArgKind::Dynptr(DynptrArg::New(_) | DynptrArg::NewClone) => Touch::Write(DYNPTR_SIZE),
            ArgKind::Dynptr(DynptrArg::Any | DynptrArg::Of(_)) => Touch::Read(DYNPTR_SIZE),
            // The callback reads it, and is looked at on its own.
            ArgKind::Stack => Touch::Nothing,
            ArgKind::Unused
            | ArgKind::Anything
            | ArgKind::Scalar
            | ArgKind::ScalarIn { .. }
            | ArgKind::ConstMap
            | ArgKind::MemSize
            | ArgKind::MemSizeOrZero
            | ArgKind::MemSizeOrZeroWith(_)
            | ArgKind::AllocSizeOrZero
            | ArgKind::Ctx
            | ArgKind::SpinLock
            | ArgKind::Timer
            | ArgKind::SockCommon
            | ArgKind::Socket
            | ArgKind::BtfSockCommon
            | ArgKind::Struct(_)
            | ArgKind::PercpuStruct
            | ArgKind::RingbufMem
            | ArgKind::Func
            | ArgKind::ConstStr
            | ArgKind::KptrXchgDest
            | ArgKind::Arena => Touch::ReadUnknown,
        }
    }

    /// What a kernel function does to memory that one of its arguments points to (`bpf_kfunc_stack_access_bytes`, Linux 7.3).
    fn kfunc_touch(&self, kfunc: &Kfunc, number: u8, at: InsnIdx) -> Touch {
        let sized = |bytes: u64, writes| directed(Some(bytes), if writes { MemDir::WriteUninit } else { MemDir::Any });
        match kfunc.touches.get(usize::from(number)) {
            None | Some(KfuncTouch::Nothing) => Touch::Nothing,
            Some(KfuncTouch::Unknown) => Touch::ReadUnknown,
            Some(&KfuncTouch::Bytes { bytes, writes }) => sized(u64::from(bytes), writes),
            Some(&KfuncTouch::NextArg { writes }) => match self.constant(at, number + 1) {
                Some(ConstValue::Number(bytes)) => sized(u64::from(bytes), writes),
                Some(ConstValue::Map(_) | ConstValue::Subprog(_)) | None => Touch::Read(STACK_SIZE),
            },
        }
    }

    fn constant(&self, at: InsnIdx, number: u8) -> Option<ConstValue> {
        self.constants.get(at, Reg::arg(number)?)
    }

    /// Bytes of a key or value of the map that the call is given, or of the largest there is where that map is not known.
    fn map_size(&self, helper: &Helper, number: u8, at: InsnIdx, key: bool) -> Option<u64> {
        let before = helper.args.iter().take(usize::from(number));
        let map_arg = (0..).zip(before).find(|(_, arg)| arg.kind == ArgKind::ConstMap).map(|(number, _)| number);
        let known = match map_arg.and_then(|number| self.constant(at, number)) {
            Some(ConstValue::Map(map)) => self.maps.get(map as usize),
            Some(ConstValue::Number(_) | ConstValue::Subprog(_)) | None => None,
        };
        match known {
            Some(map) => Some(u64::from(if key { map.key_size } else { map.value_size })),
            None => {
                let size = if key { self.largest.key } else { self.largest.value };
                (size != 0).then_some(u64::from(size))
            }
        }
    }
}

fn directed(bytes: Option<u64>, dir: MemDir) -> Touch {
    match (bytes, dir) {
        (None, _) => Touch::ReadUnknown,
        (Some(0), _) => Touch::Nothing,
        (Some(bytes), MemDir::WriteUninit) => Touch::Write(bytes),
        (Some(bytes), MemDir::Read | MemDir::Write | MemDir::Any) => Touch::Read(bytes),
    }
}
