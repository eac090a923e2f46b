//! Which failures have an account, and what the kernel calls them.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bpfvet_cfg::{Restricted, StructureCause, StructureError};
use bpfvet_domain::{TnumText, Views as _};
use bpfvet_explore::{Rejection, RejectionCause};
use bpfvet_insn::{Call, Insn, InsnIdx, Reg};
use bpfvet_vm::violation::{
    Access, Bounds, CallCause, ContextCause, DynptrCause, KnownNumber, MemoryCause, NoSleepReason, Place, PolicyCause,
    RegisterCause, ResourceCause, SlotKind,
};
use bpfvet_vm::{Base, Cause, Flags, TypeTag, Violation};

use super::Account;
use crate::diagnostic::{Happened, History};
use crate::kernel_text::{kind_text, place, site_text};
use crate::names::{Names, helper_name};
use crate::state_text::type_text;

const REGISTER: &str = "Register Type Safety";
const MEMORY: &str = "Memory Safety";
const RESOURCE: &str = "Resource Lifetime Safety";
const CALL: &str = "Call Type Safety";
const CONTEXT: &str = "Execution Context Safety";
const STRUCTURE: &str = "Program Structure";
const POLICY: &str = "Policy";

impl Account {
    const fn new(category: &'static str, problem: &'static str) -> Self {
        Self { category, problem: alloc::borrow::Cow::Borrowed(problem), reason: None, note: None, tells_path: false }
    }

    fn reason(self, reason: String) -> Self {
        Self { reason: Some(reason), ..self }
    }

    fn note(self, note: String) -> Self {
        Self { note: Some(note), ..self }
    }

    fn path(self) -> Self {
        Self { tells_path: true, ..self }
    }

    fn policy(operation: &str, reason: &str) -> Self {
        Self::new(POLICY, "operation is not allowed")
            .reason(format!("The {operation} is not allowed: {reason}."))
            .note(format!("policy check failed for {operation}"))
    }

    fn argument(arg: Place, call: &str, reason: &str) -> Self {
        let what = match arg {
            Place::Reg(reg) => format!("{} argument (R{})", ordinal(u32::from(reg.number())), reg.number()),
            Place::StackArg(slot) => format!("{} argument ({})", ordinal(u32::from(slot) + 6), place(arg)),
        };
        Self::new(CALL, "invalid call argument")
            .reason(format!("The {what} to {call} does not satisfy the verifier contract: {reason}."))
            .note(format!("invalid {what} for {call}"))
            .path()
    }

    fn before_leaving(operation: &str, region: &str) -> Self {
        Self::new(CONTEXT, "operation is not allowed in this context")
            .note(format!("{operation} is not allowed before leaving {region}"))
            .path()
    }

    fn within(operation: &str, reason: NoSleepReason) -> Self {
        let region = match reason {
            NoSleepReason::Rcu => "RCU read lock region",
            NoSleepReason::Preempt => "non-preemptible region",
            NoSleepReason::Irq => "IRQ-disabled region",
            NoSleepReason::Lock => "lock region",
            NoSleepReason::Program => "non-sleepable program",
        };
        let account = Self::new(CONTEXT, "operation is not allowed in this context")
            .note(format!("{operation} is not allowed in {region}"));
        if reason == NoSleepReason::Program { account } else { account.path() }
    }
}

const fn ordinal(number: u32) -> &'static str {
    match number {
        1 => "first",
        2 => "second",
        3 => "third",
        4 => "fourth",
        5 => "fifth",
        6 => "sixth",
        7 => "seventh",
        8 => "eighth",
        9 => "ninth",
        10 => "tenth",
        11 => "eleventh",
        _ => "twelfth",
    }
}

