//! Prototypes, from the kernel's own types: what an argument must be is written in its type and in the end of its name.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use bpfvet_btf::{Btf, Param, Proto, Shape, Type, TypeId};
use bpfvet_platform::{
    CtxKind, DynptrArg, DynptrKind, KfuncArg, KfuncArgKind, KfuncFlags, KfuncProto, KfuncRet, KfuncSpecial,
    LoadRequest, Platform, ProgramType,
};

use crate::{Linux, Types};

/// Structures may nest this deep in one that counts as plain (`__btf_type_is_scalar_struct`).
const PLAIN_DEPTH: u32 = 4;

/// Structures that mark an argument as something that is not modelled.
const NOT_MODELLED: &[(&str, &str)] = &[
    ("bpf_list_head", "lists of objects that the program allocates"),
    ("bpf_list_node", "lists of objects that the program allocates"),
    ("bpf_rb_root", "trees of objects that the program allocates"),
    ("bpf_rb_node", "trees of objects that the program allocates"),
    ("bpf_wq", "work queues"),
    ("bpf_timer", "timers"),
    ("bpf_task_work", "work for tasks"),
    ("bpf_res_spin_lock", "locks that can fail"),
];

/// Functions that their prototype does not say enough of, and that are not modelled.
const SPECIAL_NOT_MODELLED: &[&str] = &[
    "bpf_obj_new",
    "bpf_obj_new_impl",
    "bpf_percpu_obj_new",
    "bpf_percpu_obj_new_impl",
    "bpf_obj_drop",
    "bpf_obj_drop_impl",
    "bpf_percpu_obj_drop",
    "bpf_percpu_obj_drop_impl",
    "bpf_refcount_acquire",
    "bpf_refcount_acquire_impl",
    "bpf_session_is_return",
    "bpf_session_cookie",
    "bpf_iter_css_task_new",
    "bpf_res_spin_lock",
    "bpf_res_spin_unlock",
    "bpf_res_spin_lock_irqsave",
    "bpf_res_spin_unlock_irqrestore",
    "bpf_set_dentry_xattr",
    "bpf_remove_dentry_xattr",
    "bpf_task_work_schedule_signal",
    "bpf_task_work_schedule_resume",
];

/// What programs of a type get for the context when they ask for the kernel's own view of it (`bpf_ctx_convert`).
const KERNEL_CTX: &[(ProgramType, &str)] = &[
    (ProgramType::SOCKET_FILTER, "sk_buff"),
    (ProgramType::SCHED_CLS, "sk_buff"),
    (ProgramType::SCHED_ACT, "sk_buff"),
    (ProgramType::XDP, "xdp_buff"),
    (ProgramType::CGROUP_SKB, "sk_buff"),
    (ProgramType::CGROUP_SOCK, "sock"),
    (ProgramType::CGROUP_SOCK_ADDR, "bpf_sock_addr_kern"),
    (ProgramType::LWT_IN, "sk_buff"),
    (ProgramType::LWT_OUT, "sk_buff"),
    (ProgramType::LWT_XMIT, "sk_buff"),
    (ProgramType::LWT_SEG6LOCAL, "sk_buff"),
    (ProgramType::SOCK_OPS, "bpf_sock_ops_kern"),
    (ProgramType::SK_SKB, "sk_buff"),
    (ProgramType::SK_MSG, "sk_msg"),
    (ProgramType::FLOW_DISSECTOR, "bpf_flow_dissector"),
    (ProgramType::KPROBE, "pt_regs"),
    (ProgramType::PERF_EVENT, "bpf_perf_event_data_kern"),
    (ProgramType::CGROUP_SYSCTL, "bpf_sysctl_kern"),
    (ProgramType::CGROUP_SOCKOPT, "bpf_sockopt_kern"),
    (ProgramType::SK_REUSEPORT, "sk_reuseport_kern"),
    (ProgramType::SK_LOOKUP, "bpf_sk_lookup_kern"),
];

