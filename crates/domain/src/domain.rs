//! The face of a number domain: what a verifier asks of whatever stands for a set of 64-bit words.

use core::fmt::Debug;

use crate::scalar::{AluOp, Branch, ByteOrder, CmpOp, Scalar, Width};
use crate::tnum::Tnum;

/// Sets of 64-bit words, with order, join, meet, transfer and refinement.
///
/// Let γ(a) be the words that [`Domain::contains`] tells. The laws, each of them a function of [`crate::laws`]:
///
/// ```text
/// a.includes(b)              ⟹  γ(b) ⊆ γ(a)
/// γ(a) ∪ γ(b)                ⊆  γ(a.join(b)), γ(a.widen(b))
/// γ(a) ∩ γ(b)                ⊆  γ(a.meet(b)), and empty when there is no meet
/// x ∈ γ(a), y ∈ γ(b)         ⟹  x op y ∈ γ(alu(op, a, b))
/// x ∈ γ(a), y ∈ γ(b), x op y ⟹  x, y ∈ γ of the refined operands, and likewise where not x op y
/// a, widen(a, b), …            is soon constant
/// ```
pub trait Domain: Copy + PartialEq + Debug {
    /// Every word.
    fn unknown() -> Self;
    /// The one word `value`.
    fn constant(value: u64) -> Self;
    /// `word` is a member.
    fn contains(&self, word: u64) -> bool;
    /// The word, if there is but one and the domain knows it.
    fn as_const(&self) -> Option<u64>;
    /// Bounds as unsigned numbers.
    fn unsigned(&self) -> (u64, u64);
    /// Bounds as signed numbers.
    fn signed(&self) -> (i64, i64);
    /// Bounds of the low half as unsigned numbers.
    fn unsigned_low(&self) -> (u32, u32);
    /// Bounds of the low half as signed numbers.
    fn signed_low(&self) -> (i32, i32);
    /// The known bits.
    fn bits(&self) -> Tnum<u64>;
    /// The set is not plainly contradictory.
    fn is_consistent(&self) -> bool;

    /// Order: every member of `other` is a member.
    fn includes(&self, other: &Self) -> bool;
    /// Both.
    fn join(&self, other: &Self) -> Self;
    /// The common members, or nothing.
    fn meet(&self, other: &Self) -> Option<Self>;
    /// Both, in a chain that ends.
    fn widen(&self, other: &Self) -> Self;

    /// `dst op src`.
    fn alu(op: AluOp, width: Width, dst: Self, src: Self) -> Self;
    /// `-dst`.
    fn neg(width: Width, dst: Self) -> Self;
    /// The low `bytes` bytes in another byte order.
    fn byte_order(op: ByteOrder, bytes: u32, number: Self) -> Self;
    /// The low `bytes` bytes, zero-extended.
    fn truncate(bytes: u32, number: Self) -> Self;
    /// The low `from_bytes` bytes, sign-extended to a width, and zero-extended from there.
    fn sign_extend(from_bytes: u32, width: Width, number: Self) -> Self;
    /// Which way `a op b` comes out, and the operands on each way.
    fn branch(op: CmpOp, width: Width, a: Self, b: Self, same_register: bool) -> Branch<Self>;
    /// The operands where `a op b` came out as `outcome`, or nothing if it cannot.
    fn refine(op: CmpOp, width: Width, outcome: bool, a: Self, b: Self) -> Option<(Self, Self)>;
}

/// Linux since 7.2: known bits and two circular ranges.
impl Domain for Scalar<u64> {
    fn unknown() -> Self {
        Self::unknown()
    }
    fn constant(value: u64) -> Self {
        Self::constant(value)
    }
    fn contains(&self, word: u64) -> bool {
        self.contains(word)
    }
    fn as_const(&self) -> Option<u64> {
        self.as_const()
    }
    fn unsigned(&self) -> (u64, u64) {
        (self.umin(), self.umax())
    }
    fn signed(&self) -> (i64, i64) {
        (self.smin(), self.smax())
    }
    fn unsigned_low(&self) -> (u32, u32) {
        (self.u32_min(), self.u32_max())
    }
    fn signed_low(&self) -> (i32, i32) {
        (self.s32_min(), self.s32_max())
    }
    fn bits(&self) -> Tnum<u64> {
        self.tnum()
    }
    fn is_consistent(&self) -> bool {
        self.is_consistent()
    }
    fn includes(&self, other: &Self) -> bool {
        self.includes(other)
    }
    fn join(&self, other: &Self) -> Self {
        self.join(other)
    }
    fn meet(&self, other: &Self) -> Option<Self> {
        self.meet(other)
    }
    fn widen(&self, other: &Self) -> Self {
        self.widen(other)
    }
    fn alu(op: AluOp, width: Width, dst: Self, src: Self) -> Self {
        Self::alu(op, width, dst, src)
    }
    fn neg(width: Width, dst: Self) -> Self {
        Self::neg(width, dst)
    }
    fn byte_order(op: ByteOrder, bytes: u32, number: Self) -> Self {
        Self::byte_order(op, bytes, number)
    }
    fn truncate(bytes: u32, number: Self) -> Self {
        Self::truncate(bytes, number)
    }
    fn sign_extend(from_bytes: u32, width: Width, number: Self) -> Self {
        match width {
            Width::W32 => Self::sign_extend_subreg(from_bytes, number),
            Width::W64 => Self::sign_extend(from_bytes, number),
        }
    }
    fn branch(op: CmpOp, width: Width, a: Self, b: Self, same_register: bool) -> Branch<Self> {
        Self::branch(op, width, a, b, same_register)
    }
    fn refine(op: CmpOp, width: Width, outcome: bool, a: Self, b: Self) -> Option<(Self, Self)> {
        Self::refine(op, width, outcome, a, b)
    }
}
