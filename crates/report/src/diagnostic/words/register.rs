//! A register holds the wrong kind of thing.

use alloc::format;

use bpfvet_insn::InsnIdx;
use bpfvet_vm::violation::{AluReason, RegisterCause};

use super::{Words, added, of_cause};
use crate::Names;
use crate::diagnostic::Class;
use crate::diagnostic::describe::{number_words, tag_words};

const UNPRIVILEGED: &str = "load with CAP_PERFMON, or keep the pointer inside its object with a bound of one sign";

pub(super) fn words(cause: &RegisterCause, at: InsnIdx, names: &Names<'_>) -> Words {
    match cause {
        RegisterCause::Unreadable { reg } => Words::program(
            format!("`{reg}` is read before it has a value"),
            format!("`{reg}` has no value here"),
        )
        .why("every path to this instruction must write the register first; calls leave r1 to r5 without a value")
        .help(format!("give `{reg}` a value on every path, or keep it in r6 to r9 or on the stack across calls"))
        .follow((*reg).into()),
        RegisterCause::FramePointerWritten => {
            Words::program("the frame pointer `r10` is written", "`r10` may only be read")
                .help("copy `r10` to another register and change that one")
        }
        RegisterCause::PointerArithmetic { reg } => {
            Words::program("this operation cannot be done to a pointer", format!("`{reg}` holds a pointer"))
                .help("do it to a number instead; pointers can only be moved by adding and subtracting numbers")
                .follow((*reg).into())
        }
        RegisterCause::PointerArithmetic32 { reg, tag } => Words::program(
            "32-bit arithmetic on a pointer",
            format!("`{reg}` holds a pointer to {}, and this would cut it in half", tag_words(*tag)),
        )
        .class(Class::Compiler)
        .help("use 64-bit types for pointer arithmetic, so that the compiler does not choose 32-bit instructions")
        .follow((*reg).into()),
        RegisterCause::PointerArithmeticOnNullable { reg, tag } => {
            Words::program("arithmetic on a pointer that may be null", format!("`{reg}` is {} here", tag_words(*tag)))
                .why("null plus an offset is no longer null: a later check would not find it")
                .help("check for null before the pointer is moved; the compiler may have moved the addition up")
                .follow((*reg).into())
        }
        RegisterCause::PointerArithmeticOnKind { reg, tag } => Words::program(
            format!("a pointer to {} cannot be moved", tag_words(*tag)),
            format!("`{reg}` must stay as it is"),
        )
        .help("use the pointer unchanged, and put the offset into the access")
        .follow((*reg).into()),
        RegisterCause::PointerPointer { reg, op } => Words::program(
            format!("two pointers cannot be combined with `{}=`", op.symbol()),
            format!("`{reg}` and the other operand are both pointers"),
        )
        .help("only subtraction of pointers is possible, with CAP_PERFMON; everything else needs a number")
        .follow((*reg).into()),
        RegisterCause::PointerOperator { reg, op, bitwise: _ } => Words::program(
            format!("`{}=` would destroy a pointer", op.symbol()),
            format!("`{reg}` holds a pointer"),
        )
        .help("add or subtract a number; where the compiler merged two expressions, hide one with `barrier_var()`")
        .follow((*reg).into()),
        RegisterCause::PointerFromScalar { reg } => {
            Words::program("a pointer is subtracted from a number", format!("`{reg}` is a number"))
                .help("subtract the other way round, so that the pointer comes first")
                .follow((*reg).into())
        }
        RegisterCause::StackPointerSubtraction { reg } => {
            Words::program("subtraction from a stack pointer", format!("`{reg}` points to the stack"))
                .help("add a negative number instead")
        }
        RegisterCause::OffsetConstantTooLarge { tag, value } => Words::program(
            "a pointer would be moved too far",
            format!("{value} is added to a pointer to {}", tag_words(*tag)),
        )
        .why("an offset must stay between -2^29 and 2^29"),
        RegisterCause::OffsetUnbounded { tag, offset } => {
            let words = Words::program(
                "the number added to a pointer has no lower bound",
                format!("added to a pointer to {}", tag_words(*tag)),
            )
            .why(format!("needs a number between -2^29 and 2^29, and this is {}", number_words(offset)))
            .help("use an unsigned type, or check that the number is not negative before it is added")
            .help("a check of a 32-bit copy does not bound the 64-bit register: compare the variable that is used");
            match added(at, names) {
                Some(reg) => words.follow(reg.into()),
                None => words,
            }
        }
        RegisterCause::OffsetTooLarge { tag, smin } => {
            let words = Words::program(
                "the number added to a pointer can be too large",
                format!("added to a pointer to {}", tag_words(*tag)),
            )
            .why(format!("needs a number between -2^29 and 2^29, and its lowest value is {smin}"))
            .help("bound the number before it is added");
            match added(at, names) {
                Some(reg) => words.follow(reg.into()),
                None => words,
            }
        }
        RegisterCause::PointerOffsetTooLarge { tag, offset } => Words::program(
            format!("a pointer to {} is moved too far", tag_words(*tag)),
            format!("its offset is {offset} here"),
        )
        .why("an offset must stay between -2^29 and 2^29"),
        RegisterCause::SignExtendsPointer { reg } => {
            Words::program("part of a pointer is sign-extended", format!("`{reg}` holds a pointer"))
                .follow((*reg).into())
        }
        RegisterCause::PartialPointerCopy { reg } => {
            Words::program("half of a pointer is copied", format!("`{reg}` holds a pointer"))
                .why("its value would become readable, which needs CAP_PERFMON")
                .follow((*reg).into())
        }
        RegisterCause::PointerComparison { reg } => {
            Words::program("a pointer is compared with a number", format!("`{reg}` holds a pointer"))
                .class(Class::Host)
                .why("the outcome tells part of a kernel address, which needs CAP_PERFMON; null checks are allowed")
                .follow((*reg).into())
        }
        RegisterCause::SpeculativeArithmetic { reg, adds: _, reason } => {
            let why = match reason {
                AluReason::MixedSigns => "the offset can be negative and positive, so no mask bounds it",
                AluReason::Kind => "pointers of this kind have no size to mask with",
                AluReason::Paths => "another path does the same with another pointer, and one mask cannot serve both",
                AluReason::Limit => "the pointer would leave its object",
            };
            Words::program("pointer arithmetic that a processor could misuse by guessing", format!("on `{reg}`"))
                .class(Class::Host)
                .why(why)
                .help(UNPRIVILEGED)
                .follow((*reg).into())
        }
        RegisterCause::VariableStackPointer { reg, offset, off: _ } => Words::program(
            "a stack pointer with a variable offset",
            format!("`{reg}` moves by {}", number_words(offset)),
        )
        .class(Class::Host)
        .help("load with CAP_PERFMON, or use constant offsets into the stack")
        .follow((*reg).into()),
        RegisterCause::StackPointerOutOfRange { reg, off } => {
            Words::program("a stack pointer leaves the stack", format!("`{reg}` is at {off:+} from the frame pointer"))
                .class(Class::Host)
                .why("without CAP_PERFMON even the pointer must stay between -512 and -1")
                .follow((*reg).into())
        }
        RegisterCause::MapValuePointerOutOfRange { reg, inner } => {
            let Words { why, .. } = of_cause(inner, at, names);
            let mut words = Words::program("a pointer leaves its map value", format!("`{reg}` can be outside here"))
                .class(Class::Host)
                .why("without CAP_PERFMON even the pointer must stay inside the value")
                .help(UNPRIVILEGED)
                .follow((*reg).into());
            words.why.extend(why);
            words
        }
        RegisterCause::CastWithoutArena => {
            Words::program("an address-space cast without an arena", "this program uses no arena map")
                .help("declare an arena map and use it in the program")
        }
        RegisterCause::DivisionByZero => Words::program("division by the constant zero", "here"),
        RegisterCause::InvalidShift { amount } => {
            Words::program(format!("shift by {amount}"), "more than the register has bits, or negative")
        }
        RegisterCause::ContradictoryScalar { what: _, num: _ } => {
            Words::program("what is known of a number contradicts itself", "no number can be here")
                .class(Class::Limit)
                .why("the load asked that this be an error (BPF_F_TEST_REG_INVARIANTS); the path cannot happen")
        }
        RegisterCause::NotAnInstruction { reg, tag } => Words::program(
            "an indirect jump through something that is no entry of a jump table",
            format!("`{reg}` is {}", tag_words(*tag)),
        )
        .follow((*reg).into()),
        RegisterCause::TableOffsetTooLarge { reg, highest, offset } => Words::program(
            "an indirect jump through an entry that no jump table can have",
            format!(
                "`{reg}` may come from {offset} bytes into a table, at {}",
                if *highest { "most" } else { "least" }
            ),
        )
        .follow((*reg).into()),
        RegisterCause::OutsideTable { reg, first, last, entries } => Words::program(
            "an indirect jump through an entry that its jump table does not have",
            format!("`{reg}` may come from entries {first} to {last} of a table of {entries}"),
        )
        .follow((*reg).into()),
    }
}
