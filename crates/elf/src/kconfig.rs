//! The kernel's configuration: externs in `.kconfig`, and what they are in a given configuration.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use bpfvet_btf::{Btf, TypeId};
use bpfvet_platform::{Features, Version};

use crate::Options;
use crate::externs::{Extern, ExternKind, Externs};

/// The longest map of configuration values that is filled in.
const LONGEST: u32 = 1 << 20;

/// What form a value has in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Bool,
    Tristate,
    Char,
    Int { signed: bool },
    Text,
}

/// What is known of a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Value {
    /// Its bytes; the rest of its room is zero.
    Known(Vec<u8>),
    /// It may be anything.
    Unknown,
    /// It is not there, or does not fit: why.
    Missing(String),
}

/// The form, size and alignment of a value of this type; `None` where configuration values have no such type.
pub(crate) fn form(btf: &Btf, id: TypeId) -> Option<(Form, u32, u32)> {
    let ty = btf.resolve(id)?;
    if let Some(int) = ty.as_int() {
        return match int.size {
            1 if int.bool => Some((Form::Bool, 1, 1)),
            1 => Some((Form::Char, 1, 1)),
            2 | 4 | 8 if !int.bool => Some((Form::Int { signed: int.signed }, int.size, int.size)),
            _ => None,
        };
    }
    if let Some(enumeration) = ty.as_enumeration() {
        let tristate = ty.name() == "libbpf_tristate" && matches!(enumeration.size, 4 | 8);
        return tristate.then_some((Form::Tristate, enumeration.size, enumeration.size));
    }
    let array = ty.as_array().filter(|array| array.count > 0)?;
    let of_chars = btf.resolve(array.element)?.as_int().is_some_and(|int| int.size == 1 && !int.bool);
    of_chars.then_some((Form::Text, array.count, 1))
}

/// Lays the values out one after another, and looks each up.
pub(crate) fn place(externs: &mut [Extern], options: &Options) {
    let mut config: Option<BTreeMap<&str, &str>> = None;
    let mut end = 0_u32;
    for Extern { name, weak, kind } in externs {
        let ExternKind::Kconfig { form, size, align, offset, value } = kind else { continue };
        let (Some(start), align) = (end.checked_next_multiple_of((*align).max(1)), *align) else {
            *kind = ExternKind::Unusable("is too large");
            continue;
        };
        let Some(next) = start.checked_add(*size).filter(|_| align > 0) else {
            *kind = ExternKind::Unusable("is too large");
            continue;
        };
        (*offset, end) = (start, next);
        let config = options.kconfig.as_deref().map(|text| &*config.get_or_insert_with(|| lines(text)));
        *value = look_up(name, *weak, *form, *size, config, options);
    }
}

/// `CONFIG_X=value` by name; of several, the first.
fn lines(text: &str) -> BTreeMap<&str, &str> {
    let mut map = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("CONFIG_")) {
        if let Some((name, value)) = line.split_once('=') {
            map.entry(name).or_insert(value);
        }
    }
    map
}

fn look_up(
    name: &str,
    weak: bool,
    form: Form,
    size: u32,
    config: Option<&BTreeMap<&str, &str>>,
    options: &Options,
) -> Value {
    let zero = || Value::Known(Vec::new());
    if !name.starts_with("CONFIG_") {
        let about: fn(Version) -> u64 = match name {
            "LINUX_KERNEL_VERSION" => |version| u64::from(version.major) << 16 | u64::from(version.minor) << 8,
            "LINUX_HAS_BPF_COOKIE" => |version| u64::from(Features::linux(version).attach_cookies()),
            "LINUX_HAS_SYSCALL_WRAPPER" => |version| u64::from(Features::linux(version).syscall_wrappers()),
            _ if name.starts_with("LINUX_") && weak => return zero(),
            _ => return Value::Missing("is not a value that loaders know".into()),
        };
        return options.kernel_version.map_or(Value::Unknown, |version| number(form, size, about(version)));
    }
    let Some(config) = config else { return Value::Unknown };
    let Some(&text) = config.get(name) else {
        return if weak { zero() } else { Value::Missing("is not in the kernel's configuration".into()) };
    };
    parse(text, form, size)
}

