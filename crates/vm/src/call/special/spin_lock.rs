//! `spin_lock` and `spin_unlock`: one lock at a time, and the same one given back.

use bpfvet_domain::Domain;
use bpfvet_platform::{FieldKind, HelperSpecial};

use crate::call::helper::Helper;
use crate::call::map_args::{definition, has_types};
use crate::call::release;
use crate::cx::Cx;
use crate::failure::{Check, Stop, unsupported};
use crate::fault::{self, Fault};
use crate::state::{LockKey, ReferenceKind};
use crate::value::Region;
use crate::violation::{Place, ResourceCause};
use crate::{State, Value};

/// Takes a lock, or gives it back. (`process_spin_lock`)
pub(in crate::call) fn take_or_give<D: Domain>(
    cx: &mut Cx<'_, '_, D>,
    state: &mut State<D>,
    helper: Helper<'_>,
    value: &Value<D>,
    place: Place,
) -> Check<()> {
    let Value::Pointer(pointer) = value else { return Err(Stop::Internal(&"a lock that is no pointer")) };
    let Some(off) = pointer.const_off() else { return Err(ResourceCause::LockVariableOffset { place }.into()) };
    let Region::MapValue { map, .. } = pointer.region else {
        return unsupported("locks in objects that the program allocated");
    };
    let def = definition(cx, map)?;
    if !has_types(def) {
        return Err(ResourceCause::LockWithoutTypes { map: def.name.clone() }.into());
    }
    let Some(lock) = def.field(FieldKind::SpinLock) else {
        return Err(ResourceCause::NoLock { map: Some(def.name.clone()) }.into());
    };
    if off != i64::from(lock.offset) {
        return Err(ResourceCause::LockElsewhere { off, lock: lock.offset }.into());
    }
    let key = LockKey { object: pointer.object, map: Some(map) };
    if helper.proto.special == HelperSpecial::SpinLock {
        if state.active_locks > 0 && !fault::on(Fault::CallsUnderLock) {
            return Err(ResourceCause::SecondLock.into());
        }
        state.acquire_lock(key, cx.at);
        return Ok(());
    }
    give_back(cx, state, key)
}

fn give_back<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, key: LockKey) -> Check<()> {
    if state.active_locks == 0 {
        return Err(ResourceCause::UnlockWithoutLock.into());
    }
    if !state.refs.iter().any(|reference| reference.kind == ReferenceKind::Lock(key)) {
        return Err(ResourceCause::UnlockOfDifferentLock.into());
    }
    if state.active_lock != Some(key) {
        return Err(ResourceCause::UnlockOutOfOrder.into());
    }
    if !state.release_lock(key) {
        return Err(ResourceCause::UnlockOfDifferentLock.into());
    }
    release::invalidate_non_owning(cx, state);
    if !state.in_rcu_section() {
        release::distrust_rcu(state);
    }
    Ok(())
}
