//! The kernel's own figure for the time that it took, from the kernel that runs as a user process.

use anyhow::Result;

use crate::lab::Lab;
use crate::oracle::{Caps, Job, Load, Machine, Outcome, ask};

/// Microseconds for each program, in order, the least of so many loads; `None` where that kernel refuses it, as it does all that need its types.
pub(crate) fn times(loads: &[Load], repeat: usize) -> Result<Vec<Option<u64>>> {
    let lab = Lab::open()?;
    let job = |load: &Load| Job { load: load.clone(), flags: 0, log_level: 4, caps: Caps::All, log_bytes: 4096 };
    let jobs: Vec<Job> = loads.iter().flat_map(|load| std::iter::repeat_n(job(load), repeat)).collect();
    let replies = ask(&lab, &Machine::Process, &jobs)?;
    let least = |replies: &[crate::oracle::Reply]| {
        let accepted = replies.iter().filter(|reply| reply.outcome == Outcome::Accepted);
        accepted.filter_map(|reply| time_in(&reply.log)).min()
    };
    Ok(replies.chunks(repeat.max(1)).map(least).collect())
}

/// The figure in a log of level 4.
fn time_in(log: &str) -> Option<u64> {
    log.lines().find_map(|line| line.strip_prefix("verification time ")?.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::time_in;

    #[test]
    fn the_time_is_told_in_a_line_of_its_own() {
        assert_eq!(time_in("0: exit\nverification time 15 usec\nstack depth 0\n"), Some(15));
        assert_eq!(time_in("processed 7 insns"), None);
    }
}
