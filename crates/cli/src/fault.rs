//! What keeps the command from answering at all.

use std::io::{self, Write as _};

/// The exit status when everything was accepted.
pub(crate) const ACCEPTED: u8 = 0;
/// The exit status when something was rejected.
pub(crate) const REJECTED: u8 = 1;
/// The exit status when something could not be decided.
pub(crate) const UNDECIDED: u8 = 2;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// In a sentence.
    Told(String),
    /// Nobody reads the output any more.
    Closed,
}

impl From<String> for Fault {
    fn from(text: String) -> Self {
        Self::Told(text)
    }
}

impl From<io::Error> for Fault {
    /// A failure to write the output; failures to read are told with the file's name where they happen.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::Closed
        } else {
            Self::Told(format!("cannot write the output: {error}"))
        }
    }
}

/// Says on standard error what is wrong.
pub(crate) fn tell(text: &str) {
    // Nothing can be done about a standard error that is closed.
    let _ = writeln!(anstream::stderr(), "bpfvet: {text}");
}
