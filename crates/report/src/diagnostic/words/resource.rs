//! Something held is lost, or given back wrongly.

use alloc::format;

use bpfvet_insn::{Call, Insn, InsnIdx};
use bpfvet_vm::violation::{LeakSite, ResourceCause};

use super::{Words, argument};
use crate::Names;
use crate::diagnostic::{Label, Role};

pub(super) fn words(cause: &ResourceCause, names: &Names<'_>) -> Words {
    match cause {
        ResourceCause::Leak { site, live } => {
            let what = if live.len() == 1 { "a reference is" } else { "references are" };
            let mut words =
                Words::program(format!("{what} never released"), format!("still held {}", site_words(*site)))
                    .why("every path must give back what it took, or the kernel would leak it")
                    .help("release it before this on every path, error paths too");
            words.also = live
                .iter()
                .map(|(id, at)| Label {
                    at: *at,
                    role: Role::Acquired,
                    text: format!("taken here{} (reference {id})", by(*at, names)),
                })
                .collect();
            words
        }
        ResourceCause::LockHeld { site } => held(*site, "a spin lock is held", "bpf_spin_unlock()"),
        ResourceCause::IrqHeld { site } => held(*site, "interrupts are off", "bpf_local_irq_restore()"),
        ResourceCause::RcuHeld { site } => held(*site, "an RCU section is open", "bpf_rcu_read_unlock()"),
        ResourceCause::PreemptHeld { site } => held(*site, "preemption is off", "bpf_preempt_enable()"),
        ResourceCause::ReleasedWithChildren { child, at } => {
            let mut words =
                Words::program("an object is released while another that depends on it is held", "released here")
                    .help("release the one that was derived first");
            let text = format!("derived here (reference {child})");
            words.also.push(Label { at: *at, role: Role::Acquired, text });
            words
        }
        ResourceCause::NotReferenced { helper: _, place } | ResourceCause::NotReferencedByKfunc { kfunc: _, place } => {
            Words::program("something is released that is not owned", argument(*place))
                .why("a release needs the pointer that the acquiring call returned, not released yet")
                .follow(*place)
        }
        ResourceCause::DynptrOverwritten { taken } => {
            let mut words =
                Words::program("a dynamic pointer is written over that is still to be given back", "written here")
                    .why("without it, what it lies over could never be given back")
                    .help("submit or discard it before this");
            let text = format!("made here{}", taken.map_or_else(alloc::string::String::new, |at| by(at, names)));
            words.also.extend(taken.map(|at| Label { at, role: Role::Acquired, text }));
            words
        }
        ResourceCause::SecondLock => Words::program("a second spin lock is taken", "one is held already")
            .help("release the first lock before the second is taken"),
        ResourceCause::UnlockWithoutLock => Words::program("a lock is released that is not held", "here"),
        ResourceCause::UnlockOfDifferentLock => Words::program(
            "another lock is released than the one that is held",
            "here",
        )
        .why("a second look-up of the same key may find another value: the two pointers are not known to be equal")
        .help("use one pointer for lock and unlock"),
        ResourceCause::UnlockOutOfOrder => Words::program("locks are released in the wrong order", "here"),
        ResourceCause::LockVariableOffset { place } => {
            Words::program("a lock at an offset that is not constant", argument(*place)).follow(*place)
        }
        ResourceCause::LockWithoutTypes { map } => {
            Words::program(format!("map `{map}` has no types, so its lock cannot be found"), "here")
                .help("declare the map with `__type(value, …)` and compile with `-g`")
        }
        ResourceCause::NoLock { map: Some(map) } => {
            Words::program(format!("the values of map `{map}` have no spin lock"), "here")
                .help("add a `struct bpf_spin_lock` to the value type")
        }
        ResourceCause::NoLock { map: None } => Words::program("the object has no spin lock", "here"),
        ResourceCause::LockElsewhere { off, lock } => {
            Words::program("the pointer does not point to the lock", format!("it is at {off}, the lock is at {lock}"))
        }
        ResourceCause::ManyReferences { object: _ } => {
            Words::program("the call is given two references, and can follow only one", "here")
        }
    }
}

/// By which helper, if it was one.
fn by(at: InsnIdx, names: &Names<'_>) -> alloc::string::String {
    match names.request().program.get(at) {
        Some(Insn::Call(Call::Helper(id))) => names.helper(*id).map(|name| format!(" by `{name}`")).unwrap_or_default(),
        _ => alloc::string::String::new(),
    }
}

fn held(site: LeakSite, what: &str, cure: &str) -> Words {
    Words::program(format!("{what} {}", site_words(site)), "here")
        .help(format!("call {cure} before this on every path"))
}

const fn site_words(site: LeakSite) -> &'static str {
    match site {
        LeakSite::Exit => "where the program returns",
        LeakSite::Throw => "where an exception is thrown",
        LeakSite::TailCall => "at a tail call",
        LeakSite::PacketLoad => "at a packet load that can end the program",
    }
}
