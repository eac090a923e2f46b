//! Something that this region or context forbids.

use alloc::format;
use alloc::string::{String, ToString};

use bpfvet_vm::violation::{ContextCause, LeakSite, NoSleepReason};

use super::resource::site_text;
use crate::Names;
use crate::names::helper_name;

pub(super) fn message(cause: &ContextCause, names: &Names<'_>) -> String {
    match cause {
        ContextCause::CallUnderLock => "function calls are not allowed while holding a lock".to_string(),
        ContextCause::GlobalCallUnderLock => {
            "global function calls are not allowed while holding a lock,\nuse static function instead".to_string()
        }
        ContextCause::SleepingHelper { helper: _, id: _, reason: NoSleepReason::Program } if names.old_wording() => {
            "helper call might sleep in a non-sleepable prog".to_string()
        }
        ContextCause::SleepingHelper { helper, id, reason } => {
            format!("sleepable helper {}#{id} in {}", helper_name(helper), no_sleep_text(*reason))
        }
        ContextCause::SleepingFunction { name, reason } => {
            format!("sleepable global function {name}() called in {}", no_sleep_text(*reason))
        }
        ContextCause::SleepingKfunc { kfunc, reason: NoSleepReason::Program } => {
            format!("program must be sleepable to call sleepable kfunc {kfunc}")
        }
        ContextCause::SleepingKfunc { kfunc, reason } => {
            format!("kernel func {kfunc} is sleepable within {}", no_sleep_text(*reason))
        }
        ContextCause::NeedsRcu { kfunc } => format!("kernel func {kfunc} requires RCU critical section protection"),
        ContextCause::NothingToLeave { kfunc, preemption: true } => {
            format!("unmatched attempt to enable preemption (kernel function {kfunc})")
        }
        ContextCause::NothingToLeave { kfunc, preemption: false } => {
            format!("unmatched rcu read unlock (kernel function {kfunc})")
        }
        ContextCause::InCallback { site: LeakSite::TailCall } => "cannot tail call within callback".to_string(),
        ContextCause::InCallback { site: site @ (LeakSite::PacketLoad | LeakSite::Exit | LeakSite::Throw) } => {
            format!("cannot use {} within callback", site_text(*site))
        }
    }
}

/// Why sleeping is not allowed, in the kernel's words (`non_sleepable_context_description`).
pub(crate) const fn no_sleep_text(reason: NoSleepReason) -> &'static str {
    match reason {
        NoSleepReason::Rcu => "rcu_read_lock region",
        NoSleepReason::Preempt => "non-preemptible region",
        NoSleepReason::Irq => "IRQ-disabled region",
        NoSleepReason::Lock => "lock region",
        NoSleepReason::Program => "non-sleepable prog",
    }
}
