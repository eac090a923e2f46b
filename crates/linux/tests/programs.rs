//! Program types on one page, and the questions that the kernel asks before it looks at an instruction.

use std::fmt::Write as _;

use bpfvet_insn::Program;
use bpfvet_linux::Linux;
use bpfvet_platform::{
    AttachTarget, AttachType, CtxKind, FieldKind, HelperId, HelperLookup, HelperProto, LoadRefusal, LoadRequest,
    MapDef, MapField, MapKind, MapRefusal, PacketToHelpers, Platform, Privilege, ProgramType, RetRange, ReturnRule,
    Version,
};

fn request(kind: ProgramType, attach: AttachType) -> LoadRequest {
    let mut request = LoadRequest::new("program", kind, Program::default());
    request.attach_type = attach;
    request
}

fn to(name: &str, mut request: LoadRequest) -> LoadRequest {
    request.attach_target = Some(AttachTarget { name: name.into(), btf_id: 0, member: None });
    request
}

fn rule(rule: ReturnRule) -> String {
    match rule {
        ReturnRule::Any => "any".into(),
        ReturnRule::Range { min, max, low_half } => {
            format!("{min}..={max}{}", if low_half { " (32 bits)" } else { "" })
        }
        ReturnRule::Void => "nothing".into(),
        ReturnRule::ObjectOrNull { btf_id } => format!("null or type {btf_id}"),
        ReturnRule::Unknown => "unknown".into(),
    }
}

/// Every program type: context, packet, capabilities, sleep; then, for each attach type that it may be loaded for, what it may
/// return.
#[test]
fn all_program_types_on_one_page() {
    let linux = Linux::newest();
    let mut text = String::new();
    for info in linux.program_types() {
        let ctx = match &info.ctx {
            CtxKind::Layout(layout) => layout.name.to_string(),
            CtxKind::BtfArgs => "typed arguments".into(),
            CtxKind::Buffer { size } => format!("buffer of {size}"),
        };
        let _ = write!(text, "{}: {ctx}", info.kind.name());
        let helpers = match info.packet.helpers {
            PacketToHelpers::Never => "",
            PacketToHelpers::Declared => "packet to helpers",
            PacketToHelpers::Always => "packet to all helpers",
        };
        for (holds, word) in [
            (info.ctx_fixed_offset, "fixed offsets"),
            (info.packet.read, "packet read"),
            (info.packet.write, "packet write"),
            (!helpers.is_empty(), helpers),
            (info.packet.legacy_loads, "legacy loads"),
            (info.unprivileged, "anybody"),
            (info.needs_net_admin, "net_admin"),
            (info.needs_perfmon, "perfmon"),
            (info.may_sleep, if info.always_sleeps { "always sleeps" } else { "may sleep" }),
            (info.attaches_by_btf, "by BTF"),
        ] {
            if holds {
                let _ = write!(text, ", {word}");
            }
        }
        text.push('\n');
        let mut rules: Vec<(String, Vec<&str>)> = Vec::new();
        for attach in AttachType::ALL {
            // Where much is allowed, so that the type is what decides.
            let target = match (info.kind, *attach) {
                (ProgramType::LSM, _) => "file_open",
                (_, AttachType::TRACE_RAW_TP) => "sys_enter",
                _ => "__x64_sys_nanosleep",
            };
            let request = to(target, request(info.kind, *attach));
            let sleeping = {
                let mut request = request.clone();
                request.flags.sleepable = true;
                request
            };
            let accepted = [&request, &sleeping].map(|request| linux.check_load(request).is_ok());
            let sleep = match accepted {
                [true, true] if info.may_sleep => "*",
                [false, true] => "**",
                [_, false] | [true, true] => "",
            };
            if accepted.contains(&true) {
                let name: &'static str = attach.name();
                let rule = rule(linux.return_rule(&request)) + sleep;
                match rules.iter_mut().find(|(known, _)| *known == rule) {
                    Some((_, places)) => places.push(name),
                    None => rules.push((rule, vec![name])),
                }
            }
        }
        for (rule, places) in rules {
            let places = if places.len() == AttachType::ALL.len() { "anywhere".into() } else { places.join(" ") };
            let _ = writeln!(text, "  returns {rule}: {places}");
        }
    }
    expect_test::expect_file!["programs.txt"].assert_eq(&text);
}