/// A value as a configuration writes it.
fn parse(text: &str, form: Form, size: u32) -> Value {
    let mismatch = || Value::Missing(format!("is `{text}` in the kernel's configuration, which its type cannot hold"));
    let wide = |value: u8| {
        let mut bytes = vec![value];
        bytes.resize(size as usize, 0);
        Value::Known(bytes)
    };
    match (text.as_bytes(), form) {
        ([b'y', ..], Form::Bool) => wide(1),
        ([b'n', ..], Form::Bool) => wide(0),
        ([b'n', ..], Form::Tristate) => wide(0),
        ([b'y', ..], Form::Tristate) => wide(1),
        ([b'm', ..], Form::Tristate) => wide(2),
        (&[byte @ (b'y' | b'n' | b'm'), ..], Form::Char) => wide(byte),
        ([b'"', inner @ .., b'"'], Form::Text) => {
            let room = (size as usize).saturating_sub(1);
            Value::Known(inner.get(..room.min(inner.len())).unwrap_or_default().to_vec())
        }
        ([b'-' | b'0'..=b'9', ..], Form::Int { .. } | Form::Char) => {
            integer(text).map_or_else(mismatch, |value| number(form, size, value))
        }
        _ => mismatch(),
    }
}

/// Decimal, hexadecimal (`0x`) or octal (`0`), with a sign.
fn integer(text: &str) -> Option<u64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let value = match hexadecimal {
        Some(digits) => u64::from_str_radix(digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => u64::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    value.ok().map(|value| if negative { value.wrapping_neg() } else { value })
}

/// A number in its room, if it fits.
fn number(form: Form, size: u32, value: u64) -> Value {
    let bits = size.saturating_mul(8);
    let signed = form == Form::Int { signed: true };
    let fits = match form {
        Form::Bool => value <= 1,
        Form::Tristate | Form::Text => false,
        Form::Char | Form::Int { .. } if bits >= 64 => true,
        Form::Char | Form::Int { .. } if signed => value.wrapping_add(1 << (bits - 1)) < 1 << bits,
        Form::Char | Form::Int { .. } => value >> bits == 0,
    };
    if fits {
        Value::Known(value.to_le_bytes().get(..size as usize).unwrap_or_default().to_vec())
    } else {
        Value::Missing(format!("is {value}, which its type cannot hold"))
    }
}

/// The content of the map of configuration values; `None` where any of it is not known.
pub(crate) fn content(externs: &Externs, size: u32) -> Option<Vec<u8>> {
    if size > LONGEST {
        return None;
    }
    let mut content = vec![0; size as usize];
    for found in &externs.list {
        let ExternKind::Kconfig { form: _, size: _, align: _, offset, value } = &found.kind else { continue };
        match value {
            Value::Known(bytes) => {
                let start = *offset as usize;
                content.get_mut(start..start.checked_add(bytes.len())?)?.copy_from_slice(bytes);
            }
            Value::Unknown => return None,
            // Whoever refers to it is refused.
            Value::Missing(_) => {}
        }
    }
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_the_form_that_the_program_declares() {
        let known = |bytes: &[u8]| Value::Known(bytes.to_vec());
        assert_eq!(parse("y", Form::Bool, 1), known(&[1]));
        assert_eq!(parse("m", Form::Tristate, 4), known(&[2, 0, 0, 0]));
        assert_eq!(parse("m", Form::Char, 1), known(b"m"));
        assert_eq!(parse("\"abcd\"", Form::Text, 3), known(b"ab"));
        assert_eq!(parse("250", Form::Int { signed: false }, 2), known(&[250, 0]));
        assert_eq!(parse("0x100", Form::Int { signed: false }, 2), known(&[0, 1]));
        assert_eq!(parse("-1", Form::Int { signed: true }, 2), known(&[0xff, 0xff]));
    }

    #[test]
    fn what_loaders_know_of_a_release() {
        let ask = |name, kernel_version| {
            let options = Options { kernel_version, ..Options::default() };
            look_up(name, false, Form::Int { signed: false }, 4, None, &options)
        };
        let known = |value: u32| Value::Known(value.to_le_bytes().to_vec());
        let (old, new) = (Some(Version::new(5, 10)), Some(Version::new(5, 15)));
        assert_eq!(ask("LINUX_KERNEL_VERSION", new), known(0x05_0f_00));
        assert_eq!(ask("LINUX_HAS_BPF_COOKIE", old), known(0));
        assert_eq!(ask("LINUX_HAS_BPF_COOKIE", new), known(1));
        assert_eq!(ask("LINUX_HAS_SYSCALL_WRAPPER", old), known(1));
        assert_eq!(ask("LINUX_HAS_SYSCALL_WRAPPER", None), Value::Unknown);
        assert!(matches!(ask("LINUX_UNHEARD_OF", new), Value::Missing(_)));
    }

    #[test]
    fn values_that_do_not_fit_are_missing() {
        for (text, form, size) in [
            ("m", Form::Bool, 1),
            ("y", Form::Int { signed: false }, 4),
            ("256", Form::Char, 1),
            ("-1", Form::Int { signed: false }, 4),
            ("12ab", Form::Int { signed: false }, 4),
            ("\"x\"", Form::Int { signed: false }, 4),
        ] {
            assert!(matches!(parse(text, form, size), Value::Missing(_)), "{text} {form:?}");
        }
    }
}
