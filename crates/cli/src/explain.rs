//! `explain`: what a code means, and the usual cure.

use std::io::Write as _;

use bpfvet::report::catalogue::{Entry, entries};

use crate::fault::Fault;

/// Explains one code or one group of codes, or lists all.
pub(crate) fn run(code: Option<&str>) -> Result<(), Fault> {
    let mut out = std::io::BufWriter::new(anstream::stdout());
    let Some(code) = code else {
        for Entry { code, means, cure: _ } in entries() {
            writeln!(out, "{code:<42} {means}")?;
        }
        out.flush()?;
        return Ok(());
    };
    let wanted: Vec<&Entry> =
        entries().iter().filter(|entry| entry.code == code || group(entry.code) == code).collect();
    if wanted.is_empty() {
        return Err(Fault::Told(unknown(code)));
    }
    for (number, entry) in wanted.iter().enumerate() {
        let gap = if number == 0 { "" } else { "\n" };
        write!(out, "{gap}{}", entry.text())?;
    }
    out.flush()?;
    Ok(())
}

/// What stands before the colons.
fn group(code: &str) -> &str {
    code.split_once("::").map_or(code, |(group, _)| group)
}

/// What to say of a code that is none.
fn unknown(code: &str) -> String {
    let name = code.rsplit("::").next().unwrap_or(code);
    let near = |entry: &&Entry| !name.is_empty() && entry.code.contains(name) || group(entry.code) == group(code);
    let near: Vec<&str> = entries().iter().filter(near).map(|entry| entry.code).take(8).collect();
    match near.as_slice() {
        [] => format!("`{code}` is not a code; `bpfvet explain` lists them all"),
        near => format!(
            "`{code}` is not a code; there are {}, and others: `bpfvet explain` lists them all",
            near.join(", ")
        ),
    }
}
