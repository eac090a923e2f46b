//! Sums over comparisons, and the tables that show them.

use std::collections::BTreeMap;
use std::fmt;

use super::compare::{Comparison, Standing, Truth};

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Share {
    pub(crate) met: u32,
    pub(crate) of: u32,
}

impl Share {
    fn add(&mut self, met: bool) {
        self.met += u32::from(met);
        self.of += 1;
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.met, self.of))
    }
}

/// Sums over some tests.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) accepts: Share,
    pub(crate) rejects: Share,
    pub(crate) unsafe_accepts: u32,
    pub(crate) unsupported: u32,
    pub(crate) failed: u32,
    pub(crate) no_truth: u32,
    pub(crate) messages: Share,
    pub(crate) insns: Share,
    pub(crate) states: Share,
    pub(crate) clean: Share,
}

impl Tally {
    /// Adds one test.
    pub(crate) fn add(&mut self, comparison: &Comparison) {
        let Comparison { truth, standing, messages, insns, states } = comparison;
        match truth {
            Truth::Accept => self.accepts.add(*standing == Standing::Agrees),
            Truth::Reject => self.rejects.add(*standing == Standing::Agrees),
            Truth::Unknown => {}
        }
        match standing {
            Standing::Unsafe => self.unsafe_accepts += 1,
            Standing::Unsupported => self.unsupported += 1,
            Standing::Failed => self.failed += 1,
            Standing::NoTruth => self.no_truth += 1,
            Standing::TooStrict | Standing::Agrees => {}
        }
        if let Some(met) = messages {
            self.messages.add(met.is_ok());
        }
        if let Some(equal) = insns {
            self.insns.add(*equal);
        }
        if let Some(equal) = states {
            self.states.add(*equal);
        }
        if *standing != Standing::NoTruth {
            self.clean.add(comparison.clean());
        }
    }
}

/// A table with one row a key, and the sum of them below.
pub(crate) fn table(heading: &str, rows: &BTreeMap<String, Tally>, sum: &Tally) -> String {
    let width = rows.keys().map(String::len).chain([heading.len(), 5]).max().unwrap_or_default();
    let titles =
        ["accepts", "rejects", "unsafe", "unsupported", "failed", "messages", "insns", "states", "clean", "no truth"];
    let mut lines = vec![format!("{heading:width$}")];
    for title in titles {
        lines[0].push_str(&format!("  {title:>11}"));
    }
    for (name, tally) in rows.iter().map(|(name, tally)| (name.as_str(), tally)).chain([("all", sum)]) {
        let Tally { accepts, rejects, unsafe_accepts, unsupported, failed, no_truth, messages, insns, states, clean } =
            tally;
        lines.push(format!(
            "{name:width$}  {accepts:>11}  {rejects:>11}  {unsafe_accepts:>11}  {unsupported:>11}  {failed:>11}  {messages:>11}  \
             {insns:>11}  {states:>11}  {clean:>11}  {no_truth:>11}"
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Tally, table};
    use crate::selftests::compare::{Comparison, Standing, Truth};

    #[test]
    fn a_table_sums_what_it_shows() {
        let mut tally = Tally::default();
        let comparison =
            |truth, standing| Comparison { truth, standing, messages: None, insns: Some(true), states: Some(false) };
        tally.add(&comparison(Truth::Accept, Standing::Agrees));
        tally.add(&comparison(Truth::Reject, Standing::Unsafe));
        tally.add(&comparison(Truth::Unknown, Standing::NoTruth));
        assert_eq!((tally.accepts.met, tally.accepts.of), (1, 1));
        assert_eq!((tally.rejects.met, tally.rejects.of, tally.unsafe_accepts), (0, 1, 1));
        assert_eq!((tally.clean.met, tally.clean.of), (0, 2), "a test without a truth is in no share");
        let text = table("tier", &[("T0".to_owned(), tally)].into(), &tally);
        assert_eq!(text.lines().count(), 3);
        assert!(text.contains("3/3"), "{text}");
    }
}
