//! What a test expects, as its object's declaration tags say it.
//!
//! A tag on a program's function reads `comment:N:test_NAME=VALUE`; `N` gives the order in which the source wrote them. The meaning
//! is that of `parse_test_spec` in the kernel's `tools/testing/selftests/bpf/test_loader.c`, Linux 7.3.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use bpfvet_btf::{Btf, Kind};

use super::matching::Pattern;
use super::object;

/// As whom a test loads its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mode {
    /// With all capabilities.
    Priv,
    /// Without, but for those that the test names.
    Unpriv,
}

impl Mode {
    /// Both, in the order of reports.
    pub(crate) const ALL: [Self; 2] = [Self::Priv, Self::Unpriv];

    /// The word of reports and lists.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Priv => "priv",
            Self::Unpriv => "unpriv",
        }
    }

    /// The mode of that word.
    pub(crate) fn by_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.word() == word)
    }
}

/// What is expected of one load.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expectation {
    /// The program must be rejected.
    pub(crate) failure: bool,
    /// What must and what must not be in the log, in order.
    pub(crate) messages: Vec<Pattern>,
    /// Lines that the rewritten program must show; this project rewrites nothing.
    pub(crate) rewritten: usize,
    /// Capabilities that are kept, as a mask.
    pub(crate) caps: u64,
}

/// One program of a test object and what is expected of it.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    /// Its name.
    pub(crate) program: String,
    /// Loads that are tests, and what is expected of each; none for an auxiliary program.
    pub(crate) expect: BTreeMap<Mode, Expectation>,
    /// Modes in which it is loaded beside the program in question.
    pub(crate) auxiliary: Vec<Mode>,
    /// Load flags (`BPF_F_*`) beside those of the object.
    pub(crate) flags: u32,
    /// Log level; 0 where the test does not care.
    pub(crate) log_level: u32,
    /// The test is for this machine: x86-64, with a just-in-time compiler.
    pub(crate) applies: bool,
    /// An object whose types take the place of the kernel's.
    pub(crate) btf_path: Option<String>,
    /// An object whose functions name the parameters that this one's lack.
    pub(crate) func_btf_path: Option<String>,
}

impl Spec {
    fn expect(&mut self, mode: Mode) -> &mut Expectation {
        self.expect.entry(mode).or_default()
    }
}

const TEST_RND_HI32: u32 = 1 << 2;
const TEST_REG_INVARIANTS: u32 = 1 << 7;
/// Flags by the names that tests use; other flags are numbers.
const FLAGS: &[(&str, u32)] = &[
    ("BPF_F_STRICT_ALIGNMENT", 1 << 0),
    ("BPF_F_ANY_ALIGNMENT", 1 << 1),
    ("BPF_F_TEST_RND_HI32", TEST_RND_HI32),
    ("BPF_F_TEST_STATE_FREQ", 1 << 3),
    ("BPF_F_SLEEPABLE", 1 << 4),
    ("BPF_F_XDP_HAS_FRAGS", 1 << 5),
    ("BPF_F_TEST_REG_INVARIANTS", TEST_REG_INVARIANTS),
];
/// What every test is loaded with.
const USUAL_FLAGS: u32 = TEST_RND_HI32 | TEST_REG_INVARIANTS;

/// The programs of a test object with their expectations, in libbpf's order.
pub(crate) fn of_object(bytes: &[u8]) -> Result<Vec<Spec>> {
    let btf = object::section(bytes, ".BTF")?.map(Btf::parse).transpose()?;
    let mut specs = Vec::new();
    for object::Named { name, section: _ } in object::programs(bytes)? {
        let mut tags = Vec::new();
        if let Some(btf) = &btf
            && let Some(function) = btf.find_by_name_kind(&name, Kind::Func)
        {
            tags.extend(btf.decl_tags_of(function, None).filter_map(numbered));
        }
        tags.sort_by_key(|(number, _)| *number);
        let tags: Vec<&str> = tags.into_iter().map(|(_, text)| text).collect();
        specs.push(parse(&name, &tags).with_context(|| format!("the tags of `{name}`"))?);
    }
    Ok(specs)
}

fn numbered(tag: &str) -> Option<(u32, &str)> {
    let (number, text) = tag.strip_prefix("comment:")?.split_once(':')?;
    Some((number.parse().ok()?, text))
}

