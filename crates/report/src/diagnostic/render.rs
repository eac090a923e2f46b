//! A diagnostic drawn for a terminal: one snippet with several labels, then the reason and the cure.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use bpfvet_insn::InsnIdx;
use bpfvet_platform::LineInfo;

use super::{Class, Diagnostic, Label, Patch, Role, SourceProvider};
use crate::state_text::{Extent, state_text};
use crate::{History, Names};

/// Lines that a snippet may span; what is farther away gets a snippet of its own.
const SPAN: u32 = 2000;

/// Draws a diagnostic: in colour or not, wrapped to a terminal of `width` columns.
#[must_use]
pub fn render(
    diagnostic: &Diagnostic,
    names: &Names<'_>,
    history: &History,
    source: &dyn SourceProvider,
    colour: bool,
    width: usize,
) -> String {
    let Diagnostic { code, class, headline, labels, why, help, patch: change, kernel } = diagnostic;
    let level = match class {
        Class::Program | Class::Limit | Class::Compiler | Class::Host => Level::ERROR,
        Class::Unsupported => Level::WARNING.with_name("unsupported"),
        Class::Bug => Level::ERROR.with_name("bug"),
    };
    let pages = pages(labels, names, source);
    let mut group = Group::with_title(level.primary_title(headline.as_str()).id(*code));
    for page in &pages {
        group = group.element(snippet(page));
    }
    if let Some(at) = diagnostic.at()
        && let Some(text) = instruction(at, names, history)
    {
        group = group.element(Level::NOTE.with_name("insn").message(text));
    }
    for reason in why {
        group = group.element(Level::NOTE.with_name("why").message(reason.as_str()));
    }
    if *class != Class::Program {
        group = group.element(Level::NOTE.with_name("class").message(class.name()));
    }
    for advice in help {
        group = group.element(Level::HELP.message(advice.as_str()));
    }
    if !kernel.is_empty() && *class != Class::Unsupported && *class != Class::Bug {
        group = group.element(Level::NOTE.with_name("kernel").message(kernel.as_str()));
    }
    let renderer = if colour { Renderer::styled().decor_style(DecorStyle::Unicode) } else { Renderer::plain() };
    let mut text = renderer.term_width(width.max(40)).render(&[group]);
    text.push('\n');
    if let Some(change) = change {
        write_change(&mut text, change, names, source, colour);
    }
    text
}

/// The new lines between those that they come between.
fn write_change(out: &mut String, change: &Patch, names: &Names<'_>, source: &dyn SourceProvider, colour: bool) {
    let (bold, blue, green, reset) =
        if colour { ("\x1b[1m\x1b[96m", "\x1b[1m\x1b[94m", "\x1b[92m", "\x1b[0m") } else { ("", "", "", "") };
    let lines = Text::new(&change.file, names, source);
    let digits = change.line.to_string().len();
    let around = |out: &mut String, number: u32| {
        let line = lines.line(number).replace('\t', "    ");
        if !line.trim().is_empty() {
            let _ = writeln!(out, "{blue}{number:digits$} |{reset} {line}");
        }
    };
    let _ = writeln!(out, "{bold}help{reset}: {}", change.title);
    around(out, change.line.saturating_sub(1));
    for line in change.text.lines() {
        let _ = writeln!(out, "{:digits$} {green}+ {}{reset}", "", line.replace('\t', "    "));
    }
    around(out, change.line);
}

/// Part of a text with labels on some of its lines.
struct Page {
    path: String,
    first: usize,
    text: String,
    labels: Vec<(std::ops::Range<usize>, bool, String)>,
}

fn snippet(page: &Page) -> Snippet<'_, Annotation<'_>> {
    let annotations = page.labels.iter().map(|(span, is_error, text)| {
        let kind = if *is_error { AnnotationKind::Primary } else { AnnotationKind::Context };
        kind.span(span.clone()).label(text.as_str())
    });
    Snippet::source(page.text.as_str()).path(page.path.as_str()).line_start(page.first).annotations(annotations)
}

/// The labels on the program's source; on its disassembly where the failure has no source line.
fn pages(labels: &[Label], names: &Names<'_>, source: &dyn SourceProvider) -> Vec<Page> {
    let request = names.request();
    let error = labels.iter().find(|label| label.role == Role::Error).or(labels.last());
    let Some(error) = error else { return Vec::new() };
    let Some(main) = request.line_at(error.at) else { return vec![disassembly_page(labels, names)] };
    let same_line =
        |label: &&Label| request.line_at(label.at).is_some_and(|line| line.line == main.line && line.file == main.file);
    if labels.iter().filter(same_line).count() > 2 {
        // One line of source for most of the story, as with inline assembly: it is told on the instructions.
        let mut pages = source_pages(std::slice::from_ref(error), main, names, source);
        pages.push(disassembly_page(labels, names));
        return pages;
    }
    source_pages(labels, main, names, source)
}

/// Labels by line.
type ByLine<'a> = BTreeMap<u32, Vec<(&'a LineInfo, &'a Label)>>;

