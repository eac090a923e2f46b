//! Where a function ends: what it returns, to whom.

use bpfvet_domain::Domain;
use bpfvet_insn::Reg;
use bpfvet_platform::{ProgramType, ReturnRule};

use super::leak::{self, Extent};
use crate::State;
use crate::Value;
use crate::cx::Cx;
use crate::effects::Event;
use crate::failure::{Check, Stop, unsupported};
use crate::fault::{self, Fault};
use crate::region::check_offset;
use crate::state::FrameKind;
use crate::transfer::{Next, read};
use crate::value::{Base, BtfRef, ObjectId, Region, TypeTag};
use crate::violation::{LeakSite, LeakTo, Place, PolicyCause, ReturnSite};

/// Numbers that may be returned, both ends included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) min: i32,
    pub(super) max: i32,
    /// Only the low half is looked at, as signed.
    pub(super) low_half: bool,
}

/// Every number lies within the bounds. (`retval_range_within`)
pub(super) fn check_range<D: Domain>(num: &D, bounds: Bounds, reg: Reg, site: ReturnSite) -> Check<()> {
    let Bounds { min, max, low_half } = bounds;
    let (low, high) =
        if low_half { (i64::from(num.s32_min()), i64::from(num.s32_max())) } else { (num.smin(), num.smax()) };
    if i64::from(min) <= low && high <= i64::from(max) {
        return Ok(());
    }
    let smin = Some(num.smin()).filter(|smin| *smin != i64::MIN);
    let smax = Some(num.smax()).filter(|smax| *smax != i64::MAX);
    Err(PolicyCause::ReturnValue { site, reg, smin, smax, min, max }.into())
}

/// Leaves the function, and the program if it is the first. (`process_bpf_exit_full`)
pub(crate) fn exit<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>) -> Check<Next> {
    let outermost = state.depth() == 0;
    // What a structure operation returns, it gives back.
    let returned = (cx.facts.kind.kind == ProgramType::STRUCT_OPS).then(|| object(state.reg(Reg::R0))).flatten();
    // Where functions may not be called under a lock, none may leave with one.
    let regions = outermost || (!cx.facts.features.subprograms_under_lock() && state.top().kind == FrameKind::Plain);
    leak::check_but(state, LeakSite::Exit, Extent { whole_stack: false, regions }, returned)?;
    if !outermost {
        return leave_function(cx, state);
    }
    let frame = state.top();
    match frame.kind {
        FrameKind::Plain if frame.subprog != 0 => check_global_result(cx, state)?,
        FrameKind::Plain => check_program_result(cx, state, Reg::R0)?,
        FrameKind::AsyncCallback(range) => {
            let bounds = Bounds { min: range.min, max: range.max, low_half: false };
            check_readable_result(cx, state, Reg::R0)?;
            check_bounded_result(cx, state, Reg::R0, bounds, ReturnSite::AsyncCallback)?;
        }
        FrameKind::Callback(_) => return Err(Stop::Internal(&"a callback without the call that runs it")),
    }
    Ok(Next::End)
}

/// Returns to the caller. (`prepare_func_exit`)
pub(super) fn leave_function<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>) -> Check<Next> {
    let result = *state.reg(Reg::R0);
    if result.tag() == TypeTag::of(Base::Stack) {
        return Err(PolicyCause::ReturnsStackPointer.into());
    }
    let kind = state.top().kind;
    if let FrameKind::Callback(range) = kind {
        let Value::Scalar(scalar) = result else { return Err(PolicyCause::CallbackReturnKind.into()) };
        cx.demand(state, Reg::R0);
        let bounds = Bounds { min: range.min, max: range.max, low_half: false };
        if !fault::on(Fault::CallbackResultUnchecked) {
            check_range(&scalar.num, bounds, Reg::R0, ReturnSite::Callback)?;
        }
    }
    let index = state.depth();
    let callee = state.pop().ok_or(Stop::Internal(&"the entry function has no caller"))?;
    let callsite = callee.callsite.ok_or(Stop::Internal(&"a function without the call that entered it"))?;
    let caller = state.top_mut();
    let next = match kind {
        // The helper decides there whether it runs the callback once more.
        FrameKind::Callback(_) => Next::CallbackReturn(callsite),
        FrameKind::Plain | FrameKind::AsyncCallback(_) => {
            caller.set(Reg::R0, result);
            Next::To(callsite.next())
        }
    };
    caller.invalidate_out_args();
    let to = match next {
        Next::To(to) | Next::CallbackReturn(to) => to,
        Next::End => callsite,
    };
    cx.fx.events.push(Event::Returned { callee, index, to });
    Ok(next)
}

