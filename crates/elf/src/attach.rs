//! Section names: the convention by which an object says what its programs are.

use bpfvet_platform::{AttachType, LoadFlags, ProgramType};

/// What a section's name says of the programs in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SectionKind {
    /// Their type.
    pub program_type: ProgramType,
    /// Where they attach; zero where the type alone says it.
    pub attach_type: AttachType,
    /// How they are loaded.
    pub flags: LoadFlags,
    /// What follows the first slash names a function or type of the kernel.
    pub by_btf: bool,
    /// A statically defined probe of user space: kernels that have multi-probes load it as one.
    pub usdt: bool,
}

/// What the name of a section says, without the leading `?`; `None` for names that no loader knows.
///
/// As libbpf's table of Linux 7.3 (`section_defs`): the first row that matches counts.
#[must_use]
pub fn section_kind(section: &str) -> Option<SectionKind> {
    ROWS.iter().find(|row| row.matches(section)).map(|row| row.kind)
}

struct Row {
    name: &'static str,
    /// A slash and more may follow.
    open: bool,
    kind: SectionKind,
}

impl Row {
    fn matches(&self, section: &str) -> bool {
        match section.strip_prefix(self.name) {
            Some("") => true,
            Some(rest) => self.open && rest.starts_with('/'),
            None => false,
        }
    }

    /// Programs that may sleep.
    const fn sleepable(mut self) -> Self {
        self.kind.flags.sleepable = true;
        self
    }

    /// XDP programs that understand fragmented packets.
    const fn frags(mut self) -> Self {
        self.kind.flags.xdp_has_frags = true;
        self
    }

    /// Attached to what the host's BTF describes.
    const fn by_btf(mut self) -> Self {
        self.kind.by_btf = true;
        self
    }

    const fn usdt(mut self) -> Self {
        self.kind.usdt = true;
        self
    }
}

const NONE: AttachType = AttachType(0);

const NO_FLAGS: LoadFlags = LoadFlags {
    sleepable: false,
    strict_alignment: false,
    any_alignment: false,
    test_state_freq: false,
    test_reg_invariants: false,
    xdp_has_frags: false,
};

/// This name and no other.
const fn exact(name: &'static str, program_type: ProgramType, attach_type: AttachType) -> Row {
    let kind = SectionKind { program_type, attach_type, flags: NO_FLAGS, by_btf: false, usdt: false };
    Row { name, open: false, kind }
}

/// This name, or this name and a slash and more.
const fn open(name: &'static str, program_type: ProgramType, attach_type: AttachType) -> Row {
    let Row { name, open: _, kind } = exact(name, program_type, attach_type);
    Row { name, open: true, kind }
}

use AttachType as A;
use ProgramType as P;