#[test]
fn capabilities_are_asked_for_in_the_kernels_order() {
    let linux = Linux::newest();
    let check = |kind, privilege| {
        let mut request = request(kind, AttachType(0));
        request.privilege = privilege;
        linux.check_load(&request)
    };
    let bpf = Privilege { bpf: true, ..Privilege::NONE };
    assert_eq!(check(ProgramType::SOCKET_FILTER, Privilege::NONE), Ok(()));
    assert_eq!(check(ProgramType::CGROUP_SKB, Privilege::NONE), Ok(()));
    assert_eq!(check(ProgramType::XDP, Privilege::NONE), Err(LoadRefusal::NeedsBpf));
    assert_eq!(check(ProgramType::XDP, bpf), Err(LoadRefusal::NeedsNetAdmin));
    assert_eq!(check(ProgramType::KPROBE, bpf), Err(LoadRefusal::NeedsPerfmon));
    assert_eq!(check(ProgramType::SK_REUSEPORT, bpf), Ok(()));
    assert_eq!(check(ProgramType::UNSPEC, Privilege::FULL), Err(LoadRefusal::UnknownProgramType));
}

#[test]
fn attach_types_belong_to_program_types() {
    let linux = Linux::newest();
    let check = |kind, attach| linux.check_load(&request(kind, attach));
    assert_eq!(check(ProgramType::CGROUP_SKB, AttachType::CGROUP_INET_EGRESS), Ok(()));
    assert_eq!(check(ProgramType::CGROUP_SKB, AttachType::XDP), Err(LoadRefusal::AttachType));
    assert_eq!(check(ProgramType::CGROUP_SOCK, AttachType(0)), Ok(()), "zero stands for the creation of a socket");
    assert_eq!(check(ProgramType::CGROUP_SOCK_ADDR, AttachType(0)), Err(LoadRefusal::AttachType));
    assert_eq!(check(ProgramType::SK_LOOKUP, AttachType(0)), Err(LoadRefusal::AttachType));
    assert_eq!(check(ProgramType::XDP, AttachType::CGROUP_SYSCTL), Ok(()), "the kernel does not ask yet");
    assert_eq!(check(ProgramType::XDP, AttachType(1000)), Ok(()), "nor does it know the number");
    let older = Linux::new(Version::new(5, 4)).unwrap();
    assert_eq!(older.check_load(&request(ProgramType::XDP, AttachType::XDP)), Ok(()), "nor did it ever");
    let getpeername = request(ProgramType::CGROUP_SOCK_ADDR, AttachType::CGROUP_INET4_GETPEERNAME);
    assert_eq!(older.check_load(&getpeername), Err(LoadRefusal::UnknownAttachType));
}

#[test]
fn who_may_sleep() {
    let check = |version, kind, attach, target: &str| {
        let mut request = to(target, request(kind, attach));
        request.flags.sleepable = true;
        Linux::new(version).unwrap().check_load(&request)
    };
    let newest = Linux::NEWEST;
    let traced = |target| check(newest, ProgramType::TRACING, AttachType::TRACE_FENTRY, target);
    assert_eq!(traced("__x64_sys_nanosleep"), Ok(()));
    assert_eq!(traced("bpf_fentry_test1"), Ok(()));
    assert_eq!(traced("should_failslab"), Err(LoadRefusal::TargetCannotSleep));
    assert_eq!(traced("tcp_sendmsg"), Err(LoadRefusal::TargetCannotSleep));
    let tracepoint = |target| check(newest, ProgramType::TRACING, AttachType::TRACE_RAW_TP, target);
    assert_eq!(tracepoint("sys_enter"), Ok(()));
    assert_eq!(tracepoint("sched_switch"), Err(LoadRefusal::TargetCannotSleep));
    assert_eq!(check(newest, ProgramType::LSM, AttachType::LSM_MAC, "file_open"), Ok(()));
    assert_eq!(check(newest, ProgramType::LSM, AttachType::LSM_MAC, "bpf_lsm_file_open"), Ok(()));
    assert_eq!(check(newest, ProgramType::LSM, AttachType::LSM_CGROUP, "file_open"), Err(LoadRefusal::CannotSleep));
    assert_eq!(check(newest, ProgramType::LSM, AttachType::LSM_MAC, "task_free"), Err(LoadRefusal::TargetCannotSleep));
    assert_eq!(check(newest, ProgramType::XDP, AttachType::XDP, ""), Err(LoadRefusal::CannotSleep));
    assert_eq!(check(newest, ProgramType::SYSCALL, AttachType(0), ""), Ok(()));
    assert_eq!(check(Version::new(5, 4), ProgramType::KPROBE, AttachType(0), ""), Err(LoadRefusal::CannotSleep));
    assert_eq!(Linux::newest().check_load(&request(ProgramType::SYSCALL, AttachType(0))), Err(LoadRefusal::MustSleep));
}

