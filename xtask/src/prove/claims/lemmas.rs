//! Lemmas on products, quotients and remainders: used as assumptions over functions, proved over the integers.
//!
//! A product that does not overflow is the product of the integers that the words stand for, and division never overflows but for the least
//! word by minus one. So what holds of integers holds of words, and solvers that cannot multiply 64-bit words need not.

use bpfvet_domain::arc::Arc;
use bpfvet_domain::intervals::Bounds;

use crate::prove::claim::Query;
use crate::prove::symbol::{Prop, Symbolic};

fn implies(premise: Prop, conclusion: Prop) -> Prop {
    !premise | conclusion
}

/// Unsigned products are monotone: `a <= c`, `b <= d` and no overflow of `c * d` make `a * b <= c * d`, without overflow.
fn unsigned_product_between<W: Symbolic>(a: W, b: W, c: W, d: W) -> Prop {
    implies(a.ule(c) & b.ule(d) & !c.umul_overflows(d), !a.umul_overflows(b) & a.wrapping_mul(b).ule(c.wrapping_mul(d)))
}

/// Signed products along a line lie between those at its ends: of three pairs that differ in one factor only, the second between the others.
fn signed_product_between<W: Symbolic>(from: (W, W), at: (W, W), to: (W, W)) -> Prop {
    let between = |from: W, at: W, to: W| from.sle(at) & at.sle(to);
    let [first, middle, last] = [from, at, to].map(|(x, y)| x.wrapping_mul(y));
    implies(
        between(from.0, at.0, to.0)
            & between(from.1, at.1, to.1)
            & !from.0.smul_overflows(from.1)
            & !to.0.smul_overflows(to.1),
        !at.0.smul_overflows(at.1) & first.smin(last).sle(middle) & middle.sle(first.smax(last)),
    )
}

/// Signed quotients by one divisor are monotone if it is positive, antitone if it is negative; but for the least word by minus one.
fn signed_quotient_between<W: Symbolic>(x: W, y: W, by: W) -> Prop {
    let jumps = x.same(W::signed_min()) & by.same(W::ones());
    let (first, second, falls) = (x.sdiv(by), y.sdiv(by), by.is_negative());
    implies(x.sle(y) & !by.is_zero() & !jumps, (falls & second.sle(first)) | (!falls & first.sle(second)))
}

/// Signed remainders are smaller than the divisor, lie between zero and the dividend, and are the dividend if that is smaller.
fn remainder_lies_within<W: Symbolic>(x: W, by: W) -> Prop {
    let greatest = W::pick(by.is_negative(), by.wrapping_neg(), by).wrapping_sub(W::one());
    let (least, remainder) = (greatest.wrapping_neg(), x.srem(by));
    let small = least.sle(remainder) & remainder.sle(greatest);
    let above = implies(W::zero().sle(x), W::zero().sle(remainder) & remainder.sle(x));
    let below = implies(x.sle(W::zero()), x.sle(remainder) & remainder.sle(W::zero()));
    let kept = implies(least.sle(x) & x.sle(greatest), remainder.same(x));
    implies(!by.is_zero(), small & above & below & kept)
}

/// The least word by minus one is the least word, by definition of the operation.
fn least_by_minus_one<W: Symbolic>(x: W, by: W) -> Prop {
    implies(x.same(W::signed_min()) & by.same(W::ones()), x.sdiv(by).same(W::signed_min()))
}

/// Unsigned quotients by one divisor are monotone.
fn unsigned_quotient_between<W: Symbolic>(x: W, y: W, by: W) -> Prop {
    implies(x.ule(y) & !by.is_zero(), x.udiv(by).ule(y.udiv(by)))
}

/// Unsigned remainders are below the divisor, not above the dividend, and the dividend if that is below the divisor.
fn remainder_is_below<W: Symbolic>(x: W, by: W) -> Prop {
    let remainder = x.urem(by);
    implies(!by.is_zero(), remainder.ult(by) & remainder.ule(x) & implies(x.ult(by), remainder.same(x)))
}

/// What is known of quotients and remainders of an arc's bounds and a member.
pub(super) fn division<W: Symbolic>(arc: Arc<W>, x: W, by: W) -> [Prop; 7] {
    [
        unsigned_quotient_between(arc.umin(), x, by),
        unsigned_quotient_between(x, arc.umax(), by),
        signed_quotient_between(arc.signed_min(), x, by),
        signed_quotient_between(x, arc.signed_max(), by),
        least_by_minus_one(x, by),
        remainder_is_below(x, by),
        remainder_lies_within(x, by),
    ]
}

/// Products of words no longer than half a word fit.
fn short_product_fits<W: Symbolic>(a: W, b: W) -> Prop {
    let half = W::low_ones(W::BITS / 2);
    implies(a.ule(half) & b.ule(half), !a.umul_overflows(b))
}

/// What is known of products of the ends and members of intervals.
pub(super) fn short_multiplication<W: Symbolic>(a: Bounds<W>, b: Bounds<W>, x: W, y: W) -> [Prop; 3] {
    [
        short_product_fits(a.umax, b.umax),
        unsigned_product_between(a.umin, b.umin, x, y),
        unsigned_product_between(x, y, a.umax, b.umax),
    ]
}

/// What is known of products of two arcs' bounds and members.
pub(super) fn multiplication<W: Symbolic>(a: Arc<W>, b: Arc<W>, x: W, y: W) -> [Prop; 5] {
    let ((least, greatest), (from, to)) = ((a.signed_min(), a.signed_max()), (b.signed_min(), b.signed_max()));
    [
        unsigned_product_between(a.umin(), b.umin(), x, y),
        unsigned_product_between(x, y, a.umax(), b.umax()),
        // Along two edges of the rectangle, then across it.
        signed_product_between((least, from), (least, y), (least, to)),
        signed_product_between((greatest, from), (greatest, y), (greatest, to)),
        signed_product_between((least, y), (x, y), (greatest, y)),
    ]
}

