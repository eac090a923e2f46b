//! CO-RE: what a relocation's instruction is told, for each kind, when the kernel's types are laid out differently.

mod writer;

use std::sync::Arc;

use bpfvet_btf::co_re::{CoReError, Matcher, RelocKind, Resize, Resolved, Targets, types_are_compatible, types_match};
use bpfvet_btf::{Btf, CoreRecord, Kind, TypeId};
use writer::Writer;

/// `signed` and `bits` of an integer, as its last word has them.
fn int(signed: bool, bits: u32) -> [u32; 1] {
    [u32::from(signed) << 24 | bits]
}

/// What a program was compiled with:
///
/// ```c
/// enum color { RED, GREEN = 7 };                                                       // [5]
/// struct task { int pid; struct { int flags; }; unsigned int list[4]; unsigned mode:3; }; // [4]
/// ```
fn local() -> (Btf, impl Fn(&str) -> u32) {
    let mut w = Writer::new();
    w.ty("int", Kind::Int, false, 0, 4, &int(true, 32)); // 1
    w.ty("unsigned int", Kind::Int, false, 0, 4, &int(false, 32)); // 2
    let flags = w.name("flags");
    w.ty("", Kind::Struct, false, 1, 4, &[flags, 1, 0]); // 3
    let (pid, list, mode) = (w.name("pid"), w.name("list"), w.name("mode"));
    let bitfield = 3 << 24 | 192;
    w.ty("task___mine", Kind::Struct, true, 4, 28, &[pid, 1, 0, 0, 3, 32, list, 6, 64, mode, 2, bitfield]); // 4
    let (red, green) = (w.name("RED"), w.name("GREEN"));
    w.ty("color", Kind::Enum, false, 2, 4, &[red, 0, green, 7]); // 5
    w.ty("", Kind::Array, false, 0, 0, &[2, 2, 4]); // 6
    w.ty("gone", Kind::Struct, false, 1, 4, &[pid, 1, 0]); // 7
    let paths: Vec<(&str, u32)> = ["0", "0:0", "0:1:0", "0:2:3", "0:3", "1", "0:9", "x", "0:2:4", "0:-1"]
        .map(|path| (path, w.name(path)))
        .to_vec();
    let off = move |path: &str| paths.iter().find(|(known, _)| *known == path).unwrap().1;
    (Btf::parse(w.bytes()).unwrap(), off)
}

/// What the kernel has: `pid` is wide and later, `flags` is not in an anonymous structure, `list` is longer, `mode` elsewhere.
fn kernel() -> Targets {
    let mut w = Writer::new();
    w.ty("int", Kind::Int, false, 0, 4, &int(true, 32)); // 1
    w.ty("unsigned int", Kind::Int, false, 0, 4, &int(false, 32)); // 2
    w.ty("long", Kind::Int, false, 0, 8, &int(true, 64)); // 3
    w.ty("", Kind::Array, false, 0, 0, &[2, 2, 8]); // 4
    let (pid, flags, list, mode) = (w.name("pid"), w.name("flags"), w.name("list"), w.name("mode"));
    let bitfield = 5 << 24 | 453;
    w.ty("task", Kind::Struct, true, 4, 64, &[flags, 1, 32, pid, 3, 64, list, 4, 128, mode, 2, bitfield]); // 5
    let (green, red) = (w.name("GREEN"), w.name("RED"));
    w.ty("color", Kind::Enum, false, 2, 4, &[green, 9, red, 1]); // 6
    Targets::from(Arc::new(Btf::parse(w.bytes()).unwrap()))
}

fn resolve(ty: u32, path: &str, kind: RelocKind) -> Result<(Option<u64>, Resolved), CoReError> {
    let ((local, off), kernel) = (local(), kernel());
    let record = CoreRecord { insn_off: 0, ty: TypeId(ty), access_off: off(path), kind: Ok(kind) };
    Matcher::new(&local, &kernel).resolve(&record).map(|resolution| (resolution.expected, resolution.resolved))
}

fn value(value: u64) -> Resolved {
    Resolved::Value { value, resize: None }
}

#[test]
fn each_kind_has_its_value() {
    use RelocKind as K;
    let cases = [
        // A wide signed field where there was a narrow one cannot be loaded in its place.
        (
            4,
            "0:0",
            K::FieldByteOffset,
            Some(0),
            Resolved::Value { value: 8, resize: Some(Resize { from: 4, to: 8, allowed: false }) },
        ),
        (4, "0:1:0", K::FieldByteOffset, Some(4), value(4)),
        (4, "0:2:3", K::FieldByteOffset, Some(20), value(28)),
        (4, "0:0", K::FieldByteSize, Some(4), value(8)),
        (4, "0:0", K::FieldExists, Some(1), value(1)),
        (7, "0:0", K::FieldExists, Some(1), value(0)),
        (4, "0:0", K::FieldSigned, Some(1), value(1)),
        (4, "0:3", K::FieldSigned, Some(0), value(0)),
        // Bits 5 to 9 of the word at byte 56.
        (4, "0:3", K::FieldByteOffset, None, value(56)),
        (4, "0:3", K::FieldByteSize, None, value(4)),
        (4, "0:3", K::FieldLshiftU64, None, value(64 - 10)),
        (4, "0:3", K::FieldRshiftU64, Some(61), value(59)),
        (4, "0", K::TypeIdLocal, None, value(4)),
        (4, "0", K::TypeIdTarget, None, value(5)),
        (4, "0", K::TypeExists, Some(1), value(1)),
        (7, "0", K::TypeExists, Some(1), value(0)),
        (4, "0", K::TypeSize, Some(28), value(64)),
        (7, "0", K::TypeSize, Some(4), value(0)),
        (5, "1", K::EnumvalExists, Some(1), value(1)),
        (5, "1", K::EnumvalValue, Some(7), value(9)),
        (5, "0", K::TypeMatches, Some(1), value(1)),
        // `pid` is of another size, so the structures do not match.
        (4, "0", K::TypeMatches, Some(1), value(0)),
    ];
    for (ty, path, kind, expected, resolved) in cases {
        assert_eq!(resolve(ty, path, kind), Ok((expected, resolved)), "[{ty}] {path} {}", kind.name());
    }
}

