//! Bytes that lie about themselves.

use bpfvet::btf::{Btf, Kind};
use bpfvet::insn::{DecodeErrorKind, Program};
use bpfvet_testkit::fuzz;

/// BTF with these words as types and these strings.
fn btf(types: &[u32], strings: &[u8]) -> Vec<u8> {
    let len = |count: usize| u32::try_from(count).expect("it is small");
    let mut bytes = vec![0x9f, 0xeb, 1, 0];
    for word in [24, 0, len(types.len() * 4), len(types.len() * 4), len(strings.len())] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(types.iter().flat_map(|word| word.to_le_bytes()));
    bytes.extend(strings);
    bytes
}

const fn info(kind: Kind, vlen: u32) -> u32 {
    (kind as u32) << 24 | vlen
}

#[test]
fn half_of_an_immediate_at_the_end_is_an_error() {
    let half = [0x18, 0, 0, 0, 0, 0, 0, 0];
    for program in [[[0xb7, 0, 0, 0, 0, 0, 0, 0], half].concat(), half.to_vec(), half.repeat(3)] {
        let error = Program::decode(&program).expect_err("half of it is missing");
        assert!(matches!(error.kind, DecodeErrorKind::Unpaired | DecodeErrorKind::SecondHalf { .. }), "{error:?}");
        fuzz::decode::run(&program);
        fuzz::verify::run(&program);
    }
}

#[test]
fn types_that_contain_themselves_end() {
    let strings = b"\0a\0b\0";
    let sets: [&[u32]; 6] = [
        // typedef a a
        &[1, info(Kind::Typedef, 0), 1],
        // typedef b a; typedef a b
        &[1, info(Kind::Typedef, 0), 2, 3, info(Kind::Typedef, 0), 1],
        // struct a { struct a b; }
        &[1, info(Kind::Struct, 1), 8, 3, 1, 0],
        // struct a { struct a b[65535]; }
        &[1, info(Kind::Struct, 1), 8, 3, 2, 0, 0, info(Kind::Array, 0), 0, 1, 1, 65535],
        // An array of itself, and a function of itself.
        &[0, info(Kind::Array, 0), 0, 1, 1, u32::MAX],
        &[0, info(Kind::FuncProto, 1), 1, 0, 1],
    ];
    for types in sets {
        let bytes = btf(types, strings);
        fuzz::btf::run(&bytes);
        let set = Btf::parse(bytes).expect("its form is right");
        for ty in set.types() {
            // Whatever the answers are, they come.
            let _ = (set.size_of(ty.id()), set.resolve(ty.id()).map(|ty| ty.kind()));
        }
    }
}

/// Structures in structures, each holding the one before twice: doubling at each level.
#[test]
fn types_that_double_end() {
    let mut types = vec![1, info(Kind::Int, 0), 4, 32];
    for level in 1..=64_u32 {
        types.extend([1, info(Kind::Struct, 2), 8, 3, level, 0, 3, level, 32]);
    }
    fuzz::btf::run(&btf(&types, b"\0a\0b\0"));
}

#[test]
fn lengths_and_names_beyond_the_end_are_errors() {
    for kind in [Kind::Struct, Kind::Union, Kind::Enum, Kind::Enum64, Kind::FuncProto, Kind::Datasec] {
        for vlen in [65_535, 0xff_ffff] {
            let bytes = btf(&[1, info(kind, vlen), 8, 0, 0, 0], b"\0a\0");
            assert!(Btf::parse(bytes.clone()).is_err(), "{kind} with {vlen} elements");
            fuzz::btf::run(&bytes);
        }
    }
    // As many members as can be said, and all of them there.
    let mut types = vec![1, info(Kind::Struct, 65_535), 8];
    types.extend([0_u32, 0, 0].repeat(65_535));
    fuzz::btf::run(&btf(&types, b"\0a\0"));
    for name in [4, 0x7fff_ffff, u32::MAX] {
        let bytes = btf(&[name, info(Kind::Int, 0), 4, 32], b"\0a\0");
        fuzz::btf::run(&bytes);
        if let Ok(set) = Btf::parse(bytes) {
            assert!(set.types().all(|ty| ty.name().is_empty()), "a name from beyond the end");
        }
    }
    // Sections of the file itself: beyond its end, over each other, and as long as a number can be.
    for at in [8, 12, 16, 20] {
        for word in [0, 1, 24, 0x7fff_ffff, u32::MAX] {
            let mut bytes = btf(&[1, info(Kind::Int, 0), 4, 32], b"\0a\0");
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
            fuzz::btf::run(&bytes);
        }
    }
}

/// Sections of an object that overlap, or lie beyond its end, or are longer than any file.
#[test]
fn objects_that_lie_about_their_sections_end() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/tc_classifier.bpf.o");
    let object = std::fs::read(path).expect("an example");
    let word = |at: usize| usize::from(u16::from_le_bytes([object[at], object[at + 1]]));
    let table =
        usize::try_from(u64::from_le_bytes(object[40..48].try_into().expect("eight bytes"))).expect("it is small");
    let (size, count) = (word(58), word(60));
    assert!(count > 5 && size == 64);
    for section in 0..count {
        // Offset, size, link, info, size of an entry.
        for (field, width) in [(24, 8), (32, 8), (40, 4), (44, 4), (56, 8)] {
            for lie in
                [0_u64, 1, 64, object.len() as u64 - 1, u64::from(u32::MAX), u64::MAX / 2, u64::MAX - 7, u64::MAX]
            {
                let mut bytes = object.clone();
                let at = table + section * size + field;
                bytes[at..at + width].copy_from_slice(&lie.to_le_bytes()[..width]);
                fuzz::elf::run(&bytes);
            }
        }
    }
    // All sections are the whole file.
    let mut bytes = object.clone();
    for section in 0..count {
        let at = table + section * size;
        bytes[at + 24..at + 32].copy_from_slice(&0_u64.to_le_bytes());
        bytes[at + 32..at + 40].copy_from_slice(&(object.len() as u64).to_le_bytes());
    }
    fuzz::elf::run(&bytes);
    // More sections than there is room for.
    for count in [0, 1, 0xff00, 0xffff_u16] {
        let mut bytes = object.clone();
        bytes[60..62].copy_from_slice(&count.to_le_bytes());
        fuzz::elf::run(&bytes);
    }
}
