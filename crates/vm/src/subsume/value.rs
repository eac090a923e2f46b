//! Values.

use super::{Identities, Rules, Strictness};
use crate::fault::{self, Fault};
use crate::value::{Link, LinkDelta, Pointer, Region};
use crate::{ScalarValue, Value};
use bpfvet_domain::Domain;

/// Whether a value that was verified covers one that is met now. (`regsafe`)
pub(super) fn covers<D: Domain>(rules: Rules, old: &Value<D>, now: &Value<D>, ids: &mut impl Identities) -> bool {
    match (old, now) {
        (Value::Uninit, Value::Uninit) => true,
        // What was verified did not read it; only exact comparison cares.
        (Value::Uninit, Value::Scalar(_) | Value::Pointer(_)) => rules.strictness != Strictness::Exact,
        (Value::Scalar(old), Value::Scalar(now)) => scalar_covers(rules, old, now, ids),
        (Value::Pointer(old), Value::Pointer(now)) => pointer_covers(rules, old, now, ids),
        (Value::Scalar(old), Value::Pointer(_)) if fault::on(Fault::NumberCoversPointer) => !old.precise,
        // A number is no pointer: accepting one for the other would let pointers leak.
        (Value::Scalar(_) | Value::Pointer(_), _) => false,
    }
}

/// A link as the kernel numbers it: the group, and flags for the kind of distance.
fn key(link: Option<Link>) -> Option<u32> {
    link.map(|link| {
        link.id.get()
            | match link.delta {
                LinkDelta::Base => 0,
                LinkDelta::Add64(_) => 1 << 31,
                LinkDelta::Add32(_) => 1 << 30,
            }
    })
}

fn scalar_covers<D: Domain>(
    rules: Rules,
    old: &ScalarValue<D>,
    now: &ScalarValue<D>,
    ids: &mut impl Identities,
) -> bool {
    // Whether the current number was precise does not matter: it is about to be compared, not relied upon.
    let ScalarValue { num: old_num, link: old_link, precise } = old;
    let ScalarValue { num: now_num, link: now_link, precise: _ } = now;
    let distance = |link: &Option<Link>| link.map_or(0, |link| link.delta.distance());
    if rules.strictness == Strictness::Exact {
        return old_num == now_num
            && distance(old_link) == distance(now_link)
            && ids.matches(key(*old_link), key(*now_link));
    }
    if rules.exact_scalars {
        return old_num == now_num && distance(old_link) == distance(now_link) && groups_match(old_link, now_link, ids);
    }
    if !precise && !rules.all_precise && rules.strictness == Strictness::Relevant {
        return true;
    }
    if let Some(old) = old_link {
        let same_kind = match (Some(old.delta), now_link.map(|link| link.delta)) {
            (Some(LinkDelta::Base), None | Some(LinkDelta::Base)) => true,
            (Some(LinkDelta::Add64(before)), Some(LinkDelta::Add64(after)))
            | (Some(LinkDelta::Add32(before)), Some(LinkDelta::Add32(after))) => before == after,
            _ => false,
        };
        if !same_kind && !fault::on(Fault::LinksUnmatched) {
            return false;
        }
    }
    groups_match(old_link, now_link, ids) && old_num.includes(now_num)
}

/// (`check_scalar_ids`)
fn groups_match(old: &Option<Link>, now: &Option<Link>, ids: &mut impl Identities) -> bool {
    if fault::on(Fault::LinksUnmatched) {
        return true;
    }
    if !ids.matches_group(key(*old), key(*now)) {
        return false;
    }
    match old {
        Some(link) if link.delta != LinkDelta::Base => {
            // The distance was matched as a group of its own; the base must be matched too, or two bases could be mixed up.
            ids.matches(Some(link.id.get()), now.map(|now| now.id.get()))
        }
        Some(_) | None => true,
    }
}

