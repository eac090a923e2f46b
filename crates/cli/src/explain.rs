//! `explain`: what a code means, and the usual cure.

mod catalogue;

use std::io::Write as _;

use crate::fault::Fault;
use catalogue::{ALL, Entry};

/// Explains one code, or lists all.
pub(crate) fn run(code: Option<&str>) -> Result<(), Fault> {
    let mut out = std::io::BufWriter::new(anstream::stdout());
    let Some(code) = code else {
        for Entry { code, means, cure: _ } in ALL {
            writeln!(out, "{code:<42} {means}")?;
        }
        out.flush()?;
        return Ok(());
    };
    let wanted: Vec<&Entry> = ALL.iter().filter(|entry| entry.code == code || group(entry.code) == code).collect();
    if wanted.is_empty() {
        return Err(Fault::Told(unknown(code)));
    }
    for Entry { code, means, cure } in wanted {
        writeln!(out, "{code}\n  means: {means}")?;
        if !cure.is_empty() {
            writeln!(out, "  cure:  {cure}")?;
        }
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
    let near: Vec<&str> = ALL.iter().filter(near).map(|entry| entry.code).take(8).collect();
    match near.as_slice() {
        [] => format!("`{code}` is not a code; `bpfvet explain` lists them all"),
        near => format!(
            "`{code}` is not a code; there are {}, and others: `bpfvet explain` lists them all",
            near.join(", ")
        ),
    }
}
