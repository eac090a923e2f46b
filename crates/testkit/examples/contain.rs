//! Holds generated programs to the containment law: `contain [FIRST_SEED] [PROGRAMS] [RUNS]`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use bpfvet::linux::Linux;
use bpfvet_testkit::containment::{Tally, check, generate};
use bpfvet_testkit::machine::Choices;

fn main() -> io::Result<ExitCode> {
    let mut numbers = std::env::args().skip(1).map_while(|arg| arg.parse::<u64>().ok());
    let (first, programs) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(1000));
    let runs = numbers.next().unwrap_or(4);
    let linux = Linux::newest();
    let mut out = io::stdout().lock();
    let mut tally = Tally::default();
    let mut violations = 0_u32;
    for seed in first..first.saturating_add(programs) {
        let request = generate(&mut Choices::seeded(seed));
        match check(&linux, &request, seed, runs) {
            Ok(more) => tally.add(more),
            Err((search, violation)) => {
                violations += 1;
                writeln!(out, "seed {seed}, {} {search:?}: {violation:#?}", request.program_type.name())?;
                writeln!(out, "{}", request.program)?;
            }
        }
    }
    writeln!(out, "{tally:?}")?;
    writeln!(out, "{programs} programs from seed {first}: {violations} violations")?;
    Ok(if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
