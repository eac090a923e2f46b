//! One line of the table.

use std::fmt;

/// What was counted, and how much.
#[derive(Clone, Debug)]
pub struct Row {
    what: String,
    value: String,
}

impl Row {
    /// A line.
    pub fn new(what: impl Into<String>, value: impl fmt::Display) -> Self {
        Self { what: what.into(), value: value.to_string() }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, value } = self;
        write!(f, "{what:<48} {value:>14}")
    }
}
