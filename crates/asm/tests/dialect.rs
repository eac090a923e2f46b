//! What clang's inline assembly and the disassembler write, and what it means.

use bpfvet_asm::{AsmError, AsmErrorKind, Assembly, NoSymbols, Resolver, assemble, assemble_bytes};
use bpfvet_insn::{Call, ImmSource, Insn, InsnIdx};

struct Symbols;

impl Resolver for Symbols {
    fn call(&self, name: &str) -> Option<Call> {
        match name {
            "bpf_get_prandom_u32" => Some(Call::Helper(7)),
            "bpf_rcu_read_lock" => Some(Call::Kfunc { id: 100, btf: 2 }),
            _ => None,
        }
    }

    fn imm64(&self, name: &str) -> Option<ImmSource> {
        match name {
            "map_hash_8b" => Some(ImmSource::MapIdx(0)),
            "values" => Some(ImmSource::MapIdxValue { index: 1, off: 4 }),
            _ => None,
        }
    }

    fn constant(&self, name: &str) -> Option<i64> {
        match name {
            "__sk_buff_data" => Some(76),
            "eight" => Some(8),
            "bpf_map_lookup_elem" => Some(1),
            "two_exits" => Some(0x95),
            _ => None,
        }
    }
}

#[track_caller]
fn text(source: &str) -> String {
    match assemble(source, &Symbols) {
        Ok(Assembly { program, .. }) => program.to_string(),
        Err(error) => panic!("{source:?}: {error}"),
    }
}

/// Each left side means what each right side says.
#[track_caller]
fn means(pairs: &[(&str, &str)]) {
    for (source, expected) in pairs {
        assert_eq!(text(source).trim_end(), *expected, "{source:?}");
    }
}

#[test]
fn arithmetic_and_moves() {
    means(&[
        ("r1=r2", "r1 = r2"),
        ("r1 = -5", "r1 = -5"),
        ("r1 = - -5", "r1 = 5"),
        ("r1 = 0xffffffff", "r1 = -1"),
        ("r1 = 0b101", "r1 = 5"),
        ("r1 = 4 + 2 - 1", "r1 = 5"),
        ("w0 += w1", "w0 += w1"),
        ("r1+=8", "r1 += 8"),
        ("r1 %= 7", "r1 %= 7"),
        ("r1%=r2", "r1 %= r2"),
        ("r1 s%= r2", "r1 s%= r2"),
        ("w1 s/= -3", "w1 s/= -3"),
        ("r1 s>>= 3", "r1 s>>= 3"),
        ("r1 <<= r2", "r1 <<= r2"),
        ("r1 = -r1", "r1 = -r1"),
        ("w1=-w1", "w1 = -w1"),
        ("r1 = (s8)r2", "r1 = (s8)r2"),
        ("w1 = (s16) w2", "w1 = (s16)w2"),
        ("r1 = bswap16 r1", "r1 = bswap16 r1"),
        ("r1 = be64 r1", "r1 = be64 r1"),
        ("r1 = le32 r1", "r1 = le32 r1"),
        ("r1 = addr_space_cast(r2, 0, 1)", "r1 = addr_space_cast(r2, 0, 1)"),
        ("r1 = %[eight]", "r1 = 8"),
        ("r1 = eight + 1", "r1 = 9"),
    ]);
}