#[test]
fn targets() {
    let linux = Linux::newest();
    let lsm = |hook: &str| linux.check_load(&to(hook, request(ProgramType::LSM, AttachType::LSM_MAC)));
    assert_eq!(lsm("file_open"), Ok(()));
    assert_eq!(lsm("getprocattr"), Err(LoadRefusal::ForbiddenTarget));
    assert_eq!(lsm("no_such_hook"), Err(LoadRefusal::UnknownTarget));
    let exit = |attach, name: &str| linux.check_load(&to(name, request(ProgramType::TRACING, attach)));
    assert_eq!(exit(AttachType::TRACE_FEXIT, "do_exit"), Err(LoadRefusal::TargetNeverReturns));
    assert_eq!(exit(AttachType::TRACE_FENTRY, "do_exit"), Ok(()));
    assert_eq!(exit(AttachType::TRACE_FENTRY, "migrate_disable"), Err(LoadRefusal::ForbiddenTarget));
    assert_eq!(linux.check_load(&request(ProgramType::TRACING, AttachType::TRACE_FENTRY)), Err(LoadRefusal::NoTarget));
    let mut closed = to("file_open", request(ProgramType::LSM, AttachType::LSM_MAC));
    closed.gpl_compatible = false;
    assert_eq!(linux.check_load(&closed), Err(LoadRefusal::NeedsGpl));
    let replacing = to("f", request(ProgramType::EXT, AttachType(0)));
    assert!(matches!(linux.check_load(&replacing), Err(LoadRefusal::Unsupported(_))));
}

#[test]
fn every_hook_that_can_be_attached_to_has_a_rule() {
    let linux = Linux::newest();
    for hook in Linux::security_hooks() {
        for attach in [AttachType::LSM_MAC, AttachType::LSM_CGROUP] {
            let request = to(hook, request(ProgramType::LSM, attach));
            assert_eq!(linux.check_load(&request), Ok(()), "{hook}");
            assert_ne!(linux.return_rule(&request), ReturnRule::Unknown, "{hook}");
        }
    }
    let returns = |hook: &str, attach| linux.return_rule(&to(hook, request(ProgramType::LSM, attach)));
    let errno = ReturnRule::Range { min: -4095, max: 0, low_half: true };
    assert_eq!(returns("file_open", AttachType::LSM_MAC), errno);
    assert_eq!(returns("audit_rule_known", AttachType::LSM_MAC), ReturnRule::Range { min: 0, max: 1, low_half: true });
    assert_eq!(returns("task_free", AttachType::LSM_MAC), ReturnRule::Void);
    assert_eq!(returns("task_free", AttachType::LSM_CGROUP), ReturnRule::Range { min: 1, max: 1, low_half: false });
    assert_eq!(returns("file_open", AttachType::LSM_CGROUP), ReturnRule::Range { min: 0, max: 1, low_half: false });
}