#[inline(never)]
fn pointer_covers<D: Domain, I: Identities>(rules: Rules, old: &Pointer<D>, now: &Pointer<D>, ids: &mut I) -> bool {
    let Pointer { region: old_region, flags: old_flags, off: old_off, object: old_object, parent: old_parent } = old;
    let Pointer { region: now_region, flags: now_flags, off: now_off, object: now_object, parent: now_parent } = now;
    if old_flags != now_flags && !fault::on(Fault::FlagsUncompared) {
        return false;
    }
    let exact = rules.strictness == Strictness::Exact;
    let identities = |ids: &mut I| {
        ids.matches(old_object.map(|id| id.get()), now_object.map(|id| id.get()))
            && ids.matches(old_parent.map(|id| id.get()), now_parent.map(|id| id.get()))
    };
    let offset = |exact: bool| {
        if fault::on(Fault::OffsetsUncompared) {
            true
        } else if exact {
            old_off == now_off
        } else {
            old_off.includes(now_off)
        }
    };
    let uid = |old: u32, now: u32, ids: &mut I| ids.matches(nonzero(old), nonzero(now));
    match (old_region, now_region) {
        (Region::MapValue { map: a, uid: a_uid }, Region::MapValue { map: b, uid: b_uid })
        | (Region::MapKey { map: a, uid: a_uid }, Region::MapKey { map: b, uid: b_uid }) => {
            a == b && offset(exact) && identities(ids) && uid(*a_uid, *b_uid, ids)
        }
        (Region::Map { map: a, uid: a_uid }, Region::Map { map: b, uid: b_uid }) => {
            a == b && offset(true) && identities(ids) && uid(*a_uid, *b_uid, ids)
        }
        (Region::Mem { size: a }, Region::Mem { size: b }) => a == b && offset(exact) && identities(ids),
        (Region::Buf, Region::Buf) | (Region::TpBuffer, Region::TpBuffer) => offset(exact) && identities(ids),
        (Region::Packet { group: a, range: a_range }, Region::Packet { group: b, range: b_range })
        | (Region::PacketMeta { group: a, range: a_range }, Region::PacketMeta { group: b, range: b_range }) => {
            let (a, b) = (a.map(|id| id.get()), b.map(|id| id.get()));
            if exact {
                return a_range == b_range && offset(true) && ids.matches(a, b) && identities(ids);
            }
            // More may be proven now than was needed then, but a pointer known to be at the end is a case of its own.
            let proven = if fault::on(Fault::PacketRangeUncompared) {
                true
            } else if *a_range < 0 || *b_range < 0 {
                a_range == b_range
            } else {
                a_range <= b_range
            };
            // Pointers of a group are compared with each other, so that their distances must be the same.
            let distance = a.is_none() || old_off.anchor() == now_off.anchor();
            proven && ids.matches(a, b) && distance && offset(false) && identities(ids)
        }
        (Region::Insn { map: a }, Region::Insn { map: b }) => a == b && offset(exact) && (!exact || identities(ids)),
        (Region::Arena, Region::Arena) => !exact || (offset(true) && identities(ids)),
        (Region::Stack { frame: a }, Region::Stack { frame: b }) => a == b && offset(true) && identities(ids),
        (Region::Btf { btf: a, id: a_id }, Region::Btf { btf: b, id: b_id }) => {
            a == b && a_id == b_id && offset(true) && identities(ids)
        }
        (Region::Dynptr { kind: a }, Region::Dynptr { kind: b }) => a == b && offset(true) && identities(ids),
        (Region::Func { subprog: a }, Region::Func { subprog: b }) => a == b && offset(true) && identities(ids),
        (Region::Socket { kind: a, map: a_map }, Region::Socket { kind: b, map: b_map }) => {
            a == b && a_map == b_map && offset(true) && identities(ids)
        }
        (Region::Ctx, Region::Ctx) | (Region::PacketEnd, Region::PacketEnd) | (Region::FlowKeys, Region::FlowKeys) => {
            offset(true) && identities(ids)
        }
        (
            Region::MapValue { .. }
            | Region::MapKey { .. }
            | Region::Map { .. }
            | Region::Mem { .. }
            | Region::Buf
            | Region::TpBuffer
            | Region::Packet { .. }
            | Region::PacketMeta { .. }
            | Region::Insn { .. }
            | Region::Dynptr { .. }
            | Region::Arena
            | Region::Stack { .. }
            | Region::Btf { .. }
            | Region::Func { .. }
            | Region::Socket { .. }
            | Region::Ctx
            | Region::PacketEnd
            | Region::FlowKeys,
            _,
        ) => false,
    }
}

