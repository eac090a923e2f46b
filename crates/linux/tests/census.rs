//! How many helpers each program type has, against counts taken from the kernel's sources.

use std::collections::BTreeSet;

use bpfvet_insn::Program;
use bpfvet_linux::Linux;
use bpfvet_platform::{
    AttachTarget, AttachType, HelperId, HelperLookup, LoadRequest, Platform, Privilege, ProgramType, Version,
};

const LAST: u32 = 211;

/// A program type as the kernel asks it for helpers: type, attach types that matter, structure or hooks, and how many helpers
/// Linux 6.12 and 7.3 have for it with every capability and every configuration option.
struct View {
    name: &'static str,
    kind: ProgramType,
    attach: &'static [AttachType],
    targets: &'static [&'static str],
    helpers_6_12: usize,
    helpers_7_3: usize,
}

/// One attach type for each that a condition in the tables asks for.
const ANYWHERE: &[AttachType] = &[
    AttachType::CGROUP_INET_INGRESS,
    AttachType::CGROUP_INET_SOCK_CREATE,
    AttachType::CGROUP_INET4_CONNECT,
    AttachType::CGROUP_UNIX_GETPEERNAME,
    AttachType::CGROUP_SETSOCKOPT,
    AttachType::CGROUP_GETSOCKOPT,
    AttachType::TRACE_RAW_TP,
    AttachType::TRACE_FENTRY,
    AttachType::TRACE_ITER,
    AttachType::TRACE_KPROBE_MULTI,
    AttachType::TRACE_UPROBE_MULTI,
];
const NOT_LSM_CGROUP: &[AttachType] = &[AttachType::LSM_MAC];
const HOOKS: &[&str] = &["file_open", "sock_graft", "socket_post_create", "sk_alloc_security"];
const PLAIN: &[&str] = &["vfs_truncate", "tcp"];

const fn view(name: &'static str, kind: ProgramType, helpers_6_12: usize, helpers_7_3: usize) -> View {
    View { name, kind, attach: ANYWHERE, targets: PLAIN, helpers_6_12, helpers_7_3 }
}

const fn ops(structure: &'static [&'static str], helpers_6_12: usize, helpers_7_3: usize) -> View {
    View {
        name: structure[0],
        kind: ProgramType::STRUCT_OPS,
        attach: &[AttachType(0)],
        targets: structure,
        helpers_6_12,
        helpers_7_3,
    }
}

const fn lsm(name: &'static str, attach: &'static [AttachType], helpers_6_12: usize, helpers_7_3: usize) -> View {
    View { name, kind: ProgramType::LSM, attach, targets: HOOKS, helpers_6_12, helpers_7_3 }
}

#[rustfmt::skip]
const VIEWS: &[View] = &[
    view("socket_filter", ProgramType::SOCKET_FILTER, 72, 88),
    view("sched_cls", ProgramType::SCHED_CLS, 124, 139),
    view("sched_act", ProgramType::SCHED_ACT, 124, 139),
    view("xdp", ProgramType::XDP, 89, 104),
    view("cgroup_skb", ProgramType::CGROUP_SKB, 89, 105),
    view("cgroup_sock", ProgramType::CGROUP_SOCK, 71, 84),
    view("cgroup_sock_addr", ProgramType::CGROUP_SOCK_ADDR, 86, 97),
    view("lwt_in", ProgramType::LWT_IN, 76, 90),
    view("lwt_out", ProgramType::LWT_OUT, 75, 89),
    view("lwt_xmit", ProgramType::LWT_XMIT, 90, 104),
    view("lwt_seg6local", ProgramType::LWT_SEG6LOCAL, 77, 91),
    view("sock_ops", ProgramType::SOCK_OPS, 84, 99),
    view("sk_skb", ProgramType::SK_SKB, 82, 97),
    view("sk_msg", ProgramType::SK_MSG, 80, 93),
    view("flow_dissector", ProgramType::FLOW_DISSECTOR, 68, 83),
    view("kprobe", ProgramType::KPROBE, 82, 83),
    view("tracepoint", ProgramType::TRACEPOINT, 81, 82),
    view("perf_event", ProgramType::PERF_EVENT, 83, 84),
    view("raw_tracepoint", ProgramType::RAW_TRACEPOINT, 81, 82),
    view("raw_tracepoint_writable", ProgramType::RAW_TRACEPOINT_WRITABLE, 81, 82),
    // The counts from the sources leave out what the iterators over sockets add: two options helpers.
    view("tracing", ProgramType::TRACING, 102 + 2, 103 + 2),
    view("cgroup_device", ProgramType::CGROUP_DEVICE, 67, 78),
    view("cgroup_sysctl", ProgramType::CGROUP_SYSCTL, 72, 83),
    view("cgroup_sockopt", ProgramType::CGROUP_SOCKOPT, 73, 84),
    view("lirc_mode2", ProgramType::LIRC_MODE2, 14, 14),
    view("sk_reuseport", ProgramType::SK_REUSEPORT, 64, 79),
    view("sk_lookup", ProgramType::SK_LOOKUP, 70, 85),
    ops(&["tcp_congestion_ops"], 65, 80),
    ops(&["sched_ext_ops"], 61, 74),
    ops(&["hid_bpf_ops"], 59, 74),
    // The counts from the sources take in what other attach types have: socket options are for hooks of control groups,
    // sequence files for iterators, and what trampolines know for hooks outside control groups.
    lsm("lsm", NOT_LSM_CGROUP, 109 - 2 - 3, 110 - 2 - 3),
    lsm("lsm_cgroup", &[AttachType::LSM_CGROUP], 112 - 3 - 4, 113 - 3 - 4),
    view("syscall", ProgramType::SYSCALL, 106, 107),
    view("netfilter", ProgramType::NETFILTER, 59, 74),
];

