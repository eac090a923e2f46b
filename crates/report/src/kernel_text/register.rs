//! A register holds the wrong kind of thing.

use alloc::format;
use alloc::string::{String, ToString};

use bpfvet_domain::{Conflict, Contradiction, HexText as Hex, Views as _};
use bpfvet_insn::{AluOp, InsnIdx, Reg};
use bpfvet_vm::violation::{AluReason, RegisterCause};

use super::{cause_message, tnum};
use crate::Names;
use crate::state_text::type_text;

const NOT_ROOT: &str = "pointer arithmetic with it prohibited for !root";

pub(super) fn message(cause: &RegisterCause, at: InsnIdx, names: &Names<'_>) -> String {
    let r = |reg: &Reg| reg.number();
    match cause {
        RegisterCause::Unreadable { reg } => format!("R{} !read_ok", r(reg)),
        RegisterCause::FramePointerWritten => "frame pointer is read only".to_string(),
        RegisterCause::PointerArithmetic { reg } => format!("R{} pointer arithmetic prohibited", r(reg)),
        RegisterCause::PointerArithmetic32 { reg, tag: _ } => {
            format!("R{} 32-bit pointer arithmetic prohibited", r(reg))
        }
        RegisterCause::PointerArithmeticOnNullable { reg, tag } => {
            format!("R{} pointer arithmetic on {} prohibited, null-check it first", r(reg), type_text(*tag))
        }
        RegisterCause::PointerArithmeticOnKind { reg, tag } => {
            format!("R{} pointer arithmetic on {} prohibited", r(reg), type_text(*tag))
        }
        RegisterCause::PointerPointer { reg, op } => {
            format!("R{} pointer {}= pointer prohibited", r(reg), operator(*op))
        }
        RegisterCause::PointerOperator { reg, op, bitwise: true } => {
            format!("R{} bitwise operator {}= on pointer prohibited", r(reg), operator(*op))
        }
        RegisterCause::PointerOperator { reg, op, bitwise: false } => {
            format!("R{} pointer arithmetic with {}= operator prohibited", r(reg), operator(*op))
        }
        RegisterCause::PointerFromScalar { reg } => format!("R{} tried to subtract pointer from scalar", r(reg)),
        RegisterCause::StackPointerSubtraction { reg } => {
            format!("R{} subtraction from stack pointer prohibited", r(reg))
        }
        RegisterCause::OffsetConstantTooLarge { tag, value } => {
            format!("math between {} pointer and {value} is not allowed", type_text(*tag))
        }
        RegisterCause::OffsetUnbounded { tag, offset: _ } => {
            format!("math between {} pointer and register with unbounded min value is not allowed", type_text(*tag))
        }
        RegisterCause::OffsetTooLarge { tag, smin } => {
            format!("value {smin} makes {} pointer be out of bounds", type_text(*tag))
        }
        RegisterCause::PointerOffsetTooLarge { tag, offset } => {
            format!("{} pointer offset {offset} is not allowed", type_text(*tag))
        }
        RegisterCause::SignExtendsPointer { reg } => format!("R{} sign-extension part of pointer", r(reg)),
        RegisterCause::PartialPointerCopy { reg } => format!("R{} partial copy of pointer", r(reg)),
        RegisterCause::PointerComparison { reg } => format!("R{} pointer comparison prohibited", r(reg)),
        RegisterCause::SpeculativeArithmetic { reg, adds, reason } => {
            let (reg, op) = (r(reg), if *adds { "add" } else { "sub" });
            match reason {
                AluReason::MixedSigns => format!("R{reg} has unknown scalar with mixed signed bounds, {NOT_ROOT}"),
                AluReason::Kind => format!("R{reg} has pointer with unsupported alu operation, {NOT_ROOT}"),
                AluReason::Paths => {
                    format!("R{reg} tried to {op} from different maps, paths or scalars, {NOT_ROOT}")
                }
                AluReason::Limit => format!("R{reg} tried to {op} beyond pointer bounds, {NOT_ROOT}"),
            }
        }
        RegisterCause::VariableStackPointer { reg, offset, off } => {
            let offset = tnum(offset.bits());
            format!("R{} variable stack access prohibited for !root, var_off={offset} off={off}", r(reg))
        }
        RegisterCause::StackPointerOutOfRange { reg, off } => {
            format!("R{} stack pointer arithmetic goes out of range, prohibited for !root; off={off}", r(reg))
        }
        RegisterCause::MapValuePointerOutOfRange { reg, inner } => {
            let inner = cause_message(inner, at, names);
            format!("{inner}\nR{} pointer arithmetic of map value goes out of range, prohibited for !root", r(reg))
        }
        RegisterCause::CastWithoutArena => {
            "addr_space_cast insn can only be used in a program that has an associated arena".to_string()
        }
        RegisterCause::DivisionByZero => "div by zero".to_string(),
        RegisterCause::InvalidShift { amount } => format!("invalid shift {amount}"),
        RegisterCause::ContradictoryScalar { what, num } => {
            format!("verifier bug: REG INVARIANTS VIOLATION ({what}): {}", contradiction(num))
        }
        RegisterCause::NotAnInstruction { reg, tag } => {
            format!("R{} has type {}, expected PTR_TO_INSN", r(reg), type_text(*tag))
        }
        RegisterCause::TableOffsetTooLarge { reg, highest, offset } => {
            let end = if *highest { "umax" } else { "umin" };
            format!("the sum of R{} {end}_value {offset} is too big", r(reg))
        }
        RegisterCause::OutsideTable { reg, first, last, entries } => {
            format!("R{} points to outside of jump table: [{first},{last}] max_entries {entries}", r(reg))
        }
    }
}

/// Which views of a number exclude each other, and what they are. (`reg_bounds_sanity_check`)
fn contradiction(num: &Contradiction) -> String {
    let why = match num.between {
        Conflict::Ranges => "range bounds violation",
        Conflict::Constant => "const tnum out of sync with range bounds",
        Conflict::LowConstant => "const subreg tnum out of sync with range bounds",
    };
    let ranges = match num.arcs {
        Some((wide, low)) => format!(
            "r64={{.base={}, .size={}}} r32={{.base={}, .size={}}}",
            Hex(wide.base),
            Hex(wide.size),
            Hex(low.base.into()),
            Hex(low.size.into())
        ),
        None => {
            let ((smin, smax), (umin, umax)) = (num.views.signed(), num.views.unsigned());
            let ((low_smin, low_smax), (low_umin, low_umax)) = (num.views.signed_low(), num.views.unsigned_low());
            format!(
                "u64=[{}, {}] s64=[{}, {}] u32=[{}, {}] s32=[{}, {}]",
                Hex(umin),
                Hex(umax),
                Hex(smin.cast_unsigned()),
                Hex(smax.cast_unsigned()),
                Hex(low_umin.into()),
                Hex(low_umax.into()),
                Hex(low_smin.cast_unsigned().into()),
                Hex(low_smax.cast_unsigned().into())
            )
        }
    };
    let bits = num.views.bits();
    format!("{why} {ranges} var_off=({}, {})", Hex(bits.value), Hex(bits.mask))
}

/// The operator without the sign of a division (`bpf_alu_string`).
const fn operator(op: AluOp) -> &'static str {
    match op {
        AluOp::Sdiv => "/",
        AluOp::Smod => "%",
        AluOp::Add
        | AluOp::Sub
        | AluOp::Mul
        | AluOp::Div
        | AluOp::Mod
        | AluOp::And
        | AluOp::Or
        | AluOp::Xor
        | AluOp::Lsh
        | AluOp::Rsh
        | AluOp::Arsh => op.symbol(),
    }
}
