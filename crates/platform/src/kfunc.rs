//! Functions of the host that programs may call by type: prototypes as data, made from the host's own types and a table of flags.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::DynptrArg;

/// The answer to "may this program call this function of the host".
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KfuncLookup {
    /// It may; this is the prototype.
    Allowed(KfuncProto),
    /// The host has a function of this name, but not for this program.
    NotAllowed {
        /// Its name.
        name: String,
    },
    /// The host has it, or may have it, and this platform does not model it; the reason is for people.
    Unsupported(Cow<'static, str>),
}

/// What is true of calls of a function (`KF_*` flags).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct KfuncFlags(u16);

macro_rules! flags {
    ($($(#[doc = $doc:literal])+ $name:ident = $bit:literal;)*) => {
        impl KfuncFlags {
            $($(#[doc = $doc])+ pub const $name: Self = Self(1 << $bit);)*
        }
    };
}

flags! {
    /// The result is a reference that must be given back.
    ACQUIRE = 0;
    /// The first argument's reference is given back.
    RELEASE = 1;
    /// The result may be null.
    RET_NULL = 2;
    /// It may sleep.
    SLEEPABLE = 3;
    /// It may destroy what the host is doing.
    DESTRUCTIVE = 4;
    /// Objects that RCU protects will do where others ask for trusted ones.
    RCU = 5;
    /// It begins an iteration.
    ITER_NEW = 6;
    /// It goes on with an iteration.
    ITER_NEXT = 7;
    /// It ends an iteration.
    ITER_DESTROY = 8;
    /// It must be called in an RCU read section, and its result is protected by that.
    RCU_PROTECTED = 9;
    /// It spares the argument registers that it does not use.
    FASTCALL = 10;
    /// It may be called while a lock is held.
    SPINLOCK_SAFE = 11;
    /// The host itself adds arguments behind those that the program passes.
    IMPLICIT_ARGS = 12;
    /// Only for loaders with `CAP_PERFMON`.
    PERFMON = 13;
}

impl KfuncFlags {
    /// No flag.
    pub const NONE: Self = Self(0);

    /// Whether all of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The prototype of a function of the host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KfuncProto {
    /// Its name.
    pub name: String,
    /// What is true of calls of it.
    pub flags: KfuncFlags,
    /// Its arguments, those included that the host adds.
    pub args: Vec<KfuncArg>,
    /// Its result.
    pub ret: KfuncRet,
    /// What the lines above cannot say.
    pub special: KfuncSpecial,
}

/// One argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KfuncArg {
    /// What it must be.
    pub kind: KfuncArgKind,
    /// Null will do.
    pub nullable: bool,
    /// What it points to is written before it is read.
    pub uninit: bool,
    /// Bytes that it points to, as its type says, where it is a pointer to something of a known size.
    pub pointee: Option<u32>,
}

/// What an argument must be. (`enum kfunc_ptr_arg_type`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KfuncArgKind {
    /// The program does not pass it, or nothing looks at it.
    Ignored,
    /// A number.
    Scalar,
    /// A known number.
    Const,
    /// A known number of bytes that the result points to, or zero.
    ReturnSize {
        /// They may only be read.
        read_only: bool,
    },
    /// Bytes of the memory that the argument before it points to.
    MemSize,
    /// The same, a known number.
    ConstMemSize,
    /// The context.
    Ctx,
    /// An object of the host.
    Struct {
        /// Its type in the host's types.
        id: u32,
        /// It holds nothing but numbers: memory of its size will do.
        plain: bool,
    },
    /// Memory of the size that the next argument says.
    Mem,
    /// Memory of this size.
    FixedMem {
        /// Bytes.
        size: u32,
    },
    /// The state of an iteration, on the stack.
    Iterator {
        /// Its type in the host's types.
        id: u32,
        /// Slots of eight bytes that it takes.
        slots: u8,
    },
    /// A dynamic pointer.
    Dynptr(DynptrArg),
    /// A string that nobody can change.
    ConstStr,
    /// Where interrupts' state is saved, on the stack.
    IrqFlag,
    /// Something that is not modelled.
    NotModelled(&'static str),
}

/// What a function of the host returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KfuncRet {
    /// Nothing.
    Void,
    /// A number, or an address that is taken for one.
    Scalar,
    /// An object of the host.
    Struct {
        /// Its type in the host's types.
        id: u32,
    },
    /// Memory of this size; `None` where an argument has to say.
    Mem {
        /// Bytes.
        size: Option<u32>,
    },
    /// Something that is not modelled.
    NotModelled(&'static str),
}

/// What a prototype cannot say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KfuncSpecial {
    /// Nothing.
    None,
    /// An RCU read section begins.
    RcuReadLock,
    /// It ends.
    RcuReadUnlock,
    /// Preemption is switched off.
    PreemptDisable,
    /// It is switched on.
    PreemptEnable,
    /// Interrupts are switched off, and their state is saved.
    IrqSave,
    /// It is restored.
    IrqRestore,
    /// The result is the first argument, as an object of the type that the second names, of which nothing is known.
    ReadOnlyCast,
    /// The result is the context as the host's own structure of this name.
    KernelCtx {
        /// The structure in the host's types.
        id: u32,
    },
    /// The program ends here, and gives back the first argument instead of a result.
    Throw,
    /// The packet may move.
    MovesPacket,
    /// It writes through its first argument, a dynamic pointer.
    DynptrWrite,
    /// The result is a part of what the dynamic pointer lies over, as many bytes as the last argument says.
    DynptrSlice {
        /// It may be written.
        writable: bool,
    },
    /// The result may not be alive.
    UntrustedResult,
    /// It must not be reached: compilers call it where a program does what no program may.
    Trap,
    /// It is not modelled.
    NotModelled,
}