/// A kind of value in the kernel's plain words.
fn plain(tag: TypeTag) -> String {
    let nullable = tag.flags.contains(Flags::NULLABLE);
    let words = match (tag.base, nullable) {
        (Base::Uninit, _) => "an uninitialized value",
        (Base::Scalar, _) => "an integer scalar",
        (Base::Ctx, _) => "a context pointer",
        (Base::Stack, _) => "a stack pointer",
        (Base::MapValue, true) => "a nullable map value pointer",
        (Base::MapValue, false) => "a map value pointer",
        (Base::Mem, true) => "a nullable memory pointer",
        (Base::Mem, false) => "a memory pointer",
        (Base::Btf, true) => "a nullable kernel object pointer",
        (Base::Btf, false) if tag.flags.contains(Flags::ALLOC) => "an owned allocated object pointer",
        (Base::Btf, false) if tag.flags.contains(Flags::UNTRUSTED) => "an untrusted kernel object pointer",
        (Base::Btf, false) => "a kernel object pointer",
        _ => return type_text(tag),
    };
    words.to_string()
}

/// What the kernel says of a failure, where it gives an account of it.
pub(super) fn of(rejection: &Rejection, names: &Names<'_>, history: &History) -> Option<Account> {
    match &rejection.cause {
        RejectionCause::Violation(violation) => of_violation(violation, names, history),
        RejectionCause::Structure(error) => structure(error),
        RejectionCause::Limit(_)
        | RejectionCause::LoadRefused(_)
        | RejectionCause::MapRefused { .. }
        | RejectionCause::NoSuchMap { .. }
        | RejectionCause::NoDirectValue { .. }
        | RejectionCause::MissingInsn { .. }
        | RejectionCause::DirectValueOutOfBounds { .. }
        | RejectionCause::InfiniteLoop { .. }
        | RejectionCause::Pass { .. }
        | RejectionCause::Unsupported(_)
        | RejectionCause::Interrupted
        | RejectionCause::Internal { .. } => None,
    }
}

fn of_violation(violation: &Violation, names: &Names<'_>, history: &History) -> Option<Account> {
    let Violation { at, frame, cause } = violation;
    match &**cause {
        Cause::Register(cause) => register(cause, *frame, history),
        Cause::Memory(cause) => memory(cause, history),
        Cause::Resource(cause) => resource(cause),
        Cause::Call(cause) => call(cause, &called(*at, names)),
        Cause::Context(cause) => context(cause),
        Cause::Policy(cause) => policy(cause),
    }
}

/// The name of what an instruction calls.
fn called(at: InsnIdx, names: &Names<'_>) -> String {
    let name = match names.request().program.get(at) {
        Some(Insn::Call(Call::Helper(id))) => names.helper(*id),
        Some(Insn::Call(Call::Kfunc { id, .. })) => {
            u32::try_from(*id).ok().map(|id| names.type_name(bpfvet_vm::BtfRef::Host, id))
        }
        Some(_) | None => None,
    };
    name.filter(|name| !name.is_empty()).unwrap_or("call").to_string()
}

fn register(cause: &RegisterCause, frame: usize, history: &History) -> Option<Account> {
    let problem = match cause {
        RegisterCause::Unreadable { reg } => return Some(unreadable(*reg, frame, history)),
        RegisterCause::PointerArithmetic32 { .. } => "32-bit pointer arithmetic",
        RegisterCause::PointerArithmeticOnNullable { .. } => "pointer arithmetic before NULL check",
        RegisterCause::PointerArithmeticOnKind { .. } => "pointer arithmetic is not allowed",
        RegisterCause::PointerFromScalar { .. } => "pointer subtracted from scalar",
        RegisterCause::StackPointerSubtraction { .. } => "subtraction from stack pointer",
        RegisterCause::PointerOperator { bitwise: true, .. } => "bitwise operation on pointer",
        RegisterCause::PointerOperator { bitwise: false, .. } => "invalid pointer arithmetic operator",
        RegisterCause::OffsetConstantTooLarge { .. }
        | RegisterCause::OffsetUnbounded { .. }
        | RegisterCause::OffsetTooLarge { .. }
        | RegisterCause::PointerOffsetTooLarge { .. } => "pointer offset is not safe",
        RegisterCause::FramePointerWritten
        | RegisterCause::PointerArithmetic { .. }
        | RegisterCause::PointerPointer { .. }
        | RegisterCause::SignExtendsPointer { .. }
        | RegisterCause::PartialPointerCopy { .. }
        | RegisterCause::PointerComparison { .. }
        | RegisterCause::SpeculativeArithmetic { .. }
        | RegisterCause::VariableStackPointer { .. }
        | RegisterCause::StackPointerOutOfRange { .. }
        | RegisterCause::MapValuePointerOutOfRange { .. }
        | RegisterCause::CastWithoutArena
        | RegisterCause::DivisionByZero
        | RegisterCause::InvalidShift { .. }
        | RegisterCause::ContradictoryScalar { .. }
        | RegisterCause::NotAnInstruction { .. }
        | RegisterCause::TableOffsetTooLarge { .. }
        | RegisterCause::OutsideTable { .. } => return None,
    };
    Some(Account::new(REGISTER, problem).path())
}

