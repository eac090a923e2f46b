//! Why a kernel refuses what is accepted here: it is built without something, it knows less, or a check is missing here.

use std::path::Path;

use anyhow::{Context as _, Result};
use bpfvet_btf::{Btf, Kind};

use super::super::judge::{Judgement, Test};
use crate::lab::Kernel;

/// Why a kernel refuses what is accepted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// Nobody knows a better reason: a check is missing.
    Missing,
    /// That kernel knows less of something than is true, and the reason is known.
    Precision(&'static str),
    /// That kernel is built without this option.
    Configuration(&'static str),
}

impl Cause {
    /// The word of reports.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Missing => "UNSAFE",
            Self::Precision(_) => "UNSAFE-precision",
            Self::Configuration(_) => "configuration",
        }
    }

    /// What is known of it.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "a check is missing",
            Self::Precision(reason) | Self::Configuration(reason) => reason,
        }
    }
}

/// Something that kernels can be built without, and what they say then.
struct BuiltWithout {
    option: &'static str,
    /// A function that every kernel with the option has, and none without.
    witness: &'static str,
    /// The end of the message; nothing where a load is refused without a word.
    said: &'static str,
    /// What the message names, or what the program's name begins with.
    of: &'static [&'static str],
}

const BUILT_WITHOUT: &[BuiltWithout] = &[
    // System calls, and the functions of tests that are marked by `ALLOW_ERROR_INJECTION`.
    BuiltWithout {
        option: "CONFIG_FUNCTION_ERROR_INJECTION",
        witness: "within_error_injection_list",
        said: " is not sleepable",
        of: &["__x64_sys_", "bpf_fentry_test1"],
    },
    BuiltWithout {
        option: "CONFIG_FUNCTION_ERROR_INJECTION",
        witness: "within_error_injection_list",
        said: "() is not modifiable",
        of: &["__x64_sys_", "bpf_fentry_test1", "bpf_modify_return_test"],
    },
    BuiltWithout {
        option: "CONFIG_BPF_LIRC_MODE2",
        witness: "lirc_prog_attach",
        said: "",
        of: &["test_lirc_mode2_kern/"],
    },
];

/// Programs that a release refuses because it knows less of a number.
struct KnowsLess {
    kernels: &'static [&'static str],
    programs: &'static [&'static str],
    reason: &'static str,
}

const KNOWS_LESS: &[KnowsLess] = &[KnowsLess {
    kernels: &["5.10", "6.1"],
    programs: &[
        "verifier_bounds/signed_unsigned_intersection32_case1",
        "verifier_bounds/signed_unsigned_intersection32_case2",
    ],
    reason: "an interval that overlaps one end only of the other reading's is not cut to that end",
}];

/// The causes on one kernel.
pub(super) struct Causes {
    version: String,
    /// Options that the kernel is built without.
    without: Vec<&'static str>,
}

impl Causes {
    /// Those of a kernel, which its types bear witness to.
    pub(super) fn of(version: &str, kernel: &Kernel) -> Result<Self> {
        let functions = Functions::read(&kernel.btf)?;
        let lacks = |built: &&BuiltWithout| !functions.has(built.witness);
        let without = BUILT_WITHOUT.iter().filter(lacks).map(|built| built.option).collect();
        Ok(Self { version: version.to_owned(), without })
    }

    /// Why this kernel refuses the program.
    pub(super) fn why(&self, program: &Test, kernels: &Judgement) -> Cause {
        let name = format!("{}/{}", program.name.object, program.name.program);
        let explains =
            |built: &&BuiltWithout| self.without.contains(&built.option) && says(built, &name, &kernels.message);
        if let Some(built) = BUILT_WITHOUT.iter().find(explains) {
            return Cause::Configuration(built.option);
        }
        let known = KNOWS_LESS
            .iter()
            .find(|known| known.kernels.contains(&self.version.as_str()) && known.programs.contains(&name.as_str()));
        known.map_or(Cause::Missing, |known| Cause::Precision(known.reason))
    }
}

/// A refusal is told by what the kernel is built without.
fn says(built: &BuiltWithout, name: &str, message: &str) -> bool {
    let named =
        if built.said.is_empty() { message.is_empty().then_some(name) } else { message.strip_suffix(built.said) };
    named.is_some_and(|named| built.of.iter().any(|of| named.starts_with(of)))
}

/// The functions of a kernel.
struct Functions(Btf);

impl Functions {
    fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self(Btf::parse(bytes).context("the kernel's BTF")?))
    }

    fn has(&self, name: &str) -> bool {
        self.0.find_by_name_kind(name, Kind::Func).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::expect::{Expectation, Mode};
    use super::super::super::judge::{Judgement, Source, Test, Verdict};
    use super::super::super::record::Name;
    use super::{Cause, Causes};

    fn why(causes: &Causes, object: &str, program: &str, message: &str) -> Cause {
        let test = Test {
            name: Name { object: object.into(), program: program.into(), mode: Mode::Priv },
            source: Source::Object { file: "o.bpf.o".into(), also: Vec::new(), btf: None },
            expect: Expectation::default(),
            flags: 0,
            log_level: 0,
        };
        let judgement = Judgement { verdict: Verdict::Rejected, message: message.into(), log: None, stats: None };
        causes.why(&test, &judgement)
    }

    #[test]
    fn an_option_explains_only_what_it_is_about() {
        let option = "CONFIG_FUNCTION_ERROR_INJECTION";
        let bare = Causes { version: "6.1".into(), without: vec![option, "CONFIG_BPF_LIRC_MODE2"] };
        let whole = Causes { version: "6.1".into(), without: Vec::new() };
        let said = "__x64_sys_getpgid is not sleepable";
        assert_eq!(why(&bare, "o", "p", said), Cause::Configuration(option));
        assert_eq!(why(&whole, "o", "p", said), Cause::Missing);
        assert_eq!(why(&bare, "o", "p", "kernfs_get is not sleepable"), Cause::Missing);
        assert_eq!(why(&bare, "o", "p", ""), Cause::Missing, "a refusal without a word says nothing of most programs");
        let lirc = why(&bare, "test_lirc_mode2_kern", "bpf_decoder", "");
        assert_eq!(lirc, Cause::Configuration("CONFIG_BPF_LIRC_MODE2"));
    }

    #[test]
    fn what_a_release_does_not_know_is_listed_by_program() {
        let program = "signed_unsigned_intersection32_case1";
        let on = |version: &str| {
            let causes = Causes { version: version.into(), without: Vec::new() };
            why(&causes, "verifier_bounds", program, "frame pointer is read only")
        };
        assert!(matches!(on("6.1"), Cause::Precision(_)));
        assert_eq!(on("6.12"), Cause::Missing);
    }
}
