//! What Linux before 7.2 knows of a register: a number, plus a constant that is kept apart from it.
//!
//! A pointer that is moved by constants keeps its bounds, and the constants add up beside them (`off` of `struct bpf_reg_state`). The sum knows less
//! than its parts: where the number may be negative nothing is known of an unsigned sum, and rules look at the parts.
//!
//! ```text
//! γ(number, fixed) = { x + fixed : x ∈ γ(number) }
//! ```
//!
//! Numbers in registers have no constant apart; whatever computes with one adds it first.

use crate::arc::Arc;
use crate::domain::Domain;
use crate::intervals::{Bounds, Intervals};
use crate::known::Contradiction;
use crate::scalar::{AluOp, Branch, ByteOrder, CmpOp, Fork, Scalar, Width};
use crate::tnum::Tnum;
use crate::views::Views;

/// A number in intervals, plus a constant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offset {
    /// What varies.
    number: Intervals<u64>,
    /// What was added to it since. (`off`)
    fixed: i32,
}

impl From<Intervals<u64>> for Offset {
    fn from(number: Intervals<u64>) -> Self {
        Self { number, fixed: 0 }
    }
}

impl Offset {
    /// The sum, as one number.
    #[inline]
    fn whole(self) -> Intervals<u64> {
        match self.fixed {
            0 => self.number,
            fixed => {
                Intervals::transfer(AluOp::Add, Width::W64, self.number, Intervals::exactly(i64::from(fixed) as u64))
            }
        }
    }

    /// The same constant apart, if it is one.
    fn along(self, other: Self, f: impl FnOnce(Intervals<u64>, Intervals<u64>) -> Intervals<u64>) -> Self {
        if self.fixed == other.fixed {
            Self { number: f(self.number, other.number), fixed: self.fixed }
        } else {
            f(self.whole(), other.whole()).into()
        }
    }
}

/// The unsigned intervals as arcs.
fn unsigned_arcs(number: Intervals<u64>) -> Scalar<u64> {
    let (wide, low) = (number.wide(), number.low());
    let (wide, low) = (Arc::<u64>::from_urange(wide.umin, wide.umax), Arc::<u32>::from_urange(low.umin, low.umax));
    Scalar::from_parts(number.tnum(), wide, low)
}

/// The signed intervals as arcs.
fn signed_arcs(number: Intervals<u64>) -> Scalar<u64> {
    let (wide, low) = (number.wide(), number.low());
    let (wide, low) = (Arc::from_signed(wide.smin, wide.smax), Arc::from_signed(low.smin, low.smax));
    Scalar::from_parts(number.tnum(), wide, low)
}

/// The operation on arcs, in intervals.
fn by_arcs(op: AluOp, width: Width, dst: Scalar<u64>, src: Scalar<u64>) -> Intervals<u64> {
    let result = Scalar::alu(op, width, dst, src);
    let wide =
        Bounds { umin: result.umin(), umax: result.umax(), smin: result.smin() as u64, smax: result.smax() as u64 };
    let low = Bounds {
        umin: result.u32_min(),
        umax: result.u32_max(),
        smin: result.s32_min() as u32,
        smax: result.s32_max() as u32,
    };
    Intervals::from_parts(result.tnum(), wide, low).synced()
}

impl Views for Offset {
    fn bits(&self) -> Tnum<u64> {
        match self.fixed {
            0 => self.number.tnum(),
            fixed => Tnum::add(self.number.tnum(), Tnum::exactly(i64::from(fixed) as u64)),
        }
    }
    fn unsigned(&self) -> (u64, u64) {
        let (Bounds { umin, umax, .. }, fixed) = (self.number.wide(), i64::from(self.fixed));
        umin.checked_add_signed(fixed).zip(umax.checked_add_signed(fixed)).unwrap_or((0, u64::MAX))
    }
    fn signed(&self) -> (i64, i64) {
        let (Bounds { smin, smax, .. }, fixed) = (self.number.wide(), i64::from(self.fixed));
        (smin as i64).checked_add(fixed).zip((smax as i64).checked_add(fixed)).unwrap_or((i64::MIN, i64::MAX))
    }
    fn unsigned_low(&self) -> (u32, u32) {
        let Bounds { umin, umax, .. } = self.number.low();
        if self.fixed == 0 { (umin, umax) } else { (0, u32::MAX) }
    }
    fn signed_low(&self) -> (i32, i32) {
        let Bounds { smin, smax, .. } = self.number.low();
        if self.fixed == 0 { (smin as i32, smax as i32) } else { (i32::MIN, i32::MAX) }
    }
}

impl Domain for Offset {
    const KEEPS_CONSTANTS_APART: bool = true;

