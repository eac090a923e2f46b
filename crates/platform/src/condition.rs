//! Conditions: when a row of a table applies to a load.

use crate::{AttachType, LoadRequest};

/// When a row of a table applies. Every part must hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Condition {
    /// Only for these attach types; empty for all.
    pub attach: &'static [AttachType],
    /// Not for these attach types.
    pub not_attach: &'static [AttachType],
    /// Only with `CAP_BPF`.
    pub needs_bpf: bool,
    /// Only with `CAP_PERFMON`.
    pub needs_perfmon: bool,
    /// Only with `CAP_SYS_ADMIN`.
    pub needs_sys_admin: bool,
    /// Only for programs that sleep not.
    pub not_sleeping: bool,
    /// Only for programs that may sleep.
    pub sleeping: bool,
    /// Only for programs that attach to these functions, hooks or structures.
    pub target: Target,
}

/// What the name of the attach target must be. Where the load names none, only [`Target::Any`] holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Target {
    /// Nothing is asked of it.
    #[default]
    Any,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// None of these.
    NoneOf(&'static [&'static str]),
    /// It does not begin so.
    NotBeginning(&'static str),
}

impl Target {
    /// Whether a target of this name will do.
    #[must_use]
    pub fn holds(self, name: Option<&str>) -> bool {
        match (self, name) {
            (Self::Any, _) => true,
            (Self::OneOf(_) | Self::NoneOf(_) | Self::NotBeginning(_), None) => false,
            (Self::OneOf(list), Some(name)) => list.contains(&name),
            (Self::NoneOf(list), Some(name)) => !list.contains(&name),
            (Self::NotBeginning(prefix), Some(name)) => !name.starts_with(prefix),
        }
    }
}

impl Condition {
    /// Always.
    pub const ALWAYS: Self = Self {
        attach: &[],
        not_attach: &[],
        needs_bpf: false,
        needs_perfmon: false,
        needs_sys_admin: false,
        not_sleeping: false,
        sleeping: false,
        target: Target::Any,
    };
    /// With `CAP_BPF`.
    pub const BPF: Self = Self { needs_bpf: true, ..Self::ALWAYS };
    /// With `CAP_PERFMON`.
    pub const PERFMON: Self = Self { needs_perfmon: true, ..Self::ALWAYS };

    /// For these attach types only.
    #[must_use]
    pub const fn attach(list: &'static [AttachType]) -> Self {
        Self { attach: list, ..Self::ALWAYS }
    }

    /// For all attach types but these.
    #[must_use]
    pub const fn not_attach(list: &'static [AttachType]) -> Self {
        Self { not_attach: list, ..Self::ALWAYS }
    }

    /// The same, and only for a target like this.
    #[must_use]
    pub const fn target(self, target: Target) -> Self {
        Self { target, ..self }
    }

    /// The same, and only for programs that may sleep.
    #[must_use]
    pub const fn sleeping(self) -> Self {
        Self { sleeping: true, ..self }
    }

    /// Whether it holds for this load.
    #[must_use]
    pub fn holds(&self, request: &LoadRequest) -> bool {
        let Self { attach, not_attach, needs_bpf, needs_perfmon, needs_sys_admin, not_sleeping, sleeping, target } =
            *self;
        let place = request.attached_as();
        (attach.is_empty() || attach.contains(&place))
            && !not_attach.contains(&place)
            && (!needs_bpf || request.privilege.bpf)
            && (!needs_perfmon || request.privilege.perfmon)
            && (!needs_sys_admin || request.privilege.sys_admin)
            && (!not_sleeping || !request.flags.sleepable)
            && (!sleeping || request.flags.sleepable)
            && target.holds(request.attach_target.as_ref().map(|target| target.name.as_str()))
    }
}
