//! What every code means, why the kernel refuses it, and an example with its repair.

mod entries;
mod examples;

use alloc::vec;
use alloc::vec::Vec;

use bpfvet_platform::{MapDef, MapKind, Privilege, ProgramType};

/// A code in words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The code.
    pub code: &'static str,
    /// What is wrong.
    pub means: &'static str,
    /// The usual cure; empty where there is none to name.
    pub cure: &'static str,
}

/// A program that is refused with a code, and one that differs from it in the cure and is accepted by Linux 7.3.
///
/// Both are assembly in the dialect of `bpfvet-asm`, without names; maps are those of [`example_maps`], by index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Example {
    /// The code.
    pub code: &'static str,
    /// The program's type.
    pub program_type: ProgramType,
    /// What the loader is trusted with.
    pub privilege: Privilege,
    /// Refused.
    pub failing: &'static str,
    /// Accepted.
    pub repaired: &'static str,
}

/// Every code, in the order in which a kernel would come across them.
#[must_use]
pub const fn entries() -> &'static [Entry] {
    entries::ALL
}

/// Every example.
#[must_use]
pub const fn examples() -> &'static [Example] {
    examples::ALL
}

/// What is known of a code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Entry> {
    entries::ALL.iter().find(|entry| entry.code == code)
}

impl Entry {
    /// Its example, if it has one.
    #[must_use]
    pub fn example(&self) -> Option<&'static Example> {
        examples::ALL.iter().find(|example| example.code == self.code)
    }

    /// Why a kernel refuses such programs.
    #[must_use]
    pub fn why(&self) -> &'static str {
        match self.code.split("::").next() {
            Some("instruction") => {
                "The bytes are handed to a compiler inside the kernel, and it only takes what the instruction set defines."
            }
            Some("object") => "A loader could not make a program of it, so no kernel ever sees it.",
            Some("load") => {
                "The kernel looks at the load request, its maps and its rights before it looks at the program."
            }
            Some("structure") => {
                "The kernel proves things about every path, so it must first know all paths: where they begin, lead and end."
            }
            Some("register") => {
                "Safety is proved from what each register holds. Where that is not known any more, nothing can be proved."
            }
            Some("memory") => {
                "A program runs with the kernel's rights and no hardware guards it, so each access must be proved to be inside \
                 its object, on every path."
            }
            Some("resource") => {
                "What a program takes and never gives back is lost until the machine restarts, or stops it at once."
            }
            Some("call") => {
                "Helpers trust their arguments: what they are given is proved before the call, because nothing checks it after."
            }
            Some("context") => {
                "Some regions of a program run where sleeping, or certain calls, would stop the machine."
            }
            Some("policy") => {
                "What a program may do depends on its type, its attach point, its licence and its loader's rights."
            }
            Some("limit") => {
                "Verification must end in reasonable time and memory, and programs in a small stack: hence the limits."
            }
            Some("bpfvet") => "This is not a kernel's refusal: bpfvet has no verdict.",
            Some(_) | None => "",
        }
    }
}

/// The maps of the examples.
///
/// | index | kind | key | value | entries |
/// | --- | --- | --- | --- | --- |
/// | 0 | hash | 4 | 8 | 16 |
/// | 1 | array | 4 | 48 | 4 |
/// | 2 | ring buffer | – | – | 4096 bytes |
/// | 3 | program array | 4 | 4 | 4 |
/// | 4 | array, read-only for programs | 4 | 8 | 4 |
#[must_use]
pub fn example_maps() -> Vec<MapDef> {
    let mut constants = MapDef::new("constants", MapKind::ARRAY, 4, 8, 4);
    constants.flags = MapDef::RDONLY_PROG;
    vec![
        MapDef::new("counts", MapKind::HASH, 4, 8, 16),
        MapDef::new("values", MapKind::ARRAY, 4, 48, 4),
        MapDef::new("events", MapKind::RINGBUF, 0, 0, 4096),
        MapDef::new("programs", MapKind::PROG_ARRAY, 4, 4, 4),
        constants,
    ]
}
