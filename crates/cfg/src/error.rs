//! Why a program's shape is refused.

use alloc::string::String;

use bpfvet_insn::InsnIdx;
use thiserror::Error;

use crate::SubprogId;

/// A violation of the rules for a program's shape: what, and at which instruction.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{}{cause}", Place(*at))]
pub struct StructureError {
    /// The instruction at fault; `None` where it is the program as a whole.
    pub at: Option<InsnIdx>,
    /// What is wrong.
    pub cause: StructureCause,
}

impl StructureError {
    pub(crate) const fn at(at: InsnIdx, cause: StructureCause) -> Self {
        Self { at: Some(at), cause }
    }

    pub(crate) const fn whole(cause: StructureCause) -> Self {
        Self { at: None, cause }
    }
}

struct Place(Option<InsnIdx>);

impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Some(at) => write!(f, "instruction {at}: "),
            None => Ok(()),
        }
    }
}

/// What a loader without `CAP_BPF` asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Restricted {
    /// The address of a function of the program.
    FunctionAddress,
    /// A call of a function of the program.
    SubprogCall,
    /// A call of a kernel function.
    KernelCall,
}

/// What is wrong with the tag that names an exception callback.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Error)]
pub enum ExceptionCallbackFault {
    /// There is more than one tag.
    #[error("is not the only one")]
    Several,
    /// The program's types have no function of this name.
    #[error("is not among the program's types")]
    NoType,
    /// The function is not global.
    #[error("is not global")]
    NotGlobal,
    /// The function is not in the program.
    #[error("is not in the program")]
    NotInProgram,
    /// The function is the main function.
    #[error("is the main function")]
    Main,
}