/// Functions whose dynamic pointers lie over one kind of thing.
const DYNPTRS_OF: &[(&str, DynptrKind)] = &[
    ("bpf_dynptr_from_skb", DynptrKind::Skb),
    ("bpf_dynptr_from_xdp", DynptrKind::Xdp),
    ("bpf_dynptr_from_skb_meta", DynptrKind::SkbMeta),
    ("bpf_dynptr_from_file", DynptrKind::File),
    ("bpf_dynptr_file_discard", DynptrKind::File),
];

type Reading<T> = Result<T, &'static str>;

/// The prototype of a function of the kernel (`fetch_kfunc_meta`, `gen_kfunc_arg_proto`).
pub(super) fn read(
    linux: &Linux,
    types: &Types,
    function: Type<'_>,
    flags: KfuncFlags,
    request: &LoadRequest,
) -> Reading<KfuncProto> {
    let btf = &*types.btf;
    let name = function.name();
    let told = prototype(btf, function).ok_or("its type is not known")?;
    let (whole, passed) = if flags.contains(KfuncFlags::IMPLICIT_ARGS) {
        let real = types.names.find(btf, &format!("{name}_impl"), bpfvet_btf::Kind::Func);
        let real = real.and_then(|id| btf.type_by_id(id)).and_then(|ty| prototype(btf, ty));
        (real.ok_or("its full type is not known")?, told.len())
    } else {
        (told, told.len())
    };
    let params: Vec<Param<'_>> = whole.params().collect();
    if params.len() > 5 {
        return Err("arguments on the stack");
    }
    let reader = Reader { linux, btf, flags, request, name };
    let args = (0_u32..)
        .zip(&params)
        .map(|(index, param)| {
            if index < passed {
                reader.arg(index, *param, params.get(index as usize + 1).copied())
            } else {
                Ok(IGNORED)
            }
        })
        .collect::<Reading<Vec<_>>>()?;
    Ok(KfuncProto { name: name.to_string(), flags, args, ret: reader.ret(whole.returns), special: reader.special() })
}

const IGNORED: KfuncArg = KfuncArg { kind: KfuncArgKind::Ignored, nullable: false, uninit: false, pointee: None };

fn prototype<'a>(btf: &'a Btf, function: Type<'a>) -> Option<Proto<'a>> {
    btf.type_by_id(function.as_func()?)?.as_proto()
}

struct Reader<'a> {
    linux: &'a Linux,
    btf: &'a Btf,
    flags: KfuncFlags,
    request: &'a LoadRequest,
    name: &'a str,
}

