//! Kernel sources and bootable kernels.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::debian::Archive;
use super::{Lab, REFERENCE, need};
use crate::shell;

/// A kernel that can be booted, and its types.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    /// Uncompressed, as an ELF file.
    pub(crate) image: PathBuf,
    /// Its BTF; kernels before 5.2 would have none.
    pub(crate) btf: PathBuf,
    /// Its full release, such as `7.3.4+deb13-cloud-amd64`.
    pub(crate) release: String,
}

impl Kernel {
    /// Debian's newest kernel of the series `version`, fetched if it is not in the cache.
    pub(crate) fn fetch(lab: &Lab, version: &str) -> Result<Self> {
        check_name(version)?;
        let directory = lab.directory(format!("kernel/{version}"), |target| {
            println!("fetching kernel {version}");
            need::require(need::FETCH)?;
            unpack(lab, version, target)
        })?;
        let release = std::fs::read_to_string(directory.join("release"))?.trim().to_owned();
        Ok(Self { image: directory.join("vmlinux"), btf: directory.join("btf"), release })
    }
}

/// A release's name becomes part of paths and patterns.
fn check_name(version: &str) -> Result<()> {
    let whole = version.split('.').count() == 2;
    if !whole || !version.split('.').all(|part| !part.is_empty() && part.chars().all(|letter| letter.is_ascii_digit()))
    {
        bail!("`{version}` is not a release such as 6.12");
    }
    Ok(())
}

fn unpack(lab: &Lab, version: &str, target: &Path) -> Result<()> {
    let archive = Archive::open(lab)?;
    let series = version.replace('.', r"\.");
    // From 6.19 on the image is in `linux-binary-…`; before, in `linux-image-…`.
    let newer = format!(r"linux-binary-{series}\..*-cloud-amd64");
    let older = format!(r"linux-image-{series}\.[0-9]+(\+deb1[0-9]|-[0-9]+)-cloud-amd64");
    let pattern = if archive.newest_name(&newer)?.is_some() { newer } else { older };
    let files = target.join("files");
    archive.unpack(&pattern, &files).with_context(|| format!("kernel {version} cannot be had"))?;
    let packed = find(&files, "vmlinuz").with_context(|| format!("the package of kernel {version} holds no kernel"))?;
    let name = packed.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let image = target.join("vmlinux");
    let unpacker = source(lab, REFERENCE)?.join("scripts/extract-vmlinux");
    let bytes = Command::new("bash").arg(&unpacker).arg(&packed).output().context("cannot start bash")?;
    if !bytes.stdout.starts_with(b"\x7fELF") {
        bail!("cannot unpack {name}: {}", String::from_utf8_lossy(&bytes.stderr).trim());
    }
    std::fs::write(&image, &bytes.stdout)?;
    let mut section = std::ffi::OsString::from(".BTF=");
    section.push(target.join("btf"));
    shell::output(Command::new("objcopy").arg("--dump-section").arg(section).arg(&image).arg("/dev/null"))?;
    // `vmlinuz-6.12.117-cloud-amd64`, or plain `vmlinuz` in a directory named after the release.
    let release = match name.strip_prefix("vmlinuz-") {
        Some(release) => release.to_owned(),
        None => packed.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned(),
    };
    std::fs::write(target.join("release"), release)?;
    Ok(std::fs::remove_dir_all(files)?)
}

/// The kernel's sources of the series `version`, fetched if they are not in the cache.
pub(crate) fn source(lab: &Lab, version: &str) -> Result<PathBuf> {
    check_name(version)?;
    lab.directory(format!("source/{version}"), |target| {
        println!("fetching the sources of kernel {version}");
        need::require(need::FETCH)?;
        let files = super::Scratch::within(&lab.path("."))?;
        Archive::open(lab)?.unpack(&format!("linux-source-{}", version.replace('.', r"\.")), files.path())?;
        let packed = find(files.path(), "linux-source-").context("the package of the sources holds no archive")?;
        shell::output(Command::new("tar").arg("-xf").arg(&packed).arg("-C").arg(target).arg("--strip-components=1"))?;
        Ok(())
    })
}

/// Debian's kernel as a user process, with a C library that it can run with whatever the machine's own is.
pub(crate) fn user_mode(lab: &Lab) -> Result<PathBuf> {
    let directory = lab.directory("user-mode", |target| {
        println!("fetching the user-mode kernel");
        need::require(need::USER_MODE)?;
        let archive = Archive::open(lab)?;
        let files = target.join("files");
        archive.unpack("user-mode-linux", &files)?;
        archive.unpack("libc6", &target.join("libc"))?;
        std::fs::rename(files.join("usr/bin/linux.uml"), target.join("linux"))?;
        Ok(std::fs::remove_dir_all(files)?)
    })?;
    let linux = directory.join("linux");
    // The paths written into the executable are those of its final place, so this comes after the renaming.
    let libraries = directory.join("libc/usr/lib/x86_64-linux-gnu");
    let ready = directory.join("ready");
    if !ready.exists() {
        let interpreter = libraries.join("ld-linux-x86-64.so.2");
        let mut patch = Command::new("patchelf");
        patch.arg("--set-interpreter").arg(&interpreter).arg("--set-rpath").arg(&libraries).arg(&linux);
        shell::output(&mut patch)?;
        std::fs::write(ready, "")?;
    }
    Ok(linux)
}

/// The first file below `root` whose name begins with `prefix`; links are not followed.
fn find(root: &Path, prefix: &str) -> Option<PathBuf> {
    let mut waiting = vec![root.to_path_buf()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(directory).ok()?.filter_map(Result::ok) {
            let kind = entry.file_type().ok()?;
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if kind.is_file() && entry.file_name().to_string_lossy().starts_with(prefix) {
                return Some(entry.path());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn a_release_has_two_numbers() {
        check_name("6.12").unwrap();
        for text in ["6", "6.12.1", "..", "6.x", "../6", ""] {
            assert!(check_name(text).is_err(), "{text}");
        }
    }
}
