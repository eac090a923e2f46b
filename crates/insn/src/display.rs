//! Instructions as text.
//!
//! Two forms, alike in all but calls and 64-bit immediates:
//!
//! - [`Disasm`]: the line of the verifier's log, to the letter (`print_bpf_insn`, Linux 7.3). It asks [`Names`] for what this
//!   crate cannot know.
//! - [`Display`](fmt::Display) of [`Insn`] and [`Program`]: needs no names and loses nothing, so that the assembler reads it
//!   back. A 64-bit number ends in `ll`, as clang writes it; the other sources read `map[fd:5]`, `map[fd:5][0]+8`,
//!   `map[idx:5]`, `map[idx:5][0]+8`, `btf[id:5,fd:0]`, `subprog[+5]`; a helper is called by number, a kernel function as
//!   `kernel-function#ID@BTF`.

use core::fmt;

use crate::{
    AluOp, AtomicOp, ByteOrder, Call, CmpOp, ImmSource, Insn, Operand, PacketIndex, Program, Reg, Size, Width,
};

/// What the log's lines say beyond the instruction itself.
pub trait Names {
    /// The name of a helper; without one the log says `unknown`.
    fn helper(&self, _id: i32) -> Option<&str> {
        None
    }

    /// The name of a kernel function. Without one this says `kernel-function`; Linux's log says `<error>` where BTF has none.
    fn kfunc(&self, _id: i32, _btf: i16) -> Option<&str> {
        None
    }

    /// The number that a 64-bit immediate of this source has after it was resolved: the address of a map, of a map's value, of
    /// a kernel variable.
    ///
    /// Linux puts the address into the instruction before the first line of the log is written, and prints zero when the loader
    /// may not see kernel addresses (without `CAP_PERFMON`). Zero is also the default here.
    fn address(&self, _source: ImmSource) -> u64 {
        0
    }
}

/// No names, and all addresses zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NoNames;

impl Names for NoNames {}

/// An instruction as the verifier's log prints it: `(b7) r0 = 0`.
#[derive(Clone, Copy, Debug)]
pub struct Disasm<'a, N: ?Sized> {
    insn: &'a Insn,
    names: &'a N,
}

impl Insn {
    /// Its line in the verifier's log, without position and state.
    pub const fn disasm<'a, N: Names + ?Sized>(&'a self, names: &'a N) -> Disasm<'a, N> {
        Disasm { insn: self, names }
    }
}

impl<N: Names + ?Sized> fmt::Display for Disasm<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { insn, names } = *self;
        write!(f, "({:02x}) ", insn.opcode())?;
        match *insn {
            Insn::LoadImm64 { dst, imm } => {
                let number = match imm {
                    ImmSource::Value(value) => value,
                    // Printed unresolved, as the two immediates.
                    ImmSource::Func(distance) => u64::from(distance.cast_unsigned()),
                    ImmSource::MapFd(_)
                    | ImmSource::MapValue { .. }
                    | ImmSource::BtfId { .. }
                    | ImmSource::MapIdx(_)
                    | ImmSource::MapIdxValue { .. } => names.address(imm),
                };
                write!(f, "{dst} = {number:#x}")
            }
            Insn::Call(Call::Helper(id)) => {
                write!(f, "call {}#{id}", names.helper(id).unwrap_or("unknown"))
            }
            Insn::Call(Call::Kfunc { id, btf }) => {
                write!(f, "call {}#{id}", names.kfunc(id, btf).unwrap_or("kernel-function"))
            }
            Insn::Call(Call::Subprog(distance)) => write!(f, "call pc{distance:+}"),
            Insn::Alu { .. }
            | Insn::Neg { .. }
            | Insn::Mov { .. }
            | Insn::MovSx { .. }
            | Insn::AddrSpaceCast { .. }
            | Insn::Endian { .. }
            | Insn::LoadPacket { .. }
            | Insn::Load { .. }
            | Insn::Store { .. }
            | Insn::Atomic { .. }
            | Insn::LoadAcquire { .. }
            | Insn::StoreRelease { .. }
            | Insn::Jump { .. }
            | Insn::JumpIndirect { .. }
            | Insn::Branch { .. }
            | Insn::MayGoto { .. }
            | Insn::Exit => insn.fmt(f),
        }
    }
}

