//! Every known bug of a verifier has a program in the corpus, or a reason why it has none.

use bpfvet_testkit::corpus::Case;
use bpfvet_tests::{all_programs, corpus, table};

/// As many bugs are known; none is to get lost.
const KNOWN: usize = 124;

#[test]
fn every_entry_is_a_program_or_a_reason() {
    let text = std::fs::read_to_string(corpus().join("history/README.md")).expect("the table");
    let rows = table(&text, "## Entries");
    assert_eq!(rows.len(), KNOWN);
    let programs: Vec<_> =
        all_programs().expect("a corpus").into_iter().filter(|(file, _)| file.starts_with("history/")).collect();
    let mut named = Vec::new();
    for row in &rows {
        let &[id, what, source, place] = row.as_slice() else { panic!("{row:?}") };
        assert!(!what.is_empty() && rows.iter().filter(|row| row[0] == id).count() == 1, "{id}");
        if let Some(reason) = place.strip_prefix("– ") {
            assert!(reason.len() > 10, "{id} without a reason");
            continue;
        }
        // `[file](file): heading`
        let (file, heading) = place.split_once("): ").expect("a file and a heading");
        let file = format!("history/{}", file.split_once("](").expect("a link").1);
        assert_eq!(source == "memory", heading.starts_with("Said to be "), "{id} is known from {source}: {heading}");
        assert!(["memory", "record"].contains(&source), "{id}");
        if let Some(cve) = id.strip_prefix("CVE-") {
            assert!(heading.contains(cve), "{id} under `{heading}`");
        }
        let first = programs.iter().find(|(at, program)| *at == file && program.name == heading);
        assert!(first.is_some(), "{id}: no program `{heading}` in {file}");
        named.push((file, heading.to_owned()));
    }
    // And the other way round: programs without an entry belong to one.
    for (file, program) in &programs {
        let heading = program.name.split(": ").next().unwrap_or("");
        assert!(named.contains(&(file.clone(), heading.to_owned())), "{file}: `{heading}` is no entry");
    }
}

/// A program that is refused stands for each bug that let unsafe programs in; the few others show a rule.
#[test]
fn entries_are_refused() {
    let (mut refused, mut shown) = (Vec::new(), Vec::new());
    for (file, program) in all_programs().expect("a corpus") {
        if !file.starts_with("history/") {
            continue;
        }
        let case = Case::new(&program).expect("a program");
        let entry = program.name.split(": ").next().unwrap_or("").to_owned();
        if case.refused_with().next().is_some() { refused.push(entry) } else { shown.push(entry) }
    }
    shown.retain(|entry| !refused.contains(entry));
    shown.dedup();
    // Bugs that refused, crashed or miscompiled what is safe.
    let mut safe = vec![
        "CVE-2022-2905",
        "CVE-2024-47728",
        "CVE-2024-49888",
        "CVE-2024-53125",
        "CVE-2025-38279",
        "CVE-2026-53078",
        "CVE-2026-98048",
        "CVE-2021-34556",
        "CVE-2021-35477",
        "Said to be CVE-2017-17862",
        "Said to be CVE-2021-3600",
        "Said to be CVE-2024-42072",
        "Said to be CVE-2024-45020",
    ];
    safe.sort_unstable();
    shown.sort();
    assert_eq!(shown, safe);
}