fn unreadable(reg: Reg, frame: usize, history: &History) -> Account {
    let frame = u8::try_from(frame).unwrap_or(u8::MAX);
    let number = reg.number();
    // Arguments are there from the beginning.
    let was_written = reg == Reg::R1
        || history.events().iter().any(|event| match event {
            Happened::Ran(ran) => ran.frame == frame && ran.wrote.is_some_and(|(wrote, _)| wrote == reg),
            Happened::Decided { .. } => false,
        });
    let reason = if was_written {
        format!("R{number} is not readable here: an operation before has invalidated it.")
    } else {
        format!("R{number} has never been initialized on this path, and this instruction reads it.")
    };
    Account::new(REGISTER, "unreadable register").reason(reason).note(format!("R{number} is not readable")).path()
}

fn memory(cause: &MemoryCause, history: &History) -> Option<Account> {
    Some(match cause {
        MemoryCause::InvalidPointer { access } => invalid_dereference(access),
        MemoryCause::ModifiedPointer { place: _, tag, offset: _ } => Account::new(REGISTER, "invalid dereference")
            .note(format!("dereference requires the original {} pointer", plain(*tag)))
            .path(),
        MemoryCause::OutOfBounds { access, bounds, limit, id: _ } => out_of_bounds(access, *bounds, *limit, history),
        MemoryCause::SpilledPointerCorrupted { .. } => Account::new(MEMORY, "stack spill corruption"),
        MemoryCause::StackUninit { .. } => Account::new(MEMORY, "uninitialized stack read"),
        MemoryCause::VariableStackToHelper { .. } => Account::new(MEMORY, "variable stack access"),
        MemoryCause::UntrustedMemory { tag: _ } => {
            Account::policy("read from untrusted read-only memory", "the access requires CAP_PERFMON")
        }
        MemoryCause::PacketEnd { .. }
        | MemoryCause::VariableOffset { .. }
        | MemoryCause::NegativeOffset { .. }
        | MemoryCause::Misaligned { .. }
        | MemoryCause::Context { .. }
        | MemoryCause::ContextArg { .. }
        | MemoryCause::FlowKeys { .. }
        | MemoryCause::FlowKeysVariable { .. }
        | MemoryCause::Socket { .. }
        | MemoryCause::SocketNegative { .. }
        | MemoryCause::BufferVariable { .. }
        | MemoryCause::BufferNegative { .. }
        | MemoryCause::ReadOnly { .. }
        | MemoryCause::KeyWritten { .. }
        | MemoryCause::MapFlags { .. }
        | MemoryCause::PacketReadOnly
        | MemoryCause::SpecialField { .. }
        | MemoryCause::KptrByHelper { .. }
        | MemoryCause::KptrVariable { .. }
        | MemoryCause::KptrMisaligned { .. }
        | MemoryCause::KptrSize { .. }
        | MemoryCause::StackOutOfBounds { .. }
        | MemoryCause::StackUnbounded { .. }
        | MemoryCause::StackPoisoned { .. }
        | MemoryCause::PartialPointerSpill
        | MemoryCause::PartialPointerFill
        | MemoryCause::StackPointerToCaller
        | MemoryCause::PointerLeakedFromStack { .. }
        | MemoryCause::VariableWriteOverSpill { .. }
        | MemoryCause::VariableWriteOverUninit { .. }
        | MemoryCause::VariableStack { .. }
        | MemoryCause::ZeroSized
        | MemoryCause::DifferentPointers
        | MemoryCause::AtomicOnKind { .. }
        | MemoryCause::InsnTableRead { .. }
        | MemoryCause::StackArgSealed
        | MemoryCause::StackArgOutOfBounds { .. }
        | MemoryCause::StackArgTooMany { .. }
        | MemoryCause::TypedAccess { .. } => return None,
    })
}

