//! Functions of the kernel that programs may call: a table of flags, and prototypes made from the kernel's types.

mod proto;
mod rows;

use alloc::format;
use alloc::string::ToString;

use bpfvet_btf::TypeId;
use bpfvet_platform::{AttachType, KfuncFlags, KfuncLookup, LoadRequest, ProgramType};

use crate::{Linux, Types};

/// A kind of programs that functions are registered for (`enum btf_kfunc_hook`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Hook {
    Common,
    Xdp,
    Tc,
    StructOps,
    Tracing,
    Syscall,
    Cgroup,
    SchedAct,
    SkSkb,
    SocketFilter,
    Lwt,
    Netfilter,
    Kprobe,
}

impl Hook {
    /// The kind that a program type is of (`bpf_prog_type_to_kfunc_hook`).
    const fn of(kind: ProgramType) -> Option<Self> {
        Some(match kind {
            ProgramType::XDP => Self::Xdp,
            ProgramType::SCHED_CLS => Self::Tc,
            ProgramType::STRUCT_OPS => Self::StructOps,
            ProgramType::TRACING
            | ProgramType::TRACEPOINT
            | ProgramType::RAW_TRACEPOINT
            | ProgramType::PERF_EVENT
            | ProgramType::LSM => Self::Tracing,
            ProgramType::SYSCALL => Self::Syscall,
            ProgramType::CGROUP_SKB
            | ProgramType::CGROUP_SOCK
            | ProgramType::CGROUP_DEVICE
            | ProgramType::CGROUP_SOCK_ADDR
            | ProgramType::CGROUP_SOCKOPT
            | ProgramType::CGROUP_SYSCTL
            | ProgramType::SOCK_OPS => Self::Cgroup,
            ProgramType::SCHED_ACT => Self::SchedAct,
            ProgramType::SK_SKB => Self::SkSkb,
            ProgramType::SOCKET_FILTER => Self::SocketFilter,
            ProgramType::LWT_OUT | ProgramType::LWT_IN | ProgramType::LWT_XMIT | ProgramType::LWT_SEG6LOCAL => {
                Self::Lwt
            }
            ProgramType::NETFILTER => Self::Netfilter,
            ProgramType::KPROBE => Self::Kprobe,
            _ => return None,
        })
    }
}

/// What a function is refused for beyond the kind of program (`btf_kfunc_filter_t`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Filter {
    /// Nothing.
    None,
    /// Programs that are no security hook (`bpf_fs_kfuncs_filter`).
    SecurityHooks,
    /// Programs that are no iterator (`tracing_iter_filter`).
    Iterators,
    /// Programs that are not bound to a device, which a request does not say (`bpf_dev_bound_kfunc_check`).
    BoundToDevice,
    /// Something that is not modelled.
    NotModelled,
}

/// A function.
#[derive(Clone, Copy, Debug)]
struct Row {
    name: &'static str,
    flags: &'static [KfuncFlags],
    hooks: &'static [Hook],
    filter: Filter,
}

const fn row(name: &'static str, flags: &'static [KfuncFlags], hooks: &'static [Hook]) -> Row {
    Row { name, flags, hooks, filter: Filter::None }
}

impl Row {
    const fn only(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }

    fn flags(&self) -> KfuncFlags {
        self.flags.iter().fold(KfuncFlags::NONE, |all, one| all.with(*one))
    }
}

/// Whether the program may call this function, and its prototype (`bpf_fetch_kfunc_arg_meta`).
pub(crate) fn look_up(
    linux: &Linux,
    types: Option<&Types>,
    id: TypeId,
    module: i16,
    request: &LoadRequest,
) -> KfuncLookup {
    if module != 0 {
        return KfuncLookup::Unsupported(format!("functions of modules (id {} of BTF {module})", id.0).into());
    }
    let Some(types) = types else {
        return KfuncLookup::Unsupported("functions of the kernel: its types are not at hand".into());
    };
    let Some(function) = types.btf.type_by_id(id).filter(|ty| ty.as_func().is_some()) else {
        return KfuncLookup::Unsupported(format!("calls to kernel functions (id {} of BTF {module})", id.0).into());
    };
    let name = function.name();
    if linux.version != Linux::NEWEST {
        return KfuncLookup::Unsupported(
            format!("{name}: functions of the kernel are known for the newest release only").into(),
        );
    }
    let found = rows::ROWS.binary_search_by(|row| row.name.cmp(name)).ok().and_then(|at| rows::ROWS.get(at));
    let hook = Hook::of(request.program_type);
    let not_allowed = || KfuncLookup::NotAllowed { name: name.to_string() };
    let Some(row) =
        found.filter(|row| row.hooks.contains(&Hook::Common) || hook.is_some_and(|hook| row.hooks.contains(&hook)))
    else {
        return not_allowed();
    };
    match row.filter {
        Filter::None => {}
        Filter::SecurityHooks if request.program_type == ProgramType::LSM => {}
        Filter::Iterators if request.attach_type == AttachType::TRACE_ITER => {}
        Filter::SecurityHooks | Filter::Iterators => return not_allowed(),
        Filter::BoundToDevice => {
            return KfuncLookup::Unsupported(format!("{name}: programs that are bound to a device").into());
        }
        Filter::NotModelled => {
            return KfuncLookup::Unsupported(format!("who may call {name}").into());
        }
    }
    match proto::read(linux, types, function, row.flags(), request) {
        Ok(proto) => KfuncLookup::Allowed(proto),
        Err(what) => KfuncLookup::Unsupported(format!("calls to kernel functions ({name}): {what}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::rows::ROWS;

    #[test]
    fn rows_are_sorted_for_the_search() {
        assert!(ROWS.is_sorted_by(|a, b| a.name < b.name));
    }
}
