//! What is measured, part by part.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result};
use bpfvet_platform::ProgramType;
use bpfvet_testkit::families::FAMILIES;

use super::table::{exponent, headings, milliseconds, row, table};
use super::{Options, Reading, Readings, built, kernel};
use crate::lab::{Kernel, Lab, REFERENCE, Selftests};
use crate::oracle::{Load, Raw};
use crate::{selftests, shell};

/// Objects whose programs are the big ones, by the beginning of their names.
const BIG: &[&str] = &[
    "test_verif_scale",
    "pyperf",
    "strobemeta",
    "loop1.",
    "loop2.",
    "loop3.",
    "loop6.",
    "test_l4lb",
    "test_xdp_noinline",
    "test_cls_redirect",
    "test_tcp_hdr_options",
    "bpf_flow",
    "xdp_synproxy",
];

/// The big programs among the kernel's own tests.
pub(super) fn objects(options: &Options, measure: &Path, baseline: &Readings, found: &mut Readings) -> Result<()> {
    let lab = Lab::open()?;
    let types = Kernel::fetch(&lab, REFERENCE)?.btf;
    let compiled = Selftests::compile(&lab, REFERENCE, "")?;
    let mut loads = Vec::new();
    for object in compiled.compiled.iter().filter(|object| BIG.iter().any(|prefix| object.starts_with(prefix))) {
        let file = compiled.directory.join(object);
        let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        loads.extend(selftests::program_names(&bytes)?.into_iter().map(|program| (file.clone(), program)));
    }
    let asked: Vec<Load> = loads
        .iter()
        .map(|(file, program)| Load::Object {
            file: file.clone(),
            program: program.clone(),
            also: Vec::new(),
            btf: None,
            repair: true,
        })
        .collect();
    let kernel = kernel_times(options, &asked, 5);
    let mut rows = vec![headings("program")];
    let mut without = Vec::new();
    for ((file, program), kernel) in loads.iter().zip(kernel) {
        let object = file.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{}/{program}", object.trim_end_matches(".bpf.o"));
        let what = ["object".as_ref(), file.as_os_str(), program.as_ref(), types.as_os_str()];
        match reading(measure, options.repeat, &what) {
            Ok(reading) => {
                rows.push(row(&name, &reading, kernel, baseline.get(&name)));
                found.insert(name, reading);
            }
            Err(_) => without.push(name),
        }
    }
    println!("\n{}", table(&rows));
    if !without.is_empty() {
        println!("not loadable alone: {}", without.join(", "));
    }
    Ok(())
}

/// Programs that grow, and how their cost does.
pub(super) fn families(options: &Options, measure: &Path, baseline: &Readings, found: &mut Readings) -> Result<()> {
    let members: Vec<_> = FAMILIES.iter().flat_map(|family| family.sizes.map(|size| (family, size))).collect();
    let load = |(family, size): &(&bpfvet_testkit::families::Family, u32)| {
        let bytes = family.bytes(*size).map_err(anyhow::Error::msg)?;
        Ok(Load::Raw(Raw { program_type: ProgramType::SOCKET_FILTER.0, bytes, ..Raw::default() }))
    };
    let loads: Vec<Load> = members.iter().map(load).collect::<Result<_>>()?;
    // It takes seconds over the larger ones.
    let kernel = kernel_times(options, &loads, 1);
    let mut rows = vec![headings("family and size")];
    let mut growth = vec![["family", "grow", "ours", "the kernel's"].map(str::to_owned).to_vec()];
    for (family, kernel) in FAMILIES.iter().zip(kernel.chunks(4)) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for (size, kernel) in family.sizes.into_iter().zip(kernel) {
            let name = format!("{} {size}", family.name);
            let text = size.to_string();
            let what = ["family".as_ref(), family.name.as_ref(), text.as_ref()];
            let reading = reading(measure, options.repeat, &what)?;
            rows.push(row(&name, &reading, *kernel, baseline.get(&name)));
            ours.push((f64::from(size), reading.nanoseconds as f64));
            theirs.extend(kernel.map(|us| (f64::from(size), us as f64)));
            found.insert(name, reading);
        }
        let shown = |points: &[(f64, f64)]| exponent(points).map(|power| format!("{power:.2}")).unwrap_or_default();
        growth.push(vec![family.name.to_owned(), family.what.to_owned(), shown(&ours), shown(&theirs)]);
    }
    println!("\n{}\n\nexponents of growth\n{}", table(&rows), table(&growth));
    Ok(())
}

