//! Reads declarations.

use std::collections::BTreeMap;

use bpfvet_btf::{Btf, Kind, TypeId};

use super::build::{Builder, Words};

/// What is wrong with a text, in words.
pub type Error = String;

/// The declarations of a text as BTF.
///
/// # Errors
///
/// The first thing that is not understood.
///
/// ```
/// let types = bpfvet_testkit::types::declarations("struct task { int pid; struct task *parent; };")?;
/// let task = types.types().find(|ty| ty.name() == "task").expect("it is there");
/// assert_eq!(types.size_of(task.id()), Some(16));
/// # Ok::<(), String>(())
/// ```
pub fn declarations(text: &str) -> Result<Btf, Error> {
    let tokens = tokens(text)?;
    let mut reader = Reader { builder: Builder::default(), named: BTreeMap::new(), sizes: BTreeMap::new() };
    let statements = statements(&tokens);
    for statement in &statements {
        reader.announce(statement);
    }
    for statement in &statements {
        let mut cursor = Cursor { rest: statement };
        reader.statement(&mut cursor).map_err(|error| format!("`{}`: {error}", statement.join(" ")))?;
    }
    reader.builder.finish().map_err(|error| error.to_string())
}

/// Names, numbers, strings and single marks; comments end with their line.
fn tokens(text: &str) -> Result<Vec<&str>, Error> {
    let mut tokens = Vec::new();
    for line in text.lines() {
        let mut rest = line.split_once("//").map_or(line, |(code, _)| code).trim_start();
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let len = if first == '"' {
                rest.get(1..).and_then(|tail| tail.find('"')).ok_or("a string without an end")? + 2
            } else if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            let (token, tail) = rest.split_at(len);
            tokens.push(token);
            rest = tail.trim_start();
        }
    }
    Ok(tokens)
}

/// What stands between semicolons outside of braces.
fn statements<'a, 't>(tokens: &'a [&'t str]) -> Vec<&'a [&'t str]> {
    let mut depth = 0_usize;
    let ends = move |token: &&str| {
        match *token {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        *token == ";" && depth == 0
    };
    tokens.split(ends).filter(|statement| !statement.is_empty()).collect()
}

struct Cursor<'a, 't> {
    rest: &'a [&'t str],
}

impl<'t> Cursor<'_, 't> {
    fn peek(&self) -> &'t str {
        self.rest.first().copied().unwrap_or("")
    }

    fn next(&mut self) -> &'t str {
        let Some((first, rest)) = self.rest.split_first() else { return "" };
        self.rest = rest;
        first
    }

    fn take(&mut self, token: &str) -> bool {
        let is = self.peek() == token;
        if is {
            self.next();
        }
        is
    }

    fn expect(&mut self, token: &str) -> Result<(), Error> {
        if self.take(token) { Ok(()) } else { Err(format!("`{}` where `{token}` must be", self.peek())) }
    }

    fn name(&mut self) -> Result<&'t str, Error> {
        let token = self.next();
        let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
        if token.starts_with(starts) { Ok(token) } else { Err(format!("`{token}` where a name must be")) }
    }

    fn text(&mut self) -> Result<&'t str, Error> {
        let token = self.next();
        token
            .strip_prefix('"')
            .and_then(|token| token.strip_suffix('"'))
            .ok_or_else(|| format!("`{token}` is no string"))
    }
}

/// Numbers that need no declaration: name, bytes, encoding (1: signed, 4: truth value).
const NUMBERS: [(&str, u32, u32); 16] = [
    ("char", 1, 1),
    ("short", 2, 1),
    ("int", 4, 1),
    ("long", 8, 1),
    ("unsigned", 4, 0),
    ("bool", 1, 4),
    ("s8", 1, 1),
    ("s16", 2, 1),
    ("s32", 4, 1),
    ("s64", 8, 1),
    ("u8", 1, 0),
    ("u16", 2, 0),
    ("u32", 4, 0),
    ("u64", 8, 0),
    ("u128", 16, 0),
    ("size_t", 8, 0),
];

