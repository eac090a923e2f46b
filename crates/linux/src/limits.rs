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
            () if since(4, 14) => 131_072,
            () if since(4, 12) => 98_304,
            () => 65_536,
        },
        pending_states: if million { 8192 } else { 1024 },
        stored_states_per_bucket: if privilege.bpf || !since(4, 20) { None } else { Some(64) },
        call_frames: match () {
            () if since(7, 2) => 16,
            () if since(4, 16) => 8,
            () => 1,
        },
        stack_bytes: 512,
        subprogs: if since(4, 16) { 256 } else { 1 },
        maps: 64,
        // Before they were recorded, all copies were refined, however many.
        linked_scalars: match () {
            () if since(6, 13) => 5,
            () if since(6, 10) => 6,
            () => u32::MAX,
        },
        history_len: 40,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_release() {
        let limits = of(Version::new(7, 3), Privilege::FULL);
        let expected = Limits {
            program_len: 1_000_000,
            processed_insns: 1_000_000,
            pending_states: 8192,
            stored_states_per_bucket: None,
            call_frames: 16,
            stack_bytes: 512,
            subprogs: 256,
            maps: 64,
            linked_scalars: 5,
            history_len: 40,
        };
        assert_eq!(limits, expected);
    }

    #[test]
    fn without_capabilities() {
        let limits = of(Version::new(7, 3), Privilege::NONE);
        assert_eq!((limits.program_len, limits.stored_states_per_bucket), (4096, Some(64)));
    }

    #[test]
    fn older_releases() {
        let row = |major, minor| {
            let limits = of(Version::new(major, minor), Privilege::FULL);
            (
                limits.program_len,
                limits.processed_insns,
                limits.pending_states,
                limits.call_frames,
                limits.linked_scalars,
            )
        };
        assert_eq!(row(4, 9), (4096, 65_536, 1024, 1, u32::MAX));
        assert_eq!(row(4, 19), (4096, 131_072, 1024, 8, u32::MAX));
        assert_eq!(row(5, 4), (1_000_000, 1_000_000, 8192, 8, u32::MAX));
        assert_eq!(row(6, 12), (1_000_000, 1_000_000, 8192, 8, 6));
    }
}
