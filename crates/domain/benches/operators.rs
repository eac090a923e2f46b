//! Each operator of the scalar domain in nanoseconds, on operands of which some bits and bounds are known.

use std::hint::black_box;

use bpfvet_domain::{AluOp, Arc32, Arc64, ByteOrder, CmpOp, Scalar, Tnum, Width};
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};

/// A kind of operand, and pairs of it that a run goes round.
struct Operands {
    name: &'static str,
    pairs: Vec<(Scalar, Scalar)>,
}

fn operands() -> [Operands; 4] {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut many = |name, one: fn(u64, u64) -> Scalar| {
        let mut number = || {
            let mut scalar = one(next(), next());
            scalar.sync();
            scalar
        };
        Operands { name, pairs: (0..64).map(|_| (number(), number())).collect() }
    };
    [
        many("constant", |x, _| Scalar::constant(x >> 40)),
        many("byte", |_, _| Scalar::from_parts(Tnum { value: 0, mask: 0xff }, Arc64::FULL, Arc32::FULL)),
        many("range", |x, y| Scalar::unknown().with_arc64(Arc64::new(x >> 34, y >> 50))),
        many("unknown", |_, _| Scalar::unknown()),
    ]
}

fn pairs(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    operands: &Operands,
    f: impl Fn(Scalar, Scalar) -> Scalar,
) {
    let mut turn = 0;
    group.bench_function(format!("{name}/{}", operands.name), |bencher| {
        bencher.iter(|| {
            turn = (turn + 1) & 63;
            let (a, b) = operands.pairs[turn];
            f(black_box(a), black_box(b))
        });
    });
}

fn operators(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scalar");
    for operands in &operands() {
        for (name, op) in [
            ("add", AluOp::Add),
            ("sub", AluOp::Sub),
            ("mul", AluOp::Mul),
            ("and", AluOp::And),
            ("or", AluOp::Or),
            ("xor", AluOp::Xor),
        ] {
            pairs(&mut group, name, operands, |a, b| Scalar::alu(op, Width::W64, a, b));
        }
        pairs(&mut group, "add32", operands, |a, b| Scalar::alu(AluOp::Add, Width::W32, a, b));
        for (name, op, by) in [
            ("div", AluOp::Div, 10),
            ("sdiv", AluOp::Sdiv, 10),
            ("mod", AluOp::Mod, 10),
            ("smod", AluOp::Smod, 10),
            ("lsh", AluOp::Lsh, 3),
            ("rsh", AluOp::Rsh, 3),
            ("arsh", AluOp::Arsh, 3),
        ] {
            let by = Scalar::constant(by);
            pairs(&mut group, name, operands, |a, _| Scalar::alu(op, Width::W64, a, black_box(by)));
        }
        pairs(&mut group, "neg", operands, |a, _| Scalar::neg(Width::W64, a));
        pairs(&mut group, "add constant", operands, |a, _| a.add_const(black_box(8)));
        pairs(&mut group, "zero-extend", operands, |a, _| a.zero_extend_subreg());
        pairs(&mut group, "truncate", operands, |a, _| Scalar::truncate(2, a));
        pairs(&mut group, "sign-extend", operands, |a, _| Scalar::sign_extend(4, a));
        pairs(&mut group, "bswap", operands, |a, _| Scalar::byte_order(ByteOrder::Swap, 8, a));
        pairs(&mut group, "join", operands, |a, b| a.join(&b));
        pairs(&mut group, "sync", operands, |mut a, _| {
            a.sync();
            a
        });
        for op in [CmpOp::Eq, CmpOp::Ne, CmpOp::Lt, CmpOp::Slt, CmpOp::Set] {
            let mut turn = 0;
            group.bench_function(format!("branch {op:?}/{}", operands.name), |bencher| {
                bencher.iter(|| {
                    turn = (turn + 1) & 63;
                    let (a, b) = operands.pairs[turn];
                    Scalar::branch(op, Width::W64, black_box(a), black_box(b), false)
                });
            });
        }
        let mut turn = 0;
        group.bench_function(format!("includes/{}", operands.name), |bencher| {
            bencher.iter(|| {
                turn = (turn + 1) & 63;
                let (a, b) = operands.pairs[turn];
                black_box(a).includes(&black_box(b))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, operators);
criterion_main!(benches);
