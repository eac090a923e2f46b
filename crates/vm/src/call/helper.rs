//! A helper call, check by check, in the kernel's order.

use alloc::string::{String, ToString};
use bpfvet_domain::Domain;

use bpfvet_insn::Reg;
use bpfvet_platform::{HelperId, HelperLookup, HelperProto, HelperRefusal, HelperSpecial};

use super::args::{CheckedArgs, check_args};
use super::{after, clobber, compat, no_sleep_reason, release, returns, special};
use crate::State;
use crate::cx::Cx;
use crate::failure::{Check, Stop, unsupported};
use crate::fault::{self, Fault};
use crate::region;
use crate::transfer::Next;
use crate::violation::{ContextCause, PolicyCause};

/// The helpers that may be called while a lock is held: to give it back, and to exchange a pointer in what it protects.
pub(super) const ALLOWED_UNDER_LOCK: [i32; 2] = [94, 194];
/// The helpers that change a map's entries: update, delete, push, pop.
const CHANGES_MAP: [u32; 4] = [2, 3, 87, 88];
/// `map_peek_elem`, which reads its buffer where the map is a Bloom filter.
pub(super) const MAP_PEEK_ELEM: HelperId = HelperId(89);
/// `sk_release`, which takes any structure that begins with a socket.
pub(super) const SK_RELEASE: HelperId = HelperId(86);

/// The helper that is called.
#[derive(Clone, Copy)]
pub(super) struct Helper<'p> {
    pub(super) proto: &'p HelperProto,
}

impl Helper<'_> {
    pub(super) fn id(&self) -> HelperId {
        self.proto.id
    }

    pub(super) fn name(&self) -> String {
        self.proto.name.to_string()
    }
}

/// Finds the helper that the program may call. (`bpf_get_helper_proto` and the checks of policy after it)
fn find<'p, D: Domain>(cx: &Cx<'_, 'p, D>, number: i32) -> Check<Helper<'p>> {
    let facts = cx.facts;
    let request = facts.request;
    let Ok(id) = u32::try_from(number) else { return Err(PolicyCause::UnknownHelper { id: number }.into()) };
    let helper = || facts.platform.helper_name(HelperId(id)).unwrap_or_default().to_string();
    match facts.platform.helper(HelperId(id), request) {
        HelperLookup::Allowed(proto) if proto.gpl_only && !request.gpl_compatible => {
            Err(PolicyCause::GplOnly { helper: proto.name.to_string() }.into())
        }
        HelperLookup::Allowed(proto) => Ok(Helper { proto }),
        HelperLookup::NotForProgram => Err(PolicyCause::HelperNotAllowed { helper: helper(), id }.into()),
        HelperLookup::Refused(HelperRefusal::AttachPoint) => {
            Err(PolicyCause::HelperRefused { helper: helper() }.into())
        }
        HelperLookup::Refused(HelperRefusal::NoTrampoline) => {
            Err(PolicyCause::HelperNeedsTracedFunction { helper: helper(), id, attach_differently: true }.into())
        }
        HelperLookup::Refused(HelperRefusal::NoTracedFunction) => {
            Err(PolicyCause::HelperNeedsTracedFunction { helper: helper(), id, attach_differently: false }.into())
        }
        HelperLookup::Unknown => Err(PolicyCause::UnknownHelper { id: number }.into()),
        HelperLookup::Unsupported(what) => unsupported(what),
    }
}

/// Calls a helper. (`check_helper_call`)
pub(super) fn call<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, number: i32) -> Check<Next> {
    let helper = find(cx, number)?;
    let proto = helper.proto;
    if proto.effects.sleeps && !state.may_sleep() {
        let reason = no_sleep_reason(state);
        return Err(ContextCause::SleepingHelper { helper: helper.name(), id: helper.id().0, reason }.into());
    }
    let args = check_args(cx, state, helper)?;
    record_map(cx, helper, &args)?;
    if proto.special == HelperSpecial::TailCall {
        special::tail_call::check_map(cx, state, &args)?;
    }
    if let Some((reg, size)) = args.raw {
        let value = *state.reg(reg);
        let pointer =
            value.as_pointer().ok_or(Stop::Internal(&"uninitialised memory through something else than a pointer"))?;
        region::stack_range::write_raw_bytes(cx, state, pointer, size)?;
    }
    if let Some(reg) = args.released {
        release::release_argument(cx, state, reg)?;
    }
    if args.gives_back {
        let held = args.dynptr.and_then(|dynptr| dynptr.given_back());
        release::release(cx, state, held.ok_or(Stop::Internal(&"a dynamic pointer that gives back nothing"))?)?;
    }
    special::run(cx, state, helper, &args)?;
    clobber(cx, state);
    let result = returns::result(cx, helper, &args)?;
    state.set(Reg::R0, result);
    returns::own(cx, state, helper, &args)?;
    compat::check(cx, state, helper, &args)?;
    if proto.special == HelperSpecial::TailCall {
        return special::tail_call::leave(cx, state, proto.effects.moves_packet);
    }
    let writes = proto.special == HelperSpecial::DynptrWrite;
    let moves = writes && args.dynptr.is_some_and(|dynptr| dynptr.kind.moves_when_written());
    if (proto.effects.moves_packet || moves) && !fault::on(Fault::PacketMoveForgotten) {
        release::invalidate_packets(cx, state);
    }
    Ok(Next::To(after(cx)))
}

/// Remembers the map that the call works on, and refuses to change one that programs may only read. (`record_func_map`)
fn record_map<D: Domain>(cx: &mut Cx<'_, '_, D>, helper: Helper<'_>, args: &CheckedArgs) -> Check<()> {
    let Some(map) = args.map else { return Ok(()) };
    let writable = cx.facts.map(map.map).is_some_and(|def| def.program_writes());
    if !writable && CHANGES_MAP.contains(&helper.id().0) {
        return Err(PolicyCause::MapReadOnly.into());
    }
    let masked = !cx.facts.request.privilege.bypasses_spec_v1();
    let memo = cx.memo.insn_mut(cx.at);
    let known = *memo.map.get_or_insert(map.map);
    memo.tail_call_maps |= helper.proto.special == HelperSpecial::TailCall && masked && known != map.map;
    Ok(())
}
