//! A call whose arguments or result break its contract.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bpfvet_insn::InsnIdx;
use bpfvet_platform::{MapKind, Version};
use bpfvet_vm::violation::{CallCause, Described, KnownNumber, PrototypeReason, SlotFault, SlotKind};

use super::{cause_message, place};
use crate::Names;
use crate::names::helper_name;
use crate::state_text::type_text;

pub(super) fn message(cause: &CallCause, at: InsnIdx, names: &Names<'_>) -> String {
    match cause {
        CallCause::TailCallWithSubprograms => {
            "tail_calls are not allowed in programs with bpf-to-bpf calls".to_string()
        }
        CallCause::ArgumentKind { place: arg, actual, expected } => {
            let mut expected: Vec<String> = expected.iter().map(|tag| type_text(*tag)).collect();
            if names.old_wording() && expected.len() > 3 {
                // Memory was not yet what a context may be.
                expected.retain(|kind| kind != "ctx");
            }
            if names.is_before(Version::new(6, 2)) {
                expected.retain(|kind| kind != "trusted_ptr_");
                expected
                    .iter_mut()
                    .filter(|kind| *kind == "ringbuf_mem")
                    .for_each(|kind| *kind = "alloc_mem".to_string());
            }
            format!("{} type={} expected={}", place(*arg), type_text(*actual), expected.join(", "))
        }
        CallCause::PossiblyNull { place: arg } if names.old_wording() => {
            let number = place(*arg);
            format!("Possibly NULL pointer passed to helper arg{}", number.trim_start_matches('R'))
        }
        CallCause::PossiblyNull { place: arg } => format!("Possibly NULL pointer passed to helper {}", place(*arg)),
        CallCause::ArgumentType { place: arg, actual, expected } => {
            format!("{} is of type {actual} but {expected} is expected", place(*arg))
        }
        CallCause::MayWrite { helper, place: arg, tag } => {
            let (helper, arg, tag) = (helper_name(helper), place(*arg), type_text(*tag));
            format!("{helper}() may write into memory pointed by {arg} type={tag}")
        }
        CallCause::ReleaseOffset { place: arg } => {
            format!("{} must have zero offset when passed to release func or trusted arg to kfunc", place(*arg))
        }
        CallCause::SizeNegative { place: arg } => {
            format!("{} min value is negative, either use unsigned or 'var &= const'", place(*arg))
        }
        CallCause::SizeZero { place: arg, umin, umax } => {
            let (umin, umax) = (umin.cast_signed(), umax.cast_signed());
            format!("{} invalid zero-sized read: u64=[{umin},{umax}]", place(*arg))
        }
        CallCause::SizeUnbounded { place: arg } => {
            format!("{} unbounded memory access, use 'var &= const' or 'if (var < const)'", place(*arg))
        }
        CallCause::NotConstant { place: arg, number: KnownNumber::Allocation } => {
            format!("{} is not a const", place(*arg))
        }
        CallCause::NotConstant { place: arg, number: KnownNumber::Plain | KnownNumber::MemorySize } => {
            format!("{} must be a known constant", place(*arg))
        }
        CallCause::AllocationTooLarge { place: arg } => format!("{} allocation size exceeds u32 max", place(*arg)),
        CallCause::MemoryTooLarge { place: arg, size } => format!("{} memory size {size} is too large", place(*arg)),
        CallCause::MapHelper { kind, helper, id } => {
            format!("cannot pass map_type {} into func {}#{id}", kind.0, helper_name(helper))
        }
        CallCause::TailCallMaps => "tail_call abusing map_ptr".to_string(),
        CallCause::SockmapUpdate { kind, helper, id } => {
            let pair = format!("cannot pass map_type {} into func {}#{id}", kind.0, helper_name(helper));
            format!("cannot update sockmap in this context\n{pair}")
        }
        CallCause::StringNoAddress => "direct value access on string failed".to_string(),
        CallCause::TailCallMap => "expected prog array map for tail call".to_string(),
        CallCause::SockmapArgument => "invalid arg_type for sockmap/sockhash".to_string(),
        CallCause::MapMismatch { object, object_place, object_uid, place: arg, uid } => {
            let (first, second) = (place(*object_place), place(*arg));
            format!(
                "{object} pointer in {first} map_uid={object_uid} doesn't match map pointer in {second} map_uid={uid}"
            )
        }
        CallCause::FieldVariable { place: arg, field } => {
            format!("{} doesn't have constant offset. {field} has to be at the constant offset", place(*arg))
        }
        CallCause::FieldWithoutTypes { map, field } => format!("map '{map}' has to have BTF in order to use {field}"),
        CallCause::NoField { map, field } => format!("map '{map}' has no valid {field}"),
        CallCause::FieldElsewhere { off, field, at } => {
            format!("off {off} doesn't point to 'struct {field}' that is at {at}")
        }
        CallCause::StringNotReadOnly { place: arg } => format!("{} does not point to a readonly map'", place(*arg)),
        CallCause::StringMapKind { place: arg, kind } => match *kind {
            MapKind::INSN_ARRAY | MapKind::PERCPU_ARRAY => {
                format!("{} points to {} map which cannot be used as const string", place(*arg), kind.name())
            }
            _ => "no direct value access support for this map type".to_string(),
        },
        CallCause::StringVariable { place: arg } => format!("{} is not a constant address'", place(*arg)),
        CallCause::StringUnterminated => "string is not zero-terminated".to_string(),
        CallCause::FormatString => "Invalid format string".to_string(),
        // The kernel says nothing here.
        CallCause::FormatArguments => String::new(),
        CallCause::LocalStorageFlags => "get_local_storage() doesn't support non-zero flags".to_string(),
        CallCause::NoIteration => "callback function not allowed for map".to_string(),
        CallCause::RetvalKind => "R1 is not a scalar".to_string(),
        CallCause::RetvalOfVoid => {
            "BPF_LSM_CGROUP that attach to void LSM hooks can't modify return value!".to_string()
        }
        CallCause::TooDeep { frames } => format!("the call stack of {frames} frames is too deep"),
        CallCause::MissingStackArgument { expected, missing } => {
            format!("callee expects {expected} args, stack arg{missing} is not initialized")
        }
        CallCause::GlobalArguments { subprog, name, inner } => {
            let inner = cause_message(inner, at, names);
            let separator = if inner.is_empty() { "" } else { "\n" };
            // Functions were numbers only.
            let named = if names.is_before(Version::new(6, 8)) { String::new() } else { format!(" ('{name}')") };
            format!("{inner}{separator}Caller passes invalid args into func#{subprog}{named}")
        }
        CallCause::NotScalar { place: arg } => format!("{} is not a scalar", place(*arg)),
        CallCause::NullToTrusted { place: arg } => {
            format!("Possibly NULL pointer passed to trusted {}", place(*arg))
        }
        CallCause::KfuncCtx { place: arg, actual } => {
            format!("{} expected pointer to ctx, but got {}", place(*arg), type_text(*actual))
        }
        CallCause::NotTrusted { place: arg, rcu: false } => format!("{} must be referenced or trusted", place(*arg)),
        CallCause::NotTrusted { place: arg, rcu: true } => format!("{} must be a rcu pointer", place(*arg)),
        CallCause::KfuncObject { place: arg, actual, expected, or } => {
            let Described { kind, name } = &**expected;
            let or = or.map_or_else(String::new, |tag| format!(" or {}", type_text(tag)));
            format!("{} is {} expected {kind} {name}{or}", place(*arg), type_text(*actual))
        }
        CallCause::KfuncType { kfunc, place: arg, expected, actual } => {
            let arg = place(*arg);
            format!(
                "kernel function {kfunc} {arg} expected pointer to {} {} but {arg} has a pointer to {} {}",
                expected.kind, expected.name, actual.kind, actual.name
            )
        }
        CallCause::MemoryPair { memory, size, inner } => format!(
            "{}\n{} and {} memory, len pair leads to invalid memory access",
            cause_message(inner, at, names),
            place(*memory),
            place(*size)
        ),
        CallCause::NotConstString { place: arg } => format!("{} doesn't point to a const string", place(*arg)),
        CallCause::CastToUnknown { id } => {
            format!("Unknown type ID {} passed to kfunc bpf_rdonly_cast", id.cast_signed())
        }
        CallCause::CastToNoStruct => "kfunc bpf_rdonly_cast type ID argument must be of a struct or void".to_string(),
        CallCause::NotOnStack { place: arg, kind: SlotKind::Iteration } => {
            format!("{} expected pointer to an iterator on stack", place(*arg))
        }
        CallCause::NotOnStack { place: arg, kind: SlotKind::IrqFlag } => {
            format!("{} doesn't point to an irq flag on stack", place(*arg))
        }
        CallCause::SlotState { place: arg, kind, name, initialised, fault } => {
            let object = match kind {
                SlotKind::Iteration => "iter",
                SlotKind::IrqFlag => "irq_flag",
            };
            let fault = match fault {
                None => String::new(),
                Some(SlotFault::Variable) => format!("{object} has to be at a constant offset\n"),
                Some(SlotFault::Offset(off)) => format!("cannot pass in {object} at an offset={off}\n"),
            };
            let wanted = match (kind, initialised) {
                (SlotKind::Iteration, true) => format!("expected an initialized iter_{name}"),
                (SlotKind::Iteration, false) => format!("expected uninitialized iter_{name}"),
                (SlotKind::IrqFlag, true) => "expected an initialized irq flag".to_string(),
                (SlotKind::IrqFlag, false) => "expected uninitialized irq flag".to_string(),
            };
            format!("{fault}{wanted} as {}", place(*arg))
        }
        CallCause::ProtectionLost { kfunc } => format!("expected an RCU CS when using {kfunc}"),
        CallCause::IrqOutOfOrder { active, taken } => {
            let taken = taken.map_or(0, |at| at.0);
            format!("cannot restore irq state out of order, expected id={active} acquired at insn_idx={taken}")
        }
        CallCause::Dynptr(cause) => super::dynptr::message(cause, names),
        CallCause::TrapReached => "unexpected __bpf_trap() due to uninitialized variable?".to_string(),
        CallCause::MissingKfunc => "invalid kernel function call not eliminated in verifier pass".to_string(),
        CallCause::NotCtx { place: arg } => format!("{} expects pointer to ctx", place(*arg)),
        CallCause::NotNonNull { place: arg } => format!("{} is expected to be non-NULL", place(*arg)),
        CallCause::NotArena { place: arg } => format!("{} is not a pointer to arena or scalar.", place(*arg)),
        CallCause::PacketPointerToMover { place: arg, subprog } => {
            format!("{} is a packet pointer, but func#{subprog} may change packet data", place(*arg))
        }
        CallCause::NoFunctionRecords => "missing btf func_info".to_string(),
        CallCause::CallbackNotStatic => "callback function not static".to_string(),
        CallCause::CallbackIsMain => "callback function cannot be the main program".to_string(),
        CallCause::Prototype { name, reason } => prototype_message(name, reason, names),
    }
}

