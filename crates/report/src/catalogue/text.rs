//! An entry as text, for those who ask what a code means.

use alloc::string::String;
use core::fmt::Write;

use super::{Entry, Example, Listing};

/// Columns of text.
const WIDTH: usize = 100;

/// The column of remarks beside instructions, where the instruction leaves room.
const COLUMN: usize = 40;

impl Entry {
    /// All that is known of the code: what it means, why kernels refuse it, the cure, an example with its repair, and what kernels
    /// say.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "{}\n", self.code);
        paragraph(&mut out, "means", self.means);
        paragraph(&mut out, "why", self.why());
        paragraph(&mut out, "cure", self.cure);
        if let Some(example) = self.example() {
            example.write(&mut out);
        }
        out
    }
}

impl Example {
    fn write(&self, out: &mut String) {
        let Self { code: _, prose, failing, repaired } = self;
        paragraph(out, "example", prose);
        if let Some(failing) = failing {
            let _ = writeln!(out, "\n  refused ({})\n", failing.setting.join("; "));
            failing.write(out);
        }
        if let Some(repaired) = repaired {
            let _ = match failing {
                Some(failing) if failing.setting != repaired.setting => {
                    writeln!(out, "\n  loads ({})\n", repaired.setting.join("; "))
                }
                Some(_) | None => writeln!(out, "\n  loads\n"),
            };
            repaired.write(out);
        }
        let messages = failing.iter().flat_map(|failing| &failing.messages);
        for (number, (kernels, message)) in messages.enumerate() {
            let gap = if number == 0 { "\n" } else { "" };
            let _ = match *kernels {
                "" => writeln!(out, "{gap}  kernel: {message}"),
                kernels => writeln!(out, "{gap}  Linux {kernels}: {message}"),
            };
        }
    }
}

impl Listing {
    fn write(&self, out: &mut String) {
        let Self { setting: _, declarations, lines, refused, messages: _ } = self;
        for line in declarations.iter().flat_map(|text| text.lines()) {
            let _ = writeln!(out, "      {line}");
        }
        if !declarations.is_empty() {
            out.push('\n');
        }
        for (number, line) in lines.iter().enumerate() {
            let _ = match refused {
                Some((at, _)) if *at == number => writeln!(out, "      {line:<COLUMN$}; refused here"),
                Some(_) | None => writeln!(out, "      {line}"),
            };
        }
    }
}

/// A name and what is said of it, over as many lines as it takes; nothing where nothing is said.
fn paragraph(out: &mut String, name: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    let _ = write!(out, "  {:<8}", alloc::format!("{name}:"));
    let indent = 10;
    let mut column = indent;
    for word in text.split_whitespace() {
        if column > indent && column + 1 + word.len() > WIDTH {
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        }
        if column > indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out.push('\n');
}
