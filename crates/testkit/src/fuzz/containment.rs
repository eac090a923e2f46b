//! Whatever an accepted program does, the verifier said that it might.

use bpfvet::linux::Linux;
use bpfvet::platform::Version;

use crate::containment::{check, generate};
use crate::machine::Choices;

/// Runs of each accepted program.
const RUNS: u64 = 4;

/// Takes `bytes` for the choices of a generator, and holds the program that they make to the law.
///
/// # Panics
///
/// Where the law is broken, with the program.
pub fn run(bytes: &[u8]) {
    // Of inputs of odd lengths the numbers are intervals.
    let older = Linux::new(Version::new(6, 12)).ok().filter(|_| bytes.len() % 2 == 1);
    let linux = older.unwrap_or_else(Linux::newest);
    let request = generate(&mut Choices::new(bytes));
    let seed = bytes.iter().fold(1, |seed: u64, byte| seed.rotate_left(7) ^ u64::from(*byte));
    if let Err((search, violation)) = check(&linux, &request, seed, RUNS) {
        let (release, kind) = (linux.version(), request.program_type.name());
        panic!("Linux {release}, {kind} {search:?}: {violation:?}\n{}", request.program);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn smoke(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            super::run(&bytes);
        }
    }
}
