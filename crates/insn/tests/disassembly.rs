//! Golden texts of every form: the log's line, and the text that the assembler reads back.

use core::fmt::Write as _;

use bpfvet_insn::{ImmSource, Names, NoNames, Program};
use expect_test::expect;

/// Bytes of a program written as one slot a line: opcode, registers (`src dst`), offset, immediate, in hexadecimal, as the
/// fields stand and not as the bytes do.
fn bytes(slots: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for line in slots.lines() {
        let fields: Vec<u32> = line.split_whitespace().map(|hex| u32::from_str_radix(hex, 16).expect("hex")).collect();
        let [code, regs, off, imm] = fields[..] else { panic!("four fields: {line}") };
        out.push(code as u8);
        out.push(regs as u8);
        out.extend_from_slice(&(off as u16).to_le_bytes());
        out.extend_from_slice(&imm.to_le_bytes());
    }
    out
}

fn print(slots: &str, names: &impl Names) -> String {
    let program = Program::decode(&bytes(slots)).expect("decodes");
    let mut out = String::new();
    for (at, insn) in program.iter() {
        writeln!(out, "{at:2}: {:<52} | {insn}", insn.disasm(names).to_string()).expect("a string");
    }
    out
}

#[test]
fn arithmetic_and_moves() {
    let text = print(
        "07 01 0 2a
         0f 21 0 0
         14 03 0 ffffffff
         2c 21 0 0
         37 01 0 3
         3f 21 1 0
         34 01 1 fffffffd
         97 01 0 7
         9c 21 1 0
         57 01 0 ff
         4c 21 0 0
         af 21 0 0
         67 01 0 20
         7f 21 0 0
         c7 01 0 3f
         cc 21 0 0
         87 05 0 0
         84 05 0 0
         b7 00 0 fffffff6
         b4 00 0 1
         bf a1 0 0
         bc 21 0 0
         bf 21 8 0
         bf 21 10 0
         bf 21 20 0
         bc 21 8 0
         bf 21 1 1
         bf 21 1 10000
         d4 01 0 10
         dc 01 0 20
         d7 01 0 40",
        &NoNames,
    );
    expect![[r#"
         0: (07) r1 += 42                                        | r1 += 42
         1: (0f) r1 += r2                                        | r1 += r2
         2: (14) w3 -= -1                                        | w3 -= -1
         3: (2c) w1 *= w2                                        | w1 *= w2
         4: (37) r1 /= 3                                         | r1 /= 3
         5: (3f) r1 s/= r2                                       | r1 s/= r2
         6: (34) w1 s/= -3                                       | w1 s/= -3
         7: (97) r1 %= 7                                         | r1 %= 7
         8: (9c) w1 s%= w2                                       | w1 s%= w2
         9: (57) r1 &= 255                                       | r1 &= 255
        10: (4c) w1 |= w2                                        | w1 |= w2
        11: (af) r1 ^= r2                                        | r1 ^= r2
        12: (67) r1 <<= 32                                       | r1 <<= 32
        13: (7f) r1 >>= r2                                       | r1 >>= r2
        14: (c7) r1 s>>= 63                                      | r1 s>>= 63
        15: (cc) w1 s>>= w2                                      | w1 s>>= w2
        16: (87) r5 = -r5                                        | r5 = -r5
        17: (84) w5 = -w5                                        | w5 = -w5
        18: (b7) r0 = -10                                        | r0 = -10
        19: (b4) w0 = 1                                          | w0 = 1
        20: (bf) r1 = r10                                        | r1 = r10
        21: (bc) w1 = w2                                         | w1 = w2
        22: (bf) r1 = (s8)r2                                     | r1 = (s8)r2
        23: (bf) r1 = (s16)r2                                    | r1 = (s16)r2
        24: (bf) r1 = (s32)r2                                    | r1 = (s32)r2
        25: (bc) w1 = (s8)w2                                     | w1 = (s8)w2
        26: (bf) r1 = addr_space_cast(r2, 0, 1)                  | r1 = addr_space_cast(r2, 0, 1)
        27: (bf) r1 = addr_space_cast(r2, 1, 0)                  | r1 = addr_space_cast(r2, 1, 0)
        28: (d4) r1 = le16 r1                                    | r1 = le16 r1
        29: (dc) r1 = be32 r1                                    | r1 = be32 r1
        30: (d7) r1 = bswap64 r1                                 | r1 = bswap64 r1
    "#]]
    .assert_eq(&text);
}

#[test]
fn memory() {
    let text = print(
        "61 21 4 0
         69 a1 fff8 0
         71 21 0 0
         79 21 7fff 0
         81 21 4 0
         89 21 0 0
         91 21 8000 0
         79 b1 8 0
         7a 0b fff8 5
         7b 1b fff0 0
         62 0a fffc ffffffff
         6a 0a fffe 1
         72 0a ffff 0
         63 3a fff8 0
         6b 3a fff8 0
         73 3a fff8 0
         7b 3a fff8 0
         20 00 0 c
         28 00 0 ffffffff
         30 00 0 0
         40 20 0 fffffffc
         50 60 0 8",
        &NoNames,
    );
    expect![[r#"
         0: (61) r1 = *(u32 *)(r2 +4)                            | r1 = *(u32 *)(r2 +4)
         1: (69) r1 = *(u16 *)(r10 -8)                           | r1 = *(u16 *)(r10 -8)
         2: (71) r1 = *(u8 *)(r2 +0)                             | r1 = *(u8 *)(r2 +0)
         3: (79) r1 = *(u64 *)(r2 +32767)                        | r1 = *(u64 *)(r2 +32767)
         4: (81) r1 = *(s32 *)(r2 +4)                            | r1 = *(s32 *)(r2 +4)
         5: (89) r1 = *(s16 *)(r2 +0)                            | r1 = *(s16 *)(r2 +0)
         6: (91) r1 = *(s8 *)(r2 -32768)                         | r1 = *(s8 *)(r2 -32768)
         7: (79) r1 = *(u64 *)(r11 +8)                           | r1 = *(u64 *)(r11 +8)
         8: (7a) *(u64 *)(r11 -8) = 5                            | *(u64 *)(r11 -8) = 5
         9: (7b) *(u64 *)(r11 -16) = r1                          | *(u64 *)(r11 -16) = r1
        10: (62) *(u32 *)(r10 -4) = -1                           | *(u32 *)(r10 -4) = -1
        11: (6a) *(u16 *)(r10 -2) = 1                            | *(u16 *)(r10 -2) = 1
        12: (72) *(u8 *)(r10 -1) = 0                             | *(u8 *)(r10 -1) = 0
        13: (63) *(u32 *)(r10 -8) = r3                           | *(u32 *)(r10 -8) = r3
        14: (6b) *(u16 *)(r10 -8) = r3                           | *(u16 *)(r10 -8) = r3
        15: (73) *(u8 *)(r10 -8) = r3                            | *(u8 *)(r10 -8) = r3
        16: (7b) *(u64 *)(r10 -8) = r3                           | *(u64 *)(r10 -8) = r3
        17: (20) r0 = *(u32 *)skb[12]                            | r0 = *(u32 *)skb[12]
        18: (28) r0 = *(u16 *)skb[-1]                            | r0 = *(u16 *)skb[-1]
        19: (30) r0 = *(u8 *)skb[0]                              | r0 = *(u8 *)skb[0]
        20: (40) r0 = *(u32 *)skb[r2 + -4]                       | r0 = *(u32 *)skb[r2 + -4]
        21: (50) r0 = *(u8 *)skb[r6 + 8]                         | r0 = *(u8 *)skb[r6 + 8]
    "#]]
    .assert_eq(&text);
}

#[test]
fn atomics() {
    let text = print(
        "c3 21 4 0
         db 21 fff8 40
         db 21 0 50
         c3 21 0 a0
         c3 21 4 1
         db 21 fff8 41
         db 21 0 51
         c3 21 0 a1
         c3 21 0 e1
         db 21 0 e1
         c3 21 0 f1
         db 21 0 f1
         d3 21 0 100
         db 21 8 100
         cb 21 0 110
         db 21 fff8 110",
        &NoNames,
    );
    expect![[r#"
         0: (c3) lock *(u32 *)(r1 +4) += r2                      | lock *(u32 *)(r1 +4) += r2
         1: (db) lock *(u64 *)(r1 -8) |= r2                      | lock *(u64 *)(r1 -8) |= r2
         2: (db) lock *(u64 *)(r1 +0) &= r2                      | lock *(u64 *)(r1 +0) &= r2
         3: (c3) lock *(u32 *)(r1 +0) ^= r2                      | lock *(u32 *)(r1 +0) ^= r2
         4: (c3) r2 = atomic_fetch_add((u32 *)(r1 +4), r2)       | r2 = atomic_fetch_add((u32 *)(r1 +4), r2)
         5: (db) r2 = atomic64_fetch_or((u64 *)(r1 -8), r2)      | r2 = atomic64_fetch_or((u64 *)(r1 -8), r2)
         6: (db) r2 = atomic64_fetch_and((u64 *)(r1 +0), r2)     | r2 = atomic64_fetch_and((u64 *)(r1 +0), r2)
         7: (c3) r2 = atomic_fetch_xor((u32 *)(r1 +0), r2)       | r2 = atomic_fetch_xor((u32 *)(r1 +0), r2)
         8: (c3) r2 = atomic_xchg((u32 *)(r1 +0), r2)            | r2 = atomic_xchg((u32 *)(r1 +0), r2)
         9: (db) r2 = atomic64_xchg((u64 *)(r1 +0), r2)          | r2 = atomic64_xchg((u64 *)(r1 +0), r2)
        10: (c3) r0 = atomic_cmpxchg((u32 *)(r1 +0), r0, r2)     | r0 = atomic_cmpxchg((u32 *)(r1 +0), r0, r2)
        11: (db) r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)   | r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)
        12: (d3) r1 = load_acquire((u8 *)(r2 +0))                | r1 = load_acquire((u8 *)(r2 +0))
        13: (db) r1 = load_acquire((u64 *)(r2 +8))               | r1 = load_acquire((u64 *)(r2 +8))
        14: (cb) store_release((u16 *)(r1 +0), r2)               | store_release((u16 *)(r1 +0), r2)
        15: (db) store_release((u64 *)(r1 -8), r2)               | store_release((u64 *)(r1 -8), r2)
    "#]]
    .assert_eq(&text);
}

#[test]
fn jumps_and_calls() {
    struct Some3;
    impl Names for Some3 {
        fn helper(&self, id: i32) -> Option<&str> {
            (id == 1).then_some("bpf_map_lookup_elem")
        }
        fn kfunc(&self, id: i32, btf: i16) -> Option<&str> {
            (id == 0x1234 && btf == 0).then_some("bpf_rcu_read_lock")
        }
    }
    let slots = "05 00 3 0
         05 00 fffd 0
         06 00 0 12345
         0d 01 0 0
         15 01 2 0
         55 01 2 ffffffff
         25 01 ffff 7
         2d 21 2 0
         35 01 2 7
         a5 01 2 7
         b5 01 2 7
         45 01 2 f
         66 01 2 7
         76 01 2 80000000
         ce 21 2 0
         d6 01 2 7
         1e 21 0 0
         e5 00 fff0 0
         85 00 0 1
         85 00 0 7
         85 00 0 ffffffff
         85 10 0 5
         85 10 0 fffffffb
         85 20 0 1234
         85 20 3 1234
         95 00 0 0";
    expect![[r#"
         0: (05) goto pc+3                                       | goto pc+3
         1: (05) goto pc-3                                       | goto pc-3
         2: (06) gotol pc+74565                                  | gotol pc+74565
         3: (0d) gotox r1                                        | gotox r1
         4: (15) if r1 == 0x0 goto pc+2                          | if r1 == 0x0 goto pc+2
         5: (55) if r1 != 0xffffffff goto pc+2                   | if r1 != 0xffffffff goto pc+2
         6: (25) if r1 > 0x7 goto pc-1                           | if r1 > 0x7 goto pc-1
         7: (2d) if r1 > r2 goto pc+2                            | if r1 > r2 goto pc+2
         8: (35) if r1 >= 0x7 goto pc+2                          | if r1 >= 0x7 goto pc+2
         9: (a5) if r1 < 0x7 goto pc+2                           | if r1 < 0x7 goto pc+2
        10: (b5) if r1 <= 0x7 goto pc+2                          | if r1 <= 0x7 goto pc+2
        11: (45) if r1 & 0xf goto pc+2                           | if r1 & 0xf goto pc+2
        12: (66) if w1 s> 0x7 goto pc+2                          | if w1 s> 0x7 goto pc+2
        13: (76) if w1 s>= 0x80000000 goto pc+2                  | if w1 s>= 0x80000000 goto pc+2
        14: (ce) if w1 s< w2 goto pc+2                           | if w1 s< w2 goto pc+2
        15: (d6) if w1 s<= 0x7 goto pc+2                         | if w1 s<= 0x7 goto pc+2
        16: (1e) if w1 == w2 goto pc+0                           | if w1 == w2 goto pc+0
        17: (e5) may_goto pc-16                                  | may_goto pc-16
        18: (85) call bpf_map_lookup_elem#1                      | call 1
        19: (85) call unknown#7                                  | call 7
        20: (85) call unknown#-1                                 | call -1
        21: (85) call pc+5                                       | call pc+5
        22: (85) call pc-5                                       | call pc-5
        23: (85) call bpf_rcu_read_lock#4660                     | call kernel-function#4660
        24: (85) call kernel-function#4660                       | call kernel-function#4660@3
        25: (95) exit                                            | exit
    "#]]
    .assert_eq(&print(slots, &Some3));
}

#[test]
fn sources_of_64_bit_immediates() {
    struct Addresses;
    impl Names for Addresses {
        fn address(&self, source: ImmSource) -> u64 {
            match source {
                ImmSource::MapFd(fd) => 0xffff_8880_0000_0000 | u64::from(fd.cast_unsigned()),
                ImmSource::MapValue { off, .. } => 0xffff_c900_0000_0000 | u64::from(off),
                ImmSource::BtfId { .. }
                | ImmSource::MapIdx(_)
                | ImmSource::MapIdxValue { .. }
                | ImmSource::Value(_)
                | ImmSource::Func(_) => 0,
            }
        }
    }
    let slots = "18 01 0 89abcdef
         00 00 0 1234567
         18 02 0 0
         00 00 0 0
         18 11 0 4
         00 00 0 0
         18 21 0 4
         00 00 0 10
         18 31 0 1000
         00 00 0 5
         18 41 0 fffffffd
         00 00 0 0
         18 51 0 2
         00 00 0 0
         18 61 0 2
         00 00 0 8";
    expect![[r#"
         0: (18) r1 = 0x123456789abcdef                          | r1 = 0x123456789abcdef ll
         2: (18) r2 = 0x0                                        | r2 = 0x0 ll
         4: (18) r1 = 0xffff888000000004                         | r1 = map[fd:4]
         6: (18) r1 = 0xffffc90000000010                         | r1 = map[fd:4][0]+16
         8: (18) r1 = 0x0                                        | r1 = btf[id:4096,fd:5]
        10: (18) r1 = 0xfffffffd                                 | r1 = subprog[-3]
        12: (18) r1 = 0x0                                        | r1 = map[idx:2]
        14: (18) r1 = 0x0                                        | r1 = map[idx:2][0]+8
    "#]]
    .assert_eq(&print(slots, &Addresses));
}

#[test]
fn a_program_prints_one_instruction_a_line() {
    let program = Program::decode(&bytes("b7 00 0 0\n95 00 0 0")).expect("decodes");
    assert_eq!(program.to_string(), "r0 = 0\nexit\n");
}
