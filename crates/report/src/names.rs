//! Names of what instructions and causes refer to by number, as the load request and the host know them.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use bpfvet_btf::TypeId;
use bpfvet_insn::{Call, Insn};
use bpfvet_platform::{HelperId, LineInfo, LoadRequest, MapDef, Platform, Version};
use bpfvet_vm::{BtfRef, MapRef};

/// Bytes of a map's name that Linux keeps (`BPF_OBJ_NAME_LEN`, less the final zero).
const MAP_NAME_LEN: usize = 15;

/// Names of what one program refers to by number.
#[derive(Clone, Debug)]
pub struct Names<'a> {
    request: &'a LoadRequest,
    platform: &'a dyn Platform,
    version: Version,
    helpers: BTreeMap<i32, String>,
}

impl<'a> Names<'a> {
    /// The release whose wording is used where none is asked for and the host's name tells none.
    pub const NEWEST: Version = Version::new(7, 3);

    /// The names that `request` and the host give.
    #[must_use]
    pub fn new(request: &'a LoadRequest, platform: &'a dyn Platform) -> Self {
        let mut helpers = BTreeMap::new();
        for (_, insn) in request.program.iter() {
            if let Insn::Call(Call::Helper(id)) = *insn
                && let Some(name) = u32::try_from(id).ok().and_then(|id| platform.helper_name(HelperId(id)))
            {
                helpers.insert(id, helper_name(name).into_owned());
            }
        }
        let version = platform.name().rsplit(' ').next().and_then(|word| word.parse().ok()).unwrap_or(Self::NEWEST);
        Self { request, platform, version, helpers }
    }

    /// The same, with the wording of this release.
    #[must_use]
    pub fn with_version(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// The load request.
    #[must_use]
    pub const fn request(&self) -> &'a LoadRequest {
        self.request
    }

    /// The host.
    #[must_use]
    pub const fn platform(&self) -> &'a dyn Platform {
        self.platform
    }

    /// The release whose wording is used.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Whether the wording is that of the releases up to 6.12.
    pub(crate) const fn old_wording(&self) -> bool {
        !self.version.at_least(Version::new(6, 13))
    }

    /// Whether the wording is that of a release before this one.
    pub(crate) const fn is_before(&self, version: Version) -> bool {
        !self.version.at_least(version)
    }

    /// The map that a reference names.
    #[must_use]
    pub fn map(&self, map: MapRef) -> Option<&'a MapDef> {
        let mut def = self.request.maps.get(usize::from(map.index))?;
        for _ in 0..map.inner {
            def = def.inner.as_deref()?;
        }
        Some(def)
    }

    /// The name of a type; empty where it has none or is not known.
    #[must_use]
    pub fn type_name(&self, btf: BtfRef, id: u32) -> &'a str {
        let set = match btf {
            BtfRef::Host => self.platform.btf(),
            BtfRef::Program => self.request.btf.as_ref(),
        };
        set.and_then(|set| set.type_by_id(TypeId(id))).map_or("", |ty| ty.name())
    }

    /// The name of a function of the program, by position; empty where there are no types.
    #[must_use]
    pub fn subprog(&self, index: u32) -> &'a str {
        let info = self.request.funcs.get(index as usize);
        info.map_or("", |info| self.type_name(BtfRef::Program, info.type_id))
    }

    /// The name of the helper with this number, with its prefix.
    #[must_use]
    pub fn helper(&self, id: i32) -> Option<&str> {
        self.helpers.get(&id).map(String::as_str)
    }
}

/// A helper's name as Linux prints it.
pub(crate) fn helper_name(name: &str) -> Cow<'_, str> {
    if name.starts_with("bpf_") { Cow::Borrowed(name) } else { Cow::Owned(format!("bpf_{name}")) }
}

/// A map's name as Linux keeps it.
pub(crate) fn map_name(map: &MapDef) -> &str {
    let mut len = map.name.len().min(MAP_NAME_LEN);
    while !map.name.is_char_boundary(len) {
        len -= 1;
    }
    map.name.get(..len).unwrap_or_default()
}

/// The last part of a path, as the log prints it.
pub(crate) fn base_name(line: &LineInfo) -> &str {
    line.file.rsplit('/').next().unwrap_or_default()
}

impl bpfvet_insn::Names for Names<'_> {
    fn helper(&self, id: i32) -> Option<&str> {
        Names::helper(self, id)
    }

    fn kfunc(&self, id: i32, btf: i16) -> Option<&str> {
        if btf != 0 {
            return None;
        }
        let name = self.type_name(BtfRef::Host, u32::try_from(id).ok()?);
        (!name.is_empty()).then_some(name)
    }
}
