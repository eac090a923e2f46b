//! What must be given back: references, locks, saved interrupt states.

use bpfvet_domain::Views;
use core::num::NonZeroU32;

use bpfvet_insn::{InsnIdx, Reg};

use super::{Iteration, Slot, SlotObject, Stack};
use crate::State;
use crate::value::{MapRef, ObjectId, Region};

/// The identity of a lock: the object it lies in, and the map that object came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LockKey {
    /// Identity of the pointer it was taken through; `None` where the object is the only one.
    pub object: Option<ObjectId>,
    /// The map; `None` for an object the program allocated.
    pub map: Option<MapRef>,
}

/// What kind of thing is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReferenceKind {
    /// A referenced object.
    Object {
        /// The object it was derived from, if any.
        parent: Option<ObjectId>,
    },
    /// A saved interrupt state.
    Irq,
    /// A spin lock.
    Lock(LockKey),
}

/// Something held that must be given back on every path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reference {
    /// Its identity; `None` for locks of objects that are the only ones of their kind.
    pub id: Option<NonZeroU32>,
    /// Where it was taken.
    pub at: InsnIdx,
    /// What it is.
    pub kind: ReferenceKind,
}

impl<D: Views> State<D> {
    /// Whether this object is a live reference.
    #[must_use]
    pub fn is_referenced(&self, object: Option<ObjectId>) -> bool {
        object.is_some_and(|object| self.object_references().any(|reference| reference.id == Some(object.0)))
    }

    /// Live references to objects, oldest first.
    pub fn object_references(&self) -> impl Iterator<Item = &Reference> {
        self.refs.iter().filter(|reference| matches!(reference.kind, ReferenceKind::Object { .. }))
    }

    /// Forgets the reference to this object without touching the pointers to it; whether there was one.
    pub fn drop_reference(&mut self, object: ObjectId) -> bool {
        let found = self.refs.iter().position(|reference| {
            matches!(reference.kind, ReferenceKind::Object { .. }) && reference.id == Some(object.0)
        });
        found.map(|at| self.refs.remove(at)).is_some()
    }

    /// Forgets a saved interrupt state, if it is the one saved last; whether it was. (`release_irq_state`)
    pub fn restore_irq(&mut self, id: NonZeroU32) -> bool {
        if self.active_irq != Some(id) {
            return false;
        }
        let mut previous = None;
        let mut found = None;
        for (at, reference) in self.refs.iter().enumerate().filter(|(_, held)| held.kind == ReferenceKind::Irq) {
            if reference.id == Some(id) {
                found = Some(at);
                break;
            }
            previous = reference.id;
        }
        let Some(at) = found else { return false };
        self.refs.remove(at);
        self.active_irq = previous;
        true
    }

    /// Whether the first argument is the state of an iteration that has not come to its end.
    #[must_use]
    pub fn iterates(&self) -> bool {
        let Some((Region::Stack { frame }, Some(off))) =
            self.reg(Reg::R1).as_pointer().map(|pointer| (pointer.region, pointer.const_off()))
        else {
            return false;
        };
        if off >= 0 {
            return false;
        }
        let (index, _) = Stack::locate(off);
        let slot = self.frame(usize::from(frame)).stack.slot(index);
        matches!(slot, Slot::Object(SlotObject::Iteration(Iteration { drained: false, .. })))
    }

    /// Whether some iteration that has not come to its end is in another round than in `now`. (`iter_active_depths_differ`)
    #[must_use]
    pub fn in_other_rounds(&self, now: &Self) -> bool {
        self.frames().iter().enumerate().any(|(index, frame)| {
            frame.stack.slots().enumerate().any(|(number, slot)| {
                let Slot::Object(SlotObject::Iteration(before)) = slot else { return false };
                let depth = match now.frame(index).stack.slot(number) {
                    Slot::Object(SlotObject::Iteration(after)) => Some(after.depth),
                    Slot::Object(SlotObject::IrqFlag(_) | SlotObject::Dynptr(_)) | Slot::Bytes(_) | Slot::Spill(_) => {
                        None
                    }
                };
                !before.drained && depth != Some(before.depth)
            })
        })
    }

    /// Takes a lock.
    pub fn acquire_lock(&mut self, key: LockKey, at: InsnIdx) {
        self.refs.push(Reference { id: key.object.map(|object| object.0), at, kind: ReferenceKind::Lock(key) });
        self.active_locks = self.active_locks.saturating_add(1);
        self.active_lock = Some(key);
    }

    /// Gives a lock back; whether it was held. The lock taken before it becomes the active one.
    pub fn release_lock(&mut self, key: LockKey) -> bool {
        let mut previous = None;
        let mut found = None;
        for (at, reference) in self.refs.iter().enumerate() {
            if let ReferenceKind::Lock(held) = reference.kind {
                if held == key {
                    found = Some(at);
                    break;
                }
                previous = Some(held);
            }
        }
        let Some(at) = found else { return false };
        self.refs.remove(at);
        self.active_locks = self.active_locks.saturating_sub(1);
        self.active_lock = previous;
        true
    }
}
