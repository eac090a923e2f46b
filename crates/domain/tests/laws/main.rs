//! The laws of a domain at 64 bits, for each that is here and for one of constants.

mod constants;
mod intervals;
mod scalars;
mod words;

use bpfvet_domain::{AluOp, CmpOp};

/// Every operation and comparison is in the list that proofs and tests go through: a new one must be placed here, and then be there.
#[test]
fn lists_of_operations_are_complete() {
    let alu = |op: AluOp| match op {
        AluOp::Add => 0,
        AluOp::Sub => 1,
        AluOp::Mul => 2,
        AluOp::Div => 3,
        AluOp::Sdiv => 4,
        AluOp::Mod => 5,
        AluOp::Smod => 6,
        AluOp::And => 7,
        AluOp::Or => 8,
        AluOp::Xor => 9,
        AluOp::Lsh => 10,
        AluOp::Rsh => 11,
        AluOp::Arsh => 12_usize,
    };
    let comparison = |op: CmpOp| match op {
        CmpOp::Eq => 0,
        CmpOp::Ne => 1,
        CmpOp::Gt => 2,
        CmpOp::Ge => 3,
        CmpOp::Lt => 4,
        CmpOp::Le => 5,
        CmpOp::Sgt => 6,
        CmpOp::Sge => 7,
        CmpOp::Slt => 8,
        CmpOp::Sle => 9,
        CmpOp::Set => 10_usize,
    };
    assert_eq!(AluOp::ALL.map(alu), core::array::from_fn(|place| place));
    assert_eq!(CmpOp::ALL.map(comparison), core::array::from_fn(|place| place));
}
