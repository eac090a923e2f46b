//! Offsets: constants added to a number, numbers added to a pointer.

use super::{Scalar, Width};
use crate::arc::Arc;
use crate::word::Double;

impl<W: Double> Scalar<W> {
    /// Plus a constant, at a width. (`sync_linked_regs`)
    #[inline(always)]
    pub(crate) fn displaced(self, delta: W, width: Width) -> Self {
        self.plus(Self::exactly(delta)).completed(width)
    }

    /// The offset of a pointer moved by `delta`; `keeps_bounds` as of [`Scalar::pointer_add`].
    #[inline(always)]
    pub(crate) fn moved(sum: Self, keeps_bounds: bool) -> Self {
        let moved = Self { low: Arc::full(), ..sum };
        if keeps_bounds { moved.with_low_narrowed_by_bits() } else { moved.synced() }
    }
}

impl Scalar<u64> {
    /// This number where a number linked to it, `delta` away, is `self`: what `self + delta` is known to be. (`sync_linked_regs`)
    ///
    /// A 32-bit link wraps in the low half.
    #[inline]
    pub fn offset_by(self, delta: i64, width: Width) -> Self {
        self.displaced(delta as u64, width)
    }

    /// Plus a constant; adding zero changes nothing, not even by reduction. (`add_scalar_to_reg`)
    #[inline]
    pub fn add_const(self, delta: i64) -> Self {
        if delta == 0 { self } else { self.displaced(delta as u64, Width::W64) }
    }

    /// The offset of a pointer after `pointer += delta`. (`adjust_ptr_min_max_vals`)
    ///
    /// `packet`: the pointer is one into a packet that keeps its id or its proven range. Bounds of such a pointer are compared with bounds that
    /// were proven for another of the same id, so that its known bits must not narrow them.
    #[inline]
    pub fn pointer_add(off: Self, delta: Self, packet: bool) -> Self {
        Self::moved(off.plus(delta), packet)
    }

    /// The offset of a pointer after `pointer -= delta`; `packet` as of [`Scalar::pointer_add`].
    #[inline]
    pub fn pointer_sub(off: Self, delta: Self, packet: bool) -> Self {
        Self::moved(off.minus(delta), packet)
    }

    /// A constant whose range is not that constant: the bounds come from a path that cannot be, and a pointer moved by it is not a pointer any
    /// more. (`adjust_ptr_min_max_vals`)
    #[inline]
    pub fn has_invalid_bounds(&self) -> bool {
        let split = self.smin() != self.smax() || self.umin() != self.umax();
        (self.as_const().is_some() && split) || self.smin() > self.smax() || self.umin() > self.umax()
    }
}
