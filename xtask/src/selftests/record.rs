//! The committed record of what the real kernel said of each program, and of what each test needs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::expect::Mode;
use crate::oracle::{Outcome, Stats};
use crate::shell;

/// A load: object without its ending, program, mode.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    pub(crate) object: String,
    pub(crate) program: String,
    pub(crate) mode: Mode,
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{} {}", self.object, self.program, self.mode.word())
    }
}

/// What even the real kernel does not do as the test expects, in this set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unmet {
    /// Everything is as expected.
    Nothing,
    /// The verdict.
    Verdict,
    /// The verdict is as expected and a message is not.
    Message,
}

/// What the real kernel said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) outcome: Outcome,
    pub(crate) errno: i32,
    pub(crate) stats: Stats,
    pub(crate) unmet: Unmet,
}

/// All entries by name.
pub(crate) type Record = BTreeMap<Name, Entry>;

/// Where the record of a kernel's release lies.
pub(crate) fn path(version: &str) -> PathBuf {
    shell::root().join(format!("tests/conformance/kernel-{version}.tsv"))
}

const OUTCOMES: [Outcome; 5] =
    [Outcome::Accepted, Outcome::Rejected, Outcome::NotAsked, Outcome::Timeout, Outcome::Crash];
const UNMET: [(Unmet, &str); 3] = [(Unmet::Nothing, "-"), (Unmet::Verdict, "verdict"), (Unmet::Message, "message")];

/// Reads the record of a kernel's release.
pub(crate) fn read(version: &str) -> Result<Record> {
    let path = path(version);
    let text = std::fs::read_to_string(&path).with_context(|| format!("there is no {}", path.display()))?;
    parse(&text)
}

fn parse(text: &str) -> Result<Record> {
    let mut record = Record::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        let (name, entry) = row(line).with_context(|| format!("line {} of the record is no entry", number + 1))?;
        record.insert(name, entry);
    }
    Ok(record)
}

fn row(line: &str) -> Option<(Name, Entry)> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [object, program, mode, outcome, errno, insns, max, total, peak, unmet] = *cells.as_slice() else {
        return None;
    };
    let outcome = OUTCOMES.into_iter().find(|known| known.word() == outcome)?;
    let (unmet, _) = UNMET.into_iter().find(|(_, word)| *word == unmet)?;
    let stats = Stats {
        insns: insns.parse().ok()?,
        max_states: max.parse().ok()?,
        total_states: total.parse().ok()?,
        peak_states: peak.parse().ok()?,
    };
    let name = Name { object: object.into(), program: program.into(), mode: Mode::by_word(mode)? };
    Some((name, Entry { outcome, errno: errno.parse().ok()?, stats, unmet }))
}

/// The text of a record, made on a kernel of this release.
pub(crate) fn print(record: &Record, release: &str) -> String {
    let mut text = format!(
        "# What Linux {release} says of its own selftests (clang-19, -mcpu=v3), as `cargo xtask record` writes it.\n\
         # Tests are loaded with their own flags and log level, other programs as they are. `not-asked`: libbpf fails before the\n\
         # kernel is asked. The last column names what even this kernel does not do as the test expects.\n\
         # object\tprogram\tmode\tverdict\terrno\tinsns\tmax_states\ttotal_states\tpeak_states\tunmet\n"
    );
    for (Name { object, program, mode }, Entry { outcome, errno, stats, unmet }) in record {
        let Stats { insns, max_states, total_states, peak_states } = stats;
        let unmet = UNMET.iter().find(|(known, _)| known == unmet).map_or("-", |(_, word)| word);
        // Writing to a string cannot fail.
        writeln!(
            text,
            "{object}\t{program}\t{}\t{}\t{errno}\t{insns}\t{max_states}\t{total_states}\t{peak_states}\t{unmet}",
            mode.word(),
            outcome.word(),
        )
        .ok();
    }
    text
}

/// What a test needs most: a number from 0 to 6, by object and program. `tests/conformance/tiers.tsv` says what they mean.
pub(crate) struct Tiers(BTreeMap<(String, String), u8>);

impl Tiers {
    /// As many as there are.
    pub(crate) const COUNT: u8 = 7;

    /// The committed table.
    pub(crate) fn read() -> Result<Self> {
        let path = shell::root().join("tests/conformance/tiers.tsv");
        let text = std::fs::read_to_string(&path).with_context(|| format!("there is no {}", path.display()))?;
        let mut tiers = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut cells = line.split('\t');
            let parsed = (|| Some((cells.next()?, tier(cells.next()?)?, cells.next()?)))();
            let (object, tier, programs) = parsed.with_context(|| format!("`{line}` is no line of tiers"))?;
            tiers.extend(programs.split(' ').map(|program| ((object.to_owned(), program.to_owned()), tier)));
        }
        Ok(Self(tiers))
    }

    /// The tier of a test; a test that the table does not know is counted among those that need most. The older arrays are in none.
    pub(crate) fn of(&self, name: &Name) -> Option<u8> {
        if name.object.starts_with(super::arrays::PREFIX) {
            return None;
        }
        Some(self.0.get(&(name.object.clone(), name.program.clone())).copied().unwrap_or(5))
    }

    /// What its row in a table is called.
    pub(crate) fn label(&self, name: &Name) -> String {
        self.of(name).map_or_else(|| "arrays".to_owned(), |tier| format!("T{tier}"))
    }
}

/// The tier that `T3` names.
pub(crate) fn tier(text: &str) -> Option<u8> {
    text.strip_prefix('T')?.parse().ok().filter(|tier| *tier < Tiers::COUNT)
}

#[cfg(test)]
mod tests {
    use super::{parse, print, read, tier};

    #[test]
    fn a_record_survives_printing() {
        let text = "a\tp\tpriv\taccept\t0\t7\t1\t2\t3\t-\na\tp\tunpriv\treject\t13\t7\t1\t2\t3\tmessage\n";
        let record = parse(text).unwrap();
        assert_eq!(record.len(), 2);
        assert!(print(&record, "7.3.4").ends_with(text));
        assert!(parse("a\tp\tpriv\tmaybe\t0\t7\t1\t2\t3\t-\n").is_err());
        assert!(parse("a\tp\n").is_err());
    }

    #[test]
    fn the_committed_record_is_read_and_printed_back() {
        let record = read("7.3").unwrap();
        assert_eq!(parse(&print(&record, "x")).unwrap(), record);
    }

    #[test]
    fn tiers_go_from_0_to_6() {
        assert_eq!(tier("T6"), Some(6));
        assert_eq!(tier("T7"), None);
        assert_eq!(tier("5"), None);
    }
}
