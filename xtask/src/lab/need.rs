//! What must be installed, and the one sentence that says so.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::shell;

/// Something that must be on the machine, and the Debian package that brings it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    program: Option<&'static str>,
    file: Option<&'static str>,
    package: &'static str,
}

const fn program(program: &'static str, package: &'static str) -> Need {
    Need { program: Some(program), file: None, package }
}

const fn header(file: &'static str, package: &'static str) -> Need {
    Need { program: None, file: Some(file), package }
}

/// To fetch and unpack packages and kernels.
pub(crate) const FETCH: &[Need] = &[
    program("apt-get", "apt"),
    program("dpkg-deb", "dpkg"),
    program("tar", "tar"),
    program("xz", "xz-utils"),
    program("zstd", "zstd"),
    program("objcopy", "binutils"),
];
/// To build the kernel's own tools and our loader.
pub(crate) const BUILD: &[Need] = &[
    program("gcc", "gcc"),
    program("make", "make"),
    // `python3-minimal` has the interpreter and lacks half of its library.
    program("pydoc3", "python3"),
    header("/usr/include/libelf.h", "libelf-dev"),
    header("/usr/include/zlib.h", "zlib1g-dev"),
    header("/usr/include/zstd.h", "libzstd-dev"),
    header("/usr/include/openssl/opensslv.h", "libssl-dev"),
];
/// To compile eBPF programs.
pub(crate) const COMPILE: &[Need] = &[program(super::objects::CLANG, "clang-19")];
/// To run other kernels.
pub(crate) const BOOT: &[Need] = &[program("qemu-system-x86_64", "qemu-system-x86")];
/// To run the kernel that is a user process.
pub(crate) const USER_MODE: &[Need] = &[program("patchelf", "patchelf")];

/// An error that says what to install, if anything of these is missing.
pub(crate) fn require(needs: &[Need]) -> Result<()> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    bail!("this needs {}: run `apt-get install {}`", missing.join(", "), missing.join(" "))
}

/// Installs whatever is missing.
pub(crate) fn install() -> Result<()> {
    let missing = missing(&[FETCH, BUILD, COMPILE, BOOT, USER_MODE].concat());
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(", "));
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq").stdin(Stdio::null()).stdout(Stdio::null());
        apt
    };
    let why = || format!("cannot install {}; install them by hand, or run this as root on Debian", missing.join(", "));
    shell::run(apt().arg("update")).with_context(why)?;
    shell::run(apt().args(["install", "-y", "--no-install-recommends"]).args(&missing)).with_context(why)
}

/// Packages that would bring what is missing, each once.
fn missing(needs: &[Need]) -> Vec<&'static str> {
    let mut packages: Vec<&str> = Vec::new();
    for Need { program, file, package } in needs {
        let there = program.is_none_or(on_path) && file.is_none_or(|file| Path::new(file).exists());
        if !there && !packages.contains(package) {
            packages.push(package);
        }
    }
    packages
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::{header, program, require};

    #[test]
    fn what_is_missing_is_named_once_with_its_package() {
        let needs = [program("no-such-program", "some-package"), header("/no/such/header.h", "some-package")];
        let sentence = require(&needs).unwrap_err().to_string();
        assert_eq!(sentence, "this needs some-package: run `apt-get install some-package`");
        require(&[program("cargo", "cargo")]).unwrap();
    }
}
