//! A context that is typed by what the program attaches to: a function's arguments and what it returned.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bpfvet_btf::{Btf, Kind, Proto, Shape, Type, TypeId};
use bpfvet_domain::Domain;
use bpfvet_platform::{
    AttachType, CtxKind, Features, LoadRequest, Platform, ProgramType, ReturnRule, TypedArg, TypedArgs,
};

use super::walk::{self, IN_PARAMETER, Pointee};
use crate::Value;
use crate::cx::Cx;
use crate::failure::{Check, unsupported};
use crate::value::{BtfRef, Flags, Pointer, Region};
use crate::violation::{Access, ContextArgReason, MemoryCause};

/// Most arguments that a context shows. (`MAX_BPF_FUNC_ARGS`)
const MAX_ARGS: u32 = 12;

/// Bytes of an argument's place in the context; larger ones take several.
const PLACE: u32 = 8;

/// What a program's context holds, where what it attaches to says so.
#[derive(Clone, Debug)]
pub struct Attach {
    /// Name of the target, as in its type.
    name: String,
    /// One past the last byte of each parameter's place, counting one that is hidden.
    ends: Vec<u32>,
    /// The first parameter is not shown.
    hidden: bool,
    /// Parameters in order, without the hidden one.
    params: Vec<Held>,
    /// What it returns, and one past the last byte of its place.
    result: (Held, u32),
    /// Whether the program may look at what was returned.
    shows_result: ShowsResult,
}

/// Whether and how the result is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ShowsResult {
    No,
    Plain,
    /// Its range is known.
    Ranged {
        min: i32,
        max: i32,
    },
}

/// What a place in the context holds.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Held {
    Number,
    /// A pointer of which nothing more is known.
    Address,
    Object {
        id: u32,
        flags: Flags,
    },
    Buffer {
        flags: Flags,
    },
    /// A pointer that this host does not hand out.
    Withheld {
        kind: &'static str,
    },
    /// Something that programs may not look at.
    Other {
        type_name: String,
        kind: &'static str,
    },
    /// Two type tags contradict each other.
    Contradiction,
}

impl Attach {
    /// What the program's context holds; `None` where its context is not of this kind.
    ///
    /// # Errors
    ///
    /// What is missing to tell, for people: the program is unsupported.
    pub fn resolve(request: &LoadRequest, platform: &dyn Platform) -> Result<Option<Self>, Cow<'static, str>> {
        let kind = platform.program_type(request.program_type);
        if !matches!(kind.map(|kind| &kind.ctx), Some(CtxKind::BtfArgs)) || request.program_type == STRUCT_OPS {
            return Ok(None);
        }
        let Some(target) = &request.attach_target else { return Ok(None) };
        let Some(types) = platform.btf() else {
            return Err("programs typed by what they attach to: the host's types (BTF) are not at hand".into());
        };
        let missing = || format!("its target `{}`: the host's types that were given do not have it", target.name);
        if target.btf_id == 0 {
            return Err(missing().into());
        }
        let ty = types.type_by_id(TypeId(target.btf_id)).ok_or_else(missing)?;
        let hidden = request.attach_type == AttachType::TRACE_RAW_TP;
        let proto = prototype(types, ty, hidden).ok_or_else(missing)?;
        let host = platform.features();
        check_prototype(types, host, ty.name(), proto)?;
        let promises = platform.typed_args(request)?;
        let shows_result = match request.attach_type {
            AttachType::LSM_MAC => match platform.return_rule(request) {
                ReturnRule::Range { min, max, .. } => ShowsResult::Ranged { min, max },
                ReturnRule::Any | ReturnRule::Void | ReturnRule::ObjectOrNull { .. } | ReturnRule::Unknown => {
                    ShowsResult::Plain
                }
            },
            AttachType::LSM_CGROUP
            | AttachType::TRACE_FEXIT
            | AttachType::TRACE_FSESSION
            | AttachType::MODIFY_RETURN => ShowsResult::Plain,
            _ => ShowsResult::No,
        };
        let mut ends = Vec::new();
        let mut end = 0_u32;
        for param in proto.params() {
            end = end.saturating_add(place(types, param.ty));
            ends.push(end);
        }
        let shown = proto.params().skip(usize::from(hidden));
        let params =
            (0..).zip(shown).map(|(at, param)| held(types, host, param.ty, param.name(), at, &promises)).collect();
        let result = held(types, host, proto.returns, "", u32::MAX, &promises);
        let result = (result, end.saturating_add(place(types, proto.returns)));
        Ok(Some(Self { name: ty.name().to_string(), ends, hidden, params, result, shows_result }))
    }

    /// The position of the argument at this offset: the number of arguments for the result, one more for what lies beyond.
    /// (`btf_ctx_arg_idx`)
    fn position(&self, off: u32) -> usize {
        let beyond = usize::from(off >= self.result.1);
        self.ends.iter().position(|end| off < *end).unwrap_or(self.ends.len() + beyond)
    }

    fn look_up(&self, off: u32) -> Result<(&Held, bool), ContextArgReason> {
        let at = self.position(off);
        let none = ContextArgReason::NoArgument { number: u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1) };
        match self.params.get(at) {
            Some(param) => Ok((param, false)),
            None if at == self.params.len() && self.shows_result != ShowsResult::No && !self.hidden => {
                Ok((&self.result.0, true))
            }
            None => Err(none),
        }
    }
}

