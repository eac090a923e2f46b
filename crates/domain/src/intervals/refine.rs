//! Refinement: what the outcome of a comparison says about its operands.

use super::{Bounds, Intervals};
use crate::scalar::{CmpOp, Relation, Width, relation};
use crate::tnum::Tnum;
use crate::word::{Choose, Double, Word, case};

/// Bits and intervals at the width that is compared.
#[derive(Clone, Copy, Debug)]
struct Lane<W> {
    tnum: Tnum<W>,
    bounds: Bounds<W>,
}

impl<W: Word> Choose<W::Truth> for Lane<W> {
    #[inline(always)]
    fn select(condition: W::Truth, yes: Self, no: Self) -> Self {
        Self {
            tnum: Tnum::select(condition, yes.tnum, no.tnum),
            bounds: Bounds::select(condition, yes.bounds, no.bounds),
        }
    }
}

impl<W: Word> Lane<W> {
    /// Both narrowed by a relation that holds between them.
    ///
    /// An ordering moves an end of the lesser operand first; the greater one's other end then follows what is left of it. The other reading's
    /// interval is left to the reduction.
    #[inline(always)]
    fn related(relation: Relation, a: Self, b: Self) -> (Self, Self) {
        let (one, zero, ones) = (W::one(), W::zero(), W::ones());
        let (least, greatest) = (W::signed_min(), W::signed_max());
        let unsigned = |lane: Self, min, max| Self { bounds: lane.bounds.cut_unsigned(min, max), ..lane };
        let signed = |lane: Self, min, max| Self { bounds: lane.bounds.cut_signed(min, max), ..lane };
        match relation {
            Relation::Equal => {
                let both = Self { tnum: a.tnum.meet(b.tnum), bounds: a.bounds.meet(b.bounds) };
                (both, both)
            }
            Relation::Different => {
                Self::beside_constant(a, b, |a, value| Self { bounds: a.bounds.without(value), ..a })
            }
            Relation::Below => {
                let a = unsigned(a, zero, b.bounds.umax.wrapping_sub(one));
                (a, unsigned(b, a.bounds.umin.wrapping_add(one), ones))
            }
            Relation::AtMost => {
                let a = unsigned(a, zero, b.bounds.umax);
                (a, unsigned(b, a.bounds.umin, ones))
            }
            Relation::Less => {
                let a = signed(a, least, b.bounds.smax.wrapping_sub(one));
                (a, signed(b, a.bounds.smin.wrapping_add(one), greatest))
            }
            Relation::LessOrEqual => {
                let a = signed(a, least, b.bounds.smax);
                (a, signed(b, a.bounds.smin, greatest))
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

impl<W: Double> Intervals<W> {
    /// Both operands, narrowed by the outcome of comparing them. (`regs_refine_cond_op`, without the reduction that follows it)
    #[inline]
    pub fn narrowed(op: CmpOp, width: Width, outcome: bool, a: Self, b: Self) -> (Self, Self) {
        let (relation, reversed) = relation(op, outcome);
        let (a, b) = Self::forgetful(relation, width, a, b);
        let (lesser, greater) = if reversed { (b, a) } else { (a, b) };
        let (lesser, greater) = match width {
            Width::W32 => {
                let (x, y) = Lane::related(relation, lesser.low_lane(), greater.low_lane());
                (lesser.with_low_lane(x), greater.with_low_lane(y))
            }
            Width::W64 => {
                let (x, y) = Lane::related(relation, lesser.wide_lane(), greater.wide_lane());
                (lesser.with_wide_lane(x), greater.with_wide_lane(y))
            }
        };
        if reversed { (greater, lesser) } else { (lesser, greater) }
    }

    /// Where bits are about to be cleared, the intervals of that operand are forgotten first, and remade from the bits by the reduction.
    #[inline(always)]
    fn forgetful(relation: Relation, width: Width, a: Self, b: Self) -> (Self, Self) {
        let constant = |number: Self| match width {
            Width::W32 => number.tnum.low().is_const(),
            Width::W64 => number.tnum.is_const(),
        };
        match relation {
            Relation::Misses => case! {
                constant(b) => (a.forget_bounds(), b),
                constant(a) => (a, b.forget_bounds()),
                _ => (a, b),
            },
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
        Lane { tnum: self.tnum, bounds: self.wide }
    }
    #[inline(always)]
    fn low_lane(self) -> Lane<W::Half> {
        Lane { tnum: self.tnum.low(), bounds: self.low }
    }
    #[inline(always)]
    fn with_wide_lane(self, Lane { tnum, bounds }: Lane<W>) -> Self {
        Self { tnum, wide: bounds, low: self.low }
    }
    #[inline(always)]
    fn with_low_lane(self, Lane { tnum, bounds }: Lane<W::Half>) -> Self {
        Self { tnum: self.tnum.with_low(tnum), wide: self.wide, low: bounds }
    }

    /// Both operands narrowed and reduced. (`reg_set_min_max`)
    #[inline]
    pub fn narrowed_and_synced(op: CmpOp, width: Width, outcome: bool, a: Self, b: Self) -> (Self, Self) {
        let (a, b) = Self::narrowed(op, width, outcome, a, b);
        (a.synced(), b.synced())
    }
}
