//! Ranges that are known from elsewhere: the result of a helper, an argument's prototype.

use super::Scalar;
use crate::arc::Arc;
use crate::word::Double;

impl<W: Double> Scalar<W> {
    /// Both ranges cut to `min..=max`, signed; not reduced.
    #[inline]
    pub fn clamped(self, min: W::Half, max: W::Half) -> Self {
        Self {
            tnum: self.tnum,
            wide: self.wide.clamped(W::sign_extended(min), W::sign_extended(max)),
            low: self.low.clamped(min, max),
        }
    }
}

impl Scalar<u64> {
    /// The ranges of the word and of the low half replaced by `min..=max`, signed, and reduced. (`do_refine_retval_range`)
    #[inline]
    pub fn with_srange(self, min: i64, max: i64) -> Self {
        let (wide, low) = (Arc::<u64>::from_srange(min, max), Arc::<u32>::from_srange(min as i32, max as i32));
        Self { tnum: self.tnum, wide, low }.synced()
    }
    /// The ranges of the word and of the low half replaced by `min..=max`, unsigned, and reduced. (`do_refine_retval_range`)
    #[inline]
    pub fn with_urange(self, min: u64, max: u64) -> Self {
        let (wide, low) = (Arc::<u64>::from_urange(min, max), Arc::<u32>::from_urange(min as u32, max as u32));
        Self { tnum: self.tnum, wide, low }.synced()
    }
    /// Both ranges cut to `min..=max`, and reduced. (`__mark_reg_s32_range`)
    #[inline]
    pub fn with_s32_range(self, min: i32, max: i32) -> Self {
        self.clamped(min as u32, max as u32).synced()
    }
    /// The range of the word replaced, nothing else. (`reg_set_urange64`, `reg_set_srange64`)
    #[inline]
    pub fn with_arc64(self, wide: Arc<u64>) -> Self {
        Self { wide, ..self }
    }
    /// The range of the low half replaced, nothing else. (`reg_set_urange32`, `reg_set_srange32`)
    #[inline]
    pub fn with_arc32(self, low: Arc<u32>) -> Self {
        Self { low, ..self }
    }
    /// The known bits replaced, nothing else.
    #[inline]
    pub fn with_tnum(self, tnum: crate::Tnum) -> Self {
        Self { tnum, ..self }
    }
}
