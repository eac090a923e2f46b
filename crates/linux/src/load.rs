//! What the kernel asks of a program before it looks at an instruction.

use bpfvet_platform::{AttachType, LoadFlags, LoadRefusal, LoadRequest, ProgramType, ProgramTypeInfo, Version};

use crate::{attach, lsm, typed};

/// Attach types at which a program of type `TRACING` may sleep (`can_be_sleepable`), and from when on.
static SLEEPING_TRACING: &[(AttachType, u16, u16)] = &[
    (AttachType::TRACE_FENTRY, 5, 10),
    (AttachType::TRACE_FEXIT, 5, 10),
    (AttachType::MODIFY_RETURN, 5, 10),
    (AttachType::TRACE_ITER, 5, 16),
    (AttachType::TRACE_FSESSION, 7, 0),
    (AttachType::TRACE_RAW_TP, 7, 2),
    (AttachType::TRACE_FENTRY_MULTI, 7, 3),
    (AttachType::TRACE_FEXIT_MULTI, 7, 3),
    (AttachType::TRACE_FSESSION_MULTI, 7, 3),
];

/// Functions that no tracing program may attach to (`btf_id_deny`).
static DENIED_TARGETS: &[&str] = &[
    "___migrate_enable",
    "migrate_disable",
    "migrate_enable",
    "rcu_read_unlock_strict",
    "preempt_count_add",
    "preempt_count_sub",
    "__rcu_read_lock",
    "__rcu_read_unlock",
];

/// The release from which on functions that do not return are looked at: it came with 6.15 and was brought back to 6.12.
const NORETURN: Version = Version::new(6, 12);

/// Functions that do not return (`noreturn_deny`).
static NORETURN_TARGETS: &[&str] = &[
    "__ia32_sys_exit",
    "__ia32_sys_exit_group",
    "__kunit_abort",
    "kunit_try_catch_throw",
    "__module_put_and_kthread_exit",
    "__x64_sys_exit",
    "__x64_sys_exit_group",
    "do_exit",
    "do_group_exit",
    "kthread_complete_and_exit",
    "make_task_dead",
];

/// What the kernel asks before it looks at an instruction (`bpf_prog_load`, `check_attach_btf_id`), in its order.
pub(crate) fn check(version: Version, info: &ProgramTypeInfo, request: &LoadRequest) -> Result<(), LoadRefusal> {
    let privilege = request.privilege;
    if let Some(flag) = unknown_flag(version, request) {
        return Err(LoadRefusal::UnknownFlag(flag));
    }
    if !info.unprivileged && !privilege.bpf {
        return Err(LoadRefusal::NeedsBpf);
    }
    if info.needs_net_admin && !privilege.net_admin {
        return Err(LoadRefusal::NeedsNetAdmin);
    }
    if info.needs_perfmon && !privilege.perfmon {
        return Err(LoadRefusal::NeedsPerfmon);
    }
    let place = request.attached_as();
    // For the other types the kernel does not look at the number when it loads a program.
    if let Some(allowed) = attach::allowed(info.kind) {
        if place.0 != 0 && attach::since(place).is_none_or(|since| !version.at_least(since)) {
            return Err(LoadRefusal::UnknownAttachType);
        }
        if !allowed.contains(&place) {
            return Err(LoadRefusal::AttachType);
        }
    }
    if info.always_sleeps {
        return if request.flags.sleepable { Ok(()) } else { Err(LoadRefusal::MustSleep) };
    }
    if request.flags.sleepable && !may_sleep(version, info, place) {
        return Err(LoadRefusal::CannotSleep);
    }
    if info.kind == ProgramType::STRUCT_OPS && !request.gpl_compatible {
        return Err(LoadRefusal::NeedsGpl);
    }
    if info.attaches_by_btf { check_target(version, info.kind, place, request) } else { Ok(()) }
}

/// The first flag of the load that the release does not know.
fn unknown_flag(version: Version, request: &LoadRequest) -> Option<&'static str> {
    let LoadFlags {
        // That programs sleep depends on their type too, which is looked at below.
        sleepable: _,
        strict_alignment,
        any_alignment,
        test_state_freq,
        test_reg_invariants,
        xdp_has_frags,
    } = request.flags;
    let flags = [
        (strict_alignment, "BPF_F_STRICT_ALIGNMENT", 4, 12),
        (any_alignment, "BPF_F_ANY_ALIGNMENT", 5, 0),
        (test_state_freq, "BPF_F_TEST_STATE_FREQ", 5, 4),
        (xdp_has_frags, "BPF_F_XDP_HAS_FRAGS", 5, 18),
        (test_reg_invariants, "BPF_F_TEST_REG_INVARIANTS", 6, 8),
    ];
    let unknown =
        |&&(set, _, major, minor): &&(bool, &str, u16, u16)| set && !version.at_least(Version::new(major, minor));
    flags.iter().find(unknown).map(|(_, name, ..)| *name)
}

