//! Arguments, first to last. (`check_kfunc_args`)

use alloc::boxed::Box;
use bpfvet_domain::Domain;

use bpfvet_insn::Reg;
use bpfvet_platform::{ArgKind, KfuncArg, KfuncArgKind, KfuncFlags, KfuncProto};

use super::slots;
use super::{not_modelled, object};
use crate::call::kinds::check_arg_offset;
use crate::call::slots::Slots;
use crate::call::{dynptr, map_args, memory};
use crate::cx::Cx;
use crate::failure::{Check, Stop};
use crate::state::Dynptr;
use crate::value::{Base, Flags, ObjectId, Region, TypeTag};
use crate::violation::{CallCause, KnownNumber, Place, ResourceCause};
use crate::{State, Value};

/// What checking the arguments found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    /// The known number.
    pub(super) constant: Option<u64>,
    /// Bytes that the result points to, and whether they may only be read.
    pub(super) returned: Option<(u32, bool)>,
    /// The referenced object among the arguments.
    pub(super) owned: Option<ObjectId>,
    /// More than one argument owns a reference.
    pub(super) many_owned: bool,
    /// The dynamic pointer that is passed, not made: the last of them.
    pub(super) dynptr: Option<Dynptr>,
    /// One of them lies over a packet that moves when it is written to.
    pub(super) movable: bool,
    /// Where the state of an iteration is that goes on or ends.
    pub(super) iteration: Option<Slots>,
}

/// Checks the arguments of a call.
pub(super) fn check<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, proto: &KfuncProto) -> Check<Found> {
    let mut found = Found::default();
    for (index, arg) in (0..).zip(&proto.args) {
        let Some(reg) = Reg::arg(index) else { return not_modelled(proto, "arguments on the stack") };
        if arg.kind != KfuncArgKind::Ignored {
            check_one(cx, state, proto, *arg, reg, &mut found)?;
        }
    }
    Ok(found)
}

/// Whether the argument is a pointer, by its type.
const fn is_pointer(kind: KfuncArgKind) -> bool {
    match kind {
        KfuncArgKind::Ignored
        | KfuncArgKind::Scalar
        | KfuncArgKind::Const
        | KfuncArgKind::ReturnSize { .. }
        | KfuncArgKind::MemSize
        | KfuncArgKind::ConstMemSize => false,
        KfuncArgKind::Ctx
        | KfuncArgKind::Struct { .. }
        | KfuncArgKind::Mem
        | KfuncArgKind::FixedMem { .. }
        | KfuncArgKind::Iterator { .. }
        | KfuncArgKind::Dynptr(_)
        | KfuncArgKind::ConstStr
        | KfuncArgKind::IrqFlag
        | KfuncArgKind::NotModelled(_) => true,
    }
}

