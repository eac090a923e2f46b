use bpfvet::linux::Linux;
use bpfvet::platform::ProgramType;

use super::{Search, Tally, Violation, check, generate, request};
use crate::machine::Choices;

/// Generated programs by every search; as many as seconds allow.
#[test]
fn generated_programs_stay_within_their_states() {
    let linux = Linux::newest();
    let mut tally = Tally::default();
    for seed in 0..400 {
        let request = generate(&mut Choices::seeded(seed));
        for search in Search::ALL {
            match check(&linux, &request, search, seed, 3) {
                Ok(more) => tally.add(more),
                Err(violation) => {
                    panic!(
                        "seed {seed}, {} {search:?}: {violation:#?}\n{}",
                        request.program_type.name(),
                        request.program
                    )
                }
            }
        }
    }
    assert!(tally.accepted * 3 >= tally.verdicts, "too few are accepted: {tally:?}");
    assert!(tally.unmodelled == 0, "something was generated that the machine does not model: {tally:?}");
}
