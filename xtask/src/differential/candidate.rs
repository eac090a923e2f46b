//! Disagreements as texts of the corpus: `tests/corpus/README.md` explains the form.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use bpfvet::insn::Program;
use bpfvet::platform::{MapKind, ProgramType};

use super::compare::Signature;
use super::subject::Subject;
use crate::oracle::{Caps, OwnMap};
use crate::selftests::places;

/// Writes one file for each kind.
pub(crate) fn write(directory: &Path, kernel: &str, found: &[(Signature, Subject)]) -> Result<()> {
    std::fs::create_dir_all(directory)?;
    let mut files = BTreeMap::<&str, String>::new();
    for (number, (signature, subject)) in found.iter().enumerate() {
        let word = signature.kind.word();
        let file = files.entry(word).or_insert_with(|| format!("# Disagreements with {kernel}: {word}\n"));
        file.push_str(&section(number, signature, subject));
    }
    for (word, text) in files {
        let path = directory.join(format!("{}.md", word.to_lowercase()));
        std::fs::write(&path, text)?;
        println!("written: {}", path.display());
    }
    Ok(())
}

fn section(number: usize, signature: &Signature, subject: &Subject) -> String {
    let Signature { kind: _, kernels, ours } = signature;
    let Subject { raw, caps, flags, origin } = subject;
    let said = |message: &str| if message.is_empty() { "accepts".to_owned() } else { format!("says `{message}`") };
    let kind = ProgramType(raw.program_type).name();
    let mut text = format!("\n## Candidate {number}\n\nThe kernel {}; this project {}.", said(kernels), said(ours));
    // Writing to a string cannot fail.
    write!(text, " From {origin}, attach type {}, flags {flags:#x}, {caps:?}.\n\n```toml\n", raw.attach_type).ok();
    writeln!(text, "program = \"{kind}\"").ok();
    if matches!(caps, Caps::Only(_)) {
        text.push_str("unprivileged = true\n");
    }
    if flags & 1 != 0 {
        text.push_str("strict_alignment = true\n");
    }
    for (place, OwnMap { kind, key, value, entries, flags, .. }) in raw.maps.iter().enumerate() {
        let kind = MapKind(*kind);
        write!(
            text,
            "\n[[map]]\nname = \"map{place}\"\nkind = \"{}\"\nkey = {key}\nvalue = {value}\nentries = {entries}\nflags = {flags}\n",
            kind.name()
        )
        .ok();
    }
    text.push_str("```\n\n```bpf\n");
    match Program::decode_as_linux(&places(&raw.bytes)) {
        Ok(program) => {
            for (_, insn) in program.iter() {
                writeln!(text, "{insn}").ok();
            }
        }
        Err(_) => {
            for slot in raw.bytes.chunks_exact(8) {
                let word = slot.iter().rev().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
                writeln!(text, ".8byte {word:#x}").ok();
            }
        }
    }
    text.push_str("```\n");
    text
}
