//! Our loader beside libbpf: what each would ask the kernel to load, for every object of the kernel's selftests.
//!
//! libbpf of the reference kernel is linked with a driver that answers bpf(2) itself, and prints what it was asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bpfvet_btf::Btf;
use bpfvet_btf::co_re::Targets;
use bpfvet_elf::{Object, Options, ProgramError};
use bpfvet_platform::{LoadRequest, MapDef, ProgramType};
use clap::Args;

use crate::lab::{Kernel, Lab, REFERENCE, Selftests, Tools};
use crate::shell;

/// `cargo xtask golden`
#[derive(Args)]
pub(crate) struct Arguments {
    /// Only objects whose file name begins so
    #[arg(long, default_value = "")]
    prefix: String,
    /// These objects instead of the selftests
    #[arg(long, value_delimiter = ',')]
    objects: Vec<PathBuf>,
    /// The part of the objects that libbpf loads which must agree, in percent
    #[arg(long, default_value_t = 99.0)]
    at_least: f64,
    /// Also name the objects that both refuse, with both reasons
    #[arg(long)]
    refused: bool,
}

/// What libbpf made of one object.
struct Golden {
    path: PathBuf,
    maps: BTreeMap<i32, Map>,
    programs: Vec<Program>,
    outcome: String,
    spent: Duration,
    complaints: Vec<String>,
}

/// A map, as the kernel is asked to create it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Map {
    kind: u32,
    key: u32,
    value: u32,
    entries: u32,
    flags: u32,
    extra: u64,
    name: String,
}

/// A program, as the kernel is asked to load it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Program {
    name: String,
    kind: u32,
    attach: u32,
    btf_id: u32,
    flags: u32,
    funcs: usize,
    lines: usize,
    insns: Vec<[u8; 8]>,
}

/// What we made of one program.
enum Loaded {
    Request(LoadRequest),
    /// Its name, and bytes that are no instructions.
    Bytes(String, Vec<u8>),
}

impl Loaded {
    fn name(&self) -> &str {
        match self {
            Self::Request(request) => &request.name,
            Self::Bytes(name, _) => name,
        }
    }
}

/// The comparison, printed; an error where too few objects agree.
pub(crate) fn run(args: &Arguments) -> Result<()> {
    let lab = Lab::open()?;
    let kernel = Kernel::fetch(&lab, REFERENCE)?;
    let objects = if args.objects.is_empty() {
        let tests = Selftests::compile(&lab, REFERENCE, &args.prefix)?;
        tests.compiled.iter().map(|name| tests.directory.join(name)).collect()
    } else {
        args.objects.clone()
    };
    let goldens = ask_libbpf(&Tools::build(&lab)?, &kernel, &objects)?;
    let btf = Btf::parse(std::fs::read(&kernel.btf)?).context("the kernel's types cannot be read")?;
    let targets = Targets::from(Arc::new(btf));
    let (symbols, possible_cpus) = (Arc::new(kallsyms()), possible_cpus());
    let (mut agree, mut differ, mut refused, mut only_theirs) = (0_u32, 0_u32, 0_u32, 0_u32);
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    for golden in &goldens {
        let name = golden.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let options = Options {
            kernel_btf: targets.clone(),
            kallsyms: Some(symbols.clone()),
            possible_cpus,
            ..Options::for_file(&golden.path.to_string_lossy())
        };
        let bytes = std::fs::read(&golden.path)?;
        let start = Instant::now();
        let loaded = load(&bytes, &options);
        let spent = start.elapsed();
        if golden.outcome != "ok" {
            only_theirs += 1;
            if args.refused {
                let complaint = golden.complaints.first().map_or("", String::as_str);
                let verdict = loaded.as_ref().map_or_else(|error| error.clone(), |_| "loads".to_owned());
                println!("{name}: libbpf: {complaint}; here: {verdict}");
            }
            continue;
        }
        (ours, theirs) = (ours + spent, theirs + golden.spent);
        match loaded.and_then(|loaded| compare(golden, &loaded)) {
            Ok(()) => agree += 1,
            Err(difference) => {
                differ += 1;
                println!("{name}: {difference}");
            }
        }
        refused += u32::from(golden.programs.is_empty());
    }
    let all = agree + differ;
    let part = if all == 0 { 0.0 } else { f64::from(agree) * 100.0 / f64::from(all) };
    println!(
        "{} objects: libbpf loads {all}, {refused} of them without a program; refuses {only_theirs}",
        goldens.len()
    );
    println!("{agree} of {all} agree ({part:.2} %)");
    println!("time for those: libbpf {theirs:.2?} of one CPU, here {ours:.2?}");
    if part < args.at_least {
        bail!("fewer than {} % agree", args.at_least);
    }
    Ok(())
}

