//! The kernels that are asked, and their types.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bpfvet::btf::Btf;
use bpfvet::linux::Linux;
use bpfvet::platform::Version;

use crate::fault::Fault;
use crate::input;

/// Where a running kernel shows its types.
const RUNNING: &str = "/sys/kernel/btf/vmlinux";

/// A kernel that is asked.
#[derive(Debug)]
pub(crate) struct Host {
    plain: Linux,
    typed: OnceLock<Option<Linux>>,
}

impl Host {
    fn new(version: Version) -> Result<Self, Fault> {
        let plain = Linux::new(version).map_err(|error| {
            let (first, last) = (Linux::VERSIONS.first(), Linux::VERSIONS.last());
            let known = first.zip(last).map(|(first, last)| format!(": releases from {first} to {last} are"));
            format!("{error}{}", known.unwrap_or_default())
        })?;
        Ok(Self { plain, typed: OnceLock::new() })
    }

    pub(crate) const fn version(&self) -> Version {
        self.plain.version()
    }

    /// The kernel without its types.
    pub(crate) const fn plain(&self) -> &Linux {
        &self.plain
    }

    /// The kernel with its types, if there are any.
    pub(crate) fn typed(&self, types: &Types) -> Option<&Linux> {
        self.typed.get_or_init(|| Some(self.plain.clone().with_btf(Arc::clone(types.get()?)))).as_ref()
    }
}

/// The kernels that `--kernel` names, in that order; the newest where it names none.
pub(crate) fn hosts(names: &[String]) -> Result<Vec<Host>, Fault> {
    let mut versions = Vec::new();
    for name in names.iter().map(|name| name.trim()) {
        match name {
            "all" => versions.extend_from_slice(Linux::PROFILES),
            "newest" => versions.push(Linux::NEWEST),
            "" => return Err(Fault::Told("--kernel has an empty name in its list".to_owned())),
            _ => {
                let version =
                    name.parse().map_err(|error| format!("kernel `{name}` is {error}, such as 6.12, nor `all`"));
                versions.push(version?);
            }
        }
    }
    if versions.is_empty() {
        versions.push(Linux::NEWEST);
    }
    let mut seen = Vec::new();
    for version in versions {
        if !seen.contains(&version) {
            seen.push(version);
        }
    }
    seen.into_iter().map(Host::new).collect()
}

/// The kernel's types: read when something first asks for them.
#[derive(Debug)]
pub(crate) struct Types {
    path: PathBuf,
    btf: OnceLock<Option<Arc<Btf>>>,
}

impl Types {
    /// Those of the file, which must have some; else those of the running system, if it shows any.
    pub(crate) fn new(file: Option<&Path>) -> Result<Self, Fault> {
        let Some(path) = file else {
            return Ok(Self { path: PathBuf::from(RUNNING), btf: OnceLock::new() });
        };
        let bytes = input::read(path)?;
        let btf = Btf::parse(bytes).map_err(|error| format!("{}: not kernel BTF: {error}", path.display()))?;
        Ok(Self { path: path.to_owned(), btf: OnceLock::from(Some(Arc::new(btf))) })
    }

    pub(crate) fn get(&self) -> Option<&Arc<Btf>> {
        // A running system without types is no fault: programs that need them will say so.
        self.btf.get_or_init(|| Some(Arc::new(Btf::parse(fs::read(&self.path).ok()?).ok()?))).as_ref()
    }

    /// The running system's file, if its types were asked for and were there.
    pub(crate) fn borrowed(&self) -> Option<&Path> {
        let used = self.btf.get().is_some_and(Option::is_some);
        (used && self.path == Path::new(RUNNING)).then_some(&self.path)
    }
}
