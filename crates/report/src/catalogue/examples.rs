//! Examples: by code, a program that is refused with it, and the same program repaired.
//!
//! They are texts of the corpus, in `examples/`, one file a group, and are run with it: what they say comes out is what comes out.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The files.
const FILES: &[&str] = &[
    include_str!("examples/bytes.md"),
    include_str!("examples/requests.md"),
    include_str!("examples/structure.md"),
    include_str!("examples/form.md"),
    include_str!("examples/register.md"),
    include_str!("examples/registers.md"),
    include_str!("examples/memory.md"),
    include_str!("examples/unprivileged.md"),
    include_str!("examples/resource.md"),
    include_str!("examples/locks.md"),
    include_str!("examples/call.md"),
    include_str!("examples/calls.md"),
    include_str!("examples/kfunc.md"),
    include_str!("examples/kfunc_slots.md"),
    include_str!("examples/dynptr.md"),
    include_str!("examples/helpers.md"),
    include_str!("examples/policy.md"),
    include_str!("examples/limit.md"),
    include_str!("examples/unreached.md"),
];

/// What the corpus says of a code: a program that is refused with it, one that differs from it in the cure and loads, or why there
/// is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Example {
    /// The code.
    pub code: &'static str,
    /// What is to be known of it beside the programs.
    pub prose: String,
    /// Refused.
    pub failing: Option<Listing>,
    /// Accepted.
    pub repaired: Option<Listing>,
}

/// A program in the assembler's language, with what is said beside its lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    /// How it is loaded: type, rights, kernels, the maps that it uses, each in a few words.
    pub setting: Vec<String>,
    /// Declarations in the manner of C: of the kernel's types, or of the program's own.
    pub declarations: Vec<&'static str>,
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
    let above = Parts::default().and(above);
    sections.split("\n## ").filter_map(move |section| {
        let (code, text) = section.split_once('\n')?;
        Some(Example::read(code.trim(), &above, text))
    })
}

/// Blocks of a text, and what stands between them.
#[derive(Clone, Default)]
struct Parts {
    toml: Vec<&'static str>,
    /// Those of this text, and those that stand above it.
    declarations: Vec<&'static str>,
    above: Vec<&'static str>,
    listing: Option<&'static str>,
    prose: String,
}

impl Parts {
    /// What holds below these: the same settings and declarations, and what `text` adds.
    fn and(&self, text: &'static str) -> Self {
        let Self { toml, declarations, mut above, listing: _, prose: _ } = self.clone();
        above.extend(declarations);
        let mut parts = Self { toml, declarations: Vec::new(), above, listing: None, prose: String::new() };
        let mut pieces = text.split("```");
        loop {
            if let Some(prose) = pieces.next() {
                parts.tell(prose);
            }
            let Some(block) = pieces.next() else { return parts };
            match block.split_once('\n') {
                Some(("toml", text)) => parts.toml.push(text),
                Some(("types" | "kernel", text)) => parts.declarations.push(text.trim_end()),
                Some(("bpf" | "hex", text)) => parts.listing = parts.listing.or(Some(text)),
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

    fn listing(&self) -> Option<Listing> {
        let Self { toml, declarations, above, listing, prose: _ } = self;
        let mut listing = Listing::read((*listing)?);
        // Of what is declared for many programs, the functions that this one calls.
        let calls = |line: &str| {
            listing
                .lines
                .iter()
                .filter_map(|line| line.trim().strip_prefix("call "))
                .any(|name| line.contains(&format!("{name}(")))
        };
        let called = above.iter().flat_map(|text| text.lines()).filter(|line| calls(line)).collect::<Vec<_>>();
        listing.declarations = called.into_iter().chain(declarations.iter().copied()).collect();
        let mut keys: Vec<(&str, &str)> = Vec::new();
        let mut maps = Vec::new();
        for text in toml {
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
        listing.setting = keys.iter().filter_map(|(key, value)| key_words(key, value)).collect();
        for (index, (name, words)) in maps.into_iter().enumerate() {
            let names = [format!(" = {name} ll"), format!("map[fd:{index}]")];
            if listing.lines.iter().any(|line| names.iter().any(|name| line.contains(name))) {
                listing.setting.push(words);
            }
        }
        Some(listing)
    }
}

impl Example {
    fn read(code: &'static str, above: &Parts, text: &'static str) -> Self {
        let (first, second) = text.split_once("\n### ").map_or((text, None), |(first, second)| (first, Some(second)));
        let first = above.and(first);
        let second = second.and_then(|text| text.split_once('\n')).map(|(_, text)| first.and(text));
        Self {
            code,
            prose: first.prose.clone(),
            failing: first.listing(),
            repaired: second.and_then(|second| second.listing()),
        }
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
        ("budget", _) => Some(format!("looked at for {plain} instructions at most")),
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
        let mut listing = Self {
            setting: Vec::new(),
            declarations: Vec::new(),
            lines: Vec::new(),
            refused: None,
            messages: Vec::new(),
        };
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
