//! The names that do not pass yet: `tests/conformance/*.txt`, one a line with the class of the reason.
//!
//! A name on a list that passes, or one off it that fails, is an error; so a list can only shrink unless someone decides otherwise
//! and says so in a commit.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::shell;

/// Names that fall short, and why.
pub(crate) type Failing = BTreeMap<String, String>;

/// One list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    /// The file's name without its ending.
    pub(crate) name: &'static str,
    /// What stands at the head of the file.
    about: &'static str,
}

pub(crate) const VERDICTS: List = List { name: "verdicts", about: "Tests whose verdict is not the real kernel's." };
pub(crate) const MESSAGES: List = List {
    name: "messages",
    about: "Tests whose verdict is right and whose log lacks a message that the test asks for.",
};
pub(crate) const COUNTS: List = List {
    name: "counts",
    about: "Tests whose verdict is right and whose instructions or states are not counted as the kernel does.",
};

impl List {
    fn path(&self) -> PathBuf {
        shell::root().join(format!("tests/conformance/{}.txt", self.name))
    }

    /// The committed list; `None` if it was never begun.
    pub(crate) fn read(&self) -> Result<Option<Failing>> {
        match std::fs::read_to_string(self.path()) {
            Ok(text) => parse(&text).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.path().display())),
        }
    }

    /// Writes the list.
    pub(crate) fn write(&self, failing: &Failing) -> Result<()> {
        let mut text = format!("# {} It only shrinks.\n# object/program mode\treason\n", self.about);
        for (name, reason) in failing {
            writeln!(text, "{name}\t{reason}")?;
        }
        std::fs::write(self.path(), text).with_context(|| format!("cannot write {}", self.path().display()))
    }
}

fn parse(text: &str) -> Result<Failing> {
    let mut failing = Failing::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, reason)) = line.split_once('\t') else { bail!("`{line}` names no reason") };
        if failing.insert(name.to_owned(), reason.to_owned()).is_some() {
            bail!("`{name}` is listed twice");
        }
    }
    Ok(failing)
}

/// Where a list and a run part: names that pass and are listed, names that fail and are not.
#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct Difference {
    pub(crate) pass_but_listed: Vec<String>,
    pub(crate) fail_unlisted: Vec<String>,
}

/// Compares a list with a run over the names that `ran` holds for; a name that no run could ever hold for is stale.
pub(crate) fn difference(listed: &Failing, failing: &Failing, ran: impl Fn(&str) -> bool) -> Difference {
    let pass = listed.keys().filter(|name| ran(name) && !failing.contains_key(*name));
    let fail = failing.iter().filter(|(name, _)| !listed.contains_key(*name));
    Difference {
        pass_but_listed: pass.cloned().collect(),
        fail_unlisted: fail.map(|(name, reason)| format!("{name}: {reason}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Difference, Failing, difference, parse};

    fn failing(names: &[&str]) -> Failing {
        names.iter().map(|name| ((*name).to_owned(), "why".to_owned())).collect()
    }

    #[test]
    fn a_list_and_a_run_that_agree_differ_in_nothing() {
        assert_eq!(difference(&failing(&["a"]), &failing(&["a"]), |_| true), Difference::default());
    }

    #[test]
    fn both_kinds_of_difference_are_found() {
        let found = difference(&failing(&["a", "b"]), &failing(&["b", "c"]), |_| true);
        assert_eq!(found.pass_but_listed, ["a"]);
        assert_eq!(found.fail_unlisted, ["c: why"]);
    }

    #[test]
    fn a_name_that_did_not_run_says_nothing() {
        assert_eq!(difference(&failing(&["a"]), &failing(&[]), |_| false), Difference::default());
    }

    #[test]
    fn a_list_names_each_once_with_a_reason() {
        assert_eq!(parse("# x\na/b priv\taccepts\n").unwrap().len(), 1);
        assert!(parse("a/b priv\n").is_err());
        assert!(parse("a\tx\na\ty\n").is_err());
    }
}
