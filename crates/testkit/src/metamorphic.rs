//! Laws between verdicts: a program is changed in a way of which it is known what it may do to the verdict.
//!
//! | change | the verdict |
//! | --- | --- |
//! | registers that calls preserve are renamed | is the same |
//! | jumps to the next instruction are inserted | is the same |
//! | instructions that cannot be reached are inserted | is the same |
//! | copies of registers to themselves are inserted | is not yes where it was no: a copy forgets how far from others a number is |
//! | values of maps are shorter | is not yes where it was no |
//! | less is shown of a packet | is not yes where it was no |
//! | a look-up may find nothing where it could not before | is not yes where it was no |
//! | the loader may see addresses no more | is not yes where it was no |
//!
//! Searches that differ (without pruning, exactly, at every place, the other way first) are held to each other where programs
//! are [contained](crate::containment).

mod change;
mod rewrite;

use bpfvet::Verifier;
use bpfvet::explore::Budget;
use bpfvet::linux::Linux;
use bpfvet::platform::LoadRequest;

use crate::machine::Choices;
use crate::monotone::Refusal;

/// Instructions that a verification may look at.
const VERIFIED: u64 = 20_000;

/// A law.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Law {
    /// Registers are renamed.
    Renamed,
    /// Jumps to the next instruction are inserted.
    Idle,
    /// Copies of registers to themselves are inserted.
    SelfCopies,
    /// Instructions that cannot be reached are inserted.
    Dead,
    /// Values of maps are shorter.
    ShorterValues,
    /// Less is shown of a packet.
    LessShown,
    /// A look-up may find nothing.
    Nullable,
    /// The loader may not see addresses.
    Watched,
}

impl Law {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Renamed,
        Self::Idle,
        Self::SelfCopies,
        Self::Dead,
        Self::ShorterValues,
        Self::LessShown,
        Self::Nullable,
        Self::Watched,
    ];

    /// Whether the change says less of the world, so that only a yes says something; otherwise verdicts are the same.
    const fn weakens(self) -> bool {
        match self {
            Self::Renamed | Self::Idle | Self::Dead => false,
            Self::SelfCopies | Self::ShorterValues | Self::LessShown | Self::Nullable | Self::Watched => true,
        }
    }
}

/// A law that does not hold.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The law.
    pub law: Law,
    /// What was said of the program that is refused.
    pub refused: String,
    /// The changed program.
    pub changed: String,
}

/// Whether a program is accepted, and what was said against it where it is not.
fn ask(linux: &Linux, request: &LoadRequest) -> Result<(), Refusal> {
    let budget = Budget { insns: Some(VERIFIED), ..Budget::default() };
    let verdict = Verifier::builder(linux).budget(budget).build().verify(request);
    verdict.map(|_| ()).map_err(|rejection| Refusal::of(&rejection.cause, request.privilege))
}

/// Holds a program to all laws; how many could be tried. What is changed where follows from `choices`.
///
/// # Errors
///
/// The law that does not hold.
pub fn check(linux: &Linux, request: &LoadRequest, choices: &mut Choices<'_>) -> Result<u64, Broken> {
    let said = ask(linux, request);
    let mut tried = 0;
    for law in Law::ALL {
        let Some(changed) = change::change(law, request, choices) else { continue };
        let refused = match (&said, ask(linux, &changed)) {
            (Err(Refusal::Rule(why)), Ok(())) => why.clone(),
            (Ok(()), Err(Refusal::Rule(why))) if !law.weakens() => why,
            (Ok(()) | Err(_), _) => {
                tried += 1;
                continue;
            }
        };
        return Err(Broken { law, refused, changed: changed.program.to_string() });
    }
    Ok(tried)
}

#[cfg(test)]
mod tests;
