//! Each message that people meet often has an explanation that a test draws: `diagnostics/frequent.md` says which.

use std::path::Path;

use bpfvet_tests::table;

/// The explanation that a row names: the whole file, or what stands there under a heading.
fn explanation(place: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("diagnostics");
    let (file, heading) = place.split_once(": ").map_or((place, None), |(file, heading)| (file, Some(heading)));
    let text = std::fs::read_to_string(folder.join(file).with_extension("txt"));
    let text = text.unwrap_or_else(|error| panic!("{place}: {error}"));
    let Some(heading) = heading else { return text };
    let begin = format!("## {heading}\n");
    let (_, after) = text.split_once(&begin).unwrap_or_else(|| panic!("{file} does not have `{heading}`"));
    after.split("\n## ").next().unwrap_or_default().to_owned()
}

/// Whether a line of what the kernel says is this message, where `{}` stands for anything.
fn is_said(explanation: &str, message: &str) -> bool {
    let Some((_, kernel)) = explanation.split_once("= kernel: ") else { return false };
    kernel.lines().any(|line| {
        let mut rest = line.trim();
        let mut parts = message.split("{}");
        let begins = parts.next().is_some_and(|part| rest.strip_prefix(part).map(|after| rest = after).is_some());
        begins && parts.all(|part| rest.split_once(part).map(|(_, after)| rest = after).is_some())
    })
}

#[test]
fn every_frequent_message_has_an_explanation() {
    let text = include_str!("diagnostics/frequent.md").replace("\\|", "\u{1}");
    let rows = table(&text, "# Messages that people meet often");
    let (mut met, mut explained, mut without) = (0, 0, 0);
    for row in rows {
        let &[count, message, newest, place] = row.as_slice() else { panic!("{row:?}") };
        met += count.parse::<u32>().expect("a count");
        if newest == "none" {
            assert!(place.contains(' '), "{message}: without an explanation and without a reason");
            without += 1;
            continue;
        }
        let message = if newest == "same" { message } else { newest }.trim_matches('`').replace('\u{1}', "|");
        let explanation = explanation(place);
        assert!(is_said(&explanation, &message), "{place} is not about `{message}`:\n{explanation}");
        let is_short = explanation.lines().count() <= 40;
        assert!(is_short && explanation.starts_with("\nerror[") | explanation.starts_with("error["), "{explanation}");
        explained += 1;
    }
    assert_eq!(met, 235, "the refusals that were counted");
    assert_eq!((explained, without), (65, 8), "messages that are explained, and that are not met");
}