#[test]
fn memory() {
    means(&[
        ("r1 = *(u32 *)(r2 + 4)", "r1 = *(u32 *)(r2 +4)"),
        ("w1 = *(u32*)(r2+4)", "r1 = *(u32 *)(r2 +4)"),
        ("r1 = *(u64 *)(r10 - 8)", "r1 = *(u64 *)(r10 -8)"),
        ("r1 = *(s8 *)(r2)", "r1 = *(s8 *)(r2 +0)"),
        ("r1 = *(u32 *)(r1 + %[__sk_buff_data])", "r1 = *(u32 *)(r1 +76)"),
        ("r1 = *(u32 *)(r1 + %[__sk_buff_data] + 4)", "r1 = *(u32 *)(r1 +80)"),
        ("*(u32 *)(r10 -4) = w1", "*(u32 *)(r10 -4) = r1"),
        ("*(u64 *)(r10 -8) = r1", "*(u64 *)(r10 -8) = r1"),
        ("*(u8 *)(r10 -1) = 5", "*(u8 *)(r10 -1) = 5"),
        ("*(u64 *)(r11 - 8) = r1", "*(u64 *)(r11 -8) = r1"),
        ("r0 = *(u8 *)skb[4]", "r0 = *(u8 *)skb[4]"),
        ("r0 = *(u16 *)skb[r1]", "r0 = *(u16 *)skb[r1 + 0]"),
        ("r0 = *(u32 *)skb[r1 - 4]", "r0 = *(u32 *)skb[r1 + -4]"),
    ]);
}

#[test]
fn atomics() {
    means(&[
        ("lock *(u64 *)(r1 + 0) += r2", "lock *(u64 *)(r1 +0) += r2"),
        ("lock *(u32 *)(r1 + 0) ^= w2", "lock *(u32 *)(r1 +0) ^= r2"),
        ("r0 = atomic_fetch_add((u64 *)(r1 + 0), r0)", "r0 = atomic64_fetch_add((u64 *)(r1 +0), r0)"),
        ("w0 = atomic_fetch_or((u32 *)(r1 + 0), w0)", "r0 = atomic_fetch_or((u32 *)(r1 +0), r0)"),
        ("r2 = xchg_64(r1 - 8, r2)", "r2 = atomic64_xchg((u64 *)(r1 -8), r2)"),
        ("w2 = xchg32_32(r1 + 0, w2)", "r2 = atomic_xchg((u32 *)(r1 +0), r2)"),
        ("r0 = cmpxchg_64(r1 + 0, r0, r2)", "r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)"),
        ("w0 = cmpxchg32_32(r1 + 0, w0, w2)", "r0 = atomic_cmpxchg((u32 *)(r1 +0), r0, r2)"),
        ("w1 = load_acquire((u8 *)(r2 + 0))", "r1 = load_acquire((u8 *)(r2 +0))"),
        ("store_release((u64 *)(r1 + 0), r2)", "store_release((u64 *)(r1 +0), r2)"),
    ]);
}

#[test]
fn jumps_and_labels() {
    means(&[
        ("goto +3", "goto pc+3"),
        ("goto pc-3", "goto pc-3"),
        ("goto end; r0 = 0; end: exit", "goto pc+1\nr0 = 0\nexit"),
        ("l0_%=: gotol l0_%=", "gotol pc-1"),
        ("if r1 == 0 goto l1_%=; l1_%=: exit", "if r1 == 0x0 goto pc+0\nexit"),
        ("if w1 s> 5 goto +3", "if w1 s> 0x5 goto pc+3"),
        ("if r1 & 7 goto +1", "if r1 & 0x7 goto pc+1"),
        ("if r1<=r2 goto -1", "if r1 <= r2 goto pc-1"),
        ("if r1 == 0xffffffff goto +0", "if r1 == 0xffffffff goto pc+0"),
        ("if r1 == -1 goto +0", "if r1 == 0xffffffff goto pc+0"),
        ("may_goto +0", "may_goto pc+0"),
        ("gotox r3", "gotox r3"),
        ("1: goto 1b; goto 1f; 1: exit", "goto pc-1\ngoto pc+0\nexit"),
        ("1: 1: goto 1b", "goto pc-1"),
        ("a: b: goto a; goto b", "goto pc-1\ngoto pc-2"),
        // A 64-bit immediate takes two slots.
        ("goto x; r1 = 1 ll; x: exit", "goto pc+2\nr1 = 0x1 ll\nexit"),
        ("goto x; x:", "goto pc+0"),
    ]);
}