/// One instruction a line; jumps are relative.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (_, insn) in self.iter() {
            writeln!(f, "{insn}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Insn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Alu { width, op, dst, src } => {
                write!(f, "{} {}= {}", View(dst, width), op.symbol(), Decimal(src, width))
            }
            Self::Neg { width, dst } => write!(f, "{} = -{}", View(dst, width), View(dst, width)),
            Self::Mov { width, dst, src } => {
                write!(f, "{} = {}", View(dst, width), Decimal(src, width))
            }
            Self::MovSx { width, dst, src, from } => {
                write!(f, "{} = (s{}){}", View(dst, width), from.bits(), View(src, width))
            }
            Self::AddrSpaceCast { dst, src, to, from } => {
                write!(f, "{dst} = addr_space_cast({src}, {to}, {from})")
            }
            Self::Endian { order, dst, size } => {
                let name = match order {
                    ByteOrder::Le => "le",
                    ByteOrder::Be => "be",
                    ByteOrder::Swap => "bswap",
                };
                write!(f, "{dst} = {name}{} {dst}", size.bits())
            }
            Self::LoadImm64 { dst, imm } => write!(f, "{dst} = {imm}"),
            Self::LoadPacket { size, index: PacketIndex::Absolute, imm } => {
                write!(f, "r0 = *(u{} *)skb[{imm}]", size.bits())
            }
            Self::LoadPacket { size, index: PacketIndex::Indirect(reg), imm } => {
                write!(f, "r0 = *(u{} *)skb[{reg} + {imm}]", size.bits())
            }
            Self::Load { dst, base, off, size, signed: false } => {
                write!(f, "{dst} = *{}", Place(size, base, off))
            }
            Self::Load { dst, base, off, size, signed: true } => {
                write!(f, "{dst} = *(s{} *)({base} {off:+})", size.bits())
            }
            Self::Store { base, off, size, src } => {
                write!(f, "*{} = {}", Place(size, base, off), Decimal(src, Width::W64))
            }
            Self::Atomic { op, size, base, off, src } => {
                let place = Place(size, base, off);
                let wide = if size == Size::B8 { "64" } else { "" };
                let (name, symbol, fetch) = match op {
                    AtomicOp::Add { fetch } => ("add", "+", fetch),
                    AtomicOp::Or { fetch } => ("or", "|", fetch),
                    AtomicOp::And { fetch } => ("and", "&", fetch),
                    AtomicOp::Xor { fetch } => ("xor", "^", fetch),
                    AtomicOp::Xchg => return write!(f, "{src} = atomic{wide}_xchg({place}, {src})"),
                    AtomicOp::CmpXchg => {
                        return write!(f, "r0 = atomic{wide}_cmpxchg({place}, r0, {src})");
                    }
                };
                if fetch {
                    write!(f, "{src} = atomic{wide}_fetch_{name}({place}, {src})")
                } else {
                    write!(f, "lock *{place} {symbol}= {src}")
                }
            }
            Self::LoadAcquire { dst, base, off, size } => {
                write!(f, "{dst} = load_acquire({})", Place(size, base, off))
            }
            Self::StoreRelease { base, off, size, src } => {
                write!(f, "store_release({}, {src})", Place(size, base, off))
            }
            Self::Jump { off, long: false } => write!(f, "goto pc{off:+}"),
            Self::Jump { off, long: true } => write!(f, "gotol pc{off:+}"),
            Self::JumpIndirect { reg } => write!(f, "gotox {reg}"),
            Self::Branch { width, op, dst, src, off } => {
                write!(f, "if {} {} ", View(dst, width), op.symbol())?;
                match src {
                    Operand::Reg(src) => write!(f, "{}", View(src, width))?,
                    Operand::Imm(imm) => write!(f, "{imm:#x}")?,
                }
                write!(f, " goto pc{off:+}")
            }
            Self::MayGoto { off } => write!(f, "may_goto pc{off:+}"),
            Self::Call(Call::Helper(id)) => write!(f, "call {id}"),
            Self::Call(Call::Subprog(distance)) => write!(f, "call pc{distance:+}"),
            Self::Call(Call::Kfunc { id, btf: 0 }) => write!(f, "call kernel-function#{id}"),
            Self::Call(Call::Kfunc { id, btf }) => write!(f, "call kernel-function#{id}@{btf}"),
            Self::Exit => f.write_str("exit"),
        }
    }
}

