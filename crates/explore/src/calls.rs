//! What functions of the program call, themselves or through others.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use bpfvet_cfg::Graph;
use bpfvet_insn::{Call, Insn};
use bpfvet_platform::{
    DynptrArg, HelperId, HelperLookup, HelperSpecial, KfuncArgKind, KfuncLookup, KfuncSpecial, LoadRequest, Platform,
};

/// By function: whether it, or a function that it calls, makes a call that `is` tells.
pub(crate) fn calls(graph: &Graph, mut is: impl FnMut(Call) -> bool) -> Vec<bool> {
    let mut calls: Vec<bool> = alloc::vec![false; graph.subprogs().len()];
    for (at, insn) in graph.program().iter() {
        if let Insn::Call(call) = *insn
            && is(call)
            && let Some(calls) = calls.get_mut(graph.subprog_at(at).index())
        {
            *calls = true;
        }
    }
    for caller in graph.callees_first() {
        let Some(subprog) = graph.subprog(*caller) else { continue };
        let inherits = subprog.callees.iter().any(|site| calls.get(site.callee.index()).copied().unwrap_or(false));
        if inherits && let Some(calls) = calls.get_mut(caller.index()) {
            *calls = true;
        }
    }
    calls
}

/// What the program's calls do to dynamic pointers, as far as their prototypes tell.
pub(crate) fn dynptrs_of(
    call: Call,
    known: &BTreeMap<(i32, i16), KfuncLookup>,
    request: &LoadRequest,
    platform: &dyn Platform,
) -> Dynptrs {
    match call {
        Call::Subprog(_) => Dynptrs::default(),
        Call::Helper(id) => {
            let helper = u32::try_from(id).map(|id| platform.helper(HelperId(id), request));
            let writes =
                matches!(helper, Ok(HelperLookup::Allowed(proto)) if proto.special == HelperSpecial::DynptrWrite);
            Dynptrs { writes, makes_movable: false }
        }
        Call::Kfunc { id, btf } => {
            let Some(KfuncLookup::Allowed(proto)) = known.get(&(id, btf)) else { return Dynptrs::default() };
            let movable =
                |kind| matches!(kind, KfuncArgKind::Dynptr(DynptrArg::New(kind)) if kind.moves_when_written());
            Dynptrs {
                writes: proto.special == KfuncSpecial::DynptrWrite,
                makes_movable: proto.args.iter().any(|arg| movable(arg.kind)),
            }
        }
    }
}

/// What a call does to dynamic pointers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dynptrs {
    /// It writes through one.
    pub(crate) writes: bool,
    /// It makes one over a packet that moves when it is written to.
    pub(crate) makes_movable: bool,
}
