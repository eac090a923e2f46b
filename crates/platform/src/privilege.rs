//! What the loader of a program is trusted with.

/// The capabilities of whoever loads the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Privilege {
    /// `CAP_BPF`: loops, subprograms, precision tracking, programs beyond 4096 instructions.
    pub bpf: bool,
    /// `CAP_PERFMON`: pointer leaks and arithmetic, uninitialised stack, no speculation checks; tracing programs.
    pub perfmon: bool,
    /// `CAP_NET_ADMIN`: most networking program types.
    pub net_admin: bool,
    /// `CAP_SYS_ADMIN`, which implies the others.
    pub sys_admin: bool,
}

impl Privilege {
    /// Everything.
    pub const FULL: Self = Self { bpf: true, perfmon: true, net_admin: true, sys_admin: true };
    /// Nothing: an ordinary user where `unprivileged_bpf_disabled` is 0.
    pub const NONE: Self = Self { bpf: false, perfmon: false, net_admin: false, sys_admin: false };

    /// Whether pointers may be leaked into scalars and memory (`allow_ptr_leaks`).
    #[must_use]
    pub const fn may_leak_pointers(self) -> bool {
        self.perfmon
    }

    /// Whether stack bytes may be read that were never written (`allow_uninit_stack`).
    #[must_use]
    pub const fn may_read_uninit_stack(self) -> bool {
        self.perfmon
    }

    /// Whether speculative paths are not walked (`bypass_spec_v1`).
    #[must_use]
    pub const fn bypasses_spec_v1(self) -> bool {
        self.perfmon
    }

    /// Whether stores need no barrier against speculative bypass (`bypass_spec_v4`).
    #[must_use]
    pub const fn bypasses_spec_v4(self) -> bool {
        self.perfmon
    }
}
