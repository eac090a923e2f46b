//! The kernel's words for a scalar: what stands between the parentheses of `scalar(…)`.

use core::fmt;

use super::Scalar;
use crate::intervals::Intervals;
use crate::views::Views;

/// The known ranges and bits of a number, comma-separated, as the kernel's log has them; empty when nothing is known.
///
/// ```text
/// smin=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff)
/// ```
///
/// Source: `print_scalar_ranges`, `tnum_strn`, `kernel/bpf/log.c`, Linux 7.3.
#[derive(Clone, Copy, Debug)]
pub struct ScalarText<'a, D = Scalar<u64>>(pub &'a D);

/// A number as unsigned bounds are written: decimal if it is short, else hexadecimal.
#[derive(Clone, Copy, Debug)]
pub struct UnsignedText(pub u64);

/// A number as signed bounds and constants are written: decimal if it is short, else the bits in hexadecimal.
#[derive(Clone, Copy, Debug)]
pub struct SignedText(pub u64);

/// Known bits as the kernel writes them: the number if all are known, else value and mask.
#[derive(Clone, Copy, Debug)]
pub struct TnumText(pub crate::Tnum);

impl UnsignedText {
    fn is_short(self) -> bool {
        self.0 <= u64::from(u16::MAX)
    }
}

impl SignedText {
    fn is_short(self) -> bool {
        i16::try_from(self.0 as i64).is_ok()
    }
    /// A 32-bit number: sign-extended if it is then short, else not, so that its hexadecimal digits are its own.
    fn of_low(low: i32) -> Self {
        let whole = Self(i64::from(low) as u64);
        if whole.is_short() { whole } else { Self(u64::from(low as u32)) }
    }
}

impl fmt::Display for UnsignedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_short() { write!(f, "{}", self.0) } else { write!(f, "{:#x}", self.0) }
    }
}

impl fmt::Display for SignedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_short() { write!(f, "{}", self.0 as i64) } else { write!(f, "{:#x}", self.0) }
    }
}

impl fmt::Display for TnumText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let crate::Tnum { value, mask } = self.0;
        match mask {
            0 if UnsignedText(value).is_short() => UnsignedText(value).fmt(f),
            0 => SignedText(value).fmt(f),
            _ => write!(f, "({value:#x}; {mask:#x})"),
        }
    }
}

/// One bound: its name, its value, and whether it says anything.
#[derive(Clone, Copy)]
struct Bound {
    name: &'static str,
    value: u64,
    signed: bool,
    known: bool,
}

impl Bound {
    fn is_negative(self) -> bool {
        self.signed && (self.value as i64) < 0
    }
    /// Written as one with `self`: the same number, not only the same bits.
    fn joins(self, other: Self) -> bool {
        other.known && self.value == other.value && self.is_negative() == other.is_negative()
    }
}

/// The bounds in the order of the log: lower and upper by turns.
fn bounds(number: &impl Views) -> [Bound; 8] {
    let signed =
        |name, value: i64, limit: i64| Bound { name, value: value as u64, signed: true, known: value != limit };
    let unsigned = |name, value: u64, limit: u64| Bound { name, value, signed: false, known: value != limit };
    let low = |name, value: i32, limit: i32| Bound {
        name,
        value: SignedText::of_low(value).0,
        signed: true,
        known: value != limit,
    };
    let ((umin, umax), (smin, smax)) = (number.unsigned(), number.signed());
    let ((u32_min, u32_max), (s32_min, s32_max)) = (number.unsigned_low(), number.signed_low());
    [
        signed("smin", smin, i64::MIN),
        signed("smax", smax, i64::MAX),
        unsigned("umin", umin, 0),
        unsigned("umax", umax, u64::MAX),
        low("smin32", s32_min, i32::MIN),
        low("smax32", s32_max, i32::MAX),
        unsigned("umin32", u64::from(u32_min), 0),
        unsigned("umax32", u64::from(u32_max), u64::from(u32::MAX)),
    ]
}

impl<D: Views> fmt::Display for ScalarText<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut rest = &mut bounds(self.0)[..];
        while let [bound, later @ ..] = rest {
            if bound.known {
                write!(f, "{separator}{}=", bound.name)?;
                separator = ",";
                // Lower bounds join lower bounds, upper bounds upper ones.
                for other in later.iter_mut().skip(1).step_by(2).filter(|other| bound.joins(**other)) {
                    write!(f, "{}=", other.name)?;
                    other.known = false;
                }
                if bound.signed { SignedText(bound.value).fmt(f)? } else { UnsignedText(bound.value).fmt(f)? }
            }
            rest = later;
        }
        let tnum = self.0.bits();
        if tnum.is_unknown() { Ok(()) } else { write!(f, "{separator}var_off={}", TnumText(tnum)) }
    }
}

/// C's `%#llx`, which writes zero without a prefix.
#[derive(Clone, Copy, Debug)]
pub struct HexText(pub u64);

impl fmt::Display for HexText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("0") } else { write!(f, "{:#x}", self.0) }
    }
}

impl Scalar<u64> {
    /// The kernel's words for the ranges and bits.
    pub fn kernel_text(&self) -> ScalarText<'_> {
        ScalarText(self)
    }
}

impl Intervals<u64> {
    /// The kernel's words for the intervals and bits.
    pub fn kernel_text(&self) -> ScalarText<'_, Self> {
        ScalarText(self)
    }
}
