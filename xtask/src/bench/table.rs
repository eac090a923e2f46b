//! Tables of readings.

use super::Reading;

/// Lines with the columns under each other: the first to the left, the others to the right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells: Vec<String> = cells
            .map(
                |(column, (cell, &width))| {
                    if column == 0 { format!("{cell:width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The headings of [`row`].
pub(crate) fn headings(what: &str) -> Vec<String> {
    let titles = [
        what,
        "verdict",
        "insns",
        "states",
        "peak",
        "memory",
        "ours",
        "insns/s",
        "kernel",
        "of kernel's",
        "before",
        "of before's",
    ];
    titles.map(str::to_owned).to_vec()
}

/// A reading, with the kernel's own time in microseconds and an earlier reading, where there are any.
pub(crate) fn row(name: &str, reading: &Reading, kernel: Option<u64>, before: Option<&Reading>) -> Vec<String> {
    let Reading { accepted, insns, states, peak, nanoseconds, kib } = *reading;
    let share = |of: f64| format!("{:.2}", nanoseconds as f64 / of);
    vec![
        name.to_owned(),
        if accepted { "accept" } else { "reject" }.to_owned(),
        insns.to_string(),
        states.to_string(),
        peak.to_string(),
        format!("{:.1} MiB", kib as f64 / 1024.0),
        milliseconds(nanoseconds),
        format!("{:.2} M", insns as f64 * 1e3 / nanoseconds.max(1) as f64),
        kernel.map(|us| milliseconds(us * 1000)).unwrap_or_default(),
        kernel.filter(|&us| us > 0).map(|us| share(us as f64 * 1e3)).unwrap_or_default(),
        before.map(|before| milliseconds(before.nanoseconds)).unwrap_or_default(),
        before.map(|before| share(before.nanoseconds.max(1) as f64)).unwrap_or_default(),
    ]
}

pub(crate) fn milliseconds(nanoseconds: u64) -> String {
    format!("{:.2} ms", nanoseconds as f64 / 1e6)
}

/// How a cost grows: the slope of the straight line that fits best through the logarithms; `None` for fewer than two points.
pub(crate) fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let points: Vec<(f64, f64)> = points.iter().map(|(size, cost)| (size.ln(), cost.ln())).collect();
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (size, cost) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - size).powi(2)).sum();
    let common: f64 = points.iter().map(|point| (point.0 - size) * (point.1 - cost)).sum();
    (points.len() > 1 && spread > 0.0).then(|| common / spread)
}

#[cfg(test)]
mod tests {
    use super::{exponent, table};

    #[test]
    fn columns_stand_under_each_other() {
        let rows = [vec!["a".to_owned(), "10".to_owned()], vec!["long".to_owned(), "9".to_owned()]];
        assert_eq!(table(&rows), "a     10\nlong   9");
    }

    #[test]
    fn a_line_has_exponent_one_and_a_parabola_two() {
        let grows = |power: i32| [1.0, 2.0, 4.0, 8.0].map(|size: f64| (size, 3.0 * size.powi(power)));
        assert!((exponent(&grows(1)).unwrap() - 1.0).abs() < 1e-9);
        assert!((exponent(&grows(2)).unwrap() - 2.0).abs() < 1e-9);
        assert_eq!(exponent(&[(1.0, 1.0)]), None);
    }
}
