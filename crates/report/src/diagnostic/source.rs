//! The source of a program: real files where they are at hand, else the lines that its BTF keeps.

use alloc::borrow::Cow;

/// Gives the text of source files. What is not at hand is taken from the program's line records, which know single lines.
pub trait SourceProvider {
    /// The whole text of the file that the compiler called `path`; `None` where it is not at hand.
    fn file(&self, path: &str) -> Option<Cow<'_, str>> {
        let _ = path;
        None
    }
}

/// No file is at hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NoSource;

impl SourceProvider for NoSource {}
