//! Loads and stores.

use bpfvet_domain::Domain;
use bpfvet_insn::{Operand, Reg, Size};

use super::{is_settled, read, settle, stack_args, writable};
use crate::State;
use crate::cx::Cx;
use crate::failure::Check;
use crate::region::{self, Stored, Target};
use crate::value::{Base, Flags, TypeTag};
use crate::violation::MemoryCause;

/// `dst = *(size *)(base + off)`. (`check_load_mem`)
pub(super) fn load<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    dst: Reg,
    base: Reg,
    off: i16,
    size: Size,
    signed: bool,
) -> Check<()> {
    if base == Reg::ARGS {
        writable(cx, dst)?;
        return stack_args::load(cx, state, dst, off);
    }
    load_from(cx, state, Target { base, off, size, strict: false }, dst, signed, true)
}

/// A load through a register that holds a pointer.
pub(super) fn load_from<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    to: Target,
    dst: Reg,
    signed: bool,
    trust_may_differ: bool,
) -> Check<()> {
    read(cx, state, to.base)?;
    writable(cx, dst)?;
    let tag = state.reg(to.base).tag();
    region::load(cx, state, to, Some(dst), signed)?;
    same_kind(cx, tag, trust_may_differ)?;
    if !is_settled(state.reg(dst)) {
        let mut loaded = *state.reg(dst);
        settle(cx, &mut loaded, "ldx")?;
        state.set(dst, loaded);
    }
    Ok(())
}

/// `*(size *)(base + off) = src`. (`check_store_reg`, and immediates in `do_check_insn`)
pub(super) fn store<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    base: Reg,
    off: i16,
    size: Size,
    src: Operand,
) -> Check<()> {
    if base == Reg::ARGS {
        if let Operand::Reg(src) = src {
            read(cx, state, src)?;
        }
        return stack_args::store(cx, state, off, src);
    }
    store_to(cx, state, Target { base, off, size, strict: false }, src)
}

/// A store through a register that holds a pointer. The value is looked at before the pointer.
pub(super) fn store_to<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, to: Target, src: Operand) -> Check<()> {
    let what = match src {
        Operand::Reg(src) => {
            read(cx, state, src)?;
            Stored::Reg(src)
        }
        Operand::Imm(imm) => Stored::Imm(imm),
    };
    read(cx, state, to.base)?;
    let tag = state.reg(to.base).tag();
    region::store(cx, state, to, what)?;
    same_kind(cx, tag, false)
}

/// Whether this instruction has met only pointers that can share one translation. (`save_aux_ptr_type`)
///
/// Hosts translate accesses to contexts, sockets and typed objects by kind, so one instruction can serve only one of them.
pub(super) fn same_kind<D: Domain>(cx: &mut Cx<'_, '_, D>, tag: TypeTag, trust_may_differ: bool) -> Check<()> {
    let Some(known) = cx.memo.pointers.get_mut(cx.at.index()) else { return Ok(()) };
    let Some(before) = *known else {
        *known = Some(tag);
        return Ok(());
    };
    if tag == before || (may_share(tag) && may_share(before)) {
        return Ok(());
    }
    if trust_may_differ && mem_or_typed(tag) && mem_or_typed(before) {
        *known = Some(merged(tag, before));
        return Ok(());
    }
    Err(MemoryCause::DifferentPointers.into())
}

/// Whether loads through this kind need no translation of their own.
fn may_share(tag: TypeTag) -> bool {
    match tag.base {
        Base::Ctx | Base::Socket | Base::SockCommon | Base::TcpSock | Base::XdpSock | Base::Btf | Base::Arena => false,
        Base::Mem => !may_fault(tag),
        Base::Uninit
        | Base::Scalar
        | Base::Map
        | Base::MapValue
        | Base::MapKey
        | Base::Stack
        | Base::PacketMeta
        | Base::Packet
        | Base::PacketEnd
        | Base::FlowKeys
        | Base::TpBuffer
        | Base::Buf
        | Base::Func
        | Base::Insn
        | Base::Dynptr => true,
    }
}

/// Whether dereferencing it may fault, so that the host guards the access. (`bpf_may_fault_on_deref`)
fn may_fault(tag: TypeTag) -> bool {
    tag == TypeTag::of(Base::Btf) || tag.flags.contains(Flags::UNTRUSTED)
}

fn mem_or_typed(tag: TypeTag) -> bool {
    matches!(tag.base, Base::Mem | Base::Btf)
}

/// The weaker of two kinds. (`merge_ptr_types`)
fn merged(a: TypeTag, b: TypeTag) -> TypeTag {
    let to_mem = a.base == Base::Mem || b.base == Base::Mem;
    let base = if to_mem { Base::Mem } else { Base::Btf };
    let flags = if may_fault(a) || may_fault(b) {
        if to_mem { Flags::RDONLY.union(Flags::UNTRUSTED) } else { Flags::UNTRUSTED }
    } else if a.flags.union(b.flags).contains(Flags::RDONLY) {
        Flags::RDONLY
    } else {
        Flags::NONE
    };
    TypeTag { base, flags }
}
