//! The order of the rows of a table, in veristat's language: `insns`, `states_diff^`, `|insns_pct|`.

use std::cmp::Ordering;
use std::str::FromStr;

use super::row::{Count, Row};

/// What rows are put in order by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    File,
    Program,
    Kernel,
    Verdict,
    Count(Count),
}

impl By {
    const ALL: [Self; 10] = [
        Self::File,
        Self::Program,
        Self::Kernel,
        Self::Verdict,
        Self::Count(Count::Duration),
        Self::Count(Count::Insns),
        Self::Count(Count::States),
        Self::Count(Count::PeakStates),
        Self::Count(Count::MaxStatesPerInsn),
        Self::Count(Count::Stack),
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Program => "prog",
            Self::Kernel => "kernel",
            Self::Verdict => "verdict",
            Self::Count(count) => count.key(),
        }
    }
}

/// Which of two runs it is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Old,
    New,
    Difference,
    Percent,
}

/// One key to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    by: By,
    of: Of,
    absolute: bool,
    descending: bool,
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || By::ALL.map(By::name).join(", ");
        let (name, order) = match (text.strip_suffix('^'), text.strip_suffix('v')) {
            (Some(name), _) => (name, Some(false)),
            (None, Some(name)) => (name, Some(true)),
            (None, None) => (text, None),
        };
        let (name, absolute) = match name.strip_prefix('|').and_then(|name| name.strip_suffix('|')) {
            Some(name) => (name, true),
            None => (name, false),
        };
        let kinds = [("_a", Of::Old), ("_b", Of::New), ("_diff", Of::Difference), ("_pct", Of::Percent)];
        let (name, of) =
            kinds.into_iter().find_map(|(tail, of)| Some((name.strip_suffix(tail)?, of))).unwrap_or((name, Of::New));
        let by = By::ALL
            .into_iter()
            .find(|by| by.name() == name)
            .ok_or_else(|| format!("`{name}` is none of {}", known()))?;
        // What is worth a look comes first.
        let descending = order.unwrap_or(matches!(by, By::Count(_)) || by == By::Verdict && of == Of::Difference);
        Ok(Self { by, of, absolute, descending })
    }
}

impl Key {
    /// The order of two pairs of an old row and a new one, of which one may be missing.
    pub(crate) fn compare(self, a: (Option<&Row>, Option<&Row>), b: (Option<&Row>, Option<&Row>)) -> Ordering {
        let Self { by, of, absolute, descending } = self;
        let text = |(old, new): (Option<&Row>, Option<&Row>)| {
            let row = new.or(old);
            row.map(|row| match by {
                By::Program => row.program.clone(),
                By::File | By::Kernel | By::Verdict | By::Count(_) => row.file.clone(),
            })
        };
        let number = |(old, new): (Option<&Row>, Option<&Row>)| {
            let value = |row: &Row| match by {
                By::Count(count) => i128::from(row.count(count)),
                By::Verdict => row.verdict as i128,
                By::Kernel => kernel(&row.kernel),
                By::File | By::Program => 0,
            };
            let value = match (of, old, new) {
                (Of::Old, Some(row), _) | (Of::New, _, Some(row)) | (Of::New, Some(row), None) => value(row),
                (Of::Difference, Some(old), Some(new)) => value(new) - value(old),
                // In hundredths of a percent.
                (Of::Percent, Some(old), Some(new)) => {
                    let (old, new) = (value(old), value(new));
                    (new - old) * 10_000 / old.max(1)
                }
                (Of::Old, None, _) | (Of::New, None, None) => 0,
                (Of::Difference | Of::Percent, _, _) => 0,
            };
            if absolute { value.abs() } else { value }
        };
        let order = match by {
            By::File | By::Program => text(a).cmp(&text(b)),
            By::Kernel | By::Verdict | By::Count(_) => number(a).cmp(&number(b)),
        };
        if descending { order.reverse() } else { order }
    }
}

/// `6.12` as a number that grows with releases.
fn kernel(version: &str) -> i128 {
    version.split('.').take(2).fold(0, |sum, part| sum * 1000 + part.parse::<i128>().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{By, Count, Key, Of};

    #[test]
    fn keys_are_read_as_veristat_reads_them() {
        let key = |text: &str| text.parse::<Key>();
        let insns = By::Count(Count::Insns);
        assert_eq!(key("insns"), Ok(Key { by: insns, of: Of::New, absolute: false, descending: true }));
        assert_eq!(key("insns^"), Ok(Key { by: insns, of: Of::New, absolute: false, descending: false }));
        assert_eq!(key("|insns_diff|v"), Ok(Key { by: insns, of: Of::Difference, absolute: true, descending: true }));
        assert_eq!(key("prog"), Ok(Key { by: By::Program, of: Of::New, absolute: false, descending: false }));
        assert!(key("insn").is_err() && key("").is_err());
    }
}
