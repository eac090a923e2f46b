//! Generated programs run inside what was verified, and claims that are false are found false.

use bpfvet::Verifier;
use bpfvet::linux::Linux;
use bpfvet::platform::{ProgramType, Version};
use bpfvet_asm::{NoSymbols, assemble};

use super::{Claim, Recorder, STEPS, Search, Tally, Violation, check, generate, outside, request};
use crate::machine::{Choices, End, Machine};

/// Generated programs by every search; as many as seconds allow.
#[test]
fn generated_programs_stay_within_their_states() {
    let linux = Linux::newest();
    let mut tally = Tally::default();
    for seed in 0..400 {
        let request = generate(&mut Choices::seeded(seed));
        match check(&linux, &request, seed, 3) {
            Ok(more) => tally.add(more),
            Err((search, violation)) => {
                panic!("seed {seed}, {} {search:?}: {violation:#?}\n{}", request.program_type.name(), request.program)
            }
        }
    }
    assert!(tally.accepted * 3 >= tally.verdicts, "too few are accepted: {tally:?}");
    assert!(tally.unmodelled == 0, "something was generated that the machine does not model: {tally:?}");
}

/// The same where numbers are intervals: of the release that they are modelled after, of the last that has them, and of one that knows less.
#[test]
fn generated_programs_stay_within_their_states_on_older_kernels() {
    for version in [Version::new(6, 1), Version::new(6, 12), Version::new(7, 1)] {
        let linux = Linux::new(version).expect("a release");
        let mut tally = Tally::default();
        for seed in 1000..1150 {
            let request = generate(&mut Choices::seeded(seed));
            match check(&linux, &request, seed, 3) {
                Ok(more) => tally.add(more),
                Err((search, violation)) => panic!(
                    "Linux {version}, seed {seed}, {} {search:?}: {violation:#?}\n{}",
                    request.program_type.name(),
                    request.program
                ),
            }
        }
        assert!(tally.accepted >= 50, "too few are accepted: {tally:?}");
    }
}

/// States recorded of one program do not contain another that differs in what it computes.
#[test]
fn states_of_another_program_do_not_contain_this_one() {
    let linux = Linux::newest();
    let load = |text: &str| request(ProgramType::SOCKET_FILTER, assemble(text, &NoSymbols).expect("a program").program);
    let table = [
        // A number outside, a slot outside, an offset outside, another kind, another branch.
        ("r0 = 1; r1 = 0; exit", "r0 = 2; r1 = 0; exit"),
        ("*(u64 *)(r10 - 8) = 1; r0 = 0; exit", "*(u64 *)(r10 - 8) = 2; r0 = 0; exit"),
        ("r2 = r10; r2 += -8; r0 = 0; exit", "r2 = r10; r2 += -16; r0 = 0; exit"),
        ("r2 = r10; r0 = 0; exit", "r2 = r1; r0 = 0; exit"),
        ("r0 = 0; if r0 == 0 goto l; r0 = 5; l: exit", "r0 = 0; if r0 != 0 goto l; r0 = 5; l: exit"),
    ];
    for (said, done) in table {
        let (said, done) = (load(said), load(done));
        let mut recorder = Recorder::default();
        let verifier = Verifier::builder(&linux).policy(Search::Whole.policy()).build();
        verifier.verify_with(&said, &mut recorder).expect("it is accepted");
        let run = |request| {
            let mut machine = Machine::new(request, Choices::seeded(1));
            machine.run(100, |machine| outside(machine, &recorder, Claim::Everything)).is_err()
        };
        assert!(!run(&said), "its own states contain it:\n{}", said.program);
        assert!(run(&done), "the states of\n{}\ncontain\n{}", said.program, done.program);
    }
}

/// A fault is met where a verdict is not asked for: the machine alone would stop a wrong acceptance.
#[test]
fn generated_programs_that_are_rejected_do_fault() {
    let linux = Linux::newest();
    let mut faults = 0;
    for seed in 0..200 {
        let request = generate(&mut Choices::seeded(seed));
        if Verifier::new(&linux).verify(&request).is_ok() {
            continue;
        }
        let mut machine = Machine::new(&request, Choices::seeded(seed));
        if let Ok((End::Fault(_), _)) = machine.run(STEPS, |_| None::<Violation>) {
            faults += 1;
        }
    }
    assert!(faults > 0, "no rejected program goes wrong, so that a wrong acceptance would not be noticed either");
}