impl fmt::Display for ImmSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Value(value) => write!(f, "{value:#x} ll"),
            Self::MapFd(fd) => write!(f, "map[fd:{fd}]"),
            Self::MapValue { fd, off } => write!(f, "map[fd:{fd}][0]+{off}"),
            Self::BtfId { id, btf_fd } => write!(f, "btf[id:{id},fd:{btf_fd}]"),
            Self::Func(distance) => write!(f, "subprog[{distance:+}]"),
            Self::MapIdx(index) => write!(f, "map[idx:{index}]"),
            Self::MapIdxValue { index, off } => write!(f, "map[idx:{index}][0]+{off}"),
        }
    }
}

/// A register as an operation of this width names it: `r1` or `w1`.
struct View(Reg, Width);

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.1 {
            Width::W32 => 'w',
            Width::W64 => 'r',
        };
        write!(f, "{letter}{}", self.0.number())
    }
}

/// A second operand with its immediate in decimal.
struct Decimal(Operand, Width);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Operand::Reg(reg) => View(reg, self.1).fmt(f),
            Operand::Imm(imm) => imm.fmt(f),
        }
    }
}

/// A typed place in memory: `(u32 *)(r1 +4)`.
struct Place(Size, Reg, i16);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(size, base, off) = self;
        write!(f, "(u{} *)({base} {off:+})", size.bits())
    }
}

impl AluOp {
    /// The operator as the log writes it, without the `=` that follows: `+`, `s>>`, `s/`.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Sdiv => "s/",
            Self::Mod => "%",
            Self::Smod => "s%",
            Self::And => "&",
            Self::Or => "|",
            Self::Xor => "^",
            Self::Lsh => "<<",
            Self::Rsh => ">>",
            Self::Arsh => "s>>",
        }
    }
}

impl CmpOp {
    /// The operator as the log writes it: `==`, `s<`, `&`.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Sgt => "s>",
            Self::Sge => "s>=",
            Self::Slt => "s<",
            Self::Sle => "s<=",
            Self::Set => "&",
        }
    }

    /// The comparison that holds exactly when this one does not; `None` for [`Set`](Self::Set), which has none.
    #[must_use]
    pub const fn negated(self) -> Option<Self> {
        Some(match self {
            Self::Eq => Self::Ne,
            Self::Ne => Self::Eq,
            Self::Gt => Self::Le,
            Self::Ge => Self::Lt,
            Self::Lt => Self::Ge,
            Self::Le => Self::Gt,
            Self::Sgt => Self::Sle,
            Self::Sge => Self::Slt,
            Self::Slt => Self::Sge,
            Self::Sle => Self::Sgt,
            Self::Set => return None,
        })
    }

    /// The comparison that means the same with its operands exchanged.
    #[must_use]
    pub const fn swapped(self) -> Self {
        match self {
            Self::Eq => Self::Eq,
            Self::Ne => Self::Ne,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Sgt => Self::Slt,
            Self::Sge => Self::Sle,
            Self::Slt => Self::Sgt,
            Self::Sle => Self::Sge,
            Self::Set => Self::Set,
        }
    }
}
