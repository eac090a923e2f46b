//! Contexts: what `r1` points to, by program type.
//!
//! Each file holds the fields of a few structures, one row a field; the rules are those of the kernel's `*_is_valid_access`
//! functions. Reading order inside a layout is order of decision: a row with a condition stands before the row for the rest.

mod cgroup;
mod net;
mod skb;
mod socket;
mod tracing;

use alloc::borrow::Cow;
use alloc::vec::Vec;

use bpfvet_platform::{Condition, CtxField, CtxKind, CtxLayout, CtxRule, CtxValue, ProgramType, SocketView, Version};

/// A field and the release that brought it.
#[derive(Clone, Debug)]
struct Row {
    since: Version,
    field: CtxField,
}

/// A structure as a table.
struct Table {
    name: &'static str,
    size: u32,
    rows: &'static [Row],
}

impl Row {
    const fn new(name: &'static str, offset: u32, size: u32, read: CtxRule, write: CtxRule, value: CtxValue) -> Self {
        let field = CtxField { name: Cow::Borrowed(name), offset, size, read, write, value, when: Condition::ALWAYS };
        Self { since: Version::new(0, 0), field }
    }

    /// The same, from this release on.
    const fn since(mut self, major: u16, minor: u16) -> Self {
        self.since = Version::new(major, minor);
        self
    }

    /// The same, under this condition.
    const fn when(mut self, when: Condition) -> Self {
        self.field.when = when;
        self
    }
}

/// Numbers that may only be read.
const fn ro(name: &'static str, offset: u32, size: u32, read: CtxRule) -> Row {
    Row::new(name, offset, size, read, CtxRule::Denied, CtxValue::Scalar)
}

/// Numbers that may be read and written.
const fn rw(name: &'static str, offset: u32, size: u32, read: CtxRule, write: CtxRule) -> Row {
    Row::new(name, offset, size, read, write, CtxValue::Scalar)
}

/// A pointer in eight bytes.
const fn ptr(name: &'static str, offset: u32, value: CtxValue) -> Row {
    Row::new(name, offset, 8, CtxRule::Exact, CtxRule::Denied, value)
}

/// A pointer that programs see as four bytes.
const fn short_ptr(name: &'static str, offset: u32, value: CtxValue) -> Row {
    Row::new(name, offset, 4, CtxRule::Exact, CtxRule::Denied, value)
}

impl Table {
    fn layout(&self, version: Version) -> CtxLayout {
        layout(self.name, self.size, self.rows.iter(), version)
    }
}

fn layout<'a>(name: &'static str, size: u32, rows: impl Iterator<Item = &'a Row>, version: Version) -> CtxLayout {
    let fields: Vec<CtxField> = rows.filter(|row| version.at_least(row.since)).map(|row| row.field.clone()).collect();
    CtxLayout { name: Cow::Borrowed(name), size, fields: Cow::Owned(fields), aligned: true }
}

/// Since when a context that needs no rewriting may be addressed through a pointer with an offset (`is_var_ctx_off_allowed` and
/// `fixed_off_ok`; later than 6.12, taken for the newest release).
pub(crate) const PLAIN_CTX_OFFSETS: Version = Version::new(7, 3);

/// Bytes of its context that a program that makes system calls may address (`syscall_prog_is_valid_access`: below `U16_MAX`).
const SYSCALL_CTX: u32 = u16::MAX as u32;

/// The context of a program type at a release.
pub(crate) fn of(kind: ProgramType, version: Version) -> CtxKind {
    let table = match kind {
        ProgramType::SOCKET_FILTER => return CtxKind::Layout(skb::layout(&skb::SOCKET_FILTER, version)),
        ProgramType::SCHED_CLS | ProgramType::SCHED_ACT => return CtxKind::Layout(skb::layout(&skb::TC, version)),
        ProgramType::CGROUP_SKB => return CtxKind::Layout(skb::layout(&skb::CGROUP_SKB, version)),
        ProgramType::LWT_IN | ProgramType::LWT_OUT | ProgramType::LWT_XMIT | ProgramType::LWT_SEG6LOCAL => {
            return CtxKind::Layout(skb::layout(&skb::LWT, version));
        }
        ProgramType::SK_SKB => return CtxKind::Layout(skb::layout(&skb::SK_SKB, version)),
        ProgramType::FLOW_DISSECTOR => &skb::FLOW_DISSECTOR,
        ProgramType::XDP => &net::XDP,
        ProgramType::SK_MSG => &net::SK_MSG,
        ProgramType::SK_REUSEPORT => &net::SK_REUSEPORT,
        ProgramType::SK_LOOKUP => &net::SK_LOOKUP,
        ProgramType::NETFILTER => &net::NETFILTER,
        ProgramType::CGROUP_SOCK => &cgroup::SOCK,
        ProgramType::CGROUP_SOCK_ADDR => &cgroup::SOCK_ADDR,
        ProgramType::SOCK_OPS => &cgroup::SOCK_OPS,
        ProgramType::CGROUP_SOCKOPT => &cgroup::SOCKOPT,
        ProgramType::CGROUP_SYSCTL => &cgroup::SYSCTL,
        ProgramType::CGROUP_DEVICE => &cgroup::DEVICE,
        ProgramType::KPROBE => &tracing::PT_REGS,
        ProgramType::TRACEPOINT => &tracing::TRACEPOINT,
        ProgramType::RAW_TRACEPOINT => &tracing::RAW_TRACEPOINT,
        ProgramType::RAW_TRACEPOINT_WRITABLE => &tracing::RAW_TRACEPOINT_WRITABLE,
        ProgramType::PERF_EVENT => &tracing::PERF_EVENT,
        ProgramType::LIRC_MODE2 => &tracing::LIRC,
        ProgramType::SYSCALL if version.at_least(PLAIN_CTX_OFFSETS) => return CtxKind::Buffer { size: SYSCALL_CTX },
        ProgramType::SYSCALL => &tracing::SYSCALL,
        // Tracing, security hooks, structure operations, and programs that replace others: arguments typed by BTF.
        _ => return CtxKind::BtfArgs,
    };
    CtxKind::Layout(table.layout(version))
}

/// The fields of a socket as programs may read them.
pub(crate) fn socket(view: SocketView, version: Version) -> CtxLayout {
    match view {
        SocketView::Full => socket::FULL.layout(version),
        SocketView::Common => socket::COMMON.layout(version),
        SocketView::Tcp => socket::TCP.layout(version),
        SocketView::Xdp => socket::XDP.layout(version),
    }
}
