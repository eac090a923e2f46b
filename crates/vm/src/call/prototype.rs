//! What a function's type says of its parameters and its result.
//!
//! Global functions are verified against nothing else, so theirs must be understood whole. Of static functions it is only a
//! second opinion.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bpfvet_btf::{Btf, FuncLinkage, Kind, Proto, Shape, Type, TypeId, essential_name};
use bpfvet_insn::InsnIdx;
use bpfvet_platform::{AttachType, CtxKind, LoadRequest, Platform, ProgramType};

use super::REG_ARGS;
use crate::facts::ArgShape;
use crate::violation::PrototypeReason;

/// Arguments that a function may have, those on the stack included (`MAX_BPF_FUNC_ARGS`).
const MAX_ARGS: u32 = 12;
/// References that a walk follows before it takes a type for nonsense.
const DEEPEST: usize = 32;

/// What a function's type says of its parameters and its result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prototype {
    /// Its parameters, or why the type says nothing useful.
    pub args: Result<Vec<ArgShape>, PrototypeReason>,
    /// How many parameters it has, also where `args` says nothing useful; zero without a type.
    pub params: u32,
    /// It returns nothing.
    pub returns_void: bool,
}

/// The prototype of the function that starts at `start`. (`btf_prepare_func_args`, `subprog_returns_void`)
#[must_use]
pub fn prototype(request: &LoadRequest, platform: &dyn Platform, start: InsnIdx) -> Prototype {
    let Some((btf, func, proto, linkage)) = find(request, start) else {
        return Prototype { args: Err(PrototypeReason::Untyped), params: 0, returns_void: false };
    };
    let returns_void = btf.resolve(proto.returns).is_some_and(|ty| ty.kind() == Kind::Void);
    let reader =
        Reader { request, platform, btf, func, global: linkage == FuncLinkage::Global, main: start == InsnIdx(0) };
    Prototype { args: reader.shapes(proto), params: proto.len(), returns_void }
}

/// Whether the entry function names a function to be called when it throws.
pub(super) fn has_exception_callback(request: &LoadRequest) -> bool {
    find(request, InsnIdx(0))
        .is_some_and(|(btf, main, _, _)| btf.decl_tags_of(main, None).any(|tag| tag.starts_with("exception_callback:")))
}

/// Who sees the function that starts at `start`; `None` without records.
pub(super) fn linkage(request: &LoadRequest, start: InsnIdx) -> Option<FuncLinkage> {
    find(request, start).map(|(_, _, _, linkage)| linkage)
}

fn find(request: &LoadRequest, start: InsnIdx) -> Option<(&Btf, TypeId, Proto<'_>, FuncLinkage)> {
    let btf = request.btf.as_deref()?;
    let record = request.funcs.iter().find(|record| record.at == start)?;
    let func = TypeId(record.type_id);
    let Shape::Func { proto, linkage } = btf.type_by_id(func)?.shape() else { return None };
    Some((btf, func, btf.type_by_id(proto)?.as_proto()?, linkage))
}

/// Tags of a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Tags {
    ctx: bool,
    trusted: bool,
    untrusted: bool,
    nonnull: bool,
    nullable: bool,
    arena: bool,
}

impl Tags {
    const NONE: Self =
        Self { ctx: false, trusted: false, untrusted: false, nonnull: false, nullable: false, arena: false };
}

struct Reader<'a> {
    request: &'a LoadRequest,
    platform: &'a dyn Platform,
    btf: &'a Btf,
    func: TypeId,
    global: bool,
    main: bool,
}

impl<'a> Reader<'a> {
    fn shapes(&self, proto: Proto<'a>) -> Result<Vec<ArgShape>, PrototypeReason> {
        let count = proto.len();
        let host_max = if self.platform.features().stack_arguments() { MAX_ARGS } else { REG_ARGS };
        let max = if self.global { REG_ARGS } else { host_max };
        if count > MAX_ARGS {
            return Err(PrototypeReason::TooMany { count, max: MAX_ARGS });
        }
        if count > max {
            return Err(PrototypeReason::TooMany { count, max });
        }
        if !self.returns_number(proto.returns) {
            return Err(PrototypeReason::Return);
        }
        (0..).zip(proto.params()).map(|(arg, param)| self.shape(arg, param.ty)).collect()
    }

