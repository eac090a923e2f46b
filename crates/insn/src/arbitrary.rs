//! Generators of instructions and programs, for fuzzing and property tests.
//!
//! All that they generate has an encoding.

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::{
    AluOp, AtomicOp, ByteOrder, Call, CmpOp, ImmSource, Insn, Operand, PacketIndex, Program, Reg, Size, Width,
};

/// `r0` to `r10`.
impl<'a> Arbitrary<'a> for Reg {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let number = u.int_in_range(0..=10)?;
        Ok(Self::new(number).unwrap_or(Self::FP))
    }
}

impl<'a> Arbitrary<'a> for Width {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.choose(&[Self::W32, Self::W64]).copied()
    }
}

impl<'a> Arbitrary<'a> for Size {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.choose(&[Self::B1, Self::B2, Self::B4, Self::B8]).copied()
    }
}

impl<'a> Arbitrary<'a> for AluOp {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.choose(&Self::ALL).copied()
    }
}

impl<'a> Arbitrary<'a> for CmpOp {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.choose(&Self::ALL).copied()
    }
}

impl<'a> Arbitrary<'a> for ByteOrder {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.choose(&[Self::Le, Self::Be, Self::Swap]).copied()
    }
}

impl<'a> Arbitrary<'a> for AtomicOp {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let fetch = u.arbitrary()?;
        u.choose(&[
            Self::Add { fetch },
            Self::Or { fetch },
            Self::And { fetch },
            Self::Xor { fetch },
            Self::Xchg,
            Self::CmpXchg,
        ])
        .copied()
    }
}

/// Immediates near the edges as often as any others.
impl<'a> Arbitrary<'a> for Operand {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=2)? {
            0 => Self::Reg(u.arbitrary()?),
            1 => Self::Imm(u.choose(&[0, 1, -1, 2, 8, 31, 63, i32::MAX, i32::MIN]).copied()?),
            _ => Self::Imm(u.arbitrary()?),
        })
    }
}

impl<'a> Arbitrary<'a> for ImmSource {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=6)? {
            0 => Self::Value(u.arbitrary()?),
            1 => Self::MapFd(u.arbitrary()?),
            2 => Self::MapValue { fd: u.arbitrary()?, off: u.arbitrary()? },
            3 => Self::BtfId { id: u.arbitrary()?, btf_fd: u.arbitrary()? },
            4 => Self::Func(u.arbitrary()?),
            5 => Self::MapIdx(u.arbitrary()?),
            _ => Self::MapIdxValue { index: u.arbitrary()?, off: u.arbitrary()? },
        })
    }
}

impl<'a> Arbitrary<'a> for Call {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=2)? {
            0 => Self::Helper(u.arbitrary()?),
            1 => Self::Subprog(u.arbitrary()?),
            _ => Self::Kfunc { id: u.arbitrary()?, btf: u.arbitrary()? },
        })
    }
}

impl<'a> Arbitrary<'a> for Insn {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=23)? {
            0 | 1 => Self::Alu { width: u.arbitrary()?, op: u.arbitrary()?, dst: u.arbitrary()?, src: u.arbitrary()? },
            2 => Self::Neg { width: u.arbitrary()?, dst: u.arbitrary()? },
            3 => Self::Mov { width: u.arbitrary()?, dst: u.arbitrary()?, src: u.arbitrary()? },
            4 => {
                let width = u.arbitrary()?;
                let from = match width {
                    Width::W32 => u.choose(&[Size::B1, Size::B2])?,
                    Width::W64 => u.choose(&[Size::B1, Size::B2, Size::B4])?,
                };
                Self::MovSx { width, dst: u.arbitrary()?, src: u.arbitrary()?, from: *from }
            }
            5 => {
                let to = u.int_in_range(0..=1)?;
                Self::AddrSpaceCast { dst: u.arbitrary()?, src: u.arbitrary()?, to, from: 1 - to }
            }
            6 => Self::Endian {
                order: u.arbitrary()?,
                dst: u.arbitrary()?,
                size: *u.choose(&[Size::B2, Size::B4, Size::B8])?,
            },
            7 => Self::LoadImm64 { dst: u.arbitrary()?, imm: u.arbitrary()? },
            8 => {
                let index = if u.arbitrary()? { PacketIndex::Indirect(u.arbitrary()?) } else { PacketIndex::Absolute };
                let size = *u.choose(&[Size::B1, Size::B2, Size::B4])?;
                Self::LoadPacket { size, index, imm: u.arbitrary()? }
            }
            9 | 10 => Self::Load {
                dst: u.arbitrary()?,
                base: u.arbitrary()?,
                off: u.arbitrary()?,
                size: u.arbitrary()?,
                signed: false,
            },
            11 => Self::Load {
                dst: u.arbitrary()?,
                base: u.arbitrary()?,
                off: u.arbitrary()?,
                size: *u.choose(&[Size::B1, Size::B2, Size::B4])?,
                signed: true,
            },
            12 | 13 => {
                Self::Store { base: u.arbitrary()?, off: u.arbitrary()?, size: u.arbitrary()?, src: u.arbitrary()? }
            }
            14 => Self::Atomic {
                op: u.arbitrary()?,
                size: *u.choose(&[Size::B4, Size::B8])?,
                base: u.arbitrary()?,
                off: u.arbitrary()?,
                src: u.arbitrary()?,
            },
            15 => Self::LoadAcquire {
                dst: u.arbitrary()?,
                base: u.arbitrary()?,
                off: u.arbitrary()?,
                size: u.arbitrary()?,
            },
            16 => Self::StoreRelease {
                base: u.arbitrary()?,
                off: u.arbitrary()?,
                size: u.arbitrary()?,
                src: u.arbitrary()?,
            },
            17 => Self::Jump { off: i32::from(u.arbitrary::<i16>()?), long: false },
            18 => Self::Jump { off: u.arbitrary()?, long: true },
            19 => Self::JumpIndirect { reg: u.arbitrary()? },
            20 => Self::Branch {
                width: u.arbitrary()?,
                op: u.arbitrary()?,
                dst: u.arbitrary()?,
                src: u.arbitrary()?,
                off: u.arbitrary()?,
            },
            21 => Self::MayGoto { off: u.arbitrary()? },
            22 => Self::Call(u.arbitrary()?),
            _ => stack_arg_or_exit(u)?,
        })
    }
}

/// An access to a stack argument, the only place of `r11`, or an exit.
fn stack_arg_or_exit(u: &mut Unstructured<'_>) -> Result<Insn> {
    let off = 8 * u.int_in_range(1..=4095_i16)?;
    Ok(match u.int_in_range(0..=2)? {
        0 => Insn::Exit,
        1 => Insn::Load { dst: u.arbitrary()?, base: Reg::ARGS, off, size: Size::B8, signed: false },
        _ => Insn::Store { base: Reg::ARGS, off: -off, size: Size::B8, src: u.arbitrary()? },
    })
}

/// Any instructions in any order; jumps may lead anywhere.
impl<'a> Arbitrary<'a> for Program {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.arbitrary_iter::<Insn>()?.collect::<Result<Self>>()
    }
}
