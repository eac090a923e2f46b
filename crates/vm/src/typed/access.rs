//! Loads through pointers to typed objects, and why there are no stores.

use alloc::format;
use alloc::string::String;
use bpfvet_domain::Domain;

use bpfvet_btf::{Btf, TypeId};
use bpfvet_platform::Platform;

use super::walk::{Inside, Misfit};
use super::{name_of, walk};
use crate::cx::Cx;
use crate::failure::{Check, Stop, unsupported};
use crate::value::{BtfRef, Flags, MapRef, Pointer, Region};
use crate::violation::{Access, AccessKind, MemoryCause, TypedAccessReason};
use crate::{State, Value};

/// Flags that make a pointer trusted, where it has no others. (`BPF_REG_TRUSTED_MODIFIERS`)
const TRUSTING: Flags = Flags::ALLOC.union(Flags::TRUSTED).union(Flags::NON_OWNING);

/// An access that the pointer itself allows: where it begins, and in whose types.
struct Start<'a> {
    types: &'a Btf,
    off: u32,
}

/// What the pointer itself forbids. (`check_ptr_to_btf_access`, its first half)
fn start<'f, D: Domain>(
    cx: &Cx<'_, 'f, D>,
    pointer: &Pointer<D>,
    (btf, id): (BtfRef, u32),
    access: Access,
) -> Check<Start<'f>> {
    if btf != BtfRef::Host {
        return unsupported("objects that the program allocated");
    }
    let size = u32::try_from(access.size).unwrap_or(u32::MAX);
    let refuse = |reason, off| {
        let name = name_of(cx, btf, id);
        Err(MemoryCause::TypedAccess { place: access.place, name, reason, off, size }.into())
    };
    if !cx.facts.may_leak() {
        return refuse(TypedAccessReason::NeedsPerfmon, access.off);
    }
    if !cx.facts.request.gpl_compatible {
        return refuse(TypedAccessReason::NeedsGpl, access.off);
    }
    let Some(off) = pointer.const_off() else {
        return refuse(TypedAccessReason::Variable { offset: pointer.off.bits() }, access.off);
    };
    let off = off.saturating_add(access.off);
    let Ok(from) = u32::try_from(off) else { return refuse(TypedAccessReason::Negative, off) };
    if pointer.flags.contains(Flags::USER) {
        return refuse(TypedAccessReason::UserMemory, off);
    }
    if pointer.flags.contains(Flags::PERCPU) {
        return refuse(TypedAccessReason::PercpuMemory, off);
    }
    if access.kind == AccessKind::Write {
        return refuse(TypedAccessReason::OnlyRead, off);
    }
    let Some(types) = cx.facts.platform.btf() else {
        return unsupported("typed objects: the host's types are not at hand");
    };
    Ok(Start { types, off: from })
}

fn misfit(access: Access, wrong: Misfit) -> Stop {
    let Misfit { name, off, reason } = wrong;
    let size = u32::try_from(access.size).unwrap_or(u32::MAX);
    MemoryCause::TypedAccess { place: access.place, name, reason, off: i64::from(off), size }.into()
}

/// Whether an object may be read, as memory for a call.
pub(crate) fn check_access<D: Domain>(
    cx: &Cx<'_, '_, D>,
    pointer: &Pointer<D>,
    typed: (BtfRef, u32),
    access: Access,
) -> Check<()> {
    let Start { types, off } = start(cx, pointer, typed, access)?;
    let size = u32::try_from(access.size).unwrap_or(u32::MAX);
    walk(cx, types, typed.1, off, size).map(drop).map_err(|wrong| misfit(access, wrong))
}

/// A store is refused for what the pointer is, or because host objects are only read.
pub(crate) fn store<D: Domain>(
    cx: &Cx<'_, '_, D>,
    pointer: &Pointer<D>,
    typed: (BtfRef, u32),
    access: Access,
) -> Check<()> {
    start(cx, pointer, typed, access).map(drop)
}

