//! Messages that a test expects in a log.
//!
//! A pattern is literal but for what stands between `{{` and `}}`, which is a POSIX extended regular expression that never crosses a
//! line. Patterns are met in order, each after the end of the one before; one that must not occur must not do so between the ones
//! around it (`validate_msgs` in the kernel's `test_loader.c`, Linux 7.3).

use anyhow::{Context as _, Result, bail};
use regex::{Regex, RegexBuilder};

/// One expected, or forbidden, message.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// As the test wrote it.
    pub(crate) text: String,
    /// It must not occur.
    pub(crate) negative: bool,
    expression: Option<Regex>,
}

impl Pattern {
    /// The pattern that the test wrote.
    pub(crate) fn new(text: &str, negative: bool) -> Result<Self> {
        let expression = if text.contains("{{") { Some(compile(text)?) } else { None };
        Ok(Self { text: text.to_owned(), negative, expression })
    }

    /// Where it first occurs at or after `from`.
    fn find(&self, log: &str, from: usize) -> Option<(usize, usize)> {
        match &self.expression {
            Some(expression) => expression.find_at(log, from).map(|found| (found.start(), found.end())),
            None => {
                let start = from + log.get(from..)?.find(&self.text)?;
                Some((start, start + self.text.len()))
            }
        }
    }
}

/// The first pattern that the log fails, by its index.
pub(crate) fn first_unmet(log: &str, patterns: &[Pattern]) -> Option<usize> {
    let mut places: Vec<Option<(usize, usize)>> = Vec::with_capacity(patterns.len());
    let mut at = 0;
    for pattern in patterns {
        let place = if pattern.negative { None } else { pattern.find(log, at) };
        at = place.map_or(at, |(_, end)| end);
        places.push(place);
    }
    let mut start = 0;
    for (index, pattern) in patterns.iter().enumerate() {
        let place = places.get(index).copied().flatten();
        if !pattern.negative {
            let Some((_, end)) = place else { return Some(index) };
            start = end;
            continue;
        }
        let later = patterns.iter().zip(&places).skip(index + 1).find(|(pattern, _)| !pattern.negative);
        let until = later.and_then(|(_, place)| *place).map_or(log.len(), |(start, _)| start);
        if pattern.find(log, start).is_some_and(|(_, end)| end <= until) {
            return Some(index);
        }
    }
    None
}

fn compile(text: &str) -> Result<Regex> {
    let mut expression = String::new();
    let mut rest = text;
    while let Some((literal, tail)) = rest.split_once("{{") {
        let Some((posix, tail)) = tail.split_once("}}") else { bail!("`{text}` opens `{{{{` and never closes it") };
        expression.push_str(&regex::escape(literal));
        translate(posix, &mut expression);
        rest = tail;
    }
    expression.push_str(&regex::escape(rest));
    RegexBuilder::new(&expression).multi_line(true).build().with_context(|| format!("`{text}` is no pattern"))
}

/// Writes a POSIX extended regular expression as this library's: they differ within brackets, where a backslash is only itself to
/// POSIX, and where a negated bracket must not match the end of a line.
fn translate(posix: &str, to: &mut String) {
    let mut letters = posix.chars().peekable();
    while let Some(letter) = letters.next() {
        to.push(letter);
        if letter == '\\' {
            to.extend(letters.next());
            continue;
        }
        if letter != '[' {
            continue;
        }
        if letters.next_if_eq(&'^').is_some() {
            to.push_str("^\n");
        }
        // A closing bracket that comes first is one of the letters.
        if letters.next_if_eq(&']').is_some() {
            to.push_str("\\]");
        }
        while let Some(letter) = letters.next() {
            match letter {
                ']' => {
                    to.push(']');
                    break;
                }
                '[' if letters.peek() == Some(&':') => {
                    to.push('[');
                    for letter in letters.by_ref() {
                        to.push(letter);
                        if letter == ']' {
                            break;
                        }
                    }
                }
                '\\' | '[' | '&' | '~' => to.extend(['\\', letter]),
                other => to.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, first_unmet};

    fn unmet(log: &str, patterns: &[(&str, bool)]) -> Option<usize> {
        let patterns: Vec<Pattern> =
            patterns.iter().map(|(text, negative)| Pattern::new(text, *negative).unwrap()).collect();
        first_unmet(log, &patterns)
    }

    #[test]
    fn messages_come_in_order() {
        assert_eq!(unmet("one two three", &[("one", false), ("three", false)]), None);
        assert_eq!(unmet("one two three", &[("three", false), ("one", false)]), Some(1));
        assert_eq!(unmet("aa", &[("a", false), ("a", false), ("a", false)]), Some(2));
    }

    #[test]
    fn a_forbidden_message_counts_between_its_neighbours() {
        assert_eq!(unmet("a x b", &[("a", false), ("x", true), ("b", false)]), Some(1));
        assert_eq!(unmet("a b x", &[("a", false), ("x", true), ("b", false)]), None);
        assert_eq!(unmet("x a b", &[("a", false), ("x", true), ("b", false)]), None);
        assert_eq!(unmet("a b x", &[("b", false), ("x", true)]), Some(1));
        assert_eq!(unmet("", &[("x", true)]), None);
    }

    #[test]
    fn everything_outside_braces_is_literal() {
        assert_eq!(unmet("R1=scalar(id=7)", &[("R1=scalar(id={{[0-9]+}})", false)]), None);
        assert_eq!(unmet("R1=scalarXid=7)", &[("R1=scalar(id={{[0-9]+}})", false)]), Some(0));
    }

    #[test]
    fn an_expression_stays_on_its_line() {
        assert_eq!(unmet("a\nb", &[("{{a.*b}}", false)]), Some(0));
        assert_eq!(unmet("a\nb", &[("{{a[^x]b}}", false)]), Some(0));
        assert_eq!(unmet("x\nb", &[("{{^b$}}", false)]), None);
    }

    #[test]
    fn brackets_mean_what_posix_means() {
        assert_eq!(unmet("a]b", &[("{{a[]x]b}}", false)]), None);
        assert_eq!(unmet("a\\b", &[("{{a[\\]b}}", false)]), None);
        assert_eq!(unmet("a7b", &[("{{a[[:digit:]]b}}", false)]), None);
    }

    #[test]
    fn braces_must_close() {
        assert!(Pattern::new("a{{b", false).is_err());
    }
}
