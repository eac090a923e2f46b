//! Writes seeds where `cargo fuzz` looks for them: `cargo run -p bpfvet-testkit --example seeds`.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use bpfvet_testkit::fuzz::seeds;

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let seeds = seeds(&root.join("tests/corpus"), &root.join("examples"))?;
    for seed in &seeds {
        let dir = root.join("fuzz/corpus").join(seed.target);
        fs::create_dir_all(&dir)?;
        fs::write(dir.join(&seed.name), &seed.bytes)?;
    }
    writeln!(io::stdout(), "{} seeds under fuzz/corpus", seeds.len())
}
