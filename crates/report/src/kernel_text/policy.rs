//! Something that this program type, licence or privilege may not do.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Write;

use bpfvet_domain::Tnum;
use bpfvet_platform::{AttachType, ProgramType, Version};
use bpfvet_vm::violation::{LeakTo, PolicyCause, ReturnSite};

use crate::Names;
use crate::names::helper_name;
use crate::state_text::type_text;

pub(super) fn message(cause: &PolicyCause, names: &Names<'_>) -> String {
    match cause {
        PolicyCause::UnknownHelper { id } => format!("invalid func unknown#{id}"),
        PolicyCause::HelperNotAllowed { helper, id } if names.is_before(Version::new(6, 10)) => {
            format!("unknown func {}#{id}", helper_name(helper))
        }
        PolicyCause::HelperNotAllowed { helper, id } => {
            format!("program of this type cannot use helper {}#{id}", helper_name(helper))
        }
        PolicyCause::GplOnly { helper: _ } => {
            "cannot call GPL-restricted function from non-GPL compatible program".to_string()
        }
        PolicyCause::KfuncNotAllowed { kfunc } => format!("calling kernel function {kfunc} is not allowed"),
        PolicyCause::KfuncNeedsPerfmon { kfunc } => {
            format!("{kfunc} is allowed only to CAP_PERFMON and CAP_SYS_ADMIN")
        }
        PolicyCause::HelperRefused { helper: _ } => "helper call is not allowed in probe".to_string(),
        PolicyCause::HelperNeedsTracedFunction { helper, id, attach_differently: true } => {
            let helper = helper_name(helper);
            format!("func {helper}#{id} supported only for fentry/fexit/fsession/fmod_ret programs")
        }
        PolicyCause::HelperNeedsTracedFunction { helper, id, attach_differently: false } => {
            let kind = names.request().program_type.0;
            format!("func {}#{id} not supported for program type {kind}", helper_name(helper))
        }
        PolicyCause::HelperPacketAccess => "helper access to the packet is not allowed".to_string(),
        PolicyCause::PointerLeak { reg, to } => format!("R{} leaks addr {}", reg.number(), leak_text(*to)),
        PolicyCause::PacketLoad => "BPF_LD_[ABS|IND] instructions not allowed for this program type".to_string(),
        PolicyCause::PacketLoadContext => "at the time of BPF_LD_ABS|IND R6 != pointer to skb".to_string(),
        PolicyCause::ReturnValue { site, reg, smin, smax, min, max } if names.is_before(Version::new(6, 8)) => {
            let range =
                |min: i64, max: i64| TnumParts(Tnum::range(min.cast_unsigned(), max.cast_unsigned())).to_string();
            let value = match (smin, smax) {
                (Some(smin), Some(smax)) if *smin >= 0 || smin == smax => format!("value {}", range(*smin, *smax)),
                _ => "unknown scalar value".to_string(),
            };
            let wanted = range(i64::from(*min), i64::from(*max));
            format!("{} the register R{} has {value} should have been in {wanted}", site_text(*site), reg.number())
        }
        PolicyCause::ReturnValue { site, reg, smin, smax, min, max } => {
            let mut out = format!("{} the register R{} has", site_text(*site), reg.number());
            if let Some(smin) = smin {
                let _ = write!(out, " smin={smin}");
            }
            if let Some(smax) = smax {
                let _ = write!(out, " smax={smax}");
            }
            if smin.is_none() && smax.is_none() {
                out.push_str(" unknown scalar value");
            }
            let _ = write!(out, " should have been in [{min}, {max}]");
            // Only a void hook of this kind has one single allowed value.
            let request = names.request();
            let lsm_cgroup = request.program_type == ProgramType::LSM && request.attach_type == AttachType::LSM_CGROUP;
            if lsm_cgroup && min == max && *site == ReturnSite::Program {
                out.push_str("\nNote, BPF_LSM_CGROUP that attach to void LSM hooks can't modify return value!");
            }
            out
        }
        PolicyCause::ReturnKind { site: ReturnSite::Subprogram, reg: _, tag } => {
            format!("At subprogram exit the register R0 is not a scalar value ({})", type_text(*tag))
        }
        PolicyCause::ReturnKind { site, reg, tag } => {
            let (site, tag) = (site_text(*site), type_text(*tag));
            format!("{site} the register R{} is not a known value ({tag})", reg.number())
        }
        PolicyCause::CallbackReturnKind => "R0 not a scalar value".to_string(),
        PolicyCause::ReturnsStackPointer => "cannot return stack pointer to the caller".to_string(),
        PolicyCause::MapReadOnly => "write into map forbidden".to_string(),
    }
}

/// A number's bits, known and unknown, as releases before 6.8 wrote even constants.
struct TnumParts(Tnum);

impl core::fmt::Display for TnumParts {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "({:#x}; {:#x})", self.0.value, self.0.mask)
    }
}

const fn leak_text(to: LeakTo) -> &'static str {
    match to {
        LeakTo::Map => "into map",
        LeakTo::Ctx => "into ctx",
        LeakTo::Packet => "into packet",
        LeakTo::FlowKeys => "into flow keys",
        LeakTo::Mem => "into mem",
        LeakTo::Helper => "into helper function",
        LeakTo::Return => "as return value",
    }
}

const fn site_text(site: ReturnSite) -> &'static str {
    match site {
        ReturnSite::Program => "At program exit",
        ReturnSite::Subprogram => "At subprogram exit",
        ReturnSite::Callback => "At callback return",
        ReturnSite::AsyncCallback => "At async callback return",
        ReturnSite::SetRetval => "At bpf_set_retval",
    }
}
