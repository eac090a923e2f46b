//! A call whose arguments or result break its contract.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bpfvet_insn::InsnIdx;
use bpfvet_vm::violation::{CallCause, Described, PrototypeReason, SlotKind};

use super::{Words, argument, bytes, of_cause};
use crate::Names;
use crate::diagnostic::describe::tag_words;
use crate::diagnostic::{Class, Label, Role};
use crate::names::helper_name;

pub(super) fn words(cause: &CallCause, at: InsnIdx, names: &Names<'_>) -> Words {
    match cause {
        CallCause::ArgumentKind { place, actual, expected } => {
            let mut wanted: Vec<String> = expected.iter().map(|tag| tag_words(*tag).into_owned()).collect();
            // Several kinds can have the same words.
            let mut seen = BTreeSet::new();
            wanted.retain(|words| seen.insert(words.clone()));
            let words = Words::program(
                "an argument is of the wrong kind",
                format!("{} is {}", argument(*place), tag_words(*actual)),
            )
            .why(format!("needs {}", wanted.join(" or ")))
            .follow(*place);
            if actual.flags.contains(bpfvet_vm::Flags::NULLABLE) {
                words.help("check the pointer for null before the call")
            } else {
                words
            }
        }
        CallCause::PossiblyNull { place } => {
            Words::program("an argument may be null, and must not be", argument(*place))
                .help("check it for null before the call")
                .follow(*place)
        }
        CallCause::ArgumentType { place, actual, expected } => {
            Words::program("an argument points to the wrong type", format!("{}: `struct {actual}`", argument(*place)))
                .why(format!("needs `struct {expected}`"))
                .follow(*place)
        }
        CallCause::MayWrite { helper, place, tag } => Words::program(
            format!("`{}` may write there, and it must not be written", helper_name(helper)),
            format!("{} is {}", argument(*place), tag_words(*tag)),
        )
        .follow(*place),
        CallCause::ReleaseOffset { place } => {
            Words::program("a reference must be released through its original pointer", argument(*place)).follow(*place)
        }
        CallCause::SizeNegative { place } => Words::program("a size may be negative", argument(*place))
            .help("use an unsigned type, check `if (len < 0)`, or mask it: `len &= MAX`")
            .help("the compiler may have checked a 32-bit copy: check the variable that is passed")
            .follow(*place),
        CallCause::SizeZero { place, umin, umax } => Words::program("a size may be zero", argument(*place))
            .why(if umin == umax {
                format!("needs at least 1, and it is {umin}")
            } else {
                format!("needs at least 1, and it is from {umin} to {umax}")
            })
            .help("leave before the call if it is zero")
            .follow(*place),
        CallCause::SizeUnbounded { place } => Words::program("a size has no upper bound", argument(*place))
            .why("needs a size below 2^29, and no larger than the memory that goes with it")
            .help("compare it with the size of the buffer before the call, or mask it: `len &= sizeof(buf) - 1`")
            .follow(*place),
        CallCause::NotConstant { place, number: _ } => {
            Words::program("this argument must be a known number", argument(*place))
                .help("pass a constant, or make the two paths two calls")
                .follow(*place)
        }
        CallCause::AllocationTooLarge { place } => {
            Words::program("an allocation size must fit 32 bits", argument(*place)).follow(*place)
        }
        CallCause::TailCallMaps => Words::program("one tail call is reached with different maps", "here")
            .class(Class::Host)
            .help("give each map a tail call of its own"),
        CallCause::TailCallWithSubprograms => {
            Words::program("this kernel cannot mix tail calls with calls between functions", "here")
                .class(Class::Host)
                .help("inline the functions (`static __always_inline`), or require Linux 5.10")
        }
        CallCause::SockmapUpdate { kind, helper, id: _ } => Words::program(
            format!("a {} cannot be changed by `{}` here", kind.name(), helper_name(helper)),
            "this program type may run while the socket is locked",
        )
        .class(Class::Host),
        CallCause::StringNoAddress | CallCause::StringMapKind { .. } => {
            Words::program("a constant string is in a map that cannot hold one", "here")
                .help("use a string literal: it lands in a read-only array")
        }
        CallCause::MemoryTooLarge { place, size } => {
            Words::program("the memory is too large", format!("{}: {}", argument(*place), bytes(i64::from(*size))))
        }
        CallCause::MapHelper { kind, helper, id: _ } => Words::program(
            format!("`{}` does not work on maps of type {}", helper_name(helper), kind.name()),
            "called here",
        ),
        CallCause::TailCallMap => Words::program("a tail call needs a map of type prog_array", "here"),
        CallCause::SockmapArgument => Words::program("a socket map takes a socket as value", "here"),
        CallCause::MapMismatch { object, object_place, object_uid: _, place, uid: _ } => Words::program(
            format!("the {object} lies in another map than the one given"),
            format!("{} and {}", argument(*object_place), argument(*place)),
        ),
        CallCause::FieldVariable { place, field } => {
            Words::program(format!("a `struct {field}` at an offset that is not constant"), argument(*place))
                .follow(*place)
        }
        CallCause::FieldWithoutTypes { map, field } => {
            Words::program(format!("map `{map}` has no types, so its `struct {field}` cannot be found"), "here")
                .help("declare the map with `__type(value, …)` and compile with `-g`")
        }
        CallCause::NoField { map, field } => {
            Words::program(format!("the values of map `{map}` have no `struct {field}`"), "here")
        }
        CallCause::FieldElsewhere { off, field, at } => Words::program(
            format!("the pointer does not point to the `struct {field}`"),
            format!("it is at {off}, the field is at {at}"),
        ),
        CallCause::StringNotReadOnly { place } => {
            Words::program("a constant string must be in read-only memory", argument(*place))
                .help("use a string literal or a `static const char` array")
                .follow(*place)
        }
        CallCause::StringVariable { place } => {
            Words::program("a constant string must be at a known address", argument(*place)).follow(*place)
        }
        CallCause::StringUnterminated => Words::program("a constant string does not end inside its map", "here"),
        CallCause::FormatString => {
            Words::program("the format string is not understood, or does not go with its arguments", "here")
        }
        CallCause::FormatArguments => {
            Words::program("the size of the format's arguments is no multiple of 8", "each argument takes 8 bytes")
        }
        CallCause::LocalStorageFlags => Words::program("the flags must be zero", "here"),
        CallCause::NoIteration => Words::program("maps of this type cannot be iterated", "here"),
        CallCause::RetvalKind => Words::program("the return value that is set is not a number", "here"),
        CallCause::RetvalOfVoid => Words::program("this hook returns nothing, so no return value can be set", "here"),
        CallCause::TooDeep { frames } => {
            Words::program(format!("{frames} nested calls"), "one more than there can be").class(Class::Limit)
        }
        CallCause::MissingStackArgument { expected, missing } => Words::program(
            "an argument is missing",
            format!("the function takes {expected}; number {} was not stored", missing.saturating_add(5)),
        )
        .class(Class::Compiler),
        CallCause::GlobalArguments { subprog: _, name, inner } => {
            let words = of_cause(inner, at, names);
            let headline =
                format!("`{name}` is called with an argument that its prototype does not allow: {}", words.headline);
            Words { headline, ..words }
                .why("a global function is verified on its own, for everything that its prototype allows")
                .help("pass what the prototype says, change the prototype, or make the function static")
        }
        CallCause::NotScalar { place } => {
            Words::program("this argument must be a number", argument(*place)).follow(*place)
        }
        CallCause::NullToTrusted { place } => Words::program("this argument must not be null", argument(*place))
            .help("check it for null before the call")
            .follow(*place),
        CallCause::KfuncCtx { place, actual: _ } => {
            Words::program("this argument must be the context", argument(*place)).follow(*place)
        }
        CallCause::NotTrusted { place, rcu: false } => {
            Words::program("this argument must be an object that is known to be alive", argument(*place))
                .why("the kernel trusts what it hands out itself: arguments of hooks, and what acquiring functions return")
                .help("acquire a reference to the object, check it for null, and pass that")
                .follow(*place)
        }
        CallCause::NotTrusted { place, rcu: true } => {
            Words::program("this argument must be an object that RCU protects", argument(*place))
                .help("load the pointer between bpf_rcu_read_lock() and bpf_rcu_read_unlock(), and call there")
                .follow(*place)
        }
        CallCause::KfuncObject { place, actual, expected, or: _ } => {
            let Described { kind, name } = &**expected;
            Words::program(
                format!("this argument must be a pointer to `{kind} {name}` of the kernel"),
                format!("{} is {}", argument(*place), tag_words(*actual)),
            )
            .follow(*place)
        }
        CallCause::KfuncType { kfunc, place, expected, actual } => Words::program(
            format!("`{kfunc}` takes a pointer to `{} {}`", expected.kind, expected.name),
            format!("{} points to `{} {}`", argument(*place), actual.kind, actual.name),
        )
        .follow(*place),
        CallCause::MemoryPair { memory: _, size: _, inner } => of_cause(inner, at, names),
        CallCause::NotConstString { place } => {
            Words::program("this argument must be a string that cannot change", argument(*place))
                .help("make it `static const char[]`, so that it is in `.rodata`")
                .follow(*place)
        }
        CallCause::CastToUnknown { id } => {
            Words::program(format!("a cast to type {id}, which the kernel does not have"), "here")
        }
        CallCause::CastToNoStruct => Words::program("a cast to a type that is no structure", "here"),
        CallCause::NotOnStack { place, kind } => {
            Words::program(format!("{} must be on the stack", kept(*kind)), argument(*place)).follow(*place)
        }
        CallCause::SlotState { place, kind, name: _, initialised, fault } => {
            let what = kept(*kind);
            let headline = match (initialised, fault) {
                (_, Some(_)) => format!("{what} takes whole slots of the stack, at a known place"),
                (true, None) => format!("there is no {what} here, or another one"),
                (false, None) => format!("there is a {what} here already"),
            };
            Words::program(headline, argument(*place))
                .help("begin, go on and end with the same variable on every path, and do not write to it in between")
                .follow(*place)
        }
        CallCause::ProtectionLost { kfunc } => {
            Words::program(format!("`{kfunc}` is called outside of the RCU read section that it needs"), "called here")
                .help("keep the whole loop between bpf_rcu_read_lock() and bpf_rcu_read_unlock()")
        }
        CallCause::IrqOutOfOrder { active: _, taken } => {
            let mut words = Words::program("interrupts are restored in the wrong order", "here")
                .help("restore first what was saved last");
            let text = String::from("this was saved last");
            words.also.extend(taken.map(|at| Label { at, role: Role::Acquired, text }));
            words
        }
        CallCause::Dynptr(cause) => super::dynptr::words(cause),
        CallCause::TrapReached => Words::program("the compiler put a trap here", "this must not be reached")
            .why("compilers do so where what a program does has no meaning, such as reading a variable that was never set")
            .help("look at the compiler's warnings; initialise every variable"),
        CallCause::MissingKfunc => Words::program("the kernel does not have this function", "called here")
            .why("the loader left a mark in its place, because the kernel's types do not have it")
            .help("guard the call with `bpf_ksym_exists()`"),
        CallCause::NotCtx { place } => {
            Words::program("this argument must be the context", argument(*place)).follow(*place)
        }
        CallCause::NotNonNull { place } => Words::program("this argument must not be null", argument(*place))
            .help("check it for null before the call, or drop `__arg_nonnull` and check in the function")
            .follow(*place),
        CallCause::NotArena { place } => {
            Words::program("this argument must be an arena pointer or a number", argument(*place)).follow(*place)
        }
        CallCause::PacketPointerToMover { place, subprog } => Words::program(
            format!("`{}` may move the packet, and is given a pointer into it", names.subprog(*subprog)),
            argument(*place),
        )
        .help("pass an offset, and let the function compute the pointer after it moved the packet")
        .follow(*place),
        CallCause::NoFunctionRecords => {
            Words::program("the address of a function is taken without function records", "here")
                .help("compile with `-g`, so that BTF describes the functions")
        }
        CallCause::CallbackNotStatic => Words::program("a callback must be a static function", "here"),
        CallCause::CallbackIsMain => Words::program("the main program cannot be its own callback", "here"),
        CallCause::Prototype { name, reason } => prototype(name, reason),
    }
}