    /// The result is nothing, a number, or a pointer into an arena. (`btf_validate_return_type`)
    fn returns_number(&self, id: TypeId) -> bool {
        let Some(ty) = self.btf.resolve(id) else { return false };
        match ty.shape() {
            Shape::Void => self.platform.features().void_global_functions(),
            Shape::Int(_) | Shape::Enum(_) | Shape::Enum64(_) => true,
            Shape::Ptr(to) => !self.main && self.tagged_arena(to),
            Shape::Array(_)
            | Shape::Struct(_)
            | Shape::Union(_)
            | Shape::Fwd { .. }
            | Shape::Typedef(_)
            | Shape::Volatile(_)
            | Shape::Const(_)
            | Shape::Restrict(_)
            | Shape::Func { .. }
            | Shape::FuncProto(_)
            | Shape::Var(_)
            | Shape::Datasec { .. }
            | Shape::Float { .. }
            | Shape::DeclTag { .. }
            | Shape::TypeTag(_)
            | Shape::Unknown => false,
        }
    }

    /// Whether the type tag of arenas stands before this type.
    fn tagged_arena(&self, id: TypeId) -> bool {
        let mut id = id;
        for _ in 0..DEEPEST {
            let Some(ty) = self.btf.type_by_id(id) else { return false };
            if ty.kind() == Kind::TypeTag && !ty.kind_flag() && ty.name() == "arena" {
                return true;
            }
            match ty.modified() {
                Some(to) => id = to,
                None => return false,
            }
        }
        false
    }

    fn tags(&self, arg: u32) -> Result<Tags, PrototypeReason> {
        let mut tags = Tags::NONE;
        let host = self.platform.features();
        if !host.global_argument_tags() {
            return Ok(tags);
        }
        for tag in self.btf.decl_tags_of(self.func, Some(arg)).filter_map(|tag| tag.strip_prefix("arg:")) {
            if !self.global {
                return Err(PrototypeReason::TagOnStatic { arg });
            }
            match tag {
                "ctx" => tags.ctx = true,
                "trusted" if host.trusted_arguments() => tags.trusted = true,
                "untrusted" if host.untrusted_arguments() => tags.untrusted = true,
                "nonnull" => tags.nonnull = true,
                "nullable" if host.trusted_arguments() => tags.nullable = true,
                "arena" if host.arena() => tags.arena = true,
                _ => return Err(PrototypeReason::UnknownTag { arg }),
            }
        }
        Ok(tags)
    }

    /// What the type of one parameter says.
    fn shape(&self, arg: u32, id: TypeId) -> Result<ArgShape, PrototypeReason> {
        let mut tags = self.tags(arg)?;
        let kind = |ty: Option<Type<'_>>| ty.map_or(Kind::Void, |ty| ty.kind()).name().to_string();
        let Some(ty) = self.btf.resolve(id) else {
            return Err(PrototypeReason::ParameterKind { arg, kind: kind(None) });
        };
        if let Some(to) = ty.as_pointer() {
            tags.arena |= self.tagged_arena(to);
            if let Some(shape) = self.pointer(arg, to, tags)? {
                return Ok(shape);
            }
        }
        if tags != Tags::NONE {
            return Err(PrototypeReason::TagOnScalar { arg });
        }
        match ty.kind() {
            Kind::Int | Kind::Enum | Kind::Enum64 => Ok(ArgShape::Scalar),
            Kind::Void
            | Kind::Ptr
            | Kind::Array
            | Kind::Struct
            | Kind::Union
            | Kind::Fwd
            | Kind::Typedef
            | Kind::Volatile
            | Kind::Const
            | Kind::Restrict
            | Kind::Func
            | Kind::FuncProto
            | Kind::Var
            | Kind::Datasec
            | Kind::Float
            | Kind::DeclTag
            | Kind::TypeTag => Err(PrototypeReason::ParameterKind { arg, kind: kind(Some(ty)) }),
        }
    }