fn invalid_dereference(access: &Access) -> Account {
    let (pointer, kind) = (place(access.place), plain(access.tag));
    Account::new(REGISTER, "invalid dereference").note(format!("invalid dereference of {pointer} ({kind})")).path()
}

/// The bound that fails, in the kernel's words: its tests look at them, and at where the line breaks.
fn out_of_bounds(access: &Access, bounds: Bounds, limit: u32, history: &History) -> Account {
    let Access { place: pointer, tag, off, size, kind: _ } = access;
    let proof = match bounds {
        Bounds::Negative { start } => format!("the minimal bound for a memory access is a negative value: {start}"),
        Bounds::Min { start } => {
            format!("the minimal bound for a memory access is {start} and is outside of the object of size {limit}")
        }
        Bounds::Unbounded { umax } => format!(
            "the maximal bound for a memory access is {umax} and exceeds maximum allowed offset of {}",
            1_u32 << 29
        ),
        Bounds::Max { start } => {
            let end = start.saturating_add(*size);
            format!(
                "the maximal bound for a memory access is {end}: start {start} + access_size {size}, beyond object_size {limit}"
            )
        }
    };
    let offset = offset_text(*pointer, *off, history);
    let reason = format!(
        "The verifier cannot prove offset + access_size <= object_size. Here, {proof}. {} is {}; offset is {offset}; \
         access_size is {size}; object_size is {limit}.",
        place(*pointer),
        type_text(*tag),
    );
    Account::new(MEMORY, "access outside bounds")
        .reason(reason)
        .note("access may be outside object bounds".to_string())
        .path()
}

/// How far the pointer that failed is from where it points.
fn offset_text(pointer: Place, off: i64, history: &History) -> String {
    let value = match pointer {
        Place::Reg(reg) => history.failed().map(|state| state.reg(reg)),
        Place::StackArg(_) => None,
    };
    let Some(bpfvet_vm::Value::Pointer(pointer)) = value else { return "not known".to_string() };
    match pointer.off.as_const() {
        Some(start) => format!("constant {}", start.cast_signed().wrapping_add(off)),
        None => format!("variable {} plus fixed offset {off}", TnumText(pointer.off.bits())),
    }
}

fn resource(cause: &ResourceCause) -> Option<Account> {
    Some(match cause {
        ResourceCause::Leak { site: _, live } => {
            let (id, _) = live.first()?;
            Account::new(RESOURCE, "unreleased resource")
                .note(format!("owned resource (id={id}) still needs release"))
                .path()
        }
        ResourceCause::LockHeld { site } => Account::before_leaving(site_text(*site), "lock region"),
        ResourceCause::IrqHeld { site } => Account::before_leaving(site_text(*site), "IRQ-disabled region"),
        ResourceCause::RcuHeld { site } => Account::before_leaving(site_text(*site), "RCU read lock region"),
        ResourceCause::PreemptHeld { site } => Account::before_leaving(site_text(*site), "non-preemptible region"),
        ResourceCause::NotReferenced { helper, place } => Account::argument(
            *place,
            &helper_name(helper),
            "what is released must be what the matching acquire helper returned, and not be released yet",
        ),
        ResourceCause::NotReferencedByKfunc { kfunc, place } => Account::argument(
            *place,
            kfunc,
            "what is released must be what the matching acquire kfunc returned, and not be released yet",
        ),
        ResourceCause::SecondLock => Account::new(RESOURCE, "nested spin lock"),
        ResourceCause::UnlockWithoutLock => Account::new(RESOURCE, "unlock without lock"),
        ResourceCause::UnlockOfDifferentLock => Account::new(RESOURCE, "unlock of a different lock"),
        ResourceCause::DynptrOverwritten { .. } => Account::new(RESOURCE, "referenced dynptr overwrite"),
        ResourceCause::UnlockOutOfOrder => Account::new(RESOURCE, "unlock out of order"),
        ResourceCause::ReleasedWithChildren { .. }
        | ResourceCause::LockVariableOffset { .. }
        | ResourceCause::LockWithoutTypes { .. }
        | ResourceCause::NoLock { .. }
        | ResourceCause::LockElsewhere { .. }
        | ResourceCause::ManyReferences { .. } => return None,
    })
}

