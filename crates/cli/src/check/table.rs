//! What verifications cost, as a table in the manner of veristat.

use std::io::{self, Write};

use super::columns::{self, Cell, Head};
use super::human::style;
use super::row::{Count, Row};
use super::sort::Key;

/// The columns that do not count anything.
pub(crate) fn names() -> impl Iterator<Item = Head> {
    ["File", "Program", "Kernel"].into_iter().map(|title| Head { title: title.to_owned(), right: false })
}

pub(crate) fn write(out: &mut dyn Write, rows: &[Row], keys: &[Key]) -> io::Result<()> {
    let verdict = Head { title: "Verdict".to_owned(), right: false };
    let counts = Count::ALL.into_iter().map(|count| Head { title: count.title().to_owned(), right: true });
    let heads: Vec<Head> = names().chain([verdict]).chain(counts).collect();
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by(|a, b| {
        keys.iter().fold(std::cmp::Ordering::Equal, |order, key| {
            order.then_with(|| key.compare((None, Some(a)), (None, Some(b))))
        })
    });
    let cells = rows.into_iter().map(|row| {
        let names = [row.base(), &row.program, &row.kernel].map(Cell::new);
        let verdict = Cell::new(row.verdict.name()).styled(style(row.verdict));
        let counts = Count::ALL.map(|count| Cell::new(row.count(count).to_string()));
        names.into_iter().chain([verdict]).chain(counts).collect()
    });
    columns::write(out, &heads, &cells.collect::<Vec<_>>())
}
