//! One program as both judges are given it.

use bpfvet::insn::{Call, ImmSource, Insn};
use bpfvet::platform::{LoadRequest, MapDef};

use crate::oracle::{Caps, Job, Load, OWN_MAPS, OwnMap, Raw};
use crate::selftests::{Judgement, Ours};

/// Bytes of a log's end: the message, what explains it, and the counts.
const LOG_BYTES: usize = 3000;
/// The failing path's log and the counts.
const LOG_LEVEL: u32 = 1 | 4;

/// A program and with which capabilities and flags it is loaded.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) raw: Raw,
    pub(crate) caps: Caps,
    pub(crate) flags: u32,
    /// What made it.
    pub(crate) origin: String,
}

impl Subject {
    /// The shortest program of a type.
    pub(crate) fn probe(program_type: u32) -> Self {
        let bytes = [[0xb7, 0, 0, 0, 0, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]].concat();
        Self {
            raw: Raw { program_type, bytes, ..Raw::default() },
            caps: Caps::All,
            flags: 0,
            origin: "probe".to_owned(),
        }
    }

    /// The kernel's job.
    pub(crate) fn job(&self) -> Job {
        let Self { raw, caps, flags, origin: _ } = self;
        Job { load: Load::Raw(raw.clone()), flags: *flags, log_level: LOG_LEVEL, caps: *caps, log_bytes: LOG_BYTES }
    }

    /// Our judgement.
    pub(crate) fn judge(&self, ours: &Ours) -> Judgement {
        ours.judge_raw(&self.raw, self.flags, self.caps)
    }
}

/// A request as bare instructions; `None` where it needs types.
pub(crate) fn raw(request: &LoadRequest) -> Option<Raw> {
    let mut maps = Vec::new();
    let mut places = Vec::new();
    for map in &request.maps {
        let inner = match &map.inner {
            Some(inner) => {
                maps.push(own_map(inner, -1)?);
                i32::try_from(maps.len() - 1).ok()?
            }
            None => -1,
        };
        places.push(i32::try_from(maps.len()).ok()?);
        maps.push(own_map(map, inner)?);
    }
    for (_, insn) in request.program.iter() {
        let typed = matches!(
            insn,
            Insn::Call(Call::Kfunc { .. })
                | Insn::LoadImm64 {
                    imm: ImmSource::BtfId { .. } | ImmSource::MapIdx(_) | ImmSource::MapIdxValue { .. },
                    ..
                }
        );
        if typed {
            return None;
        }
    }
    let mut bytes = request.program.encode().ok()?;
    for slot in bytes.chunks_exact_mut(8) {
        let [code, registers, _, _, a, b, c, d] = slot else { continue };
        // `BPF_PSEUDO_MAP_FD` and `BPF_PSEUDO_MAP_VALUE`
        if *code == 0x18 && matches!(*registers >> 4, 1 | 2) {
            let index = usize::try_from(i32::from_le_bytes([*a, *b, *c, *d])).ok()?;
            [*a, *b, *c, *d] = (OWN_MAPS + places.get(index)?).to_le_bytes();
        }
    }
    Some(Raw {
        program_type: request.program_type.0,
        attach_type: request.attach_type.0,
        bytes,
        maps,
        ..Raw::default()
    })
}

/// The map without its types; `None` if it cannot be without.
fn own_map(map: &MapDef, inner: i32) -> Option<OwnMap> {
    let MapDef { name: _, kind, key_size, value_size, max_entries, flags, extra, fields, inner: _, frozen: _, .. } =
        map;
    (fields.is_empty() && *extra == 0).then_some(OwnMap {
        kind: kind.0,
        key: *key_size,
        value: *value_size,
        entries: *max_entries,
        flags: *flags,
        inner,
        types: -1,
        key_type: 0,
        value_type: 0,
    })
}

#[cfg(test)]
mod tests {
    use bpfvet::platform::ProgramType;
    use bpfvet_testkit::{containment, machine::Choices};

    use super::raw;

    #[test]
    fn maps_are_named_by_descriptor() {
        let requests = (0..64).map(|seed| containment::generate(&mut Choices::seeded(seed)));
        // Some need types, which raw programs lack.
        let pairs: Vec<_> = requests.filter_map(|request| raw(&request).map(|raw| (request, raw))).collect();
        assert!(pairs.len() > 16, "{} of 64 can be asked of a kernel", pairs.len());
        for (request, raw) in pairs {
            assert!(raw.maps.len() >= request.maps.len(), "{request:?}");
            assert_eq!(ProgramType(raw.program_type), request.program_type);
        }
    }
}
