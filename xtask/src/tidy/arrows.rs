//! Which crate may use which.

use cargo_metadata::{DependencyKind, Metadata};

use super::Finding;

/// The arrows of the house: a crate and the crates it may depend on. What is not here may depend on nothing of ours.
const ALLOWED: &[(&str, &[&str])] = &[
    ("insn", &[]),
    ("asm", &["insn"]),
    ("domain", &[]),
    ("btf", &[]),
    ("platform", &["insn", "btf"]),
    ("linux", &["platform", "insn", "btf"]),
    ("cfg", &["insn", "platform", "btf"]),
    ("vm", &["insn", "domain", "btf", "platform"]),
    ("explore", &["insn", "domain", "btf", "platform", "cfg", "vm"]),
    ("report", &["insn", "domain", "btf", "platform", "cfg", "vm", "explore"]),
    ("elf", &["insn", "btf", "platform"]),
    ("bpfvet", &["insn", "asm", "domain", "btf", "platform", "linux", "cfg", "vm", "explore", "report", "elf"]),
    ("cli", &["bpfvet"]),
];

/// Packages that may depend on anything of ours, because nothing that is published depends on them.
const FREE: &[&str] = &["testkit", "tests", "fuzz", "xtask"];

/// A dependency of one of our packages on another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrow {
    from: String,
    to: String,
    /// Only for its tests and benches.
    dev: bool,
}

/// The arrows that the manifests draw.
pub(crate) fn of(metadata: &Metadata) -> Vec<Arrow> {
    let packages = metadata.workspace_packages();
    let ours: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut arrows = Vec::new();
    for package in &packages {
        for dependency in &package.dependencies {
            if ours.contains(&dependency.name.as_str()) {
                arrows.push(Arrow {
                    from: short(&package.name).to_owned(),
                    to: short(&dependency.name).to_owned(),
                    dev: dependency.kind == DependencyKind::Development,
                });
            }
        }
    }
    arrows
}

/// The directory's name for a package: without the project's prefix.
fn short(package: &str) -> &str {
    package.strip_prefix("bpfvet-").unwrap_or(package)
}

/// Arrows that the table does not allow.
///
/// For its tests a crate may use `testkit` and what `testkit` is allowed, but never the command.
pub(crate) fn check(arrows: &[Arrow]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Arrow { from, to, dev } in arrows {
        if FREE.contains(&from.as_str()) {
            continue;
        }
        let table = ALLOWED.iter().find(|(name, _)| name == from);
        let Some((_, allowed)) = table else {
            findings.push(Finding::new(format!("crates/{from}"), "is not in the table of arrows"));
            continue;
        };
        let for_tests = *dev && to != "cli";
        if !allowed.contains(&to.as_str()) && !for_tests {
            findings.push(Finding::new(format!("crates/{from}"), format!("must not depend on `{to}`")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{Arrow, check};

    fn arrow(from: &str, to: &str, dev: bool) -> Arrow {
        Arrow { from: from.into(), to: to.into(), dev }
    }

    #[test]
    fn an_allowed_arrow_passes() {
        assert!(check(&[arrow("vm", "insn", false), arrow("xtask", "bpfvet", false)]).is_empty());
    }

    #[test]
    fn the_walls_hold() {
        for (from, to) in
            [("vm", "cfg"), ("cfg", "vm"), ("insn", "btf"), ("cli", "vm"), ("elf", "explore"), ("domain", "insn")]
        {
            assert_eq!(check(&[arrow(from, to, false)]).len(), 1, "{from} -> {to}");
        }
    }

    #[test]
    fn tests_may_use_the_testkit_but_never_the_command() {
        assert!(check(&[arrow("vm", "testkit", true)]).is_empty());
        assert_eq!(check(&[arrow("vm", "cli", true)]).len(), 1);
        assert_eq!(check(&[arrow("vm", "testkit", false)]).len(), 1);
    }

    #[test]
    fn a_crate_outside_the_table_is_found() {
        assert_eq!(check(&[arrow("jit", "insn", false)]).len(), 1);
    }
}
