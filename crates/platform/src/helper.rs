//! Helpers: prototypes as data, so that checking a call is a loop over five rows.

use alloc::borrow::Cow;

use crate::{DynptrArg, Feature, MapKind};

/// A helper, by the number in the call's immediate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HelperId(pub u32);

/// The answer to "may this program call this helper".
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HelperLookup<'a> {
    /// It may; this is the prototype for this program.
    Allowed(&'a HelperProto),
    /// The host has it, but not for this program type, attach type or privilege.
    NotForProgram,
    /// The program type has it, and the host refuses it at this attach point, for this reason.
    Refused(HelperRefusal),
    /// The host has no such helper.
    Unknown,
    /// The host has it and this platform does not model it; the reason is for people.
    Unsupported(Cow<'static, str>),
}

/// Why a helper that the program type has is refused at an attach point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HelperRefusal {
    /// The helper's own list of attach points does not have this one (`allowed` of `struct bpf_func_proto`).
    AttachPoint,
    /// The program is not called through a trampoline, which alone knows the traced function's address (`check_get_func_ip`).
    NoTrampoline,
    /// No program of this type has a traced function (`check_get_func_ip`).
    NoTracedFunction,
}

/// A helper's prototype.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HelperProto {
    /// Its number.
    pub id: HelperId,
    /// Its name without the `bpf_` prefix, as in `map_lookup_elem`.
    pub name: Cow<'static, str>,
    /// Its arguments; those after the last are [`ArgKind::Unused`].
    pub args: [ArgSpec; 5],
    /// Its result.
    pub ret: RetSpec,
    /// Only for programs with a GPL-compatible licence.
    pub gpl_only: bool,
    /// Packet pointers may be passed as memory arguments.
    pub pkt_access: bool,
    /// What it does besides returning.
    pub effects: Effects,
    /// What the rows above cannot say.
    pub special: HelperSpecial,
}

impl HelperProto {
    /// A helper that takes these arguments (five at most; more are ignored) and returns this, and about which nothing else is
    /// special: any licence, no packet memory, no effects.
    #[must_use]
    pub fn new(id: HelperId, name: &'static str, args: &[ArgSpec], ret: RetSpec) -> Self {
        let mut all = [ArgSpec::UNUSED; 5];
        for (slot, arg) in all.iter_mut().zip(args) {
            *slot = *arg;
        }
        Self {
            id,
            name: Cow::Borrowed(name),
            args: all,
            ret,
            gpl_only: false,
            pkt_access: false,
            effects: Effects::default(),
            special: HelperSpecial::None,
        }
    }
}

/// What an argument must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArgSpec {
    /// Its kind.
    pub kind: ArgKind,
    /// A null pointer (a scalar known to be zero) will do.
    pub nullable: bool,
    /// The call takes over the reference (`OBJ_RELEASE`).
    pub release: bool,
}

impl ArgSpec {
    /// No argument.
    pub const UNUSED: Self = Self::of(ArgKind::Unused);

    /// An argument of this kind, not null, not released.
    #[must_use]
    pub const fn of(kind: ArgKind) -> Self {
        Self { kind, nullable: false, release: false }
    }

    /// The same, or null.
    #[must_use]
    pub const fn or_null(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// The same, and released by the call.
    #[must_use]
    pub const fn released(self) -> Self {
        Self { release: true, ..self }
    }
}

/// What a helper does with the memory it is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemDir {
    /// Only reads it, so it must be initialised; read-only memory will do.
    Read,
    /// Writes it whole, so it need not be initialised.
    WriteUninit,
    /// Writes it, and it must be initialised all the same.
    Write,
    /// Undeclared in the host's prototype: it must be initialised and writable memory is assumed where it matters.
    Any,
}

/// How much memory a pointer argument stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemSize {
    /// The next argument says.
    NextArg,
    /// This many bytes (`MEM_FIXED_SIZE`).
    Fixed {
        /// Bytes.
        bytes: u32,
        /// The pointer must be aligned to the size (`MEM_ALIGNED`).
        aligned: bool,
    },
}

/// The kind of value that an argument takes (`enum bpf_arg_type`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgKind {
    /// There is no such argument.
    Unused,
    /// Anything initialised; pointers only where leaks are allowed.
    Anything,
    /// A number.
    Scalar,
    /// A number between these two, both included: what the attach point may be told to return (`set_retval`).
    ScalarIn {
        /// Lowest.
        min: i32,
        /// Highest.
        max: i32,
    },
    /// A map, known.
    ConstMap,
    /// Memory of the map's key size, read.
    MapKey,
    /// Memory of the map's value size.
    MapValue {
        /// Whether it is read or written.
        dir: MemDir,
    },
    /// Memory.
    Mem {
        /// What is done with it.
        dir: MemDir,
        /// How much of it.
        size: MemSize,
    },
    /// Size of the memory argument before it; not zero.
    MemSize,
    /// Size of the memory argument before it; may be zero.
    MemSizeOrZero,
    /// Size of the memory argument before it; may be zero where the host has this feature.
    MemSizeOrZeroWith(Feature),
    /// Size to allocate, a known number.
    AllocSizeOrZero,
    /// The program's context.
    Ctx,
    /// A spin lock in a map value or an allocated object.
    SpinLock,
    /// A timer in a map value.
    Timer,
    /// Any socket.
    SockCommon,
    /// A full socket.
    Socket,
    /// Any socket, also as a typed pointer.
    BtfSockCommon,
    /// A pointer to this structure of the host, by name; empty where another argument decides (`kptr_xchg`).
    Struct(&'static str),
    /// A pointer to any typed per-CPU variable.
    PercpuStruct,
    /// A reserved ring buffer record.
    RingbufMem,
    /// A function of the program, used as a callback.
    Func,
    /// Stack, for a callback's use.
    Stack,
    /// A string that ends inside a read-only map.
    ConstStr,
    /// Where a kernel pointer is stored.
    KptrXchgDest,
    /// A dynamic pointer.
    Dynptr(DynptrArg),
    /// An arena pointer.
    Arena,
}

