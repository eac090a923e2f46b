//! What every code means, why the kernel refuses it, and an example with its repair.

mod entries;
mod examples;
mod text;

use alloc::vec::Vec;

pub use examples::{Example, Listing};

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

/// Every code, in the order in which a kernel would come across them.
#[must_use]
pub const fn entries() -> &'static [Entry] {
    entries::ALL
}

/// Every example, in the order of the files that they stand in.
#[must_use]
pub fn examples() -> Vec<Example> {
    examples::all().collect()
}

/// What is known of a code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Entry> {
    entries::ALL.iter().find(|entry| entry.code == code)
}

impl Entry {
    /// Its example, if it has one.
    #[must_use]
    pub fn example(&self) -> Option<Example> {
        examples::all().find(|example| example.code == self.code)
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