impl Reader<'_> {
    fn special(&self) -> KfuncSpecial {
        match self.name {
            "bpf_rcu_read_lock" => KfuncSpecial::RcuReadLock,
            "bpf_rcu_read_unlock" => KfuncSpecial::RcuReadUnlock,
            "bpf_preempt_disable" => KfuncSpecial::PreemptDisable,
            "bpf_preempt_enable" => KfuncSpecial::PreemptEnable,
            "bpf_local_irq_save" => KfuncSpecial::IrqSave,
            "bpf_local_irq_restore" => KfuncSpecial::IrqRestore,
            "bpf_rdonly_cast" => KfuncSpecial::ReadOnlyCast,
            "bpf_get_kmem_cache" => KfuncSpecial::UntrustedResult,
            "bpf_throw" => KfuncSpecial::Throw,
            "bpf_xdp_pull_data" => KfuncSpecial::MovesPacket,
            "bpf_dynptr_slice" => KfuncSpecial::DynptrSlice { writable: false },
            "bpf_dynptr_slice_rdwr" => KfuncSpecial::DynptrSlice { writable: true },
            "__bpf_trap" => KfuncSpecial::Trap,
            "bpf_cast_to_kern_ctx" => {
                let kernel = KERNEL_CTX.iter().find(|(kind, _)| *kind == self.request.program_type);
                match kernel.and_then(|(_, name)| self.linux.struct_named(name)) {
                    Some(id) => KfuncSpecial::KernelCtx { id: id.0 },
                    None => KfuncSpecial::NotModelled,
                }
            }
            "bpf_dynptr_memset"
            | "bpf_dynptr_copy"
            | "bpf_probe_read_kernel_dynptr"
            | "bpf_probe_read_kernel_str_dynptr"
            | "bpf_probe_read_user_dynptr"
            | "bpf_probe_read_user_str_dynptr"
            | "bpf_copy_from_user_dynptr"
            | "bpf_copy_from_user_str_dynptr"
            | "bpf_copy_from_user_task_dynptr"
            | "bpf_copy_from_user_task_str_dynptr" => KfuncSpecial::DynptrWrite,
            name if SPECIAL_NOT_MODELLED.contains(&name) => KfuncSpecial::NotModelled,
            _ => KfuncSpecial::None,
        }
    }

    /// (`get_kfunc_arg_type`)
    fn arg(&self, index: u32, param: Param<'_>, next: Option<Param<'_>>) -> Reading<KfuncArg> {
        let name = param.name();
        if name.ends_with("__ign") {
            return Ok(IGNORED);
        }
        let ty = self.btf.resolve(param.ty).ok_or("an argument without a type")?;
        if is_scalar(ty) {
            let kind = if name.ends_with("__k") {
                KfuncArgKind::Const
            } else if name.ends_with("__szk") {
                KfuncArgKind::ConstMemSize
            } else if name.ends_with("__sz") {
                KfuncArgKind::MemSize
            } else if name == "rdonly_buf_size" || name == "rdwr_buf_size" {
                KfuncArgKind::ReturnSize { read_only: name == "rdonly_buf_size" }
            } else {
                KfuncArgKind::Scalar
            };
            return Ok(KfuncArg { kind, ..IGNORED });
        }
        let target = ty.as_pointer().ok_or("an argument that is neither a number nor a pointer")?;
        let target = self.btf.resolve(target).ok_or("a pointer to something without a type")?;
        if target.as_composite().is_some() && target.name() == "bpf_prog_aux" {
            return Ok(IGNORED);
        }
        Ok(KfuncArg {
            kind: self.pointer(index, name, target, next),
            nullable: name.ends_with("__nullable") || name.ends_with("__arena"),
            uninit: name.ends_with("__uninit"),
            pointee: self.btf.size_of(target.id()),
        })
    }

    fn pointer(&self, index: u32, name: &str, target: Type<'_>, next: Option<Param<'_>>) -> KfuncArgKind {
        let iterates = self.flags.contains(KfuncFlags::ITER_NEW)
            || self.flags.contains(KfuncFlags::ITER_NEXT)
            || self.flags.contains(KfuncFlags::ITER_DESTROY);
        let composite = target.as_composite();
        let size = self.btf.size_of(target.id());
        if self.name == "bpf_cast_to_kern_ctx" || self.is_ctx(target) {
            return KfuncArgKind::Ctx;
        }
        if name.ends_with("__alloc") || name.ends_with("__refcounted_kptr") {
            return KfuncArgKind::NotModelled("objects that the program allocates");
        }
        if composite.is_some() && target.name() == "bpf_dynptr" {
            return self.dynptr(name.ends_with("__uninit"));
        }
        if let Some((_, what)) = NOT_MODELLED.iter().find(|(name, _)| composite.is_some() && target.name() == *name) {
            return KfuncArgKind::NotModelled(what);
        }
        if (iterates && index == 0) || name.ends_with("__iter") {
            return match size.and_then(|size| u8::try_from(size / 8).ok()) {
                Some(slots) if slots > 0 && size.is_some_and(|size| size.is_multiple_of(8)) => {
                    KfuncArgKind::Iterator { id: target.id().0, slots }
                }
                Some(_) | None => KfuncArgKind::NotModelled("an iteration of this shape"),
            };
        }
        if name.ends_with("__str") {
            return KfuncArgKind::ConstStr;
        }
        if name.ends_with("__const_map") {
            return KfuncArgKind::NotModelled("maps as arguments");
        }
        if name.ends_with("__map") {
            return match self.linux.struct_named("bpf_map") {
                Some(id) => KfuncArgKind::Struct { id: id.0, plain: false },
                None => KfuncArgKind::NotModelled("maps as arguments"),
            };
        }
        if name.ends_with("__irq_flag") {
            return KfuncArgKind::IrqFlag;
        }
        if target.as_proto().is_some() {
            return KfuncArgKind::NotModelled("callbacks");
        }
        if name.ends_with("__arena") || name.ends_with("__arena__nullable") {
            return KfuncArgKind::NotModelled("arena pointers");
        }
        let plain = is_scalar(target) || self.is_plain(target);
        let sized = next.is_some_and(|next| {
            let number = self.btf.resolve(next.ty).is_some_and(is_scalar);
            number && (next.name().ends_with("__sz") || next.name().ends_with("__szk"))
        });
        match (sized, composite.is_some(), size) {
            (true, ..) if plain || matches!(target.shape(), Shape::Void) => KfuncArgKind::Mem,
            (false, true, _) => KfuncArgKind::Struct { id: target.id().0, plain },
            (false, false, Some(size)) if plain => KfuncArgKind::FixedMem { size },
            _ => KfuncArgKind::NotModelled("a pointer to something that no program has"),
        }
    }

    /// (`check_kfunc_args`, dynamic pointers)
    fn dynptr(&self, made: bool) -> KfuncArgKind {
        let kind = DYNPTRS_OF.iter().find(|(name, _)| *name == self.name).map(|(_, kind)| *kind);
        KfuncArgKind::Dynptr(match (made, kind) {
            (false, None) => DynptrArg::Any,
            (false, Some(kind)) => DynptrArg::Of(kind),
            (true, Some(kind)) => DynptrArg::New(kind),
            (true, None) if self.name == "bpf_dynptr_clone" => DynptrArg::NewClone,
            (true, None) => return KfuncArgKind::NotModelled("dynamic pointers over something unknown"),
        })
    }

    /// Whether it is the structure that users write for this program type's context, or the kernel's own of a packet
    /// (`btf_is_prog_ctx_type`).
    fn is_ctx(&self, target: Type<'_>) -> bool {
        let info = self.linux.program_type(self.request.program_type);
        let Some(CtxKind::Layout(layout)) = info.map(|info| &info.ctx) else { return false };
        let (name, ctx) = (target.name(), &*layout.name);
        target.as_composite().is_some()
            && !name.is_empty()
            && (name == ctx || (ctx == "__sk_buff" && name == "sk_buff") || (ctx == "xdp_md" && name == "xdp_buff"))
    }

    /// Whether a structure holds nothing but numbers (`__btf_type_is_scalar_struct`).
    fn is_plain(&self, ty: Type<'_>) -> bool {
        let mut open = alloc::vec![(ty, 1)];
        while let Some((ty, depth)) = open.pop() {
            let Some(composite) = ty.as_composite() else { return false };
            for member in composite.members() {
                let Some(inner) = self.btf.resolve(member.ty) else { return false };
                if inner.as_composite().is_some() {
                    if depth >= PLAIN_DEPTH {
                        return false;
                    }
                    open.push((inner, depth + 1));
                } else if let Some(array) = inner.as_array() {
                    if array.count == 0 || !self.btf.resolve(array.element).is_some_and(is_scalar) {
                        return false;
                    }
                } else if !is_scalar(inner) {
                    return false;
                }
            }
        }
        true
    }

    /// What it returns (`check_kfunc_call`).
    fn ret(&self, id: TypeId) -> KfuncRet {
        let Some(ty) = self.btf.resolve(id) else { return KfuncRet::NotModelled("a result without a type") };
        if matches!(ty.shape(), Shape::Void) {
            return KfuncRet::Void;
        }
        if is_scalar(ty) {
            return KfuncRet::Scalar;
        }
        let Some(target) = ty.as_pointer().and_then(|to| self.btf.resolve(to)) else {
            return KfuncRet::NotModelled("a result that is neither a number nor a pointer");
        };
        if matches!(target.shape(), Shape::Void) {
            return KfuncRet::Scalar;
        }
        if target.as_composite().is_some() {
            let graph = matches!(target.name(), "bpf_list_node" | "bpf_rb_node");
            return if graph {
                KfuncRet::NotModelled("objects that the program allocates")
            } else {
                KfuncRet::Struct { id: target.id().0 }
            };
        }
        KfuncRet::Mem { size: self.btf.size_of(target.id()) }
    }
}

/// Whether it is an integer or an enumeration (`btf_type_is_scalar`).
fn is_scalar(ty: Type<'_>) -> bool {
    ty.as_int().is_some() || ty.as_enumeration().is_some()
}
