//! Moves.

use bpfvet_domain as domain;
use bpfvet_domain::Domain;
use bpfvet_insn::{Operand, Reg, Size, Width};

use super::{read, settle, writable};
use crate::cx::Cx;
use crate::failure::Check;
use crate::fault::{self, Fault};
use crate::region::stack::link;
use crate::value::Link;
use crate::violation::RegisterCause;
use crate::{ScalarValue, State, Value};

/// `dst = src`
pub(super) fn mov<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    width: Width,
    dst: Reg,
    src: Operand,
) -> Check<()> {
    let mut result = match src {
        Operand::Imm(imm) => {
            writable(cx, dst)?;
            let value = match width {
                Width::W64 => i64::from(imm).cast_unsigned(),
                Width::W32 => u64::from(imm.cast_unsigned()),
            };
            cx.scalar(D::constant(value))
        }
        Operand::Reg(src) => {
            let source = read(cx, state, src)?;
            writable(cx, dst)?;
            match (width, source) {
                (Width::W64, Value::Scalar(scalar)) => {
                    let (num, precise) = (scalar.num, scalar.precise);
                    Value::Scalar(ScalarValue { num, link: linked(cx, state, src), precise })
                }
                (Width::W64, Value::Pointer(_) | Value::Uninit) => *source,
                (Width::W32, Value::Scalar(scalar)) => {
                    let (num, precise) = (scalar.num, scalar.precise);
                    let fits = num.umax() <= u64::from(u32::MAX) && cx.facts.features.linked_low_halves();
                    let link = if fits { linked(cx, state, src) } else { None };
                    let num = if fault::on(Fault::MoveKeepsUpperHalf) { num } else { num.zero_extended() };
                    Value::Scalar(ScalarValue { num, link, precise })
                }
                (Width::W32, Value::Pointer(_) | Value::Uninit) => {
                    if cx.leaks(source) {
                        return Err(RegisterCause::PartialPointerCopy { reg: src }.into());
                    }
                    half_of_pointer(cx)
                }
            }
        }
    };
    settle(cx, &mut result, "alu")?;
    state.set(dst, result);
    Ok(())
}

/// `dst = (sN)src`
pub(super) fn mov_sx<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    width: Width,
    dst: Reg,
    src: Reg,
    from: Size,
) -> Check<()> {
    let source = read(cx, state, src)?;
    writable(cx, dst)?;
    let mut result = match source {
        Value::Scalar(scalar) => {
            let (num, precise) = (scalar.num, scalar.precise);
            let unchanged = num.umax() < 1 << (from.bits() - 1);
            let link = if unchanged { linked(cx, state, src) } else { None };
            let num = match width {
                Width::W64 | Width::W32 if fault::on(Fault::MoveForgetsSign) => D::truncate(from.bytes(), num),
                Width::W64 => D::sign_extend(from.bytes(), domain::Width::W64, num),
                Width::W32 => D::sign_extend(from.bytes(), domain::Width::W32, num).zero_extended(),
            };
            Value::Scalar(ScalarValue { num, link, precise })
        }
        Value::Pointer(_) | Value::Uninit => {
            if cx.leaks(source) {
                return Err(match width {
                    Width::W64 => RegisterCause::SignExtendsPointer { reg: src },
                    Width::W32 => RegisterCause::PartialPointerCopy { reg: src },
                }
                .into());
            }
            match width {
                Width::W64 => cx.unknown(),
                Width::W32 => half_of_pointer(cx),
            }
        }
    };
    settle(cx, &mut result, "alu")?;
    state.set(dst, result);
    Ok(())
}

/// What is known of a pointer's low half: that it is a low half.
fn half_of_pointer<D: Domain>(cx: &Cx<'_, '_, D>) -> Value<D> {
    cx.scalar(D::unknown().zero_extended())
}

/// What links a copy of the number in `src` to it: that number is given a group if it needs one.
#[inline]
fn linked<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, src: Reg) -> Option<Link> {
    let &Value::Scalar(mut scalar) = state.reg(src) else { return None };
    if link(cx, &mut scalar) {
        state.set(src, Value::Scalar(scalar));
    }
    scalar.link
}
