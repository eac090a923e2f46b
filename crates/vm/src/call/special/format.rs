//! `snprintf`: the format string is known, so it can be read here. (`check_bpf_snprintf_call`, `bpf_bprintf_prepare`)

use bpfvet_domain::Domain;
use bpfvet_insn::Reg;

use crate::State;
use crate::Value;
use crate::call::map_args::{definition, string_at};
use crate::cx::Cx;
use crate::failure::{Check, Stop};
use crate::value::{Pointer, Region};
use crate::violation::CallCause;

/// Bytes of one argument.
const ARGUMENT: u64 = 8;

/// The format is one that the host understands, and there is an argument for each of its conversions.
pub(super) fn check<D: Domain>(cx: &Cx<'_, '_, D>, state: &State<D>) -> Check<()> {
    let bytes = state.reg(Reg::R5).as_scalar().map_or(0, |length| length.num.bits().value);
    if !bytes.is_multiple_of(ARGUMENT) {
        return Err(CallCause::FormatArguments.into());
    }
    let Value::Pointer(Pointer { region: Region::MapValue { map, .. }, off, .. }) = *state.reg(Reg::R3) else {
        return Err(Stop::Internal(&"a format outside of map values"));
    };
    let map = definition(cx, map)?;
    let off = off.as_const().map_or(-1, u64::cast_signed);
    let text = map.frozen.as_deref().and_then(|contents| string_at(contents, map.value_size, off));
    let text = text.ok_or(Stop::Internal(&"a format that is no constant string"))?;
    match conversions(text) {
        Some(wanted) if wanted <= bytes / ARGUMENT => Ok(()),
        Some(_) | None => Err(CallCause::FormatString.into()),
    }
}

/// How many arguments a format takes; `None` where the host does not understand it.
fn conversions(text: &[u8]) -> Option<u64> {
    let mut rest = text;
    let mut count = 0;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if byte.is_ascii_control() && !is_space(*byte) {
            return None;
        }
        if *byte != b'%' {
            continue;
        }
        if let Some(tail) = rest.strip_prefix(b"%") {
            rest = tail;
            continue;
        }
        rest = conversion(rest)?;
        count += 1;
    }
    Some(count)
}

/// What follows a conversion, of which `text` is all but the percent sign.
fn conversion(text: &[u8]) -> Option<&[u8]> {
    let text = skip_width(text);
    let (kind, rest) = text.split_first()?;
    match kind {
        b'p' => pointer(rest),
        b's' => ends_word(rest).then_some(rest),
        b'c' => Some(rest),
        b'i' | b'd' | b'u' | b'x' | b'X' | b'l' => {
            let text = text.strip_prefix(b"l").unwrap_or(text);
            let text = text.strip_prefix(b"l").filter(|_| *kind == b'l').unwrap_or(text);
            let (kind, rest) = text.split_first()?;
            matches!(kind, b'i' | b'd' | b'u' | b'x' | b'X').then_some(rest)
        }
        _ => None,
    }
}

/// Flags, then a width.
fn skip_width(text: &[u8]) -> &[u8] {
    let flags = text.iter().take_while(|byte| matches!(byte, b'0' | b'+' | b'-' | b' ')).count();
    let text = text.get(flags..).unwrap_or_default();
    if !matches!(text.first(), Some(b'1'..=b'9')) {
        return text;
    }
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.get(digits..).unwrap_or_default()
}

/// The forms of `%p`: plain, a string in kernel or user memory, a symbol or an address, an IP address.
fn pointer(rest: &[u8]) -> Option<&[u8]> {
    if ends_word(rest) {
        return Some(rest);
    }
    match rest {
        [b'k' | b'u', b's', rest @ ..] => ends_word(rest).then_some(rest),
        [b'K' | b'x' | b's' | b'S' | b'B', rest @ ..] | [b'i' | b'I', b'4' | b'6', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// The next byte ends a word: there is none, or it is white space or punctuation.
fn ends_word(rest: &[u8]) -> bool {
    rest.first().is_none_or(|byte| is_space(*byte) || is_punctuation(*byte))
}

/// As the kernel's tables have it, which know Latin-1.
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0xa0)
}

fn is_punctuation(byte: u8) -> bool {
    byte.is_ascii_punctuation() || matches!(byte, 0xa1..=0xbf | 0xd7 | 0xf7)
}

#[cfg(test)]
mod tests {
    use super::conversions;

    #[test]
    fn formats_that_the_host_understands() {
        for (text, count) in [
            ("", 0),
            ("100%%", 0),
            ("%d %i %u %x %X", 5),
            ("%ld %llu %08llx %-5d", 4),
            ("%s, %c; %pks %pus", 4),
            ("%p %pK %px %ps %pS %pB %pi4 %pI6", 8),
            ("%p.", 1),
            ("% 5d\n", 1),
            ("caf\u{e9} %d", 1),
        ] {
            assert_eq!(conversions(text.as_bytes()), Some(count), "{text:?}");
        }
    }

    #[test]
    fn formats_that_it_does_not() {
        for text in
            ["%", "%l", "%lll", "%f", "%y", "%sx", "%pz", "%pi5", "%pk", "%pksx", "\u{1}", "%\u{e9}", "%lc", "%5"]
        {
            assert_eq!(conversions(text.as_bytes()), None, "{text:?}");
        }
    }
}
