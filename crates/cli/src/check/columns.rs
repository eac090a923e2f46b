//! Text in columns, as veristat prints it: heads, a line of dashes, rows.

use std::io::{self, Write};

use anstyle::Style;

/// A cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::new() }
    }

    pub(crate) fn styled(self, style: Style) -> Self {
        Self { style, ..self }
    }
}

/// The head of a column.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) title: String,
    /// Numbers stand at the right.
    pub(crate) right: bool,
}

pub(crate) fn write(out: &mut dyn Write, heads: &[Head], rows: &[Vec<Cell>]) -> io::Result<()> {
    let len = |text: &str| text.chars().count();
    let widths: Vec<usize> = (0..heads.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| len(&cell.text));
            cells.chain(heads.get(column).map(|head| len(&head.title))).max().unwrap_or(0)
        })
        .collect();
    let titles: Vec<Cell> = heads.iter().map(|head| Cell::new(head.title.as_str())).collect();
    let dashes: Vec<Cell> = widths.iter().map(|width| Cell::new("-".repeat(*width))).collect();
    for row in [&titles, &dashes].into_iter().chain(rows) {
        let mut line = String::new();
        for ((Cell { text, style }, head), width) in row.iter().zip(heads).zip(&widths) {
            let gap = " ".repeat(width.saturating_sub(len(text)));
            let text = format!("{style}{text}{style:#}");
            let cell = if head.right { format!("{gap}{text}") } else { format!("{text}{gap}") };
            line.push_str(&cell);
            line.push_str("  ");
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
