//! One judgement beside what the real kernel said and what the test expects.

use super::judge::{Judgement, Test, Verdict};
use super::matching::first_unmet;
use super::record::{Entry, Unmet};
use crate::oracle::Outcome;

/// What the reference says a program deserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    Accept,
    Reject,
    /// The real kernel was never asked: there is nothing to agree with.
    Unknown,
}

/// How a verdict stands to the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// The kernel rejects and the judge accepts: the one disagreement that is dangerous.
    Unsafe,
    /// The kernel accepts and the judge rejects.
    TooStrict,
    /// The judge cannot say.
    Unsupported,
    /// The judge failed.
    Failed,
    /// They agree.
    Agrees,
    /// There is nothing to agree with.
    NoTruth,
}

/// Everything that a run measures about one test.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    pub(crate) truth: Truth,
    pub(crate) standing: Standing,
    /// The pattern that the log fails; `None` if there is nothing to compare.
    pub(crate) messages: Option<Result<(), String>>,
    /// Processed instructions are the kernel's.
    pub(crate) insns: Option<bool>,
    /// All three counts of states are the kernel's.
    pub(crate) states: Option<bool>,
}

impl Comparison {
    /// Nothing that was measured falls short.
    pub(crate) fn clean(&self) -> bool {
        let Self { truth: _, standing, messages, insns, states } = self;
        matches!(standing, Standing::Agrees | Standing::NoTruth)
            && messages.as_ref().is_none_or(Result::is_ok)
            && insns.unwrap_or(true)
            && states.unwrap_or(true)
    }
}

/// Compares. Without an entry in the record, the test's own expectation is the truth.
pub(crate) fn compare(test: &Test, entry: Option<&Entry>, judgement: &Judgement) -> Comparison {
    let truth = match entry.map(|entry| entry.outcome) {
        Some(Outcome::Accepted) => Truth::Accept,
        Some(Outcome::Rejected) => Truth::Reject,
        Some(Outcome::NotAsked | Outcome::Timeout | Outcome::Crash) => Truth::Unknown,
        None if test.expect.failure => Truth::Reject,
        None => Truth::Accept,
    };
    let standing = match (truth, &judgement.verdict) {
        (Truth::Unknown, _) => Standing::NoTruth,
        (_, Verdict::Unsupported) => Standing::Unsupported,
        (_, Verdict::Failed) => Standing::Failed,
        (Truth::Accept, Verdict::Accepted) | (Truth::Reject, Verdict::Rejected) => Standing::Agrees,
        (Truth::Accept, Verdict::Rejected) => Standing::TooStrict,
        (Truth::Reject, Verdict::Accepted) => Standing::Unsafe,
    };
    let agrees = standing == Standing::Agrees;
    let unmet = entry.map_or(Unmet::Nothing, |entry| entry.unmet);
    let patterns = &test.expect.messages;
    let comparable = agrees && unmet == Unmet::Nothing && !patterns.is_empty();
    let messages = judgement.log.as_deref().filter(|_| comparable).map(|log| match first_unmet(log, patterns) {
        None => Ok(()),
        Some(index) => Err(patterns.get(index).map_or_else(String::new, |pattern| {
            if pattern.negative { format!("not: {}", pattern.text) } else { pattern.text.clone() }
        })),
    });
    // A load that is refused before the search has no counts.
    let both = entry.map(|entry| entry.stats).filter(|stats| agrees && stats.insns > 0).zip(judgement.stats);
    let insns = both.map(|(kernel, ours)| kernel.insns == ours.insns);
    let states = both.map(|(kernel, ours)| {
        (kernel.max_states, kernel.total_states, kernel.peak_states)
            == (ours.max_states, ours.total_states, ours.peak_states)
    });
    Comparison { truth, standing, messages, insns, states }
}

#[cfg(test)]
mod tests {
    use super::{Standing, Truth, compare};
    use crate::oracle::{Outcome, Stats};
    use crate::selftests::expect::{Expectation, Mode};
    use crate::selftests::judge::{Judgement, Source, Test, Verdict};
    use crate::selftests::matching::Pattern;
    use crate::selftests::record::{Entry, Name, Unmet};

    fn test(failure: bool, message: &str) -> Test {
        let messages = vec![Pattern::new(message, false).unwrap()];
        Test {
            name: Name { object: "o".into(), program: "p".into(), mode: Mode::Priv },
            source: Source::Object { file: "o.bpf.o".into(), also: Vec::new(), btf: None },
            expect: Expectation { failure, messages, ..Expectation::default() },
            flags: 0,
            log_level: 0,
        }
    }

    fn judgement(verdict: Verdict, log: &str, insns: u64) -> Judgement {
        let stats = Some(Stats { insns, ..Stats::default() });
        Judgement { verdict, message: String::new(), log: Some(log.into()), stats }
    }

    fn entry(outcome: Outcome, insns: u64, unmet: Unmet) -> Entry {
        Entry { outcome, errno: 0, stats: Stats { insns, ..Stats::default() }, unmet }
    }

    #[test]
    fn the_dangerous_disagreement_is_told_from_the_strict_one() {
        let reject = entry(Outcome::Rejected, 3, Unmet::Nothing);
        let compared = compare(&test(true, "x"), Some(&reject), &judgement(Verdict::Accepted, "", 3));
        assert_eq!(compared.standing, Standing::Unsafe);
        assert!(!compared.clean());
        let accept = entry(Outcome::Accepted, 3, Unmet::Nothing);
        let compared = compare(&test(false, "x"), Some(&accept), &judgement(Verdict::Rejected, "", 3));
        assert_eq!(compared.standing, Standing::TooStrict);
    }

    #[test]
    fn the_kernel_outranks_the_expectation() {
        let accept = entry(Outcome::Accepted, 3, Unmet::Verdict);
        let compared = compare(&test(true, "x"), Some(&accept), &judgement(Verdict::Accepted, "", 3));
        assert_eq!((compared.truth, compared.standing), (Truth::Accept, Standing::Agrees));
        assert!(compared.messages.is_none(), "what the kernel does not say is not asked of us");
        let compared = compare(&test(true, "x"), None, &judgement(Verdict::Accepted, "", 3));
        assert_eq!(compared.standing, Standing::Unsafe);
    }

    #[test]
    fn messages_and_counts_are_compared_where_verdicts_agree() {
        let reject = entry(Outcome::Rejected, 3, Unmet::Nothing);
        let compared = compare(&test(true, "x"), Some(&reject), &judgement(Verdict::Rejected, "y", 4));
        assert_eq!(compared.messages, Some(Err("x".into())));
        assert_eq!((compared.insns, compared.states), (Some(false), Some(true)));
        let compared = compare(&test(true, "x"), Some(&reject), &judgement(Verdict::Rejected, "x", 3));
        assert!(compared.clean());
        let compared = compare(&test(true, "x"), Some(&reject), &judgement(Verdict::Unsupported, "x", 4));
        assert_eq!((compared.messages, compared.insns), (None, None));
    }
}