fn parse(program: &str, tags: &[&str]) -> Result<Spec> {
    let mut spec = Spec {
        program: program.to_owned(),
        expect: BTreeMap::new(),
        auxiliary: Vec::new(),
        flags: USUAL_FLAGS,
        log_level: 0,
        applies: true,
        btf_path: None,
        func_btf_path: None,
    };
    let mut unpriv_verdict = false;
    let mut archs = Vec::new();
    for tag in tags {
        let (name, value) = tag.split_once('=').unwrap_or((tag, ""));
        let mode = if name.ends_with("_unpriv") { Mode::Unpriv } else { Mode::Priv };
        match name.strip_suffix("_unpriv").unwrap_or(name) {
            verdict @ ("test_expect_failure" | "test_expect_success") => {
                spec.expect(mode).failure = verdict == "test_expect_failure";
                unpriv_verdict |= mode == Mode::Unpriv;
            }
            "test_expect_msg" => spec.expect(mode).messages.push(Pattern::new(value, false)?),
            "test_expect_not_msg" => spec.expect(mode).messages.push(Pattern::new(value, true)?),
            "test_expect_xlated" => spec.expect(mode).rewritten += 1,
            // Run-time values and compiled code are not the verifier's, but naming them makes the load a test.
            "test_retval" => {
                spec.expect(mode);
            }
            "test_caps" => spec.expect(mode).caps |= caps(value)?,
            "test_auxiliary" => spec.auxiliary.push(mode),
            "test_log_level" => spec.log_level = number(value)?,
            "test_prog_flags" => flag(&mut spec.flags, value)?,
            "test_arch" => archs.push(value),
            "test_btf_path" => spec.btf_path = Some(value.to_owned()),
            "test_btf_func_path" => spec.func_btf_path = Some(value.to_owned()),
            "load_mode" => spec.applies &= value == "jited",
            "test_jited" | "test_expect_stderr" | "test_expect_stdout" | "test_description" | "test_linear_size" => {}
            other => bail!("does not know `{other}`"),
        }
    }
    spec.applies &= archs.is_empty() || archs.contains(&"X86_64");
    if !spec.auxiliary.is_empty() {
        spec.expect.clear();
    }
    inherit(&mut spec, unpriv_verdict);
    Ok(spec)
}

/// What the unprivileged load does not say for itself it takes from the privileged one.
fn inherit(spec: &mut Spec, unpriv_verdict: bool) {
    let privileged = spec.expect.get(&Mode::Priv).cloned().unwrap_or_default();
    let Some(unprivileged) = spec.expect.get_mut(&Mode::Unpriv) else { return };
    if !unpriv_verdict {
        unprivileged.failure = privileged.failure;
    }
    if unprivileged.messages.is_empty() {
        unprivileged.messages = privileged.messages;
    }
    if unprivileged.rewritten == 0 {
        unprivileged.rewritten = privileged.rewritten;
    }
}

fn flag(flags: &mut u32, value: &str) -> Result<()> {
    let (clear, name) = value.strip_prefix('!').map_or((false, value), |name| (true, name));
    let bits = match FLAGS.iter().find(|(known, _)| *known == name) {
        Some((_, bits)) => *bits,
        None => number(name)?,
    };
    *flags = if clear { *flags & !bits } else { *flags | bits };
    Ok(())
}

fn number(text: &str) -> Result<u32> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.with_context(|| format!("`{text}` is no number"))
}

/// Numbers of capabilities, divided by `|`.
fn caps(text: &str) -> Result<u64> {
    let mut mask = 0;
    for part in text.split('|') {
        mask |= 1_u64.checked_shl(number(part.trim())?).context("no such capability")?;
    }
    Ok(mask)
}

#[cfg(test)]
mod tests {
    use super::{Mode, USUAL_FLAGS, numbered, parse};

    #[test]
    fn a_tag_carries_its_order() {
        assert_eq!(numbered("comment:12:test_expect_msg=a=b"), Some((12, "test_expect_msg=a=b")));
        assert_eq!(numbered("kfunc"), None);
    }

    #[test]
    fn an_unprivileged_load_inherits_what_it_does_not_say() {
        let tags = ["test_expect_failure", "test_expect_msg=no", "test_expect_failure_unpriv"];
        let spec = parse("p", &tags).unwrap();
        assert_eq!(spec.expect.len(), 2);
        let unprivileged = &spec.expect[&Mode::Unpriv];
        assert!(unprivileged.failure);
        assert_eq!(unprivileged.messages.len(), 1);
        let spec = parse("p", &["test_expect_success", "test_expect_msg_unpriv=R1 leaks"]).unwrap();
        assert!(!spec.expect[&Mode::Unpriv].failure, "its verdict is the privileged one's");
        assert_eq!(spec.expect[&Mode::Priv].messages.len(), 0);
    }

    #[test]
    fn flags_are_set_and_cleared_in_order() {
        let spec = parse("p", &["test_prog_flags=BPF_F_TEST_STATE_FREQ", "test_prog_flags=!BPF_F_TEST_REG_INVARIANTS"]);
        assert_eq!(spec.unwrap().flags, USUAL_FLAGS & !(1 << 7) | 1 << 3);
        assert_eq!(parse("p", &["test_prog_flags=0x10"]).unwrap().flags, USUAL_FLAGS | 0x10);
    }

    #[test]
    fn an_auxiliary_program_is_no_test() {
        let spec = parse("p", &["test_auxiliary"]).unwrap();
        assert!(spec.expect.is_empty());
        assert_eq!(spec.auxiliary, [Mode::Priv]);
    }

    #[test]
    fn a_test_for_another_machine_does_not_apply() {
        assert!(!parse("p", &["test_expect_success", "test_arch=ARM64"]).unwrap().applies);
        assert!(parse("p", &["test_arch=ARM64", "test_arch=X86_64"]).unwrap().applies);
        assert!(!parse("p", &["load_mode=no_jited"]).unwrap().applies);
    }

    #[test]
    fn capabilities_are_a_mask() {
        let spec = parse("p", &["test_caps_unpriv=39|12"]).unwrap();
        assert_eq!(spec.expect[&Mode::Unpriv].caps, 1 << 39 | 1 << 12);
    }

    #[test]
    fn an_unknown_tag_is_an_error() {
        assert!(parse("p", &["test_expect_poetry=1"]).is_err());
    }
}