static ROWS: &[Row] = &[
    exact("socket", P::SOCKET_FILTER, NONE),
    exact("sk_reuseport/migrate", P::SK_REUSEPORT, A::SK_REUSEPORT_SELECT_OR_MIGRATE),
    exact("sk_reuseport", P::SK_REUSEPORT, A::SK_REUSEPORT_SELECT),
    open("kprobe", P::KPROBE, NONE),
    open("uprobe", P::KPROBE, NONE),
    open("uprobe.s", P::KPROBE, NONE).sleepable(),
    open("kretprobe", P::KPROBE, NONE),
    open("uretprobe", P::KPROBE, NONE),
    open("uretprobe.s", P::KPROBE, NONE).sleepable(),
    open("kprobe.multi", P::KPROBE, A::TRACE_KPROBE_MULTI),
    open("kretprobe.multi", P::KPROBE, A::TRACE_KPROBE_MULTI),
    open("kprobe.session", P::KPROBE, A::TRACE_KPROBE_SESSION),
    open("uprobe.multi", P::KPROBE, A::TRACE_UPROBE_MULTI),
    open("uretprobe.multi", P::KPROBE, A::TRACE_UPROBE_MULTI),
    open("uprobe.session", P::KPROBE, A::TRACE_UPROBE_SESSION),
    open("uprobe.multi.s", P::KPROBE, A::TRACE_UPROBE_MULTI).sleepable(),
    open("uretprobe.multi.s", P::KPROBE, A::TRACE_UPROBE_MULTI).sleepable(),
    open("uprobe.session.s", P::KPROBE, A::TRACE_UPROBE_SESSION).sleepable(),
    open("ksyscall", P::KPROBE, NONE),
    open("kretsyscall", P::KPROBE, NONE),
    open("usdt", P::KPROBE, NONE).usdt(),
    open("usdt.s", P::KPROBE, NONE).usdt().sleepable(),
    exact("tc/ingress", P::SCHED_CLS, A::TCX_INGRESS),
    exact("tc/egress", P::SCHED_CLS, A::TCX_EGRESS),
    exact("tcx/ingress", P::SCHED_CLS, A::TCX_INGRESS),
    exact("tcx/egress", P::SCHED_CLS, A::TCX_EGRESS),
    exact("tc", P::SCHED_CLS, NONE),
    exact("classifier", P::SCHED_CLS, NONE),
    exact("action", P::SCHED_ACT, NONE),
    exact("netkit/primary", P::SCHED_CLS, A::NETKIT_PRIMARY),
    exact("netkit/peer", P::SCHED_CLS, A::NETKIT_PEER),
    open("tracepoint", P::TRACEPOINT, NONE),
    open("tp", P::TRACEPOINT, NONE),
    open("tracepoint.s", P::TRACEPOINT, NONE).sleepable(),
    open("tp.s", P::TRACEPOINT, NONE).sleepable(),
    open("raw_tracepoint", P::RAW_TRACEPOINT, NONE),
    open("raw_tp", P::RAW_TRACEPOINT, NONE),
    open("raw_tracepoint.s", P::RAW_TRACEPOINT, NONE).sleepable(),
    open("raw_tp.s", P::RAW_TRACEPOINT, NONE).sleepable(),
    open("raw_tracepoint.w", P::RAW_TRACEPOINT_WRITABLE, NONE),
    open("raw_tp.w", P::RAW_TRACEPOINT_WRITABLE, NONE),
    open("tp_btf", P::TRACING, A::TRACE_RAW_TP).by_btf(),
    open("tp_btf.s", P::TRACING, A::TRACE_RAW_TP).by_btf().sleepable(),
    open("fentry", P::TRACING, A::TRACE_FENTRY).by_btf(),
    open("fmod_ret", P::TRACING, A::MODIFY_RETURN).by_btf(),
    open("fexit", P::TRACING, A::TRACE_FEXIT).by_btf(),
    open("fentry.s", P::TRACING, A::TRACE_FENTRY).by_btf().sleepable(),
    open("fmod_ret.s", P::TRACING, A::MODIFY_RETURN).by_btf().sleepable(),
    open("fexit.s", P::TRACING, A::TRACE_FEXIT).by_btf().sleepable(),
    open("fsession", P::TRACING, A::TRACE_FSESSION).by_btf(),
    open("fsession.s", P::TRACING, A::TRACE_FSESSION).by_btf().sleepable(),
    open("fsession.multi", P::TRACING, A::TRACE_FSESSION_MULTI),
    open("fsession.multi.s", P::TRACING, A::TRACE_FSESSION_MULTI).sleepable(),
    open("fentry.multi", P::TRACING, A::TRACE_FENTRY_MULTI),
    open("fexit.multi", P::TRACING, A::TRACE_FEXIT_MULTI),
    open("fentry.multi.s", P::TRACING, A::TRACE_FENTRY_MULTI).sleepable(),
    open("fexit.multi.s", P::TRACING, A::TRACE_FEXIT_MULTI).sleepable(),
    open("freplace", P::EXT, NONE).by_btf(),
    open("lsm", P::LSM, A::LSM_MAC).by_btf(),
    open("lsm.s", P::LSM, A::LSM_MAC).by_btf().sleepable(),
    open("lsm_cgroup", P::LSM, A::LSM_CGROUP).by_btf(),
    open("iter", P::TRACING, A::TRACE_ITER).by_btf(),
    open("iter.s", P::TRACING, A::TRACE_ITER).by_btf().sleepable(),
    exact("syscall", P::SYSCALL, NONE).sleepable(),
    exact("xdp.frags/devmap", P::XDP, A::XDP_DEVMAP).frags(),
    exact("xdp/devmap", P::XDP, A::XDP_DEVMAP),
    exact("xdp.frags/cpumap", P::XDP, A::XDP_CPUMAP).frags(),
    exact("xdp/cpumap", P::XDP, A::XDP_CPUMAP),
    exact("xdp.frags", P::XDP, A::XDP).frags(),
    exact("xdp", P::XDP, A::XDP),
    exact("perf_event", P::PERF_EVENT, NONE),
    exact("lwt_in", P::LWT_IN, NONE),
    exact("lwt_out", P::LWT_OUT, NONE),
    exact("lwt_xmit", P::LWT_XMIT, NONE),
    exact("lwt_seg6local", P::LWT_SEG6LOCAL, NONE),
    exact("sockops", P::SOCK_OPS, A::CGROUP_SOCK_OPS),
    exact("sk_skb/stream_parser", P::SK_SKB, A::SK_SKB_STREAM_PARSER),
    exact("sk_skb/stream_verdict", P::SK_SKB, A::SK_SKB_STREAM_VERDICT),
    exact("sk_skb/verdict", P::SK_SKB, A::SK_SKB_VERDICT),
    exact("sk_skb", P::SK_SKB, NONE),
    exact("sk_msg", P::SK_MSG, A::SK_MSG_VERDICT),
    exact("lirc_mode2", P::LIRC_MODE2, A::LIRC_MODE2),
    exact("flow_dissector", P::FLOW_DISSECTOR, A::FLOW_DISSECTOR),
    exact("cgroup_skb/ingress", P::CGROUP_SKB, A::CGROUP_INET_INGRESS),
    exact("cgroup_skb/egress", P::CGROUP_SKB, A::CGROUP_INET_EGRESS),
    exact("cgroup/skb", P::CGROUP_SKB, NONE),
    exact("cgroup/sock_create", P::CGROUP_SOCK, A::CGROUP_INET_SOCK_CREATE),
    exact("cgroup/sock_release", P::CGROUP_SOCK, A::CGROUP_INET_SOCK_RELEASE),
    exact("cgroup/sock", P::CGROUP_SOCK, A::CGROUP_INET_SOCK_CREATE),
    exact("cgroup/post_bind4", P::CGROUP_SOCK, A::CGROUP_INET4_POST_BIND),
    exact("cgroup/post_bind6", P::CGROUP_SOCK, A::CGROUP_INET6_POST_BIND),
    exact("cgroup/bind4", P::CGROUP_SOCK_ADDR, A::CGROUP_INET4_BIND),
    exact("cgroup/bind6", P::CGROUP_SOCK_ADDR, A::CGROUP_INET6_BIND),
    exact("cgroup/connect4", P::CGROUP_SOCK_ADDR, A::CGROUP_INET4_CONNECT),
    exact("cgroup/connect6", P::CGROUP_SOCK_ADDR, A::CGROUP_INET6_CONNECT),
    exact("cgroup/connect_unix", P::CGROUP_SOCK_ADDR, A::CGROUP_UNIX_CONNECT),
    exact("cgroup/sendmsg4", P::CGROUP_SOCK_ADDR, A::CGROUP_UDP4_SENDMSG),
    exact("cgroup/sendmsg6", P::CGROUP_SOCK_ADDR, A::CGROUP_UDP6_SENDMSG),
    exact("cgroup/sendmsg_unix", P::CGROUP_SOCK_ADDR, A::CGROUP_UNIX_SENDMSG),
    exact("cgroup/recvmsg4", P::CGROUP_SOCK_ADDR, A::CGROUP_UDP4_RECVMSG),
    exact("cgroup/recvmsg6", P::CGROUP_SOCK_ADDR, A::CGROUP_UDP6_RECVMSG),
    exact("cgroup/recvmsg_unix", P::CGROUP_SOCK_ADDR, A::CGROUP_UNIX_RECVMSG),
    exact("cgroup/getpeername4", P::CGROUP_SOCK_ADDR, A::CGROUP_INET4_GETPEERNAME),
    exact("cgroup/getpeername6", P::CGROUP_SOCK_ADDR, A::CGROUP_INET6_GETPEERNAME),
    exact("cgroup/getpeername_unix", P::CGROUP_SOCK_ADDR, A::CGROUP_UNIX_GETPEERNAME),
    exact("cgroup/getsockname4", P::CGROUP_SOCK_ADDR, A::CGROUP_INET4_GETSOCKNAME),
    exact("cgroup/getsockname6", P::CGROUP_SOCK_ADDR, A::CGROUP_INET6_GETSOCKNAME),
    exact("cgroup/getsockname_unix", P::CGROUP_SOCK_ADDR, A::CGROUP_UNIX_GETSOCKNAME),
    exact("cgroup/sysctl", P::CGROUP_SYSCTL, A::CGROUP_SYSCTL),
    exact("cgroup/getsockopt", P::CGROUP_SOCKOPT, A::CGROUP_GETSOCKOPT),
    exact("cgroup/setsockopt", P::CGROUP_SOCKOPT, A::CGROUP_SETSOCKOPT),
    exact("cgroup/dev", P::CGROUP_DEVICE, A::CGROUP_DEVICE),
    open("struct_ops", P::STRUCT_OPS, NONE),
    open("struct_ops.s", P::STRUCT_OPS, NONE).sleepable(),
    exact("sk_lookup", P::SK_LOOKUP, A::SK_LOOKUP),
    exact("netfilter", P::NETFILTER, A::NETFILTER),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_type_attach_type_and_flags() {
        let kind = section_kind("fentry.s/do_unlinkat").unwrap();
        assert_eq!((kind.program_type, kind.attach_type), (P::TRACING, A::TRACE_FENTRY));
        assert!(kind.flags.sleepable && kind.by_btf);
        assert_eq!(section_kind("xdp/devmap").unwrap().attach_type, A::XDP_DEVMAP);
        assert!(section_kind("xdp.frags").unwrap().flags.xdp_has_frags);
        assert_eq!(section_kind("kprobe.multi/tcp_*").unwrap().attach_type, A::TRACE_KPROBE_MULTI);
        assert!(section_kind("kprobe").is_some());
    }

    #[test]
    fn names_that_only_look_alike_are_unknown() {
        for name in ["xdp/", "xdp_prog", "tcx", "tc/", "kprobes", "", "cgroup", "maps"] {
            assert_eq!(section_kind(name), None, "{name}");
        }
    }
}
