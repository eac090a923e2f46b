//! Values: what a register or a spilled slot may hold.

use core::num::NonZeroU32;

use bpfvet_domain::{Domain, Scalar, Views};
use bpfvet_platform::DynptrKind;

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $name:ident;)*) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub NonZeroU32);

        impl $name {
            /// Its number, never zero. All kinds of identities draw from one counter, as the kernel's log shows them.
            #[must_use]
            pub const fn get(self) -> u32 {
                self.0.get()
            }
        }
    )*};
}

ids! {
    /// Scalars that carry the same one are equal, up to a known difference.
    ScalarId;
    /// Packet pointers that carry the same one have the same variable part, and share what is known of the packet's end.
    PacketId;
    /// The object a pointer refers to: pointers that carry the same one are null together, owned together and released
    /// together. When it names a live reference, the pointer owns that reference.
    ObjectId;
}

/// What a register or a spilled slot may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Value<D = Scalar> {
    /// Nothing that may be read.
    #[default]
    Uninit,
    /// A number.
    Scalar(ScalarValue<D>),
    /// A pointer.
    Pointer(Pointer<D>),
}

/// Values are copied, compared and kept by the million: one fits a line of the cache.
const _: () = assert!(size_of::<Value>() == 64);

/// A number, with what links it to other numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScalarValue<D = Scalar> {
    /// The numbers it can be.
    pub num: D,
    /// Which other scalars it equals, if any.
    pub link: Option<Link>,
    /// Its exact range mattered to a proof on some path from here: comparison of states must not forget it.
    pub precise: bool,
}

/// Membership in a group of equal scalars.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// The group.
    pub id: ScalarId,
    /// How far this one is from the group's base.
    pub delta: LinkDelta,
}

/// Distance of a linked scalar from the base of its group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkDelta {
    /// It is the base.
    Base,
    /// Base plus this, in 64-bit arithmetic.
    Add64(i32),
    /// Base plus this, in 32-bit arithmetic, zero-extended.
    Add32(i32),
}

impl LinkDelta {
    /// The distance, zero for the base.
    #[must_use]
    pub const fn distance(self) -> i32 {
        match self {
            Self::Base => 0,
            Self::Add64(by) | Self::Add32(by) => by,
        }
    }
}

impl<D: Views> ScalarValue<D> {
    /// A number with no link, imprecise.
    #[must_use]
    pub const fn new(num: D) -> Self {
        Self { num, link: None, precise: false }
    }

    /// Whether it is known to be zero: the null pointer.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.num.as_const() == Some(0)
    }
}

/// A pointer: what every pointer has.
///
/// The region comes first: what tells a number from a pointer is told by the byte that tells regions apart, beside which a number
/// fits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Pointer<D = Scalar> {
    /// What it points into.
    pub region: Region,
    /// What qualifies it.
    pub flags: Flags,
    /// Bytes from the start of the region.
    pub off: D,
    /// The object, where null checks, ownership or locks need to tell one from another.
    pub object: Option<ObjectId>,
    /// The object that this one was derived from and dies with.
    pub parent: Option<ObjectId>,
}

impl<D: Domain> Pointer<D> {
    /// A pointer to the start of a region, not null, unqualified.
    #[must_use]
    pub fn to(region: Region) -> Self {
        Self { region, flags: Flags::NONE, off: D::placed(0), object: None, parent: None }
    }

    /// The same with these qualifiers.
    #[must_use]
    pub const fn with(self, flags: Flags) -> Self {
        Self { flags, ..self }
    }
}

impl<D: Views> Pointer<D> {
    /// The constant offset, if it is one.
    #[must_use]
    pub fn const_off(&self) -> Option<i64> {
        self.off.as_const().map(u64::cast_signed)
    }
}

impl<D> Pointer<D> {
    /// Whether it may be null.
    #[must_use]
    pub const fn nullable(&self) -> bool {
        self.flags.contains(Flags::NULLABLE)
    }

    /// Its kind and qualifiers.
    #[must_use]
    pub const fn tag(&self) -> TypeTag {
        TypeTag { base: self.region.base(), flags: self.flags }
    }

    /// Whether it points into packet bytes or metadata (not at their end).
    #[must_use]
    pub const fn is_packet(&self) -> bool {
        matches!(self.region, Region::Packet { .. } | Region::PacketMeta { .. })
    }

    /// Whether it points into packet bytes or metadata, or at their end.
    #[must_use]
    pub const fn is_packet_any(&self) -> bool {
        matches!(self.region, Region::Packet { .. } | Region::PacketMeta { .. } | Region::PacketEnd)
    }
}

/// A map of the program, or the template of a map of maps.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MapRef {
    /// Index into the load request's maps.
    pub index: u16,
    /// How many times to follow `inner` from there.
    pub inner: u8,
}

/// Whose types a type id belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BtfRef {
    /// The host's.
    Host,
    /// The program's own.
    Program,
}

