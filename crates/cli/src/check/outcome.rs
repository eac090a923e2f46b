//! What one verification on one kernel came to.

use std::time::Duration;

use bpfvet::explore::Stats;
use bpfvet::insn::InsnIdx;
use bpfvet::platform::{LoadRequest, ProgramType};
use bpfvet::report::json::{Explanation, Source};
use bpfvet::report::{Class, Diagnostic};

pub(crate) use bpfvet::report::json::Verdict;

/// What a refusal of this kind comes to.
pub(crate) const fn verdict_of(class: Class) -> Verdict {
    match class {
        Class::Program | Class::Limit | Class::Compiler | Class::Host => Verdict::Rejected,
        Class::Unsupported => Verdict::Unsupported,
        Class::Bug => Verdict::Failed,
    }
}

/// What one verification on one kernel came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) program_type: Option<ProgramType>,
    /// The stable code of what is wrong.
    pub(crate) code: Option<&'static str>,
    /// What is wrong, in the kernel's words.
    pub(crate) message: Option<String>,
    /// Where.
    pub(crate) at: Option<InsnIdx>,
    pub(crate) source: Option<Source>,
    pub(crate) stats: Stats,
    pub(crate) duration: Duration,
    /// What could not be known and was assumed.
    pub(crate) warnings: Vec<String>,
    /// The explanation, or the log, as it is to be printed.
    pub(crate) detail: String,
    /// The explanation, for machines.
    pub(crate) explanation: Option<Explanation>,
    /// The kernel's types could make another outcome of it.
    pub(crate) wants_types: bool,
}

impl Outcome {
    pub(crate) fn accepted(request: &LoadRequest, stats: Stats) -> Self {
        Self {
            verdict: Verdict::Accepted,
            program_type: Some(request.program_type),
            code: None,
            message: None,
            at: None,
            source: None,
            stats,
            duration: Duration::ZERO,
            warnings: Vec::new(),
            detail: String::new(),
            explanation: None,
            wants_types: false,
        }
    }

    /// No acceptance, for a reason in the program or in the kernel.
    pub(crate) fn refused(request: &LoadRequest, diagnostic: &Diagnostic, stats: Stats) -> Self {
        let at = diagnostic.at();
        Self {
            verdict: verdict_of(diagnostic.class),
            code: Some(diagnostic.code),
            message: Some(diagnostic.kernel.clone()),
            at,
            source: at.and_then(|at| Source::at(at, request)),
            wants_types: diagnostic.class == Class::Unsupported,
            ..Self::accepted(request, stats)
        }
    }

    /// The bytes are not instructions.
    pub(crate) fn undecodable(program_type: Option<ProgramType>, diagnostic: &Diagnostic) -> Self {
        Self {
            verdict: verdict_of(diagnostic.class),
            code: Some(diagnostic.code),
            at: diagnostic.at(),
            ..Self::failed(program_type, diagnostic.kernel.clone())
        }
    }

    /// A loader would not get as far as asking the kernel.
    pub(crate) fn failed(program_type: Option<ProgramType>, message: String) -> Self {
        Self {
            verdict: Verdict::Failed,
            program_type,
            code: Some("object::program"),
            message: Some(message),
            at: None,
            source: None,
            stats: Stats::default(),
            duration: Duration::ZERO,
            warnings: Vec::new(),
            detail: String::new(),
            explanation: None,
            wants_types: false,
        }
    }
}
