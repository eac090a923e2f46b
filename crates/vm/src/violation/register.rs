//! A register holds the wrong kind of thing.

use bpfvet_domain::{Contradiction, Known};
use bpfvet_insn::{AluOp, Reg};

use super::Cause;
use crate::value::TypeTag;
use alloc::boxed::Box;

/// Why pointer arithmetic is refused to a loader without privilege.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AluReason {
    /// The offset can be negative and positive.
    MixedSigns,
    /// Pointers of this kind have no bound to mask with.
    Kind,
    /// Two paths ask for different masks at the same instruction.
    Paths,
    /// The pointer leaves its object.
    Limit,
}

/// A register holds the wrong kind of thing for what is done with it.
#[derive(Clone, PartialEq, Debug)]
pub enum RegisterCause {
    /// It is read before anything was written to it.
    Unreadable {
        /// The register.
        reg: Reg,
    },
    /// The frame pointer is written.
    FramePointerWritten,
    /// Arithmetic that pointers do not support at all (negation, byte swap).
    PointerArithmetic {
        /// The register.
        reg: Reg,
    },
    /// 32-bit arithmetic on a pointer.
    PointerArithmetic32 {
        /// The destination.
        reg: Reg,
        /// What it is.
        tag: TypeTag,
    },
    /// Arithmetic on a pointer that may be null.
    PointerArithmeticOnNullable {
        /// The destination.
        reg: Reg,
        /// What it is.
        tag: TypeTag,
    },
    /// Arithmetic on a kind of pointer that allows none.
    PointerArithmeticOnKind {
        /// The destination.
        reg: Reg,
        /// What it is.
        tag: TypeTag,
    },
    /// Arithmetic between two pointers.
    PointerPointer {
        /// The destination.
        reg: Reg,
        /// The operation.
        op: AluOp,
    },
    /// An operator that would destroy a pointer.
    PointerOperator {
        /// The destination.
        reg: Reg,
        /// The operation.
        op: AluOp,
        /// Whether it is a bitwise one (and, or, exclusive or).
        bitwise: bool,
    },
    /// A pointer is subtracted from a number.
    PointerFromScalar {
        /// The destination.
        reg: Reg,
    },
    /// Something is subtracted from a stack pointer.
    StackPointerSubtraction {
        /// The destination.
        reg: Reg,
    },
    /// The number added to a pointer is a constant beyond the limit.
    OffsetConstantTooLarge {
        /// What the pointer is.
        tag: TypeTag,
        /// The constant.
        value: i64,
    },
    /// The number added to a pointer has no lower bound.
    OffsetUnbounded {
        /// What the pointer is.
        tag: TypeTag,
        /// What is known of the number.
        offset: Box<Known>,
    },
    /// The number added to a pointer can be beyond the limit.
    OffsetTooLarge {
        /// What the pointer is.
        tag: TypeTag,
        /// Its lowest value.
        smin: i64,
    },
    /// The pointer's offset is, or would become, larger than the limit.
    PointerOffsetTooLarge {
        /// What the pointer is.
        tag: TypeTag,
        /// The offset, or its lowest value.
        offset: i64,
    },
    /// Part of a pointer is sign-extended.
    SignExtendsPointer {
        /// The register.
        reg: Reg,
    },
    /// The low half of a pointer is copied.
    PartialPointerCopy {
        /// The register.
        reg: Reg,
    },
    /// A pointer is compared where that would tell its value.
    PointerComparison {
        /// The register.
        reg: Reg,
    },
    /// Pointer arithmetic that could be used to speculate, without privilege.
    SpeculativeArithmetic {
        /// The register that the kernel names.
        reg: Reg,
        /// Whether the operation is an addition (a subtraction otherwise).
        adds: bool,
        /// Why.
        reason: AluReason,
    },
    /// A stack pointer with a variable offset, without privilege.
    VariableStackPointer {
        /// The register.
        reg: Reg,
        /// Its offset.
        offset: Box<Known>,
        /// The constant part of it.
        off: i64,
    },
    /// A stack pointer that leaves the stack, without privilege.
    StackPointerOutOfRange {
        /// The register.
        reg: Reg,
        /// Its offset.
        off: i64,
    },
    /// A map value pointer that leaves the value, without privilege.
    MapValuePointerOutOfRange {
        /// The register.
        reg: Reg,
        /// The bounds check that failed.
        inner: Box<Cause>,
    },
    /// An address-space cast without an arena.
    CastWithoutArena,
    /// Division by the constant zero.
    DivisionByZero,
    /// A constant shift by more than the width.
    InvalidShift {
        /// The amount.
        amount: i32,
    },
    /// The views of a number contradict each other, where the loader asked that this be an error.
    ContradictoryScalar {
        /// What the kernel calls the place: `alu`, `true_reg1`, ….
        what: &'static str,
        /// The number.
        num: Box<Contradiction>,
    },
    /// An indirect jump through something that is not a table entry.
    NotAnInstruction {
        /// The register.
        reg: Reg,
        /// What it is.
        tag: TypeTag,
    },
    /// An indirect jump through an entry so far into a table that no table has it.
    TableOffsetTooLarge {
        /// The register.
        reg: Reg,
        /// Whether it is the highest offset that is too large; else already the lowest is.
        highest: bool,
        /// The offset, in bytes.
        offset: u64,
    },
    /// An indirect jump through an entry that the table does not have.
    OutsideTable {
        /// The register.
        reg: Reg,
        /// The first entry that it can be.
        first: u32,
        /// The last one.
        last: u32,
        /// Entries of the table.
        entries: u32,
    },
}

