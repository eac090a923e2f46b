//! Groups of helpers, and which program type sees which groups, first to last.
//!
//! The kernel asks one function per program type, which asks the next where it has no answer of its own; a chain of groups is
//! that walk written down. A row says which prototype, from and until which release, and under which condition. The first
//! group that mentions a helper at a release decides for it.
//!
//! `from` and `until` are exact where the kernel's history is known to us; elsewhere a row counts from the helper's own
//! release, which can be earlier than the release in which *this* program type got it.

mod base;
mod cgroup;
mod conditions;
mod net;
mod other;
mod tracing;

use bpfvet_platform::{Condition, HelperRefusal, ProgramType, Version};

use super::rows::Entry;

/// A group of helpers, by ascending number.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) rows: &'static [Grant],
}

/// One row of a group.
#[derive(Debug)]
pub(crate) struct Grant {
    /// The helper's number.
    pub(crate) id: u32,
    pub(crate) entry: &'static Entry,
    /// The first release in which the group has it, where that is not the helper's own.
    pub(crate) from: Option<Version>,
    /// The first release in which the group has it no more.
    pub(crate) until: Option<Version>,
    pub(crate) when: Condition,
    /// What to answer where the condition does not hold, if that is more than "not for this program".
    pub(crate) refusal: Option<HelperRefusal>,
    /// For structure operations: the member that may not call it.
    pub(crate) unless_member: Option<&'static str>,
}

impl Grant {
    const fn of(entry: &'static Entry) -> Self {
        let id = entry.proto.id.0;
        Self { id, entry, from: None, until: None, when: Condition::ALWAYS, refusal: None, unless_member: None }
    }

    /// Whether the group has the row at this release.
    pub(crate) fn at(&self, version: Version) -> bool {
        version.at_least(self.from.unwrap_or(self.entry.since))
            && version.at_least(self.entry.since)
            && self.until.is_none_or(|until| !version.at_least(until))
    }
}

/// Reads groups of rows: `ENTRY [from MAJOR, MINOR] [until MAJOR, MINOR] [if CONDITION] [else REFUSAL] [unless "member"];`
macro_rules! groups {
    ($(#[doc = $doc:literal] $name:ident { $(
        $file:ident::$entry:ident
        $(from $from_major:literal, $from_minor:literal)?
        $(until $until_major:literal, $until_minor:literal)?
        $(if $when:expr)?
        $(=> $refusal:ident)?
        $(, unless $member:literal)?;
    )* })*) => {
        $(#[doc = $doc]
        pub(super) static $name: super::Group = super::Group {
            rows: &[$(super::Grant {
                $(from: Some(bpfvet_platform::Version::new($from_major, $from_minor)),)?
                $(until: Some(bpfvet_platform::Version::new($until_major, $until_minor)),)?
                $(when: $when,)?
                $(refusal: Some($refusal),)?
                $(unless_member: Some($member),)?
                ..super::Grant::of(&$file::$entry)
            }),*],
        };)*
    };
}
use groups;

use {base::*, cgroup::*, net::*, other::*, tracing::*};

pub(crate) type Chain = &'static [&'static Group];

