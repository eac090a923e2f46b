//! What the walk over the program noted about single instructions.

use core::fmt;

/// What the walk over the control flow noted about one instruction (`insn_aux_data`, Linux 7.3).
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Marks(u8);

impl Marks {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// A checkpoint may stand here, and states that come here may be pruned.
    pub const PRUNE_POINT: Self = Self(1 << 0);
    /// Control comes here from elsewhere than the slot before, so that a history must record it.
    pub const JUMP_POINT: Self = Self(1 << 1);
    /// A checkpoint must stand here.
    pub const FORCE_CHECKPOINT: Self = Self(1 << 2);
    /// It calls a helper that calls back, now and any number of times.
    pub const CALLS_CALLBACK: Self = Self(1 << 3);
    /// A jump, a branch or a call leads here.
    pub const JUMP_TARGET: Self = Self(1 << 4);
    /// Besides going on, it may leave its function at once: a tail call that succeeds, a packet load that fails.
    pub const HIDDEN_EXIT: Self = Self(1 << 5);
    /// It belongs to a pattern of spills and fills around a call that spares registers.
    pub const FASTCALL_PATTERN: Self = Self(1 << 6);

    /// Whether all of `other` is noted.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a checkpoint may stand here.
    #[must_use]
    pub const fn prune_point(self) -> bool {
        self.has(Self::PRUNE_POINT)
    }

    /// Whether a history must record the way here.
    #[must_use]
    pub const fn jump_point(self) -> bool {
        self.has(Self::JUMP_POINT)
    }

    /// Whether a checkpoint must stand here.
    #[must_use]
    pub const fn force_checkpoint(self) -> bool {
        self.has(Self::FORCE_CHECKPOINT)
    }

    /// Whether it calls a helper that calls back synchronously.
    #[must_use]
    pub const fn calls_callback(self) -> bool {
        self.has(Self::CALLS_CALLBACK)
    }

    /// Whether a jump, a branch or a call leads here.
    #[must_use]
    pub const fn jump_target(self) -> bool {
        self.has(Self::JUMP_TARGET)
    }

    /// Whether it may leave its function at once.
    #[must_use]
    pub const fn hidden_exit(self) -> bool {
        self.has(Self::HIDDEN_EXIT)
    }

    /// Whether it belongs to a pattern of spills and fills around a call that spares registers.
    #[must_use]
    pub const fn fastcall_pattern(self) -> bool {
        self.has(Self::FASTCALL_PATTERN)
    }

    pub(crate) const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(Marks, &str); 7] = [
            (Marks::PRUNE_POINT, "prune-point"),
            (Marks::JUMP_POINT, "jump-point"),
            (Marks::FORCE_CHECKPOINT, "force-checkpoint"),
            (Marks::CALLS_CALLBACK, "calls-callback"),
            (Marks::JUMP_TARGET, "jump-target"),
            (Marks::HIDDEN_EXIT, "hidden-exit"),
            (Marks::FASTCALL_PATTERN, "fastcall-pattern"),
        ];
        f.debug_set().entries(NAMES.iter().filter(|(mark, _)| self.has(*mark)).map(|(_, name)| name)).finish()
    }
}