/// A lemma over the integers: names of unknowns, what is assumed, what follows.
pub(crate) struct Lemma {
    pub(crate) name: &'static str,
    unknowns: &'static str,
    assumptions: &'static [&'static str],
    conclusions: &'static [&'static str],
}

/// The lemmas. Division is the pair of a quotient and a remainder that multiplication makes of them.
pub(crate) const LEMMAS: [Lemma; 8] = [
    Lemma {
        name: "unsigned products are monotone",
        unknowns: "a b c d",
        assumptions: &["(<= 0 a c)", "(<= 0 b d)"],
        conclusions: &["(<= 0 (* a b))", "(<= (* a b) (* c d))"],
    },
    Lemma {
        // Two factors below one power of two, and their product below its square.
        name: "products of short words fit",
        unknowns: "a b m",
        assumptions: &["(<= 0 a)", "(< a m)", "(<= 0 b)", "(< b m)"],
        conclusions: &["(< (* a b) (* m m))"],
    },
    Lemma {
        name: "products along a line lie between those at its ends",
        unknowns: "a x b y",
        assumptions: &["(<= a x b)"],
        conclusions: &[
            "(or (<= (* a y) (* x y)) (<= (* b y) (* x y)))",
            "(or (<= (* x y) (* a y)) (<= (* x y) (* b y)))",
        ],
    },
    Lemma {
        name: "unsigned quotients are monotone, remainders small",
        unknowns: "x q r y p s c",
        assumptions: &[
            "(<= 0 x y)",
            "(< 0 c)",
            "(= x (+ (* q c) r))",
            "(<= 0 r)",
            "(< r c)",
            "(= y (+ (* p c) s))",
            "(<= 0 s)",
            "(< s c)",
        ],
        conclusions: &["(<= q p)", "(<= 0 q)", "(<= r x)", "(=> (< x c) (= r x))"],
    },
    Lemma {
        name: "quotients rounded towards zero are monotone for a positive divisor",
        unknowns: "x q r y p s c",
        assumptions: &[
            "(<= x y)",
            "(< 0 c)",
            "(= x (+ (* q c) r))",
            "(< (- c) r c)",
            "(=> (<= 0 x) (<= 0 r))",
            "(=> (<= x 0) (<= r 0))",
            "(= y (+ (* p c) s))",
            "(< (- c) s c)",
            "(=> (<= 0 y) (<= 0 s))",
            "(=> (<= y 0) (<= s 0))",
        ],
        conclusions: &["(<= q p)", "(=> (<= 0 x) (<= r x))", "(=> (<= x 0) (<= x r))", "(=> (< (- c) x c) (= r x))"],
    },
    Lemma {
        name: "quotients rounded towards zero are antitone for a negative divisor",
        unknowns: "x q r y p s c",
        assumptions: &[
            "(<= x y)",
            "(< c 0)",
            "(= x (+ (* q c) r))",
            "(< c r (- c))",
            "(=> (<= 0 x) (<= 0 r))",
            "(=> (<= x 0) (<= r 0))",
            "(= y (+ (* p c) s))",
            "(< c s (- c))",
            "(=> (<= 0 y) (<= 0 s))",
            "(=> (<= y 0) (<= s 0))",
        ],
        conclusions: &["(<= p q)", "(=> (<= 0 x) (<= r x))", "(=> (<= x 0) (<= x r))", "(=> (< c x (- c)) (= r x))"],
    },
    Lemma {
        name: "one bit of a long multiplication",
        unknowns: "q x h l y",
        assumptions: &["(= x (+ (* 2 h) l))", "(<= 0 l 1)"],
        conclusions: &["(= (+ q (* x y)) (+ (+ q (* l y)) (* h (* 2 y))))"],
    },
    Lemma {
        // The known bits `v` of `x`, and `w` of `y`: a known bit adds `y - w`, one that only `x` has adds `y`.
        name: "one bit of a long multiplication of what is not known",
        unknowns: "q x h l y v g k w",
        assumptions: &["(= x (+ (* 2 h) l))", "(<= 0 l 1)", "(= v (+ (* 2 g) k))", "(<= 0 k l)"],
        conclusions: &[
            "(= (- (+ q (* x y)) (* v w)) (- (+ (+ q (- (* l y) (* k w))) (* h (* 2 y))) (* g (* 2 w))))",
            "(=> (= k 1) (= (- (* l y) (* k w)) (- y w)))",
            "(=> (= k 0) (= (- (* l y) (* k w)) (* l y)))",
        ],
    },
];

impl Lemma {
    /// One question per conclusion, each unsatisfiable if it follows; and one for the assumptions, which must not be.
    pub(crate) fn queries(&self) -> Vec<Query> {
        let declared: String = self.unknowns.split(' ').map(|name| format!("(declare-const {name} Int)\n")).collect();
        let assumed: String = self.assumptions.iter().map(|text| format!("(assert {text})\n")).collect();
        let asked = |goal: String, of_assumptions| Query {
            text: format!("(set-logic QF_NIA)\n{declared}{assumed}{goal}(check-sat)\n"),
            essence: None,
            of_assumptions,
        };
        let goals = self.conclusions.iter().map(|text| asked(format!("(assert (not {text}))\n"), false));
        std::iter::once(asked(String::new(), true)).chain(goals).collect()
    }
}
