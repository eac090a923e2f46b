//! Is this state covered by one that was already explored?
//!
//! `old` covers `now` when every machine state in γ(`now`) behaves, from here on, as some machine state in γ(`old`) could, as
//! far as any rule looks. Then what was proven from `old` holds from `now`, and the path may end.
//!
//! | strictness | numbers whose range never mattered | used for |
//! | --- | --- | --- |
//! | `Relevant` | match anything | states all of whose paths have ended |
//! | `RangeWithin` | must lie within | states in loops, where it is not yet known what will matter |
//! | `Exact` | must be equal, as everything | noticing that a program is where it was |
//!
//! Only registers and stack that may still be read are compared; the caller has forgotten the others in both states.
//! (`states_equal`, Linux 7.3)

mod ids;
mod stack;
mod value;

use bpfvet_domain::Domain;
use bpfvet_insn::{InsnIdx, Reg, RegSet};

pub use ids::IdMap;
use ids::{AnyIdentity, Identities};

use crate::facts::Facts;
use crate::fault::{self, Fault};
use crate::state::{Frame, Reference, ReferenceKind};
use crate::{State, Value};

/// How much must agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strictness {
    /// What mattered on some path from the old state.
    Relevant,
    /// All ranges, mattering or not.
    RangeWithin,
    /// Everything.
    Exact,
}

/// What comparing two values needs to know.
#[derive(Clone, Copy, Debug)]
struct Rules {
    strictness: Strictness,
    /// Every number matters: nothing was ever marked as not mattering.
    all_precise: bool,
    /// Numbers must be equal: pointer arithmetic is masked by what is known of them.
    exact_scalars: bool,
    /// Stack never written may be read, as something.
    uninit_readable: bool,
}

/// Where two states differed. Others at the same instruction mostly differ there too, so that this is looked at first.
///
/// It decides nothing but what is compared first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hint {
    frame: u8,
    place: Place,
}

/// A place in a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Place {
    #[default]
    None,
    Reg(Reg),
    Slot(u8),
}

impl Hint {
    /// Whether it names no place.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        matches!(self.place, Place::None)
    }
}

/// A state, about to be compared with those that were verified at the same instruction.
#[derive(Debug)]
pub struct Comparison<'a, 'f, D> {
    facts: &'a Facts<'f>,
    now: &'a State<D>,
    at: InsnIdx,
    exact_scalars: bool,
    all_precise: bool,
    uninit_readable: bool,
    last_id: u32,
}

impl<'a, 'f, D: Domain> Comparison<'a, 'f, D> {
    /// Of `now`, at this instruction. `exact_scalars` is [`crate::Memo::exact_scalars`], and `last_id` the last identity given so far.
    #[must_use]
    pub fn new(facts: &'a Facts<'f>, exact_scalars: bool, now: &'a State<D>, at: InsnIdx, last_id: u32) -> Self {
        let (all_precise, uninit_readable) = (facts.scalars_precise(), facts.may_read_uninit());
        Self { facts, now, at, exact_scalars, all_precise, uninit_readable, last_id }
    }

    const fn rules(&self, strictness: Strictness) -> Rules {
        let Self { exact_scalars, all_precise, uninit_readable, .. } = *self;
        Rules { strictness, all_precise, exact_scalars, uninit_readable }
    }

    /// Whether `old` could cover the state, as far as one place tells: one that [`Comparison::covered`] named, for `old` or for a state
    /// that was reached by the same calls as this one. Where it could not, it does not: what does not cover by itself, whatever
    /// identities are matched with, covers with nothing.
    #[must_use]
    #[inline]
    pub fn may_be_covered(&self, old: &State<D>, strictness: Strictness, hint: Hint) -> bool {
        // Where one has fewer frames than the other, it does not cover anyway.
        let (before, after) = (old.frame(hint.frame.into()), self.now.frame(hint.frame.into()));
        let rules = self.rules(strictness);
        match hint.place {
            Place::None => true,
            Place::Reg(reg) => value::covers(rules, before.reg(reg), after.reg(reg), &mut AnyIdentity),
            Place::Slot(slot) => stack::covers_at(rules, &before.stack, &after.stack, slot, &mut AnyIdentity),
        }
    }

