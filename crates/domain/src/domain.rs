//! The face of a number domain: what a verifier asks of whatever stands for a set of 64-bit words.

use core::fmt::Debug;

use crate::known::{Conflict, Contradiction, Known};
use crate::scalar::{AluOp, Branch, ByteOrder, CmpOp, Fork, Scalar, Width};
use crate::tnum::Tnum;
use crate::views::Views;

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
/// x ∈ γ(a), y ∈ γ(b)         ⟹  x ± y ∈ γ of the settled sum; x − a.fixed() ∈ γ(a.varying())
/// ```
///
/// What is provided computes with the required methods, and so obeys the laws; an implementor whose kernel does otherwise says how.
pub trait Domain: Views + Debug + 'static {
    /// Constants that a pointer is moved by are kept apart from what varies: [`Domain::fixed`] may be other than zero.
    const KEEPS_CONSTANTS_APART: bool = false;

    /// Every word.
    fn unknown() -> Self;
    /// The one word `value`.
    fn constant(value: u64) -> Self;
    /// `word` is a member.
    fn contains(&self, word: u64) -> bool;
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

    /// Every word from `min` to `max`, signed, whose low half lies between theirs.
    fn between(_min: i64, _max: i64) -> Self {
        Self::unknown()
    }
    /// At least these words, and the bounds say nothing that the known bits do not: what is left of a number that contradicts itself.
    fn forget_ranges(self) -> Self {
        Self::unknown()
    }
    /// The number split in two, if it lies between minus one and zero, as a whole or in its low half, and the domain has something to say of the
    /// parts: every member is in one of them.
    fn fork(&self) -> Option<Fork<Self>> {
        None
    }
    /// The low half, zero-extended.
    fn zero_extended(self) -> Self {
        Self::truncate(4, self)
    }
    /// Plus a constant, at a width: a number that is linked to this one.
    fn offset_by(self, delta: i64, width: Width) -> Self {
        Self::alu(AluOp::Add, width, self, Self::constant(delta as u64))
    }

    /// The offset of a pointer that was made `off` bytes into its region.
    fn placed(off: i64) -> Self {
        Self::constant(off as u64)
    }
    /// The constant kept apart; zero for numbers that are not offsets of pointers.
    fn fixed(&self) -> i64 {
        0
    }
    /// Without that constant.
    fn varying(&self) -> Self {
        *self
    }
    /// Where the set begins: moves with the set by constants, so that the distance of two offsets with one varying part can be told.
    fn anchor(&self) -> u64 {
        self.smin() as u64
    }
    /// The offset of a pointer after `pointer += delta`, or `-=` if `subtracts`, before [`Domain::settled`]: rules are asked of it.
    fn moved(self, delta: Self, subtracts: bool) -> Self {
        Self::alu(if subtracts { AluOp::Sub } else { AluOp::Add }, Width::W64, self, delta)
    }
    /// The same, reduced. `keeps_bounds`: the pointer is one into a packet that keeps its id or its proven range. Bounds of such a pointer are
    /// compared with bounds that were proven for another of the same id, so that its known bits must not narrow them.
    fn settled(self, _keeps_bounds: bool) -> Self {
        self
    }
    /// Plus a constant; adding zero changes nothing.
    fn add_const(self, delta: i64) -> Self {
        if delta == 0 { self } else { self.moved(Self::constant(delta as u64), false).settled(true) }
    }

    /// What is known of the number, for reports.
    fn known(&self) -> Known {
        Known::of(self)
    }
    /// What contradicts what in a number that is not [`Domain::is_consistent`], for reports.
    fn contradiction(&self) -> Contradiction {
        Contradiction { between: Conflict::Ranges, views: self.known(), arcs: None }
    }
}

