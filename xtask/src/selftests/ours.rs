//! This project as the judge.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bpfvet::Verifier;
use bpfvet::btf::co_re::Targets;
use bpfvet::btf::{Btf, FieldKind, TypeId};
use bpfvet::elf::{Object, Options, ProgramError};
use bpfvet::explore::{Accepted, Rejection, RejectionCause};
use bpfvet::insn::{ImmSource, Insn, Program};
use bpfvet::linux::Linux;
use bpfvet::platform::{
    AttachTarget, AttachType, FuncInfo, LoadFlags, LoadRequest, MapDef, MapField, MapKind, Platform, Privilege,
    ProgramType,
};
use bpfvet::report::{KernelLog, LogLevel, Names, decode_message, kernel_message};
use rayon::prelude::*;

use super::judge::{Judge, Judgement, Source, Test, Verdict};
use super::object;
use crate::lab::Kernel;
use crate::oracle::{Caps, OWN_MAPS, OwnMap, Raw, Stats};

/// This project, with the types of one kernel.
pub(crate) struct Ours {
    linux: Linux,
    types: Targets,
}

impl Ours {
    /// As Linux at this release, with the types of `kernel`.
    pub(crate) fn new(version: &str, kernel: &Kernel) -> Result<Self> {
        let version = version.parse().ok().context("not a release")?;
        let btf = Arc::new(Btf::parse(std::fs::read(&kernel.btf)?).context("the kernel's BTF")?);
        let linux = Linux::new(version)?.with_btf(Arc::clone(&btf));
        Ok(Self { linux, types: Targets::from(btf) })
    }

    /// As Linux at this release when it has no types and one processor.
    pub(crate) fn without_types(version: &str) -> Result<Self> {
        let version = version.parse().ok().context("not a release")?;
        Ok(Self { linux: Linux::new(version)?.with_processors(1), types: Targets::default() })
    }