fn check_one<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    proto: &KfuncProto,
    arg: KfuncArg,
    reg: Reg,
    found: &mut Found,
) -> Check<()> {
    let value = *state.reg(reg);
    let place = Place::Reg(reg);
    if let KfuncArgKind::NotModelled(what) = arg.kind {
        return not_modelled(proto, what);
    }
    let nullable = value.as_pointer().is_some_and(|pointer| pointer.nullable());
    if is_pointer(arg.kind) && !arg.nullable && (value.is_null() || nullable) {
        return Err(CallCause::NullToTrusted { place }.into());
    }
    let object = value.as_pointer().and_then(|pointer| pointer.object);
    let owns = state.is_referenced(object);
    let releases = proto.flags.contains(KfuncFlags::RELEASE) && reg == Reg::R1;
    let dynptr = matches!(arg.kind, KfuncArgKind::Dynptr(_));
    if releases && !owns && !value.is_null() && !dynptr {
        return Err(ResourceCause::NotReferencedByKfunc { kfunc: proto.name.clone(), place }.into());
    }
    if owns {
        found.many_owned |= found.owned.is_some();
        found.owned = object;
    }
    if value.is_null() && arg.nullable {
        cx.demand(state, reg);
        return Ok(());
    }
    let offset_as = if let KfuncArgKind::Dynptr(arg) = arg.kind {
        ArgKind::Dynptr(arg)
    } else if arg.kind == KfuncArgKind::Ctx {
        ArgKind::Ctx
    } else {
        ArgKind::Unused
    };
    check_arg_offset(cx, &value, place, offset_as, releases)?;
    match arg.kind {
        KfuncArgKind::Scalar => scalar(&value, place),
        KfuncArgKind::Const => {
            scalar(&value, place)?;
            constant(cx, state, &value, reg, KnownNumber::Plain, found)
        }
        KfuncArgKind::ReturnSize { read_only } => {
            scalar(&value, place)?;
            let Some(size) = value.as_scalar().and_then(|scalar| scalar.num.as_const()) else {
                return Err(CallCause::NotConstant { place, number: KnownNumber::Allocation }.into());
            };
            let Ok(size) = u32::try_from(size) else { return Err(CallCause::AllocationTooLarge { place }.into()) };
            cx.demand(state, reg);
            found.returned = Some((size, read_only));
            Ok(())
        }
        KfuncArgKind::Ctx => {
            if value.tag() == TypeTag::of(Base::Ctx) {
                Ok(())
            } else {
                Err(CallCause::KfuncCtx { place, actual: value.tag() }.into())
            }
        }
        KfuncArgKind::Struct { id, plain } => {
            if object::is_object(&value) {
                return object::check(cx, state, proto, &value, place, id);
            }
            match (plain, arg.pointee) {
                (true, Some(size)) => memory::check_fixed(cx, state, &value, Place::Reg(reg), size, false),
                (false, _) | (true, None) => {
                    let expected = Box::new(object::described(cx, id));
                    let or = object::stands_for(cx, id)?;
                    Err(CallCause::KfuncObject { place, actual: value.tag(), expected, or }.into())
                }
            }
        }
        KfuncArgKind::FixedMem { size } => memory::check_fixed(cx, state, &value, Place::Reg(reg), size, false),
        // The size that comes next says how much of it is looked at.
        KfuncArgKind::Mem => Ok(()),
        KfuncArgKind::ConstMemSize => {
            constant(cx, state, &value, reg, KnownNumber::MemorySize, found)?;
            sized_memory(cx, state, &value, reg)
        }
        KfuncArgKind::MemSize => sized_memory(cx, state, &value, reg),
        KfuncArgKind::ConstStr => match &value {
            Value::Pointer(pointer)
                if matches!(pointer.region, Region::MapValue { .. }) && pointer.flags == Flags::NONE =>
            {
                map_args::check_const_str(cx, &value, place)
            }
            Value::Pointer(_) | Value::Scalar(_) | Value::Uninit => Err(CallCause::NotConstString { place }.into()),
        },
        KfuncArgKind::Iterator { id, slots } => {
            slots::iteration(cx, state, proto, reg, (id, usize::from(slots)), found)
        }
        KfuncArgKind::Dynptr(arg) => {
            if arg.is_made() && found.many_owned {
                return not_modelled(proto, "a dynamic pointer that is made of one of several objects");
            }
            let ask = dynptr::Ask { place, arg, release: releases, before: found.dynptr, of: found.owned };
            let passed = dynptr::check(cx, state, &value, ask)?;
            found.movable |= passed.is_some_and(|dynptr| dynptr.kind.moves_when_written());
            found.dynptr = passed.or(found.dynptr);
            Ok(())
        }
        KfuncArgKind::IrqFlag => slots::irq_flag(cx, state, proto, reg),
        KfuncArgKind::Ignored | KfuncArgKind::NotModelled(_) => Err(Stop::Internal(&"an argument without a kind")),
    }
}

fn scalar<D: Domain>(value: &Value<D>, place: Place) -> Check<()> {
    if value.is_scalar() { Ok(()) } else { Err(CallCause::NotScalar { place }.into()) }
}

/// A known number. (`process_const_arg`)
fn constant<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &State<D>,
    value: &Value<D>,
    reg: Reg,
    number: KnownNumber,
    found: &mut Found,
) -> Check<()> {
    let place = Place::Reg(reg);
    let Some(constant) = value.as_scalar().and_then(|scalar| scalar.num.as_const()) else {
        return Err(CallCause::NotConstant { place, number }.into());
    };
    cx.demand(state, reg);
    found.constant = Some(constant);
    Ok(())
}

/// The memory that the argument before points to, of the size in this one. (`check_mem_size_reg`)
fn sized_memory<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, size: &Value<D>, reg: Reg) -> Check<()> {
    let place = Place::Reg(reg);
    let Value::Scalar(size) = size else { return Err(CallCause::NotScalar { place }.into()) };
    let before = reg.number().checked_sub(2).and_then(Reg::arg);
    let before = before.ok_or(Stop::Internal(&"a size without memory before it"))?;
    let buffer = *state.reg(before);
    if buffer.is_null() {
        return Ok(());
    }
    let of_pair = |stop| match stop {
        Stop::Cause(inner) => CallCause::MemoryPair { memory: Place::Reg(before), size: place, inner }.into(),
        Stop::Unsupported(_) | Stop::Internal(_) => stop,
    };
    let bytes = memory::check_size(&size.num, place, true).map_err(of_pair)?;
    memory::check_both_ways(cx, state, &buffer, Place::Reg(before), bytes, false).map_err(of_pair)?;
    cx.demand(state, reg);
    Ok(())
}
