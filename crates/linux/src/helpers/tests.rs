//! Invariants over all rows, and all rows on one page.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use bpfvet_platform::{ArgKind, ArgSpec, HelperProto, HelperSpecial, MemDir, MemSize, RetKind, RetRange};

use super::groups;
use super::rows::Entry;
use super::*;

/// The argument before this one, if there is one.
fn before(proto: &HelperProto, at: usize) -> Option<ArgKind> {
    proto.args.get(at.checked_sub(1)?).map(|arg| arg.kind)
}

fn is_sized_memory(kind: ArgKind) -> bool {
    matches!(kind, ArgKind::Mem { size: MemSize::NextArg, .. })
}

#[test]
fn every_size_follows_its_memory_and_every_memory_has_a_size() {
    for Entry { proto, .. } in entries() {
        for (at, arg) in proto.args.iter().enumerate() {
            if arg.kind.is_mem_size() {
                assert!(before(proto, at).is_some_and(is_sized_memory), "{}: argument {at}", proto.name);
            }
            if is_sized_memory(arg.kind) {
                assert!(
                    proto.args.get(at + 1).is_some_and(|next| next.kind.is_mem_size()),
                    "{}: argument {at}",
                    proto.name
                );
            }
        }
    }
}

#[test]
fn every_memory_argument_says_its_direction() {
    for Entry { proto, .. } in entries() {
        for arg in &proto.args {
            let undeclared =
                matches!(arg.kind, ArgKind::Mem { dir: MemDir::Any, .. } | ArgKind::MapValue { dir: MemDir::Any });
            assert!(!undeclared, "{}", proto.name);
        }
    }
}

#[test]
fn fixed_sizes_are_powers_of_two_where_they_align() {
    for Entry { proto, .. } in entries() {
        for arg in &proto.args {
            if let ArgKind::Mem { size: MemSize::Fixed { bytes, aligned }, .. } = arg.kind {
                assert!(bytes > 0 && (!aligned || bytes.is_power_of_two()), "{}", proto.name);
            }
        }
    }
}

#[test]
fn arguments_are_given_from_the_first_on() {
    for Entry { proto, .. } in entries() {
        let used = proto.args.iter().take_while(|arg| **arg != ArgSpec::UNUSED).count();
        assert!(proto.args.iter().skip(used).all(|arg| *arg == ArgSpec::UNUSED), "{}", proto.name);
    }
}

#[test]
fn map_keys_and_values_follow_a_map() {
    for Entry { proto, .. } in entries() {
        for (at, arg) in proto.args.iter().enumerate() {
            if matches!(arg.kind, ArgKind::MapKey | ArgKind::MapValue { .. }) {
                let earlier = proto.args.iter().take(at);
                assert!(earlier.clone().any(|earlier| earlier.kind == ArgKind::ConstMap), "{}", proto.name);
            }
        }
        if proto.ret.kind == RetKind::MapValue {
            assert!(proto.args.iter().any(|arg| arg.kind == ArgKind::ConstMap), "{}", proto.name);
        }
    }
}

/// The kernel itself insists (`check_helper_call`: "r1 != ctx").
#[test]
fn what_moves_the_packet_takes_the_context_first() {
    for Entry { proto, .. } in entries().filter(|entry| entry.proto.effects.moves_packet) {
        assert_eq!(proto.args[0].kind, ArgKind::Ctx, "{}", proto.name);
    }
}

#[test]
fn what_is_acquired_is_a_pointer_that_may_be_null() {
    for Entry { proto, .. } in entries() {
        let pointer = !matches!(proto.ret.kind, RetKind::Integer | RetKind::Void);
        if proto.effects.acquires || proto.effects.casts_socket {
            assert!(pointer && proto.ret.nullable, "{}", proto.name);
        }
        if proto.ret.nullable {
            assert!(pointer, "{}", proto.name);
        }
        if proto.ret.range != RetRange::Unknown {
            assert_eq!(proto.ret.kind, RetKind::Integer, "{}", proto.name);
        }
        if let RetRange::ErrorOrSizeOf { arg } = proto.ret.range {
            assert!(proto.args[usize::from(arg)].kind.is_mem_size(), "{}", proto.name);
        }
    }
}

#[test]
fn at_most_one_argument_is_released() {
    for Entry { proto, .. } in entries() {
        assert!(proto.args.iter().filter(|arg| arg.release).count() <= 1, "{}", proto.name);
    }
}