struct Reader {
    builder: Builder,
    /// `struct a`, `union a`, or a plain name of a typedef or function.
    named: BTreeMap<String, TypeId>,
    /// Bytes and alignment, where they are known.
    sizes: BTreeMap<TypeId, (u32, u32)>,
}

impl Reader {
    /// Gives a place to what a statement declares, so that others may name it.
    fn announce(&mut self, statement: &[&str]) {
        let key = match statement {
            [kind @ ("struct" | "union"), name, "{", ..] => format!("{kind} {name}"),
            ["typedef", rest @ ..] => typedef_name(rest).to_owned(),
            _ => return,
        };
        let id = self.builder.reserve();
        self.named.insert(key, id);
    }

    fn statement(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(), Error> {
        match cursor.rest {
            [kind @ ("struct" | "union"), name, "{", ..] => {
                let (kind, name) = (*kind, *name);
                cursor.rest = cursor.rest.get(3..).unwrap_or_default();
                self.composite(kind, name, cursor)
            }
            ["struct" | "union", _] => self.base(cursor).map(|_| ()),
            ["typedef", ..] => {
                cursor.next();
                self.typedef(cursor)
            }
            _ => self.function(cursor),
        }?;
        if cursor.rest.is_empty() { Ok(()) } else { Err(format!("`{}` is too much", cursor.rest.join(" "))) }
    }

    fn composite(&mut self, kind: &str, name: &str, cursor: &mut Cursor<'_, '_>) -> Result<(), Error> {
        let (mut size, mut align, mut body) = (0_u32, 1_u32, Vec::new());
        let is_union = kind == "union";
        while !cursor.take("}") {
            let (ty, member) = self.declarator(cursor)?;
            cursor.expect(";")?;
            let (bytes, to) = self.sizes.get(&ty).copied().ok_or_else(|| format!("how large is `{member}`?"))?;
            let at = if is_union { 0 } else { size.next_multiple_of(to) };
            let end = at.saturating_add(bytes);
            size = if is_union { size.max(end) } else { end };
            align = align.max(to);
            body.extend([self.builder.name(&member), ty.0, at.saturating_mul(8)]);
        }
        let size = size.next_multiple_of(align);
        let id = self.named.get(&format!("{kind} {name}")).copied().unwrap_or(TypeId::VOID);
        let kind = if is_union { Kind::Union } else { Kind::Struct };
        let vlen = u32::try_from(body.len() / 3).unwrap_or(u32::MAX);
        let name = self.builder.name(name);
        self.builder.set(id, Words { name, kind: kind as u32, flag: false, vlen, word: size, body });
        self.sizes.insert(id, (size, align));
        Ok(())
    }

    fn typedef(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(), Error> {
        let ty = self.specifier(cursor)?;
        let (ty, name) = if cursor.take("(") {
            cursor.expect("*")?;
            let name = cursor.name()?.to_owned();
            cursor.expect(")")?;
            let (params, _) = self.params(cursor)?;
            let proto = self.builder.proto(ty, &params);
            (self.builder.modified(Kind::Ptr, proto), name)
        } else {
            let name = cursor.name()?.to_owned();
            (self.suffix(ty, cursor)?, name)
        };
        let id = self.named.get(&name).copied().unwrap_or(TypeId::VOID);
        if let Some(size) = self.sizes.get(&ty).copied() {
            self.sizes.insert(id, size);
        }
        let name = self.builder.name(&name);
        let kind = Kind::Typedef as u32;
        self.builder.set(id, Words { name, kind, flag: false, vlen: 0, word: ty.0, body: Vec::new() });
        Ok(())
    }

    fn function(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(), Error> {
        let linkage = if cursor.take("static") {
            0
        } else if cursor.take("extern") {
            2
        } else {
            1
        };
        let returns = self.specifier(cursor)?;
        let name = cursor.name()?.to_owned();
        let (params, tags) = self.params(cursor)?;
        let proto = self.builder.proto(returns, &params);
        let id = self.builder.reserve();
        let text = self.builder.name(&name);
        let kind = Kind::Func as u32;
        self.builder.set(id, Words { name: text, kind, flag: false, vlen: linkage, word: proto.0, body: Vec::new() });
        for (part, tag) in tags {
            self.builder.declared(&tag, id, Some(part));
        }
        while cursor.take("__tag") {
            cursor.expect("(")?;
            let tag = cursor.text()?.to_owned();
            cursor.expect(")")?;
            self.builder.declared(&tag, id, None);
        }
        self.named.insert(name, id);
        Ok(())
    }

    /// Parameters in parentheses, and the tags on them by position.
    #[expect(clippy::type_complexity, reason = "two lists, each of pairs")]
    fn params(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(Vec<(String, TypeId)>, Vec<(u32, String)>), Error> {
        let (mut params, mut tags) = (Vec::new(), Vec::new());
        cursor.expect("(")?;
        if let ["void", ")", ..] = cursor.rest {
            cursor.next();
        }
        while !cursor.take(")") {
            if let [".", ".", ".", ..] = cursor.rest {
                cursor.rest = cursor.rest.get(3..).unwrap_or_default();
                params.push((String::new(), TypeId::VOID));
                continue;
            }
            let ty = self.specifier(cursor)?;
            let is_name = !matches!(cursor.peek(), "," | ")") && !cursor.peek().starts_with("__arg_");
            let name = if is_name { cursor.name()?.to_owned() } else { String::new() };
            let position = u32::try_from(params.len()).unwrap_or(u32::MAX);
            while let Some(tag) = cursor.peek().strip_prefix("__arg_") {
                tags.push((position, format!("arg:{tag}")));
                cursor.next();
            }
            params.push((name, ty));
            if cursor.peek() != ")" {
                cursor.expect(",")?;
            }
        }
        Ok((params, tags))
    }

    /// A member's type and name.
    fn declarator(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(TypeId, String), Error> {
        let ty = self.specifier(cursor)?;
        let name = if cursor.peek() == ";" { String::new() } else { cursor.name()?.to_owned() };
        Ok((self.suffix(ty, cursor)?, name))
    }

    fn suffix(&mut self, element: TypeId, cursor: &mut Cursor<'_, '_>) -> Result<TypeId, Error> {
        if !cursor.take("[") {
            return Ok(element);
        }
        let number = cursor.next();
        let count: u32 =
            if number == "]" { 0 } else { number.parse().map_err(|_| format!("`{number}` is no number"))? };
        if number != "]" {
            cursor.expect("]")?;
        }
        let id = self.builder.array(element, count);
        let (size, align) = self.sizes.get(&element).copied().ok_or("how large is an element?")?;
        self.sizes.insert(id, (size.saturating_mul(count), align));
        Ok(id)
    }

    /// What stands before the name: qualifiers, a type, tags, stars.
    fn specifier(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<TypeId, Error> {
        let constant = cursor.take("const");
        let mut id = self.base(cursor)?;
        if constant {
            id = self.qualified(Kind::Const, id);
        }
        loop {
            let tag = cursor.peek().strip_prefix("__").filter(|tag| !tag.starts_with("arg_") && *tag != "tag");
            if let Some(tag) =
                tag.filter(|_| cursor.rest.get(1).is_some_and(|next| *next == "*" || next.starts_with("__")))
            {
                let size = self.sizes.get(&id).copied();
                id = self.builder.tagged(tag, id);
                size.and_then(|size| self.sizes.insert(id, size));
                cursor.next();
            } else if cursor.take("*") {
                id = self.builder.modified(Kind::Ptr, id);
                self.sizes.insert(id, (8, 8));
            } else {
                return Ok(id);
            }
        }
    }

    fn qualified(&mut self, kind: Kind, of: TypeId) -> TypeId {
        let id = self.builder.modified(kind, of);
        if let Some(size) = self.sizes.get(&of).copied() {
            self.sizes.insert(id, size);
        }
        id
    }

    fn base(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<TypeId, Error> {
        let word = cursor.name()?;
        if let Some((name, size, encoding)) = NUMBERS.iter().find(|(name, ..)| *name == word) {
            let id = self.builder.int(name, *size, *encoding);
            self.sizes.insert(id, (*size, *size));
            return Ok(id);
        }
        match word {
            "void" => Ok(TypeId::VOID),
            "struct" | "union" => {
                let key = format!("{word} {}", cursor.name()?);
                if let Some(id) = self.named.get(&key) {
                    return Ok(*id);
                }
                // Declared nowhere: a name and nothing more.
                let id = self.builder.reserve();
                let name = self.builder.name(key.split(' ').nth(1).unwrap_or(""));
                let (kind, flag) = (Kind::Fwd as u32, word == "union");
                self.builder.set(id, Words { name, kind, flag, vlen: 0, word: 0, body: Vec::new() });
                self.named.insert(key, id);
                Ok(id)
            }
            _ => self.named.get(word).copied().ok_or_else(|| format!("what is `{word}`?")),
        }
    }
}

/// The name that a typedef gives, of the words after `typedef`.
fn typedef_name<'t>(rest: &[&'t str]) -> &'t str {
    let inner = rest.iter().position(|token| *token == "(").and_then(|at| rest.get(at + 2));
    let plain = || rest.iter().take_while(|token| **token != "[").last();
    inner.or_else(plain).copied().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use bpfvet_btf::{FieldKind, FuncLinkage, Kind, Shape};

    use super::declarations;

    #[test]
    fn structures_lie_as_a_compiler_puts_them() {
        let types = declarations(
            "struct inner { char c; u64 wide; };\n\
             struct outer { short s; struct inner in; char text[3]; struct inner *to; union u *elsewhere; }; // a comment",
        )
        .expect("types");
        let outer = types.types().find(|ty| ty.name() == "outer").expect("outer");
        let offsets: Vec<u32> =
            outer.as_composite().expect("a structure").members().map(|member| member.bit_offset / 8).collect();
        assert_eq!((offsets.as_slice(), types.size_of(outer.id())), ([0, 8, 24, 32, 40].as_slice(), Some(48)));
        let kinds: Vec<Kind> = types.types().map(|ty| ty.kind()).collect();
        assert!(kinds.contains(&Kind::Fwd) && kinds.contains(&Kind::Array), "{kinds:?}");
    }

    #[test]
    fn functions_have_linkage_parameters_and_tags() {
        let types = declarations(
            "static int f(struct a *p __arg_nonnull, long n);\n\
             void g(void) __tag(\"exception_callback:h\");\n\
             typedef void (*btf_trace_x)(void *, int a);",
        )
        .expect("types");
        let of = |name: &str| types.types().find(|ty| ty.name() == name).expect("it is there");
        let f = of("f");
        assert!(matches!(f.shape(), Shape::Func { linkage: FuncLinkage::Static, .. }), "{:?}", f.shape());
        assert_eq!(types.decl_tags_of(f.id(), Some(0)).collect::<Vec<_>>(), ["arg:nonnull"]);
        assert_eq!(types.decl_tags_of(of("g").id(), None).collect::<Vec<_>>(), ["exception_callback:h"]);
        let proto =
            types.resolve(of("btf_trace_x").id()).and_then(|ty| ty.as_pointer()).and_then(|id| types.type_by_id(id));
        assert_eq!(proto.and_then(|proto| proto.as_proto()).map(|proto| proto.len()), Some(2));
    }

    #[test]
    fn special_fields_are_found() {
        let types = declarations(
            "struct task; struct bpf_spin_lock { int val; };\n\
             struct task { int pid; };\n\
             struct value { int n; struct bpf_spin_lock lock; struct task __kptr *kept; };",
        )
        .expect("types");
        let value = types.types().find(|ty| ty.name() == "value").expect("value");
        let fields = types.special_fields(value.id(), 16, FieldKind::IN_MAPS).expect("fields");
        let fields: Vec<_> = fields.iter().map(|field| (field.kind, field.offset)).collect();
        assert_eq!(fields, [(FieldKind::SpinLock, 4), (FieldKind::KptrRef, 8)]);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for text in
            ["int", "struct a { b c; };", "struct a { struct b b; };", "int f(int a", "typedef int;", "int f() \"x\""]
        {
            assert!(declarations(text).is_err(), "{text}");
        }
    }
}
