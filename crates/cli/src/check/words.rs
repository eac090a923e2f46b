//! Explanations, drawn for this terminal.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use bpfvet::platform::LineInfo;
use bpfvet::report::{Diagnostic, History, Names, SourceProvider, render};

/// Columns where the output is not a terminal.
const WIDTH: u16 = 120;

/// How explanations are drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    colour: bool,
    width: usize,
}

impl Words {
    /// As the standard output takes them.
    pub(crate) fn of_terminal() -> Self {
        let colour = AutoStream::choice(&std::io::stdout()) != ColorChoice::Never;
        let width = comfy_table::Table::new().width().unwrap_or(WIDTH);
        Self { colour, width: usize::from(width) }
    }

    /// Sources are looked for where the compiler saw them, and from `dir`, where the object is.
    pub(crate) fn drawn(&self, diagnostic: &Diagnostic, names: &Names<'_>, history: &History, dir: &Path) -> String {
        let source = Files { lines: &names.request().lines, dir };
        render(diagnostic, names, history, &source, self.colour, self.width)
    }

    /// Where there is no program to draw it on.
    pub(crate) fn plain(&self, diagnostic: &Diagnostic) -> String {
        let Diagnostic { code, class: _, headline, labels: _, why, help, patch: _, kernel } = diagnostic;
        let mut text = format!("error[{code}]: {headline}\n");
        if let Some(at) = diagnostic.at() {
            let _ = writeln!(text, "  = insn: {at}");
        }
        for why in why {
            let _ = writeln!(text, "  = why: {why}");
        }
        for help in help {
            let _ = writeln!(text, "  = help: {help}");
        }
        let _ = writeln!(text, "  = kernel: {kernel}");
        text
    }
}

/// Source files where the object's lines say that they are, as long as they are still what was compiled.
struct Files<'a> {
    lines: &'a [LineInfo],
    dir: &'a Path,
}

impl SourceProvider for Files<'_> {
    fn file(&self, path: &str) -> Option<Cow<'_, str>> {
        let places = [Path::new(path).to_owned(), self.dir.join(path)];
        places.iter().find_map(|place| self.compiled(path, std::fs::read_to_string(place).ok()?)).map(Cow::Owned)
    }
}

impl Files<'_> {
    /// The text, if all the lines that the object keeps of the file are in it.
    fn compiled(&self, path: &str, text: String) -> Option<String> {
        let lines: Vec<&str> = text.lines().collect();
        let mut recorded = self.lines.iter().filter(|line| *line.file == *path && !line.text.is_empty());
        let same = recorded.all(|line| {
            let index = usize::try_from(line.line).ok().and_then(|number| number.checked_sub(1));
            index.and_then(|index| lines.get(index)).is_some_and(|text| text.trim() == line.text.trim())
        });
        same.then_some(text)
    }
}