/// What a load yields: a number, or a pointer that is trusted as far as its origin and its place allow.
/// (`check_ptr_to_btf_access`, `mark_btf_ld_reg`)
pub(crate) fn load<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &State<D>,
    pointer: &Pointer<D>,
    typed: (BtfRef, u32),
    access: Access,
) -> Check<Value<D>> {
    let Start { types, off } = start(cx, pointer, typed, access)?;
    let size = u32::try_from(access.size).unwrap_or(u32::MAX);
    let (found, through_union) = walk(cx, types, typed.1, off, size).map_err(|wrong| misfit(access, wrong))?;
    let (member, to, tags) = match found {
        Inside::Scalar => return Ok(cx.unknown()),
        Inside::Struct(_) => return Err(Stop::Internal(&"a walk ended in a structure")),
        Inside::Opaque => return Ok(opaque()),
        Inside::Pointer { member, to, flags } => (member, to, flags),
    };
    let tags = if through_union { tags.union(Flags::UNTRUSTED) } else { tags };
    let holder = Holder { platform: cx.facts.platform, types, id: TypeId(typed.1), member, to };
    let flags = if pointer.flags.contains(Flags::UNTRUSTED) {
        Flags::UNTRUSTED
    } else if is_trusted(state, pointer) || pointer.flags.contains(Flags::RCU) {
        holder.trust(tags, in_read_section(state) && !pointer.nullable())
    } else {
        tags.without(TRUSTING.union(Flags::RCU))
    };
    let object = flags.contains(Flags::NULLABLE).then(|| cx.new_object());
    let region = Region::Btf { btf: BtfRef::Host, id: to.0 };
    Ok(Value::Pointer(Pointer { object, ..Pointer::to(region).with(flags) }))
}

/// What a load from a map's own structure yields. (`check_ptr_to_map_access`)
pub(crate) fn load_map<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    pointer: &Pointer<D>,
    map: MapRef,
    access: Access,
) -> Check<Value<D>> {
    let (types, id, off) = start_in_map(cx, pointer, map, access)?;
    let size = u32::try_from(access.size).unwrap_or(u32::MAX);
    let (found, through_union) = walk(cx, types, id, off, size).map_err(|wrong| misfit(access, wrong))?;
    let (to, flags) = match found {
        Inside::Scalar => return Ok(cx.unknown()),
        Inside::Struct(_) => return Err(Stop::Internal(&"a walk ended in a structure")),
        Inside::Opaque => return Ok(opaque()),
        Inside::Pointer { member: _, to, flags } => (to, flags),
    };
    let flags = if through_union { flags.union(Flags::UNTRUSTED) } else { flags };
    Ok(Value::Pointer(Pointer::to(Region::Btf { btf: BtfRef::Host, id: to.0 }).with(flags)))
}

/// A store to a map's own structure, which is refused.
pub(crate) fn store_map<D: Domain>(cx: &Cx<'_, '_, D>, pointer: &Pointer<D>, map: MapRef, access: Access) -> Check<()> {
    start_in_map(cx, pointer, map, access).map(drop)
}

fn start_in_map<'f, D: Domain>(
    cx: &Cx<'_, 'f, D>,
    pointer: &Pointer<D>,
    map: MapRef,
    access: Access,
) -> Check<(&'f Btf, u32, u32)> {
    let platform = cx.facts.platform;
    let kind = cx.facts.map(map).map(|def| def.kind).ok_or(Stop::Internal(&"a pointer to a map that is not there"))?;
    let (Some(types), Some(name)) = (platform.btf(), platform.map_structure(kind)) else {
        return unsupported("loads from a map's own structure: the host's types are not at hand");
    };
    let Some(id) = platform.struct_named(name) else {
        return unsupported(format!("loads from a map's own structure: the host's types have no {name}"));
    };
    let off = pointer.const_off().unwrap_or(0).saturating_add(access.off);
    let size = u32::try_from(access.size).unwrap_or(u32::MAX);
    let refuse =
        |reason| Err(MemoryCause::TypedAccess { place: access.place, name: name.into(), reason, off, size }.into());
    if !cx.facts.may_leak() {
        return refuse(TypedAccessReason::NeedsPerfmon);
    }
    let Ok(from) = u32::try_from(off) else { return refuse(TypedAccessReason::MapNegative) };
    if access.kind == AccessKind::Write {
        return refuse(TypedAccessReason::MapOnlyRead);
    }
    Ok((types, id.0, from))
}