#[test]
fn calls() {
    means(&[
        ("call 7", "call 7"),
        ("call -1", "call -1"),
        ("call bpf_get_prandom_u32", "call 7"),
        ("call bpf_get_prandom_u32#7", "call 7"),
        ("call unknown#123", "call 123"),
        ("call %[bpf_map_lookup_elem]", "call 1"),
        ("call %[bpf_get_prandom_u32]", "call 7"),
        ("call bpf_rcu_read_lock", "call kernel-function#100@2"),
        ("call bpf_rcu_read_lock#5", "call kernel-function#5@2"),
        ("call kernel-function#5", "call kernel-function#5"),
        ("call pc+3", "call pc+3"),
        ("call f; exit; f: exit", "call pc+1\nexit\nexit"),
        // A label comes before a symbol.
        ("call bpf_get_prandom_u32; bpf_get_prandom_u32: exit", "call pc+0\nexit"),
    ]);
}

#[test]
fn wide_immediates() {
    means(&[
        ("r1 = 5 ll", "r1 = 0x5 ll"),
        ("r1 = -1 ll", "r1 = 0xffffffffffffffff ll"),
        ("r1 = 0xffffffffffffffff ll", "r1 = 0xffffffffffffffff ll"),
        ("r1 = map_hash_8b ll", "r1 = map[idx:0]"),
        ("r1 = %[map_hash_8b] ll", "r1 = map[idx:0]"),
        ("r1 = values ll", "r1 = map[idx:1][0]+4"),
        ("r1 = values + 4 ll", "r1 = map[idx:1][0]+8"),
        ("r1 = eight + 1 ll", "r1 = 0x9 ll"),
        ("r1 = f ll; f: exit", "r1 = subprog[+1]\nexit"),
        ("(18) r1 = 0x123456789", "r1 = 0x123456789 ll"),
        ("r1 = map[fd:3]", "r1 = map[fd:3]"),
        ("r1 = map[fd:-3][0]+8", "r1 = map[fd:-3][0]+8"),
        ("r1 = btf[id:7]", "r1 = btf[id:7,fd:0]"),
    ]);
}

#[test]
fn logs_can_be_pasted() {
    let log = "\
0: R1=ctx() R10=fp0
; int main(void) @ prog.c:7
0: (b7) r2 = 0                        ; R2=0
1: (18) r1 = 0xffff88810b51e728       ; R1=map_value(map=.rodata,ks=4,vs=9)
3: (85) call bpf_get_prandom_u32#7    ; R0=scalar()
4: (95) exit";
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(": (")).collect();
    assert_eq!(text(&lines.join("\n")), "r2 = 0\nr1 = 0xffff88810b51e728 ll\ncall 7\nexit\n");
}

