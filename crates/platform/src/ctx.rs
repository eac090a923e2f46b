//! Contexts: the structure that `r1` points to at entry, field by field.

use alloc::borrow::Cow;

use crate::{Condition, LoadRequest};

/// What kind of context a program type has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CtxKind {
    /// A structure with fields, each with rules of its own.
    Layout(CtxLayout),
    /// An array of 8-byte arguments, typed by the BTF of whatever the program attaches to.
    BtfArgs,
    /// Plain memory that the caller provides: any offset below `size`, also a variable one, read and write.
    Buffer {
        /// Bytes that may be addressed.
        size: u32,
    },
}

/// A structured context.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CtxLayout {
    /// Name of the structure, as users write it.
    pub name: Cow<'static, str>,
    /// Bytes from its start to its end.
    pub size: u32,
    /// Its fields by ascending offset. Fields may overlap where the rule depends on a condition; the first whose range
    /// contains the access and whose condition holds decides. Bytes that no field covers cannot be accessed.
    pub fields: Cow<'static, [CtxField]>,
    /// Offsets of accesses must be multiples of their size.
    pub aligned: bool,
}

/// A field of a context.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CtxField {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Bytes from the start of the context.
    pub offset: u32,
    /// Bytes it takes; an array of equal elements counts as one field with the rule of its element.
    pub size: u32,
    /// How it may be read.
    pub read: CtxRule,
    /// How it may be written.
    pub write: CtxRule,
    /// What a read yields.
    pub value: CtxValue,
    /// When this row applies at all.
    pub when: Condition,
}

impl CtxField {
    /// A field of numbers that may be read and written by these rules, always.
    #[must_use]
    pub const fn scalar(name: &'static str, offset: u32, size: u32, read: CtxRule, write: CtxRule) -> Self {
        Self { name: Cow::Borrowed(name), offset, size, read, write, value: CtxValue::Scalar, when: Condition::ALWAYS }
    }

    /// A field that yields this when it is read whole, and that cannot be written.
    #[must_use]
    pub const fn pointer(name: &'static str, offset: u32, size: u32, value: CtxValue) -> Self {
        let (read, write) = (CtxRule::Exact, CtxRule::Denied);
        Self { name: Cow::Borrowed(name), offset, size, read, write, value, when: Condition::ALWAYS }
    }
}

/// How an access may lie within a field. Alignment is the layout's matter, not the rule's: see [`CtxLayout::aligned`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CtxRule {
    /// Not at all.
    Denied,
    /// The whole field at once: same offset, same size.
    Exact,
    /// Whole units of this many bytes.
    Unit(u32),
    /// Units of this many bytes, or any power-of-two part of one (`bpf_ctx_narrow_access_ok`).
    Narrow(u32),
    /// As [`CtxRule::Narrow`] with this unit, but no part below the second number of bytes.
    NarrowFrom(u32, u32),
    /// As [`CtxRule::Narrow`] with this unit, and also 8 bytes at once (`bpf_ctx_wide_access_ok`).
    NarrowOrWide(u32),
    /// As [`CtxRule::Unit`] with this unit, and also 8 bytes at once.
    UnitOrWide(u32),
    /// Any size.
    Any,
    /// One of these sizes (a sum of 1, 2, 4 and 8), at the field's own offset only.
    Sizes(u32),
}

impl CtxRule {
    /// Whether an access of `size` bytes, `at` bytes into a field of `len` bytes, is allowed.
    #[must_use]
    pub const fn allows(self, at: u32, size: u32, len: u32) -> bool {
        if size > 8 || !size.is_power_of_two() || size > len || at > len - size {
            return false;
        }
        match self {
            Self::Denied => false,
            Self::Exact => at == 0 && size == len,
            Self::Unit(unit) => size == unit,
            Self::Narrow(unit) => size <= unit,
            Self::NarrowFrom(unit, least) => size <= unit && size >= least,
            Self::NarrowOrWide(unit) => size <= unit || size == 8,
            Self::UnitOrWide(unit) => size == unit || size == 8,
            Self::Any => true,
            Self::Sizes(sizes) => at == 0 && sizes & size != 0,
        }
    }
}

