//! 64-bit immediates: numbers, maps, addresses in maps, functions.

use bpfvet_domain::Domain;
use bpfvet_insn::{ImmSource, Insn, Reg};
use bpfvet_platform::MapKind;

use super::writable;
use crate::call;
use crate::cx::Cx;
use crate::failure::{Check, Stop, unsupported};
use crate::value::{MapRef, Pointer, Region};
use crate::{State, Value};

/// `dst = imm64`. (`check_ld_imm`)
pub(super) fn load_imm64<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    dst: Reg,
    imm: ImmSource,
) -> Check<()> {
    writable(cx, dst)?;
    let value = match imm {
        ImmSource::Value(value) => cx.scalar(D::constant(value)),
        ImmSource::MapFd(index) | ImmSource::MapIdx(index) => {
            Value::Pointer(Pointer::to(Region::Map { map: map(cx, index)?, uid: 0 }))
        }
        ImmSource::MapValue { fd: index, off } | ImmSource::MapIdxValue { index, off } => {
            let map = map(cx, index)?;
            if cx.facts.map(map).is_some_and(|def| def.kind == MapKind::ARENA) {
                return unsupported("addresses in arena maps");
            }
            let mut pointer = Pointer::to(Region::MapValue { map, uid: 0 });
            pointer.off = D::constant(u64::from(off));
            Value::Pointer(pointer)
        }
        ImmSource::Func(off) => {
            let target = Insn::LoadImm64 { dst, imm: ImmSource::Func(off) }
                .target(cx.at)
                .ok_or(Stop::Internal(&"a function's address before the program's start"))?;
            call::function_address(cx, state, target)?
        }
        ImmSource::BtfId { .. } => return unsupported("addresses of kernel variables (typed ksyms)"),
    };
    state.set(dst, value);
    Ok(())
}

fn map<D: Domain>(cx: &Cx<'_, '_, D>, index: i32) -> Check<MapRef> {
    let found =
        u16::try_from(index).ok().map(|index| MapRef { index, inner: 0 }).filter(|map| cx.facts.map(*map).is_some());
    found.ok_or(Stop::Internal(&"an immediate names a map that the program does not have"))
}