#[test]
fn what_is_not_there_is_poisoned() {
    for kind in [RelocKind::FieldByteOffset, RelocKind::FieldByteSize, RelocKind::FieldSigned] {
        assert_eq!(resolve(7, "0:0", kind).map(|(_, resolved)| resolved), Ok(Resolved::Poison), "{}", kind.name());
    }
}

#[test]
fn paths_that_lead_nowhere_are_errors() {
    for (ty, path, kind) in [
        (4, "0:9", RelocKind::FieldByteOffset),
        (4, "x", RelocKind::FieldByteOffset),
        (4, "0:-1", RelocKind::FieldByteOffset),
        (4, "0:2:4", RelocKind::FieldByteOffset),
        (4, "0:0", RelocKind::TypeExists),
        (4, "0", RelocKind::EnumvalValue),
    ] {
        assert_eq!(resolve(ty, path, kind), Err(CoReError::Path(path.into())), "[{ty}] {path} {}", kind.name());
    }
    assert_eq!(resolve(4, "0:2:3", RelocKind::FieldSigned), Err(CoReError::Element("signed")));
    assert_eq!(resolve(6, "0", RelocKind::TypeExists), Err(CoReError::Anonymous(TypeId(6))));
    for kind in [RelocKind::TypeExists, RelocKind::TypeIdLocal] {
        assert_eq!(resolve(99, "0", kind), Err(CoReError::NoType(TypeId(99))), "{}", kind.name());
    }
}

#[test]
fn candidates_that_disagree_are_an_error() {
    let (local, off) = local();
    let mut w = Writer::new();
    w.ty("int", Kind::Int, false, 0, 4, &int(true, 32));
    let pid = w.name("pid");
    w.ty("task", Kind::Struct, false, 1, 8, &[pid, 1, 0]);
    w.ty("task___2", Kind::Struct, false, 1, 8, &[pid, 1, 32]);
    let kernel = Targets::from(Arc::new(Btf::parse(w.bytes()).unwrap()));
    let record = |path, kind| CoreRecord { insn_off: 0, ty: TypeId(4), access_off: off(path), kind: Ok(kind) };
    let error = Matcher::new(&local, &kernel).resolve(&record("0:0", RelocKind::FieldByteOffset));
    assert_eq!(error, Err(CoReError::Ambiguous("task___mine".into())));
    // That both have the type, they agree on.
    let exists = Matcher::new(&local, &kernel).resolve(&record("0", RelocKind::TypeExists));
    assert_eq!(exists.map(|resolution| resolution.resolved), Ok(value(1)));
}

#[test]
fn a_module_is_asked_only_for_what_the_kernel_does_not_have() {
    let (local, off) = local();
    let kernel = kernel();
    let base = kernel.sets().next().unwrap().clone();
    // A module's strings begin where the kernel's end.
    let base_strings = u32::from_le_bytes(base.data()[20..24].try_into().unwrap());
    let mut w = Writer { base_strings, ..Writer::default() };
    let pid = w.name("pid");
    w.ty("gone", Kind::Struct, false, 1, 16, &[pid, 1, 64]);
    w.ty("task", Kind::Struct, false, 1, 16, &[pid, 1, 96]);
    let module = Arc::new(Btf::parse_split(base.clone(), w.bytes()).unwrap());
    let targets: Targets = [base, module].into_iter().collect();
    let mut matcher = Matcher::new(&local, &targets);
    let mut offset = |ty| {
        let kind = Ok(RelocKind::FieldByteOffset);
        matcher.resolve(&CoreRecord { insn_off: 0, ty: TypeId(ty), access_off: off("0:0"), kind }).unwrap().resolved
    };
    assert_eq!(offset(7), value(8));
    assert!(matches!(offset(4), Resolved::Value { value: 8, .. }), "the kernel's own type comes first");
}

#[test]
fn types_compare_to_themselves_and_cycles_end() {
    let (local, _) = local();
    for id in 1..local.end_id().0 {
        assert_eq!(types_are_compatible(&local, TypeId(id), &local, TypeId(id)), Ok(true));
        assert_eq!(types_match(&local, TypeId(id), &local, TypeId(id)), Ok(true));
    }
    let mut w = Writer::new();
    w.ty("", Kind::Ptr, false, 0, 1, &[]);
    let cycle = Btf::parse(w.bytes()).unwrap();
    assert_eq!(types_are_compatible(&cycle, TypeId(1), &cycle, TypeId(1)), Err(CoReError::Malformed));
    assert_eq!(types_match(&cycle, TypeId(1), &cycle, TypeId(1)), Err(CoReError::Malformed));
}
