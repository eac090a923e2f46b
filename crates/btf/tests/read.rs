//! What is read is what was written, and what is not BTF is refused in words.

mod writer;

use std::sync::Arc;

use bpfvet_btf::{Btf, BtfError, FuncLinkage, Kind, NameIndex, Shape, TypeId, essential_name};
use writer::Writer;

fn int_and_struct() -> Writer {
    let mut writer = Writer::new();
    writer.ty("int", Kind::Int, false, 0, 4, &[1 << 24 | 32]);
    let (a, b) = (writer.name("a"), writer.name("b"));
    writer.ty("pair", Kind::Struct, false, 2, 8, &[a, 1, 0, b, 1, 32]);
    writer.ty("pair_t", Kind::Typedef, false, 0, 2, &[]);
    writer.ty("", Kind::Array, false, 0, 0, &[3, 1, 5]);
    writer
}

#[test]
fn types_names_and_sizes() {
    let btf = Btf::parse(int_and_struct().bytes()).unwrap();
    assert_eq!(btf.end_id(), TypeId(5));
    let pair = btf.resolve(TypeId(3)).unwrap();
    assert_eq!((pair.id(), pair.name()), (TypeId(2), "pair"));
    let Shape::Struct(composite) = pair.shape() else { panic!("{pair:?}") };
    let members: Vec<_> = composite.members().map(|member| (member.name(), member.bit_offset)).collect();
    assert_eq!(members, [("a", 0), ("b", 32)]);
    assert_eq!(btf.size_of(TypeId(4)), Some(40));
    assert_eq!(btf.size_of(TypeId::VOID), None);
    assert_eq!(btf.find_by_name_kind("pair", Kind::Struct), Some(TypeId(2)));
    assert_eq!(NameIndex::new(&btf).find(&btf, "pair_t", Kind::Typedef), Some(TypeId(3)));
    assert_eq!(NameIndex::new(&btf).find(&btf, "pair_t", Kind::Struct), None);
}

#[test]
fn a_split_set_continues_its_base() {
    let base = Arc::new(Btf::parse(int_and_struct().bytes()).unwrap());
    let mut writer = Writer { base_strings: int_and_struct().strings.len() as u32, ..Writer::default() };
    writer.ty("more", Kind::Ptr, false, 0, 2, &[]);
    let split = Btf::parse_split(base, writer.bytes()).unwrap();
    assert_eq!(split.first_id(), TypeId(5));
    assert_eq!(split.type_by_id(TypeId(5)).unwrap().name(), "more");
    assert_eq!(split.type_by_id(TypeId(1)).unwrap().name(), "int");
    assert_eq!(split.size_of(TypeId(5)), Some(8));
    assert_eq!(split.find_by_name_kind("int", Kind::Int), Some(TypeId(1)));
    assert!(split.type_by_id(TypeId(6)).is_none());
}

#[test]
fn a_cycle_has_no_size_and_no_end() {
    let mut writer = Writer::new();
    writer.ty("a", Kind::Typedef, false, 0, 2, &[]);
    writer.ty("b", Kind::Const, false, 0, 1, &[]);
    writer.ty("", Kind::Array, false, 0, 0, &[3, 1, u32::MAX]);
    let btf = Btf::parse(writer.bytes()).unwrap();
    assert!(btf.resolve(TypeId(1)).is_none());
    assert_eq!(btf.size_of(TypeId(1)), None);
    assert_eq!(btf.size_of(TypeId(3)), None);
}

#[test]
fn tags_are_found_by_what_they_tag() {
    let mut writer = int_and_struct();
    writer.ty("on_pair", Kind::DeclTag, false, 0, 2, &[u32::MAX]);
    writer.ty("on_b", Kind::DeclTag, false, 0, 2, &[1]);
    writer.ty("also", Kind::DeclTag, false, 0, 2, &[u32::MAX]);
    let btf = Btf::parse(writer.bytes()).unwrap();
    assert_eq!(btf.decl_tags_of(TypeId(2), None).collect::<Vec<_>>(), ["on_pair", "also"]);
    assert_eq!(btf.decl_tags_of(TypeId(2), Some(1)).collect::<Vec<_>>(), ["on_b"]);
    assert_eq!(btf.decl_tags_of(TypeId(1), None).count(), 0);
}

#[test]
fn linkage_can_be_changed() {
    let mut writer = Writer::new();
    writer.ty("", Kind::FuncProto, false, 0, 0, &[]);
    writer.ty("f", Kind::Func, false, 1, 1, &[]);
    let mut btf = Btf::parse(writer.bytes()).unwrap();
    let before = btf.clone();
    assert!(btf.set_func_linkage(TypeId(2), FuncLinkage::Static));
    assert!(!btf.set_func_linkage(TypeId(1), FuncLinkage::Static));
    let linkage = |btf: &Btf| {
        let Shape::Func { proto: _, linkage } = btf.type_by_id(TypeId(2)).unwrap().shape() else {
            panic!("not a function")
        };
        linkage
    };
    assert_eq!(linkage(&before), FuncLinkage::Global);
    assert_eq!(linkage(&btf), FuncLinkage::Static);
}

#[test]
fn what_is_not_btf_is_refused() {
    let good = int_and_struct().bytes();
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Btf::parse(bytes).unwrap_err()
    };
    assert_eq!(Btf::parse(Vec::new()).unwrap_err(), BtfError::Short(0));
    assert_eq!(Btf::parse(vec![0xeb, 0x9f, 1, 0]).unwrap_err(), BtfError::BigEndian);
    assert_eq!(with(0, 0), BtfError::Magic(0xeb00));
    assert_eq!(with(2, 9), BtfError::Version(9));
    assert!(matches!(with(15, 0x7f), BtfError::Section { section: "type", .. }));
    assert!(matches!(with(31, 0x7e), BtfError::UnknownKind { kind: 0x7e, .. }));
    assert_eq!(with(good.len() - 1, b'x'), BtfError::Strings);
    // The structure claims so many members that the type section ends within it.
    assert!(matches!(with(24 + 16 + 4 + 1, 0xff), BtfError::Truncated { id: TypeId(2), kind: 4 }));
}

#[test]
fn flavours_are_not_part_of_a_name() {
    let cases = [
        ("task_struct", "task_struct"),
        ("task_struct___old", "task_struct"),
        ("a___b___c", "a___b"),
        ("a____b", "a____b"),
        ("___b", "___b"),
        ("a___", "a___"),
        ("", ""),
    ];
    for (name, essential) in cases {
        assert_eq!(essential_name(name.as_bytes()), essential.as_bytes(), "{name}");
    }
}
