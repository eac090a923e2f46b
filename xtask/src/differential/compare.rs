//! Two judgements of one program, compared.

use std::collections::BTreeMap;

use crate::oracle::{Outcome, Reply};
use crate::selftests::{Judgement, Verdict};

/// How two judgements differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// We accept, and the kernel rejects because something is forbidden.
    Unsafe,
    /// We accept, and the kernel rejects because it cannot show that a number is within bounds, or that a loop ends: that kernel
    /// may know less than is true.
    Precision,
    /// We accept, and the kernel lacks what it could have been configured with: a kind of map, a helper, a compiler.
    Configuration,
    /// We failed.
    Failed,
    /// We reject, and the kernel accepts.
    Strict,
    /// We cannot say.
    Unsupported,
    /// Both reject, for different reasons.
    Message,
    /// Both say the same and count differently.
    Count,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Unsafe,
        Self::Precision,
        Self::Configuration,
        Self::Failed,
        Self::Strict,
        Self::Unsupported,
        Self::Message,
        Self::Count,
    ];

    /// The word of reports.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Unsafe => "UNSAFE",
            Self::Precision => "UNSAFE-precision",
            Self::Configuration => "configuration",
            Self::Failed => "failed",
            Self::Strict => "strict",
            Self::Unsupported => "unsupported",
            Self::Message => "message",
            Self::Count => "count",
        }
    }

    /// What it means.
    const fn meaning(self) -> &'static str {
        match self {
            Self::Unsafe => "accepted here and refused there: a check is missing",
            Self::Precision => {
                "accepted here and refused there: that kernel knows less of a number, or does not see that a loop ends"
            }
            Self::Configuration => "accepted here and refused there: that kernel is built without what it needs",
            Self::Failed => "no verdict here: a bug",
            Self::Strict => "refused here and accepted there",
            Self::Unsupported => "no verdict here, and it is said why",
            Self::Message => "of those refused by both: for another reason",
            Self::Count => "of those that agree: other counts of instructions or states",
        }
    }

    /// Whether the verdicts differ.
    pub(crate) const fn is_about_verdicts(self) -> bool {
        match self {
            Self::Unsafe | Self::Precision | Self::Failed | Self::Strict => true,
            Self::Configuration | Self::Unsupported | Self::Message | Self::Count => false,
        }
    }
}

/// What programs that differ for the same reason have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Signature {
    pub(crate) kind: Kind,
    /// The kernel's message, without numbers.
    pub(crate) kernels: String,
    /// Ours.
    pub(crate) ours: String,
}

/// Parts of messages about what is not known well enough.
const IMPRECISE: &[&str] = &[
    "min value is",
    "max value is",
    "unbounded m",
    "is outside of the",
    "invalid access to",
    "invalid variable-offset",
    "variable",
    "value out of range",
    "has unknown scalar value",
    "has smin",
    "should have been in",
    "infinite loop detected",
    "program is too large",
    "sequence of",
    "pointer offset",
    "invalid zero-sized read",
    "invalid read from stack",
    "misaligned",
];
/// Parts of messages about what a kernel without types, compiler or some kinds of map cannot do.
const CONFIGURATION: &[&str] = &[
    "non-JITed programs",
    "without CONFIG_",
    "JIT",
    "is not pointing to valid bpf_map",
    "mixing of tail_calls and bpf-to-bpf calls",
    "cannot use helper bpf_trace_",
    "cannot use helper bpf_probe_read",
    "cannot use helper bpf_get_current_task",
    "cannot use helper bpf_lwt_seg",
    // An interpreter's stack has no room for what the compiler keeps beside it.
    "(extra #) is too large",
    // It counts frames in steps of 32 bytes, a compiled program's are counted in steps of 16.
    "combined stack size of",
];

/// How these judgements differ, if they do. A `bare` kernel is one that lacks much that others are configured with.
pub(crate) fn signature(bare: bool, ours: &Judgement, kernels: &Reply) -> Option<Signature> {
    let (said, our) = (words(kernels.message()), words(ours.message.lines().last().unwrap_or_default()));
    let kind = match (kernels.outcome, &ours.verdict) {
        (Outcome::NotAsked | Outcome::Timeout | Outcome::Crash, _) => return None,
        (_, Verdict::Failed) => Kind::Failed,
        (Outcome::Rejected, Verdict::Accepted | Verdict::Unsupported) if bare && any(&said, CONFIGURATION) => {
            Kind::Configuration
        }
        (_, Verdict::Unsupported) => Kind::Unsupported,
        (Outcome::Accepted, Verdict::Rejected) => Kind::Strict,
        (Outcome::Rejected, Verdict::Accepted) if any(&said, IMPRECISE) => Kind::Precision,
        (Outcome::Rejected, Verdict::Accepted) => Kind::Unsafe,
        // A refusal without a log says no more than that; one that is explained has lines after its message.
        (Outcome::Rejected, Verdict::Rejected)
            if !said.is_empty() && !kernels.log.lines().any(|line| words(line) == our) =>
        {
            Kind::Message
        }
        (Outcome::Accepted | Outcome::Rejected, _) if counts(ours, kernels) == Some(false) => {
            return Some(Signature { kind: Kind::Count, kernels: said, ours: String::new() });
        }
        (Outcome::Accepted | Outcome::Rejected, _) => return None,
    };
    let kernels = if kernels.outcome == Outcome::Accepted { String::new() } else { said };
    Some(Signature { kind, kernels, ours: our })
}

