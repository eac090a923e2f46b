//! Files that are not objects are refused in one sentence that says what they are.

use std::path::Path;

use bpfvet_elf::{ElfError, Object, Options};

fn example() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/xdp_firewall.bpf.o")).unwrap()
}

fn refusal(bytes: &[u8]) -> String {
    Object::parse(bytes, &Options::default()).unwrap_err().to_string()
}

/// The example with some bytes replaced.
fn with(changes: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = example();
    for (at, new) in changes {
        bytes[*at..*at + new.len()].copy_from_slice(new);
    }
    bytes
}

#[test]
fn an_empty_file() {
    assert_eq!(refusal(&[]), "the file is empty");
}

#[test]
fn an_archive() {
    assert_eq!(
        refusal(b"!<arch>\nfirewall.o/     0 "),
        "the file is an archive (ar), not an object; extract its members first"
    );
}

#[test]
fn a_text() {
    assert_eq!(refusal(b"int main(void) { return 0; }"), "the file is not an ELF object");
}

#[test]
fn a_32_bit_object() {
    assert_eq!(refusal(&with(&[(4, &[1])])), "the file is a 32-bit ELF object; eBPF objects are 64-bit");
}

#[test]
fn a_big_endian_object() {
    assert_eq!(
        refusal(&with(&[(5, &[2])])),
        "the file is a big-endian ELF object; only little-endian eBPF is supported"
    );
}

#[test]
fn an_executable() {
    assert_eq!(refusal(&with(&[(16, &[2, 0])])), "the file is an executable (ELF type 2), not a relocatable object");
}

#[test]
fn an_object_for_another_machine() {
    assert_eq!(refusal(&with(&[(18, &[62, 0])])), "the file is an object for x86-64 (ELF machine 62), not for eBPF");
    assert_eq!(refusal(&with(&[(18, &[183, 0])])), "the file is an object for AArch64 (ELF machine 183), not for eBPF");
}

#[test]
fn an_object_of_an_old_compiler_is_read() {
    assert!(Object::parse(&with(&[(18, &[0, 0])]), &Options::default()).is_ok());
}

#[test]
fn a_truncated_object() {
    let whole = example();
    assert_eq!(refusal(&whole[..whole.len() / 2]), "the file is truncated");
    for len in 4..whole.len() {
        let outcome = Object::parse(&whole[..len], &Options::default());
        assert!(matches!(outcome, Err(ElfError::Truncated)), "{len} bytes: {outcome:?}");
    }
}

#[test]
fn types_that_are_not_types() {
    let bytes = example();
    let btf = bytes.windows(4).position(|word| word == [0x9f, 0xeb, 1, 0]).unwrap();
    assert_eq!(refusal(&with(&[(btf, &[0xeb, 0x9f])])), "section .BTF: big-endian BTF is not supported");
    assert_eq!(refusal(&with(&[(btf + 2, &[7])])), "section .BTF: BTF version 7 is not supported");
}