    /// What this project says of a bare program, without a log.
    pub(crate) fn judge_raw(&self, raw: &Raw, bits: u32, caps: Caps) -> Judgement {
        let mut request = match self.request(raw, "guest", privilege(caps)) {
            Ok(request) => request,
            Err(refused) => return refused,
        };
        request.flags = flags(bits, LoadFlags::default());
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let result = Verifier::new(&self.linux).verify(&request);
            judgement(result, String::new(), &Names::new(&request, &self.linux))
        }));
        judged.unwrap_or_else(|_| fail("panicked"))
    }

    /// What this project says of a request, with a log of this level.
    pub(crate) fn verify(&self, request: &LoadRequest, level: u32) -> Judgement {
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let names = Names::new(request, &self.linux);
            let verifier = Verifier::new(&self.linux);
            let log = KernelLog::new(names.clone(), LogLevel(level));
            let (result, log) = match verifier.analyze(request) {
                Ok(graph) => {
                    let mut log = log.with_graph(&graph);
                    (verifier.verify_graph(request, &graph, &mut log), log.into_text())
                }
                Err(_) => {
                    let mut log = log;
                    (verifier.verify_with(request, &mut log), log.into_text())
                }
            };
            judgement(result, log, &names)
        }));
        judged.unwrap_or_else(|_| fail("panicked"))
    }

    /// The tests of one object, which is read once for each set of capabilities and of types.
    fn object(&self, file: &Path, tests: &[(usize, &Test)]) -> Vec<(usize, Judgement)> {
        let Ok(bytes) = std::fs::read(file) else {
            return tests.iter().map(|(index, _)| (*index, fail("the object cannot be read"))).collect();
        };
        let mut objects = BTreeMap::new();
        let mut judgements = Vec::new();
        for (index, test) in tests {
            let types = match &test.source {
                Source::Object { btf, .. } => btf.as_deref(),
                Source::Array(_) => None,
            };
            let read = objects
                .entry((test.caps(), types))
                .or_insert_with(|| Object::parse(&bytes, &self.options(file, types, privilege(test.caps()))));
            let judged = match read {
                Ok(object) => self.program(object, test),
                Err(error) => fail(&error.to_string()),
            };
            judgements.push((*index, judged));
        }
        judgements
    }

    /// What is known of the host when an object is read. `types` is an object whose types take the place of the kernel's.
    fn options(&self, file: &Path, types: Option<&Path>, privilege: Privilege) -> Options {
        let other = types.and_then(|path| {
            let bytes = std::fs::read(path).ok()?;
            Btf::parse(object::section(&bytes, ".BTF").ok()??).ok()
        });
        Options {
            kernel_btf: other.map_or_else(|| self.types.clone(), |btf| Targets::from(Arc::new(btf))),
            kernel_version: Some(self.linux.version()),
            privilege,
            ..Options::for_file(&file.to_string_lossy())
        }
    }

    fn program(&self, object: &Object, test: &Test) -> Judgement {
        let Some(entry) = object.programs().iter().find(|entry| entry.name == test.name.program) else {
            return fail("the object has no such program");
        };
        let mut entry = entry.clone();
        entry.flags = flags(test.flags, entry.flags);
        // The tests' user space would say what the section does not; the guest guesses the same.
        if entry.program_type.is_none() {
            let xdp = entry.section.contains("xdp");
            entry.program_type = Some(if xdp { ProgramType::XDP } else { ProgramType::SOCKET_FILTER });
        }
        match object.load_request(&entry) {
            Ok(request) => self.verify(&request, test.full_log_level()),
            Err(ProgramError::Decode(error)) => reject(decode_message(&error)),
            Err(error) => fail(&error.to_string()),
        }
    }

    /// A bare program, with what it brings.
    fn array(&self, raw: &Raw, test: &Test) -> Judgement {
        let privilege = privilege(test.caps());
        match self.request(raw, &test.name.program, privilege) {
            Ok(mut request) => {
                request.flags = flags(test.flags, LoadFlags::default());
                self.verify(&request, test.full_log_level())
            }
            Err(refused) => refused,
        }
    }

    /// The request for a bare program; its maps' descriptors become places.
    pub(crate) fn request(&self, raw: &Raw, name: &str, privilege: Privilege) -> Result<LoadRequest, Judgement> {
        let Raw { program_type, attach_type, bytes, maps, types, own_types, functions, attach_to, attach_name } = raw;
        let program = Program::decode_as_linux(&places(bytes)).map_err(|error| reject(decode_message(&error)))?;
        let types: Vec<Option<Arc<Btf>>> =
            types.iter().map(|bytes| Btf::parse(bytes.as_slice()).ok().map(Arc::new)).collect();
        let mut request = LoadRequest::new(name, ProgramType(*program_type), program);
        request.attach_type = AttachType(*attach_type);
        request.privilege = privilege;
        for map in maps {
            let def = map_def(map, &types, &request.maps);
            // A map that may not be created is not there, which matters to who names it; those behind it keep their places.
            let there = self.linux.check_map_creation(&def, privilege).is_ok() && (map.types < 0 || privilege.bpf);
            request.maps.push(match (there, is_named(&request.program, request.maps.len())) {
                (true, _) => def,
                (false, true) => MapDef::new("", MapKind::UNSPEC, 0, 0, 0),
                (false, false) => MapDef::new("", MapKind::ARRAY, 4, 4, 1),
            });
        }
        request.btf = own_types.and_then(|place| types.get(place).cloned().flatten());
        let info = |(at, type_id): &(u32, u32)| FuncInfo { at: bpfvet::insn::InsnIdx(*at), type_id: *type_id };
        request.funcs = functions.iter().map(info).collect();
        request.attach_target =
            attach_name.as_ref().map(|name| AttachTarget { name: name.clone(), btf_id: *attach_to, member: None });
        Ok(request)
    }
}

impl Judge for Ours {
    fn judge(&self, tests: &[Test]) -> Result<Vec<Judgement>> {
        let mut by_file: BTreeMap<&PathBuf, Vec<(usize, &Test)>> = BTreeMap::new();
        let mut arrays = Vec::new();
        for (index, test) in tests.iter().enumerate() {
            match &test.source {
                Source::Object { file, .. } => by_file.entry(file).or_default().push((index, test)),
                Source::Array(raw) => arrays.push((index, raw, test)),
            }
        }
        let mut judged: Vec<(usize, Judgement)> =
            by_file.par_iter().flat_map_iter(|(file, tests)| self.object(file, tests)).collect();
        judged.par_extend(arrays.par_iter().map(|(index, raw, test)| (*index, self.array(raw, test))));
        judged.sort_by_key(|(index, _)| *index);
        Ok(judged.into_iter().map(|(_, judgement)| judgement).collect())
    }
}

