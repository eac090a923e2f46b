//! Our own explanation of a verdict: what, where, why, how it came about, and what to do.

mod code;
mod describe;
mod history;
mod patch;
#[cfg(feature = "render")]
mod render;
mod slice;
mod source;
mod words;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bpfvet_explore::{Rejection, RejectionCause};
use bpfvet_insn::InsnIdx;

use crate::Names;
use crate::kernel_text::kernel_message;

pub use code::{code, decode_code, structure_code};
pub use history::{History, Recorder, Visits};
pub use patch::Patch;
#[cfg(feature = "render")]
pub use render::render;
pub use source::{NoSource, SourceProvider};

/// What kind of thing stands between a program and its acceptance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// The program does something that is wrong, or not shown to be right.
    Program,
    /// The program is too large or too complex for this host.
    Limit,
    /// The source may be right, and what the compiler made of it is not understood.
    Compiler,
    /// This host, attach point, licence or privilege does not offer it.
    Host,
    /// bpfvet does not model it: no verdict.
    Unsupported,
    /// bpfvet is wrong: no verdict.
    Bug,
}

impl Class {
    /// The class in a few words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Program => "bug in the program",
            Self::Limit => "limit of the verifier",
            Self::Compiler => "artefact of compilation",
            Self::Host => "not offered here",
            Self::Unsupported => "not supported by bpfvet",
            Self::Bug => "bug in bpfvet",
        }
    }
}

/// What a place in the program has to do with the failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It is the failure.
    Error,
    /// A value that matters begins here.
    Created,
    /// It is changed here.
    Changed,
    /// It is kept on the stack here.
    Spilled,
    /// A branch decided about it.
    Branch,
    /// It is lost here.
    Lost,
    /// Something that must be given back is taken here.
    Acquired,
}

/// A place in the program and what it has to do with the failure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The instruction.
    pub at: InsnIdx,
    /// What it has to do with the failure.
    pub role: Role,
    /// That, in a few words.
    pub text: String,
}

/// An explanation of a verdict that is not acceptance.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    /// The stable code.
    pub code: &'static str,
    /// What kind of thing it is.
    pub class: Class,
    /// What is wrong, in one line.
    pub headline: String,
    /// Where, the failure last.
    pub labels: Vec<Label>,
    /// Why: what is required, and what is known.
    pub why: Vec<String>,
    /// What to do.
    pub help: Vec<String>,
    /// A change of the source that does it, where the case is a known one.
    pub patch: Option<Patch>,
    /// What the kernel says.
    pub kernel: String,
}

impl Diagnostic {
    /// The instruction at fault, where it is one.
    #[must_use]
    pub fn at(&self) -> Option<InsnIdx> {
        self.labels.iter().find(|label| label.role == Role::Error).map(|label| label.at)
    }
}

/// Explains why there is no acceptance. `history` is what a [`Recorder`] saw; an empty one leaves the causal path out.
#[must_use]
pub fn explain(rejection: &Rejection, names: &Names<'_>, history: &History) -> Diagnostic {
    let cause = &rejection.cause;
    let words::Words { class, headline, label, why, help, follow, also } = words::of(rejection, names, history);
    let place = match cause {
        RejectionCause::Violation(violation) => Some((violation.at, violation.frame)),
        RejectionCause::Structure(error) => error.at.map(|at| (at, 0)),
        RejectionCause::InfiniteLoop { at } | RejectionCause::Internal { at, what: _ } => Some((*at, 0)),
        RejectionCause::Unsupported(missing) => Some((missing.at, 0)),
        RejectionCause::MapRefused { at, .. }
        | RejectionCause::NoSuchMap { at, .. }
        | RejectionCause::NoDirectValue { at }
        | RejectionCause::MissingInsn { at, .. }
        | RejectionCause::DirectValueOutOfBounds { at, .. } => Some((*at, 0)),
        RejectionCause::Limit(_) | RejectionCause::Interrupted | RejectionCause::LoadRefused(_) => None,
    };
    let program = &names.request().program;
    let mut labels = also;
    if let Some((at, frame)) = place {
        labels.extend(slice::causal_path(history, program, frame, &follow, names));
        labels.retain(|label| label.at != at);
        labels.push(Label { at, role: Role::Error, text: label });
    }
    let patch = patch::suggest(cause, &labels, names);
    Diagnostic { code: code(cause), class, headline, labels, why, help, patch, kernel: kernel_message(cause, names) }
}

/// Explains why bytes are not a program.
#[must_use]
pub fn explain_bytes(error: &bpfvet_insn::DecodeError) -> Diagnostic {
    Diagnostic {
        code: decode_code(error),
        class: if error.is_refused_by_linux() { Class::Program } else { Class::Unsupported },
        headline: format!("not an instruction: {}", error.kind),
        labels: alloc::vec![Label { at: error.at, role: Role::Error, text: "this slot".to_string() }],
        why: Vec::new(),
        help: alloc::vec![
            "if a compiler or assembler made it, compile for an older instruction set (clang `-mcpu=v3`)".to_string()
        ],
        patch: None,
        kernel: crate::decode_message(error),
    }
}