fn nonzero(id: u32) -> Option<u32> {
    if id == 0 { None } else { Some(id) }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::num::NonZeroU32;

    use bpfvet_domain::Scalar;

    use super::super::ids::{AnyIdentity, IdMap, Identities};
    use super::{Rules, Strictness, covers};
    use crate::value::{Flags, Link, LinkDelta, MapRef, ObjectId, PacketId, Pointer, Region, ScalarId};
    use crate::{ScalarValue, Value};

    fn number(id: u32) -> NonZeroU32 {
        NonZeroU32::new(id).unwrap()
    }

    fn numbers() -> Vec<Value> {
        let sets = [Scalar::constant(0), Scalar::constant(7), Scalar::unknown()];
        let link = |id, delta| Some(Link { id: ScalarId(number(id)), delta });
        let links = [
            None,
            link(1, LinkDelta::Base),
            link(2, LinkDelta::Base),
            link(1, LinkDelta::Add64(4)),
            link(1, LinkDelta::Add32(4)),
        ];
        let values = sets.iter().flat_map(|num| links.iter().map(move |link| (*num, *link)));
        let with_marks = values.flat_map(|(num, link)| [true, false].map(|precise| ScalarValue { num, link, precise }));
        with_marks.map(Value::Scalar).collect()
    }

    fn pointers() -> Vec<Value> {
        let map = MapRef { index: 0, inner: 0 };
        let group = |id| Some(PacketId(number(id)));
        let regions = [
            Region::Ctx,
            Region::Stack { frame: 0 },
            Region::MapValue { map, uid: 0 },
            Region::MapValue { map, uid: 3 },
            Region::Packet { group: None, range: 0 },
            Region::Packet { group: group(4), range: 14 },
            Region::Packet { group: group(5), range: -1 },
            Region::Mem { size: 8 },
        ];
        let object = |id| Some(ObjectId(number(id)));
        let objects = [(None, None), (object(6), None), (object(7), object(6))];
        let all = regions.into_iter().flat_map(|region| objects.map(|of| (region, of)));
        let with_flags = all.flat_map(|(region, of)| [Flags::NONE, Flags::NULLABLE].map(|flags| (region, of, flags)));
        let pointer = |(region, (object, parent), flags)| Pointer { object, parent, ..Pointer::to(region).with(flags) };
        with_flags.map(pointer).map(Value::Pointer).collect()
    }

    #[test]
    fn what_covers_covers_whatever_identities_are_matched_with() {
        let values: Vec<Value> = [Value::Uninit].into_iter().chain(numbers()).chain(pointers()).collect();
        let mut answers = [0; 3];
        for strictness in [Strictness::Relevant, Strictness::RangeWithin, Strictness::Exact] {
            for (all_precise, exact_scalars) in [(false, false), (true, false), (false, true)] {
                let rules = Rules { strictness, all_precise, exact_scalars, uninit_readable: false };
                for (old, now) in values.iter().flat_map(|old| values.iter().map(move |now| (old, now))) {
                    let may_be = covers(rules, old, now, &mut AnyIdentity);
                    // Each identity may have been matched before, somewhere else.
                    for matched in [None, Some(1), Some(5), Some(7)] {
                        let mut ids = IdMap::default();
                        ids.reset(100);
                        assert!(ids.matches(matched, matched));
                        let covered = covers(rules, old, now, &mut ids);
                        assert!(may_be || !covered, "{rules:?}: {old:?} covers {now:?}");
                        let answer = if covered { 0 } else { 1 + usize::from(!may_be) };
                        if let Some(count) = answers.get_mut(answer) {
                            *count += 1;
                        }
                    }
                }
            }
        }
        assert!(answers.iter().all(|count| *count > 0), "each answer is met: {answers:?}");
    }
}