impl ArgKind {
    /// Whether it is the size of the memory argument before it.
    #[must_use]
    pub const fn is_mem_size(self) -> bool {
        matches!(self, Self::MemSize | Self::MemSizeOrZero | Self::MemSizeOrZeroWith(_))
    }
}

/// What a helper returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetSpec {
    /// Its kind.
    pub kind: RetKind,
    /// It may be null instead.
    pub nullable: bool,
    /// What is known of a number it returns.
    pub range: RetRange,
}

impl RetSpec {
    /// This kind, never null, and nothing known of a number.
    #[must_use]
    pub const fn of(kind: RetKind) -> Self {
        Self { kind, nullable: false, range: RetRange::Unknown }
    }

    /// The same, or null.
    #[must_use]
    pub const fn or_null(self) -> Self {
        Self { nullable: true, ..self }
    }
}

/// The kind of a result (`enum bpf_return_type`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RetKind {
    /// A number.
    Integer,
    /// Nothing; `r0` is then unreadable.
    Void,
    /// The value that the map argument holds for the key argument.
    MapValue,
    /// A full socket.
    Socket,
    /// A TCP socket.
    TcpSock,
    /// The common part of a socket.
    SockCommon,
    /// A ring buffer record, of the size that the allocation argument gives.
    RingbufMem,
    /// Memory of a dynamic pointer, of the size that the allocation argument gives.
    DynptrMem,
    /// The per-CPU variable that the argument stands for, as a typed pointer or, where it is no structure, as read-only memory.
    MemOrStruct,
    /// A structure of the host, by name in its BTF, with what is known of its lifetime.
    Struct {
        /// The name; empty where an argument decides.
        name: &'static str,
        /// Whether it is known to be alive.
        trusted: bool,
    },
}

/// What is known of the number a helper returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RetRange {
    /// Nothing.
    Unknown,
    /// A length up to what the size argument allowed, or a negative error (`-4095..=max`).
    ErrorOrSizeOf {
        /// Index of the size argument, counted from zero.
        arg: u8,
    },
    /// Between these two, both included.
    Between {
        /// Lowest.
        min: i64,
        /// Highest.
        max: i64,
    },
}

/// What a call does besides returning.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Effects {
    /// It may sleep.
    pub sleeps: bool,
    /// It may move or resize the packet: all packet pointers become useless.
    pub moves_packet: bool,
    /// Its result is a new reference that must be released.
    pub acquires: bool,
    /// Its result is the first argument seen as something else, and shares its reference.
    pub casts_socket: bool,
    /// Kernels may inline it so that it spares `r1` to `r5` (the `bpf_fastcall` contract).
    pub fastcall: bool,
}

/// Helpers whose semantics a prototype cannot express; each is a room of its own in the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HelperSpecial {
    /// None.
    None,
    /// `map_lookup_elem` and its kin: the result depends on the map's kind, and a constant key may rule out null.
    MapLookup,
    /// `tail_call`.
    TailCall,
    /// `spin_lock`.
    SpinLock,
    /// `spin_unlock`.
    SpinUnlock,
    /// `timer_set_callback`: an asynchronous callback.
    TimerSetCallback,
    /// `for_each_map_elem`.
    ForEachMapElem,
    /// `find_vma`.
    FindVma,
    /// `loop`.
    Loop,
    /// `user_ringbuf_drain`.
    UserRingbufDrain,
    /// `get_local_storage`: flags must be zero.
    GetLocalStorage,
    /// `snprintf`: format string against argument count.
    Snprintf,
    /// `set_retval`: the bounds are those of the argument's specification.
    SetRetval,
    /// `kptr_xchg`.
    KptrXchg,
    /// `dynptr_from_mem`: the memory must be a map value.
    DynptrFromMem,
    /// `dynptr_data`.
    DynptrData,
    /// `dynptr_write`.
    DynptrWrite,
    /// `per_cpu_ptr`, `this_cpu_ptr`.
    PerCpuPtr,
    /// A helper that takes a call chain buffer (`get_stack`, `get_stackid`).
    CallChain,
}

/// The restricted pairs of map kind and helper: `true` where a map of this kind may be passed to this helper.
///
/// A platform answers through [`crate::Platform::map_allows_helper`]; this alias names the shape of its table.
pub type MapHelperRow = (MapKind, &'static [HelperId]);
