//! Our own explanation of a verdict: what, where, why, how it came about, and what to do.

mod code;
mod copies;
mod describe;
mod history;
mod patch;
#[cfg(feature = "render")]
mod render;
mod room;
mod slice;
mod source;
mod words;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bpfvet_explore::{Rejection, RejectionCause};
use bpfvet_insn::{Insn, InsnIdx, Operand};
use bpfvet_vm::violation::{Bounds, CallCause, MemoryCause, RegisterCause, ResourceCause};
use bpfvet_vm::{Base, Cause};

use crate::Names;
use crate::kernel_text::kernel_message;

pub use code::{code, decode_code, structure_code};
pub(crate) use history::Happened;
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
        RejectionCause::Pass { at, .. } => at.map(|at| (at, 0)),
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
    let code = code(cause);
    let kernel = kernel_message(cause, names);
    let help = if help.is_empty() { usual_cure(code, class) } else { help };
    let Some((at, frame)) = place else {
        return Diagnostic { code, class, headline, labels, why, help, patch: None, kernel };
    };
    let story = slice::causal_path(history, program, frame, &follow, names);
    if let Some((_, taken)) = leaked(cause) {
        labels.extend(slice::branches_since(history, taken));
    }
    labels.extend_from_slice(&story.labels);
    labels.retain(|label| label.at != at && !is_step_of(label, at, names));
    labels.push(Label { at, role: Role::Error, text: label });
    let mut diagnostic = Diagnostic { code, class, headline, labels, why, help, patch: None, kernel };
    if let Some(bound) = room::wanted_size(cause, history, names) {
        diagnostic.why.push(format!("the memory given with it has {}", room::bytes(bound.room)));
    }
    if story.lost_packet.is_some() && uses_number(cause) {
        diagnostic.headline =
            "a pointer into the packet is used after a call that may have moved the packet".to_string();
        diagnostic.why = Vec::new();
        diagnostic.help = alloc::vec![
            "load `data` and `data_end` from the context again after that call, and check again".to_string()
        ];
    } else if wants_bound(cause)
        && let Some(copies::Copy { class, label, help }) = copies::checked(history, program, &story)
    {
        diagnostic.labels.retain(|other| other.at != label.at);
        diagnostic.labels.insert(0, label);
        diagnostic.help = alloc::vec![help.to_string()];
        diagnostic.class = class;
        return diagnostic;
    }
    diagnostic.patch = patch::suggest(cause, &diagnostic.labels, history, names);
    if diagnostic.patch.is_none()
        && let Some(call) = leaked(cause).and_then(|(_, taken)| patch::release_call(taken, names))
    {
        diagnostic.help = alloc::vec![format!("on this path, `{call}` must come before it leaves")];
    }
    if diagnostic.patch.is_some() {
        // The lines to add say it.
        diagnostic.help.truncate(0);
    }
    diagnostic
}

/// What the catalogue advises, where there is nothing to say that is more special.
fn usual_cure(code: &str, class: Class) -> Vec<String> {
    if matches!(class, Class::Unsupported | Class::Bug) {
        return Vec::new();
    }
    let cure = crate::catalogue::find(code).map(|entry| entry.cure).filter(|cure| !cure.is_empty());
    cure.map(|cure| {
        let mut letters = cure.chars();
        let first = letters.next().map(|letter| letter.to_ascii_lowercase());
        first.into_iter().chain(letters.as_str().trim_end_matches('.').chars()).collect()
    })
    .into_iter()
    .collect()
}

/// Whether a label only tells how the line at fault is computed: what comes out is told by the failure.
fn is_step_of(label: &Label, at: InsnIdx, names: &Names<'_>) -> bool {
    let request = names.request();
    let (Some(here), Some(there)) = (request.line_at(label.at), request.line_at(at)) else { return false };
    let is_constant = matches!(request.program.get(label.at), Some(Insn::Mov { src: Operand::Imm(_), .. }));
    (label.role == Role::Changed || is_constant) && here.line == there.line && here.file == there.file
}

/// The first thing that is not given back, and where it was taken.
fn leaked(cause: &RejectionCause) -> Option<(u32, InsnIdx)> {
    let RejectionCause::Violation(violation) = cause else { return None };
    let Cause::Resource(ResourceCause::Leak { site: _, live }) = &*violation.cause else { return None };
    live.first().copied()
}

/// Whether a number is used where a pointer is needed.
fn uses_number(cause: &RejectionCause) -> bool {
    let RejectionCause::Violation(violation) = cause else { return false };
    match &*violation.cause {
        Cause::Memory(MemoryCause::InvalidPointer { access }) => access.tag.base == Base::Scalar,
        Cause::Call(CallCause::ArgumentKind { actual, .. }) => actual.base == Base::Scalar,
        Cause::Register(_)
        | Cause::Memory(_)
        | Cause::Resource(_)
        | Cause::Call(_)
        | Cause::Context(_)
        | Cause::Policy(_) => false,
    }
}

/// Whether the failure is that a number is not bounded as it must be.
fn wants_bound(cause: &RejectionCause) -> bool {
    let RejectionCause::Violation(violation) = cause else { return false };
    match &*violation.cause {
        Cause::Memory(MemoryCause::OutOfBounds { access, bounds, .. }) => {
            !matches!(access.tag.base, Base::Packet | Base::PacketMeta)
                && matches!(bounds, Bounds::Negative { .. } | Bounds::Unbounded { .. } | Bounds::Max { .. })
        }
        Cause::Memory(MemoryCause::StackUnbounded { .. })
        | Cause::Register(RegisterCause::OffsetUnbounded { .. } | RegisterCause::OffsetTooLarge { .. })
        | Cause::Call(CallCause::SizeUnbounded { .. } | CallCause::SizeNegative { .. }) => true,
        Cause::Register(_)
        | Cause::Memory(_)
        | Cause::Resource(_)
        | Cause::Call(_)
        | Cause::Context(_)
        | Cause::Policy(_) => false,
    }
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
        help: usual_cure(decode_code(error), Class::Program),
        patch: None,
        kernel: crate::decode_message(error),
    }
}
