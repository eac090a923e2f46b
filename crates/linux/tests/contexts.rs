//! What may be read and written of each context, byte by byte, against the kernel's `*_is_valid_access` functions.
//!
//! `contexts-*.txt` hold, by release, for each program type, attach type and capability that matter, every access that is allowed: by
//! direction and size, the offsets at which an access may begin. `8..40` stands for all aligned offsets from 8 up to but not
//! including 40; a name after a colon is what the load yields, where that is not a number.

use std::fmt::Write as _;

use bpfvet_insn::Program;
use bpfvet_linux::Linux;
use bpfvet_platform::{
    AttachType, CtxKind, CtxLayout, CtxValue, LoadRequest, Platform, Privilege, ProgramType, SocketView, Version,
};

const SIZES: [u32; 4] = [1, 2, 4, 8];

/// Attach types on which some rule of a context depends, and zero for all the rest.
const ATTACH: &[(ProgramType, &[AttachType])] = &[
    (ProgramType::XDP, &[AttachType::XDP, AttachType::XDP_DEVMAP]),
    (
        ProgramType::CGROUP_SOCK,
        &[
            AttachType::CGROUP_INET_SOCK_CREATE,
            AttachType::CGROUP_INET_SOCK_RELEASE,
            AttachType::CGROUP_INET4_POST_BIND,
            AttachType::CGROUP_INET6_POST_BIND,
        ],
    ),
    (
        ProgramType::CGROUP_SOCK_ADDR,
        &[
            AttachType::CGROUP_INET4_BIND,
            AttachType::CGROUP_INET6_BIND,
            AttachType::CGROUP_INET4_CONNECT,
            AttachType::CGROUP_INET6_CONNECT,
            AttachType::CGROUP_UNIX_CONNECT,
            AttachType::CGROUP_INET4_GETPEERNAME,
            AttachType::CGROUP_INET6_GETPEERNAME,
            AttachType::CGROUP_UNIX_GETPEERNAME,
            AttachType::CGROUP_INET4_GETSOCKNAME,
            AttachType::CGROUP_INET6_GETSOCKNAME,
            AttachType::CGROUP_UNIX_GETSOCKNAME,
            AttachType::CGROUP_UDP4_SENDMSG,
            AttachType::CGROUP_UDP6_SENDMSG,
            AttachType::CGROUP_UNIX_SENDMSG,
            AttachType::CGROUP_UDP4_RECVMSG,
            AttachType::CGROUP_UDP6_RECVMSG,
            AttachType::CGROUP_UNIX_RECVMSG,
        ],
    ),
    (ProgramType::CGROUP_SOCKOPT, &[AttachType::CGROUP_GETSOCKOPT, AttachType::CGROUP_SETSOCKOPT]),
];

fn request(kind: ProgramType, attach: AttachType, privilege: Privilege) -> LoadRequest {
    let mut request = LoadRequest::new("context", kind, Program::default());
    request.attach_type = attach;
    request.privilege = privilege;
    request
}

fn value(value: CtxValue) -> String {
    match value {
        CtxValue::Scalar => String::new(),
        CtxValue::PacketData => "packet".into(),
        CtxValue::PacketMeta => "packet-meta".into(),
        CtxValue::PacketEnd => "packet-end".into(),
        CtxValue::FlowKeys => "flow-keys".into(),
        CtxValue::Socket { nullable } => format!("socket{}", if nullable { "?" } else { "" }),
        CtxValue::SockCommon { nullable } => format!("sock-common{}", if nullable { "?" } else { "" }),
        CtxValue::XdpSocket { nullable } => format!("xdp-socket{}", if nullable { "?" } else { "" }),
        CtxValue::TpBuffer => "tp-buffer".into(),
        CtxValue::Struct { name, trusted, nullable } => {
            format!("{}{name}{}", if trusted { "trusted-" } else { "" }, if nullable { "?" } else { "" })
        }
    }
}

/// The accesses of one direction and size: runs of neighbours that yield the same.
fn runs(layout: &CtxLayout, request: &LoadRequest, size: u32, write: bool) -> String {
    let mut runs: Vec<(u32, u32, String)> = Vec::new();
    for off in 0..layout.size {
        let Ok(access) = layout.access(request, i64::from(off), size, write) else { continue };
        let what = if write { String::new() } else { value(access.value) };
        match runs.last_mut() {
            Some((_, end, same)) if *end == off && what.is_empty() && same.is_empty() => *end = off + size,
            _ => runs.push((off, off + size, what)),
        }
    }
    let mut text = String::new();
    for (start, end, what) in runs {
        let _ = if end - start == size { write!(text, " {start}") } else { write!(text, " {start}..{end}") };
        if !what.is_empty() {
            let _ = write!(text, ":{what}");
        }
    }
    text
}

