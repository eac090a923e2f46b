//! Generated programs keep to the laws, and a change that says less does change verdicts.

use bpfvet::Verifier;
use bpfvet::linux::Linux;

use super::{Law, change, check};
use crate::containment::generate;
use crate::machine::Choices;

/// As many as seconds allow.
#[test]
fn generated_programs_keep_to_the_laws() {
    let linux = Linux::newest();
    let mut tried = 0;
    for seed in 0..300 {
        let request = generate(&mut Choices::seeded(seed));
        match check(&linux, &request, &mut Choices::seeded(seed)) {
            Ok(more) => tried += more,
            Err(broken) => {
                let program = &request.program;
                panic!("seed {seed}, {}: {broken:#?}\n{program}", request.program_type.name())
            }
        }
    }
    assert!(tried >= 1200, "few laws could be tried: {tried}");
}

/// A law that could never fail would say nothing: each change that says less turns some yes into a no.
#[test]
fn less_is_less() {
    let linux = Linux::newest();
    for law in Law::ALL.into_iter().filter(|law| law.weakens()) {
        let turned = (0..3000).any(|seed| {
            let request = generate(&mut Choices::seeded(seed));
            let changed = change::change(law, &request, &mut Choices::seeded(seed));
            changed.is_some_and(|changed| {
                Verifier::new(&linux).verify(&changed).is_err() && Verifier::new(&linux).verify(&request).is_ok()
            })
        });
        assert!(turned, "{law:?} changed no verdict");
    }
}