    fn unknown() -> Self {
        Intervals::top().into()
    }
    fn constant(value: u64) -> Self {
        Intervals::exactly(value).into()
    }
    fn contains(&self, word: u64) -> bool {
        self.number.contains(word.wrapping_sub(i64::from(self.fixed) as u64))
    }
    fn is_consistent(&self) -> bool {
        self.number.is_consistent()
    }
    fn forget_ranges(self) -> Self {
        Self { number: self.number.forget_bounds(), ..self }
    }
    /// Constants apart are the same, unless everything is included. (`regsafe`)
    fn includes(&self, other: &Self) -> bool {
        *self == Self::unknown() || (self.fixed == other.fixed && self.number.includes(&other.number))
    }
    fn join(&self, other: &Self) -> Self {
        self.along(*other, Intervals::union)
    }
    fn meet(&self, other: &Self) -> Option<Self> {
        let (one, two) = (self.whole(), other.whole());
        let common = one.common(two);
        (one.tnum().overlaps(two.tnum()) && !common.is_empty()).then_some(common.into())
    }
    /// Everything, unless the two are the same. (`maybe_widen_reg`)
    fn widen(&self, other: &Self) -> Self {
        if self == other { *self } else { Self::unknown() }
    }
    /// Quotients and remainders are those of Linux 7.0; what is asked of an older one never is.
    fn alu(op: AluOp, width: Width, dst: Self, src: Self) -> Self {
        let (dst, src) = (dst.whole(), src.whole());
        match op {
            AluOp::Div | AluOp::Mod => by_arcs(op, width, unsigned_arcs(dst), unsigned_arcs(src)).into(),
            AluOp::Sdiv | AluOp::Smod => by_arcs(op, width, signed_arcs(dst), signed_arcs(src)).into(),
            AluOp::Add
            | AluOp::Sub
            | AluOp::Mul
            | AluOp::And
            | AluOp::Or
            | AluOp::Xor
            | AluOp::Lsh
            | AluOp::Rsh
            | AluOp::Arsh => Intervals::transfer(op, width, dst, src).into(),
        }
    }
    /// The difference to zero, as since Linux 6.14.
    fn neg(width: Width, dst: Self) -> Self {
        Intervals::transfer(AluOp::Sub, width, Intervals::exactly(0), dst.whole()).into()
    }
    /// Of swapped bytes the known bits are known, as since Linux 7.0.
    fn byte_order(op: ByteOrder, bytes: u32, number: Self) -> Self {
        let (number, bits) = (number.whole(), bytes.saturating_mul(8));
        let ordered = match op {
            ByteOrder::Le => number,
            ByteOrder::Be | ByteOrder::Swap => {
                Intervals::from_parts(number.tnum().swapped(bits), Bounds::full(), Bounds::full())
            }
        };
        let cut = if bits < 64 { ordered.truncated_to(bits) } else { ordered };
        cut.synced().into()
    }
    fn truncate(bytes: u32, number: Self) -> Self {
        Intervals::truncate(bytes, number.whole()).into()
    }
    fn sign_extend(from_bytes: u32, width: Width, number: Self) -> Self {
        Intervals::sign_extend(from_bytes, width, number.whole()).into()
    }
    fn branch(op: CmpOp, width: Width, a: Self, b: Self, same_register: bool) -> Branch<Self> {
        if same_register {
            return match op {
                CmpOp::Eq | CmpOp::Ge | CmpOp::Le | CmpOp::Sge | CmpOp::Sle => Branch::Always,
                CmpOp::Ne | CmpOp::Gt | CmpOp::Lt | CmpOp::Sgt | CmpOp::Slt => Branch::Never,
                CmpOp::Set => Branch::Both { taken: (a, b), fallthrough: (a, b) },
            };
        }
        let of = |(a, b): (Intervals<u64>, Intervals<u64>)| (a.into(), b.into());
        match Intervals::branch(op, width, a.whole(), b.whole(), false) {
            Branch::Always => Branch::Always,
            Branch::Never => Branch::Never,
            Branch::Both { taken, fallthrough } => Branch::Both { taken: of(taken), fallthrough: of(fallthrough) },
        }
    }
    fn refine(op: CmpOp, width: Width, outcome: bool, a: Self, b: Self) -> Option<(Self, Self)> {
        Intervals::refine(op, width, outcome, a.whole(), b.whole()).map(|(a, b)| (a.into(), b.into()))
    }
    fn between(min: i64, max: i64) -> Self {
        Intervals::between(min, max).into()
    }
    fn fork(&self) -> Option<Fork<Self>> {
        self.whole().fork().map(|Fork { zero, ones }| Fork { zero: zero.into(), ones: ones.into() })
    }
    fn zero_extended(self) -> Self {
        Domain::zero_extended(self.whole()).into()
    }
    fn offset_by(self, delta: i64, width: Width) -> Self {
        self.whole().offset_by(delta, width).into()
    }
    fn placed(off: i64) -> Self {
        match i32::try_from(off) {
            Ok(fixed) => Self { number: Intervals::exactly(0), fixed },
            Err(_) => Self::constant(off as u64),
        }
    }
    fn fixed(&self) -> i64 {
        self.fixed.into()
    }
    fn varying(&self) -> Self {
        self.number.into()
    }
    fn anchor(&self) -> u64 {
        i64::from(self.fixed) as u64
    }
    /// A constant is added to the constant apart, as long as that is a 32-bit number. (`adjust_ptr_min_max_vals`)
    fn moved(self, delta: Self, subtracts: bool) -> Self {
        let delta = delta.whole();
        let sum = |by: i64| {
            let fixed = i64::from(self.fixed);
            i32::try_from(if subtracts { fixed.checked_sub(by) } else { fixed.checked_add(by) }?).ok()
        };
        match delta.as_const().and_then(|by| sum(by as i64)) {
            Some(fixed) => Self { number: self.number, fixed },
            None => Self { number: self.number.moved(delta, subtracts), fixed: self.fixed },
        }
    }
    fn settled(self, keeps_bounds: bool) -> Self {
        Self { number: self.number.settled(keeps_bounds), ..self }
    }
    fn contradiction(&self) -> Contradiction {
        self.number.contradiction()
    }
}
