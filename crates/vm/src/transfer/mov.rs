//! Moves.

use bpfvet_domain::Scalar;
use bpfvet_insn::{Operand, Reg, Size, Width};

use super::{read, settle, writable};
use crate::cx::Cx;
use crate::failure::Check;
use crate::fault::{self, Fault};
use crate::region::stack::link;
use crate::violation::RegisterCause;
use crate::{ScalarValue, State, Value};

/// `dst = src`
pub(super) fn mov(cx: &mut Cx<'_, '_>, state: &mut State, width: Width, dst: Reg, src: Operand) -> Check<()> {
    let mut result = match src {
        Operand::Imm(imm) => {
            writable(cx, dst)?;
            let value = match width {
                Width::W64 => i64::from(imm).cast_unsigned(),
                Width::W32 => u64::from(imm.cast_unsigned()),
            };
            cx.scalar(Scalar::constant(value))
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
                    let num = if fault::on(Fault::MoveKeepsUpperHalf) { copy.num } else { low_half(copy.num) };
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
pub(super) fn mov_sx(
    cx: &mut Cx<'_, '_>,
    state: &mut State,
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
                Width::W64 | Width::W32 if fault::on(Fault::MoveForgetsSign) => {
                    Scalar::truncate(from.bytes(), copy.num)
                }
                Width::W64 => Scalar::sign_extend(from.bytes(), copy.num),
                Width::W32 => low_half(Scalar::sign_extend_subreg(from.bytes(), copy.num)),
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

/// The low half, zero-extended, all views agreed. (`zext_32_to_64`, `reg_bounds_sync`)
fn low_half(num: Scalar) -> Scalar {
    let mut num = num.zero_extend_subreg();
    num.sync();
    num
}

/// What is known of a pointer's low half: that it is a low half.
fn half_of_pointer(cx: &Cx<'_, '_>) -> Value {
    cx.scalar(low_half(Scalar::unknown()))
}

/// A copy of the number in `src` that stays linked to it.
fn linked(cx: &mut Cx<'_, '_>, state: &mut State, src: Reg, source: Value) -> ScalarValue {
    let mut scalar = match source {
        Value::Scalar(scalar) => scalar,
        Value::Pointer(_) | Value::Uninit => ScalarValue::new(Scalar::unknown()),
    };
    let before = scalar.link;
    link(cx, &mut scalar);
    if scalar.link != before {
        state.set(src, Value::Scalar(scalar));
    }
    scalar
}
