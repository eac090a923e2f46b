//! The kernel's older verifier tests: arrays of instructions in `verifier/*.c`, printed by a small program that includes the kernel's
//! own `test_verifier.c` (`xtask/assets/arrays/dump.c`).

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bpfvet_btf::{Btf, Kind};
use bpfvet_platform::{AttachType, ProgramType};
use serde::Deserialize;

use super::expect::{Expectation, Mode};
use super::judge::{Source, Test};
use super::matching::Pattern;
use super::record::Name;
use crate::lab::{Kernel, Lab, Tools};
use crate::oracle::{OwnMap, Raw};

/// Program types that attach to something of the kernel's types.
const ATTACHING: &[ProgramType] = &[ProgramType::TRACING, ProgramType::LSM];

/// What the objects' names of these tests begin with.
pub(crate) const PREFIX: &str = "verifier/";

/// One test, as the program prints it.
#[derive(Debug, Deserialize)]
struct Printed {
    file: String,
    name: String,
    program_type: u32,
    attach_type: u32,
    flags: u32,
    result: Expected,
    message: Option<String>,
    unpriv_result: Option<Expected>,
    unpriv_message: Option<String>,
    attach_to: Option<String>,
    own_types: i32,
    functions: Vec<(u32, u32)>,
    kfuncs: Vec<(usize, String)>,
    maps: Vec<OwnMap>,
    types: Vec<String>,
    insns: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Expected {
    Accept,
    Reject,
    /// Accepted, and the log at level 2 is looked at.
    VerboseAccept,
}

/// Every test whose object's name begins with `prefix`, in both modes where both are meant.
pub(crate) fn tests(lab: &Lab, version: &str, prefix: &str) -> Result<Vec<Test>> {
    // Nothing is built for a run over other files.
    if !PREFIX.starts_with(prefix) && !prefix.starts_with(PREFIX) {
        return Ok(Vec::new());
    }
    let path = Tools::build(lab)?.arrays()?;
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let kernel = Btf::parse(std::fs::read(Kernel::fetch(lab, version)?.btf)?).context("the kernel's BTF")?;
    let mut seen = BTreeMap::new();
    let mut tests = Vec::new();
    for line in text.lines() {
        let printed: Printed = serde_json::from_str(line).context("a line of the arrays' program")?;
        let object = format!("{PREFIX}{}", printed.file);
        let serial = seen.entry((object.clone(), printed.name.clone())).or_insert(0_u32);
        *serial += 1;
        let program = if *serial == 1 { printed.name.clone() } else { format!("{} ({serial})", printed.name) };
        if !object.starts_with(prefix) {
            continue;
        }
        let raw = Arc::new(raw(&printed, &kernel)?);
        let modes = [
            (Mode::Priv, Some(printed.result), &printed.message),
            (Mode::Unpriv, printed.unpriv_result, &printed.unpriv_message),
        ];
        for (mode, expected, message) in modes {
            let Some(expected) = expected else { continue };
            tests.push(Test {
                name: Name { object: object.clone(), program: program.clone(), mode },
                source: Source::Array(Arc::clone(&raw)),
                expect: expectation(expected, message.as_deref())?,
                flags: printed.flags,
                // Statistics only, as libbpf does by default; messages come with them.
                log_level: if expected == Expected::VerboseAccept { 2 | 4 } else { 4 },
            });
        }
    }
    Ok(tests)
}

fn expectation(expected: Expected, message: Option<&str>) -> Result<Expectation> {
    let looked_at = message.filter(|_| expected != Expected::Accept);
    let parts = looked_at.into_iter().flat_map(|text| text.split('\t')).filter(|part| !part.is_empty());
    let messages: Result<Vec<Pattern>> = parts.map(|part| Pattern::new(part, false)).collect();
    Ok(Expectation { failure: expected == Expected::Reject, messages: messages?, ..Expectation::default() })
}

fn raw(printed: &Printed, kernel: &Btf) -> Result<Raw> {
    let function = |name: &str| kernel.find_by_name_kind(name, Kind::Func).map(|id| id.0);
    let mut bytes = from_hex(&printed.insns)?;
    for (at, name) in &printed.kfuncs {
        // The number stands in the instruction's last four bytes; 0 where the kernel has no such function.
        let number = function(name).unwrap_or_default().to_le_bytes();
        bytes.get_mut(at * 8 + 4..at * 8 + 8).context("a call beyond the program")?.copy_from_slice(&number);
    }
    let target = printed.attach_to.as_ref().filter(|_| ATTACHING.contains(&ProgramType(printed.program_type)));
    let types: Result<Vec<Vec<u8>>> = printed.types.iter().map(|types| from_hex(types)).collect();
    Ok(Raw {
        program_type: printed.program_type,
        attach_type: printed.attach_type,
        bytes,
        maps: printed.maps.clone(),
        types: types?,
        own_types: usize::try_from(printed.own_types).ok(),
        functions: printed.functions.clone(),
        attach_to: target.and_then(|name| attach_id(name, AttachType(printed.attach_type), kernel)).unwrap_or_default(),
        attach_name: target.cloned(),
    })
}

/// The type in the kernel that stands for what is attached to, as libbpf looks it up (`libbpf_find_vmlinux_btf_id`).
fn attach_id(name: &str, attach: AttachType, kernel: &Btf) -> Option<u32> {
    let (prefix, kind) = match attach {
        AttachType::TRACE_RAW_TP => ("btf_trace_", Kind::Typedef),
        AttachType::TRACE_ITER => ("bpf_iter_", Kind::Func),
        AttachType::LSM_MAC | AttachType::LSM_CGROUP => ("bpf_lsm_", Kind::Func),
        _ => ("", Kind::Func),
    };
    kernel.find_by_name_kind(&format!("{prefix}{name}"), kind).map(|id| id.0)
}

fn from_hex(text: &str) -> Result<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect::<Option<Vec<u8>>>().context("not hexadecimal")
}

/// The text that stands in the place of the kernel's generated `verifier/tests.h`: every file, behind an entry that names it.
pub(crate) fn include_all(files: &[std::path::PathBuf]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    writeln!(text, "#ifdef FILL_ARRAY")?;
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        writeln!(text, "{{ .descr = \"file:{name}\" }},\n#include \"{}\"", file.display())?;
    }
    writeln!(text, "#endif")?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{Expected, expectation, from_hex};

    #[test]
    fn hexadecimal_is_read() {
        assert_eq!(from_hex("95ff00").unwrap(), [0x95, 0xff, 0]);
        assert!(from_hex("9").is_err());
        assert!(from_hex("zz").is_err());
    }

    #[test]
    fn an_accepted_program_has_messages_only_when_the_log_is_looked_at() {
        assert!(expectation(Expected::Accept, Some("x")).unwrap().messages.is_empty());
        assert_eq!(expectation(Expected::VerboseAccept, Some("a\tb")).unwrap().messages.len(), 2);
        let reject = expectation(Expected::Reject, Some("no")).unwrap();
        assert!(reject.failure && reject.messages.len() == 1);
    }
}
