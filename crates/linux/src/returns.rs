//! What a program may return (`return_retval_range` and `check_return_code`, kernel/bpf/verifier.c).

use bpfvet_platform::{AttachType, LoadRequest, ProgramType, ReturnRule, Version};

use crate::lsm;

/// Largest error number (`MAX_ERRNO`).
const MAX_ERRNO: i32 = 4095;

const fn range(min: i32, max: i32) -> ReturnRule {
    ReturnRule::Range { min, max, low_half: false }
}

const fn since(version: Version, major: u16, minor: u16) -> bool {
    version.at_least(Version::new(major, minor))
}

/// The rule for a program, as far as tables can tell; [`ReturnRule::Unknown`] where the host's types decide.
pub(crate) fn rule(version: Version, attach: AttachType, request: &LoadRequest) -> ReturnRule {
    match request.program_type {
        ProgramType::CGROUP_SOCK_ADDR => match attach {
            AttachType::CGROUP_UDP4_RECVMSG
            | AttachType::CGROUP_UDP6_RECVMSG
            | AttachType::CGROUP_UNIX_RECVMSG
            | AttachType::CGROUP_INET4_GETPEERNAME
            | AttachType::CGROUP_INET6_GETPEERNAME
            | AttachType::CGROUP_UNIX_GETPEERNAME
            | AttachType::CGROUP_INET4_GETSOCKNAME
            | AttachType::CGROUP_INET6_GETSOCKNAME
            | AttachType::CGROUP_UNIX_GETSOCKNAME => range(1, 1),
            AttachType::CGROUP_INET4_BIND | AttachType::CGROUP_INET6_BIND if since(version, 5, 12) => range(0, 3),
            _ => range(0, 1),
        },
        ProgramType::CGROUP_SKB if attach == AttachType::CGROUP_INET_EGRESS && since(version, 5, 2) => range(0, 3),
        ProgramType::CGROUP_SKB
        | ProgramType::CGROUP_SOCK
        | ProgramType::SOCK_OPS
        | ProgramType::CGROUP_DEVICE
        | ProgramType::CGROUP_SYSCTL
        | ProgramType::CGROUP_SOCKOPT => {
            // Before, whatever was not one was taken for zero.
            if since(version, 4, 15) { range(0, 1) } else { ReturnRule::Any }
        }
        ProgramType::RAW_TRACEPOINT if request.attach_target.as_ref().is_some_and(|target| target.btf_id != 0) => {
            range(0, 0)
        }
        ProgramType::TRACING => match attach {
            AttachType::TRACE_FENTRY
            | AttachType::TRACE_FEXIT
            | AttachType::TRACE_FSESSION
            | AttachType::TRACE_FENTRY_MULTI
            | AttachType::TRACE_FEXIT_MULTI
            | AttachType::TRACE_FSESSION_MULTI => range(0, 0),
            AttachType::TRACE_RAW_TP | AttachType::MODIFY_RETURN => ReturnRule::Any,
            _ => range(0, 1),
        },
        ProgramType::KPROBE => match attach {
            AttachType::TRACE_KPROBE_SESSION | AttachType::TRACE_UPROBE_SESSION => range(0, 1),
            _ => ReturnRule::Any,
        },
        ProgramType::SK_LOOKUP | ProgramType::NETFILTER => range(0, 1),
        ProgramType::LSM => security_hook(version, attach, request),
        // Whether the operation returns a number, a pointer or nothing is written in the host's types.
        ProgramType::STRUCT_OPS => ReturnRule::Unknown,
        _ => ReturnRule::Any,
    }
}

fn security_hook(version: Version, attach: AttachType, request: &LoadRequest) -> ReturnRule {
    let Some(target) = &request.attach_target else {
        return ReturnRule::Unknown;
    };
    let hook = lsm::hook(&target.name);
    let void = lsm::RETURNING_VOID.contains(&hook);
    if attach == AttachType::LSM_CGROUP {
        return if void { range(1, 1) } else { range(0, 1) };
    }
    if void {
        ReturnRule::Void
    } else if !since(version, 6, 12) {
        ReturnRule::Any
    } else if lsm::RETURNING_BOOL.contains(&hook) {
        ReturnRule::Range { min: 0, max: 1, low_half: true }
    } else if lsm::RETURNING_INT.contains(&hook) {
        ReturnRule::Range { min: -MAX_ERRNO, max: 0, low_half: true }
    } else {
        ReturnRule::Unknown
    }
}
