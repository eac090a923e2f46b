//! How long objects take from bytes to load requests.
//!
//! The kernel's own test objects and types are used where `cargo xtask setup` has put them into the cache.
#![allow(missing_docs, reason = "criterion's macros write undocumented functions")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bpfvet_btf::Btf;
use bpfvet_btf::co_re::Targets;
use bpfvet_elf::{Object, Options};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// The objects in a directory, by name.
fn objects(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(directory).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let objects = paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "o"));
    objects.filter_map(|path| Some((path.to_string_lossy().into_owned(), std::fs::read(path).ok()?))).collect()
}

/// Links every program of every object; the number of instructions keeps the work from being left out.
fn link(objects: &[(String, Vec<u8>)], targets: &Targets) -> u64 {
    let mut slots = 0;
    for (path, bytes) in objects {
        let options = Options { kernel_btf: targets.clone(), ..Options::for_file(path) };
        let Ok(object) = Object::parse(bytes, &options) else { continue };
        let requests = object.programs().iter().filter_map(|entry| object.load_request(entry).ok());
        slots += requests.map(|request| u64::from(request.program.len())).sum::<u64>();
    }
    slots
}

fn cache() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/bpfvet"));
    std::env::var_os("BPFVET_CACHE").map(PathBuf::from).or_else(home)
}

fn loading(criterion: &mut Criterion) {
    let examples = objects(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples"));
    criterion.bench_function("link the examples", |bencher| {
        bencher.iter(|| link(black_box(&examples), &Targets::default()));
    });
    let Some(cache) = cache() else { return };
    let Ok(types) = std::fs::read(cache.join("kernel/7.3/btf")) else { return };
    let mut group = criterion.benchmark_group("kernel types");
    group.throughput(Throughput::Bytes(types.len() as u64));
    group.bench_function("parse", |bencher| bencher.iter(|| Btf::parse(black_box(types.as_slice()))));
    let Ok(btf) = Btf::parse(types.as_slice()).map(Arc::new) else { return };
    group.bench_function("index", |bencher| bencher.iter(|| Targets::from(black_box(btf.clone()))));
    group.finish();
    let selftests = objects(&cache.join("selftests/7.3"));
    let targets = Targets::from(btf);
    let mut group = criterion.benchmark_group("selftests");
    group.sample_size(10).throughput(Throughput::Elements(selftests.len() as u64));
    group.bench_function("link", |bencher| bencher.iter(|| link(black_box(&selftests), &targets)));
    group.finish();
}

criterion_group!(benches, loading);
criterion_main!(benches);
