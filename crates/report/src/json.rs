//! Verdicts for machines: one JSON object a line, per program and kernel.
//!
//! The schema is [`SCHEMA`]. Members that do not apply are `null`; none is left out.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bpfvet_explore::{Accepted, Rejection, RejectionCause, Stats};
use bpfvet_insn::InsnIdx;
use bpfvet_platform::LoadRequest;
use serde::Serialize;

use crate::diagnostic::{Class, Diagnostic, Role};
use crate::{Names, code, kernel_message};

/// The JSON schema of a line.
pub const SCHEMA: &str = include_str!("json.schema.json");

/// What was found of one program on one kernel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Line {
    /// The object file.
    pub file: String,
    /// The program's name.
    pub program: String,
    /// Its section, where it stands in an object.
    pub section: Option<String>,
    /// Its type, as libbpf spells it, where that is known.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The kernel's release.
    pub kernel: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The stable code, where the program is not accepted.
    pub code: Option<String>,
    /// The kernel's words.
    pub message: Option<String>,
    /// The instruction at fault.
    pub insn: Option<u32>,
    /// The source line at fault.
    pub source: Option<Source>,
    /// Instructions processed over all paths.
    pub insns_processed: u64,
    /// States ever stored.
    pub states_total: u32,
    /// States stored at one time, at most.
    pub states_peak: u32,
    /// Most states met at one instruction.
    pub max_states_per_insn: u32,
    /// Deepest combined stack, in bytes.
    pub stack_depth: u32,
    /// How long it took, in microseconds.
    pub duration_us: Option<u64>,
    /// What could not be known and was assumed.
    pub notes: Vec<String>,
    /// Our own explanation.
    pub explanation: Option<Explanation>,
}

/// What was decided.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It would load.
    Accepted,
    /// It would not.
    Rejected,
    /// Something in it is not modelled: no verdict.
    Unsupported,
    /// The verification failed or was given up: no verdict.
    Failed,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Rejected, Self::Unsupported, Self::Failed];

    /// The verdict as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Unsupported => "unsupported",
            Self::Failed => "failed",
        }
    }

    /// The verdict that is written like this.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }

    /// Whether it is known what the kernel would say.
    #[must_use]
    pub const fn is_decided(self) -> bool {
        matches!(self, Self::Accepted | Self::Rejected)
    }

    /// The verdict of a verification that did not accept.
    #[must_use]
    pub const fn of(cause: &RejectionCause) -> Self {
        match cause {
            RejectionCause::Violation(_)
            | RejectionCause::Structure(_)
            | RejectionCause::Limit(_)
            | RejectionCause::InfiniteLoop { .. }
            | RejectionCause::MapRefused { .. }
            | RejectionCause::NoSuchMap { .. }
            | RejectionCause::NoDirectValue { .. }
            | RejectionCause::MissingInsn { .. }
            | RejectionCause::DirectValueOutOfBounds { .. }
            | RejectionCause::Pass { .. } => Self::Rejected,
            RejectionCause::LoadRefused(bpfvet_platform::LoadRefusal::Unsupported(_))
            | RejectionCause::Unsupported(_) => Self::Unsupported,
            RejectionCause::LoadRefused(_) => Self::Rejected,
            RejectionCause::Interrupted | RejectionCause::Internal { .. } => Self::Failed,
        }
    }
}

/// A place in a source file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Source {
    /// The file, as the compiler called it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// Its text.
    pub text: String,
}

/// Our own explanation of a verdict.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Explanation {
    /// What kind of thing stands in the way: `program`, `limit`, `compiler`, `host`, `unsupported`, `bug`.
    pub class: &'static str,
    /// What is wrong, in one line.
    pub headline: String,
    /// Why: what is required, and what is known.
    pub why: Vec<String>,
    /// How it came about, the failure last.
    pub path: Vec<Step>,
    /// What to do.
    pub help: Vec<String>,
    /// Lines to add.
    pub patch: Option<Change>,
}

/// A place on the way to the failure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Step {
    /// The instruction.
    pub insn: u32,
    /// What it has to do with the failure: `error`, `created`, `changed`, `spilled`, `branch`, `lost`, `acquired`.
    pub role: &'static str,
    /// That, in a few words.
    pub text: String,
    /// Its source line.
    pub source: Option<Source>,
}