/// What reading a field yields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CtxValue {
    /// A number.
    Scalar,
    /// The packet's first byte.
    PacketData,
    /// The first byte of the packet's metadata.
    PacketMeta,
    /// One past the packet's last byte.
    PacketEnd,
    /// `struct bpf_flow_keys`.
    FlowKeys,
    /// A full socket (`PTR_TO_SOCKET`).
    Socket {
        /// Whether it may be null.
        nullable: bool,
    },
    /// The common part of a socket (`PTR_TO_SOCK_COMMON`).
    SockCommon {
        /// Whether it may be null.
        nullable: bool,
    },
    /// An XDP socket (`PTR_TO_XDP_SOCK`).
    XdpSocket {
        /// Whether it may be null.
        nullable: bool,
    },
    /// Writable tracepoint buffer (`PTR_TO_TP_BUFFER`).
    TpBuffer,
    /// A structure of the host, by name in its BTF.
    Struct {
        /// The structure's name.
        name: &'static str,
        /// Whether it is known to be alive and valid.
        trusted: bool,
        /// Whether it may be null.
        nullable: bool,
    },
}

impl CtxValue {
    /// Whether a read yields a pointer. A load that extends the sign can never yield one, so it is denied here (`is_ldsx`).
    #[must_use]
    pub const fn is_pointer(self) -> bool {
        !matches!(self, Self::Scalar)
    }
}

/// An access that the layout allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CtxAccess<'a> {
    /// The field it lies in.
    pub field: &'a CtxField,
    /// What a read yields.
    pub value: CtxValue,
}

/// The layout allows no such access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CtxDenied;

impl CtxLayout {
    /// What an access of `size` bytes at `off` touches.
    ///
    /// A load that extends the sign must ask [`CtxLayout::load`] instead.
    ///
    /// # Errors
    ///
    /// [`CtxDenied`] where no field that applies to `request` allows it.
    pub fn access(&self, request: &LoadRequest, off: i64, size: u32, write: bool) -> Result<CtxAccess<'_>, CtxDenied> {
        let off = u32::try_from(off).map_err(|_| CtxDenied)?;
        let end = off.checked_add(size).ok_or(CtxDenied)?;
        if end > self.size || size == 0 || (self.aligned && off % size != 0) {
            return Err(CtxDenied);
        }
        let field = self
            .fields
            .iter()
            .find(|field| {
                field.offset <= off && end <= field.offset.saturating_add(field.size) && field.when.holds(request)
            })
            .ok_or(CtxDenied)?;
        let rule = if write { field.write } else { field.read };
        if rule.allows(off - field.offset, size, field.size) {
            Ok(CtxAccess { field, value: field.value })
        } else {
            Err(CtxDenied)
        }
    }

    /// What a load of `size` bytes at `off` yields; `sign_extends` for the loads that do.
    ///
    /// # Errors
    ///
    /// As [`CtxLayout::access`], and where a sign would be extended over a pointer.
    pub fn load(
        &self,
        request: &LoadRequest,
        off: i64,
        size: u32,
        sign_extends: bool,
    ) -> Result<CtxAccess<'_>, CtxDenied> {
        let access = self.access(request, off, size, false)?;
        if sign_extends && access.value.is_pointer() { Err(CtxDenied) } else { Ok(access) }
    }
}

/// How much of a socket a pointer shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum SocketView {
    /// A full socket (`struct bpf_sock`, `PTR_TO_SOCKET`).
    Full,
    /// Only what all sockets have in common (`struct bpf_sock`, `PTR_TO_SOCK_COMMON`).
    Common,
    /// A TCP socket (`struct bpf_tcp_sock`, `PTR_TO_TCP_SOCK`).
    Tcp,
    /// An XDP socket (`struct bpf_xdp_sock`, `PTR_TO_XDP_SOCK`).
    Xdp,
}
