//! The vocabulary of statements: registers, numbers, and what must stand here.

use bpfvet_insn::{Reg, Width};

use crate::lexer::{Kind, Token, is_register};
use crate::{AsmError, AsmErrorKind, Resolver};

/// A place within the tokens of one statement, the last of which is its end.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'t, 'a> {
    tokens: &'a [Token<'t>],
    resolver: &'a dyn Resolver,
}

/// A register and whether it was called `r` or `w`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct View {
    pub(crate) reg: Reg,
    pub(crate) width: Width,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl View {
    pub(crate) const fn error(&self, kind: AsmErrorKind) -> AsmError {
        AsmError { line: self.line, column: self.column, kind }
    }

    /// The register, if it was called as an operation of this width calls it.
    pub(crate) fn of(self, width: Width) -> Result<Reg, AsmError> {
        if self.width == width { Ok(self.reg) } else { Err(self.error(AsmErrorKind::Widths)) }
    }

    /// The register, which may be called `w` where only its low half matters.
    pub(crate) fn at_most(self, width: Width) -> Result<Reg, AsmError> {
        if self.width == Width::W64 { Ok(self.reg) } else { self.of(width) }
    }

    /// Whether this names `first` again.
    pub(crate) fn same_as(self, first: Self) -> Result<(), AsmError> {
        if self.width != first.width {
            Err(self.error(AsmErrorKind::Widths))
        } else if self.reg != first.reg {
            Err(self.error(AsmErrorKind::SameRegister))
        } else {
            Ok(())
        }
    }
}

impl<'t, 'a> Cursor<'t, 'a> {
    pub(crate) const fn new(tokens: &'a [Token<'t>], resolver: &'a dyn Resolver) -> Self {
        Self { tokens, resolver }
    }

    pub(crate) const fn resolver(&self) -> &'a dyn Resolver {
        self.resolver
    }

    /// The token here; past the last, an end.
    pub(crate) fn token(&self) -> Token<'t> {
        self.tokens.first().copied().unwrap_or(Token { kind: Kind::End, line: 1, column: 1 })
    }

    /// What stands here.
    pub(crate) fn peek(&self) -> Kind<'t> {
        self.token().kind
    }

    /// What stands after that.
    pub(crate) fn peek_second(&self) -> Kind<'t> {
        self.tokens.get(1).map_or(Kind::End, |token| token.kind)
    }

    /// The last token before the end of the statement.
    pub(crate) fn last(&self) -> Kind<'t> {
        self.tokens.iter().rev().nth(1).map_or(Kind::End, |token| token.kind)
    }

    /// Goes to the next token; the end stays.
    pub(crate) fn advance(&mut self) {
        if let [_, rest @ ..] = self.tokens
            && !rest.is_empty()
        {
            self.tokens = rest;
        }
    }

    /// An error here.
    pub(crate) fn error(&self, kind: AsmErrorKind) -> AsmError {
        let Token { line, column, kind: _ } = self.token();
        AsmError { line, column, kind }
    }

    /// The error that something else should stand here.
    pub(crate) fn expected(&self, expected: &'static str) -> AsmError {
        self.error(AsmErrorKind::Expected { expected, found: self.peek().describe() })
    }

    /// The word that stands here, empty if none does.
    pub(crate) fn word(&self) -> &'t str {
        if let Kind::Word(word) = self.peek() { word } else { "" }
    }

    /// The operator or bracket that stands here, empty if none does.
    pub(crate) fn punct(&self) -> &'static str {
        if let Kind::Punct(punct) = self.peek() { punct } else { "" }
    }

    pub(crate) fn is(&self, punct: &str) -> bool {
        self.punct() == punct
    }

    /// Takes `punct` if it stands here.
    pub(crate) fn eat(&mut self, punct: &str) -> bool {
        let is = self.is(punct);
        if is {
            self.advance();
        }
        is
    }

    /// Takes `punct`, which must stand here.
    pub(crate) fn expect(&mut self, punct: &'static str) -> Result<(), AsmError> {
        if self.eat(punct) { Ok(()) } else { Err(self.expected(punct)) }
    }

    /// Takes `word` if it stands here.
    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        let is = self.word() == word;
        if is {
            self.advance();
        }
        is
    }

    /// Whether a register stands here.
    pub(crate) fn is_register(&self) -> bool {
        is_register(self.word())
    }

    /// Takes a register.
    pub(crate) fn view(&mut self) -> Result<View, AsmError> {
        let Token { kind, line, column } = self.token();
        let Kind::Word(word) = kind else { return Err(self.expected("a register")) };
        let (width, number) = if let Some(number) = word.strip_prefix('r') {
            (Width::W64, number)
        } else if let Some(number) = word.strip_prefix('w') {
            (Width::W32, number)
        } else {
            return Err(self.expected("a register"));
        };
        let plain = is_register(word) && (number == "0" || !number.starts_with('0'));
        let reg = number.parse().ok().and_then(Reg::new).filter(|_| plain);
        let Some(reg) = reg else { return Err(self.expected("a register from 0 to 11")) };
        self.advance();
        Ok(View { reg, width, line, column })
    }

    /// Takes a register called `r`.
    pub(crate) fn reg(&mut self) -> Result<Reg, AsmError> {
        self.view()?.of(Width::W64)
    }

    /// Takes a number: terms with signs, added up.
    pub(crate) fn sum(&mut self) -> Result<i128, AsmError> {
        let first = self.term()?;
        self.more(first)
    }

    /// Takes the terms that are added to or subtracted from `total`, as many as there are.
    pub(crate) fn more(&mut self, mut total: i128) -> Result<i128, AsmError> {
        loop {
            let negative = self.is("-");
            if !negative && !self.is("+") {
                return Ok(total);
            }
            self.advance();
            let term = self.term()?;
            total = if negative { total.saturating_sub(term) } else { total.saturating_add(term) };
        }
    }

    /// Takes a number or the name of one, with any signs before it.
    fn term(&mut self) -> Result<i128, AsmError> {
        let mut negative = false;
        while self.is("+") || self.is("-") {
            negative ^= self.is("-");
            self.advance();
        }
        let value = match self.peek() {
            Kind::Number(number) => i128::from(number),
            Kind::Word(name) | Kind::Symbol(name) if !is_register(name) => {
                let constant = self.resolver.constant(name);
                i128::from(constant.ok_or_else(|| self.error(AsmErrorKind::Unknown(name.into())))?)
            }
            Kind::Word(_) | Kind::Symbol(_) | Kind::Local { .. } | Kind::Opcode(_) | Kind::Punct(_) | Kind::End => {
                return Err(self.expected("a number"));
            }
        };
        self.advance();
        Ok(if negative { value.saturating_neg() } else { value })
    }

    /// Takes a 32-bit immediate, which may be written with or without sign.
    pub(crate) fn imm32(&mut self) -> Result<i32, AsmError> {
        let token = self.token();
        let value = self.sum()?;
        let bits = range(token, "immediate", value, i32::MIN.into(), u32::MAX.into())?;
        // The range is that of both signs, so the low half is the value.
        Ok((bits as u32).cast_signed())
    }
}

/// `value`, if it is within bounds.
pub(crate) fn range(at: Token<'_>, what: &'static str, value: i128, min: i128, max: i128) -> Result<i128, AsmError> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        let kind = AsmErrorKind::Range { what, value, min, max };
        Err(AsmError { line: at.line, column: at.column, kind })
    }
}
