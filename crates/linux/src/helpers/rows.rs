//! The vocabulary of the helper tables: short names for argument and return specifications, and the macro that reads a row.
//!
//! ```text
//! RINGBUF_RESERVE: 131 ringbuf_reserve since 5, 8 (MAP, ALLOC_SIZE, ANY) -> RECORD_OR_NULL, acquires;
//! └ constant       └ id └ name               └ release └ arguments          └ result          └ all else that is true
//! ```

use alloc::borrow::Cow;

use bpfvet_platform::{
    ArgKind, ArgSpec, DynptrArg, DynptrKind, Effects, Feature, HelperId, HelperProto, HelperSpecial, MemDir, MemSize,
    RetKind, RetRange, RetSpec, Version,
};

pub(super) use bpfvet_platform::HelperSpecial::{
    CallChain, DynptrData, DynptrFromMem, DynptrWrite, FindVma, ForEachMapElem, GetLocalStorage, KptrXchg, Loop,
    MapLookup, PerCpuPtr, SetRetval, Snprintf, SpinLock, SpinUnlock, TailCall, TimerSetCallback, UserRingbufDrain,
};

/// One prototype of a helper and the release that brought the helper.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) since: Version,
    pub(crate) proto: HelperProto,
}

/// Largest error number (`MAX_ERRNO`).
pub(super) const MAX_ERRNO: i32 = 4095;
/// Highest number of a processor on the largest machine that Linux can be built for on x86 (`CONFIG_NR_CPUS` 8192). A real host
/// knows its own, which is lower.
pub(super) const MAX_CPU: i32 = 8191;

pub(super) const ANY: ArgSpec = ArgSpec::of(ArgKind::Anything);
pub(super) const SCALAR: ArgSpec = ArgSpec::of(ArgKind::Scalar);
pub(super) const NO_SCALAR: ArgSpec = scalar_in(1, 0);
pub(super) const CTX: ArgSpec = ArgSpec::of(ArgKind::Ctx);
pub(super) const MAP: ArgSpec = ArgSpec::of(ArgKind::ConstMap);
pub(super) const KEY: ArgSpec = ArgSpec::of(ArgKind::MapKey);
pub(super) const VALUE: ArgSpec = ArgSpec::of(ArgKind::MapValue { dir: MemDir::Read });
pub(super) const VALUE_UNINIT: ArgSpec = ArgSpec::of(ArgKind::MapValue { dir: MemDir::WriteUninit });
pub(super) const READ: ArgSpec = memory(MemDir::Read, MemSize::NextArg);
pub(super) const WRITE: ArgSpec = memory(MemDir::Write, MemSize::NextArg);
pub(super) const UNINIT: ArgSpec = memory(MemDir::WriteUninit, MemSize::NextArg);
pub(super) const SIZE: ArgSpec = ArgSpec::of(ArgKind::MemSize);
pub(super) const SIZE_OR_ZERO: ArgSpec = ArgSpec::of(ArgKind::MemSizeOrZero);
/// The length of a tuple that a socket is looked up by.
pub(super) const TUPLE_SIZE: ArgSpec = ArgSpec::of(ArgKind::MemSizeOrZeroWith(Feature::ZeroTupleLengths));
/// The length of a TCP header that a cookie is made of.
pub(super) const COOKIE_SIZE: ArgSpec = ArgSpec::of(ArgKind::MemSizeOrZeroWith(Feature::ZeroCookieLengths));
pub(super) const ALLOC_SIZE: ArgSpec = ArgSpec::of(ArgKind::AllocSizeOrZero);
pub(super) const LOCK: ArgSpec = ArgSpec::of(ArgKind::SpinLock);
pub(super) const TIMER: ArgSpec = ArgSpec::of(ArgKind::Timer);
pub(super) const SOCK_COMMON: ArgSpec = ArgSpec::of(ArgKind::SockCommon);
pub(super) const SOCKET: ArgSpec = ArgSpec::of(ArgKind::Socket);
pub(super) const BTF_SOCK: ArgSpec = ArgSpec::of(ArgKind::BtfSockCommon);
pub(super) const PERCPU: ArgSpec = ArgSpec::of(ArgKind::PercpuStruct);
pub(super) const RECORD: ArgSpec = ArgSpec::of(ArgKind::RingbufMem);
pub(super) const FUNC: ArgSpec = ArgSpec::of(ArgKind::Func);
pub(super) const STACK: ArgSpec = ArgSpec::of(ArgKind::Stack);
pub(super) const CONST_STR: ArgSpec = ArgSpec::of(ArgKind::ConstStr);
pub(super) const KPTR_DEST: ArgSpec = ArgSpec::of(ArgKind::KptrXchgDest);
pub(super) const DYNPTR: ArgSpec = ArgSpec::of(ArgKind::Dynptr(DynptrArg::Any));
pub(super) const DYNPTR_RINGBUF: ArgSpec = ArgSpec::of(ArgKind::Dynptr(DynptrArg::Of(DynptrKind::Ringbuf)));
pub(super) const NEW_DYNPTR: ArgSpec = ArgSpec::of(ArgKind::Dynptr(DynptrArg::New(DynptrKind::Local)));
pub(super) const NEW_DYNPTR_RINGBUF: ArgSpec = ArgSpec::of(ArgKind::Dynptr(DynptrArg::New(DynptrKind::Ringbuf)));