/// Lines to add to a source file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// The file, as the compiler called it.
    pub file: String,
    /// The line that the new ones come before, from 1.
    pub before: u32,
    /// The new lines.
    pub text: String,
}

/// What a line says besides the verification's result.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Origin<'a> {
    /// The object file.
    pub file: &'a str,
    /// The program's section, where it stands in an object.
    pub section: Option<&'a str>,
    /// How long it took, in microseconds.
    pub duration_us: Option<u64>,
}

impl Line {
    /// The line of a program that would load.
    #[must_use]
    pub fn accepted(accepted: &Accepted, names: &Names<'_>, origin: Origin<'_>) -> Self {
        Self::new(&accepted.stats, Verdict::Accepted, names, origin)
    }

    /// The line of a program that would not, with its explanation if there is one.
    #[must_use]
    pub fn refused(
        rejection: &Rejection,
        diagnostic: Option<&Diagnostic>,
        names: &Names<'_>,
        origin: Origin<'_>,
    ) -> Self {
        let cause = &rejection.cause;
        let at = diagnostic.and_then(Diagnostic::at);
        Self {
            code: Some(code(cause).to_string()),
            message: Some(kernel_message(cause, names)),
            insn: at.map(|at| at.0),
            source: at.and_then(|at| Source::at(at, names.request())),
            explanation: diagnostic.map(|diagnostic| Explanation::new(diagnostic, Some(names.request()))),
            ..Self::new(&rejection.stats, Verdict::of(cause), names, origin)
        }
    }

    fn new(stats: &Stats, verdict: Verdict, names: &Names<'_>, origin: Origin<'_>) -> Self {
        let request = names.request();
        Self {
            file: origin.file.to_string(),
            program: request.name.clone(),
            section: origin.section.map(ToString::to_string),
            kind: Some(request.program_type.name().to_string()),
            kernel: names.version().to_string(),
            verdict,
            code: None,
            message: None,
            insn: None,
            source: None,
            insns_processed: stats.insns_processed,
            states_total: stats.total_states,
            states_peak: stats.peak_states,
            max_states_per_insn: stats.max_states_per_insn,
            stack_depth: stats.max_stack_depth,
            duration_us: origin.duration_us,
            notes: Vec::new(),
            explanation: None,
        }
    }

    /// The object as one line of JSON, without a newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Every member is a string, a number or a list of such: nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Source {
    /// The source line that an instruction comes from.
    #[must_use]
    pub fn at(at: InsnIdx, request: &LoadRequest) -> Option<Self> {
        let line = request.line_at(at)?;
        Some(Self { file: line.file.to_string(), line: line.line, text: line.text.trim().to_string() })
    }
}

impl Explanation {
    /// The explanation of a program that does not load; without the program, its places have no source lines.
    #[must_use]
    pub fn new(diagnostic: &Diagnostic, request: Option<&LoadRequest>) -> Self {
        let Diagnostic { code: _, class, headline, labels, why, help, patch, kernel: _ } = diagnostic;
        Self {
            class: class_name(*class),
            headline: headline.clone(),
            why: why.clone(),
            path: labels
                .iter()
                .map(|label| Step {
                    insn: label.at.0,
                    role: role_name(label.role),
                    text: label.text.clone(),
                    source: request.and_then(|request| Source::at(label.at, request)),
                })
                .collect(),
            help: help.clone(),
            patch: patch.as_ref().map(|patch| Change {
                file: patch.file.clone(),
                before: patch.line,
                text: patch.text.clone(),
            }),
        }
    }
}

const fn class_name(class: Class) -> &'static str {
    match class {
        Class::Program => "program",
        Class::Limit => "limit",
        Class::Compiler => "compiler",
        Class::Host => "host",
        Class::Unsupported => "unsupported",
        Class::Bug => "bug",
    }
}

const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Error => "error",
        Role::Created => "created",
        Role::Changed => "changed",
        Role::Spilled => "spilled",
        Role::Branch => "branch",
        Role::Lost => "lost",
        Role::Acquired => "acquired",
    }
}