fn may_sleep(version: Version, info: &ProgramTypeInfo, attach: AttachType) -> bool {
    info.may_sleep
        && match info.kind {
            ProgramType::TRACING => SLEEPING_TRACING
                .iter()
                .any(|(one, major, minor)| *one == attach && version.at_least(Version::new(*major, *minor))),
            ProgramType::LSM => attach != AttachType::LSM_CGROUP,
            _ => true,
        }
}

fn check_target(
    version: Version,
    kind: ProgramType,
    attach: AttachType,
    request: &LoadRequest,
) -> Result<(), LoadRefusal> {
    if kind == ProgramType::EXT {
        return Err(LoadRefusal::Unsupported("it depends on the program that this one replaces".into()));
    }
    if kind == ProgramType::TRACING && MULTI.contains(&attach) {
        return Err(LoadRefusal::Unsupported("it attaches to several functions at once".into()));
    }
    let Some(target) = &request.attach_target else {
        return Err(LoadRefusal::NoTarget);
    };
    match kind {
        ProgramType::LSM => check_hook(version, lsm::hook(&target.name), request),
        ProgramType::TRACING if attach != AttachType::TRACE_RAW_TP && attach != AttachType::TRACE_ITER => {
            let name = target.name.as_str();
            let after = matches!(
                attach,
                AttachType::TRACE_FEXIT
                    | AttachType::TRACE_FSESSION
                    | AttachType::TRACE_FSESSION_MULTI
                    | AttachType::MODIFY_RETURN
            );
            if DENIED_TARGETS.contains(&name) {
                Err(LoadRefusal::ForbiddenTarget)
            } else if after && version.at_least(NORETURN) && NORETURN_TARGETS.contains(&name) {
                Err(LoadRefusal::TargetNeverReturns)
            } else {
                check_function(version, attach, request, name)
            }
        }
        ProgramType::TRACING if attach == AttachType::TRACE_RAW_TP => {
            let tracepoint = target.name.strip_prefix("btf_trace_").unwrap_or(&target.name);
            let faults = typed::is_faultable(tracepoint);
            if request.flags.sleepable && !faults { Err(LoadRefusal::TargetCannotSleep) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

/// Whether programs at a function may sleep, or may replace what it returns (`bpf_check_attach_target`).
fn check_function(
    version: Version,
    attach: AttachType,
    request: &LoadRequest,
    function: &str,
) -> Result<(), LoadRefusal> {
    let refusal = if request.flags.sleepable {
        (!typed::may_sleep(function)).then_some(LoadRefusal::TargetCannotSleep)
    } else if attach == AttachType::MODIFY_RETURN {
        (!typed::may_modify_return(function)).then_some(LoadRefusal::TargetNotModifiable)
    } else {
        None
    };
    match refusal {
        None => Ok(()),
        Some(refusal) if version == crate::Linux::NEWEST => Err(refusal),
        Some(_) => {
            Err(LoadRefusal::Unsupported("the functions that allow it are known for the newest release only".into()))
        }
    }
}

/// Attach types that stand for several functions at once.
const MULTI: [AttachType; 3] =
    [AttachType::TRACE_FENTRY_MULTI, AttachType::TRACE_FEXIT_MULTI, AttachType::TRACE_FSESSION_MULTI];

fn check_hook(version: Version, hook: &str, request: &LoadRequest) -> Result<(), LoadRefusal> {
    if request.flags.sleepable && !lsm::may_sleep(version, hook) {
        Err(LoadRefusal::TargetCannotSleep)
    } else if !request.gpl_compatible {
        Err(LoadRefusal::NeedsGpl)
    } else if lsm::DISABLED.contains(&hook) {
        Err(LoadRefusal::ForbiddenTarget)
    } else if lsm::RETURNING_INT.contains(&hook) || lsm::RETURNING_VOID.contains(&hook) {
        Ok(())
    } else if version == crate::Linux::NEWEST {
        Err(LoadRefusal::UnknownTarget)
    } else {
        Err(LoadRefusal::Unsupported("the hooks that are known are those of the newest release".into()))
    }
}
