//! Any bytes decode or name a fault; what decodes encodes to itself, and its parts agree with each other.

use bpfvet_insn::{HalfSet, InsnIdx, Program, RegSet, Slot, decode_at};

/// Takes `bytes` for a program.
///
/// # Panics
///
/// Where decoding, encoding, uses, defs and successors contradict each other.
pub fn run(bytes: &[u8]) {
    let program = match Program::decode(bytes) {
        Ok(program) => program,
        Err(error) => {
            assert!(error.at.index() <= bytes.len() / 8, "{error}");
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert_eq!(program.encode().as_deref(), Ok(bytes));
    assert_eq!(program.slots().len(), bytes.len() / 8);
    for (at, insn) in program.iter() {
        assert_eq!(decode_at(bytes, at), Ok(Some(*insn)));
        assert_eq!(Some(&insn.opcode()), bytes.get(at.index() * 8));
        let second = program.slots().get(at.next().index()) == Some(&Slot::Second);
        assert_eq!(second, insn.slots() == 2);
        // What the instruction set reads, the kernel's analysis counts as read; what that counts as overwritten, is.
        let uses = insn.uses();
        assert_eq!(uses.difference(insn.half_uses(None).regs()), RegSet::EMPTY, "{insn}");
        assert_eq!(insn.half_defs().regs().difference(insn.defs()), RegSet::EMPTY, "{insn}");
        assert_eq!(insn.half_uses(Some(0)).difference(insn.half_uses(None)), HalfSet::EMPTY, "{insn}");
        let next = InsnIdx(at.0 + insn.slots());
        assert!(insn.successors(at).iter().all(|to| to == next || Some(to) == insn.target(at)), "{insn}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// Slots with an opcode that exists more often than not.
    fn slots() -> impl Strategy<Value = Vec<u8>> {
        let slot = (any::<u8>(), 0..=10_u8, 0..=10_u8, any::<bool>(), any::<[u8; 6]>()).prop_map(
            |(code, dst, src, plain, rest)| {
                let [o0, o1, i0, i1, i2, i3] = if plain { [0; 6] } else { rest };
                [code, if plain { dst } else { dst | src << 4 }, o0, o1, i0, i1, i2, i3]
            },
        );
        proptest::collection::vec(slot, 0..4).prop_map(|slots| slots.concat())
    }

    proptest! {
        #[test]
        fn smoke(bytes in proptest::collection::vec(any::<u8>(), 0..40), slots in slots()) {
            super::run(&bytes);
            super::run(&slots);
        }
    }
}
