//! Text to tokens.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{AsmError, AsmErrorKind};

/// A token and where it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind<'t>,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind<'t> {
    /// A register, label, mnemonic or symbol.
    Word(&'t str),
    /// `%[name]`
    Symbol(&'t str),
    /// An unsigned number.
    Number(u64),
    /// `1f` or `1b`: the next or the last definition of a numeric label.
    Local { number: u64, forward: bool },
    /// `(b7)` before an instruction, as in the verifier's log.
    Opcode(u8),
    /// An operator or a bracket.
    Punct(&'static str),
    /// The end of a statement: a newline, `;`, or the end of the text.
    End,
}

impl Kind<'_> {
    /// How an error names it.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Word(word) => alloc::format!("`{word}`"),
            Self::Symbol(name) => alloc::format!("`%[{name}]`"),
            Self::Number(number) => alloc::format!("`{number}`"),
            Self::Local { number, forward } => {
                alloc::format!("`{number}{}`", if forward { 'f' } else { 'b' })
            }
            Self::Opcode(opcode) => alloc::format!("`({opcode:02x})`"),
            Self::Punct(punct) => alloc::format!("`{punct}`"),
            Self::End => "the end of the statement".to_owned(),
        }
    }
}

/// Operators and brackets, longer ones before those they begin with.
const PUNCTS: [&str; 37] = [
    "s>>=", "<<=", ">>=", "s>=", "s<=", "s/=", "s%=", "s>", "s<", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "==",
    "!=", ">=", "<=", ">", "<", "&", "=", "(", ")", "[", "]", "*", "+", "-", ",", ":", "#", "@", "|",
];

/// The text's tokens; each statement ends with [`Kind::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, AsmError> {
    let mut lexer =
        Lexer { rest: text, line: 1, column: 1, out: Vec::new(), start: Start::Nothing, touching: false, log: false };
    while lexer.step()? {}
    lexer.push(Kind::End, 0);
    Ok(lexer.out)
}

struct Lexer<'t> {
    rest: &'t str,
    line: u32,
    column: u32,
    out: Vec<Token<'t>>,
    start: Start,
    /// Whether the last token ends right here, without a blank.
    touching: bool,
    /// Whether an opcode stood on this line, as in a log, where `;` begins the state and not a statement.
    log: bool,
}

/// How far a statement has come; an opcode may stand at its start or after a position such as `12:`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    Nothing,
    Number,
    Position,
    Past,
}

impl<'t> Lexer<'t> {
    fn error(&self, kind: AsmErrorKind) -> AsmError {
        AsmError { line: self.line, column: self.column, kind }
    }

