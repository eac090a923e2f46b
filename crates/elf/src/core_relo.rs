//! CO-RE: instructions that depend on the layout of the kernel's types, patched in place before anything is linked.

use alloc::collections::BTreeMap;

use bpfvet_btf::Btf;
use bpfvet_btf::co_re::{CoReError, Matcher, RelocKind, Resize, Resolution, Resolved};
use bpfvet_insn::Raw;

use crate::Options;
use crate::code::Code;
use crate::reloc::{CALL, LD_IMM64};

/// The call that stands for an instruction that must not be reached; a helper that no kernel has. libbpf writes the same, and the
/// verifier's complaint about it is widely known.
const POISON: Raw = Raw { code: CALL, dst: 0, src: 0, off: 0, imm: 0xbad_2310 };

/// Classes of instructions, the low three bits of the opcode.
mod class {
    pub(super) const LD: u8 = 0;
    pub(super) const LDX: u8 = 1;
    pub(super) const ST: u8 = 2;
    pub(super) const STX: u8 = 3;
    pub(super) const ALU: u8 = 4;
    pub(super) const ALU64: u8 = 7;
}

/// The bit of arithmetic that says that the second operand is a register.
const SOURCE_REGISTER: u8 = 8;
/// The two bits of loads and stores that say how many bytes they take.
const SIZE: u8 = 0x18;

/// The instructions, by code section and slot, whose relocation could not be carried out.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) failed: BTreeMap<(usize, usize), Failure>,
}

/// Why an instruction could not be relocated.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// There were no kernel types to look at.
    NoKernelBtf,
    /// What is wrong with the relocation.
    CoRe(CoReError),
}

/// Carries out the relocations in place.
pub(crate) fn apply(code: &mut Code, btf: Option<&Btf>, options: &Options) -> Outcome {
    let mut outcome = Outcome::default();
    let Some(btf) = btf else { return outcome };
    let mut matcher = Matcher::new(btf, &options.kernel_btf);
    for (index, section) in code.sections.iter_mut().enumerate() {
        for record in &section.core {
            let slot = (record.insn_off / 8) as usize;
            let Some(insns) = section.insns.get_mut(slot..).filter(|_| record.insn_off.is_multiple_of(8)) else {
                continue;
            };
            if options.kernel_btf.is_empty() && record.kind != Ok(RelocKind::TypeIdLocal) {
                outcome.failed.insert((index, slot), Failure::NoKernelBtf);
                continue;
            }
            if let Err(error) = matcher.resolve(record).and_then(|resolution| patch(insns, resolution)) {
                outcome.failed.insert((index, slot), Failure::CoRe(error));
            }
        }
    }
    outcome
}

/// Patches the first of these instructions.
fn patch(insns: &mut [Raw], Resolution { expected, resolved }: Resolution) -> Result<(), CoReError> {
    let [insn, rest @ ..] = insns else { return Err(CoReError::Instruction) };
    match insn.code & 7 {
        class::ALU | class::ALU64 if insn.code & SOURCE_REGISTER == 0 => match resolved {
            Resolved::Poison => *insn = POISON,
            Resolved::Value { value, resize: _ } => {
                expect(expected, i64::from(insn.imm))?;
                insn.imm = low_half(value);
            }
        },
        class::LDX | class::ST | class::STX => match resolved {
            Resolved::Poison => *insn = POISON,
            Resolved::Value { value, resize } => {
                expect(expected, i64::from(insn.off))?;
                let off = i16::try_from(value).map_err(|_| CoReError::Range(value))?;
                match resize {
                    Some(Resize { allowed: false, .. }) => *insn = POISON,
                    Some(Resize { from, to, allowed: true }) => {
                        *insn = Raw { off, code: resized(insn.code, from, to)?, ..*insn };
                    }
                    None => insn.off = off,
                }
            }
        },
        class::LD => {
            let [second, ..] = rest else { return Err(CoReError::Instruction) };
            let plain = insn.code == LD_IMM64 && insn.src == 0 && insn.off == 0;
            if !plain || (Raw { imm: 0, ..*second }) != Raw::default() {
                return Err(CoReError::Instruction);
            }
            match resolved {
                Resolved::Poison => (*insn, *second) = (POISON, POISON),
                Resolved::Value { value, resize: _ } => {
                    let held = u64::from(insn.imm.cast_unsigned()) | u64::from(second.imm.cast_unsigned()) << 32;
                    expect(expected, held.cast_signed())?;
                    (insn.imm, second.imm) = (low_half(value), low_half(value >> 32));
                }
            }
        }
        _ => return Err(CoReError::Instruction),
    }
    Ok(())
}

