//! Numbers that bound a verification, by release and privilege.

use bpfvet_platform::{Limits, Privilege, Version};

/// The limits of a release for a loader with this privilege.
///
/// Sources: `BPF_COMPLEXITY_LIMIT_*`, `BPF_MAXINSNS`, `MAX_CALL_FRAMES`, `MAX_USED_MAPS`, `BPF_MAX_SUBPROGS` and
/// `struct linked_regs` in the kernel's headers and verifier.
pub(crate) fn of(version: Version, privilege: Privilege) -> Limits {
    let since = |major, minor| version.at_least(Version::new(major, minor));
    let million = since(5, 2);
    Limits {
        program_len: if million && privilege.bpf { 1_000_000 } else { 4096 },
        processed_insns: match () {
            () if million => 1_000_000,
            () if since(4, 15) => 131_072,
            () if since(4, 14) => 98_304,
            () => 65_536,
        },
        pending_states: if million { 8192 } else { 1024 },
        stored_states_per_bucket: if privilege.bpf { None } else { Some(64) },
        call_frames: match () {
            () if since(7, 3) => 16,
            () if since(4, 16) => 8,
            () => 1,
        },
        stack_bytes: 512,
        subprogs: if since(4, 16) { 256 } else { 1 },
        maps: 64,
        linked_scalars: if since(7, 0) { 5 } else { 6 },
        history_len: 40,
    }
}
