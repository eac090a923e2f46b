//! Instructions per second: decode, encode, disassemble.
//!
//! Two programs. In `mixed` every form is as frequent as any other and they come in random order, which no branch predictor
//! follows. `compiled` repeats one function as a compiler writes them.

use core::fmt::Write as _;
use core::hint::black_box;

use arbitrary::Unstructured;
use bpfvet_insn::{Insn, NoNames, Program};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Instructions in each program.
const COUNT: usize = 4096;

fn mixed() -> Program {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = Vec::with_capacity(64 * COUNT);
    while noise.len() < 64 * COUNT {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        noise.push(seed.to_le_bytes()[3]);
    }
    let mut noise = Unstructured::new(&noise);
    (0..COUNT).map_while(|_| noise.arbitrary::<Insn>().ok()).collect()
}

/// A packet filter: bounds checks, field loads, a map lookup, an atomic counter.
const FUNCTION: [u64; 32] = [
    0x0000_0000_0000_16bf, // r6 = r1
    0x0000_0000_0050_1261, // r2 = *(u32 *)(r1 +80)
    0x0000_0000_004c_1161, // r1 = *(u32 *)(r1 +76)
    0x0000_0000_0000_13bf, // r3 = r1
    0x0000_000e_0000_0307, // r3 += 14
    0x0000_0000_0017_232d, // if r3 > r2 goto pc+23
    0x0000_0000_000c_1469, // r4 = *(u16 *)(r1 +12)
    0x0000_0010_0000_04dc, // r4 = be16 r4
    0x0000_0800_0014_0455, // if r4 != 0x800 goto pc+20
    0x0000_0000_0000_15bf, // r5 = r1
    0x0000_0022_0000_0507, // r5 += 34
    0x0000_0000_0011_252d, // if r5 > r2 goto pc+17
    0x0000_0000_0017_1371, // r3 = *(u8 *)(r1 +23)
    0x0000_0011_000f_0356, // if w3 != 0x11 goto pc+15
    0x0000_0000_001a_1361, // r3 = *(u32 *)(r1 +26)
    0x0000_0000_fffc_3a63, // *(u32 *)(r10 -4) = r3
    0x0000_0000_0000_a2bf, // r2 = r10
    0xffff_fffc_0000_0207, // r2 += -4
    0x0000_0003_0000_1118, // r1 = map[fd:3]
    0x0000_0000_0000_0000,
    0x0000_0001_0000_0085, // call 1
    0x0000_0000_0007_0015, // if r0 == 0x0 goto pc+7
    0x0000_0001_0000_01b7, // r1 = 1
    0x0000_0000_0000_10db, // lock *(u64 *)(r0 +0) += r1
    0x0000_0000_0008_6179, // r1 = *(u64 *)(r6 +8)
    0x0000_0020_0000_0167, // r1 <<= 32
    0x0000_0020_0000_0177, // r1 >>= 32
    0x0000_0000_fff0_1a7b, // *(u64 *)(r10 -16) = r1
    0x0000_0001_0000_00b4, // w0 = 1
    0x0000_0000_0001_0005, // goto pc+1
    0x0000_0000_0000_00b4, // w0 = 0
    0x0000_0000_0000_0095, // exit
];

fn compiled() -> Program {
    let bytes: Vec<u8> = FUNCTION.iter().cycle().take(COUNT).flat_map(|slot| slot.to_le_bytes()).collect();
    Program::decode(&bytes).unwrap_or_default()
}

fn insn(c: &mut Criterion) {
    for (name, program) in [("mixed", mixed()), ("compiled", compiled())] {
        let count = program.iter().count();
        assert!(count > COUNT / 2);
        let bytes = program.encode().unwrap_or_default();
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function("decode", |b| b.iter(|| Program::decode(black_box(&bytes))));
        group.bench_function("encode", |b| b.iter(|| black_box(&program).encode()));
        group.bench_function("disassemble", |b| {
            let mut text = String::with_capacity(64 * COUNT);
            b.iter(|| {
                text.clear();
                for (at, insn) in black_box(&program).iter() {
                    let _ = writeln!(text, "{at}: {}", insn.disasm(&NoNames));
                }
                text.len()
            })
        });
        group.finish();
    }
}

criterion_group!(benches, insn);
criterion_main!(benches);