/// The instruction must hold what the compiler's record says, where that can be said.
fn expect(expected: Option<u64>, found: i64) -> Result<(), CoReError> {
    match expected {
        Some(expected) if expected != found.cast_unsigned() => Err(CoReError::Unexpected { found, expected }),
        Some(_) | None => Ok(()),
    }
}

/// The opcode of a load or store of `to` bytes instead of `from`.
fn resized(code: u8, from: u32, to: u32) -> Result<u8, CoReError> {
    let bits = |bytes: u32| match bytes {
        4 => Ok(0),
        2 => Ok(8),
        1 => Ok(0x10),
        8 => Ok(0x18),
        _ => Err(CoReError::Size(bytes)),
    };
    if bits(from)? != code & SIZE {
        return Err(CoReError::Instruction);
    }
    Ok(code & !SIZE | bits(to)?)
}

/// The low 32 bits, as an immediate.
fn low_half(value: u64) -> i32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(value: u64, resize: Option<Resize>) -> Resolved {
        Resolved::Value { value, resize }
    }

    /// `r0 = *(u32 *)(r1 + 8)`
    const LOAD: Raw = Raw { code: 0x61, dst: 0, src: 1, off: 8, imm: 0 };

    #[test]
    fn loads_get_the_offset_and_the_size_of_the_kernels_field() {
        let mut insns = [LOAD];
        patch(&mut insns, Resolution { expected: Some(8), resolved: value(24, None) }).unwrap();
        assert_eq!(insns, [Raw { off: 24, ..LOAD }]);
        let resize = Some(Resize { from: 4, to: 8, allowed: true });
        patch(&mut insns, Resolution { expected: Some(24), resolved: value(16, resize) }).unwrap();
        assert_eq!(insns, [Raw { code: 0x79, off: 16, ..LOAD }]);
    }

    #[test]
    fn what_is_not_there_must_not_be_reached() {
        let mut insns = [LOAD];
        patch(&mut insns, Resolution { expected: Some(8), resolved: Resolved::Poison }).unwrap();
        assert_eq!(insns, [POISON]);
        let wide = Raw { code: LD_IMM64, ..Raw::default() };
        let mut insns = [wide, Raw::default()];
        patch(&mut insns, Resolution { expected: Some(1), resolved: Resolved::Poison }).unwrap();
        assert_eq!(insns, [POISON, POISON]);
        // A signed field of another size cannot be read in the same way.
        let mut insns = [LOAD];
        let resize = Some(Resize { from: 4, to: 8, allowed: false });
        patch(&mut insns, Resolution { expected: Some(8), resolved: value(16, resize) }).unwrap();
        assert_eq!(insns, [POISON]);
    }

    #[test]
    fn an_instruction_that_does_not_fit_its_record_is_an_error() {
        let resolution = |expected, number| Resolution { expected: Some(expected), resolved: value(number, None) };
        assert_eq!(patch(&mut [LOAD], resolution(9, 1)), Err(CoReError::Unexpected { found: 8, expected: 9 }));
        assert_eq!(patch(&mut [LOAD], resolution(8, 1 << 15)), Err(CoReError::Range(1 << 15)));
        assert_eq!(patch(&mut [POISON], resolution(8, 1)), Err(CoReError::Instruction));
        assert_eq!(
            patch(&mut [Raw { code: LD_IMM64, ..Raw::default() }], resolution(0, 1)),
            Err(CoReError::Instruction)
        );
        assert_eq!(patch(&mut [], resolution(0, 1)), Err(CoReError::Instruction));
    }
}