/// What is wrong with a program's shape, with every quantity that the kernel's message prints.
///
/// Positions that a jump names may be outside of the program, hence the wide type; they are what the kernel computes in 32 bits.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum StructureCause {
    /// The program has no instruction.
    #[error("no instructions")]
    Empty,
    /// The program has more slots than the loader may use.
    #[error("{len} slots, more than {limit}")]
    TooLong {
        /// Slots it has.
        len: u32,
        /// Slots it may have.
        limit: u32,
    },
    /// The host has no calls between functions of a program.
    #[error("functions within a program are not supported by this host")]
    SubprogsUnavailable,
    /// The host has no addresses of functions.
    #[error("addresses of functions are not supported by this host")]
    FunctionAddressesUnavailable,
    /// Only a loader with `CAP_BPF` may do this.
    #[error("{} needs CAP_BPF", match what {
        Restricted::FunctionAddress => "the address of a function",
        Restricted::SubprogCall => "a call of a function of the program",
        Restricted::KernelCall => "a call of a kernel function",
    })]
    NotPermitted {
        /// What was asked for.
        what: Restricted,
    },
    /// A call, or a function's address, leads out of the program.
    #[error("call leads to {to}, outside of the program")]
    CallOutOfRange {
        /// Where it leads.
        to: i64,
    },
    /// The program has more functions than the host allows.
    #[error("more than {limit} functions")]
    TooManySubprogs {
        /// Functions it may have.
        limit: u32,
    },
    /// The main function's tag for an exception callback leads to no function.
    #[error("exception callback {name:?} {fault}")]
    ExceptionCallback {
        /// The name in the tag; empty where there is more than one tag.
        name: String,
        /// What is wrong with it.
        fault: ExceptionCallbackFault,
    },
    /// A jump leaves its function.
    #[error("jump leads to {to}, outside of its function [{start}, {end})")]
    JumpOutOfRange {
        /// Where it leads.
        to: i64,
        /// The function that the jump is in.
        subprog: SubprogId,
        /// The function's first slot.
        start: InsnIdx,
        /// One past the function's last slot.
        end: InsnIdx,
    },
    /// Control can run off the end of a function.
    #[error("function {subprog} does not end with an exit or a jump")]
    FallsThrough {
        /// The function.
        subprog: SubprogId,
    },
    /// An indirect jump in a function that no table of instructions belongs to.
    #[error("no jump table for the function that starts at {start}")]
    NoJumpTable {
        /// The function's first slot.
        start: InsnIdx,
    },
    /// A table of instructions whose contents are not known.
    #[error("the contents of jump table {map:?} are not known")]
    JumpTableUnknown {
        /// The map's name.
        map: String,
    },
    /// A table of instructions names a slot that is outside of the program or in the middle of an instruction.
    #[error("jump table {map:?} names slot {to}, where no instruction starts")]
    JumpTableEntry {
        /// The map's name.
        map: String,
        /// The slot.
        to: u32,
    },
    /// A table of instructions leads out of the function that jumps through it.
    #[error("jump table leads outside of its function [{start}, {end})")]
    JumpTableOutside {
        /// The function's first slot.
        start: InsnIdx,
        /// One past the function's last slot.
        end: InsnIdx,
    },
    /// A jump back, where loops are not allowed.
    #[error("jump back to {to}, and loops are not allowed")]
    BackEdge {
        /// Where it leads.
        to: InsnIdx,
    },
    /// No path leads here.
    #[error("cannot be reached")]
    Unreachable,
    /// Control reaches the second half of the 64-bit immediate load that starts here.
    #[error("control reaches the second half of this 64-bit immediate load")]
    JumpIntoWide,
    /// A function calls itself, through others or directly.
    #[error("recursive call of {callee} by {caller}")]
    RecursiveCall {
        /// Who calls.
        caller: SubprogId,
        /// The caller's name; empty where there is no type information.
        caller_name: String,
        /// Who is called.
        callee: SubprogId,
        /// The callee's name; empty where there is no type information.
        callee_name: String,
    },
    /// Pointers into the stack are passed through more frames than there can be.
    #[error("stack pointers passed through more than {limit} frames")]
    LivenessTooDeep {
        /// Frames there can be.
        limit: u32,
    },
    /// Which stack slots are live depends on more chains of calls than the host looks at.
    #[error("stack liveness needs {calls} analyses of functions, more than {limit}")]
    LivenessTooComplex {
        /// Analyses begun.
        calls: u32,
        /// Analyses that the host does.
        limit: u32,
    },
    /// A legacy packet load that a callback can reach.
    #[error("legacy packet load in callback {subprog}")]
    PacketLoadInCallback {
        /// The function that has it.
        subprog: SubprogId,
    },
    /// An exception is thrown in a callback, or in what it calls.
    #[error("throws in callback, in {subprog}")]
    ThrowInCallback {
        /// The function that has it.
        subprog: SubprogId,
    },
    /// A tail call under too much stack.
    #[error("tail call in {subprog} with {bytes} bytes of stack in the frames before, not below {limit}")]
    TailCallStackTooLarge {
        /// The function that has it.
        subprog: SubprogId,
        /// Bytes of stack of its callers.
        bytes: u32,
        /// What these must stay below.
        limit: u32,
    },
    /// A function with a stack of its own uses too much of it.
    #[error("{subprog} uses {bytes} bytes of stack, more than {limit}")]
    StackTooLarge {
        /// The function.
        subprog: SubprogId,
        /// Bytes, rounded as the host does.
        bytes: u32,
        /// Bytes it may use.
        limit: u32,
    },
    /// A chain of calls uses too much stack.
    #[error("{calls} nested functions use {bytes} bytes of stack, more than {limit}")]
    CombinedStackTooLarge {
        /// The innermost function.
        subprog: SubprogId,
        /// Functions in the chain.
        calls: u32,
        /// Bytes, each function's rounded as the host does.
        bytes: u32,
        /// Bytes they may use.
        limit: u32,
    },
    /// The call of an exception callback.
    #[error("direct call of exception callback {subprog}")]
    CallsExceptionCallback {
        /// The callback.
        subprog: SubprogId,
    },
    /// A chain of calls has too many frames.
    #[error("{frames} nested frames, and there can be no more than {limit}")]
    TooManyFrames {
        /// Frames of static functions on top of each other.
        frames: u32,
        /// Frames there can be.
        limit: u32,
    },
    /// A tail call that a callback can reach.
    #[error("tail call reachable from callback {subprog}")]
    TailCallInCallback {
        /// The callback.
        subprog: SubprogId,
    },
    /// There is not one record for each function.
    #[error("{records} function records for {functions} functions")]
    RecordCount {
        /// How many records there are.
        records: u32,
        /// How many functions there are.
        functions: u32,
    },
    /// A record is not where its function is.
    #[error("the record of {subprog} is elsewhere")]
    RecordElsewhere {
        /// The function.
        subprog: SubprogId,
    },
    /// A function that can end early is not known to return a number.
    #[error("{subprog} can end early and is not known to return a number")]
    HiddenExit {
        /// The function.
        subprog: SubprogId,
        /// What can end it: a legacy packet load, or else a tail call.
        packet_load: bool,
        /// There are records, and they say that it returns something else.
        described: bool,
    },
    /// A tail call in a program that passes arguments on the stack.
    #[error("tail call under {subprog}, which has stack arguments")]
    TailCallWithStackArgs {
        /// The function with stack arguments.
        subprog: SubprogId,
    },
}