fn source_pages(labels: &[Label], main: &LineInfo, names: &Names<'_>, source: &dyn SourceProvider) -> Vec<Page> {
    // By file and line, the file of the failure first.
    let mut files: BTreeMap<(bool, &str), ByLine<'_>> = BTreeMap::new();
    for label in labels {
        if let Some(line) = names.request().line_at(label.at) {
            let file = files.entry((line.file != main.file, &*line.file)).or_default();
            file.entry(line.line).or_default().push((line, label));
        }
    }
    let mut pages = Vec::new();
    for ((_, path), lines) in files {
        let text = Text::new(path, names, source);
        let mut cluster: Vec<(u32, Vec<(&LineInfo, &Label)>)> = Vec::new();
        for (number, labels) in lines {
            if cluster.first().is_some_and(|(first, _)| number - first > SPAN) {
                pages.push(text.page(std::mem::take(&mut cluster)));
            }
            cluster.push((number, labels));
        }
        pages.push(text.page(cluster));
    }
    pages
}

/// The lines of one file, as far as they are known.
struct Text<'a> {
    path: &'a str,
    file: Option<Cow<'a, str>>,
    known: BTreeMap<u32, &'a str>,
}

impl<'a> Text<'a> {
    fn new(path: &'a str, names: &Names<'a>, source: &'a dyn SourceProvider) -> Self {
        let lines = names.request().lines.iter().filter(|line| *line.file == *path);
        Self { path, file: source.file(path), known: lines.map(|line| (line.line, &*line.text)).collect() }
    }

    fn line(&self, number: u32) -> &str {
        let real = self.file.as_deref().and_then(|text| text.lines().nth(number.checked_sub(1)? as usize));
        real.or_else(|| self.known.get(&number).copied()).unwrap_or_default()
    }

    fn page(&self, cluster: Vec<(u32, Vec<(&LineInfo, &Label)>)>) -> Page {
        let first = cluster.first().map_or(1, |(number, _)| *number);
        let last = cluster.last().map_or(first, |(number, _)| *number);
        let mut cluster = cluster.into_iter().peekable();
        let mut page =
            Page { path: self.path.to_string(), first: first as usize, text: String::new(), labels: Vec::new() };
        for number in first..=last {
            let line = self.line(number);
            if let Some((_, here)) = cluster.next_if(|(labelled, _)| *labelled == number) {
                page.labels.extend(labels_of_line(&here, line, page.text.len()));
            }
            page.text.push_str(line);
            page.text.push('\n');
        }
        page
    }
}

/// The labels of one line: the failure on its own, the others together where they are at the same column.
fn labels_of_line(
    here: &[(&LineInfo, &Label)],
    line: &str,
    begin: usize,
) -> Vec<(std::ops::Range<usize>, bool, String)> {
    let mut labels: Vec<(std::ops::Range<usize>, bool, String)> = Vec::new();
    for (info, label) in here {
        let span = span(line, info.column);
        let span = begin + span.start..begin + span.end;
        let is_error = label.role == Role::Error;
        match labels.iter_mut().find(|(other, error, _)| *other == span && !*error && !is_error) {
            Some((_, _, text)) if *text != label.text => {
                let _ = write!(text, "; {}", label.text);
            }
            Some(_) => {}
            None => labels.push((span, is_error, label.text.clone())),
        }
    }
    labels
}

/// The word at a column, with what it is a member of; the whole line where the column is not in it.
fn span(line: &str, column: u32) -> std::ops::Range<usize> {
    let whole = line.len() - line.trim_start().len()..line.trim_end().len().max(1);
    let Some(start) = (column as usize).checked_sub(1).filter(|start| *start < line.trim_end().len()) else {
        return whole;
    };
    let Some(rest) = line.get(start..) else { return whole };
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_->.".contains(c);
    let len = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
    let len = if len == 0 { rest.chars().next().map_or(1, char::len_utf8) } else { len };
    start..start + len
}

fn disassembly_page(labels: &[Label], names: &Names<'_>) -> Page {
    let request = names.request();
    let first = labels.iter().map(|label| label.at).min().unwrap_or_default();
    let last = labels.iter().map(|label| label.at).max().unwrap_or_default().0.min(first.0.saturating_add(SPAN));
    let path = format!("{} (disassembly)", request.name);
    let mut page = Page { path, first: first.index(), text: String::new(), labels: Vec::new() };
    for at in first.0..=last {
        let begin = page.text.len();
        if let Some(insn) = request.program.get(InsnIdx(at)) {
            let _ = write!(page.text, "{}", insn.disasm(names));
        }
        let span = begin..page.text.len().max(begin + 1);
        page.text.push('\n');
        for label in labels.iter().filter(|label| label.at.0 == at) {
            page.labels.push((span.clone(), label.role == Role::Error, label.text.clone()));
        }
    }
    page
}

/// The instruction at fault with what its operands held.
fn instruction(at: InsnIdx, names: &Names<'_>, history: &History) -> Option<String> {
    let insn = names.request().program.get(at)?;
    let mut text = format!("{at}: {}", insn.disasm(names));
    if let Some(state) = history.failed() {
        let held = state_text(state, state.depth(), Extent::Changed { regs: insn.uses(), slots: 0 }, names);
        if !held.is_empty() {
            let _ = write!(text, "  with{held}");
        }
    }
    Some(text)
}