/// The kernel's own times; where none can be had, that is said, and they stay empty.
fn kernel_times(options: &Options, loads: &[Load], repeat: usize) -> Vec<Option<u64>> {
    let none = || vec![None; loads.len()];
    if options.without_kernel {
        return none();
    }
    kernel::times(loads, repeat).unwrap_or_else(|error| {
        eprintln!("the kernel's column stays empty, for no kernel could be asked: {error:#}");
        none()
    })
}

/// One program, in a process of its own.
fn reading(measure: &Path, repeat: u32, what: &[&std::ffi::OsStr]) -> Result<Reading> {
    let mut command = Command::new(measure);
    command.arg("--repeat").arg(repeat.to_string()).args(what);
    let line = shell::output(&mut command)?;
    Reading::parse(&line).with_context(|| format!("no reading: {line}"))
}

/// All objects through the command, as a user would.
pub(super) fn all() -> Result<()> {
    let lab = Lab::open()?;
    let types = Kernel::fetch(&lab, REFERENCE)?.btf;
    let compiled = Selftests::compile(&lab, REFERENCE, "")?;
    let files: Vec<PathBuf> = compiled.compiled.iter().map(|object| compiled.directory.join(object)).collect();
    let mut command = Command::new(built("bpfvet-cli", "bpfvet")?);
    command.env("RAYON_NUM_THREADS", "2").args(["check", "--format", "json", "--btf"]).arg(types).args(&files);
    command.stderr(Stdio::null());
    let start = Instant::now();
    let output = command.output().context("cannot start bpfvet")?;
    let programs = output.stdout.iter().filter(|byte| **byte == b'\n').count();
    println!(
        "\n{} objects, {programs} programs, two threads: {:.2} s by the clock",
        files.len(),
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// A small object, from the start of the process to its end, by the clock.
pub(super) fn start(repeat: u32) -> Result<()> {
    let lab = Lab::open()?;
    let types = Kernel::fetch(&lab, REFERENCE)?.btf;
    let object = shell::root().join("examples/xdp_firewall.bpf.o");
    let program = built("bpfvet-cli", "bpfvet")?;
    let least = |types: Option<&Path>| -> Result<u64> {
        let mut least = u64::MAX;
        for _ in 0..repeat.saturating_mul(4).max(1) {
            let mut command = Command::new(&program);
            command.arg("check").arg(&object).stdout(Stdio::null()).stderr(Stdio::null());
            if let Some(types) = types {
                command.arg("--btf").arg(types);
            }
            let start = Instant::now();
            command.status().context("cannot start bpfvet")?;
            least = least.min(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
        Ok(least)
    };
    let size = std::fs::metadata(&types).map_or(0, |metadata| metadata.len());
    println!("\na small object, process start to exit: {}", milliseconds(least(None)?));
    println!("the same with {:.1} MB of kernel types: {}", size as f64 / 1e6, milliseconds(least(Some(&types))?));
    Ok(())
}

/// Each layer's own benches, and what watching costs: built all at once, since a layer built alone would have its dependencies built anew.
pub(super) fn layers() -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["bench", "--quiet"]);
    for layer in ["-insn", "-elf", "-cfg", "-domain", "-vm", "-explore", "-report", ""] {
        cargo.arg("--package").arg(format!("bpfvet{layer}"));
    }
    println!();
    shell::run(cargo.args(["--", "--quick", "--noplot"]).current_dir(shell::root()))
}
