//! The laws of a [`Domain`], for any implementor: each takes sets and members of them, and says what is broken.
//!
//! A law says nothing about words that are not members: callers choose them as members. Used by property tests and fuzzing.

use core::fmt;

use crate::domain::Domain;
use crate::scalar::{AluOp, Branch, ByteOrder, CmpOp, Width};
use crate::word::Word as _;

/// A law that does not hold, and what should have been a member of what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken<D> {
    /// The law.
    pub law: &'static str,
    /// The set.
    pub set: D,
    /// The word that is missing.
    pub word: u64,
}

impl<D: fmt::Debug> fmt::Display for Broken<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:#x} is not a member of {:x?}", self.law, self.word, self.set)
    }
}

/// What a law answers.
pub type Verdict<D> = Result<(), Broken<D>>;

fn holds<D: Domain>(law: &'static str, set: D, word: u64) -> Verdict<D> {
    if set.contains(word) { Ok(()) } else { Err(Broken { law, set, word }) }
}

/// Views are bounds: a member lies within every one of them.
pub fn views<D: Domain>(a: D, x: u64) -> Verdict<D> {
    let within = |inside: bool, law| if inside { Ok(()) } else { Err(Broken { law, set: a, word: x }) };
    let (signed, low, signed_low) = (x as i64, x as u32, x as i32);
    within((a.unsigned().0..=a.unsigned().1).contains(&x), "unsigned bounds")?;
    within((a.signed().0..=a.signed().1).contains(&signed), "signed bounds")?;
    within((a.unsigned_low().0..=a.unsigned_low().1).contains(&low), "unsigned bounds of the low half")?;
    within((a.signed_low().0..=a.signed_low().1).contains(&signed_low), "signed bounds of the low half")?;
    within(a.bits().contains(x), "known bits")?;
    within(a.as_const().is_none_or(|constant| constant == x), "constant")
}

/// Constants and the unknown, order, join, meet and widening.
pub fn lattice<D: Domain>(a: D, x: u64, b: D, y: u64) -> Verdict<D> {
    holds("constant", D::constant(x), x)?;
    holds("unknown", D::unknown(), x)?;
    if a.includes(&b) {
        holds("order", a, y)?;
    }
    for (law, set) in [("join", a.join(&b)), ("join", b.join(&a)), ("widening", a.widen(&b)), ("widening", b.widen(&a))]
    {
        holds(law, set, x)?;
        holds(law, set, y)?;
    }
    for (word, other) in [(x, b), (y, a)] {
        if a.contains(word) && b.contains(word) {
            match a.meet(&b) {
                Some(meet) => holds("meet", meet, word)?,
                None => return Err(Broken { law: "meet of sets with a common member", set: other, word }),
            }
        }
    }
    for set in [a, b] {
        if !set.includes(&set) || !D::unknown().includes(&set) {
            return Err(Broken { law: "a set includes itself and is included in the unknown", set, word: x });
        }
    }
    Ok(())
}

/// Widening ends: what was widened twice by anything no longer grows.
pub fn widening_ends<D: Domain>(a: D, b: D, c: D) -> Verdict<D> {
    let widened = a.widen(&b).widen(&c);
    let again = widened.widen(&a.join(&b).join(&c));
    let last = again.widen(&widened);
    if again.widen(&last) == last { Ok(()) } else { Err(Broken { law: "widening ends", set: last, word: 0 }) }
}

/// Arithmetic and logic.
pub fn alu<D: Domain>(op: AluOp, width: Width, a: D, x: u64, b: D, y: u64) -> Verdict<D> {
    holds("alu", D::alu(op, width, a, b), op.apply(width, x, y))?;
    holds("alu with itself", D::alu(op, width, a, a), op.apply(width, x, x))?;
    holds("negation", D::neg(width, a), width.negate(x))
}

