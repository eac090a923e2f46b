//! What Linux answers to an eBPF verifier, by version, as tables.
//!
//! **Invariant.** This crate holds facts and compares versions; it never sees a state and never branches on a register. What a
//! table cannot say is answered as unsupported, never guessed.
//!
//! Facts are those of Linux 7.3; an older release is 7.3 less what came after it. Where it is not known which release between
//! 6.12 and 7.3 brought a row, the stricter reading is taken. Before that, a row counts from the release of its helper, program
//! type or structure, which can be earlier than the release in which this very combination was allowed.
//!
//! ```text
//!   helpers/*.rs          one row a prototype             helpers/groups/*.rs   which program type has which row
//!   ctx/*.rs              one row a field of a context    programs.rs           one row a program type
//!   maps/*.rs             kinds, helpers, creation        attach.rs, load.rs    attach types; what is asked at load
//!   lsm.rs                security hooks by kind          returns.rs            what the entry function may return
//!   kfuncs/rows.rs        one row a kernel function       kfuncs/proto.rs       what its type and names say
//!   struct_ops.rs         members of structures           limits.rs             numbers by release and privilege
//! ```
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod attach;
mod ctx;
mod helpers;
mod kfuncs;
mod limits;
mod load;
mod lsm;
mod maps;
mod programs;
mod returns;
mod struct_ops;
mod typed;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bpfvet_btf::{Btf, Kind, NameIndex, TypeId};
use bpfvet_platform::{
    CtxLayout, Features, HelperId, HelperLookup, HelperProto, KfuncLookup, Limits, LoadRefusal, LoadRequest, MapDef,
    MapKind, MapKindInfo, MapRefusal, Platform, Privilege, ProgramType, ProgramTypeInfo, RetRange, ReturnRule,
    SocketView, TypedArgs, Untold, Version,
};

/// Linux at one release.
#[derive(Clone, Debug)]
pub struct Linux {
    version: Version,
    name: String,
    features: Features,
    programs: Vec<ProgramTypeInfo>,
    maps: Vec<MapKindInfo>,
    helpers: Arc<helpers::Index>,
    sockets: [CtxLayout; 4],
    btf: Option<Types>,
    processors: Option<Arc<ProcessorHelpers>>,
}

/// The prototypes of `get_smp_processor_id`, the plain one and the one that spares registers, for a known number of processors.
#[derive(Clone, Debug)]
struct ProcessorHelpers {
    plain: HelperProto,
    fastcall: HelperProto,
}

/// The kernel's own types, and where to find them by name.
#[derive(Clone, Debug)]
struct Types {
    btf: Arc<Btf>,
    names: Arc<NameIndex>,
}

/// There is no such release, or it is not known here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownVersion(pub Version);

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(version) = self;
        write!(f, "Linux {version} is not known here")
    }
}

impl core::error::Error for UnknownVersion {}

/// Series of releases: the major number, and its first and last minor number that are known.
const SERIES: &[(u16, u16, u16)] = &[(4, 9, 20), (5, 0, 19), (6, 0, 19), (7, 0, 3)];

const VERSION_COUNT: usize = {
    let mut count = 0;
    let mut series = 0;
    while series < SERIES.len() {
        let (_, first, last) = SERIES[series];
        count += (last - first + 1) as usize;
        series += 1;
    }
    count
};

const ALL_VERSIONS: [Version; VERSION_COUNT] = {
    let mut all = [Version::new(0, 0); VERSION_COUNT];
    let mut at = 0;
    let mut series = 0;
    while series < SERIES.len() {
        let (major, first, last) = SERIES[series];
        let mut minor = first;
        while minor <= last {
            all[at] = Version::new(major, minor);
            at += 1;
            minor += 1;
        }
        series += 1;
    }
    all
};

impl Linux {
    /// Every release that is known, oldest first.
    pub const VERSIONS: &'static [Version] = &ALL_VERSIONS;

