//! Which frame's stack a value points into, and where.
//!
//! ```text
//!            one of these frames, anywhere
//!          ╱                              ╲
//!    frame f, anywhere              frame g, anywhere
//!          │                               │
//!    frame f, 1 to 4 offsets        frame g, 1 to 4 offsets
//!          ╲                              ╱
//!                       none
//! ```
//!
//! Joining an exact pointer with none does not forget the pointer: its memory may be read through it. But it must no longer count as
//! written, so a second offset, zero, is put beside a single one.

/// Offsets that a value distinguishes.
const MOST: usize = 4;

/// Byte offsets from a frame pointer, sorted, at most four.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(crate) struct Offsets {
    len: u8,
    /// Zero beyond `len`.
    at: [i16; MOST],
}

impl Offsets {
    pub(crate) const fn single(off: i16) -> Self {
        Self { len: 1, at: [off, 0, 0, 0] }
    }

    pub(crate) fn as_slice(&self) -> &[i16] {
        self.at.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Those of both; [`None`] where they are too many.
    fn union(&self, other: &Self) -> Option<Self> {
        let mut union = *self;
        for &off in other.as_slice() {
            let place = union.as_slice().partition_point(|&own| own < off);
            if union.as_slice().get(place) == Some(&off) {
                continue;
            }
            if usize::from(union.len) == MOST {
                return None;
            }
            union.at.get_mut(place..=usize::from(union.len))?.rotate_right(1);
            *union.at.get_mut(place)? = off;
            union.len += 1;
        }
        Some(union)
    }

    /// All moved by `delta`; [`None`] where one leaves 16 bits.
    pub(crate) fn shifted(&self, delta: i64) -> Option<Self> {
        let delta = i16::try_from(delta).ok()?;
        let mut shifted = *self;
        for off in shifted.at.iter_mut().take(usize::from(self.len)) {
            *off = off.checked_add(delta)?;
        }
        Some(shifted)
    }
}

/// What is known of a value as a pointer into a stack (`struct arg_track`, Linux 7.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub(crate) enum Track {
    /// It does not come from a frame pointer.
    #[default]
    None,
    /// It points into this frame's stack, at one of these offsets, or anywhere.
    Frame {
        /// The frame, zero for the outermost that is analysed.
        frame: u8,
        /// Offsets from its frame pointer; [`None`] where they are not known.
        offs: Option<Offsets>,
    },
    /// It comes from the pointers of some of these frames.
    Mixed {
        /// One bit each.
        frames: u32,
    },
}

impl Track {
    /// Exactly this place.
    pub(crate) const fn exact(frame: u8, off: i16) -> Self {
        Self::Frame { frame, offs: Some(Offsets::single(off)) }
    }

    /// Anything that the frames up to this depth can hold.
    pub(crate) const fn any_up_to(depth: u8) -> Self {
        Self::Mixed { frames: u32::MAX >> (31 - (depth & 31)) }
    }

    pub(crate) fn is_pointer(&self) -> bool {
        *self != Self::None
    }

    /// One bit for each frame that it may point into.
    pub(crate) const fn frames(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Frame { frame, .. } => 1 << (frame & 31),
            Self::Mixed { frames } => frames,
        }
    }

    /// What holds where one or the other does.
    pub(crate) fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, Self::None) => Self::None,
            (Self::Frame { frame, offs }, Self::Frame { frame: other, offs: others }) if frame == other => {
                Self::Frame { frame, offs: offs.zip(others).and_then(|(offs, others)| offs.union(&others)) }
            }
            (Self::Frame { frame, offs }, Self::None) | (Self::None, Self::Frame { frame, offs }) => match offs {
                Some(single) if single.len == 1 => Self::Frame { frame, offs: single.union(&Offsets::single(0)) },
                Some(_) | None => Self::Frame { frame, offs },
            },
            (Self::None | Self::Frame { .. } | Self::Mixed { .. }, _) => {
                Self::Mixed { frames: self.frames() | other.frames() }
            }
        }
    }

    /// Moved by a constant.
    pub(crate) fn shifted(self, delta: i64) -> Self {
        match self {
            Self::Frame { frame, offs } => Self::Frame { frame, offs: offs.and_then(|offs| offs.shifted(delta)) },
            Self::None | Self::Mixed { .. } => self,
        }
    }

    /// The same frame, anywhere.
    pub(crate) const fn anywhere(self) -> Self {
        match self {
            Self::Frame { frame, .. } => Self::Frame { frame, offs: None },
            Self::None | Self::Mixed { .. } => self,
        }
    }

    /// The result of 64-bit arithmetic on two values (`arg_track_alu64`).
    pub(crate) fn combined(self, other: Self) -> Self {
        match (self, other) {
            (Self::Frame { frame, .. }, Self::None) | (Self::None, Self::Frame { frame, .. }) => {
                Self::Frame { frame, offs: None }
            }
            (Self::Frame { frame, .. }, Self::Frame { frame: other, .. }) if frame == other => {
                Self::Frame { frame, offs: None }
            }
            (Self::None, Self::None) => Self::None,
            (Self::None | Self::Frame { .. } | Self::Mixed { .. }, _) => {
                Self::Mixed { frames: self.frames() | other.frames() }
            }
        }
    }
}
