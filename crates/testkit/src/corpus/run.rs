//! Verifying a case, and comparing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bpfvet::Verifier;
use bpfvet::domain::Domain;
use bpfvet::explore::{Budget, Observer, Policy};
use bpfvet::insn::{InsnIdx, RegSet};
use bpfvet::linux::Linux;
use bpfvet::report::{Extent, History, Names, code, explain, explain_bytes, state_text};
use bpfvet::vm::{Effects, State};

use super::case::Case;
use super::expect::Expect;

/// A way to verify. The verdict must be the same in all of them.
#[derive(Clone, Debug)]
pub struct Runner {
    /// Its name, as in `skip`.
    pub name: &'static str,
    policy: Policy,
    /// Whether it visits what the kernel would, so that states can be compared.
    states: bool,
}

impl Runner {
    /// All of them, the ordinary one first.
    #[must_use]
    pub fn all() -> [Self; 4] {
        let policy = Policy::default();
        [
            Self { name: "default", policy: policy.clone(), states: true },
            Self { name: "without pruning", policy: Policy { prune: false, ..policy.clone() }, states: false },
            Self {
                name: "checkpoint everywhere",
                policy: Policy { checkpoint_everywhere: true, ..policy.clone() },
                states: false,
            },
            Self { name: "exact subsumption", policy: Policy { exact_subsumption: true, ..policy }, states: false },
        ]
    }
}

/// Code, line in the block if there is one, and message.
pub(super) type Reject = (String, Option<u32>, String);

/// What came out on one kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kernel: String,
    /// `None` where it was accepted.
    pub(super) reject: Option<Reject>,
    /// What the places that are asked for held, by line and place; each text once, in order.
    pub(super) holds: BTreeMap<(u32, String), Vec<String>>,
}

/// Verifies the case in this way on each of its kernels, and compares.
///
/// # Errors
///
/// All differences, a line each.
pub fn check(case: &Case, runner: &Runner) -> Result<(), String> {
    let mut differences = String::new();
    let found = found(case, runner);
    for found in &found {
        compare(case, found, runner.states, &mut differences);
    }
    // States are those of the kernel named last.
    if let Some(last) = found.last().filter(|_| runner.states) {
        for (line, expect) in &case.expects {
            let Expect::Holds { place, text } = expect else { continue };
            let held = last.holds.get(&(*line, place.clone())).map(|texts| texts.join(" | "));
            let held = held.unwrap_or_else(|| "never there".to_owned());
            if held != *text {
                let _ = writeln!(differences, "line {line}: {place} is {held}\n{:>11}not {text}", "");
            }
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(differences) }
}

pub(super) fn found(case: &Case, runner: &Runner) -> Vec<Found> {
    case.kernels.iter().map(|linux| verify(case, linux, runner)).collect()
}

/// Where a loop is found out, for one, depends on where checkpoints stand: only the ordinary way is held to places and messages.
fn compare(case: &Case, found: &Found, exactly: bool, differences: &mut String) {
    let Found { kernel, reject, holds: _ } = found;
    let concerns = |kernels: &[String]| kernels.is_empty() || kernels.contains(kernel);
    let mut wanted = None;
    for (line, expect) in &case.expects {
        match expect {
            Expect::Accept { code } if reject.is_some() => {
                let _ = writeln!(differences, "Linux {kernel}: line {line} does not avoid {code}");
            }
            Expect::Reject { kernels, code } if concerns(kernels) => wanted = Some((*line, code)),
            Expect::Message { kernels, text } if exactly && concerns(kernels) => {
                let message = reject.as_ref().map_or("", |(_, _, message)| message.as_str());
                if !message.lines().any(|line| line == text) {
                    let _ = writeln!(differences, "Linux {kernel}: the message is `{message}`, not `{text}`");
                }
            }
            Expect::Reject { .. } | Expect::Accept { .. } | Expect::Message { .. } | Expect::Holds { .. } => {}
        }
    }
    let _ = match (wanted, reject) {
        (None, None) => Ok(()),
        (None, Some((code, line, message))) => {
            writeln!(differences, "Linux {kernel}: rejected{}: {code}: {message}", At(*line))
        }
        (Some((_, code)), None) => writeln!(differences, "Linux {kernel}: accepted, not rejected with {code}"),
        (Some((line, wanted)), Some((code, at, message))) => {
            if wanted != code {
                writeln!(differences, "Linux {kernel}: rejected with {code}, not {wanted}: {message}")
            } else if exactly && at.is_some_and(|at| at != line) {
                writeln!(differences, "Linux {kernel}: rejected{}, not in line {line}: {code}: {message}", At(*at))
            } else {
                Ok(())
            }
        }
    };
}

struct At(Option<u32>);

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, " in line {line}"))
    }
}

