//! What a whole search costs, by the shape of the program.

use std::hint::black_box;

use bpfvet_cfg::Graph;
use bpfvet_domain::Scalar;
use bpfvet_explore::{Options, verify};
use bpfvet_linux::Linux;
use bpfvet_testkit::families::FAMILIES;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn search(criterion: &mut Criterion) {
    let linux = Linux::new(Linux::NEWEST).expect("the newest release is known");
    let mut group = criterion.benchmark_group("search");
    group.sample_size(10);
    for family in FAMILIES {
        let request = family.request(family.sizes[0] / 4).expect("a small member");
        let graph = Graph::analyze(&request, &linux).expect("the form is fine");
        let walk = || verify::<Scalar>(&request, &linux, &graph, &Options::default(), &mut ());
        let insns = walk().expect("every member is accepted").stats.insns_processed;
        group.throughput(Throughput::Elements(insns));
        group.bench_function(family.name, |bencher| bencher.iter(|| black_box(walk().is_ok())));
    }
    group.finish();
}

criterion_group!(benches, search);
criterion_main!(benches);
