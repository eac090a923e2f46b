//! The plain data that platforms answer with: rules, conditions, layouts, releases.

use bpfvet_insn::Program;
use bpfvet_platform::{
    AttachTarget, AttachType, Condition, CtxField, CtxLayout, CtxRule, CtxValue, LoadRequest, Privilege, ProgramType,
    Target, Version,
};

fn request() -> LoadRequest {
    LoadRequest::new("x", ProgramType::XDP, Program::default())
}

fn layout(fields: Vec<CtxField>, size: u32) -> CtxLayout {
    CtxLayout { name: "s".into(), size, fields: fields.into(), aligned: true }
}

/// Every access of every size to a field of 16 bytes at an odd multiple of four, as a picture: one line per size, one column per
/// offset.
fn picture(rule: CtxRule) -> String {
    let layout = layout(vec![CtxField::scalar("f", 4, 16, rule, CtxRule::Denied)], 24);
    let row = |size: u32| {
        let cell = |off: i64| if layout.access(&request(), off, size, false).is_ok() { '#' } else { '.' };
        format!("{size} {}\n", (0..24).map(cell).collect::<String>())
    };
    [1, 2, 4, 8].map(row).concat()
}

#[test]
fn rules_as_pictures() {
    let rules = [
        CtxRule::Denied,
        CtxRule::Exact,
        CtxRule::Unit(4),
        CtxRule::Narrow(4),
        CtxRule::NarrowFrom(4, 2),
        CtxRule::NarrowOrWide(4),
        CtxRule::UnitOrWide(4),
        CtxRule::Any,
        CtxRule::Sizes(1 | 4),
    ];
    let text: String = rules.map(|rule| format!("{rule:?}\n{}", picture(rule))).concat();
    expect_test::expect![[r#"
        Denied
        1 ........................
        2 ........................
        4 ........................
        8 ........................
        Exact
        1 ........................
        2 ........................
        4 ........................
        8 ........................
        Unit(4)
        1 ........................
        2 ........................
        4 ....#...#...#...#.......
        8 ........................
        Narrow(4)
        1 ....################....
        2 ....#.#.#.#.#.#.#.#.....
        4 ....#...#...#...#.......
        8 ........................
        NarrowFrom(4, 2)
        1 ........................
        2 ....#.#.#.#.#.#.#.#.....
        4 ....#...#...#...#.......
        8 ........................
        NarrowOrWide(4)
        1 ....################....
        2 ....#.#.#.#.#.#.#.#.....
        4 ....#...#...#...#.......
        8 ........#...............
        UnitOrWide(4)
        1 ........................
        2 ........................
        4 ....#...#...#...#.......
        8 ........#...............
        Any
        1 ....################....
        2 ....#.#.#.#.#.#.#.#.....
        4 ....#...#...#...#.......
        8 ........#...............
        Sizes(5)
        1 ....#...................
        2 ........................
        4 ....#...................
        8 ........................
    "#]]
    .assert_eq(&text);
}

#[test]
fn no_rule_reaches_past_its_field() {
    for rule in [CtxRule::Any, CtxRule::Narrow(8), CtxRule::NarrowOrWide(4), CtxRule::Unit(8), CtxRule::Sizes(15)] {
        for (at, size, len) in [(0, 8, 4), (4, 4, 4), (u32::MAX, 8, 16), (0, u32::MAX, 16), (0, 0, 4), (0, 3, 4)] {
            assert!(!rule.allows(at, size, len), "{rule:?} {at} {size} {len}");
        }
    }
}

#[test]
fn the_first_field_whose_condition_holds_decides() {
    let writable = CtxField { when: Condition::BPF, ..CtxField::scalar("f", 0, 4, CtxRule::Exact, CtxRule::Exact) };
    let layout = layout(vec![writable, CtxField::scalar("f", 0, 4, CtxRule::Exact, CtxRule::Denied)], 4);
    let mut request = request();
    assert!(layout.access(&request, 0, 4, true).is_ok());
    request.privilege = Privilege::NONE;
    assert!(layout.access(&request, 0, 4, true).is_err());
    assert!(layout.access(&request, 0, 4, false).is_ok());
}

#[test]
fn a_sign_is_never_extended_over_a_pointer() {
    let layout = layout(vec![CtxField::pointer("data", 0, 4, CtxValue::PacketData)], 4);
    assert!(layout.load(&request(), 0, 4, false).is_ok());
    assert!(layout.load(&request(), 0, 4, true).is_err());
}

#[test]
fn every_part_of_a_condition_must_hold() {
    let full = request();
    let none = LoadRequest { privilege: Privilege::NONE, ..request() };
    for condition in [Condition::BPF, Condition::PERFMON, Condition { needs_sys_admin: true, ..Condition::ALWAYS }] {
        assert!(condition.holds(&full) && !condition.holds(&none));
    }
    let mut sleeping = request();
    sleeping.flags.sleepable = true;
    assert!(Condition::ALWAYS.sleeping().holds(&sleeping) && !Condition::ALWAYS.sleeping().holds(&full));
    let waking = Condition { not_sleeping: true, ..Condition::ALWAYS };
    assert!(!waking.holds(&sleeping) && waking.holds(&full));
    const ITER: &[AttachType] = &[AttachType::TRACE_ITER];
    let iter = LoadRequest { attach_type: AttachType::TRACE_ITER, ..request() };
    assert!(Condition::attach(ITER).holds(&iter) && !Condition::attach(ITER).holds(&full));
    assert!(!Condition::not_attach(ITER).holds(&iter) && Condition::not_attach(ITER).holds(&full));
    assert!(Condition::ALWAYS.holds(&none) && Condition::default() == Condition::ALWAYS);
}

#[test]
fn a_target_that_is_not_named_meets_no_demand() {
    let named = |name: &str| {
        let target = AttachTarget { name: name.into(), btf_id: 0, member: None };
        LoadRequest { attach_target: Some(target), ..request() }
    };
    let demands = [
        (Target::OneOf(&["a", "b"]), "a", "c"),
        (Target::NoneOf(&["a", "b"]), "c", "a"),
        (Target::NotBeginning("bpf_"), "tcp_v4", "bpf_storage"),
    ];
    for (target, good, bad) in demands {
        let condition = Condition::ALWAYS.target(target);
        assert!(condition.holds(&named(good)), "{target:?}");
        assert!(!condition.holds(&named(bad)), "{target:?}");
        assert!(!condition.holds(&request()), "{target:?}");
    }
}

#[test]
fn releases_read_and_print() {
    for text in ["4.9", "5.10", "6.1", "7.3"] {
        assert_eq!(text.parse::<Version>().map(|version| version.to_string()).as_deref(), Ok(text));
    }
    for text in ["", "6", "6.", ".1", "6.1.2", "v6.1", "6.-1", "6.99999"] {
        assert!(text.parse::<Version>().is_err(), "{text}");
    }
    let [old, new] = ["5.10", "6.1"].map(|text| text.parse::<Version>().unwrap());
    assert!(old < new && new.at_least(old) && !old.at_least(new) && old.at_least(old));
    assert!(Version::new(5, 9) < old, "minor numbers are numbers");
}

#[test]
fn names_and_numbers_agree() {
    for kind in ProgramType::ALL {
        assert_eq!(ProgramType::by_name(kind.name()), Some(*kind));
    }
    for attach in AttachType::ALL {
        assert_eq!(AttachType::by_name(attach.name()), Some(*attach));
    }
    assert!(ProgramType::ALL.iter().enumerate().all(|(at, kind)| kind.0 as usize == at));
    assert!(AttachType::ALL.iter().enumerate().all(|(at, attach)| attach.0 as usize == at));
}