fn call(cause: &CallCause, name: &str) -> Option<Account> {
    Some(match cause {
        CallCause::ArgumentKind { place, actual, expected } => {
            let accepted: Vec<String> = expected.iter().map(|tag| type_text(*tag)).collect();
            let reason =
                format!("it has type {}, but this argument accepts {}", type_text(*actual), accepted.join(", "));
            Account::argument(*place, name, &reason)
        }
        CallCause::PossiblyNull { place } | CallCause::NullToTrusted { place } => {
            Account::argument(*place, name, "the pointer may be NULL, and must not be")
        }
        CallCause::NotConstant { place, number: KnownNumber::MemorySize } => {
            let arg = crate::kernel_text::place(*place);
            let reason = format!(
                "the kfunc requires this memory size to be a verifier-known constant, but {arg} is variable on this path"
            );
            Account::argument(*place, name, &reason)
        }
        CallCause::NotConstant { place, number: KnownNumber::Plain } => {
            Account::argument(*place, name, "it must be a known constant, and varies on this path")
        }
        CallCause::KfuncCtx { place, actual } => {
            Account::argument(*place, name, &format!("it must be a context pointer, and is {}", plain(*actual)))
        }
        CallCause::NotTrusted { place, rcu: false } => {
            Account::argument(*place, name, "it must be trusted, or own what it points to")
        }
        CallCause::NotTrusted { place, rcu: true } => {
            Account::argument(*place, name, "it must be protected by RCU, or trusted")
        }
        CallCause::KfuncObject { place, actual, expected, or: _ } => {
            Account::argument(*place, name, &format!("it must point to {}, and is {}", expected.name, plain(*actual)))
        }
        CallCause::MemoryPair { memory, size, inner: _ } => Account::argument(
            *memory,
            name,
            &format!("it does not point to as much memory as {} says", crate::kernel_text::place(*size)),
        ),
        CallCause::NotOnStack { place, kind: SlotKind::Iteration } => {
            Account::argument(*place, name, "an iteration's state must be on the stack")
        }
        CallCause::SlotState { kind, initialised, .. } => Account::new(
            RESOURCE,
            match (kind, initialised) {
                (SlotKind::Iteration, true) => "uninitialized iterator use",
                (SlotKind::Iteration, false) => "iterator is already initialized",
                (SlotKind::IrqFlag, true) => "uninitialized IRQ flag restore",
                (SlotKind::IrqFlag, false) => "IRQ flag is already initialized",
            },
        ),
        CallCause::Dynptr(DynptrCause::Argument { place }) => {
            Account::argument(*place, name, "a dynptr must be on the stack, or be one that the kernel gave")
        }
        CallCause::Dynptr(DynptrCause::Kind { place, expected, actual }) => {
            let (expected, actual) = (kind_text(*expected), kind_text(*actual));
            Account::argument(*place, name, &format!("the dynptr is of type {actual}, and must be of type {expected}"))
        }
        CallCause::Dynptr(DynptrCause::Room { .. }) => Account::new(RESOURCE, "dynptr is already initialized"),
        CallCause::Dynptr(DynptrCause::Missing { .. }) => Account::new(RESOURCE, "uninitialized dynptr use"),
        CallCause::Dynptr(DynptrCause::ConstReleased { .. }) => Account::new(RESOURCE, "const dynptr release"),
        CallCause::IrqOutOfOrder { .. } => Account::new(RESOURCE, "IRQ flag restore out of order").path(),
        CallCause::ProtectionLost { kfunc } => Account::new(CONTEXT, "required context is not active")
            .note(format!("{kfunc} requires RCU read lock region")),
        CallCause::MissingStackArgument { .. } => Account::new(REGISTER, "missing stack argument").path(),
        CallCause::ArgumentType { .. }
        | CallCause::MayWrite { .. }
        | CallCause::ReleaseOffset { .. }
        | CallCause::SizeNegative { .. }
        | CallCause::SizeZero { .. }
        | CallCause::SizeUnbounded { .. }
        | CallCause::NotConstant { number: KnownNumber::Allocation, .. }
        | CallCause::AllocationTooLarge { .. }
        | CallCause::TailCallWithSubprograms
        | CallCause::TailCallMaps
        | CallCause::SockmapUpdate { .. }
        | CallCause::StringNoAddress
        | CallCause::MemoryTooLarge { .. }
        | CallCause::MapHelper { .. }
        | CallCause::TailCallMap
        | CallCause::SockmapArgument
        | CallCause::MapMismatch { .. }
        | CallCause::FieldVariable { .. }
        | CallCause::FieldWithoutTypes { .. }
        | CallCause::NoField { .. }
        | CallCause::FieldElsewhere { .. }
        | CallCause::StringNotReadOnly { .. }
        | CallCause::StringMapKind { .. }
        | CallCause::StringVariable { .. }
        | CallCause::StringUnterminated
        | CallCause::FormatString
        | CallCause::FormatArguments
        | CallCause::LocalStorageFlags
        | CallCause::NoIteration
        | CallCause::RetvalKind
        | CallCause::RetvalOfVoid
        | CallCause::TooDeep { .. }
        | CallCause::GlobalArguments { .. }
        | CallCause::NotScalar { .. }
        | CallCause::NotCtx { .. }
        | CallCause::NotNonNull { .. }
        | CallCause::NotArena { .. }
        | CallCause::PacketPointerToMover { .. }
        | CallCause::KfuncType { .. }
        | CallCause::NotConstString { .. }
        | CallCause::CastToUnknown { .. }
        | CallCause::CastToNoStruct
        | CallCause::NotOnStack { kind: SlotKind::IrqFlag, .. }
        | CallCause::Dynptr(DynptrCause::Memory { .. } | DynptrCause::PartNotWritable)
        | CallCause::TrapReached
        | CallCause::MissingKfunc
        | CallCause::NoFunctionRecords
        | CallCause::CallbackNotStatic
        | CallCause::CallbackIsMain
        | CallCause::Prototype { .. } => return None,
    })
}