    /// What a pointer parameter says; `None` where it says nothing, in a static function.
    fn pointer(&self, arg: u32, to: TypeId, tags: Tags) -> Result<Option<ArgShape>, PrototypeReason> {
        let contradiction = Err(PrototypeReason::Tags { arg, alone: None });
        let alone = |tag| Err(PrototypeReason::Tags { arg, alone: Some(tag) });
        if tags.ctx || self.points_to_ctx(to) {
            if (Tags { ctx: false, ..tags }) != Tags::NONE {
                return contradiction;
            }
            if tags.ctx {
                self.check_tagged_ctx(arg, to)?;
            }
            return Ok(Some(ArgShape::Ctx));
        }
        let target = self.btf.resolve(to);
        let host = self.platform.features();
        if host.global_argument_tags() && target.is_some_and(is_dynptr) {
            return if tags == Tags::NONE { Ok(Some(ArgShape::Dynptr)) } else { contradiction };
        }
        if tags.trusted {
            if tags.nonnull {
                return contradiction;
            }
            let id = self.host_type(arg, target)?;
            return Ok(Some(ArgShape::Struct { id, nullable: tags.nullable, trusted: true }));
        }
        if tags.untrusted {
            if (Tags { untrusted: false, ..tags }) != Tags::NONE {
                return alone("untrusted");
            }
            return self.untrusted(arg, target).map(Some);
        }
        if tags.arena {
            return if (Tags { arena: false, ..tags }) == Tags::NONE {
                Ok(Some(ArgShape::Arena))
            } else {
                alone("arena")
            };
        }
        if !self.global || !host.global_function_pointers() {
            return Ok(None);
        }
        if tags.nullable {
            return contradiction;
        }
        match self.btf.size_of(to) {
            Some(size) => Ok(Some(ArgShape::Mem { size, nullable: !tags.nonnull })),
            None => {
                let (kind, name) = described(target);
                Err(PrototypeReason::PointeeSize { arg, kind, name })
            }
        }
    }

    /// A pointer of which nothing is to be believed: to plain bytes, or to a structure of the host.
    fn untrusted(&self, arg: u32, target: Option<Type<'_>>) -> Result<ArgShape, PrototypeReason> {
        let plain = match target.map(|ty| ty.shape()) {
            Some(Shape::Void | Shape::Enum(_) | Shape::Enum64(_)) => true,
            Some(Shape::Int(int)) => {
                let bytes = matches!(int.size, 1 | 2 | 4 | 8 | 16);
                bytes && int.bit_offset == 0 && u32::from(int.bits) == int.size * 8
            }
            Some(
                Shape::Ptr(_)
                | Shape::Array(_)
                | Shape::Struct(_)
                | Shape::Union(_)
                | Shape::Fwd { .. }
                | Shape::Typedef(_)
                | Shape::Volatile(_)
                | Shape::Const(_)
                | Shape::Restrict(_)
                | Shape::Func { .. }
                | Shape::FuncProto(_)
                | Shape::Var(_)
                | Shape::Datasec { .. }
                | Shape::Float { .. }
                | Shape::DeclTag { .. }
                | Shape::TypeTag(_)
                | Shape::Unknown,
            )
            | None => false,
        };
        if plain {
            return Ok(ArgShape::UntrustedMem);
        }
        let id = self.host_type(arg, target)?;
        let found = self.platform.btf().and_then(|btf| btf.type_by_id(TypeId(id)));
        match found {
            Some(ty) if ty.as_composite().is_some() => Ok(ArgShape::Struct { id, nullable: false, trusted: false }),
            Some(_) | None => Err(PrototypeReason::NotStruct { arg, kind: described(found).0 }),
        }
    }

    /// The host's type of the same kind and name, flavours aside. (`btf_get_ptr_to_btf_id`)
    fn host_type(&self, arg: u32, local: Option<Type<'_>>) -> Result<u32, PrototypeReason> {
        let Some(host) = self.platform.btf() else {
            return Err(PrototypeReason::NotModelled { what: "parameters of the host's types, which are not at hand" });
        };
        let (kind, name) = described(local);
        let missing = |ambiguous| PrototypeReason::HostType { arg, kind: kind.clone(), name: name.clone(), ambiguous };
        let Some(local) = local.filter(|local| !local.name_bytes().is_empty()) else { return Err(missing(false)) };
        let stem = essential_name(local.name_bytes());
        let mut found = host
            .types()
            .filter(|ty| ty.kind() == local.kind() && essential_name(ty.name_bytes()) == stem)
            .map(|ty| ty.id().0);
        match (found.next(), found.next()) {
            (Some(id), None) => Ok(id),
            (Some(_), Some(_)) => Err(missing(true)),
            // A module's types are not at hand; if one had it, the host would refuse it in other words.
            (None, _) => Err(missing(false)),
        }
    }

