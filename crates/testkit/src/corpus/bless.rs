//! Writing down what comes out.

use std::collections::BTreeMap;

use super::case::Case;
use super::expect::{self, Expect};
use super::markdown::programs;
use super::run::{Found, Reject, Runner, found};

/// The column of the comments, where the instruction leaves room.
const COLUMN: usize = 40;

/// The file with the comments that the ordinary runner finds to be true: which program is refused, where and with what message, and
/// what the places that are asked for hold. What is asked for stays asked for.
///
/// # Errors
///
/// What is wrong with the file.
pub fn bless(text: &str) -> Result<String, String> {
    let [runner, ..] = Runner::all();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    // From the last to the first, so that a line more does not move what is still to be written.
    for program in programs(text)?.iter().rev() {
        let case = Case::new(program).map_err(|error| format!("{}: {error}", program.name))?;
        let start = program.line - 1;
        let count = program.text.lines().count();
        let block = blessed(&program.text, &found(&case, &runner))?;
        lines.splice(start..start + count, block);
    }
    let mut out = lines.join("\n");
    out.push('\n');
    Ok(out)
}

fn blessed(text: &str, found: &[Found]) -> Result<Vec<String>, String> {
    // Verdicts by line; those without one stand before the first instruction.
    let mut verdicts: BTreeMap<Option<u32>, Vec<Expect>> = BTreeMap::new();
    let mut told: Vec<(&Reject, Vec<String>)> = Vec::new();
    for Found { kernel, reject, holds: _ } in found {
        let Some(reject) = reject else { continue };
        match told.iter_mut().find(|(other, _)| *other == reject) {
            Some((_, kernels)) => kernels.push(kernel.clone()),
            None => told.push((reject, vec![kernel.clone()])),
        }
    }
    for ((code, line, message), kernels) in told {
        let kernels = if kernels.len() == found.len() { Vec::new() } else { kernels };
        let here = verdicts.entry(*line).or_default();
        here.push(Expect::Reject { kernels: kernels.clone(), code: code.clone() });
        // A comment cannot hold a semicolon with blanks around it, nor several lines.
        if let Some(first) = message.lines().next().filter(|line| !line.is_empty() && !line.contains(" ; ")) {
            here.push(Expect::Message { kernels, text: first.to_owned() });
        }
    }
    let mut out = Vec::new();
    if let Some(expects) = verdicts.remove(&None) {
        out.push(comment("", &expects));
    }
    for (number, line) in (1..).zip(text.lines()) {
        let (code, before) = expect::split(line)?;
        let mut expects: Vec<Expect> = Vec::new();
        for expect in before {
            let place = match expect {
                Expect::Holds { place, text: _ } => place,
                // Said by the author; that it is accepted is what the test asks.
                Expect::Accept { .. } => {
                    expects.push(expect);
                    continue;
                }
                Expect::Reject { .. } | Expect::Message { .. } => continue,
            };
            let held = found.last().and_then(|found| found.holds.get(&(number, place.clone())));
            let text = held.map_or_else(|| "never there".to_owned(), |texts| texts.join(" | "));
            expects.push(Expect::Holds { place, text });
        }
        expects.extend(verdicts.remove(&Some(number)).unwrap_or_default());
        // A line that held nothing but a verdict is written anew, or is gone.
        if !code.is_empty() || !expects.is_empty() || line.trim().is_empty() {
            out.push(comment(code, &expects));
        }
    }
    Ok(out)
}

fn comment(code: &str, expects: &[Expect]) -> String {
    if expects.is_empty() {
        return code.to_owned();
    }
    let texts: Vec<String> = expects.iter().map(expect::print).collect();
    let width = if code.is_empty() { 0 } else { COLUMN };
    format!("{code:<width$}; {}", texts.join(" ; "))
}
