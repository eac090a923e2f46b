//! What a log costs, by its level: a search that is watched.

use std::hint::black_box;

use bpfvet_cfg::Graph;
use bpfvet_domain::Scalar;
use bpfvet_explore::{Options, verify};
use bpfvet_linux::Linux;
use bpfvet_report::{KernelLog, LogLevel, Names};
use bpfvet_testkit::families::Family;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn log(criterion: &mut Criterion) {
    let linux = Linux::new(Linux::NEWEST).expect("the newest release is known");
    let request = Family::named("stack").expect("a family").request(10).expect("a small member");
    let graph = Graph::analyze(&request, &linux).expect("the form is fine");
    let names = Names::new(&request, &linux);
    let mut group = criterion.benchmark_group("log");
    group.sample_size(10);
    for level in [1, 2, 4] {
        let written = || {
            let mut log = KernelLog::new(names.clone(), LogLevel(level)).with_graph(&graph);
            let verdict = verify::<Scalar>(&request, &linux, &graph, &Options::default(), &mut log);
            assert!(verdict.is_ok());
            log.into_text()
        };
        group.throughput(Throughput::Bytes(u64::try_from(written().len()).unwrap_or_default()));
        group.bench_function(BenchmarkId::from_parameter(level), |bencher| bencher.iter(|| black_box(written().len())));
    }
    group.finish();
}

criterion_group!(benches, log);
criterion_main!(benches);
