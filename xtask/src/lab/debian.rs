//! Packages of any Debian suite that the machine's own package source serves, without touching its configuration.
//!
//! The address is asked of `apt-get`; only the suite's name differs. `apt-get` checks signatures and sums.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use regex::Regex;

use super::{Lab, need};
use crate::shell;

/// Suites, from the one with the oldest kernel; and those of the security archive.
const SUITES: &[&str] =
    &["bullseye", "bookworm", "bookworm-updates", "bookworm-backports", "trixie", "trixie-backports", "sid"];
const SECURITY: &[&str] = &["bullseye-security", "bookworm-security", "trixie-security"];
/// Where Debian keeps the keys of its archive.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// After this, lists are asked for again: a newer point release replaces the older one.
const STALE: Duration = Duration::from_hours(12);

/// A private view of the archive.
#[derive(Debug)]
pub(crate) struct Archive {
    root: PathBuf,
}

impl Archive {
    /// Opens the archive with fresh lists.
    pub(crate) fn open(lab: &Lab) -> Result<Self> {
        need::require(need::FETCH)?;
        let root = lab.path("apt");
        for directory in ["lists/partial", "cache/archives/partial"] {
            std::fs::create_dir_all(root.join(directory))?;
        }
        let archive = Self { root };
        archive.refresh()?;
        Ok(archive)
    }

    fn refresh(&self) -> Result<()> {
        let stamp = self.root.join("fresh");
        let age = stamp.metadata().and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
        if age.is_some_and(|age| age < STALE) {
            return Ok(());
        }
        std::fs::write(self.root.join("sources.list"), sources()?)?;
        // A suite that is gone makes this fail and does not matter: what is looked for is found in another, or named as missing.
        let update = shell::output(self.apt("apt-get").arg("update"));
        let mut lists = std::fs::read_dir(self.root.join("lists"))?.filter_map(Result::ok);
        if !lists.any(|entry| entry.file_name().to_string_lossy().ends_with("InRelease")) {
            update.context("the package lists cannot be fetched: is there a network?")?;
            bail!("the package lists cannot be fetched: is there a network?");
        }
        Ok(std::fs::write(stamp, "")?)
    }

    /// The newest version of the package whose whole name `pattern` matches and that sorts last, unpacked into `target`.
    /// Returns the package's name and version.
    pub(crate) fn unpack(&self, pattern: &str, target: &Path) -> Result<String> {
        let name = self.newest_name(pattern)?.with_context(|| format!("the archive has no package `{pattern}`"))?;
        let listed = shell::output(self.apt("apt-cache").args(["madison", &name]))?;
        let versions = listed.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim);
        let version =
            versions.max_by_key(|version| natural(version)).with_context(|| format!("no version of `{name}`"))?;
        let scratch = super::Scratch::within(&self.root)?;
        let package = format!("{name}={version}");
        shell::output(self.apt("apt-get").current_dir(scratch.path()).args(["download", &package]))
            .with_context(|| format!("cannot download `{package}`"))?;
        let mut files = std::fs::read_dir(scratch.path())?.filter_map(Result::ok).map(|entry| entry.path());
        let Some(file) = files.find(|path| path.extension().is_some_and(|extension| extension == "deb")) else {
            bail!("`{package}` was downloaded and is not there");
        };
        std::fs::create_dir_all(target)?;
        shell::output(Command::new("dpkg-deb").arg("-x").arg(&file).arg(target))?;
        Ok(package)
    }

    /// The package name that matches and sorts last.
    pub(crate) fn newest_name(&self, pattern: &str) -> Result<Option<String>> {
        let whole = Regex::new(&format!("^(?:{pattern})$"))?;
        let names = shell::output(self.apt("apt-cache").arg("pkgnames"))?;
        Ok(names.lines().filter(|name| whole.is_match(name)).max_by_key(|name| natural(name)).map(str::to_owned))
    }

    fn apt(&self, program: &str) -> Command {
        let mut apt = Command::new(program);
        let option = |name: &str, path: &str| format!("{name}={}", self.root.join(path).display());
        apt.arg("-qq").env("LC_ALL", "C");
        for option in [
            option("Dir::Etc::sourcelist", "sources.list"),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            option("Dir::State::lists", "lists"),
            option("Dir::Cache", "cache"),
            "APT::Sandbox::User=".to_owned(),
        ] {
            apt.args(["-o", &option]);
        }
        apt
    }
}

/// Lines for every suite, with the addresses that the machine itself uses.
fn sources() -> Result<String> {
    let format = "$(ORIGIN) $(RELEASE) $(REPO_URI)";
    let targets = shell::output(Command::new("apt-get").args(["indextargets", "--format", format]))?;
    let address = |security: bool| {
        targets.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            let (origin, release, address) = (words.next()?, words.next()?, words.next()?);
            (origin == "Debian" && release.ends_with("-security") == security).then(|| address.to_owned())
        })
    };
    let main = address(false).context("apt-get knows no Debian archive: this needs Debian, after `apt-get update`")?;
    let mut lines = String::new();
    let mut add = |address: &str, suites: &[&str]| {
        for suite in suites {
            lines.push_str(&format!("deb [signed-by={KEYS}] {address} {suite} main\n"));
        }
    };
    add(&main, SUITES);
    if let Some(security) = address(true) {
        add(&security, SECURITY);
    }
    Ok(lines)
}

/// A key under which `2.10` comes after `2.9`, and `~` before everything, as in Debian's versions.
fn natural(text: &str) -> Vec<(u64, String)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let words = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(words);
        let digits = tail.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(tail.len());
        let (number, tail) = tail.split_at(digits);
        let word: String = word.chars().map(|letter| if letter == '~' { '\0' } else { letter }).collect();
        // The word decides first, then the number that follows it.
        parts.push((0, word));
        parts.push((number.parse().unwrap_or(0), String::new()));
        rest = tail;
    }
    // The end comes before any word but after `~`.
    parts.push((0, "\u{1}".to_owned()));
    parts
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn versions_sort_as_debian_sorts_them() {
        for (older, newer) in [
            ("7.3.4-1~bpo13+1", "7.3.4-1"),
            ("6.9.1", "6.12.1"),
            ("linux-image-6.1.0-9-cloud-amd64", "linux-image-6.1.0-41-cloud-amd64"),
            ("7.3.4", "7.3.4+deb13"),
        ] {
            assert!(natural(older) < natural(newer), "{older} {newer}");
        }
    }
}