/// Which part of a socket a pointer sees.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SocketKind {
    /// A full socket (`bpf_sock`).
    Full,
    /// The common part (`bpf_sock` too, fewer fields).
    Common,
    /// A TCP socket (`bpf_tcp_sock`).
    Tcp,
    /// An XDP socket (`bpf_xdp_sock`).
    Xdp,
}

/// What a pointer points into, with what only that kind has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Region {
    /// The program's context.
    Ctx,
    /// A frame's stack; offsets are negative from its top.
    Stack {
        /// Which frame, counted from the entry function.
        frame: u8,
    },
    /// A map itself.
    Map {
        /// The map.
        map: MapRef,
        /// Tells inner maps of different look-ups apart; 0 where there is only one.
        uid: u32,
    },
    /// A value in a map.
    MapValue {
        /// The map.
        map: MapRef,
        /// As for the map.
        uid: u32,
    },
    /// A key in a map, seen by a callback.
    MapKey {
        /// The map.
        map: MapRef,
        /// As for the map.
        uid: u32,
    },
    /// Packet bytes.
    Packet {
        /// Pointers with the same one share their variable part.
        group: Option<PacketId>,
        /// Bytes from the packet's start plus the group's variable part that are proven to exist; negative where it is
        /// known to lie at (-1) or beyond (-2) the end.
        range: i32,
    },
    /// Packet metadata, before the packet.
    PacketMeta {
        /// As for the packet.
        group: Option<PacketId>,
        /// As for the packet.
        range: i32,
    },
    /// One past the last byte of the packet.
    PacketEnd,
    /// `struct bpf_flow_keys`.
    FlowKeys,
    /// A socket.
    Socket {
        /// Which part of it.
        kind: SocketKind,
        /// The map that it was looked up in, if it was: sockets of different maps are told apart.
        map: Option<MapRef>,
    },
    /// A writable tracepoint's buffer.
    TpBuffer,
    /// A typed object.
    Btf {
        /// Whose types.
        btf: BtfRef,
        /// The type.
        id: u32,
    },
    /// Memory of a known size.
    Mem {
        /// Bytes.
        size: u32,
    },
    /// Memory whose size the host checks when it is attached.
    Buf,
    /// A function of the program.
    Func {
        /// Which, by position in the program.
        subprog: u32,
    },
    /// An arena.
    Arena,
    /// A table of instructions.
    Insn {
        /// The map that holds it.
        map: MapRef,
    },
    /// A dynamic pointer that the host made, and that the program cannot change.
    Dynptr {
        /// What it lies over.
        kind: DynptrKind,
    },
}

impl Region {
    /// A socket that comes from no map.
    #[must_use]
    pub const fn socket(kind: SocketKind) -> Self {
        Self::Socket { kind, map: None }
    }

    /// Its kind without what only that kind has.
    #[must_use]
    pub const fn base(&self) -> Base {
        match self {
            Self::Ctx => Base::Ctx,
            Self::Stack { .. } => Base::Stack,
            Self::Map { .. } => Base::Map,
            Self::MapValue { .. } => Base::MapValue,
            Self::MapKey { .. } => Base::MapKey,
            Self::Packet { .. } => Base::Packet,
            Self::PacketMeta { .. } => Base::PacketMeta,
            Self::PacketEnd => Base::PacketEnd,
            Self::FlowKeys => Base::FlowKeys,
            Self::Socket { kind: SocketKind::Full, .. } => Base::Socket,
            Self::Socket { kind: SocketKind::Common, .. } => Base::SockCommon,
            Self::Socket { kind: SocketKind::Tcp, .. } => Base::TcpSock,
            Self::Socket { kind: SocketKind::Xdp, .. } => Base::XdpSock,
            Self::TpBuffer => Base::TpBuffer,
            Self::Btf { .. } => Base::Btf,
            Self::Mem { .. } => Base::Mem,
            Self::Buf => Base::Buf,
            Self::Func { .. } => Base::Func,
            Self::Arena => Base::Arena,
            Self::Insn { .. } => Base::Insn,
            Self::Dynptr { .. } => Base::Dynptr,
        }
    }

    /// The map it belongs to, if it belongs to one.
    #[must_use]
    pub const fn map(&self) -> Option<MapRef> {
        match self {
            Self::Map { map, .. } | Self::MapValue { map, .. } | Self::MapKey { map, .. } | Self::Insn { map } => {
                Some(*map)
            }
            Self::Ctx
            | Self::Stack { .. }
            | Self::Packet { .. }
            | Self::PacketMeta { .. }
            | Self::PacketEnd
            | Self::FlowKeys
            | Self::Socket { .. }
            | Self::TpBuffer
            | Self::Btf { .. }
            | Self::Mem { .. }
            | Self::Buf
            | Self::Func { .. }
            | Self::Arena
            | Self::Dynptr { .. } => None,
        }
    }
}