/// The result can be read, and tells no address where none may be told.
fn check_readable_result<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &State<D>, reg: Reg) -> Check<()> {
    read(cx, state, reg)?;
    if cx.leaks(state.reg(reg)) {
        return Err(PolicyCause::PointerLeak { reg, to: LeakTo::Return }.into());
    }
    Ok(())
}

/// The result is a number within bounds.
fn check_bounded_result<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &State<D>,
    reg: Reg,
    bounds: Bounds,
    site: ReturnSite,
) -> Check<()> {
    let Value::Scalar(scalar) = *state.reg(reg) else {
        return Err(PolicyCause::ReturnKind { site, reg, tag: state.reg(reg).tag() }.into());
    };
    cx.demand(state, reg);
    check_range(&scalar.num, bounds, reg, site)
}

/// What the program may return to the host. (`check_return_code`)
fn check_program_result<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &State<D>, reg: Reg) -> Check<()> {
    let bounds = match cx.facts.platform.return_rule(cx.facts.request) {
        ReturnRule::Void => return Ok(()),
        ReturnRule::Any => return check_readable_result(cx, state, reg),
        ReturnRule::Range { min, max, low_half } => Bounds { min, max, low_half },
        ReturnRule::ObjectOrNull { btf_id } => {
            if let Value::Pointer(pointer) = state.reg(reg)
                && matches!(pointer.region, Region::Btf { btf: BtfRef::Host, id } if id == btf_id)
                && state.is_referenced(pointer.object)
            {
                return check_offset(pointer, Place::Reg(reg), false);
            }
            Bounds { min: 0, max: 0, low_half: false }
        }
        ReturnRule::Unknown => return unsupported("what this program may return is not known"),
    };
    check_readable_result(cx, state, reg)?;
    check_bounded_result(cx, state, reg, bounds, ReturnSite::Program)
}

/// The object that a value refers to.
fn object<D: Domain>(value: &Value<D>) -> Option<ObjectId> {
    value.as_pointer().and_then(|pointer| pointer.object)
}

/// What is thrown may be returned, since that is what becomes of it. (`check_kfunc_call`, `bpf_throw`)
pub(super) fn check_thrown<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &State<D>) -> Check<()> {
    match state.frame(0).kind {
        FrameKind::AsyncCallback(range) => {
            let bounds = Bounds { min: range.min, max: range.max, low_half: false };
            check_readable_result(cx, state, Reg::R1)?;
            check_bounded_result(cx, state, Reg::R1, bounds, ReturnSite::AsyncCallback)
        }
        FrameKind::Plain | FrameKind::Callback(_) => check_program_result(cx, state, Reg::R1),
    }
}

/// What a function that is verified on its own may return. (`check_global_subprog_return_code`)
fn check_global_result<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &State<D>) -> Check<()> {
    if cx.facts.subprog(state.top().subprog).is_some_and(|subprog| subprog.returns_void) {
        return Ok(());
    }
    read(cx, state, Reg::R0)?;
    let result = state.reg(Reg::R0);
    if result.tag() == TypeTag::of(Base::Arena) {
        return Ok(());
    }
    check_readable_result(cx, state, Reg::R0)?;
    if result.is_scalar() {
        return Ok(());
    }
    Err(PolicyCause::ReturnKind { site: ReturnSite::Subprogram, reg: Reg::R0, tag: result.tag() }.into())
}
