//! Dynamic pointers: what they lie over, and which of them a call takes or makes.

/// What a dynamic pointer lies over (`enum bpf_dynptr_type`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DynptrKind {
    /// Memory of the program's own, such as a map value.
    Local,
    /// A record of a ring buffer.
    Ringbuf,
    /// A packet, as the network stack has it.
    Skb,
    /// A packet, as a driver has it.
    Xdp,
    /// What goes before a packet.
    SkbMeta,
    /// A file.
    File,
}

impl DynptrKind {
    /// Whether it is over bytes of a packet or its metadata, which move with the packet.
    #[must_use]
    pub const fn in_packet(self) -> bool {
        matches!(self, Self::Skb | Self::Xdp | Self::SkbMeta)
    }

    /// Whether it owns what it lies over, and has to give it back (`dynptr_type_referenced`).
    #[must_use]
    pub const fn owns(self) -> bool {
        matches!(self, Self::Ringbuf | Self::File)
    }

    /// Whether a write through it may move the packet, and so forgets what was known of it (`BPF_FUNC_dynptr_write` in
    /// `check_helper_call`).
    #[must_use]
    pub const fn moves_when_written(self) -> bool {
        matches!(self, Self::Skb | Self::SkbMeta)
    }
}

/// Which dynamic pointer a call takes, or makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DynptrArg {
    /// It takes any.
    Any,
    /// It takes one of this kind.
    Of(DynptrKind),
    /// It makes one of this kind.
    New(DynptrKind),
    /// It makes another one like the one in an argument before.
    NewClone,
}

impl DynptrArg {
    /// Whether the call makes it.
    #[must_use]
    pub const fn is_made(self) -> bool {
        matches!(self, Self::New(_) | Self::NewClone)
    }
}
