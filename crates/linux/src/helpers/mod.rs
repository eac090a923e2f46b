//! Helpers: every prototype of every helper, and which program may call it.

pub(crate) mod groups;
mod index;
mod rows;

mod cgroup;
mod lwt;
mod maps;
mod misc;
mod msg;
mod ringbuf;
mod skb;
mod sock;
mod task;
mod trace;
mod xdp;

pub(crate) use index::Index;

use alloc::format;

use bpfvet_btf::Btf;
use bpfvet_platform::{HelperId, HelperLookup, HelperProto, LoadRequest, ProgramType, Version};

use crate::struct_ops;

/// The highest number of a helper (`__BPF_FUNC_MAX_ID` less one).
const LAST: u32 = 211;

/// `get_smp_processor_id`
pub(crate) const PROCESSOR_ID: HelperId = HelperId(8);

/// Both prototypes of `get_smp_processor_id`: the plain one, and the one that spares registers.
pub(crate) fn processor_id() -> (&'static HelperProto, &'static HelperProto) {
    (&misc::GET_RAW_SMP_PROCESSOR_ID.proto, &misc::GET_SMP_PROCESSOR_ID.proto)
}

/// Every row of every table.
fn entries() -> impl Iterator<Item = &'static rows::Entry> {
    [
        maps::ALL,
        ringbuf::ALL,
        xdp::ALL,
        msg::ALL,
        lwt::ALL,
        cgroup::ALL,
        sock::ALL,
        skb::ALL,
        task::ALL,
        trace::ALL,
        misc::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The release that brought a helper.
pub(crate) fn introduced(id: HelperId) -> Option<Version> {
    entries().find(|entry| entry.proto.id == id).map(|entry| entry.since)
}

/// A helper's name.
pub(crate) fn name(id: HelperId) -> Option<&'static str> {
    entries().find(|entry| entry.proto.id == id).map(|entry| &*entry.proto.name)
}

/// The helper of this name.
pub(crate) fn by_name(name: &str) -> Option<HelperId> {
    entries().find(|entry| entry.proto.name == name).map(|entry| entry.proto.id)
}

/// Helpers that kernels of one release have or do not have by how they were configured, where distributions differ.
const BY_CONFIGURATION: [(HelperId, &str); 1] = [(HelperId(58), "CONFIG_BPF_KPROBE_OVERRIDE")];

/// Whether a program may call a helper at this release, and its prototype for the program.
pub(crate) fn look_up(
    version: Version,
    index: &Index,
    id: HelperId,
    request: &LoadRequest,
    btf: Option<&Btf>,
) -> HelperLookup<'static> {
    if id.0 == 0 || id.0 > LAST {
        return HelperLookup::Unknown;
    }
    let Some(rows) = index.rows(id.0, request) else {
        return match request.program_type {
            ProgramType::EXT => {
                HelperLookup::Unsupported("a program that replaces another takes its helpers from it".into())
            }
            _ => HelperLookup::NotForProgram,
        };
    };
    let mut refusal = None;
    for row in rows {
        if !row.when.holds(request) {
            refusal = row.refusal.or(refusal);
            continue;
        }
        if let Some((_, option)) = BY_CONFIGURATION.iter().find(|(by, _)| *by == id) {
            return HelperLookup::Unsupported(format!("whether a kernel has it depends on {option}").into());
        }
        return match row.unless_member.map(|name| struct_ops::is_member(request, btf, name)) {
            None | Some(Some(false)) => HelperLookup::Allowed(&row.entry.proto),
            Some(Some(true)) => HelperLookup::NotForProgram,
            Some(None) => HelperLookup::Unsupported(
                "which member of the structure calls it is not known without the kernel's BTF".into(),
            ),
        };
    }
    match refusal {
        Some(refusal) => HelperLookup::Refused(refusal),
        None if introduced(id).is_some_and(|since| version.at_least(since)) => HelperLookup::NotForProgram,
        None => HelperLookup::Unknown,
    }
}

#[cfg(test)]
mod tests;
