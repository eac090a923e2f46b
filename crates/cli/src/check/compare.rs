//! A run beside an earlier one, as `veristat -C` shows them: `A` is the earlier one, `B` this one.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::columns::{self, Cell, Head};
use super::human::{counted, style};
use super::outcome::Verdict;
use super::row::{Count, Row};
use super::sort::Key;
use super::table;

/// What is compared of the counts.
const COUNTS: [Count; 2] = [Count::Insns, Count::States];

/// The same program in both runs, as far as it is there.
#[derive(Clone, Copy, Debug)]
struct Pair<'a> {
    old: Option<&'a Row>,
    new: Option<&'a Row>,
}

/// Two runs, program by program.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    pairs: Vec<Pair<'a>>,
}

impl<'a> Comparison<'a> {
    /// Programs are the same by file, name and kernel; where a file is not found by its path, by what it is called. Where each run
    /// asked one kernel, those are compared, whichever they are.
    pub(crate) fn of(old: &'a [Row], new: &'a [Row]) -> Self {
        let kernel = |rows: &[Row]| {
            let first = rows.first()?.kernel.clone();
            rows.iter().all(|row| row.kernel == first).then_some(first)
        };
        let any_kernel = kernel(old).is_some() && kernel(new).is_some();
        let of_kernel = |row: &'a Row| if any_kernel { "" } else { row.kernel.as_str() };
        let mut pairs: Vec<Pair<'a>> = new.iter().map(|row| Pair { old: None, new: Some(row) }).collect();
        let mut rest: Vec<&Row> = old.iter().collect();
        for by_path in [true, false] {
            let key =
                |row: &'a Row| (if by_path { row.file.as_str() } else { row.base() }, &row.program, of_kernel(row));
            let mut waiting: BTreeMap<_, Vec<usize>> = BTreeMap::new();
            for (at, row) in rest.iter().enumerate().rev() {
                waiting.entry(key(row)).or_default().push(at);
            }
            let mut found = Vec::new();
            for pair in pairs.iter_mut().filter(|pair| pair.old.is_none()) {
                let at = pair.new.and_then(|row| waiting.get_mut(&key(row))?.pop());
                if let Some(at) = at {
                    pair.old = rest.get(at).copied();
                    found.push(at);
                }
            }
            found.sort_unstable();
            let mut at = 0..;
            rest.retain(|_| at.next().is_some_and(|at| found.binary_search(&at).is_err()));
        }
        pairs.extend(rest.into_iter().map(|row| Pair { old: Some(row), new: None }));
        Self { pairs }
    }

    pub(crate) fn sort(&mut self, keys: &[Key]) {
        self.pairs.sort_by(|a, b| {
            keys.iter().fold(std::cmp::Ordering::Equal, |order, key| {
                order.then_with(|| key.compare((a.old, a.new), (b.old, b.new)))
            })
        });
    }

    /// How many verdicts became this one.
    pub(crate) fn became(&self, verdict: Verdict) -> usize {
        let became = |pair: &&Pair<'_>| {
            pair.new.is_some_and(|new| new.verdict == verdict) && pair.old.is_none_or(|old| old.verdict != verdict)
        };
        self.pairs.iter().filter(became).count()
    }

    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut heads: Vec<Head> = table::names().collect();
        for side in ["A", "B", "DIFF"] {
            heads.push(Head { title: format!("Verdict ({side})"), right: false });
        }
        for count in COUNTS {
            for side in ["A", "B", "DIFF"] {
                heads.push(Head { title: format!("{} ({side})", count.title()), right: true });
            }
        }
        let rows: Vec<Vec<Cell>> = self.pairs.iter().map(Pair::cells).collect();
        columns::write(out, &heads, &rows)
    }

    /// The last line.
    pub(crate) fn summary(&self, out: &mut dyn Write) -> io::Result<()> {
        let both = || self.pairs.iter().filter_map(|pair| Some((pair.old?, pair.new?)));
        let dearer = both().filter(|(old, new)| new.count(Count::Insns) > old.count(Count::Insns)).count();
        let cheaper = both().filter(|(old, new)| new.count(Count::Insns) < old.count(Count::Insns)).count();
        let changed = both().filter(|(old, new)| old.verdict != new.verdict).count();
        let mut line = format!("{} compared: ", counted(both().count() as u64, "program"));
        line.push_str(&match changed {
            0 => "no verdict changed".to_owned(),
            1 => "1 verdict changed".to_owned(),
            changed => format!("{changed} verdicts changed"),
        });
        let added = self.pairs.iter().filter(|pair| pair.old.is_none()).count();
        let gone = self.pairs.iter().filter(|pair| pair.new.is_none()).count();
        for (count, what) in [
            (dearer, "cost more insns"),
            (cheaper, "fewer"),
            (added, "only in this run"),
            (gone, "only in the earlier one"),
        ] {
            if count > 0 {
                line.push_str(&format!(", {count} {what}"));
            }
        }
        writeln!(out, "{line}")
    }
}

impl Pair<'_> {
    fn cells(&self) -> Vec<Cell> {
        const NONE: &str = "N/A";
        let Self { old, new } = *self;
        let Some(row) = new.or(old) else { return Vec::new() };
        let kernels: Vec<&str> = [old, new].into_iter().flatten().map(|row| row.kernel.as_str()).collect();
        let kernel = match kernels.as_slice() {
            [a, b] if a != b => format!("{a} -> {b}"),
            _ => row.kernel.clone(),
        };
        let mut cells = vec![Cell::new(row.base()), Cell::new(row.program.as_str()), Cell::new(kernel)];
        for row in [old, new] {
            cells.push(
                row.map_or_else(|| Cell::new(NONE), |row| Cell::new(row.verdict.name()).styled(style(row.verdict))),
            );
        }
        cells.push(match (old, new) {
            (Some(old), Some(new)) if old.verdict == new.verdict => Cell::new("MATCH"),
            (Some(_), Some(new)) => Cell::new("MISMATCH").styled(style(new.verdict)),
            (_, _) => Cell::new(NONE),
        });
        for count in COUNTS {
            let counts = [old, new].map(|row| row.map(|row| row.count(count)));
            cells.extend(
                counts.map(|count| Cell::new(count.map_or_else(|| NONE.to_owned(), |count| count.to_string()))),
            );
            cells.push(match counts {
                [Some(old), Some(new)] => difference(old, new),
                [_, _] => Cell::new(NONE),
            });
        }
        cells
    }
}

/// `+5 (+12.50%)`; from nothing it is all of it.
fn difference(old: u64, new: u64) -> Cell {
    let difference = i128::from(new) - i128::from(old);
    let percent = match (old, new) {
        (0, 0) => 0.0,
        (0, _) => 100.0,
        (old, _) => difference as f64 * 100.0 / old as f64,
    };
    let colour = match new.cmp(&old) {
        std::cmp::Ordering::Less => AnsiColor::Green.on_default(),
        std::cmp::Ordering::Equal => Style::new(),
        std::cmp::Ordering::Greater => AnsiColor::Red.on_default(),
    };
    Cell::new(format!("{difference:+} ({percent:+.2}%)")).styled(colour)
}
