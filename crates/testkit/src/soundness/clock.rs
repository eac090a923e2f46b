//! What a sitting costs: seconds of processors, since others may be at work on the same machine.

use std::sync::LazyLock;
use std::time::Instant;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Ticks of the clock in which Linux counts, in a second (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Seconds that this process has used of all processors; where the host does not tell, seconds since the first call.
#[must_use]
pub fn cpu_seconds() -> f64 {
    let elapsed = START.elapsed().as_secs_f64();
    std::fs::read_to_string("/proc/self/stat").ok().and_then(|text| of(&text)).unwrap_or(elapsed)
}

/// User and system time, in a line of that file: the twelfth and thirteenth word after the name in brackets.
fn of(text: &str) -> Option<f64> {
    let (_, words) = text.rsplit_once(") ")?;
    let mut words = words.split(' ').skip(11).map(|word| word.parse::<f64>().ok());
    Some((words.next()?? + words.next()??) / TICKS)
}

#[cfg(test)]
mod tests {
    #[test]
    fn time_is_read_after_the_name() {
        let line = "12 (a) b) R 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20";
        assert_eq!(super::of(line), Some(3.0));
        assert_eq!(super::of("nothing"), None);
    }
}
