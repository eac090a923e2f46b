//! Identities of two states, matched one to one.

use alloc::vec::Vec;

use crate::fault::{self, Fault};

/// More pairs than this and the states count as different, as in the kernel (`BPF_ID_MAP_SIZE`).
const MAX_PAIRS: usize = (11 + 64 + 7) * 16;

/// A one-to-one map between the identities of two states, built while they are compared.
#[derive(Clone, Debug, Default)]
pub struct IdMap {
    pairs: Vec<(u32, u32)>,
    fresh: u32,
}

/// How identities of two states are compared.
pub(super) trait Identities {
    /// Whether the two can be the same thing: both absent, or both present and never matched otherwise. (`check_ids`)
    fn matches(&mut self, old: Option<u32>, now: Option<u32>) -> bool;

    /// As [`Identities::matches`] for groups of equal numbers: one that was alone then may be in a group now, and one that is
    /// alone now is in a group of its own. (`check_scalar_ids`)
    fn matches_group(&mut self, old: Option<u32>, now: Option<u32>) -> bool;
}

impl IdMap {
    pub(super) fn reset(&mut self, last_id: u32) {
        self.pairs.clear();
        self.fresh = last_id;
    }

    /// Whether every identity so far was matched with itself.
    pub(super) fn is_identity(&self) -> bool {
        self.pairs.iter().all(|(old, now)| old == now)
    }

    fn pair(&mut self, old: u32, now: u32) -> bool {
        if fault::on(Fault::IdentitiesUnmatched) {
            return true;
        }
        for &(before, after) in &self.pairs {
            if before == old {
                return after == now;
            }
            if after == now {
                return false;
            }
        }
        if self.pairs.len() >= MAX_PAIRS {
            return false;
        }
        self.pairs.push((old, now));
        true
    }
}

impl Identities for IdMap {
    // Most things have no identity.
    #[inline]
    fn matches(&mut self, old: Option<u32>, now: Option<u32>) -> bool {
        match (old, now) {
            (None, None) => true,
            (Some(old), Some(now)) => self.pair(old, now),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    #[inline]
    fn matches_group(&mut self, old: Option<u32>, now: Option<u32>) -> bool {
        if old.is_none() {
            return true;
        }
        let now = now.unwrap_or_else(|| {
            self.fresh = self.fresh.wrapping_add(1);
            self.fresh
        });
        self.matches(old, Some(now))
    }
}

/// Every identity could be every other: what is different all the same is different whatever identities are matched with.
#[derive(Debug)]
pub(super) struct AnyIdentity;

impl Identities for AnyIdentity {
    fn matches(&mut self, old: Option<u32>, now: Option<u32>) -> bool {
        old.is_some() == now.is_some()
    }

    fn matches_group(&mut self, _: Option<u32>, _: Option<u32>) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{IdMap, Identities};

    #[test]
    fn one_to_one() {
        let mut ids = IdMap::default();
        assert!(ids.matches(Some(1), Some(9)));
        assert!(ids.matches(Some(1), Some(9)));
        assert!(!ids.matches(Some(1), Some(8)), "one thing cannot be two");
        assert!(!ids.matches(Some(2), Some(9)), "two things cannot be one");
        assert!(ids.matches(None, None));
        assert!(!ids.matches(None, Some(3)));
    }

    #[test]
    fn a_lone_number_matches_no_group_of_two() {
        let mut ids = IdMap::default();
        ids.reset(100);
        assert!(ids.matches_group(Some(1), None));
        assert!(!ids.matches_group(Some(1), None), "two lone numbers are not known to be equal");
        assert!(ids.matches_group(None, Some(5)), "knowing more now is no harm");
    }
}
