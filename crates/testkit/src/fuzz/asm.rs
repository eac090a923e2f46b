//! Any text is a program or an error with a place; a program's text is the program again.

use bpfvet_asm::{Resolver, assemble, assemble_bytes};
use bpfvet_insn::{Call, ImmSource, Program};

/// Answers to every name, so that no statement ends at one.
struct Everything;

impl Resolver for Everything {
    fn call(&self, name: &str) -> Option<Call> {
        i32::try_from(name.len()).ok().map(Call::Helper)
    }

    fn imm64(&self, name: &str) -> Option<ImmSource> {
        i32::try_from(name.len()).ok().map(|index| ImmSource::MapIdxValue { index, off: 0 })
    }

    fn constant(&self, name: &str) -> Option<i64> {
        i64::try_from(name.len()).ok()
    }
}

/// Takes `text` for assembly.
///
/// # Panics
///
/// Where an error has no place in the text, or text, program and bytes contradict each other.
pub fn run(text: &str) {
    let assembly = match assemble(text, &Everything) {
        Ok(assembly) => assembly,
        Err(error) => {
            let lines = text.split('\n').count();
            assert!((1..=lines).contains(&(error.line as usize)), "{error}");
            assert!(error.column >= 1, "{error}");
            return;
        }
    };
    assert_eq!(assembly.lines.len(), assembly.program.iter().count());
    let bytes = assembly.program.encode().expect("what assembles has an encoding");
    assert_eq!(Program::decode(&bytes).as_ref(), Ok(&assembly.program));
    assert_eq!(assemble_bytes(text, &Everything).map(|image| image.bytes).as_ref(), Ok(&bytes));
    let printed = assembly.program.to_string();
    assert_eq!(assemble(&printed, &Everything).map(|again| again.program), Ok(assembly.program));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// Words of the language in any order.
    fn words() -> impl Strategy<Value = String> {
        let word = proptest::sample::select(vec![
            "r0",
            "r1",
            "r10",
            "r11",
            "w2",
            "=",
            "+=",
            "s>>=",
            "-",
            "5",
            "0xffffffff",
            "-8",
            "*(u64 *)",
            "*(s8 *)",
            "(r10 - 8)",
            "(r1 + 0)",
            "if",
            "==",
            "s<",
            "goto",
            "gotol",
            "may_goto",
            "gotox",
            "+1",
            "pc-1",
            "call",
            "exit",
            "lock",
            "l1",
            "l1:",
            "1:",
            "1b",
            "1f",
            "ll",
            "%[x]",
            "be16",
            "(s16)",
            "map[fd:3]",
            "[0]+4",
            "skb[4]",
            ";",
            "\n",
            "(b7)",
            "// x\n",
            "/* x */",
            ".8byte",
            ",",
            "atomic_fetch_add(",
            "(u64 *)",
            ")",
            "load_acquire(",
            "#1",
        ]);
        proptest::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
    }

    proptest! {
        #[test]
        fn smoke(text in ".{0,60}", words in words()) {
            super::run(&text);
            super::run(&words);
        }
    }
}