fn judgement(result: Result<Accepted, Box<Rejection>>, log: String, names: &Names<'_>) -> Judgement {
    let (verdict, message, stats) = match result {
        Ok(accepted) => (Verdict::Accepted, String::new(), accepted.stats),
        Err(rejection) => {
            let Rejection { cause, stats } = *rejection;
            let verdict = match &cause {
                RejectionCause::Unsupported(_) | RejectionCause::Interrupted => Verdict::Unsupported,
                RejectionCause::Internal { .. } => Verdict::Failed,
                RejectionCause::Pass { .. }
                | RejectionCause::Violation(_)
                | RejectionCause::Structure(_)
                | RejectionCause::Limit(_)
                | RejectionCause::InfiniteLoop { .. }
                | RejectionCause::LoadRefused(_)
                | RejectionCause::MapRefused { .. }
                | RejectionCause::NoSuchMap { .. }
                | RejectionCause::NoDirectValue { .. }
                | RejectionCause::MissingInsn { .. }
                | RejectionCause::DirectValueOutOfBounds { .. } => Verdict::Rejected,
            };
            (verdict, kernel_message(&cause, names), stats)
        }
    };
    let stats = Stats {
        insns: stats.insns_processed,
        max_states: stats.max_states_per_insn.into(),
        total_states: stats.total_states.into(),
        peak_states: stats.peak_states.into(),
    };
    Judgement { verdict, message: message.trim_end().to_owned(), log: Some(log), stats: Some(stats) }
}

fn fail(message: &str) -> Judgement {
    Judgement { verdict: Verdict::Failed, message: message.to_owned(), log: None, stats: None }
}

fn reject(message: String) -> Judgement {
    Judgement { verdict: Verdict::Rejected, log: Some(message.clone()), message, stats: None }
}

/// `CAP_NET_ADMIN`, `CAP_SYS_ADMIN`, `CAP_PERFMON`, `CAP_BPF`
fn privilege(caps: Caps) -> Privilege {
    match caps {
        Caps::All => Privilege::FULL,
        Caps::Only(mask) => {
            let has = |cap: u32| mask & 1 << cap != 0;
            Privilege { net_admin: has(12), sys_admin: has(21), perfmon: has(38), bpf: has(39) }
        }
    }
}

/// The flags of a load: those of the section and those of the test.
fn flags(bits: u32, of_section: LoadFlags) -> LoadFlags {
    let has = |bit: u32| bits & 1 << bit != 0;
    let LoadFlags { sleepable, strict_alignment, any_alignment, test_state_freq, test_reg_invariants, xdp_has_frags } =
        of_section;
    LoadFlags {
        strict_alignment: strict_alignment || has(0),
        any_alignment: any_alignment || has(1),
        test_state_freq: test_state_freq || has(3),
        sleepable: sleepable || has(4),
        xdp_has_frags: xdp_has_frags || has(5),
        test_reg_invariants: test_reg_invariants || has(7),
    }
}

/// Whether the program names the map at this place.
fn is_named(program: &Program, place: usize) -> bool {
    program.iter().any(|(_, insn)| {
        if let Insn::LoadImm64 { imm: ImmSource::MapFd(fd) | ImmSource::MapValue { fd, .. }, .. } = insn {
            usize::try_from(*fd) == Ok(place)
        } else {
            false
        }
    })
}

/// The same instructions with the places of maps where their descriptors stand.
pub(crate) fn places(bytes: &[u8]) -> Vec<u8> {
    const LOAD_IMM64: u8 = 0x18;
    let mut bytes = bytes.to_vec();
    for insn in bytes.chunks_exact_mut(8) {
        let [code, regs, _, _, a, b, c, d] = insn else { continue };
        // `BPF_PSEUDO_MAP_FD` and `BPF_PSEUDO_MAP_VALUE`
        if *code == LOAD_IMM64 && matches!(*regs >> 4, 1 | 2) {
            let place = i32::from_le_bytes([*a, *b, *c, *d]).wrapping_sub(OWN_MAPS);
            [*a, *b, *c, *d] = place.to_le_bytes();
        }
    }
    bytes
}

fn map_def(map: &OwnMap, types: &[Option<Arc<Btf>>], before: &[MapDef]) -> MapDef {
    let OwnMap { kind, key, value, entries, flags, inner, types: place, key_type, value_type } = map;
    let mut def = MapDef::new("guest", MapKind(*kind), *key, *value, *entries);
    def.flags = *flags;
    def.inner = usize::try_from(*inner).ok().and_then(|inner| before.get(inner)).cloned().map(Box::new);
    let btf = usize::try_from(*place).ok().and_then(|place| types.get(place)?.as_ref());
    if let Some(btf) = btf {
        (def.btf_key, def.btf_value) = (*key_type, *value_type);
        let found = btf.special_fields(TypeId(*value_type), *value, FieldKind::IN_MAPS).unwrap_or_default();
        def.fields = found
            .into_iter()
            .map(|field| MapField {
                kind: field.kind,
                offset: field.offset,
                size: field.size,
                pointee: field.pointee.0,
                node: field.node,
            })
            .collect();
    }
    def
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn descriptors_become_places() {
        let load = [0x18, 0x11, 0, 0, 0xe9, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(places(&load)[4..8], [1, 0, 0, 0]);
        let number = [0x18, 0x01, 0, 0, 0xe9, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(places(&number), number);
    }
}
