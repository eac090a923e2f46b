//! Something that this region or context forbids.

use alloc::format;

use bpfvet_vm::violation::{ContextCause, NoSleepReason};

use super::Words;
use crate::Names;
use crate::names::helper_name;

pub(super) fn words(cause: &ContextCause, _names: &Names<'_>) -> Words {
    match cause {
        ContextCause::CallUnderLock => Words::program("a call while a spin lock is held", "called here")
            .why("under a spin lock a program may only unlock it")
            .help("call before the lock is taken, or after it is released"),
        ContextCause::GlobalCallUnderLock => {
            Words::program("a global function is called while a spin lock is held", "called here")
                .why("a global function is verified without its caller, so it is not known to respect the lock")
                .help("make the function static, or call it outside the lock")
        }
        ContextCause::SleepingHelper { helper, id: _, reason } => Words::program(
            format!("`{}` may sleep, and nothing may sleep here", helper_name(helper)),
            reason_words(*reason),
        )
        .help(cure(*reason)),
        ContextCause::SleepingKfunc { kfunc, reason } => {
            Words::program(format!("`{kfunc}` may sleep, and nothing may sleep here"), reason_words(*reason))
                .help(cure(*reason))
        }
        ContextCause::NeedsRcu { kfunc } => {
            Words::program(format!("`{kfunc}` is called outside of an RCU read section"), "called here")
                .help("call it between bpf_rcu_read_lock() and bpf_rcu_read_unlock()")
        }
        ContextCause::NothingToLeave { kfunc, preemption: _ } => {
            Words::program(format!("`{kfunc}` leaves a region that was not entered"), "on this path")
                .help("enter the region on every path that leads here, once for each time that it is left")
        }
        ContextCause::SleepingFunction { name, reason } => {
            Words::program(format!("`{name}` may sleep, and nothing may sleep here"), reason_words(*reason))
                .help(cure(*reason))
        }
        ContextCause::InCallback { site: _ } => {
            Words::program("this may end the program, which a callback must not do", "inside a callback")
        }
    }
}

const fn reason_words(reason: NoSleepReason) -> &'static str {
    match reason {
        NoSleepReason::Rcu => "inside an RCU read section",
        NoSleepReason::Preempt => "preemption is off here",
        NoSleepReason::Irq => "interrupts are off here",
        NoSleepReason::Lock => "a lock is held here",
        NoSleepReason::Program => "this program is not a sleepable one",
    }
}

const fn cure(reason: NoSleepReason) -> &'static str {
    match reason {
        NoSleepReason::Rcu | NoSleepReason::Preempt | NoSleepReason::Irq | NoSleepReason::Lock => {
            "leave the region first, or use a call that does not sleep"
        }
        NoSleepReason::Program => "load the program as sleepable (section name with `.s`), where its type allows it",
    }
}
