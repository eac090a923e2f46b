//! The groups of one release folded flat: which rows decide for a helper, found in one step. Calls are looked up each time that
//! one is verified, so this is worth doing once.

use alloc::vec::Vec;

use bpfvet_platform::{AttachType, LoadRequest, ProgramType, Version};

use super::LAST;
use super::groups::{self, Grant, Group};

/// What every program type sees at one release.
#[derive(Debug)]
pub(crate) struct Index {
    /// By number of the program type.
    by_type: Vec<Option<Chain>>,
    lsm_of_cgroup: Chain,
    structures: Vec<(&'static str, Chain)>,
}

/// The rows that one chain of groups has at a release.
#[derive(Debug)]
struct Chain {
    /// By number of the helper; within one, in the order of the group that decides.
    rows: Vec<&'static Grant>,
    /// By number of the helper: where its rows begin. One more at the end.
    starts: Vec<u16>,
}

impl Chain {
    fn new(version: Version, groups: &[&'static Group]) -> Self {
        let mut rows: Vec<&'static Grant> = Vec::new();
        for group in groups {
            // The first group that mentions a helper decides for it.
            let decided = rows.len();
            for row in group.rows.iter().filter(|row| row.at(version)) {
                if !rows.iter().take(decided).any(|earlier| earlier.id == row.id) {
                    rows.push(row);
                }
            }
        }
        rows.sort_by_key(|row| row.id);
        let starts = (0..=LAST + 1).map(|id| rows.partition_point(|row| row.id < id) as u16).collect();
        Self { rows, starts }
    }

    fn on(&self, id: u32) -> &[&'static Grant] {
        let at = id as usize;
        let span = self.starts.get(at).zip(self.starts.get(at + 1));
        span.and_then(|(start, end)| self.rows.get(usize::from(*start)..usize::from(*end))).unwrap_or_default()
    }
}

impl Index {
    pub(crate) fn new(version: Version) -> Self {
        let by_type =
            ProgramType::ALL.iter().map(|kind| groups::chain(*kind).map(|groups| Chain::new(version, groups)));
        let structures = groups::STRUCTURES.iter().map(|(name, groups)| (*name, Chain::new(version, groups)));
        Self {
            by_type: by_type.collect(),
            lsm_of_cgroup: Chain::new(version, groups::LSM_OF_CGROUP),
            structures: structures.collect(),
        }
    }

    /// The rows that decide for a helper; `None` where the program takes its helpers from another.
    pub(super) fn rows(&self, id: u32, request: &LoadRequest) -> Option<&[&'static Grant]> {
        Some(self.chain(request)?.on(id))
    }

    fn chain(&self, request: &LoadRequest) -> Option<&Chain> {
        let kind = request.program_type;
        if kind == ProgramType::LSM && request.attach_type == AttachType::LSM_CGROUP {
            return Some(&self.lsm_of_cgroup);
        }
        if kind == ProgramType::STRUCT_OPS {
            let target = request.attach_target.as_ref().map(|target| target.name.as_str());
            let own = self.structures.iter().find(|(name, _)| target == Some(name));
            if let Some((_, chain)) = own {
                return Some(chain);
            }
        }
        self.by_type.get(kind.0 as usize)?.as_ref()
    }
}
