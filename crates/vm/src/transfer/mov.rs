//! Moves.

use bpfvet_domain as domain;
use bpfvet_domain::Domain;
use bpfvet_insn::{Operand, Reg, Size, Width};

use super::{read, settle, writable};
use crate::cx::Cx;
use crate::failure::Check;
use crate::fault::{self, Fault};
use crate::region::stack::link;
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
            read(cx, state, src)?;
            writable(cx, dst)?;
            let source = *state.reg(src);
            match (width, source) {
                (Width::W64, Value::Scalar(_)) => Value::Scalar(linked(cx, state, src, source)),
                (Width::W64, Value::Pointer(_) | Value::Uninit) => source,
                (Width::W32, Value::Scalar(scalar)) => {
                    let fits = scalar.num.umax() <= u64::from(u32::MAX);
                    let copy = if fits { linked(cx, state, src, source) } else { ScalarValue { link: None, ..scalar } };
                    let num = if fault::on(Fault::MoveKeepsUpperHalf) { copy.num } else { copy.num.zero_extended() };
                    Value::Scalar(ScalarValue { num, ..copy })
                }
                (Width::W32, Value::Pointer(_) | Value::Uninit) => {
                    if cx.leaks(&source) {
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
    read(cx, state, src)?;
    writable(cx, dst)?;
    let source = *state.reg(src);
    let mut result = match source {
        Value::Scalar(scalar) => {
            let unchanged = scalar.num.umax() < 1 << (from.bits() - 1);
            let copy = if unchanged { linked(cx, state, src, source) } else { ScalarValue { link: None, ..scalar } };
            let num = match width {
                Width::W64 | Width::W32 if fault::on(Fault::MoveForgetsSign) => D::truncate(from.bytes(), copy.num),
                Width::W64 => D::sign_extend(from.bytes(), domain::Width::W64, copy.num),
                Width::W32 => D::sign_extend(from.bytes(), domain::Width::W32, copy.num).zero_extended(),
            };
            Value::Scalar(ScalarValue { num, ..copy })
        }
        Value::Pointer(_) | Value::Uninit => {
            if cx.leaks(&source) {
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

/// A copy of the number in `src` that stays linked to it.
fn linked<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, src: Reg, source: Value<D>) -> ScalarValue<D> {
    let mut scalar = match source {
        Value::Scalar(scalar) => scalar,
        Value::Pointer(_) | Value::Uninit => ScalarValue::new(D::unknown()),
    };
    let before = scalar.link;
    link(cx, &mut scalar);
    if scalar.link != before {
        state.set(src, Value::Scalar(scalar));
    }
    scalar
}