fn context(cause: &ContextCause) -> Option<Account> {
    Some(match cause {
        ContextCause::CallUnderLock => Account::before_leaving("function call", "lock region"),
        ContextCause::GlobalCallUnderLock => Account::before_leaving("global function", "lock region"),
        ContextCause::SleepingHelper { helper, id, reason } => {
            Account::within(&format!("sleepable helper {}#{id}", helper_name(helper)), *reason)
        }
        ContextCause::SleepingFunction { name, reason } => {
            Account::within(&format!("sleepable global function {name}()"), *reason)
        }
        ContextCause::SleepingKfunc { kfunc, reason } => Account::within(&format!("sleepable kfunc {kfunc}"), *reason),
        ContextCause::NeedsRcu { kfunc } => Account::new(CONTEXT, "required context is not active")
            .note(format!("{kfunc} requires RCU read lock region")),
        ContextCause::NothingToLeave { kfunc, preemption: _ } => Account::new(CONTEXT, "unmatched context exit")
            .note(format!("{kfunc} has no matching enter on this path"))
            .path(),
        ContextCause::InCallback { .. } => return None,
    })
}

fn policy(cause: &PolicyCause) -> Option<Account> {
    Some(match cause {
        PolicyCause::HelperNotAllowed { helper, id } => Account::policy(
            &format!("helper {}#{id}", helper_name(helper)),
            "this program type does not allow the helper",
        ),
        PolicyCause::GplOnly { helper } => Account::policy(
            &format!("helper {}", helper_name(helper)),
            "this helper is restricted to GPL-compatible programs",
        ),
        PolicyCause::HelperRefused { helper } => {
            Account::policy(&format!("helper {}", helper_name(helper)), "the helper does not allow it here")
        }
        PolicyCause::KfuncNotAllowed { kfunc } => {
            Account::policy(&format!("kfunc {kfunc}"), "this program cannot call the kfunc")
        }
        PolicyCause::KfuncNeedsPerfmon { kfunc } => {
            Account::policy(&format!("kfunc {kfunc}"), "the kfunc requires CAP_PERFMON")
        }
        PolicyCause::UnknownHelper { .. }
        | PolicyCause::HelperNeedsTracedFunction { .. }
        | PolicyCause::HelperPacketAccess
        | PolicyCause::PointerLeak { .. }
        | PolicyCause::PacketLoad
        | PolicyCause::PacketLoadContext
        | PolicyCause::ReturnValue { .. }
        | PolicyCause::ReturnKind { .. }
        | PolicyCause::CallbackReturnKind
        | PolicyCause::ReturnsStackPointer
        | PolicyCause::MapReadOnly => return None,
    })
}