/// Builds the driver and runs it.
fn ask_libbpf(tools: &Tools, kernel: &Kernel, objects: &[PathBuf]) -> Result<Vec<Golden>> {
    let driver = build_driver(tools)?;
    let result = Command::new(&driver)
        .args(objects)
        .env("VMLINUX_BTF", &kernel.btf)
        .output()
        .with_context(|| format!("cannot start {}", driver.display()))?;
    if !result.status.success() {
        bail!("{} failed ({})", driver.display(), result.status);
    }
    let mut goldens = Vec::new();
    let complaints = String::from_utf8_lossy(&result.stderr);
    let mut complaints = complaints.lines().peekable();
    for line in String::from_utf8_lossy(&result.stdout).lines() {
        read_line(line, &mut goldens).with_context(|| format!("the driver printed `{line}`"))?;
        if line.starts_with("OBJECT ")
            && let Some(golden) = goldens.last_mut()
        {
            complaints.next_if(|line| line.starts_with("OBJECT "));
            while let Some(line) = complaints.next_if(|line| !line.starts_with("OBJECT ")) {
                golden.complaints.push(line.trim_start_matches("libbpf: ").to_owned());
            }
        }
    }
    Ok(goldens)
}

/// Takes in one line of the driver.
fn read_line(line: &str, goldens: &mut Vec<Golden>) -> Result<()> {
    let mut words = line.split(' ');
    let kind = words.next().unwrap_or_default();
    if kind == "OBJECT" {
        goldens.push(Golden {
            path: PathBuf::from(line.trim_start_matches("OBJECT ")),
            maps: BTreeMap::new(),
            programs: Vec::new(),
            outcome: String::new(),
            spent: Duration::ZERO,
            complaints: Vec::new(),
        });
        return Ok(());
    }
    let golden = goldens.last_mut().context("no object yet")?;
    let mut word = || words.next().context("too few words");
    match kind {
        "MAP" => {
            let fd = word()?.parse()?;
            let map = Map {
                kind: word()?.parse()?,
                key: word()?.parse()?,
                value: word()?.parse()?,
                entries: word()?.parse()?,
                flags: word()?.parse()?,
                extra: word()?.parse()?,
                name: word()?.to_owned(),
            };
            golden.maps.insert(fd, map);
        }
        "PROG" => {
            let (kind, attach, btf_id, flags) =
                (word()?.parse()?, word()?.parse()?, word()?.parse()?, word()?.parse()?);
            word()?;
            let (funcs, lines) = (word()?.parse()?, word()?.parse()?);
            let name = word()?.to_owned();
            golden.programs.push(Program { name, kind, attach, btf_id, flags, funcs, lines, insns: Vec::new() });
        }
        "DONE" => {
            golden.outcome = word()?.to_owned();
            golden.spent = Duration::from_micros(word()?.parse()?);
        }
        insn => {
            let bytes = u64::from_str_radix(insn, 16)?.to_be_bytes();
            golden.programs.last_mut().context("an instruction without a program")?.insns.push(bytes);
        }
    }
    Ok(())
}

/// What we would ask the kernel to load: each program that is loaded without being asked for, or why not.
fn load(bytes: &[u8], options: &Options) -> Result<Vec<Loaded>, String> {
    let object = Object::parse(bytes, options).map_err(|error| error.to_string())?;
    let mut requests = Vec::new();
    for entry in object.programs().iter().filter(|entry| entry.autoload && entry.section != ".text") {
        let mut entry = entry.clone();
        entry.program_type.get_or_insert(ProgramType::XDP);
        let fault = |error: ProgramError| format!("{}: {error}", entry.name);
        requests.push(match object.load_request(&entry) {
            Ok(request) => Loaded::Request(request),
            // Tests of the kernel's decoder are loaded as they are.
            Err(ProgramError::Decode(_)) => {
                Loaded::Bytes(entry.name.clone(), object.linked_bytes(&entry).map_err(fault)?)
            }
            Err(error) => return Err(fault(error)),
        });
    }
    Ok(requests)
}

/// The first difference.
fn compare(golden: &Golden, loaded: &[Loaded]) -> Result<(), String> {
    let names = |names: Vec<&str>| names.join(" ");
    let theirs = names(golden.programs.iter().map(|program| program.name.as_str()).collect());
    let ours = names(loaded.iter().map(Loaded::name).collect());
    if theirs != ours {
        return Err(format!("programs: libbpf has `{theirs}`, here `{ours}`"));
    }
    for (theirs, loaded) in golden.programs.iter().zip(loaded) {
        let same = match loaded {
            Loaded::Request(request) => {
                describe(request).and_then(|ours| compare_program(golden, theirs, &ours, &request.maps))
            }
            Loaded::Bytes(_, bytes) => compare_insns(golden, &theirs.insns, bytes.as_chunks::<8>().0, None),
        };
        same.map_err(|difference| format!("{}: {difference}", loaded.name()))?;
    }
    Ok(())
}

