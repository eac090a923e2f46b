//! What a program attaches to, found in the kernel's types.

use alloc::format;
use alloc::vec::Vec;

use bpfvet_btf::Kind;
use bpfvet_btf::co_re::TargetType;
use bpfvet_platform::{AttachTarget, AttachType, ProgramType};

use crate::link::Linker;
use crate::{Object, ProgramEntry, ProgramError, Warning};

/// Where the program attaches, and to what, for types that say so by the kernel's types.
pub(crate) fn resolve(
    object: &Object,
    entry: &ProgramEntry,
    program_type: ProgramType,
) -> Result<(AttachType, Option<AttachTarget>), ProgramError> {
    if program_type == ProgramType::STRUCT_OPS {
        return struct_ops(object, entry);
    }
    let Some(target) = entry.target.as_deref().filter(|_| entry.by_btf) else { return Ok((entry.attach_type, None)) };
    let found = find(object, target, entry.attach_type, program_type);
    let btf_id = found.map_or(0, |found| found.id.0);
    Ok((entry.attach_type, Some(AttachTarget { name: target.into(), btf_id, member: None })))
}

/// The member of the kernel's structure that the program is for; its index stands where an attach type would.
fn struct_ops(object: &Object, entry: &ProgramEntry) -> Result<(AttachType, Option<AttachTarget>), ProgramError> {
    let slots = object.maps.struct_ops.iter().flat_map(|ops| ops.programs.iter().map(move |slot| (ops, slot)));
    let mut mine = slots.filter(|(_, slot)| slot.2 == entry.function);
    let (ops, (member, local, _)) = mine.next().ok_or(ProgramError::Unreferenced)?;
    let kernel = &object.options.kernel_btf;
    let found = kernel.find(&ops.name, Kind::Struct);
    let (btf_id, index) =
        match found.and_then(|found| kernel.get(found)).and_then(|ty| ty.as_composite().zip(Some(ty.id()))) {
            Some((composite, id)) => {
                let index =
                    (0_u32..).zip(composite.members()).find(|(_, candidate)| candidate.name() == member.as_str());
                let missing = || ProgramError::Extern {
                    name: format!("{}::{member}", ops.name),
                    problem: "is not in the kernel".into(),
                };
                (id.0, index.map(|(index, _)| index).ok_or_else(missing)?)
            }
            None => (0, *local),
        };
    Ok((AttachType(index), Some(AttachTarget { name: ops.name.clone(), btf_id, member: Some(index) })))
}

/// The function or type that a name in a section stands for (`btf_get_kernel_prefix_kind` of libbpf).
fn find(object: &Object, target: &str, attach: AttachType, program_type: ProgramType) -> Option<TargetType> {
    // Replacements attach to a program, which is not here.
    if program_type == ProgramType::EXT {
        return None;
    }
    let (prefix, kind) = match attach {
        AttachType::TRACE_RAW_TP => ("btf_trace_", Kind::Typedef),
        AttachType::LSM_MAC | AttachType::LSM_CGROUP => ("bpf_lsm_", Kind::Func),
        AttachType::TRACE_ITER => ("bpf_iter_", Kind::Func),
        _ => ("", Kind::Func),
    };
    // `module:function`; which of the modules it is, only their names would tell.
    let name = target.split_once(':').map_or(target, |(_, name)| name);
    object.options.kernel_btf.find(&format!("{prefix}{name}"), kind)
}

/// What may keep a program from being attached, and what had to be assumed about the host.
pub(crate) fn warnings(object: &Object, entry: &ProgramEntry) -> Vec<Warning> {
    let mut out = Vec::new();
    let program_type = entry.program_type.unwrap_or(ProgramType::UNSPEC);
    if entry.by_btf && program_type != ProgramType::STRUCT_OPS {
        match entry.target.as_deref() {
            None => out.push(Warning::TargetNotNamed),
            Some(target) => {
                let absent = find(object, target, entry.attach_type, program_type).is_none();
                if absent && program_type != ProgramType::EXT && !object.options.kernel_btf.is_empty() {
                    out.push(Warning::NoTarget(target.into()));
                }
            }
        }
    }
    if program_type == ProgramType::STRUCT_OPS && !object.options.kernel_btf.is_empty() {
        let mine = object.maps.struct_ops.iter().filter(|ops| ops.programs.iter().any(|slot| slot.2 == entry.function));
        let absent = mine.filter(|ops| object.options.kernel_btf.find(&ops.name, Kind::Struct).is_none());
        out.extend(absent.map(|ops| Warning::NoTarget(ops.name.clone())));
    }
    let mut linker = Linker::new(object, entry);
    // What went wrong, if anything, is for the load to say; what was assumed until then was assumed.
    linker.link().ok();
    for &index in &linker.externs {
        let assumed = object.externs.assumption(index, &object.options);
        out.extend(assumed.filter(|assumed| !out.contains(assumed)));
    }
    out
}
