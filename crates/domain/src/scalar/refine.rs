//! Refinement: what the outcome of a comparison says about its operands.

use super::{Scalar, Width};
use crate::arc::Arc;
use crate::tnum::Tnum;
use crate::word::{Choose, Double, Word, case};

/// A comparison that a conditional jump makes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CmpOp {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater, unsigned.
    Gt,
    /// Greater or equal, unsigned.
    Ge,
    /// Less, unsigned.
    Lt,
    /// Less or equal, unsigned.
    Le,
    /// Greater, signed.
    Sgt,
    /// Greater or equal, signed.
    Sge,
    /// Less, signed.
    Slt,
    /// Less or equal, signed.
    Sle,
    /// A common bit is set.
    Set,
}

impl CmpOp {
    /// Every comparison.
    pub const ALL: [Self; 11] = [
        Self::Eq,
        Self::Ne,
        Self::Gt,
        Self::Ge,
        Self::Lt,
        Self::Le,
        Self::Sgt,
        Self::Sge,
        Self::Slt,
        Self::Sle,
        Self::Set,
    ];
}

/// A relation that holds between two numbers: a comparison together with its outcome, with the lesser operand first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Relation {
    Equal,
    Different,
    /// Unsigned: below, or equal as well.
    Below,
    AtMost,
    /// Signed: less, or equal as well.
    Less,
    LessOrEqual,
    /// A common bit is set, or none is.
    Meets,
    Misses,
}

/// The relation that holds when `op` came out as `outcome`, and whether it holds between the operands the other way round.
pub(crate) const fn relation(op: CmpOp, outcome: bool) -> (Relation, bool) {
    match (op, outcome) {
        (CmpOp::Eq, true) | (CmpOp::Ne, false) => (Relation::Equal, false),
        (CmpOp::Eq, false) | (CmpOp::Ne, true) => (Relation::Different, false),
        (CmpOp::Lt, true) | (CmpOp::Ge, false) => (Relation::Below, false),
        (CmpOp::Le, true) | (CmpOp::Gt, false) => (Relation::AtMost, false),
        (CmpOp::Gt, true) | (CmpOp::Le, false) => (Relation::Below, true),
        (CmpOp::Ge, true) | (CmpOp::Lt, false) => (Relation::AtMost, true),
        (CmpOp::Slt, true) | (CmpOp::Sge, false) => (Relation::Less, false),
        (CmpOp::Sle, true) | (CmpOp::Sgt, false) => (Relation::LessOrEqual, false),
        (CmpOp::Sgt, true) | (CmpOp::Sle, false) => (Relation::Less, true),
        (CmpOp::Sge, true) | (CmpOp::Slt, false) => (Relation::LessOrEqual, true),
        (CmpOp::Set, true) => (Relation::Meets, false),
        (CmpOp::Set, false) => (Relation::Misses, false),
    }
}

/// Bits and range at the width that is compared.
#[derive(Clone, Copy, Debug)]
struct Lane<W> {
    tnum: Tnum<W>,
    arc: Arc<W>,
}

impl<W: Word> Choose<W::Truth> for Lane<W> {
    #[inline(always)]
    fn select(condition: W::Truth, yes: Self, no: Self) -> Self {
        Self { tnum: Tnum::select(condition, yes.tnum, no.tnum), arc: Arc::select(condition, yes.arc, no.arc) }
    }
}

impl<W: Word> Lane<W> {
    #[inline(always)]
    fn cut(self, range: Arc<W>) -> Self {
        Self { arc: self.arc.intersect(range), ..self }
    }

    /// Both narrowed by a relation that holds between them.
    ///
    /// An ordering cuts the lesser operand first; the greater one is then cut by what is left of it.
    #[inline(always)]
    fn related(relation: Relation, a: Self, b: Self) -> (Self, Self) {
        let one = W::one();
        match relation {
            Relation::Equal => {
                let both = Self { tnum: a.tnum.meet(b.tnum), arc: a.arc.intersect(b.arc) };
                (both, both)
            }
            Relation::Different => Self::beside_constant(a, b, |a, value| a.cut(Arc::all_but(value))),
            Relation::Below => {
                let a = a.cut(Arc::from_unsigned(W::zero(), b.arc.umax().wrapping_sub(one)));
                (a, b.cut(Arc::from_unsigned(a.arc.umin().wrapping_add(one), W::ones())))
            }
            Relation::AtMost => {
                let a = a.cut(Arc::from_unsigned(W::zero(), b.arc.umax()));
                (a, b.cut(Arc::from_unsigned(a.arc.umin(), W::ones())))
            }
            Relation::Less => {
                let a = a.cut(Arc::from_signed(W::signed_min(), b.arc.signed_max().wrapping_sub(one)));
                (a, b.cut(Arc::from_signed(a.arc.signed_min().wrapping_add(one), W::signed_max())))
            }
            Relation::LessOrEqual => {
                let a = a.cut(Arc::from_signed(W::signed_min(), b.arc.signed_max()));
                (a, b.cut(Arc::from_signed(a.arc.signed_min(), W::signed_max())))
            }
            // Which of several bits is set cannot be told; a single one can.
            Relation::Meets => Self::beside_constant(a, b, |a, bits| {
                let single = !bits.is_zero() & (bits & bits.wrapping_sub(one)).is_zero();
                Self::select(single, Self { tnum: a.tnum.or(Tnum::exactly(bits)), ..a }, a)
            }),
            Relation::Misses => {
                Self::beside_constant(a, b, |a, bits| Self { tnum: a.tnum.and(Tnum::exactly(!bits)), ..a })
            }
        }
    }