/// A pointer to something that has no fields: its memory may be read, guarded.
fn opaque<D: Domain>() -> Value<D> {
    let flags = Flags::RDONLY.union(Flags::UNTRUSTED);
    Value::Pointer(Pointer::to(Region::Mem { size: 0 }).with(flags))
}

/// Whether a pointer is known to be alive. (`is_trusted_reg`, for typed objects)
fn is_trusted<D: Domain>(state: &State<D>, pointer: &Pointer<D>) -> bool {
    state.is_referenced(pointer.object)
        || (pointer.flags.intersects(TRUSTING) && pointer.flags.without(TRUSTING) == Flags::NONE)
}

/// Whether what RCU protects is protected here. (`in_rcu_cs`)
pub(crate) fn in_read_section<D: Domain>(state: &State<D>) -> bool {
    state.rcu_depth > 0
        || state.preempt_depth > 0
        || state.active_locks > 0
        || state.active_irq.is_some()
        || !state.sleepable
}

/// A member that holds a pointer to a structure.
struct Holder<'a> {
    platform: &'a dyn Platform,
    types: &'a Btf,
    /// The structure that the pointer was loaded through.
    id: TypeId,
    /// The member.
    member: &'a str,
    /// What it points to.
    to: TypeId,
}

impl Holder<'_> {
    /// What a pointer is that was loaded through one that is trusted or protected.
    fn trust(&self, tags: Flags, protected: bool) -> Flags {
        if self.is_listed("__safe_trusted") {
            return tags.union(Flags::TRUSTED);
        }
        if self.is_listed("__safe_trusted_or_null") {
            return tags.union(Flags::TRUSTED).union(Flags::NULLABLE);
        }
        if !protected {
            return Flags::UNTRUSTED;
        }
        if self.is_listed("__safe_rcu") {
            return tags.union(Flags::RCU);
        }
        let safe_or_null = self.is_listed("__safe_rcu_or_null");
        if tags.contains(Flags::RCU) || safe_or_null {
            let flags = tags.union(Flags::RCU).union(Flags::NULLABLE);
            return if safe_or_null { flags.without(Flags::UNTRUSTED) } else { flags };
        }
        if tags.intersects(Flags::PERCPU.union(Flags::USER)) {
            return tags;
        }
        tags.without(TRUSTING.union(Flags::RCU))
    }

    /// Whether the host vouches for the member: it has a structure named after the member's with this suffix, and in it a
    /// pointer of the member's name and type. (`btf_nested_type_is_trusted`)
    fn is_listed(&self, suffix: &str) -> bool {
        let Some(holder) = self.types.type_by_id(self.id) else { return false };
        let name: String = format!("{}{suffix}", holder.name());
        let listed = self.platform.struct_named(&name).and_then(|id| self.types.type_by_id(id));
        let Some(listed) = listed.filter(|listed| listed.kind() == holder.kind()).and_then(|ty| ty.as_composite())
        else {
            return false;
        };
        listed.members().any(|member| {
            let pointee = self.types.type_by_id(member.ty).and_then(|ty| ty.as_pointer());
            let to = pointee.and_then(|to| self.types.resolve(to)).map(|ty| ty.id());
            to == Some(self.to) && member.name() == self.member
        })
    }
}