fn prototype(name: &str, reason: &PrototypeReason) -> Words {
    let headline = format!("the prototype of global function `{name}` cannot be verified");
    let label = match reason {
        PrototypeReason::Untyped => "it has no type".into(),
        PrototypeReason::TooMany { count, max } => format!("it has {count} parameters, and may have {max}"),
        PrototypeReason::Return => "it returns neither void nor a number".into(),
        PrototypeReason::PointeeSize { arg, kind: _, name } => {
            format!("parameter {arg} points to `{name}`, whose size is not known")
        }
        PrototypeReason::ParameterKind { arg, kind } => format!("parameter {arg} is a {kind}"),
        PrototypeReason::Tags { arg, alone: Some(tag) } => {
            format!("parameter {arg} is tagged {tag}, and has other tags beside it")
        }
        PrototypeReason::Tags { arg, alone: None } => format!("the tags of parameter {arg} contradict each other"),
        PrototypeReason::TagOnScalar { arg } => format!("parameter {arg} has a pointer's tag and is no pointer"),
        PrototypeReason::TagOnStatic { arg } => format!("parameter {arg} of a static function has a tag"),
        PrototypeReason::UnknownTag { arg } => format!("parameter {arg} has a tag that this host does not know"),
        PrototypeReason::ManyTypeTags => "a pointer has more than one type tag".into(),
        PrototypeReason::CtxType { arg, expected: Some(expected) } => {
            format!("parameter {arg} should be `struct {expected} *`")
        }
        PrototypeReason::CtxType { arg, expected: None } => format!("parameter {arg} should be `void *`"),
        PrototypeReason::HostType { arg, kind: _, name, ambiguous: true } => {
            format!("parameter {arg}: the host has several types `{name}`")
        }
        PrototypeReason::HostType { arg, kind: _, name, ambiguous: false } => {
            format!("parameter {arg}: the host has no type `{name}`")
        }
        PrototypeReason::NotStruct { arg, kind: _ } => {
            format!("parameter {arg} is tagged untrusted and is no structure")
        }
        PrototypeReason::Unreliable => "it does not describe the function".into(),
        PrototypeReason::NotModelled { what } => format!("bpfvet does not model this: {what}"),
    };
    let words = Words::program(headline, label).help("make the function static, or change its parameters");
    match reason {
        PrototypeReason::NotModelled { what: _ } => words.class(Class::Unsupported),
        PrototypeReason::Untyped
        | PrototypeReason::TooMany { .. }
        | PrototypeReason::Return
        | PrototypeReason::PointeeSize { .. }
        | PrototypeReason::ParameterKind { .. }
        | PrototypeReason::Tags { .. }
        | PrototypeReason::TagOnScalar { .. }
        | PrototypeReason::TagOnStatic { .. }
        | PrototypeReason::UnknownTag { .. }
        | PrototypeReason::ManyTypeTags
        | PrototypeReason::CtxType { .. }
        | PrototypeReason::HostType { .. }
        | PrototypeReason::NotStruct { .. }
        | PrototypeReason::Unreliable => words,
    }
}

/// What a function of the kernel keeps on the stack, in words.
const fn kept(kind: SlotKind) -> &'static str {
    match kind {
        SlotKind::Iteration => "state of an iteration",
        SlotKind::IrqFlag => "saved interrupt state",
    }
}
