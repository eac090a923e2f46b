//! Branches: what each outcome teaches, and which outcome cannot be. (`check_cond_jmp_op`)

use bpfvet_domain as domain;
use bpfvet_domain::{Branch, Domain};
use bpfvet_insn::{CmpOp, InsnIdx, Operand, Reg, Width};

use super::alu::width_of;
use super::{linked, older, packet, read, settle_number};
use crate::cx::Cx;
use crate::effects::{Fork, ForkKind, LinkedRegs};
use crate::failure::Check;
use crate::fault::{self, Fault};
use crate::region::MAX_VAR_OFF;
use crate::value::{Flags, ObjectId, Pointer, Region};
use crate::violation::RegisterCause;
use crate::{ScalarValue, State, Value};

fn op_of(op: CmpOp) -> domain::CmpOp {
    match op {
        CmpOp::Eq => domain::CmpOp::Eq,
        CmpOp::Ne => domain::CmpOp::Ne,
        CmpOp::Gt => domain::CmpOp::Gt,
        CmpOp::Ge => domain::CmpOp::Ge,
        CmpOp::Lt => domain::CmpOp::Lt,
        CmpOp::Le if fault::on(Fault::LessOrEqualIsLess) => domain::CmpOp::Lt,
        CmpOp::Le => domain::CmpOp::Le,
        CmpOp::Sgt if fault::on(Fault::SignedComparisonUnsigned) => domain::CmpOp::Gt,
        CmpOp::Sgt => domain::CmpOp::Sgt,
        CmpOp::Sge => domain::CmpOp::Sge,
        CmpOp::Slt => domain::CmpOp::Slt,
        CmpOp::Sle => domain::CmpOp::Sle,
        CmpOp::Set => domain::CmpOp::Set,
    }
}

/// `if dst op src goto target`
#[expect(clippy::too_many_arguments, reason = "the fields of the instruction and its two successors")]
pub(super) fn branch<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    width: Width,
    op: CmpOp,
    dst: Reg,
    src: Operand,
    target: InsnIdx,
    next: InsnIdx,
) -> Check<InsnIdx> {
    let left = read(cx, state, dst)?;
    if let Operand::Reg(src) = src {
        let right = read(cx, state, src)?;
        let packets = is_packet_any(left) && is_packet_any(right);
        if !packets && cx.leaks(right) {
            return Err(RegisterCause::PointerComparison { reg: src }.into());
        }
        if is_stack(right) {
            cx.fx.note_mut().src_is_stack = true;
        }
    }
    if is_stack(left) {
        cx.fx.note_mut().dst_is_stack = true;
    }

    let mut group = LinkedRegs::default();
    let link = |state: &State<D>, reg| state.reg(reg).as_scalar().and_then(|scalar| scalar.link);
    let links = [if let Operand::Reg(src) = src { link(state, src) } else { None }, link(state, dst)];
    for link in links.into_iter().flatten() {
        // Members that do not fit lose their link, the operands perhaps among them.
        linked::collect(cx, state, link.id, &mut group);
    }
    let left = *state.reg(dst);
    let right = match src {
        Operand::Reg(src) => *state.reg(src),
        Operand::Imm(imm) => Value::constant(i64::from(imm).cast_unsigned()),
    };

    let same_register = cx.facts.features.self_comparisons() && src == Operand::Reg(dst);
    let outcome = decide(cx, state, width, op, &left, &right, same_register);
    let (taken, fallthrough) = match outcome {
        Outcome::Decided(taken) => {
            demand_operands(cx, state, dst, src);
            let (goes, stays) = if taken { (target, next) } else { (next, target) };
            if !cx.facts.request.privilege.bypasses_spec_v1() {
                speculate(cx, state, dst, src, stays);
            }
            return Ok(goes);
        }
        Outcome::Open { taken, fallthrough } => (taken, fallthrough),
    };
    if group.as_slice().len() > 1 {
        cx.fx.note_mut().linked = group;
    }
    let mut other = state.clone();
    write_back(cx, &mut other, dst, src, taken, ["true_reg1", "true_reg2"])?;
    write_back(cx, state, dst, src, fallthrough, ["false_reg1", "false_reg2"])?;
    if !group.as_slice().is_empty() {
        for reg in [if let Operand::Reg(src) = src { Some(src) } else { None }, Some(dst)].into_iter().flatten() {
            linked::sync(cx, state, reg, &group);
            linked::sync(cx, &mut other, reg, &group);
        }
    }
    if width == Width::W64
        && let Operand::Reg(src) = src
        && cx.facts.features.nullness_by_comparison()
    {
        equal_pointers(cx, op, (dst, &left), (src, &right), &mut other, state);
    }
    let compares_null = match src {
        Operand::Imm(imm) => imm == 0,
        Operand::Reg(_) => cx.facts.features.null_checks_by_register() && right.is_null(),
    };
    let nullable = left.as_pointer().is_some_and(Pointer::nullable);
    if width == Width::W64 && matches!(op, CmpOp::Eq | CmpOp::Ne) && nullable && compares_null {
        if let Operand::Reg(src) = src {
            cx.demand(state, src);
        }
        let swapped = fault::on(Fault::NullSidesSwapped);
        mark_null(cx, state, dst, (op == CmpOp::Ne) != swapped);
        mark_null(cx, &mut other, dst, (op == CmpOp::Eq) != swapped);
    } else {
        let matched = width == Width::W64
            && match src {
                Operand::Reg(src) => packet::learn(op, (dst, &left), (src, &right), &mut other, state),
                Operand::Imm(_) => false,
            };
        if !matched && cx.leaks(&left) {
            cx.fx.forks.push(Fork { state: other, at: target, kind: ForkKind::Branch });
            return Err(RegisterCause::PointerComparison { reg: dst }.into());
        }
    }
    cx.fx.forks.push(Fork { state: other, at: target, kind: ForkKind::Branch });
    Ok(next)
}