const STRUCT_OPS: ProgramType = ProgramType::STRUCT_OPS;

/// The prototype of what a program attaches to.
fn prototype<'a>(types: &'a Btf, ty: Type<'a>, by_pointer: bool) -> Option<Proto<'a>> {
    let proto = if by_pointer && ty.kind() == Kind::Typedef {
        types.resolve(types.resolve(ty.id())?.as_pointer()?)
    } else {
        types.type_by_id(ty.as_func()?)
    };
    proto?.as_proto()
}

/// Whether the host can attach to such a function at all. (`btf_distill_func_proto`)
fn check_prototype(types: &Btf, host: &Features, name: &str, proto: Proto<'_>) -> Result<(), Cow<'static, str>> {
    if proto.len() > MAX_ARGS {
        return Err(format!("its target `{name}`: it has more than {MAX_ARGS} arguments").into());
    }
    for param in proto.params() {
        if param.ty == TypeId::VOID {
            return Err(format!("its target `{name}`: it has a variable number of arguments").into());
        }
        let ty = types.resolve(param.ty);
        let size = ty.and_then(|ty| types.size_of(ty.id()));
        if ty.is_none_or(|ty| matches!(held_shape(ty), Plain::Other) || !takes_by_value(host, ty))
            || size.is_none_or(|size| size > 16)
        {
            return Err(format!("its target `{name}`: it has an argument that no program can be given").into());
        }
    }
    Ok(())
}

/// Whether the host passes such a value on, where it is a structure or union. (`__get_type_size`)
fn takes_by_value(host: &Features, ty: Type<'_>) -> bool {
    let kind = ty.kind();
    (kind != Kind::Struct || host.structure_arguments()) && (kind != Kind::Union || host.union_arguments())
}

/// Bytes that a value of this type takes in the context.
fn place(types: &Btf, id: TypeId) -> u32 {
    match types.resolve(id) {
        Some(ty) if ty.as_pointer().is_some() => PLACE,
        Some(ty) => types.size_of(ty.id()).unwrap_or(0).next_multiple_of(PLACE),
        None => 0,
    }
}

enum Plain {
    Number,
    Pointer,
    Other,
}

fn held_shape(ty: Type<'_>) -> Plain {
    match ty.shape() {
        Shape::Int(int) if int.size <= 8 => Plain::Number,
        Shape::Enum(_) | Shape::Enum64(_) | Shape::Struct(_) | Shape::Union(_) => Plain::Number,
        Shape::Ptr(_) => Plain::Pointer,
        Shape::Int(_)
        | Shape::Void
        | Shape::Array(_)
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
        | Shape::Unknown => Plain::Other,
    }
}

fn held(types: &Btf, host: &Features, id: TypeId, name: &str, at: u32, promises: &TypedArgs) -> Held {
    let Some(ty) = types.resolve(id) else {
        return Held::Other { type_name: String::new(), kind: "UNKNOWN" };
    };
    match held_shape(ty) {
        Plain::Number => Held::Number,
        Plain::Other => Held::Other { type_name: ty.name().to_string(), kind: ty.kind().name() },
        Plain::Pointer => pointer(types, host, ty.id(), name, at, promises),
    }
}

/// What a pointer in the context is to a program. (`btf_ctx_access`)
fn pointer(types: &Btf, host: &Features, id: TypeId, name: &str, at: u32, promises: &TypedArgs) -> Held {
    let other = promises.other(at);
    if let Some(TypedArg::BufferOrNull { read_only }) = other {
        let flags = if read_only { Flags::NULLABLE.union(Flags::RDONLY) } else { Flags::NULLABLE };
        return Held::Buffer { flags };
    }
    let pointee_id = types.type_by_id(id).and_then(|ty| ty.as_pointer());
    let pointee = pointee_id.and_then(|to| types.resolve(to));
    if pointee.is_none_or(|to| to.as_composite().is_none()) {
        return match pointee {
            Some(to) if pointee_id.is_some_and(|direct| !hands_out(host, direct, to)) => {
                Held::Withheld { kind: to.kind().name() }
            }
            Some(_) | None => Held::Address,
        };
    }
    let Some(Pointee { id: to, flags: tags }) = walk::pointee(types, id, &IN_PARAMETER) else {
        return Held::Contradiction;
    };
    let trusted = |flags: Flags| flags.union(Flags::TRUSTED);
    let flags = match other {
        Some(TypedArg::ObjectOrNull { trusted: true }) => trusted(Flags::NULLABLE),
        Some(TypedArg::ObjectOrNull { trusted: false }) => Flags::NULLABLE,
        Some(TypedArg::MayBeError) => return Held::Number,
        Some(TypedArg::BufferOrNull { .. } | TypedArg::Nullable) | None => {
            let nullable = other.is_some() || name.ends_with("__nullable");
            let flags = if promises.trusted { trusted(tags) } else { tags };
            if nullable { flags.union(Flags::NULLABLE) } else { flags }
        }
    };
    Held::Object { id: to.0, flags }
}

/// Whether the host hands out a pointer to something that is no structure, as a number: `direct` is what it points to, `to` the
/// same without qualifiers. (`is_string_ptr`, `is_int_ptr`, `is_void_or_int_ptr`, `btf_type_is_struct_ptr`)
fn hands_out(host: &Features, direct: TypeId, to: Type<'_>) -> bool {
    if to.kind() == Kind::Void {
        return direct == TypeId::VOID || host.qualified_void_arguments();
    }
    match to.as_int() {
        Some(int) => int.size == 1 || host.number_pointer_arguments(),
        None => host.any_pointer_arguments(),
    }
}

/// What a load from such a context yields.
pub(crate) fn load<D: Domain>(cx: &mut Cx<'_, '_, D>, off: i64, access: Access) -> Check<Value<D>> {
    let facts = cx.facts;
    let Some(attach) = &facts.attach else {
        return unsupported("context arguments that are typed by what the program attaches to");
    };
    let size = u32::try_from(access.size).unwrap_or(u32::MAX);
    let refuse = |reason| Err(MemoryCause::ContextArg { off, size, target: attach.name.clone(), reason }.into());
    let limit = i64::from(PLACE * MAX_ARGS);
    let traced = facts.request.program_type == ProgramType::TRACING;
    if off < 0 || off >= limit || (traced && off % i64::from(size.max(1)) != 0) {
        return Err(MemoryCause::Context { off, size }.into());
    }
    if off % i64::from(PLACE) != 0 {
        return refuse(ContextArgReason::Misplaced);
    }
    let (held, is_result) = match attach.look_up(u32::try_from(off).unwrap_or(u32::MAX)) {
        Ok(found) => found,
        Err(reason) => return refuse(reason),
    };
    if let (ShowsResult::Ranged { min, max }, true) = (attach.shows_result, is_result) {
        return Ok(cx.scalar(D::between(min.into(), max.into())));
    }
    let number = || u32::try_from(attach.position(u32::try_from(off).unwrap_or(0))).unwrap_or(u32::MAX);
    let whole = size == PLACE;
    let (region, flags) = match held {
        Held::Number => return Ok(cx.unknown()),
        Held::Other { type_name, kind } => {
            return refuse(ContextArgReason::NotAPointer { number: number(), type_name: type_name.clone(), kind });
        }
        Held::Address | Held::Withheld { .. } | Held::Object { .. } | Held::Buffer { .. } | Held::Contradiction
            if !whole =>
        {
            return refuse(ContextArgReason::Partial);
        }
        Held::Withheld { kind } => return refuse(ContextArgReason::NotToAStructure { number: number(), kind }),
        Held::Address => return Ok(cx.unknown()),
        Held::Contradiction => return Err(MemoryCause::Context { off, size }.into()),
        Held::Object { id, flags } => (Region::Btf { btf: BtfRef::Host, id: *id }, *flags),
        Held::Buffer { flags } => (Region::Buf, *flags),
    };
    let object = flags.contains(Flags::NULLABLE).then(|| cx.new_object());
    Ok(Value::Pointer(Pointer { object, ..Pointer::to(region).with(flags) }))
}
