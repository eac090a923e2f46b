//! Bytes to instruction and back, for all opcodes with the edge values of every field, and for random bytes and programs.

use arbitrary::Unstructured;
use bpfvet_insn::{DecodeErrorKind, Insn, InsnIdx, Program, Raw, Reg, Size, Width, decode_at};
use proptest::prelude::*;

const OFFS: [i16; 14] = [0, 1, -1, 2, 7, 8, -8, 9, 16, 32, 64, 256, i16::MIN, i16::MAX];
const IMMS: [i32; 30] = [
    0,
    1,
    -1,
    2,
    8,
    16,
    32,
    64,
    0x0f,
    0x40,
    0x41,
    0x50,
    0x51,
    0x60,
    0xa0,
    0xa1,
    0xe0,
    0xe1,
    0xf0,
    0xf1,
    0x100,
    0x101,
    0x110,
    0x111,
    0xff,
    0x1_0000,
    0x1_0001,
    0x2_0000,
    i32::MIN,
    i32::MAX,
];

/// The opcodes of which Linux 7.3 accepts some instruction (`bpf_opcode_in_insntable`, and the 64-bit immediate load).
const OPCODES: [&str; 8] = [
    // 64-bit immediate and legacy packet loads
    "18 20 28 30 40 48 50",
    // loads, plain and sign-extending
    "61 69 71 79 81 89 91",
    // stores of immediates
    "62 6a 72 7a",
    // stores of registers and atomics
    "63 6b 73 7b c3 cb d3 db",
    // 32-bit arithmetic
    "04 0c 14 1c 24 2c 34 3c 44 4c 54 5c 64 6c 74 7c 84 94 9c a4 ac b4 bc c4 cc d4 dc",
    // jumps
    "05 0d 15 1d 25 2d 35 3d 45 4d 55 5d 65 6d 75 7d 85 95 a5 ad b5 bd c5 cd d5 dd e5",
    // jumps on 32 bits
    "06 16 1e 26 2e 36 3e 46 4e 56 5e 66 6e 76 7e a6 ae b6 be c6 ce d6 de",
    // 64-bit arithmetic
    "07 0f 17 1f 27 2f 37 3f 47 4f 57 5f 67 6f 77 7f 87 97 9f a7 af b7 bf c7 cf d7",
];

fn bytes_of(raws: &[Raw]) -> Vec<u8> {
    raws.iter().flat_map(|raw| raw.to_bytes()).collect()
}

/// Decodes one slot (and `next`, if the opcode wants a pair) and checks that what decodes encodes to itself.
fn check(raw: Raw, next: Raw) -> bool {
    let bytes = if raw.code == 0x18 { bytes_of(&[raw, next]) } else { bytes_of(&[raw]) };
    match Program::decode(&bytes) {
        Ok(program) => {
            assert_eq!(program.encode().as_deref(), Ok(bytes.as_slice()), "{raw:?}");
            let insn = *program.get(InsnIdx(0)).expect("a slot has an instruction");
            assert_eq!(insn.opcode(), raw.code);
            assert_eq!(decode_at(&bytes, InsnIdx(0)), Ok(Some(insn)));
            true
        }
        Err(error) => {
            assert_eq!(error.at, InsnIdx(0));
            assert_eq!(error.raw, raw);
            assert_eq!(decode_at(&bytes, InsnIdx(0)), Err(error));
            false
        }
    }
}

#[test]
fn whatever_decodes_encodes_to_itself_for_all_opcodes_and_edges() {
    let seconds = [
        Raw::default(),
        Raw { imm: 1, ..Raw::default() },
        Raw { imm: i32::MIN, ..Raw::default() },
        Raw { code: 1, ..Raw::default() },
        Raw { dst: 1, ..Raw::default() },
        Raw { src: 15, ..Raw::default() },
        Raw { off: -1, ..Raw::default() },
    ];
    let mut accepted = Vec::new();
    for code in 0..=u8::MAX {
        let seconds = if code == 0x18 { &seconds[..] } else { &seconds[..1] };
        let mut any = false;
        for regs in 0..=u8::MAX {
            for off in OFFS {
                for imm in IMMS {
                    let raw = Raw { code, dst: regs & 0xf, src: regs >> 4, off, imm };
                    for &next in seconds {
                        any |= check(raw, next);
                    }
                }
            }
        }
        if any {
            accepted.push(code);
        }
    }
    let mut expected: Vec<u8> = OPCODES
        .iter()
        .flat_map(|row| row.split(' '))
        .map(|hex| u8::from_str_radix(hex, 16).expect("a byte in hex"))
        .collect();
    expected.sort_unstable();
    assert_eq!(accepted, expected);
}

