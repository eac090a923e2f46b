//! Logs are read by tools. Every line of the log of every program of the corpus, at both levels, is one that the grammar of bpfvv
//! knows, or one of the kinds that the kernel writes too and that bpfvv shows as they are.
//!
//! ```text
//!  ; if (!n) @ rbtree.c:199                      source
//!  64: (55) if r0 != 0x0 goto pc+6 ; R0=0        instruction, with what it changed
//!  71: R0=ptr_node(id=2) R10=fp0                 state
//!  Func#1 ('f') is global and assumed valid.     message
//! ```

use bpfvet::Verifier;
use bpfvet::report::{KernelLog, LogLevel, Names, kernel_message};
use bpfvet_testkit::corpus::Case;
use bpfvet_tests::all_programs;

/// A text that is read from the left.
#[derive(Clone, Copy)]
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn eat(&mut self, text: &str) -> bool {
        let rest = self.0.strip_prefix(text);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// As many characters as are of this kind.
    fn take(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let len = self.0.find(|c| !is(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    fn blanks(&mut self) {
        self.take(|c| c == ' ');
    }

    fn number(&mut self) -> bool {
        !self.take(|c| c.is_ascii_digit()).is_empty()
    }

    /// `0x1f`, `-7`, `12`
    fn immediate(&mut self) -> bool {
        if self.eat("0x") {
            return !self.take(|c| c.is_ascii_hexdigit()).is_empty();
        }
        self.eat("-");
        self.number()
    }

    /// `r0` to `r11`, `w0` to `w10`
    fn register(&mut self) -> bool {
        (self.eat("r") || self.eat("w")) && self.number()
    }

    /// `*(u32 *)(r1 +4)`
    fn memory(&mut self) -> bool {
        self.eat("*(u")
            && self.number()
            && self.eat(" *)(r")
            && self.number()
            && self.eat(" ")
            && (self.eat("+") || self.eat("-"))
            && self.number()
            && self.eat(")")
    }

    fn jump(&mut self) -> bool {
        self.eat("pc") && (self.eat("+") || self.eat("-")) && self.number()
    }
}

/// The text of an instruction, up to its end.
fn is_instruction(text: &str) -> bool {
    let mut rest = Rest(text);
    let done = |rest: Rest<'_>| rest.0.is_empty();
    if matches!(text, "exit") {
        return true;
    }
    for word in ["goto ", "may_goto ", "goto_or_nop "] {
        if rest.eat(word) {
            return rest.jump() && done(rest);
        }
    }
    if rest.eat("call ") {
        return rest.jump() && done(rest)
            || !rest.take(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_#+-".contains(c)).is_empty()
                && done(rest);
    }
    if rest.eat("if ") {
        let operator = ["==", "!=", "s<=", "s>=", "s<", "s>", "<=", ">=", "<", ">"];
        return rest.register()
            && rest.eat(" ")
            && operator.iter().any(|operator| rest.eat(operator))
            && rest.eat(" ")
            && (rest.immediate() || rest.register())
            && rest.eat(" goto ")
            && rest.jump()
            && done(rest);
    }
    let target = if rest.0.starts_with('*') { rest.memory() } else { rest.register() };
    if !target || !rest.eat(" ") {
        return false;
    }
    let operators = ["s>>=", "<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "="];
    if !operators.iter().any(|operator| rest.eat(operator)) || !rest.eat(" ") {
        return false;
    }
    if rest.eat("addr_space_cast(") {
        return rest.register()
            && rest.eat(", ")
            && rest.number()
            && rest.eat(", ")
            && rest.number()
            && rest.eat(")")
            && done(rest);
    }
    // What a wide load names stands as it is: a map, a value, a function.
    let mut other = rest;
    let names = ["map[", "map_value(", "subprog[", "btf_id[", "var("];
    if names.iter().any(|name| other.eat(name)) {
        return true;
    }
    (rest.memory() || rest.immediate() || rest.register()) && done(rest)
}

/// Instructions that bpfvv does not read, in any kernel's log.
fn is_gap(text: &str) -> bool {
    let of_others =
        ["lock ", "atomic", "xchg", "load_acquire", "store_release", "bswap", "skb[", "(s8", "(s16", "(s32", "gotox"];
    let is_sign = text.contains(" = -r") || text.contains(" = -w");
    let is_swap = ["be16", "be32", "be64", "le16", "le32", "le64"].iter().any(|swap| text.contains(swap));
    let is_bit_test = text.starts_with("if ") && text.contains(" & ");
    let is_signed = text.contains(" s/= ") || text.contains(" s%= ");
    of_others.iter().any(|word| text.contains(word)) || is_sign || is_swap || is_bit_test || is_signed
}

/// `R1=ctx() R10=fp0 fp-8=mmmm???? refs=2`, perhaps behind `frame1:`.
fn is_state(text: &str) -> bool {
    let mut rest = Rest(text);
    rest.blanks();
    if rest.eat("frame") && !(rest.number() && rest.eat(":")) {
        return false;
    }
    loop {
        rest.blanks();
        if rest.0.is_empty() {
            return true;
        }
        if rest.eat("cb") || rest.eat("async_cb") {
            continue;
        }
        let key = rest.eat("R") && rest.number() || rest.eat("fp-") && rest.number() || rest.eat("refs");
        if !key || !rest.eat("=") {
            return false;
        }
        let mut depth = 0_u32;
        let mut len = rest.0.len();
        for (at, c) in rest.0.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                ' ' if depth == 0 => {
                    len = at;
                    break;
                }
                _ => {}
            }
        }
        if len == 0 || depth > 0 {
            return false;
        }
        rest = Rest(&rest.0[len..]);
    }
}

/// What bpfvv makes something of.
fn is_read(line: &str) -> bool {
    if let Some(text) = line.strip_prefix("; ") {
        let Some((_, place)) = text.rsplit_once(" @ ") else { return false };
        let Some((file, number)) = place.rsplit_once(':') else { return false };
        let is_name = file.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        return is_name && number.chars().all(|c| c.is_ascii_digit());
    }
    let mut rest = Rest(line);
    if rest.eat("Func#") {
        return rest.number() && rest.0.starts_with(" ('") && rest.0.ends_with("') is global and assumed valid.");
    }
    rest.blanks();
    if !rest.number() || !rest.eat(":") {
        return false;
    }
    rest.blanks();
    if !rest.eat("(") {
        return is_state(rest.0);
    }
    let opcode = rest.take(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    if opcode.len() != 2 || !rest.eat(") ") {
        return false;
    }
    let (insn, state) = match rest.0.split_once(" ;") {
        Some((insn, state)) => (insn.trim_end(), state),
        // A state that was put aside stands right behind its branch: `goto pc+6 71: R0=…`.
        None => match rest.0.split_once(": ") {
            Some((insn, _)) if insn.ends_with(|c: char| c.is_ascii_digit()) => {
                let branch = insn.trim_end_matches(|c: char| c.is_ascii_digit());
                (branch.trim_end(), rest.0.get(branch.len()..).unwrap_or_default())
            }
            Some(_) | None => (rest.0.trim_end(), ""),
        },
    };
    // Where a path was put aside, its position stands before its state.
    let mut state = Rest(state);
    state.blanks();
    let mut behind = state;
    if behind.number() && behind.eat(":") {
        state = behind;
    }
    (is_instruction(insn) || is_gap(insn))
        && (is_state(state.0) || state.0.starts_with("use: ") || state.0.starts_with("def: "))
}

/// What the kernel writes too, and bpfvv shows as it is.
fn is_shown(line: &str) -> bool {
    let begins = [
        "from ",
        "mark_precise: ",
        "force_precise: ",
        "frame ",
        "SCC ",
        "caller:",
        "callee:",
        "returning from callee:",
        "to caller at ",
        "processed ",
        "stack depth ",
        "subprog ",
        "Validating ",
        "func#",
        "topo_order[",
        "stack use/def subprog#",
        "subprog#",
        "arg JOIN insn ",
        "Live regs before insn:",
        "infinite loop detected at insn ",
        "cur state:",
        "old state:",
        "propagate_backedges: ",
        // What is not understood of the entry function's type, without consequence.
        "arg#",
    ];
    let is_live_row = || {
        let mut rest = Rest(line);
        rest.blanks();
        let mut other = rest;
        // The component's number, if the instruction is in a loop, stands before.
        if !(rest.number() && rest.eat(":")) {
            if !other.number() {
                return false;
            }
            other.blanks();
            if !(other.number() && other.eat(":")) {
                return false;
            }
            rest = other;
        }
        rest.blanks();
        rest.take(|c| c.is_ascii_digit() || c == '.').len() == 10
    };
    // How pointers into stacks move stands behind an instruction.
    let is_listing = || {
        let mut rest = Rest(line);
        rest.blanks();
        let is_insn = rest.number() && rest.eat(": (");
        is_insn && (line.contains("\tr") || line.contains("\tfp-") || line.contains("\tsa") || line.contains(" // "))
    };
    line.is_empty()
        || is_listing()
        || begins.iter().any(|begin| line.starts_with(begin))
        || line.ends_with(": safe")
        || line.contains("bpf_loop iteration limit reached")
        || line.starts_with("Func#") && line.ends_with("is safe for any args that match its prototype")
        || is_live_row()
        || is_state(line)
}

/// Lines of logs that nobody could read.
fn unread(log: &str, message: &str) -> Vec<String> {
    let known = |line: &&str| {
        is_read(line) || is_shown(line) || message.lines().any(|part| part == *line || line.starts_with(part))
    };
    // The account of a failure is prose, up to what it all cost; the viewer shows it as it is.
    let mut is_account = false;
    let mut unread = Vec::new();
    for line in log.lines() {
        let of_the_message = message.lines().any(|part| line == part);
        let of_the_end = ["processed ", "stack depth ", "subprog "].iter().any(|begin| line.starts_with(begin));
        is_account = (is_account || line.starts_with("Verification failed: ")) && !of_the_end && !of_the_message;
        if !is_account && !known(&line) {
            unread.push(line.to_owned());
        }
    }
    unread
}

#[test]
fn every_line_of_every_log_is_known() {
    let mut lines = 0;
    let mut wrong: Vec<String> = Vec::new();
    for (file, program) in all_programs().expect("a corpus") {
        let case = Case::new(&program).unwrap_or_else(|error| panic!("{file}: {}: {error}", program.name));
        let Ok(request) = case.request() else { continue };
        let linux = case.kernels().last().expect("a kernel");
        let verifier = Verifier::new(linux);
        let Ok(graph) = verifier.analyze(request) else { continue };
        let names = Names::new(request, linux);
        for level in [1, 2 | 4] {
            let mut log = KernelLog::new(names.clone(), LogLevel(level)).with_graph(&graph);
            let result = verifier.verify_graph(request, &graph, &mut log);
            let stats = result.as_ref().map_or_else(|rejection| &rejection.stats, |accepted| &accepted.stats);
            let processed = stats.insns_processed;
            let message = result.as_ref().err().map(|rejection| kernel_message(&rejection.cause, &names));
            lines += log.text().lines().count();
            let unread = unread(log.text(), &message.unwrap_or_default());
            wrong.extend(unread.first().map(|line| format!("{file}: {}: level {level}: {line}", program.name)));
            // A longer walk says the same again and again.
            if processed > 10_000 {
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(lines > 10_000, "{lines} lines are not the logs of a corpus");
}

#[test]
fn lines_are_told_apart() {
    for line in [
        "; if (!n) @ rbtree.c:199",
        "0: R1=ctx() R10=fp0",
        "5: frame1: R1=scalar() R10=fp0",
        "64: (55) if r0 != 0x0 goto pc+6       ; R0=ptr_or_null_node(id=2,ref_obj_id=2)",
        "3: (63) *(u32 *)(r10 -4) = r1         ; R1=0 R10=fp0 fp-8=mmmm????",
        "7: (18) r1 = 0xffff888100000000",
        "Func#1 ('f') is global and assumed valid.",
    ] {
        assert!(is_read(line), "{line}");
    }
    for line in [
        "; no place",
        "0: R1=ctx(",
        "0: (zz) r0 = 1",
        "0: (b7) r0 := 1",
        "1: (61) r2 = *(u32*)(r1+76)",
        "2: (85) call Helper",
        "R0 !read_ok",
    ] {
        assert!(!is_read(line), "{line}");
    }
    assert!(!is_shown("R0 !read_ok") && !is_shown("anything"));
}