fn page(layout: &CtxLayout, request: &LoadRequest) -> String {
    let mut text = String::new();
    for (write, letter) in [(false, 'r'), (true, 'w')] {
        for size in SIZES {
            let runs = runs(layout, request, size, write);
            if !runs.is_empty() {
                let _ = writeln!(text, "  {letter}{size}{runs}");
            }
        }
    }
    text
}

fn layout(linux: &Linux, kind: ProgramType) -> Option<&CtxLayout> {
    match &linux.program_type(kind)?.ctx {
        CtxKind::Layout(layout) => Some(layout),
        CtxKind::BtfArgs | CtxKind::Buffer { .. } => None,
    }
}

#[test]
fn every_access_to_every_context() {
    expect_test::expect_file!["contexts-7.3.txt"].assert_eq(&every_access(&Linux::newest()));
    let older = Linux::new(Version::new(6, 12)).unwrap();
    expect_test::expect_file!["contexts-6.12.txt"].assert_eq(&every_access(&older));
}

fn every_access(linux: &Linux) -> String {
    let mut text = String::new();
    for info in linux.program_types() {
        let Some(layout) = layout(linux, info.kind) else { continue };
        let attach = ATTACH.iter().find(|(kind, _)| *kind == info.kind).map_or(&[AttachType(0)][..], |(_, list)| list);
        for attach in attach {
            let full = page(layout, &request(info.kind, *attach, Privilege::FULL));
            let none = page(layout, &request(info.kind, *attach, Privilege::NONE));
            let place = if attach.0 == 0 { String::new() } else { format!(" {}", attach.name()) };
            let _ = write!(text, "{}{place} ({}, {} bytes)\n{full}", info.kind.name(), layout.name, layout.size);
            if none != full {
                let _ = write!(text, "{}{place} without capabilities\n{none}", info.kind.name());
            }
        }
    }
    for (view, name) in [
        (SocketView::Common, "sock_common"),
        (SocketView::Full, "socket"),
        (SocketView::Tcp, "tcp_sock"),
        (SocketView::Xdp, "xdp_sock"),
    ] {
        let layout = linux.socket_layout(view).unwrap();
        let page = page(layout, &request(ProgramType::XDP, AttachType(0), Privilege::FULL));
        let _ = write!(text, "{name} ({}, {} bytes)\n{page}", layout.name, layout.size);
    }
    text
}

/// A load that extends the sign never yields a pointer.
#[test]
fn no_sign_is_extended_over_a_pointer() {
    let linux = Linux::newest();
    let request = request(ProgramType::XDP, AttachType(0), Privilege::FULL);
    let layout = layout(&linux, ProgramType::XDP).unwrap();
    for field in ["data", "data_end", "data_meta"] {
        let field = layout.fields.iter().find(|one| one.name == field).unwrap();
        assert!(layout.load(&request, i64::from(field.offset), 4, false).is_ok());
        assert!(layout.load(&request, i64::from(field.offset), 4, true).is_err());
    }
    assert!(layout.load(&request, 12, 4, true).is_ok());
}

#[test]
fn nothing_lies_outside_a_layout() {
    for version in Linux::PROFILES {
        let linux = Linux::new(*version).unwrap();
        for info in linux.program_types() {
            let Some(layout) = layout(&linux, info.kind) else { continue };
            let request = request(info.kind, AttachType(0), Privilege::FULL);
            for field in layout.fields.iter() {
                assert!(field.offset + field.size <= layout.size, "{}: {}", layout.name, field.name);
            }
            for off in [-1, -8, i64::from(layout.size), i64::MAX, i64::MIN] {
                for size in SIZES {
                    assert!(layout.access(&request, off, size, false).is_err());
                    assert!(layout.access(&request, off, size, true).is_err());
                }
            }
            for size in [0, 3, 16, u32::MAX] {
                assert!(layout.access(&request, 0, size, false).is_err());
            }
        }
    }
}

/// Fields are added at the end of a structure or in its holes: what could be read once can be read ever after.
#[test]
fn a_newer_kernel_never_takes_a_field_away() {
    for info in Linux::newest().program_types() {
        let mut before: Option<Linux> = None;
        for version in Linux::PROFILES {
            let linux = Linux::new(*version).unwrap();
            if let Some((older, newer)) =
                before.as_ref().and_then(|older| layout(older, info.kind)).zip(layout(&linux, info.kind))
            {
                let request = request(info.kind, AttachType(0), Privilege::FULL);
                for off in 0..i64::from(older.size.min(512)) {
                    for size in SIZES {
                        for write in [false, true] {
                            if older.access(&request, off, size, write).is_ok() {
                                assert!(newer.access(&request, off, size, write).is_ok(), "{} {off}", info.kind.name());
                            }
                        }
                    }
                }
            }
            before = Some(linux);
        }
    }
}