fn any(text: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| text.contains(part))
}

/// Whether instructions and states are counted alike, where both count.
fn counts(ours: &Judgement, kernels: &Reply) -> Option<bool> {
    // A program that is refused before it is walked has no counts, or none of interest.
    let (ours, kernels) = (ours.stats?, kernels.stats()?);
    (kernels.insns > 0 && ours.insns > 0).then_some(ours == kernels)
}

/// A message without its numbers, so that those that differ only there are one.
fn words(message: &str) -> String {
    let mut words = String::new();
    let mut letters = message.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii_digit() {
            words.push('#');
            while letters.next_if(|letter| letter.is_ascii_hexdigit() || *letter == 'x').is_some() {}
        } else {
            words.push(letter);
        }
    }
    words.trim().replace("-#", "#")
}

/// What a run came to.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    programs: u64,
    accepts: u64,
    rejects: u64,
    /// Loads that the kernel has not judged, by the reason.
    unanswered: BTreeMap<String, u64>,
    kinds: BTreeMap<Kind, u64>,
}

impl Sums {
    pub(crate) fn add(&mut self, ours: &Judgement, kernels: &Reply) {
        self.programs += 1;
        match (kernels.outcome, &ours.verdict) {
            (Outcome::Accepted, Verdict::Accepted) => self.accepts += 1,
            (Outcome::Rejected, Verdict::Rejected) => self.rejects += 1,
            (Outcome::Accepted | Outcome::Rejected, _) => {}
            (outcome @ (Outcome::NotAsked | Outcome::Timeout | Outcome::Crash), _) => {
                let reason = format!("{}: {}", outcome.word(), words(&kernels.remark));
                *self.unanswered.entry(reason).or_default() += 1;
            }
        }
    }

    pub(crate) fn differ(&mut self, kind: Kind) {
        *self.kinds.entry(kind).or_default() += 1;
    }

    /// How often judgements differed so.
    pub(crate) fn of(&self, kind: Kind) -> u64 {
        self.kinds.get(&kind).copied().unwrap_or_default()
    }

    /// Agreements and what was not answered, in one line.
    pub(crate) fn line(&self) -> String {
        let Self { programs, accepts, rejects, unanswered, kinds } = self;
        let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{} {count}", kind.word())).collect();
        let unanswered: u64 = unanswered.values().sum();
        format!(
            "{programs} programs: accepts agreed {accepts}, rejects agreed {rejects}, unanswered {unanswered}; {}",
            kinds.join(", ")
        )
    }

    /// All of it: every program is in one of the first rows, and the classes of disagreement say what each means.
    pub(crate) fn table(&self) -> String {
        let Self { programs, accepts, rejects, unanswered, kinds } = self;
        let mut lines = vec![
            format!("{programs:>9} programs"),
            format!("{accepts:>9} accepted by both"),
            format!("{rejects:>9} refused by both"),
        ];
        lines.extend(unanswered.iter().map(|(reason, count)| format!("{count:>9} not judged there ({reason})")));
        for kind in Kind::ALL {
            let count = kinds.get(&kind).copied().unwrap_or_default();
            lines.push(format!("{count:>9} {}: {}", kind.word(), kind.meaning()));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, signature, words};
    use crate::oracle::{Outcome, Reply};
    use crate::selftests::{Judgement, Verdict};

    fn reply(outcome: Outcome, message: &str) -> Reply {
        let log = format!(
            "{message}\nprocessed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n"
        );
        Reply { outcome, log, ..Reply::silent(0, "") }
    }

    fn judgement(verdict: Verdict, message: &str) -> Judgement {
        Judgement { verdict, message: message.into(), log: None, stats: None }
    }

    #[test]
    fn numbers_are_no_part_of_a_reason() {
        assert_eq!(words("R3 min value is -17 at 0xfff0"), "R# min value is # at #");
    }

    #[test]
    fn a_missing_check_is_told_from_a_range_that_is_not_known() {
        let accept = judgement(Verdict::Accepted, "");
        let kind = |message| signature(true, &accept, &reply(Outcome::Rejected, message)).unwrap().kind;
        assert_eq!(kind("R1 !read_ok"), Kind::Unsafe);
        assert_eq!(kind("R1 unbounded memory access, make sure to bounds check any such access"), Kind::Precision);
        assert_eq!(kind("callbacks are not allowed in non-JITed programs"), Kind::Configuration);
    }

    #[test]
    fn agreement_has_no_signature() {
        let reject = judgement(Verdict::Rejected, "R1 !read_ok");
        assert_eq!(signature(false, &reject, &reply(Outcome::Rejected, "R1 !read_ok")), None);
        assert_eq!(signature(false, &reject, &reply(Outcome::Rejected, "R2 !read_ok")), None, "registers are numbers");
        assert_eq!(signature(false, &reject, &reply(Outcome::Rejected, "R1 is bad")).unwrap().kind, Kind::Message);
        assert_eq!(signature(false, &reject, &reply(Outcome::Accepted, "")).unwrap().kind, Kind::Strict);
    }
}