/// What is known of a branch before it is taken.
enum Outcome<D> {
    /// Only one way is possible.
    Decided(bool),
    /// Both are, and this is what each teaches of the two numbers; nothing where an operand is a pointer.
    Open { taken: Option<(D, D)>, fallthrough: Option<(D, D)> },
}

/// (`is_branch_taken`)
fn decide<D: Domain>(
    cx: &Cx<'_, '_, D>,
    state: &State<D>,
    width: Width,
    op: CmpOp,
    left: &Value<D>,
    right: &Value<D>,
    same_register: bool,
) -> Outcome<D> {
    let open = Outcome::Open { taken: None, fallthrough: None };
    match (left, right) {
        (Value::Scalar(a), Value::Scalar(b)) => {
            let width = if fault::on(Fault::HalfComparisonWhole) { Width::W64 } else { width };
            let mut told = D::branch(op_of(op), width_of(width), a.num, b.num, same_register);
            if !cx.facts.features.range_comparisons() {
                told = older::told(&cx.facts.features, op, width, (&a.num, &b.num), told);
            }
            match told {
                Branch::Always => Outcome::Decided(true),
                Branch::Never => Outcome::Decided(false),
                Branch::Both { taken, fallthrough } if op == CmpOp::Set && fault::on(Fault::BitTestSidesSwapped) => {
                    Outcome::Open { taken: Some(fallthrough), fallthrough: Some(taken) }
                }
                Branch::Both { taken, fallthrough } => {
                    Outcome::Open { taken: Some(taken), fallthrough: Some(fallthrough) }
                }
            }
        }
        (Value::Pointer(a), Value::Pointer(b)) if width == Width::W64 && a.is_packet_any() && b.is_packet_any() => {
            packet::decided(op, a, b).map_or(open, Outcome::Decided)
        }
        (Value::Pointer(pointer), Value::Scalar(scalar)) | (Value::Scalar(scalar), Value::Pointer(pointer)) => {
            // Equality does not care which side the pointer is on.
            let decided = width == Width::W64 && scalar.is_zero() && is_not_null(cx, state, pointer);
            match op {
                CmpOp::Eq if decided => Outcome::Decided(false),
                CmpOp::Ne if decided => Outcome::Decided(true),
                CmpOp::Eq
                | CmpOp::Ne
                | CmpOp::Gt
                | CmpOp::Ge
                | CmpOp::Lt
                | CmpOp::Le
                | CmpOp::Sgt
                | CmpOp::Sge
                | CmpOp::Slt
                | CmpOp::Sle
                | CmpOp::Set => open,
            }
        }
        (Value::Pointer(_), Value::Pointer(_)) | (Value::Uninit, _) | (_, Value::Uninit) => open,
    }
}

