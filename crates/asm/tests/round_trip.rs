//! Text of a program assembles to that program, for all forms of instruction; and no text makes the assembler panic.

use arbitrary::Unstructured;
use bpfvet_asm::{NoSymbols, Resolver, assemble, assemble_bytes};
use bpfvet_insn::{Call, Disasm, ImmSource, Insn, InsnIdx, Names, NoNames, Program, Raw};
use proptest::prelude::*;

const OFFS: [i16; 7] = [0, 1, 8, -8, 16, i16::MIN, i16::MAX];
const IMMS: [i32; 18] =
    [0, 1, -1, 16, 32, 64, 0x40, 0x41, 0x50, 0xa1, 0xe1, 0xf1, 0x100, 0x110, 0x1_0000, 9, i32::MIN, i32::MAX];

#[test]
fn every_instruction_that_decodes_is_its_text_assembled() {
    let mut program = Vec::new();
    for code in 0..=u8::MAX {
        for regs in [0x00, 0x10, 0x21, 0x30, 0x41, 0x51, 0x61, 0x9a, 0xa9, 0xb1, 0x1b, 0x0b] {
            for off in OFFS {
                for imm in IMMS {
                    let raw = Raw { code, dst: regs & 0xf, src: regs >> 4, off, imm };
                    let next = Raw { imm: if code == 0x18 { imm ^ 1 } else { 0 }, ..Raw::default() };
                    for next in [Raw::default(), next] {
                        let mut bytes = raw.to_bytes().to_vec();
                        if code == 0x18 {
                            bytes.extend_from_slice(&next.to_bytes());
                        }
                        if let Ok(one) = Program::decode(&bytes) {
                            program.extend(one.iter().map(|(_, insn)| *insn));
                        }
                    }
                }
            }
        }
    }
    let program = Program::from_insns(program);
    assert!(program.len() > 1000);
    let again = assemble(&program.to_string(), &NoSymbols).expect("what is printed assembles");
    assert_eq!(again.program.len(), program.len());
    for (at, insn) in program.iter() {
        assert_eq!(again.program.get(at), Some(insn), "{insn}");
    }
}

/// The log's line of an instruction says the same, except where it does not tell: the source of a 64-bit immediate, and
/// whether a helper or a kernel function is called.
fn told_by_the_log(insn: &Insn) -> bool {
    if let Insn::LoadImm64 { imm, .. } = insn {
        matches!(imm, ImmSource::Value(_))
    } else if let Insn::Call(call) = insn {
        matches!(call, Call::Helper(_) | Call::Subprog(_) | Call::Kfunc { btf: 0, .. })
    } else {
        true
    }
}

fn log_line<N: Names>(at: InsnIdx, line: &Disasm<'_, N>) -> String {
    format!("{at}: {line}    ; R0=scalar() fp-8={{0}}")
}

proptest! {
    #[test]
    fn a_program_is_its_text_assembled(noise in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let program: Program = Unstructured::new(&noise).arbitrary().expect("the generator cannot fail on short input");
        let again = assemble(&program.to_string(), &NoSymbols).expect("what is printed assembles");
        prop_assert_eq!(&again.program, &program);
        let image = assemble_bytes(&program.to_string(), &NoSymbols).expect("what is printed assembles");
        prop_assert_eq!(Ok(image.bytes), program.encode());
        prop_assert_eq!(again.lines.len(), program.iter().count());
    }

    #[test]
    fn a_log_is_its_program(noise in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let program: Program = Unstructured::new(&noise).arbitrary().expect("the generator cannot fail on short input");
        for (at, insn) in program.iter().filter(|(_, insn)| told_by_the_log(insn)) {
            let line = log_line(at, &insn.disasm(&NoNames));
            let again = assemble(&line, &NoSymbols).expect("what the log says assembles");
            prop_assert_eq!(again.program.get(InsnIdx(0)), Some(insn), "{}", line);
        }
    }

    #[test]
    fn no_text_panics(text in "[rw0-9 =+*()u\\[\\]:;,#@%._\nsgotifcall<>&|^/x-]{0,80}|\\PC{0,40}") {
        struct Everything;
        impl Resolver for Everything {
            fn call(&self, name: &str) -> Option<Call> {
                Some(Call::Helper(i32::try_from(name.len()).ok()?))
            }
            fn constant(&self, name: &str) -> Option<i64> {
                i64::try_from(name.len()).ok()
            }
        }
        if let Ok(assembly) = assemble(&text, &Everything) {
            let bytes = assembly.program.encode().expect("what assembles has an encoding");
            prop_assert_eq!(Program::decode(&bytes), Ok(assembly.program));
        }
    }
}
