//! Our words for each cause.

mod call;
mod context;
mod dynptr;
mod limit;
mod memory;
mod policy;
mod register;
mod request;
mod resource;
mod structure;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bpfvet_explore::{Rejection, RejectionCause};
use bpfvet_insn::{Insn, InsnIdx, Operand, Reg};
use bpfvet_vm::Cause;
use bpfvet_vm::violation::Place;

use super::{Class, History, Label};
use crate::Names;

/// What is said of a cause.
pub(super) struct Words {
    pub(super) class: Class,
    pub(super) headline: String,
    /// What is said at the place of the failure.
    pub(super) label: String,
    pub(super) why: Vec<String>,
    pub(super) help: Vec<String>,
    /// Registers whose values are followed back to where they come from.
    pub(super) follow: Vec<Reg>,
    /// Other places that belong to the story.
    pub(super) also: Vec<Label>,
}

impl Words {
    fn new(class: Class, headline: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            class,
            headline: headline.into(),
            label: label.into(),
            why: Vec::new(),
            help: Vec::new(),
            follow: Vec::new(),
            also: Vec::new(),
        }
    }

    /// A bug in the program.
    fn program(headline: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Class::Program, headline, label)
    }

    fn why(mut self, why: impl Into<String>) -> Self {
        self.why.push(why.into());
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    fn follow(mut self, place: Place) -> Self {
        match place {
            Place::Reg(reg) => self.follow.push(reg),
            Place::StackArg(_) => {}
        }
        self
    }

    fn class(self, class: Class) -> Self {
        Self { class, ..self }
    }
}

/// What is said of this verdict.
pub(super) fn of(rejection: &Rejection, names: &Names<'_>, history: &History) -> Words {
    match &rejection.cause {
        RejectionCause::Violation(violation) => of_cause(&violation.cause, violation.at, names),
        RejectionCause::Structure(error) => structure::words(error, rejection, names),
        RejectionCause::Limit(cause) => limit::words(*cause, rejection, names, history),
        RejectionCause::InfiniteLoop { at } => limit::infinite_loop(*at, names),
        RejectionCause::LoadRefused(refusal) => request::load(refusal, names),
        RejectionCause::MapRefused { at: _, map, refusal } => request::map(map, refusal, names),
        RejectionCause::NoSuchMap { at: _, index } => {
            Words::program(format!("the program refers to map number {index}, and has no such map"), "loaded here")
        }
        RejectionCause::MissingInsn { at: _, needs } => {
            let host = names.platform().name();
            Words::program(format!("{host} does not have this instruction"), "this one")
                .class(Class::Host)
                .why(format!("it came with Linux {} (`{}`)", needs.since(), needs.name()))
                .help("compile for an older instruction set: clang's `-mcpu=v1`, `-mcpu=v2` or `-mcpu=v3`")
        }
        RejectionCause::NoDirectValue { at: _ } => {
            Words::program("the address of a value is taken in a map whose values have none", "loaded here")
                .class(Class::Host)
                .help("global variables need Linux 5.2; other maps are reached by bpf_map_lookup_elem()")
        }
        RejectionCause::DirectValueOutOfBounds { at: _, value_size, off } => {
            Words::program("an address beyond the map's value", format!("byte {off} of {value_size}"))
        }
        RejectionCause::Pass { at: _, code: _, what } => Words::program(what.as_ref(), "here")
            .why("a check that was brought along refuses it; this says nothing about what a kernel would do"),
        RejectionCause::Unsupported(missing) => Words::new(
            Class::Unsupported,
            format!("bpfvet does not model this: {}", missing.what),
            "no verdict from here on",
        )
        .why("this says nothing about the program: a kernel may accept or refuse it"),
        RejectionCause::Interrupted => Words::new(
            Class::Unsupported,
            "the verification was given up: the budget or the patience of the caller ran out",
            "",
        ),
        RejectionCause::Internal { at: _, what } => {
            Words::new(Class::Bug, format!("bpfvet contradicts itself: {what}"), "while it looked at this")
                .help("please report this, with the program")
        }
    }
}

fn of_cause(cause: &Cause, at: InsnIdx, names: &Names<'_>) -> Words {
    match cause {
        Cause::Register(cause) => register::words(cause, at, names),
        Cause::Memory(cause) => memory::words(cause, at, names),
        Cause::Resource(cause) => resource::words(cause, names),
        Cause::Call(cause) => call::words(cause, at, names),
        Cause::Context(cause) => context::words(cause, names),
        Cause::Policy(cause) => policy::words(cause, at, names),
    }
}

/// A place of an argument.
fn place(place: Place) -> String {
    match place {
        Place::Reg(reg) => format!("`{reg}`"),
        Place::StackArg(slot) => format!("stack argument {}", u32::from(slot) + 1),
    }
}

/// The name of an argument of a call.
fn argument(place: Place) -> String {
    match place {
        Place::Reg(reg) => format!("argument {} (`{reg}`)", reg.number()),
        Place::StackArg(slot) => format!("argument {}", u32::from(slot) + 6),
    }
}

/// `1 byte`, `8 bytes`.
fn bytes(count: i64) -> String {
    if count == 1 { "1 byte".to_string() } else { format!("{count} bytes") }
}

/// The register that the instruction adds to its destination, if it adds one.
fn added(at: InsnIdx, names: &Names<'_>) -> Option<Reg> {
    let Insn::Alu { src: Operand::Reg(src), .. } = names.request().program.get(at)? else { return None };
    Some(*src)
}
