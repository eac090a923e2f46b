//! The two ways out: a typed program, or bytes that need not be one.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use bpfvet_insn::{InsnIdx, Program, decode_at};

use crate::layout::{Layout, What, layout};
use crate::{AsmError, Resolver};

/// A program and where its parts stand in the text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Assembly {
    /// The program.
    pub program: Program,
    /// The line of each instruction, from 1, in order.
    pub lines: Vec<(InsnIdx, u32)>,
    /// Where the named labels stand; at the end of the program, one may stand past its last slot.
    pub labels: BTreeMap<String, InsnIdx>,
}

/// Bytes and where they stand in the text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Image {
    /// Little-endian slots.
    pub bytes: Vec<u8>,
    /// The line of each instruction and of each raw slot, from 1, in order.
    pub lines: Vec<(InsnIdx, u32)>,
    /// Where the named labels stand.
    pub labels: BTreeMap<String, InsnIdx>,
}

/// The program that `text` is.
///
/// # Errors
///
/// The first fault of the text; raw slots must decode.
///
/// ```
/// let text = "
///     r0 = 0
///     if r1 == 0 goto out
///     r0 = 1
/// out:
///     exit
/// ";
/// let assembly = bpfvet_asm::assemble(text, &bpfvet_asm::NoSymbols)?;
/// assert_eq!(assembly.program.to_string(), "r0 = 0\nif r1 == 0x0 goto pc+1\nr0 = 1\nexit\n");
/// # Ok::<(), bpfvet_asm::AsmError>(())
/// ```
pub fn assemble(text: &str, resolver: &dyn Resolver) -> Result<Assembly, AsmError> {
    let Layout { placed, labels } = layout(text, resolver)?;
    let mut insns = Vec::with_capacity(placed.len());
    let mut lines = Vec::with_capacity(placed.len());
    let mut left = placed.iter();
    while let Some(here) = left.next() {
        let insn = match here.what {
            What::Insn(insn) => insn,
            What::Raw(raw) => {
                let mut bytes = raw.to_bytes().to_vec();
                if let Some(What::Raw(second)) = left.as_slice().first().map(|next| next.what) {
                    bytes.extend_from_slice(&second.to_bytes());
                }
                match decode_at(&bytes, InsnIdx(0)) {
                    Ok(Some(insn)) => {
                        if insn.slots() == 2 {
                            left.next();
                        }
                        insn
                    }
                    Ok(None) => continue,
                    Err(error) => return Err(here.error(error.kind)),
                }
            }
        };
        insns.push(insn);
        lines.push((here.at, here.line));
    }
    Ok(Assembly { program: Program::from_insns(insns), lines, labels })
}

/// The bytes that `text` is, whether or not its raw slots are instructions: for texts that show what is wrong.
///
/// # Errors
///
/// The first fault of the text.
pub fn assemble_bytes(text: &str, resolver: &dyn Resolver) -> Result<Image, AsmError> {
    let Layout { placed, labels } = layout(text, resolver)?;
    let mut bytes = Vec::with_capacity(placed.len().saturating_mul(8));
    let mut lines = Vec::with_capacity(placed.len());
    for here in &placed {
        lines.push((here.at, here.line));
        match here.what {
            What::Raw(raw) => bytes.extend_from_slice(&raw.to_bytes()),
            What::Insn(insn) => {
                let encoded = insn.encode().map_err(|kind| here.error(kind))?;
                bytes.extend_from_slice(&encoded.first.to_bytes());
                if let Some(second) = encoded.second {
                    bytes.extend_from_slice(&second.to_bytes());
                }
            }
        }
    }
    Ok(Image { bytes, lines, labels })
}