const fn memory(dir: MemDir, size: MemSize) -> ArgSpec {
    ArgSpec::of(ArgKind::Mem { dir, size })
}

const fn fixed(dir: MemDir, bytes: u32, aligned: bool) -> ArgSpec {
    memory(dir, MemSize::Fixed { bytes, aligned })
}

/// So many bytes, read, at any alignment.
pub(super) const fn read(bytes: u32) -> ArgSpec {
    fixed(MemDir::Read, bytes, false)
}

/// So many bytes, read and written, aligned to their size.
pub(super) const fn write_aligned(bytes: u32) -> ArgSpec {
    fixed(MemDir::Write, bytes, true)
}

/// So many bytes, written whole, aligned to their size.
pub(super) const fn uninit_aligned(bytes: u32) -> ArgSpec {
    fixed(MemDir::WriteUninit, bytes, true)
}

/// A number between these two.
pub(super) const fn scalar_in(min: i32, max: i32) -> ArgSpec {
    ArgSpec::of(ArgKind::ScalarIn { min, max })
}

/// A pointer to a structure of the kernel.
pub(super) const fn object(name: &'static str) -> ArgSpec {
    ArgSpec::of(ArgKind::Struct(name))
}

pub(super) const INT: RetSpec = result(RetKind::Integer, false);
pub(super) const VOID: RetSpec = result(RetKind::Void, false);
pub(super) const VALUE_HERE: RetSpec = result(RetKind::MapValue, false);
pub(super) const VALUE_OR_NULL: RetSpec = result(RetKind::MapValue, true);
pub(super) const SOCKET_OR_NULL: RetSpec = result(RetKind::Socket, true);
pub(super) const TCP_SOCK_OR_NULL: RetSpec = result(RetKind::TcpSock, true);
pub(super) const SOCK_COMMON_OR_NULL: RetSpec = result(RetKind::SockCommon, true);
pub(super) const RECORD_OR_NULL: RetSpec = result(RetKind::RingbufMem, true);
pub(super) const DYNPTR_MEM_OR_NULL: RetSpec = result(RetKind::DynptrMem, true);
pub(super) const PERCPU_HERE: RetSpec = result(RetKind::MemOrStruct, false);
pub(super) const PERCPU_OR_NULL: RetSpec = result(RetKind::MemOrStruct, true);

const fn result(kind: RetKind, nullable: bool) -> RetSpec {
    RetSpec { kind, nullable, range: RetRange::Unknown }
}

