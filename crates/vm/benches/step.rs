//! What one instruction costs: straight-line programs, walked from the entry to the exit.

use std::hint::black_box;

use bpfvet_cfg::Graph;
use bpfvet_insn::{InsnIdx, Program};
use bpfvet_linux::Linux;
use bpfvet_platform::{LoadRequest, Platform as _, ProgramType};
use bpfvet_vm::{Effects, Facts, IdGen, Memo, Next, State, entry_state, kfuncs, step};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// By name, what is done over and over.
const ROUNDS: &[(&str, &str)] = &[
    ("constants", "r2 = 7\nr2 += 3\nr2 <<= 2\nr2 &= 255\n"),
    ("unknown", "r2 = *(u32 *)(r1 + 0)\nr2 += 3\nw2 ^= w3\nr3 = r2\n"),
    (
        "spill and fill",
        "*(u64 *)(r10 - 8) = r3\nr4 = *(u64 *)(r10 - 8)\n*(u32 *)(r10 - 16) = 0\nr4 = *(u32 *)(r10 - 16)\n",
    ),
    ("pointers", "r5 = r10\nr5 += -32\n*(u64 *)(r5 + 0) = r1\nr5 = *(u64 *)(r5 + 0)\n"),
];
const REPEAT: usize = 250;

fn walk(facts: &Facts<'_>, memo: &mut Memo, entry: &State) -> u32 {
    let (mut ids, mut effects, mut state) = (IdGen::default(), Effects::default(), entry.clone());
    let (mut at, mut steps) = (InsnIdx(0), 0);
    while let Ok(Next::To(next)) = step(facts, memo, &mut ids, &mut state, at, &mut effects) {
        (at, steps) = (next, steps + 1);
    }
    steps
}

fn steps(criterion: &mut Criterion) {
    let linux = Linux::new(Linux::NEWEST).expect("the newest release is known");
    let mut group = criterion.benchmark_group("step");
    for (name, round) in ROUNDS {
        let text = format!("r3 = *(u32 *)(r1 + 4)\n{}r0 = 0\nexit\n", round.repeat(REPEAT));
        let program: Program =
            bpfvet_asm::assemble(&text, &bpfvet_asm::NoSymbols).expect("the text is a program").program;
        let request = LoadRequest::new("bench", ProgramType::SOCKET_FILTER, program);
        let graph = Graph::analyze(&request, &linux).expect("the form is fine");
        let kind = linux.program_type(request.program_type).expect("socket filters are known");
        let facts = Facts {
            request: &request,
            platform: &linux,
            program: graph.program(),
            features: *linux.features(),
            limits: linux.limits(request.privilege),
            kind,
            attach: None,
            subprogs: Vec::new(),
            kfuncs: kfuncs(&request, &linux),
            live_regs: graph.live_regs(),
        };
        let mut memo = Memo::new(graph.program().slots().len(), 1);
        let entry = entry_state(&facts, &mut memo, &mut IdGen::default()).expect("the entry is modelled");
        let count = u32::try_from(4 * REPEAT + 2).expect("a small number");
        assert_eq!(walk(&facts, &mut memo, &entry), count, "every instruction is walked, up to the exit");
        group.throughput(Throughput::Elements(u64::from(count)));
        group.bench_function(*name, |bencher| bencher.iter(|| black_box(walk(&facts, &mut memo, &entry))));
    }
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
