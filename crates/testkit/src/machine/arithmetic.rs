//! Arithmetic on words. Division, remainder and shifts are the definitions that the domain is proved against; the rest is our own.

use bpfvet::domain;
use bpfvet_insn::{AluOp, AtomicOp, ByteOrder, CmpOp, Size, Width};

use super::memory::{Memory, Ptr, Word};

/// `dst op src`. Numbers move a pointer and the difference of pointers is a number; any other operation sees addresses.
pub(super) fn alu(memory: &Memory, width: Width, op: AluOp, dst: Word, src: Word) -> Word {
    let moved = |ptr: Ptr, by: i64| Word::Ptr(Ptr { off: ptr.off.wrapping_add(by), ..ptr });
    match (width, op, dst, src) {
        (Width::W64, AluOp::Add, Word::Ptr(ptr), Word::Num(by))
        | (Width::W64, AluOp::Add, Word::Num(by), Word::Ptr(ptr)) => moved(ptr, by.cast_signed()),
        (Width::W64, AluOp::Sub, Word::Ptr(ptr), Word::Num(by)) => moved(ptr, by.cast_signed().wrapping_neg()),
        _ => Word::Num(number(width, op, memory.number(dst), memory.number(src))),
    }
}

fn number(width: Width, op: AluOp, x: u64, y: u64) -> u64 {
    let shared = |op: domain::AluOp| {
        let width = match width {
            Width::W32 => domain::Width::W32,
            Width::W64 => domain::Width::W64,
        };
        op.apply(width, x, y)
    };
    let wide = match op {
        AluOp::Add => x.wrapping_add(y),
        AluOp::Sub => x.wrapping_sub(y),
        AluOp::Mul => x.wrapping_mul(y),
        AluOp::And => x & y,
        AluOp::Or => x | y,
        AluOp::Xor => x ^ y,
        AluOp::Div => shared(domain::AluOp::Div),
        AluOp::Sdiv => shared(domain::AluOp::Sdiv),
        AluOp::Mod => shared(domain::AluOp::Mod),
        AluOp::Smod => shared(domain::AluOp::Smod),
        AluOp::Lsh => shared(domain::AluOp::Lsh),
        AluOp::Rsh => shared(domain::AluOp::Rsh),
        AluOp::Arsh => shared(domain::AluOp::Arsh),
    };
    narrowed(width, wide)
}

/// The register after an operation of this width left `wide`.
pub(super) const fn narrowed(width: Width, wide: u64) -> u64 {
    match width {
        Width::W32 => wide & 0xffff_ffff,
        Width::W64 => wide,
    }
}

/// The low bytes with their sign spread over the word.
pub(super) const fn sign_extended(from: Size, number: u64) -> u64 {
    let above = 64 - from.bits();
    ((number << above).cast_signed() >> above).cast_unsigned()
}

/// The low bytes in another order, the rest zero, on a little-endian machine.
pub(super) const fn reordered(order: ByteOrder, size: Size, number: u64) -> u64 {
    let above = 64 - size.bits();
    match order {
        ByteOrder::Le => (number << above) >> above,
        ByteOrder::Be | ByteOrder::Swap => number.swap_bytes() >> above,
    }
}

/// Whether `x op y`.
pub(super) const fn holds(width: Width, op: CmpOp, x: u64, y: u64) -> bool {
    let (x, y) = match width {
        // Spread, so that both orders are those of the halves.
        Width::W32 => (sign_extended(Size::B4, x), sign_extended(Size::B4, y)),
        Width::W64 => (x, y),
    };
    match op {
        CmpOp::Eq => x == y,
        CmpOp::Ne => x != y,
        CmpOp::Gt => x > y,
        CmpOp::Ge => x >= y,
        CmpOp::Lt => x < y,
        CmpOp::Le => x <= y,
        CmpOp::Sgt => x.cast_signed() > y.cast_signed(),
        CmpOp::Sge => x.cast_signed() >= y.cast_signed(),
        CmpOp::Slt => x.cast_signed() < y.cast_signed(),
        CmpOp::Sle => x.cast_signed() <= y.cast_signed(),
        CmpOp::Set => x & y != 0,
    }
}

/// What an atomic operation leaves in memory, where `old` was. `compared` is `r0`.
pub(super) const fn modified(op: AtomicOp, size: Size, old: u64, operand: u64, compared: u64) -> u64 {
    match op {
        AtomicOp::Add { .. } => old.wrapping_add(operand),
        AtomicOp::Or { .. } => old | operand,
        AtomicOp::And { .. } => old & operand,
        AtomicOp::Xor { .. } => old ^ operand,
        AtomicOp::Xchg => operand,
        AtomicOp::CmpXchg => {
            let above = 64 - size.bits();
            if (compared << above) >> above == old { operand } else { old }
        }
    }
}