    /// Whether this is the structure that users write for this program type's context. (`btf_is_prog_ctx_type`)
    fn points_to_ctx(&self, to: TypeId) -> bool {
        let kind = self.request.program_type;
        if kind == ProgramType::KPROBE && self.is_user_regs(to) {
            return true;
        }
        let Some(ty) = self.btf.resolve(to).filter(|ty| ty.as_composite().is_some()) else { return false };
        let name = ty.name();
        // The name of the type that users write is taken for a structure's as well.
        if kind == ProgramType::KPROBE && name == "bpf_user_pt_regs_t" {
            return true;
        }
        self.ctx_name().is_some_and(|ctx| {
            name == ctx || (ctx == "__sk_buff" && name == "sk_buff") || (ctx == "xdp_md" && name == "xdp_buff")
        })
    }

    /// Whether a pointer's target is called `bpf_user_pt_regs_t`.
    fn is_user_regs(&self, to: TypeId) -> bool {
        let mut id = to;
        for _ in 0..DEEPEST {
            let Some(ty) = self.btf.type_by_id(id) else { return false };
            if ty.kind() == Kind::Typedef {
                return ty.name() == "bpf_user_pt_regs_t";
            }
            match ty.modified() {
                Some(to) => id = to,
                None => return false,
            }
        }
        false
    }

    /// The structure that users write for the context; `None` where it has no name of its own.
    fn ctx_name(&self) -> Option<&str> {
        match self.request.program_type {
            ProgramType::KPROBE => return Some("pt_regs"),
            ProgramType::RAW_TRACEPOINT | ProgramType::RAW_TRACEPOINT_WRITABLE => {
                return Some("bpf_raw_tracepoint_args");
            }
            ProgramType::PERF_EVENT => return Some("bpf_perf_event_data"),
            _ => {}
        }
        match &self.platform.program_type(self.request.program_type)?.ctx {
            CtxKind::Layout(layout) => Some(&layout.name),
            CtxKind::BtfArgs | CtxKind::Buffer { .. } => None,
        }
    }

    /// A parameter that is tagged as the context points to what this program type's context may be called.
    /// (`btf_validate_prog_ctx_type`)
    fn check_tagged_ctx(&self, arg: u32, to: TypeId) -> Result<(), PrototypeReason> {
        let kind = self.request.program_type;
        if [ProgramType::KPROBE, ProgramType::PERF_EVENT].contains(&kind) && self.is_user_regs(to) {
            return Ok(());
        }
        let refuse =
            |expected: Option<&str>| Err(PrototypeReason::CtxType { arg, expected: expected.map(String::from) });
        let Some(ty) = self.btf.resolve(to) else { return refuse(None) };
        if ty.kind() == Kind::Void {
            return Ok(());
        }
        if ty.name_bytes().is_empty() {
            return refuse(None);
        }
        let word = matches!(ty.shape(), Shape::Int(int) if int.size == 8);
        let name = if ty.kind() == Kind::Struct { ty.name() } else { "" };
        let attach = self.request.attach_type;
        let special = match kind {
            ProgramType::KPROBE | ProgramType::PERF_EVENT => name == "pt_regs",
            ProgramType::RAW_TRACEPOINT
            | ProgramType::RAW_TRACEPOINT_WRITABLE
            | ProgramType::LSM
            | ProgramType::STRUCT_OPS => word,
            ProgramType::TRACING => match attach {
                AttachType::TRACE_RAW_TP => name == "bpf_raw_tracepoint_args" || word,
                AttachType::TRACE_ITER => name.starts_with("bpf_iter__"),
                AttachType::TRACE_FENTRY
                | AttachType::TRACE_FEXIT
                | AttachType::MODIFY_RETURN
                | AttachType::TRACE_FSESSION => word,
                _ => false,
            },
            ProgramType::TRACEPOINT | ProgramType::SYSCALL | ProgramType::EXT => true,
            _ => false,
        };
        if special {
            return Ok(());
        }
        match self.ctx_name() {
            Some(ctx) if ctx == name => Ok(()),
            ctx => refuse(ctx),
        }
    }
}

/// Whether this is the structure of dynamic pointers.
fn is_dynptr(ty: Type<'_>) -> bool {
    let structure = ty.as_composite().is_some() || matches!(ty.shape(), Shape::Fwd { union: false });
    structure && ty.name() == "bpf_dynptr"
}

/// A type's kind and name, for messages.
fn described(ty: Option<Type<'_>>) -> (String, String) {
    ty.map_or((String::new(), String::new()), |ty| (ty.kind().name().to_string(), ty.name().to_string()))
}