    /// The releases that get long support or that are newest: those worth checking when nothing else is said.
    pub const PROFILES: &'static [Version] = &[
        Version::new(4, 9),
        Version::new(4, 14),
        Version::new(4, 19),
        Version::new(5, 4),
        Version::new(5, 10),
        Version::new(5, 15),
        Version::new(6, 1),
        Version::new(6, 6),
        Version::new(6, 12),
        Version::new(6, 18),
        Self::NEWEST,
    ];

    /// The newest release that is known, which all tables describe.
    pub const NEWEST: Version = Version::new(7, 3);

    /// Linux at this release.
    ///
    /// # Errors
    ///
    /// [`UnknownVersion`] for a release that is not among [`Linux::VERSIONS`].
    pub fn new(version: Version) -> Result<Self, UnknownVersion> {
        if Self::VERSIONS.contains(&version) { Ok(Self::at(version)) } else { Err(UnknownVersion(version)) }
    }

    /// Linux at the newest release.
    #[must_use]
    pub fn newest() -> Self {
        Self::at(Self::NEWEST)
    }

    fn types(&self) -> Option<&Btf> {
        self.btf.as_ref().map(|types| &*types.btf)
    }

    fn at(version: Version) -> Self {
        Self {
            version,
            name: alloc::format!("Linux {version}"),
            features: Features::linux(version),
            programs: programs::table(version),
            maps: maps::table(version),
            helpers: Arc::new(helpers::Index::new(version)),
            sockets: [SocketView::Full, SocketView::Common, SocketView::Tcp, SocketView::Xdp]
                .map(|view| ctx::socket(view, version)),
            btf: None,
            processors: None,
        }
    }

    /// The same on a machine with this many processors, which bounds what `get_smp_processor_id` returns. Without it, the
    /// largest machine is taken.
    #[must_use]
    pub fn with_processors(self, count: u32) -> Self {
        let bounded = |proto: &HelperProto| {
            let mut proto = proto.clone();
            proto.ret.range = RetRange::Between { min: 0, max: i64::from(count.saturating_sub(1)) };
            proto
        };
        let (plain, fastcall) = helpers::processor_id();
        let processors = ProcessorHelpers { plain: bounded(plain), fastcall: bounded(fastcall) };
        Self { processors: Some(Arc::new(processors)), ..self }
    }

    /// The same with the kernel's own types, which typed arguments, structure operations and kernel functions need.
    #[must_use]
    pub fn with_btf(self, btf: Arc<Btf>) -> Self {
        let names = Arc::new(NameIndex::new(&btf));
        Self { btf: Some(Types { btf, names }), ..self }
    }

    /// The release.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Every program type of the release, by number.
    #[must_use]
    pub fn program_types(&self) -> &[ProgramTypeInfo] {
        &self.programs
    }

    /// Every kind of map of the release, by number.
    #[must_use]
    pub fn map_kinds(&self) -> &[MapKindInfo] {
        &self.maps
    }

    /// The number of the helper with this name, without the `bpf_` in front, if the release has it.
    #[must_use]
    pub fn helper_by_name(&self, name: &str) -> Option<HelperId> {
        helpers::by_name(name).filter(|id| helpers::introduced(*id).is_some_and(|since| self.version.at_least(since)))
    }

    /// The release that brought a helper.
    #[must_use]
    pub fn helper_since(id: HelperId) -> Option<Version> {
        helpers::introduced(id)
    }

    /// Every security hook of the newest release that programs may attach to, without the `bpf_lsm_` in front.
    pub fn security_hooks() -> impl Iterator<Item = &'static str> {
        lsm::RETURNING_INT.iter().chain(lsm::RETURNING_VOID).copied().filter(|hook| !lsm::DISABLED.contains(hook))
    }

    /// Whether a security hook's arguments are pointers to objects that are known to be alive (`bpf_lsm_is_trusted`).
    #[must_use]
    pub fn security_hook_trusts_arguments(hook: &str) -> bool {
        !lsm::UNTRUSTED.contains(&lsm::hook(hook))
    }
}

