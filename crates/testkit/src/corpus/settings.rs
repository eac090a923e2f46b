//! What a `toml` block says of the programs after it.

use bpfvet::elf::section_kind;
use bpfvet::platform::{AttachType, FieldKind, LoadFlags, MapDef, MapField, MapKind, ProgramType};
use serde::Deserialize;

/// Every key may be left out: then what was said above it in the file holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// A program type (`xdp`) or the name of a section (`cgroup/connect4`).
    program: Option<String>,
    /// Kernels that are asked; the newest where none is named.
    kernel: Option<Vec<String>>,
    unprivileged: Option<bool>,
    gpl: Option<bool>,
    sleepable: Option<bool>,
    strict_alignment: Option<bool>,
    /// Runners that cannot run it, by name, with the reason in the prose.
    skip: Option<Vec<String>>,
    map: Option<Vec<Map>>,
}

/// A map that programs can name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    name: String,
    kind: String,
    #[serde(default)]
    key: u32,
    #[serde(default)]
    value: u32,
    #[serde(default)]
    entries: u32,
    #[serde(default)]
    flags: u32,
    /// Bytes into the value where a lock is.
    lock: Option<u32>,
    /// Bytes into the value where a timer is.
    timer: Option<u32>,
    /// What can be read in it, where nobody can change it any more.
    frozen: Option<Vec<u8>>,
    inner: Option<Box<Map>>,
}

impl Settings {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// These, and where they are silent, `above`.
    pub(super) fn over(self, above: &Self) -> Self {
        let Self { program, kernel, unprivileged, gpl, sleepable, strict_alignment, skip, map } = self;
        Self {
            program: program.or_else(|| above.program.clone()),
            kernel: kernel.or_else(|| above.kernel.clone()),
            unprivileged: unprivileged.or(above.unprivileged),
            gpl: gpl.or(above.gpl),
            sleepable: sleepable.or(above.sleepable),
            strict_alignment: strict_alignment.or(above.strict_alignment),
            skip: skip.or_else(|| above.skip.clone()),
            map: map.or_else(|| above.map.clone()),
        }
    }

    pub(super) fn kernels(&self) -> &[String] {
        self.kernel.as_deref().unwrap_or_default()
    }

    pub(super) fn is_privileged(&self) -> bool {
        !self.unprivileged.unwrap_or(false)
    }

    pub(super) fn is_gpl(&self) -> bool {
        self.gpl.unwrap_or(true)
    }

    pub(super) fn skips(&self, runner: &str) -> bool {
        self.skip.iter().flatten().any(|name| name == runner)
    }

    /// Type, attach type and flags.
    pub(super) fn kind(&self) -> Result<(ProgramType, AttachType, LoadFlags), String> {
        let name = self.program.as_deref().ok_or("no `program` is set: what type is it?")?;
        let named = ProgramType::by_name(name);
        // A section of the same name says more: where the program attaches.
        let section = section_kind(name).filter(|kind| named.is_none_or(|named| named == kind.program_type));
        let (kind, attach, mut flags) = match (section, named) {
            (Some(section), _) => (section.program_type, section.attach_type, section.flags),
            (None, Some(kind)) => (kind, AttachType::default(), LoadFlags::default()),
            (None, None) => return Err(format!("`{name}` is neither a program type nor a section")),
        };
        flags.sleepable |= self.sleepable.unwrap_or(false);
        flags.strict_alignment = self.strict_alignment.unwrap_or(false);
        Ok((kind, attach, flags))
    }

    pub(super) fn maps(&self) -> Result<Vec<MapDef>, String> {
        self.map.iter().flatten().map(Map::def).collect()
    }
}

impl Map {
    fn def(&self) -> Result<MapDef, String> {
        let Self { name, kind, key, value, entries, flags, lock, timer, frozen, inner } = self;
        let number = (1..64).map(MapKind).find(|number| number.name() == kind);
        let number = number.ok_or_else(|| format!("`{kind}` is no kind of map"))?;
        let mut def = MapDef::new(name, number, *key, *value, *entries);
        def.flags = *flags;
        def.frozen = frozen.as_deref().map(Into::into);
        for (kind, at, size) in [(FieldKind::SpinLock, lock, 4), (FieldKind::Timer, timer, 16)] {
            if let Some(offset) = *at {
                def.fields.push(MapField { kind, offset, size, pointee: 0, node: 0 });
                def.btf_value = 1;
            }
        }
        def.fields.sort_by_key(|field| field.offset);
        def.inner = inner.as_ref().map(|inner| inner.def()).transpose()?.map(Box::new);
        Ok(def)
    }
}