/// The kind of a value (`base_type` of the kernel's register types).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Base {
    /// Not readable.
    Uninit,
    /// A number.
    Scalar,
    /// The context.
    Ctx,
    /// A map.
    Map,
    /// A map value.
    MapValue,
    /// A map key.
    MapKey,
    /// Stack.
    Stack,
    /// Packet metadata.
    PacketMeta,
    /// Packet bytes.
    Packet,
    /// End of the packet.
    PacketEnd,
    /// Flow keys.
    FlowKeys,
    /// A full socket.
    Socket,
    /// The common part of a socket.
    SockCommon,
    /// A TCP socket.
    TcpSock,
    /// A tracepoint's buffer.
    TpBuffer,
    /// An XDP socket.
    XdpSock,
    /// A typed object.
    Btf,
    /// Memory.
    Mem,
    /// A buffer.
    Buf,
    /// A function.
    Func,
    /// An arena.
    Arena,
    /// A table of instructions.
    Insn,
    /// A dynamic pointer.
    Dynptr,
}

/// A value's kind and qualifiers: what two values must share to be the same kind of thing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TypeTag {
    /// The kind.
    pub base: Base,
    /// The qualifiers.
    pub flags: Flags,
}

impl TypeTag {
    /// A kind without qualifiers.
    #[must_use]
    pub const fn of(base: Base) -> Self {
        Self { base, flags: Flags::NONE }
    }

    /// A kind with qualifiers.
    #[must_use]
    pub const fn with(base: Base, flags: Flags) -> Self {
        Self { base, flags }
    }
}

/// Qualifiers of a pointer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(u16);

macro_rules! flags {
    ($($(#[doc = $doc:literal])+ $name:ident = $bit:literal;)*) => {
        impl Flags {
            $($(#[doc = $doc])+ pub const $name: Self = Self(1 << $bit);)*
        }

        impl core::fmt::Debug for Flags {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let mut set = f.debug_set();
                $(if self.contains(Self::$name) { set.entry(&format_args!(stringify!($name))); })*
                set.finish()
            }
        }
    };
}

flags! {
    /// It may be null.
    NULLABLE = 0;
    /// Its memory may only be read.
    RDONLY = 1;
    /// It is a ring buffer record.
    RINGBUF = 2;
    /// It points into user memory.
    USER = 3;
    /// It is the per-CPU form of an object.
    PERCPU = 4;
    /// It is protected by RCU.
    RCU = 5;
    /// Nothing is known of its validity; loads through it are guarded.
    UNTRUSTED = 6;
    /// It is known to be alive and valid.
    TRUSTED = 7;
    /// The program allocated the object.
    ALLOC = 8;
    /// It refers to an object that a data structure owns.
    NON_OWNING = 9;
    /// It is a part of what a dynamic pointer lies over, of a packet.
    PACKET_SLICE = 10;
    /// It is a part of what a dynamic pointer lies over, of something else than a packet.
    SLICE = 11;
}

impl Flags {
    /// No qualifier.
    pub const NONE: Self = Self(0);

    /// Whether all of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is set.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// These and `other`.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl<D: Domain> Value<D> {
    /// A number that can be anything.
    #[must_use]
    pub fn unknown() -> Self {
        Self::Scalar(ScalarValue::new(D::unknown()))
    }

    /// A known number.
    #[must_use]
    pub fn constant(value: u64) -> Self {
        Self::Scalar(ScalarValue::new(D::constant(value)))
    }
}

impl<D: Views> Value<D> {
    /// Whether it is the number zero: the null pointer.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.as_scalar().is_some_and(ScalarValue::is_zero)
    }
}

impl<D> Value<D> {
    /// The scalar, if it is one.
    #[must_use]
    pub const fn as_scalar(&self) -> Option<&ScalarValue<D>> {
        match self {
            Self::Scalar(scalar) => Some(scalar),
            Self::Uninit | Self::Pointer(_) => None,
        }
    }

    /// The pointer, if it is one.
    #[must_use]
    pub const fn as_pointer(&self) -> Option<&Pointer<D>> {
        match self {
            Self::Pointer(pointer) => Some(pointer),
            Self::Uninit | Self::Scalar(_) => None,
        }
    }

    /// Whether it is a pointer.
    #[must_use]
    pub const fn is_pointer(&self) -> bool {
        matches!(self, Self::Pointer(_))
    }

    /// Whether it is a number.
    #[must_use]
    pub const fn is_scalar(&self) -> bool {
        matches!(self, Self::Scalar(_))
    }

    /// Its kind and qualifiers.
    #[must_use]
    pub const fn tag(&self) -> TypeTag {
        match self {
            Self::Uninit => TypeTag::of(Base::Uninit),
            Self::Scalar(_) => TypeTag::of(Base::Scalar),
            Self::Pointer(pointer) => pointer.tag(),
        }
    }
}
