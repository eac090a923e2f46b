//! Booting a kernel: under QEMU, or as a process of its own.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::cpio::Archive;
use super::reply::Reply;
use crate::lab::{self, Kernel, Lab, Scratch, Tools};

/// What runs a kernel.
#[derive(Debug, Clone)]
pub(crate) enum Machine {
    /// QEMU, by software emulation: slow, and the whole kernel is there.
    Emulated(Kernel),
    /// Debian's kernel as a user process: fast, without BTF, JIT and tracing.
    Process,
}

/// How long one boot may take: a kernel that hangs must not hang us.
const PATIENCE: Duration = Duration::from_mins(120);

/// One boot, over.
#[derive(Debug)]
pub(crate) struct Boot {
    /// What was recorded.
    pub(crate) replies: Vec<Reply>,
    /// The guest came up.
    pub(crate) ready: bool,
    /// The guest went through its whole plan.
    pub(crate) complete: bool,
    console: String,
}

impl Boot {
    /// What the guest's program complained of.
    pub(crate) fn complaints(&self) -> String {
        let lines = self.console.lines().filter_map(|line| line.strip_prefix("guest: "));
        lines.filter(|line| !line.starts_with("ready") && !line.starts_with("done")).collect::<Vec<_>>().join("; ")
    }

    /// The end of what the kernel printed.
    pub(crate) fn console_tail(&self) -> &str {
        let start = self.console.len().saturating_sub(1500);
        self.console.get(self.console.ceil_char_boundary(start)..).unwrap_or_default()
    }
}

impl Machine {
    /// The machine that runs release `version`, or `uml`.
    pub(crate) fn named(lab: &Lab, version: &str) -> Result<Self> {
        if version == "uml" {
            return Ok(Self::Process);
        }
        Ok(Self::Emulated(Kernel::fetch(lab, version)?))
    }

    /// Jobs that one boot may take: what a lost boot costs.
    pub(crate) const fn batch(&self) -> usize {
        20_000
    }

    /// Boots with this plan and these files; a load may take this many seconds.
    pub(crate) fn boot(&self, lab: &Lab, plan: &str, files: &[PathBuf], seconds: u32) -> Result<Boot> {
        let program = Tools::build(lab)?.guest()?;
        std::fs::create_dir_all(lab.path("boot"))?;
        let scratch = Scratch::within(&lab.path("boot"))?;
        let place = scratch.path();
        let (out, console) = (place.join("out"), place.join("console"));
        File::create(&out)?;
        let mut kernel = match self {
            Self::Emulated(kernel) => emulated(kernel, &program, plan, files, place, seconds)?,
            Self::Process => process(lab, &program, plan, files, place, seconds)?,
        };
        let patient = wait(&mut kernel)?;
        let console = String::from_utf8_lossy(&std::fs::read(console).unwrap_or_default()).into_owned();
        let mut replies = Reply::parse_all(&std::fs::read(out)?);
        if replies.is_empty() {
            // An older kernel answers over the second serial line.
            replies = Reply::parse_all(&std::fs::read(place.join("line")).unwrap_or_default());
        }
        let complete = patient && console.contains("guest: done");
        Ok(Boot { replies, ready: console.contains("guest: ready"), complete, console })
    }
}

/// Waits for the kernel's end; kills it if that takes too long, and says so.
fn wait(kernel: &mut Child) -> Result<bool> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if kernel.try_wait()?.is_some() {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    kernel.kill()?;
    kernel.wait()?;
    Ok(false)
}

fn emulated(
    kernel: &Kernel,
    program: &Path,
    plan: &str,
    files: &[PathBuf],
    place: &Path,
    seconds: u32,
) -> Result<Child> {
    lab::require_emulator()?;
    let archive = place.join("initrd");
    let mut entries = Archive::new(BufWriter::new(File::create(&archive)?));
    for directory in ["dev", "proc", "sys", "tmp", "in"] {
        entries.directory(directory)?;
    }
    entries.console()?;
    entries.file("init", &std::fs::read(program)?)?;
    entries.file("plan", plan.as_bytes())?;
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        entries.file(&format!("in/{name}"), &bytes)?;
    }
    entries.finish()?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let line = [
        "console=ttyS0 quiet loglevel=4 panic=-1 oops=panic selinux=0 apparmor=0 audit=0 random.trust_cpu=on",
        "no_timer_check tsc=reliable clocksource=tsc nokaslr nopti spectre_v2=off nowatchdog rcupdate.rcu_expedited=1",
        &format!("GUEST_WORKERS={workers} GUEST_SECONDS={seconds}"),
    ]
    .join(" ");
    let mut qemu = Command::new("qemu-system-x86_64");
    // Software emulation: a machine inside a machine cannot be relied on, and speed is not what is measured.
    qemu.args(["-machine", "q35", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max", "-m", "3G"]);
    qemu.args(["-smp", &workers.to_string()]);
    qemu.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]);
    qemu.arg("-kernel").arg(&kernel.image).arg("-initrd").arg(&archive).arg("-append").arg(line);
    qemu.args(["-serial", &format!("file:{}", place.join("console").display())]);
    qemu.args(["-serial", &format!("file:{}", place.join("line").display())]);
    qemu.args(["-device", "virtio-serial-pci", "-device", "virtserialport,chardev=out,name=out"]);
    qemu.args(["-chardev", &format!("file,id=out,path={}", place.join("out").display())]);
    qemu.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    qemu.spawn().context("cannot start qemu-system-x86_64")
}

fn process(lab: &Lab, program: &Path, plan: &str, files: &[PathBuf], place: &Path, seconds: u32) -> Result<Child> {
    let linux = lab::user_mode(lab)?;
    let archive = place.join("initrd");
    let mut entries = Archive::new(BufWriter::new(File::create(&archive)?));
    for directory in ["dev", "proc", "sys", "tmp"] {
        entries.directory(directory)?;
    }
    entries.console()?;
    entries.file("init", &std::fs::read(program)?)?;
    entries.finish()?;
    let shared = place.join("host");
    std::fs::create_dir_all(shared.join("in"))?;
    std::fs::write(shared.join("plan"), plan)?;
    for file in files {
        std::fs::copy(file, shared.join("in").join(file.file_name().unwrap_or_default()))?;
    }
    let out = place.join("out");
    // The guest sees one directory of ours, and the way out is in it.
    std::fs::rename(&out, shared.join("out"))?;
    std::os::unix::fs::symlink("host/out", &out)?;
    let console = File::create(place.join("console"))?;
    let mut kernel = Command::new(linux);
    kernel.args(["mem=2048M", "rdinit=/init", "con=null", "con0=null,fd:1", "quiet", "loglevel=3", "panic=-1"]);
    kernel.arg(format!("initrd={}", archive.display())).arg(format!("hostfs={}", shared.display()));
    kernel.arg(format!("uml_dir={}/", place.display()));
    kernel.args(["GUEST_HOSTFS=1", "GUEST_WORKERS=1", &format!("GUEST_SECONDS={seconds}")]);
    kernel.env("TMPDIR", place).env("HOME", place);
    kernel.stdin(Stdio::null()).stdout(console.try_clone()?).stderr(console);
    let Ok(child) = kernel.spawn() else { bail!("cannot start the user-mode kernel") };
    Ok(child)
}
