//! Which programs, and of what type.

use bpfvet::elf::{Object, ProgramEntry, section_kind};
use bpfvet::insn::Program;
use bpfvet::platform::{AttachType, LoadFlags, LoadRequest, Privilege, ProgramType};

use crate::fault::Fault;

/// A program type that the user names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) program_type: ProgramType,
    attach_type: AttachType,
    flags: LoadFlags,
}

impl Kind {
    /// A type's name, or a section's.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let named = ProgramType::by_name(text);
        // A section of the same name says more: where the program attaches.
        if let Some(kind) = section_kind(text).filter(|kind| named.is_none_or(|named| named == kind.program_type)) {
            return Ok(Self { program_type: kind.program_type, attach_type: kind.attach_type, flags: kind.flags });
        }
        if let Some(program_type) = named {
            return Ok(Self { program_type, attach_type: AttachType::default(), flags: LoadFlags::default() });
        }
        let names: Vec<&str> = ProgramType::ALL.iter().skip(1).map(|kind| kind.name()).collect();
        Err(Fault::Told(format!(
            "program type `{text}` is not known: it is the name of a section, such as cgroup/connect4, or one of {}",
            names.join(", ")
        )))
    }

    pub(crate) fn put_on(&self, entry: &mut ProgramEntry) {
        let Self { program_type, attach_type, flags } = *self;
        entry.program_type = Some(program_type);
        entry.attach_type = attach_type;
        entry.flags = flags;
    }

    /// A request for bare instructions.
    pub(crate) fn request(&self, name: &str, program: Program, privilege: Privilege) -> LoadRequest {
        let Self { program_type, attach_type, flags } = *self;
        let mut request = LoadRequest::new(name, program_type, program);
        request.attach_type = attach_type;
        request.flags = flags;
        request.privilege = privilege;
        request
    }
}

/// The type for `--type`, which raw programs need.
pub(crate) fn kind(text: Option<&str>, raw: bool) -> Result<Option<Kind>, Fault> {
    if raw && text.is_none() {
        return Err(Fault::Told("--raw needs --type: instructions do not say what they are for".to_owned()));
    }
    text.map(Kind::parse).transpose()
}

/// Positions of the programs with one of these names; of all where none is named.
pub(crate) fn indices(object: &Object, names: &[String]) -> Vec<usize> {
    let programs = object.programs().iter().enumerate();
    programs.filter(|(_, entry)| names.is_empty() || names.contains(&entry.name)).map(|(index, _)| index).collect()
}

/// A name that none of the programs has, with what there is.
pub(crate) fn missing<'a>(names: &[String], found: impl Iterator<Item = &'a str> + Clone) -> Option<Fault> {
    let name = names.iter().find(|name| !found.clone().any(|found| found == *name))?;
    let mut all: Vec<&str> = found.collect();
    all.sort_unstable();
    all.dedup();
    let known = if all.is_empty() { "there is none".to_owned() } else { format!("there are: {}", all.join(", ")) };
    Some(Fault::Told(format!("no program is called `{name}`; {known}")))
}