/// Bytes: order, truncation and sign extension, for every size.
pub fn bytes<D: Domain>(a: D, x: u64) -> Verdict<D> {
    for size in [2, 4, 8] {
        for op in [ByteOrder::Le, ByteOrder::Be, ByteOrder::Swap] {
            holds("byte order", D::byte_order(op, size, a), op.apply(size * 8, x))?;
        }
    }
    for size in [1, 2, 4] {
        let extended: u64 = x.sign_extended_from(size * 8);
        holds("truncation", D::truncate(size, a), x & u64::low_ones(size * 8))?;
        holds("sign extension", D::sign_extend(size, Width::W64, a), extended)?;
        if size < 4 {
            holds("sign extension of the low half", D::sign_extend(size, Width::W32, a), u64::from(extended as u32))?;
        }
    }
    Ok(())
}

/// What a register holds: ranges told from elsewhere, numbers linked to others, offsets of pointers.
pub fn registers<D: Domain>(width: Width, a: D, x: u64, b: D, y: u64) -> Verdict<D> {
    holds("ranges forgotten", a.forget_ranges(), x)?;
    holds("low half", a.zero_extended(), u64::from(x as u32))?;
    let (low, high) = (i64::from(x as i32), i64::from(y as i32));
    let range = D::between(low.min(high), low.max(high));
    holds("between", range, low as u64)?;
    holds("between", range, high as u64)?;
    if let Some(fork) = a.fork()
        && !fork.zero.contains(x)
    {
        holds("fork", fork.ones, x)?;
    }
    for delta in [i64::from(y as i8), i64::from(y as i32)] {
        let word = delta as u64;
        holds("number linked to another", a.offset_by(delta, width), AluOp::Add.apply(width, x, word))?;
        holds("offset plus a constant", a.add_const(delta), x.wrapping_add(word))?;
        holds("offset of a new pointer", D::placed(delta), word)?;
        // Once moved by a constant, an offset may keep it apart.
        let moved = a.moved(D::constant(word), false);
        holds("offset moved by a constant", moved, x.wrapping_add(word))?;
        holds("what varies", moved.varying(), x.wrapping_add(word).wrapping_sub(moved.fixed() as u64))?;
        views(moved, x.wrapping_add(word))?;
        for keeps_bounds in [false, true] {
            let sum = moved.moved(b, false).settled(keeps_bounds);
            holds("offset moved", sum, x.wrapping_add(word).wrapping_add(y))?;
            let difference = moved.moved(b, true).settled(keeps_bounds);
            holds("offset moved back", difference, x.wrapping_add(word).wrapping_sub(y))?;
        }
        lattice(moved, x.wrapping_add(word), b, y)?;
        alu(AluOp::Sub, width, moved, x.wrapping_add(word), b, y)?;
    }
    Ok(())
}

/// Comparison and refinement: a jump goes where the members send it, and they are still there.
pub fn branch<D: Domain>(op: CmpOp, width: Width, a: D, x: u64, b: D, y: u64) -> Verdict<D> {
    let outcome = op.holds(width, x, y);
    let (wrong, right) = match (D::branch(op, width, a, b, false), outcome) {
        (Branch::Always, outcome) => (!outcome, None),
        (Branch::Never, outcome) => (outcome, None),
        (Branch::Both { taken, .. }, true) => (false, Some(taken)),
        (Branch::Both { fallthrough, .. }, false) => (false, Some(fallthrough)),
    };
    if wrong {
        return Err(Broken { law: "a jump that is told goes that way", set: a, word: x });
    }
    let Some(refined) = D::refine(op, width, outcome, a, b) else {
        return Err(Broken { law: "an outcome that happens is possible", set: a, word: x });
    };
    for (a, b) in right.into_iter().chain([refined]) {
        holds("the first operand of a comparison", a, x)?;
        holds("the second operand of a comparison", b, y)?;
    }
    match (D::branch(op, width, a, a, true), op.holds(width, x, x)) {
        (Branch::Always, false) | (Branch::Never, true) => {
            Err(Broken { law: "comparing with itself", set: a, word: x })
        }
        (Branch::Always, true) | (Branch::Never, false) => Ok(()),
        (Branch::Both { taken: (a, b), .. }, true) | (Branch::Both { fallthrough: (a, b), .. }, false) => {
            holds("compared with itself", a, x)?;
            holds("compared with itself", b, x)
        }
    }
}