    /// Takes `len` bytes off the text.
    fn advance(&mut self, len: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        for c in taken.chars() {
            if c == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
                self.log = false;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        self.rest = rest;
        self.touching = false;
        taken
    }

    /// Emits a token made of the next `len` bytes.
    fn push(&mut self, kind: Kind<'t>, len: usize) {
        self.out.push(Token { kind, line: self.line, column: self.column });
        self.advance(len);
        self.touching = kind != Kind::End;
        self.start = match (self.start, kind) {
            (_, Kind::End) => Start::Nothing,
            (Start::Nothing, Kind::Number(_)) => Start::Number,
            (Start::Number, Kind::Punct(":")) => Start::Position,
            _ => Start::Past,
        };
    }

    /// Takes one token, comment or blank; false at the end.
    fn step(&mut self) -> Result<bool, AsmError> {
        let Some(first) = self.rest.chars().next() else { return Ok(false) };
        match first {
            '\n' => self.push(Kind::End, 1),
            ';' if !self.log => self.push(Kind::End, 1),
            ';' => self.skip_line(),
            '#' if !self.touching => self.skip_line(),
            '/' if self.rest.starts_with("//") => self.skip_line(),
            '/' if self.rest.starts_with("/*") => {
                let end = self.rest.find("*/").ok_or_else(|| self.error(AsmErrorKind::OpenComment))?;
                self.advance(end.saturating_add(2));
            }
            '%' if self.rest.starts_with("%[") => {
                let end = self.rest.find(']').ok_or_else(|| self.error(AsmErrorKind::Character('%')))?;
                let name = self.rest.get(2..end).unwrap_or_default();
                self.push(Kind::Symbol(name), end.saturating_add(1));
            }
            '0'..='9' => self.number()?,
            _ if first.is_whitespace() => {
                self.advance(first.len_utf8());
            }
            _ => self.other(first)?,
        }
        Ok(true)
    }

    /// Takes the rest of the line.
    fn skip_line(&mut self) {
        let len = self.rest.find('\n').unwrap_or(self.rest.len());
        self.advance(len);
    }

    fn number(&mut self) -> Result<(), AsmError> {
        let (radix, digits) = match self.rest.as_bytes() {
            [b'0', b'x' | b'X', ..] => (16, self.rest.get(2..).unwrap_or_default()),
            [b'0', b'b' | b'B', b'0' | b'1', ..] => (2, self.rest.get(2..).unwrap_or_default()),
            _ => (10, self.rest),
        };
        let prefix = self.rest.len().saturating_sub(digits.len());
        let count = digits.bytes().take_while(|&b| char::from(b).is_digit(radix)).count();
        let digits = digits.get(..count).unwrap_or_default();
        let len = prefix.saturating_add(count);
        // Assemblers read a leading zero as octal, people do not: neither is guessed.
        let octal = radix == 10 && digits.len() > 1 && digits.starts_with('0');
        let number = u64::from_str_radix(digits, radix).ok().filter(|_| !octal);
        let Some(number) = number else {
            let text = self.rest.get(..len).unwrap_or_default().to_owned();
            return Err(self.error(AsmErrorKind::Number(text)));
        };
        let mut after = self.rest.get(len..).unwrap_or_default().chars();
        let direction = after.next();
        let ends = after.next().is_none_or(|c| !is_word(c));
        match direction {
            Some(c @ ('f' | 'b')) if radix == 10 && ends => {
                self.push(Kind::Local { number, forward: c == 'f' }, len.saturating_add(1));
            }
            // Clang reads `5ll` as 5: not what it looks like.
            Some(c) if is_word(c) => {
                let text = self.rest.get(..len.saturating_add(1)).unwrap_or_default().to_owned();
                return Err(self.error(AsmErrorKind::Number(text)));
            }
            _ => self.push(Kind::Number(number), len),
        }
        Ok(())
    }

    fn other(&mut self, first: char) -> Result<(), AsmError> {
        if let Some(opcode) = self.opcode() {
            self.push(Kind::Opcode(opcode), 4);
            self.log = true;
            return Ok(());
        }
        if let Some(&punct) = PUNCTS.iter().find(|punct| self.rest.starts_with(**punct)) {
            self.push(Kind::Punct(punct), punct.len());
            return Ok(());
        }
        if !is_word(first) {
            return Err(self.error(AsmErrorKind::Character(first)));
        }
        let mut len = 0_usize;
        for c in self.rest.chars() {
            let word = self.rest.get(..len).unwrap_or_default();
            let rest = self.rest.get(len..).unwrap_or_default();
            // `%=` makes the labels of inline assembly unique; after a register it is the operator.
            let unique = rest.starts_with("%=") && !is_register(word) || word.ends_with('%') && c == '=';
            if !is_word(c) && !unique {
                break;
            }
            len = len.saturating_add(c.len_utf8());
        }
        let word = self.rest.get(..len).unwrap_or_default();
        self.push(Kind::Word(word), len);
        Ok(())
    }

    /// The opcode in parentheses that stands here at the start of a statement.
    fn opcode(&self) -> Option<u8> {
        let place = matches!(self.start, Start::Nothing | Start::Position);
        match self.rest.as_bytes() {
            [b'(', high, low, b')', ..] if place => {
                let high = char::from(*high).to_digit(16)?;
                let low = char::from(*low).to_digit(16)?;
                u8::try_from(high << 4 | low).ok()
            }
            _ => None,
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$')
}

/// Whether a word has the form of a register, whether it exists or not.
pub(crate) fn is_register(word: &str) -> bool {
    match word.as_bytes() {
        [b'r' | b'w', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}
