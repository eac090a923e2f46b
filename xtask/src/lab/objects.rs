//! The kernel's BPF selftests, compiled.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use rayon::prelude::*;

use super::tools::newer;
use super::{Kernel, Lab, Tools, need};
use crate::shell;

/// The compiler that the record of the real kernel was made with; another one gives other instructions.
pub(crate) const CLANG: &str = "clang-19";

/// Headers of libbpf that programs include as `bpf/…`.
const HEADERS: &[&str] = &["bpf_core_read.h", "bpf_endian.h", "bpf_helpers.h", "bpf_tracing.h", "usdt.bpf.h"];

/// Files that the kernel's own makefile compiles with a flag of their own.
const NO_ALIASING: &[&str] = &[
    "bind4_prog",
    "bind6_prog",
    "dynptr_fail",
    "linked_list_fail",
    "map_kptr_fail",
    "syscall",
    "test_pkt_md_access",
    "test_sk_lookup",
    "timer_crash",
    "test_global_func9",
    "verifier_nocsr",
];
const NO_INLINING: &[&str] = &["test_l4lb_noinline", "test_xdp_noinline"];

/// Compiled test objects.
#[derive(Debug, Clone)]
pub(crate) struct Selftests {
    /// The directory of the objects.
    pub(crate) directory: PathBuf,
    /// Names of the objects that there are, sorted: `verifier_and.bpf.o`.
    pub(crate) compiled: Vec<String>,
    /// Names of the source files that clang refuses, sorted and without their ending.
    pub(crate) failed: Vec<String>,
}

impl Selftests {
    /// The tests of kernel `version` whose file name begins with `prefix`, compiled where that is not done yet.
    pub(crate) fn compile(lab: &Lab, version: &str, prefix: &str) -> Result<Self> {
        let source = super::kernel::source(lab, version)?;
        let kernel = Kernel::fetch(lab, version)?;
        let directory = lab.path(format!("selftests/{version}"));
        std::fs::create_dir_all(directory.join("log"))?;
        let mut programs: Vec<PathBuf> = std::fs::read_dir(source.join("tools/testing/selftests/bpf/progs"))
            .context("the kernel's sources hold no BPF selftests")?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "c") && stem(path).starts_with(prefix))
            .collect();
        programs.sort();
        let stale = |path: &&PathBuf| newer(path, &marker(&directory, path));
        let waiting: Vec<&PathBuf> = programs.iter().filter(stale).collect();
        if !waiting.is_empty() {
            println!("compiling {} of {} selftests", waiting.len(), programs.len());
            need::require(need::COMPILE)?;
            let flags = Flags::new(lab, &source, &kernel, &directory)?;
            waiting.par_iter().try_for_each(|path| flags.compile(path))?;
        }
        let mut tests = Self { directory, compiled: Vec::new(), failed: Vec::new() };
        for path in &programs {
            let name = stem(path);
            let object = format!("{name}.bpf.o");
            if tests.directory.join(&object).exists() {
                tests.compiled.push(object);
            } else {
                tests.failed.push(name);
            }
        }
        Ok(tests)
    }

    /// What clang said of a source file.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.directory.join("log").join(name)
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The compiler's messages: there once a file has been tried, whether it compiled or not.
fn marker(directory: &Path, program: &Path) -> PathBuf {
    directory.join("log").join(stem(program))
}

/// Everything on clang's command line but the file.
struct Flags {
    directory: PathBuf,
    tests: PathBuf,
    arguments: Vec<String>,
}

impl Flags {
    fn new(lab: &Lab, source: &Path, kernel: &Kernel, directory: &Path) -> Result<Self> {
        let tools = Tools::build(lab)?;
        let include =
            lab.directory(format!("include/{}", kernel.release), |target| headers(source, kernel, &tools, target))?;
        let tests = source.join("tools/testing/selftests/bpf");
        let mut arguments: Vec<String> = [
            "-g -Wall -Werror -O2 --target=bpf -mlittle-endian -mcpu=v3 -fms-extensions",
            "-D__TARGET_ARCH_x86 -DENABLE_ATOMICS_TESTS",
            "-Wno-compare-distinct-pointer-types -Wno-unused-but-set-variable -Wno-unknown-warning-option",
            "-Wno-microsoft-anon-tag",
        ]
        .iter()
        .flat_map(|line| line.split_whitespace().map(str::to_owned))
        .collect();
        let own = [include, tests.clone(), tests.join("progs"), tests.join("libarena/include")];
        let kernels = [source.join("tools/include/uapi"), source.join("tools/include")];
        arguments.extend(own.iter().chain(&kernels).map(|path| format!("-I{}", path.display())));
        arguments.extend(system_includes()?);
        Ok(Self { directory: directory.to_path_buf(), tests, arguments })
    }

    fn compile(&self, program: &Path) -> Result<()> {
        let name = stem(program);
        let object = self.directory.join(format!("{name}.bpf.o"));
        let making = self.directory.join(format!("{name}.making"));
        let mut clang = Command::new(CLANG);
        clang.current_dir(&self.tests).args(&self.arguments);
        if NO_ALIASING.contains(&name.as_str()) {
            clang.arg("-fno-strict-aliasing");
        }
        if NO_INLINING.contains(&name.as_str()) {
            clang.arg("-fno-inline");
        }
        let result = clang.arg("-c").arg(program).arg("-o").arg(&making).output().context("cannot start clang")?;
        if result.status.success() {
            std::fs::rename(&making, &object)?;
        } else if object.exists() {
            std::fs::remove_file(&object)?;
        }
        Ok(std::fs::write(marker(&self.directory, program), &result.stderr)?)
    }
}

/// `vmlinux.h` and libbpf's headers, as the tests include them.
fn headers(source: &Path, kernel: &Kernel, tools: &Tools, target: &Path) -> Result<()> {
    let bpf = target.join("bpf");
    std::fs::create_dir_all(&bpf)?;
    let types = shell::output(
        Command::new(tools.bpftool()).args(["btf", "dump", "file"]).arg(&kernel.btf).args(["format", "c"]),
    )?;
    std::fs::write(target.join("vmlinux.h"), types)?;
    let library = source.join("tools/lib/bpf");
    for header in HEADERS {
        std::fs::copy(library.join(header), bpf.join(header)).with_context(|| format!("libbpf has no {header}"))?;
    }
    let described = source.join("include/uapi/linux/bpf.h");
    let mut script = Command::new("python3");
    script.arg(source.join("scripts/bpf_doc.py")).arg("--header").arg("--file").arg(described);
    std::fs::write(bpf.join("bpf_helper_defs.h"), shell::output(&mut script)?)?;
    Ok(())
}

/// The directories in which clang looks for the machine's own headers, to be looked in last: `--target=bpf` forgets them.
fn system_includes() -> Result<Vec<String>> {
    let mut clang = Command::new(CLANG);
    let result = clang.args(["-v", "-E", "-x", "c", "/dev/null"]).output().context("cannot start clang")?;
    let text = String::from_utf8_lossy(&result.stderr);
    let listed = text.lines().skip_while(|line| !line.starts_with("#include <...>")).skip(1);
    let paths: Vec<String> =
        listed.take_while(|line| line.starts_with(' ')).map(|line| line.trim().to_owned()).collect();
    if paths.is_empty() {
        bail!("clang does not say where it looks for headers");
    }
    Ok(paths.into_iter().flat_map(|path| ["-idirafter".to_owned(), path]).collect())
}
