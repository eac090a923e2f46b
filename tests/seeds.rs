//! What fuzzing begins with is survived by every target.

use std::path::Path;

use bpfvet_testkit::fuzz::seeds;

#[test]
fn every_seed_is_survived() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = seeds(&root.join("corpus"), &root.join("../examples")).expect("the corpus and the examples");
    for target in ["asm", "btf", "cfg", "decode", "elf", "verify"] {
        assert!(seeds.iter().any(|seed| seed.target == target), "nothing for {target}");
    }
    for seed in &seeds {
        seed.run();
    }
}
