//! Atomic operations.

use bpfvet_domain::Domain;
use bpfvet_insn::{AtomicOp, Operand, Reg, Size};

use super::memory::{load_from, same_kind, store_to};
use super::{read, writable};
use crate::cx::Cx;
use crate::failure::Check;
use crate::fault::{self, Fault};
use crate::region::{self, Stored, Target};
use crate::value::{Flags, Region};
use crate::violation::{LeakTo, MemoryCause, Place, PolicyCause};
use crate::{State, Value};

/// Read, modify, write. (`check_atomic_rmw`)
pub(super) fn modify<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    op: AtomicOp,
    size: Size,
    base: Reg,
    off: i16,
    src: Reg,
) -> Check<()> {
    read(cx, state, src)?;
    read(cx, state, base)?;
    if op == AtomicOp::CmpXchg {
        read(cx, state, Reg::R0)?;
        check_leak(cx, state, Reg::R0)?;
    }
    check_leak(cx, state, src)?;
    check_kind(state, base, false, false)?;
    let fetched = op.fetched_into(src);
    let fetched = fetched.filter(|_| !fault::on(Fault::AtomicFetchForgotten));
    if let Some(reg) = fetched {
        writable(cx, reg)?;
        let unknown = cx.unknown();
        state.set(reg, unknown);
    }
    let to = Target { base, off, size, strict: true };
    region::load(cx, state, to, None, false)?;
    if let Some(reg) = fetched {
        region::load(cx, state, to, Some(reg), false)?;
    }
    same_kind(cx, state.reg(base).tag(), false)?;
    region::store(cx, state, to, Stored::Untracked)
}

/// `dst = load_acquire(base + off)`. (`check_atomic_load`)
pub(super) fn load_acquire<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    dst: Reg,
    base: Reg,
    off: i16,
    size: Size,
) -> Check<()> {
    read(cx, state, base)?;
    check_kind(state, base, true, true)?;
    load_from(cx, state, Target { base, off, size, strict: true }, dst, false, false)
}

/// `store_release(base + off, src)`. (`check_atomic_store`)
pub(super) fn store_release<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    base: Reg,
    off: i16,
    size: Size,
    src: Reg,
) -> Check<()> {
    store_to(cx, state, Target { base, off, size, strict: true }, Operand::Reg(src))?;
    check_kind(state, base, false, false)
}

fn check_leak<D: Domain>(cx: &Cx<'_, '_, D>, state: &State<D>, reg: Reg) -> Check<()> {
    if cx.leaks(state.reg(reg)) { Err(PolicyCause::PointerLeak { reg, to: LeakTo::Mem }.into()) } else { Ok(()) }
}

/// Whether memory of this kind supports atomic operations. (`atomic_ptr_type_ok`)
fn check_kind<D: Domain>(state: &State<D>, base: Reg, loads: bool, guarded_refused: bool) -> Check<()> {
    let Value::Pointer(pointer) = state.reg(base) else { return Ok(()) };
    let supported = match pointer.region {
        Region::Ctx | Region::Packet { .. } | Region::PacketMeta { .. } | Region::FlowKeys => false,
        // One that may be null is refused for that, later.
        Region::Socket { .. } => pointer.nullable(),
        Region::Btf { .. } => {
            !(guarded_refused && (pointer.flags == Flags::NONE || pointer.flags.contains(Flags::UNTRUSTED)))
        }
        Region::Stack { .. }
        | Region::Map { .. }
        | Region::MapValue { .. }
        | Region::MapKey { .. }
        | Region::PacketEnd
        | Region::TpBuffer
        | Region::Mem { .. }
        | Region::Buf
        | Region::Func { .. }
        | Region::Arena
        | Region::Insn { .. }
        | Region::Dynptr { .. } => !(guarded_refused && pointer.flags.contains(Flags::UNTRUSTED)),
    };
    if supported {
        Ok(())
    } else {
        Err(MemoryCause::AtomicOnKind { place: Place::Reg(base), tag: pointer.tag(), loads }.into())
    }
}
