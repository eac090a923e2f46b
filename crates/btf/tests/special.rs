//! Special fields are found where, and only where, the kernel finds them.

mod writer;

use bpfvet_btf::{Btf, FieldKind, Kind, SpecialError, TypeId};
use writer::Writer;

/// The types that the cases are made of: `int` [1], the kernel's own structures [2] to [6], an object [7] and pointers to it.
fn types() -> Writer {
    let mut w = Writer::new();
    w.ty("int", Kind::Int, false, 0, 4, &[1 << 24 | 32]); // 1
    w.ty("bpf_spin_lock", Kind::Struct, false, 0, 4, &[]); // 2
    w.ty("bpf_timer", Kind::Struct, false, 0, 16, &[]); // 3
    w.ty("bpf_list_head", Kind::Struct, false, 0, 16, &[]); // 4
    w.ty("bpf_list_node", Kind::Struct, false, 0, 24, &[]); // 5
    let (a, node) = (w.name("a"), w.name("node"));
    w.ty("object", Kind::Struct, false, 2, 32, &[a, 1, 0, node, 5, 64]); // 6
    w.ty("kptr", Kind::TypeTag, false, 0, 6, &[]); // 7
    w.ty("", Kind::Ptr, false, 0, 7, &[]); // 8: struct object __kptr *
    w.ty("", Kind::Array, false, 0, 0, &[8, 1, 3]); // 9: three of them
    w
}

const FIRST: u32 = 10;

fn find(w: &Writer, size: u32) -> Result<Vec<(FieldKind, u32)>, SpecialError> {
    let btf = Btf::parse(w.bytes()).unwrap();
    let found = btf.special_fields(TypeId(FIRST), size, FieldKind::IN_MAPS)?;
    Ok(found.iter().map(|field| (field.kind, field.offset)).collect())
}

/// A structure of these types at these bytes.
fn value(members: &[(u32, u32)], size: u32) -> Writer {
    let mut w = types();
    let name = w.name("m");
    let body: Vec<u32> = members.iter().flat_map(|&(ty, at)| [name, ty, at * 8]).collect();
    w.ty("value", Kind::Struct, false, members.len() as u32, size, &body);
    w
}

#[test]
fn fields_and_arrays_of_pointers() {
    let w = value(&[(1, 0), (2, 4), (3, 8), (9, 24)], 48);
    let kptrs = [24, 32, 40].map(|at| (FieldKind::KptrRef, at));
    let mut expected = vec![(FieldKind::SpinLock, 4), (FieldKind::Timer, 8)];
    expected.extend(kptrs);
    assert_eq!(find(&w, 48), Ok(expected));
}

#[test]
fn what_is_misaligned_or_not_wanted_is_not_special() {
    assert_eq!(find(&value(&[(3, 4)], 24), 24), Ok(vec![]));
    assert_eq!(find(&value(&[(5, 0)], 24), 24), Ok(vec![]), "nodes are for objects, not for values of maps");
}

#[test]
fn a_list_says_what_it_contains() {
    let mut w = value(&[(2, 0), (4, 8)], 24);
    assert_eq!(find(&w, 24), Err(SpecialError::Contains));
    w.ty("contains:object:node", Kind::DeclTag, false, 0, FIRST, &[1]);
    let btf = Btf::parse(w.bytes()).unwrap();
    let found = btf.special_fields(TypeId(FIRST), 24, FieldKind::IN_MAPS).unwrap();
    assert_eq!((found[1].kind, found[1].pointee, found[1].node), (FieldKind::ListHead, TypeId(6), 8));
    let mut w = value(&[(4, 0)], 16);
    w.ty("contains:object:node", Kind::DeclTag, false, 0, FIRST, &[0]);
    assert_eq!(find(&w, 16), Err(SpecialError::Combination), "a list without a lock");
    let mut w = value(&[(2, 0), (4, 8)], 24);
    w.ty("contains:object:a", Kind::DeclTag, false, 0, FIRST, &[1]);
    assert_eq!(find(&w, 24), Err(SpecialError::Contains), "`a` is no node");
}

#[test]
fn structures_inside_are_searched() {
    let mut w = types();
    let name = w.name("m");
    w.ty("outer", Kind::Struct, false, 2, 24, &[name, 1, 0, name, FIRST + 1, 64]);
    w.ty("inner", Kind::Struct, false, 1, 16, &[name, 8, 64]);
    assert_eq!(find(&w, 24), Ok(vec![(FieldKind::KptrRef, 16)]));
    // A structure inside itself ends.
    let mut w = types();
    w.ty("self", Kind::Struct, false, 1, 8, &[name, FIRST, 0]);
    assert_eq!(find(&w, 8), Err(SpecialError::TooDeep));
}

#[test]
fn faults_of_the_whole() {
    assert_eq!(find(&value(&[(2, 0), (2, 4)], 8), 8), Err(SpecialError::TooMany), "two locks");
    assert_eq!(find(&value(&[(8, 0), (8, 0)], 8), 8), Err(SpecialError::Overlap));
    assert_eq!(find(&value(&[(8, 8)], 8), 8), Err(SpecialError::Outside));
    let mut w = types();
    w.ty("", Kind::Ptr, false, 0, 1, &[]);
    assert_eq!(find(&w, 8), Err(SpecialError::Kind));
}
