//! Instructions per second: decode, encode, disassemble.

use core::fmt::Write as _;
use core::hint::black_box;

use bpfvet_insn::{Insn, NoNames, Program};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// Every form of instruction, mixed by a fixed generator, as bytes.
fn mixed() -> Vec<u8> {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let noise: Vec<u8> = (0..1 << 20)
        .map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed.to_le_bytes()[3]
        })
        .collect();
    let mut noise = arbitrary::Unstructured::new(&noise);
    let insns = (0..20_000).map_while(|_| noise.arbitrary::<Insn>().ok());
    Program::from_insns(insns).encode().unwrap_or_default()
}

fn insn(c: &mut Criterion) {
    let bytes = mixed();
    let program = Program::decode(&bytes).unwrap_or_default();
    let count = program.iter().count() as u64;
    assert_eq!(count, 20_000);
    let mut group = c.benchmark_group("insn");
    group.throughput(Throughput::Elements(count));
    group.bench_function("decode", |b| {
        b.iter_batched(|| (), |()| Program::decode(black_box(&bytes)), BatchSize::LargeInput)
    });
    group.bench_function("encode", |b| b.iter_batched(|| (), |()| black_box(&program).encode(), BatchSize::LargeInput));
    group.bench_function("disassemble", |b| {
        let mut text = String::with_capacity(64 * 20_000);
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

criterion_group!(benches, insn);
criterion_main!(benches);
