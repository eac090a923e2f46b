//! Which licences the crates that we depend on may have.

use cargo_metadata::Metadata;

use super::Finding;

/// Licences that ask for no more than notice.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "NCSA",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// A package and the SPDX expression of its licence.
pub(crate) type Licence = (String, Option<String>);

/// The licences of every package in the lock file.
pub(crate) fn of(metadata: &Metadata) -> Vec<Licence> {
    metadata.packages.iter().map(|package| (package.name.to_string(), package.license.clone())).collect()
}

/// Packages whose licence leaves us no allowed choice.
pub(crate) fn check(licences: &[Licence]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (package, licence) in licences {
        let what = match licence {
            None => "states no licence".to_owned(),
            Some(expression) if !satisfied(expression) => format!("is under `{expression}`, which is not on the list"),
            Some(_) => continue,
        };
        findings.push(Finding::new(format!("dependency {package}"), what));
    }
    findings
}

/// Whether an SPDX expression can be met by allowed licences. Brackets are expanded innermost first: a bracket becomes an allowed
/// or a forbidden name.
fn satisfied(expression: &str) -> bool {
    // Old manifests write `A/B` for a choice.
    let mut expression = expression.replace('/', " OR ");
    while let Some(close) = expression.find(')') {
        let Some(open) = expression.get(..close).and_then(|head| head.rfind('(')) else { return false };
        let inner = expression.get(open + 1..close).is_some_and(satisfied);
        expression.replace_range(open..=close, if inner { "MIT" } else { "forbidden" });
    }
    expression.split(" OR ").any(|choice| choice.split(" AND ").all(|licence| ALLOWED.contains(&licence.trim())))
}

#[cfg(test)]
mod tests {
    use super::{check, satisfied};

    #[test]
    fn a_choice_needs_one_and_a_conjunction_all() {
        assert!(satisfied("MIT OR GPL-3.0"));
        assert!(satisfied("MIT/Apache-2.0"));
        assert!(satisfied("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!satisfied("MIT AND GPL-3.0"));
        assert!(!satisfied("(GPL-2.0 OR LGPL-3.0) AND MIT"));
        assert!(!satisfied("MIT)"));
    }

    #[test]
    fn a_package_without_a_licence_is_found() {
        assert_eq!(check(&[("x".into(), None), ("y".into(), Some("MIT".into()))]).len(), 1);
    }
}
