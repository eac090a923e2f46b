//! Programs built from the kernel's sources: libbpf, bpftool, and our loader for the guest.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Lab, REFERENCE, kernel, need};
use crate::shell;

/// Sources of the program that is the guest's `init`.
const GUEST: &[&str] = &["guest.h", "init.c", "jobs.c", "object.c", "raw.c", "record.c"];

/// What is built from the reference kernel's sources.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    /// The kernel's sources.
    pub(crate) source: PathBuf,
    root: PathBuf,
}

impl Tools {
    /// libbpf and bpftool, built if they are not in the cache.
    pub(crate) fn build(lab: &Lab) -> Result<Self> {
        let source = kernel::source(lab, REFERENCE)?;
        let root = lab.directory(format!("tools/{REFERENCE}"), |target| {
            println!("building libbpf and bpftool");
            need::require(need::BUILD)?;
            libbpf(&source, target)?;
            bpftool(&source, target)
        })?;
        Ok(Self { source, root })
    }

    /// The kernel's `bpftool`.
    pub(crate) fn bpftool(&self) -> PathBuf {
        self.root.join("bpftool")
    }

    /// The static program that boots as `init`, loads what it is told to and reports; rebuilt when its source changes.
    pub(crate) fn guest(&self) -> Result<PathBuf> {
        let assets = shell::root().join("xtask/assets/guest");
        let program = self.root.join("guest-init");
        let changed = |name: &&str| newer(&assets.join(name), &program);
        if !GUEST.iter().any(changed) {
            return Ok(program);
        }
        need::require(need::BUILD)?;
        let building = self.root.join(format!("guest-init.{}", std::process::id()));
        let mut gcc = Command::new("gcc");
        gcc.args(["-O2", "-Wall", "-Wextra", "-Werror", "-static", "-Wl,--wrap=syscall", "-o"]).arg(&building);
        let kernels = ["tools/lib/bpf", "tools/include", "tools/include/uapi"].map(|name| self.source.join(name));
        for directory in std::iter::once(self.root.join("include")).chain(kernels) {
            gcc.arg("-isystem").arg(directory);
        }
        gcc.args(GUEST.iter().filter(|name| name.ends_with(".c")).map(|name| assets.join(name)));
        gcc.arg(self.root.join("libbpf.a")).args(["-lelf", "-lz", "-lzstd"]);
        shell::output(&mut gcc).context("the guest's program does not compile")?;
        std::fs::rename(building, &program)?;
        Ok(program)
    }
}

impl Tools {
    /// The kernel's older tests, printed; again when the program that prints them changes.
    pub(crate) fn arrays(&self) -> Result<PathBuf> {
        let program = shell::root().join("xtask/assets/arrays/dump.c");
        let printed = self.root.join("arrays.jsonl");
        if !newer(&program, &printed) {
            return Ok(printed);
        }
        println!("printing the older tests");
        need::require(need::BUILD)?;
        let tests = self.source.join("tools/testing/selftests/bpf");
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(tests.join("verifier"))?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "c"));
        files.sort();
        let place = super::Scratch::within(&self.root)?;
        std::fs::create_dir(place.path().join("verifier"))?;
        std::fs::write(place.path().join("verifier/tests.h"), crate::selftests::arrays::include_all(&files)?)?;
        let built = place.path().join("dump");
        let mut gcc = Command::new("gcc");
        // The kernel's file is as it is; warnings about it are not ours to heed. What is not reached is not linked.
        gcc.args(["-w", "-O1", "-D_GNU_SOURCE", "-ffunction-sections", "-Wl,--gc-sections", "-o"]).arg(&built);
        let kernels = ["tools/include", "tools/include/uapi"].map(|name| self.source.join(name));
        for directory in [place.path().to_path_buf(), tests, self.root.join("include")].iter().chain(&kernels) {
            gcc.arg("-I").arg(directory);
        }
        shell::output(gcc.arg(&program)).context("the program that prints the older tests does not compile")?;
        let text = shell::output(&mut Command::new(&built))?;
        let making = place.path().join("arrays");
        std::fs::write(&making, text)?;
        std::fs::rename(making, &printed)?;
        Ok(printed)
    }
}

/// Whether `source` changed after `product` was made, or there is no product.
pub(crate) fn newer(source: &Path, product: &Path) -> bool {
    let time = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    match (time(source), time(product)) {
        (Some(source), Some(product)) => source > product,
        (_, None) | (None, _) => true,
    }
}

/// `make` in a directory of the kernel's tools, its own output going to `output`.
fn make(source: &Path, directory: &str, output: &Path) -> Result<Command> {
    std::fs::create_dir_all(output)?;
    let mut make = Command::new("make");
    make.arg("-s").arg("-C").arg(source.join(directory)).arg(format!("OUTPUT={}/", output.display()));
    make.arg(format!("-j{}", std::thread::available_parallelism().map_or(1, usize::from)));
    Ok(make)
}

fn libbpf(source: &Path, target: &Path) -> Result<()> {
    let building = target.join("libbpf.making");
    let mut make = make(source, "tools/lib/bpf", &building)?;
    make.arg(format!("DESTDIR={}", target.display())).args(["prefix=", "libdir=/", "BUILD_STATIC_ONLY=y", "install"]);
    shell::output(&mut make).context("libbpf does not build")?;
    Ok(std::fs::remove_dir_all(building)?)
}

fn bpftool(source: &Path, target: &Path) -> Result<()> {
    let building = target.join("bpftool.making");
    let mut make = make(source, "tools/bpf/bpftool", &building)?;
    // Only `bpftool btf dump` is wanted: nothing of it needs LLVM or programs of its own.
    make.args(["SKIP_LLVM=1", "feature-clang-bpf-co-re=0", "feature-libbfd=0", "feature-llvm=0"]);
    shell::output(&mut make).context("bpftool does not build")?;
    std::fs::copy(building.join("bpftool"), target.join("bpftool"))?;
    Ok(std::fs::remove_dir_all(building)?)
}
