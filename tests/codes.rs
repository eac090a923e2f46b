//! Every code is refused somewhere in the corpus and avoided somewhere, or the corpus says why it cannot be.

use std::collections::BTreeSet;

use bpfvet::report::catalogue::{entries, examples};
use bpfvet_testkit::corpus::Case;
use bpfvet_tests::{all_programs, corpus, table};

struct Found {
    refused: BTreeSet<String>,
    avoided: BTreeSet<String>,
}

fn found() -> Found {
    let mut found = Found { refused: BTreeSet::new(), avoided: BTreeSet::new() };
    for (file, program) in all_programs().expect("a corpus") {
        let case = Case::new(&program).unwrap_or_else(|error| panic!("{file}: {}: {error}", program.name));
        found.refused.extend(case.refused_with().map(str::to_owned));
        found.avoided.extend(case.avoids().map(str::to_owned));
        // Under the heading of a code, a program is followed by the same one repaired.
        if let Some(code) = program.name.strip_suffix(": repaired") {
            found.avoided.insert(code.to_owned());
        }
    }
    found
}

/// Codes of the table in `codes.md` under this heading, each with its reason.
fn excused(heading: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(corpus().join("codes.md")).expect("the table");
    let rows = table(&text, heading);
    let mut codes = BTreeSet::new();
    for row in rows {
        let &[code, reason] = row.as_slice() else { panic!("{row:?}") };
        assert!(reason.len() > 10, "{code} without a reason");
        assert!(codes.insert(code.trim_matches('`').to_owned()), "{code} twice");
    }
    codes
}

#[test]
fn every_code_is_refused_somewhere() {
    // The catalogue says why, in place of an example.
    let without = examples().into_iter().filter(|example| example.failing.is_none());
    let (found, excused): (_, BTreeSet<String>) = (found(), without.map(|example| example.code.to_owned()).collect());
    let all: BTreeSet<String> = entries().iter().map(|entry| entry.code.to_owned()).collect();
    let missing: Vec<_> = all.difference(&found.refused).filter(|code| !excused.contains(*code)).collect();
    assert!(missing.is_empty(), "no program is refused with {missing:#?}");
    let stale: Vec<_> = excused.iter().filter(|code| found.refused.contains(*code) || !all.contains(*code)).collect();
    assert!(stale.is_empty(), "these need no excuse: {stale:#?}");
    let unknown: Vec<_> = found.refused.difference(&all).collect();
    assert!(unknown.is_empty(), "the catalogue does not have {unknown:#?}");
}

#[test]
fn every_code_is_avoided_somewhere() {
    let (found, excused) = (found(), excused("## Without a program that avoids them"));
    let avoided = found.avoided;
    let missing: Vec<_> = found.refused.difference(&avoided).filter(|code| !excused.contains(*code)).collect();
    assert!(missing.is_empty(), "no program avoids {missing:#?}");
    let stale: Vec<_> =
        excused.iter().filter(|code| avoided.contains(*code) || !found.refused.contains(*code)).collect();
    assert!(stale.is_empty(), "these need no excuse: {stale:#?}");
}
