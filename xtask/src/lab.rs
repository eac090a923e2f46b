//! What lies outside the repository: kernel sources, kernels, tools and compiled tests, fetched or built once and kept in a cache.
//!
//! The cache is `$BPFVET_CACHE`, else `bpfvet` in `$XDG_CACHE_HOME` or `~/.cache`. Everything in it appears whole or not at all:
//! it is made under another name and renamed.

mod debian;
mod kernel;
mod need;
mod objects;
mod tools;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;

pub(crate) use kernel::Kernel;
pub(crate) use objects::Selftests;
pub(crate) use tools::Tools;

/// The release whose sources, tests and kernel are the reference.
pub(crate) const REFERENCE: &str = "7.3";

/// The cache.
#[derive(Debug, Clone)]
pub(crate) struct Lab {
    root: PathBuf,
}

impl Lab {
    /// The cache that the environment names.
    pub(crate) fn open() -> Result<Self> {
        let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = named("BPFVET_CACHE")
            .or_else(|| Some(named("XDG_CACHE_HOME")?.join("bpfvet")))
            .or_else(|| Some(named("HOME")?.join(".cache/bpfvet")))
            .context("neither BPFVET_CACHE nor HOME says where downloads are to be kept")?;
        std::fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
        Ok(Self { root: root.canonicalize()? })
    }

    /// Where `relative` is kept.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// The path of `relative`, made by `build` if it is not there. `build` gets an empty directory and leaves in it what is to be
    /// kept under that path.
    fn directory(&self, relative: impl AsRef<Path>, build: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let target = self.path(relative);
        if target.is_dir() {
            return Ok(target);
        }
        let parent = target.parent().unwrap_or(&self.root);
        std::fs::create_dir_all(parent)?;
        let scratch = Scratch::within(parent)?;
        build(scratch.path())?;
        // Another process may have been quicker; what it made is as good.
        if std::fs::rename(scratch.path(), &target).is_err() && !target.is_dir() {
            bail!("cannot create {}", target.display());
        }
        Ok(target)
    }
}

/// A directory that is gone when this value is.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A new empty directory in `parent`.
    pub(crate) fn within(parent: &Path) -> Result<Self> {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let serial = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = parent.join(format!(".making.{}.{serial}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in the way of nobody: its name is not used again.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// `cargo xtask setup`
#[derive(Args)]
pub(crate) struct Setup {
    /// Install what is missing with apt-get, as root
    #[arg(long)]
    install: bool,
    /// Compile only the tests whose file name begins so
    #[arg(long, default_value = "")]
    prefix: String,
    /// Kernels to fetch, by release; the selftests are always those of the reference
    #[arg(long, value_delimiter = ',', default_value = REFERENCE)]
    kernels: Vec<String>,
    /// Also Debian's kernel as a user process
    #[arg(long)]
    uml: bool,
}

/// Makes everything that the other commands would make when they need it.
pub(crate) fn setup(args: &Setup) -> Result<()> {
    if args.install {
        need::install()?;
    }
    let lab = Lab::open()?;
    for version in &args.kernels {
        let kernel = Kernel::fetch(&lab, version)?;
        println!("kernel {version}: {}", kernel.release);
    }
    if args.uml {
        println!("user-mode kernel: {}", kernel::user_mode(&lab)?.display());
    }
    let tests = Selftests::compile(&lab, REFERENCE, &args.prefix)?;
    println!("selftests of {REFERENCE}: {} compiled, {} did not compile", tests.compiled.len(), tests.failed.len());
    for name in &tests.failed {
        println!("  {name} (see {})", tests.log(name).display());
    }
    Ok(())
}

/// `cargo xtask kernel`
#[derive(clap::Subcommand)]
pub(crate) enum KernelCommand {
    /// Fetch Debian's kernels of these releases, such as 5.10 6.1 6.12 6.18 7.3 or uml
    Fetch {
        /// Releases
        #[arg(required = true)]
        releases: Vec<String>,
    },
}

pub(crate) fn kernel(command: &KernelCommand) -> Result<()> {
    let KernelCommand::Fetch { releases } = command;
    let lab = Lab::open()?;
    for release in releases {
        if release == "uml" {
            println!("uml: {}", kernel::user_mode(&lab)?.display());
        } else {
            let kernel = Kernel::fetch(&lab, release)?;
            println!("{release}: {} in {}", kernel.release, kernel.image.display());
        }
    }
    Ok(())
}

/// The user-mode kernel's executable, fetched if need be.
pub(crate) fn user_mode(lab: &Lab) -> Result<PathBuf> {
    kernel::user_mode(lab)
}

/// An error that says what to install, if there is no emulator.
pub(crate) fn require_emulator() -> Result<()> {
    need::require(need::BOOT)
}

#[cfg(test)]
mod tests {
    use super::{Lab, Scratch};

    #[test]
    fn a_directory_is_made_once_and_whole() {
        let scratch = Scratch::within(&std::env::temp_dir()).unwrap();
        let lab = Lab { root: scratch.path().to_path_buf() };
        assert!(lab.directory("a/b", |_| anyhow::bail!("no network")).is_err());
        assert!(!lab.path("a/b").exists());
        let made = lab.directory("a/b", |path| Ok(std::fs::write(path.join("x"), "1")?)).unwrap();
        assert_eq!(std::fs::read_to_string(made.join("x")).unwrap(), "1");
        lab.directory("a/b", |_| anyhow::bail!("made twice")).unwrap();
        assert_eq!(std::fs::read_dir(lab.path("a")).unwrap().count(), 1, "scratch directories are gone");
    }
}