/// Whether a pointer cannot be zero. (`reg_not_null`)
fn is_not_null<D: Domain>(cx: &Cx<'_, '_, D>, state: &State<D>, pointer: &Pointer<D>) -> bool {
    let owned = matches!(pointer.region, Region::Btf { .. })
        && cx.facts.features.known_not_null()
        && !pointer.nullable()
        && (state.is_referenced(pointer.object)
            || (pointer.flags.contains(Flags::TRUSTED) && !pointer.flags.contains(Flags::UNTRUSTED)));
    never_null(cx, pointer) || (owned && in_range(pointer))
}

/// Whether the offset is so small that the address cannot wrap to zero.
fn in_range<D: Domain>(pointer: &Pointer<D>) -> bool {
    pointer.off.smin() > -MAX_VAR_OFF && pointer.off.smax() < MAX_VAR_OFF
}

/// A decision relied on the operands that are numbers.
fn demand_operands<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &State<D>, dst: Reg, src: Operand) {
    if fault::on(Fault::BranchDemandDropped) {
        return;
    }
    cx.demand(state, dst);
    if let Operand::Reg(src) = src {
        cx.demand(state, src);
    }
}

/// The way that cannot be taken, taken all the same by a processor that guesses: nothing is known of the operands there.
fn speculate<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &State<D>, dst: Reg, src: Operand, at: InsnIdx) {
    let mut other = state.clone();
    let unknown = cx.unknown();
    other.set(dst, unknown);
    if let Operand::Reg(src) = src {
        other.set(src, unknown);
    }
    other.speculative = true;
    cx.fx.forks.push(Fork { state: other, at, kind: ForkKind::Speculative });
}

