//! The questions a verifier asks its host, as one trait of pure look-ups and the plain data it answers with.
//!
//! **Invariant.** This crate computes nothing about a program: if a question needs an abstract state to answer, it is not a
//! platform question. It holds no answer for any real kernel (that is `bpfvet-linux`), and it is the only place, with that
//! crate, where versions are compared. Defaults fail closed: what a table does not mention is not allowed.
//!
//! # A world of your own
//!
//! A runtime in user space that filters events: one program type, a context of three fields, and three helpers. Everything that
//! it does not answer for keeps a default that allows nothing.
//!
//! ```
//! use bpfvet_platform::*;
//!
//! #[derive(Debug)]
//! struct EventFilter {
//!     features: Features,
//!     filter: ProgramTypeInfo,
//!     helpers: [HelperProto; 3],
//! }
//!
//! const FILTER: ProgramType = ProgramType(1);
//!
//! impl EventFilter {
//!     fn new() -> Self {
//!         let fields = vec![
//!             CtxField::scalar("timestamp", 0, 8, CtxRule::Exact, CtxRule::Denied),
//!             CtxField::scalar("kind", 8, 4, CtxRule::Narrow(4), CtxRule::Denied),
//!             CtxField::scalar("verdict", 12, 4, CtxRule::Exact, CtxRule::Exact),
//!         ];
//!         let event = CtxLayout { name: "event".into(), size: 16, fields: fields.into(), aligned: true };
//!         let text = ArgSpec::of(ArgKind::Mem { dir: MemDir::Read, size: MemSize::NextArg });
//!         let buffer = ArgSpec::of(ArgKind::Mem { dir: MemDir::WriteUninit, size: MemSize::NextArg });
//!         let (ctx, size) = (ArgSpec::of(ArgKind::Ctx), ArgSpec::of(ArgKind::MemSize));
//!         let number = RetSpec::of(RetKind::Integer);
//!         Self {
//!             features: Features::ALL.without(Feature::Arena),
//!             filter: ProgramTypeInfo::plain(FILTER, CtxKind::Layout(event)),
//!             helpers: [
//!                 HelperProto::new(HelperId(1), "now", &[], number),
//!                 HelperProto::new(HelperId(2), "event_text", &[ctx, buffer, size], number),
//!                 HelperProto::new(HelperId(3), "log", &[text, size], RetSpec::of(RetKind::Void)),
//!             ],
//!         }
//!     }
//! }
//!
//! impl Platform for EventFilter {
//!     fn name(&self) -> &str { "event filter" }
//!     fn features(&self) -> &Features { &self.features }
//!     fn limits(&self, _: Privilege) -> Limits {
//!         Limits { program_len: 1024, processed_insns: 50_000, maps: 0, ..Limits::MODEST }
//!     }
//!     fn program_type(&self, kind: ProgramType) -> Option<&ProgramTypeInfo> {
//!         (kind == FILTER).then_some(&self.filter)
//!     }
//!     fn helper(&self, id: HelperId, _: &LoadRequest) -> HelperLookup<'_> {
//!         self.helpers.iter().find(|helper| helper.id == id).map_or(HelperLookup::Unknown, HelperLookup::Allowed)
//!     }
//!     fn map_kind(&self, _: MapKind) -> Option<&MapKindInfo> { None }
//!     fn map_allows_helper(&self, _: MapKind, _: HelperId) -> bool { false }
//!     fn return_rule(&self, _: &LoadRequest) -> ReturnRule { ReturnRule::Range { min: 0, max: 1, low_half: false } }
//! }
//!
//! let world = EventFilter::new();
//! let request = LoadRequest::new("drop_old", FILTER, Default::default());
//! let CtxKind::Layout(event) = &world.program_type(FILTER).unwrap().ctx else { unreachable!() };
//! assert!(event.access(&request, 12, 4, true).is_ok(), "the verdict may be written");
//! assert!(event.access(&request, 0, 8, true).is_err(), "the time may not");
//! assert!(matches!(world.helper(HelperId(2), &request), HelperLookup::Allowed(helper) if helper.name == "event_text"));
//! assert_eq!(world.helper(HelperId(4), &request), HelperLookup::Unknown);
//! ```
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod condition;
mod ctx;
mod dynptr;
mod features;
mod helper;
mod kfunc;
mod limits;
mod map;
mod privilege;
mod program;
mod refusal;
mod request;
mod typed;
mod version;

pub use condition::{Condition, Target};
pub use ctx::{CtxAccess, CtxDenied, CtxField, CtxKind, CtxLayout, CtxRule, CtxValue, SocketView};
pub use dynptr::{DynptrArg, DynptrKind};
pub use features::{Feature, Features};
pub use helper::{
    ArgKind, ArgSpec, Effects, HelperId, HelperLookup, HelperProto, HelperRefusal, HelperSpecial, MapHelperRow, MemDir,
    MemSize, RetKind, RetRange, RetSpec,
};
pub use kfunc::{KfuncArg, KfuncArgKind, KfuncFlags, KfuncLookup, KfuncProto, KfuncRet, KfuncSpecial};
pub use limits::Limits;
pub use map::{FieldKind, LookupResult, MapDef, MapField, MapKind, MapKindInfo};
pub use privilege::Privilege;
pub use program::{AttachType, PacketAccess, PacketToHelpers, ProgramType, ProgramTypeInfo, ReturnRule};
pub use refusal::{LoadRefusal, MapRefusal};
pub use request::{AttachTarget, FuncInfo, LineInfo, LoadFlags, LoadRequest};
pub use typed::{TypedArg, TypedArgs, Untold};
pub use version::{NotAVersion, Version};

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

    /// The host's structure behind a map of this kind, by name; programs may read it through a pointer to the map. `None` where
    /// there is none.
    fn map_structure(&self, kind: MapKind) -> Option<&str> {
        let _ = kind;
        None
    }

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

    /// What is promised of the arguments in a context that is typed by what the program attaches to.
    ///
    /// # Errors
    ///
    /// [`Untold`] where the host cannot tell: the program is then unsupported. That is the default.
    fn typed_args(&self, request: &LoadRequest) -> Result<TypedArgs, Untold> {
        let _ = request;
        Err("contexts that are typed by what a program attaches to".into())
    }

    /// A helper's name without the `bpf_` prefix, whether or not the program may call it; for messages only.
    fn helper_name(&self, id: HelperId) -> Option<&str> {
        let _ = id;
        None
    }

    /// Whether the program may call this function of the host, and its prototype: by its id in the host's types, or in those of a
    /// module where `module` is not zero.
    fn kfunc(&self, id: TypeId, module: i16, request: &LoadRequest) -> KfuncLookup {
        let _ = (id, module, request);
        KfuncLookup::Unsupported("functions of the host".into())
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
