//! What an object says of one of its programs.

use alloc::string::String;

use bpfvet_platform::{AttachType, LoadFlags, ProgramType};

use crate::section_kind;

/// A program of an object, before it is linked.
///
/// The public fields may be changed before the program is [linked](crate::Object::load_request), as loaders let their users.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProgramEntry {
    /// Its name: that of its function.
    pub name: String,
    /// The section that it is in, without the leading `?`.
    pub section: String,
    /// Whether a loader loads it without being asked; a leading `?` of the section's name says no.
    pub autoload: bool,
    /// Its type; `None` where the section's name does not tell.
    pub program_type: Option<ProgramType>,
    /// Where it attaches.
    pub attach_type: AttachType,
    /// How it is loaded.
    pub flags: LoadFlags,
    /// What it attaches to: what follows the first slash of the section's name.
    pub target: Option<String>,
    /// The target is a function or type of the kernel.
    pub(crate) by_btf: bool,
    /// Index among the object's functions.
    pub(crate) function: usize,
}

impl ProgramEntry {
    pub(crate) fn new(name: &str, section: &str, function: usize, multi_uprobes: bool) -> Self {
        let (section, autoload) = match section.strip_prefix('?') {
            Some(rest) => (rest, false),
            None => (section, true),
        };
        let kind = section_kind(section);
        let attach_type = match kind {
            Some(kind) if kind.usdt && multi_uprobes => AttachType::TRACE_UPROBE_MULTI,
            Some(kind) => kind.attach_type,
            None => AttachType::default(),
        };
        Self {
            name: name.into(),
            section: section.into(),
            autoload,
            program_type: kind.map(|kind| kind.program_type),
            attach_type,
            flags: kind.map(|kind| kind.flags).unwrap_or_default(),
            target: section.split_once('/').map(|(_, target)| target.into()),
            by_btf: kind.is_some_and(|kind| kind.by_btf),
            function,
        }
    }
}