impl Platform for Linux {
    fn name(&self) -> &str {
        &self.name
    }

    fn features(&self) -> &Features {
        &self.features
    }

    fn limits(&self, privilege: Privilege) -> Limits {
        limits::of(self.version, privilege)
    }

    fn program_type(&self, kind: ProgramType) -> Option<&ProgramTypeInfo> {
        let at = self.programs.binary_search_by_key(&kind, |info| info.kind).ok()?;
        self.programs.get(at)
    }

    fn helper(&self, id: HelperId, request: &LoadRequest) -> HelperLookup<'_> {
        let answer = helpers::look_up(self.version, &self.helpers, id, request, self.types());
        if let (Some(own), HelperLookup::Allowed(proto)) = (&self.processors, &answer)
            && id == helpers::PROCESSOR_ID
        {
            return HelperLookup::Allowed(if proto.effects.fastcall { &own.fastcall } else { &own.plain });
        }
        answer
    }

    fn map_kind(&self, kind: MapKind) -> Option<&MapKindInfo> {
        let at = self.maps.binary_search_by_key(&kind, |info| info.kind).ok()?;
        self.maps.get(at)
    }

    fn return_rule(&self, request: &LoadRequest) -> ReturnRule {
        if request.program_type == ProgramType::STRUCT_OPS {
            return struct_ops::return_rule(self.version, request, self.types());
        }
        returns::rule(self.version, request.attached_as(), request)
    }

    fn map_allows_helper(&self, kind: MapKind, helper: HelperId) -> bool {
        self.map_kind(kind).is_some() && maps::allows(self.version, kind, helper)
    }

    fn map_structure(&self, kind: MapKind) -> Option<&str> {
        maps::structure(self.version, kind)
    }

    fn may_update_sockmap(&self, helper: HelperId, request: &LoadRequest) -> bool {
        maps::may_update_sockmap(self.version, helper, request)
    }

    fn socket_layout(&self, view: SocketView) -> Option<&CtxLayout> {
        let [full, common, tcp, xdp] = &self.sockets;
        Some(match view {
            SocketView::Full => full,
            SocketView::Common => common,
            SocketView::Tcp => tcp,
            SocketView::Xdp => xdp,
        })
    }

    fn check_load(&self, request: &LoadRequest) -> Result<(), LoadRefusal> {
        let info = self.program_type(request.program_type).ok_or(LoadRefusal::UnknownProgramType)?;
        load::check(self.version, info, request)
    }

    fn check_map(&self, map: &MapDef, request: &LoadRequest) -> Result<(), MapRefusal> {
        let info = self.map_kind(map.kind).ok_or(MapRefusal::UnknownKind)?;
        maps::check_use(self.version, info, map, request)
    }

    fn check_map_creation(&self, map: &MapDef, privilege: Privilege) -> Result<(), MapRefusal> {
        self.map_kind(map.kind).ok_or(MapRefusal::UnknownKind)?;
        maps::check_creation(map, privilege)
    }

    fn typed_args(&self, request: &LoadRequest) -> Result<TypedArgs, Untold> {
        typed::arguments(self.version, request.attached_as(), request, self.types())
    }

    fn helper_name(&self, id: HelperId) -> Option<&str> {
        helpers::name(id)
    }

    fn kfunc(&self, id: TypeId, module: i16, request: &LoadRequest) -> KfuncLookup {
        kfuncs::look_up(self, self.btf.as_ref(), id, module, request)
    }

    fn btf(&self) -> Option<&Arc<Btf>> {
        self.btf.as_ref().map(|types| &types.btf)
    }

    fn struct_named(&self, name: &str) -> Option<TypeId> {
        let Types { btf, names } = self.btf.as_ref()?;
        // The index holds a split BTF's own types only.
        names.find(btf, name, Kind::Struct).or_else(|| btf.base()?.find_by_name_kind(name, Kind::Struct))
    }
}

impl Default for Linux {
    fn default() -> Self {
        Self::newest()
    }
}

impl fmt::Display for Linux {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