#[test]
fn an_unknown_opcode_is_named_when_registers_exist() {
    let known: Vec<u8> = OPCODES
        .iter()
        .flat_map(|row| row.split(' '))
        .map(|hex| u8::from_str_radix(hex, 16).expect("a byte in hex"))
        .collect();
    for code in (0..=u8::MAX).filter(|code| !known.contains(code)) {
        let raw = Raw { code, dst: 10, src: 10, off: 1, imm: 1 };
        let error = Program::decode(&raw.to_bytes()).expect_err("no such opcode");
        assert_eq!(error.kind, DecodeErrorKind::Opcode { code });
    }
}

#[test]
fn what_the_types_allow_encodes_only_if_it_decodes_to_itself() {
    let regs = [Reg::R0, Reg::R6, Reg::FP, Reg::ARGS];
    let sizes = [Size::B1, Size::B2, Size::B4, Size::B8];
    let mut insns = Vec::new();
    for dst in regs {
        for src in regs {
            for size in sizes {
                for off in OFFS {
                    for signed in [false, true] {
                        insns.push(Insn::Load { dst, base: src, off, size, signed });
                    }
                    insns.push(Insn::Store { base: dst, off, size, src: bpfvet_insn::Operand::Reg(src) });
                    insns.push(Insn::Store { base: dst, off, size, src: bpfvet_insn::Operand::Imm(7) });
                    insns.push(Insn::LoadAcquire { dst, base: src, off, size });
                    insns.push(Insn::StoreRelease { base: dst, off, size, src });
                    let op = bpfvet_insn::AtomicOp::CmpXchg;
                    insns.push(Insn::Atomic { op, size, base: dst, off, src });
                }
                for width in [Width::W32, Width::W64] {
                    insns.push(Insn::MovSx { width, dst, src, from: size });
                }
                for order in [bpfvet_insn::ByteOrder::Le, bpfvet_insn::ByteOrder::Be, bpfvet_insn::ByteOrder::Swap] {
                    insns.push(Insn::Endian { order, dst, size });
                }
                for index in [bpfvet_insn::PacketIndex::Absolute, bpfvet_insn::PacketIndex::Indirect(src)] {
                    insns.push(Insn::LoadPacket { size, index, imm: -3 });
                }
            }
            for (to, from) in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (u16::MAX, 1)] {
                insns.push(Insn::AddrSpaceCast { dst, src, to, from });
            }
        }
        insns.push(Insn::JumpIndirect { reg: dst });
    }
    for off in [0, -1, i32::from(i16::MAX), i32::from(i16::MIN), 0x8000, -0x8001, i32::MAX, i32::MIN] {
        insns.push(Insn::Jump { off, long: false });
        insns.push(Insn::Jump { off, long: true });
    }
    let mut refused = 0;
    for insn in insns {
        match Program::from_insns([insn]).encode() {
            Ok(bytes) => assert_eq!(Program::decode(&bytes), Ok(Program::from_insns([insn]))),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 0);
}

proptest! {
    #[test]
    fn random_bytes_decode_or_name_a_slot(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        match Program::decode(&bytes) {
            Ok(program) => prop_assert_eq!(program.encode(), Ok(bytes)),
            Err(error) => prop_assert!(error.at.index() <= bytes.len() / 8),
        }
    }

    #[test]
    fn generated_programs_come_back(noise in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let program: Program = Unstructured::new(&noise).arbitrary().expect("the generator cannot fail on short input");
        let bytes = program.encode().expect("generated instructions have an encoding");
        prop_assert_eq!(bytes.len(), program.slots().len() * 8);
        prop_assert_eq!(Program::decode(&bytes), Ok(program));
    }
}
