//! The states in which verification begins.

use bpfvet_domain::Domain;
use bpfvet_insn::{InsnIdx, Reg};
use bpfvet_platform::{DynptrKind, ProgramType};

use super::prototype::has_exception_callback;
use crate::facts::{ArgShape, Facts};
use crate::failure::{Failure, Unsupported};
use crate::memo::Memo;
use crate::state::{Frame, IdGen};
use crate::value::{BtfRef, Flags, ObjectId, Pointer, Region};
use crate::violation::{CallCause, Cause, PrototypeReason, Violation};
use crate::{ScalarValue, State, Value};

/// The state in which the program begins: `r1` is the context. (`do_check_common`, entry function)
///
/// Where the entry function's type says something else, that is remembered, and no more is made of it.
///
/// # Errors
///
/// [`Failure::Unsupported`] for kinds of programs whose entry is not modelled.
pub fn entry_state<D: Domain>(facts: &Facts<'_>, memo: &mut Memo, ids: &mut IdGen) -> Result<State<D>, Failure> {
    let _ = ids;
    let what = match facts.kind.kind {
        ProgramType::EXT => Some("programs that replace a function of another program"),
        ProgramType::STRUCT_OPS => Some("structure operations: their arguments can carry references"),
        _ if has_exception_callback(facts.request) => Some("exception callbacks"),
        _ => None,
    };
    if let Some(what) = what {
        return Err(Failure::Unsupported(Unsupported { at: InsnIdx(0), what: what.into() }));
    }
    let typed = !facts.request.funcs.is_empty();
    let ctx_only = facts.subprog(0).is_some_and(|main| matches!(main.args.as_deref(), Ok([ArgShape::Ctx])));
    if let Some(unreliable) = memo.unreliable.first_mut()
        && typed
        && !ctx_only
    {
        *unreliable = true;
    }
    let mut frame = Frame::new(0, 0, None);
    frame.set(Reg::R1, Value::Pointer(Pointer::to(Region::Ctx)));
    Ok(State::new(frame, facts.request.flags.sleepable || facts.kind.always_sleeps))
}

/// The state in which a function begins that is verified on its own: its arguments are whatever its prototype allows.
/// (`do_check_common`, other functions)
///
/// # Errors
///
/// [`Failure::Violation`] where its prototype cannot be verified, [`Failure::Unsupported`] where it needs what is not modelled.
pub fn global_entry_state<D: Domain>(
    facts: &Facts<'_>,
    memo: &mut Memo,
    ids: &mut IdGen,
    subprog: u32,
    sleepable: bool,
) -> Result<State<D>, Failure> {
    let _ = memo;
    let Some(function) = facts.subprog(subprog) else {
        return Err(Failure::Internal { at: InsnIdx(0), what: "a function that the program does not have" });
    };
    let at = function.start;
    let unsupported = |what: &'static str| Failure::Unsupported(Unsupported { at, what: what.into() });
    let shapes = match &function.args {
        Ok(shapes) => shapes,
        Err(PrototypeReason::NotModelled { what }) => return Err(unsupported(what)),
        Err(reason) => {
            let name = function.name.clone().unwrap_or_default();
            let cause = Cause::Call(CallCause::Prototype { name, reason: reason.clone() });
            return Err(Failure::Violation(Violation { at, frame: 0, cause: alloc::boxed::Box::new(cause) }));
        }
    };
    let mut frame = Frame::new(0, subprog, None);
    for (reg, shape) in (0..).map_while(Reg::arg).zip(shapes) {
        let value = argument(facts, ids, *shape).map_err(unsupported)?;
        frame.set(reg, value);
    }
    Ok(State::new(frame, sleepable))
}

/// Any value that a parameter of this shape can have; or what is not modelled of it.
fn argument<D: Domain>(facts: &Facts<'_>, ids: &mut IdGen, shape: ArgShape) -> Result<Value<D>, &'static str> {
    let untrusted = Flags::RDONLY.union(Flags::UNTRUSTED);
    let pointer = match shape {
        ArgShape::Scalar | ArgShape::Arena => {
            let num = D::unknown();
            return Ok(Value::Scalar(ScalarValue { num, link: None, precise: facts.scalars_precise() }));
        }
        ArgShape::Ctx => Pointer::to(Region::Ctx),
        ArgShape::Mem { size, nullable: false } => Pointer::to(Region::Mem { size }),
        ArgShape::Mem { size, nullable: true } => {
            Pointer { object: Some(ObjectId(ids.next())), ..Pointer::to(Region::Mem { size }).with(Flags::NULLABLE) }
        }
        ArgShape::UntrustedMem => Pointer::to(Region::Mem { size: 0 }).with(untrusted),
        ArgShape::Struct { id, nullable, trusted } => {
            let flags = if trusted { Flags::TRUSTED } else { Flags::UNTRUSTED };
            let flags = if nullable { flags.union(Flags::NULLABLE) } else { flags };
            let object = Some(ObjectId(ids.next()));
            Pointer { object, ..Pointer::to(Region::Btf { btf: BtfRef::Host, id }).with(flags) }
        }
        // Whatever it lies over, it is taken for one over memory of the program's own.
        ArgShape::Dynptr => {
            let object = Some(ObjectId(ids.next()));
            Pointer { object, ..Pointer::to(Region::Dynptr { kind: DynptrKind::Local }) }
        }
    };
    Ok(Value::Pointer(pointer))
}