    /// Whether `old` covers the state. `ids` is scratch space.
    ///
    /// # Errors
    ///
    /// Where they differ: if that is one place, one that is compared in all states that were reached by the same calls.
    ///
    /// # Soundness
    ///
    /// Identities are matched by a one-to-one map built on the way, so that two things that were one in `old` are one in `now`.
    /// Every field of a value, a slot and a frame is named here; adding one stops the compiler.
    pub fn covered(&self, old: &State<D>, strictness: Strictness, ids: &mut IdMap) -> Result<(), Hint> {
        let Self { now, .. } = *self;
        let elsewhere = Err(Hint::default());
        let frames = || (0..=now.depth()).map(|index| (index, old.frame(index), now.frame(index)));
        if old.depth() != now.depth() || frames().any(|(_, before, after)| before.callsite != after.callsite) {
            return elsewhere;
        }
        ids.reset(self.last_id);
        if (old.speculative && !now.speculative)
            || old.sleepable != now.sleepable
            || !(references_match(old, now, ids) || fault::on(Fault::ReferencesUncompared))
        {
            return elsewhere;
        }
        let frame_covers = |index: usize, before: &Frame<D>, after: &Frame<D>, ids: &mut IdMap| {
            if index < now.depth() && fault::on(Fault::CallersUncompared) {
                return Ok(());
            }
            let live = self.live_regs(now.frame_insn(index, self.at));
            frame_covers(self.rules(strictness), before, after, live, ids)
                .map_err(|place| Hint { frame: u8::try_from(index).unwrap_or(0), place })
        };
        for (index, before, after) in frames().filter(|(_, before, after)| !core::ptr::eq(*before, *after)) {
            frame_covers(index, before, after, ids)?;
        }
        // A frame covers itself where each of its identities can stand for itself: it can, if all others do.
        if !ids.is_identity() {
            for (index, before, after) in frames().filter(|(_, before, after)| core::ptr::eq(*before, *after)) {
                frame_covers(index, before, after, ids)?;
            }
        }
        Ok(())
    }

    fn live_regs(&self, at: InsnIdx) -> RegSet {
        self.facts.live_regs.get(at.index()).copied().unwrap_or_default().without(Reg::ARGS)
    }
}

/// Whether what is held is the same, whatever it is called. (`refsafe`)
fn references_match<D: Domain>(old: &State<D>, now: &State<D>, ids: &mut IdMap) -> bool {
    let lock = |state: &State<D>| state.active_lock.and_then(|lock| lock.object);
    if fault::on(Fault::LocksUncompared) {
        return old.object_references().count() == now.object_references().count();
    }
    old.refs.len() == now.refs.len()
        && old.active_locks == now.active_locks
        && old.preempt_depth == now.preempt_depth
        && old.rcu_depth == now.rcu_depth
        && ids.matches(old.active_irq.map(|id| id.get()), now.active_irq.map(|id| id.get()))
        && ids.matches(lock(old).map(|id| id.get()), lock(now).map(|id| id.get()))
        && old.active_lock.map(|lock| lock.map) == now.active_lock.map(|lock| lock.map)
        && old.refs.iter().zip(&now.refs).all(|(before, after)| reference_matches(before, after, ids))
}

fn reference_matches(old: &Reference, now: &Reference, ids: &mut IdMap) -> bool {
    // Where it was taken does not matter to what may be done with it.
    let Reference { id: old_id, at: _, kind: old_kind } = old;
    let Reference { id: now_id, at: _, kind: now_kind } = now;
    if !ids.matches(old_id.map(|id| id.get()), now_id.map(|id| id.get())) {
        return false;
    }
    match (old_kind, now_kind) {
        (ReferenceKind::Object { parent: before }, ReferenceKind::Object { parent: after }) => {
            ids.matches(before.map(|id| id.get()), after.map(|id| id.get()))
        }
        (ReferenceKind::Irq, ReferenceKind::Irq) => true,
        // The object was matched as the reference's identity.
        (ReferenceKind::Lock(before), ReferenceKind::Lock(after)) => before.map == after.map,
        (ReferenceKind::Object { .. } | ReferenceKind::Irq | ReferenceKind::Lock(_), _) => false,
    }
}

/// Whether a frame covers another; where it differs, if that is one place. (`func_states_equal`)
fn frame_covers<D: Domain>(
    rules: Rules,
    old: &Frame<D>,
    now: &Frame<D>,
    live: RegSet,
    ids: &mut IdMap,
) -> Result<(), Place> {
    if old.callback_depth > now.callback_depth || (!old.args_sealed && now.args_sealed) {
        return Err(Place::None);
    }
    for reg in live.iter().filter(|reg| *reg != Reg::R7 || !fault::on(Fault::RegisterUncompared)) {
        if !value::covers(rules, old.reg(reg), now.reg(reg), ids) {
            return Err(Place::Reg(reg));
        }
    }
    stack::covers(rules, &old.stack, &now.stack, ids).map_err(Place::Slot)?;
    let args = old.out_args.len().max(now.out_args.len());
    let arg = |frame: &Frame<D>, index: usize| frame.out_args.get(index).copied().unwrap_or(Value::Uninit);
    let covered = (0..args).all(|index| value::covers(rules, &arg(old, index), &arg(now, index), ids));
    if covered { Ok(()) } else { Err(Place::None) }
}

/// Whether the innermost registers are the same to the last identity, precision aside: a cheap test that two states may be
/// the same moment of a loop. (`states_maybe_looping`)
#[must_use]
pub fn registers_identical<D: Domain>(old: &State<D>, now: &State<D>) -> bool {
    old.frames().len() == now.frames().len()
        && old.top().regs().iter().zip(now.top().regs()).all(|(before, after)| match (before, after) {
            (Value::Scalar(before), Value::Scalar(after)) => before.num == after.num && before.link == after.link,
            (Value::Pointer(before), Value::Pointer(after)) => before == after,
            (Value::Uninit, Value::Uninit) => true,
            (Value::Scalar(_) | Value::Pointer(_) | Value::Uninit, _) => false,
        })
}
