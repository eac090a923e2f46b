//! Examples: by code, a program that is refused with it, and the same program repaired.
//!
//! They are texts of the corpus, in `examples/`, one file a group, and are run with it: what they say comes out is what comes out.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The files, in the order of the entries.
const FILES: &[&str] = &[
    include_str!("examples/instruction.md"),
    include_str!("examples/load.md"),
    include_str!("examples/structure.md"),
    include_str!("examples/register.md"),
    include_str!("examples/memory.md"),
    include_str!("examples/resource.md"),
    include_str!("examples/call.md"),
    include_str!("examples/context.md"),
    include_str!("examples/policy.md"),
    include_str!("examples/limit.md"),
    include_str!("examples/bpfvet.md"),
];

/// What the corpus says of a code: a program that is refused with it, one that differs from it in the cure and loads, or why there
/// is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Example {
    /// The code.
    pub code: &'static str,
    /// What is to be known of it beside the programs.
    pub prose: String,
    /// How the programs are loaded: type, rights, kernels, maps, a line each.
    pub setting: Vec<String>,
    /// Refused.
    pub failing: Option<Listing>,
    /// Accepted.
    pub repaired: Option<Listing>,
}

/// A program in the assembler's language, with what is said beside its lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    /// Its lines, without remarks.
    pub lines: Vec<&'static str>,
    /// The line that is refused, from 0, and the code; none where the program loads.
    pub refused: Option<(usize, &'static str)>,
    /// What kernels say, each with the releases that say so; those are not told where all do.
    pub messages: Vec<(&'static str, &'static str)>,
}

/// All examples.
pub(super) fn all() -> impl Iterator<Item = Example> {
    FILES.iter().flat_map(|file| of_file(file))
}

fn of_file(file: &'static str) -> impl Iterator<Item = Example> {
    let (above, sections) = file.split_once("\n## ").unwrap_or((file, ""));
    sections.split("\n## ").filter_map(move |section| {
        let (code, text) = section.split_once('\n')?;
        Some(Example::read(code.trim(), Parts::of(above), text))
    })
}

/// Blocks of a text, and what stands between them.
#[derive(Default)]
struct Parts {
    toml: Vec<&'static str>,
    listings: Vec<Listing>,
    prose: String,
}

impl Parts {
    fn of(text: &'static str) -> Self {
        let mut parts = Self::default();
        let mut pieces = text.split("```");
        loop {
            if let Some(prose) = pieces.next() {
                parts.tell(prose);
            }
            let Some(block) = pieces.next() else { return parts };
            match block.split_once('\n') {
                Some(("toml", text)) => parts.toml.push(text),
                Some(("bpf", text)) => parts.listings.push(Listing::read(text)),
                Some(_) | None => {}
            }
        }
    }

    fn tell(&mut self, prose: &str) {
        for line in prose.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let gap = if self.prose.is_empty() { "" } else { " " };
            self.prose.push_str(gap);
            self.prose.push_str(line);
        }
    }
}

impl Example {
    fn read(code: &'static str, above: Parts, text: &'static str) -> Self {
        let Parts { toml, listings, prose } = Parts::of(text);
        let mut listings = listings.into_iter();
        let (failing, repaired) = (listings.next(), listings.next());
        let used: Vec<&str> =
            failing.iter().chain(&repaired).flat_map(|listing| listing.lines.iter().copied()).collect();
        let mut keys: Vec<(&str, &str)> = Vec::new();
        let mut maps = Vec::new();
        for text in above.toml.iter().chain(&toml) {
            let (plain, rest) = text.split_once("[[map]]").unwrap_or((text, ""));
            for (key, value) in plain.lines().filter_map(|line| line.split_once('=')) {
                // What is said last holds.
                keys.retain(|(other, _)| *other != key.trim());
                keys.push((key.trim(), value.trim()));
            }
            if !rest.is_empty() {
                maps = rest.split("[[map]]").map(map_words).collect();
            }
        }
        let mut setting: Vec<String> = keys.iter().filter_map(|(key, value)| key_words(key, value)).collect();
        let is_used = |name: &str| used.iter().any(|line| line.ends_with(&format!(" = {name} ll")));
        setting.extend(maps.into_iter().filter(|(name, _)| is_used(name)).map(|(_, words)| words));
        Self { code, prose, setting, failing, repaired }
    }
}

/// A setting of the load in words; nothing where it only concerns those who run the corpus.
fn key_words(key: &str, value: &str) -> Option<String> {
    let plain = value.trim_matches('"');
    match (key, value) {
        ("program", _) => Some(format!("program type: {plain}")),
        ("unprivileged", "true") => Some("without capabilities".to_string()),
        ("gpl", "false") => Some("with a licence that is not compatible with the GPL".to_string()),
        ("sleepable", "true") => Some("sleepable".to_string()),
        ("strict_alignment", "true") => Some("with strict alignment".to_string()),
        ("kernel", _) => Some(format!("Linux {}", value.trim_matches(['[', ']']).replace('"', ""))),
        (_, _) => None,
    }
}

/// A map's name, and what it is.
fn map_words(block: &str) -> (String, String) {
    let mut name = String::new();
    let mut words = String::new();
    for (key, value) in block.lines().filter_map(|line| line.split_once('=')) {
        let (key, value) = (key.trim(), value.trim().trim_matches('"'));
        match key {
            "name" => name = value.to_string(),
            "kind" => words = format!("{value}{words}"),
            _ => words.push_str(&format!(", {key} {value}")),
        }
    }
    let words = format!("map {name}: {words}");
    (name, words)
}

impl Listing {
    fn read(text: &'static str) -> Self {
        let mut listing = Self { lines: Vec::new(), refused: None, messages: Vec::new() };
        for line in text.lines() {
            let (code, remarks) = line.split_once(';').unwrap_or((line, ""));
            let at = listing.lines.len();
            for remark in remarks.split(" ; ") {
                let Some((key, text)) = remark.trim().split_once(": ") else { continue };
                let (key, kernels) = key.split_once('(').unwrap_or((key, ""));
                match key {
                    "reject" => listing.refused = Some((at, text)),
                    "message" => listing.messages.push((kernels.trim_end_matches(')'), text)),
                    _ => {}
                }
            }
            if !code.trim().is_empty() {
                listing.lines.push(code.trim_end());
            }
        }
        listing
    }
}
