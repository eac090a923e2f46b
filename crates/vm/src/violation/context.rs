//! Something that this region or context forbids.

use alloc::string::String;

use super::resource::LeakSite;

/// Why sleeping is not allowed here, in the order in which the kernel looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoSleepReason {
    /// An RCU read section.
    Rcu,
    /// Preemption is off.
    Preempt,
    /// Interrupts are off.
    Irq,
    /// A lock is held.
    Lock,
    /// The program is not one that may sleep.
    Program,
}

/// Something that this region or context forbids.
#[derive(Clone, PartialEq, Debug)]
pub enum ContextCause {
    /// A call while a lock is held.
    CallUnderLock,
    /// A global function is called while a lock is held.
    GlobalCallUnderLock,
    /// A helper that may sleep is called where nothing may.
    SleepingHelper {
        /// Its name and number.
        helper: String,
        /// Its number.
        id: u32,
        /// Why sleeping is not allowed.
        reason: NoSleepReason,
    },
    /// A global function that may sleep is called where nothing may.
    SleepingFunction {
        /// Its name.
        name: String,
        /// Why sleeping is not allowed.
        reason: NoSleepReason,
    },
    /// A function of the host that may sleep is called where nothing may.
    SleepingKfunc {
        /// Its name.
        kfunc: String,
        /// Why sleeping is not allowed.
        reason: NoSleepReason,
    },
    /// A function of the host must be called in an RCU read section.
    NeedsRcu {
        /// Its name.
        kfunc: String,
    },
    /// A region is left that was not entered.
    NothingToLeave {
        /// The function of the host that leaves it.
        kfunc: String,
        /// It is one without preemption, and not an RCU read section.
        preemption: bool,
    },
    /// A tail call or legacy packet load inside a callback.
    InCallback {
        /// Which of the two.
        site: LeakSite,
    },
}

impl ContextCause {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::CallUnderLock => "context::call-under-lock",
            Self::GlobalCallUnderLock => "context::global-call-under-lock",
            Self::SleepingHelper { .. } => "context::sleeping-helper",
            Self::SleepingFunction { .. } => "context::sleeping-function",
            Self::SleepingKfunc { .. } => "context::sleeping-kfunc",
            Self::NeedsRcu { .. } => "context::needs-rcu",
            Self::NothingToLeave { .. } => "context::nothing-to-leave",
            Self::InCallback { .. } => "context::in-callback",
        }
    }
}