/// Prototypes differ by program type; name, effects on the packet, licence room and first release are the helper's own.
#[test]
fn prototypes_of_one_helper_agree_on_what_is_the_helpers_own() {
    let mut first: BTreeMap<u32, &Entry> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for entry in entries() {
        let HelperProto { id, name, effects, special, .. } = &entry.proto;
        let known = first.entry(id.0).or_insert_with(|| {
            assert!(names.insert(name.clone()), "two helpers are called {name}");
            entry
        });
        assert_eq!(known.proto.name, *name);
        assert_eq!(known.since, entry.since, "{name}");
        assert_eq!(known.proto.effects.moves_packet, effects.moves_packet, "{name}");
        assert_eq!(known.proto.effects.acquires, effects.acquires, "{name}");
        assert_eq!(known.proto.effects.casts_socket, effects.casts_socket, "{name}");
        assert_eq!(known.proto.special, *special, "{name}");
    }
    assert_eq!(first.into_keys().collect::<BTreeSet<_>>(), (1..=LAST).collect());
}

#[test]
fn rows_of_a_group_stand_by_number() {
    for group in groups::all() {
        assert!(group.rows.windows(2).all(|pair| pair[0].entry.proto.id <= pair[1].entry.proto.id), "{group:?}");
    }
}

#[test]
fn a_row_ends_after_it_begins() {
    for row in groups::all().flat_map(|group| group.rows) {
        let from = row.from.unwrap_or(row.entry.since);
        assert!(from.at_least(row.entry.since) || row.from.is_none(), "{row:?}");
        assert!(row.until.is_none_or(|until| until > from), "{row:?}");
    }
}

/// Every prototype is granted by some group, so that none is written down for nothing.
#[test]
fn every_prototype_is_granted_somewhere() {
    for entry in entries() {
        let granted = groups::all().flat_map(|group| group.rows).any(|row| core::ptr::eq(row.entry, entry));
        assert!(granted, "{} {:?}", entry.proto.name, entry.proto.args);
    }
}

fn kind(kind: ArgKind) -> String {
    let text = if let ArgKind::Mem { dir, size } = kind {
        match size {
            MemSize::NextArg => alloc::format!("{dir:?}"),
            MemSize::Fixed { bytes, aligned } => {
                alloc::format!("{dir:?}[{bytes}{}]", if aligned { " aligned" } else { "" })
            }
        }
    } else if let ArgKind::MapValue { dir } = kind {
        alloc::format!("Value:{dir:?}")
    } else if let ArgKind::Struct(name) = kind {
        alloc::format!("struct {name}")
    } else if let ArgKind::ScalarIn { min, max } = kind {
        alloc::format!("Scalar:{min}..={max}")
    } else {
        alloc::format!("{kind:?}")
    };
    text.replace("WriteUninit", "Uninit")
}

fn render(entry: &Entry) -> String {
    let HelperProto { id, name, args, ret, gpl_only, pkt_access, effects, special } = &entry.proto;
    let mut line = alloc::format!("{} {} {name}(", id.0, entry.since);
    for (at, arg) in args.iter().take_while(|arg| **arg != ArgSpec::UNUSED).enumerate() {
        line += if at == 0 { "" } else { ", " };
        line += &kind(arg.kind);
        line += if arg.nullable { "?" } else { "" };
        line += if arg.release { " released" } else { "" };
    }
    let _ = write!(line, ") -> {:?}{}", ret.kind, if ret.nullable { "?" } else { "" });
    if ret.range != RetRange::Unknown {
        let _ = write!(line, " in {:?}", ret.range);
    }
    for (holds, word) in [
        (*gpl_only, "gpl"),
        (*pkt_access, "pkt"),
        (effects.sleeps, "sleeps"),
        (effects.moves_packet, "moves_packet"),
        (effects.acquires, "acquires"),
        (effects.casts_socket, "casts"),
        (effects.fastcall, "fastcall"),
        (*special != HelperSpecial::None, "special"),
    ] {
        if holds {
            line += " ";
            line += word;
        }
    }
    line
}

#[test]
fn all_prototypes_on_one_page() {
    let mut lines: Vec<(HelperId, String)> = entries().map(|entry| (entry.proto.id, render(entry))).collect();
    lines.sort();
    let text: String = lines.into_iter().map(|(_, line)| line + "\n").collect();
    expect_test::expect_file!["../../tests/prototypes.txt"].assert_eq(&text);
}