/// Linux since 7.2: known bits and two circular ranges.
impl Domain for Scalar<u64> {
    #[inline]
    fn unknown() -> Self {
        Self::unknown()
    }
    #[inline]
    fn constant(value: u64) -> Self {
        Self::constant(value)
    }
    #[inline]
    fn contains(&self, word: u64) -> bool {
        self.contains(word)
    }
    #[inline]
    fn is_consistent(&self) -> bool {
        self.is_consistent()
    }
    #[inline]
    fn includes(&self, other: &Self) -> bool {
        self.includes(other)
    }
    #[inline]
    fn join(&self, other: &Self) -> Self {
        self.join(other)
    }
    #[inline]
    fn meet(&self, other: &Self) -> Option<Self> {
        self.meet(other)
    }
    #[inline]
    fn widen(&self, other: &Self) -> Self {
        self.widen(other)
    }
    #[inline]
    fn alu(op: AluOp, width: Width, dst: Self, src: Self) -> Self {
        Self::alu(op, width, dst, src)
    }
    #[inline]
    fn neg(width: Width, dst: Self) -> Self {
        Self::neg(width, dst)
    }
    #[inline]
    fn byte_order(op: ByteOrder, bytes: u32, number: Self) -> Self {
        Self::byte_order(op, bytes, number)
    }
    #[inline]
    fn truncate(bytes: u32, number: Self) -> Self {
        Self::truncate(bytes, number)
    }
    #[inline]
    fn sign_extend(from_bytes: u32, width: Width, number: Self) -> Self {
        match width {
            Width::W32 => Self::sign_extend_subreg(from_bytes, number),
            Width::W64 => Self::sign_extend(from_bytes, number),
        }
    }
    #[inline]
    fn branch(op: CmpOp, width: Width, a: Self, b: Self, same_register: bool) -> Branch<Self> {
        Self::branch(op, width, a, b, same_register)
    }
    #[inline]
    fn refine(op: CmpOp, width: Width, outcome: bool, a: Self, b: Self) -> Option<(Self, Self)> {
        Self::refine(op, width, outcome, a, b)
    }
    #[inline]
    fn between(min: i64, max: i64) -> Self {
        Self::unknown().with_srange(min, max)
    }
    #[inline]
    fn forget_ranges(self) -> Self {
        self.forget_ranges()
    }
    #[inline]
    fn fork(&self) -> Option<Fork<Self>> {
        self.fork()
    }
    #[inline]
    fn zero_extended(self) -> Self {
        self.zero_extend_subreg().synced()
    }
    #[inline]
    fn offset_by(self, delta: i64, width: Width) -> Self {
        self.offset_by(delta, width)
    }
    #[inline]
    fn anchor(&self) -> u64 {
        self.wide.base
    }
    #[inline]
    fn moved(self, delta: Self, subtracts: bool) -> Self {
        if subtracts { self.minus(delta) } else { self.plus(delta) }
    }
    #[inline]
    fn settled(self, keeps_bounds: bool) -> Self {
        Self::moved(self, keeps_bounds)
    }
    #[inline]
    fn add_const(self, delta: i64) -> Self {
        self.add_const(delta)
    }
    fn contradiction(&self) -> Contradiction {
        let Self { tnum: _, wide, low } = *self;
        let between = if self.is_empty() {
            Conflict::Ranges
        } else if self.as_const().is_some_and(|value| !wide.is_const() || wide.base != value) {
            Conflict::Constant
        } else {
            Conflict::LowConstant
        };
        Contradiction { between, views: self.known(), arcs: Some((wide, low)) }
    }
}

/// The views are those of the ranges and the known bits.
impl Views for Scalar<u64> {
    #[inline]
    fn bits(&self) -> Tnum<u64> {
        self.tnum()
    }
    #[inline]
    fn unsigned(&self) -> (u64, u64) {
        (self.umin(), self.umax())
    }
    #[inline]
    fn signed(&self) -> (i64, i64) {
        (self.smin(), self.smax())
    }
    #[inline]
    fn unsigned_low(&self) -> (u32, u32) {
        (self.u32_min(), self.u32_max())
    }
    #[inline]
    fn signed_low(&self) -> (i32, i32) {
        (self.s32_min(), self.s32_max())
    }
    #[inline]
    fn umin(&self) -> u64 {
        self.umin()
    }
    #[inline]
    fn umax(&self) -> u64 {
        self.umax()
    }
    #[inline]
    fn smin(&self) -> i64 {
        self.smin()
    }
    #[inline]
    fn smax(&self) -> i64 {
        self.smax()
    }
}
