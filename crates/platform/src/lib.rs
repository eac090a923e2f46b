//! The questions a verifier asks its host, as one trait of pure look-ups and the plain data it answers with.
//!
//! **Invariant.** This crate computes nothing about a program: if a question needs an abstract state to answer, it is not a
//! platform question. It holds no answer for any real kernel (that is `bpfvet-linux`), and it is the only place, with that
//! crate, where versions are compared. Defaults fail closed: what a table does not mention is not allowed.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod condition;
mod ctx;
mod features;
mod helper;
mod limits;
mod map;
mod privilege;
mod program;
mod refusal;
mod request;
mod version;

pub use condition::{Condition, Target};
pub use ctx::{CtxAccess, CtxDenied, CtxField, CtxKind, CtxLayout, CtxRule, CtxValue, SocketView};
pub use features::{Feature, Features};
pub use helper::{
    ArgKind, ArgSpec, DynptrKind, Effects, HelperId, HelperLookup, HelperProto, HelperRefusal, HelperSpecial,
    MapHelperRow, MemDir, MemSize, RetKind, RetRange, RetSpec,
};
pub use limits::Limits;
pub use map::{FieldKind, LookupResult, MapDef, MapField, MapKind, MapKindInfo};
pub use privilege::Privilege;
pub use program::{AttachType, PacketAccess, PacketToHelpers, ProgramType, ProgramTypeInfo, ReturnRule};
pub use refusal::{LoadRefusal, MapRefusal};
pub use request::{AttachTarget, FuncInfo, LineInfo, LoadFlags, LoadRequest};
pub use version::Version;

use alloc::sync::Arc;
use bpfvet_btf::{Btf, Kind, TypeId};

/// A host that loads eBPF programs: what it offers to the program that a [`LoadRequest`] describes.
///
/// Every method is a pure look-up: the same question has the same answer for as long as the value lives. Implementations
/// answer from tables; none of them sees a state.
pub trait Platform: core::fmt::Debug {
    /// A short name for reports, such as `Linux 7.3`.
    fn name(&self) -> &str;

    /// Behaviours by name.
    fn features(&self) -> &Features;

    /// Limits in force for a loader with this privilege.
    fn limits(&self, privilege: Privilege) -> Limits;

    /// What this program type is; `None` where the host does not have it.
    fn program_type(&self, kind: ProgramType) -> Option<&ProgramTypeInfo>;

    /// Whether the program may call this helper, and its prototype for this program.
    fn helper(&self, id: HelperId, request: &LoadRequest) -> HelperLookup<'_>;

    /// What this kind of map is; `None` where the host does not have it.
    fn map_kind(&self, kind: MapKind) -> Option<&MapKindInfo>;

    /// What the program may return from its entry function.
    fn return_rule(&self, request: &LoadRequest) -> ReturnRule;

    /// Whether a map of this kind may be passed to this helper.
    fn map_allows_helper(&self, kind: MapKind, helper: HelperId) -> bool;

    /// Whether the program may update or delete entries of a map that holds sockets (`may_update_sockmap`); asked where
    /// [`Platform::map_allows_helper`] has said yes for such a map.
    fn may_update_sockmap(&self, helper: HelperId, request: &LoadRequest) -> bool {
        let _ = (helper, request);
        false
    }

    /// The fields of a socket as programs may read them; `None` where the host shows none.
    fn socket_layout(&self, view: SocketView) -> Option<&CtxLayout> {
        let _ = view;
        None
    }

    /// Whether the host loads such a program at all: type, attach type, capabilities, licence, sleep. The program's length
    /// is a limit, and its instructions are the verifier's.
    ///
    /// # Errors
    ///
    /// [`LoadRefusal`] with the first thing that the host objects to.
    fn check_load(&self, request: &LoadRequest) -> Result<(), LoadRefusal> {
        if self.program_type(request.program_type).is_none() { Err(LoadRefusal::UnknownProgramType) } else { Ok(()) }
    }

    /// Whether the program may refer to this map at all.
    ///
    /// # Errors
    ///
    /// [`MapRefusal`] with the first thing that the host objects to.
    fn check_map(&self, map: &MapDef, request: &LoadRequest) -> Result<(), MapRefusal> {
        let _ = request;
        if self.map_kind(map.kind).is_none() { Err(MapRefusal::UnknownKind) } else { Ok(()) }
    }

    /// Whether a loader with this privilege can create the map.
    ///
    /// # Errors
    ///
    /// [`MapRefusal`] with the first thing that the host objects to.
    fn check_map_creation(&self, map: &MapDef, privilege: Privilege) -> Result<(), MapRefusal> {
        let _ = privilege;
        if self.map_kind(map.kind).is_none() { Err(MapRefusal::UnknownKind) } else { Ok(()) }
    }

    /// A helper's name without the `bpf_` prefix, whether or not the program may call it; for messages only.
    fn helper_name(&self, id: HelperId) -> Option<&str> {
        let _ = id;
        None
    }

    /// The host's own types, if they are at hand.
    fn btf(&self) -> Option<&Arc<Btf>> {
        None
    }

    /// The host's structure of this name. The default looks at every type; a platform that has an index should answer from it.
    fn struct_named(&self, name: &str) -> Option<TypeId> {
        self.btf()?.find_by_name_kind(name, Kind::Struct)
    }
}
