//! What it costs to be watched, and that it costs nothing not to be.
//!
//! `nobody` is how verdicts are asked for; `idle` is an observer that looks away, so the difference between the two is all that the
//! calls of observers cost; the others keep what they see.

use std::hint::black_box;
use std::path::Path;

use bpfvet::Verifier;
use bpfvet::domain::Domain;
use bpfvet::elf::{Object, Options};
use bpfvet::explore::{AnyObserver, Observer};
use bpfvet::linux::Linux;
use bpfvet::report::{KernelLog, LogLevel, Names, Recorder};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Looks away.
struct Idle;

impl<D: Domain> Observer<D> for Idle {}

fn watching(criterion: &mut Criterion) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/mistakes/packet_loop.bpf.o");
    let bytes = std::fs::read(path).expect("the example is there");
    let object = Object::parse(&bytes, &Options::for_file("packet_loop.bpf.o")).expect("an object");
    let program = object.programs().first().expect("a program");
    let request = object.load_request(program).expect("a request");
    let linux = Linux::newest();
    let verifier = Verifier::new(&linux);
    let graph = verifier.analyze(&request).expect("the form is fine");
    let names = Names::new(&request, &linux);

    let walk = |observer: &mut dyn AnyObserver| match verifier.verify_graph(&request, &graph, observer) {
        Ok(accepted) => accepted.stats.insns_processed,
        Err(rejection) => rejection.stats.insns_processed,
    };
    let insns = walk(&mut ());
    assert!(insns > 10_000, "{insns} is too little to measure");
    let mut group = criterion.benchmark_group("watching");
    group.sample_size(20).throughput(Throughput::Elements(insns));
    group.bench_function("nobody", |bencher| bencher.iter(|| black_box(walk(&mut ()))));
    group.bench_function("idle", |bencher| bencher.iter(|| black_box(walk(&mut Idle))));
    group.bench_function("recorder", |bencher| {
        bencher.iter(|| {
            let mut recorder = Recorder::new(graph.program());
            walk(&mut recorder);
            black_box(recorder.into_history())
        });
    });
    for level in [1, 2] {
        group.bench_function(format!("log level {level}"), |bencher| {
            bencher.iter(|| {
                let mut log = KernelLog::new(names.clone(), LogLevel(level)).with_graph(&graph);
                walk(&mut log);
                black_box(log.into_text().len())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, watching);
criterion_main!(benches);