    /// `narrowed` of the operand beside a constant: the first if the second is constant, else the second if the first is.
    #[inline(always)]
    fn beside_constant(a: Self, b: Self, narrowed: impl Fn(Self, W) -> Self) -> (Self, Self) {
        case! {
            b.tnum.is_const() => (narrowed(a, b.tnum.value), b),
            a.tnum.is_const() => (a, narrowed(b, a.tnum.value)),
            _ => (a, b),
        }
    }
}

impl<W: Double> Scalar<W> {
    /// Both operands, narrowed by the outcome of comparing them. (`regs_refine_cond_op`, without the reduction that follows it)
    #[inline]
    pub fn narrowed(op: CmpOp, width: Width, outcome: bool, a: Self, b: Self) -> (Self, Self) {
        let (relation, reversed) = relation(op, outcome);
        let (a, b) = Self::forgetful(relation, width, a, b);
        let narrow = |a: Self, b: Self| match width {
            Width::W32 => {
                let (x, y) = Lane::related(relation, a.low_lane(), b.low_lane());
                (a.with_low_lane(x), b.with_low_lane(y))
            }
            Width::W64 => {
                let (x, y) = Lane::related(relation, a.wide_lane(), b.wide_lane());
                (a.with_wide_lane(x), b.with_wide_lane(y))
            }
        };
        if reversed {
            let (b, a) = narrow(b, a);
            (a, b)
        } else {
            narrow(a, b)
        }
    }

    /// Where bits are about to be cleared, the ranges of that operand are forgotten first, and remade from the bits by the reduction.
    #[inline(always)]
    fn forgetful(relation: Relation, width: Width, a: Self, b: Self) -> (Self, Self) {
        match relation {
            Relation::Misses => {
                let constant = |scalar: Self| match width {
                    Width::W32 => scalar.tnum.low().is_const(),
                    Width::W64 => scalar.tnum.is_const(),
                };
                case! {
                    constant(b) => (a.forget_ranges(), b),
                    constant(a) => (a, b.forget_ranges()),
                    _ => (a, b),
                }
            }
            Relation::Equal
            | Relation::Different
            | Relation::Below
            | Relation::AtMost
            | Relation::Less
            | Relation::LessOrEqual
            | Relation::Meets => (a, b),
        }
    }

    #[inline(always)]
    fn wide_lane(self) -> Lane<W> {
        Lane { tnum: self.tnum, arc: self.wide }
    }
    #[inline(always)]
    fn low_lane(self) -> Lane<W::Half> {
        Lane { tnum: self.tnum.low(), arc: self.low }
    }
    #[inline(always)]
    fn with_wide_lane(self, Lane { tnum, arc }: Lane<W>) -> Self {
        Self { tnum, wide: arc, low: self.low }
    }
    #[inline(always)]
    fn with_low_lane(self, Lane { tnum, arc }: Lane<W::Half>) -> Self {
        Self { tnum: self.tnum.with_low(tnum), wide: self.wide, low: arc }
    }
}

impl Scalar<u64> {
    /// Both operands where comparing them came out as `outcome`; nothing if that cannot be.
    #[inline]
    pub fn refine(op: CmpOp, width: Width, outcome: bool, a: Self, b: Self) -> Option<(Self, Self)> {
        let (a, b) = Self::narrowed(op, width, outcome, a, b);
        // The reduction leaves what is empty as it is.
        if a.is_empty() || b.is_empty() {
            return None;
        }
        let (a, b) = (a.synced(), b.synced());
        (!a.is_empty() && !b.is_empty()).then_some((a, b))
    }
}