impl RegisterCause {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "register::unreadable",
            Self::FramePointerWritten => "register::frame-pointer-written",
            Self::PointerArithmetic { .. } => "register::pointer-arithmetic",
            Self::PointerArithmetic32 { .. } => "register::pointer-arithmetic-32",
            Self::PointerArithmeticOnNullable { .. } => "register::pointer-arithmetic-on-nullable",
            Self::PointerArithmeticOnKind { .. } => "register::pointer-arithmetic-on-kind",
            Self::PointerPointer { .. } => "register::pointer-pointer",
            Self::PointerOperator { .. } => "register::pointer-operator",
            Self::PointerFromScalar { .. } => "register::pointer-from-scalar",
            Self::StackPointerSubtraction { .. } => "register::stack-pointer-subtraction",
            Self::OffsetConstantTooLarge { .. } => "register::offset-constant-too-large",
            Self::OffsetUnbounded { .. } => "register::offset-unbounded",
            Self::OffsetTooLarge { .. } => "register::offset-too-large",
            Self::PointerOffsetTooLarge { .. } => "register::pointer-offset-too-large",
            Self::SignExtendsPointer { .. } => "register::sign-extends-pointer",
            Self::PartialPointerCopy { .. } => "register::partial-pointer-copy",
            Self::PointerComparison { .. } => "register::pointer-comparison",
            Self::SpeculativeArithmetic { .. } => "register::speculative-arithmetic",
            Self::VariableStackPointer { .. } => "register::variable-stack-pointer",
            Self::StackPointerOutOfRange { .. } => "register::stack-pointer-out-of-range",
            Self::MapValuePointerOutOfRange { .. } => "register::map-value-pointer-out-of-range",
            Self::CastWithoutArena => "register::cast-without-arena",
            Self::DivisionByZero => "register::division-by-zero",
            Self::InvalidShift { .. } => "register::invalid-shift",
            Self::ContradictoryScalar { .. } => "register::contradictory-scalar",
            Self::NotAnInstruction { .. } => "register::not-an-instruction",
            Self::TableOffsetTooLarge { .. } => "register::table-offset-too-large",
            Self::OutsideTable { .. } => "register::outside-table",
        }
    }
}