fn compare_program(golden: &Golden, theirs: &Program, ours: &Program, maps: &[MapDef]) -> Result<(), String> {
    let head = |program: &Program| (program.kind, program.attach, program.btf_id, program.flags);
    if head(theirs) != head(ours) {
        return Err(format!("type, attach type, target, flags: libbpf {:?}, here {:?}", head(theirs), head(ours)));
    }
    let records = |program: &Program| (program.insns.len(), program.funcs, program.lines);
    if records(theirs) != records(ours) {
        return Err(format!("instructions, functions, lines: libbpf {:?}, here {:?}", records(theirs), records(ours)));
    }
    compare_insns(golden, &theirs.insns, &ours.insns, Some(maps))
}

/// The instructions, one by one, and the maps that they refer to where those are known.
fn compare_insns(golden: &Golden, theirs: &[[u8; 8]], ours: &[[u8; 8]], maps: Option<&[MapDef]>) -> Result<(), String> {
    if theirs.len() != ours.len() {
        return Err(format!("instructions: libbpf {}, here {}", theirs.len(), ours.len()));
    }
    for (at, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
        let (a, b) = (without_map(*theirs), without_map(*ours));
        if a != b {
            return Err(format!("instruction {at}: libbpf {a:02x?}, here {b:02x?}"));
        }
        let (Some(fd), Some(index), Some(maps)) = (map_of(*theirs), map_of(*ours), maps) else { continue };
        let theirs = golden.maps.get(&fd);
        let ours = usize::try_from(index).ok().and_then(|index| maps.get(index)).map(describe_map);
        if theirs != ours.as_ref() {
            return Err(format!("instruction {at}: map: libbpf {theirs:?}, here {ours:?}"));
        }
    }
    Ok(())
}

/// The map that an instruction loads, or whose value it points into.
fn map_of([code, registers, _, _, imm @ ..]: [u8; 8]) -> Option<i32> {
    (code == 0x18 && matches!(registers >> 4, 1 | 2)).then(|| i32::from_le_bytes(imm))
}

/// An instruction, its map's number aside.
fn without_map(insn: [u8; 8]) -> [u8; 8] {
    let [code, registers, low, high, ..] = insn;
    if map_of(insn).is_some() { [code, registers, low, high, 0, 0, 0, 0] } else { insn }
}

fn describe(request: &LoadRequest) -> Result<Program, String> {
    let bytes = request.program.encode().map_err(|error| error.to_string())?;
    let flags = u32::from(request.flags.sleepable) << 4 | u32::from(request.flags.xdp_has_frags) << 5;
    Ok(Program {
        name: request.name.clone(),
        kind: request.program_type.0,
        attach: request.attach_type.0,
        btf_id: request.attach_target.as_ref().map_or(0, |target| target.btf_id),
        flags,
        funcs: request.funcs.len(),
        lines: request.lines.len(),
        insns: bytes.as_chunks::<8>().0.to_vec(),
    })
}

fn describe_map(def: &MapDef) -> Map {
    Map {
        kind: def.kind.0,
        key: def.key_size,
        value: def.value_size,
        entries: def.max_entries,
        flags: def.flags,
        extra: def.extra,
        name: def.name.clone(),
    }
}

/// The addresses of this machine's kernel symbols, which libbpf looks up as well.
fn kallsyms() -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(Path::new("/proc/kallsyms")).unwrap_or_default();
    let line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let address = u64::from_str_radix(words.next()?, 16).ok()?;
        Some((words.nth(1)?.to_owned(), address))
    };
    text.lines().filter_map(line).collect()
}

/// How many CPUs this machine can have, which libbpf makes the size of some maps: `0-3` is four.
fn possible_cpus() -> u32 {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    let last = text.trim().rsplit(['-', ',']).next().and_then(|last| last.parse::<u32>().ok());
    last.map_or(1, |last| last + 1)
}

/// libbpf of the reference kernel with bpf(2) answered by the driver.
fn build_driver(tools: &Tools) -> Result<PathBuf> {
    // What was built from the kernel's sources lies side by side.
    let bpftool = tools.bpftool();
    let root = bpftool.parent().context("bpftool lies nowhere")?;
    let (driver, building) = (root.join("golden"), root.join(format!("golden.{}", std::process::id())));
    let mut gcc = Command::new("gcc");
    gcc.args(["-O2", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&building);
    gcc.args(["syscall", "open64", "faccessat"].map(|name| format!("-Wl,--wrap={name}")));
    for directory in [root.join("include"), tools.source.join("tools/include"), tools.source.join("tools/include/uapi")]
    {
        gcc.arg("-isystem").arg(directory);
    }
    gcc.arg(shell::root().join("xtask/assets/golden/driver.c"));
    gcc.arg(root.join("libbpf.a")).args(["-lelf", "-lz", "-lzstd"]);
    shell::output(&mut gcc).context("the driver of libbpf does not compile")?;
    std::fs::rename(building, &driver)?;
    Ok(driver)
}
