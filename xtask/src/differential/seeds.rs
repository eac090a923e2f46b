//! Where programs come from: two generators, and what others have written with something changed.

use anyhow::Result;
use bpfvet::elf::{Object, Options};
use bpfvet::platform::{LoadRequest, Privilege};
use bpfvet_testkit::corpus::{Case, programs};
use bpfvet_testkit::differential::{Code, border, mutate};
use bpfvet_testkit::{containment, machine::Choices};
use rayon::prelude::*;

use super::subject::{Subject, raw};
use crate::lab::{Lab, REFERENCE, Selftests};
use crate::oracle::{Caps, Raw};
use crate::selftests;
use crate::shell;

/// Slots beyond which a program is not worth changing: the kernel would take long over each.
const SLOTS: usize = 400;
/// Types that may be loaded without capabilities.
const FREE_TYPES: [u32; 2] = [1, 8];
/// `CAP_BPF`, and `CAP_NET_ADMIN`
const CAP_BPF: u64 = 1 << 39;
const CAP_NET_ADMIN: u64 = 1 << 12;
/// `BPF_F_STRICT_ALIGNMENT`, `BPF_F_TEST_STATE_FREQ`
const STRICT_ALIGNMENT: u32 = 1;
const TEST_STATE_FREQ: u32 = 8;

/// What programs are made from.
pub(crate) struct Seeds {
    seeds: Vec<(String, Raw)>,
    types: Vec<u32>,
    unprivileged: bool,
}

impl Seeds {
    /// The kernel's own tests and the corpus, as far as they are of these program types.
    pub(crate) fn read(lab: &Lab, types: &[u32], unprivileged: bool) -> Result<Self> {
        let mut seeds = objects(lab)?;
        seeds.extend(selftests::bare_arrays(lab, REFERENCE)?);
        seeds.extend(corpus()?);
        seeds.retain(|(_, raw)| types.contains(&raw.program_type) && raw.bytes.len() <= SLOTS * 8);
        Ok(Self { seeds, types: types.to_vec(), unprivileged })
    }

    pub(crate) fn len(&self) -> usize {
        self.seeds.len()
    }

    /// The program of this number; the same for the same `seed`.
    pub(crate) fn subject(&self, seed: u64, index: u64) -> Subject {
        let mut choices = Choices::seeded(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(index));
        let choices = &mut choices;
        let (origin, mut raw) = match choices.below(10) {
            0 | 1 => ("generate".to_owned(), without_types(containment::generate, choices)),
            2 | 3 => ("border".to_owned(), without_types(border, choices)),
            4 => {
                let maker: fn(&mut Choices<'_>) -> LoadRequest =
                    if choices.one_in(2) { border } else { containment::generate };
                let made = without_types(maker, choices);
                ("changed".to_owned(), self.changed(&made, choices))
            }
            _ => match self.one(choices) {
                Some((name, seed)) => (name.clone(), self.changed(seed, choices)),
                None => ("border".to_owned(), without_types(border, choices)),
            },
        };
        if !self.types.contains(&raw.program_type) {
            raw.program_type = FREE_TYPES[0];
            raw.attach_type = 0;
        }
        let mut caps = Caps::All;
        if self.unprivileged {
            caps = match choices.below(6) {
                0 => Caps::Only(CAP_BPF),
                1 => Caps::Only(CAP_BPF | CAP_NET_ADMIN),
                _ => Caps::NONE,
            };
            if caps == Caps::NONE && !FREE_TYPES.contains(&raw.program_type) && !choices.one_in(50) {
                (raw.program_type, raw.attach_type) = (FREE_TYPES[0], 0);
            }
        }
        let flags = match choices.below(12) {
            0 => STRICT_ALIGNMENT,
            1 | 2 => TEST_STATE_FREQ,
            _ => 0,
        };
        Subject { raw, caps, flags, origin: format!("{origin} #{index}") }
    }

    fn one(&self, choices: &mut Choices<'_>) -> Option<&(String, Raw)> {
        self.seeds.get(choices.below(u32::try_from(self.seeds.len()).unwrap_or(u32::MAX)) as usize)
    }

    fn changed(&self, seed: &Raw, choices: &mut Choices<'_>) -> Raw {
        // What another program has is of use where it can name the same maps.
        let other = self.one(choices).filter(|(_, other)| other.maps == seed.maps || other.maps.is_empty());
        let code = Code::new(&seed.bytes);
        let other = other.map_or_else(|| code.clone(), |(_, other)| Code::new(&other.bytes));
        let mut changed = seed.clone();
        // One in eight stays as it is: what others have written is worth comparing too.
        if !choices.one_in(8) {
            changed.bytes = mutate(&code, &other, choices).bytes();
        }
        if choices.one_in(6) {
            let index = choices.below(u32::try_from(self.types.len()).unwrap_or(1)) as usize;
            changed.program_type = self.types.get(index).copied().unwrap_or(changed.program_type);
            changed.attach_type = 0;
        }
        changed
    }
}

/// The first program of a generator that needs no types, which raw programs lack; an empty one if there is none.
fn without_types(generate: impl Fn(&mut Choices<'_>) -> LoadRequest, choices: &mut Choices<'_>) -> Raw {
    const TRIES: usize = 64;
    (0..TRIES).find_map(|_| raw(&generate(choices))).unwrap_or_default()
}

/// The programs of the reference kernel's test objects that need no types.
fn objects(lab: &Lab) -> Result<Vec<(String, Raw)>> {
    let compiled = Selftests::compile(lab, REFERENCE, "")?;
    let of_one = |name: &String| -> Vec<(String, Raw)> {
        let file = compiled.directory.join(name);
        let options = Options { privilege: Privilege::FULL, ..Options::for_file(&file.to_string_lossy()) };
        let Some(object) = std::fs::read(&file).ok().and_then(|bytes| Object::parse(&bytes, &options).ok()) else {
            return Vec::new();
        };
        let stem = name.trim_end_matches(".bpf.o");
        let entries = object
            .programs()
            .iter()
            .filter_map(|entry| Some((format!("{stem}/{}", entry.name), bare(&object.load_request(entry).ok()?)?)));
        entries.collect()
    };
    Ok(compiled.compiled.par_iter().flat_map_iter(of_one).collect())
}

fn corpus() -> Result<Vec<(String, Raw)>> {
    let mut seeds = Vec::new();
    let mut waiting = vec![shell::root().join("tests/corpus")];
    while let Some(directory) = waiting.pop() {
        let mut entries: Vec<_> =
            std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        entries.sort();
        for path in entries {
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                let text = std::fs::read_to_string(&path)?;
                for program in programs(&text).map_err(anyhow::Error::msg)? {
                    let case = Case::new(&program).map_err(anyhow::Error::msg)?;
                    seeds.extend(
                        case.request().ok().and_then(bare).map(|raw| (format!("corpus: {}", program.name), raw)),
                    );
                }
            }
        }
    }
    Ok(seeds)
}

/// The request as bare instructions, if it attaches to nothing that has types.
fn bare(request: &LoadRequest) -> Option<Raw> {
    raw(request).filter(|_| request.attach_target.is_none())
}
