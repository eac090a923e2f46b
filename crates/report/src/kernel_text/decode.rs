//! Bytes that are no instruction.

use alloc::format;
use alloc::string::{String, ToString};

use bpfvet_insn::{AluOp, DecodeError, DecodeErrorKind, Form, Insn, Size};

/// What the kernel says of bytes that are no program, without the final newline. Empty where it only returns an error.
///
/// Source: `check_and_resolve_insns`, `check_insn_fields`, `check_atomic`, Linux 7.3.
#[must_use]
pub fn decode_message(error: &DecodeError) -> String {
    let DecodeError { at: _, raw, kind } = error;
    match *kind {
        // The instruction count is a number of whole slots, so that `bpf(2)` cannot be asked this.
        DecodeErrorKind::Length { bytes: _ } => String::new(),
        DecodeErrorKind::Register { field: _, number } => format!("R{number} is invalid"),
        DecodeErrorKind::Unpaired | DecodeErrorKind::SecondHalf { .. } => "invalid bpf_ld_imm64 insn".to_string(),
        DecodeErrorKind::ImmSource { .. } | DecodeErrorKind::ReservedHigh { .. } => {
            "unrecognized bpf_ld_imm64 insn".to_string()
        }
        DecodeErrorKind::Opcode { code } => unknown_opcode(code),
        DecodeErrorKind::Reserved { form: Form::MayGoto, .. } => format!("invalid may_goto imm {}", raw.imm),
        DecodeErrorKind::Reserved { form, field: _, value: _ } => format!("{} uses reserved fields", form_name(form)),
        DecodeErrorKind::AddressSpaces { .. } => {
            "addr_space_cast insn can only convert between address space 1 and 0".to_string()
        }
        DecodeErrorKind::AtomicOp { imm } => format!("BPF_ATOMIC uses invalid atomic opcode {imm:02x}"),
        DecodeErrorKind::AtomicSize { size: _ } => "invalid atomic operand size".to_string(),
    }
}

/// What a release says of an instruction that came later: an opcode that it knows has a field that it does not.
pub(super) fn missing(insn: Option<&Insn>) -> String {
    let form = match insn {
        Some(Insn::Alu { op: AluOp::Sdiv | AluOp::Smod, .. }) => "BPF_ALU",
        Some(Insn::MovSx { .. }) => "BPF_MOV",
        Some(Insn::Load { signed: true, .. }) => "BPF_LDX",
        // Smaller ones had no opcode at all.
        Some(Insn::LoadAcquire { size: Size::B4 | Size::B8, .. }) => {
            return "BPF_ATOMIC uses invalid atomic opcode 100".to_string();
        }
        Some(Insn::StoreRelease { size: Size::B4 | Size::B8, .. }) => {
            return "BPF_ATOMIC uses invalid atomic opcode 110".to_string();
        }
        Some(insn) => return unknown_opcode(insn.opcode()),
        None => return unknown_opcode(0),
    };
    format!("{form} uses reserved fields")
}

/// A table of opcodes is asked before the fields are.
fn unknown_opcode(code: u8) -> String {
    format!("unknown opcode {code:02x}")
}

const fn form_name(form: Form) -> &'static str {
    match form {
        Form::Alu => "BPF_ALU",
        Form::Neg => "BPF_NEG",
        Form::End => "BPF_END",
        Form::Mov => "BPF_MOV",
        Form::Load => "BPF_LDX",
        Form::StoreImm => "BPF_ST",
        Form::StoreReg => "BPF_STX",
        Form::LoadImm64 => "BPF_LD_IMM64",
        Form::LoadPacket => "BPF_LD_[ABS|IND]",
        Form::Jump => "BPF_JA",
        Form::JumpIndirect => "BPF_JA|BPF_X",
        Form::Branch => "BPF_JMP/JMP32",
        Form::MayGoto => "may_goto",
        Form::Call => "BPF_CALL",
        Form::Exit => "BPF_EXIT",
    }
}
