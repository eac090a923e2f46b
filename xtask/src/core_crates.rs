//! What the compiler can say about the core crates: they need no `std`, and their library code calls nothing that panics.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::shell;

/// Crates that a kernel could embed: `no_std` with `alloc`.
pub(crate) const CORE: &[&str] = &["insn", "asm", "domain", "btf", "platform", "linux", "cfg", "vm", "explore"];

/// Lints that name a call which panics; denied in library code of the core crates, allowed in their tests.
const PANICKING: &[&str] = &[
    "unwrap_used",
    "expect_used",
    "panic",
    "unreachable",
    "todo",
    "unimplemented",
    "exit",
    "mem_forget",
    "get_unwrap",
    "panic_in_result_fn",
];

pub(crate) fn run() -> Result<()> {
    println!("core crates: no call that panics in library code");
    no_panic()?;
    println!("core crates: a program without std can link them all");
    no_std()
}

fn no_panic() -> Result<()> {
    let mut clippy = Command::new("cargo");
    clippy.current_dir(shell::root()).args(["clippy", "--quiet", "--lib"]);
    for name in CORE {
        clippy.args(["-p", &format!("bpfvet-{name}")]);
    }
    clippy.args(["--", "-D", "warnings"]);
    for lint in PANICKING {
        clippy.args(["-D", &format!("clippy::{lint}")]);
    }
    shell::run(&mut clippy)
}

/// Checks a crate that is `no_std`, brings its own panic handler and depends on every core crate without features.
///
/// If any of them, or anything they depend on, links `std`, the compiler refuses the second panic handler. This needs no
/// bare-metal target to be installed.
fn no_std() -> Result<()> {
    let root = shell::root();
    let probe = root.join("target/no-std-probe");
    std::fs::create_dir_all(probe.join("src")).with_context(|| format!("cannot create {}", probe.display()))?;
    let mut manifest = String::from(
        "[package]\nname = \"no-std-probe\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n",
    );
    let mut source = String::from("#![no_std]\n");
    for name in CORE {
        writeln!(manifest, "bpfvet-{name} = {{ path = \"../../crates/{name}\", default-features = false }}")?;
        writeln!(source, "extern crate bpfvet_{name} as _;")?;
    }
    source.push_str("#[panic_handler]\nfn halt(_: &core::panic::PanicInfo<'_>) -> ! {\n    loop {}\n}\n");
    std::fs::write(probe.join("Cargo.toml"), manifest)?;
    std::fs::write(probe.join("src/lib.rs"), source)?;
    // The same versions as the workspace; a first `Cargo.lock` would be made by asking a registry.
    std::fs::copy(root.join("Cargo.lock"), probe.join("Cargo.lock"))?;
    let mut check = Command::new("cargo");
    check.current_dir(&probe).args(["check", "--quiet", "--target-dir"]).arg(root.join("target/no-std"));
    shell::run(&mut check).context("a core crate, or something it depends on, needs `std`")
}
