//! What a kernel said of one program.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// How a load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// Loaded.
    #[serde(rename = "ok")]
    Accepted,
    /// Refused by the kernel.
    #[serde(rename = "fail")]
    Rejected,
    /// The kernel was never asked: the loader failed before.
    #[serde(rename = "na")]
    NotAsked,
    /// It took too long.
    #[serde(rename = "timeout")]
    Timeout,
    /// The loader or the kernel died.
    #[serde(rename = "crash")]
    Crash,
}

impl Outcome {
    /// One word for tables.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accept",
            Self::Rejected => "reject",
            Self::NotAsked => "not-asked",
            Self::Timeout => "timeout",
            Self::Crash => "crash",
        }
    }
}

/// What the guest recorded of one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reply {
    /// The job's number.
    pub(crate) id: usize,
    /// How it ended.
    #[serde(rename = "verdict")]
    pub(crate) outcome: Outcome,
    /// The error number, 0 if there was none.
    pub(crate) errno: i32,
    /// Instructions that the kernel was given, once libbpf had linked the program.
    pub(crate) insns: u32,
    /// Where it ended.
    pub(crate) stage: String,
    /// The loader's complaint.
    pub(crate) remark: String,
    /// The end of the verifier's log.
    pub(crate) log: String,
}

impl Reply {
    /// What stands in the place of a reply that never came.
    pub(crate) fn silent(id: usize, remark: &str) -> Self {
        let (stage, remark, log) = ("guest".into(), remark.into(), String::new());
        Self { id, outcome: Outcome::Crash, errno: 0, insns: 0, stage, remark, log }
    }

    /// Replies in what a guest wrote; the last line may be cut short.
    pub(crate) fn parse_all(bytes: &[u8]) -> Vec<Self> {
        bytes.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }

    /// The counts at the end of the log.
    pub(crate) fn stats(&self) -> Option<Stats> {
        Stats::in_log(&self.log).ok()
    }

    /// The last line of the log before its statistics: the verifier's message, if it refused the program.
    pub(crate) fn message(&self) -> &str {
        let statistics = ["verification time ", "processed "];
        let place = |start: &&str| match self.log.rfind(&format!("\n{start}")) {
            None if self.log.starts_with(start) => Some(0),
            place => place,
        };
        let end = statistics.iter().find_map(place).unwrap_or(self.log.len());
        let said = self.log.get(..end).unwrap_or_default();
        said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("")
    }
}

/// The counts that the verifier prints (`print_verification_stats`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Stats {
    /// Instructions processed over all paths.
    pub(crate) insns: u64,
    /// The most states kept at one instruction.
    pub(crate) max_states: u64,
    /// States ever kept.
    pub(crate) total_states: u64,
    /// The most states kept at one time.
    pub(crate) peak_states: u64,
}

impl Stats {
    /// The counts of the last `processed …` line.
    pub(crate) fn in_log(log: &str) -> Result<Self> {
        let line = log.lines().rev().find(|line| line.starts_with("processed ")).context("the log holds no counts")?;
        let after = |name: &str| -> Result<u64> {
            let mut words = line.split_whitespace().skip_while(|word| *word != name);
            words.nth(1).with_context(|| format!("no `{name}` in `{line}`"))?.parse().context("not a number")
        };
        Ok(Self {
            insns: after("processed")?,
            max_states: after("max_states_per_insn")?,
            total_states: after("total_states")?,
            peak_states: after("peak_states")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Reply, Stats};

    const LINE: &[u8] = br#"{"id":3,"verdict":"fail","errno":13,"insns":2,"stage":"verifier","remark":"","log":"R1 !read_ok\nprocessed 7 insns (limit 1000000) max_states_per_insn 1 total_states 2 peak_states 3 mark_read 0\n"}
{"id":4,"verd"#;

    #[test]
    fn a_reply_is_read_and_a_torn_one_left_out() {
        let replies = Reply::parse_all(LINE);
        assert_eq!(replies.len(), 1);
        assert_eq!(replies[0].outcome, Outcome::Rejected);
        assert_eq!(replies[0].message(), "R1 !read_ok");
        let stats = Stats { insns: 7, max_states: 1, total_states: 2, peak_states: 3 };
        assert_eq!(replies[0].stats(), Some(stats));
    }

    #[test]
    fn the_message_stands_before_the_statistics() {
        let with = |log: &str| Reply { log: log.into(), ..Reply::silent(0, "") };
        assert_eq!(
            with("R0 !read_ok\nverification time 1 usec\nstack depth 0\ninsns 1\nprocessed 1 insns\n").message(),
            "R0 !read_ok"
        );
        assert_eq!(with("verification time 1 usec\nprocessed 1 insns\n").message(), "");
        assert_eq!(with("unknown opcode 00\n").message(), "unknown opcode 00");
    }

    #[test]
    fn a_log_without_counts_has_none() {
        assert!(Stats::in_log("unknown opcode 00\n").is_err());
    }
}
