//! Something held is lost, or given back wrongly.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Write;

use bpfvet_vm::violation::{LeakSite, ResourceCause};

use super::place;
use crate::Names;
use crate::names::helper_name;

pub(super) fn message(cause: &ResourceCause, names: &Names<'_>) -> String {
    match cause {
        ResourceCause::Leak { site, live } => {
            let mut out = String::new();
            for (id, at) in live {
                let _ = writeln!(out, "Unreleased reference id={id} alloc_insn={at}");
            }
            // Of what is left at the end nothing more was said.
            if names.old_wording() && *site == LeakSite::Exit {
                out.pop();
                return out;
            }
            let _ = if names.old_wording() && *site == LeakSite::PacketLoad {
                write!(out, "{} cannot be mixed with socket references", site_text(*site))
            } else {
                write!(out, "{} would lead to reference leak", site_text(*site))
            };
            out
        }
        ResourceCause::LockHeld { site } => held(*site, "bpf_spin_lock"),
        ResourceCause::IrqHeld { site } => held(*site, "bpf_local_irq_save"),
        ResourceCause::RcuHeld { site } => held(*site, "bpf_rcu_read_lock"),
        ResourceCause::PreemptHeld { site } => held(*site, "bpf_preempt_disable"),
        ResourceCause::ReleasedWithChildren { child, at } => {
            format!("Leaking reference id={child} alloc_insn={at}. Release it first.")
        }
        ResourceCause::NotReferenced { helper: _, place: arg } if names.old_wording() => {
            format!("{} must be referenced when passed to release function", place(*arg))
        }
        ResourceCause::NotReferenced { helper, place: arg } => {
            let helper = helper_name(helper);
            format!("release helper {helper} expects referenced PTR_TO_BTF_ID passed to {}", place(*arg))
        }
        ResourceCause::NotReferencedByKfunc { kfunc, place: arg } => {
            format!("release kfunc {kfunc} expects referenced PTR_TO_BTF_ID passed to {}", place(*arg))
        }
        ResourceCause::DynptrOverwritten { taken: _ } => "cannot overwrite referenced dynptr".to_string(),
        ResourceCause::SecondLock => "Locking two bpf_spin_locks are not allowed".to_string(),
        ResourceCause::UnlockWithoutLock => "bpf_spin_unlock without taking a lock".to_string(),
        ResourceCause::UnlockOfDifferentLock => "bpf_spin_unlock of different lock".to_string(),
        ResourceCause::UnlockOutOfOrder => "bpf_spin_unlock cannot be out of order".to_string(),
        ResourceCause::LockVariableOffset { place: arg } => {
            format!("{} doesn't have constant offset. bpf_spin_lock has to be at the constant offset", place(*arg))
        }
        ResourceCause::LockWithoutTypes { map } => {
            format!("map '{map}' has to have BTF in order to use bpf_spin_lock")
        }
        ResourceCause::NoLock { map: Some(map) } => format!("map '{map}' has no valid bpf_spin_lock"),
        ResourceCause::NoLock { map: None } => "local 'kptr' has no valid bpf_spin_lock".to_string(),
        ResourceCause::LockElsewhere { off, lock } => {
            format!("off {off} doesn't point to 'struct bpf_spin_lock' that is at {lock}")
        }
        ResourceCause::ManyReferences { object: _ } => {
            "verifier bug: function expects only one referenced object but got 2".to_string()
        }
    }
}

fn held(site: LeakSite, what: &str) -> String {
    format!("{} cannot be used inside {what}-ed region", site_text(site))
}

/// How the kernel names the place where nothing may be held.
pub(crate) const fn site_text(site: LeakSite) -> &'static str {
    match site {
        LeakSite::Exit => "BPF_EXIT instruction in main prog",
        LeakSite::Throw => "bpf_throw",
        LeakSite::TailCall => "tail_call",
        LeakSite::PacketLoad => "BPF_LD_[ABS|IND]",
    }
}
