//! What the blocks that are no programs say of the programs after them.

use std::collections::BTreeMap;

use bpfvet::btf::{Btf, Kind};
use bpfvet::elf::section_kind;
use bpfvet::platform::{
    AttachTarget, AttachType, FieldKind, LoadFlags, MapDef, MapField, MapKind, Privilege, ProgramType,
};
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
    /// Capabilities that the loader lacks, of those that it has otherwise.
    without: Option<Vec<String>>,
    gpl: Option<bool>,
    sleepable: Option<bool>,
    strict_alignment: Option<bool>,
    test_reg_invariants: Option<bool>,
    /// Instructions that the caller lets the search look at.
    budget: Option<u64>,
    /// Runners that cannot run it, by name, each with the reason.
    skip: Option<BTreeMap<String, String>>,
    map: Option<Vec<Map>>,
    /// Declarations: the kernel's types.
    #[serde(skip)]
    pub(super) kernel_types: Option<String>,
    /// Declarations: the program's own types.
    #[serde(skip)]
    pub(super) own_types: Option<String>,
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
    /// The value's structure among the program's own types: where its special fields are.
    r#type: Option<String>,
}

/// What a program is and where it attaches.
pub(super) struct Place {
    pub(super) kind: ProgramType,
    pub(super) attach: AttachType,
    pub(super) flags: LoadFlags,
    /// What it attaches to, where that is among the kernel's types.
    pub(super) target: Option<AttachTarget>,
}

impl Settings {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// These, and where they are silent, `above`.
    pub(super) fn over(self, above: &Self) -> Self {
        let Self {
            program,
            kernel,
            unprivileged,
            without,
            gpl,
            sleepable,
            strict_alignment,
            test_reg_invariants,
            budget,
            skip,
            map,
            kernel_types,
            own_types,
        } = self;
        Self {
            program: program.or_else(|| above.program.clone()),
            kernel: kernel.or_else(|| above.kernel.clone()),
            unprivileged: unprivileged.or(above.unprivileged),
            without: without.or_else(|| above.without.clone()),
            gpl: gpl.or(above.gpl),
            sleepable: sleepable.or(above.sleepable),
            strict_alignment: strict_alignment.or(above.strict_alignment),
            test_reg_invariants: test_reg_invariants.or(above.test_reg_invariants),
            budget: budget.or(above.budget),
            skip: skip.or_else(|| above.skip.clone()),
            map: map.or_else(|| above.map.clone()),
            kernel_types: kernel_types.or_else(|| above.kernel_types.clone()),
            own_types: own_types.or_else(|| above.own_types.clone()),
        }
    }

    pub(super) fn kernels(&self) -> &[String] {
        self.kernel.as_deref().unwrap_or_default()
    }

    pub(super) fn privilege(&self) -> Result<Privilege, String> {
        let mut privilege = if self.unprivileged.unwrap_or(false) { Privilege::NONE } else { Privilege::FULL };
        for capability in self.without.iter().flatten() {
            match capability.as_str() {
                "bpf" => privilege.bpf = false,
                "perfmon" => privilege.perfmon = false,
                "net_admin" => privilege.net_admin = false,
                other => return Err(format!("`{other}` is no capability")),
            }
        }
        Ok(privilege)
    }

    pub(super) fn is_gpl(&self) -> bool {
        self.gpl.unwrap_or(true)
    }

    pub(super) fn skips(&self, runner: &str) -> bool {
        self.skip.iter().flatten().any(|(name, _)| name == runner)
    }

    /// The names of the runners that cannot run it.
    pub(super) fn skipped(&self) -> impl Iterator<Item = (&str, &str)> {
        self.skip.iter().flatten().map(|(name, reason)| (name.as_str(), reason.as_str()))
    }

    pub(super) const fn budget(&self) -> Option<u64> {
        self.budget
    }

    /// Type, attach type and flags, and what it attaches to.
    pub(super) fn place(&self, kernel: Option<&Btf>) -> Result<Place, String> {
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
        flags.test_reg_invariants = self.test_reg_invariants.unwrap_or(false);
        let target = section.filter(|section| section.by_btf).and_then(|_| name.split_once('/'));
        let target = target.map(|(_, target)| found(target, attach, kernel));
        Ok(Place { kind, attach, flags, target })
    }

    pub(super) fn maps(&self, types: Option<&Btf>) -> Result<Vec<MapDef>, String> {
        self.map.iter().flatten().map(|map| map.def(types)).collect()
    }
}

/// What a section's name stands for among the kernel's types, as loaders look for it.
fn found(target: &str, attach: AttachType, kernel: Option<&Btf>) -> AttachTarget {
    let (prefix, kind) = match attach {
        AttachType::TRACE_RAW_TP => ("btf_trace_", Kind::Typedef),
        AttachType::LSM_MAC | AttachType::LSM_CGROUP => ("bpf_lsm_", Kind::Func),
        AttachType::TRACE_ITER => ("bpf_iter_", Kind::Func),
        _ => ("", Kind::Func),
    };
    let id = kernel.and_then(|kernel| kernel.find_by_name_kind(&format!("{prefix}{target}"), kind));
    AttachTarget { name: target.to_owned(), btf_id: id.map_or(0, |id| id.0), member: None }
}

impl Map {
    fn def(&self, types: Option<&Btf>) -> Result<MapDef, String> {
        let Self { name, kind, key, value, entries, flags, lock, timer, frozen, inner, r#type } = self;
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
        if let Some(ty) = r#type {
            let missing = || format!("there is no `struct {ty}` among the program's own types");
            let types = types.ok_or_else(missing)?;
            let id = types.find_by_name_kind(ty, Kind::Struct).ok_or_else(missing)?;
            // A type with faulty fields is one without: the kernel creates the map all the same.
            let fields = types.special_fields(id, *value, FieldKind::IN_MAPS).unwrap_or_default();
            def.btf_value = id.0;
            def.fields.extend(fields.into_iter().map(|field| MapField {
                kind: field.kind,
                offset: field.offset,
                size: field.size,
                pointee: field.pointee.0,
                node: field.node,
            }));
        }
        def.fields.sort_by_key(|field| field.offset);
        def.inner = inner.as_ref().map(|inner| inner.def(types)).transpose()?.map(Box::new);
        Ok(def)
    }
}