#[test]
fn releases() {
    assert!(Linux::VERSIONS.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(Linux::PROFILES.iter().all(|version| Linux::VERSIONS.contains(version)));
    assert_eq!(Linux::VERSIONS.last(), Some(&Linux::NEWEST));
    assert_eq!(Linux::newest().name(), "Linux 7.3");
    assert!(Linux::new(Version::new(2, 6)).is_err());
    assert!(Linux::new(Version::new(5, 20)).is_err());
    for version in Linux::VERSIONS {
        assert_eq!(Linux::new(*version).map(|linux| linux.version()), Ok(*version));
    }
}

/// What came with which release, for a few that everybody knows.
#[test]
fn older_releases_know_less() {
    let has = |major, minor, kind| Linux::new(Version::new(major, minor)).unwrap().program_type(kind).is_some();
    assert!(has(4, 9, ProgramType::XDP) && !has(4, 9, ProgramType::CGROUP_SKB));
    assert!(has(5, 5, ProgramType::TRACING) && !has(5, 4, ProgramType::TRACING));
    assert!(has(5, 9, ProgramType::SK_LOOKUP) && !has(5, 8, ProgramType::SK_LOOKUP));
    assert!(has(6, 4, ProgramType::NETFILTER) && !has(6, 3, ProgramType::NETFILTER));
}

/// The machine's processors bound what a program can learn of its own.
#[test]
fn processors() {
    let max = |linux: &Linux, kind| {
        let request = request(kind, AttachType(0));
        let HelperLookup::Allowed(HelperProto { ret, .. }) = linux.helper(HelperId(8), &request) else { return None };
        if let RetRange::Between { min: 0, max } = ret.range { Some(max) } else { None }
    };
    for kind in [ProgramType::XDP, ProgramType::SOCKET_FILTER] {
        assert_eq!(max(&Linux::newest(), kind), Some(8191));
        assert_eq!(max(&Linux::newest().with_processors(4), kind), Some(3));
        assert_eq!(max(&Linux::newest().with_processors(0), kind), Some(0));
    }
}

#[test]
fn sockets_in_maps_are_changed_where_no_lock_on_them_can_be_held() {
    let linux = Linux::newest();
    let (update, delete) = (HelperId(2), HelperId(3));
    let may = |kind, attach, helper| linux.may_update_sockmap(helper, &request(kind, attach));
    assert!(may(ProgramType::TRACING, AttachType::TRACE_ITER, update));
    assert!(!may(ProgramType::TRACING, AttachType::TRACE_FENTRY, update));
    assert!(may(ProgramType::SOCK_OPS, AttachType::CGROUP_SOCK_OPS, delete));
    assert!(!may(ProgramType::SOCK_OPS, AttachType::CGROUP_SOCK_OPS, update));
    assert!(may(ProgramType::SK_LOOKUP, AttachType::SK_LOOKUP, update));
    assert!(!may(ProgramType::XDP, AttachType::XDP, update));
    let older = Linux::new(Version::new(6, 12)).unwrap();
    assert!(older.may_update_sockmap(update, &request(ProgramType::XDP, AttachType::XDP)));
}

#[test]
fn maps_and_programs() {
    let linux = Linux::newest();
    let check = |map: &MapDef, kind, sleepable| {
        let mut request = request(kind, AttachType(0));
        request.flags.sleepable = sleepable;
        linux.check_map(map, &request)
    };
    let with = |kind| {
        let mut map = MapDef::new("m", MapKind::ARRAY, 4, 16, 1);
        map.fields.push(MapField { kind, offset: 0, size: 4, pointee: 0, node: 0 });
        map
    };
    let plain = MapDef::new("m", MapKind::ARRAY, 4, 8, 1);
    assert_eq!(check(&plain, ProgramType::KPROBE, false), Ok(()));
    assert_eq!(check(&with(FieldKind::SpinLock), ProgramType::XDP, false), Ok(()));
    let refused = Err(MapRefusal::FieldInTracing(FieldKind::SpinLock));
    assert_eq!(check(&with(FieldKind::SpinLock), ProgramType::KPROBE, false), refused);
    let refused = Err(MapRefusal::FieldInSocketFilter(FieldKind::ResSpinLock));
    assert_eq!(check(&with(FieldKind::ResSpinLock), ProgramType::SOCKET_FILTER, false), refused);
    assert_eq!(check(&with(FieldKind::Timer), ProgramType::KPROBE, false), Ok(()));
    let refused = Err(MapRefusal::FieldInTracing(FieldKind::RbRoot));
    assert_eq!(check(&with(FieldKind::RbRoot), ProgramType::PERF_EVENT, false), refused);
    let perf = MapDef::new("p", MapKind::PERF_EVENT_ARRAY, 4, 4, 1);
    assert_eq!(check(&perf, ProgramType::KPROBE, false), Ok(()));
    assert_eq!(check(&perf, ProgramType::KPROBE, true), Err(MapRefusal::NotSleepable));
    let ops = MapDef::new("o", MapKind::STRUCT_OPS, 4, 64, 1);
    assert_eq!(check(&ops, ProgramType::XDP, false), Err(MapRefusal::NotForPrograms));
    assert_eq!(check(&MapDef::new("x", MapKind(99), 4, 4, 1), ProgramType::XDP, false), Err(MapRefusal::UnknownKind));
}