/// Writes what an outcome teaches into the operand registers.
fn write_back<D: Domain>(
    cx: &Cx<'_, '_, D>,
    state: &mut State<D>,
    dst: Reg,
    src: Operand,
    learned: Option<(D, D)>,
    names: [&'static str; 2],
) -> Check<()> {
    let Some((mut left, mut right)) = learned else { return Ok(()) };
    settle_number(cx, &mut left, names[0])?;
    settle_number(cx, &mut right, names[1])?;
    put_number(state, dst, left);
    if let Operand::Reg(src) = src {
        put_number(state, src, right);
    }
    Ok(())
}

/// The number in a register is this one. The frame is copied only if it was another.
fn put_number<D: Domain>(state: &mut State<D>, reg: Reg, num: D) {
    if let &Value::Scalar(scalar) = state.reg(reg)
        && scalar.num != num
    {
        state.set(reg, Value::Scalar(ScalarValue { num, ..scalar }));
    }
}

fn is_packet_any<D: Domain>(value: &Value<D>) -> bool {
    value.as_pointer().is_some_and(Pointer::is_packet_any)
}

fn is_stack<D: Domain>(value: &Value<D>) -> bool {
    value.as_pointer().is_some_and(|pointer| matches!(pointer.region, Region::Stack { .. }) && !pointer.nullable())
}

/// Where two pointers are equal and one is not null, neither is the other.
fn equal_pointers<D: Domain>(
    cx: &Cx<'_, '_, D>,
    op: CmpOp,
    dst: (Reg, &Value<D>),
    src: (Reg, &Value<D>),
    taken: &mut State<D>,
    fallthrough: &mut State<D>,
) {
    let (Value::Pointer(left), Value::Pointer(right)) = (dst.1, src.1) else { return };
    if matches!(left.region, Region::Btf { .. }) || matches!(right.region, Region::Btf { .. }) {
        return;
    }
    let equal = match op {
        CmpOp::Eq => taken,
        CmpOp::Ne => fallthrough,
        CmpOp::Gt
        | CmpOp::Ge
        | CmpOp::Lt
        | CmpOp::Le
        | CmpOp::Sgt
        | CmpOp::Sge
        | CmpOp::Slt
        | CmpOp::Sle
        | CmpOp::Set => return,
    };
    if (never_null(cx, left) || fault::on(Fault::EqualToNullable)) && right.nullable() {
        set_not_null(equal, src.0);
    }
    if (never_null(cx, right) || fault::on(Fault::EqualToNullable)) && left.nullable() {
        set_not_null(equal, dst.0);
    }
}

/// As [`is_not_null`], for pointers to which references and trust do not matter.
fn never_null<D: Domain>(cx: &Cx<'_, '_, D>, pointer: &Pointer<D>) -> bool {
    (!pointer.nullable() || fault::on(Fault::NullableDecided))
        && in_range(pointer)
        && match pointer.region {
            Region::Socket { .. } | Region::MapValue { .. } | Region::MapKey { .. } => true,
            Region::Buf | Region::Map { .. } => cx.facts.features.known_not_null(),
            Region::Mem { .. } => cx.facts.features.known_not_null() && !pointer.flags.contains(Flags::UNTRUSTED),
            Region::Btf { .. }
            | Region::Ctx
            | Region::Stack { .. }
            | Region::Packet { .. }
            | Region::PacketMeta { .. }
            | Region::PacketEnd
            | Region::FlowKeys
            | Region::TpBuffer
            | Region::Func { .. }
            | Region::Arena
            | Region::Insn { .. }
            | Region::Dynptr { .. } => false,
        }
}

fn set_not_null<D: Domain>(state: &mut State<D>, reg: Reg) {
    if let Value::Pointer(pointer) = *state.reg(reg) {
        state.set(reg, Value::Pointer(pointer.with(pointer.flags.without(Flags::NULLABLE))));
    }
}

/// All pointers to the object that `reg` refers to are null, or none is. (`mark_ptr_or_null_regs`)
///
/// Where they are null there was nothing to release, so the reference is forgotten.
fn mark_null<D: Domain>(cx: &Cx<'_, '_, D>, state: &mut State<D>, reg: Reg, is_null: bool) {
    let Some(object) = state.reg(reg).as_pointer().map(|pointer| pointer.object) else { return };
    if is_null
        && let Some(object) = object
        && state.is_referenced(Some(object))
    {
        state.drop_reference(object);
    }
    let zero = cx.scalar(D::constant(0));
    state.for_each_value_mut(
        |value| value.as_pointer().is_some_and(|pointer| refers_to(pointer, object)),
        |value| {
            if let Value::Pointer(pointer) = value {
                *value =
                    if is_null { zero } else { Value::Pointer(pointer.with(pointer.flags.without(Flags::NULLABLE))) };
            }
        },
    );
}

fn refers_to<D: Domain>(pointer: &Pointer<D>, object: Option<ObjectId>) -> bool {
    let identified = pointer.object.is_some() || pointer.flags.contains(Flags::RCU);
    let at_start = pointer.const_off() == Some(0) || pointer.flags.intersects(Flags::ALLOC.union(Flags::NON_OWNING));
    let same = pointer.object == object || fault::on(Fault::NullGroupsMerged);
    pointer.nullable() && same && identified && at_start
}