/// A pointer to a structure of the kernel, or null.
pub(super) const fn object_or_null(name: &'static str) -> RetSpec {
    result(RetKind::Struct { name, trusted: false }, true)
}

/// A pointer to a structure of the kernel.
pub(super) const fn returns_object(name: &'static str) -> RetSpec {
    result(RetKind::Struct { name, trusted: false }, false)
}

/// A pointer to a structure of the kernel that is known to be alive.
pub(super) const fn returns_trusted(name: &'static str) -> RetSpec {
    result(RetKind::Struct { name, trusted: true }, false)
}

/// The given arguments, and no others.
pub(super) const fn args(given: &[ArgSpec]) -> [ArgSpec; 5] {
    let mut all = [ArgSpec::UNUSED; 5];
    let mut at = 0;
    while at < given.len() && at < all.len() {
        all[at] = given[at];
        at += 1;
    }
    all
}

impl Entry {
    pub(super) const fn new(since: Version, id: u32, name: &'static str, args: [ArgSpec; 5], ret: RetSpec) -> Self {
        let effects =
            Effects { sleeps: false, moves_packet: false, acquires: false, casts_socket: false, fastcall: false };
        let proto = HelperProto {
            id: HelperId(id),
            name: Cow::Borrowed(name),
            args,
            ret,
            gpl_only: false,
            pkt_access: false,
            effects,
            special: HelperSpecial::None,
        };
        Self { since, proto }
    }

    /// Only for programs with a GPL-compatible licence.
    pub(super) const fn gpl(mut self) -> Self {
        self.proto.gpl_only = true;
        self
    }

    /// Packet pointers may be passed as memory.
    pub(super) const fn pkt(mut self) -> Self {
        self.proto.pkt_access = true;
        self
    }

    /// It may sleep (`might_sleep`).
    pub(super) const fn sleeps(mut self) -> Self {
        self.proto.effects.sleeps = true;
        self
    }

    /// It may spare the argument registers (`allow_fastcall`).
    pub(super) const fn fastcall(mut self) -> Self {
        self.proto.effects.fastcall = true;
        self
    }

    /// It may move or resize the packet (`bpf_helper_changes_pkt_data`).
    pub(super) const fn moves_packet(mut self) -> Self {
        self.proto.effects.moves_packet = true;
        self
    }

    /// Its result must be released (`is_acquire_function`).
    pub(super) const fn acquires(mut self) -> Self {
        self.proto.effects.acquires = true;
        self
    }

    /// Its result shares the argument's reference (`is_ptr_cast_function`).
    pub(super) const fn casts(mut self) -> Self {
        self.proto.effects.casts_socket = true;
        self
    }

    /// A room of its own.
    pub(super) const fn special(mut self, special: HelperSpecial) -> Self {
        self.proto.special = special;
        self
    }

    /// An error, or at most what the size argument allowed (`do_refine_retval_range`).
    pub(super) const fn error_or_size(mut self, arg: u8) -> Self {
        self.proto.ret.range = RetRange::ErrorOrSizeOf { arg };
        self
    }

    /// A number between these two (`do_refine_retval_range`).
    pub(super) const fn between(mut self, min: i32, max: i32) -> Self {
        self.proto.ret.range = RetRange::Between { min: min as i64, max: max as i64 };
        self
    }
}

/// Reads rows, makes one constant of each, and a list of all.
macro_rules! protos {
    ($($name:ident: $id:literal $helper:ident since $major:literal, $minor:literal ($($arg:expr),*) -> $ret:expr
       $(, $flag:ident $(($($value:expr),*))?)*;)*) => {
        $(pub(super) static $name: Entry =
            Entry::new(bpfvet_platform::Version::new($major, $minor), $id, stringify!($helper), args(&[$($arg),*]), $ret)
                $(.$flag($($($value),*)?))*;)*

        /// Every row of this file.
        pub(super) static ALL: &[&Entry] = &[$(&$name),*];
    };
}
pub(super) use protos;
