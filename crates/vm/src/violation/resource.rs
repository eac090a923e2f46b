//! Something held is lost, or given back wrongly.

use alloc::string::String;
use alloc::vec::Vec;

use bpfvet_insn::InsnIdx;

use super::Place;
use crate::value::ObjectId;

/// Where nothing may be held any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeakSite {
    /// The entry function ends.
    Exit,
    /// An exception is thrown.
    Throw,
    /// A tail call.
    TailCall,
    /// A legacy packet load, which can end the program.
    PacketLoad,
}

/// Something held is lost, or given back wrongly.
#[derive(Clone, PartialEq, Debug)]
pub enum ResourceCause {
    /// References are still live where the program may end.
    Leak {
        /// Where.
        site: LeakSite,
        /// The references, with where each was taken.
        live: Vec<(u32, InsnIdx)>,
    },
    /// A lock is held where the program may end.
    LockHeld {
        /// Where.
        site: LeakSite,
    },
    /// Interrupts are off where the program may end.
    IrqHeld {
        /// Where.
        site: LeakSite,
    },
    /// An RCU section is open where the program may end.
    RcuHeld {
        /// Where.
        site: LeakSite,
    },
    /// Preemption is off where the program may end.
    PreemptHeld {
        /// Where.
        site: LeakSite,
    },
    /// An object is released while another that was derived from it is still referenced.
    ReleasedWithChildren {
        /// The child.
        child: u32,
        /// Where it was taken.
        at: InsnIdx,
    },
    /// A release helper is given something that owns no reference.
    NotReferenced {
        /// The helper.
        helper: String,
        /// The argument.
        place: Place,
    },
    /// A function of the host that gives back a reference is given something that owns none.
    NotReferencedByKfunc {
        /// The function.
        kfunc: String,
        /// The argument.
        place: Place,
    },
    /// The last dynamic pointer that could give back what it lies over is overwritten.
    DynptrOverwritten {
        /// Where that was taken.
        taken: Option<InsnIdx>,
    },
    /// A second spin lock is taken.
    SecondLock,
    /// A lock is given back that is not held.
    UnlockWithoutLock,
    /// A lock is given back other than the one that is held.
    UnlockOfDifferentLock,
    /// Locks are given back in the wrong order.
    UnlockOutOfOrder,
    /// A lock at a variable offset.
    LockVariableOffset {
        /// The argument.
        place: Place,
    },
    /// The map has no types, so its lock cannot be found.
    LockWithoutTypes {
        /// The map.
        map: String,
    },
    /// The map value, or object, has no lock.
    NoLock {
        /// The map; `None` for an allocated object.
        map: Option<String>,
    },
    /// The pointer is not at the lock.
    LockElsewhere {
        /// Where it points.
        off: i64,
        /// Where the lock is.
        lock: u32,
    },
    /// Two arguments of a call own something, where the host follows one: when sockets are cast, and in every call before Linux 7.2.
    ManyReferences {
        /// One of them.
        object: ObjectId,
    },
}

impl ResourceCause {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Leak { .. } => "resource::leak",
            Self::LockHeld { .. } => "resource::lock-held",
            Self::IrqHeld { .. } => "resource::irq-held",
            Self::RcuHeld { .. } => "resource::rcu-held",
            Self::PreemptHeld { .. } => "resource::preempt-held",
            Self::ReleasedWithChildren { .. } => "resource::released-with-children",
            Self::NotReferenced { .. } => "resource::not-referenced",
            Self::NotReferencedByKfunc { .. } => "resource::not-referenced-by-kfunc",
            Self::DynptrOverwritten { .. } => "resource::dynptr-overwritten",
            Self::SecondLock => "resource::second-lock",
            Self::UnlockWithoutLock => "resource::unlock-without-lock",
            Self::UnlockOfDifferentLock => "resource::unlock-of-different-lock",
            Self::UnlockOutOfOrder => "resource::unlock-out-of-order",
            Self::LockVariableOffset { .. } => "resource::lock-variable-offset",
            Self::LockWithoutTypes { .. } => "resource::lock-without-types",
            Self::NoLock { .. } => "resource::no-lock",
            Self::LockElsewhere { .. } => "resource::lock-elsewhere",
            Self::ManyReferences { .. } => "resource::many-references",
        }
    }
}
