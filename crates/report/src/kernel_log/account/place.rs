//! A place: the function, the lines of the source around it with a note, and the instructions around it.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Write;

use bpfvet_insn::InsnIdx;
use bpfvet_platform::LineInfo;

use super::{Writer, function_at, wrapped};

/// Lines, and instructions, that are shown on each side.
const AROUND: u32 = 2;

/// Columns of a line of source, its number included.
const LANE: usize = 88;

const TAB: usize = 8;

impl Writer<'_> {
    /// Writes the place of an instruction with a note.
    pub(super) fn place(&self, out: &mut String, at: InsnIdx, label: &str, note: &str) {
        match self.names.request().line_at(at).filter(|line| !line.file.is_empty()) {
            None => {
                let _ = writeln!(out, "  insn {at}");
                annotation(out, 0, 0, label, note);
            }
            Some(line) => {
                let name = function_at(at, self.names);
                let within = if name.is_empty() { String::new() } else { format!("{name} @ ") };
                let _ = writeln!(out, "  {within}{}:{}:{}", line.file, line.line, line.column);
                if line.text.is_empty() {
                    annotation(out, 0, 0, label, note);
                } else {
                    self.source(out, at, line, label, note);
                }
            }
        }
        self.instructions(out, at);
    }

    fn source(&self, out: &mut String, at: InsnIdx, line: &LineInfo, label: &str, note: &str) {
        out.push_str("  Source context:\n");
        let last = line.line.saturating_add(AROUND);
        let width = last.to_string().len();
        for shift in 0..=2 * AROUND {
            let Some(number) = line.line.checked_add(shift).and_then(|line| line.checked_sub(AROUND)) else { continue };
            if number == 0 {
                out.push_str("  \n");
                continue;
            }
            let is_here = number == line.line;
            let text = if is_here { Some(&*line.text) } else { self.line(at, line, number) };
            let mark = if is_here { ">>> " } else { "    " };
            let mut lane = format!("{mark}{number:width$} | ");
            expand(&mut lane, text.unwrap_or("..."));
            let _ = writeln!(out, "  {lane}");
            if is_here {
                annotation(out, width, indent(&line.text), label, note);
            }
        }
    }

    /// The text of another line of the file, where it belongs to the same function.
    fn line(&self, at: InsnIdx, near: &LineInfo, number: u32) -> Option<&str> {
        let function = function_at(at, self.names);
        let mut lines = self.names.request().lines.iter();
        let line = lines.find(|line| {
            line.line == number
                && line.file == near.file
                && !line.text.is_empty()
                && function_at(line.at, self.names) == function
        })?;
        Some(&line.text)
    }

    fn instructions(&self, out: &mut String, at: InsnIdx) {
        out.push_str("  Instruction context:\n");
        let width = self.program.slots().len().saturating_sub(1).to_string().len();
        for shift in 0..=2 * AROUND {
            let Some(index) = at.0.checked_add(shift).and_then(|index| index.checked_sub(AROUND)) else { continue };
            let Some(insn) = self.program.get(InsnIdx(index)) else { continue };
            let mark = if index == at.0 { ">>> " } else { "    " };
            let _ = writeln!(out, "  {mark}{index:width$} | {}", insn.disasm(self.names));
        }
    }
}

/// `^-- label: note` under a line.
fn annotation(out: &mut String, width: usize, indent: usize, label: &str, note: &str) {
    let indent = indent.min(LANE.saturating_sub(width + 8));
    let blanks = format!("  {:1$} | {2:3$}", "", width + 4, "", indent);
    wrapped(out, &format!("{blanks}^-- "), &format!("{blanks}    "), &format!("{label}: {note}"));
}

/// Columns of white space at the beginning of a line.
fn indent(line: &str) -> usize {
    line.chars().take_while(|letter| matches!(letter, ' ' | '\t')).fold(0, |column, letter| match letter {
        '\t' => (column + 1).next_multiple_of(TAB),
        _ => column + 1,
    })
}

/// Appends a line of source with its tabs expanded, cut to the lane.
fn expand(lane: &mut String, text: &str) {
    let begin = lane.len();
    let width = LANE.saturating_sub(begin);
    let mut column = 0;
    for letter in text.chars() {
        if column >= width {
            while lane.len() > begin && column > width.saturating_sub(3) {
                lane.pop();
                column -= 1;
            }
            lane.push_str("...");
            return;
        }
        if letter == '\t' {
            let stop = (column + 1).next_multiple_of(TAB).min(width);
            lane.extend(core::iter::repeat_n(' ', stop - column));
            column = stop;
        } else {
            lane.push(letter);
            column += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::{LANE, expand, indent};

    #[test]
    fn tabs_are_columns() {
        assert_eq!((indent("\tx"), indent("  \tx"), indent(" \t x"), indent("x")), (8, 8, 9, 0));
        let mut lane = String::from("12 | ");
        expand(&mut lane, "\tif (a)\tb");
        assert_eq!(lane, "12 |         if (a)  b");
    }

    #[test]
    fn a_long_line_is_cut() {
        let mut lane = String::from("12 | ");
        expand(&mut lane, &"ab ".repeat(40));
        assert_eq!(lane.len(), LANE);
        assert!(lane.ends_with("..."));
    }
}