#[test]
fn raw_slots_are_instructions_of_a_program_and_anything_in_an_image() {
    means(&[
        (".8byte 0x95", "exit"),
        (".8byte %[two_exits], 0x95", "exit\nexit"),
        (".8byte 0x118; .8byte 0x200000000", "r1 = 0x200000000 ll"),
    ]);
    let error = assemble("r0 = 0\n .8byte 0xff", &NoSymbols).expect_err("no such opcode");
    assert_eq!((error.line, error.column), (2, 9));
    assert!(matches!(error.kind, AsmErrorKind::Raw(_)));
    let image = assemble_bytes("r0 = 0\n .8byte 0xff", &NoSymbols).expect("bytes are bytes");
    assert_eq!(image.bytes, [0xb7, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(image.lines, [(InsnIdx(0), 1), (InsnIdx(1), 2)]);
}

#[test]
fn lines_and_labels_are_told() {
    let source = "# nothing\n\nmain:\n  r1 = 0 ll // two slots\n  r0 = 0; exit\n/* one\ntwo */ sub: exit\n";
    let Assembly { program, lines, labels } = assemble(source, &NoSymbols).expect("assembles");
    assert_eq!(program.len(), 5);
    let expected = [(0, 4), (2, 5), (3, 5), (4, 7)];
    assert_eq!(lines, expected.map(|(at, line)| (InsnIdx(at), line)));
    let labels: Vec<_> = labels.iter().map(|(name, at)| (name.as_str(), at.0)).collect();
    assert_eq!(labels, [("main", 0), ("sub", 4)]);
    assert_eq!(program.get(InsnIdx(4)), Some(&Insn::Exit));
}

#[track_caller]
fn fails(source: &str, line: u32, column: u32, message: &str) {
    let AsmError { line: l, column: c, kind } = assemble(source, &Symbols).expect_err(source);
    assert_eq!((l, c, kind.to_string().as_str()), (line, column, message), "{source:?}");
}

#[test]
fn errors_have_a_place_and_say_what_is_wrong() {
    fails("r0 = 0\n  r12 = 1", 2, 3, "expected a register from 0 to 11, found `r12`");
    fails("r1 = r01", 1, 6, "expected a register from 0 to 11, found `r01`");
    fails("r1 = w2", 1, 6, "`r` and `w` registers do not go together here");
    fails("w1 = *(u64 *)(r1 + 0)", 1, 1, "`r` and `w` registers do not go together here");
    fails("w1 = *(s8 *)(r1 + 0)", 1, 1, "`r` and `w` registers do not go together here");
    fails("*(u64 *)(r1 + 0) = w2", 1, 20, "`r` and `w` registers do not go together here");
    fails("r1 = -r2", 1, 7, "must be the same register as the destination");
    fails("r1 = be16 r2", 1, 11, "must be the same register as the destination");
    fails("r1 = cmpxchg_64(r1 + 0, r0, r2)", 1, 1, "must be `r0`");
    fails("r1 = *(u8 *)skb[0]", 1, 1, "must be `r0`");
    fails("r1 = 0x100000000", 1, 6, "immediate 4294967296 is not in -2147483648..=4294967295");
    fails("r1 = *(u8 *)(r2 + 32768)", 1, 17, "offset 32768 is not in -32768..=32767");
    fails("goto +40000", 1, 6, "distance 40000 is not in -32768..=32767");
    fails("goto nowhere", 1, 1, "nothing is called `nowhere`");
    fails("goto 1f; 2: exit", 1, 1, "nothing is called `1f`");
    fails("call nobody", 1, 1, "nothing is called `nobody`");
    fails("r1 = nothing ll", 1, 1, "nothing is called `nothing`");
    fails("r1 = nothing", 1, 6, "nothing is called `nothing`");
    fails("a: exit\na: exit", 2, 1, "label `a` stands twice");
    fails("r1 = map_hash_8b + 4 ll", 1, 1, "`map_hash_8b` cannot have an offset");
    fails("(b7) w1 = 0", 1, 6, "opcode is b4, not b7");
    fails("lock *(u8 *)(r1 + 0) += r2", 1, 1, "no such instruction of 1 bytes");
    fails("r1 = r11", 1, 1, "src register r11 cannot be used here");
    fails("r1 = 010", 1, 6, "`010` is not a number");
    fails("r1 = 99999999999999999999", 1, 6, "`99999999999999999999` is not a number");
    fails("r1 = 5ll", 1, 6, "`5l` is not a number");
    fails("exit exit", 1, 6, "expected the end of the statement, found `exit`");
    fails("r1 ! 5", 1, 4, "character '!' begins nothing here");
    fails("r1 =", 1, 5, "expected a number, found the end of the statement");
    fails("if r1 = 5 goto +1", 1, 7, "expected a comparison, found `=`");
    fails("/* open", 1, 1, "comment without an end");
    fails("ünder", 1, 1, "character 'ü' begins nothing here");
    fails("/* ü */ ?", 1, 9, "character '?' begins nothing here");
    fails("r1: exit", 1, 1, "expected a label, found `r1`");
    fails("atomic", 1, 1, "expected an instruction, found `atomic`");
}