fn verify(case: &Case, linux: &Linux, runner: &Runner) -> Found {
    let kernel = linux.version().to_string();
    let request = match &case.request {
        Ok(request) => request,
        Err(error) => {
            let diagnostic = explain_bytes(error);
            let line = case.line_of(error.at);
            let reject = Some((diagnostic.code.to_owned(), line, diagnostic.kernel));
            return Found { kernel, reject, holds: BTreeMap::new() };
        }
    };
    let names = Names::new(request, linux);
    let mut watch = Watch { case, names: names.clone(), holds: BTreeMap::new() };
    let budget = Budget { insns: case.budget(), ..Budget::default() };
    let verifier = Verifier::builder(linux).policy(runner.policy.clone()).budget(budget).build();
    let reject = verifier.verify_with(request, &mut watch).err().map(|rejection| {
        let at = explain(&rejection, &names, &History::default()).at();
        let message = bpfvet::report::kernel_message(&rejection.cause, &names);
        (code(&rejection.cause).to_owned(), at.and_then(|at| case.line_of(at)), message)
    });
    Found { kernel, reject, holds: watch.holds }
}

/// Notes what the places that the case asks for hold after their lines.
struct Watch<'a> {
    case: &'a Case,
    names: Names<'a>,
    holds: BTreeMap<(u32, String), Vec<String>>,
}

impl<D: Domain> Observer<D> for Watch<'_> {
    fn follows_precision(&self) -> bool {
        false
    }

    fn stepped(&mut self, at: InsnIdx, state: &State<D>, _effects: &Effects<D>) {
        let Some(line) = self.case.lines.get(&at) else { return };
        for (_, expect) in self.case.expects.iter().filter(|(of, _)| of == line) {
            let Expect::Holds { place, text: _ } = expect else { continue };
            let text = held(state, place, &self.names);
            let texts = self.holds.entry((*line, place.clone())).or_default();
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
    }
}

/// What a register or slot of the current frame holds, as the log prints it; `?` where it is not readable.
fn held<D: Domain>(state: &State<D>, place: &str, names: &Names<'_>) -> String {
    let number = |prefix: &str| place.strip_prefix(prefix).and_then(|digits| digits.parse::<u32>().ok());
    let (extent, head) = match (number("r"), number("fp-")) {
        (Some(reg), _) => {
            let regs = RegSet::from_bits(1_u16.checked_shl(reg).unwrap_or(0));
            (Extent::Changed { regs, slots: 0 }, format!(" R{reg}="))
        }
        (None, Some(off)) => {
            let slots = 1_u64.checked_shl((off / 8).saturating_sub(1)).unwrap_or(0);
            (Extent::Changed { regs: RegSet::EMPTY, slots }, format!(" fp-{off}="))
        }
        (None, None) => return "?".to_owned(),
    };
    let text = state_text(state, state.depth(), extent, names);
    let Some((_, value)) = text.split_once(&head) else { return "?".to_owned() };
    let end = [" refs=", " cb", " async_cb"].iter().filter_map(|tail| value.find(tail)).min().unwrap_or(value.len());
    value.get(..end).unwrap_or(value).to_owned()
}