fn structure(error: &StructureError) -> Option<Account> {
    let problem = match &error.cause {
        StructureCause::NotPermitted { what } => {
            return Some(match what {
                Restricted::FunctionAddress => Account::policy("BPF function reference", PERMISSION),
                Restricted::SubprogCall => Account::policy("BPF-to-BPF function call", PERMISSION),
                Restricted::KernelCall => Account::policy("kernel function call", PERMISSION),
            });
        }
        StructureCause::JumpOutOfRange { .. } => "jump out of range",
        StructureCause::FallsThrough { .. } => "subprogram can fall through",
        StructureCause::NoJumpTable { .. } => "missing jump table",
        StructureCause::JumpTableOutside { .. } => "jump table target out of range",
        StructureCause::BackEdge { .. } => "back-edge is not allowed",
        StructureCause::Unreachable => "unreachable instruction",
        StructureCause::JumpIntoWide => "jump into ldimm64 immediate",
        StructureCause::RecursiveCall { .. } => "recursive subprogram call",
        StructureCause::Empty
        | StructureCause::TooLong { .. }
        | StructureCause::SubprogsUnavailable
        | StructureCause::FunctionAddressesUnavailable
        | StructureCause::CallOutOfRange { .. }
        | StructureCause::TooManySubprogs { .. }
        | StructureCause::ExceptionCallback { .. }
        | StructureCause::JumpTableUnknown { .. }
        | StructureCause::JumpTableEntry { .. }
        | StructureCause::LivenessTooDeep { .. }
        | StructureCause::LivenessTooComplex { .. }
        | StructureCause::PacketLoadInCallback { .. }
        | StructureCause::ThrowInCallback { .. }
        | StructureCause::TailCallStackTooLarge { .. }
        | StructureCause::StackTooLarge { .. }
        | StructureCause::CombinedStackTooLarge { .. }
        | StructureCause::CallsExceptionCallback { .. }
        | StructureCause::TooManyFrames { .. }
        | StructureCause::TailCallInCallback { .. }
        | StructureCause::RecordCount { .. }
        | StructureCause::RecordElsewhere { .. }
        | StructureCause::HiddenExit { .. }
        | StructureCause::TailCallWithStackArgs { .. } => return None,
    };
    Some(Account::new(STRUCTURE, problem))
}

const PERMISSION: &str = "it requires CAP_BPF or CAP_SYS_ADMIN";