/// The groups that each program type sees, first to last.
#[rustfmt::skip]
static CHAINS: &[(ProgramType, Chain)] = &[
    (ProgramType::SOCKET_FILTER, &[&SK_FILTER, &SK_BASE, &BASE]),
    (ProgramType::KPROBE, &[&KPROBE, &TRACING, &BASE]),
    (ProgramType::SCHED_CLS, &[&TC, &SK_BASE, &BASE]),
    (ProgramType::SCHED_ACT, &[&TC, &SK_BASE, &BASE]),
    (ProgramType::TRACEPOINT, &[&TRACEPOINT, &TRACING, &BASE]),
    (ProgramType::XDP, &[&XDP, &SK_BASE, &BASE]),
    (ProgramType::PERF_EVENT, &[&PERF_EVENT, &TRACING, &BASE]),
    (ProgramType::CGROUP_SKB, &[&CGROUP_COMMON, &CGROUP_SKB, &SK_FILTER, &SK_BASE, &BASE]),
    (ProgramType::CGROUP_SOCK, &[&CGROUP_COMMON, &CGROUP_CURRENT, &CGROUP_SOCK, &BASE]),
    (ProgramType::LWT_IN, &[&LWT_IN, &LWT_OUT, &SK_BASE, &BASE]),
    (ProgramType::LWT_OUT, &[&LWT_OUT, &SK_BASE, &BASE]),
    (ProgramType::LWT_XMIT, &[&LWT_XMIT, &LWT_OUT, &SK_BASE, &BASE]),
    (ProgramType::SOCK_OPS, &[&CGROUP_COMMON, &SOCK_OPS, &SK_BASE, &BASE]),
    (ProgramType::SK_SKB, &[&SK_SKB, &SK_BASE, &BASE]),
    (ProgramType::CGROUP_DEVICE, &[&CGROUP_COMMON, &CGROUP_CURRENT, &CGROUP_DEVICE, &BASE]),
    (ProgramType::SK_MSG, &[&SK_MSG, &SK_BASE, &BASE]),
    (ProgramType::RAW_TRACEPOINT, &[&RAW_TP, &TRACING, &BASE]),
    (ProgramType::CGROUP_SOCK_ADDR, &[&CGROUP_COMMON, &CGROUP_CURRENT, &SOCK_ADDR, &SK_BASE, &BASE]),
    (ProgramType::LWT_SEG6LOCAL, &[&LWT_SEG6LOCAL, &LWT_OUT, &SK_BASE, &BASE]),
    (ProgramType::LIRC_MODE2, &[&LIRC]),
    (ProgramType::SK_REUSEPORT, &[&SK_REUSEPORT, &BASE]),
    (ProgramType::FLOW_DISSECTOR, &[&FLOW_DISSECTOR, &SK_BASE, &BASE]),
    (ProgramType::CGROUP_SYSCTL, &[&CGROUP_COMMON, &CGROUP_CURRENT, &SYSCTL, &BASE]),
    (ProgramType::RAW_TRACEPOINT_WRITABLE, &[&RAW_TP, &TRACING, &BASE]),
    (ProgramType::CGROUP_SOCKOPT, &[&CGROUP_COMMON, &CGROUP_CURRENT, &SOCKOPT, &BASE]),
    (ProgramType::TRACING, &[&TRACING_ONLY, &TRAMPOLINES, &RAW_TP, &TRACING, &BASE, &ITER]),
    (ProgramType::STRUCT_OPS, &[&BASE]),
    (ProgramType::LSM, &[&LSM, &TRAMPOLINES, &RAW_TP, &TRACING, &BASE]),
    (ProgramType::SK_LOOKUP, &[&SK_LOOKUP, &SK_BASE, &BASE]),
    (ProgramType::SYSCALL, &[&SYSCALL, &TRAMPOLINES, &RAW_TP, &TRACING, &BASE]),
    (ProgramType::NETFILTER, &[&BASE]),
];

/// Security hooks that run for a control group.
pub(crate) static LSM_OF_CGROUP: Chain = &[&CGROUP_COMMON, &LSM, &TRAMPOLINES, &RAW_TP, &TRACING, &BASE];

/// Structures of operations that have helpers of their own.
pub(crate) static STRUCTURES: &[(&str, Chain)] =
    &[("tcp_congestion_ops", &[&TCP_CA, &BASE]), ("sched_ext_ops", &[&SCHED_EXT, &BASE])];

/// The groups that a program type sees, first to last; `None` where the type takes its helpers from another program. Two kinds of
/// program see others: [`LSM_OF_CGROUP`] and [`STRUCTURES`].
pub(crate) fn chain(kind: ProgramType) -> Option<Chain> {
    CHAINS.iter().find(|(one, _)| *one == kind).map(|(_, chain)| *chain)
}

/// Every group that some program type sees.
#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = &'static Group> {
    let chains =
        CHAINS.iter().map(|(_, chain)| *chain).chain(STRUCTURES.iter().map(|(_, chain)| *chain)).chain([LSM_OF_CGROUP]);
    chains.flatten().copied()
}