/// Source: `btf_prepare_func_args`, `kernel/bpf/btf.c`, Linux 7.3.
pub(crate) fn prototype_message(name: &str, reason: &PrototypeReason, names: &Names<'_>) -> String {
    match reason {
        PrototypeReason::Untyped => "Global functions need valid BTF".to_string(),
        PrototypeReason::TooMany { count, max } if names.old_wording() => {
            format!("Global function {name}() with {count} > {max} args. Buggy compiler.")
        }
        PrototypeReason::TooMany { count, max: 5 } => {
            format!("global function {name} has {count} > 5 args, stack args not supported")
        }
        PrototypeReason::TooMany { count, max } => {
            format!("kernel supports at most {max} parameters, function {name} has {count}")
        }
        PrototypeReason::Return if names.old_wording() => {
            format!("Global function {name}() doesn't return scalar. Only those are supported.")
        }
        PrototypeReason::Return => {
            format!("Global function {name}() return value not void or scalar. Only those are supported.")
        }
        // The error is that the type has no size, -EINVAL.
        PrototypeReason::PointeeSize { arg, kind, name } => {
            format!("arg#{arg} reference type('{kind} {name}') size cannot be determined: -22")
        }
        PrototypeReason::ParameterKind { arg, kind } => {
            format!("Arg#{arg} type {kind} in {name}() is not supported yet.")
        }
        PrototypeReason::Tags { arg, alone: Some(tag) } => {
            format!("arg#{arg} {tag} cannot be combined with any other tags")
        }
        PrototypeReason::Tags { arg, alone: None } => format!("arg#{arg} has invalid combination of tags"),
        PrototypeReason::TagOnScalar { arg } => format!("arg#{arg} has pointer tag, but is not a pointer type"),
        PrototypeReason::TagOnStatic { arg } => {
            format!("arg#{arg} type tag is not supported in static functions")
        }
        PrototypeReason::UnknownTag { arg } => format!("arg#{arg} has unsupported set of tags"),
        PrototypeReason::ManyTypeTags => "function signature member has multiple type tags".to_string(),
        PrototypeReason::CtxType { arg, expected: Some(expected) } => {
            format!("arg#{arg} should be `struct {expected} *`")
        }
        PrototypeReason::CtxType { arg, expected: None } => format!("arg#{arg} should be void pointer"),
        PrototypeReason::HostType { arg, kind, name, ambiguous } => {
            let fault = if *ambiguous { "is ambiguous" } else { "has no matches" };
            format!("arg#{arg} reference type('{kind} {name}') {fault}")
        }
        PrototypeReason::NotStruct { arg, kind } => {
            format!("arg#{arg} has type {kind} '', but only struct or primitive types are allowed")
        }
        // The kernel remembers it and says nothing the second time.
        PrototypeReason::Unreliable => String::new(),
        PrototypeReason::NotModelled { what } => format!("not supported in a prototype: {what}"),
    }
}
