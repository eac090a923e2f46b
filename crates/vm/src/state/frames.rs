//! The frames of a state, as one row.

use alloc::rc::Rc;
use core::iter::{Chain, Once, once};
use core::slice::Iter;

use super::Frame;

/// The callers' frames, and then the innermost.
type InOrder<'a, D> = Chain<Iter<'a, Rc<Frame<D>>>, Once<&'a Rc<Frame<D>>>>;

/// The frames of a state, the entry function's first. There is one at least.
#[derive(Debug)]
pub struct Frames<'a, D> {
    callers: &'a [Rc<Frame<D>>],
    top: &'a Rc<Frame<D>>,
}

impl<D> Clone for Frames<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for Frames<'_, D> {}

impl<'a, D> Frames<'a, D> {
    pub(super) const fn new(callers: &'a [Rc<Frame<D>>], top: &'a Rc<Frame<D>>) -> Self {
        Self { callers, top }
    }

    /// How many they are, never zero.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is one at least")]
    pub const fn len(&self) -> usize {
        self.callers.len() + 1
    }

    /// The frame at this index.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&'a Rc<Frame<D>>> {
        self.callers.get(index).or_else(|| (index == self.callers.len()).then_some(self.top))
    }

    /// One after the other.
    pub fn iter(&self) -> InOrder<'a, D> {
        self.callers.iter().chain(once(self.top))
    }
}

impl<'a, D> IntoIterator for Frames<'a, D> {
    type Item = &'a Rc<Frame<D>>;
    type IntoIter = InOrder<'a, D>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
