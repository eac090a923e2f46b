//! What functions of the program call, themselves or through others.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use bpfvet_cfg::Graph;
use bpfvet_insn::{Call, Insn};
use bpfvet_platform::{
    DynptrArg, HelperId, HelperLookup, HelperSpecial, KfuncArgKind, KfuncLookup, KfuncSpecial, LoadRequest, Platform,
};

/// What calls do, as far as prototypes tell.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Calls {
    /// One goes to a function of the host of which nothing is known.
    pub(crate) unknown: bool,
    /// One writes through a dynamic pointer.
    pub(crate) writes_dynptrs: bool,
    /// One makes a dynamic pointer over a packet that moves when it is written to.
    pub(crate) makes_movable_dynptrs: bool,
}

impl Calls {
    const fn union(self, other: Self) -> Self {
        Self {
            unknown: self.unknown || other.unknown,
            writes_dynptrs: self.writes_dynptrs || other.writes_dynptrs,
            makes_movable_dynptrs: self.makes_movable_dynptrs || other.makes_movable_dynptrs,
        }
    }
}

/// By function: what its calls do, and those of the functions that it calls. `kfuncs` are the functions of the host that the program
/// calls.
pub(crate) fn calls(
    graph: &Graph,
    kfuncs: &BTreeMap<(i32, i16), KfuncLookup>,
    request: &LoadRequest,
    platform: &dyn Platform,
) -> Vec<Calls> {
    let mut found = alloc::vec![Calls::default(); graph.subprogs().len()];
    for (at, insn) in graph.program().landmarks() {
        let Insn::Call(call) = *insn else { continue };
        if let Some(found) = found.get_mut(graph.subprog_at(at).index()) {
            *found = found.union(of(call, kfuncs, request, platform));
        }
    }
    for caller in graph.callees_first() {
        let Some(subprog) = graph.subprog(*caller) else { continue };
        let called = subprog.callees.iter().filter_map(|site| found.get(site.callee.index()));
        let inherited = called.fold(Calls::default(), |all, &calls| all.union(calls));
        if let Some(found) = found.get_mut(caller.index()) {
            *found = found.union(inherited);
        }
    }
    found
}

/// What one call does itself.
fn of(call: Call, kfuncs: &BTreeMap<(i32, i16), KfuncLookup>, request: &LoadRequest, platform: &dyn Platform) -> Calls {
    match call {
        Call::Subprog(_) => Calls::default(),
        Call::Helper(id) => {
            let helper = u32::try_from(id).map(|id| platform.helper(HelperId(id), request));
            let writes_dynptrs =
                matches!(helper, Ok(HelperLookup::Allowed(proto)) if proto.special == HelperSpecial::DynptrWrite);
            Calls { writes_dynptrs, ..Calls::default() }
        }
        Call::Kfunc { id, btf } => {
            let Some(KfuncLookup::Allowed(proto)) = kfuncs.get(&(id, btf)) else {
                return Calls { unknown: true, ..Calls::default() };
            };
            let movable =
                |kind| matches!(kind, KfuncArgKind::Dynptr(DynptrArg::New(kind)) if kind.moves_when_written());
            Calls {
                unknown: false,
                writes_dynptrs: proto.special == KfuncSpecial::DynptrWrite,
                makes_movable_dynptrs: proto.args.iter().any(|arg| movable(arg.kind)),
            }
        }
    }
}