fn request(kind: ProgramType, attach: AttachType, target: &str, sleepable: bool, privilege: Privilege) -> LoadRequest {
    let mut request = LoadRequest::new("census", kind, Program::default());
    request.attach_type = attach;
    request.attach_target = Some(AttachTarget { name: target.into(), btf_id: 0, member: None });
    request.flags.sleepable = sleepable;
    request.privilege = privilege;
    request
}

/// The helpers that some program of the view may call, refusals at an attach point and undecided ones included.
fn helpers(linux: &Linux, view: &View, privilege: Privilege) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    for attach in view.attach {
        for target in view.targets {
            for sleepable in [false, true] {
                let request = request(view.kind, *attach, target, sleepable, privilege);
                found.extend((0..=LAST + 1).filter(|id| match linux.helper(HelperId(*id), &request) {
                    HelperLookup::Allowed(proto) => {
                        assert_eq!(proto.id, HelperId(*id));
                        true
                    }
                    HelperLookup::Refused(_) | HelperLookup::Unsupported(_) => true,
                    HelperLookup::NotForProgram | HelperLookup::Unknown => false,
                }));
            }
        }
    }
    found
}

#[test]
fn counts_agree_with_the_census() {
    let older = Linux::new(Version::new(6, 12)).unwrap();
    let newest = Linux::newest();
    for view in VIEWS {
        assert_eq!(helpers(&older, view, Privilege::FULL).len(), view.helpers_6_12, "{} at 6.12", view.name);
        assert_eq!(helpers(&newest, view, Privilege::FULL).len(), view.helpers_7_3, "{} at 7.3", view.name);
    }
}

/// How many each view has without capabilities, with `CAP_BPF`, with `CAP_PERFMON` besides, and with all.
#[test]
fn capabilities_open_helpers_step_by_step() {
    let bpf = Privilege { bpf: true, ..Privilege::NONE };
    let perfmon = Privilege { perfmon: true, ..bpf };
    let linux = Linux::newest();
    let mut text = String::new();
    for view in VIEWS {
        let steps =
            [Privilege::NONE, bpf, perfmon, Privilege::FULL].map(|privilege| helpers(&linux, view, privilege).len());
        text += &format!("{:<24} {steps:>3?}\n", view.name);
    }
    expect_test::expect![[r#"
        socket_filter            [ 32,  60,  88,  88]
        sched_cls                [ 84, 111, 139, 139]
        sched_act                [ 84, 111, 139, 139]
        xdp                      [ 48,  76, 104, 104]
        cgroup_skb               [ 49,  77, 105, 105]
        cgroup_sock              [ 35,  63,  84,  84]
        cgroup_sock_addr         [ 41,  69,  97,  97]
        lwt_in                   [ 35,  62,  90,  90]
        lwt_out                  [ 34,  61,  89,  89]
        lwt_xmit                 [ 49,  76, 104, 104]
        lwt_seg6local            [ 36,  63,  91,  91]
        sock_ops                 [ 43,  71,  99,  99]
        sk_skb                   [ 41,  69,  97,  97]
        sk_msg                   [ 37,  65,  93,  93]
        flow_dissector           [ 27,  55,  83,  83]
        kprobe                   [ 33,  61,  82,  83]
        tracepoint               [ 32,  60,  81,  82]
        perf_event               [ 34,  62,  83,  84]
        raw_tracepoint           [ 32,  60,  81,  82]
        raw_tracepoint_writable  [ 32,  60,  81,  82]
        tracing                  [ 55,  83, 104, 105]
        cgroup_device            [ 29,  57,  78,  78]
        cgroup_sysctl            [ 34,  62,  83,  83]
        cgroup_sockopt           [ 35,  63,  84,  84]
        lirc_mode2               [ 13,  13,  14,  14]
        sk_reuseport             [ 30,  58,  79,  79]
        sk_lookup                [ 29,  57,  85,  85]
        tcp_congestion_ops       [ 31,  59,  80,  80]
        sched_ext_ops            [ 25,  53,  74,  74]
        hid_bpf_ops              [ 25,  53,  74,  74]
        lsm                      [ 57,  83, 104, 105]
        lsm_cgroup               [ 58,  84, 105, 106]
        syscall                  [ 56,  84, 106, 107]
        netfilter                [ 25,  53,  74,  74]
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_newer_kernel_never_takes_a_helper_away() {
    for view in VIEWS {
        let mut before = BTreeSet::new();
        for version in Linux::PROFILES {
            let linux = Linux::new(*version).unwrap();
            let now = helpers(&linux, view, Privilege::FULL);
            let gone: Vec<_> = before.difference(&now).collect();
            assert!(gone.is_empty(), "{} loses {gone:?} at {version}", view.name);
            before = now;
        }
    }
}

#[test]
fn every_helper_is_reachable_from_some_program() {
    let linux = Linux::newest();
    let all: BTreeSet<u32> = VIEWS.iter().flat_map(|view| helpers(&linux, view, Privilege::FULL)).collect();
    assert_eq!(all, (1..=LAST).collect());
}

#[test]
fn numbers_beyond_the_last_are_unknown() {
    let linux = Linux::newest();
    let request = LoadRequest::new("x", ProgramType::XDP, Program::default());
    for id in [0, LAST + 1, u32::MAX] {
        assert_eq!(linux.helper(HelperId(id), &request), HelperLookup::Unknown);
    }
}
